// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/catalogue/catalogue.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "patches/catalogue/details.hpp"
#include "tests/support/catalogue_sample.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/windows_packages.hpp"

namespace patchlab::patches {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using namespace patchlab::tests;  // NOLINT: only what writes catalogues
using patches::testing::CabBuilder;

SampleCatalogue sample() {
  SampleCatalogue made;
  SampleUpdate october{100, "5050000", "2026-10 Cumulative Update"};
  october.superseded_by = {1200};
  october.cves = {"CVE-2026-1000"};
  october.files = {{"windows10.0-kb5050000-x64.cab", "october"}};
  SampleUpdate november{1200, "5050001", "2026-11 Cumulative Update"};
  november.cves = {"CVE-2026-1001", "CVE-2026-1002"};
  november.files = {{"windows10.0-kb5050001-x64.cab", "november"},
                    {"windows10.0-kb5050001-x64.psf", "express", false, "Express"}};
  SampleUpdate other{1300, "5050002", "Other product"};
  other.product = "00000000-0000-4000-8000-000000000042";
  other.files = {{"other.cab", "other"}};
  made.updates = {october, november, other};
  return made;
}

const CatalogueScope servers{{server_2019}, false};

std::string trouble(const std::string& bytes, const CatalogueScope& scope = servers,
                    const CatalogueLimits& limits = {}) {
  const auto read = read_catalogue(MemorySource(bytes), "wsusscn2.cab", scope, limits);
  return read ? "" : read.error().message;
}
// One part in place of what it was; "": it is not there.
std::string with(const std::string& part, const std::string& bytes) {
  auto parts = catalogue_parts(sample());
  parts[part] = bytes;
  if (bytes.empty()) parts.erase(part);
  return cabinet_of_parts(parts);
}
std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const auto at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), by);
}
std::string with_list(const std::string& what, const std::string& by) {
  return with("package.cab", CabBuilder{{{"package.xml", replaced(package_xml(sample()), what, by)}}}.bytes());
}

TEST(Catalogue, IsReadAsFarAsItsProductsAreInScope) {
  const auto bytes = catalogue_bytes(sample());
  const auto read = read_catalogue(MemorySource(bytes), "wsusscn2.cab", servers);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->created, "2026-11-25T08:51:08Z");
  EXPECT_EQ(read->entries, 7U);
  EXPECT_THAT(read->product_names, ElementsAre(Pair(server_2019, "Windows Server 2019")));
  ASSERT_THAT(read->updates, SizeIs(2));
  const auto& october = read->updates[0];
  EXPECT_EQ(october.kb, "KB5050000");
  EXPECT_THAT(october.superseded_by, ElementsAre(1200U));
  const auto& november = read->updates[1];
  EXPECT_EQ(november.revision, 1200U);
  EXPECT_EQ(november.revision_number, 201U);
  EXPECT_EQ(november.id, "00000000-0000-4000-8000-0000000004b0");
  EXPECT_EQ(november.created, "2026-11-10T18:00:00Z");
  EXPECT_EQ(november.kb, "KB5050001");
  EXPECT_EQ(november.title, "2026-11 Cumulative Update");
  EXPECT_EQ(november.severity, "Critical");
  EXPECT_THAT(november.cves, ElementsAre("CVE-2026-1001", "CVE-2026-1002"));
  EXPECT_EQ(november.classification, security_updates);
  EXPECT_THAT(november.products, ElementsAre(server_2019));
  EXPECT_THAT(november.prerequisites,
              ElementsAre(ElementsAre("13c46d99-e6e6-4b68-b83d-33d73910d025"),
                          ElementsAre("8622846b-ec83-489b-af09-6545433c942e"),
                          ElementsAre("59653007-e2e9-4f71-8525-2ff588527978", "71c1e8bb-9a5d-4e56-a456-10b0624c7188")));
  ASSERT_THAT(november.files, SizeIs(2));
  // printf november | sha1sum; printf november | sha256sum
  EXPECT_EQ(november.files[0],
            (CatalogueFile{"windows10.0-kb5050001-x64.cab",
                           "http://download.windowsupdate.com/c/msdownload/update/software/secu/2026/11/"
                           "windows10.0-kb5050001-x64.cab",
                           "982aa9d151715b549d93e019889747170d5c147d",
                           "b68823eded0bc9c7f3317d601ac24f6ac563895cee8e5a2bd2ca475906fe2615", 8, "SelfContained"}));
  EXPECT_EQ(november.files[1].sha256, "") << "it names none";
  EXPECT_EQ(november.files[1].patching, "Express");
}

