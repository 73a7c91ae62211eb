// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The probe must find a hole, not only silence: here are fences that are tight and fences that were opened on purpose.
#include "lab/network/leak_probe.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "lab/core/time.hpp"
#include "lab/network/control.hpp"
#include "lab/network/fence.hpp"
#include "lab/network/netlink.hpp"
#include "lab/network/watch.hpp"
#include "lab/network/wire.hpp"
#include "tests/support/in_cell.hpp"

namespace patchlab::lab::network {
namespace {
using test::run_in_cell;

const Ipv4Subnet subnet = *Ipv4Subnet::parse("10.20.0.0/24");

AddressPlan plan() {
  return {subnet, *Ipv4::parse("10.20.0.1"), *Ipv4::parse("10.20.0.250"), {{"dns", *Ipv4::parse("10.20.0.10")}}};
}
LabIdentity lab() { return {plan(), {MacAddress::of_lab_machine(*Ipv4::parse("10.20.0.10"))}}; }
HostFacts host() { return {{"192.0.2.2", "fd00::2"}, {"192.0.2.1"}, {"192.0.2.53"}}; }

void explain(const LeakReport& report) {
  for (const auto& attempt : report.attempts) {
    std::cerr << attempt.probe << " " << attempt.target << (attempt.answered ? " ANSWERED " : " ") << attempt.evidence
              << "\n";
  }
  for (const auto& trouble : report.troubles) std::cerr << "trouble: " << trouble << "\n";
}

std::size_t answers(const LeakReport& report) {
  return static_cast<std::size_t>(std::count_if(report.attempts.begin(), report.attempts.end(),
                                                [](const auto& attempt) { return attempt.answered; }));
}

bool was_answered(const LeakReport& report, const std::string& probe, const std::string& target) {
  return std::any_of(report.attempts.begin(), report.attempts.end(), [&](const LeakAttempt& attempt) {
    return attempt.probe == probe && attempt.target == target && attempt.answered;
  });
}

// Somebody at the other end of a cable into the bridge: a process in another network namespace with this address.
class Outsider {
 public:
  explicit Outsider(const std::string& cable, const std::string& bridge = bridge_name) {
    int ready[2];
    if (::pipe(ready) != 0) return;
    process_ = ::fork();
    if (process_ == 0) {
      if (::unshare(CLONE_NEWNET) != 0) ::_exit(1);
      static_cast<void>(!::write(ready[1], "x", 1));
      for (;;) ::pause();
    }
    char sign = 0;
    static_cast<void>(!::read(ready[0], &sign, 1));
    auto netlink = *Netlink::open();
    works_ = netlink.add_veth(cable, "out0", process_) && netlink.attach(cable, bridge) && netlink.set_up(cable);
  }
  ~Outsider() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }
  Outsider(const Outsider&) = delete;
  Outsider& operator=(const Outsider&) = delete;

  // Runs in the outsider's network.
  bool configure(const std::vector<std::pair<Ipv4, Ipv4Subnet>>& addresses) {
    const pid_t helper = ::fork();
    if (helper == 0) {
      const FileDescriptor net(::open(("/proc/" + std::to_string(process_) + "/ns/net").c_str(), O_RDONLY));
      if (::setns(net.get(), CLONE_NEWNET) != 0) ::_exit(1);
      auto netlink = *Netlink::open();
      for (const auto& [address, network] : addresses) {
        if (!netlink.add_address("out0", address, network)) ::_exit(2);
      }
      ::_exit(netlink.set_up("out0") ? 0 : 3);
    }
    int status = 1;
    ::waitpid(helper, &status, 0);
    return works_ && status == 0;
  }

  // A frame of its own.
  bool send(const Bytes& frame) {
    return inside([&] {
      const auto device = find_device("out0");
      const auto wire = device ? open_wire(*device) : Result<FileDescriptor>(device.error());
      return wire && ::send(wire->get(), frame.data(), frame.size(), 0) == static_cast<ssize_t>(frame.size());
    });
  }

 private:
  bool inside(const std::function<bool()>& action) const {
    const pid_t helper = ::fork();
    if (helper == 0) {
      const FileDescriptor net(::open(("/proc/" + std::to_string(process_) + "/ns/net").c_str(), O_RDONLY));
      ::_exit(::setns(net.get(), CLONE_NEWNET) == 0 && action() ? 0 : 1);
    }
    int status = 1;
    ::waitpid(helper, &status, 0);
    return status == 0;
  }

