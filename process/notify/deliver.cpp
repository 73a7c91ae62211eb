// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/notify/deliver.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "process/notify/digest_mail.hpp"
#include "process/notify/signature.hpp"

namespace patchlab::process {
namespace {

constexpr std::size_t most_in_a_mail = 100;

// So long a mail that others have waits for an address that is refused for now, or until the next mail is due.
constexpr std::chrono::minutes patience_for_some{15};

NotifyTime in_future(NotifyTime now, std::chrono::seconds delay) { return now + delay; }

// Nothing is left alone for longer than the longest delay: such a time was written by a clock that was wrong.
bool is_later(const std::optional<NotifyTime>& time, NotifyTime now, const NotifyConfig& config) {
  return time && *time > now && *time - now <= config.most_delay;
}
bool waits_for_next_mail(const ReceiverState& state, const Mailbox& box, NotifyTime now) {
  return state.last && *state.last <= now && *state.last + box.digest > now;
}

class Delivery {
 public:
  Delivery(const NotifyConfig& config, Outbox& outbox, Sender& sender, const Clock& clock, std::stop_token stop)
      : config_(config), outbox_(outbox), sender_(sender), clock_(clock), stop_(std::move(stop)), begun_(clock.now()) {
    for (const auto& [name, state] : outbox_.state().receivers) turn_ = std::max(turn_, state.turn);
  }

  Result<void> to_all() {
    auto order = in_turn();
    for (bool is_first = true; !order.empty(); is_first = false) {
      std::vector<const Receiver*> cut;
      for (std::size_t i = 0; i < order.size(); ++i) {
        const auto left = begun_ + std::chrono::milliseconds(config_.round) - clock_.now();
        if (!is_first && left < left.zero()) return {};
        until_ = clock_.now() + std::max(left, left.zero()) / static_cast<std::int64_t>(order.size() - i);
        has_begun_ = is_cut_ = false;
        PATCHLAB_TRY(to(*order[i]));
        if (is_cut_) cut.push_back(order[i]);
      }
      order = std::move(cut);
    }
    return {};
  }
  // Of a mail that others took, by receiver.
  [[nodiscard]] std::map<std::string, std::vector<std::string>>& refused() { return refused_; }

 private:
  [[nodiscard]] std::vector<const Receiver*> in_turn() const {
    std::vector<const Receiver*> order;
    for (const auto& receiver : config_.receivers) order.push_back(&receiver);
    const auto turn_of = [&](const Receiver* receiver) {
      const auto state = outbox_.state().receivers.find(receiver->name);
      return state == outbox_.state().receivers.end() ? 0 : state->second.turn;
    };
    std::ranges::stable_sort(order, {}, turn_of);
    return order;
  }
  Result<void> to(const Receiver& receiver) {
    auto& state = outbox_.state().receivers[receiver.name];
    if (is_later(state.not_before, clock_.wall(), config_)) return {};
    if (const auto* hook = std::get_if<Webhook>(&receiver.how)) return to_webhook(receiver, *hook, state);
    return to_mailbox(receiver, std::get<Mailbox>(receiver.how), state);
  }
  // Whether another delivery may begin: the first one of a receiver always may, and is its turn.
  Result<bool> may_begin(ReceiverState& state) {
    if (stop_.stop_requested()) return false;
    if (has_begun_) {
      is_cut_ = clock_.now() > until_;
      return !is_cut_;
    }
    has_begun_ = true;
    state.turn = ++turn_;
    PATCHLAB_TRY(outbox_.save());
    return true;
  }

  Result<void> failed(ReceiverState& state, const std::string& why,
                      std::optional<std::chrono::seconds> retry_after = std::nullopt) {
    ++state.failures;
    state.why = why;
    const auto asked = std::min(retry_after.value_or(std::chrono::seconds(0)), config_.most_delay);
    state.not_before = in_future(clock_.wall(), std::max(delay_after(state.failures, config_), asked));
    return outbox_.save();
  }
  Result<void> is_well(ReceiverState& state) {
    state.failures = 0;
    state.not_before.reset();
    state.why.clear();
    return outbox_.save();
  }
  Result<void> taken(OutboxEntry& entry, const std::string& receiver) {
    entry.waits_for.erase(receiver);
    entry.delivered[receiver] = rfc3339(clock_.wall());
    return outbox_.keep(entry);
  }

