// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Real machines in real cells. Needs the golden image of the name server ('patchlab image build dns').
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include <cstdlib>

#include "lab/core/files.hpp"
#include "lab/image/golden_image.hpp"
#include "lab/libvirt/hypervisor.hpp"
#include "lab/network/fence.hpp"
#include "lab/network/leak_probe.hpp"
#include "lab/process/process.hpp"
#include "tests/support/agent_commands.hpp"
#include "tests/support/image_clone.hpp"
#include "tests/support/in_cell.hpp"
#include "tests/support/process_state.hpp"

namespace patchlab::lab {
namespace {
using network::Ipv4;
using network::Ipv4Subnet;
using std::chrono::seconds;
using Steady = std::chrono::steady_clock;

const Ipv4 client = *Ipv4::parse("10.20.0.250");
const Ipv4Subnet subnet = *Ipv4Subnet::parse("10.20.0.0/24");
const Ipv4 guest = *Ipv4::parse("10.20.0.10");

// Ends the worker of a cell with what went wrong; GoogleTest lives in another process.
[[noreturn]] void give_up(const std::string& why) {
  std::cerr << "in the cell: " << why << std::endl;
  ::_exit(50);
}

template <class Value>
Value must(const char* what, Result<Value> result) {
  if (!result) give_up(fmt::format("{}: {}", what, result.error().message));
  return std::move(*result);
}
void must(const char* what, const Result<void>& result) {
  if (!result) give_up(fmt::format("{}: {}", what, result.error().message));
}
void must(const char* what, bool good) {
  if (!good) give_up(what);
}

template <class Action>
auto timed(const char* what, const Action& action) {
  const auto start = Steady::now();
  auto result = action();
  std::cout << fmt::format("[ MEASURED ] {}: {:.2f} s", what,
                           std::chrono::duration<double>(Steady::now() - start).count())
            << std::endl;
  return result;
}

// One machine in the cell of the calling worker.
class Machine {
 public:
  Machine(const image::GoldenImage& image, const std::string& name, const std::filesystem::path& folder) : name_(name) {
    const auto taps = must("building the fence", network::build_fence(subnet, client, 1));
    hypervisor_ = must("opening libvirt", timed("open libvirt", [] {
                         return libvirt::LibvirtHypervisor::open_embedded(network::cell_folder_inside);
                       }));
    const auto spec = must("making the clone", test::clone_of(image, name, guest, taps.at(0), folder));
    must("defining", hypervisor_->define(spec));
    must("starting", timed("start", [&] { return hypervisor_->start(name); }));
    timed("until the agent answers", [&] { return wait_for_agent(); });
  }

  libvirt::LibvirtHypervisor& hypervisor() { return *hypervisor_; }

  int wait_for_agent() {
    must("waiting for the agent", agent().answers());
    return 0;
  }
  Result<std::string> ask(const std::string& command, Milliseconds limit = seconds(20)) {
    return agent().ask(command, limit);
  }
  void shell(const std::string& command) { must("guest-exec", agent().shell(command)); }
  bool has_file(const std::string& path) { return agent().has_file(path); }
  bool gets_file(const std::string& path) { return agent().gets_file(path); }

 private:
  test::AgentCommands agent() { return {*hypervisor_, name_}; }

  std::string name_;
  std::unique_ptr<libvirt::LibvirtHypervisor> hypervisor_;
};

class EmbeddedCell : public ::testing::Test {
 protected:
  void SetUp() override {
    auto image = image::newest(cache_folder(), "dns");
    if (!image) GTEST_SKIP() << image.error().message;
    image_ = std::move(image).value();
    if (const auto why = test::why_no_cells(); !why.empty()) GTEST_SKIP() << "no cells on this host: " << why;
    char name[] = "/tmp/patchlab-cells-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  network::CellNamespaces cell(const std::string& name) {
    network::CellNamespaces wanted;
    wanted.folder = folder_ / name;
    std::filesystem::create_directories(wanted.folder);
    wanted.readable = {image_.folder};
    return wanted;
  }

