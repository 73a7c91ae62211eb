// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/leftovers.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <set>
#include <tuple>

#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"
#include "lab/libvirt/error.hpp"
#include "lab/libvirt/file_owners.hpp"
#include "lab/libvirt/session.hpp"

namespace patchlab::lab::libvirt {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = "in-use";
constexpr const char* mark_name = "patchlab-cell.json";

// The text that `describe` gives for an object, as a mark; nullopt when it is not ours or just went away.
template <class Object, class Describe>
std::optional<Mark> mark_in(Object* object, const Describe& describe) {
  const Text text(describe(object));
  if (!text) return std::nullopt;
  const auto document = XmlDocument::parse(text.get(), "XML");
  return document ? mark_of(document->root()) : std::nullopt;
}
std::optional<Mark> mark_of(virDomainPtr domain) {
  return mark_in(domain, [](virDomainPtr one) { return virDomainGetXMLDesc(one, VIR_DOMAIN_XML_INACTIVE); });
}
std::optional<Mark> mark_of(virNetworkPtr network) {
  return mark_in(network, [](virNetworkPtr one) { return virNetworkGetXMLDesc(one, 0); });
}

// A folder is ours when it is named by the mark that lies in it, and is where that mark says: a copy of it is somebody
// else's.
std::optional<Mark> mark_of(const fs::path& folder) {
  struct stat status {};
  // Of our own user: else anybody who can write to the storage could make us delete files and give away others.
  if (::lstat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode) || status.st_uid != ::geteuid())
    return std::nullopt;
  const auto json = read_json_file(folder / mark_name);
  if (!json || !json->is_object()) return std::nullopt;
  std::vector<JsonProblem> problems;
  JsonReader reader(*json, "", problems);
  const Mark mark{reader.text("run"), reader.text("cell"), {}, folder};
  const bool here = reader.text("folder") == folder.native() && folder.filename() == mark.object_name();
  const bool ours = problems.empty() && here && check_mark(mark);
  return ours ? std::optional(mark) : std::nullopt;
}

bool is_in_use(const fs::path& folder) {
  std::error_code code;
  if (!fs::exists(folder / lock_name, code)) return false;
  return !FileLock::take(folder / lock_name, FileLock::Mode::exclusive, FileLock::at_once());
}

// libvirt's list functions: they return how many, and an array of objects to free, each and as a whole.
template <class Owner, class Pointer, class List>
Result<std::vector<Owner>> listed(const char* what, const List& list) {
  Pointer* raw = nullptr;
  const int count = list(&raw);
  if (count < 0) return last_error(fmt::format("listing the {}", what));
  std::vector<Owner> owners;
  for (int index = 0; index < count; ++index) owners.emplace_back(raw[index]);
  std::free(raw);
  return owners;
}

Result<void> remove_domain(Session& session, const Mark& mark) {
  const Domain domain(virDomainLookupByName(session.connection(), mark.object_name().c_str()));
  if (!domain || mark_of(domain.get()) != mark) return {};
  const auto action = fmt::format("removing domain '{}'", mark.object_name());
  if (virDomainIsActive(domain.get()) == 1 && virDomainDestroy(domain.get()) < 0 &&
      virDomainIsActive(domain.get()) == 1)
    return last_error(action);
  if (virDomainIsPersistent(domain.get()) == 1 && virDomainUndefineFlags(domain.get(), session.undefine_flags()) < 0)
    return last_error(action);
  // A start that was under way when its process died: now that nothing is defined, it stays off.
  if (virDomainIsActive(domain.get()) == 1 && virDomainDestroy(domain.get()) < 0 &&
      virDomainIsActive(domain.get()) == 1)
    return last_error(action);
  return {};
}

Result<void> remove_network(Session& session, const Mark& mark) {
  const Network network(virNetworkLookupByName(session.connection(), mark.object_name().c_str()));
  if (!network || mark_of(network.get()) != mark) return {};
  const auto action = fmt::format("removing network '{}'", mark.object_name());
  if (virNetworkIsActive(network.get()) == 1 && virNetworkDestroy(network.get()) < 0) return last_error(action);
  if (virNetworkIsPersistent(network.get()) == 1 && virNetworkUndefine(network.get()) < 0) return last_error(action);
  return {};
}

std::vector<fs::path> owners_files_in(const fs::path& cell) {
  std::vector<fs::path> files;
  for (const auto& entry : entries_of(cell).value_or({})) {
    if (entry.native().ends_with(owners_suffix)) files.push_back(entry);
  }
  return files;
}

Result<void> remove_folder(const Mark& mark) {
  if (mark_of(mark.folder) != mark) return {};
  std::error_code code;
  Result<void> restored;
  for (const auto& record : owners_files_in(mark.folder)) {
    if (auto one = restore_owners(record); !one && restored) restored = std::move(one);
  }
  if (!restored) return restored;
  fs::remove_all(mark.folder, code);
  if (code) return infrastructure_error(fmt::format("removing '{}': {}", mark.folder.string(), code.message()));
  return {};
}

