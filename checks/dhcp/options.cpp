// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dhcp/options.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>

#include "checks/hex.hpp"
#include "lab/core/net/address.hpp"
#include "lab/core/net/numbers.hpp"

namespace patchlab::checks::dhcp {
namespace {

using net::big_endian16;
using net::big_endian32;
using net::Ipv4;
using net::read16;
using net::read32;

using Form = OptionKind::Form;
struct NamedOption {
  const char* name;
  OptionKind kind;
};

// RFC 2132; the names are those of the IANA registry as Kea writes them.
constexpr std::array named_options{
    NamedOption{"subnet-mask", {1, Form::address}},          NamedOption{"routers", {3, Form::addresses}},
    NamedOption{"time-servers", {4, Form::addresses}},       NamedOption{"domain-name-servers", {6, Form::addresses}},
    NamedOption{"log-servers", {7, Form::addresses}},        NamedOption{"domain-name", {15, Form::text}},
    NamedOption{"interface-mtu", {26, Form::number16}},      NamedOption{"broadcast-address", {28, Form::address}},
    NamedOption{"ntp-servers", {42, Form::addresses}},       NamedOption{"netbios-name-servers", {44, Form::addresses}},
    NamedOption{"dhcp-lease-time", {51, Form::seconds}},     NamedOption{"dhcp-renewal-time", {58, Form::seconds}},
    NamedOption{"dhcp-rebinding-time", {59, Form::seconds}}, NamedOption{"tftp-server-name", {66, Form::text}},
    NamedOption{"boot-file-name", {67, Form::text}},
};

Result<std::string> address_bytes(const Json& value) {
  const auto address = Ipv4::parse(value.is_string() ? value.get<std::string>() : "");
  if (!address) return configuration_error(fmt::format("must be an IPv4 address as text, found {}", value.dump()));
  return bytes_of(*address);
}

Result<std::string> addresses_bytes(const Json& value) {
  if (!value.is_array() || value.empty()) {
    return configuration_error(fmt::format("must be a list of IPv4 addresses, found {}", value.dump()));
  }
  std::string bytes;
  for (const auto& element : value) {
    PATCHLAB_ASSIGN(const auto address, address_bytes(element));
    bytes += address;
  }
  return bytes;
}

Result<std::string> number_bytes(const Json& value, std::int64_t most) {
  if (!value.is_number_integer() || value.get<std::int64_t>() < 0 || value.get<std::int64_t>() > most) {
    return configuration_error(fmt::format("must be a whole number from 0 to {}, found {}", most, value.dump()));
  }
  const auto number = static_cast<std::uint32_t>(value.get<std::int64_t>());
  return most == 0xFFFF ? big_endian16(number) : big_endian32(number);
}

Result<std::string> hex_bytes(const Json& value) {
  auto bytes = value.is_string() ? from_hex(value.get<std::string>()) : std::nullopt;
  if (!bytes) return configuration_error(fmt::format("must be hex digits as text, found {}", value.dump()));
  return *std::move(bytes);
}

Json addresses_json(const std::string& bytes) {
  Json list = Json::array();
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) list.push_back(Ipv4(read32(bytes, at)).text());
  return list;
}

// Null when the bytes have another form.
Json option_json(const OptionKind& kind, const std::string& bytes) {
  switch (kind.form) {
    case Form::address: return bytes.size() == 4 ? Json(Ipv4(read32(bytes, 0)).text()) : Json();
    case Form::addresses: return !bytes.empty() && bytes.size() % 4 == 0 ? addresses_json(bytes) : Json();
    case Form::text: return to_valid_utf8(bytes) == bytes ? Json(bytes) : Json();
    case Form::seconds: return bytes.size() == 4 ? Json(read32(bytes, 0)) : Json();
    case Form::number16: return bytes.size() == 2 ? Json(read16(bytes, 0)) : Json();
    case Form::bytes: break;
  }
  return to_hex(bytes);
}

std::string addresses_text(const std::string& bytes) {
  std::string text;
  for (std::size_t at = 0; at + 4 <= bytes.size(); at += 4) {
    if (at > 0) text += ", ";
    text += Ipv4(read32(bytes, at)).text();
  }
  return text;
}

}  // namespace

std::optional<OptionKind> option_kind(const std::string& name) {
  for (const auto& option : named_options) {
    if (name == option.name) return option.kind;
  }
  unsigned code = 0;
  const auto* end = name.data() + name.size();
  const auto [stop, trouble] = std::from_chars(name.data(), end, code);
  if (trouble != std::errc{} || stop != end || name.starts_with('0') || code < 1 || code > 254) return std::nullopt;
  return OptionKind{static_cast<std::uint8_t>(code), Form::bytes};
}

std::string known_option_names() {
  std::string names;
  for (const auto& option : named_options) names += fmt::format("{}, ", option.name);
  return names + "or a number from 1 to 254";
}

Result<std::string> option_bytes(const OptionKind& kind, const Json& value) {
  switch (kind.form) {
    case Form::address: return address_bytes(value);
    case Form::addresses: return addresses_bytes(value);
    case Form::text:
      if (!value.is_string()) return configuration_error(fmt::format("must be text, found {}", value.dump()));
      return value.get<std::string>();
    case Form::seconds: return number_bytes(value, 0xFFFFFFFF);
    case Form::number16: return number_bytes(value, 0xFFFF);
    case Form::bytes: return hex_bytes(value);
  }
  return configuration_error("unknown form");
}

std::string option_value_text(const OptionKind& kind, const std::string& bytes) {
  switch (kind.form) {
    case Form::address:
    case Form::addresses:
      if (!bytes.empty() && bytes.size() % 4 == 0) return addresses_text(bytes);
      break;
    case Form::text: return fmt::format("\"{}\"", to_valid_utf8(bytes));
    case Form::seconds:
      if (bytes.size() == 4) return fmt::format("{} s", read32(bytes, 0));
      break;
    case Form::number16:
      if (bytes.size() == 2) return fmt::format("{}", read16(bytes, 0));
      break;
    case Form::bytes: break;
  }
  return to_hex(bytes);
}

WrittenOption written_option(std::uint8_t code, const std::string& bytes) {
  for (const auto& option : named_options) {
    if (code != option.kind.code) continue;
    auto value = option_json(option.kind, bytes);
    if (!value.is_null()) return {option.name, std::move(value)};
  }
  return {fmt::format("{}", code), to_hex(bytes)};
}

std::string option_text(std::uint8_t code, const std::string& bytes) {
  for (const auto& option : named_options) {
    if (code == option.kind.code) return fmt::format("{} {}", option.name, option_value_text(option.kind, bytes));
  }
  return fmt::format("option {} {}", code, to_hex(bytes));
}

}  // namespace patchlab::checks::dhcp
