// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The probe must find a hole, not only silence: here are fences that are tight and fences that were opened on purpose.
#include "lab/network/leak_probe.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>

#include "lab/network/fence.hpp"
#include "lab/network/netlink.hpp"
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
  explicit Outsider(const std::string& cable) {
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
    works_ = netlink.add_veth(cable, "out0", process_) && netlink.attach(cable, bridge_name) && netlink.set_up(cable);
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

 private:
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

}  // namespace
}  // namespace patchlab::lab::network
