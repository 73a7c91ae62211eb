// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// What a Debian guest runs to try to get out, run by the Perl of this host in a network namespace that plays the guest.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <fstream>
#include <iostream>
#include <thread>

#include "lab/core/files.hpp"
#include "lab/core/net/lab_client.hpp"
#include "lab/guest/debian_outreach.hpp"
#include "lab/network/control.hpp"
#include "lab/network/fence.hpp"
#include "lab/network/netlink.hpp"
#include "lab/network/wire.hpp"
#include "lab/process/process.hpp"
#include "runners/cell/guest_fence.hpp"
#include "tests/support/in_cell.hpp"

namespace patchlab::runners::cell {
namespace {
using namespace lab::network;

const Ipv4 guest_address = *Ipv4::parse("10.20.0.10");
const AddressPlan plan{*Ipv4Subnet::parse("10.20.0.0/24"),
                       *Ipv4::parse("10.20.0.1"),
                       *Ipv4::parse("10.20.0.250"),
                       {{"dns", guest_address}}};
const HostFacts host{{"192.0.2.2"}, {"192.0.2.1"}, {}};

// A process that only keeps a network namespace.
class Namespace {
 public:
  Namespace() {
    int ready[2];
    if (::pipe(ready) != 0) return;
    process = ::fork();
    if (process == 0) {
      static_cast<void>(!::write(ready[1], ::unshare(CLONE_NEWNET) == 0 ? "x" : "-", 1));
      for (;;) ::pause();
    }
    char sign = 0;
    static_cast<void>(!::read(ready[0], &sign, 1));
  }
  ~Namespace() {
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
  }
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  int run(const std::function<int()>& action) const {
    const pid_t helper = ::fork();
    if (helper == 0) {
      const FileDescriptor net(::open(("/proc/" + std::to_string(process) + "/ns/net").c_str(), O_RDONLY));
      const int code = ::setns(net.get(), CLONE_NEWNET) == 0 ? action() : 98;
      std::cerr.flush();
      ::_exit(code);
    }
    int status = 1;
    ::waitpid(helper, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 97;
  }
  int configure(const std::string& device, Ipv4 address, const std::string& subnet) const {
    return run([&] {
      auto netlink = *Netlink::open();
      const auto done = netlink.add_address(device, address, *Ipv4Subnet::parse(subnet));
      return done && netlink.set_up(device) ? 0 : 1;
    });
  }

  pid_t process = -1;
};

// The guest's script finds its adapters in /sys, which shows those of another namespace here.
std::string with_adapters(std::string script, const std::vector<std::string>& devices) {
  const std::filesystem::path folder = "/tmp/adapters";
  std::filesystem::remove_all(folder);
  for (const auto& name : devices) {
    const auto device = find_device(name);
    if (!device) continue;
    std::filesystem::create_directories(folder / name / "device");
    std::ofstream(folder / name / "type") << "1\n";
    std::ofstream(folder / name / "flags") << "0x1003\n";
    std::ofstream(folder / name / "ifindex") << device->index << "\n";
    std::ofstream(folder / name / "address") << device->mac.text() << "\n";
  }
  const std::string place = "/sys/class/net";
  for (auto at = script.find(place); at != std::string::npos; at = script.find(place, at))
    script.replace(at, place.size(), folder.string());
  return script;
}

// A cell with its control, and a guest at its bridge.
struct Lab {
  std::unique_ptr<Control> control;
  Namespace guest;
  LabIdentity own{plan, {}};
  MacAddress mac;

  bool build() {
    auto netlink = Netlink::open();
    if (!build_fence(plan.subnet, plan.client, 1) || !netlink) return false;
    auto made = Control::on_bridge(bridge_name, bridge_name);
    if (!made) return false;
    control = std::move(*made);
    own.control = control->mac();
    if (!netlink->add_veth("cable0", "eth0", guest.process) || !netlink->attach("cable0", bridge_name) ||
        !netlink->set_up("cable0") || guest.configure("eth0", guest_address, plan.subnet.text()) != 0)
      return false;
    int pipe[2];
    if (::pipe(pipe) != 0) return false;
    guest.run([&] {
      mac = find_device("eth0")->mac;
      return ::write(pipe[1], mac.bytes().data(), 6) == 6 ? 0 : 1;
    });
    std::array<std::uint8_t, 6> bytes{};
    if (::read(pipe[0], bytes.data(), 6) != 6) return false;
    mac = MacAddress(bytes);
    own.machines = {mac};
    return true;
  }

