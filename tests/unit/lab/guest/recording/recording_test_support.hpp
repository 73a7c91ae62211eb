// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lab/guest/recording/recorder.hpp"
#include "lab/guest/recording/scrubber.hpp"
#include "lab/guest/recording/understanding.hpp"
#include "tests/unit/lab/guest/windows/windows_test_support.hpp"

namespace patchlab::lab::guest::recording {

inline ScrubRules shipped_rules() {
  auto rules = read_scrub_rules(std::filesystem::path(PATCHLAB_SOURCE_DIR) / "scenarios/recording/rules.json");
  EXPECT_TRUE(rules) << rules.error().message;
  return rules.value_or(ScrubRules{});
}

// A fake Windows machine that can be recorded: it says its release, code pages and names as well.
class RecordingTest : public windows::WindowsTest {
 protected:
  RecordingTest() {
    windows.kernel = {"10.0", "17763"};
    auto& registry = windows.registry;
    const std::string version = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
    registry.set(version, "CurrentMajorVersionNumber", "REG_DWORD", "0xa");
    registry.set(version, "CurrentVersion", "REG_SZ", "6.3");
    registry.set(version, "CurrentBuildNumber", "REG_SZ", "17763");
    registry.set(version, "UBR", "REG_DWORD", "0x14d1");
    registry.set(version, "ProductName", "REG_SZ", "Windows Server 2019 Standard");
    registry.set("HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage", "OEMCP", "REG_SZ", "850");
    registry.set("HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\CodePage", "ACP", "REG_SZ", "1252");
    registry.set("HKLM\\SYSTEM\\CurrentControlSet\\Control\\Nls\\Language", "InstallLanguage", "REG_SZ", "0407");
    const std::string parameters = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\Tcpip\\Parameters";
    registry.set(parameters, "Hostname", "REG_SZ", "srv2012");
    registry.set(parameters, "Domain", "REG_SZ", "ad.contoso.com");
    registry.add_key("HKLM\\SAM\\SAM\\Domains\\Account\\Users\\Names\\jdoe");
    registry.set("HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\ProfileList\\S-1-5-21-11-22-33-1001",
                 "ProfileImagePath", "REG_EXPAND_SZ", "C:\\Users\\mmuster");
  }

  std::vector<Reply> asked(const std::vector<Asked>& questions) {
    auto replies = ask_all(agent, clock, questions, {}, {});
    EXPECT_TRUE(replies) << replies.error().message;
    return replies.value_or(std::vector<Reply>{});
  }
  Recording recorded() {
    Recording recording{"patchlab 0", "2026-11-30T01:00:00Z", {}, asked(recorded_questions()), {}, {}};
    recording.machine = machine_told_by(recording.replies);
    return recording;
  }
  static Reply& reply_of(Recording& recording, const std::string& id) {
    const auto found = std::ranges::find(recording.replies, id, &Reply::id);
    EXPECT_NE(found, recording.replies.end()) << id;
    return *found;
  }
};

}  // namespace patchlab::lab::guest::recording
