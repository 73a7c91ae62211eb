// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The DHCP check against a real Kea, through a bridge, in namespaces of this test.
#include <gmock/gmock.h>

#include "checks/registry/registry.hpp"
#include "checks/run.hpp"
#include "tests/integration/checks/dhcp/kea_network.hpp"

namespace patchlab::checks::dhcp {
namespace {

class KeaTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { why_not_ = KeaNetwork::enter(); }
  void SetUp() override {
    if (!why_not_.empty()) GTEST_SKIP() << why_not_;
    network_.emplace();
  }

  [[nodiscard]] testing::AssertionResult started(const std::string& pool = "10.20.0.100 - 10.20.0.199") {
    const auto trouble = network_->start(pool);
    return trouble.empty() ? testing::AssertionSuccess() : testing::AssertionFailure() << trouble;
  }

  static Json parameters() {
    return Json::parse(R"({"server": "10.20.0.11", "pool": {"from": "10.20.0.100", "to": "10.20.0.199"},
      "options": {"subnet-mask": "255.255.255.0", "routers": ["10.20.0.1"], "domain-name-servers": ["10.20.0.10"],
                  "domain-name": "corp.example", "dhcp-lease-time": 3600, "dhcp-renewal-time": 1800, "dhcp-rebinding-time": 3150}})");
  }
  static CheckResult checked(const Json& with, Milliseconds deadline = std::chrono::seconds(20),
                             const std::string& interface = "br0", const Json& memory = {}) {
    CheckWorkers workers;
    workers.program = DHCP_CHECK_WORKER;
    workers.find = find_check;
    Target target{"10.20.0.11", "10.20.0.250", interface};
    target.memory = memory;
    return run_check(host_processes(), workers, {CheckSpec{"lease", "dhcp.lease", with, deadline}, target});
  }
  static Json with_key(const char* key, const Json& value) {
    auto with = parameters();
    with[key] = value;
    with["offer_window_ms"] = 100;
    return with;
  }
  static std::string told(const CheckResult& result) {
    return result.reason + ": " + result.expected + " / " + result.observed + "\n" + result.evidence.dump(1);
  }

  static std::string why_not_;
  std::optional<KeaNetwork> network_;
};
std::string KeaTest::why_not_;

TEST_F(KeaTest, ClientLeasesRenewsAndReleases) {
  ASSERT_TRUE(started());
  const auto result = checked(parameters());
  ASSERT_EQ(result.outcome, Outcome::pass) << told(result);
  EXPECT_THAT(result.observed, testing::StartsWith("leased and renewed 10.20.0.1"));
  auto with = parameters();
  with["broadcast"] = true;
  const auto again = checked(with);
  EXPECT_EQ(again.outcome, Outcome::pass) << told(again);
  with["further"] = {"rebind", "init-reboot", "inform"};
  const auto further = checked(with);
  EXPECT_EQ(further.outcome, Outcome::pass) << told(further);
  with["options"].erase("dhcp-lease-time");
  with["lease_time"] = {{"least", 3000}, {"most", 4000}};
  EXPECT_EQ(checked(with).outcome, Outcome::pass);
  with["lease_time"] = {{"least", 60}, {"most", 600}};
  const auto longer = checked(with);
  EXPECT_EQ(longer.reason, "lease-time-differs") << told(longer);
}

// Each check is another client: the second can only have the one address there is if the first gave it back.
TEST_F(KeaTest, ReleasedAddressIsLeasedAgain) {
  ASSERT_TRUE(started("10.20.0.150 - 10.20.0.150"));
  for (int client = 0; client < 2; ++client) {
    const auto result = checked(parameters());
    ASSERT_EQ(result.outcome, Outcome::pass) << told(result);
    EXPECT_EQ(result.observed, "leased and renewed 10.20.0.150 from 10.20.0.11");
  }
}

TEST_F(KeaTest, NeighboursHoldLeasesAndGiveThemBack) {
  ASSERT_TRUE(started("10.20.0.150 - 10.20.0.153"));
  auto with = parameters();
  with["neighbours"] = 3;
  for (int round = 0; round < 2; ++round) {
    const auto result = checked(with);
    EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  }
}

TEST_F(KeaTest, PoolTooSmallIsFound) {
  ASSERT_TRUE(started("10.20.0.150 - 10.20.0.151"));
  auto with = parameters();
  with["neighbours"] = 5;
  const auto result = checked(with, std::chrono::seconds(3));
  EXPECT_EQ(result.reason, "neighbour-without-lease") << told(result);
  EXPECT_EQ(result.observed, "client 3 got none");
}

