// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/database/complaints.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>

namespace patchlab::checks::database {
namespace {

bool has_one_of(const Json& step, std::initializer_list<int> wanted) {
  const auto numbers = step.value("numbers", Json::array());
  return std::ranges::any_of(
      wanted, [&](int number) { return std::find(numbers.begin(), numbers.end(), number) != numbers.end(); });
}

bool says_one_of(const Json& step, std::initializer_list<std::string_view> texts) {
  const auto message = step.value("message", "");
  return std::ranges::any_of(texts, [&](auto text) { return message.find(text) != std::string::npos; });
}

bool is_of_sql_server(const Json& step) { return step.contains("numbers"); }

}  // namespace

bool is_not_ready(const Json& step, WaitFor wait_for) {
  if (!is_of_sql_server(step))
    return says_one_of(step, {"the database system is starting up", "the database system is not yet accepting"});
  // 17187: not ready to accept connections; 18401: script upgrade mode; 18451 and 18461: only administrators, single
  // user, as both are while an update is being finished; 921 and 922: the database is being recovered.
  if (has_one_of(step, {17187, 18401, 18451, 18461, 921, 922})) return true;
  return wait_for == WaitFor::database && is_database_not_open(step);
}

bool is_refused_login(const Json& step) {
  // Failed, for a reason that only the server's log has.
  if (is_of_sql_server(step)) return has_one_of(step, {18456}) || is_about_the_account(step);
  return step.value("sqlstate", "").starts_with("28") || is_refused_database(step) ||
         says_one_of(step, {"authentication failed", "no pg_hba.conf entry", "pg_hba.conf rejects"});
}

bool is_wrong_password(const Json& step) {
  if (is_of_sql_server(step)) return has_one_of(step, {18456}) && !is_database_not_open(step);
  return step.value("sqlstate", "") == "28P01" || says_one_of(step, {"authentication failed"});
}

// 18452: a domain that is not trusted; 18470: disabled; 18486: locked; 18487 and 18488: the password has expired, must
// be changed.
bool is_about_the_account(const Json& step) { return has_one_of(step, {18452, 18470, 18486, 18487, 18488}); }

bool is_refused_database(const Json& step) {
  return is_of_sql_server(step) ? is_database_not_open(step) : says_one_of(step, {"permission denied for database"});
}

bool is_missing_right(const Json& step) {
  // 229 and 230: on an object, on a column; 262: to a statement; 297, 300 and 15247: of the server; 916: in that
  // database.
  if (is_of_sql_server(step)) return has_one_of(step, {229, 230, 262, 297, 300, 916, 15247});
  const auto sqlstate = step.value("sqlstate", "");
  return sqlstate == "42501" || sqlstate == "42000";
}

bool is_deadlock(const Json& step) { return has_one_of(step, {1205}) || step.value("sqlstate", "") == "40P01"; }

// 4064: the login's own database, where none was asked for.
bool is_database_not_open(const Json& step) { return has_one_of(step, {4060, 4064}); }

}  // namespace patchlab::checks::database
