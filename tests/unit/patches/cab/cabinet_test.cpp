// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/cab/cabinet.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "patches/cab/entry_name.hpp"
#include "tests/support/windows_packages.hpp"

namespace patchlab::patches {
namespace {

using testing::CabBuilder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<ByteSink*> nothing(const CabEntry&) { return nullptr; }

std::string trouble_with_cabinet(const std::string& bytes, const CabLimits& limits = {}) {
  UnpackBudget budget(limits);
  const auto content = read_cabinet(MemorySource(bytes), "x.cab", budget, nothing);
  return content ? "no trouble" : content.error().message;
}

CabBuilder two_files() { return {{{"a.txt", "first"}, {"folder\\b.txt", std::string(70'000, 'b')}}}; }

TEST(Cabinet, UnpacksWhatIsChosenAndCountsTheRest) {
  const auto bytes = two_files().bytes();
  UnpackBudget budget;
  TextSink sink(1U << 20U);
  const auto content = read_cabinet(
      MemorySource(bytes), "x.cab", budget,
      [&](const CabEntry& entry) -> Result<ByteSink*> { return entry.name == "folder\\b.txt" ? &sink : nullptr; });
  ASSERT_TRUE(content) << content.error().message;
  EXPECT_EQ(content->entries, (std::vector<CabEntry>{{"a.txt", 5}, {"folder\\b.txt", 70'000}}));
  EXPECT_EQ(content->unpacked_bytes, 70'005U);
  EXPECT_EQ(sink.bytes, std::string(70'000, 'b'));
}

TEST(Cabinet, RefusesWhatIsNone) {
  EXPECT_EQ(trouble_with_cabinet(""), "'x.cab' is no cabinet (no MSCF signature)");
  EXPECT_EQ(trouble_with_cabinet("<html>"), "'x.cab' is no cabinet (no MSCF signature)");
  EXPECT_EQ(trouble_with_cabinet("MSCF"), "'x.cab' is truncated (no complete header)");
}

TEST(Cabinet, NoticesEveryTruncation) {
  const auto bytes = two_files().bytes();
  for (std::size_t size = 0; size < bytes.size(); size += 97)
    EXPECT_NE(trouble_with_cabinet(bytes.substr(0, size)), "no trouble") << size;
  EXPECT_EQ(trouble_with_cabinet(bytes.substr(0, bytes.size() - 1)),
            fmt::format("'x.cab' is truncated: it declares {} bytes, {} are there", bytes.size(), bytes.size() - 1));
  // The declared size made to fit: then the data are missing.
  auto shorter = bytes.substr(0, bytes.size() - 100);
  testing::set32(shorter, 8, static_cast<std::uint32_t>(shorter.size()));
  EXPECT_THAT(trouble_with_cabinet(shorter), HasSubstr("'x.cab': entry 'folder\\b.txt' is"));
}

TEST(Cabinet, ComparesChecksums) {
  auto bytes = two_files().bytes();
  bytes[bytes.size() - 10] ^= 1;
  EXPECT_EQ(trouble_with_cabinet(bytes), "'x.cab': entry 'folder\\b.txt' is damaged (a checksum is wrong)");
}

TEST(Cabinet, RefusesNamesThatLeaveTheFolder) {
  EXPECT_EQ(trouble_with_cabinet(CabBuilder{{{"..\\..\\windows\\system32\\evil.dll", "x"}}}.bytes()),
            "'x.cab' holds the dangerous name '..\\..\\windows\\system32\\evil.dll': it leaves its folder");
  EXPECT_THAT(trouble_with_cabinet(CabBuilder{{{"/etc/passwd", "x"}}}.bytes()), HasSubstr("it begins at the root"));
  EXPECT_THAT(trouble_with_cabinet(CabBuilder{{{"c:\\x", "x"}}}.bytes()), HasSubstr("it names a drive or a stream"));
}

TEST(Cabinet, RefusesDeclaredSizesAboveTheLimit) {
  CabLimits limits;
  limits.unpacked_bytes = 1000;
  EXPECT_EQ(trouble_with_cabinet(two_files().bytes(), limits), "'x.cab' unpacks to more than the 1000 bytes allowed");
  // Two gigabytes declared where a few bytes are: refused at once, without memory for them.
  auto bytes = two_files().bytes();
  testing::set32(bytes, two_files().entry_offset(1), 0x7fff0000);
  EXPECT_THAT(trouble_with_cabinet(bytes), HasSubstr("is damaged"));
}

TEST(Cabinet, RefusesTooManyEntries) {
  CabLimits limits;
  limits.entries = 1;
  EXPECT_EQ(trouble_with_cabinet(two_files().bytes(), limits), "'x.cab' has more than the 1 entries allowed");
  auto bytes = two_files().bytes();
  testing::set16(bytes, 28, 0xffff);
  EXPECT_THAT(trouble_with_cabinet(bytes), HasSubstr("'x.cab' is"));
}

// Each would make libmspack unpack the folder again from its beginning.
TEST(Cabinet, RefusesEntriesThatShareBytes) {
  auto bytes = two_files().bytes();
  testing::set32(bytes, two_files().entry_offset(1) + 4, 0);
  EXPECT_EQ(trouble_with_cabinet(bytes), "'x.cab' is damaged: 'folder\\b.txt' shares bytes with another entry");
}

TEST(Cabinet, RefusesOnePartOfASet) {
  for (const std::uint32_t flag : {1U, 2U}) {
    auto cab = two_files();
    cab.flags = flag;
    EXPECT_EQ(trouble_with_cabinet(cab.bytes()), "'x.cab' is one part of a cabinet set, which no servicing package is");
  }
}

TEST(Cabinet, StopsAtItsTimeLimit) {
  CabLimits limits;
  limits.time = Milliseconds(-1000);
  UnpackBudget budget(limits);
  const auto bytes = two_files().bytes();
  const auto content = read_cabinet(MemorySource(bytes), "x.cab", budget, nothing);
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().error_class, ErrorClass::timeout);
  EXPECT_THAT(content.error().message, HasSubstr("takes longer to unpack than the"));
}

TEST(Cabinet, EndsWhenASinkRefuses) {
  const auto bytes = two_files().bytes();
  UnpackBudget budget;
  TextSink sink(10);
  const auto content =
      read_cabinet(MemorySource(bytes), "x.cab", budget, [&](const CabEntry&) -> Result<ByteSink*> { return &sink; });
  ASSERT_FALSE(content);
  EXPECT_EQ(content.error().message, "'x.cab': entry 'folder\\b.txt' is bigger than the 10 bytes allowed");
}

TEST(UnpackBudget, IsSharedByNestedCabinets) {
  CabLimits limits;
  limits.entries = 3;
  UnpackBudget budget(limits);
  const auto bytes = two_files().bytes();
  EXPECT_TRUE(read_cabinet(MemorySource(bytes), "x.cab", budget, nothing));
  EXPECT_FALSE(read_cabinet(MemorySource(bytes), "x.cab", budget, nothing));
}

TEST(DangerousName, AcceptsWhatPackagesHold) {
  EXPECT_THAT(dangerous_name("update.mum"), IsEmpty());
  EXPECT_THAT(dangerous_name("amd64_microsoft-windows-dns_31bf3856ad364e35_6.2.9200.1_none_0123\\dns.exe"), IsEmpty());
  EXPECT_THAT(dangerous_name("a..b\\c"), IsEmpty());
}

TEST(DangerousName, SaysWhatIsWrong) {
  EXPECT_EQ(dangerous_name(""), "is empty");
  EXPECT_EQ(dangerous_name("\\\\server\\share"), "begins at the root");
  EXPECT_EQ(dangerous_name("a/../../b"), "leaves its folder");
  EXPECT_EQ(dangerous_name("a\\.. .\\b"), "leaves its folder");
  EXPECT_EQ(dangerous_name("file.txt:hidden"), "names a drive or a stream");
  EXPECT_EQ(dangerous_name("a\nb"), "holds control characters");
}

TEST(AnonymousFile, KeepsBytesUpToItsLimit) {
  auto file = AnonymousFile::create(10);
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->write("12345"));
  EXPECT_TRUE(file->write("67890"));
  EXPECT_EQ(file->block(4, 3, "x").value(), "567");
  EXPECT_EQ(file->write("1").error().message, "is bigger than the 10 bytes allowed");
  EXPECT_EQ(file->block(4, 7, "x").error().message, "'x' is truncated: 7 bytes at 4 are not there");
}

}  // namespace
}  // namespace patchlab::patches
