// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/referral.hpp"

#include <fmt/format.h>

#include <cerrno>

#include "checks/check_with.hpp"
#include "checks/deadline.hpp"
#include "checks/kerberos/names.hpp"
#include "checks/names_target.hpp"
#include "checks/smb/judging.hpp"
#include "checks/smb/steps.hpp"
#include "checks/socket.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/net/address.hpp"

namespace patchlab::checks::smb {
namespace {

constexpr std::uint16_t port_of_referrals = 445;
constexpr std::size_t bytes = 4096;

struct Parameters {
  Account account;
  std::string path;
  std::string server;          // of the namespace; may be empty
  std::string target;          // its name
  std::string target_address;  // may be empty: the machine's own
  std::string target_share;
  std::string target_folder;

  [[nodiscard]] std::string by_namespace(const std::string& file) const {
    return fmt::format("{}/{}/{}", account.share, path, file);
  }
  [[nodiscard]] std::string at_target(const std::string& file) const {
    return target_folder.empty() ? target_share + "/" + file
                                 : fmt::format("{}/{}/{}", target_share, target_folder, file);
  }
};

bool is_address(const std::string& text) { return net::Ipv4::parse(text).has_value(); }

std::string why_no_address(const std::string& text) {
  const auto address = net::Ipv4::parse(text);
  return address ? std::string() : address.error().message;
}

std::string why_no_folder(const std::string& path) {
  return is_path_below_share(path) ? "" : fmt::format("'{}' must be a path below the share, as team/in", path);
}

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.account = read_account(reader);
  parameters.path = reader.text("path", [](const std::string& path) {
    return path.empty() ? "must not be empty: the link below the namespace" : why_no_folder(path);
  });
  parameters.server = reader.text_or("server", "", kerberos::why_no_host);
  auto target = reader.object("target");
  parameters.target = target.text("server", kerberos::why_no_host);
  parameters.target_address = target.text_or("address", "", why_no_address);
  parameters.target_share = target.text("share", why_no_share);
  parameters.target_folder = target.text_or("folder", "", why_no_folder);
  target.finish();
  return parameters;
}

// One file, from both sides.
class FileOfBoth {
 public:
  FileOfBoth(const Parameters& parameters, const Target& target, const Deadline& deadline, StepRecorder& recorder,
             Session& session)
      : parameters_(parameters),
        address_(parameters.target_address.empty() ? target.address : parameters.target_address),
        client_address_(target.client_address),
        deadline_(deadline),
        recorder_(recorder),
        session_(session) {}

  void live() {
    const auto content = random_content(bytes);
    const bool written = recorder_.take("write", [&](Json& entry) {
      entry["name"] = name_;
      entry["sha256"] = sha256(content);
      return session_.write(parameters_.by_namespace(name_), content);
    });
    if (!written) return;
    const bool is_seen = look_at_target("read at target");
    const auto remove = [&](Json&) { return session_.remove(parameters_.by_namespace(name_)); };
    if (!is_seen) {
      recorder_.take("clean up", remove);
      return;
    }
    if (recorder_.take("delete", remove)) look_at_target("gone at target");
  }

 private:
  // In a session that knows nothing of the namespace.
  bool look_at_target(const std::string& step) {
    if (!there_ && !open_target()) return false;
    return recorder_.take(step, [&](Json& entry) {
      std::string content;
      const int trouble = there_->read(parameters_.at_target(name_), content);
      if (trouble == 0) entry["sha256"] = sha256(content);
      return trouble;
    });
  }
  bool open_target() {
    std::optional<Error> trouble;
    const bool is_there = recorder_.take("target", [&](Json&) {
      const auto connection = connect_tcp({address_, port_of_referrals}, client_address_, deadline_);
      if (!connection) trouble = connection.error();
      return connection ? connection->saved_errno : EIO;
    });
    if (is_there) {
      const auto& account = parameters_.account;
      auto opened = Session::open({.address = address_,
                                   .port = port_of_referrals,
                                   .domain = account.domain,
                                   .user = account.user,
                                   .password = account.password,
                                   .timeout = deadline_.remaining()});
      if (opened)
        there_.emplace(*std::move(opened));
      else
        trouble = opened.error();
    }
    if (trouble) recorder_.lab_error(*trouble);
    return there_.has_value();
  }

  const Parameters& parameters_;
  const std::string address_;
  const std::string client_address_;
  const Deadline& deadline_;
  StepRecorder& recorder_;
  Session& session_;
  const std::string name_ = random_file_name();
  std::optional<Session> there_;
};

Trouble judge_at_target(const Observation& observation) {
  const auto* entry = find_step(observation, "read at target");
  const std::string expected = "what was written by the namespace is at the target";
  if (entry != nullptr && entry->value("errno", 0) == ENOENT)
    return failed("not-at-target", expected, "it was written somewhere else: " + describe_step(*entry));
  if (auto trouble = judge_success(observation, "read at target")) return trouble;
  if (entry->at("sha256") == find_step(observation, "write")->at("sha256")) return std::nullopt;
  return failed("content-differs", expected, "other bytes are there");
}

Trouble judge_gone(const Observation& observation) {
  const auto* entry = find_step(observation, "gone at target");
  const std::string expected = "gone at target: ENOENT";
  if (entry == nullptr || !entry->contains("errno")) return judge_success(observation, "gone at target");
  if (entry->at("errno") == ENOENT) return std::nullopt;
  return failed("deleted-file-remains", expected, describe_step(*entry));
}

class Referral final : public CheckWith<Parameters>, public NamesTarget {
 public:
  [[nodiscard]] std::string kind() const override { return "smb.referral"; }
  [[nodiscard]] std::map<std::string, std::string> names(const Json& parameters,
                                                         const std::string& address) const override {
    std::map<std::string, std::string> all;
    const auto& target = parameters.at("target");
    const auto name = target.value("server", "");
    if (!is_address(name)) all[name] = target.value("address", address);
    const auto server = parameters.value("server", "");
    if (!server.empty() && !is_address(server)) all[server] = address;
    return all;
  }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& parameters,
                                                 Milliseconds limit) const override {
    const Deadline deadline(limit);
    const auto steps = [=](StepRecorder& recorder, Session& session) {
      const auto link = fmt::format("{}/{}", parameters.account.share, parameters.path);
      if (!take_list(recorder, session, "list", link)) return;
      FileOfBoth(parameters, target, deadline, recorder, session).live();
    };
    auto account = parameters.account;
    account.server_name = parameters.server;
    return observe_steps(target, account, limit, steps);
  }

  [[nodiscard]] Judgement judge_with(const Parameters& parameters, const Observation& observation) const override {
    for (const char* step : {"connect", "list", "write", "target"}) {
      if (auto trouble = judge_success(observation, step)) return *trouble;
    }
    if (auto trouble = judge_at_target(observation)) return *trouble;
    if (auto trouble = judge_success(observation, "delete")) return *trouble;
    if (auto trouble = judge_gone(observation)) return *trouble;
    const auto done = fmt::format("'{}/{}' leads to '{}' of {}", parameters.account.share, parameters.path,
                                  parameters.at_target(""), parameters.target);
    return {Outcome::pass, "referred", done, done};
  }
};

}  // namespace

const Check& referral() {
  static const Referral instance;
  return instance;
}

}  // namespace patchlab::checks::smb
