// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/port/banner.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "checks/check_with.hpp"
#include "checks/port/greeting.hpp"
#include "checks/socket.hpp"

namespace patchlab::checks::port {
namespace {

constexpr std::size_t longest_greeting = 8192;
// A greeting is over when nothing has followed for this long; without an expectation longer than a second, so that
// clocks in it have gone on when it is asked for again.
constexpr Milliseconds quiet{400};
constexpr Milliseconds quiet_to_learn{1100};

struct Parameters {
  std::uint16_t port = 0;
  std::optional<std::string> expect;
  std::optional<bool> closes;
  Milliseconds wait{};
};

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.port = static_cast<std::uint16_t>(reader.integer("port", 1, 65535));
  if (reader.has("expect")) {
    with.expect = reader.text_or("expect", "", [](const std::string& text) {
      return text.size() <= longest_greeting ? "" : fmt::format("must have at most {} bytes", longest_greeting);
    });
  }
  if (reader.has("closes")) with.closes = reader.boolean_or("closes", false);
  with.wait = Milliseconds(reader.integer_or("wait_ms", 2000, 1, 60000));
  return with;
}

// Until when the first bytes are waited for, or a connection that is to be closed.
Deadline patience(const Parameters& with, const Deadline& deadline) {
  const bool expects_something = (with.expect && !with.expect->empty()) || with.closes.value_or(false);
  return expects_something ? deadline : deadline.within(with.wait);
}

// "ended": "closed", "quiet", "cut" (longer than anything that greets) or "errno" with it.
Json receive(int socket, const Parameters& with, const Deadline& deadline) {
  std::string bytes;
  std::array<char, 4096> block{};
  Json seen;
  seen["ended"] = "quiet";
  const bool waits_for_the_end = with.closes.value_or(false);
  const auto whole = patience(with, deadline);
  while (bytes.size() <= longest_greeting) {
    const bool is_begun = !bytes.empty() && !waits_for_the_end;
    if (!wait_readable(socket, is_begun ? deadline.within(with.expect ? quiet : quiet_to_learn) : whole)) break;
    const auto count = ::recv(socket, block.data(), block.size(), 0);
    if (count > 0) {
      bytes.append(block.data(), static_cast<std::size_t>(count));
    } else if (count == 0) {
      seen["ended"] = "closed";
      break;
    } else if (errno != EAGAIN && errno != EINTR) {
      seen["ended"] = "errno";
      seen["errno"] = errno;
      break;
    }
    if (deadline.passed()) break;
  }
  if (bytes.size() > longest_greeting) {
    seen["ended"] = "cut";
    bytes.resize(longest_greeting);
  }
  seen["text"] = greeting_text(bytes);
  return seen;
}

Result<Json> connect_and_listen(const Target& target, const Parameters& with, const Deadline& deadline) {
  PATCHLAB_ASSIGN(const auto connection, connect_tcp({target.address, with.port}, {}, deadline));
  if (connection.saved_errno != 0) {
    return Json{{"connect_errno", connection.saved_errno}, {"trouble", describe_errno(connection.saved_errno)}};
  }
  return receive(connection.socket.get(), with, deadline);
}

bool is_closed(const Json& greeting) {
  const auto ended = greeting.value("ended", "");
  return ended == "closed" || ended == "errno";
}

std::string described(const Json& greeting) {
  const auto text = greeting.value("text", "");
  std::string end = is_closed(greeting) ? ", then the connection ended" : "";
  if (greeting.value("ended", "") == "cut") end = ", and more";
  return (text.empty() ? "nothing" : "'" + text + "'") + end;
}

std::string expectation(const Parameters& with) {
  std::string text = !with.expect           ? "connections are taken"
                     : with.expect->empty() ? "the server says nothing"
                                            : "the greeting '" + *with.expect + "'";
  if (with.closes) text += *with.closes ? ", then the end of the connection" : ", and the connection stays";
  return text;
}

std::optional<Judgement> trouble_in(const Parameters& with, const Json& greeting) {
  const auto failed = [&](std::string reason, std::string observed) {
    return Judgement{Outcome::fail, std::move(reason), expectation(with), std::move(observed)};
  };
  if (greeting.contains("connect_errno"))
    return failed(reason_for_errno(greeting.at("connect_errno").get<int>()), greeting.value("trouble", ""));
  const auto text = greeting.at("text").get<std::string>();
  if (with.expect && !with.expect->empty() && text.empty()) return failed("no-greeting", described(greeting));
  if (with.expect && (greeting.value("ended", "") == "cut" || !is_greeting(*with.expect, text)))
    return failed("greeting-differs", described(greeting));
  if (with.closes && *with.closes != is_closed(greeting))
    return failed(*with.closes ? "stays-open" : "closed", described(greeting));
  return std::nullopt;
}

class Banner final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "tcp.banner"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    const Deadline deadline(limit);
    Json observation{{"server", fmt::format("{}:{}", target.address, with.port)}, {"greetings", Json::array()}};
    for (int i = 0; i < (with.expect ? 1 : 2); ++i) {
      PATCHLAB_ASSIGN(auto greeting, connect_and_listen(target, with, deadline));
      observation["greetings"].push_back(std::move(greeting));
    }
    return observation;
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    for (const auto& greeting : observation.at("greetings")) {
      if (auto trouble = trouble_in(with, greeting)) return *trouble;
    }
    return {Outcome::pass, "as-expected", expectation(with), described(observation.at("greetings").at(0))};
  }

  [[nodiscard]] Result<void> expect(const Parameters& /*with*/, Observation& observation, Json& json) const override {
    const auto& greetings = observation.at("greetings");
    const auto& first = greetings.front();
    const auto& last = greetings.back();
    for (const auto* greeting : {&first, &last}) {
      if (greeting->contains("connect_errno"))
        return Error{ErrorClass::check, "connections are not taken: " + greeting->value("trouble", ""), {}};
      if (greeting->value("ended", "") == "cut")
        return Error{ErrorClass::check, "the server says more than a greeting", {}};
    }
    const auto lasting = lasting_greeting(first.value("text", ""), last.value("text", ""));
    if (!lasting) return Error{ErrorClass::check, "the server greets in another way each time", {}};
    json["expect"] = *lasting;
    json.erase("closes");
    if (is_closed(first) == is_closed(last)) json["closes"] = is_closed(first);
    return {};
  }
};

}  // namespace

const Check& banner() {
  static const Banner instance;
  return instance;
}

}  // namespace patchlab::checks::port
