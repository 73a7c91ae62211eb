// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "patches/candidate/candidate.hpp"

// Whether candidates make a valid set, and in which order they are applied. Pure.
namespace patchlab::patches {

// The servicing stack that a candidate for Windows says it needs, where another candidate of the set brings it: a
// prerequisite that nobody has to write down. Empty: none needed, or none there.
[[nodiscard]] std::vector<std::string> servicing_stacks_for(const std::vector<Candidate>& candidates,
                                                            const Candidate& candidate);

// All that is wrong with the set, one sentence each, in a stable order: ids twice, prerequisites that are missing or go
// round in a circle, and packages that two candidates ship although neither supersedes the other.
[[nodiscard]] std::vector<std::string> set_problems(const std::vector<Candidate>& candidates);

// Prerequisites first, stated ones and servicing stacks; then candidates that are nothing but servicing stacks;
// otherwise in the given order. A configuration error with every problem when the set is not valid.
[[nodiscard]] Result<std::vector<Candidate>> ordered_set(const std::vector<Candidate>& candidates);

// The candidates with the given ids and everything they need, in the order of `all`. For the search: a subset that can
// be installed.
[[nodiscard]] std::vector<Candidate> with_prerequisites(const std::vector<Candidate>& all,
                                                        const std::vector<std::string>& ids);

// Who fulfils the prerequisite `id`: the candidate itself, and those that supersede it, directly or through others.
[[nodiscard]] std::vector<const Candidate*> providers_of(const std::vector<Candidate>& candidates,
                                                         const std::string& id);

// True when `newer` names `older` among what it supersedes, directly or through others of the set.
[[nodiscard]] bool supersedes(const std::vector<Candidate>& candidates, const std::string& newer,
                              const std::string& older);

}  // namespace patchlab::patches