TEST(Catalogue, SaysOnlyItsDateWhenNobodyAsksForAProduct) {
  const auto bytes = catalogue_bytes(sample());
  for (const bool whole : {false, true}) {
    const auto read = read_catalogue(MemorySource(bytes), "wsusscn2.cab", {{}, whole});
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_THAT(read->updates, IsEmpty());
    EXPECT_EQ(read->entries, 7U);
  }
}

TEST(Catalogue, ThatIsNotWholeIsRefusedWithItsPlace) {
  EXPECT_THAT(trouble("MSCF"), HasSubstr("'wsusscn2.cab' is truncated"));
  EXPECT_THAT(trouble(CabBuilder{{{"update.mum", "x"}}}.bytes()), HasSubstr("has no index.xml and package.cab"));
  EXPECT_THAT(trouble(with("package.cab", "")), HasSubstr("has no index.xml and package.cab"));
  EXPECT_THAT(trouble(with("package3.cab", "")), HasSubstr("has no 'package3.cab', which its index.xml lists"));
  EXPECT_THAT(trouble(with("package3.cab", "no cabinet")), HasSubstr("'wsusscn2.cab: package3.cab' is no cabinet"));
  const auto list = CabBuilder{{{"package.xml", package_xml(sample()).substr(0, 3000)}}}.bytes();
  EXPECT_THAT(trouble(with("package.cab", list)), HasSubstr("'wsusscn2.cab: package.xml' is no well-formed XML"));
  EXPECT_THAT(trouble(with("index.xml", "<INDEX><CABLIST/></INDEX>")), HasSubstr("does not list 'package.cab'"));
  auto bytes = catalogue_bytes(sample());
  bytes[bytes.size() - 100] = static_cast<char>(bytes[bytes.size() - 100] ^ 1);
  EXPECT_THAT(trouble(bytes, {{}, false}), HasSubstr("a checksum is wrong")) << "also where nobody asks for it";
}

TEST(Catalogue, HasSomethingOfEachUpdateThatItLists) {
  auto details = details_of(sample());
  const auto without = [&](const std::string& entry) {
    auto all = details[1];
    EXPECT_EQ(all.erase(entry), 1U) << entry;
    return with("package3.cab", CabBuilder{{all.begin(), all.end()}}.bytes());
  };
  EXPECT_THAT(trouble(without("x\\1200")),
              HasSubstr("lists revision 1200 and does not say what it is: 'package3.cab' has no x\\1200"));
  EXPECT_THAT(trouble(without("l\\en\\1200")), HasSubstr("has no l\\en\\1200"));
  EXPECT_EQ(trouble(without("l\\de\\1200")), "") << "its language is English";
  EXPECT_EQ(trouble(without("x\\1300")), "") << "nobody asks for it";
  const auto index = index_xml({500, 1000});
  EXPECT_THAT(trouble(with("index.xml", index)), HasSubstr("says in no cabinet what revision 100 is"));
}

