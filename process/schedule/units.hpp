// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/core/result.hpp"

// The units of systemd by which the lab runs by itself: packaging/systemd, with the site's own values. Pure.
namespace patchlab::process {

// A file of packaging/systemd, as it travels inside the program.
struct UnitTemplate {
  std::string_view name;  // "patchlab-nightly.timer"
  std::string_view text;
};
[[nodiscard]] const std::vector<UnitTemplate>& unit_templates();

// What can be left out: "nightly", "scan", ... Each has a service and a timer.
[[nodiscard]] std::vector<std::string> schedule_parts();

struct UnitValues {
  std::string program;                 // absolute
  std::string scenario;                // absolute
  std::string folder;                  // absolute: where the services work
  std::string notify;                  // configuration, absolute; empty: nobody is told
  std::string levels;                  // of selftest, absolute
  std::string user;                    // empty: units of a user's own systemd
  std::string nightly;                 // "22:00"; empty: as it is shipped
  std::vector<std::string> without;    // parts
  std::vector<std::string> refresh{};  // departments whose golden images are refreshed; empty: that part is left out
  // Names and values (absolute paths) that the services have in their environment.
  std::map<std::string, std::string> environment{};
};
struct Unit {
  std::string name;
  std::string text;  // with its mark
  bool operator==(const Unit&) const = default;
};
// An error (configuration): a value that a unit cannot hold without meaning something else.
[[nodiscard]] Result<std::vector<Unit>> units_of(const UnitValues& values);

// What a file is, compared with what it would be.
enum class UnitState {
  missing,
  as_wanted,
  older,    // one of ours, whole, with other values
  changed,  // by hand, or by nobody that we know
};
// The first line of a unit says the digest of the others.
[[nodiscard]] UnitState state_of_unit(const std::optional<std::string>& there, const Unit& wanted);
// One that we wrote, whole.
[[nodiscard]] bool is_ours(std::string_view text);
// The value of the first line that begins so: "OnCalendar="; empty: there is none.
[[nodiscard]] std::string value_in(std::string_view unit, std::string_view key);
// Of the last one, which is the one that counts where there can be only one.
[[nodiscard]] std::string last_value_in(std::string_view unit, std::string_view key);

}  // namespace patchlab::process
