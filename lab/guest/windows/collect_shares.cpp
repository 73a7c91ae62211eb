// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/guest/windows/collectors.hpp"

namespace patchlab::lab::guest::windows {
namespace {

constexpr RegistryQuestion share_keys{"shares", "HKLM\\SYSTEM\\CurrentControlSet\\Services\\LanmanServer\\Shares", "",
                                      RegistryQuestion::Reach::tree, Absence::of_key};

// "CSCFlags=0\0Path=C:\Shares\Data\0Type=0", as reg prints many texts: of one of them.
std::string share_field(const std::string& data, const std::string& name) {
  constexpr std::string_view mark = "\\0";
  for (std::string_view rest = data; !rest.empty();) {
    // A folder's name may begin with a zero: what follows the mark has to be a field, or the end.
    auto end = rest.find(mark);
    while (end != std::string_view::npos && end + mark.size() < rest.size()) {
      const auto next = rest.substr(end + mark.size());
      const auto equals = next.find('=');
      const auto word = next.substr(0, equals);
      if (equals != std::string_view::npos && !word.empty() && word.find_first_of("\\:. ") == std::string_view::npos)
        break;
      end = rest.find(mark, end + mark.size());
    }
    const auto one = rest.substr(0, end);
    if (one.starts_with(name + "=")) return std::string(one.substr(name.size() + 1));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + mark.size());
  }
  return {};
}

Result<void> read_shares(const Sections& found, Rows& rows) {
  PATCHLAB_ASSIGN(const auto keys, registry_answer(found, share_keys));
  std::map<std::string, std::string> access;
  for (const auto& key : keys) {
    if (key.name() != "Security") continue;
    for (const auto& [name, data] : key.values) {
      PATCHLAB_ASSIGN(const auto bytes, bytes_of(data));
      auto list = access_list(bytes).while_doing(fmt::format("reading who may use the share '{}'", name));
      if (!list) return std::move(list).error();
      access[name] = *list;
    }
  }
  for (const auto& key : keys) {
    if (key.name() != "Shares") continue;
    for (const auto& [name, data] : key.values) {
      const auto list = access.find(name);
      // What Windows gives a share that nobody said more about.
      const auto who = list == access.end() ? std::string("allow S-1-1-0 0x1200a9 by default") : list->second;
      rows["share"][name] = fmt::format("{} of type {}; {}", share_field(data, "Path"), share_field(data, "Type"), who);
    }
  }
  return {};
}

}  // namespace

Collector share_collector() { return {"shares", {"share"}, {share_keys}, {}, read_shares}; }

}  // namespace patchlab::lab::guest::windows
