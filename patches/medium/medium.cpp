// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/medium/medium.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/held_folder.hpp"
#include "patches/deb/package_index.hpp"

namespace patchlab::patches {
namespace {

constexpr std::size_t longest_joliet_name = 103;  // with -joliet-long; the standard says 64

// mkisofs graft points: '=' separates, '\' escapes.
std::string graft_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '=' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

Result<void> check_names(const std::vector<MediumFile>& files) {
  if (files.empty()) return configuration_error("a medium without files was asked for");
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto& name = files[i].name;
    if (const auto trouble = name_trouble(name); !trouble.empty()) return configuration_error(trouble);
    for (std::size_t j = 0; j < i; ++j) {
      if (files[j].name == name)
        return configuration_error(fmt::format("file name '{}' comes twice on one medium", name));
    }
  }
  return {};
}

bool is_deb(const std::string& name) { return name.ends_with(".deb"); }

// Made anew from the packages themselves: what the index says of a package is what is in it.
Result<void> write_index(const std::vector<MediumFile>& files, const ContentStore& store,
                         const std::filesystem::path& folder) {
  std::string index;
  std::string list;
  for (const auto& file : files) {
    if (!is_deb(file.name)) continue;
    PATCHLAB_ASSIGN(const auto path, store.verified_path(file.sha256));
    PATCHLAB_ASSIGN(const auto control, control_of(path).while_doing("building a patch medium"));
    std::error_code trouble;
    const auto bytes = std::filesystem::file_size(path, trouble);
    if (trouble) return infrastructure_error(fmt::format("'{}': {}", path.string(), trouble.message()));
    index += index_entry(control, {file.name, file.sha256, bytes});
    list += fmt::format("{} {} {} {}\n", file.name, known_package_name(field(control, "Package")),
                        field(control, "Version"), field(control, "Architecture"));
  }
  PATCHLAB_TRY(write_file_atomically(folder / index_name, index));
  return write_file_atomically(folder / files_name, list);
}

Result<void> write_iso(ProcessRunner& runner, const ContentStore& store, const std::vector<MediumFile>& files,
                       const std::filesystem::path& iso, std::stop_token stop) {
  std::vector<std::pair<std::string, std::filesystem::path>> sources;
  for (const auto& file : files) {
    PATCHLAB_ASSIGN(auto path, store.verified_path(file.sha256));
    sources.emplace_back(file.name, std::move(path));
  }
  if (std::any_of(files.begin(), files.end(), [](const MediumFile& file) { return is_deb(file.name); })) {
    PATCHLAB_TRY(write_index(files, store, iso.parent_path()));
    for (const char* name : {index_name, files_name}) sources.emplace_back(name, iso.parent_path() / name);
  }
  PATCHLAB_TRY(run_for_output(runner, medium_command(sources, iso), stop).while_doing("building a patch medium"));
  if (::chmod(iso.c_str(), 0444) != 0) return errno_error("changing the mode of '" + iso.string() + "'", errno);
  return sync_path(iso);
}

}  // namespace

std::string name_trouble(const std::string& name) {
  if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos)
    return fmt::format("'{}' cannot be a file name on a medium", name);
  if (name == index_name || name == files_name) return fmt::format("'{}' is the name of the medium's own index", name);
  if (name.size() > longest_joliet_name) {
    return fmt::format("'{}' is too long for a file name on a medium: {} characters, at most {}", name, name.size(),
                       longest_joliet_name);
  }
  return {};
}

std::vector<MediumFile> medium_files(const std::vector<CandidateFile>& files) {
  std::vector<MediumFile> out;
  for (const auto& file : files) out.push_back({file.name, file.sha256});
  return out;
}

std::string medium_digest(std::vector<MediumFile> files) {
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  DigestBuilder builder;
  builder.add("patchlab/medium/v2");
  for (const auto& file : files) builder.add(file.name).add(file.sha256);
  return builder.finish();
}

ProcessSpec medium_command(const std::vector<std::pair<std::string, std::filesystem::path>>& sources,
                           const std::filesystem::path& iso) {
  ProcessSpec spec;
  spec.program = "xorriso";
  spec.arguments = {"-as",      "mkisofs", "-quiet", "-o",           iso.string(),   "-V",
                    "PATCHLAB", "-r",      "-J",     "-joliet-long", "-graft-points"};
  for (const auto& [name, path] : sources) {
    spec.arguments.push_back(graft_escaped("/" + name) + "=" + graft_escaped(path.string()));
  }
  // The same files give the same image (xorriso takes all its time stamps from this variable).
  spec.extra_environment = {{"SOURCE_DATE_EPOCH", "1700000000"}};
  return spec;
}

Result<std::filesystem::path> build_medium(ProcessRunner& runner, const ContentStore& store,
                                           const std::vector<MediumFile>& files, const std::filesystem::path& folder,
                                           std::stop_token stop) {
  PATCHLAB_TRY(check_names(files));
  const auto target = folder / (medium_digest(files) + ".iso");
  std::error_code ignored;
  // Complete whenever it has its name: it was renamed into place after it was written and synced.
  if (std::filesystem::exists(target, ignored)) return target;
  PATCHLAB_ASSIGN(const auto scratch, HeldFolder::make_in(folder / "incoming", "work-"));
  const auto iso = scratch.path() / "medium.iso";
  PATCHLAB_TRY(write_iso(runner, store, files, iso, stop));
  if (::rename(iso.c_str(), target.c_str()) != 0) return errno_error("renaming to '" + target.string() + "'", errno);
  PATCHLAB_TRY(sync_path(folder));
  return target;
}

}  // namespace patchlab::patches
