// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "lab/core/files.hpp"
#include "tests/support/tcp_listener.hpp"

using SSL_CTX = struct ssl_ctx_st;

namespace patchlab::checks::database::testing {

// An error as SQL Server sends it ([MS-TDS] 2.2.7.10): its number and severity in sys.messages.
struct TdsError {
  int number = 0;
  std::string text;
  int severity = 14;
};

struct TdsRows {
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
};

// What of SQL Server the checks need, on a free port of 127.0.0.1: the Tabular Data Stream of version 7.4 ([MS-TDS]:
// PRELOGIN, LOGIN7, SQLBatch, transaction manager requests, attention; TLS wrapped in PRELOGIN), users and databases,
// and tables of one text column, which it keeps. It knows the statements that the checks send, and those that answer()
// was told; others are 102, as those it does not know are to a server. No SQL Server: what it says was written from
// Microsoft's documentation.
class TdsServer {
 public:
  enum class Encryption { none, of_login, of_all };
  static constexpr const char* user = "app";
  static constexpr const char* password = "p;w{d {x =1";
  static constexpr const char* database = "corp";

  explicit TdsServer(Encryption encryption = Encryption::none);
  ~TdsServer();
  TdsServer(const TdsServer&) = delete;
  TdsServer& operator=(const TdsServer&) = delete;
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }

  // The next logins so many times, whoever's.
  void refuse_logins(int times, std::vector<TdsError> errors);
  // A database besides "corp" and "master". Only its users may open it, and when its status is ONLINE.
  void add_database(const std::string& name, const std::string& status, std::set<std::string> users);
  void add_table(const std::string& name);
  void add_setting(const std::string& name, const std::string& value);
  // A statement with this text in it is not executed but answered so, or not at all, as is all that comes after it.
  void refuse(const std::string& part, std::vector<TdsError> errors);
  // As by a trigger: it is executed, and behind its own result there is another one, which is an error.
  void refuse_behind(const std::string& part, TdsError error);
  void answer(const std::string& part, TdsRows rows);
  void ignore(const std::string& part);
  void keep_what_is_rolled_back();

  struct Seen {
    std::vector<std::string> statements;       // with BEGIN, COMMIT and ROLLBACK, in the order of their arrival
    std::map<std::string, std::string> login;  // the last one's: "user", "password", "program", "host", "database"
    bool login_was_encrypted = false;
    bool statements_were_encrypted = false;
  };
  [[nodiscard]] Seen seen();

 private:
  class Client;
  class Session;
  using Tables = std::map<std::string, std::vector<std::string>>;
  struct Database {
    std::string status;
    std::set<std::string> users;
  };
  struct Answer {
    std::string part;
    std::vector<TdsError> errors;
    std::optional<TdsRows> rows;
    bool is_behind = false;
  };
  void serve(const std::stop_token& stop);

  const Encryption encryption_;
  SSL_CTX* tls_ = nullptr;
  test::TcpListener listener_;
  std::mutex mutex_;  // of all below
  int refusals_ = 0;
  std::vector<TdsError> refusal_;
  std::map<std::string, Database> databases_{{"corp", {"ONLINE", {user}}}, {"master", {"ONLINE", {user}}}};
  std::map<std::string, std::string> settings_;
  Tables tables_;
  std::vector<Answer> answers_;
  bool keeps_what_is_rolled_back_ = false;
  Seen seen_;
  std::vector<FileDescriptor> sockets_;
  std::jthread thread_;  // last: it ends first
};

}  // namespace patchlab::checks::database::testing
