// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/refresher.hpp"

namespace patchlab::runners::cell {

void to_json(Json& json, const RefreshJob& job) { json = {{"trial", job.trial}, {"folder", job.folder.string()}}; }

RefreshJob refresh_job_from_json(const Json& json) {
  return {trial_job_from_json(json.at("trial")), json.at("folder").get<std::string>()};
}

void to_json(Json& json, const Refreshed& refreshed) {
  json = {{"made", refreshed.made}, {"dpkg_status", refreshed.dpkg_status}};
  if (refreshed.baseline) json["baseline"] = *refreshed.baseline;
}

Result<Refreshed> refreshed_from_json(const Json& json) {
  Refreshed refreshed;
  PATCHLAB_ASSIGN(refreshed.made, reports::trial_record_from_json(json.at("made")));
  refreshed.dpkg_status = json.at("dpkg_status").get<std::map<std::string, std::string>>();
  if (json.contains("baseline")) {
    PATCHLAB_ASSIGN(refreshed.baseline, reports::trial_record_from_json(json.at("baseline")));
  }
  return refreshed;
}

ProcessSpec flatten_process(const std::filesystem::path& disk, const std::filesystem::path& to) {
  ProcessSpec spec;
  spec.program = "qemu-img";
  spec.arguments = {"convert", "-q", "-f", "qcow2", "-O", "qcow2", "-W", disk.string(), to.string()};
  spec.time_limit = std::chrono::minutes(10);
  return spec;
}

}  // namespace patchlab::runners::cell
