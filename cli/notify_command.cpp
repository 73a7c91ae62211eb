// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>

#include "cli/commands.hpp"
#include "cli/notify_facts.hpp"
#include "cli/notify_look.hpp"
#include "cli/output.hpp"
#include "cli/terminal.hpp"
#include "lab/core/choice.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "process/notify/deliver.hpp"
#include "process/notify/failed_units.hpp"

namespace patchlab::cli {
namespace {

using namespace process;

// EX_TEMPFAIL of sysexits.h, and only here: docs/exit-codes.md.
constexpr auto something_waits = static_cast<ExitCode>(75);
constexpr std::chrono::seconds patience_for_another{10};

struct Arguments {
  std::filesystem::path config;
  std::string failed_unit;
  std::string forget;
  bool dry_run = false;
  bool json = false;
};

// A new event, and who is told.
struct Told {
  Json event;
  std::set<std::string> receivers;
};

struct Answer {
  std::vector<Told> news;
  std::size_t known_before = 0;  // that came about before the first look: nobody is told
  std::vector<Round> rounds;
  std::vector<std::string> trouble;  // what could not be looked at, or read in the outbox, or who was refused a mail
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// As systemd tells a unit that is started by another one's OnFailure=.
FailedUnit failed_unit(const std::string& unit) {
  auto invocation = variable("MONITOR_INVOCATION_ID");
  if (invocation.empty()) invocation = rfc3339(system_clock_source().wall());
  auto result = variable("MONITOR_SERVICE_RESULT");
  if (const auto status = variable("MONITOR_EXIT_STATUS"); !status.empty())
    result += (result.empty() ? "" : ", ") + variable("MONITOR_EXIT_CODE") + " " + status;
  return {unit, std::move(invocation), std::move(result)};
}

Sight sight_of(const FailedUnits& units) {
  Sight sight{"unit", {}, units.broken};
  for (const auto& one : units.units) sight.facts.push_back(unit_fact(one.unit, one.invocation, one.result));
  return sight;
}

// Of mails of earlier rounds.
Sight refused_addresses(const NotifyConfig& config, const OutboxState& state) {
  Sight sight{"receivers", {}, {}};
  for (const auto& receiver : config.receivers) {
    const auto known = state.receivers.find(receiver.name);
    const auto* box = std::get_if<Mailbox>(&receiver.how);
    if (box == nullptr || known == state.receivers.end()) continue;
    for (const auto& [address, answer] : known->second.refused) {
      if (std::ranges::count(box->to, address) > 0) sight.facts.push_back(refused_fact(receiver.name, address, answer));
    }
  }
  return sight;
}

std::set<std::string> receivers_of(const NotifyConfig& config, EventKind kind) {
  std::set<std::string> names;
  for (const auto& receiver : config.receivers) {
    if (receiver.wants(kind)) names.insert(receiver.name);
  }
  return names;
}

// Whom nobody configured any more is not told what still waits for it.
Result<void> forget(const NotifyConfig& config, const std::string& name, bool dry_run, Outbox& outbox) {
  if (name.empty()) return {};
  std::vector<std::string> strangers;
  for (const auto& round : standing(config, outbox, system_clock_source().wall())) {
    if (!round.is_known) strangers.push_back(round.receiver);
  }
  PATCHLAB_TRY(check_choice("--forget", {name}, "is no receiver that events wait for and that is configured no more",
                            strangers));
  if (dry_run) return {};
  for (auto& entry : outbox.waiting()) {
    if (entry.waits_for.erase(name) > 0) PATCHLAB_TRY(outbox.keep(entry));
  }
  outbox.tidy();
  outbox.state().receivers.erase(name);
  return outbox.save();
}

// What is new goes into the outbox, and then is remembered that it was looked at: whatever ends us in between, the next
// look finds the same.
Result<void> take_news(const NotifyConfig& config, const std::vector<Sight>& sights, bool dry_run, Outbox& outbox,
                       Answer& answer) {
  const auto now = system_clock_source().wall();
  auto remembered = outbox.state().remembered;
  const auto events = events_of(sights, remembered, now);
  const auto first_looks = std::exchange(remembered.looked_first, outbox.state().remembered.looked_first);
  outbox.state().remembered = remembered;
  if (!dry_run) PATCHLAB_TRY(outbox.save());
  for (const auto& one : events) {
    if (outbox.knows(one.id)) continue;
    auto event = cloud_event(*one.fact, one.id, config.source, now);
    auto receivers = one.known_before ? std::set<std::string>() : receivers_of(config, one.fact->kind);
    if (!dry_run) PATCHLAB_TRY(outbox.add(one.id, event, receivers));
    if (one.known_before)
      ++answer.known_before;
    else
      answer.news.push_back({std::move(event), std::move(receivers)});
  }
  outbox.state().remembered.looked_first = first_looks;
  return dry_run ? Result<void>() : outbox.save();
}

Result<Answer> notify_receivers(const NotifyConfig& config, const Arguments& arguments) {
  FileLock::Patience patience;
  patience.limit = patience_for_another;
  patience.stop = interruption();
  std::optional<FailedUnit> unit;
  if (!arguments.failed_unit.empty()) unit = failed_unit(arguments.failed_unit);
  if (unit && !arguments.dry_run) {
    PATCHLAB_TRY(write_down(config.outbox, *unit));
    // Else it is told when somebody calls next, which may be tomorrow.
    patience.limit += config.round + std::chrono::minutes(15);
  }
  PATCHLAB_ASSIGN(auto outbox, arguments.dry_run ? Outbox::look(config.outbox) : Outbox::open(config.outbox, patience));
  // Under the lock: what was seen before another one looked is older than what is remembered, and would end what began
  // since.
  auto sights = look_around(config.look_at, outbox.state().remembered);
  sights.push_back(refused_addresses(config, outbox.state()));
  PATCHLAB_ASSIGN(auto units, written_down(config.outbox));
  if (unit && arguments.dry_run) units.units.push_back(*unit);
  sights.push_back(sight_of(units));
  // What was there before the first look lies in the outbox; that its state is gone does not make this one the first.
  if (outbox.has_lost_state()) {
    const FirstLook look{system_clock_source().wall()};
    for (const auto& sight : sights) outbox.state().remembered.looked_first.try_emplace(sight.source, look);
  }
  Answer answer;
  for (const auto& sight : sights) {
    for (const auto& one : sight.trouble) answer.trouble.push_back(fmt::format("{}: {}", sight.source, one));
  }
  answer.trouble.insert(answer.trouble.end(), outbox.broken().begin(), outbox.broken().end());
  PATCHLAB_TRY(forget(config, arguments.forget, arguments.dry_run, outbox));
  PATCHLAB_TRY(take_news(config, sights, arguments.dry_run, outbox, answer));
  if (arguments.dry_run) {
    answer.rounds = standing(config, outbox, system_clock_source().wall());
    return answer;
  }
  for (const auto& told : units.files) PATCHLAB_TRY(remove_tree(told));
  std::signal(SIGPIPE, SIG_IGN);  // a server that is gone is an answer: libcurl leaves that to us
  const auto sender = curl_sender(interruption());
  PATCHLAB_ASSIGN(answer.rounds, deliver(config, outbox, *sender, system_clock_source(), interruption()));
  for (const auto& round : answer.rounds) {
    for (const auto& one : round.refused) answer.trouble.push_back(fmt::format("{}: {}", round.receiver, one));
  }
  return answer;
}

std::string text_of(const Json& event, const char* key) { return event.at(key).get<std::string>(); }

void show(const Answer& answer, bool dry_run) {
  for (const auto& one : answer.news)
    say("{}: {}\n  {}\n", text_of(one.event, "type"), text_of(one.event.at("data"), "says"),
        one.receivers.empty() ? std::string("for nobody") : "for " + listed(one.receivers));
  if (answer.news.empty()) say("nothing is new\n");
  if (answer.known_before > 0)
    say("{} that came about before the first look {}\n", answer.known_before,
        dry_run ? "will be told to nobody" : "are told to nobody");
  for (const auto& round : answer.rounds) {
    const auto next = round.next ? ", next at " + rfc3339(*round.next) : std::string();
    if (!dry_run && round.is_known) say("{}: {} delivered\n", round.receiver, round.delivered);
    if (round.digest > 0) say("{}: {} wait for the next mail{}\n", round.receiver, round.digest, next);
    if (round.waits > 0)
      say("{}: {} wait{}{}\n", round.receiver, round.waits, round.why.empty() ? "" : ": " + round.why, next);
  }
}

Json round_json(const Round& round) {
  return {{"name", round.receiver},
          {"delivered", round.delivered},
          {"waits", round.waits},
          {"digest", round.digest},
          {"why", round.why},
          {"next", round.next ? Json(rfc3339(*round.next)) : Json()},
          {"configured", round.is_known}};
}

void say_answer(const Answer& answer, const Arguments& arguments) {
  if (!arguments.json) return show(answer, arguments.dry_run);
  Json news = Json::array(), receivers = Json::array();
  for (const auto& one : answer.news) news.push_back({{"event", one.event}, {"receivers", one.receivers}});
  for (const auto& round : answer.rounds) receivers.push_back(round_json(round));
  say_json("notified", {{"dry_run", arguments.dry_run},
                        {"events", std::move(news)},
                        {"known_before", answer.known_before},
                        {"receivers", std::move(receivers)},
                        {"trouble", answer.trouble}});
}

ExitCode notify(const Arguments& arguments) {
  const auto config = read_notify_config(arguments.config);
  if (!config) return report_input(config.error(), ExitCode::bad_configuration);
  const auto answer = notify_receivers(*config, arguments);
  if (!answer) {
    const auto& error = answer.error();
    if (error.error_class == ErrorClass::timeout || error.error_class == ErrorClass::cancelled)
      return report(error, something_waits);
    return report(error, ExitCode::cannot_create);
  }
  say_answer(*answer, arguments);
  for (const auto& one : answer->trouble) warn(one);
  if (!answer->trouble.empty()) return ExitCode::error;
  const bool waits = std::ranges::any_of(answer->rounds, [](const Round& round) { return round.waits > 0; });
  return waits && !arguments.dry_run ? something_waits : ExitCode::ok;
}

}  // namespace

void add_notify(CLI::App& app, Chosen& chosen) {
  const auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("notify", "tell people and programs what is new, by webhook and mail, once");
  command->add_option("--config", arguments->config, "what is looked at, and who is told (schema notify)")
      ->required()
      ->envname("PATCHLAB_NOTIFY");
  command->add_flag("--dry-run", arguments->dry_run,
                    "show what would be told, and what waits; change and send nothing");
  command->add_option("--failed-unit", arguments->failed_unit,
                      "tell that this unit of systemd failed, as well: for its OnFailure=");
  command->add_option("--forget", arguments->forget,
                      "a receiver that is configured no more: what waits for it is not sent");
  command->add_flag("--json", arguments->json, "as JSON");
  command->callback([arguments, &chosen] { chosen = [arguments] { return notify(*arguments); }; });
}

}  // namespace patchlab::cli
