// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/tftp/transfer.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <optional>

#include "lab/core/digest.hpp"

namespace patchlab::checks::tftp {
namespace {

constexpr Milliseconds patience{1000};  // until what we said is said again
constexpr int most_resends = 5;         // without progress
constexpr std::size_t largest_packet = 65535;
// RFC 1350, section 5: error codes.
constexpr std::uint16_t disk_full = 3, illegal_operation = 4, unknown_transfer = 5;

std::optional<std::int64_t> number_in(const std::string& text) {
  std::int64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [at, trouble] = std::from_chars(text.data(), end, value);
  if (text.empty() || text.size() > 12 || trouble != std::errc() || at != end || value < 0) return std::nullopt;
  return value;
}

class Transfer {
 public:
  Transfer(const Wanted& wanted, const Deadline& deadline) : wanted_(wanted), deadline_(deadline) {}

  Result<Json> run() {
    PATCHLAB_TRY(open());
    say(read_request(wanted_.file, wanted_.options), server_);
    int silent = 0;
    while (ended_.empty() && !deadline_.passed()) {
      if (!wait_readable(socket_.get(), deadline_.within(patience))) {
        if (deadline_.passed() || ++silent > most_resends) break;
        say_again();
        continue;
      }
      const auto before = blocks_;
      const bool had_answer = has_answer_;
      receive();
      if (blocks_ != before || had_answer != has_answer_) silent = 0;
    }
    if (ended_.empty()) {
      ended_ = has_answer_ ? "cut-off" : "no-answer";
      why_ = has_answer_ ? fmt::format("nothing came behind block {}", blocks_) : "no answer to the request";
    }
    Json seen{{"ended", ended_}, {"granted", granted_}, {"blocks", blocks_}, {"bytes", bytes_}, {"resent", resent_}};
    if (!why_.empty()) seen["why"] = why_;
    if (ended_ == "network") seen["errno"] = errno_;
    if (ended_ == "whole") seen["sha256"] = digest_.finish();
    return seen;
  }