  image::GoldenImage image_;
  std::filesystem::path folder_;
};

TEST_F(EmbeddedCell, AMachineBootsIsSavedAndComesBackAsItWas) {
  const auto wanted = cell("a");
  const auto life = [&] {
    Machine machine(image_, "dns1", wanted.folder);
    auto& hypervisor = machine.hypervisor();
    // Where the host's kernel counts it (CONFIG_SCHED_INFO); a boot never has a processor at once all the time.
    const auto waited = hypervisor.waited_for_processor("dns1");
    must("the wait for a processor is known", waited.has_value() == std::filesystem::exists("/proc/self/schedstat"));
    must("and counted", !waited || *waited > Milliseconds(0));
    must("taking a snapshot", timed("snapshot", [&] { return hypervisor.take_snapshot("dns1", "base"); }));
    machine.shell("touch /root/after-the-snapshot");
    must("the file is there", machine.gets_file("/root/after-the-snapshot"));
    for (int round = 0; round < 2; ++round) {
      must("reverting", timed("revert", [&] { return hypervisor.revert("dns1", "base"); }));
      timed("until the agent answers", [&] { return machine.wait_for_agent(); });
      must("the file is gone", !machine.has_file("/root/after-the-snapshot"));
    }
    // As a department is saved: all pause, each is saved, all go on.
    must("pausing", hypervisor.pause("dns1"));
    must("taking a snapshot while paused", hypervisor.take_snapshot("dns1", "paused"));
    must("resuming", hypervisor.resume("dns1"));
    must("reverting to a paused state", hypervisor.revert("dns1", "paused"));
    must("it runs", must("state", hypervisor.state("dns1")) == MachineState::running);
    machine.wait_for_agent();
    must("pausing", hypervisor.pause("dns1"));
    must("reverting what is paused", hypervisor.revert("dns1", "base"));
    machine.wait_for_agent();
    machine.shell("sync; /sbin/reboot -f");
    const auto silent = [&] { return !machine.ask(R"({"execute":"guest-ping"})", seconds(1)).has_value(); };
    must("it goes down",
         wait_until(system_clock_source(), {"silence", seconds(100), Milliseconds(50), {}, {}}, silent).has_value());
    must("reverting in the middle of a reboot", hypervisor.revert("dns1", "base"));
    machine.wait_for_agent();
    must("powering off", hypervisor.power_off("dns1"));
    must("reverting what is off", hypervisor.revert("dns1", "base"));
    machine.wait_for_agent();
    const auto refusal = machine.ask(R"({"execute":"guest-no-such-command"})");
    must("a refused command is the guest's error", !refusal && refusal.error().error_class == ErrorClass::guest);
    must("powering off", hypervisor.power_off("dns1"));
    must("undefining", hypervisor.undefine("dns1"));
    return 0;
  };
  EXPECT_EQ(test::run_in_cell(life, wanted), 0);
  EXPECT_THAT(read_file(wanted.folder / "console.log").value_or(""), ::testing::Not(::testing::IsEmpty()));
}

TEST_F(EmbeddedCell, AMediumIsSeenInTheGuestAndARevertTakesItOut) {
  const auto wanted = cell("a");
  const auto life = [&] {
    Machine machine(image_, "dns1", wanted.folder);
    auto& hypervisor = machine.hypervisor();
    must("taking a snapshot", hypervisor.take_snapshot("dns1", "base"));
    const auto medium = wanted.folder / "medium.iso";
    must("writing a medium", write_file_atomically(medium, "patchlab medium" + std::string(64U << 10U, ' ')));
    must("inserting it", timed("insert a medium", [&] { return hypervisor.change_medium("dns1", medium); }));
    // It stays open, as a mounted one would: the guest locks the drive's door.
    machine.shell("exec 3</dev/sr0; head -c 15 <&3 | grep -q patchlab && touch /root/seen; exec sleep 1000");
    must("the guest reads it", machine.gets_file("/root/seen"));
    must("taking it out", hypervisor.change_medium("dns1", {}));
    must("inserting it again", hypervisor.change_medium("dns1", medium));
    must("reverting with a medium in the drive", hypervisor.revert("dns1", "base"));
    machine.wait_for_agent();
    machine.shell("head -c 1 /dev/sr0 || touch /root/empty");
    must("the drive is empty", machine.gets_file("/root/empty"));
    must("inserting it after the revert", hypervisor.change_medium("dns1", medium));
    return 0;
  };
  EXPECT_EQ(test::run_in_cell(life, wanted), 0);
}

// A DNS question (RFC 1035) to the guest; any answer with its id will do.
bool name_server_answers() {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(53);
  to.sin_addr.s_addr = htonl(guest.value());
  const timeval patience{0, 500'000};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  constexpr std::array<unsigned char, 17> question{0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1};
  std::array<unsigned char, 1500> answer{};
  ::sendto(socket.get(), question.data(), question.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  return ::recv(socket.get(), answer.data(), answer.size(), 0) > 12 && answer[0] == 0x12 && answer[1] == 0x34;
}

TEST_F(EmbeddedCell, TwoCellsWithTheSameAddressesRunSideBySideInTightFences) {
  const auto host = network::collect_host_facts();
  std::vector<pid_t> cells;
  for (const std::string name : {"dns-a", "dns-b"}) {
    const auto wanted = cell(name);
    cells.push_back(::fork());
    if (cells.back() != 0) continue;
    ::_exit(test::run_in_cell(
        [&] {
          Machine machine(image_, name, wanted.folder);
          // The agent is up before the guest has set its name.
          const auto is_ours = [&] {
            return machine.ask(R"({"execute":"guest-get-host-name"})").value_or("").find("\"" + name + "\"") !=
                   std::string::npos;
          };
          must("it is our own machine",
               wait_until(system_clock_source(), {"its name", seconds(60), Milliseconds(100), {}, {}}, is_ours)
                   .has_value());
          const Wait wait{"DNS to answer", seconds(150), Milliseconds(100), {}, {}};
          must("DNS answers", timed("until DNS answers", [&] {
                                return wait_until(system_clock_source(), wait, name_server_answers);
                              }).has_value());
          const network::AddressPlan plan{subnet, *Ipv4::parse("10.20.0.1"), client, {{name, guest}}};
          const auto report = network::run_leak_probe(network::planned_probes(host, plan),
                                                      {plan, {network::MacAddress::of_lab_machine(guest)}});
          for (const auto& attempt : report.attempts) {
            if (attempt.answered) give_up(fmt::format("{} to {}: {}", attempt.probe, attempt.target, attempt.evidence));
          }
          must("every probe was sent", report.troubles.empty());
          return 0;
        },
        wanted));
  }
  for (const auto pid : cells) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    EXPECT_EQ(status, 0);
  }
}

TEST_F(EmbeddedCell, AKilledCellLeavesNoQemuBehind) {
  const auto wanted = cell("a");
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t outer = ::fork();
  if (outer == 0) {
    if (!network::enter_cell_namespaces(wanted)) ::_exit(1);
    Machine machine(image_, "dns1", wanted.folder);
    static_cast<void>(!::write(ready[1], "x", 1));
    for (;;) ::pause();
  }
  ::close(ready[1]);
  char sign = 0;
  ASSERT_EQ(::read(ready[0], &sign, 1), 1);
  const auto processes = test::descendants(outer);
  // Process 1, the worker, and QEMU, which is the orphan that process 1 took in.
  ASSERT_GE(processes.size(), 3U);
  ::kill(outer, SIGKILL);
  ::waitpid(outer, nullptr, 0);
  for (const int process : processes) EXPECT_TRUE(test::ends_soon(process)) << process;
}

TEST_F(EmbeddedCell, AHostWithoutSpaceIsTheHostsTroubleNotTheGuests) {
  const auto wanted = cell("a");
  const auto life = [&] {
    const std::filesystem::path small = std::filesystem::path(network::cell_folder_inside) / "small";
    std::filesystem::create_directories(small);
    must("making a small disk", ::mount("none", small.c_str(), "tmpfs", 0, "size=24m") == 0);
    Machine machine(image_, "dns1", small);
    must("no trouble so far", machine.hypervisor().host_trouble("dns1").empty());
    machine.shell("dd if=/dev/urandom of=/root/fill bs=1M count=64 conv=fsync");
    const Wait wait{"the machine to be stopped", seconds(100), Milliseconds(200), {}, {}};
    must("it is stopped", wait_until(system_clock_source(), wait, [&] {
                            return !machine.hypervisor().host_trouble("dns1").empty();
                          }).has_value());
    must("it counts as paused", must("state", machine.hypervisor().state("dns1")) == MachineState::paused);
    const auto answer = machine.ask(R"({"execute":"guest-ping"})", seconds(1));
    must("asking fails", !answer);
    must("as the host's trouble", answer.error().error_class == ErrorClass::infrastructure);
    must("in these words",
         answer.error().message == "'dns1' was stopped by a disk error on the host (is it out of space?)");
    return 0;
  };
  EXPECT_EQ(test::run_in_cell(life, wanted), 0);
}

}  // namespace
}  // namespace patchlab::lab
