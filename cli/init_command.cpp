// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/share.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/shell_words.hpp"
#include "lab/libvirt/ssh.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;

// A scenario to begin with. `needs`: files that must lie beside it, as they do beside the template.
struct Template {
  const char* name;
  const char* what;
  const char* needs;  // one file; empty: none
};
constexpr std::array templates{
    Template{"dns", "one name server, six checks, one candidate; its comments say what each line is for", ""},
    Template{"domain", "one Debian machine of a libvirt, here or by ssh; its comments say what to FILL IN",
             "golden/dns1.dpkg-status"},
    Template{"windows", "two Windows machines of a libvirt; its comments say what to FILL IN", "updates/README.txt"}};

// As it stands inside of a JSON text.
std::string in_json(const fs::path& path) {
  const auto text = Json(path.string()).dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.substr(1, text.size() - 2);
}

// A template names its neighbours as "../images/dns"; elsewhere they are named in full.
std::string with_paths_of(std::string text, const fs::path& scenarios) {
  const std::string relative = "\"../";
  const auto absolute = "\"" + in_json(scenarios) + "/";
  for (auto at = text.find(relative); at != std::string::npos; at = text.find(relative, at + absolute.size()))
    text.replace(at, relative.size(), absolute);
  return text;
}

// A folder gets a file named scenario.jsonc, which editors take for JSON with comments.
fs::path file_for(const fs::path& named) {
  const auto extension = named.extension();
  const bool is_file_name = extension == ".jsonc" || extension == ".json";
  return is_file_name && !is_folder(named) ? named : named / "scenario.jsonc";
}

// Never over something that is there: the name is taken first, then the whole text gets it at once.
Result<void> write_new(const fs::path& file, const std::string& text) {
  if (!file.parent_path().empty()) PATCHLAB_TRY(create_folders(file.parent_path()));
  const FileDescriptor taken(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!taken.valid() && errno == EEXIST) {
    return configuration_error(fmt::format("'{}' is there already, and is left as it is", file.string()),
                               fmt::format("patchlab validate {} says whether it is in order; for a new one give "
                                           "another name: patchlab init other.jsonc",
                                           shell_words({file.string()})));
  }
  if (!taken.valid()) return errno_error(fmt::format("making '{}'", file.string()), errno);
  auto written = write_file_atomically(file, text);
  if (!written) ::unlink(file.c_str());
  return written;
}

// What somebody has put there already is his.
Result<void> add_needed(const Template& chosen, const fs::path& shipped, const fs::path& folder) {
  const fs::path name = chosen.needs;
  if (name.empty() || is_there(folder / name)) return {};
  PATCHLAB_ASSIGN(const auto text, read_file(shipped / name));
  return write_new(folder / name, text);
}

Result<const Template*> template_called(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& one : templates) {
    if (one.name == name) return &one;
    names.emplace_back(one.name);
  }
  PATCHLAB_TRY(check_choice("--template", {name}, "is no template", names));
  return &templates.front();
}

ExitCode init(const fs::path& named, const std::string& template_name) {
  const auto chosen = template_called(template_name);
  if (!chosen) return report(chosen.error());
  const auto share = share_folder(own_program());
  if (!share) return report(share.error());
  const auto scenarios = *share / "scenarios";
  const auto text = read_file(scenarios / "templates" / (template_name + ".jsonc"));
  if (!text) return report(text.error());
  const auto file = file_for(named);
  if (const auto written = write_new(file, with_paths_of(*text, scenarios)); !written)
    return report(written.error(), ExitCode::cannot_create);
  if (const auto added = add_needed(**chosen, scenarios / "templates", file.parent_path()); !added)
    return report(added.error(), ExitCode::cannot_create);
  say("{}: {}\n", file.string(), (*chosen)->what);
  const auto shown = shell_words({file.string()});
  say("next: patchlab validate {}\n", shown);
  say("      patchlab run {}\n", shown);
  return ExitCode::ok;
}

}  // namespace

void add_init(CLI::App& app, Chosen& chosen) {
  const auto named = std::make_shared<fs::path>();
  const auto chosen_template = std::make_shared<std::string>("dns");
  auto* command = app.add_subcommand("init", "write a small scenario with comments that works, to begin with");
  command->add_option("path", *named, "a folder, for scenario.jsonc in it, or a .jsonc or .json file; default: here");
  command
      ->add_option("--template", *chosen_template,
                   "what to begin with: dns (a golden image, works as it is), domain (a Debian machine of a libvirt), "
                   "windows (Windows machines of a libvirt)")
      ->capture_default_str();
  command->callback([named, chosen_template, &chosen] {
    chosen = [named, chosen_template] { return init(*named, *chosen_template); };
  });
}

}  // namespace patchlab::cli
