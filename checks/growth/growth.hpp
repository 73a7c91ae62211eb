// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checks/state/state_difference.hpp"
#include "lab/core/time.hpp"
#include "lab/core/usage.hpp"

// Slow failures: whether what a machine uses up grows faster than in the control of the same night. Pure.
//
// How fast something grows is the median of the slopes between any two looks (Theil and Sen): one odd look does not
// move it. How sure that is comes from how unevenly it grew from look to look, with the patch and without: a service
// that took ten megabytes once has grown in one step, which proves nothing; one that takes a little at every look does.
// What is told is beyond what such unevenness brings by itself in 1 of 100 looks at a whole machine, however many
// things are watched of it, and is more than a few pages or files over the whole time. That bound is on record.
namespace patchlab::checks::growth {

struct Look {
  Milliseconds at{0};
  Usage usage;
};

// What was seen of one machine in one phase.
struct Watched {
  std::vector<Look> looks;  // in the order of time
  std::size_t planned = 0;  // looks
  std::size_t asked = 0;    // checks, as a load
  std::size_t failed = 0;   // of those, when they were asked again, too
  std::size_t flaky = 0;    // of those: failed, and passed when they were asked again
};

// Of points (time, amount).
[[nodiscard]] double theil_sen(const std::vector<std::pair<double, double>>& points);
// Of Student's distribution with so many degrees of freedom: beyond it lies `tail` of it.
[[nodiscard]] double student_quantile(double tail, double degrees);

// One thing that a machine uses up.
struct Slope {
  Used used;
  std::int64_t per_hour = 0;      // with the patch
  std::int64_t without = 0;       // per hour, in the control
  std::int64_t told_from = 0;     // the smallest difference of the two that is told, per hour
  std::int64_t from = 0, to = 0;  // amounts at the first and at the last look
  bool told = false;
  // Until its limit is met when it goes on growing as little as can still be believed; of what is told, and has one.
  std::optional<std::int64_t> minutes_left{};
  bool operator==(const Slope&) const = default;
};

// Of everything that was there, in the order of Used.
[[nodiscard]] std::vector<Slope> slopes(const Watched& with_patch, const Watched& control);

// What is on record of a phase.
struct Growth {
  std::string why_not;  // why nothing could be judged; empty: it was
  std::size_t looks = 0, planned = 0;
  Milliseconds time{0};
  std::size_t asked = 0, failed = 0, flaky = 0;  // checks, as a load
  std::vector<Slope> told;
  std::vector<Slope> hardest;  // of each resource that whose growth is the hardest to see: the largest `told_from`
  bool operator==(const Growth&) const = default;
};
// `control`: null when nothing is known of the machine without a patch. `why_unseen`: why it could not be looked at.
[[nodiscard]] Growth judged(const Watched& with_patch, const Watched* control, const std::string& why_unseen = {});
// Of the control itself: what it saw, and what will be told.
[[nodiscard]] Growth judged_alone(const Watched& control, const std::string& why_unseen = {});

// "memory of named", "disk of /", "logs".
[[nodiscard]] std::string name_of(const Used& used);
// "1.5 MiB", "12".
[[nodiscard]] std::string amount(Resource resource, double value);
// "1.5 MiB a minute".
[[nodiscard]] std::string pace(Resource resource, std::int64_t per_hour);
// "in 20 s and 10 looks, growth is told from 1.2 MiB a minute of memory (named), ... on".
[[nodiscard]] std::string what_is_told(const Growth& growth);
// "memory of named grew from 12 MiB to 14 MiB: 6.0 MiB a minute, without the patch 0.1 MiB; told from 1.1 MiB on".
[[nodiscard]] std::string sentence(const Slope& slope);

// Of class breach: it would meet its limit within 60 times the time that it was watched for. Else review. Amounts are
// in round numbers, so that the same growth is the same finding another time. A load of which checks failed that did
// not fail in the control is one, too.
[[nodiscard]] std::vector<state::StateDifference> findings(const Growth& growth, std::size_t failed_in_control);

}  // namespace patchlab::checks::growth
