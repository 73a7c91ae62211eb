// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/files.hpp"

#include <gmock/gmock.h>

#include "process/scan/scan.hpp"

namespace patchlab::process::page {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// As `patchlab scan` writes it.
Json scan_json() {
  ScanResult result;
  result.today = day_in("2026-11-29").value();
  result.table_title = "a table";
  VulnerabilityRow vulnerability;
  vulnerability.cve = "CVE-2026-1234";
  vulnerability.exploited_since = day_in("2026-11-20");
  vulnerability.epss = EpssScore{0.153, 0.92};
  vulnerability.decision.row.id = "11";
  vulnerability.decision.row.timeline = "3 days";
  vulnerability.since = day_in("2026-11-21").value();
  vulnerability.due = day_in("2026-11-24");
  ScanRow row;
  row.department = "finance";
  row.machine = "fin-dns1";
  row.item = "dns-update";
  row.status = RowStatus::missing;
  row.severity = "important";
  row.vulnerabilities = {vulnerability};
  row.open = 2;
  row.open_exploited = {"CVE-2026-9"};
  result.rows = {row};
  result.not_known = {{"fin-db1", "its image is not there"}};
  Json json = result;
  json["schema"] = "patchlab/scan/v1";
  json["scenario"] = {{"name", "nightly"}, {"digest", "d"}};
  return json;
}
std::string trouble(const Json& json) {
  const auto read = read_scan(json, "scan.json");
  return read ? std::string() : read.error().message;
}

TEST(ScanFile, IsWhatTheScanWrites) {
  const auto read = read_scan(scan_json(), "scan.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->day, "2026-11-29");
  EXPECT_EQ(read->scenario, "nightly");
  EXPECT_FALSE(read->whole);
  EXPECT_THAT(read->not_known, ElementsAre("fin-db1: its image is not there"));
  ASSERT_EQ(read->items.size(), 1U);
  const auto& item = read->items.front();
  EXPECT_EQ(item.status, "missing");
  EXPECT_EQ(item.due, "2026-11-24");
  EXPECT_TRUE(item.is_exploited());
  EXPECT_EQ(item.open, 2U);
  ASSERT_EQ(item.vulnerabilities.size(), 1U);
  EXPECT_EQ(item.vulnerabilities.front().epss, "15.3 %");
  EXPECT_EQ(item.vulnerabilities.front().timeline, "3 days");
}

TEST(ScanFile, ThatIsOnlyHalfUnderstoodIsNone) {
  EXPECT_THAT(trouble(Json::object()), HasSubstr("is not what 'patchlab scan --output' writes"));
  EXPECT_THAT(trouble(Json::array()), HasSubstr("is not what"));
  const auto with = [](const char* pointer, const Json& value) {
    auto json = scan_json();
    json[Json::json_pointer(pointer)] = value;
    return trouble(json);
  };
  EXPECT_THAT(with("/rows/0/status", "vanished"), HasSubstr("/rows/0/status"));
  EXPECT_THAT(with("/rows/0/department", 7), HasSubstr("/rows/0/department"));
  EXPECT_THAT(with("/rows", "none"), HasSubstr("/rows"));
  EXPECT_THAT(with("/rows/0/due", 20261124), HasSubstr("/rows/0/due"));
  EXPECT_THAT(with("/today", "yesterday"), HasSubstr("/today"));
  EXPECT_THAT(with("/whole", "yes"), HasSubstr("/whole"));
  EXPECT_THAT(with("/rows/0/vulnerabilities/0/decision", Json()), HasSubstr("/rows/0/vulnerabilities/0"));
  auto json = scan_json();
  json.erase("rows");
  EXPECT_THAT(trouble(json), HasSubstr("rows"));
}

TEST(AcquiredFile, IsReadAsStrictly) {
  Json json{{"schema", "patchlab/acquire/v1"},
            {"today", "2026-11-29"},
            {"assessment_whole", true},
            {"rows",
             Json::array({{{"state", "to-bring"}, {"name", "kb.msu"}, {"item", "kb"}, {"sha256", ""}, {"why", ""}}})}};
  const auto read = read_acquired(json, "acquired.json");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->items.front().state, "to-bring");
  json["rows"][0]["state"] = "lost";
  EXPECT_FALSE(read_acquired(json, "acquired.json"));
}

}  // namespace
}  // namespace patchlab::process::page
