// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/feeds_argument.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"

namespace patchlab::cli {
namespace {

struct Arguments {
  FeedsArgument feeds;
  std::filesystem::path file;
  bool json = false;
};

// The newest file, and how many others there are.
std::string files_of(const process::FeedState& state) {
  if (state.files.empty()) return "-";
  auto text = state.files.front().name;
  if (state.files.size() > 1) text += fmt::format(" and {} more", state.files.size() - 1);
  return text;
}

std::size_t entries_of(const process::FeedState& state) {
  std::size_t sum = 0;
  for (const auto& file : state.files) sum += file.entries;
  const bool is_of_all = state.kind == process::FeedKind::cve_records || state.kind == process::FeedKind::msrc ||
                         state.kind == process::FeedKind::known_bad;
  return is_of_all || sum == 0 ? sum : state.files.front().entries;
}

ExitCode status(const Arguments& arguments) {
  process::FeedsWanted wanted;
  wanted.today = std::chrono::floor<std::chrono::days>(system_clock_source().wall());
  const auto feeds = arguments.feeds.read(wanted);
  if (!feeds) return report_input(feeds.error(), ExitCode::bad_data);
  const bool whole = std::ranges::all_of(feeds->states, &process::FeedState::usable);
  const auto code = whole ? ExitCode::ok : ExitCode::not_tested;
  if (arguments.json) {
    say_json("feed-status", Json{{"folder", arguments.feeds.folder.string()},
                                 {"today", process::day_text(wanted.today)},
                                 {"usable", whole},
                                 {"feeds", feeds->states}});
    return code;
  }
  std::vector<std::vector<Cell>> rows{{{"feed"}, {"date"}, {"age"}, {"entries"}, {"file"}}};
  for (const auto& state : feeds->states) {
    rows.push_back({{process::traits_of(state.kind).name},
                    {state.date ? process::day_text(*state.date) : "-"},
                    {state.date ? process::days_text(state.age_days) : "-"},
                    {state.files.empty() ? "-" : std::to_string(entries_of(state))},
                    {files_of(state)}});
  }
  write_out(table(rows));
  for (const auto& state : feeds->states) {
    const auto& traits = process::traits_of(state.kind);
    if (state.usable()) continue;
    say("'{}' {}: {} is unknown; get it from {}\n", traits.name, state.unusable, traits.tells, traits.get_from);
  }
  return code;
}

ExitCode check(const Arguments& arguments) {
  const auto today = std::chrono::floor<std::chrono::days>(system_clock_source().wall());
  const auto file = process::check_feed(arguments.file, today);
  if (!file) return report_input(file.error(), ExitCode::bad_data);
  if (arguments.json) {
    say_json("feed-file", *file);
    return ExitCode::ok;
  }
  const auto& traits = process::traits_of(file->kind);
  say("feed         {} ({})\n", traits.name, traits.title);
  if (file->date) say("date         {} ({})\n", process::day_text(*file->date), traits.date_is);
  say("entries      {}\nbytes        {}\nsha256       {}\n", file->entries, file->bytes, file->sha256);
  return ExitCode::ok;
}

}  // namespace

Result<process::Feeds> FeedsArgument::read(process::FeedsWanted wanted) const {
  wanted.max_age_days = max_age();
  if (folder == usual_feeds && status_of(folder).type() == std::filesystem::file_type::not_found)
    return process::no_feeds(wanted);
  return process::read_feeds(folder, wanted);
}

void add_feeds_options(CLI::App& command, FeedsArgument& argument) {
  command.add_option("--feeds", argument.folder, "folder of feeds: files that others publish about vulnerabilities")
      ->capture_default_str()
      ->envname("PATCHLAB_FEEDS");
  command.add_option("--max-age", argument.days, "how many days old a feed may be; default: what its kind allows")
      ->check(CLI::Range(1, 3650));
}

void add_feed(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* feed = app.add_subcommand("feed", "files that others publish about vulnerabilities: what is there, how old");
  feed->require_subcommand(1);
  auto* showing = feed->add_subcommand("status", "which feeds are in the folder, whole and not too old");
  add_feeds_options(*showing, arguments->feeds);
  showing->add_flag("--json", arguments->json, "as JSON");
  showing->callback([arguments, &chosen] { chosen = [arguments] { return status(*arguments); }; });
  auto* checking = feed->add_subcommand("check", "whether a file is a feed, and whole, after reading all of it");
  checking->add_option("file", arguments->file, "file, whatever it is called")->required();
  checking->add_flag("--json", arguments->json, "as JSON");
  checking->callback([arguments, &chosen] { chosen = [arguments] { return check(*arguments); }; });
}

}  // namespace patchlab::cli
