// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/log_kinds.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace patchlab::lab::guest {
namespace {
using testing::ElementsAre;
using testing::IsEmpty;

TEST(LogKind, LosesTimeHostAndProcessId) {
  EXPECT_EQ(log_kind("Nov  2 06:19:40 dns1 named[163]: error: zone x not loaded"),
            "named[#]: error: zone x not loaded");
  EXPECT_EQ(log_kind("2026-11-22T06:19:40.123456+00:00 dns1 named[163]: error: zone x not loaded"),
            "named[#]: error: zone x not loaded");
}

TEST(LogKind, IsTheSameForTwoOccurrences) {
  const std::pair<const char*, const char*> same[] = {
      {"Nov 22 06:19:40 m postfix/smtpd[12]: fatal: 3F2A41C0D9: host 10.20.0.4",
       "Dec  1 16:00:00 m postfix/smtpd[9999]: fatal: A81B2C99E0: host 10.20.0.250"},
      {"2026-11-22 06:19:40.123 UTC [77] FATAL:  role \"x\" at 0x7ffd12",
       "2026-12-01 23:59:59.999 UTC [4321] FATAL:  role \"x\" at 0xdeadbeef"},
      {"cannot open /tmp/sess_ab12.lock: error: 5", "cannot open /tmp/sess_zZ99_x.lock: error: 17"},
      {"error: client fe80::1%eth0#5353 gone", "error: client 2001:db8::2%eth0#999 gone"},
      {"error: job 1b4e28ba-2fa1-11d2-883f-0016d3cca427 lost", "error: job 6ba7b810-9dad-11d1-80b4-00c04fd430c8 lost"},
      {"error: mac 52:54:00:14:00:10", "error: mac 52:54:00:14:00:fe"},
      {"error: -12 of 3.5", "error: -7 of 12.25"},
  };
  for (const auto& [a, b] : same) EXPECT_EQ(log_kind(a), log_kind(b)) << a;
}

TEST(LogKind, IsTheSameInEveryTimeZone) {
  const auto line = [](const std::string& zone) {
    return "Nov 25 13:40:01 db1 postgres[163]: [3-1] 2026-11-25 13:40:01.123 " + zone +
           " [163] app@corp FATAL:  password authentication failed for user \"app\"";
  };
  EXPECT_EQ(log_kind(line("UTC")), log_kind(line("EST")));
  EXPECT_EQ(log_kind(line("UTC")), log_kind(line("CEST")));
  EXPECT_EQ(log_kind(line("UTC")),
            "postgres[#]: [#] # # [#] app@corp FATAL:  password authentication failed for user \"app\"");
  for (const auto* level : {"ERROR", "FATAL", "CRIT", "ALERT", "ERR", "WARN"})
    EXPECT_EQ(log_kind(fmt::format("at 13:40:01 {}: a", level)), fmt::format("at # {}: a", level));
  EXPECT_NE(log_kind("disk 3 EIO"), log_kind("disk 3 ENOSPC"));
}

TEST(LogKind, DiffersForDifferentTexts) {
  EXPECT_NE(log_kind("named[1]: error: zone x not loaded"), log_kind("named[1]: error: zone y not loaded"));
  EXPECT_NE(log_kind("named[1]: error: x"), log_kind("smbd[1]: error: x"));
  EXPECT_NE(log_kind("error: face"), log_kind("error: dead"));
}

TEST(LogKind, KeepsWordsThatOnlyLookLikeMonthsOrNumbers) {
  EXPECT_EQ(log_kind("ERROR [kea-dhcp4.dhcp4/123.140] DHCP4_CONFIG_LOAD_FAIL x"),
            "ERROR [kea-dhcp#.dhcp#] DHCP#_CONFIG_LOAD_FAIL x");
  EXPECT_EQ(log_kind("Marching error:"), "Marching error:");
}

TEST(LogKind, IsShortAndValidText) {
  EXPECT_LE(log_kind(std::string(100000, 'x')).size(), 200U);
  EXPECT_EQ(log_kind("error: \xff\xfe"), "error: \xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(log_kind(""), "");
  EXPECT_EQ(log_kind("Nov"), "");
  EXPECT_EQ(log_kind("cannot read /tmp/"), "cannot read /tmp/");
}

TEST(LogKinds, AreListedOnce) {
  EXPECT_THAT(log_kinds("a[1]: error: x\na[2]: error: x\n\nb[1]: error: y\n"),
              ElementsAre("a[#]: error: x", "b[#]: error: y"));
}

// From logs of PostgreSQL 15 and src/backend/tcop/postgres.c.
TEST(LogKinds, LeaveOutWhatAServerSaysThatIsToldToStop) {
  const std::string line = "2026-11-30 05:12:44.812 UTC [811] ";
  const auto at_stop = [&](const std::string& said) { return log_kinds(line + said + "\n"); };
  for (const auto* said :
       {"FATAL:  terminating connection due to administrator command",
        "FATAL:  terminating autovacuum process due to administrator command",
        "FATAL:  terminating background worker \"logical replication launcher\" due to administrator command",
        "app@corp FATAL:  terminating walreceiver process due to administrator command",
        "app@corp FATAL:  the database system is shutting down", "app@corp FATAL:  the database system is starting up",
        "app@corp FATAL:  the database system is not yet accepting connections"})
    EXPECT_THAT(at_stop(said), IsEmpty()) << said;
}

TEST(LogKinds, KeepWhatAServerSaysThatStopsByItself) {
  for (const auto* said : {"FATAL:  terminating connection because of crash of another server process",
                           "FATAL:  terminating connection due to conflict with recovery",
                           "FATAL:  terminating connection due to unexpected postmaster exit",
                           "FATAL:  the database system is in recovery mode",
                           "FATAL:  could not load library \"/usr/lib/x.so\" due to administrator command",
                           "ERROR:  terminating connection due to administrator command",
                           "FATAL:  terminating connection due to administrator command, so it said",
                           "FATAL:  role \"the database system is starting up\" does not exist",
                           "PANIC:  could not locate a valid checkpoint record"})
    EXPECT_EQ(log_kinds(std::string(said) + "\n").size(), 1U) << said;
}

TEST(KernelKinds, AreErrorsAndWorseWhateverTheFacility) {
  EXPECT_THAT(kernel_kinds("<6>[    0.1] fine\n<4>[    0.2] warning\n<3>[   12.345678] virtio_blk: bad 77\n<10>[ 3.0] "
                           "user crit\n<14>[ 3.1] user info\n"),
              ElementsAre("kernel: user crit", "kernel: virtio_blk: bad #"));
}

TEST(KernelKinds, AreCrashesAtAnyLevel) {
  EXPECT_THAT(
      kernel_kinds(
          "<6>[  99.1] named[163]: segfault at 10 ip 00007f12 sp 00007ffd error 4 in libc.so.6[7f00+1000]\n"
          "<4>[  99.2] general protection fault, probably for non-canonical address 0xdead000000000100: 0000 [#1]\n"),
      ElementsAre(testing::StartsWith("kernel: general protection fault"),
                  testing::StartsWith("kernel: named[#]: segfault at # ip # sp # error # in libc.so.#")));
}

TEST(KernelKinds, LeaveOutAStarvedProcessor) {
  EXPECT_THAT(kernel_kinds("<0>[  99.1] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [named:163]\n<3>[ 1.0] rcu: "
                           "INFO: rcu_preempt self-detected stall\n"
                           "<3>[ 0.3] ..MP-BIOS bug: 8254 timer not connected to IO-APIC\n"),
              IsEmpty());
  EXPECT_THAT(log_kinds("Nov 22 06:00:00 dns1 kernel: watchdog: BUG: soft lockup - CPU#0 stuck for 22s!\n"), IsEmpty());
}

TEST(KernelKinds, IgnoreWhatIsNotAKernelLine) { EXPECT_THAT(kernel_kinds("<\n<3\n<x>error\n3>[1] a\n\n"), IsEmpty()); }

}  // namespace
}  // namespace patchlab::lab::guest
