// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/health_look.hpp"

#include <fmt/ranges.h>

#include "cli/nights.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"

namespace patchlab::cli {
namespace {

using process::Health;
using process::HealthFact;

// What cannot be looked at is unknown, which a monitoring shows, and nothing that ends this command.
HealthFact unknown(const char* name, const Error& error) { return {name, Health::unknown, error.message, {}}; }

HealthFact night(const HealthQuestion& arguments) {
  const auto stage = absolute_path(arguments.stage).while_doing("--stage");
  if (!stage) return unknown("night", stage.error());
  if (!is_folder(*stage)) return {"night", Health::unknown, fmt::format("there is no stage '{}'", stage->string()), {}};
  const auto attempts = promotion::attempts_of_stage(*stage);
  if (!attempts) return unknown("night", attempts.error());
  return process::night_health(nights_of(*attempts), system_clock_source().wall(),
                               {std::chrono::hours(arguments.warning_h), std::chrono::hours(arguments.critical_h)});
}

// Whoever has no feeds asks no `scan`; that there are none is said.
HealthFact feeds(const HealthQuestion& arguments) {
  process::FeedsWanted wanted;
  wanted.today = std::chrono::floor<std::chrono::days>(system_clock_source().wall());
  if (arguments.feeds.folder == usual_feeds && !is_folder(arguments.feeds.folder)) {
    std::error_code code;
    return {"feeds",
            Health::ok,
            fmt::format("none in '{}'", std::filesystem::absolute(arguments.feeds.folder, code).string()),
            {}};
  }
  const auto read = arguments.feeds.read(wanted);
  if (!read) return unknown("feeds", read.error());
  std::vector<std::string> trouble;
  for (const auto& state : read->states) {
    if (!state.usable()) trouble.push_back(fmt::format("'{}' {}", process::traits_of(state.kind).name, state.unusable));
  }
  if (trouble.empty()) return {"feeds", Health::ok, "all feeds are there", {}};
  return {"feeds", Health::warning, fmt::format("{}", fmt::join(trouble, ", ")), {}};
}

HealthFact disk(const HealthQuestion& arguments) {
  const auto cache = own_cache();
  if (!cache) return unknown("disk", cache.error());
  std::error_code code;
  const auto space = std::filesystem::space(*cache, code);
  if (code) return {"disk", Health::unknown, fmt::format("'{}': {}", cache->string(), code.message()), {}};
  constexpr std::uint64_t gib = std::uint64_t{1} << 30U;
  const auto warning = static_cast<std::uint64_t>(arguments.free_gib) * gib;
  return process::disk_health(cache->string(), space.available, warning, warning / 4);
}

}  // namespace

std::vector<HealthFact> health_of(const HealthQuestion& question) {
  return {night(question), feeds(question), disk(question)};
}

}  // namespace patchlab::cli
