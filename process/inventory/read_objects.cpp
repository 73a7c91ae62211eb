// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <map>
#include <set>

#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "process/inventory/readers.hpp"

namespace patchlab::process {
namespace {

using Members = std::map<std::string, std::string>;

struct Object {
  std::string kind;
  std::size_t line = 0;
  Members members;
  [[nodiscard]] std::string text(const char* key) const {
    const auto at = members.find(key);
    return at == members.end() ? std::string() : at->second;
  }
  // "a,b , c"; "+" in front adds to what a template says.
  [[nodiscard]] std::vector<std::string> list(const char* key) const {
    std::vector<std::string> words;
    auto written = text(key);
    if (written.starts_with("+")) written.erase(0, 1);
    for (const auto part : split(written, ',')) {
      const auto word = trimmed(part);
      if (!word.empty()) words.emplace_back(word);
    }
    return words;
  }
};

class ObjectsReader {
 public:
  ObjectsReader(const std::string& text, const std::string& file_name) : text_(text), file_name_(file_name) {}

  Result<std::vector<Object>> read() {
    std::vector<Object> objects;
    std::optional<Object> open;
    for (const auto whole : split(text_, '\n')) {
      ++line_;
      const auto line = trimmed(whole.substr(0, whole.find(';')));
      if (line.empty() || line.starts_with("#")) continue;
      if (line == "}") {
        if (!open) return wrong("closes nothing");
        objects.push_back(std::move(*open));
        open.reset();
        continue;
      }
      if (open) {
        const auto blank = line.find_first_of(" \t");
        open->members[std::string(line.substr(0, blank))] =
            blank == std::string_view::npos ? std::string() : std::string(trimmed(line.substr(blank)));
        continue;
      }
      if (!line.starts_with("define") || !line.ends_with("{")) return wrong("is no definition of an object");
      auto kind = line.substr(6);
      kind.remove_suffix(1);
      open = Object{std::string(trimmed(kind)), line_, {}};
    }
    if (open) return wrong("is the end, and a definition is not closed: the file was cut");
    return objects;
  }

 private:
  [[nodiscard]] Error wrong(const std::string& what) const {
    return configuration_error(fmt::format("{}:{}: {}", printable(file_name_), line_, what),
                               "docs/process/inventory.md says what an inventory is");
  }
  const std::string& text_;
  const std::string& file_name_;
  std::size_t line_ = 0;
};

}  // namespace

Result<Inventory> read_nagios(const std::string& text, const std::string& file_name) {
  PATCHLAB_ASSIGN(const auto objects, ObjectsReader(text, file_name).read());
  std::map<std::string, std::set<std::string>> groups;  // of a host
  for (const auto& object : objects) {
    if (object.kind != "hostgroup") continue;
    for (const auto& host : object.list("members")) groups[host].insert(object.text("hostgroup_name"));
  }
  Inventory inventory{.file = file_name, .format = InventoryFormat::nagios};
  for (const auto& object : objects) {
    // Templates have no host_name, or are not registered.
    if (object.kind != "host" || object.text("host_name").empty() || object.text("register") == "0") continue;
    ListedMachine machine{.name = object.text("host_name"),
                          .department = object.text("_PATCHLAB_DEPARTMENT"),
                          .role = object.text("_PATCHLAB_ROLE"),
                          .place = fmt::format("line {}", object.line)};
    machine.address = canonical_address(object.text("address")).value_or("");
    auto& own = groups[machine.name];
    for (const auto& group : object.list("hostgroups")) own.insert(group);
    machine.groups.assign(own.begin(), own.end());
    inventory.machines.push_back(std::move(machine));
  }
  return inventory;
}

}  // namespace patchlab::process