  pid_t process_ = -1;
  bool works_ = false;
};

class LeakProbe : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = test::why_no_cells(); !why.empty()) GTEST_SKIP() << "no cells on this host: " << why;
  }
};

TEST_F(LeakProbe, HearsNothingThroughATightFence) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(subnet, plan().client, 2)) return 2;
              const auto start = std::chrono::steady_clock::now();
              const auto probes = planned_probes(host(), plan());
              const auto report = run_leak_probe(probes, lab());
              const bool quick = std::chrono::steady_clock::now() - start < std::chrono::seconds(3);
              const bool tight =
                  answers(report) == 0 && report.troubles.empty() && report.attempts.size() == probes.size();
              if (!tight || !quick) explain(report);
              return tight && quick ? 0 : 1;
            }),
            0);
}

TEST_F(LeakProbe, SaysThatNothingIsRoutedOut) {
  EXPECT_EQ(
      run_in_cell([] {
        if (!build_fence(subnet, plan().client, 1)) return 2;
        const auto report =
            run_leak_probe({{ProbeKind::tcp, ProbePath::route, "192.0.2.2", 22}}, lab(), Milliseconds(50));
        return report.attempts.at(0) == LeakAttempt{"tcp", "192.0.2.2:22", false, "network is unreachable"} ? 0 : 1;
      }),
      0);
}

TEST_F(LeakProbe, FindsAHostThatIsPluggedIntoTheBridge) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(subnet, plan().client, 1)) return 2;
              Outsider outsider("cable0");
              // It has the gateway's address, and one of its own network.
              if (!outsider.configure(
                      {{plan().gateway, subnet}, {*Ipv4::parse("192.0.2.2"), *Ipv4Subnet::parse("192.0.2.0/24")}}))
                return 3;
              const auto report = run_leak_probe(planned_probes(host(), plan()), lab());
              const std::vector<std::pair<std::string, std::string>> expected{
                  {"arp", "10.20.0.1"},         {"ping", "10.20.0.1"},   {"ping-wire", "10.20.0.1"},
                  {"tcp", "10.20.0.1:22"},      {"dns", "10.20.0.1:53"}, {"dns-wire", "10.20.0.1:53"},
                  {"tcp-wire", "10.20.0.1:22"}, {"arp", "192.0.2.2"},    {"ping-wire", "192.0.2.2"},
                  {"stranger", "any"}};
              for (const auto& [probe, target] : expected) {
                if (!was_answered(report, probe, target)) return explain(report), 4;
              }
              return 0;
            }),
            0);
}

TEST_F(LeakProbe, FindsAnOutsiderThatHidesBehindALabAddress) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(subnet, plan().client, 1)) return 2;
              Outsider outsider("cable0");
              if (!outsider.configure({{*Ipv4::parse("10.20.0.10"), subnet}})) return 3;
              const auto report = run_leak_probe(planned_probes({{"10.20.0.10"}, {}, {}}, plan()), lab());
              if (!was_answered(report, "arp", "10.20.0.10")) explain(report);
              return was_answered(report, "arp", "10.20.0.10") ? 0 : 1;
            }),
            0);
}

TEST_F(LeakProbe, FindsARouteOutOfTheFence) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(subnet, plan().client, 1)) return 2;
              // An address of the host's network on the bridge makes the route that must not be there.
              auto netlink = *Netlink::open();
              if (!netlink.add_address(bridge_name, *Ipv4::parse("192.0.2.77"), *Ipv4Subnet::parse("192.0.2.0/24")))
                return 3;
              Outsider outsider("cable0");
              if (!outsider.configure({{*Ipv4::parse("192.0.2.2"), *Ipv4Subnet::parse("192.0.2.0/24")}})) return 4;
              const auto report = run_leak_probe(planned_probes(host(), plan()), lab());
              for (const auto* probe : {"ping", "arp"}) {
                if (!was_answered(report, probe, "192.0.2.2")) return explain(report), 5;
              }
              return was_answered(report, "tcp", "192.0.2.2:445") ? 0 : 6;
            }),
            0);
}