TEST(Catalogue, WithWhatItCannotMeanIsRefused) {
  EXPECT_THAT(trouble(with_list("RevisionId=\"1200\"", "RevisionId=\"100\"")), HasSubstr("has revision 100 twice"));
  EXPECT_THAT(trouble(with_list("RevisionId=\"1200\"", "RevisionId=\"-1\"")), HasSubstr("whose revision is '-1'"));
  EXPECT_THAT(trouble(with_list("<Revision Id=\"1200\" />", "<Revision Id=\"x\" />")), HasSubstr("is no revision"));
  EXPECT_THAT(trouble(with_list("CreationDate=\"2026-11-25T08:51:08Z\"", "CreationDate=\"soon\"")),
              HasSubstr("was made at 'soon', which is no time"));
  EXPECT_THAT(trouble(with_list("OfflineSyncPackage", "Other")), HasSubstr("is no"));
  EXPECT_THAT(trouble(with("index.xml", replaced(index_xml({0, 1000}), "package3.cab", "../3.cab"))),
              HasSubstr("which is no cabinet of a catalogue"));
  EXPECT_THAT(trouble(with("index.xml", index_xml({0, 0}))), HasSubstr("has two cabinets that begin with revision 0"));
}

TEST(Catalogue, KeepsNoMoreThanItMay) {
  CatalogueLimits limits;
  limits.kept_bytes = 1000;
  EXPECT_THAT(trouble(catalogue_bytes(sample()), servers, limits), HasSubstr("names more that is asked for"));
  limits = {};
  limits.detail_bytes = 100;
  EXPECT_NE(trouble(catalogue_bytes(sample()), servers, limits), "");
  limits = {};
  limits.cabinets.entries = 10;
  EXPECT_THAT(trouble(catalogue_bytes(sample()), servers, limits), HasSubstr("more than the 10 entries allowed"));
}

// The least budget with which it is read, to 64 bytes.
std::uint64_t least_kept(const std::string& bytes) {
  std::uint64_t too_few = 0, enough = 2U << 20U;
  while (enough - too_few > 64) {
    CatalogueLimits limits;
    limits.kept_bytes = (too_few + enough) / 2;
    const auto what = trouble(bytes, servers, limits);
    if (!what.empty()) EXPECT_THAT(what, HasSubstr("names more that is asked for"));
    (what.empty() ? enough : too_few) = limits.kept_bytes;
  }
  return enough;
}

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

TEST(Catalogue, CountsEverythingThatItKeeps) {
  const auto least = least_kept(catalogue_bytes(sample()));
  const auto more = [&](const auto& change) {
    auto changed = sample();
    change(changed.updates[1]);
    return least_kept(catalogue_bytes(changed)) - least;
  };
  EXPECT_GE(more([](auto& one) { one.title.append(900, 'x'); }), 900U - 64);
  EXPECT_GE(more([](auto& one) { one.cves.assign(500, "CVE-2026-1234"); }), 500U * 32);
  EXPECT_GE(more([](auto& one) { one.superseded_by.assign(500, 100U); }), 500U * 4);
  EXPECT_GE(more([](auto& one) {
              for (int i = 0; i < 50; ++i) one.files.push_back({std::string(200, 'n'), std::to_string(i)});
            }),
            2 * 50U * (sizeof(CatalogueFile) + 200 + 64))
      << "as the part has it, and as the answer does";
  const auto product = "<Category Type=\"Product\" Id=\"" + std::string(server_2019) + "\" />";
  const std::string needed = "<UpdateId Id=\"13c46d99-e6e6-4b68-b83d-33d73910d025\" />";
  for (const auto& text : {product, needed})
    EXPECT_GE(least_kept(with_list(text, repeated(text, 501))) - least, 500U * (sizeof(std::string) + 36)) << text;
}

TEST(Catalogue, CountsWhatManyBundlesShareForEachOfThem) {
  SampleCatalogue made;
  made.cabinets = {0};
  std::string all;
  for (std::uint32_t i = 0; i < 30; ++i) {
    made.updates.push_back({100 + 2 * i, "5050001", "Update"});
    all += fmt::format("<Revision Id=\"{}\" />", 100 + 2 * i);
  }
  for (int i = 0; i < 50; ++i) made.updates[0].files.push_back({std::string(200, 'n'), std::to_string(i)});
  const auto least = least_kept(catalogue_bytes(made));
  auto parts = catalogue_parts(made);
  const auto list = replaced(package_xml(made), "<BundledBy><Revision Id=\"100\" />", "<BundledBy>" + all);
  parts["package.cab"] = CabBuilder{{{"package.xml", list}}}.bytes();
  EXPECT_GE(least_kept(cabinet_of_parts(parts)) - least, 29U * 50 * (sizeof(CatalogueFile) + 200));
}