// As the fence of a cell has it (lab/network/fence.cpp): a program that is nobody may speak from port 68.
TEST_F(KeaTest, CheckDhcpOfTheMonitoringPluginsAsksAsAClient) {
  auto program = read_check_program("/usr/lib/nagios/plugins/check_dhcp");
  if (!program) GTEST_SKIP() << "monitoring-plugins-standard is not installed";
  ASSERT_TRUE(started());
  std::ofstream("/proc/sys/net/ipv4/ip_unprivileged_port_start") << 0;
  CheckWorkers workers;
  workers.program = DHCP_CHECK_WORKER;
  workers.find = find_check;
  CheckSpec spec{"check-dhcp", "command"};
  spec.parameters = {{"program", "check_dhcp"}, {"arguments", {"-s", "{address}", "-i", "{interface}", "-t", "1"}}};
  spec.program = std::move(*program);
  const PlannedCheck planned{spec, Target{"10.20.0.11", "10.20.0.250", "br0"}};
  const auto served = run_check(host_processes(), workers, planned);
  EXPECT_EQ(served.outcome, Outcome::pass) << told(served);
  network_->stop_kea();
  const auto nobody = run_check(host_processes(), workers, planned);
  EXPECT_EQ(nobody.outcome, Outcome::fail) << told(nobody);
}

TEST_F(KeaTest, ReservationIsForItsMac) {
  ASSERT_TRUE(started());
  auto with = parameters();
  with["mac"] = "02:00:0a:14:00:32";
  with["pool"] = {{"from", "10.20.0.50"}, {"to", "10.20.0.50"}};
  const auto result = checked(with);
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
  EXPECT_EQ(result.observed, "leased and renewed 10.20.0.50 from 10.20.0.11");
  with["mac"] = "02:00:0a:14:00:33";
  EXPECT_EQ(checked(with).reason, "address-outside-pool");
}

TEST_F(KeaTest, LeaseSurvivesARestartOfTheServer) {
  ASSERT_TRUE(started());
  const auto with = with_key("kept", true);
  const auto first = checked(with);
  ASSERT_EQ(first.outcome, Outcome::pass) << told(first);
  EXPECT_THAT(first.observed, testing::EndsWith("; another client has a lease, to be asked for after a restart"));
  ASSERT_EQ(network_->restart_kea(), "");
  const auto second = checked(with, std::chrono::seconds(20), "br0", first.memory);
  ASSERT_EQ(second.outcome, Outcome::pass) << told(second);
  EXPECT_THAT(second.observed, testing::HasSubstr(first.memory["kept"]["address"].get<std::string>() +
                                                  " is still leased to the client that has it"));
  EXPECT_EQ(second.memory["kept"]["mac"], first.memory["kept"]["mac"]);
}

TEST_F(KeaTest, LeaseThatIsForgottenByARestartIsFound) {
  for (const bool authoritative : {false, true}) {
    network_.emplace();
    network_->persist = false;
    network_->authoritative = authoritative;
    ASSERT_TRUE(started());
    const auto with = with_key("kept", true);
    const auto first = checked(with);
    ASSERT_EQ(first.outcome, Outcome::pass) << told(first);
    ASSERT_EQ(network_->restart_kea(), "");
    const auto second = checked(with, Milliseconds(2500), "br0", first.memory);
    EXPECT_EQ(second.outcome, Outcome::fail);
    EXPECT_EQ(second.reason, "lease-forgotten") << told(second);
    EXPECT_EQ(second.memory, first.memory) << "whoever asks again asks for the same address";
  }
}

TEST_F(KeaTest, WhoComesFromAnotherNetworkIsToldByWhoIsAuthoritative) {
  ASSERT_TRUE(started());
  EXPECT_EQ(checked(with_key("wrong_network", "ignored")).outcome, Outcome::pass);
  const auto silent = checked(with_key("wrong_network", "refused"), Milliseconds(2500));
  EXPECT_EQ(silent.reason, "wrong-network-ignored") << told(silent);
  network_->authoritative = true;
  ASSERT_EQ(network_->restart_kea(), "");
  const auto refused = checked(with_key("wrong_network", "refused"));
  EXPECT_EQ(refused.outcome, Outcome::pass) << told(refused);
  EXPECT_EQ(checked(with_key("wrong_network", "ignored")).reason, "wrong-network-refused");
}