TEST_F(LeakProbe, TheLabsOwnMachineIsNoLeak) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(subnet, plan().client, 1)) return 2;
              Outsider machine("cable0");
              if (!machine.configure({{*Ipv4::parse("10.20.0.10"), subnet}})) return 3;
              // The same answers as above, but now this MAC is known: learnt as the probe would learn it.
              const auto strange =
                  run_leak_probe({{ProbeKind::arp, ProbePath::wire, "10.20.0.10", 0}}, lab(), Milliseconds(300));
              if (answers(strange) != 1) return 4;
              auto known = lab();
              const auto& evidence = strange.attempts.at(0).evidence;
              known.machines.push_back(*MacAddress::parse(evidence.substr(evidence.rfind(' ') + 1)));
              const auto report = run_leak_probe(planned_probes({{"10.20.0.10"}, {}, {}}, plan()), known);
              if (answers(report) != 0) explain(report);
              return answers(report) == 0 ? 0 : 1;
            }),
            0);
}

TEST_F(LeakProbe, WithoutABridgeTheProofIsIncomplete) {
  EXPECT_EQ(run_in_cell([] {
              const auto report = run_leak_probe(planned_probes(host(), plan()), lab(), Milliseconds(50));
              return report.troubles.empty() ? 1 : 0;
            }),
            0);
}

// A lab with a control, and somebody who listens.
struct Listening {
  LabIdentity lab = network::lab();
  std::unique_ptr<Control> control;
  std::unique_ptr<Watch> watch;

  static std::optional<Listening> on(const std::string& device) {
    Listening all;
    auto control = Control::on_bridge(device, device);
    if (!control) return std::cerr << control.error().message << std::endl, std::nullopt;
    all.control = std::move(*control);
    all.lab.control = all.control->mac();
    auto watch = Watch::start(device, {all.control->mac()}, all.control->token());
    if (!watch) return std::nullopt;
    all.watch = std::move(*watch);
    return all;
  }
  bool hears(const std::function<bool()>& what, Milliseconds limit = std::chrono::seconds(10)) const {
    return wait_until(system_clock_source(), {"frames", limit, Milliseconds(20), {}, {}}, what).has_value();
  }
};

TEST_F(LeakProbe, TheControlAnswersEveryKindThroughATightFence) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(subnet, plan().client, 1)) return 2;
              const auto all = Listening::on(bridge_name);
              if (!all) return 3;
              const auto report = run_leak_probe(planned_probes(host(), plan()), all->lab);
              std::size_t heard = 0;
              for (const auto& attempt : report.attempts) {
                if (attempt.answered != attempt.control) return explain(report), 4;
                heard += attempt.control ? 1U : 0U;
              }
              if (!report.troubles.empty()) return explain(report), 5;
              return heard == control_probes().size() ? 0 : 6;
            }),
            0);
}

// A check speaks as the client of a reservation; the client itself would come in by a leak, with the same MAC.
TEST_F(LeakProbe, APlayedClientIsKnownByWhatLeftHereAndIsAStrangerOtherwise) {
  EXPECT_EQ(run_in_cell([] {
              const auto client = *MacAddress::parse("02:00:0a:14:00:20");
              if (!build_fence(subnet, plan().client, 1)) return 2;
              auto control = Control::on_bridge(bridge_name, bridge_name);
              if (!control) return 3;
              const auto watch = Watch::start(bridge_name, {(*control)->mac()}, (*control)->token(), {client});
              const auto wire = open_wire(*find_device(bridge_name));
              if (!watch || !wire || (*watch)->has_spoken(client)) return 4;
              const auto began = std::chrono::steady_clock::now();
              const auto frame_for = [&](const char* target) {
                const auto frame = arp_request({client, *Ipv4::parse("10.20.0.32"), 0}, *Ipv4::parse(target));
                return std::string(frame.begin(), frame.end());
              };
              const auto said = frame_for("10.20.0.10"), another = frame_for("10.20.0.11");
              if (::send(wire->get(), said.data(), said.size(), 0) < 0) return 5;
              if (!(*watch)->has_left(said + std::string(18, '\0'), began, std::chrono::seconds(10))) return 6;
              if (!(*watch)->has_spoken(client)) return 7;
              if ((*watch)->has_left(said, std::chrono::steady_clock::now(), Milliseconds(0))) return 8;
              if (!(*watch)->take().strangers.empty()) return 9;
              Outsider outsider("cable0");
              if (!outsider.configure({}) || !outsider.send({another.begin(), another.end()})) return 10;
              const Wait wait{"the client", std::chrono::seconds(10), Milliseconds(20), {}, {}};
              const auto is_heard = [&] { return (*watch)->take().strangers.contains(client.text()); };
              if (!wait_until(system_clock_source(), wait, is_heard)) return 11;
              return (*watch)->has_left(another, began, Milliseconds(0)) ? 12 : 0;
            }),
            0);
}

