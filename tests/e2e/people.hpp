// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "lab/core/json.hpp"
#include "lab/process/process.hpp"

namespace patchlab::e2e {

// A policy in which somebody approves who is neither its author nor asked for the run.
[[nodiscard]] Json one_person();

// Those who decide about a stage, with keys that are files in `folder`: root, owner, lab, alice (who asks for runs),
// carol (who waives), bob and dave. Everything is done by the commands that people use; what does not succeed is a
// failure of the test.
class People {
 public:
  // Makes keys, puts the list of signers and the policy in force in the stage `folder`/production, and notes its root
  // keys in `folder`/roots.
  People(std::filesystem::path folder, const Json& policy);

  // `words`: the run, its department, and what else says what it is about.
  void approve(const std::string& who, const std::vector<std::string>& words) const;
  void refused(const std::string& who, const std::vector<std::string>& words, const std::string& code) const;
  void waive(const std::string& who, const std::vector<std::string>& words) const;

  // To `folder`/bundle, with its head noted in `folder`/noted.
  [[nodiscard]] ProcessOutcome export_bundle(const std::string& stage, const std::string& department) const;
  // By docs/audit.sh and `patchlab verify`, from root keys and head that were noted.
  void expect_proven() const;
  // By both: each file of the bundle edited, cut or taken out, as many of these as are asked for, evenly spread; 0:
  // all.
  void expect_refuted_when_tampered(std::size_t cases) const;

 private:
  struct Answers {
    ProcessOutcome audited;
    ProcessOutcome verified;
  };
  [[nodiscard]] Answers ask_both(const std::string& bundle) const;
  [[nodiscard]] ProcessOutcome start(const std::string& program, const std::vector<std::string>& words) const;
  void good(const std::vector<std::string>& words) const;

  std::filesystem::path folder_;
};

}  // namespace patchlab::e2e