  // In the guest's namespace; `judge` tells what is wrong, 0 when nothing is.
  int probe(
      const std::vector<std::string>& adapters, const std::function<int(const GuestFence&)>& judge,
      const std::function<void(std::string&)>& change_script = [](auto&) {}) const {
    const GuestProber prober{"dns", {mac, guest_address, 0}, who_speaks(own), *own.control};
    return guest.run([&] {
      const auto fence = probe_from_guest(prober, guest_probes(host, plan), [&](const auto& wanted) {
        ProcessSpec spec;
        spec.program = "/bin/sh";
        spec.ambient_capabilities = {CAP_NET_RAW};
        spec.input = with_adapters(lab::guest::debian::outreach_script(wanted), adapters);
        change_script(spec.input);
        const auto outcome = host_processes().run(spec);
        if (!outcome.errors.empty()) std::cerr << outcome.errors << std::endl;
        return lab::guest::debian::outreach_seen(outcome.output, wanted);
      });
      const int code = judge(fence);
      if (code == 0) return 0;
      for (const auto& attempt : fence.attempts) {
        std::cerr << attempt.probe << " " << attempt.target << (attempt.answered ? " ANSWERED " : " ")
                  << (attempt.sent ? "" : "(not sent) ") << attempt.evidence << "\n";
      }
      for (const auto& trouble : fence.troubles) std::cerr << "trouble: " << trouble << "\n";
      return code;
    });
  }
};

bool leaked(const GuestFence& fence, const std::string& probe, const std::string& target) {
  return std::ranges::any_of(fence.attempts, [&](const auto& attempt) {
    return attempt.probe == probe && attempt.target == target && attempt.is_answer_of_a_leak();
  });
}

class GuestWaysOut : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = test::why_no_cells(); !why.empty()) GTEST_SKIP() << "no cells on this host: " << why;
  }
};

TEST_F(GuestWaysOut, ThroughATightFenceOnlyTheControlsAreHeard) {
  EXPECT_EQ(test::run_in_cell([] {
              Lab lab;
              if (!lab.build()) return 2;
              return lab.probe({"eth0"}, [](const GuestFence& fence) {
                if (!fence.troubles.empty()) return 3;
                for (const auto& attempt : fence.attempts) {
                  if (attempt.answered != attempt.control || !attempt.sent) return 4;
                }
                return 0;
              });
            }),
            0);
}

// An adapter that somebody has plugged in, into the network of production: no frame of it passes the cell's bridge.
TEST_F(GuestWaysOut, ASecondAdapterIsFound) {
  EXPECT_EQ(test::run_in_cell([] {
              Lab lab;
              Namespace outside;
              auto netlink = Netlink::open();
              if (!lab.build() || !netlink->add_veth("hot0", "eth0", outside.process)) return 2;
              if (!netlink->move("hot0", lab.guest.process)) return 3;
              if (outside.configure("eth0", *Ipv4::parse("192.0.2.2"), "192.0.2.0/24") != 0) return 4;
              if (lab.guest.run([] { return Netlink::open()->set_up("hot0") ? 0 : 1; }) != 0) return 5;
              return lab.probe({"eth0", "hot0"}, [](const GuestFence& fence) {
                return leaked(fence, "guest-arp", "192.0.2.2") && leaked(fence, "guest-stranger", "any") ? 0 : 6;
              });
            }),
            0);
}

