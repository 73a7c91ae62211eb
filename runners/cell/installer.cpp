// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/installer.hpp"

#include "lab/guest/reboot.hpp"

namespace patchlab::runners::cell {
namespace {

Outcome outcome_of(lab::guest::InstallEnd end) {
  using lab::guest::InstallEnd;
  if (end == InstallEnd::already_installed || end == InstallEnd::not_applicable) return Outcome::skipped;
  return lab::guest::is_success(end) ? Outcome::pass : Outcome::fail;
}

void keep_error(const Error& trouble, reports::InstallRecord& record, std::optional<Error>& error) {
  if (record.outcome != Outcome::error) return;
  error = trouble;
  if (trouble.error_class == ErrorClass::silent) record.end = to_string(ErrorClass::silent);
}

// What it says that it brings; where it does not say, what is another than `before`.
std::vector<reports::BroughtRecord> brought_by(const InstallJob& job, const InstalledSet& before,
                                               const InstalledSet& after) {
  const auto version_in = [](const InstalledSet& set, const std::string& item) {
    const auto found = set.find(item);
    return found == set.end() ? std::string() : found->second;
  };
  auto wanted = job.expected;
  if (!job.says_what_it_changes) {
    for (const auto* set : {&before, &after}) {
      for (const auto& [item, version] : *set) {
        auto now = version_in(after, item);
        if (version_in(before, item) != now) wanted[item] = std::move(now);
      }
    }
  }
  std::vector<reports::BroughtRecord> all;
  for (const auto& [item, version] : wanted) all.push_back({item, version_in(before, item), version});
  return all;
}

}  // namespace

void Installer::install(const InstallJob& job, Expectation& expected, reports::InstallRecord& record,
                        std::optional<Error>& error) {
  if (const auto reason = guest_.adapter->why_not_here(job.expected); !reason.empty()) {
    record.outcome = Outcome::skipped;
    record.end = reason;
    return;
  }
  const auto applied =
      guest_.adapter->apply(job.file_names(), guest_.context.job.policy.install_timeout, guest_.context.stop);
  keep_outcome(applied, record, error);
  if (record.outcome != Outcome::pass) return;
  const auto before = expected.installed;
  if (auto accounted = account_for(job, *applied, expected); !accounted) {
    const auto trouble = trouble_.missed_restart(std::move(accounted).error());
    record.outcome = trouble.error_class == ErrorClass::guest ? Outcome::fail : Outcome::error;
    record.log += trouble.message;
    keep_error(trouble, record, error);
    return;
  }
  record.brought = brought_by(job, before, expected.installed);
}

void Installer::keep_outcome(const Result<lab::guest::InstallOutcome>& outcome, reports::InstallRecord& record,
                             std::optional<Error>& error) {
  if (outcome) {
    record.outcome = outcome_of(outcome->end);
    record.end = to_string(outcome->end);
    record.exit_code = outcome->exit_code;
    record.kept_files.insert(record.kept_files.end(), outcome->kept_files.begin(), outcome->kept_files.end());
    record.log += to_valid_utf8(outcome->log);
    record.duration_ms += outcome->duration.count();
    return;
  }
  const auto trouble = trouble_.unobserved(outcome.error());
  record.log += trouble.message;
  // An installer that was seen not to come to its end would not do so in production either.
  record.outcome = trouble.error_class == ErrorClass::timeout ? Outcome::fail : Outcome::error;
  keep_error(trouble, record, error);
}

reports::InstallRecord Installer::remove(const InstallJob& job, const InstalledSet& baseline, Expectation& expected,
                                         std::optional<Error>& error) {
  reports::InstallRecord record{.machine = guest_.name(),
                                .candidate = job.candidate,
                                .outcome = Outcome::skipped,
                                .exit_code = 0,
                                .log = {},
                                .duration_ms = 0};
  for (const auto& package : job.packages) {
    if (const auto reason = guest_.adapter->why_no_uninstall(package); !reason.empty()) {
      record.log = reason;
      return record;
    }
  }
  for (auto package = job.packages.rbegin(); package != job.packages.rend(); ++package) {
    const auto removed =
        guest_.adapter->uninstall(*package, guest_.context.job.policy.install_timeout, guest_.context.stop);
    keep_outcome(removed, record, error);
    if (record.outcome == Outcome::skipped) record.outcome = Outcome::fail;  // it is there, and the guest says no
    if (record.outcome != Outcome::pass) return record;
  }
  expected.restart = checks::state::Restart::outstanding;
  for (const auto& [package, version] : job.expected) {
    const auto before = baseline.find(package);
    if (before == baseline.end())
      expected.installed.erase(package);
    else
      expected.installed[package] = before->second;
  }
  if (job.says_what_it_changes) return record;
  if (auto adopted = adopt_installed(expected); !adopted) {
    error = trouble_.unobserved(std::move(adopted).error());
    record.outcome = Outcome::error;
  }
  return record;
}

// What the machine should hold now. An installer that restarts the machine itself has to be waited for: the next one
// would meet a system that goes down.
Result<void> Installer::account_for(const InstallJob& job, const lab::guest::InstallOutcome& outcome,
                                    Expectation& expected) {
  if (!outcome.boot_id.empty()) expected.boot_id = outcome.boot_id;
  for (const auto& name : outcome.replaced) expected.installed.erase(name);
  for (const auto& [package, version] : job.expected) {
    if (version.empty())
      expected.installed.erase(package);
    else
      expected.installed[package] = version;
  }
  expected.restart = checks::state::Restart::outstanding;
  if (outcome.end == lab::guest::InstallEnd::reboot_started) {
    PATCHLAB_ASSIGN(expected.boot_id,
                    lab::guest::await_boot(*guest_.adapter, guest_.agent, guest_.context.clock, expected.boot_id,
                                           guest_.context.job.policy.boot_timeout, guest_.context.stop,
                                           guest_.adapter->restart_habits().by_itself));
  }
  return job.says_what_it_changes ? Result<void>() : adopt_installed(expected);
}

Result<void> Installer::adopt_installed(Expectation& expected) {
  auto installed = guest_.adapter->installed();
  if (!installed) return lab::guest::observer_trouble(std::move(installed).error());
  expected.installed = checks::state::after_restart(std::move(installed).value());
  return {};
}

}  // namespace patchlab::runners::cell
