// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/file_owners.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <map>

#include "lab/core/files.hpp"
#include "lab/core/json.hpp"

namespace patchlab::lab::libvirt {
namespace {

struct Owner {
  std::string path;
  uid_t user = 0;
  gid_t group = 0;
};

Result<std::vector<Owner>> read_owners(const std::filesystem::path& record) {
  PATCHLAB_ASSIGN(const auto all, read_json_file(record));
  std::vector<Owner> owners;
  for (const auto& one : all) {
    std::vector<JsonProblem> problems;
    if (!one.is_object()) return infrastructure_error(fmt::format("'{}' is damaged", record.string()));
    JsonReader reader(one, "", problems);
    constexpr auto most = std::int64_t{std::numeric_limits<uid_t>::max()};
    owners.push_back({reader.text("path"), static_cast<uid_t>(reader.integer("user", 0, most)),
                      static_cast<gid_t>(reader.integer("group", 0, most))});
    if (!problems.empty()) return problems_error(record.string(), problems);
  }
  return owners;
}

}  // namespace

Result<void> remember_owners(const std::vector<std::filesystem::path>& files, const std::filesystem::path& record,
                             const std::vector<std::filesystem::path>& earlier) {
  std::map<std::string, Owner> known;
  for (const auto& other : earlier) {
    for (auto& owner : read_owners(other).value_or(std::vector<Owner>{})) known.emplace(owner.path, owner);
  }
  Json all = Json::array();
  for (const auto& file : files) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return errno_error(fmt::format("looking at '{}'", file.string()), errno);
    const auto found = known.find(file.string());
    const auto owner = found == known.end() ? Owner{file, status.st_uid, status.st_gid} : found->second;
    all.push_back({{"path", owner.path}, {"user", owner.user}, {"group", owner.group}});
  }
  return write_file_atomically(record, pretty(all));
}

Result<void> restore_owners(const std::filesystem::path& record) {
  PATCHLAB_ASSIGN(const auto all, read_owners(record));
  Result<void> first;
  for (const auto& [path, user, group] : all) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || (status.st_uid == user && status.st_gid == group)) continue;
    if (::chown(path.c_str(), user, group) == 0 || !first) continue;
    first = errno_error(fmt::format("giving '{}' back to user {}", path, user), errno);
  }
  return first;
}

}  // namespace patchlab::lab::libvirt
