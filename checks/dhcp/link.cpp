// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/dhcp/link.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "checks/socket.hpp"
#include "lab/core/files.hpp"

namespace patchlab::checks::dhcp {
namespace {

constexpr std::size_t largest_frame = 65536;

const sockaddr* generic(const sockaddr_ll& address) {
  return reinterpret_cast<const sockaddr*>(&address);  // NOLINT: how the socket API wants it
}

Checksums checksums_in(msghdr& message) {
  for (auto* control = CMSG_FIRSTHDR(&message); control != nullptr; control = CMSG_NXTHDR(&message, control)) {
    if (control->cmsg_level != SOL_PACKET || control->cmsg_type != PACKET_AUXDATA) continue;
    tpacket_auxdata data{};
    std::memcpy(&data, CMSG_DATA(control), sizeof data);
    if ((data.tp_status & TP_STATUS_CSUMNOTREADY) != 0) return Checksums::not_ready;
  }
  return Checksums::verify;
}

class PacketSocket final : public FrameLink {
 public:
  explicit PacketSocket(FileDescriptor socket) : socket_(std::move(socket)) {}

  Result<void> send(const std::string& frame) override {
    if (::send(socket_.get(), frame.data(), frame.size(), 0) < 0)
      return errno_error("sending an Ethernet frame", errno);
    return {};
  }

  Result<std::optional<ReceivedFrame>> receive(const Deadline& deadline) override {
    while (wait_readable(socket_.get(), deadline)) {
      PATCHLAB_ASSIGN(auto frame, receive_one());
      if (frame) return frame;
    }
    return std::optional<ReceivedFrame>();
  }

 private:
  // Nothing when the frame is our own or vanished.
  Result<std::optional<ReceivedFrame>> receive_one() {
    std::string buffer(largest_frame, '\0');
    alignas(cmsghdr) std::array<char, 256> control{};
    sockaddr_ll from{};
    iovec part{buffer.data(), buffer.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto size = ::recvmsg(socket_.get(), &message, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return std::optional<ReceivedFrame>();
    if (size < 0) return errno_error("receiving an Ethernet frame", errno);
    if (from.sll_pkttype == PACKET_OUTGOING) return std::optional<ReceivedFrame>();
    buffer.resize(static_cast<std::size_t>(size));
    return std::optional(ReceivedFrame{std::move(buffer), checksums_in(message)});
  }

  FileDescriptor socket_;
};

Result<void> make_promiscuous(int socket, int index) {
  packet_mreq membership{};
  membership.mr_ifindex = index;
  membership.mr_type = PACKET_MR_PROMISC;
  if (::setsockopt(socket, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof membership) != 0) {
    return errno_error("listening for a MAC address of our own", errno);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<FrameLink>> open_link(const std::string& interface) {
  const auto index = static_cast<int>(::if_nametoindex(interface.c_str()));
  if (index == 0) return errno_error(fmt::format("looking for network device '{}'", interface), errno);
  // Protocol 0: nothing is received before the socket is bound to its one device.
  FileDescriptor socket(::socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) {
    auto error = errno_error("opening a raw socket", errno);
    error.hint = "DHCP checks need CAP_NET_RAW in the network namespace of the cell";
    return error;
  }
  const int yes = 1;
  if (::setsockopt(socket.get(), SOL_PACKET, PACKET_AUXDATA, &yes, sizeof yes) != 0) {
    return errno_error("asking for checksum states", errno);
  }
  PATCHLAB_TRY(make_promiscuous(socket.get(), index));
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = index;
  if (::bind(socket.get(), generic(address), sizeof address) != 0) {
    return errno_error(fmt::format("listening on '{}'", interface), errno);
  }
  return std::unique_ptr<FrameLink>(std::make_unique<PacketSocket>(std::move(socket)));
}

}  // namespace patchlab::checks::dhcp
