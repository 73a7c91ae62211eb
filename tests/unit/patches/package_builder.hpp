// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "patches/candidate/candidate.hpp"
#include "patches/deb/deb_archive.hpp"

namespace patchlab::patches::testing {

// A folder that goes away with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "patchlab-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  std::filesystem::path write(const std::string& name, const std::string& bytes) const {
    const auto file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << bytes;
    return file;
  }

 private:
  std::filesystem::path path_;
};

inline TarEntry folder(const std::string& path) {
  TarEntry entry;
  entry.path = path;
  entry.type = EntryType::folder;
  entry.mode = 0755;
  entry.modified = 1'600'000'000;
  return entry;
}

inline TarEntry file(const std::string& path, const std::string& content, std::uint32_t mode = 0644) {
  TarEntry entry;
  entry.path = path;
  entry.mode = mode;
  entry.content = content;
  entry.bytes = content.size();
  entry.user = "root";
  entry.group = "root";
  entry.modified = 1'600'000'000;
  return entry;
}

// A small valid package; tests change the one thing they are about.
struct PackageBuilder {
  std::string package = "hello";
  std::string version = "1:2.10-3";
  std::string architecture = "amd64";
  std::string more_fields;  // whole lines
  std::vector<TarEntry> control_extra;
  std::vector<TarEntry> data{folder("./"), folder("./usr/"), file("./usr/hello", "hello, world\n", 0755)};

  [[nodiscard]] std::string control_text() const {
    return fmt::format(
        "Package: {}\nVersion: {}\nArchitecture: {}\nMaintainer: nobody <nobody@example.org>\nInstalled-Size: 12\n"
        "{}Description: says hello\n in a friendly way\n",
        package, version, architecture, more_fields);
  }
  [[nodiscard]] std::vector<TarEntry> control() const {
    std::vector<TarEntry> entries{folder("./"), file("./control", control_text())};
    entries.insert(entries.end(), control_extra.begin(), control_extra.end());
    return entries;
  }
  [[nodiscard]] std::string bytes() const {
    return pack_deb(pack_tar_xz(control()).value(), pack_tar_xz(data).value(), 1'600'000'000);
  }
};

// A candidate of one file, without a package behind it.
inline Candidate candidate(const std::string& id, const std::string& package, const std::string& version) {
  Candidate out;
  out.id = id;
  out.title = id;
  out.files = {
      {canonical_deb_name(package, version, "amd64"), std::string(64, 'a'), 10, package, version, "amd64", "", ""}};
  out.digest = candidate_digest(out);
  return out;
}

}  // namespace patchlab::patches::testing
