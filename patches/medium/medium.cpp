// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/medium/medium.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "patches/store/scratch_folder.hpp"

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
    if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos ||
        name.size() > longest_joliet_name) {
      return configuration_error(fmt::format("'{}' cannot be a file name on a medium", name));
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (files[j].name == name)
        return configuration_error(fmt::format("file name '{}' comes twice on one medium", name));
    }
  }
  return {};
}

Result<void> write_iso(ProcessRunner& runner, const ContentStore& store, const std::vector<MediumFile>& files,
                       const std::filesystem::path& iso, std::stop_token stop) {
  std::vector<std::pair<std::string, std::filesystem::path>> sources;
  for (const auto& file : files) {
    PATCHLAB_ASSIGN(auto path, store.verified_path(file.sha256));
    sources.emplace_back(file.name, std::move(path));
  }
  PATCHLAB_TRY(run_for_output(runner, medium_command(sources, iso), stop).while_doing("building a patch medium"));
  if (::chmod(iso.c_str(), 0444) != 0) return errno_error("changing the mode of '" + iso.string() + "'", errno);
  return sync_path(iso);
}

}  // namespace

std::vector<MediumFile> medium_files(const std::vector<CandidateFile>& files) {
  std::vector<MediumFile> out;
  for (const auto& file : files) out.push_back({file.name, file.sha256});
  return out;
}

std::string medium_digest(std::vector<MediumFile> files) {
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  DigestBuilder builder;
  builder.add("patchlab/medium/v1");
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
  PATCHLAB_ASSIGN(const auto scratch, ScratchFolder::create(folder / "incoming"));
  const auto iso = scratch.path() / "medium.iso";
  PATCHLAB_TRY(write_iso(runner, store, files, iso, stop));
  if (::rename(iso.c_str(), target.c_str()) != 0) return errno_error("renaming to '" + target.string() + "'", errno);
  PATCHLAB_TRY(sync_path(folder));
  return target;
}

}  // namespace patchlab::patches