TEST_F(KeaTest, DeclinedAddressIsOfferedToNobody) {
  ASSERT_TRUE(started("10.20.0.150 - 10.20.0.152"));
  const auto with = with_key("declined", true);
  const auto first = checked(with);
  ASSERT_EQ(first.outcome, Outcome::pass) << told(first);
  ASSERT_EQ(network_->restart_kea("10.20.0.150 - 10.20.0.152"), "");
  const auto second = checked(with, std::chrono::seconds(20), "br0", first.memory);
  EXPECT_EQ(second.outcome, Outcome::pass) << told(second);
  EXPECT_FALSE(second.evidence.contains("declining")) << "each time costs an address";
  // A server that forgets what was declined gives it out again.
  network_.emplace();
  network_->persist = false;
  ASSERT_TRUE(started("10.20.0.150 - 10.20.0.152"));
  const auto before = checked(with);
  ASSERT_EQ(network_->restart_kea("10.20.0.150 - 10.20.0.152"), "");
  const auto after = checked(with, std::chrono::seconds(20), "br0", before.memory);
  EXPECT_EQ(after.reason, "declined-address-offered") << told(after);
}

TEST_F(KeaTest, RelayAgentIsAnsweredWithWhatItSaid) {
  ASSERT_TRUE(started());
  const auto result = checked(with_key("relayed", true));
  EXPECT_EQ(result.outcome, Outcome::pass) << told(result);
}

// All that learn writes for a server like the shipped one, in one check; what it costs is in the test's output.
TEST_F(KeaTest, OthersAreAskedInOneCheck) {
  network_->authoritative = true;
  ASSERT_TRUE(started());
  auto with = with_key("kept", true);
  const auto alone = checked(parameters());
  with.update({{"wrong_network", "refused"}, {"declined", true}, {"relayed", true}, {"offer_window_ms", 1000}});
  const auto all = checked(with);
  EXPECT_EQ(all.outcome, Outcome::pass) << told(all);
  RecordProperty("alone_ms", static_cast<int>(alone.duration.count()));
  RecordProperty("all_ms", static_cast<int>(all.duration.count()));
  fmt::print("a lease {} ms, with all others {} ms\n", alone.duration.count(), all.duration.count());
}

TEST_F(KeaTest, OtherOptionsAreFound) {
  ASSERT_TRUE(started());
  auto with = parameters();
  with["options"]["routers"] = {"10.20.0.2"};
  const auto result = checked(with);
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.reason, "options-differ") << told(result);
  EXPECT_EQ(result.observed, "routers 10.20.0.1");
}

TEST_F(KeaTest, AddressOutsideThePoolIsFound) {
  ASSERT_TRUE(started());
  auto with = parameters();
  with["pool"] = {{"from", "10.20.0.50"}, {"to", "10.20.0.60"}};
  EXPECT_EQ(checked(with).reason, "address-outside-pool");
}

TEST_F(KeaTest, OtherServerThanExpectedIsFound) {
  ASSERT_TRUE(started());
  auto with = parameters();
  with["server"] = "10.20.0.99";
  const auto result = checked(with);
  EXPECT_EQ(result.reason, "wrong-server") << told(result);
}

TEST_F(KeaTest, OccupiedAddressIsFound) {
  ASSERT_TRUE(started());
  network_->occupy("10.20.0.100");
  const auto result = checked(parameters());
  EXPECT_EQ(result.reason, "address-in-use") << told(result);
}

TEST_F(KeaTest, StoppedServerIsNoOffer) {
  ASSERT_TRUE(started());
  network_->stop_kea();
  const auto result = checked(parameters(), Milliseconds(1500));
  EXPECT_EQ(result.outcome, Outcome::fail);
  EXPECT_EQ(result.reason, "no-offer") << told(result);
}

TEST_F(KeaTest, MissingDeviceIsTroubleOfTheLab) {
  ASSERT_TRUE(started());
  const auto result = checked(parameters(), std::chrono::seconds(5), "br9");
  EXPECT_EQ(result.outcome, Outcome::error);
  ASSERT_TRUE(result.error);
  EXPECT_EQ(result.error->error_class, ErrorClass::infrastructure);
}

}  // namespace
}  // namespace patchlab::checks::dhcp
