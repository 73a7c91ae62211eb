// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/deploy/export_handoff.hpp"

#include <fmt/format.h>

#include <map>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/sha1.hpp"
#include "lab/core/whole_folder.hpp"
#include "patches/deb/deb_file.hpp"
#include "promotion/deploy/ansible.hpp"
#include "promotion/deploy/apt_repository.hpp"
#include "promotion/deploy/scripts.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

constexpr unsigned for_all = 0644;

Result<void> write(const fs::path& path, std::string_view text) { return write_file_atomically(path, text, for_all); }

Result<void> write_files(const Handoff& handoff, const fs::path& folder) {
  for (const auto& candidate : handoff.candidates) {
    PATCHLAB_TRY(create_folders(folder / candidate.id));
    for (const auto& file : candidate.files) PATCHLAB_TRY(copy_tested(handoff, file, folder / file.path()));
  }
  // Byte for byte the set that people approved and the ledger names.
  return write(folder / sums_file_name, handoff.sums);
}

Result<void> write_ansible(const Handoff& handoff, const fs::path& folder) {
  std::vector<DebianPackage> packages;
  for (const auto& candidate : handoff.candidates) {
    if (candidate.kind != "deb") continue;
    for (const auto& file : candidate.files) {
      PATCHLAB_ASSIGN(const auto control, patches::control_of(handoff.folder / file.path()));
      packages.push_back({patches::field(control, "Package"), patches::field(control, "Version"),
                          patches::field(control, "Architecture")});
    }
  }
  PATCHLAB_ASSIGN(const auto variables, ansible_variables(handoff, packages));
  PATCHLAB_TRY(write(folder / "variables.json", pretty(variables)));
  PATCHLAB_TRY(write(folder / "windows.yml", ansible_windows));
  return write(folder / "install.yml", ansible_playbook);
}

Result<void> add_sha1(Handoff& handoff) {
  for (auto& candidate : handoff.candidates) {
    for (auto& file : candidate.files) {
      PATCHLAB_ASSIGN(file.sha1, sha1_of_file(handoff.folder / file.path()));
      PATCHLAB_ASSIGN(const auto found, sha256_of_file(handoff.folder / file.path()));
      if (found != file.sha256)
        return configuration_error(fmt::format("'{}' was changed", (handoff.folder / file.path()).string()),
                                   "patchlab verify says more");
    }
  }
  return {};
}

// Of everything that is there, as `sha256sum -c` reads it; no name here needs an escape.
Result<void> write_sums(const fs::path& folder) {
  std::map<std::string, std::string> digests;
  PATCHLAB_ASSIGN(const auto entries, entries_below(folder));
  for (const auto& entry : entries) {
    if (status_of(entry).type() != fs::file_type::regular) continue;
    PATCHLAB_ASSIGN(digests[entry.lexically_relative(folder).string()], sha256_of_file(entry));
  }
  std::string text;
  for (const auto& [path, digest] : digests) text += fmt::format("{}  {}\n", digest, path);
  return write(folder / sums_file_name, text);
}

}  // namespace

Result<void> export_handoff(ProcessRunner& processes, Handoff handoff, const HandoffExport& how,
                            const fs::path& target) {
  if (auto why = not_to_be_exported(handoff, how.to, how.now)) return std::move(*why);
  std::string fingerprint;
  if (how.to == ExportTo::apt) {
    PATCHLAB_ASSIGN(fingerprint, openpgp_fingerprint(how.key));
  }
  if (how.to == ExportTo::wsus) PATCHLAB_TRY(add_sha1(handoff));
  const FilesForAll readable;
  return make_folder_whole(target, [&](const fs::path& folder) -> Result<void> {
    PATCHLAB_TRY(write(folder / handoff_file_name, pretty(handoff_json(handoff, how.to))));
    PATCHLAB_TRY(write(folder / manifest_file_name, handoff.manifest));
    PATCHLAB_TRY(write(folder / "promotion", handoff.statement));
    if (!handoff.signature.empty()) PATCHLAB_TRY(write(folder / "promotion.sig", handoff.signature));
    switch (how.to) {
      case ExportTo::apt: PATCHLAB_TRY(write_apt_repository(processes, handoff, fingerprint, how.now, folder)); break;
      case ExportTo::ansible: PATCHLAB_TRY(write_ansible(handoff, folder)); break;
      case ExportTo::wsus:
        PATCHLAB_TRY(write(folder / "approve.ps1", wsus_script));
        PATCHLAB_TRY(write(folder / "report.ps1", wsus_report_script));
        break;
      case ExportTo::files: return write_files(handoff, folder);
    }
    return write_sums(folder);
  });
}

}  // namespace patchlab::promotion
