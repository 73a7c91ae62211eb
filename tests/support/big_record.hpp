// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/support/sample_record.hpp"

namespace patchlab::tests {

// A large night: 60 candidates, 12 departments of 8 machines with 40 checks, about 40 trials each. Two candidates break
// something everywhere, two more only together, one in two departments and one in one.
inline RunRecord big_record() {
  static const std::vector<std::string> names{"db", "dhcp", "directory", "dns", "file", "mail", "print", "web"};
  static const std::vector<std::string> departments{"accounting", "engineering", "facilities", "finance",
                                                    "legal",      "logistics",   "mail",       "print",
                                                    "production", "research",    "sales",      "support"};
  std::vector<SampleMachine> machines;
  for (const auto& name : names) {
    SampleMachine machine{name.c_str(), name.c_str(), "10.20.0.10", 320, {}};
    for (const auto* check : {"answers", "denies-strangers", "names", "restarts", "stores"})
      machine.checks.push_back({check, "tcp.session", "220 ready, then the same bytes again"});
    machines.push_back(machine);
  }
  SampleRun run(machines);
  std::vector<std::string> all;
  for (std::size_t i = 1; i <= 60; ++i) {
    const auto& machine = names[i % names.size()];
    const auto* severity = i % 13 == 0 ? "critical" : i % 5 == 0 ? "important" : i % 3 == 0 ? "moderate" : "low";
    all.push_back(fmt::format("lib{}-common-{}.{}-deb12u{}", machine, i, i * 7 % 10, i % 4 + 1));
    run.add_candidate(all.back(), fmt::format("Security update of the {} service and its shared libraries", machine),
                      severity, i % 2 == 0 ? "apt" : "repack", {machine});
  }
  const auto& web = all[6];
  const auto& mail = all[12];
  const auto& one = all[20];  // harmless without the other
  const auto& other = all[28];
  const auto& directory = all[33];
  const auto& stores = all[44];
  const auto& nowhere = all[50];
  const auto fault = [&](std::vector<std::string> set, const char* department, const char* machine, const char* check) {
    run.add_fault({std::move(set), department, "after-install", machine, check, "no-answer",
                   "no answer within 5 s: connection refused by the server after its restart"});
  };
  fault({web}, "", "web", "answers");
  fault({web}, "", "web", "stores");
  fault({mail}, "", "mail", "restarts");
  fault({one, other}, "", "mail", "names");
  fault({directory}, "legal", "directory", "names");
  fault({directory}, "sales", "directory", "names");
  fault({stores}, "print", "mail", "stores");
  std::int64_t start = 0;
  for (const auto& name : departments) {
    run.start_department(name, start += 700);
    const auto batch = run.trial(reports::Purpose::batch, all);
    // Halves of halves, as a search has them.
    for (std::size_t size = 30; size >= 3; size /= 2) {
      for (std::size_t from = 0; from < all.size(); from += size) {
        const auto end = std::min(all.size(), from + size);
        run.trial(reports::Purpose::search,
                  {all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(end)});
      }
    }
    std::map<std::string, std::vector<std::string>> failed{{web, {"web/answers", "web/stores"}},
                                                           {mail, {"mail/restarts"}},
                                                           {one, {"mail/names"}},
                                                           {other, {"mail/names"}}};
    if (name == "legal" || name == "sales") failed[directory] = {"directory/names"};
    if (name == "print") failed[stores] = {"mail/stores"};
    std::vector<std::string> good;
    std::ranges::copy_if(all, std::back_inserter(good),
                         [&](const auto& id) { return !failed.contains(id) && id != nowhere; });
    const auto final_trial = run.trial(reports::Purpose::final, good);
    const auto pair = run.trial(reports::Purpose::confirm, {one, other}, {"mail"});
    for (const auto& id : all) {
      const auto keys = failed.find(id);
      if (id == nowhere) {
        run.verdict(id, Outcome::skipped, "is not installed on any machine of this department");
      } else if (keys == failed.end()) {
        run.verdict(id, Outcome::pass, "passed as part of the exact set that is promoted").trials = {final_trial};
      } else if (id == one || id == other) {
        auto& verdict = run.verdict(id, Outcome::fail, "harmless alone; with the other it stops names from being told");
        verdict.failed = keys->second;
        verdict.group = {id == one ? other : one};
        verdict.trials = {pair, batch};
      } else {
        const auto machine = reports::machine_of_key(keys->second.front());
        const auto alone = run.trial(reports::Purpose::search, {id}, {machine});
        auto& verdict = run.verdict(id, Outcome::fail, "alone, it stops the service from answering");
        verdict.failed = keys->second;
        verdict.trials = {alone, batch};
      }
    }
    run.end_department(final_trial);
  }
  return run.finish();
}

}  // namespace patchlab::tests
