// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/dialects.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <random>
#include <set>

#include "checks/check_with.hpp"
#include "checks/hex.hpp"
#include "checks/smb/judging.hpp"
#include "checks/smb/negotiate.hpp"
#include "checks/socket.hpp"

namespace patchlab::checks::smb {
namespace {

constexpr std::size_t length_bytes = 4;  // [MS-SMB2] 2.1: zero, then the length in network order
constexpr std::size_t most_reply_bytes = 65536;

struct Parameters {
  std::vector<std::string> spoken;
  std::string signing;
  std::string encryption;
  std::uint16_t port = 445;
};

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (const auto& dialect : dialects()) names.push_back(dialect.name);
  return names;
}

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  const auto known = known_names();
  parameters.spoken = reader.texts_or_empty("dialects", [&known](const std::string& name) {
    return std::ranges::count(known, name) > 0 ? "" : fmt::format("'{}' is none of {}", name, fmt::join(known, ", "));
  });
  if (!reader.has("dialects") || (reader.raw("dialects").is_array() && reader.raw("dialects").empty())) {
    reader.problem("dialects",
                   fmt::format("must name at least one dialect that is spoken, of {}", fmt::join(known, ", ")));
  }
  parameters.signing = reader.text_or("signing", "", [](const std::string& word) {
    return word == "required" || word == "not-required"
               ? ""
               : fmt::format("must be \"required\" or \"not-required\", found \"{}\"", word);
  });
  parameters.encryption = reader.text_or("encryption", "", [](const std::string& word) {
    return word == "offered" || word == "not-offered"
               ? ""
               : fmt::format("must be \"offered\" or \"not-offered\", found \"{}\"", word);
  });
  parameters.port = static_cast<std::uint16_t>(reader.integer_or("port", 445, 1, 65535));
  return parameters;
}

std::string random_bytes(std::size_t count) {
  std::random_device device;
  std::string bytes;
  while (bytes.size() < count) bytes += static_cast<char>(device() & 0xFFU);
  return bytes;
}

Json trouble(int saved_errno) { return {{"errno", saved_errno}, {"trouble", describe_errno(saved_errno)}}; }

// The next message, without its length; or what went wrong.
Json receive_message(int socket, const Deadline& deadline) {
  const auto length = receive_exactly(socket, length_bytes, deadline);
  const auto refused = [](const ReceivedBytes& received) {
    return received.saved_errno != 0 ? trouble(received.saved_errno)
                                     : Json{{"trouble", "the server closed the connection"}};
  };
  if (length.bytes.size() < length_bytes) return refused(length);
  std::size_t size = 0;
  for (std::size_t i = 1; i < length_bytes; ++i) size = size * 256 + static_cast<unsigned char>(length.bytes[i]);
  const auto message = receive_exactly(socket, std::min(size, most_reply_bytes), deadline);
  if (message.bytes.size() < std::min(size, most_reply_bytes)) return refused(message);
  return {{"reply", to_hex(message.bytes)}};
}

Result<Json> ask(const Target& target, const Parameters& with, const Dialect& dialect, const Deadline& deadline) {
  PATCHLAB_ASSIGN(const auto connection, connect_tcp({target.address, with.port}, target.client_address, deadline));
  if (connection.saved_errno != 0) return trouble(connection.saved_errno);
  const auto request = negotiate_request(dialect, random_bytes(48));
  const std::string length{'\0', '\0', static_cast<char>(request.size() >> 8U),
                           static_cast<char>(request.size() & 0xFFU)};
  if (const int failed = send_all(connection.socket.get(), length + request, deadline); failed != 0) {
    return trouble(failed);
  }
  auto seen = receive_message(connection.socket.get(), deadline);
  if (seen.contains("reply")) {
    const auto reply = read_negotiate_reply(dialect, from_hex(seen["reply"].get<std::string>()).value_or(""));
    seen["text"] = reply ? reply->text : "no answer to NEGOTIATE";
  }
  return seen;
}

