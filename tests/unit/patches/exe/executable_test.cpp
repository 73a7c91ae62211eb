// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/exe/executable.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/windows_packages.hpp"

namespace patchlab::patches {
namespace {

using ::testing::HasSubstr;
using testing::ProgramBuilder;

std::string trouble_with_executable(const std::string& bytes) {
  const auto program = read_executable(MemorySource(bytes), "x.exe");
  return program ? "no trouble" : program.error().message;
}

TEST(Executable, TellsArchitectureAndVersionResource) {
  for (const auto& [machine, name] :
       {std::pair(0x8664U, "amd64"), std::pair(0x014cU, "x86"), std::pair(0xaa64U, "arm64")}) {
    ProgramBuilder builder;
    builder.machine = machine;
    const auto program = read_executable(MemorySource(builder.bytes()), "x.exe");
    ASSERT_TRUE(program) << program.error().message;
    EXPECT_EQ(program->architecture, name);
    EXPECT_EQ(program->product_name, "SQL Server 2012 KB5021123");
    EXPECT_EQ(program->file_version, "11.0.7512.11");
  }
}

TEST(Executable, RecognisesInstallersByTheirSections) {
  ProgramBuilder builder;
  builder.section = ".wixburn";
  EXPECT_EQ(read_executable(MemorySource(builder.bytes()), "x.exe")->installer, "WiX Burn");
}

TEST(Executable, ReadsProgramsWithoutAVersion) {
  auto bytes = ProgramBuilder{}.bytes();
  testing::set32(bytes, 0x200 + 16, 17);  // the resource is of another type
  const auto program = read_executable(MemorySource(bytes), "x.exe");
  ASSERT_TRUE(program) << program.error().message;
  EXPECT_EQ(program->product_name, "");
}

TEST(Executable, RefusesWhatIsNoWindowsProgram) {
  EXPECT_EQ(trouble_with_executable("MZ"), "'x.exe' is truncated: 64 bytes at 0 are not there");
  EXPECT_EQ(trouble_with_executable(std::string(64, 'x')), "'x.exe' is no program (no MZ signature)");
  auto bytes = ProgramBuilder{}.bytes();
  bytes[64] = 'N';
  EXPECT_EQ(trouble_with_executable(bytes), "'x.exe' is no Windows program (no PE signature): a program for DOS?");
  ProgramBuilder unknown;
  unknown.machine = 0x1234;
  EXPECT_EQ(trouble_with_executable(unknown.bytes()), "'x.exe' is a program for an unknown architecture (0x1234)");
}

TEST(Executable, NoticesThatItIsTruncated) {
  const auto bytes = ProgramBuilder{}.bytes();
  EXPECT_THAT(trouble_with_executable(bytes.substr(0, bytes.size() - 1)),
              HasSubstr("'x.exe' is truncated: section '.rsrc' ends at byte"));
}

// The resource's tree pointing at itself, and version blocks of no length.
TEST(Executable, SurvivesResourcesThatGoRound) {
  auto bytes = ProgramBuilder{}.bytes();
  testing::set32(bytes, 0x200 + 20, 0x80000000);
  EXPECT_EQ(trouble_with_executable(bytes), "no trouble");
  bytes = ProgramBuilder{}.bytes();
  testing::set16(bytes, 0x200 + 0x58, 0);
  EXPECT_EQ(trouble_with_executable(bytes), "no trouble");
}

}  // namespace
}  // namespace patchlab::patches
