// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/guest_fence.hpp"

#include <gmock/gmock.h>

#include "checks/registry/registry.hpp"
#include "lab/core/net/lab_client.hpp"
#include "lab/guest/windows/windows_adapter.hpp"
#include "lab/network/control.hpp"
#include "tests/support/fake_agent.hpp"
#include "tests/support/fake_windows.hpp"
#include "tests/support/faulty_hypervisor.hpp"

namespace patchlab::runners::cell {
namespace {
using lab::guest::Outreach;
using lab::guest::OutreachSeen;
using lab::network::Bytes;
using lab::network::Ipv4;
using lab::network::MacAddress;
using reports::FenceAttempt;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const MacAddress control_mac = *MacAddress::parse("02:00:00:00:00:01");
const MacAddress other_mac = *MacAddress::parse("02:00:00:00:00:99");
const Ipv4 guest_address = *Ipv4::parse("10.20.0.10");
const lab::network::AddressPlan plan{*lab::network::Ipv4Subnet::parse("10.20.0.0/24"),
                                     *Ipv4::parse("10.20.0.1"),
                                     *Ipv4::parse("10.20.0.250"),
                                     {{"dns", guest_address}}};

GuestProber prober() {
  const auto mac = MacAddress::of_lab_machine(guest_address);
  return {"dns", {mac, guest_address, 0}, {mac}, control_mac};
}
std::vector<lab::network::PlannedProbe> probes() { return lab::network::guest_probes({{"192.0.2.2"}, {}, {}}, plan); }

// Ethernet, from somebody to the guest.
std::string frame_from(const MacAddress& mac, std::uint16_t type, const Bytes& payload) {
  Bytes bytes(6, 0xFF);
  bytes.insert(bytes.end(), mac.bytes().begin(), mac.bytes().end());
  bytes.push_back(static_cast<std::uint8_t>(type >> 8U));
  bytes.push_back(static_cast<std::uint8_t>(type));
  bytes.insert(bytes.end(), payload.begin(), payload.end());
  return {bytes.begin(), bytes.end()};
}
// What somebody who has the address `target` answers to this frame of a guest; empty when it is not for them.
std::string answer_to(const std::string& text, Ipv4 target, const MacAddress& mac) {
  const Bytes frame(text.begin(), text.end());
  const auto at = [&](std::size_t i) { return i < frame.size() ? frame[i] : std::uint8_t{0}; };
  const auto address_at = [&](std::size_t i) {
    return Ipv4((static_cast<std::uint32_t>(at(i)) << 24U) | (static_cast<std::uint32_t>(at(i + 1)) << 16U) |
                (static_cast<std::uint32_t>(at(i + 2)) << 8U) | at(i + 3));
  };
  if (at(12) == 0x08 && at(13) == 0x06 && address_at(38) == target) {
    Bytes reply(frame.begin() + 14, frame.end());
    reply[7] = 2;
    std::copy_n(frame.begin() + 38, 4, reply.begin() + 14);
    std::copy_n(mac.bytes().begin(), 6, reply.begin() + 8);
    return frame_from(mac, 0x0806, reply);
  }
  const auto neighbour =
      lab::network::answer_to_solicitation(frame.data(), frame.size(), mac, lab::network::control_address6());
  return {neighbour.begin(), neighbour.end()};
}

// A guest at a tight fence: only the control and the client answer, both as a real one would.
struct Guest {
  bool by_route = true;  // its own rules let it out
  std::set<std::string> deaf_to;
  std::vector<Milliseconds> asked;
  std::vector<std::string> extra;  // frames that come besides
  std::map<std::size_t, OutreachSeen::End> ends;

