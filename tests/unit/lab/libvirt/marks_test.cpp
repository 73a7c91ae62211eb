// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/marks.hpp"

#include <gmock/gmock.h>

#include "lab/libvirt/network_xml.hpp"

namespace patchlab::lab::libvirt {
namespace {

using ::testing::HasSubstr;

const Mark cell{"20261125-0800-ab12", "finance", "", "/lab/x"};
const Mark machine{"20261125-0800-ab12", "finance", "dns", "/lab/x"};

std::optional<Mark> mark_in(const std::string& text) {
  auto document = XmlDocument::parse(text, "XML");
  EXPECT_TRUE(document);
  return mark_of(document->root());
}

std::string domain_named(const std::string& name, const Mark& mark) {
  auto document = XmlDocument::parse("<domain><name/></domain>", "XML").value();
  document.root().child("name").set_text(name);
  write_mark(document.root(), mark);
  return document.to_text();
}

TEST(Mark, NamesObjectsAfterRunCellAndMachine) {
  EXPECT_EQ(cell.object_name(), "patchlab-20261125-0800-ab12-finance");
  EXPECT_EQ(machine.object_name(), "patchlab-20261125-0800-ab12-finance-dns");
}

TEST(Mark, IsReadAsItWasWritten) {
  EXPECT_EQ(mark_in(domain_named(machine.object_name(), machine)), machine);
  EXPECT_EQ(mark_in(domain_named(cell.object_name(), cell)), cell);
}

TEST(Mark, NeedsNameAndMetadata) {
  EXPECT_EQ(mark_in("<domain><name>" + machine.object_name() + "</name></domain>"), std::nullopt) << "a name alone";
  EXPECT_EQ(mark_in(domain_named("dns-copy", machine)), std::nullopt) << "a copy or a renamed one";
  auto bad = machine;
  bad.machine = "../x";
  EXPECT_EQ(mark_in(domain_named(bad.object_name(), bad)), std::nullopt) << "a name that we would not give";
  bad = machine;
  bad.folder = "lab";
  EXPECT_EQ(mark_in(domain_named(bad.object_name(), bad)), std::nullopt) << "a folder that we would not use";
  bad.folder = "/lab/../etc";
  EXPECT_EQ(mark_in(domain_named(bad.object_name(), bad)), std::nullopt) << "a folder that we would not use";
  EXPECT_EQ(mark_in("<domain><name>" + machine.object_name() +
                    "</name><metadata><lab run='20261125-0800-ab12' cell='finance' machine='dns' "
                    "folder='/lab/x'/></metadata></domain>"),
            std::nullopt)
      << "somebody else's namespace";
}

TEST(Mark, UuidsFollowNames) {
  EXPECT_EQ(uuid_of("a"), "ca978112-ca1b-8dca-aac2-31b39a23dc4d");
  EXPECT_NE(uuid_of("a"), uuid_of("b"));
}

TEST(IsolatedNetwork, HasABridgeAndNothingElse) {
  EXPECT_EQ(isolated_network_xml(cell),
            "<network>\n"
            "  <name>patchlab-20261125-0800-ab12-finance</name>\n"
            "  <uuid>" +
                uuid_of(cell.object_name()) +
                "</uuid>\n"
                "  <metadata>\n"
                "    <patchlab:lab xmlns:patchlab=\"urn:patchlab:lab:1\" run=\"20261125-0800-ab12\" cell=\"finance\" "
                "folder=\"/lab/x\"/>\n"
                "  </metadata>\n"
                "  <bridge name=\"" +
                isolated_bridge_name(cell) +
                "\" stp=\"off\" delay=\"0\"/>\n"
                "  <dns enable=\"no\"/>\n"
                "</network>\n");
  EXPECT_EQ(mark_in(isolated_network_xml(cell)), cell);
}

TEST(IsolatedNetwork, BridgesFitIntoAnInterfaceNameAndDiffer) {
  auto other = cell;
  other.cell = "engineering";
  EXPECT_EQ(isolated_bridge_name(cell).size(), 15U);
  EXPECT_NE(isolated_bridge_name(cell), isolated_bridge_name(other));
}

TEST(IsolatedNetwork, IsToldFromOneThatIsNot) {
  const auto why = [](const std::string& inside) {
    return why_not_isolated(
        XmlDocument::parse("<network><name>n</name>" + inside + "</network>", "XML").value().root());
  };
  EXPECT_EQ(why("<bridge name='plb'/>"), "");
  EXPECT_EQ(why("<forward mode='nat'/>"), "network 'n' has <forward>");
  EXPECT_EQ(why("<forward/>"), "network 'n' has <forward>");
  EXPECT_EQ(why("<ip address='192.0.2.1' prefix='24'/>"), "network 'n' has <ip>");
}

}  // namespace
}  // namespace patchlab::lab::libvirt