TEST(Catalogue, KeepsNothingOfWhatNobodyAsksFor) {
  auto many = sample();
  for (std::uint32_t i = 0; i < 300; ++i) {
    SampleUpdate other{2000 + 2 * i, "5050002", "Other product"};
    other.product = "00000000-0000-4000-8000-000000000042";
    other.files = {{"other.cab", std::to_string(i)}};
    many.updates.push_back(other);
  }
  CatalogueLimits limits;
  limits.kept_bytes = least_kept(catalogue_bytes(sample()));
  EXPECT_EQ(trouble(catalogue_bytes(many), servers, limits), "");
}

TEST(Catalogue, KnowsAPartThatStandsBeforeItsBundle) {
  const auto whole = package_xml(sample());
  const auto begin = whole.find("<Update CreationDate=\"2026-11-10T18:00:00Z\"");
  const auto end = whole.find("</Updates>");
  std::vector<std::string> lines;
  for (std::size_t at = begin; at < end; at = whole.find('\n', at) + 1)
    lines.push_back(whole.substr(at, whole.find('\n', at) + 1 - at));
  std::string turned;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) turned += *line;
  const auto list = whole.substr(0, begin) + turned + whole.substr(end);
  const auto bytes = with("package.cab", CabBuilder{{{"package.xml", list}}}.bytes());
  const auto read = read_catalogue(MemorySource(bytes), "wsusscn2.cab", servers);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->entries, 7U);
  EXPECT_THAT(read->updates.at(1).files, SizeIs(2));
}

TEST(Catalogue, OfManyPackedCabinetsIsReadLikeASmallOne) {
  const test::TemporaryFolder folder;
  const auto made = write_large_catalogue(folder.path() / "wsusscn2.cab", 20'000'000);
  const auto source = FileSource::open(folder.path() / "wsusscn2.cab").value();
  const auto read = read_catalogue(source, "wsusscn2.cab", {{server_2019}, true});
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->entries, made.updates);
  EXPECT_THAT(read->updates, SizeIs(made.in_scope));
  EXPECT_GT(made.in_scope, 1U);
  EXPECT_THAT(read->updates[0].files, SizeIs(2));
}

TEST(CatalogueDetails, SayWhatTheirSizesAndDigestsAre) {
  const auto wrong = [](const std::string& files) {
    const auto read = read_details("<ExtendedProperties/><Files>" + files + "</Files>", "x");
    return read ? "" : read.error().message;
  };
  const std::string sha1 = "Digest=\"2jmj7l5rSw0yVb/vlWAYkK/YBwk=\" ";
  EXPECT_EQ(wrong("<File " + sha1 + "FileName=\"a.cab\" Size=\"1\"/>"), "");
  EXPECT_THAT(wrong("<File FileName=\"a.cab\" Digest=\"AA==\"/>"), HasSubstr("has no SHA-1 of 'a.cab'"));
  EXPECT_THAT(wrong("<File " + sha1 + "FileName=\"../a.cab\"/>"), HasSubstr("has a file called '../a.cab'"));
  EXPECT_THAT(wrong("<File " + sha1 + "FileName=\"a.cab\" Size=\"-1\"/>"), HasSubstr("has '-1' bytes"));
  EXPECT_THAT(wrong("<File " + sha1 +
                    "FileName=\"a.cab\"><AdditionalDigest Algorithm=\"SHA256\">AA==</AdditionalDigest>"
                    "</File>"),
              HasSubstr("has a SHA-256 that is none"));
  EXPECT_FALSE(read_details("<Other/>", "x"));
}

}  // namespace
}  // namespace patchlab::patches