  // --- one after another
  Result<void> to_webhook(const Receiver& receiver, const Webhook& hook, ReceiverState& state) {
    std::optional<std::string> key;
    for (auto& entry : outbox_.waiting()) {
      const auto waits = entry.waits_for.find(receiver.name);
      if (waits == entry.waits_for.end() || is_later(waits->second.not_before, clock_.wall(), config_)) continue;
      PATCHLAB_ASSIGN(const bool may, may_begin(state));
      if (!may) return {};
      if (!key) {
        const auto secret = read_secret(hook.secret);
        const auto read = secret ? webhook_key(*secret) : Result<std::string>(secret.error());
        if (!read) return failed(state, hook.secret.string() + ": " + read.error().message);
        key = *read;
      }
      const auto sent = sender_.post(post_of(receiver, hook, entry, *key));
      switch (sent.kind) {
        case Sent::Kind::failed:
          if (stop_.stop_requested()) return {};
          return failed(state, sent.why, sent.retry_after);
        case Sent::Kind::refused: PATCHLAB_TRY(refused(entry, waits->second, sent.why)); break;
        case Sent::Kind::delivered: PATCHLAB_TRY(taken(entry, receiver.name)); break;
      }
      PATCHLAB_TRY(is_well(state));
    }
    return {};
  }
  Result<void> refused(OutboxEntry& entry, Refusal& refusal, const std::string& why) {
    ++refusal.tries;
    refusal.why = why;
    refusal.not_before = in_future(clock_.wall(), delay_after(refusal.tries, config_));
    return outbox_.keep(entry);
  }
  [[nodiscard]] HttpPost post_of(const Receiver& receiver, const Webhook& hook, const OutboxEntry& entry,
                                 const std::string& key) const {
    HttpPost post{hook.url, hook.ca.string(), hook.proxy, {}, event_bytes(entry.event), receiver.patience};
    const auto timestamp = std::chrono::floor<std::chrono::seconds>(clock_.wall().time_since_epoch()).count();
    post.headers = {{"Content-Type", "application/cloudevents+json; charset=UTF-8"},
                    {"webhook-id", entry.id},
                    {"webhook-timestamp", std::to_string(timestamp)},
                    {"webhook-signature", webhook_signature(key, entry.id, timestamp, post.body)}};
    return post;
  }

