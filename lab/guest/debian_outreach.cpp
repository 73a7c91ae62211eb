// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/debian_outreach.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "lab/core/json.hpp"
#include "lab/core/net/lab_client.hpp"
#include "lab/guest/agent_session.hpp"

namespace patchlab::lab::guest::debian {
namespace {

// Reads what to do from standard input: "own ADDRESS MAC", "listen MS", "known MAC...", "clients PREFIX", "try
// NUMBER KIND ADDRESS PORT HEX", "frame HEX". Prints "try NUMBER answered|silent|unsent WORDS" for each try, "sent
// DEVICE COUNT" for each adapter, "heard DEVICE HEX", "left CLIENTS MORE", how many frames it does not tell of clients
// that checks play, by their prefix, and how many it should tell and does not, beyond the most or because its kernel
// had no room for them, and at last "end". Loads no
// module, which would take a guest that has just started seconds; so here is what the numbers are: AF_INET 2,
// SOCK_STREAM 1, SOCK_DGRAM 2, SOCK_RAW 3, F_SETFL 4, O_NONBLOCK 2048, SOL_SOCKET 1, SO_ERROR 4, SO_RCVBUFFORCE 33,
// MSG_DONTWAIT 64, EPERM 1, EACCES 13, ECONNREFUSED 111, EINPROGRESS 115; AF_PACKET 17, ETH_P_ALL 3, SOL_PACKET 263,
// PACKET_ADD_MEMBERSHIP and PACKET_MR_PROMISC 1, PACKET_OUTGOING 4, PACKET_STATISTICS 6 (packet(7)). Frames carry the
// machine's MAC, so an adapter that has another one would drop the answers. A route is looked up first: what does not
// leave from the machine's own address does not leave the guest.
constexpr const char* before_input = R"sh(LC_ALL=C; export LC_ALL
command -v perl >/dev/null || { echo none; echo end; exit 0; }
perl -e 'my (%known, @tries, @frames, @wires, %open, $own, $mac, $left, $prefix);
my ($heard, $of_clients, $more) = (0, 0, 0);
while (<STDIN>) {
  my ($what, @words) = split;
  if ($what eq "own") { $own = inet($words[0]); $mac = $words[1] }
  elsif ($what eq "listen") { $left = $words[0] / 1000 }
  elsif ($what eq "known") { $known{pack "H*", $_} = 1 for @words }
  elsif ($what eq "clients") { $prefix = pack "H*", $words[0] }
  elsif ($what eq "try") { push @tries, [@words] }
  elsif ($what eq "frame") { push @frames, pack("H*", $words[0]) }
}
sub inet { pack "C4", split /\./, $_[0] }
sub to { my ($address, $port) = @_; pack "Sna4x8", 2, $port, inet($address) }
sub line { my ($file) = @_; open(my $in, "<", $file) or die "$file: $!\n"; my $line = <$in>; chomp $line; $line }
sub end { my ($number, $how, @words) = @_; print "try $number $how @words\n"; delete $open{$number} }
sub failed {
  my ($number, $code) = @_;
  local $! = $code;
  return end($number, "answered", "connection refused") if $code == 111;
  end($number, $code == 1 || $code == 13 ? "unsent" : "silent", lc "$!");
}
for (@tries) {
  my ($number, $kind, $target, $port, $payload) = @$_;
  socket(my $socket, 2, 2, 0) or die "socket: $!\n";
  if (!connect($socket, to($target, $port || 53))) { failed($number, $! + 0); next }
  my $from = substr getsockname($socket), 4, 4;
  if ($from ne $own) { end($number, "unsent", "it would leave from", join ".", unpack "C4", $from); next }
  if ($kind ne "dns") {
    socket($socket, 2, $kind eq "tcp" ? 1 : 3, $kind eq "tcp" ? 6 : 1) or die "socket: $!\n";
    fcntl($socket, 4, 2048) or die "fcntl: $!\n";
    if (!connect($socket, to($target, $port)) && $! != 115) { failed($number, $! + 0); next }
  }
  if ($kind ne "tcp" && !defined send($socket, pack("H*", $payload), 0)) { failed($number, $! + 0); next }
  $open{$number} = [$socket, $kind, $payload];
}
opendir(my $all, "/sys/class/net") or die "/sys/class/net: $!\n";
for my $device (sort grep { !/^\./ } readdir $all) {
  my $folder = "/sys/class/net/$device";
  next if !-e "$folder/device" || line("$folder/type") != 1 || !(hex(line("$folder/flags")) & 1);
  my $index = line("$folder/ifindex");
  socket(my $wire, 17, 3, 0) or die "packet socket: $!\n";
  setsockopt($wire, 1, 33, pack("i", 4 << 20));
  bind($wire, pack("SnlSCCa8", 17, 3, $index, 0, 0, 0, "")) or die "bind to $device: $!\n";
  if (line("$folder/address") ne $mac) { setsockopt($wire, 263, 1, pack("lSSa8", $index, 1, 0, "")) or die "$device: $!\n" }
  push @wires, [$wire, $device, {}];
}
sub of_client { substr($_[0], 6, length $prefix) eq $prefix }
sub write_frames {
  for my $wire (@wires) { for my $i (0 .. $#frames) { $wire->[2]{$i} = 1 if defined send($wire->[0], $frames[$i], 0) } }
}
write_frames();
my ($half, $again) = ($left / 2, 0);
while ($left > 0) {
  my ($in, $out) = ("", "");
  vec($in, fileno $_->[0], 1) = 1 for @wires;
  for (values %open) { if ($_->[1] eq "tcp") { vec($out, fileno $_->[0], 1) = 1 } else { vec($in, fileno $_->[0], 1) = 1 } }
  my $slice = $again ? $left : $left - $half;
  my ($count, $rest) = select($in, $out, undef, $slice);
  $left -= $slice - $rest;
  if (!$again && $left <= $half) { $again = 1; write_frames() }
  next if $count <= 0;
  for my $wire (@wires) {
    while (defined(my $from = recv($wire->[0], my $frame, 2048, 64))) {
      next if unpack("x10 C", $from) == 4 || $known{substr $frame, 6, 6};
      if (of_client($frame)) { ++$of_clients }
      elsif (++$heard > 300) { ++$more }
      else { print "heard $wire->[1] ", unpack("H*", substr $frame, 0, 160), "\n" }
    }
  }
  for my $number (keys %open) {
    my ($socket, $kind, $payload) = @{$open{$number}};
    if ($kind eq "tcp") {
      next unless vec($out, fileno $socket, 1);
      my $code = unpack("i", getsockopt($socket, 1, 4));
      if ($code) { failed($number, $code) } else { end($number, "answered", "connected") }
    } elsif (vec($in, fileno $socket, 1)) {
      if (!defined recv($socket, my $answer, 2048, 64)) { failed($number, $! + 0) }
      elsif ($kind eq "dns") { end($number, "answered", "answered") }
      else {
        my $start = (ord($answer) & 15) * 4;
        end($number, "answered", "answered")
          if ord(substr $answer, $start, 1) == 0 && substr($answer, $start + 4, 2) eq substr(pack("H*", $payload), 4, 2);
      }
    }
  }
}
end($_, "silent") for keys %open;
print "sent $_->[1] ", scalar(keys %{$_->[2]}), "\n" for @wires;
$more += (unpack "II", getsockopt($_->[0], 263, 6) || die "statistics: $!\n")[1] for @wires;
print "left $of_clients $more\nend\n";' <<'INPUT'
)sh";

std::string hex_of(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

std::optional<std::string> bytes_of(std::string_view hex) {
  std::string bytes;
  if (hex.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned value = 0;
    const auto* end = hex.data() + i + 2;
    if (std::from_chars(hex.data() + i, end, value, 16).ptr != end) return std::nullopt;
    bytes += static_cast<char>(value);
  }
  return bytes;
}

std::string without_colons(std::string mac) {
  std::erase(mac, ':');
  return mac;
}

const char* word_for(Outreach::Kind kind) {
  switch (kind) {
    case Outreach::Kind::ping: return "ping";
    case Outreach::Kind::dns: return "dns";
    case Outreach::Kind::tcp: return "tcp";
  }
  return "?";
}

std::string_view next_word(std::string_view& line) {
  const auto end = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::optional<std::size_t> count_told(std::string_view word) {
  std::size_t number = 0;
  const auto* end = word.data() + word.size();
  if (word.empty() || std::from_chars(word.data(), end, number).ptr != end) return std::nullopt;
  return number;
}

Error not_understood(std::string_view line) {
  return guest_error(fmt::format("the answer is not understood: '{}'", shortened(line)));
}

// Of one answer.
class Reading {
 public:
  explicit Reading(const Outreach& wanted) : wanted_(wanted), told_(wanted.tries.size()) {
    seen_.tries.resize(wanted.tries.size());
  }

  Result<void> take(std::string_view line) {
    const auto whole = line;
    const auto what = next_word(line);
    if (ended_) return not_understood(whole);
    if (what == "end") {
      ended_ = true;
    } else if (what == "none") {
      return nothing();
    } else if (what == "try") {
      return take_try(line, whole);
    } else if (what == "sent") {
      const std::string device(next_word(line));
      const auto count = count_told(line);
      if (device.empty() || !count) return not_understood(whole);
      if (*count != wanted_.frames.size())
        return guest_error(fmt::format("{} of {} frames were sent by '{}'", *count, wanted_.frames.size(), device));
      seen_.devices.push_back(device);
    } else if (what == "heard") {
      const std::string device(next_word(line));
      const auto bytes = bytes_of(line);
      if (device.empty() || !bytes) return not_understood(whole);
      seen_.heard.push_back({device, *bytes});
    } else if (what == "left") {
      const auto of_clients = count_told(next_word(line));
      const auto more = count_told(line);
      if (left_told_ || !of_clients || !more) return not_understood(whole);
      left_told_ = true;
      seen_.of_clients = *of_clients;
      seen_.more = *more;
    } else {
      return not_understood(whole);
    }
    return {};
  }

  Result<OutreachSeen> finish() && {
    if (!ended_) return guest_error("the answer ends early");
    if (!left_told_ && seen_.no_frames.empty()) return guest_error("the answer does not tell what it leaves out");
    if (std::ranges::count(told_, false) > 0) return guest_error("the answer does not tell how each try ended");
    if (seen_.devices.empty() && seen_.no_frames.empty()) return guest_error("no network adapter is up");
    return std::move(seen_);
  }

 private:
  Result<void> nothing() {
    const std::string why = "there is no perl";
    for (auto& end : seen_.tries) end = {.sent = false, .answered = false, .words = why};
    told_.assign(told_.size(), true);
    seen_.no_frames = why;
    return {};
  }

  Result<void> take_try(std::string_view line, std::string_view whole) {
    const auto number = count_told(next_word(line));
    const auto how = next_word(line);
    if (!number || *number >= told_.size() || told_[*number]) return not_understood(whole);
    if (how != "answered" && how != "silent" && how != "unsent") return not_understood(whole);
    told_[*number] = true;
    seen_.tries[*number] = {
        .sent = how != "unsent", .answered = how == "answered", .words = to_valid_utf8(std::string(line))};
    return {};
  }

  const Outreach& wanted_;
  OutreachSeen seen_;
  std::vector<bool> told_;
  bool left_told_ = false;
  bool ended_ = false;
};
}  // namespace

std::string outreach_script(const Outreach& wanted) {
  std::string text = before_input;
  text += fmt::format("own {} {}\nlisten {}\nknown", wanted.address, wanted.mac, wanted.listen.count());
  for (const auto& mac : wanted.known) text += " " + without_colons(mac);
  text += fmt::format("\nclients {:02x}", fmt::join(net::lab_client_prefix, ""));
  for (std::size_t i = 0; i < wanted.tries.size(); ++i) {
    const auto& entry = wanted.tries[i];
    text +=
        fmt::format("\ntry {} {} {} {} {}", i, word_for(entry.kind), entry.target, entry.port, hex_of(entry.payload));
  }
  for (const auto& frame : wanted.frames) text += "\nframe " + hex_of(frame);
  return text + "\nINPUT\n";
}

Result<OutreachSeen> outreach_seen(std::string_view output, const Outreach& wanted) {
  Reading reading(wanted);
  while (!output.empty()) {
    const auto end = std::min(output.find('\n'), output.size());
    PATCHLAB_TRY(reading.take(output.substr(0, end)));
    output.remove_prefix(std::min(end + 1, output.size()));
  }
  return std::move(reading).finish();
}

}  // namespace patchlab::lab::guest::debian
