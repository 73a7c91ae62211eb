// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The stand-in's own sc, run by a shell of this host: it stops and starts what runs in the place of a service.
#include <gmock/gmock.h>

#include <fstream>

#include "lab/core/files.hpp"
#include "lab/guest/windows/replies.hpp"
#include "lab/process/process.hpp"

namespace patchlab::lab::guest::windows {
namespace {
namespace fs = std::filesystem;

class StandInServices : public testing::Test {
 protected:
  StandInServices() {
    const auto tools =
        fs::path(PATCHLAB_SOURCE_DIR) / "scenarios/images/windows-stand-in/files/usr/lib/patchlab/windows";
    for (const char* name : {"sc", "common.sh", "services"}) {
      auto text = read_file(tools / name).value_or("");
      for (const auto& [path, by] : {std::pair<std::string, std::string>{"/usr/lib/patchlab/windows", folder_.string()},
                                     {"/etc/init.d", folder_.string()},
                                     {"/run/", folder_.string() + "/"}}) {
        for (auto at = text.find(path); at != std::string::npos; at = text.find(path, at + by.size()))
          text.replace(at, path.size(), by);
      }
      std::ofstream(folder_ / name) << text;
    }
    std::ofstream(folder_ / "patchlab-windows") << "";
    std::ofstream(folder_ / "patchlab-boot-complete") << "";
    program("named", "case $1 in start) : >up;; stop) rm -f up;; esac");
    program("pidof", "[ -e up ]");
    program("pgrep", "exit 0");
    std::ofstream(folder_ / "up") << "";
  }
  ~StandInServices() override { fs::remove_all(folder_); }
  static fs::path new_folder() {
    std::string pattern = testing::TempDir() + "patchlab-stand-in-XXXXXX";
    return ::mkdtemp(pattern.data());
  }
  void program(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << "#!/bin/sh\ncd " << folder_.string() << "\n" << text << "\n";
    fs::permissions(folder_ / name, fs::perms::owner_all);
  }
  [[nodiscard]] std::string sc(const std::vector<std::string>& arguments) const {
    ProcessSpec spec;
    spec.program = "/bin/sh";
    spec.arguments = {(folder_ / "sc").string()};
    spec.arguments.insert(spec.arguments.end(), arguments.begin(), arguments.end());
    spec.extra_environment["PATH"] = folder_.string() + ":/usr/bin:/bin";
    return host_processes().run(spec).output;
  }
  [[nodiscard]] ServiceStatus dns() const {
    const auto all = services(sc({"query", "type=", "service", "state=", "all"}));
    EXPECT_TRUE(all) << all.error().message;
    return all ? all->at("DNS") : ServiceStatus{};
  }
  const fs::path folder_ = new_folder();
};

TEST_F(StandInServices, StopAndStartAgain) {
  EXPECT_EQ(dns().state, 4U);
  EXPECT_EQ(sc({"stop", "DNS"}), "");
  EXPECT_EQ(dns().state, 1U);
  EXPECT_EQ(dns().exit_code, 0U) << "it was told to";
  EXPECT_EQ(sc({"start", "DNS"}), "");
  EXPECT_EQ(dns().state, 4U);
  fs::remove(folder_ / "up");
  EXPECT_EQ(dns().exit_code, 1067U) << "it ended by itself";
}

TEST_F(StandInServices, RefuseAsWindowsDoes) {
  EXPECT_THAT(sc({"stop", "Exchange"}), testing::HasSubstr("FAILED 1060"));
  EXPECT_THAT(sc({"stop", "RpcSs"}), testing::HasSubstr("FAILED 1052"));
  EXPECT_THAT(sc({"start", "DNS"}), testing::HasSubstr("FAILED 1056"));
  (void)sc({"stop", "DNS"});
  EXPECT_THAT(sc({"stop", "DNS"}), testing::HasSubstr("FAILED 1062"));
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
