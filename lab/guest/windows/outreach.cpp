// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/windows/outreach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "lab/core/json.hpp"
#include "lab/core/text.hpp"
#include "lab/guest/agent_session.hpp"
#include "lab/guest/windows/exit_codes.hpp"

namespace patchlab::lab::guest::windows {
namespace {

// Prints "reach TOKEN", then either "none WORD", or "try NUMBER answered|silent|unsent WORDS" for each try, "adapter
// INDEX ADDRESS..." for each network adapter and "neighbour INDEX ADDRESS MAC" for who is there; at last "end". All of
// it ASCII, and no words that Windows translates: errors are told by the names that .NET gives them.
//
// Of the adapters count those that are hardware, and the one with the machine's address wherever it is: networks of the
// guest's own (containers, switches of Hyper-V) do not leave it. Windows sends from an adapter what is bound to its
// address (strong host model), so each try is made from each address. .NET's ping cannot be bound and follows the
// routes. A refused connection is told after a second only, because Windows tries thrice.
//
// Neighbours are MSFT_NetNeighbor's, with State 2 to 5 (probe, delay, stale, reachable); 0 and 1 were not found, 6 was
// written by hand.
constexpr const char* before_input = R"ps($ErrorActionPreference = 'Stop'
$asked = @'
)ps";
constexpr const char* after_input = R"ps('@
$said = New-Object System.Collections.ArrayList
$ends = @{}
function Answered($one, $words) { $ends[$one.number] = 'answered ' + $words }
function Failed($one, $thrown) {
  while ($thrown.InnerException) { $thrown = $thrown.InnerException }
  if ($thrown -isnot [System.Net.Sockets.SocketException]) { throw $thrown }
  $name = [string]$thrown.SocketErrorCode
  if ($name -eq 'ConnectionRefused' -or $name -eq 'ConnectionReset') { Answered $one 'connection refused'; return }
  if ($one.from -ne $own -or "$($ends[$one.number])".StartsWith('answered')) { return }
  $silent = @('TimedOut', 'HostUnreachable', 'NetworkUnreachable', 'HostDown') -contains $name
  $ends[$one.number] = $(if ($silent) { 'silent ' } else { 'unsent ' }) + $name
}
function Bytes($hex) {
  $bytes = New-Object byte[] ($hex.Length / 2)
  for ($i = 0; $i -lt $bytes.Length; $i++) { $bytes[$i] = [Convert]::ToByte($hex.Substring(2 * $i, 2), 16) }
  , $bytes
}
try {
  $tries = @()
  foreach ($line in $asked -split "`n") {
    $words = @($line.Trim() -split ' ')
    if ($words[0] -eq 'token') { [void]$said.Add('reach ' + $words[1]) }
    if ($words[0] -eq 'own') { $own = $words[1] }
    if ($words[0] -eq 'listen') { $wait = [int]$words[1] }
    if ($words[0] -eq 'try') {
      $payload = ''
      if ($words.Length -gt 5) { $payload = $words[5] }
      $tries += @{ number = [int]$words[1]; kind = $words[2]; target = $words[3]; port = [int]$words[4]; payload = $payload }
    }
  }
  $cards = @{}
  foreach ($card in Get-WmiObject -Class Win32_NetworkAdapter) {
    if ($card.GUID) { $cards["$($card.GUID)"] = $card }
  }
  $mine = @()
  $sources = @()
  $indexes = @()
  foreach ($device in [System.Net.NetworkInformation.NetworkInterface]::GetAllNetworkInterfaces()) {
    $addresses = @()
    foreach ($entry in $device.GetIPProperties().UnicastAddresses) {
      if ($entry.Address.AddressFamily -eq 'InterNetwork') { $addresses += $entry.Address.ToString() }
    }
    $mine += $addresses
    $card = $cards["$($device.Id)"]
    if (-not $card -or $device.OperationalStatus -ne 'Up') { continue }
    if ("$($card.PNPDeviceID)" -notmatch '^(PCI|USB)\\' -and $addresses -notcontains $own) { continue }
    $indexes += [int]$card.InterfaceIndex
    $sources += $addresses
    [void]$said.Add((@('adapter', $card.InterfaceIndex) + $addresses) -join ' ')
  }
  if ($sources -notcontains $own) {
    [void]$said.Add('none no adapter that is up has the address of the machine')
    return
  }
  $open = @()
  foreach ($try in $tries) {
    if ($mine -contains $try.target) {
      $ends[$try.number] = 'unsent an address of the guest itself'
      continue
    }
    $ends[$try.number] = 'silent'
    $to = New-Object System.Net.IPEndPoint ([System.Net.IPAddress]::Parse($try.target)), $(if ($try.port) { $try.port } else { 53 })
    if ($try.kind -eq 'ping') {
      $one = @{ number = $try.number; kind = 'ping'; from = $own }
      $socket = New-Object System.Net.Sockets.Socket 'InterNetwork', 'Dgram', 'Udp'
      try {
        $socket.Connect($to)
        $from = $socket.LocalEndPoint.Address.ToString()
        if ($sources -notcontains $from) { $ends[$try.number] = "unsent it would leave from $from"; continue }
        $one.pending = (New-Object System.Net.NetworkInformation.Ping).SendPingAsync($try.target, $wait)
        $open += $one
      } catch { Failed $one $_.Exception } finally { $socket.Close() }
      continue
    }
    foreach ($from in $sources) {
      $one = @{ number = $try.number; kind = $try.kind; from = $from }
      $here = New-Object System.Net.IPEndPoint ([System.Net.IPAddress]::Parse($from)), 0
      try {
        if ($try.kind -eq 'tcp') {
          $one.socket = New-Object System.Net.Sockets.Socket 'InterNetwork', 'Stream', 'Tcp'
          $one.socket.Bind($here)
          $one.pending = $one.socket.BeginConnect($to, $null, $null)
        } else {
          $one.socket = New-Object System.Net.Sockets.Socket 'InterNetwork', 'Dgram', 'Udp'
          $one.socket.Bind($here)
          $one.socket.Connect($to)
          [void]$one.socket.Send((Bytes $try.payload))
        }
        $open += $one
      } catch { Failed $one $_.Exception }
    }
  }
  $buffer = New-Object byte[] 2048
  $watch = [System.Diagnostics.Stopwatch]::StartNew()
  while ($watch.ElapsedMilliseconds -lt $wait) {
    foreach ($one in $open) {
      if ($one.over) { continue }
      if ($one.kind -eq 'dns') {
        if (-not $one.socket.Poll(0, 'SelectRead')) { continue }
        $one.over = $true
        try { [void]$one.socket.Receive($buffer); Answered $one 'answered' } catch { Failed $one $_.Exception }
      } elseif ($one.pending.IsCompleted) {
        $one.over = $true
        if ($one.kind -eq 'tcp') {
          try { $one.socket.EndConnect($one.pending); Answered $one 'connected' } catch { Failed $one $_.Exception }
        } elseif ($one.pending.IsFaulted) {
          $ends[$one.number] = 'unsent ' + $one.pending.Exception.GetBaseException().GetType().Name
        } elseif ("$($one.pending.Result.Status)" -eq 'Success') {
          Answered $one 'answered'
        }
      }
    }
    Start-Sleep -Milliseconds 20
  }
  foreach ($one in $open) { if ($one.socket) { $one.socket.Close() } }
  foreach ($try in $tries) { [void]$said.Add("try $($try.number) $($ends[$try.number])") }
  foreach ($other in Get-WmiObject -Namespace root\StandardCimv2 -Class MSFT_NetNeighbor) {
    if ($indexes -notcontains [int]$other.InterfaceIndex -or $other.State -lt 2 -or $other.State -gt 5) { continue }
    $mac = ("$($other.LinkLayerAddress)" -replace '[-:]', '').ToLower()
    if ($mac -match '^[0-9a-f]{12}$') { [void]$said.Add("neighbour $($other.InterfaceIndex) $($other.IPAddress) $mac") }
  }
} catch {
  $thrown = $_.Exception
  while ($thrown.InnerException) { $thrown = $thrown.InnerException }
  [void]$said.Add('none ' + $thrown.GetType().Name)
} finally {
  [void]$said.Add('end')
  [Console]::Out.Write(($said -join "`n") + "`n")
}
)ps";