  // --- all in one mail
  Result<void> to_mailbox(const Receiver& receiver, const Mailbox& box, ReceiverState& state) {
    if (!state.digest) {
      auto digest = digest_for(receiver.name);
      if (digest.events.empty() || waits_for_next_mail(state, box, clock_.wall())) return {};
      state.digest = std::move(digest);
      PATCHLAB_TRY(outbox_.save());
    }
    const auto entries = entries_of(*state.digest, receiver.name);
    if (!state.digest->is_taken && !entries.empty()) {
      PATCHLAB_ASSIGN(const bool may, may_begin(state));
      if (!may) return {};
      PATCHLAB_ASSIGN(const bool is_taken, mail(receiver, box, entries, state));
      if (!is_taken) return {};
    }
    for (auto* entry : entries) PATCHLAB_TRY(taken(*entry, receiver.name));
    state.digest.reset();
    return outbox_.save();
  }
  // Whether everybody has it who will have it.
  Result<bool> mail(const Receiver& receiver, const Mailbox& box, const std::vector<OutboxEntry*>& entries,
                    ReceiverState& state) {
    auto& digest = *state.digest;
    std::vector<Json> events;
    for (const auto* entry : entries) events.push_back(entry->event);
    MailPost post{box, {}, digest_mail(events, box, config_.source, digest.date, digest.left), receiver.patience};
    std::erase_if(post.mailbox.to, [&](const std::string& address) { return digest.served.contains(address); });
    if (!post.mailbox.to.empty()) {
      if (!box.user.empty()) {
        auto password = read_secret(box.password);
        if (!password) return not_yet(failed(state, password.error().message));
        post.password = std::move(*password);
      }
      const auto sent = sender_.mail(post);
      if (sent.kind != Sent::Kind::delivered) {
        if (stop_.stop_requested()) return false;
        if (digest.served.empty()) return not_yet(failed(state, sent.why, sent.retry_after));
      }
      PATCHLAB_ASSIGN(const bool is_over, serve(receiver.name, box, post.mailbox.to, sent, state));
      if (!is_over) return false;
    }
    // First that it was taken: marking each event takes a while, and may be interrupted.
    digest.is_taken = true;
    PATCHLAB_TRY(is_well(state));
    return true;
  }
  static Result<bool> not_yet(const Result<void>& written) {
    return written ? Result<bool>(false) : Result<bool>(written.error());
  }
  // Of a mail that at least one of them has. Whether nobody waits for it any more.
  Result<bool> serve(const std::string& receiver, const Mailbox& box, const std::vector<std::string>& addresses,
                     const Sent& sent, ReceiverState& state) {
    auto& digest = *state.digest;
    if (digest.served.empty()) state.last = clock_.wall();
    const auto end = *state.last + std::max<std::chrono::minutes>(box.digest, patience_for_some);
    const bool may_wait = clock_.wall() < end && *state.last <= clock_.wall();
    std::vector<std::string> waiting;
    for (const auto& address : addresses) {
      const auto refused = std::ranges::find(sent.refused, address, &RefusedAddress::address);
      const bool is_refused = refused != sent.refused.end();
      if (sent.kind == Sent::Kind::delivered && !is_refused) {
        digest.served.insert(address);
        state.refused.erase(address);
        continue;
      }
      const auto why = is_refused ? refused->answer : sent.why;
      const auto says = fmt::format("'{}' was refused: {}", address, why);
      if (may_wait && !(is_refused && refused->is_for_good)) {
        waiting.push_back(says);
        continue;
      }
      digest.served.insert(address);
      state.refused[address] = why;
      refused_[receiver].push_back(says);
    }
    if (waiting.empty()) return true;
    PATCHLAB_TRY(failed(state, "others have the mail; " + waiting.front()));
    state.not_before = std::min(*state.not_before, end);
    PATCHLAB_TRY(outbox_.save());
    return false;
  }
  // Of a mail that is on its way, as far as they still wait for it.
  [[nodiscard]] std::vector<OutboxEntry*> entries_of(const ReceiverState::Digest& digest, const std::string& receiver) {
    std::map<std::string_view, OutboxEntry*> waiting;
    for (auto& entry : outbox_.waiting()) {
      if (entry.waits_for.contains(receiver)) waiting[entry.id] = &entry;
    }
    std::vector<OutboxEntry*> entries;
    for (const auto& id : digest.events) {
      if (const auto found = waiting.find(id); found != waiting.end()) entries.push_back(found->second);
    }
    return entries;
  }
  // The worst, and of these the newest, that one mail holds.
  [[nodiscard]] ReceiverState::Digest digest_for(const std::string& receiver) const {
    struct Ranked {
      std::size_t rank;
      const OutboxEntry* entry;
    };
    std::vector<Ranked> waiting;
    for (const auto& entry : outbox_.waiting()) {
      if (entry.waits_for.contains(receiver)) waiting.push_back({mail_rank(entry.event), &entry});
    }
    std::ranges::sort(waiting, [](const Ranked& one, const Ranked& other) {
      return std::pair(one.rank, other.entry->number) < std::pair(other.rank, one.entry->number);
    });
    ReceiverState::Digest digest{clock_.wall(), {}};
    std::vector<Json> left;
    for (const auto& one : waiting) {
      if (digest.events.size() < most_in_a_mail)
        digest.events.push_back(one.entry->id);
      else
        left.push_back(one.entry->event);
    }
    if (!left.empty()) digest.left = digest_title(left);
    return digest;
  }

