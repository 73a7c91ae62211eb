// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/network/watch.hpp"

#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

#include "lab/network/control.hpp"
#include "lab/network/wire.hpp"

namespace patchlab::lab::network {
namespace {
constexpr std::size_t most_strangers = 20;
constexpr std::size_t most_left = 4096;
constexpr int patience_ms = 200;  // how soon a listener notices that it is to stop

template <class Hear>
void listen(int socket, const std::stop_token& stop, const Hear& hear) {
  std::array<std::uint8_t, 2048> data{};
  while (!stop.stop_requested()) {
    pollfd watched{socket, POLLIN, 0};
    if (::poll(&watched, 1, patience_ms) <= 0) continue;
    for (;;) {
      sockaddr_ll from{};
      socklen_t size = sizeof from;
      const auto count = ::recvfrom(socket, data.data(), data.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (count < 0 && errno != EAGAIN && errno != EINTR) return;
      if (count <= 0) break;
      hear(data.data(), static_cast<std::size_t>(count), from);
    }
  }
}

// A port of one of the lab's own bridges in the host's namespace.
bool is_of_the_lab(const std::string& device) {
  const auto named_so = [](const std::string& name) {
    return name.starts_with("plb") || name.starts_with("plp") || name.starts_with("plq");
  };
  if (named_so(device)) return true;
  std::error_code code;
  const auto master = std::filesystem::read_symlink("/sys/class/net/" + device + "/master", code);
  return !code && named_so(master.filename().string());
}
}  // namespace

std::string Overheard::text() const {
  auto text = fmt::format("heard {} frames and {} beacons in {:.1f} s", frames, own_beacons,
                          std::chrono::duration<double>(time).count());
  for (const auto& [mac, count] : strangers) text += fmt::format("; {} frames from {}", count, mac);
  for (const auto& token : other_cells) text += fmt::format("; the beacon {} of another cell", token);
  if (!is_breach()) text += ", no stranger";
  return text;
}

struct Watch::State {
  FileDescriptor wire;
  std::set<MacAddress> known, played;
  std::string own_token;
  std::mutex mutex;
  std::condition_variable heard_beacon, seen_leaving;
  struct Left {
    std::chrono::steady_clock::time_point when;
    std::string bytes;
  };
  std::deque<Left> left;
  std::set<MacAddress> spoken;
  Overheard overheard;
  std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
  std::jthread thread;

  void see_leaving(const std::uint8_t* frame, std::size_t size) {
    const auto seen = heard(frame, size);
    if (!seen || !played.contains(seen->from)) return;
    const std::lock_guard lock(mutex);
    if (left.size() == most_left) left.pop_front();
    left.push_back({std::chrono::steady_clock::now(), {frame, frame + size}});
    spoken.insert(seen->from);
    seen_leaving.notify_all();
  }

  void hear(const std::uint8_t* frame, std::size_t size) {
    const auto seen = heard(frame, size);
    if (!seen) return;
    const auto token = token_of_beacon(frame, size);
    const std::lock_guard lock(mutex);
    ++overheard.frames;
    if (token && *token == own_token) {
      ++overheard.own_beacons;
      heard_beacon.notify_all();
    } else if (token) {
      overheard.other_cells.insert(*token);
    } else if (known.count(seen->from) == 0 &&
               (overheard.strangers.size() < most_strangers || overheard.strangers.count(seen->from.text()) == 1)) {
      ++overheard.strangers[seen->from.text()];
    }
  }
};

Watch::Watch(std::unique_ptr<State> state) : state_(std::move(state)) {}
Watch::~Watch() = default;

Result<std::unique_ptr<Watch>> Watch::start(const std::string& device, std::set<MacAddress> known,
                                            std::string own_token, std::set<MacAddress> played) {
  auto state = std::make_unique<State>();
  PATCHLAB_ASSIGN(const auto found, find_device(device));
  PATCHLAB_ASSIGN(state->wire, open_wire(found));
  state->known = std::move(known);
  state->known.merge(macs_of_own_devices());
  state->own_token = std::move(own_token);
  state->played = std::move(played);
  auto* raw = state.get();
  state->thread = std::jthread([raw](const std::stop_token& stop) {
    listen(raw->wire.get(), stop, [raw](const std::uint8_t* frame, std::size_t size, const sockaddr_ll& from) {
      from.sll_pkttype == PACKET_OUTGOING ? raw->see_leaving(frame, size) : raw->hear(frame, size);
    });
    const std::lock_guard lock(raw->mutex);
    raw->overheard.broken = "the listener at the bridge has ended";
  });
  return std::unique_ptr<Watch>(new Watch(std::move(state)));
}

void Watch::await_beacon(Milliseconds limit) const {
  std::unique_lock lock(state_->mutex);
  state_->heard_beacon.wait_for(lock, limit, [this] { return state_->overheard.own_beacons > 0; });
}

bool Watch::has_left(std::string_view beginning, std::chrono::steady_clock::time_point since,
                     Milliseconds limit) const {
  const auto seen = heard(reinterpret_cast<const std::uint8_t*>(beginning.data()), beginning.size());
  if (!seen || !state_->played.contains(seen->from)) return false;
  const auto is_it = [&](const State::Left& left) {
    const auto size = std::min(beginning.size(), left.bytes.size());
    return left.when >= since && beginning.substr(0, size) == std::string_view(left.bytes).substr(0, size) &&
           beginning.find_first_not_of('\0', size) == std::string_view::npos;
  };
  std::unique_lock lock(state_->mutex);
  return state_->seen_leaving.wait_for(lock, limit, [&] { return std::ranges::any_of(state_->left, is_it); });
}

bool Watch::has_spoken(const MacAddress& played) const {
  const std::lock_guard lock(state_->mutex);
  return state_->spoken.contains(played);
}

Overheard Watch::take() {
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(state_->mutex);
  auto overheard = std::exchange(state_->overheard, {});
  state_->overheard.broken = overheard.broken;
  overheard.time = std::chrono::duration_cast<Milliseconds>(now - std::exchange(state_->since, now));
  return overheard;
}

struct OutsideWatch::State {
  FileDescriptor socket;
  std::mutex mutex;
  std::set<std::string> heard;
  std::jthread thread;
};

OutsideWatch::OutsideWatch(std::unique_ptr<State> state) : state_(std::move(state)) {}
OutsideWatch::~OutsideWatch() = default;

Result<std::unique_ptr<OutsideWatch>> OutsideWatch::start() {
  auto state = std::make_unique<State>();
  state->socket = FileDescriptor(
      ::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(beacon_type)));  // the kernel sorts them out
  if (!state->socket.valid()) return errno_error("listening on the devices of the host", errno);
  auto* raw = state.get();
  state->thread = std::jthread([raw](const std::stop_token& stop) {
    listen(raw->socket.get(), stop, [raw](const std::uint8_t* frame, std::size_t size, const sockaddr_ll& from) {
      const auto token = token_of_beacon(frame, size);
      std::array<char, IF_NAMESIZE> name{};
      if (from.sll_pkttype == PACKET_OUTGOING || !token ||
          ::if_indextoname(static_cast<unsigned>(from.sll_ifindex), name.data()) == nullptr)
        return;
      if (is_of_the_lab(name.data())) return;
      const std::lock_guard lock(raw->mutex);
      if (raw->heard.size() < most_strangers) raw->heard.insert(fmt::format("beacon {} on '{}'", *token, name.data()));
    });
  });
  return std::unique_ptr<OutsideWatch>(new OutsideWatch(std::move(state)));
}

std::set<std::string> OutsideWatch::take() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->heard, {});
}

}  // namespace patchlab::lab::network
