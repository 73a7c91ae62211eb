// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "process/calendar/calendar.hpp"
#include "process/feeds/folder.hpp"
#include "process/health/health.hpp"
#include "process/notify/event.hpp"
#include "process/schedule/standing.hpp"
#include "promotion/deploy/deployed.hpp"
#include "promotion/deploy/waiting.hpp"
#include "promotion/desk/queue.hpp"
#include "promotion/desk/reviews.hpp"
#include "reports/record/record.hpp"

// What is worth telling somebody, of what the rest of the program knows. Pure; what was told before is not asked here.
namespace patchlab::cli {

// One for each department of a run.
[[nodiscard]] std::vector<process::News> verdict_facts(const reports::RunRecord& record);
// The lab could not tell, or something reached the outside; nothing: neither.
[[nodiscard]] std::optional<process::News> run_trouble(const reports::RunRecord& record);

// Nothing: it waits for the clock alone.
[[nodiscard]] std::optional<process::News> approval_fact(const promotion::Waiting& waiting);
[[nodiscard]] process::News review_fact(const promotion::Review& review, process::NotifyTime now);

// A window in which it could have been installed is over, and machines have had time to report: the last one. `days`:
// of its department, from its promotion on.
[[nodiscard]] std::optional<process::News> missed_window(const promotion::WaitingDepartment& waiting,
                                                         const process::DepartmentDays& days, process::Moment now,
                                                         std::chrono::hours reported_within);
// Machines that say that they have something else than was promoted last.
[[nodiscard]] std::vector<process::News> deployment_facts(const promotion::DeployedDepartment& department);

[[nodiscard]] std::vector<process::News> feed_facts(const process::Feeds& feeds);
// Of what is not fine. `key`: what makes it another fact than an earlier one that was as bad.
[[nodiscard]] std::optional<process::News> health_fact(const process::HealthFact& health, const std::string& key);

// What machines lack, of what `patchlab scan --json` printed; and that it is old, or does not know everything. An error
// (configuration): it is not that.
[[nodiscard]] Result<std::vector<process::News>> scan_facts(const Json& scan, const std::string& file_name,
                                                            process::Day today, std::int64_t max_age_days);

// Of a part of the schedule that did not begin when it was due, or that nothing starts; nothing: it is well, or is not
// installed.
[[nodiscard]] std::optional<process::News> schedule_fact(const process::PartStanding& part);

// A unit of systemd that failed; `invocation` tells this time from others.
[[nodiscard]] process::News unit_fact(const std::string& unit, const std::string& invocation,
                                      const std::string& result);
// That a server of mail refuses one of a receiver's addresses, and takes others.
[[nodiscard]] process::News refused_fact(const std::string& receiver, const std::string& address,
                                         const std::string& answer);
// What could not be looked at, sentences, at least one.
[[nodiscard]] process::News look_fact(const std::string& source, const std::vector<std::string>& trouble);

}  // namespace patchlab::cli