// A machine at the bridge that speaks for as many clients as a check of a DHCP server plays, then as one stranger, and
// again. The pauses leave a reader time that a slow host lets wait.
class ManyClients {
 public:
  bool build() {
    auto netlink = Netlink::open();
    if (!netlink || !netlink->add_veth("cable1", "eth0", place_.process) || !netlink->attach("cable1", bridge_name) ||
        !netlink->set_up("cable1") || place_.configure("eth0", *Ipv4::parse("10.20.0.30"), plan.subnet.text()) != 0)
      return false;
    speaker_ = ::fork();
    if (speaker_ == 0) {
      place_.run([] {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        const auto wire = open_wire(find_device("eth0").value());
        if (!wire) return 1;
        for (std::uint32_t i = 0;; i = (i + 1) % 400) {
          const auto mac = i == 399 ? *MacAddress::parse("02:00:00:00:00:99") : net::lab_client_mac(i);
          const auto frame = arp_request({mac, *Ipv4::parse("10.20.0.30"), 0}, plan.client);
          (void)::send(wire->get(), frame.data(), frame.size(), 0);
          if (i % 40 == 39) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
      });
      ::_exit(1);
    }
    return speaker_ > 0;
  }
  ~ManyClients() {
    if (speaker_ > 0) ::kill(speaker_, SIGKILL);
  }

 private:
  Namespace place_;
  pid_t speaker_ = -1;
};

// What the guest tells is not full before.
TEST_F(GuestWaysOut, AStrangerIsHeardBehindManyClientsThatAreOnlyPlayed) {
  EXPECT_EQ(test::run_in_cell([] {
              Lab lab;
              ManyClients clients;
              if (!lab.build() || !clients.build()) return 2;
              return lab.probe({"eth0"},
                               [](const GuestFence& fence) { return leaked(fence, "guest-stranger", "any") ? 0 : 3; });
            }),
            0);
}

// With room for few frames, as when the guest reads too slowly: among what is gone may be a stranger.
TEST_F(GuestWaysOut, FramesThatItsKernelDroppedAreSaid) {
  EXPECT_EQ(test::run_in_cell([] {
              Lab lab;
              ManyClients clients;
              if (!lab.build() || !clients.build()) return 2;
              const auto judge = [](const GuestFence& fence) {
                const auto tells = [](const std::string& text) {
                  return text.ends_with("whose they were is not known");
                };
                return std::ranges::any_of(fence.troubles, tells) ? 0 : 3;
              };
              return lab.probe({"eth0"}, judge, [](std::string& script) {
                script.insert(script.find("sub of_client"), "setsockopt($_->[0], 1, 8, pack \"i\", 1) for @wires;\n");
              });
            }),
            0);
}

// Somebody at the bridge who has the gateway's address.
TEST_F(GuestWaysOut, AGatewayIsFoundByRouteAndOnTheWire) {
  EXPECT_EQ(test::run_in_cell([] {
              Lab lab;
              Namespace outside;
              auto netlink = Netlink::open();
              if (!lab.build() || !netlink->add_veth("cable1", "eth0", outside.process)) return 2;
              if (!netlink->attach("cable1", bridge_name) || !netlink->set_up("cable1")) return 3;
              if (outside.configure("eth0", plan.gateway, plan.subnet.text()) != 0) return 4;
              return lab.probe({"eth0"}, [](const GuestFence& fence) {
                for (const auto& [probe, target] :
                     std::vector<std::pair<std::string, std::string>>{{"guest-arp", "10.20.0.1"},
                                                                      {"guest-ping", "10.20.0.1"},

                                                                      {"guest-dns", "10.20.0.1:53"},
                                                                      {"guest-tcp", "10.20.0.1:22"}}) {
                  if (!leaked(fence, probe, target)) return 5;
                }
                return 0;
              });
            }),
            0);
}

// Docker's network has the same address in many places: what the guest itself answers is no leak.
TEST_F(GuestWaysOut, AnAddressOfTheGuestsOwnIsNoLeak) {
  EXPECT_EQ(test::run_in_cell([] {
              Lab lab;
              if (!lab.build()) return 2;
              if (lab.guest.configure("lo", *Ipv4::parse("192.0.2.2"), "192.0.2.0/24") != 0) return 3;
              return lab.probe({"eth0"}, [](const GuestFence& fence) {
                for (const auto& attempt : fence.attempts) {
                  if (attempt.is_answer_of_a_leak()) return 4;
                  const bool by_route = attempt.probe == "guest-ping" && attempt.target == "192.0.2.2";
                  if (by_route && (attempt.sent || attempt.evidence.find("192.0.2.2") == std::string::npos)) return 5;
                }
                return fence.troubles.empty() ? 0 : 6;
              });
            }),
            0);
}

}  // namespace
}  // namespace patchlab::runners::cell
