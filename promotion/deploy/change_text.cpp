// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "lab/core/csv_cell.hpp"
#include "lab/core/mail_text.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "promotion/deploy/change_record.hpp"
#include "reports/record/removal.hpp"

// The same facts in the forms that tools for changes take.
namespace patchlab::promotion {
namespace {

std::string approved_text(const ChangeRecord& change) {
  if (change.approvals.empty())
    return change.emergency.empty() ? "nobody: the policy asks for none" : "nobody: the emergency lane asks for none";
  std::vector<std::string> people;
  for (const auto& one : change.approvals)
    people.push_back(fmt::format("{} on {}, line {}{}", one.by, one.time, one.line,
                                 one.ticket.empty() ? "" : " (" + one.ticket + ")"));
  return listed(people);
}

std::string window_text(const ChangeRecord& change) {
  if (!change.window) return "not asked: no calendar was given";
  if (change.window->emergency_lane) return "emergency lane: it waits for none";
  if (!change.window->why.empty()) return "none: " + change.window->why;
  return fmt::format("{} to {}{}{}", change.window->opens, change.window->closes,
                     change.window->name.empty() ? "" : " (" + change.window->name + ")",
                     change.window->open_now ? ", open now" : "");
}

std::string back_text(const ChangeRecord& change) {
  const auto rejected = change.rejected_before == 0
                            ? std::string()
                            : fmt::format("serial {} was rejected since; ", change.rejected_before);
  if (change.before == 0)
    return rejected + (rejected.empty() ? "nothing was promoted before: remove what was installed"
                                        : "nothing else was promoted before: remove what was installed");
  return fmt::format(
      "{}patchlab promote {} --stage {} --department {} --rollback REASON asks for what serial {} was, as a new "
      "serial; "
      "the gate is asked again, and can refuse",
      rejected, change.before_run, change.stage, change.department, change.before);
}

std::vector<std::string> risk_lines(const ChangeRecord& change) {
  std::vector<std::string> lines;
  lines.push_back("worst severity: " + change.worst_severity);
  if (change.attempt > 1) lines.push_back(fmt::format("these candidates were tried {} times", change.attempt));
  if (!change.carried.empty()) lines.push_back(change.carried);
  if (!change.emergency.empty()) lines.push_back("emergency lane: " + change.emergency);
  if (!change.rollback.empty()) lines.push_back("goes back to an older run: " + change.rollback);
  for (const auto& one : change.waivers)
    lines.push_back(fmt::format("waived: {} by {}, approved by {}, until {}: {} ({})", one.key, one.by, one.approved_by,
                                one.until, one.reason, one.ticket));
  for (const auto& one : change.held_back) lines.push_back("held back, and not in it: " + one);
  for (const auto& item : change.items) {
    if (item.removal.empty())
      lines.push_back(fmt::format("{}: nobody tried to take it away again", item.id));
    else if (item.removal != reports::removed_and_passed)
      lines.push_back(fmt::format("{}: {}", item.id, item.removal));
  }
  return lines;
}

std::string short_title(const ChangeRecord& change) {
  return fmt::format("{} update{} for {} ({})", change.items.size(), change.items.size() == 1 ? "" : "s",
                     change.department, change.worst_severity);
}

}  // namespace

std::string waits_for_none(const ChangeRecord& change) {
  switch (change.state) {
    case ChangeState::promoted:
    case ChangeState::partly_installed: return "";
    case ChangeState::installed: return "it is installed, and waits for none";
    case ChangeState::differs: return "machines have something else, and it waits for none";
    case ChangeState::rejected: return "it is rejected, and waits for none";
    case ChangeState::superseded: return "another one is promoted since, and it waits for none";
  }
  return "";
}

Json change_json(const ChangeRecord& change) {
  Json items = Json::array();
  for (const auto& item : change.items) {
    Json one{{"id", item.id},         {"title", item.title},       {"severity", item.severity}, {"kind", item.kind},
             {"digest", item.digest}, {"machines", item.machines}, {"files", item.files},       {"why", item.why}};
    if (!item.removal.empty()) one["removal"] = item.removal;
    items.push_back(std::move(one));
  }
  Json waivers = Json::array();
  for (const auto& one : change.waivers)
    waivers.push_back({{"key", one.key},
                       {"by", one.by},
                       {"approved_by", one.approved_by},
                       {"until", one.until},
                       {"reason", one.reason},
                       {"ticket", one.ticket}});
  Json approvals = Json::array();
  for (const auto& one : change.approvals) {
    Json approval{{"by", one.by}, {"time", one.time}, {"line", one.line}, {"reason", one.reason}};
    if (!one.ticket.empty()) approval["ticket"] = one.ticket;
    approvals.push_back(std::move(approval));
  }
  Json risk{{"worst_severity", change.worst_severity},
            {"attempt", change.attempt},
            {"waivers", std::move(waivers)},
            {"held_back", change.held_back}};
  if (!change.carried.empty()) risk["carried"] = change.carried;
  if (!change.emergency.empty()) risk["emergency"] = change.emergency;
  if (!change.rollback.empty()) risk["rollback"] = change.rollback;
  Json json{{"id", change.id()},
            {"title", short_title(change)},
            {"state", to_string(change.state)},
            {"tickets", change.tickets},
            {"department", change.department},
            {"serial", change.serial},
            {"requested_by", change.requested_by},
            {"what", std::move(items)},
            {"risk", std::move(risk)},
            {"tested",
             {{"run", change.run},
              {"record", change.record},
              {"started", change.started},
              {"finished", change.finished},
              {"scenario", change.scenario},
              {"trial", change.trial},
              {"phases", change.phases},
              {"machines", change.machines},
              {"checks", change.checks}}},
            {"approved", std::move(approvals)},
            {"policy", change.policy},
            {"promoted",
             {{"time", change.promoted},
              {"by", change.promoted_by},
              {"line", change.line},
              {"statement", change.promotion},
              {"set", change.set},
              {"signed", change.signed_by_lab}}},
            {"back_out", {{"says", back_text(change)}}},
            {"result", change.results}};
  if (change.before != 0) {
    json["back_out"]["serial"] = change.before;
    json["back_out"]["run"] = change.before_run;
  }
  if (!change.rejected.empty()) json["rejected"] = change.rejected;
  if (change.window) {
    json["window"] = {{"emergency_lane", change.window->emergency_lane}, {"name", change.window->name}};
    if (!change.window->why.empty()) json["window"]["why"] = change.window->why;
    if (!change.window->opens.empty()) {
      json["window"]["opens"] = change.window->opens;
      json["window"]["closes"] = change.window->closes;
      json["window"]["open_now"] = change.window->open_now;
    }
  }
  return json;
}

std::string change_text(const ChangeRecord& change) {
  std::string text = printable_format("Change {}: {}\n", change.id(), short_title(change));
  const auto field = [&](const char* name, const std::string& value) {
    text += printable_format("{:<13}{}\n", name, value);
  };
  const auto more = [&](const std::string& value) { text += printable_format("             {}\n", value); };
  field("State", std::string(to_string(change.state)) + (change.rejected.empty() ? "" : ": " + change.rejected));
  field("Ticket", change.tickets.empty() ? "none was named" : listed(change.tickets));
  field("Asked for by", change.requested_by.empty() ? "not said" : change.requested_by);
  field("What", "");
  for (const auto& item : change.items) {
    more(fmt::format("{} ({}): {}", item.id, item.severity, item.title));
    more(fmt::format("  on {}; sha256 {}", listed(item.machines), item.digest));
  }
  field("Why", "");
  bool any = false;
  for (const auto& item : change.items) {
    for (const auto& why : item.why) {
      any = true;
      more(fmt::format("{}: {}", item.id, why));
    }
  }
  if (!any) more("not asked: no scan was given that knows one of them");
  field("Risk", "");
  for (const auto& line : risk_lines(change)) more(line);
  field("Tested",
        fmt::format("run {} of scenario {}, {} to {}", change.run, change.scenario, change.started, change.finished));
  more(fmt::format("trial {}: {} machines, {} checks after {}", change.trial, change.machines.size(), change.checks,
                   listed(change.phases)));
  more("evidence: sha256 " + change.record);
  field("Approved by", approved_text(change));
  field("Promoted", fmt::format("{} by {}{}, line {} of the ledger, serial {}", change.promoted, change.promoted_by,
                                change.signed_by_lab ? "" : " (not signed)", change.line, change.serial));
  field("Window", window_text(change));
  field("Back-out", back_text(change));
  for (const auto& item : change.items) {
    if (!item.removal.empty()) more(fmt::format("{}: {}", item.id, item.removal));
  }
  field("Result", change.results.empty() ? "no machine has reported" : "");
  for (const auto& machine : change.results)
    more(fmt::format("{}: {} on {} ({}, line {} by {}{}){}", machine.report.machine,
                     to_string(machine.report.outcome()), machine.report.observed, to_string(machine.source),
                     machine.line, machine.by, machine.is_signed ? "" : ", not signed",
                     machine.reason.empty() ? "" : ": " + machine.reason));
  return text;
}

std::string change_csv(const std::vector<ChangeRecord>& changes) {
  std::string text =
      "id,title,state,tickets,department,serial,requested by,what,why,risk,tested,evidence,approved by,promoted,"
      "promoted by,window,window opens,window closes,back-out,removal,result\n";
  for (const auto& change : changes) {
    std::vector<std::string> what, why, removal, result;
    for (const auto& item : change.items) {
      what.push_back(item.id);
      for (const auto& one : item.why) why.push_back(item.id + ": " + one);
      if (!item.removal.empty()) removal.push_back(item.id + ": " + item.removal);
    }
    for (const auto& machine : change.results)
      result.push_back(fmt::format("{}: {}", machine.report.machine, to_string(machine.report.outcome())));
    const auto joined = [](const std::vector<std::string>& parts) { return fmt::format("{}", fmt::join(parts, "; ")); };
    text += csv_line({change.id(),
                      short_title(change),
                      to_string(change.state),
                      joined(change.tickets),
                      change.department,
                      std::to_string(change.serial),
                      change.requested_by,
                      joined(what),
                      joined(why),
                      joined(risk_lines(change)),
                      fmt::format("run {}, trial {}", change.run, change.trial),
                      change.record,
                      approved_text(change),
                      change.promoted,
                      change.promoted_by,
                      window_text(change),
                      change.window ? change.window->opens : "",
                      change.window ? change.window->closes : "",
                      back_text(change),
                      joined(removal),
                      joined(result)});
  }
  return text;
}

Result<std::string> change_mail(const ChangeRecord& change, const MailFrame& frame) {
  for (const auto& [option, address] : {std::pair{"--from", &frame.from}, std::pair{"--to", &frame.to}}) {
    if (!is_mail_address(*address))
      return usage_error(fmt::format("{} '{}' is no address", option, printable(*address)),
                         "one address alone, as changes@example.org");
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(frame.date.time_since_epoch());
  const auto subject = fmt::format("Change {}: {}, {}{}", change.id(), short_title(change), to_string(change.state),
                                   change.tickets.empty() ? "" : fmt::format(", {}", fmt::join(change.tickets, ", ")));
  std::string mail;
  mail += "Date: " + mail_date(frame.date);
  mail += "\r\nFrom: " + frame.from + "\r\nTo: " + frame.to + "\r\nSubject: " + mail_header_text(subject);
  mail += fmt::format("\r\nMessage-ID: <{:.16}.{}@{}>", change.promotion, seconds.count(),
                      frame.from.substr(frame.from.find('@') + 1));
  mail +=
      "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: "
      "quoted-printable\r\nAuto-Submitted: auto-generated\r\n\r\n";
  return mail + quoted_printable(change_text(change));
}

}  // namespace patchlab::promotion
