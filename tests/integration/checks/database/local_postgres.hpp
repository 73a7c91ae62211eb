// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "lab/core/result.hpp"

namespace patchlab::checks::database::testing {

// A PostgreSQL server of its own on a free loopback port, with data in a temporary folder; gone with the object.
// PostgreSQL refuses to run as root, so root runs it as user "postgres".
class LocalPostgres {
 public:
  static constexpr const char* user = "tester";
  static constexpr const char* password = "p;w}d {x} =1";
  // An error says what is missing.
  [[nodiscard]] static Result<std::unique_ptr<LocalPostgres>> start();
  ~LocalPostgres();
  LocalPostgres(const LocalPostgres&) = delete;
  LocalPostgres& operator=(const LocalPostgres&) = delete;
  [[nodiscard]] std::uint16_t port() const { return port_; }
  // With its Unix socket.
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  // What pg_hba.conf says from now on. Sessions that begin after the call are let in by it.
  void trust_everybody() { let_in_by("trust"); }
  void ask_for_passwords() { let_in_by("scram-sha-256"); }

 private:
  LocalPostgres() = default;
  void let_in_by(const std::string& method);
  std::filesystem::path folder_;
  std::uint16_t port_ = 0;
  pid_t process_ = -1;
};

}  // namespace patchlab::checks::database::testing
