// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string_view>

#include "lab/core/time.hpp"
#include "lab/network/address.hpp"

namespace patchlab::lab::network {

// What was heard since the last look.
struct Overheard {
  std::size_t frames = 0;
  std::size_t own_beacons = 0;
  std::map<std::string, std::size_t> strangers;  // frames by MAC, at most a few
  std::set<std::string> other_cells;             // tokens of their beacons
  Milliseconds time{0};
  std::string broken;  // why it hears nothing any more
  [[nodiscard]] bool is_breach() const { return !strangers.empty() || !other_cells.empty(); }
  // "heard 1234 frames and 57 beacons in 60.0 s, no stranger"
  [[nodiscard]] std::string text() const;
};

// Listens at a device from the start to the end of a cell, in a thread of its own: what opens and closes between two
// probes is heard too.
class Watch {
 public:
  // `known` are the MACs of the lab, besides those of this network namespace's devices. `played` are those of real
  // clients as which checks speak: what leaves here from them is remembered, what comes from them is a stranger's.
  [[nodiscard]] static Result<std::unique_ptr<Watch>> start(const std::string& device, std::set<MacAddress> known,
                                                            std::string own_token, std::set<MacAddress> played = {});
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  // Until the control's beacon has been heard since the last look, or `limit` is over: it comes once a second, on a
  // busy host later.
  void await_beacon(Milliseconds limit) const;
  [[nodiscard]] Overheard take();
  // Whether a frame that begins so (or is all of it, padded with zeros) has left here since then, from one of `played`.
  // What the listener has not read yet is waited for, up to `limit`. Of the last few thousand frames.
  [[nodiscard]] bool has_left(std::string_view beginning, std::chrono::steady_clock::time_point since,
                              Milliseconds limit) const;
  [[nodiscard]] bool has_spoken(const MacAddress& played) const;  // a frame of it has left here

 private:
  struct State;
  explicit Watch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Listens for beacons of any cell on all devices of this network namespace, which is to be the host's. Devices of
// bridges of the lab (plb*, plp*, plq* and what hangs on them) are inside. Needs CAP_NET_RAW.
class OutsideWatch {
 public:
  [[nodiscard]] static Result<std::unique_ptr<OutsideWatch>> start();
  ~OutsideWatch();
  OutsideWatch(const OutsideWatch&) = delete;
  OutsideWatch& operator=(const OutsideWatch&) = delete;
  // Devices on which a beacon was heard since the last look, with the token.
  [[nodiscard]] std::set<std::string> take();

 private:
  struct State;
  explicit OutsideWatch(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace patchlab::lab::network
