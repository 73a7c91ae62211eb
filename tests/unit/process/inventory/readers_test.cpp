// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/inventory/readers.hpp"

#include <gmock/gmock.h>

#include "lab/core/digest.hpp"

namespace patchlab::process {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string refusal(const std::string& text) {
  const auto read = read_inventory(text, "list");
  return read ? "read" : read.error().message;
}

TEST(InventoryCsv, ReadsColumnsByTheirHeadsAndSaysWhichItDidNot) {
  const std::string text =
      "\xef\xbb\xbfHost_Name;Comment;IP;Role;Tenant;OS\r\n"
      "dns1;\"says \"\"hi\"\"; twice\nand more\";010.0.0.1/24;DNS;finance;Debian 12\r\n";
  EXPECT_THAT(refusal(text), HasSubstr("list:2: '010.0.0.1/24' is no address"));
  auto right = text;
  right.replace(right.find("010."), 4, "10.");
  const auto read = read_inventory(right, "list");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->format, InventoryFormat::csv);
  EXPECT_EQ(read->sha256, sha256(right));
  EXPECT_THAT(read->machines,
              ElementsAre(ListedMachine{"dns1", "10.0.0.1", "finance", "DNS", {}, "Debian 12", "", "line 2"}));
  EXPECT_THAT(read->not_read, ElementsAre("Comment"));
}

TEST(InventoryCsv, CountsLinesBehindCellsOfSeveralLines) {
  EXPECT_THAT(refusal("name,note\na,\"1\n2\n3\"\nb\n"), HasSubstr("list:5: has 1 cells, and the head has 2"));
}

TEST(InventoryCsv, RefusesWhatIsNoInventory) {
  EXPECT_THAT(refusal(""), HasSubstr("list:1: is empty"));
  EXPECT_THAT(refusal("name\n"), HasSubstr("lists no machine"));
  EXPECT_THAT(refusal("serial,role\n1,dns\n"), HasSubstr("none of its columns is called name"));
  EXPECT_THAT(refusal("name,host\na,b\n"), HasSubstr("two columns say the name: 'name' and 'host'"));
  EXPECT_THAT(refusal("name,role\n,dns\n"), HasSubstr("list:2: names no machine"));
  EXPECT_THAT(refusal("name\n\"a\n"), HasSubstr("is not closed: the file was cut"));
  EXPECT_THAT(refusal("name\n\"a\"b\n"), HasSubstr("behind a closing quotation mark"));
  EXPECT_THAT(refusal("name\na\"b\n"), HasSubstr("inside a cell without quotes"));
}

// As ansible-inventory 2.14 prints it: hosts of groups, groups in groups, variables of hosts with passwords among them.
TEST(InventoryAnsible, KnowsGroupsWithThoseAboveThem) {
  const auto read = read_inventory(R"({
    "_meta": {"hostvars": {
      "dns1.corp.example": {"ansible_host": "10.20.0.10", "ansible_password": "secret"},
      "10.20.0.11": {"patchlab_role": "mail", "patchlab_department": "finance",
                     "ansible_distribution": "Debian", "ansible_distribution_version": "12.5"}}},
    "all": {"children": ["ungrouped", "berlin"]},
    "berlin": {"children": ["finance", "loop"]},
    "loop": {"children": ["berlin"]},
    "finance": {"children": ["dns"]},
    "dns": {"hosts": ["dns1.corp.example"]},
    "ungrouped": {"hosts": ["10.20.0.11"]}})",
                                   "list");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->format, InventoryFormat::ansible);
  ASSERT_THAT(read->machines, SizeIs(2));
  const auto& by_address = read->machines[0];
  EXPECT_EQ(by_address.address, "10.20.0.11") << "a host without a name is called by its address";
  EXPECT_EQ(by_address.role + by_address.department + by_address.system, "mailfinanceDebian 12.5");
  EXPECT_THAT(by_address.groups, IsEmpty());
  EXPECT_EQ(read->machines[1].address, "10.20.0.10");
  EXPECT_THAT(read->machines[1].groups, ElementsAre("berlin", "dns", "finance", "loop"));
}

TEST(InventoryAnsible, TakesGroupsThatAreListsAndRefusesWhatIsNoGroup) {
  const auto read = read_inventory(R"({"_meta": {"hostvars": {}}, "dns": ["a", "b"]})", "list");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(read->machines, SizeIs(2));
  EXPECT_THAT(refusal(R"({"all": {"hosts": ["a"]}, "dns": 5})"), HasSubstr("list: /dns: must be a group"));
  EXPECT_THAT(refusal(R"({"all": {"hosts": ["a", 5]}})"), HasSubstr("list: /all/hosts/1: must be a name"));
  EXPECT_THAT(refusal(R"({"all": {}, "_meta": {"hostvars": []}})"), HasSubstr("/_meta/hostvars: must be an object"));
  EXPECT_THAT(refusal(R"({"hosts": ["a"]})"), HasSubstr("is neither what ansible-inventory"));
  EXPECT_THAT(refusal(R"({"all": {"hosts": []}, "_meta": {"hostvars": {}}})"), HasSubstr("lists no machine"));
}

