// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/tftp/get.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "checks/check_with.hpp"
#include "checks/tftp/transfer.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::tftp {
namespace {

constexpr std::uintmax_t most_bytes = 256U << 20U;

struct Parameters {
  std::string file;
  std::uint16_t port = 69;
  std::map<std::string, std::int64_t> options;  // blksize and windowsize, where they are asked for
  bool tsize = true;
  std::string sha256;
};

std::string why_no_file(const std::string& name) {
  const bool plain =
      !name.empty() && name.size() <= 255 && std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~'; });
  return plain ? "" : "must be a name of up to 255 printable characters";
}

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.file = reader.text("file", why_no_file);
  with.port = static_cast<std::uint16_t>(reader.integer_or("port", 69, 1, 65535));
  if (reader.has("blksize")) with.options["blksize"] = reader.integer("blksize", 8, 65464);
  if (reader.has("windowsize")) with.options["windowsize"] = reader.integer("windowsize", 1, 64);
  with.tsize = reader.boolean_or("tsize", true);
  with.sha256 = reader.text_or("sha256", "", [](const std::string& text) {
    return is_sha256(text) ? "" : "must be the SHA-256 of the file, 64 lower-case hex digits (sha256sum shows it)";
  });
  return with;
}

class Get final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "tftp.get"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    Options options;
    for (const auto& [name, value] : with.options) options[name] = std::to_string(value);
    if (with.tsize) options["tsize"] = "0";
    const Deadline deadline(limit);
    PATCHLAB_ASSIGN(
        auto seen,
        transfer({{target.address, with.port}, target.client_address, with.file, options, most_bytes}, deadline));
    seen["server"] = fmt::format("{}:{}", target.address, with.port);
    seen["file"] = with.file;
    return seen;
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& seen) const override {
    const auto expected = fmt::format("'{}' is read", with.file);
    const auto failed = [&](std::string reason, const std::string& wanted, std::string observed) {
      return Judgement{Outcome::fail, std::move(reason), wanted, std::move(observed)};
    };
    const auto ended = seen.at("ended").get<std::string>();
    const auto bytes = seen.at("bytes").get<std::uintmax_t>();
    const auto came = fmt::format("{} bytes in {} blocks", bytes, seen.at("blocks").get<std::uint64_t>());
    const auto why = seen.value("why", "");
    if (ended == "network") return failed(reason_for_errno(seen.at("errno").get<int>()), expected, why);
    if (ended == "no-answer") return failed(ended, expected, why);
    if (ended == "refused") return failed("file-refused", expected, why);
    if (ended == "malformed") return failed("malformed-packet", expected, why);
    if (ended == "too-large") return failed(ended, expected, why);
    const auto& granted = seen.at("granted");
    for (const auto& [name, value] : with.options) {
      const auto wanted = fmt::format("{} {}", name, value);
      if (!granted.contains(name))
        return failed("option-refused", wanted, "the server does not know it, or refuses it");
      const auto got = granted.at(name).get<std::int64_t>();
      if (got != value) return failed("option-differs", wanted, fmt::format("{} {}", name, got));
    }
    if (ended != "whole") return failed("transfer-cut-off", expected, fmt::format("{}, then {}", came, why));
    if (with.tsize && granted.contains("tsize") && granted.at("tsize").get<std::uintmax_t>() != bytes)
      return failed("size-differs",
                    fmt::format("{} bytes, as the server says", granted.at("tsize").get<std::uintmax_t>()), came);
    const auto digest = seen.at("sha256").get<std::string>();
    if (!with.sha256.empty() && digest != with.sha256)
      return failed("content-differs", "sha256 " + with.sha256, "sha256 " + digest);
    return {Outcome::pass, "as-expected", expected, came};
  }

  [[nodiscard]] Result<void> expect(const Parameters& with, Observation& seen, Json& json) const override {
    if (seen.at("ended") != "whole") return Error{ErrorClass::check, "it is not read: " + seen.value("why", ""), {}};
    json["sha256"] = seen.at("sha256");
    for (const auto& [name, value] : with.options) {
      json.erase(name);
      if (seen.at("granted").contains(name)) json[name] = seen.at("granted").at(name);
    }
    return {};
  }
};

}  // namespace

const Check& get() {
  static const Get instance;
  return instance;
}

}  // namespace patchlab::checks::tftp
