// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <set>

#include "cli/commands.hpp"
#include "cli/lab_cache.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "cli/there.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/paths.hpp"
#include "lab/libvirt/leftovers.hpp"
#include "lab/libvirt/ssh.hpp"

namespace patchlab::cli {
namespace {

namespace libvirt = lab::libvirt;

struct Arguments {
  std::string uri = "qemu:///system";
  std::filesystem::path storage = libvirt::default_storage;
  std::string run;
  bool dry_run = false;
  bool json = false;
};

struct Line {
  libvirt::LabObject object;
  const char* what = "";  // "removed", "would be removed", "in use", "still there"
};

void print(const std::vector<Line>& lines, bool as_json) {
  if (as_json) {
    Json all = Json::array();
    for (const auto& [object, what] : lines) {
      all.push_back({{"kind", to_string(object.kind)},
                     {"name", to_valid_utf8(object.name())},
                     {"run", object.mark.run},
                     {"cell", object.mark.cell},
                     {"state", what}});
    }
    say_json("lab-clean", {{"objects", all}});
    return;
  }
  if (lines.empty()) {
    write_out("nothing of the lab is there\n");
    return;
  }
  std::vector<std::vector<Cell>> rows{{{"KIND", {}}, {"NAME", {}}, {"RUN", {}}, {"", {}}}};
  for (const auto& [object, what] : lines) {
    rows.push_back({{to_string(object.kind), {}}, {object.name(), {}}, {object.mark.run, {}}, {what, {}}});
  }
  write_out(table(rows));
}

// The folders are there, and so are the locks that say which are in use.
ExitCode clean_there(const Arguments& arguments, const libvirt::SshDestination& destination) {
  std::vector<std::string> words{"lab", "clean", "--connect", destination.uri, "--storage", arguments.storage.string()};
  if (!arguments.run.empty()) words.insert(words.end(), {"--run", arguments.run});
  if (arguments.dry_run) words.emplace_back("--dry-run");
  if (arguments.json) words.emplace_back("--json");
  return do_there(destination, words);
}

// What is there afterwards decides what is said, not what removing it returned.
ExitCode clean(const Arguments& arguments) {
  const auto elsewhere = libvirt::ssh_destination(arguments.uri);
  if (!elsewhere) return report(elsewhere.error());
  if (*elsewhere) return clean_there(arguments, **elsewhere);
  if (arguments.uri.find("://") == std::string::npos) {
    return report(usage_error(fmt::format("--connect '{}' is no URI of a libvirt", arguments.uri),
                              "write qemu:///system, or qemu+ssh://root@HOST/system"));
  }
  const auto named = absolute_path(arguments.storage);
  if (!named) return report(named.error());
  const auto& storage = *named;
  const auto session = libvirt::open_session(arguments.uri);
  if (!session) return report(session.error());
  auto found = libvirt::find_lab_objects(**session, storage);
  if (!found) return report(found.error());
  auto& objects = *found;
  if (!arguments.run.empty()) {
    std::set<std::string> runs;
    for (const auto& object : objects) runs.insert(object.mark.run);
    if (const auto known = check_choice("--run", {arguments.run}, "has left nothing here", {runs.begin(), runs.end()});
        !known)
      return report(known.error());
    std::erase_if(objects, [&](const libvirt::LabObject& object) { return object.mark.run != arguments.run; });
  }
  Result<void> removed;
  std::vector<libvirt::LabObject> left = objects;
  if (!arguments.dry_run && !objects.empty()) {
    removed = libvirt::remove_lab_objects(**session, objects);
    auto now = libvirt::find_lab_objects(**session, storage);
    if (!now) return report(now.error());
    left = std::move(*now);
  }
  std::vector<Line> lines;
  for (const auto& object : objects) {
    const bool there = std::ranges::any_of(
        left, [&](const libvirt::LabObject& other) { return other.kind == object.kind && other.mark == object.mark; });
    const char* freed = arguments.dry_run ? "would be removed" : there ? "still there" : "removed";
    lines.push_back({object, object.in_use ? "in use" : freed});
  }
  print(lines, arguments.json);
  return removed ? ExitCode::ok : report(removed.error());
}

}  // namespace

void add_lab(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* group = app.add_subcommand("lab", "what the lab made on a system libvirt, and keeps in its cache");
  group->require_subcommand(1);
  auto* cleaning = group->add_subcommand("clean", "remove domains, networks and files that crashed runs left there");
  cleaning->add_option("--connect", arguments->uri, "libvirt URI, of this host or qemu+ssh://root@HOST/system")
      ->capture_default_str();
  cleaning->add_option("--storage", arguments->storage, "folder of the cells' files")->capture_default_str();
  cleaning->add_option("--run", arguments->run, "of this run only; default: of all that have ended");
  cleaning->add_flag("--dry-run", arguments->dry_run, "only list them");
  cleaning->add_flag("--json", arguments->json, "as JSON");
  cleaning->callback([arguments, &chosen] { chosen = [arguments] { return clean(*arguments); }; });

  const auto wanted = std::make_shared<LabCache>();
  auto* cache =
      group->add_subcommand("cache", "states of machines that runs keep for later ones: show them, trim them");
  cache
      ->add_option("--most-mib", wanted->most_mib, "remove what is expected to save least until the rest takes no more")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1} << 30U));
  cache->add_option("--most-hours", wanted->most_hours, "remove what was made longer ago")
      ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{8760}));
  cache->add_flag("--json", wanted->json, "as JSON");
  cache->callback([wanted, &chosen] { chosen = [wanted] { return show_lab_cache(*wanted); }; });
}

}  // namespace patchlab::cli