TEST_F(LeakProbe, ADeafListenerProvesNothing) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(subnet, plan().client, 1)) return 2;
              auto all = Listening::on(bridge_name);
              if (!all) return 3;
              // The cable is pulled: nobody is heard, as nobody would be through a tight fence.
              if (!Netlink::open()->set_down("ctl-0")) return 4;
              const auto report =
                  run_leak_probe(planned_probes(host(), plan()), all->lab, Milliseconds(300), Milliseconds(600));
              for (const auto& attempt : report.attempts) {
                if (attempt.answered) return explain(report), 5;
              }
              return report.troubles.size() == control_probes().size() ? 0 : (explain(report), 6);
            }),
            0);
}

// The control's cable is back after so many rounds of probes, a tenth of a second each.
int probe_with_late_control(int late) {
  return run_in_cell([late] {
    if (!build_fence(subnet, plan().client, 1)) return 2;
    auto all = Listening::on(bridge_name);
    auto netlink = *Netlink::open();
    // A bridge without any cable sends nothing at all, so that nobody could count.
    if (!netlink.add_veth("hold0", "hold1", 0) || !netlink.attach("hold0", bridge_name)) return 6;
    if (!netlink.set_up("hold0") || !netlink.set_up("hold1")) return 7;
    if (!all || !netlink.set_down("ctl-0")) return 3;
    const auto device = find_device(bridge_name);
    const auto wire = open_wire(*device);
    if (!wire) return 4;
    std::jthread later([&](const std::stop_token& stop) {
      std::array<std::uint8_t, 2048> data{};
      for (int rounds = 0; rounds < late && !stop.stop_requested();) {
        pollfd watched{wire->get(), POLLIN, 0};
        if (::poll(&watched, 1, 100) != 1) continue;
        const auto size = ::recv(wire->get(), data.data(), data.size(), 0);
        // ARP for the control, which begins each round.
        const bool asks = size >= 42 && data[12] == 0x08 && data[13] == 0x06 && data[38] == 169;
        if (asks && data[21] == 1 && data[31] != 2) ++rounds;
      }
      static_cast<void>(Netlink::open()->set_up("ctl-0"));
    });
    const auto report = run_leak_probe(planned_probes(host(), plan()), all->lab, Milliseconds(300));
    return report.troubles.empty() ? 0 : (explain(report), 5);
  });
}

// As on a host that is too busy to answer at once: late is not deaf. Once when both regular rounds are over, and once
// when the kernel has given up to look for it.
TEST_F(LeakProbe, AControlThatAnswersLateIsWaitedFor) {
  for (const int rounds : {3, 45}) EXPECT_EQ(probe_with_late_control(rounds), 0) << rounds;
}

TEST_F(LeakProbe, TheBeaconIsWaitedFor) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(subnet, plan().client, 1)) return 2;
              const auto all = Listening::on(bridge_name);
              if (!all) return 3;
              for (int i = 0; i < 3; ++i) {
                all->watch->await_beacon(std::chrono::seconds(20));
                if (all->watch->take().own_beacons == 0) return 4;
              }
              return 0;
            }),
            0);
}

// No kernel answers who says on a wire that his address is 127.0.0.5: only what goes by the routes is answered.
TEST_F(LeakProbe, AnAnswerToOneWayIsNoneToTheOther) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(subnet, plan().client, 1)) return 2;
              auto all = Listening::on(bridge_name);
              if (!all) return 3;
              all->lab.plan.client = *Ipv4::parse("127.0.0.5");
              const auto report = run_leak_probe({}, all->lab, Milliseconds(600), Milliseconds(600));
              const auto target = control_address().text();
              if (!was_answered(report, "ping", target)) return explain(report), 4;
              return was_answered(report, "ping-wire", target) ? (explain(report), 5) : 0;
            }),
            0);
}

