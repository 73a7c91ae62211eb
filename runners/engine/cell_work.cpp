// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/engine/cell_work.hpp"

#include <fmt/ranges.h>
#include <unistd.h>

#include "lab/core/file_lock.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;

// Machines are watched as in a run: what was seen while the fence leaked was not seen in the lab.
Result<void> in_order(const reports::RunRecord& record) {
  if (record.error) return *record.error;
  for (const auto& department : record.departments) {
    if (department.error) return *department.error;
    if (const auto leaks = department.fence.answers(); leaks > 0) {
      return infrastructure_error(
          fmt::format("the fence of '{}' leaked: {} attempts to get out were answered", department.name, leaks),
          "a run says which, and how");
    }
    if (!department.fence.troubles.empty()) {
      return infrastructure_error(fmt::format("the fence of '{}' is not proven: {}", department.name,
                                              fmt::join(department.fence.troubles, "; ")));
    }
  }
  return {};
}

// Where the events and logs of the cell go, which nobody needs when all went well. Locked as long as somebody works in
// it: what was left by one who was killed is removed by the next. What is kept has no lock, and is left alone.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make(const fs::path& cache, const std::string& name) {
    remove_left(cache / name);
    auto path = cache / name / std::to_string(::getpid());
    PATCHLAB_TRY(create_folders(path));
    PATCHLAB_ASSIGN(auto lock, FileLock::take(lock_of(path), FileLock::Mode::exclusive, FileLock::at_once()));
    return ScratchFolder(std::move(path), std::move(lock));
  }
  ScratchFolder(ScratchFolder&& other) noexcept
      : path_(std::exchange(other.path_, {})), lock_(std::move(other.lock_)) {}
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ~ScratchFolder() {
    if (!path_.empty()) (void)remove_tree(path_);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }
  void keep() {
    std::error_code ignored;
    fs::remove(lock_of(path_), ignored);
    path_.clear();
  }

 private:
  ScratchFolder(fs::path path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  static fs::path lock_of(const fs::path& folder) { return folder / "lock"; }
  static void remove_left(const fs::path& folder) {
    for (const auto& entry : entries_of(folder).value_or({})) {
      if (!is_file(lock_of(entry))) continue;
      if (FileLock::take(lock_of(entry), FileLock::Mode::exclusive, FileLock::at_once())) (void)remove_tree(entry);
    }
  }
  fs::path path_;
  FileLock lock_;
};

}  // namespace

Result<Plan> work_in_cell(const Scenario& scenario, const CellWork& work, const CellWorkOptions& options,
                          const HostTools& tools, Progress& progress, const std::stop_token& stop) {
  RunOptions run{.program = options.program, .executor = options.executor};
  run.instead = [](const auto&, auto&, const auto&) { return reports::DepartmentRecord(); };
  PATCHLAB_ASSIGN(auto plan, make_plan(scenario, run, tools, progress, stop));
  PATCHLAB_TRY(work_by_plan(plan, work, options, tools, progress, stop));
  return plan;
}

Result<void> work_by_plan(const Plan& plan, const CellWork& work, const CellWorkOptions& options,
                          const HostTools& tools, Progress& progress, const std::stop_token& stop) {
  PATCHLAB_ASSIGN(auto scratch, ScratchFolder::make(tools.cache, work.name));
  RunOptions run{.runs = scratch.path(), .program = options.program, .executor = options.executor};
  run.instead = [&](const DepartmentJob& job, cell::CellClient& lab, const std::stop_token& stopped) {
    reports::DepartmentRecord record{.name = job.cell.department};
    if (auto done = work.work(lab, job.cell); !done) {
      record.error = stopped.stop_requested()
                         ? Error{ErrorClass::cancelled, fmt::format("'{}' was cancelled", work.name), {}}
                         : std::move(done).error();
    }
    record.outcome = record.error ? Outcome::error : Outcome::skipped;
    return record;
  };
  PATCHLAB_ASSIGN(const auto finished, execute(plan, run, tools, progress, stop));
  auto trouble = in_order(finished.record);
  if (trouble && work.finish) trouble = work.finish();
  if (!trouble) {
    scratch.keep();
    auto error = std::move(trouble).error();
    if (error.hint.empty()) error.hint = fmt::format("what was seen is kept in '{}'", finished.folder.string());
    return error;
  }
  return {};
}

}  // namespace patchlab::runners
