// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "checks/learn/learn.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::learn {
namespace {

constexpr std::size_t most_shares = 20;
constexpr std::size_t most_ways = 10;  // to find out what a user may do in a share
constexpr int some_files = 30;
constexpr std::chrono::seconds smb_patience{30};

// A few small files of a share, by their digests.
constexpr const char* files_script = R"(cd -- "$1" || exit 1
find . -xdev -type f -size -1024k -print0 2>/dev/null | sort -z | head -z -n 10 | xargs -0r sha256sum)";

struct Share {
  std::string name;
  std::string path;
};

// Sections of testparm's output, but for those that are no shares of files.
std::vector<Share> shares_in(const Answer& answer) {
  std::vector<Share> shares;
  for (const auto line : split(answer.output, '\n')) {
    const auto text = trimmed(line);
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
      shares.push_back({std::string(text.substr(1, text.size() - 2)), {}});
    } else if (const auto equals = text.find('='); equals != std::string_view::npos && !shares.empty()) {
      if (trimmed(text.substr(0, equals)) == "path") shares.back().path = trimmed(text.substr(equals + 1));
    }
  }
  std::erase_if(shares, [](const Share& share) {
    const auto name = lower_case(share.name);
    return share.path.empty() || name == "global" || name == "printers" || name == "print$" || name == "homes" ||
           name.find_first_of("/\\") != std::string::npos;
  });
  return shares;
}

// "<sha256>  ./alpha/budget.csv"; names that sha256sum had to escape are left out.
Json known_files_in(const Answer* answer) {
  Json files = Json::object();
  if (answer == nullptr) return files;
  for (const auto line : split(answer->output, '\n')) {
    constexpr std::size_t begin = 64 + 2 + 2;
    if (line.size() <= begin || line.substr(64, 4) != "  ./" || !is_sha256(std::string(line.substr(0, 64)))) continue;
    const auto path = line.substr(begin);
    if (path.find('\\') != std::string_view::npos || path.find("//") != std::string_view::npos) continue;
    files[std::string(path)] = line.substr(0, 64);
  }
  return files;
}

class Smb final : public Protocol {
 public:
  std::vector<Question> questions(const Answers& answers) const override {
    std::vector<Question> questions{
        {"samba", "command -v testparm >/dev/null || exit 127\nexec testparm -s 2>/dev/null", {}}};
    if (const auto* answer = answer_to(answers, "samba")) {
      const auto shares = shares_in(*answer);
      for (std::size_t i = 0; i < std::min(shares.size(), most_shares); ++i)
        questions.push_back({"files of " + shares[i].name, files_script, {shares[i].path}});
    }
    return questions;
  }

  Drafts drafts(const Machine& machine, const Answers& answers) const override {
    Drafts drafts;
    const bool is_open = open_tcp_ports(answers).contains(445);
    const auto* answer = answer_to(answers, "samba");
    if (answer == nullptr) {
      if (is_open)
        drafts.not_learnt.emplace_back("SMB: port 445 is open, and testparm does not say which shares there are");
      return drafts;
    }
    if (!is_open) return drafts;
    drafts.checks.push_back(
        {"dialects",
         {way("smb.dialects", {{"dialects", {"3.1.1"}}}, smb_patience)},
         "which versions of the protocol are spoken, whether they are signed, and whether encryption is offered"});
    const auto shares = shares_in(*answer);
    for (std::size_t i = 0; i < std::min(shares.size(), most_shares); ++i)
      add(shares[i], shares, machine, answer_to(answers, "files of " + shares[i].name), drafts);
    if (shares.size() > most_shares)
      drafts.not_learnt.push_back(
          fmt::format("SMB: {} of {} shares are looked at, no more", most_shares, shares.size()));
    if (machine.users.empty()) {
      drafts.not_learnt.emplace_back("SMB: who may do what in a share: the scenario has no 'accounts' of this machine");
    } else if (!shares.empty()) {
      drafts.checks.push_back(
          {"wrong-password",
           {way("smb.login-refused", {{"share", shares.front().name}, {"user", machine.users.front()}}, smb_patience)},
           fmt::format("a wrong password of {} is refused", machine.users.front())});
    }
    return drafts;
  }

 private:
  // What each user may do there, whatever it is: write, only read, or nothing.
  static void add(const Share& share, const std::vector<Share>& shares, const Machine& machine, const Answer* listed,
                  Drafts& drafts) {
    const auto files = known_files_in(listed);
    drafts.checks.push_back({share.name + "-anonymous",
                             {way("smb.login-refused", {{"share", share.name}}, smb_patience)},
                             fmt::format("share {}: nobody gets in without a name", share.name)});
    // As the first user sees it who gets in.
    Draft encryption{
        share.name + "-encryption", {}, fmt::format("share {}: whether who has no encryption gets in", share.name)};
    for (const auto& user : machine.users) {
      if (encryption.ways.size() <= most_ways)
        encryption.ways.push_back(way(
            "smb.encryption", {{"share", share.name}, {"user", user}, {"password", password_of(user)}}, smb_patience));
    }
    if (!encryption.ways.empty()) drafts.checks.push_back(std::move(encryption));
    for (const auto& user : machine.users) {
      const Json account{{"share", share.name}, {"user", user}, {"password", password_of(user)}};
      Draft draft{
          share.name + "-" + user,
          {},
          fmt::format("share {}: what {} may do there (access: everything, readonly, denied)", share.name, user)};
      const Json works{{"names", "insensitive"}, {"files", some_files}};
      auto works_together = works;
      works_together["together"] = true;
      auto works_with_locks = works_together;
      works_with_locks["locks"] = true;
      for (const auto& [kind, more] : {std::pair("smb.access", works_with_locks),
                                       {"smb.access", works_together},
                                       {"smb.access", works},
                                       {"smb.readonly", Json::object()}}) {
        auto with = account;
        with.update(more);
        auto with_files = with;
        with_files["known_files"] = files;
        if (!files.empty()) draft.ways.push_back(way(kind, std::move(with_files), smb_patience));
        draft.ways.push_back(way(kind, std::move(with), smb_patience));
      }
      // Only beside a share that lets the user in: else it might be the password that is refused.
      for (const auto& other : shares) {
        if (other.name == share.name || draft.ways.size() > most_ways) continue;
        auto with = account;
        with["allowed_share"] = other.name;
        draft.ways.push_back(way("smb.denied", std::move(with), smb_patience));
      }
      drafts.checks.push_back(std::move(draft));
    }
  }
};

}  // namespace

const Protocol& smb() {
  static const Smb instance;
  return instance;
}

}  // namespace patchlab::checks::learn
