// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dns/load.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "checks/check_with.hpp"
#include "checks/dns/lookup.hpp"
#include "checks/dns/message.hpp"
#include "checks/dns/records.hpp"
#include "checks/socket.hpp"

namespace patchlab::checks::dns {
namespace {

constexpr Milliseconds under_way{500};
constexpr std::size_t most_kept = 10;  // of wrong and of lost answers, for the reader

struct Parameters {
  std::vector<Lookup> lookups;  // over UDP
  std::int64_t per_second = 0;
  std::int64_t seconds = 0;
};

Parameters read_parameters(JsonReader& reader) {
  Parameters with;
  with.lookups = read_record_lookups(reader);
  with.per_second = reader.integer_or("per_second", 20, 1, 500);
  with.seconds = reader.integer_or("seconds", 5, 1, 300);
  return with;
}

std::string question_of(const Lookup& lookup) { return fmt::format("{} {}", lookup.name, lookup.type); }

// Sends on time and takes in what comes meanwhile; then waits for the rest.
class Asker {
 public:
  Asker(const Parameters& with, int socket, const Deadline& deadline)
      : with_(with), socket_(socket), deadline_(deadline), first_id_(random_id()) {}

  Result<Json> run() {
    const auto count = static_cast<std::size_t>(with_.per_second * with_.seconds);
    for (std::size_t i = 0; i < count && !deadline_.passed() && errno_ == 0; ++i) {
      PATCHLAB_TRY(send(i));
      const auto next = Milliseconds(static_cast<std::int64_t>(i + 1) * 1000 / with_.per_second);
      listen(Deadline(std::max(Milliseconds(0), next - deadline_.elapsed())), false);
    }
    if (errno_ == 0) listen(deadline_, true);
    return told();
  }

 private:
  struct Asked {
    std::size_t lookup = 0;
    Milliseconds at{};
  };

  Result<void> send(std::size_t number) {
    const auto which = number % with_.lookups.size();
    const auto& lookup = with_.lookups[which];
    // Ids in turn, so that none is used twice while an answer may come.
    const auto id = static_cast<std::uint16_t>(first_id_ + number);
    PATCHLAB_ASSIGN(const auto wire, encode({lookup.name, lookup.type, id, true, lookup.udp_size}));
    open_[id] = {which, deadline_.elapsed()};
    ++asked_;
    errno_ = send_all(socket_, wire, deadline_);
    return {};
  }

  // Until then, or until nothing is open any more.
  void listen(const Deadline& until, bool only_while_open) {
    std::string buffer(65535, '\0');
    while (errno_ == 0 && !(only_while_open && open_.empty()) &&
           wait_readable(socket_, until.within(deadline_.remaining()))) {
      const auto size = ::recv(socket_, buffer.data(), buffer.size(), 0);
      if (size >= 0)
        take(std::string_view(buffer).substr(0, static_cast<std::size_t>(size)));
      else if (errno != EAGAIN && errno != EINTR)
        errno_ = errno;
      if (until.passed()) break;
    }
  }

  void take(std::string_view wire) {
    if (wire.size() < 2) return;
    const auto id =
        static_cast<std::uint16_t>((static_cast<unsigned char>(wire[0]) << 8U) | static_cast<unsigned char>(wire[1]));
    const auto found = open_.find(id);
    if (found == open_.end()) return;
    const auto& lookup = with_.lookups[found->second.lookup];
    slowest_ = std::max(slowest_, deadline_.elapsed() - found->second.at);
    ++answered_;
    const auto judgement = judge_reply(lookup, wire);
    if (judgement.outcome != Outcome::pass && ++wrong_ <= most_kept) {
      seen_wrong_.push_back({{"question", question_of(lookup)},
                             {"reason", judgement.reason},
                             {"observed", to_valid_utf8(judgement.observed)}});
    }
    open_.erase(found);
  }

  Json told() const {
    // When the deadline came before all were asked, the last ones may still be under way.
    const bool is_cut = asked_ < static_cast<std::size_t>(with_.per_second * with_.seconds);
    auto lost = Json::array();
    std::size_t count = 0;
    for (const auto& [id, asked] : open_) {
      if (is_cut && deadline_.elapsed() - asked.at < under_way) continue;
      if (++count <= most_kept) lost.push_back(question_of(with_.lookups[asked.lookup]));
    }
    Json seen{{"asked", asked_},
              {"answered", answered_},
              {"wrong", wrong_},
              {"seen_wrong", seen_wrong_},
              {"lost", count},
              {"seen_lost", lost},
              {"elapsed_ms", deadline_.elapsed().count()},
              {"slowest_ms", slowest_.count()}};
    if (errno_ != 0) seen.update({{"errno", errno_}, {"trouble", describe_errno(errno_)}});
    return seen;
  }

  const Parameters& with_;
  int socket_;
  const Deadline& deadline_;
  std::uint16_t first_id_;
  std::map<std::uint16_t, Asked> open_;
  std::size_t asked_ = 0;
  std::size_t answered_ = 0;
  std::size_t wrong_ = 0;
  Json seen_wrong_ = Json::array();
  Milliseconds slowest_{};
  int errno_ = 0;
};

class Load final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "dns.load"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    const Deadline deadline(limit);
    PATCHLAB_ASSIGN(const auto connection,
                    connect_udp({target.address, with.lookups.front().port}, target.client_address));
    return Asker(with, connection.socket.get(), deadline).run();
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& observation) const override {
    const auto count = static_cast<std::size_t>(with.per_second * with.seconds);
    const auto expected = fmt::format("{} questions, {} a second, each answered rightly", count, with.per_second);
    const auto failed = [&](std::string reason, std::string observed) {
      return Judgement{Outcome::fail, std::move(reason), expected, std::move(observed)};
    };
    const auto asked = observation.at("asked").get<std::size_t>();
    const auto answered = observation.at("answered").get<std::size_t>();
    if (observation.contains("errno"))
      return failed(reason_for_errno(observation.at("errno").get<int>()),
                    fmt::format("{} after {} questions", observation.value("trouble", ""), asked));
    if (const auto wrong = observation.at("wrong").get<std::size_t>(); wrong > 0) {
      const auto& first = observation.at("seen_wrong").at(0);
      return failed("answers-wrong",
                    fmt::format("{} of {} answers are wrong: {}: {}: {}", wrong, answered, first.value("question", ""),
                                first.value("reason", ""), first.value("observed", "")));
    }
    if (const auto lost = observation.at("lost").get<std::size_t>(); lost > 0)
      return failed("answers-lost",
                    fmt::format("{} of {} were not answered: {}", lost, asked,
                                fmt::join(observation.at("seen_lost").get<std::vector<std::string>>(), ", ")));
    // Nothing was lost, and the deadline came before all of them were asked: the check asks for too much.
    if (asked < count)
      return {Outcome::error, "not-all-asked", expected,
              fmt::format("{} were asked until the deadline, and {} answered: give it more time", asked, answered)};
    return {Outcome::pass, "as-expected", expected,
            fmt::format("all of them, the slowest after {} ms", observation.value("slowest_ms", 0))};
  }
};

}  // namespace

const Check& load() {
  static const Load instance;
  return instance;
}

}  // namespace patchlab::checks::dns