  const NotifyConfig& config_;
  Outbox& outbox_;
  Sender& sender_;
  const Clock& clock_;
  std::stop_token stop_;
  Milliseconds begun_;
  std::int64_t turn_ = 0;
  // Of the receiver that is served.
  Milliseconds until_{0};
  bool has_begun_ = false;
  bool is_cut_ = false;
  std::map<std::string, std::vector<std::string>> refused_;
};

std::size_t waiting_for(const Outbox& outbox, const std::string& receiver) {
  return static_cast<std::size_t>(std::ranges::count_if(
      outbox.waiting(), [&](const OutboxEntry& entry) { return entry.waits_for.contains(receiver); }));
}

// The first time at which anything of it may be tried again, of what was refused by itself.
void tell_refusals(const NotifyConfig& config, const Outbox& outbox, NotifyTime now, Round& round) {
  for (const auto& entry : outbox.waiting()) {
    const auto waits = entry.waits_for.find(round.receiver);
    if (waits == entry.waits_for.end() || !waits->second.not_before) continue;
    const bool is_first = !round.next || *waits->second.not_before < *round.next;
    if (is_first && is_later(waits->second.not_before, now, config)) round.next = waits->second.not_before;
    if (round.why.empty()) round.why = fmt::format("event {}: {}", entry.id, waits->second.why);
  }
}

Round round_of(const NotifyConfig& config, const Receiver& receiver, const Outbox& outbox, NotifyTime now) {
  Round round;
  round.receiver = receiver.name;
  const auto waits = waiting_for(outbox, receiver.name);
  const auto found = outbox.state().receivers.find(receiver.name);
  const auto state = found == outbox.state().receivers.end() ? ReceiverState() : found->second;
  const auto* box = std::get_if<Mailbox>(&receiver.how);
  const bool is_failing = state.failures > 0;
  if (box != nullptr && !is_failing && !state.digest && waits_for_next_mail(state, *box, now)) {
    round.digest = waits;
    if (waits > 0) round.next = *state.last + box->digest;
    return round;
  }
  round.waits = waits;
  if (waits == 0) return round;
  if (is_failing) {
    round.why = state.why;
    if (is_later(state.not_before, now, config)) round.next = state.not_before;
  } else {
    tell_refusals(config, outbox, now, round);
  }
  return round;
}

}  // namespace

std::chrono::seconds delay_after(std::int64_t failures, const NotifyConfig& config) {
  auto delay = config.first_delay;
  for (std::int64_t i = 1; i < failures && delay < config.most_delay; ++i) delay *= 2;
  return std::min(delay, config.most_delay);
}

Result<std::vector<Round>> deliver(const NotifyConfig& config, Outbox& outbox, Sender& sender, const Clock& clock,
                                   const std::stop_token& stop) {
  std::map<std::string, std::size_t> before;
  for (const auto& receiver : config.receivers) before[receiver.name] = waiting_for(outbox, receiver.name);
  Delivery delivery(config, outbox, sender, clock, stop);
  PATCHLAB_TRY(delivery.to_all());
  outbox.tidy();
  auto rounds = standing(config, outbox, clock.wall());
  for (auto& round : rounds) {
    if (!round.is_known) continue;
    round.delivered = before[round.receiver] - waiting_for(outbox, round.receiver);
    round.refused = std::move(delivery.refused()[round.receiver]);
  }
  return rounds;
}

std::vector<Round> standing(const NotifyConfig& config, const Outbox& outbox, NotifyTime now) {
  std::vector<Round> rounds;
  std::set<std::string> strangers;
  for (const auto& entry : outbox.waiting()) {
    for (const auto& [receiver, refusal] : entry.waits_for) strangers.insert(receiver);
  }
  for (const auto& receiver : config.receivers) {
    strangers.erase(receiver.name);
    rounds.push_back(round_of(config, receiver, outbox, now));
  }
  for (const auto& name : strangers) {
    Round round;
    round.receiver = name;
    round.waits = waiting_for(outbox, name);
    round.why = "the configuration does not name it";
    round.is_known = false;
    rounds.push_back(std::move(round));
  }
  return rounds;
}

}  // namespace patchlab::process
