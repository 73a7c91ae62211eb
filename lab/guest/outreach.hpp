// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/core/time.hpp"

namespace patchlab::lab::guest {

// What a guest is to try from inside, to show that nobody is there who should not be. Bytes are bytes, not text.
struct Outreach {
  enum class Kind { ping, dns, tcp };
  struct Try {
    Kind kind = Kind::ping;
    std::string target;      // an IPv4 address
    std::uint16_t port = 0;  // dns, tcp
    std::string payload;     // ping: an echo request (RFC 792); dns: a question (RFC 1035); tcp: none
  };
  std::vector<Try> tries;           // by the guest's own routes
  std::vector<std::string> frames;  // Ethernet frames, written as they are to each network adapter of the guest
  // Of the machine. What the guest would send from another one stays in a network of its own: containers, for example.
  std::string address;
  std::string mac;
  // MACs whose frames are of no interest, "52:54:00:14:00:0a"; neither is what comes from net::lab_client_mac().
  std::vector<std::string> known;
  Milliseconds listen{600};  // for answers; 100 ms to 2.5 s, after which a kernel gives up to find its gateway
};

struct OutreachSeen {
  struct End {
    bool sent = true;
    bool answered = false;
    std::string words;  // "connection refused"; empty: nothing came
  };
  struct Frame {
    std::string device;  // of the guest
    std::string bytes;   // its beginning
  };
  // Who a guest has found beside itself on its networks, as its own kernel remembers.
  struct Neighbour {
    std::string device;
    std::string address;  // IPv4 or IPv6
    std::string mac;      // "52:54:00:14:00:0a"
  };
  std::vector<End> tries;            // one per try, in order
  std::string no_frames;             // why none was sent; empty: all were, on each of `devices`
  std::vector<std::string> devices;  // "eth0"
  std::vector<Frame> heard;          // from others than the known
  std::size_t of_clients = 0;        // frames of net::lab_client_mac(): not in `heard`
  // Not in `heard`, though they may belong there: beyond the most that are told, and what the guest's kernel dropped.
  std::size_t more = 0;
  // After the tries; nullopt: nobody looked. For guests that can write no frames.
  std::optional<std::vector<Neighbour>> neighbours;
};

}  // namespace patchlab::lab::guest