TEST_F(LeakProbe, AWatchThatHearsNothingAnyMoreSaysSoFromThenOn) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(subnet, plan().client, 1)) return 2;
              const auto all = Listening::on(bridge_name);
              if (!all || !Netlink::open()->remove(bridge_name)) return 3;
              if (!all->hears([&] { return !all->watch->take().broken.empty(); })) return 4;
              return all->watch->take().broken.empty() ? 5 : 0;
            }),
            0);
}

TEST_F(LeakProbe, WhoSpeaksBetweenTwoProbesIsHeard) {
  EXPECT_EQ(
      run_in_cell([] {
        if (!build_fence(subnet, plan().client, 1)) return 2;
        const auto all = Listening::on(bridge_name);
        if (!all) return 3;
        Overheard sum;
        if (!all->hears([&] { return (sum.own_beacons += all->watch->take().own_beacons) >= 1; })) return 4;
        if (all->watch->take().is_breach()) return 5;
        {
          Outsider outsider("cable0");
          if (!outsider.configure({{plan().gateway, subnet}})) return 6;
          // Asked once, by nobody who waits for the answer.
          (void)run_leak_probe({{ProbeKind::arp, ProbePath::wire, plan().gateway.text(), 0}}, lab(), Milliseconds(50));
        }
        return all->hears([&] { return all->watch->take().is_breach(); }) ? 0 : 7;
      }),
      0);
}

TEST_F(LeakProbe, AnotherCellOnTheSameWireIsHeardWhateverItsAddresses) {
  EXPECT_EQ(run_in_cell([] {
              if (!build_fence(subnet, plan().client, 1)) return 2;
              const auto all = Listening::on(bridge_name);
              if (!all) return 3;
              // Even from a MAC that both of them know.
              const auto frame = beacon(*all->lab.control, "00000000000000ff");
              Outsider outsider("cable0");
              if (!outsider.configure({}) || !outsider.send(frame)) return 4;
              Overheard seen;
              if (!all->hears([&] { return (seen = all->watch->take()).is_breach(); })) return 5;
              return seen.other_cells.count("00000000000000ff") == 1 ? 0 : 6;
            }),
            0);
}

TEST_F(LeakProbe, ABeaconOutsideIsNoticedButNotThatOfALabsOwnBridge) {
  EXPECT_EQ(run_in_cell([] {
              auto netlink = *Netlink::open();
              if (!netlink.add_bridge("plb12345") || !netlink.add_bridge("real0")) return 2;
              for (const auto* bridge : {"plb12345", "real0"}) {
                if (!netlink.set_up(bridge)) return 3;
              }
              auto outside = OutsideWatch::start();
              if (!outside) return 4;
              const auto send_to = [&](const std::string& bridge, const char* cable, const char* token) {
                Outsider outsider(cable, bridge);
                return outsider.configure({}) && outsider.send(beacon(*MacAddress::parse("02:00:00:00:00:77"), token));
              };
              const auto heard = [&](std::set<std::string>& all) {
                const Wait wait{"a beacon", std::chrono::seconds(3), Milliseconds(20), {}, {}};
                return wait_until(system_clock_source(), wait,
                                  [&] {
                                    all.merge((*outside)->take());
                                    return !all.empty();
                                  })
                    .has_value();
              };
              std::set<std::string> found;
              if (!send_to("real0", "cable1", "00000000000000aa") || !heard(found)) return 5;
              for (const auto& text : found) {
                if (text.find("00000000000000aa") == std::string::npos) return 6;
              }
              found.clear();
              if (!send_to("plb12345", "cable2", "00000000000000bb")) return 7;
              // Sent after it, through the same socket: when this is heard, the other has been.
              if (!send_to("real0", "cable3", "00000000000000cc") || !heard(found)) return 8;
              for (const auto& text : found) {
                if (text.find("00000000000000bb") != std::string::npos) return std::cerr << text << std::endl, 9;
              }
              return 0;
            }),
            0);
}

}  // namespace
}  // namespace patchlab::lab::network