bool is_refusal(const Json& entry) {
  return !entry.contains("reply") && (!entry.contains("errno") || entry.at("errno") == ECONNRESET);
}

Trouble judge_dialect(const Dialect& dialect, bool wanted, const Parameters& with, const Json& entry) {
  const auto& signing = with.signing;
  const auto expected = fmt::format("SMB {} is {}{}", dialect.name, wanted ? "spoken" : "refused",
                                    wanted && !signing.empty() ? ", signing " + signing : "");
  if (!entry.contains("reply")) {
    const auto observed = fmt::format("SMB {}: {}", dialect.name, entry.value("trouble", ""));
    if (is_refusal(entry)) return wanted ? Trouble(failed("dialect-refused", expected, observed)) : std::nullopt;
    return failed(reason_for_errno(entry.at("errno").get<int>()), expected, observed);
  }
  const auto reply = read_negotiate_reply(dialect, from_hex(entry.at("reply").get<std::string>()).value_or(""));
  const auto observed = fmt::format("SMB {}: {}", dialect.name, reply ? reply->text : "no answer to NEGOTIATE");
  if (!reply) return failed("malformed-reply", expected, observed);
  if (reply->accepted != wanted) return failed(wanted ? "dialect-refused" : "dialect-spoken", expected, observed);
  if (wanted && !signing.empty() && reply->signing_required != (signing == "required")) {
    return failed("signing-differs", expected, observed);
  }
  const bool can = dialect.revision >= 0x0300;
  if (wanted && can && !with.encryption.empty() && reply->encrypts != (with.encryption == "offered"))
    return failed("encryption-differs", fmt::format("SMB {}: encryption is {}", dialect.name, with.encryption),
                  observed);
  return std::nullopt;
}

class Dialects final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "smb.dialects"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    const Deadline deadline(limit);
    Json observation{{"server", fmt::format("{}:{}", target.address, with.port)}, {"dialects", Json::object()}};
    for (const auto& dialect : dialects()) {
      PATCHLAB_ASSIGN(observation["dialects"][dialect.name], ask(target, with, dialect, deadline));
    }
    return observation;
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    for (const auto& dialect : dialects()) {
      const bool wanted = std::find(with.spoken.begin(), with.spoken.end(), dialect.name) != with.spoken.end();
      if (auto bad = judge_dialect(dialect, wanted, with, observation.at("dialects").at(dialect.name))) {
        return *bad;
      }
    }
    return {
        Outcome::pass, "as-expected",
        fmt::format("SMB {}{}{}", fmt::join(with.spoken, ", "), with.signing.empty() ? "" : ", signing ", with.signing),
        "these and no others"};
  }

  [[nodiscard]] Result<void> expect(const Parameters& /*parameters*/, Observation& observation,
                                    Json& json) const override {
    std::vector<std::string> spoken;
    std::set<std::string> signing;
    std::set<std::string> encryption;
    for (const auto& dialect : dialects()) {
      const auto& entry = observation.at("dialects").at(dialect.name);
      if (!entry.contains("reply")) continue;
      const auto reply = read_negotiate_reply(dialect, from_hex(entry.at("reply").get<std::string>()).value_or(""));
      if (!reply || !reply->accepted) continue;
      spoken.push_back(dialect.name);
      signing.insert(reply->signing_required ? "required" : "not-required");
      if (dialect.revision >= 0x0300) encryption.insert(reply->encrypts ? "offered" : "not-offered");
    }
    if (spoken.empty()) return Error{ErrorClass::check, "no version of the protocol is spoken", {}};
    json["dialects"] = spoken;
    json.erase("signing");
    if (signing.size() == 1) json["signing"] = *signing.begin();
    json.erase("encryption");
    if (encryption.size() == 1) json["encryption"] = *encryption.begin();
    return {};
  }
};

}  // namespace

const Check& dialects_spoken() {
  static const Dialects instance;
  return instance;
}

}  // namespace patchlab::checks::smb
