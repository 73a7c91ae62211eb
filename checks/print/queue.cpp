// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/print/queue.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "checks/check_with.hpp"
#include "checks/print/printing.hpp"
#include "checks/socket_watchdog.hpp"

namespace patchlab::checks::print {
namespace {

struct Offers {
  std::string queue;
  std::string path;
  std::uint16_t port = 631;
  std::map<std::string, Json> offers;
};

// A list of one is that value, as answers have it.
std::vector<Json> values_in(const Json& value) {
  return value.is_array() ? std::vector<Json>(value.begin(), value.end()) : std::vector<Json>{value};
}

bool is_value(const Json& value) { return value.is_string() || value.is_number_integer() || value.is_boolean(); }

std::map<std::string, Json> read_offers(JsonReader& reader) {
  std::map<std::string, Json> offers;
  const auto raw = reader.raw("offers");
  if (!raw.is_object()) {
    reader.problem("offers", "must be an object of IPP attributes and their values");
    return offers;
  }
  for (const auto& [name, value] : raw.items()) {
    if (std::ranges::count(offered_attributes(), name) == 0)
      reader.problem("offers", fmt::format("'{}' is none of: {}", name, fmt::join(offered_attributes(), ", ")));
    else if (!std::ranges::all_of(values_in(value), is_value))
      reader.problem("offers", fmt::format("'{}' must be a word, a number, true or false, or a list of these", name));
    else
      offers[name] = value;
  }
  return offers;
}

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

std::string texts_of(const std::vector<Json>& values) {
  std::vector<std::string> texts;
  std::ranges::transform(values, std::back_inserter(texts), text_of);
  return fmt::format("{}", fmt::join(texts, ", "));
}

std::vector<Json> without(const std::vector<Json>& values, const std::vector<Json>& others) {
  std::vector<Json> left;
  std::ranges::copy_if(values, std::back_inserter(left),
                       [&](const auto& value) { return std::ranges::count(others, value) == 0; });
  return left;
}

Judgement judge_offers(const Offers& with, const Json& attributes) {
  std::vector<std::string> more;
  for (const auto& [name, wanted] : with.offers) {
    const auto expected = values_in(wanted);
    const auto seen = attributes.contains(name) ? values_in(attributes.at(name)) : std::vector<Json>();
    const auto gone = without(expected, seen);
    const auto extra = without(seen, expected);
    if (name.ends_with("-supported")) {
      if (!gone.empty())
        return failure("no-longer-offered", fmt::format("{}: {}", name, texts_of(expected)),
                       fmt::format("not offered any more: {}", texts_of(gone)));
      if (!extra.empty()) more.push_back(fmt::format("{}: {}", name, texts_of(extra)));
    } else if (!gone.empty() || !extra.empty()) {
      return failure("offers-differ", fmt::format("{} is {}", name, texts_of(expected)),
                     seen.empty() ? "it is not said" : texts_of(seen));
    }
  }
  if (with.offers.empty()) return {Outcome::error, "nothing-compared", "something that it offers", "'offers' is empty"};
  const auto observed =
      more.empty() ? std::string("so it does") : fmt::format("so it does, and {}", fmt::join(more, "; "));
  return {Outcome::pass, "offered", fmt::format("queue '{}' offers what it offered", with.queue), observed};
}

class Queue final : public CheckWith<Offers> {
 public:
  [[nodiscard]] std::string kind() const override { return "print.queue"; }

 protected:
  [[nodiscard]] Offers read(JsonReader& reader) const override {
    Offers with;
    with.queue = read_queue(reader);
    with.path = read_path(reader, with.queue);
    with.port = read_port(reader);
    if (reader.has("offers")) with.offers = read_offers(reader);
    return with;
  }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Offers& with,
                                                 Milliseconds limit) const override {
    const Deadline deadline(limit);
    const SocketWatchdog watchdog(target.address, with.port, deadline);
    const IppClient client(target.address, with.port, with.path, deadline);
    return Json{{"printer", client.printer_offers(offered_attributes())}};
  }

  [[nodiscard]] Judgement judge_with(const Offers& with, const Observation& observation) const override {
    const auto& printer = observation.at("printer");
    const auto expected = fmt::format("queue '{}' says what it offers", with.queue);
    if (auto bad = judge_transport(printer, expected)) return *bad;
    const auto status = printer.value("status", "");
    if (status == "client-error-not-found") return failure("printer-unknown", expected, status);
    if (!succeeded(printer)) return failure("printer-refused", expected, status);
    return judge_offers(with, printer.value("attributes", Json::object()));
  }

  [[nodiscard]] Result<void> expect(const Offers& /*with*/, Observation& observation, Json& json) const override {
    json["offers"] = Json::object();
    const auto attributes = observation.at("printer").value("attributes", Json::object());
    for (const auto& [name, value] : attributes.items()) {
      const bool is_asked = std::ranges::count(offered_attributes(), name) > 0;
      if (is_asked && std::ranges::all_of(values_in(value), is_value)) json["offers"][name] = value;
    }
    return {};
  }
};

}  // namespace

const std::vector<std::string>& offered_attributes() {
  static const std::vector<std::string> names{"compression-supported",
                                              "copies-default",
                                              "document-format-default",
                                              "document-format-supported",
                                              "ipp-versions-supported",
                                              "job-hold-until-default",
                                              "job-k-limit",
                                              "job-page-limit",
                                              "job-quota-period",
                                              "job-sheets-default",
                                              "job-sheets-supported",
                                              "media-default",
                                              "media-supported",
                                              "operations-supported",
                                              "print-color-mode-supported",
                                              "print-quality-default",
                                              "printer-error-policy",
                                              "printer-is-accepting-jobs",
                                              "printer-is-shared",
                                              "printer-op-policy",
                                              "requesting-user-name-allowed",
                                              "requesting-user-name-denied",
                                              "sides-default",
                                              "sides-supported",
                                              "uri-authentication-supported",
                                              "uri-security-supported"};
  return names;
}

const Check& queue() {
  static const Queue instance;
  return instance;
}

}  // namespace patchlab::checks::print