  Result<OutreachSeen> operator()(const Outreach& wanted) {
    asked.push_back(wanted.listen);
    OutreachSeen seen;
    for (std::size_t i = 0; i < wanted.tries.size(); ++i) {
      const bool client = wanted.tries[i].target == plan.client.text();
      auto end = client && by_route ? OutreachSeen::End{true, true, "connection refused"} : OutreachSeen::End{};
      if (ends.contains(i)) end = ends[i];
      seen.tries.push_back(end);
    }
    for (const auto& frame : wanted.frames) {
      const auto reply = answer_to(frame, lab::network::control_address(), control_mac);
      if (!reply.empty()) seen.heard.push_back({"eth0", reply});
    }
    for (const auto& frame : extra) seen.heard.push_back({"eth1", frame});
    seen.devices = {"eth0"};
    return seen;
  }
};

std::size_t leaks(const GuestFence& fence) {
  return static_cast<std::size_t>(std::ranges::count_if(fence.attempts, &FenceAttempt::is_answer_of_a_leak));
}
std::vector<std::string> not_sent(const GuestFence& fence) {
  std::vector<std::string> all;
  for (const auto& attempt : fence.attempts) {
    if (!attempt.sent) all.push_back(attempt.probe + " " + attempt.target);
  }
  return all;
}

TEST(GuestFence, ATightOneIsHeardToBeTight) {
  Guest guest;
  const auto fence = probe_from_guest(prober(), probes(), std::ref(guest));
  EXPECT_THAT(fence.troubles, IsEmpty());
  EXPECT_EQ(leaks(fence), 0);
  EXPECT_THAT(not_sent(fence), IsEmpty());
  EXPECT_THAT(guest.asked, SizeIs(1));
  EXPECT_EQ(std::ranges::count_if(fence.attempts, &FenceAttempt::heard_control), 5);
  for (const auto& attempt : fence.attempts) {
    EXPECT_THAT(attempt.probe, ::testing::StartsWith("guest-"));
    EXPECT_EQ(attempt.device, "dns");
    EXPECT_NE(attempt.evidence, "");
  }
  for (const auto* kind : {"arp", "ping", "dns", "tcp", "ipv6-nd", "ipv6-all-nodes", "stranger"})
    EXPECT_THAT(fence.attempts, Contains(Field(&FenceAttempt::probe, std::string("guest-") + kind)));
}

TEST(GuestFence, WhoAnswersAtASecondAdapterIsALeak) {
  Guest guest;
  lab::network::Sender sender = prober().address;
  const auto request = lab::network::arp_request(sender, *Ipv4::parse("192.0.2.2"));
  guest.extra = {answer_to({request.begin(), request.end()}, *Ipv4::parse("192.0.2.2"), other_mac)};
  const auto fence = probe_from_guest(prober(), probes(), std::ref(guest));
  std::vector<std::string> answered;
  for (const auto& attempt : fence.attempts) {
    if (attempt.is_answer_of_a_leak()) answered.push_back(attempt.probe + " " + attempt.target);
  }
  EXPECT_THAT(answered, ElementsAre("guest-arp 192.0.2.2", "guest-stranger any"));
}

// Checks of another machine may speak while this one listens.
TEST(GuestFence, ClientsThatChecksPlayAreNoStrangers) {
  const auto reserved = *MacAddress::parse("02:00:0a:14:00:20");
  const auto heard = [](const GuestProber& prober, const MacAddress& from) {
    Guest guest;
    guest.extra = {frame_from(from, 0x0800, Bytes(60))};
    return leaks(probe_from_guest(prober, probes(), std::ref(guest)));
  };
  EXPECT_EQ(heard(prober(), net::lab_client_mac(0xFFFFFFFF)), 0);
  EXPECT_EQ(heard(prober(), reserved), 1);
}

// The client that a reservation is for is a real one: what it says itself comes here through a leak. So what is heard
// is excused by having left here, not by who says it.
TEST(GuestFence, OfAClientThatACheckPlaysOnlyWhatTheCheckSaidIsNoLeak) {
  const auto reserved = *MacAddress::parse("02:00:0a:14:00:20");
  EXPECT_THAT(checks::speakers_of({{"lease", "dhcp.lease", {{"mac", reserved.text()}}},
                                   {"other", "dhcp.lease", Json::object()},
                                   {"names", "dns.query", {{"mac", other_mac.text()}}}}),
              ElementsAre(reserved));
  const lab::network::Sender client{reserved, *Ipv4::parse("10.20.0.32"), 68};
  const auto text = [](const Bytes& frame) { return std::string(frame.begin(), frame.end()); };
  const auto said = text(lab::network::arp_request(client, plan.client));
  auto knows = prober();
  const auto began = std::chrono::steady_clock::now();
  knows.has_left = [&](const std::string& beginning, auto since) { return beginning == said && since >= began; };
  const auto of_client = [&](const std::string& frame) {
    Guest guest;
    guest.extra = {frame};
    return leaks(probe_from_guest(knows, probes(), std::ref(guest)));
  };
  EXPECT_EQ(of_client(said), 0);
  EXPECT_EQ(of_client(text(lab::network::arp_request(client, guest_address))), 1) << "its own ARP";
  auto dhcp = lab::network::dns_frame(client, guest_address);
  dhcp[37] = 67;
  EXPECT_EQ(of_client(text(dhcp)), 1) << "its own DHCP";
  EXPECT_EQ(of_client(text(lab::network::ping_frame(client, plan.client))), 1);
  const auto request = lab::network::arp_request(prober().address, *Ipv4::parse("192.0.2.2"));
  EXPECT_EQ(of_client(answer_to(text(request), *Ipv4::parse("192.0.2.2"), reserved)), 2) << "it has an address outside";
}

TEST(GuestFence, WhatAGuestDoesNotTellIsSaid) {
  const auto fence = probe_from_guest(prober(), probes(), [](const Outreach& wanted) {
    auto seen = Guest{}(wanted);
    seen->of_clients = 512;
    seen->more = 3;
    return seen;
  });
  EXPECT_THAT(fence.troubles, ElementsAre("'dns' heard 3 frames more than it told: whose they were is not known"));
  EXPECT_EQ(leaks(fence), 0);
  EXPECT_THAT(fence.attempts,
              Contains(Field(&FenceAttempt::evidence,
                             ::testing::EndsWith("; 512 frames of clients that checks play left out"))));
}

TEST(GuestFence, WhoAnswersByTheGuestsOwnRoutesIsALeak) {
  Guest guest;
  for (std::size_t i = 0; i < 4; ++i) {
    guest.ends = {{i, {true, true, "connected"}}};
    EXPECT_EQ(leaks(probe_from_guest(prober(), probes(), std::ref(guest))), 1) << i;
  }
}

// Each control in turn is not heard, for whatever reason: asked thrice, and never taken for tight.
TEST(GuestFence, ADeafAdapterIsATroubleAndIsAskedAgain) {
  for (std::size_t deaf = 0; deaf < 2; ++deaf) {
    std::size_t asked = 0;
    const auto fence = probe_from_guest(prober(), probes(), [&](const Outreach& wanted) {
      ++asked;
      auto seen = Guest{}(wanted);
      EXPECT_THAT(seen->heard, SizeIs(2));
      seen->heard.erase(seen->heard.begin() + static_cast<std::ptrdiff_t>(deaf));
      return seen;
    });
    EXPECT_THAT(fence.troubles, ElementsAre(HasSubstr("'dns': the control was not heard"))) << deaf;
    EXPECT_EQ(asked, 3);
  }
}

TEST(GuestFence, AControlThatIsHeardLateIsHeard) {
  std::size_t asked = 0;
  const auto fence = probe_from_guest(prober(), probes(), [&](const Outreach& wanted) -> Result<OutreachSeen> {
    if (++asked == 1) return infrastructure_error("the agent does not answer");
    auto seen = Guest{}(wanted);
    if (asked == 2) seen->heard.clear();
    return seen;
  });
  EXPECT_EQ(asked, 3);
  EXPECT_THAT(fence.troubles, IsEmpty());
}

// A leak that is seen once is one, whatever later tries say.
TEST(GuestFence, ALeakThatIsNotSeenAgainIsALeak) {
  std::size_t asked = 0;
  const auto fence = probe_from_guest(prober(), probes(), [&](const Outreach& wanted) {
    auto seen = Guest{}(wanted);
    if (++asked == 1) {
      seen->heard.clear();
      seen->tries.front() = {true, true, "answered"};
    }
    return seen;
  });
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(leaks(fence), 1);
}

// No trouble of the lab: its adapters were tried. But its silence proves nothing, and is not counted.
TEST(GuestFence, AGuestThatLetsNothingOutByItsRoutesProvesNothingByThem) {
  Guest guest;
  guest.by_route = false;
  const auto fence = probe_from_guest(prober(), probes(), std::ref(guest));
  EXPECT_THAT(fence.troubles, IsEmpty());
  for (const auto& attempt : fence.attempts) {
    const bool by_route = attempt.probe == "guest-ping" || attempt.probe == "guest-dns" || attempt.probe == "guest-tcp";
    EXPECT_EQ(attempt.sent, !by_route) << attempt.probe;
  }
}

TEST(GuestFence, WhatAFamilyCannotSendIsSaid) {
  const auto fence = probe_from_guest(prober(), probes(), [](const Outreach& wanted) -> Result<OutreachSeen> {
    OutreachSeen seen;
    seen.tries.assign(wanted.tries.size(), {false, false, "there is no perl"});
    seen.no_frames = "there is no perl";
    return seen;
  });
  EXPECT_THAT(fence.troubles, IsEmpty());
  EXPECT_THAT(not_sent(fence), ElementsAre("guest any"));
  EXPECT_EQ(fence.attempts.at(0).evidence, "not sent from inside: there is no perl");
  EXPECT_EQ(fence.attempts.at(0).device, "dns");
}

// The real adapter, with each of its calls failing in each way: never a proof, and always a trouble of the lab.
TEST(GuestFence, TroubleWithAskingAGuestIsNeverAProof) {
  using test::FaultyHypervisor;
  test::FakeClock clock;
  test::FakeHypervisor inner;
  FaultyHypervisor hypervisor(inner, clock);
  lab::MachineSpec spec;
  spec.name = "dns";
  (void)hypervisor.define(spec);
  (void)hypervisor.start("dns");
  test::FakeAgent guest;
  inner.on_agent([&](auto&, const auto& command) { return guest.answer(command); });
  guest.programs = [](const auto&, const auto&, const std::string& script) {
    test::FakeAgent::Process process;
    std::size_t tries = 0;
    std::size_t frames = 0;
    for (auto at = script.find("\ntry "); at != std::string::npos; at = script.find("\ntry ", at + 1))
      process.output += fmt::format("try {} answered connection refused\n", tries++);
    for (auto at = script.find("\nframe "); at != std::string::npos; at = script.find("\nframe ", at + 1)) ++frames;
    process.output += fmt::format("sent eth0 {}\nleft 0 0\nend\n", frames);
    return process;
  };
  const auto adapter = lab::guest::debian_adapter(lab::guest::GuestAgent(hypervisor, "dns", clock), clock);
  const auto reach_out = [&](const Outreach& wanted) { return adapter->reach_out(wanted); };
  hypervisor.record();
  ASSERT_TRUE(reach_out({}).has_value());
  const auto calls = hypervisor.calls();
  ASSERT_THAT(calls, SizeIs(2));
  for (const auto& call : calls) {
    for (const auto way : FaultyHypervisor::ways) {
      hypervisor.fail(call, 1, way);
      const auto fence = probe_from_guest(prober(), probes(), reach_out);
      if (!hypervisor.struck()) continue;
      EXPECT_THAT(fence.troubles, SizeIs(1)) << call << ", " << FaultyHypervisor::name_of(way);
      EXPECT_THAT(not_sent(fence), ElementsAre("guest any")) << call << ", " << FaultyHypervisor::name_of(way);
    }
  }
}

// A Windows guest writes no frames: its own sockets and the neighbours that it knows have to do.
class WindowsGuestFence : public ::testing::Test {
 protected:
  void SetUp() override {
    lab::MachineSpec spec;
    spec.name = "dns";
    (void)hypervisor_.define(spec);
    (void)hypervisor_.start("dns");
    inner_.on_agent([this](auto&, const auto& command) { return windows_.answer(command); });
  }
  GuestFence probe() {
    return probe_from_guest(prober_, probes(), [this](const Outreach& wanted) { return adapter_->reach_out(wanted); });
  }
  // It answers as in a tight fence, but for this end of each try and these neighbours.
  void answer(const std::string& end, const std::string& neighbours) {
    windows_.reaches = [=](const std::string& token, const auto& tries) {
      std::string text = "reach " + token + "\nadapter 12 10.20.0.10\n";
      for (const auto& words : tries)
        text += fmt::format("try {} {}\n", words[1], words[3] == plan.client.text() ? "answered connected" : end);
      return text + neighbours + "end\n";
    };
  }
  static const FenceAttempt* find(const GuestFence& fence, const std::string& probe) {
    const auto found = std::ranges::find_if(
        fence.attempts, [&](const auto& attempt) { return attempt.probe == probe && !attempt.control; });
    return found == fence.attempts.end() ? nullptr : &*found;
  }

