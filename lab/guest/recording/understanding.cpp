// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/understanding.hpp"

#include <algorithm>
#include <cmath>

#include "lab/guest/recording/replay.hpp"

namespace patchlab::lab::guest::recording {
namespace {

constexpr const char* recorded_machine = "the recorded machine";

class Reader {
 public:
  explicit Reader(const Recording& recording)
      : guest_(recording),
        clock_(parse_rfc3339(recording.recorded).value_or(std::chrono::system_clock::time_point())),
        agent_(guest_, recorded_machine, clock_),
        adapter_(windows::windows_adapter(agent_, clock_)) {}

  Understanding read() && {
    step("release", release(), understood_.kernel);
    step("boot id", adapter_->boot_id(), understood_.boot_id);
    step("start-up", adapter_->boot_complete(), understood_.start_up_complete);
    step("installed", adapter_->installed_by_each_means(), understood_.views);
    understood_.installed = windows::installed_set(understood_.views);
    step("pending restart", adapter_->pending_restart(), understood_.restart);
    step("host state", adapter_->host_state({}), understood_.state);
    std::optional<GuestView> view;
    step("whole guest", adapter_->view(GuestAdapter::Look::all, {}), view);
    if (view) {
      understood_.state.rows = std::move(view->state.rows);
      understood_.unreadable = std::move(view->unreadable);
    }
    std::map<std::string, std::string> evidence;
    step("evidence", adapter_->evidence(), evidence);
    for (const auto& [name, text] : evidence) understood_.evidence.push_back(name);
    step("what is used up", adapter_->usage(), understood_.used_up);
    understood_.missing.assign(guest_.missing().begin(), guest_.missing().end());
    return std::move(understood_);
  }

 private:
  Result<windows::NtKernel> release() {
    PATCHLAB_ASSIGN(const auto system, agent_.ask(windows::line_of(windows::Command::os_info).c_str()));
    PATCHLAB_ASSIGN(auto kernel, windows::proves_windows(system));
    PATCHLAB_TRY(windows::is_as_declared(kernel, {}));
    return kernel;
  }

  template <class Value>
  void step(const char* name, Result<Value> result, Value& kept) {
    understood_.steps.push_back({name, result ? std::string{} : result.error().message});
    if (result) kept = std::move(*result);
  }

  RecordedGuest guest_;
  StillClock clock_;
  GuestAgent agent_;
  std::unique_ptr<windows::WindowsGuest> adapter_;
  Understanding understood_;
};

}  // namespace

bool Understanding::is_whole() const {
  return missing.empty() && unreadable.empty() &&
         std::ranges::all_of(steps, [](const auto& step) { return step.trouble.empty(); });
}

Understanding understanding_of(const Recording& recording) { return Reader(recording).read(); }

Json understanding_json(const Recording& recording, const Understanding& understood) {
  Json steps = Json::array();
  for (const auto& step : understood.steps) steps.push_back({{"step", step.name}, {"trouble", step.trouble}});
  Json quick_fixes = Json::array();
  for (const auto& fix : understood.views.quick_fixes) quick_fixes.push_back(fix);
  Json troubles = Json::array();
  for (const auto& reply : recording.replies) {
    if (!reply.trouble.empty()) troubles.push_back({{"id", reply.id}, {"trouble", reply.trouble}});
  }
  Json used_up = Json::object();
  if (understood.used_up) {
    for (const auto& [used, amount] : understood.used_up->amounts)
      used_up[to_string(used.resource)][used.of.empty() ? "the machine" : used.of] = std::llround(amount);
  }
  const auto& told = recording.machine;
  const auto& state = understood.state;
  return {{"recording",
           {{"program", recording.program},
            {"recorded", recording.recorded},
            {"replies", recording.replies.size()},
            {"without_reply", std::move(troubles)}}},
          {"machine",
           {{"release", told.release},
            {"product", told.product},
            {"language", told.language},
            {"oem_code_page", told.oem_code_page},
            {"ansi_code_page", told.ansi_code_page},
            {"kernel", understood.kernel.version},
            {"build", understood.kernel.build}}},
          {"whole", understood.is_whole()},
          {"steps", std::move(steps)},
          {"boot_id", understood.boot_id},
          {"start_up_complete", understood.start_up_complete},
          {"installed", understood.installed},
          {"quick_fixes", std::move(quick_fixes)},
          {"pending_restart", {{"strong", understood.restart.strong}, {"weak", understood.restart.weak}}},
          {"state",
           {{"services", state.services},
            {"listeners", state.listeners},
            {"addresses", state.addresses},
            {"errors_logged", state.error_kinds},
            {"facts", state.facts},
            {"absent", state.absent_sources}}},
          {"rows", state.rows},
          {"unreadable", understood.unreadable},
          {"used_up", std::move(used_up)},
          {"evidence", understood.evidence},
          {"not_recorded", understood.missing}};
}

}  // namespace patchlab::lab::guest::recording
