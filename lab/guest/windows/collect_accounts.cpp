// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/guest/windows/collectors.hpp"

namespace patchlab::lab::guest::windows {
namespace {

// Value F holds flags and times, value C a group's members: numbers, which no language changes. Hashes lie in value V,
// which is not asked for. The keys are there on every Windows and only the system's own_groups account may read them,
// as the guest agent does.
#define DOMAINS "HKLM\\SAM\\SAM\\Domains\\"
using Reach = RegistryQuestion::Reach;
constexpr RegistryQuestion local_users{"sam-users", DOMAINS "Account\\Users", "F", Reach::tree, Absence::impossible};
constexpr RegistryQuestion builtin_groups{"sam-builtin", DOMAINS "Builtin\\Aliases", "C", Reach::tree,
                                          Absence::impossible};
constexpr RegistryQuestion own_groups{"sam-groups", DOMAINS "Account\\Aliases", "C", Reach::tree, Absence::of_matches};
#undef DOMAINS

Result<void> read_users(const Sections& found, Rows& rows) {
  PATCHLAB_ASSIGN(const auto keys, registry_answer(found, local_users));
  for (const auto& key : keys) {
    const auto value = key.values.find(local_users.value);
    if (value == key.values.end()) continue;
    PATCHLAB_ASSIGN(const auto bytes, bytes_of(value->second));
    const auto named = registry_number("0x" + key.name());
    if (bytes.size() < 0x44 || !named)
      return guest_error(fmt::format("the account '{}' is not understood", key.name()));
    constexpr std::uint32_t disabled = 0x1;
    constexpr std::uint32_t needs_no_password = 0x4;
    const auto flags = number_at(bytes, 0x38) & 0xffffU;
    const auto acts_as = number_at(bytes, 0x30);
    auto text = std::string((flags & disabled) != 0 ? "disabled" : "enabled");
    text += (flags & needs_no_password) != 0 ? ", no password needed" : ", password needed";
    if (acts_as != *named) text += fmt::format(", acts as RID {}", acts_as);
    rows["local-account"][fmt::format("RID {}", *named)] = text;
  }
  return {};
}

// Its head is 0x34 bytes; offsets count from its end.
Result<void> read_groups(const Sections& found, const RegistryQuestion& question, const char* authority, Rows& rows) {
  PATCHLAB_ASSIGN(const auto keys, registry_answer(found, question));
  constexpr std::size_t head = 0x34;
  for (const auto& key : keys) {
    const auto value = key.values.find(question.value);
    if (value == key.values.end()) continue;
    PATCHLAB_ASSIGN(const auto bytes, bytes_of(value->second));
    const auto rid = registry_number("0x" + key.name());
    if (bytes.size() < head || !rid) return guest_error(fmt::format("the group '{}' is not understood", key.name()));
    const auto group = fmt::format("{}{}", authority, *rid);
    rows["local-group"][group] = "there";
    auto at = head + number_at(bytes, 0x28);
    const auto count = number_at(bytes, 0x30);
    for (std::uint32_t i = 0; i < count; ++i) {
      std::size_t length = 0;
      const auto sid = sid_at(bytes, at, length);
      if (sid.empty()) return guest_error(fmt::format("the members of the group '{}' are not understood", group));
      rows["group-member"][fmt::format("{}: {}", group, sid)] = "member";
      at += length;
    }
  }
  return {};
}

Result<void> read_accounts(const Sections& found, Rows& rows) {
  PATCHLAB_TRY(read_users(found, rows));
  PATCHLAB_TRY(read_groups(found, builtin_groups, "S-1-5-32-", rows));
  return read_groups(found, own_groups, "RID ", rows);
}

}  // namespace

Collector account_collector() {
  return {"accounts",
          {"local-account", "local-group", "group-member"},
          {local_users, builtin_groups, own_groups},
          {},
          read_accounts};
}

}  // namespace patchlab::lab::guest::windows
