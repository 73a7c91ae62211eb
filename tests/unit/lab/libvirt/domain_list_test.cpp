// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/domain_list.hpp"

#include <gmock/gmock.h>

#include "lab/core/files.hpp"
#include "lab/libvirt/marks.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::lab::libvirt {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// A libvirt of the test driver, with these domains; all of them run, unless they say what it has for "shut off".
constexpr const char* network =
    "<network><name>default</name><ip address='192.168.122.1' netmask='255.255.255.0'><dhcp><range "
    "start='192.168.122.2' end='192.168.122.254'/></dhcp></ip></network>";
std::string uri_of(const test::TemporaryFolder& folder, const std::string& domains) {
  const auto file = folder.path() / "host.xml";
  EXPECT_TRUE(write_file_atomically(file, std::string("<node>") + network + domains + "</node>"));
  return "test://" + file.string();
}

std::string domain(const std::string& name, const std::string& more = {}) {
  return "<domain type='test' xmlns:test='http://libvirt.org/schemas/domain/test/1.0'><name>" + name +
         "</name><memory>1</memory>" + "<os><type>hvm</type></os>" + more + "</domain>";
}

TEST(DomainList, SaysWhatLibvirtKnowsOfEachDomain) {
  const test::TemporaryFolder folder;
  const auto uri = uri_of(
      folder,
      domain("mail1") +
          domain("dns1",
                 "<metadata><machine xmlns='urn:patchlab:machine:1' department='finance' role='dns'/>"
                 "<l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'><l:os "
                 "id='http://microsoft.com/win/2k12r2'/></l:libosinfo><machine xmlns='urn:other' role='x'/></metadata>"
                 "<devices><interface type='network'><source network='default'/></interface></devices>") +
          domain("off", "<test:runstate>5</test:runstate>"));
  const auto listed = list_domains(uri).value();
  ASSERT_EQ(listed.size(), 3U);
  EXPECT_EQ(listed[0].name, "dns1");
  EXPECT_EQ(listed[0].department, "finance");
  EXPECT_EQ(listed[0].role, "dns");
  EXPECT_EQ(listed[0].system, "windows server 2012 r2");
  EXPECT_TRUE(listed[0].is_active);
  EXPECT_THAT(listed[0].addresses, Not(IsEmpty())) << "the test driver makes one up for each interface";
  EXPECT_EQ(listed[1].name, "mail1");
  EXPECT_EQ(listed[1].role, "");
  EXPECT_THAT(listed[1].addresses, IsEmpty()) << "it has no interface";
  EXPECT_EQ(listed[2].name, "off");
  EXPECT_FALSE(listed[2].is_active);
}

TEST(DomainList, LeavesOutWhatRunsOfALabDefinedThere) {
  const test::TemporaryFolder folder;
  const Mark mark{"20261125-0800-ab12", "finance", "dns", "/lab/x"};
  auto document = XmlDocument::parse(domain(mark.object_name()), "XML").value();
  write_mark(document.root(), mark);
  const auto listed = list_domains(uri_of(folder, document.to_text() + domain("patchlab-of-somebody"))).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].name, "patchlab-of-somebody") << "a name alone makes nobody ours";
}

TEST(DomainList, IsAnErrorWhereNobodyAnswersOrTheHostIsReachedOtherwise) {
  const auto nobody = list_domains("test:///nowhere/host.xml");
  EXPECT_THAT(nobody.error().hint, HasSubstr("virsh --readonly -c test:///nowhere/host.xml list --all"));
  EXPECT_THAT(list_domains("qemu+tls://hv1/system").error().message, HasSubstr("reached by ssh only"));
  EXPECT_THAT(list_domains("qemu+ssh://hv1/system?command=/x").error().message, HasSubstr("'command' is refused"));
}

TEST(SystemOfLibosinfo, IsAsOtherInventoriesCallIt) {
  EXPECT_EQ(system_of_libosinfo("http://debian.org/debian/12"), "debian 12");
  EXPECT_EQ(system_of_libosinfo("http://microsoft.com/win/2k12"), "windows server 2012");
  EXPECT_EQ(system_of_libosinfo("http://microsoft.com/win/2k8r2"), "windows server 2008 r2");
  EXPECT_EQ(system_of_libosinfo("http://microsoft.com/win/2k25"), "windows server 2025");
  EXPECT_EQ(system_of_libosinfo("http://microsoft.com/win/10"), "windows 10");
  for (const char* strange : {"", "x", "http://", "http://debian.org", "http://debian.org/",
                              "http://debian.org/debian/", "http://debian.org/12"})
    EXPECT_EQ(system_of_libosinfo(strange), strange);
}

}  // namespace
}  // namespace patchlab::lab::libvirt
