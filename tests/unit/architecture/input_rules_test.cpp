// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <boost/regex.hpp>  // std::regex needs a minute for what this does in a second

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

// How production code meets what others can write: one door for each kind, and nothing beside it.
namespace patchlab {
namespace {

using ::testing::IsEmpty;

namespace fs = std::filesystem;

struct Source {
  std::string name;  // "cli/main.cpp"
  std::string text;  // without comments
};

std::string without_comments(const std::string& text) {
  static const boost::regex comment("//[^\n]*");
  return boost::regex_replace(text, comment, "");
}

const std::vector<Source>& sources() {
  static const std::vector<Source> all = [] {
    std::vector<Source> found;
    const fs::path root = PATCHLAB_SOURCE_DIR;
    for (const char* folder :
         {"cli", "lab", "snapshots", "patches", "checks", "runners", "promotion", "reports", "history", "process"}) {
      for (const auto& file : entries_below(root / folder).value()) {
        if (file.extension() != ".cpp" && file.extension() != ".hpp") continue;
        found.push_back({file.lexically_relative(root).string(), without_comments(read_file(file).value())});
      }
    }
    return found;
  }();
  return all;
}

// "file: what was found" for everything that `pattern` finds outside the files that may have it.
std::vector<std::string> found_outside(const std::string& pattern, const std::set<std::string>& allowed,
                                       const std::string& below = {}) {
  const boost::regex wanted(pattern);
  std::vector<std::string> found;
  for (const auto& source : sources()) {
    if (!source.name.starts_with(below) || allowed.contains(source.name)) continue;
    for (boost::sregex_iterator at(source.text.begin(), source.text.end(), wanted), end; at != end; ++at)
      found.push_back(source.name + ": " + at->str());
  }
  return found;
}

// The arguments of a call whose opening bracket is at `open`.
std::string arguments_at(const std::string& text, std::size_t open) {
  std::size_t end = open + 1;
  for (int depth = 1; depth > 0 && end < text.size(); ++end) depth += text[end] == '(' ? 1 : text[end] == ')' ? -1 : 0;
  return text.substr(open + 1, end - open - 2);
}

// Those that take a path and report by throwing, unless they are given a std::error_code. Of a file_status they ask
// nothing of the system.
std::vector<std::string> throwing_calls(const Source& source) {
  static const boost::regex call(
      R"(\b(?:fs|std::filesystem)::(exists|is_\w+|canonical|weakly_canonical|absolute|relative|proximate|remove|remove_all|)"
      R"(create_\w+|file_size|read_symlink|rename|copy|copy_file|copy_symlink|status|symlink_status|permissions|)"
      R"(current_path|space|equivalent|temp_directory_path|last_write_time|resize_file|hard_link_count|)"
      R"((?:recursive_)?directory_iterator)\s*\()");
  static const boost::regex harmless(R"(\b(code|trouble|trouble_code|ignored|status)\b|^\s*$)");
  std::vector<std::string> found;
  for (boost::sregex_iterator at(source.text.begin(), source.text.end(), call), end; at != end; ++at) {
    const auto open = static_cast<std::size_t>(at->position() + at->length()) - 1;
    const auto arguments = arguments_at(source.text, open);
    const auto before = source.text.substr(static_cast<std::size_t>(std::max<std::ptrdiff_t>(0, at->position() - 3)),
                                           static_cast<std::size_t>(std::min<std::ptrdiff_t>(3, at->position())));
    // "for (entry : directory_iterator(folder, code))" throws when it goes on to the next.
    const bool loop = before.ends_with(" : ") && (*at)[1].str().ends_with("directory_iterator");
    if (loop || !boost::regex_search(arguments, harmless))
      found.push_back(source.name + ": " + at->str() + arguments + ")");
  }
  return found;
}

TEST(InputRules, PathsAreAskedWithoutExceptions) {
  std::vector<std::string> wrong;
  for (const auto& source : sources()) {
    for (const auto& call : throwing_calls(source)) wrong.push_back(call);
  }
  EXPECT_THAT(wrong, IsEmpty()) << "use lab/core/paths.hpp, or pass a std::error_code";
  EXPECT_THAT(found_outside(R"(\bentry(?:->|\.)(?:is_(?:directory|regular_file|symlink)|exists|file_size|status|)"
                            R"(symlink_status|last_write_time)\(\))",
                            {}),
              IsEmpty());
}

TEST(InputRules, JsonComesInThroughOneDoor) {
  EXPECT_THAT(found_outside(R"(\bJson::(parse|sax_parse|accept)\()", {"lab/core/json.cpp", "lab/core/json_items.cpp"}),
              IsEmpty())
      << "use parse_json, read_json_file, read_json_items or json_in: they limit depth and find keys given twice";
}

TEST(InputRules, FilesAreOpenedForReadingInOnePlace) {
  EXPECT_THAT(found_outside(R"(::open(at|at2)?\([^;]*O_RDONLY)",
                            {"lab/core/files.cpp", "lab/core/file_lock.cpp", "lab/core/paths.cpp",
                             "cli/output.cpp",                // /dev/null
                             "lab/libvirt/disk_hold.cpp",     // locks what QEMU has open
                             "lab/process/private_root.cpp",  // makes what is mounted on
                             "lab/libvirt/acceleration.cpp"}),
              IsEmpty())
      << "use open_input: it refuses what is no regular file and never waits";
  EXPECT_THAT(found_outside(R"(\bifstream\b|\bfopen\()",
                            {"cli/doctor.cpp",                  // /proc/meminfo
                             "runners/host/remote_host.cpp"}),  // media of our own
              IsEmpty());
}

TEST(InputRules, LocksAreTakenInOnePlaceAndNeverWithoutADeadline) {
  EXPECT_THAT(
      found_outside(R"(::flock\(|\bLOCK_EX\b|\bF_SETLKW\b|\bF_OFD_SETLKW\b|\blockf\()", {"lab/core/file_lock.cpp"}),
      IsEmpty());
  EXPECT_THAT(found_outside(R"(\bF_SETLKW\b|\bF_OFD_SETLKW\b|\blockf\()", {}), IsEmpty());
}

TEST(InputRules, CommandsPrintThroughWhatQuotesAndNoticesAFullDisk) {
  EXPECT_THAT(found_outside(R"(fmt::print\(|std::cout|std::cerr|\bprintf\(|\bputs\()", {"cli/main.cpp"}, "cli/"),
              IsEmpty())
      << "use say, say_json or write_out (cli/output.hpp), or report";
  EXPECT_THAT(found_outside(R"(fmt::print\(|std::cout|\bprintf\(|\bputs\()", {}, "runners/"), IsEmpty());
  EXPECT_THAT(found_outside(R"(fmt::print\(|std::cout|\bprintf\(|\bputs\()", {}, "reports/"), IsEmpty());
}

TEST(InputRules, RegularExpressionsOfOthersAreMeasuredFirst) {
  EXPECT_THAT(found_outside(R"(std::regex|<regex>)", {"checks/state/allowances.cpp"}), IsEmpty())
      << "the standard library reads and matches them by recursion";
}

// Where secrets are taken out of it.
TEST(InputRules, WhatACellSaysOrKeepsIsWrittenInOnePlaceEach) {
  // Orders to a cell go the other way.
  const auto* const writes = R"((write_file_atomically|write_all|\bofstream|::write|::open)\b[^;]*)";
  auto places = found_outside(writes, {"runners/cell/keeper.cpp"}, "runners/cell/");
  std::ranges::move(found_outside(writes, {"runners/talk/conversation.cpp"}, "runners/talk/"),
                    std::back_inserter(places));
  const auto allowed = [](const std::string& place) {
    return place == "runners/talk/reply.hpp: write_all(output_.get(), line)" ||
           place == "runners/cell/machine.cpp: write_file_atomically(file, secrets_.text(text))";
  };
  EXPECT_EQ(std::erase_if(places, allowed), 2U);
  EXPECT_THAT(places, IsEmpty()) << "use Reply::send or CellMachine::keep_evidence";
}

// Else the tests above could not fail.
TEST(InputRules, WouldNoticeACallThatThrows) {
  const auto count = [](const std::string& text) { return throwing_calls({"x.cpp", text}).size(); };
  EXPECT_EQ(count("if (fs::exists(path)) return;"), 1U);
  EXPECT_EQ(count("auto p = std::filesystem::absolute(f(a, b));"), 1U);
  EXPECT_EQ(count("for (const auto& entry : fs::directory_iterator(folder, code)) {}"), 1U);
  EXPECT_EQ(count("if (fs::exists(path, code)) return;"), 0U);
  EXPECT_EQ(count("for (auto at = fs::directory_iterator(folder, code); !code; at.increment(code)) {}"), 0U);
  EXPECT_EQ(count("return fs::is_directory(status);"), 0U);
  EXPECT_GT(sources().size(), 400U);
}

}  // namespace
}  // namespace patchlab
