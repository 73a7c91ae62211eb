// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "process/inventory/readers.hpp"

namespace patchlab::process {
namespace {

constexpr const char* what_it_takes = "docs/process/inventory.md says what an inventory is";

Error wrong_at(const std::string& file, const std::string& pointer, const std::string& what) {
  return configuration_error(fmt::format("{}: {}: {}", printable(file), printable(pointer), what), what_it_takes);
}

std::string text_in(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto at = object.find(key);
  return at == object.end() || !at->is_string() ? std::string() : std::string(trimmed(at->get<std::string>()));
}

// --- ansible
// "all" and "ungrouped" say nothing.
bool is_group(const std::string& name) { return name != "all" && name != "ungrouped" && name != "_meta"; }

class Ansible {
 public:
  Ansible(const Json& json, const std::string& file_name) : json_(json), file_name_(file_name) {}

  Result<Inventory> read() {
    for (const auto& [group, value] : json_.items()) {
      if (group == "_meta") continue;
      PATCHLAB_TRY(read_group(group, value));
    }
    static const Json none = Json::object();
    const auto meta = json_.find("_meta");
    const auto& variables =
        meta != json_.end() && meta->is_object() && meta->contains("hostvars") ? meta->at("hostvars") : none;
    if (!variables.is_object()) return wrong_at(file_name_, "/_meta/hostvars", "must be an object");
    for (const auto& [host, value] : variables.items()) hosts_.try_emplace(host);
    Inventory inventory{.file = file_name_, .format = InventoryFormat::ansible};
    for (const auto& [host, direct] : hosts_) {
      const auto own = variables.find(host);
      inventory.machines.push_back(machine(host, direct, own == variables.end() ? none : *own));
    }
    return inventory;
  }

 private:
  Result<void> names_in(const Json& list, const std::string& pointer, const std::function<void(std::string)>& take) {
    if (!list.is_array()) return wrong_at(file_name_, pointer, "must be a list");
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!list[i].is_string() || list[i].get_ref<const std::string&>().empty())
        return wrong_at(file_name_, fmt::format("{}/{}", pointer, i), "must be a name");
      take(list[i].get<std::string>());
    }
    return {};
  }
  // {"hosts": [], "children": []}; old programs print the hosts alone.
  Result<void> read_group(const std::string& group, const Json& value) {
    const auto host = [&](std::string name) {
      auto& groups = hosts_[std::move(name)];
      if (is_group(group)) groups.insert(group);
    };
    if (value.is_array()) return names_in(value, "/" + group, host);
    if (!value.is_object()) return wrong_at(file_name_, "/" + group, "must be a group: an object, or a list of hosts");
    if (value.contains("hosts")) PATCHLAB_TRY(names_in(value["hosts"], "/" + group + "/hosts", host));
    if (value.contains("children"))
      PATCHLAB_TRY(names_in(value["children"], "/" + group + "/children",
                            [&](const std::string& child) { parents_[child].insert(group); }));
    return {};
  }
  // Groups may stand in each other, and in a circle.
  [[nodiscard]] std::vector<std::string> with_those_above(const std::set<std::string>& direct) const {
    std::set<std::string> all;
    std::vector<std::string> next(direct.begin(), direct.end());
    while (!next.empty()) {
      const auto group = next.back();
      next.pop_back();
      if (!all.insert(group).second) continue;
      const auto above = parents_.find(group);
      if (above != parents_.end()) next.insert(next.end(), above->second.begin(), above->second.end());
    }
    std::erase_if(all, [](const auto& group) { return !is_group(group); });
    return {all.begin(), all.end()};
  }
  [[nodiscard]] ListedMachine machine(const std::string& host, const std::set<std::string>& direct,
                                      const Json& own) const {
    ListedMachine machine{.name = host,
                          .department = text_in(own, "patchlab_department"),
                          .role = text_in(own, "patchlab_role"),
                          .groups = with_those_above(direct),
                          .place = "/_meta/hostvars/" + host};
    machine.address = canonical_address(text_in(own, "ansible_host")).value_or("");
    machine.system = text_in(own, "ansible_distribution");
    if (const auto version = text_in(own, "ansible_distribution_version"); !machine.system.empty() && !version.empty())
      machine.system += " " + version;
    return machine;
  }

  const Json& json_;
  const std::string& file_name_;
  std::map<std::string, std::set<std::string>> hosts_;    // with the groups that name them
  std::map<std::string, std::set<std::string>> parents_;  // of a group
};

// --- NetBox
// {"slug": "dns", "name": "DNS"}, or the text alone.
std::string slug_in(const Json& object, const char* key) {
  const auto at = object.find(key);
  if (at == object.end()) return {};
  if (at->is_string()) return std::string(trimmed(at->get<std::string>()));
  for (const char* inner : {"slug", "value", "name", "display"}) {
    if (auto text = text_in(*at, inner); !text.empty()) return text;
  }
  return {};
}

