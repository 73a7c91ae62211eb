// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/image/package_sources.hpp"

#include <fmt/format.h>

#include <array>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/text.hpp"

namespace patchlab::lab::image {
namespace {

// A tab cannot be part of any of these values.
constexpr const char* target_format =
    "$(REPO_URI)\t$(RELEASE)\t$(CODENAME)\t$(COMPONENT)\t$(ORIGIN)\t$(LABEL)\t$(ARCHITECTURE)\t$(FILENAME)";
constexpr std::size_t field_count = 8;

// apt leaves a field it does not know as it was asked for: "$(LABEL)".
std::string known(std::string_view field) { return std::string(field.starts_with("$(") ? "" : field); }

bool is_release_suite(const IndexTarget& target, const std::string& codename) {
  // A source that says "stable" has release "stable" and codename "bookworm"; "bookworm-security" has it in both.
  return target.codename == codename && target.release.find('-') == std::string::npos &&
         target.label != "Debian-Security";
}

}  // namespace

ProcessSpec index_targets_command(const std::filesystem::path& cache) {
  ProcessSpec spec;
  spec.program = "apt-get";
  if (!cache.empty()) {
    spec.arguments = {"-o", "Dir::Cache::pkgcache=" + (cache / "pkgcache.bin").string(), "-o",
                      "Dir::Cache::srcpkgcache="};
  }
  spec.arguments.insert(spec.arguments.end(), {"indextargets", "--format", target_format, "Created-By: Packages"});
  spec.extra_environment = {{"LC_ALL", "C"}};
  spec.time_limit = std::chrono::seconds(60);
  return spec;
}

std::vector<IndexTarget> parse_index_targets(std::string_view output) {
  std::vector<IndexTarget> targets;
  for (const auto line : split(output, '\n')) {
    const auto fields = split(line, '\t');
    if (fields.size() != field_count) continue;
    targets.push_back({known(fields[0]), known(fields[1]), known(fields[2]), known(fields[3]), known(fields[4]),
                       known(fields[5]), known(fields[6]), known(fields[7])});
  }
  return targets;
}

Result<ReleaseSource> choose_release_source(const std::vector<IndexTarget>& targets, const std::string& codename,
                                            const std::string& architecture) {
  for (const auto& target : targets) {
    if (target.component == "main" && target.origin == "Debian" && target.architecture == architecture &&
        is_release_suite(target, codename)) {
      return ReleaseSource{target.repository, codename, target.file};
    }
  }
  return configuration_error(
      fmt::format("the host's apt has no package index of Debian's '{}' main ({}) to build images from", codename,
                  architecture),
      "run 'apt-get update' as root; the sources of apt must name Debian's main archive");
}

std::string sources_line(const ReleaseSource& source, const std::filesystem::path& key_file) {
  return fmt::format("deb [signed-by={}] {} {} main\n", key_file.string(), source.repository, source.codename);
}

Result<std::string> host_codename(const std::filesystem::path& os_release) {
  PATCHLAB_ASSIGN(const auto text, read_file(os_release));
  for (const auto line : split(text, '\n')) {
    constexpr std::string_view key = "VERSION_CODENAME=";
    if (!line.starts_with(key)) continue;
    std::string value(line.substr(key.size()));
    std::erase(value, '"');
    if (!value.empty()) return value;
  }
  return configuration_error(fmt::format("'{}' names no VERSION_CODENAME", os_release.string()),
                             "stand-in images are built on Debian, from the host's own release");
}

Result<ReleaseSource> host_release_source(ProcessRunner& runner, const std::filesystem::path& cache) {
  PATCHLAB_ASSIGN(const auto codename, host_codename());
  std::error_code code;
  auto folder = is_folder(cache) ? std::filesystem::absolute(cache / "apt" / "host", code) : std::filesystem::path();
  if (!folder.empty() && !create_folders(folder)) folder.clear();  // it takes longer, and that is all
  PATCHLAB_ASSIGN(const auto output, run_for_output(runner, index_targets_command(folder)));
  return choose_release_source(parse_index_targets(output), codename, "amd64");
}

}  // namespace patchlab::lab::image
