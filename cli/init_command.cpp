// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/output.hpp"
#include "cli/share.hpp"
#include "cli/terminal.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/libvirt/ssh.hpp"

namespace patchlab::cli {
namespace {

namespace fs = std::filesystem;

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
                                           lab::libvirt::shell_words({file.string()})));
  }
  if (!taken.valid()) return errno_error(fmt::format("making '{}'", file.string()), errno);
  auto written = write_file_atomically(file, text);
  if (!written) ::unlink(file.c_str());
  return written;
}

ExitCode init(const fs::path& named) {
  const auto share = share_folder(own_program());
  if (!share) return report(share.error());
  const auto scenarios = *share / "scenarios";
  const auto text = read_file(scenarios / "templates" / "dns.jsonc");
  if (!text) return report(text.error());
  const auto file = file_for(named);
  if (const auto written = write_new(file, with_paths_of(*text, scenarios)); !written)
    return report(written.error(), ExitCode::cannot_create);
  say("{}: one name server, six checks, one candidate; its comments say what each line is for\n", file.string());
  const auto shown = lab::libvirt::shell_words({file.string()});
  say("next: patchlab validate {}\n", shown);
  say("      patchlab run {}\n", shown);
  return ExitCode::ok;
}

}  // namespace

void add_init(CLI::App& app, Chosen& chosen) {
  const auto named = std::make_shared<fs::path>();
  auto* command = app.add_subcommand("init", "write a small scenario with comments that works, to begin with");
  command->add_option("path", *named, "a folder, for scenario.jsonc in it, or a .jsonc or .json file; default: here");
  command->callback([named, &chosen] { chosen = [named] { return init(*named); }; });
}

}  // namespace patchlab::cli