std::string first_of(std::string one, std::string other) { return one.empty() ? std::move(other) : std::move(one); }

Result<ListedMachine> netbox_machine(const Json& device, const std::string& pointer, const std::string& file_name) {
  if (!device.is_object()) return wrong_at(file_name, pointer, "must be a device");
  ListedMachine machine;
  machine.name = first_of(text_in(device, "name"), text_in(device, "display"));
  machine.place = pointer;
  if (machine.name.empty()) return wrong_at(file_name, pointer, "has neither a name nor a display name");
  static const Json none = Json::object();
  const auto& own = device.contains("custom_fields") ? device.at("custom_fields") : none;
  machine.department = first_of(text_in(own, "patchlab_department"), slug_in(device, "tenant"));
  machine.role =
      first_of(text_in(own, "patchlab_role"), first_of(slug_in(device, "role"), slug_in(device, "device_role")));
  machine.system = slug_in(device, "platform");
  machine.status = slug_in(device, "status");
  for (const char* key : {"primary_ip", "primary_ip4", "primary_ip6"}) {
    const auto at = device.find(key);
    if (at == device.end() || at->is_null() || !machine.address.empty()) continue;
    const auto address = canonical_address(at->is_string() ? at->get<std::string>() : text_in(*at, "address"));
    if (!address) return wrong_at(file_name, pointer + "/" + key, "is no address");
    machine.address = *address;
  }
  if (auto site = slug_in(device, "site"); !site.empty()) machine.groups.push_back(std::move(site));
  if (device.contains("tags") && device.at("tags").is_array()) {
    for (const auto& tag : device.at("tags")) {
      auto word = tag.is_string() ? tag.get<std::string>() : text_in(tag, "slug");
      if (!word.empty()) machine.groups.push_back(std::move(word));
    }
  }
  return machine;
}

}  // namespace

const char* to_string(InventoryFormat format) {
  switch (format) {
    case InventoryFormat::ansible: return "ansible";
    case InventoryFormat::csv: return "csv";
    case InventoryFormat::libvirt: return "libvirt";
    case InventoryFormat::nagios: return "nagios";
    case InventoryFormat::netbox: return "netbox";
  }
  return "";
}

Result<Inventory> read_ansible(const Json& json, const std::string& file_name) {
  return Ansible(json, file_name).read();
}

Result<Inventory> read_netbox(const Json& json, const std::string& file_name) {
  Inventory inventory{.file = file_name, .format = InventoryFormat::netbox};
  const bool is_page = json.is_object();
  const auto& devices = is_page ? json.at("results") : json;
  if (!devices.is_array()) return wrong_at(file_name, is_page ? "/results" : "/", "must be a list of devices");
  for (std::size_t i = 0; i < devices.size(); ++i) {
    PATCHLAB_ASSIGN(auto machine,
                    netbox_machine(devices[i], fmt::format("{}/{}", is_page ? "/results" : "", i), file_name));
    inventory.machines.push_back(std::move(machine));
  }
  if (!is_page) return inventory;
  // One page of several: the API gives fifty at a time when nobody says limit=0.
  const auto count = json.value("count", Json());
  if (count.is_number_integer() && count.get<std::int64_t>() != static_cast<std::int64_t>(devices.size()))
    inventory.not_whole =
        fmt::format("has {} of {} devices: fetch it with limit=0", devices.size(), count.get<std::int64_t>());
  else if (json.contains("next") && !json.at("next").is_null())
    inventory.not_whole = "says that a next page follows: fetch it with limit=0";
  return inventory;
}

Result<Inventory> read_inventory(const std::string& text, const std::string& file_name) {
  const auto begin = trimmed(text, " \t\r\n\xef\xbb\xbf");
  const auto read = [&]() -> Result<Inventory> {
    if (begin.starts_with("{") || begin.starts_with("[")) {
      PATCHLAB_ASSIGN(const auto json, parse_json(text, file_name));
      if (json.is_array() || json.contains("results")) return read_netbox(json, file_name);
      if (json.contains("_meta") || json.contains("all")) return read_ansible(json, file_name);
      return wrong_at(file_name, "/", "is neither what ansible-inventory --list prints nor a list of NetBox's devices");
    }
    if (begin.starts_with("#") || begin.starts_with("define")) return read_nagios(to_valid_utf8(text), file_name);
    return read_inventory_csv(to_valid_utf8(text), file_name);
  };
  PATCHLAB_ASSIGN(auto inventory, read());
  inventory.sha256 = sha256(text);
  return with_machines(std::move(inventory));
}

Result<Inventory> with_machines(Inventory inventory) {
  if (inventory.machines.empty())
    return configuration_error(fmt::format("{}: lists no machine", printable(inventory.file)),
                               "everything would be missing from it: look at how it was made");
  for (auto& machine : inventory.machines) {
    // Without a name of its own a host is called by its address.
    if (machine.address.empty()) machine.address = canonical_address(machine.name).value_or("");
  }
  return inventory;
}

}  // namespace patchlab::process