Result<void> remove_object(Session& session, const LabObject& object) {
  switch (object.kind) {
    case LabObject::Kind::domain: return remove_domain(session, object.mark);
    case LabObject::Kind::network: return remove_network(session, object.mark);
    case LabObject::Kind::folder: return remove_folder(object.mark);
  }
  return {};
}

template <class Wanted>
Result<void> remove_those(Session& session, const std::vector<LabObject>& objects, const Wanted& wanted) {
  Result<void> first;
  for (const auto& object : objects) {
    if (!wanted(object)) continue;
    if (auto removed = remove_object(session, object); !removed && first) first = std::move(removed);
  }
  return first;
}

Mark cell_of(Mark mark) {
  mark.machine.clear();
  return mark;
}

}  // namespace

Result<std::shared_ptr<Session>> open_session(const std::string& uri) { return Session::open(uri); }

std::string LabObject::name() const { return kind == Kind::folder ? mark.folder.string() : mark.object_name(); }

const char* to_string(LabObject::Kind kind) {
  switch (kind) {
    case LabObject::Kind::domain: return "domain";
    case LabObject::Kind::network: return "network";
    case LabObject::Kind::folder: return "folder";
  }
  return "";
}

Result<std::vector<LabObject>> find_lab_objects(Session& session, const fs::path& storage) {
  std::vector<LabObject> objects;
  std::set<fs::path> folders;
  const auto add = [&](LabObject::Kind kind, const std::optional<Mark>& mark) {
    if (!mark) return;
    objects.push_back({kind, *mark, is_in_use(mark->folder)});
    folders.insert(mark->folder);
  };
  PATCHLAB_ASSIGN(const auto domains, (listed<Domain, virDomainPtr>("domains", [&](virDomainPtr** raw) {
                    return virConnectListAllDomains(session.connection(), raw, 0);
                  })));
  for (const auto& domain : domains) add(LabObject::Kind::domain, mark_of(domain.get()));
  PATCHLAB_ASSIGN(const auto networks, (listed<Network, virNetworkPtr>("networks", [&](virNetworkPtr** raw) {
                    return virConnectListAllNetworks(session.connection(), raw, 0);
                  })));
  for (const auto& network : networks) add(LabObject::Kind::network, mark_of(network.get()));
  for (const auto& entry : entries_of(storage).value_or({})) folders.insert(entry);
  for (const auto& folder : folders) {
    if (const auto mark = mark_of(folder)) objects.push_back({LabObject::Kind::folder, *mark, is_in_use(folder)});
  }
  std::ranges::sort(objects, {}, [](const LabObject& object) { return std::tuple(object.kind, object.name()); });
  return objects;
}

Result<void> remove_lab_objects(Session& session, const std::vector<LabObject>& objects) {
  return remove_those(session, objects,
                      [](const LabObject& object) { return !object.in_use && !is_in_use(object.mark.folder); });
}

Result<CellFolder> CellFolder::create(const Mark& cell) {
  PATCHLAB_TRY(check_mark(cell));
  std::error_code code;
  if (const auto storage = cell.folder.parent_path(); !fs::exists(storage, code)) {
    PATCHLAB_TRY(create_folders(storage));
    fs::permissions(storage, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec, code);
  }
  if (!fs::create_directory(cell.folder, code)) {
    return infrastructure_error(
        fmt::format("making '{}': {}", cell.folder.string(), code ? code.message() : "it is there already"),
        "'patchlab lab clean' removes what crashed runs left");
  }
  fs::permissions(cell.folder, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec, code);
  // First the lock, then the mark: nobody may find a folder that is not locked yet.
  PATCHLAB_ASSIGN(auto lock, FileLock::take(cell.folder / lock_name, FileLock::Mode::exclusive, FileLock::at_once()));
  const Json json{{"run", cell.run}, {"cell", cell.cell}, {"folder", cell.folder.string()}};
  PATCHLAB_TRY(write_file_atomically(cell.folder / mark_name, pretty(json)));
  return CellFolder(cell, std::move(lock));
}

std::vector<fs::path> owners_files(const fs::path& storage) {
  std::vector<fs::path> files;
  for (const auto& entry : entries_of(storage).value_or({})) {
    if (!mark_of(entry)) continue;
    const auto own = owners_files_in(entry);
    files.insert(files.end(), own.begin(), own.end());
  }
  return files;
}

Result<void> remove_cell(Session& session, const CellFolder& folder) {
  PATCHLAB_ASSIGN(const auto objects, find_lab_objects(session, folder.mark().folder.parent_path()));
  return remove_those(session, objects, [&](const LabObject& object) { return cell_of(object.mark) == folder.mark(); });
}

}  // namespace patchlab::lab::libvirt
