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

NotifyTime in_future(NotifyTime now, std::chrono::seconds delay) { return now + delay; }

class Delivery {
 public:
  Delivery(const NotifyConfig& config, Outbox& outbox, Sender& sender, const Clock& clock, std::stop_token stop)
      : config_(config), outbox_(outbox), sender_(sender), clock_(clock), stop_(std::move(stop)), begun_(clock.now()) {}

  Result<void> to(const Receiver& receiver) {
    auto& state = outbox_.state().receivers[receiver.name];
    if (state.not_before && *state.not_before > clock_.wall()) return {};
    if (const auto* hook = std::get_if<Webhook>(&receiver.how)) return to_webhook(receiver, *hook, state);
    return to_mailbox(receiver, std::get<Mailbox>(receiver.how), state);
  }

 private:
  [[nodiscard]] bool is_over() const {
    return stop_.stop_requested() || clock_.now() - begun_ > std::chrono::milliseconds(config_.round);
  }

  Result<void> failed(ReceiverState& state, const std::string& why, std::optional<std::chrono::seconds> retry_after) {
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
      if (waits == entry.waits_for.end() || is_later(waits->second)) continue;
      if (is_over()) return {};
      if (!key) {
        const auto secret = read_secret(hook.secret);
        const auto read = secret ? webhook_key(*secret) : Result<std::string>(secret.error());
        if (!read) return failed(state, hook.secret.string() + ": " + read.error().message, std::nullopt);
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
  [[nodiscard]] bool is_later(const Refusal& refusal) const {
    return refusal.not_before && *refusal.not_before > clock_.wall();
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
      auto ids = ids_for(receiver.name);
      if (ids.empty() || is_over() || (state.last && *state.last + box.digest > clock_.wall())) return {};
      state.digest = ReceiverState::Digest{clock_.wall(), std::move(ids), false};
      PATCHLAB_TRY(outbox_.save());
    }
    std::vector<Json> events;
    for (const auto* entry : entries_of(*state.digest, receiver.name)) events.push_back(entry->event);
    if (!state.digest->is_taken && !events.empty()) {
      if (is_over()) return {};
      MailPost mail{box, {}, digest_mail(events, box, config_.source, state.digest->date), receiver.patience};
      if (!box.user.empty()) {
        auto password = read_secret(box.password);
        if (!password) return failed(state, password.error().message, std::nullopt);
        mail.password = std::move(*password);
      }
      const auto sent = sender_.mail(mail);
      if (sent.kind != Sent::Kind::delivered)
        return stop_.stop_requested() ? Result<void>() : failed(state, sent.why, sent.retry_after);
      // First that it was taken: marking each event takes a while, and may be interrupted.
      state.digest->is_taken = true;
      state.last = clock_.wall();
      PATCHLAB_TRY(is_well(state));
    }
    for (auto* entry : entries_of(*state.digest, receiver.name)) PATCHLAB_TRY(taken(*entry, receiver.name));
    state.digest.reset();
    return outbox_.save();
  }
  // Of a mail that is on its way, as far as they still wait for it.
  [[nodiscard]] std::vector<OutboxEntry*> entries_of(const ReceiverState::Digest& digest, const std::string& receiver) {
    std::vector<OutboxEntry*> entries;
    for (auto& entry : outbox_.waiting()) {
      if (std::ranges::count(digest.events, entry.id) > 0 && entry.waits_for.contains(receiver))
        entries.push_back(&entry);
    }
    return entries;
  }
  [[nodiscard]] std::vector<std::string> ids_for(const std::string& receiver) const {
    std::vector<std::string> ids;
    for (const auto& entry : outbox_.waiting()) {
      if (entry.waits_for.contains(receiver) && ids.size() < most_in_a_mail) ids.push_back(entry.id);
    }
    return ids;
  }

  const NotifyConfig& config_;
  Outbox& outbox_;
  Sender& sender_;
  const Clock& clock_;
  std::stop_token stop_;
  Milliseconds begun_;
};

std::size_t waiting_for(const Outbox& outbox, const std::string& receiver) {
  return static_cast<std::size_t>(std::ranges::count_if(
      outbox.waiting(), [&](const OutboxEntry& entry) { return entry.waits_for.contains(receiver); }));
}

// The first time at which anything of it may be tried again, of what was refused by itself.
void tell_refusals(const Outbox& outbox, Round& round) {
  for (const auto& entry : outbox.waiting()) {
    const auto waits = entry.waits_for.find(round.receiver);
    if (waits == entry.waits_for.end() || !waits->second.not_before) continue;
    if (!round.next || *waits->second.not_before < *round.next) round.next = waits->second.not_before;
    if (round.why.empty()) round.why = fmt::format("event {}: {}", entry.id, waits->second.why);
  }
}

Round round_of(const Receiver& receiver, const Outbox& outbox, NotifyTime now) {
  Round round;
  round.receiver = receiver.name;
  const auto waits = waiting_for(outbox, receiver.name);
  const auto found = outbox.state().receivers.find(receiver.name);
  const auto state = found == outbox.state().receivers.end() ? ReceiverState() : found->second;
  const auto* box = std::get_if<Mailbox>(&receiver.how);
  const bool is_failing = state.failures > 0;
  if (box != nullptr && !is_failing && !state.digest && state.last && *state.last + box->digest > now) {
    round.digest = waits;
    if (waits > 0) round.next = *state.last + box->digest;
    return round;
  }
  round.waits = waits;
  if (waits == 0) return round;
  if (is_failing) {
    round.why = state.why;
    round.next = state.not_before;
  } else {
    tell_refusals(outbox, round);
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
  for (const auto& receiver : config.receivers) PATCHLAB_TRY(delivery.to(receiver));
  outbox.tidy();
  auto rounds = standing(config, outbox, clock.wall());
  for (auto& round : rounds) {
    if (round.is_known) round.delivered = before[round.receiver] - waiting_for(outbox, round.receiver);
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
    rounds.push_back(round_of(receiver, outbox, now));
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
