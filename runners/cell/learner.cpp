// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/learner.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "checks/registry/registry.hpp"
#include "checks/run.hpp"
#include "runners/cell/role_checks.hpp"

namespace patchlab::runners::cell {
namespace {

namespace learn = checks::learn;

constexpr std::chrono::seconds question_deadline{120};
constexpr std::size_t most_questions = 200;
constexpr std::size_t most_rounds = 4;  // answers that lead to further questions

class Learner {
 public:
  Learner(Guest& guest, const LearnJob::Wanted& wanted)
      : guest_(guest), wanted_(wanted), taken_(wanted.taken), workers_(check_workers(guest)) {
    target_ = {guest.job.plan.address, guest.context.job.network.client, guest.context.check_interface,
               guest.job.plan.name, guest.job.plan.role};
  }

  Result<learn::Learnt> learn() {
    if (guest_.job.system.family != GuestFamily::debian) {
      learnt_.left_out.emplace_back("everything: only Debian guests are asked what they serve so far");
      return std::move(learnt_);
    }
    PATCHLAB_TRY(ask());
    try_drafts(drafts());
    keep_what_holds();
    return std::move(learnt_);
  }

 private:
  Result<void> ask() {
    const auto step = guest_.begin_step("learn", "ask", "the guest to say what it serves");
    for (std::size_t round = 0; round < most_rounds; ++round) {
      const auto before = answers_.size();
      for (const auto* protocol : learn::protocols()) {
        for (const auto& question : protocol->questions(answers_)) {
          if (answers_.contains(question.id) || answers_.size() == most_questions) continue;
          PATCHLAB_ASSIGN(const auto said, guest_.agent.run_script(question.script, question.arguments,
                                                                   question_deadline, guest_.context.stop));
          answers_[question.id] = {said.exit_code, to_valid_utf8(said.output), to_valid_utf8(said.errors)};
        }
      }
      if (answers_.size() == before) break;
    }
    return {};
  }

  std::vector<learn::Draft> drafts() {
    learn::Machine machine;
    machine.client = target_.client_address;
    for (const auto& [user, password] : wanted_.accounts) machine.users.push_back(user);
    std::vector<learn::Draft> all;
    for (const auto* protocol : learn::protocols()) {
      auto drafts = protocol->drafts(machine, answers_);
      std::ranges::move(drafts.checks, std::back_inserter(all));
      std::ranges::move(drafts.not_learnt, std::back_inserter(learnt_.left_out));
    }
    if (all.size() > learn::most_drafts) {
      learnt_.left_out.push_back(fmt::format("{} of {} checks were tried, no more", learn::most_drafts, all.size()));
      all.resize(learn::most_drafts);
    }
    return all;
  }

  void try_drafts(const std::vector<learn::Draft>& drafts) {
    const auto step = guest_.begin_step("learn", "try", "checks to be tried");
    std::set<std::string> worked;
    std::map<std::string, std::string> left_out;  // what is told of a draft, by its id
    for (const auto& draft : drafts) {
      if (guest_.context.stop.stop_requested()) return;
      if (!draft.needs.empty() && !worked.contains(draft.needs)) continue;
      if (!draft.unless.empty() && worked.contains(draft.unless)) continue;
      std::string why;
      for (const auto& way : draft.ways) {
        auto seen = tried(way);
        if (seen) {
          worked.insert(draft.id);
          if (const auto told = left_out.find(draft.unless); told != left_out.end())
            std::erase(learnt_.left_out, told->second);
          seen->id = learn::free_name(draft.id, taken_);
          learnt_.checks.push_back({std::move(*seen), draft.says});
          why.clear();
          break;
        }
        if (why.empty()) why = seen.error().message;
      }
      if (why.empty()) continue;
      left_out[draft.id] = fmt::format("{}: {}", draft.says, why);
      learnt_.left_out.push_back(left_out[draft.id]);
    }
  }

  // The check with what it is to expect; trouble of the observer gets a second try, as in every run.
  Result<checks::CheckSpec> tried(const checks::CheckSpec& way) {
    auto planned = checks::PlannedCheck{with_secrets(way), target_};
    planned.spec.id = "learnt";
    auto seen = checks::observe_once(guest_.context.processes, workers_, planned, guest_.context.stop);
    if (!seen) seen = checks::observe_once(guest_.context.processes, workers_, planned, guest_.context.stop);
    if (!seen) return std::move(seen).error();
    auto learnt = way;
    try {
      PATCHLAB_ASSIGN(learnt.parameters,
                      checks::find_check(way.kind)->expecting(planned.spec.parameters, seen->observation));
    } catch (const std::exception& trouble) {  // an observation in a shape which the kind does not know
      return Error{ErrorClass::bug, fmt::format("learning from '{}': {}", way.kind, trouble.what()), {}};
    }
    if (const auto secret = way.parameters.find("password"); secret != way.parameters.end())
      learnt.parameters["password"] = *secret;
    return learnt;
  }

  [[nodiscard]] checks::CheckSpec with_secrets(checks::CheckSpec spec) const {
    const auto secret = spec.parameters.find("password");
    if (secret != spec.parameters.end() && secret->is_object())
      *secret = wanted_.accounts.at(secret->at("account").get<std::string>());
    return spec;
  }

  // Side by side, as a run asks them.
  void keep_what_holds() {
    const auto step = guest_.begin_step("learn", "checks", "what was learnt to hold once more");
    std::vector<checks::PlannedCheck> planned;
    for (const auto& check : learnt_.checks) planned.push_back({with_secrets(check.spec), target_});
    const auto results = checks::run_checks(guest_.context.processes, workers_, planned, guest_.context.stop);
    std::vector<learn::LearntCheck> kept;
    for (std::size_t i = 0; i < results.size(); ++i) {
      auto& check = learnt_.checks[i];
      if (results[i].outcome == Outcome::pass) {
        kept.push_back(std::move(check));
        continue;
      }
      learnt_.left_out.push_back(fmt::format("{} ({}, {}): did not hold a second time: {}: {}", check.says,
                                             check.spec.id, check.spec.kind, results[i].reason, results[i].observed));
    }
    learnt_.checks = std::move(kept);
  }

  Guest& guest_;
  const LearnJob::Wanted& wanted_;
  std::set<std::string> taken_;
  checks::CheckWorkers workers_;
  checks::Target target_;
  learn::Answers answers_;
  learn::Learnt learnt_;
};

}  // namespace

void to_json(Json& json, const LearnJob& job) {
  json = Json::object();
  for (const auto& [name, wanted] : job.machines) json[name] = {{"accounts", wanted.accounts}, {"taken", wanted.taken}};
}

LearnJob learn_job_from_json(const Json& json) {
  LearnJob job;
  for (const auto& [name, wanted] : json.items()) {
    job.machines[name] = {wanted.at("accounts").get<std::map<std::string, std::string>>(),
                          wanted.at("taken").get<std::set<std::string>>()};
  }
  return job;
}

Result<learn::Learnt> learn_checks(Guest& guest, const LearnJob::Wanted& wanted) {
  return Learner(guest, wanted).learn();
}

}  // namespace patchlab::runners::cell
