// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/needs.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <sstream>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::cli {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAreArray;

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

// As whoever sources the file gets it.
Words packages(const std::string& list) {
  ProcessSpec spec;
  spec.program = "bash";
  spec.arguments = {"-c", ". tools/dependencies.sh && echo ${" + list + "[*]}"};
  spec.working_folder = PATCHLAB_SOURCE_DIR;
  std::istringstream words(run_for_output(host_processes(), spec).value());
  return {std::istream_iterator<std::string>(words), {}};
}

class Programs : public ProcessRunner {
 public:
  explicit Programs(bool there) : there_(there) {}
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    if (there_) return {Exited{0}, spec.program + " 1.0\nand more\n", {}, {}};
    return {NotStarted{"No such file or directory"}, {}, {}, {}};
  }

 private:
  bool there_;
};

class Needs : public ::testing::Test {
 protected:
  Needs() {
    std::string name = (fs::temp_directory_path() / "patchlab-needs-XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~Needs() override { (void)remove_tree(root_); }

  void put(const std::string& path, const std::string& text = "x") const {
    ASSERT_TRUE(create_folders((root_ / path).parent_path()));
    ASSERT_TRUE(write_file_atomically(root_ / path, text));
  }
  static const Need& of(const std::string& package) {
    return *std::ranges::find_if(needs(), [&](const Need& need) { return need.package == package; });
  }

  fs::path root_;
  Programs there_{true}, none_{false};
};

TEST_F(Needs, AreThePackagesThatAreInstalledAndThatOurPackageDependsOn) {
  Words all, some;
  for (const auto& need : needs()) (need.without.empty() ? all : some).push_back(need.package);
  EXPECT_THAT(all, UnorderedElementsAreArray(packages("lab_packages")));
  EXPECT_THAT(some, UnorderedElementsAreArray(packages("some_labs_packages")));
}

TEST_F(Needs, ThatAreMissingAreToldEachWithItsPackageAndWhatItIsFor) {
  for (const auto& need : needs()) {
    const auto finding = look_for(need, none_, root_);
    EXPECT_EQ(finding.health, need.without.empty() ? Health::fail : Health::warn) << need.package;
    EXPECT_EQ(finding.mend, "apt-get install " + need.package);
    EXPECT_EQ(finding.subject, need.subject);
    if (!need.without.empty()) EXPECT_EQ(finding.found, "missing: " + need.without);
  }
}

TEST_F(Needs, ThatAreThereAreFine) {
  put("usr/lib/some-arch/libvirt/connection-driver/libvirt_driver_qemu.so");
  put("usr/sbin/libvirtd");
  put("usr/bin/newuidmap");
  put("usr/lib/some-arch/krb5/plugins/preauth/pkinit.so");
  put("usr/lib/some-arch/sasl2/libgssapiv2.so");
  put("usr/lib/some-arch/libsmbclient.so.0");
  put("etc/odbcinst.ini",
      "[Other]\nDriver=other.so\n\n[PostgreSQL Unicode]\nDescription=x\nDriver=psqlodbcw.so\n\n[FreeTDS]\n"
      "Driver=libtdsodbc.so\n");
  for (const auto* name : {"psqlodbcw.so", "libtdsodbc.so"}) put(std::string("usr/lib/some-arch/odbc/") + name);
  for (const auto& need : needs()) {
    const auto finding = look_for(need, there_, root_);
    EXPECT_EQ(finding.health, Health::ok) << need.package << ": " << finding.found;
    EXPECT_THAT(finding.mend, IsEmpty());
    EXPECT_EQ(finding.found.find('\n'), std::string::npos);
  }
  EXPECT_EQ(look_for(of("xorriso"), there_, root_).found, "xorriso 1.0");
}

// unixODBC goes by the file: a driver that it does not name, or that is gone, is none.
TEST_F(Needs, AnOdbcDriverIsOneThatIsNamedAndThere) {
  const auto& driver = of("odbc-postgresql");
  const auto health = [&] { return look_for(driver, there_, root_).health; };
  put("usr/lib/some-arch/odbc/psqlodbcw.so");
  EXPECT_EQ(health(), Health::warn);
  put("etc/odbcinst.ini", "[PostgreSQL ANSI]\nDriver=psqlodbcw.so\n");
  EXPECT_EQ(health(), Health::warn);
  put("etc/odbcinst.ini", "[PostgreSQL Unicode]\nDriver=/opt/psqlodbcw.so\n");
  EXPECT_EQ(health(), Health::warn);
  put("opt/psqlodbcw.so");
  EXPECT_EQ(health(), Health::ok);
  EXPECT_EQ(look_for(of("tdsodbc"), there_, root_).health, Health::warn) << "one driver is not another";
}

}  // namespace
}  // namespace patchlab::cli
