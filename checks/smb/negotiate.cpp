// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/negotiate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

namespace patchlab::checks::smb {
namespace {

constexpr std::size_t header_bytes = 64;       // [MS-SMB2] 2.2.1.2
constexpr std::size_t smb1_header_bytes = 32;  // [MS-CIFS] 2.2.3.1
constexpr unsigned signing_enabled = 1;
constexpr unsigned signing_required = 2;
constexpr unsigned encryption_capability = 0x40;  // [MS-SMB2] 2.2.4, of 3.0 and 3.0.2
constexpr unsigned encryption_capabilities = 2;   // [MS-SMB2] 2.2.4.1: a context, of 3.1.1
constexpr std::uint32_t not_supported = 0xc00000bb;

std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xFFU);
  return text;
}

std::uint32_t number(std::string_view bytes, std::size_t at, std::size_t count) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value |= static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[at + i])) << (8 * i);
  }
  return value;
}

std::string smb1_request() {
  const std::string dialect = std::string("\x02") + "NT LM 0.12" + '\0';
  std::string message = "\xffSMB";
  message += '\x72';                    // SMB_COM_NEGOTIATE
  message += std::string(4, '\0');      // status
  message += '\x08';                    // flags: names without case
  message += little_endian(0xc801, 2);  // flags 2: Unicode, NT status, extended security, long names
  message += std::string(smb1_header_bytes - message.size(), '\0');
  message += '\0';  // no words
  return message + little_endian(dialect.size(), 2) + dialect;
}

// [MS-SMB2] 2.2.3.1.1: SHA-512 with a salt; a server of 3.1.1 insists on this context.
std::string integrity_context(std::string_view salt) {
  const auto data = little_endian(1, 2) + little_endian(salt.size(), 2) + little_endian(1, 2) + std::string(salt);
  return little_endian(1, 2) + little_endian(data.size(), 2) + little_endian(0, 4) + data;
}

// [MS-SMB2] 2.2.3.1.2: AES-128-GCM, AES-128-CCM, AES-256-GCM, AES-256-CCM.
std::string encryption_context() {
  const auto data =
      little_endian(4, 2) + little_endian(2, 2) + little_endian(1, 2) + little_endian(4, 2) + little_endian(3, 2);
  return little_endian(encryption_capabilities, 2) + little_endian(data.size(), 2) + little_endian(0, 4) + data;
}

std::string smb2_request(const Dialect& dialect, std::string_view random) {
  std::string message = "\xfeSMB" + little_endian(header_bytes, 2);
  message += std::string(8, '\0');  // credit charge, status, command 0: NEGOTIATE
  message += little_endian(1, 2);   // credits asked for
  message += std::string(header_bytes - message.size(), '\0');
  const bool is_311 = dialect.revision == 0x0311;
  message += little_endian(36, 2) + little_endian(1, 2) + little_endian(signing_enabled, 2) + little_endian(0, 2);
  message += little_endian(dialect.revision >= 0x0300 ? 0x7f : 0, 4);  // capabilities: all of SMB 3
  message += std::string(random.substr(0, 16));                        // client GUID
  const auto contexts_at = header_bytes + 40;                          // the next multiple of 8 after one dialect
  message += is_311 ? little_endian(contexts_at, 4) + little_endian(2, 2) + little_endian(0, 2) : std::string(8, '\0');
  message += little_endian(dialect.revision, 2);
  if (!is_311) return message;
  message += std::string(contexts_at - message.size(), '\0');
  message += integrity_context(random.substr(16, 32));
  message += std::string((8 - message.size() % 8) % 8, '\0');
  return message + encryption_context();
}

std::optional<NegotiateReply> read_smb1_reply(std::string_view message) {
  if (message.size() < smb1_header_bytes + 3 || message.substr(0, 5) != "\xffSMB\x72") return std::nullopt;
  const auto status = number(message, 5, 4);
  const auto index = number(message, smb1_header_bytes + 1, 2);
  if (status != 0) return NegotiateReply{false, false, false, fmt::format("status 0x{:08x}", status)};
  if (index == 0xffff || message[smb1_header_bytes] == 0)
    return NegotiateReply{false, false, false, "no common dialect"};
  const bool required = message.size() > smb1_header_bytes + 3 &&
                        (static_cast<unsigned char>(message[smb1_header_bytes + 3]) & 0x08U) != 0;
  return NegotiateReply{true, required, false,
                        fmt::format("NT LM 0.12, signing {}", required ? "required" : "not required")};
}

// Whether the server chose a cipher.
bool chose_cipher(std::string_view message) {
  constexpr std::size_t head = 8;
  const auto count = number(message, header_bytes + 6, 2);
  std::size_t at = number(message, header_bytes + 60, 4);
  for (std::uint32_t i = 0; i < count && at + head <= message.size(); ++i) {
    const auto type = number(message, at, 2);
    const auto size = number(message, at + 2, 2);
    if (type == encryption_capabilities)
      return size >= 4 && at + head + 4 <= message.size() && number(message, at + head, 2) > 0 &&
             number(message, at + head + 2, 2) != 0;
    at += head + size;
    at += (8 - at % 8) % 8;
  }
  return false;
}

// What is cut off is not offered.
bool offers_encryption(unsigned revision, std::string_view message) {
  if (revision < 0x0300 || message.size() < header_bytes + 64) return false;
  return revision == 0x0311 ? chose_cipher(message)
                            : (number(message, header_bytes + 24, 4) & encryption_capability) != 0;
}

std::optional<NegotiateReply> read_smb2_reply(const Dialect& dialect, std::string_view message) {
  if (message.size() < header_bytes + 8 || message.substr(0, 4) != "\xfeSMB") return std::nullopt;
  if (const auto status = number(message, 8, 4); status != 0) {
    return NegotiateReply{
        false, false, false,
        status == not_supported ? "STATUS_NOT_SUPPORTED (0xc00000bb)" : fmt::format("status 0x{:08x}", status)};
  }
  const auto mode = number(message, header_bytes + 2, 2);
  const auto revision = number(message, header_bytes + 4, 2);
  const bool required = (mode & signing_required) != 0;
  const auto known =
      std::find_if(dialects().begin(), dialects().end(), [&](const Dialect& one) { return one.revision == revision; });
  const auto name = known == dialects().end() ? fmt::format("0x{:04x}", revision) : known->name;
  const bool encrypts = offers_encryption(revision, message);
  return NegotiateReply{revision == dialect.revision, required, encrypts,
                        fmt::format("{}, signing {}{}", name, required ? "required" : "not required",
                                    encrypts ? ", encryption offered" : "")};
}

}  // namespace

const std::vector<Dialect>& dialects() {
  static const std::vector<Dialect> all{{"1", 0},        {"2.0.2", 0x0202}, {"2.1", 0x0210},
                                        {"3.0", 0x0300}, {"3.0.2", 0x0302}, {"3.1.1", 0x0311}};
  return all;
}

std::string negotiate_request(const Dialect& dialect, std::string_view random) {
  return dialect.revision == 0 ? smb1_request() : smb2_request(dialect, random);
}

std::optional<NegotiateReply> read_negotiate_reply(const Dialect& dialect, std::string_view message) {
  return dialect.revision == 0 ? read_smb1_reply(message) : read_smb2_reply(dialect, message);
}

}  // namespace patchlab::checks::smb
