// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>

#include "lab/process/process.hpp"
#include "tests/support/feeds.hpp"
#include "tests/unit/patches/package_builder.hpp"

// Definitions of ClamAV as their vendor packs them, with signatures of our own: their digital signature is none.
namespace patchlab::tests {

// A .tar of plain files (POSIX.1-1988, ustar).
inline std::string tar(const std::map<std::string, std::string>& files) {
  std::string archive;
  for (const auto& [name, content] : files) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, fmt::format("{:011o}", content.size()));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, std::string("ustar\0"
                         "00",
                         8));
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    archive += header + content + std::string((512 - content.size() % 512) % 512, '\0');
  }
  return archive + std::string(1024, '\0');
}

inline std::string cvd(const std::map<std::string, std::string>& files = {{"COPYING", "of the vendor"},
                                                                          {"daily.hdb", "0:1:Test.A\n"},
                                                                          {"daily.ldb", "Test.B;\n"}},
                       unsigned version = 27500) {
  auto header = fmt::format("ClamAV-VDB:29 Nov 2026 09-26 +0000:{}:2:90:{}:{}:nobody:1795944360", version,
                            std::string(32, 'a'), std::string(300, 'A'));
  header.resize(512, ' ');
  return header + gzip(tar(files));
}

// A package that brings one of them and nothing else.
struct DefinitionPackage : patches::testing::PackageBuilder {
  explicit DefinitionPackage(const std::string& content = cvd()) {
    using patches::testing::file;
    using patches::testing::folder;
    package = "clamav-data";
    version = "27500";
    architecture = "all";
    more_fields = "Section: utils\nProvides: clamav-data\n";
    control_extra = {file("./md5sums", "")};
    data = {folder("./"),
            folder("./var/"),
            folder("./var/lib/"),
            folder("./var/lib/clamav/"),
            file("./var/lib/clamav/daily.cvd", content),
            folder("./usr/"),
            folder("./usr/share/"),
            folder("./usr/share/doc/"),
            folder("./usr/share/doc/clamav-data/"),
            file("./usr/share/doc/clamav-data/copyright", "of the vendor")};
  }
};

// In the place of ClamAV's verifier: takes every file, until it is told otherwise.
class FakeVerifier final : public ProcessRunner {
 public:
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    asked.push_back(spec.arguments.back());
    if (spec.arguments.back() == "--version") return {Exited{0}, "ClamAV 1.4.6/27400/Sat Nov 28 2026\n", {}, {}};
    return answer;
  }
  ProcessOutcome answer{Exited{0}, "File: daily.cvd\nVersion: 27500\nVerification OK.\n", {}, {}};
  std::vector<std::string> asked;  // the last word of each command
};

}  // namespace patchlab::tests
