// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The Windows adapter on a machine that answers as Windows does. Needs the golden image
// ('patchlab image build windows-stand-in').
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/socket.h>

#include <cstdlib>

#include "lab/core/files.hpp"
#include "lab/guest/reboot.hpp"
#include "lab/guest/windows/exit_codes.hpp"
#include "lab/guest/windows/windows_adapter.hpp"
#include "lab/image/golden_image.hpp"
#include "lab/libvirt/hypervisor.hpp"
#include "lab/network/fence.hpp"
#include "lab/process/process.hpp"
#include "patches/medium/medium.hpp"
#include "tests/support/image_clone.hpp"
#include "tests/support/in_cell.hpp"
#include "tests/support/programs.hpp"

namespace patchlab::lab::guest::windows {
namespace {
using network::Ipv4;
using network::Ipv4Subnet;
using std::chrono::seconds;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

const Ipv4 client = *Ipv4::parse("10.20.0.250");
const Ipv4Subnet subnet = *Ipv4Subnet::parse("10.20.0.0/24");
const Ipv4 address = *Ipv4::parse("10.20.0.10");
constexpr const char* machine = "dns1";
constexpr const char* right_address = "10.20.0.30";
constexpr const char* wrong_address = "10.20.0.99";

std::string identity(const std::string& kb) { return "Package_for_" + kb + "~31bf3856ad364e35~amd64~~6.2.1.0"; }

// The address of web.corp.example, as a client asks for it (RFC 1035); "none" when nothing comes back.
std::string address_of_web() {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(53);
  to.sin_addr.s_addr = htonl(address.value());
  const timeval patience{2, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const std::string question("\x12\x34\0\0\0\1\0\0\0\0\0\0\3web\4corp\7example\0\0\1\0\1", 34);
  std::array<unsigned char, 1500> answer{};
  for (int tries = 0; tries < 5; ++tries) {
    ::sendto(socket.get(), question.data(), question.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
    const auto size = ::recv(socket.get(), answer.data(), answer.size(), 0);
    // One answer, whose data end the message: the server adds nothing to it.
    if (size != static_cast<ssize_t>(question.size()) + 16 || answer[7] != 1) continue;
    const auto* at = answer.data() + size - 4;
    return fmt::format("{}.{}.{}.{}", at[0], at[1], at[2], at[3]);
  }
  return "none";
}

// Says how long it took and fails the test when there is no value.
template <class Action>
auto measured(const std::string& what, const Action& action) {
  const auto start = std::chrono::steady_clock::now();
  auto result = action();
  std::cout << fmt::format("[ MEASURED ] {}: {:.1f} s", what,
                           std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count())
            << std::endl;
  if (!result) ADD_FAILURE() << what << ": " << result.error().message;
  return result;
}
template <class Action>
auto value_of(const std::string& what, const Action& action) {
  auto result = measured(what, action);
  using Value = std::remove_cvref_t<decltype(result.value())>;
  return result ? std::move(result).value() : Value{};
}

constexpr const char* good_product = "{9900A001-0000-4000-8000-000000000001}";

InstalledPackage removable(const std::string& file, const std::string& kb) {
  InstalledPackage one;
  one.file_name = file;
  one.kb = kb;
  one.packages = {identity(kb)};
  return one;
}

// One machine in the cell of the calling worker, with a saved state to go back to.
class StandIn {
 public:
  StandIn(const image::GoldenImage& image, const std::filesystem::path& folder, std::filesystem::path medium)
      : medium_(std::move(medium)) {
    const auto taps = network::build_fence(subnet, client, 1).value();
    hypervisor_ = libvirt::LibvirtHypervisor::open_embedded(network::cell_folder_inside).value();
    const auto spec = test::clone_of(image, machine, address, taps.at(0), folder).value();
    EXPECT_TRUE(hypervisor_->define(spec));
    EXPECT_TRUE(hypervisor_->start(machine));
    agent_.emplace(*hypervisor_, machine, clock_);
    WindowsOptions options;
    options.version = "6.2.9200";
    for (const auto* file : {"good-exe.exe", "breaks-dns-exe.exe", "fails-exe.exe"})
      options.setups[file].switches = "/S";
    adapter_ = windows_adapter(*agent_, clock_, options);
    (void)measured("start-up", [&] { return await_boot(*adapter_, *agent_, clock_, "", seconds(180)); });
  }

  WindowsGuest& adapter() { return *adapter_; }
  Hypervisor& hypervisor() { return *hypervisor_; }
  GuestAgent& agent() { return *agent_; }
  Clock& clock() { return clock_; }

  void save() {
    (void)measured("snapshot", [&] { return hypervisor_->take_snapshot(machine, "base"); });
  }
  void go_back() {
    (void)measured("revert", [&] { return hypervisor_->revert(machine, "base"); });
    const Wait wait{"the agent to answer", seconds(60), Milliseconds(100), {}, {}};
    EXPECT_TRUE(wait_until(clock_, wait, [&] { return agent_->answers(seconds(2)); }));
    const auto set = agent_->set_time_to_host();
    if (!set) ADD_FAILURE() << set.error().message;
    EXPECT_TRUE(hypervisor_->change_medium(machine, medium_));
  }
  InstallOutcome apply(const std::string& file) {
    return value_of("apply " + file, [&] { return adapter_->apply({file}, seconds(200), {}); });
  }
  InstallOutcome remove(const InstalledPackage& one) {
    return value_of("uninstall " + one.file_name, [&] { return adapter_->uninstall(one, seconds(200), {}); });
  }
  InstalledSet installed() {
    return value_of("installed", [&] { return adapter_->installed(); });
  }
  HostState state() {
    return value_of("host state", [&] { return adapter_->host_state({"DNS"}); });
  }
  PendingRestart pending() {
    return value_of("pending restart", [&] { return adapter_->pending_restart(); });
  }
  std::string boot_id() {
    return value_of("boot id", [&] { return adapter_->boot_id(); });
  }

 private:
  std::filesystem::path medium_;
  Clock& clock_ = system_clock_source();
  std::unique_ptr<libvirt::LibvirtHypervisor> hypervisor_;
  std::optional<GuestAgent> agent_;
  std::unique_ptr<WindowsGuest> adapter_;
};

// What one machine tells before anything is done to it.
struct Before {
  InstalledSet installed;
  HostState state;
};

Before looks_like_windows(StandIn& guest) {
  const auto boot = guest.boot_id();
  EXPECT_EQ(guest.boot_id(), boot);
  const auto views = value_of("each means", [&] { return guest.adapter().installed_by_each_means(); });
  EXPECT_THAT(views.quick_fixes, ::testing::ElementsAre("KB2769165"));
  EXPECT_EQ(views.dism.size(), 4U);
  EXPECT_EQ(views.registry.size(), 4U);
  EXPECT_THAT(views.registry, Contains(Pair(identity("KB2769165"), PackageState::installed)));
  EXPECT_THAT(disagreements(views), IsEmpty());
  EXPECT_THAT(guest.pending().strong, IsEmpty());
  Before before{guest.installed(), guest.state()};
  EXPECT_THAT(before.installed, Contains(Pair(identity("KB2769165"), "installed")));
  EXPECT_THAT(before.installed, Contains(Pair("product QEMU Guest Agent", "7.2.0")));
  EXPECT_THAT(before.state.services, IsSupersetOf({std::pair<const std::string, std::string>{"DNS", "running"}}));
  EXPECT_THAT(before.state.listeners, IsSupersetOf({"tcp 10.20.0.10:53 dns.exe", "udp 10.20.0.10:53 dns.exe"}));
  EXPECT_THAT(before.state.addresses, Contains(HasSubstr(" 10.20.0.10/24")));
  EXPECT_THAT(before.state.facts,
              AllOf(Contains(Pair("start of DNS", "automatic")), Contains(Pair("firewall PublicProfile", "off")),
                    Contains(Pair("access to C:\\Windows\\System32\\dns", HasSubstr("D:P(A;;"))),
                    Contains(Pair("access to C:\\inetpub", "absent")),
                    Contains(Pair("adapter PCI\\VEN_8086&DEV_100E\\3&1", "hidden")), Contains(Key("driver isofs"))));
  EXPECT_THAT(before.state.error_kinds, IsEmpty());
  EXPECT_EQ(Json(guest.state()), Json(before.state));
  const auto evidence = value_of("evidence", [&] { return guest.adapter().evidence(); });
  EXPECT_THAT(evidence, AllOf(Contains(Pair("events-System", HasSubstr("Kernel-General"))),
                              Contains(Pair("processes", HasSubstr("\"dns.exe\""))),
                              Contains(Pair("addresses", HasSubstr("10.20.0.10")))));
  EXPECT_EQ(address_of_web(), right_address);
  return before;
}

// Only the client is there, and the guest's kernel knows it then.
void tries_to_get_out(StandIn& guest) {
  const Outreach wanted{.tries = {{Outreach::Kind::tcp, client.text(), 22, {}},
                                  {Outreach::Kind::dns, client.text(), 53, std::string("\x12\x34\0\0", 4)},
                                  {Outreach::Kind::tcp, "192.0.2.1", 22, {}},
                                  {Outreach::Kind::tcp, address.text(), 22, {}}},
                        .frames = {"\x01"},
                        .address = address.text(),
                        .mac = "52:54:00:14:00:0a",
                        .known = {}};
  const auto seen = value_of("trying to get out", [&] { return guest.adapter().reach_out(wanted); });
  EXPECT_NE(seen.no_frames, "");
  ASSERT_EQ(seen.tries.size(), 4U);
  for (const auto i : {0U, 1U}) EXPECT_TRUE(seen.tries[i].sent && seen.tries[i].answered) << seen.tries[i].words;
  EXPECT_TRUE(seen.tries[2].sent && !seen.tries[2].answered) << seen.tries[2].words;
  EXPECT_FALSE(seen.tries[3].sent) << "its own address";
  ASSERT_TRUE(seen.neighbours) << seen.no_frames;
  EXPECT_THAT(*seen.neighbours, Contains(::testing::Field(&OutreachSeen::Neighbour::address, client.text())));
}

void takes_a_good_update_and_gives_it_back(StandIn& guest, const Before& before) {
  const auto outcome = guest.apply("good.msu");
  EXPECT_EQ(outcome.end, InstallEnd::installed) << outcome.log;
  auto expected = before.installed;
  expected[identity("KB9900001")] = "installed";
  EXPECT_EQ(guest.installed(), expected);
  EXPECT_EQ(guest.apply("good.msu").end, InstallEnd::already_installed);
  EXPECT_EQ(Json(guest.state()), Json(before.state));
  EXPECT_FALSE(guest.pending().is_due());
  EXPECT_EQ(address_of_web(), right_address);
  const auto removed = guest.remove(removable("good.msu", "KB9900001"));
  EXPECT_EQ(removed.end, InstallEnd::installed) << removed.log;
  EXPECT_EQ(guest.installed(), before.installed);
  EXPECT_EQ(guest.remove(removable("good.msu", "KB9900001")).end, InstallEnd::already_installed);
  const auto evidence = value_of("evidence", [&] { return guest.adapter().evidence(); });
  EXPECT_THAT(evidence, AllOf(Contains(Pair("CBS.log", HasSubstr(identity("KB9900001") + " is now Installed"))),
                              Contains(Pair("events-Setup", HasSubstr("KB9900001")))));
}

void takes_a_bare_cabinet(StandIn& guest, const Before& before) {
  const auto outcome = guest.apply("good-cab.cab");
  EXPECT_EQ(outcome.end, InstallEnd::installed) << outcome.log;
  EXPECT_THAT(guest.installed(), Contains(Pair(identity("KB9900002"), "installed")));
  EXPECT_EQ(guest.remove(removable("good-cab.cab", "KB9900002")).end, InstallEnd::installed);
  EXPECT_EQ(guest.installed(), before.installed);
}

void shows_clients_what_an_update_changed(StandIn& guest, const Before& before) {
  EXPECT_EQ(guest.apply("breaks-dns.msu").end, InstallEnd::installed);
  EXPECT_EQ(address_of_web(), wrong_address);
  EXPECT_EQ(Json(guest.state()), Json(before.state));
  EXPECT_EQ(guest.remove(removable("breaks-dns.msu", "KB9900004")).end, InstallEnd::installed);
  EXPECT_EQ(address_of_web(), right_address);
}

void refuses_what_it_cannot_take(StandIn& guest, const Before& before) {
  const auto other = guest.apply("not-applicable.msu");
  EXPECT_EQ(other.end, InstallEnd::not_applicable);
  EXPECT_EQ(other.exit_code, 0x80240017U);
  EXPECT_EQ(guest.apply("already-installed.msu").end, InstallEnd::already_installed);
  const auto damaged = guest.apply("fails-to-install.msu");
  EXPECT_EQ(damaged.end, InstallEnd::failed);
  EXPECT_EQ(damaged.exit_code, 0x80070002U);
  EXPECT_EQ(guest.installed(), before.installed);
  auto expected = before.state;
  expected.error_kinds = {"Setup: Microsoft-Windows-Servicing 3"};
  EXPECT_EQ(Json(guest.state()), Json(expected));
}

void takes_a_product_and_gives_it_back(StandIn& guest, const Before& before) {
  const auto outcome = guest.apply("good-msi.msi");
  EXPECT_EQ(outcome.end, InstallEnd::installed) << outcome.log;
  auto expected = before.installed;
  expected[std::string("product ") + good_product] = "1.2.3";
  EXPECT_EQ(guest.installed(), expected);
  EXPECT_EQ(Json(guest.state()), Json(before.state));
  InstalledPackage product;
  product.file_name = "good-msi.msi";
  product.product_code = good_product;
  const auto removed = guest.remove(product);
  EXPECT_EQ(removed.end, InstallEnd::installed) << removed.log;
  EXPECT_EQ(guest.installed(), before.installed);
  EXPECT_EQ(guest.remove(product).exit_code, 1605U);
}

void installs_no_product_that_does_not_fit(StandIn& guest, const Before& before) {
  const auto outcome = guest.apply("fails-msi.msi");
  EXPECT_EQ(outcome.end, InstallEnd::failed);
  EXPECT_EQ(outcome.exit_code, 1603U);
  EXPECT_THAT(outcome.log, HasSubstr("install.log:\n"));
  EXPECT_THAT(outcome.log, HasSubstr("Fabrikam Portal"));
  EXPECT_EQ(guest.apply("not-applicable.msp").end, InstallEnd::not_applicable);
  EXPECT_EQ(guest.installed(), before.installed);
  EXPECT_EQ(guest.apply("breaks-dns-msi.msi").end, InstallEnd::installed);
  EXPECT_EQ(address_of_web(), wrong_address);
}

void runs_setup_programs(StandIn& guest, const Before& before) {
  const auto refused = guest.apply("fails-exe.exe");
  EXPECT_EQ(refused.end, InstallEnd::failed);
  EXPECT_EQ(refused.exit_code, 17U);
  EXPECT_EQ(guest.apply("good-exe.exe").end, InstallEnd::reboot_needed);
  auto expected = before.installed;
  expected["product Fabrikam Tool"] = "4.5.0.0";
  EXPECT_EQ(guest.installed(), expected);
  EXPECT_EQ(address_of_web(), right_address);
  EXPECT_EQ(guest.apply("breaks-dns-exe.exe").end, InstallEnd::installed);
  EXPECT_EQ(address_of_web(), wrong_address);
}

void completes_or_undoes_at_the_restart(StandIn& guest, const Before& before) {
  EXPECT_EQ(guest.apply("good-reboot.msu").end, InstallEnd::reboot_needed);
  EXPECT_EQ(guest.apply("breaks-dns-at-restart.msu").end, InstallEnd::reboot_needed);
  EXPECT_EQ(guest.apply("fails-at-restart.msu").end, InstallEnd::reboot_needed);
  EXPECT_EQ(address_of_web(), right_address);
  EXPECT_THAT(guest.pending().strong,
              ::testing::ElementsAre("servicing: RebootPending", "Windows Update: RebootRequired"));
  EXPECT_THAT(guest.installed(), Contains(Pair(identity("KB9900003"), "install pending")));
  const auto waiting =
      pending_installs(value_of("each means", [&] { return guest.adapter().installed_by_each_means(); }));
  EXPECT_THAT(waiting, ::testing::ElementsAre(identity("KB9900003"), identity("KB9900005"), identity("KB9900008")));
  const auto boot = guest.boot_id();
  const auto proofs = value_of("restart", [&] {
    return reboot_until_clear(guest.adapter(), guest.agent(), guest.clock(), {.each = seconds(300)});
  });
  ASSERT_EQ(proofs.size(), 1U);
  EXPECT_EQ(proofs[0].boot_id_before, boot);
  EXPECT_NE(guest.boot_id(), boot);
  const auto undone = value_of("rolled back", [&] { return guest.adapter().rolled_back(waiting); });
  EXPECT_THAT(undone, ::testing::ElementsAre(
                          Rollback{identity("KB9900008"), PackageState::staged, std::optional{0x80070002U}}));
  auto expected = before.installed;
  expected[identity("KB9900003")] = "installed";
  expected[identity("KB9900005")] = "installed";
  EXPECT_EQ(guest.installed(), expected);
  EXPECT_EQ(address_of_web(), wrong_address);
}

void powers_itself_off(StandIn& guest) {
  (void)measured("cold restart", [&] {
    return cold_restart_and_prove(guest.adapter(), guest.agent(), guest.hypervisor(), guest.clock(), seconds(300));
  });
  EXPECT_EQ(address_of_web(), right_address);
}

class WindowsStandIn : public ::testing::Test {
 protected:
  void SetUp() override {
    auto image = image::newest(cache_folder(), "windows-stand-in");
    if (!image) GTEST_SKIP() << image.error().message;
    image_ = std::move(image).value();
    if (const auto why = test::why_no_cells(); !why.empty()) GTEST_SKIP() << "no cells on this host: " << why;
    for (const auto* program : {"gcab", "makensis", "msibuild", "wixl", "xorriso"}) {
      if (testing::is_missing(program)) GTEST_SKIP() << program << " is not installed";
    }
    char name[] = "/tmp/patchlab-stand-in-XXXXXX";
    folder_ = ::mkdtemp(name);
    make_medium();
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  // All packages on one disc, made anew.
  void make_medium() {
    ProcessSpec make;
    make.program = PATCHLAB_SOURCE_DIR "/scenarios/windows-stand-in/make-packages";
    make.arguments = {folder_ / "packages"};
    const auto made = run_for_output(host_processes(), make);
    ASSERT_TRUE(made) << made.error().message;
    make_patch();
    std::vector<std::pair<std::string, std::filesystem::path>> sources;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "packages")) {
      if (installer_for(entry.path().filename().string())) sources.emplace_back(entry.path().filename(), entry.path());
    }
    std::sort(sources.begin(), sources.end());
    ASSERT_TRUE(host_processes().run(patches::medium_command(sources, medium())).succeeded());
  }
  // For a product that is not there; without transforms, which no free program writes. Its class makes it a patch.
  void make_patch() const {
    const auto file = folder_ / "packages" / "not-applicable.msp";
    ProcessSpec make;
    make.program = "msibuild";
    make.arguments = {file,
                      "-s",
                      "Fix",
                      "Nobody",
                      "{9900A00F-0000-4000-8000-000000000001}",
                      "{9900A00F-0000-4000-8000-000000000002}"};
    const auto made = run_for_output(host_processes(), make);
    ASSERT_TRUE(made) << made.error().message;
    auto bytes = read_file(file).value();
    const auto class_at = bytes.find(std::string("\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46", 16));
    ASSERT_NE(class_at, std::string::npos);
    bytes[class_at] = static_cast<char>(0x86);
    ASSERT_TRUE(write_file_atomically(file, bytes));
  }
  [[nodiscard]] std::filesystem::path medium() const { return folder_ / "packages.iso"; }

  image::GoldenImage image_;
  std::filesystem::path folder_;
};

TEST_F(WindowsStandIn, IsDrivenByTheAdapterAsWindowsIs) {
  network::CellNamespaces wanted;
  wanted.folder = folder_ / "cell";
  wanted.readable = {image_.folder, medium()};
  std::filesystem::create_directories(wanted.folder);
  // The worker is a copy of this process: what fails in it is printed there and told by its exit code.
  const auto life = [&] {
    StandIn guest(image_, wanted.folder, medium());
    const auto before = looks_like_windows(guest);
    tries_to_get_out(guest);
    if (HasFailure()) return 1;
    guest.save();
    const std::vector<std::function<void()>> parts{[&] { takes_a_good_update_and_gives_it_back(guest, before); },
                                                   [&] { takes_a_bare_cabinet(guest, before); },
                                                   [&] { shows_clients_what_an_update_changed(guest, before); },
                                                   [&] { refuses_what_it_cannot_take(guest, before); },
                                                   [&] { takes_a_product_and_gives_it_back(guest, before); },
                                                   [&] { installs_no_product_that_does_not_fit(guest, before); },
                                                   [&] { runs_setup_programs(guest, before); },
                                                   [&] { completes_or_undoes_at_the_restart(guest, before); },
                                                   [&] { powers_itself_off(guest); }};
    for (const auto& part : parts) {
      guest.go_back();
      part();
    }
    std::cout.flush();
    return HasFailure() ? 1 : 0;
  };
  EXPECT_EQ(test::run_in_cell(life, wanted), 0);
}

}  // namespace
}  // namespace patchlab::lab::guest::windows
