// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/steps.hpp"

#include <fmt/format.h>

#include <memory>
#include <random>

#include "checks/deadline.hpp"
#include "checks/kerberos/session.hpp"
#include "checks/smb/netbios.hpp"
#include "checks/socket.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::smb {
namespace {

Result<int> try_tcp(const Target& target, const Account& account, const Deadline& deadline) {
  PATCHLAB_ASSIGN(const auto connection, connect_tcp({target.address, account.port}, target.client_address, deadline));
  return connection.saved_errno;
}

// The library says in no words why it got none.
Result<Json> ticket_for(const Account& account, const TicketSettings& ticket) {
  kerberos::Realm realm;
  realm.address = ticket.controller;
  realm.port = ticket.port;
  realm.name = ticket.realm;
  PATCHLAB_ASSIGN(const auto session, kerberos::Session::open(realm, account.user));
  kerberos::Proof proof;
  proof.password = account.password;
  auto seen = session->get_ticket(proof);
  return seen.at("ok").get<bool>() ? session->get_service("cifs/" + ticket.server) : seen;
}

void run(const Target& target, const Account& account, const Deadline& deadline, const StepsOfTwo& steps,
         StepRecorder& recorder) {
  std::optional<Error> trouble;
  const bool connected = recorder.take("connect", [&](Json&) {
    const auto outcome = try_tcp(target, account, deadline);
    if (!outcome) trouble = outcome.error();
    return outcome.value_or(EIO);
  });
  if (trouble) return recorder.lab_error(*trouble);
  if (!connected) return;
  std::optional<TicketSettings> ticket;
  if (const auto& by = account.kerberos) {
    ticket = {by->realm, by->server, by->controller.empty() ? target.address : by->controller, by->port};
    const bool is_there = recorder.take("controller", [&](Json&) {
      const auto reached = connect_tcp({ticket->controller, ticket->port}, target.client_address, deadline);
      if (!reached) trouble = reached.error();
      return reached ? reached->saved_errno : EIO;
    });
    const bool granted = is_there && recorder.take("ticket", [&](Json& entry) {
      auto seen = ticket_for(account, *ticket);
      if (!seen) trouble = seen.error();
      if (!seen || seen->at("ok").get<bool>()) return seen ? 0 : EIO;
      entry["error"] = fmt::format("{} ({})", seen->value("why", ""), seen->at("code").dump());
      return EACCES;
    });
    if (trouble) return recorder.lab_error(*trouble);
    if (!granted) return;
  }
  // A session of its own for each connection: this one only shows whether there is any.
  const auto ask_netbios = [&](Json& entry) {
    const auto connection = connect_tcp({target.address, account.port}, target.client_address, deadline);
    const auto why = !connection                    ? connection.error().message
                     : connection->saved_errno != 0 ? describe_errno(connection->saved_errno)
                                                    : request_netbios_session(connection->socket.get(), deadline);
    entry["netbios"] = why;
    return why.empty() ? 0 : ECONNREFUSED;
  };
  if (account.netbios && !recorder.take("netbios session", ask_netbios)) return;
  const AnotherSession open = [&](StepRecorder& told, Encryption encryption) -> std::optional<Session> {
    auto session = Session::open({.address = account.server_name.empty() ? target.address : account.server_name,
                                  .port = account.port,
                                  .domain = account.domain,
                                  .user = account.user,
                                  .password = account.password,
                                  .timeout = deadline.remaining(),
                                  .encryption = encryption,
                                  .ticket = ticket,
                                  .dialect = account.dialect,
                                  .netbios = account.netbios,
                                  .source = target.client_address});
    if (session) return *std::move(session);
    told.lab_error(session.error());
    return std::nullopt;
  };
  if (auto session = open(recorder, Encryption::as_wanted)) steps(recorder, *session, open);
}

}  // namespace

bool StepRecorder::take(const std::string& step, const std::function<int(Json& entry)>& action) {
  progress_.record([&](Observation& observation) { observation["steps"].push_back({{"step", step}}); });
  Json entry{{"step", step}};
  const Deadline watch{Milliseconds(0)};
  const int saved_errno = action(entry);
  entry["errno"] = saved_errno;
  entry["ms"] = watch.elapsed().count();
  if (saved_errno != 0 && !entry.contains("error")) entry["error"] = describe_errno(saved_errno);
  progress_.record([&](Observation& observation) { observation["steps"].back() = entry; });
  return saved_errno == 0;
}

void StepRecorder::lab_error(const Error& error) {
  progress_.record([&](Observation& observation) { observation["lab_error"] = error; });
}

Result<Observation> observe_steps(const Target& target, const Account& account, Milliseconds limit,
                                  const Steps& steps) {
  return observe_steps_of_two(target, account, limit, [steps](auto& recorder, auto& session, const auto& /*another*/) {
    steps(recorder, session);
  });
}

Result<Observation> observe_steps_of_two(const Target& target, const Account& account, Milliseconds limit,
                                         const StepsOfTwo& steps) {
  const Deadline deadline(limit);
  auto seen = observe_within(limit, [=](Progress progress) {
    StepRecorder recorder(std::move(progress));
    run(target, account, deadline, steps, recorder);
  });
  if (seen.contains("lab_error")) return error_from_json(seen["lab_error"]);
  seen["server"] = fmt::format("{}:{}", target.address, account.port);
  seen["share"] = account.share;
  seen["user"] = account.user;
  return seen;
}

std::string random_file_name() {
  std::random_device device;
  return fmt::format("patchlab-{:08x}.bin", device());
}

std::string random_content(std::size_t size) {
  std::mt19937 generator{std::random_device{}()};
  std::uniform_int_distribution<int> byte(0, 255);
  std::string content(size, '\0');
  for (auto& c : content) c = static_cast<char>(byte(generator));
  return content;
}

bool take_list(StepRecorder& recorder, Session& session, const std::string& step, const std::string& folder) {
  return recorder.take(step, [&](Json& entry) {
    std::vector<std::string> names;
    const int trouble = session.list(folder, names);
    entry["names"] = names;
    return trouble;
  });
}

bool take_known_files(StepRecorder& recorder, Session& session, const std::string& share,
                      const std::map<std::string, std::string>& files) {
  for (const auto& [path, digest] : files) {
    const bool read = recorder.take("known file " + path, [&, path = path](Json& entry) {
      std::string content;
      const int trouble = session.read(share + "/" + path, content);
      if (trouble == 0) entry["sha256"] = sha256(content);
      return trouble;
    });
    if (!read) return false;
  }
  return true;
}

}  // namespace patchlab::checks::smb
