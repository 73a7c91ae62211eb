// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "lab/core/digest.hpp"
#include "lab/core/text.hpp"
#include "lab/guest/servers/collectors.hpp"

namespace patchlab::lab::guest::servers {
namespace {

constexpr std::size_t most_records = 1000;  // of one zone, that are told one by one
constexpr std::size_t deepest_block = 16;

// As named-checkconf prints it: one statement or block a line, "};" closes.
//   options {
//   	listen-on  {
//   		"any";
// A line that is one word of a list belongs to the list, in its order, which counts.
class Settings {
 public:
  Settings(std::string_view text, Rows& rows) : text_(text), rows_(rows) {}

  Result<void> read() {
    for (const auto raw : lines_of(text_)) {
      auto line = trimmed(raw);
      if (line.empty()) continue;
      if (line == "};" || line == "}") {
        if (blocks_.empty()) return not_understood("bind", raw);
        end_block();
      } else if (line.ends_with('{')) {
        if (blocks_.size() == deepest_block) return not_understood("bind", raw);
        blocks_.push_back({fmt::format("{}", fmt::join(words_of(line.substr(0, line.size() - 1)), " ")), {}, false});
      } else if (line.ends_with(';')) {
        statement(line.substr(0, line.size() - 1));
      } else {
        return not_understood("bind", raw);
      }
    }
    return blocks_.empty() ? Result<void>() : Result<void>(not_understood("bind", text_));
  }

 private:
  struct Block {
    std::string head;
    std::vector<std::string> list;
    bool has_statements;
  };

  [[nodiscard]] std::string path() const {
    std::string path;
    for (const auto& block : blocks_) (path += path.empty() ? "" : " / ") += block.head;
    return path;
  }
  void end_block() {
    const auto block = blocks_.back();
    const auto item = path();
    blocks_.pop_back();
    if (!block.list.empty()) rows_.add("bind-setting", item, fmt::format("{}", fmt::join(block.list, " ")));
    if (block.list.empty() && !block.has_statements) rows_.add("bind-setting", item, "empty");
    if (!blocks_.empty()) blocks_.back().has_statements = true;
  }
  void statement(std::string_view text) {
    const auto words = words_of(text);
    if (words.empty()) return;
    const bool of_list = !blocks_.empty() && (words.size() == 1 || words[0].starts_with('"') || words[0] == "!");
    if (of_list) return blocks_.back().list.push_back(fmt::format("{};", fmt::join(words, " ")));
    if (!blocks_.empty()) blocks_.back().has_statements = true;
    const auto within = path();
    rows_.add("bind-setting", fmt::format("{}{}{}", within, within.empty() ? "" : " / ", words[0]),
              fmt::format("{}", fmt::join(words.begin() + 1, words.end(), " ")));
  }