 private:
  Result<void> open() {
    server_.sin_family = AF_INET;
    server_.sin_port = htons(wanted_.server.port);
    if (::inet_pton(AF_INET, wanted_.server.address.c_str(), &server_.sin_addr) != 1)
      return configuration_error(fmt::format("'{}' is not an IPv4 address", wanted_.server.address));
    socket_ = FileDescriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!socket_.valid()) return errno_error("creating a socket", errno);
    // The server answers from another port than it is asked at, so the socket has no peer: only by this it is told that
    // nobody listens there.
    const int yes = 1;
    ::setsockopt(socket_.get(), IPPROTO_IP, IP_RECVERR, &yes, sizeof yes);
    sockaddr_in local{};
    local.sin_family = AF_INET;
    if (!wanted_.source.empty() && ::inet_pton(AF_INET, wanted_.source.c_str(), &local.sin_addr) != 1)
      return configuration_error(fmt::format("'{}' is not an IPv4 address", wanted_.source));
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) != 0)
      return errno_error(fmt::format("speaking from '{}'", wanted_.source), errno);
    return {};
  }

  void send(const std::string& bytes, const sockaddr_in& to) {
    (void)::sendto(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to),
                   sizeof to);
  }
  // What is said again when nothing comes.
  void say(const std::string& bytes, const sockaddr_in& to) {
    said_ = bytes;
    said_to_ = to;
    last_said_ = Deadline(patience);
    send(bytes, to);
  }
  void say_again() {
    ++resent_;
    last_said_ = Deadline(patience);
    send(said_, said_to_);
  }
  void acknowledge(std::uint64_t block) {
    since_acknowledged_ = 0;
    say(acknowledgement(static_cast<std::uint16_t>(block)), peer_);
  }
  void end(const char* how, std::string why, std::optional<std::uint16_t> code = {}) {
    ended_ = how;
    why_ = std::move(why);
    if (code && peer_.sin_port != 0) send(error_packet(*code, why_), peer_);
  }

  void receive() {
    std::array<char, largest_packet> bytes{};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto count =
        ::recvfrom(socket_.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      errno_ = errno;
      // The queue of errors keeps the socket readable until it is read.
      std::array<char, 512> ignored{};
      iovec piece{ignored.data(), ignored.size()};
      msghdr message{};
      message.msg_iov = &piece;
      message.msg_iovlen = 1;
      (void)::recvmsg(socket_.get(), &message, MSG_ERRQUEUE);
      if (has_answer_) return;  // it went away: what is said again finds nobody, and so it is cut off
      return end("network", describe_errno(errno_));
    }
    if (from.sin_addr.s_addr != server_.sin_addr.s_addr) return;
    // Its port is its name from now on (RFC 1350, section 4).
    if (has_answer_ && from.sin_port != peer_.sin_port)
      return send(error_packet(unknown_transfer, "unknown transfer"), from);
    if (!has_answer_) peer_ = from;
    const auto packet = packet_from(std::string_view(bytes.data(), static_cast<std::size_t>(count)));
    if (!packet) return end("malformed", "what came is no packet of a server", illegal_operation);
    has_answer_ = true;
    switch (packet->kind) {
      case Packet::Kind::error:
        return end(blocks_ == 0 ? "refused" : "cut-off", fmt::format("error {}: {}", packet->number, packet->message));
      case Packet::Kind::options: return take_options(packet->options);
      case Packet::Kind::data: return take_data(*packet);
    }
  }

  void take_options(const Options& options) {
    if (blocks_ > 0) return;  // a late copy
    for (const auto& [name, text] : options) {
      const auto asked = wanted_.options.find(name);
      const auto value = number_in(text);
      if (asked == wanted_.options.end())
        return end("malformed", fmt::format("an option that was not asked for: '{}'", name), illegal_operation);
      const auto most = number_in(asked->second).value_or(0);
      const bool fits = value && (name == "tsize" || (*value >= (name == "blksize" ? 8 : 1) && *value <= most));
      if (!fits)
        return end("malformed", fmt::format("option '{}' with another value than may be: '{}'", name, text),
                   illegal_operation);
      granted_[name] = *value;
    }
    block_size_ = granted_.value("blksize", block_size_);
    window_ = granted_.value("windowsize", window_);
    acknowledge(0);
  }

  void take_data(const Packet& packet) {
    if (packet.data.size() > block_size_)
      return end("malformed", fmt::format("a block of {} bytes", packet.data.size()), illegal_operation);
    const auto ahead = static_cast<std::uint16_t>(packet.number - static_cast<std::uint16_t>(blocks_ + 1));
    if (ahead != 0) return miss(ahead < 0x8000U);
    ++blocks_;
    gap_is_told_ = false;
    bytes_ += packet.data.size();
    if (bytes_ > wanted_.most_bytes)
      return end("too-large", fmt::format("more than {} bytes", wanted_.most_bytes), disk_full);
    digest_.add(packet.data);
    const bool is_last = packet.data.size() < block_size_;
    if (is_last || ++since_acknowledged_ >= window_) acknowledge(blocks_);
    if (is_last) ended_ = "whole";
  }
  // RFC 7440, section 4: the last block that came in order is acknowledged, once; behind it the server begins anew. A
  // block that was there before means that our word was lost, if it was said a while ago.
  void miss(bool is_gap) {
    if (is_gap && gap_is_told_) return;
    if (!is_gap && !last_said_.passed()) return;
    gap_is_told_ = is_gap;
    ++resent_;
    acknowledge(blocks_);
  }

  const Wanted& wanted_;
  const Deadline& deadline_;
  FileDescriptor socket_;
  sockaddr_in server_{}, peer_{}, said_to_{};
  std::string said_;
  Deadline last_said_{patience};
  bool has_answer_ = false, gap_is_told_ = false;
  Json granted_ = Json::object();
  std::uint64_t block_size_ = usual_block, window_ = 1;
  std::uint64_t blocks_ = 0, bytes_ = 0, since_acknowledged_ = 0, resent_ = 0;
  Sha256 digest_;
  std::string ended_, why_;
  int errno_ = 0;
};

}  // namespace

Result<Json> transfer(const Wanted& wanted, const Deadline& deadline) { return Transfer(wanted, deadline).run(); }

}  // namespace patchlab::checks::tftp