// Beyond what is asked: a refusal comes after a second only.
constexpr Milliseconds refusal(1500);

std::string in_digits(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return text;
}

const char* kind_word(Outreach::Kind kind) {
  switch (kind) {
    case Outreach::Kind::ping: return "ping";
    case Outreach::Kind::dns: return "dns";
    case Outreach::Kind::tcp: return "tcp";
  }
  return "?";
}

std::string_view take_word(std::string_view& line) {
  const auto end = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::optional<std::size_t> count_in(std::string_view word) {
  std::size_t number = 0;
  const auto* end = word.data() + word.size();
  if (word.empty() || std::from_chars(word.data(), end, number).ptr != end) return std::nullopt;
  return number;
}

std::optional<std::string> mac_in(std::string_view digits) {
  if (digits.size() != 12 || digits.find_first_not_of("0123456789abcdef") != std::string_view::npos)
    return std::nullopt;
  std::string mac;
  for (std::size_t i = 0; i < digits.size(); i += 2) mac += fmt::format("{}{}", i == 0 ? "" : ":", digits.substr(i, 2));
  return mac;
}

bool is_printable(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

constexpr const char* no_frames = "Windows writes no frames of ours; whom it finds are its neighbours";

// Of one answer, from the line after the token on.
class ReachReading {
 public:
  explicit ReachReading(const Outreach& wanted) : told_(wanted.tries.size()) { seen_.tries.resize(told_.size()); }

  Result<void> take(std::string_view line) {
    const auto whole = line;
    if (ended_ || !is_printable(line)) return not_understood(whole);
    const auto what = take_word(line);
    if (what == "end" && line.empty()) {
      ended_ = true;
    } else if (what == "none" && !line.empty() && why_none_.empty()) {
      why_none_ = line;
    } else if (what == "try") {
      return take_try(line, whole);
    } else if (what == "adapter") {
      const auto index = take_word(line);
      if (!count_in(index)) return not_understood(whole);
      seen_.devices.push_back(fmt::format("adapter {}", index));
    } else if (what == "neighbour") {
      const auto index = take_word(line);
      const auto address = take_word(line);
      const auto mac = mac_in(line);
      if (!count_in(index) || address.empty() || !mac) return not_understood(whole);
      neighbours_.push_back({fmt::format("adapter {}", index), std::string(address), *mac});
    } else {
      return not_understood(whole);
    }
    return {};
  }

  Result<OutreachSeen> finish() && {
    if (!ended_) return guest_error("the answer ends early");
    if (!why_none_.empty()) return nothing_tried(told_.size(), why_none_);
    if (std::ranges::count(told_, false) > 0) return guest_error("the answer does not tell how each try ended");
    if (seen_.devices.empty()) return guest_error("no network adapter is up");
    seen_.no_frames = no_frames;
    seen_.neighbours = std::move(neighbours_);
    return std::move(seen_);
  }

  static OutreachSeen nothing_tried(std::size_t tries, const std::string& why) {
    OutreachSeen seen;
    seen.tries.assign(tries, {.sent = false, .answered = false, .words = why});
    seen.no_frames = why;
    return seen;
  }

 private:
  static Error not_understood(std::string_view line) {
    return guest_error(fmt::format("the answer is not understood: '{}'", shortened(to_valid_utf8(std::string(line)))));
  }

  Result<void> take_try(std::string_view line, std::string_view whole) {
    const auto number = count_in(take_word(line));
    const auto how = take_word(line);
    if (!number || *number >= told_.size() || told_[*number]) return not_understood(whole);
    if (how != "answered" && how != "silent" && how != "unsent") return not_understood(whole);
    told_[*number] = true;
    seen_.tries[*number] = {.sent = how != "unsent", .answered = how == "answered", .words = std::string(line)};
    return {};
  }

  OutreachSeen seen_;
  std::vector<OutreachSeen::Neighbour> neighbours_;
  std::vector<bool> told_;
  std::string why_none_;
  bool ended_ = false;
};
}  // namespace

std::string outreach_script(const Outreach& wanted, const std::string& token) {
  auto text = fmt::format("{}token {}\nown {}\nlisten {}\n", before_input, token, wanted.address,
                          (wanted.listen + refusal).count());
  for (std::size_t i = 0; i < wanted.tries.size(); ++i) {
    const auto& entry = wanted.tries[i];
    text += fmt::format("try {} {} {} {} {}\n", i, kind_word(entry.kind), entry.target, entry.port,
                        in_digits(entry.payload));
  }
  text += after_input;
  std::string lines;
  for (const char c : text) {
    if (c == '\n') lines += '\r';
    lines += c;
  }
  return lines;
}

Result<OutreachSeen> outreach_seen(std::string_view output, std::uint32_t exit_code, const Outreach& wanted,
                                   const std::string& token) {
  // Written into a file under code page 65001, .NET may begin with a mark of the encoding.
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (output.starts_with(byte_order_mark)) output.remove_prefix(byte_order_mark.size());
  const auto first = trimmed(output.substr(0, output.find('\n')), "\r");
  if (first != "reach " + token) {
    const auto said = shortened(to_valid_utf8(std::string(trimmed(output, " \t\r\n"))), 120);
    return ReachReading::nothing_tried(
        wanted.tries.size(), fmt::format("PowerShell did not do it: it ended with {}{}{}", code_text(exit_code),
                                         said.empty() ? "" : " and said: ", said));
  }
  ReachReading reading(wanted);
  output.remove_prefix(std::min(output.find('\n') + 1, output.size()));
  while (!output.empty()) {
    const auto end = std::min(output.find('\n'), output.size());
    const auto line = trimmed(output.substr(0, end), "\r");
    output.remove_prefix(std::min(end + 1, output.size()));
    if (line.empty() && output.empty()) break;  // the empty line in front of the section's closing mark
    PATCHLAB_TRY(reading.take(line));
  }
  return std::move(reading).finish();
}

}  // namespace patchlab::lab::guest::windows