  std::string_view text_;
  Rows& rows_;
  std::vector<Block> blocks_;
};

struct Zone {
  std::vector<std::string> records;  // sorted: "www.corp.example. 3600 A 10.20.0.30"
  std::string serial = "none";
};

// What named keeps of its own accord for addresses that are nobody's: a version may know more of them.
bool is_empty_zone(const Zone& zone) {
  return zone.records.size() == 2 && zone.serial == "0" &&
         std::ranges::any_of(zone.records, [](const auto& one) { return one.find(" SOA ") != std::string::npos; });
}

void add_zone(const std::string& name, Zone zone, Rows& rows) {
  std::ranges::sort(zone.records);
  const auto all = fmt::format("{}\n", fmt::join(zone.records, "\n"));
  rows.add(is_empty_zone(zone) ? "bind-empty-zone" : "bind-zone", name,
           fmt::format("serial {}, {} records, SHA-256 {}", zone.serial, zone.records.size(), sha256(all)));
  if (is_empty_zone(zone) || zone.records.size() > most_records) return;
  for (const auto& record : zone.records) {
    const auto words = words_of(record);
    if (words[2] != "SOA")
      rows.add("bind-record", fmt::format("{}: {} {}", name, words[0], words[2]),
               fmt::format("{} {}", words[1], fmt::join(words.begin() + 3, words.end(), " ")));
    else if (words.size() == 10)  // its serial is told with the zone
      rows.add(
          "bind-record", fmt::format("{}: {} SOA", name, words[0]),
          fmt::format("{} {} {} {}", words[1], words[3], words[4], fmt::join(words.begin() + 6, words.end(), " ")));
  }
}

// "; Zone dump of 'corp.example/IN'", "corp.example.   3600 IN SOA  dns1...": names stand on every line.
Result<void> read_zones(std::string_view text, Rows& rows) {
  std::map<std::string, Zone> zones;
  std::string view;
  std::string zone;
  bool is_whole = false;
  for (const auto line : lines_of(text)) {
    constexpr std::string_view start_of_view = "; Start view ";
    constexpr std::string_view start_of_zone = "; Zone dump of '";
    if (line.starts_with(start_of_view)) {
      view = line.substr(start_of_view.size());
    } else if (line.starts_with(start_of_zone)) {
      zone = line.substr(start_of_zone.size());
      zone = zone.substr(0, zone.rfind('\''));
      if (zone.ends_with("/IN")) zone.resize(zone.size() - 3);
      if (view != "_default") zone += " in view " + view;
      if (view != "_bind") zones.try_emplace(zone);
    } else if (line.starts_with("; Dump complete")) {
      is_whole = true;
    } else if (!line.starts_with(';') && view != "_bind") {
      auto words = words_of(line);
      std::uint32_t ttl = 0;
      if (words.size() < 4 || zone.empty() ||
          std::from_chars(words[1].data(), words[1].data() + words[1].size(), ttl).ec != std::errc())
        return not_understood("bind", line);
      auto& found = zones[zone];
      words.erase(words.begin() + 2);
      // A signature is made anew by itself.
      if (words[2] == "RRSIG") words.resize(std::min<std::size_t>(words.size(), 4));
      if (words[2] == "SOA" && words.size() > 5) found.serial = words[5];
      found.records.push_back(fmt::format("{}", fmt::join(words, " ")));
    }
  }
  if (!is_whole) return not_understood("bind", text.substr(text.size() - std::min<std::size_t>(text.size(), 200)));
  for (auto& [name, found] : zones) add_zone(name, std::move(found), rows);
  return {};
}

Result<void> read_bind(const Parts& parts, Rows& rows) {
  PATCHLAB_ASSIGN(const auto settings, part_of("bind", parts, "set"));
  if (trimmed(settings, " \t\r\n").empty()) return not_understood("bind", settings);
  PATCHLAB_TRY(Settings(settings, rows).read());
  PATCHLAB_ASSIGN(const auto zones, part_of("bind", parts, "zones"));
  return read_zones(zones, rows);
}

}  // namespace

// named-checkconf -x prints keys as question marks. named writes its zones as it has them into a file, and says at its
// end that this is all.
const Collector bind{"bind", R"sh(bind() {
  has named && has named-checkconf || return 1
  has rndc || { why "there is no rndc"; return 4; }
  part set; try named-checkconf -px || return
  folder=$(sed -n 's/^\tdirectory "\(.*\)";$/\1/p' $work/said | head -n 1)
  dump=$(sed -n 's/^\tdump-file "\(.*\)";$/\1/p' $work/said | head -n 1)
  dump=${dump:-named_dump.db}
  case $dump in /*) ;; *) dump=${folder:-/var/cache/bind}/$dump ;; esac
  part zones
  rm -f "$dump"
  try rndc dumpdb -zones || return
  waited=0
  until [ "$(tail -n 1 "$dump" 2>/dev/null)" = "; Dump complete" ]; do
    [ $waited -lt 150 ] || { late "named did not write its zones within 30 s"; return; }
    waited=$((waited + 1)); sleep 0.2
  done
  cat "$dump" >>$work/said
  rm -f "$dump"
}
)sh",
                     read_bind};

}  // namespace patchlab::lab::guest::servers
