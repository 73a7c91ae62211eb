// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/commands.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "lab/core/files.hpp"
#include "lab/guest/windows/collectors.hpp"
#include "lab/guest/windows/exit_codes.hpp"

namespace patchlab::lab::guest::windows {
namespace {
using testing::ElementsAre;

TEST(WindowsCommands, StandInTheOrderOfTheirNames) {
  const auto all = commands();
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(static_cast<std::size_t>(all[i].command), i) << all[i].line;
  EXPECT_EQ(all.back().command, Command::power_off);
}

TEST(WindowsCommands, NameProgramsInFullAndReadThe64BitRegistry) {
  for (const auto& row : commands()) {
    const std::string_view line = row.line;
    const bool is_program = std::string_view(row.by) == "exec";
    EXPECT_TRUE(!is_program || line.starts_with("C:\\Windows\\System32\\")) << line;
    const bool is_registry = line.find("reg.exe") != std::string_view::npos;
    EXPECT_TRUE(!is_registry || line.find(" /reg:") != std::string_view::npos) << line;
    // Slow to start, and it can be forbidden: nothing that decides on a patch may depend on it.
    EXPECT_TRUE(row.command == Command::reach_out || line.find("powershell") == std::string_view::npos) << line;
  }
}

TEST(WindowsCommands, FillPlaceholdersIn) {
  EXPECT_EQ(line_of(Command::install_msu, {{"file", "KB1.msu"}}),
            "C:\\Windows\\System32\\wusa.exe C:\\patchlab\\KB1.msu /quiet /norestart");
  EXPECT_EQ(line_of(Command::remove_kb, {{"number", "5035968"}}),
            "C:\\Windows\\System32\\wusa.exe /uninstall /kb:5035968 /quiet /norestart");
  EXPECT_THROW((void)line_of(Command::install_msu), std::logic_error);
}

TEST(WindowsCommands, BecomeArgumentVectors) {
  const auto query = program_line_of(Command::servicing_keys);
  EXPECT_EQ(query.program, "C:\\Windows\\System32\\reg.exe");
  EXPECT_THAT(
      query.arguments,
      ElementsAre("query", "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing", "/reg:64"));
  const auto boot = program_line_of(Command::boot_event);
  EXPECT_THAT(
      boot.arguments,
      ElementsAre("qe", "System", "/q:*[System[Provider[@Name='Microsoft-Windows-Kernel-General'] and (EventID=12)]]",
                  "/c:1", "/rd:true", "/f:xml"));
}

TEST(WindowsCommands, PlainNamesMeanNothingToTheCommandInterpreter) {
  EXPECT_TRUE(is_plain_name("KB5035968-6.2.1.0_amd64.msu"));
  EXPECT_TRUE(is_plain_name("Package_for_KB1~31bf3856ad364e35~amd64~~6.2.1.0"));
  for (const auto* name : {"", "-x", ".x", "a b", "a&b", "a%b", "a^b", "a\"b", "a|b", "a>b", "a(b", "..\\a", "a/b",
                           "a;b", "a!b", "\xC3\xA4"}) {
    EXPECT_FALSE(is_plain_name(name)) << name;
  }
}

// The tables of docs/windows.md are the code's. PATCHLAB_UPDATE_GOLDEN=1 writes them (and fails, like golden files do).
void expect_documented(const std::string& name, const std::string& table) {
  const auto file = std::filesystem::path(PATCHLAB_SOURCE_DIR) / "docs/windows.md";
  auto document = read_file(file);
  ASSERT_TRUE(document) << document.error().message;
  const auto begin = fmt::format("<!-- {}: from the code -->\n", name);
  const auto end = fmt::format("<!-- {}: end -->", name);
  const auto from = document->find(begin);
  const auto to = document->find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to) << name;
  const auto text = from + begin.size();
  if (const char* update = std::getenv("PATCHLAB_UPDATE_GOLDEN"); update != nullptr && *update == '1') {
    document->replace(text, to - text, "\n" + table + "\n");
    ASSERT_TRUE(write_file_atomically(file, *document));
    FAIL() << "wrote " << file << "; run again without PATCHLAB_UPDATE_GOLDEN";
  }
  EXPECT_EQ(document->substr(text, to - text), "\n" + table + "\n");
}

TEST(WindowsDocument, ListsEveryCommandAndWhatIsUnderstoodOfItsReply) {
  expect_documented("commands", commands_markdown());
}

TEST(WindowsDocument, ListsWhatALookAtTheWholeGuestAsksFor) { expect_documented("collectors", collectors_markdown()); }

TEST(WindowsDocument, ListsEveryExitCode) { expect_documented("exit codes", exit_codes_markdown()); }

}  // namespace
}  // namespace patchlab::lab::guest::windows
