// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>

#include "cli/image_commands.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/names.hpp"

namespace patchlab::cli {
namespace {

namespace image = lab::image;

struct Arguments {
  std::string machine;  // "finance/dns"
  std::string version;
  bool go_on = false;
  bool json = false;
};

Result<image::VersionLine> line_of(const Arguments& arguments, const std::filesystem::path& cache) {
  const auto slash = arguments.machine.find('/');
  const auto department = arguments.machine.substr(0, slash);
  const auto machine = slash == std::string::npos ? std::string() : arguments.machine.substr(slash + 1);
  if (!is_scenario_name(department) || !is_scenario_name(machine))
    return usage_error(fmt::format("'{}' is no machine of a department", arguments.machine),
                       "write it as finance/dns; 'patchlab image list' shows those that have versions");
  PATCHLAB_ASSIGN(auto line, image::read_versions(cache, department, machine));
  if (!line.versions.empty()) return line;
  return configuration_error(
      fmt::format("the golden image of '{}' has no versions: it is the one from its recipe", arguments.machine),
      "patchlab image refresh makes one of what was promoted and deployed");
}

std::string text_in(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

void say_version(const image::ImageVersion& version) {
  const auto& told = version.provenance;
  say("version {}: image {}, made {} by {} with {}{}\n", version.number, version.image.substr(0, 16),
      text_in(told, "made"), text_in(told, "by"), text_in(told, "tool"), version.dropped ? "; dropped since" : "");
  const auto image = told.value("image", Json::object());
  say("  of {} {}\n", text_in(image, "name"), text_in(image, "parent").substr(0, 16));
  const auto candidates = told.value("candidates", Json::array());
  for (const auto& candidate : candidates)
    say("  {} {}\n", text_in(candidate, "id"), text_in(candidate, "digest").substr(0, 16));
  const auto promotion = told.value("promotion", Json::object());
  std::vector<std::string> approved;
  const auto names = promotion.value("approved_by", Json::array());
  for (const auto& name : names) {
    if (name.is_string()) approved.push_back(name.get<std::string>());
  }
  say("  promoted as serial {} of run {}, line {} of the ledger of {}, approved by {}\n",
      promotion.value("serial", Json()).dump(), text_in(promotion, "run"), promotion.value("line", Json()).dump(),
      text_in(promotion, "stage"), approved.empty() ? "nobody" : listed(approved));
  const auto reported = told.value("reported", Json::object());
  for (const auto& [machine, line] : reported.items())
    say("  {} says that it has of it, line {}\n", machine, line.dump());
}

ExitCode show(const Arguments& arguments) {
  const auto line = line_of(arguments, cache_folder());
  if (!line) return report_input(line.error(), ExitCode::bad_data);
  if (arguments.json) {
    say_json("image-show", version_line_json(*line));
    return ExitCode::ok;
  }
  say("{}: starts from {}\n", arguments.machine, starts_from(*line));
  for (const auto& version : line->versions) say_version(version);
  return ExitCode::ok;
}

Result<std::optional<std::uint64_t>> wanted_version(const std::string& word, const image::VersionLine& line) {
  if (word == "newest") return std::optional<std::uint64_t>();
  std::uint64_t number = 0;
  const auto* end = word.data() + word.size();
  const auto read = std::from_chars(word.data(), end, number);
  if (read.ec == std::errc() && read.ptr == end && (number == 1 || line.find(number) != nullptr))
    return std::optional<std::uint64_t>(number);
  std::vector<std::string> known{"1"};
  for (const auto& version : line.versions) known.push_back(std::to_string(version.number));
  return usage_error(fmt::format("'{}' is no version of '{}/{}'", word, line.department, line.machine),
                     fmt::format("one of {}, or newest", fmt::join(known, ", ")));
}

ExitCode use(const Arguments& arguments) {
  const auto cache = own_cache();
  if (!cache) return report(cache.error());
  const auto known = line_of(arguments, *cache);
  if (!known) return report_input(known.error(), ExitCode::bad_data);
  const auto version = wanted_version(arguments.version, *known);
  if (!version) return report(version.error());
  if (arguments.go_on && !*version)
    return report(
        usage_error("--go-on is from an older version, and the newest is gone on from anyway", "name its number"));
  const auto held = image::hold_cache(
      *cache, {.limit = std::chrono::minutes(10), .stop = interruption(), .waiting = [](const std::string& holder) {
                 warn("waiting for " + holder);
               }});
  if (!held) return report(held.error());
  auto line = line_of(arguments, *cache);
  if (!line) return report_input(line.error(), ExitCode::bad_data);
  if (*version && **version != 1 && line->find(**version) == nullptr)
    return report(configuration_error("the versions have changed meanwhile", "try again"));
  if (arguments.go_on)
    line->go_back_to(**version);
  else
    line->pinned = *version;
  if (const auto written = image::write_versions(*cache, *line); !written)
    return report(written.error(), ExitCode::cannot_create);
  say("{}: starts from {}\n", arguments.machine, starts_from(*line));
  return ExitCode::ok;
}

}  // namespace

std::string starts_from(const image::VersionLine& line) {
  if (line.pinned == 1) return "version 1, the image from its recipe";
  if (line.pinned) return fmt::format("version {}, as it was told", *line.pinned);
  if (line.versions.empty()) return "the image from its recipe";
  // What the recipe makes now is not asked here: where that is another image, no version of before counts.
  const auto newest =
      std::ranges::find(line.versions.rbegin(), line.versions.rend(), false, &image::ImageVersion::dropped);
  if (newest == line.versions.rend()) return "the image from its recipe, to which somebody went back";
  return fmt::format("version {}, the newest{}, where its recipe makes image {}", newest->number,
                     newest == line.versions.rbegin() ? "" : " that was not dropped", newest->origin.substr(0, 16));
}

Json version_line_json(const image::VersionLine& line) {
  Json json = line;
  json.erase("schema");
  return json;
}

void add_image_versions(CLI::App& group, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* showing = group.add_subcommand("show", "the versions of a machine's golden image, and what each was made of");
  showing->add_option("machine", arguments->machine, "department and machine: finance/dns")->required();
  showing->add_flag("--json", arguments->json, "as JSON");
  showing->callback([arguments, &chosen] { chosen = [arguments] { return show(*arguments); }; });
  auto* using_one = group.add_subcommand("use", "let a machine start from another version of its golden image");
  using_one->add_option("machine", arguments->machine, "department and machine: finance/dns")->required();
  using_one->add_option("version", arguments->version, "its number; 1: the image from the recipe; or newest")
      ->required();
  using_one->add_flag("--go-on", arguments->go_on,
                      "newer versions count no more, and 'image refresh' goes on from this one: after a rollback");
  using_one->callback([arguments, &chosen] { chosen = [arguments] { return use(*arguments); }; });
}

}  // namespace patchlab::cli
