// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/process/process.hpp"

namespace patchlab::e2e {

// Runs the built patchlab in `folder` to its end.
[[nodiscard]] ProcessOutcome patchlab(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                                      Milliseconds limit = std::chrono::minutes(2));
// The same with standard output somewhere else: "/dev/full", "&-".
[[nodiscard]] ProcessOutcome patchlab_into(const std::string& output, const std::vector<std::string>& arguments,
                                           const std::filesystem::path& folder,
                                           Milliseconds limit = std::chrono::minutes(2));
[[nodiscard]] int exit_code(const ProcessOutcome& outcome);  // -1 when it did not exit by itself

// Empty when this host can run machines; else what 'patchlab doctor' says is wrong, for GTEST_SKIP.
[[nodiscard]] std::string why_no_lab();

// A folder of the test's own, gone with the object.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  std::filesystem::path write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

// A cache of the test's own, with the images and packages of the real one, as long as it lives: several labs may run at
// a time, and a test looks for what its own leave behind.
class OwnCache {
 public:
  OwnCache();
  ~OwnCache();
  OwnCache(const OwnCache&) = delete;
  OwnCache& operator=(const OwnCache&) = delete;

 private:
  std::optional<std::string> before_;
  std::filesystem::path path_;
};

// The shipped nightly scenario with absolute paths, to be narrowed by a test.
[[nodiscard]] Json nightly_scenario();
// One department with only the name server, and two candidates: a harmless one and one that breaks it after a restart.
[[nodiscard]] Json small_scenario();

// The shipped scenario of the Windows stand-in with absolute paths. Its packages are made in `folder` and taken into
// the cache; of a list that is not empty only these, and the scenario has no other candidates.
[[nodiscard]] Result<Json> windows_scenario(const std::filesystem::path& folder,
                                            const std::vector<std::string>& packages = {});

// What a run must not leave behind: processes that serve a lab of this cache, or see one of its folders mounted.
// What the run's end decided about a department, from the run folder's decisions.json; null when there is none.
[[nodiscard]] Json decision_in(const std::filesystem::path& run, const std::string& department);

[[nodiscard]] std::vector<std::string> lab_processes(const std::filesystem::path& cache = cache_folder());
[[nodiscard]] std::vector<std::filesystem::path> scratch_folders();

}  // namespace patchlab::e2e