  GuestProber prober_ = prober();
  test::FakeClock clock_;
  test::FakeHypervisor inner_;
  test::FaultyHypervisor hypervisor_{inner_, clock_};
  test::FakeWindows windows_{clock_};
  std::unique_ptr<lab::guest::windows::WindowsGuest> adapter_ =
      lab::guest::windows::windows_adapter(lab::guest::GuestAgent(hypervisor_, "dns", clock_), clock_);
  const std::string of_lab_ = [] {
    auto mac = MacAddress::of_lab_machine(guest_address).text();
    std::erase(mac, ':');
    return "neighbour 12 10.20.0.250 " + mac + "\n";
  }();
};

TEST_F(WindowsGuestFence, ATightOneIsHeardToBeTightAndWhatWasNotSentIsSaid) {
  answer("silent", of_lab_);
  const auto fence = probe();
  EXPECT_THAT(fence.troubles, IsEmpty());
  EXPECT_EQ(leaks(fence), 0);
  for (const auto* probe : {"guest-ping", "guest-dns", "guest-tcp", "guest-stranger"}) {
    ASSERT_NE(find(fence, probe), nullptr) << probe;
    EXPECT_TRUE(find(fence, probe)->sent) << probe;
  }
  for (const auto* probe : {"guest-arp", "guest-ipv6-nd", "guest-ipv6-all-nodes"}) {
    ASSERT_NE(find(fence, probe), nullptr) << probe;
    EXPECT_FALSE(find(fence, probe)->sent) << probe;
    EXPECT_THAT(find(fence, probe)->evidence, HasSubstr("writes no frames"));
  }
}

TEST_F(WindowsGuestFence, AnAnswerByAnyRouteIsALeak) {
  answer("answered connected", of_lab_);
  EXPECT_EQ(leaks(probe()), std::ranges::count_if(probes(), [](const auto& probe) {
              return probe.path == lab::network::ProbePath::route && !probe.control;
            }));
}

TEST_F(WindowsGuestFence, ANeighbourThatIsNotOfTheLabIsALeak) {
  answer("silent", of_lab_ + "neighbour 15 192.0.2.2 020000000099\n");
  std::vector<std::string> answered;
  for (const auto& attempt : probe().attempts) {
    if (attempt.is_answer_of_a_leak()) answered.push_back(attempt.probe + " " + attempt.target);
  }
  EXPECT_THAT(answered, ElementsAre("guest-arp 192.0.2.2", "guest-stranger any"));
}

// A Windows that serves DHCP remembers as whom a check spoke. Before one did, it can only be the client itself.
TEST_F(WindowsGuestFence, AClientIsOfTheLabOnceACheckHasSpokenAsIt) {
  answer("silent", of_lab_ + "neighbour 12 10.20.0.32 02000a140020\n");
  const auto client = *MacAddress::parse("02:00:0a:14:00:20");
  bool has_spoken = false;
  prober_.was_played = [&](const MacAddress& mac) { return has_spoken && mac == client; };
  EXPECT_EQ(leaks(probe()), 1);
  has_spoken = true;
  EXPECT_EQ(leaks(probe()), 0);
}

// Somebody of the lab must be among them: a list without anybody may be a list that nobody keeps.
TEST_F(WindowsGuestFence, WhoKnowsNobodyProvesNothing) {
  answer("silent", "");
  const auto fence = probe();
  ASSERT_NE(find(fence, "guest-stranger"), nullptr);
  EXPECT_FALSE(find(fence, "guest-stranger")->sent);
  EXPECT_THAT(find(fence, "guest-stranger")->evidence, HasSubstr("proves nothing"));
}

TEST_F(WindowsGuestFence, WithoutPowerShellNothingIsSentAndThatIsNoTrouble) {
  windows_.exit_codes[test::FakeWindows::Command::reach_out] = 1;
  const auto fence = probe();
  EXPECT_THAT(fence.troubles, IsEmpty());
  EXPECT_THAT(not_sent(fence), ElementsAre("guest any"));
  EXPECT_THAT(fence.attempts.at(0).evidence, HasSubstr("PowerShell did not do it"));
}

TEST_F(WindowsGuestFence, AnAnswerThatNobodyUnderstandsIsNeverAProof) {
  for (const auto* odd : {"try 0 quiet\n", "", "adapter 12\n", "adapter 12\ntry 0 silent\n"}) {
    windows_.reaches = [&](const std::string& token, const auto&) { return "reach " + token + "\n" + odd; };
    const auto fence = probe();
    EXPECT_THAT(fence.troubles, SizeIs(1)) << odd;
    EXPECT_THAT(not_sent(fence), ElementsAre("guest any")) << odd;
  }
}

// Each call that it takes, failing in each way: overcome, or a trouble of the laboratory; never silence.
TEST_F(WindowsGuestFence, TroubleWithAskingItIsNeverAProof) {
  answer("silent", of_lab_);
  const auto undisturbed = probe();
  hypervisor_.record();
  (void)probe();
  const auto calls = hypervisor_.calls();
  ASSERT_THAT(calls, ::testing::Not(IsEmpty()));
  std::size_t struck = 0;
  for (const auto& call : calls) {
    for (const auto way : test::FaultyHypervisor::ways) {
      hypervisor_.fail(call, 1, way);
      const auto fence = probe();
      if (!hypervisor_.struck()) continue;
      ++struck;
      const auto where = call + ", " + test::FaultyHypervisor::name_of(way);
      if (fence.troubles.empty()) {
        EXPECT_EQ(not_sent(fence), not_sent(undisturbed)) << where;
      } else {
        EXPECT_THAT(not_sent(fence), ElementsAre("guest any")) << where;
      }
    }
  }
  EXPECT_GT(struck, 0);
}

}  // namespace
}  // namespace patchlab::runners::cell