// A page of NetBox 3.7's API, with the members that others have.
TEST(InventoryNetbox, ReadsDevicesAndSaysWhenThereAreMore) {
  const std::string device =
      R"({"id": 7, "name": "dns1", "display": "dns1", "status": {"value": "active", "label": "Active"},
    "role": {"id": 1, "slug": "dns", "name": "DNS"}, "tenant": {"slug": "finance"}, "site": {"slug": "berlin"},
    "platform": {"slug": "debian-12"}, "primary_ip": {"address": "10.20.0.10/24", "family": {"value": 4}},
    "tags": [{"slug": "patched"}], "custom_fields": {"patchlab_role": null}})";
  const auto read = read_inventory(R"({"count": 1, "next": null, "results": [)" + device + "]}", "list");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->not_whole, "");
  EXPECT_THAT(read->machines,
              ElementsAre(ListedMachine{
                  "dns1", "10.20.0.10", "finance", "dns", {"berlin", "patched"}, "debian-12", "active", "/results/0"}));
  EXPECT_EQ(read_inventory(R"({"count": 51, "next": "https://x", "results": [)" + device + "]}", "list")->not_whole,
            "has 1 of 51 devices: fetch it with limit=0");
  EXPECT_THAT(read_inventory(R"({"next": "https://x", "results": [)" + device + "]}", "list")->not_whole,
              HasSubstr("a next page follows"));
  // Before 3.6 the role had another name; a device without a name is shown by its display name.
  const auto older = read_inventory(
      R"([{"name": null, "display": "R1/U7", "device_role": {"slug": "mail"}, "primary_ip4": null}])", "list");
  ASSERT_TRUE(older) << older.error().message;
  EXPECT_EQ(older->machines[0].name + " " + older->machines[0].role, "R1/U7 mail");
  EXPECT_THAT(refusal(R"([{"id": 1}])"), HasSubstr("list: /0: has neither a name"));
  EXPECT_THAT(refusal(R"([{"name": "a", "primary_ip": {"address": "x"}}])"), HasSubstr("/0/primary_ip: is no address"));
  EXPECT_THAT(refusal(R"({"results": 1})"), HasSubstr("/results: must be a list of devices"));
}

TEST(InventoryNagios, ReadsHostsWithTheirGroups) {
  const auto read = read_inventory(
      "# cache\ndefine hostgroup {\n\thostgroup_name\tdns\n\tmembers\tdns1,dns2\n\t}\n\n"
      "define host{\n  name generic ; a template\n  register 0\n}\n"
      "define host {\n\thost_name\tdns1\n\taddress\t10.20.0.10\n\thostgroups +finance , x\n\t}\n"
      "define service {\n\thost_name dns1\n\t}\n",
      "list");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_THAT(read->machines,
              ElementsAre(ListedMachine{"dns1", "10.20.0.10", "", "", {"dns", "finance", "x"}, "", "", "line 11"}));
  EXPECT_THAT(refusal("define host {\n\thost_name a\n"), HasSubstr("is not closed: the file was cut"));
  EXPECT_THAT(refusal("define host {\n}\n}\n"), HasSubstr("list:3: closes nothing"));
  EXPECT_THAT(refusal("# x\nhost a\n"), HasSubstr("list:2: is no definition"));
}

TEST(AnsweringList, IsLinesOrWhatNmapWrites) {
  const auto plain =
      read_answering("# by hand\n10.20.0.10 dns1\n\n10.20.0.9\n10.20.0.10\n2001:DB8::0:1,six\n", "swept");
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_THAT(plain->systems,
              ElementsAre(Answering{"10.20.0.10", "dns1", "line 2"}, Answering{"10.20.0.9", "", "line 4"},
                          Answering{"2001:db8::1", "six", "line 6"}));
  const std::string nmap =
      "# Nmap 7.93 scan initiated Sun Nov 29 21:00:00 2026 as: nmap -oG swept 10.20.0.0/24\n"
      "Host: 10.20.0.10 (dns1.corp.example)\tStatus: Up\n"
      "Host: 10.20.0.10 (dns1.corp.example)\tPorts: 53/open/tcp//domain///\n"
      "Host: 10.20.0.11 ()\tStatus: Down\n"
      "Host: 10.20.0.12 ()\tStatus: Up\n";
  const auto cut = read_answering(nmap, "swept");
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_THAT(cut->systems, ElementsAre(Answering{"10.20.0.10", "dns1.corp.example", "line 2"},
                                        Answering{"10.20.0.12", "", "line 5"}));
  EXPECT_THAT(cut->not_whole, HasSubstr("nmap did not come to its end"));
  const auto whole = read_answering(nmap + "# Nmap done at Sun Nov 29 21:00:09 2026 -- 256 IP addresses\n", "swept");
  EXPECT_EQ(whole->not_whole, "");
  // Two scans in one file, of which the first was cut.
  const auto two = read_answering(nmap + nmap + "# Nmap done at Sun Nov 29 21:00:09 2026\n", "swept");
  EXPECT_EQ(two->not_whole, "scans of nmap: 2 begun, and 1 came to the end");
  EXPECT_THAT(read_answering("Host: 10.20.0.12 ()\tStatus: Up\n# Nmap done\n", "swept")->not_whole,
              HasSubstr("0 begun, and 1 came"));
  for (const auto* nothing : {"", "# Nmap 7\nHost: 10.20.0.11 ()\tStatus: Down\n# Nmap done\n"})
    EXPECT_FALSE(read_answering(nothing, "swept")) << nothing;
  const auto wrong = read_answering("10.20.0.10\ndns1 10.20.0.11\n", "swept");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().message, "swept:2: 'dns1' is no address");
}

}  // namespace
}  // namespace patchlab::process
