// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "process/inventory/readers.hpp"

namespace patchlab::process {
namespace {

constexpr std::size_t most_columns = 200;
constexpr const char* what_it_takes = "docs/process/inventory.md says what an inventory is";

struct CsvRow {
  std::size_t line = 0;
  std::vector<std::string> cells;
};

// RFC 4180; a quoted cell may hold line breaks, and "" is a quotation mark in it.
class CsvReader {
 public:
  CsvReader(std::string_view text, char separator, std::string file_name)
      : text_(text), separator_(separator), file_name_(std::move(file_name)) {}

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  Result<CsvRow> row() {
    CsvRow row{line_, {}};
    for (bool more = true; more;) {
      PATCHLAB_ASSIGN(auto cell, text_[at_] == '"' ? quoted() : plain());
      row.cells.push_back(std::move(cell));
      if (row.cells.size() > most_columns) return wrong(fmt::format("has more than {} cells", most_columns));
      more = !at_end() && text_[at_] == separator_;
      if (!more) break;
      ++at_;
      if (at_end()) row.cells.emplace_back();
      more = !at_end();
    }
    if (!at_end() && text_[at_] == '\r') ++at_;
    if (!at_end() && text_[at_] == '\n') {
      ++at_;
      ++line_;
    }
    return row;
  }
  [[nodiscard]] Error wrong(const std::string& what) const {
    return configuration_error(fmt::format("{}:{}: {}", printable(file_name_), line_, what), what_it_takes);
  }

 private:
  Result<std::string> quoted() {
    std::string cell;
    for (++at_; !at_end(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') ++line_;
      if (c != '"') {
        cell += c;
        continue;
      }
      ++at_;
      if (!at_end() && text_[at_] == '"') {
        cell += '"';
        continue;
      }
      if (at_end() || text_[at_] == separator_ || text_[at_] == '\n' || text_[at_] == '\r') return cell;
      return wrong("something stands behind a closing quotation mark");
    }
    return wrong("a quotation mark is not closed: the file was cut");
  }
  Result<std::string> plain() {
    const auto begin = at_;
    while (!at_end() && text_[at_] != separator_ && text_[at_] != '\n') ++at_;
    auto cell = trimmed(text_.substr(begin, at_ - begin));
    if (cell.find('"') != std::string_view::npos) return wrong("a quotation mark stands inside a cell without quotes");
    return std::string(cell);
  }

  std::string_view text_;
  char separator_;
  std::string file_name_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

struct KnownColumn {
  const char* fact;
  std::vector<std::string_view> heads;
};
const std::vector<KnownColumn>& known_columns() {
  static const std::vector<KnownColumn> all{
      {"name", {"name", "hostname", "host name", "host", "server", "machine"}},
      {"address", {"address", "ip", "ip address", "ipv4", "primary ip", "primary ip4"}},
      {"department", {"department", "tenant"}},
      {"role", {"role", "device role", "function"}},
      {"system", {"system", "os", "operating system", "platform"}},
      {"status", {"status"}}};
  return all;
}

std::string head_of(std::string_view cell) {
  auto head = lower_case(trimmed(cell));
  std::ranges::replace_if(
      head, [](char c) { return c == '_' || c == '-'; }, ' ');
  return head;
}

// Which column says which fact.
Result<std::map<std::string, std::size_t>> columns_of(const CsvRow& head, const CsvReader& reader,
                                                      std::vector<std::string>& not_read) {
  std::map<std::string, std::size_t> columns;
  for (std::size_t i = 0; i < head.cells.size(); ++i) {
    const auto name = head_of(head.cells[i]);
    const auto known = std::ranges::find_if(
        known_columns(), [&](const auto& column) { return std::ranges::count(column.heads, name) > 0; });
    if (known == known_columns().end()) {
      not_read.push_back(head.cells[i]);
      continue;
    }
    if (!columns.emplace(known->fact, i).second)
      return reader.wrong(fmt::format("two columns say the {}: '{}' and '{}'", known->fact,
                                      printable(head.cells[columns.at(known->fact)]), printable(head.cells[i])));
  }
  if (!columns.contains("name"))
    return reader.wrong(
        "is no head of an inventory: none of its columns is called name, hostname, host, server or machine");
  return columns;
}

}  // namespace

Result<Inventory> read_inventory_csv(const std::string& text, const std::string& file_name) {
  Inventory inventory{.file = file_name};
  // Spreadsheets put a byte order mark in front.
  const std::string_view written = text.starts_with("\xef\xbb\xbf") ? std::string_view(text).substr(3) : text;
  const auto first = written.substr(0, written.find('\n'));
  const char separator = std::ranges::count(first, ';') > std::ranges::count(first, ',') ? ';' : ',';
  CsvReader reader(written, separator, file_name);
  if (reader.at_end()) return reader.wrong("is empty");
  PATCHLAB_ASSIGN(const auto head, reader.row());
  PATCHLAB_ASSIGN(const auto columns, columns_of(head, reader, inventory.not_read));
  while (!reader.at_end()) {
    PATCHLAB_ASSIGN(const auto row, reader.row());
    if (row.cells.size() == 1 && row.cells.front().empty()) continue;
    const auto wrong = [&](const std::string& what) {
      return configuration_error(fmt::format("{}:{}: {}", printable(file_name), row.line, what), what_it_takes);
    };
    if (row.cells.size() != head.cells.size())
      return wrong(fmt::format("has {} cells, and the head has {}", row.cells.size(), head.cells.size()));
    const auto cell = [&](const char* fact) {
      const auto at = columns.find(fact);
      return at == columns.end() ? std::string() : std::string(trimmed(row.cells[at->second]));
    };
    ListedMachine machine{.name = cell("name"),
                          .department = cell("department"),
                          .role = cell("role"),
                          .system = cell("system"),
                          .status = cell("status"),
                          .place = fmt::format("line {}", row.line)};
    if (const auto address = cell("address"); !address.empty()) {
      const auto canonical = canonical_address(address);
      if (!canonical) return wrong(fmt::format("'{}' is no address", printable(address)));
      machine.address = *canonical;
    }
    if (machine.name.empty()) return wrong("names no machine");
    inventory.machines.push_back(std::move(machine));
  }
  return inventory;
}

}  // namespace patchlab::process
