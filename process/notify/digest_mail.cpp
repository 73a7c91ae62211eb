// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/notify/digest_mail.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/mail_text.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::process {
namespace {

std::string text_in(const Json& json, const char* key) {
  const auto found = json.is_object() ? json.find(key) : json.end();
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::vector<const Json*> of_kind(const std::vector<Json>& events, EventKind kind) {
  std::vector<const Json*> found;
  for (const auto& event : events) {
    if (text_in(event, "type") == event_type(kind)) found.push_back(&event);
  }
  return found;
}

// "3 approvals wanted"
std::string counted(EventKind kind, std::size_t count) {
  const auto of = [&](const char* one, const char* many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
  };
  switch (kind) {
    case EventKind::lab_broken: return of("trouble of the lab", "troubles of the lab");
    case EventKind::deployment_failed: return of("deployment failed", "deployments failed");
    case EventKind::window_missed: return of("window missed", "windows missed");
    case EventKind::approval_wanted: return of("approval wanted", "approvals wanted");
    case EventKind::verdict_ready: return of("verdict", "verdicts");
    case EventKind::feed_stale: return of("stale feed", "stale feeds");
    case EventKind::patch_available: return of("new patch", "new patches");
  }
  return {};
}

std::string body_of(const std::vector<Json>& events, const std::string& source, const std::string& left) {
  auto text = printable_format("The patch lab {} tells what is new: {}.\n", source, digest_title(events));
  if (!left.empty())
    text +=
        printable_format("One mail does not hold everything: here is the worst and the newest; to come: {}.\n", left);
  for (const auto& traits : event_kinds()) {
    const auto of_this = of_kind(events, traits.kind);
    if (of_this.empty()) continue;
    text += fmt::format("\n{}\n\n", traits.title);
    for (const auto* event : of_this) {
      const auto data = event->value("data", Json::object());
      text += printable_format("- {}\n", text_in(data, "says"));
      if (const auto command = text_in(data, "command"); !command.empty()) text += printable_format("  {}\n", command);
      text += printable_format("  {}, event {}\n", text_in(*event, "time"), text_in(*event, "id"));
    }
  }
  text +=
      "\nEach of these is told once. Nothing has to be answered to this mail, and nothing in it decides anything:\n"
      "decisions are signed, by the commands that are named, or at the desk.\n";
  return text;
}

}  // namespace

std::string digest_title(const std::vector<Json>& events) {
  std::string title;
  for (const auto& traits : event_kinds()) {
    const auto count = of_kind(events, traits.kind).size();
    if (count > 0) title += (title.empty() ? "" : ", ") + counted(traits.kind, count);
  }
  return title.empty() ? fmt::format("{} events", events.size()) : title;
}

std::size_t mail_rank(const Json& event) {
  const auto type = text_in(event, "type");
  if (text_in(event.value("data", Json::object()), "what") == "fence-breach") return 0;
  const auto kind =
      std::ranges::find_if(event_kinds(), [&](const EventTraits& traits) { return event_type(traits.kind) == type; });
  return 1 + static_cast<std::size_t>(kind - event_kinds().begin());
}

std::string digest_mail(const std::vector<Json>& events, const Mailbox& mailbox, const std::string& source,
                        NotifyTime date, const std::string& left) {
  DigestBuilder digest;
  for (const auto& event : events) digest.add(text_in(event, "id"));
  std::string mail = "Date: " + mail_date(date) + "\r\nFrom: " + mailbox.from + "\r\nTo: ";
  for (const auto& address : mailbox.to) mail += (&address == mailbox.to.data() ? "" : ",\r\n ") + address;
  mail += "\r\nSubject: " + mail_header_text(fmt::format("patchlab {}: {}{}", source, digest_title(events),
                                                         left.empty() ? "" : "; to come: " + left));
  mail += fmt::format("\r\nMessage-ID: <{:.32}.patchlab@{}>", digest.finish(),
                      mailbox.from.substr(mailbox.from.find('@') + 1));
  mail +=
      "\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=UTF-8\r\nContent-Transfer-Encoding: "
      "quoted-printable\r\nAuto-Submitted: auto-generated\r\n\r\n";
  return mail + quoted_printable(body_of(events, source, left));
}

}  // namespace patchlab::process
