// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/acquire/acquire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>

#include "lab/core/csv_cell.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"
#include "patches/bytes/file_kind.hpp"
#include "patches/candidate/windows_intake.hpp"
#include "patches/deb/deb_file.hpp"
#include "patches/definitions/definitions.hpp"

namespace patchlab::process {
namespace {

namespace fs = std::filesystem;
constexpr const char* quarantine_schema = "patchlab/quarantined/v1";

// It may be that somebody is still copying what changed less than this ago.
constexpr auto settled_after = std::chrono::minutes(5);
// Of what programs call a file until they have all of it.
constexpr std::array<std::string_view, 8> endings_of_parts{".part",     ".partial",    ".crdownload", ".download",
                                                           ".filepart", ".opdownload", ".aria2",      ".tmp"};

// What verification says of one file: how, or why not and whose trouble that is.
struct Verified {
  bool is_fine = false;
  bool is_its_fault = true;  // else nobody can tell: it stays where it is
  std::string text;
};
Verified not_told(const Error& error) { return {false, false, error.message}; }

bool is_below(const fs::path& path, const fs::path& folder) {
  const auto inside = path.lexically_relative(folder);
  return !inside.empty() && *inside.begin() != "..";
}

// Its name without such an ending; nothing: it has none.
std::optional<std::string> name_of_part(const std::string& name) {
  for (const auto ending : endings_of_parts) {
    if (lower_case(name).ends_with(ending)) return name.substr(0, name.size() - ending.size());
  }
  return std::nullopt;
}

// The one that lies beside a file as long as a program has not all of it; empty: there is none.
std::string part_beside(const fs::path& file) {
  for (const auto ending : endings_of_parts) {
    const auto part = fs::path(file.native() + std::string(ending));
    if (is_there(part)) return part.filename().string();
  }
  return {};
}

class Acquisition {
 public:
  Acquisition(const patches::ContentStore& store, const patches::Authenticode& authenticode,
              const AcquireRequest& request)
      : store_(store), authenticode_(authenticode), request_(request) {}

  Result<AcquireResult> run() {
    if (!request_.drop.empty()) PATCHLAB_TRY(look_into_drop());
    for (const auto& wanted : request_.wanted) {
      if (!is_settled(wanted)) settle(wanted);
    }
    std::ranges::stable_sort(result_.rows, {}, [&](const AcquiredRow& row) {
      return row.state == AcquiredState::quarantined ? 0 : row.state == AcquiredState::not_asked ? 2 : 1;
    });
    return std::move(result_);
  }

 private:
  // --- what people brought
  Result<void> look_into_drop() {
    PATCHLAB_ASSIGN(const auto drop, resolved_path(request_.drop));
    PATCHLAB_ASSIGN(quarantine_, resolved_path(request_.quarantine));
    if (is_below(drop, quarantine_))
      return usage_error(fmt::format("'{}' lies in the quarantine '{}': nothing there is looked at",
                                     printable(drop.string()), printable(quarantine_.string())),
                         "--quarantine FOLDER: another one, or one below --drop");
    PATCHLAB_ASSIGN(const auto entries, entries_of(drop));
    look_at_all(entries);
    return {};
  }
  void look_at_all(const std::vector<fs::path>& entries) {
    for (const auto& entry : entries) {
      if (entry.filename().native().starts_with('.') || is_below(entry, quarantine_)) continue;
      const auto type = status_of(entry).type();
      if (type == fs::file_type::not_found) continue;  // by now
      if (type == fs::file_type::directory) {
        const auto inside = entries_of(entry);
        if (inside)
          look_at_all(*inside);
        else
          add_failed(entry, inside.error().message);
      } else if (type != fs::file_type::regular) {
        add_failed(entry, "is no regular file: it is not looked at");
      } else {
        look_at(entry);
      }
    }
  }

  void look_at(const fs::path& file) {
    const auto name = file.filename().string();
    if (const auto whole_name = name_of_part(name)) {
      leave_unfinished(file, {}, *whole_name, "is called as a file that is still being copied");
      return;
    }
    const auto digest = sha256_of_file(file);
    if (!digest) {
      add_failed(file, digest.error().message);
      return;
    }
    // What is known by its bytes, whatever else was asked.
    if (const auto bad = request_.known_bad.find(*digest); bad != request_.known_bad.end()) {
      put_away(file, *digest, item_of(*digest), bad->second);
      return;
    }
    if (settled_.contains(*digest)) return;  // another copy
    if (const auto* wanted = wanted_by(*digest); wanted != nullptr) {
      take(*wanted, file);
      return;
    }
    if (const auto offered = request_.offered.find(*digest); offered != request_.offered.end()) {
      leave(file, *digest, offered->second, "is on offer, and nobody asks for it");
      return;
    }
    if (store_.verified_path(*digest)) {
      leave(file, *digest, {}, "is in the store, and nobody asks for it");
      return;
    }
    // After it was read: it may have changed meanwhile.
    if (const auto changed = changed_lately(file); !changed.empty()) {
      leave_unfinished(file, *digest, name, changed);
      return;
    }
    if (const auto part = part_beside(file); !part.empty()) {
      leave_unfinished(file, *digest, name, fmt::format("'{}' lies beside it: it is still being copied", part));
      return;
    }
    judge(file, *digest);
  }
  // Bytes that nothing is known of.
  void judge(const fs::path& file, const std::string& digest) {
    const auto name = file.filename().string();
    const auto* by_name = wanted_as(name);
    std::error_code code;
    const auto bytes = fs::file_size(file, code);
    if (!code && bytes == 0) {
      leave_unfinished(file, digest, name, "is empty: nothing of it is there yet");
      return;
    }
    if (by_name != nullptr && by_name->bytes && !code && bytes < *by_name->bytes) {
      leave_unfinished(
          file, digest, name,
          fmt::format("{} of {} bytes are there: it was cut, or somebody still copies it", bytes, *by_name->bytes));
      return;
    }
    if (const auto package = patches::check_is_package(file); !package) {
      if (package.error().error_class == ErrorClass::configuration)
        put_away(file, digest, by_name == nullptr ? "" : by_name->item, package.error().message);
      else
        add_failed(file, package.error().message);
      return;
    }
    if (by_name == nullptr) {
      leave(file, digest, {}, "nobody asks for it");
      return;
    }
    const auto why = fmt::format("is called as a file of '{}', whose SHA-256 is {}",
                                 by_name->item.empty() ? by_name->name : by_name->item, by_name->sha256);
    if (by_name->bytes)
      put_away(file, digest, by_name->item, why);
    else
      leave_unfinished(file, digest, name, why + ", and nobody said how large that is: it may have been cut");
  }
  // Why it may be that somebody still copies it; empty: it did not change for a while.
  [[nodiscard]] std::string changed_lately(const fs::path& file) const {
    std::error_code code;
    const auto written = fs::last_write_time(file, code);
    if (code) return fmt::format("cannot be looked at any more: {}", code.message());
    const auto changed = std::chrono::file_clock::to_sys(written);
    const auto now = parse_rfc3339(request_.now);
    if (now && changed <= *now - settled_after) return {};
    return "changed less than five minutes ago: somebody may still be copying it";
  }

  void add_failed(const fs::path& file, const std::string& why) {
    add({.state = AcquiredState::failed, .name = file.filename().string(), .source = file.string(), .why = why});
  }
  void leave(const fs::path& file, const std::string& digest, const std::string& item, const std::string& why) {
    add({.state = AcquiredState::not_asked,
         .name = file.filename().string(),
         .item = item,
         .sha256 = digest,
         .source = file.string(),
         .why = why});
  }
  // Where it will be a file that is wanted, that is what is told of it.
  void leave_unfinished(const fs::path& file, const std::string& digest, const std::string& name,
                        const std::string& why) {
    const auto* wanted = wanted_as(name);
    if (wanted == nullptr || wanted->is_of_apt() || is_settled(*wanted) || !is_to_bring(*wanted)) {
      add({.state = AcquiredState::unfinished,
           .name = file.filename().string(),
           .sha256 = digest,
           .source = file.string(),
           .why = why});
      return;
    }
    begun_[wanted->sha256] = {file.string(), why};
  }

  [[nodiscard]] const WantedFile* wanted_by(const std::string& digest) const {
    const auto found = std::ranges::find(request_.wanted, digest, &WantedFile::sha256);
    return found == request_.wanted.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::string item_of(const std::string& digest) const {
    const auto* wanted = wanted_by(digest);
    if (wanted != nullptr) return wanted->item;
    const auto offered = request_.offered.find(digest);
    return offered == request_.offered.end() ? std::string() : offered->second;
  }
  [[nodiscard]] const WantedFile* wanted_as(const std::string& name) const {
    const auto found = std::ranges::find_if(request_.wanted, [&](const WantedFile& wanted) {
      return lower_case(wanted.name) == lower_case(name) ||
             (wanted.is_of_apt() &&
              name == patches::canonical_deb_name(wanted.package, wanted.version, wanted.architecture));
    });
    return found == request_.wanted.end() ? nullptr : &*found;
  }

  // --- one file that has the right digest, wherever it is
  static AcquiredRow row_of(const WantedFile& wanted, AcquiredState state, std::string source, std::string why) {
    return {state,          wanted.name, wanted.item, wanted.sha256, wanted.bytes, std::move(source),
            std::move(why), wanted.from, {}};
  }
  void take(const WantedFile& wanted, const fs::path& file) {
    settled_.insert(wanted.sha256);
    if (!wanted.bad.empty()) {
      add(row_of(wanted, AcquiredState::failed, file.string(), wanted.bad));
      return;
    }
    if (const auto stored = in_store(wanted)) {
      add(row_of(wanted, stored->is_fine ? AcquiredState::here : AcquiredState::failed, file.string(), stored->text));
      return;
    }
    const auto verified = verify(wanted, file);
    if (!verified.is_fine && verified.is_its_fault) {
      settled_.erase(wanted.sha256);  // another copy has the same bytes; that it is to be brought is told
      put_away(file, wanted.sha256, wanted.item, verified.text);
      return;
    }
    add(row_of(wanted, verified.is_fine ? AcquiredState::acquired : AcquiredState::failed, file.string(),
               verified.text));
  }

  [[nodiscard]] Verified verify(const WantedFile& wanted, const fs::path& file) const {
    if (const auto package = patches::check_is_package(file); !package)
      return {false, package.error().error_class == ErrorClass::configuration, package.error().message};
    return patches::is_windows_package(file) ? verify_windows(wanted, file) : verify_deb(wanted, file);
  }
  static std::string other_kb(const WantedFile& wanted, const patches::WindowsPackage& package) {
    if (wanted.kb.empty() || package.kb == wanted.kb) return {};
    return fmt::format("says of itself that it is {}, and {} is wanted", package.kb.empty() ? "no KB" : package.kb,
                       wanted.kb);
  }
  [[nodiscard]] Verified verify_windows(const WantedFile& wanted, const fs::path& file) const {
    const auto name = file.filename().string();
    const auto package = patches::inspect_windows_file(file, name);
    if (!package) return not_told(package.error());
    if (const auto other = other_kb(wanted, *package); !other.empty()) return {false, true, other};
    // Without certificates nobody can tell: that is not the file's fault.
    if (package->carries_signature && !authenticode_.can_verify())
      return {false, false, "carries a signature, and no certificates to verify it by were named: --ca-bundle"};
    const auto intake = patches::intake_of_windows(file, store_, authenticode_);
    if (!intake.file) {
      if (intake.fault == patches::Fault::of_the_file) return {false, true, intake.file.error().message};
      const auto& error = intake.file.error();
      return {false, false, error.hint.empty() ? error.message : fmt::format("{}; {}", error.message, error.hint)};
    }
    const auto& taken = *intake.file;
    if (taken.sha256 != wanted.sha256)
      return {false, false, fmt::format("was changed while it was read: it had SHA-256 {}", taken.sha256)};
    return {true, false, taken.signature ? describe(*taken.signature) : std::string()};
  }
  [[nodiscard]] Verified verify_deb(const WantedFile& wanted, const fs::path& file) const {
    const auto deb = patches::inspect_deb(file);
    if (!deb) return not_told(deb.error());
    std::string definitions;
    if (request_.processes != nullptr && patches::is_called_as_definitions(deb->package)) {
      const auto look = patches::definitions_in(file, *request_.processes, store_.root() / "incoming");
      if (!look) return not_told(look.error());
      definitions = "; " + describe(*look);
      using State = patches::Definitions::State;
      if (look->state == State::damaged || look->state == State::not_told)
        return {false, look->state == State::damaged, describe(*look)};
    }
    if (const auto stored = store_.add_file(file, {wanted.sha256, wanted.bytes}); !stored)
      return not_told(stored.error());
    return {true, false,
            (wanted.is_of_apt() ? "its digest is that of the apt sources" : "its digest is that of the list") +
                definitions};
  }

  // --- what is in the store, or nobody brought
  [[nodiscard]] bool is_settled(const WantedFile& wanted) const { return settled_.contains(wanted.sha256); }
  // What is known of it there; nothing: it is not. Of a Windows package the store says who signed it, when it was taken
  // in; one that only lies there was not.
  [[nodiscard]] std::optional<Verified> in_store(const WantedFile& wanted) const {
    const auto path = store_.verified_path(wanted.sha256);
    if (!path) return std::nullopt;
    const std::string here = "its digest is in the store";
    if (!patches::is_windows_package(*path)) return Verified{true, false, here};
    const auto taken = patches::taken_in_windows(*path, store_);
    if (!taken || !taken->windows || !taken->signature) return std::nullopt;
    if (const auto other = other_kb(wanted, *taken->windows); !other.empty())
      return Verified{false, false, fmt::format("{}, and it {}", here, other)};
    return Verified{true, false, fmt::format("{}: {}", here, describe(*taken->signature))};
  }
  // Nobody has to look at what only lies in a folder.
  [[nodiscard]] bool is_to_bring(const WantedFile& wanted) const {
    return wanted.bad.empty() && !request_.known_bad.contains(wanted.sha256) && !in_store(wanted);
  }

  void settle(const WantedFile& wanted) {
    if (const auto bad = request_.known_bad.find(wanted.sha256); bad != request_.known_bad.end()) {
      add(row_of(wanted, AcquiredState::failed, {}, bad->second));
    } else if (!wanted.bad.empty()) {
      add(row_of(wanted, AcquiredState::failed, {}, wanted.bad));
    } else if (const auto stored = in_store(wanted)) {
      add(row_of(wanted, stored->is_fine ? AcquiredState::here : AcquiredState::failed, {}, stored->text));
    } else if (wanted.is_of_apt()) {
      auto row = row_of(wanted, AcquiredState::here, {}, {});
      fetch(wanted, row);
      add(std::move(row));
    } else if (const auto found = in_wsus(wanted); !found.path.empty() && found.why.empty()) {
      take(wanted, found.path);
    } else if (!found.path.empty()) {
      add(row_of(wanted, AcquiredState::failed, found.path.string(), found.why));
    } else if (const auto begun = begun_.find(wanted.sha256); begun != begun_.end()) {
      add(row_of(wanted, AcquiredState::to_bring, begun->second.file, begun->second.why));
    } else {
      add(row_of(wanted, AcquiredState::to_bring, {}, "nobody brought it"));
    }
  }

  void fetch(const WantedFile& wanted, AcquiredRow& row) const {
    row.source = "apt";
    const auto fetched = request_.fetch(wanted);
    row.state = fetched && fetched->sha256 == wanted.sha256 ? AcquiredState::acquired : AcquiredState::failed;
    if (!fetched)
      row.why = fetched.error().message;
    else if (row.state == AcquiredState::failed)
      row.why = fmt::format("the apt sources have other bytes by now, SHA-256 {}: scan again", fetched->sha256);
    else
      row.why = "apt verified it by the keys of its sources";
    if (fetched && !row.bytes) row.bytes = fetched->bytes;
  }

  // WsusContent/AB/<SHA-1 in capitals, which ends in AB>.cab
  struct InWsus {
    fs::path path;    // empty: it is not there
    std::string why;  // it is not what is wanted, or could not be read; empty: it is
  };
  [[nodiscard]] InWsus in_wsus(const WantedFile& wanted) const {
    InWsus found;
    if (request_.wsus.empty() || wanted.sha1.empty()) return found;
    const auto name = upper_case(wanted.sha1);
    for (const auto& part : {name.substr(38), lower_case(name.substr(38))}) {
      const auto folder = request_.wsus / part;
      if (status_of(folder).type() == fs::file_type::not_found) continue;
      const auto files = entries_of(folder);
      if (!files) {
        found = {folder, files.error().message};
        continue;
      }
      for (const auto& file : *files) {
        if (upper_case(file.stem().string()) != name || !is_file(file)) continue;
        const auto digest = sha256_of_file(file);
        if (digest && *digest == wanted.sha256) return {file, {}};
        found = {file, digest ? fmt::format("has the name of its SHA-1, and other bytes: SHA-256 {}, and {} is wanted",
                                            *digest, wanted.sha256)
                              : digest.error().message};
      }
    }
    return found;
  }

  // --- quarantine
  void put_away(const fs::path& file, const std::string& digest, const std::string& item, const std::string& why) {
    AcquiredRow row{.state = AcquiredState::quarantined,
                    .name = file.filename().string(),
                    .item = item,
                    .sha256 = digest,
                    .source = file.string(),
                    .why = why};
    if (is_of_wsus(file)) {
      // That folder belongs to somebody else.
      row.why += "; it stays where it is";
      add(std::move(row));
      return;
    }
    const auto moved = move_away(file, row);
    if (moved) {
      row.quarantine = moved->string();
    } else {
      row.state = AcquiredState::failed;
      row.why += fmt::format("; and it could not be put into quarantine: {}", moved.error().message);
    }
    add(std::move(row));
  }
  [[nodiscard]] bool is_of_wsus(const fs::path& file) const {
    return !request_.wsus.empty() && is_below(file, request_.wsus);
  }
  // The reason first: what is there without one would be nobody's. One that is there already says when it began.
  [[nodiscard]] Result<fs::path> move_away(const fs::path& file, const AcquiredRow& row) const {
    PATCHLAB_ASSIGN(const auto root, absolute_path(request_.quarantine));
    auto folder = root / row.sha256;
    PATCHLAB_TRY(create_folders(folder));
    const auto reason_file = folder / "reason.json";
    if (!is_file(reason_file)) {
      const Json reason{{"schema", quarantine_schema},
                        {"name", row.name},
                        {"sha256", row.sha256},
                        {"item", row.item},
                        {"why", row.why},
                        {"was", row.source},
                        {"since", request_.now}};
      PATCHLAB_TRY(write_file_atomically(reason_file, pretty(reason)));
    }
    const auto target = folder / "file";
    std::error_code code;
    fs::rename(file, target, code);
    if (code == std::errc::cross_device_link) {
      PATCHLAB_TRY(copy_away(file, target, row.sha256));
    } else if (code) {
      return infrastructure_error(fmt::format("moving '{}': {}", printable(file.string()), code.message()));
    }
    // Nobody installs it by mistake.
    fs::permissions(target, fs::perms::owner_read, code);
    return folder;
  }
  // To another file system. Who is stopped half-way has lost nothing: the file goes when all of it is there.
  static Result<void> copy_away(const fs::path& file, const fs::path& target, const std::string& sha256) {
    const auto trouble = [&](const char* doing, const std::error_code& code) {
      return infrastructure_error(fmt::format("{} '{}': {}", doing, printable(file.string()), code.message()));
    };
    const auto half = target.parent_path() / ".copying";
    PATCHLAB_TRY(remove_tree(half));
    std::error_code code;
    fs::copy_file(file, half, code);
    if (code) return trouble("copying", code);
    PATCHLAB_TRY(sync_path(half));
    PATCHLAB_ASSIGN(const auto copied, sha256_of_file(half));
    if (copied != sha256) {
      PATCHLAB_TRY(remove_tree(half));
      return infrastructure_error(
          fmt::format("'{}' was changed while it was copied: SHA-256 {}", printable(file.string()), copied));
    }
    fs::rename(half, target, code);
    if (code) return trouble("moving the copy of", code);
    PATCHLAB_TRY(sync_path(target.parent_path()));
    fs::remove(file, code);
    if (code) return trouble("removing", code);
    return {};
  }

  void add(AcquiredRow row) { result_.rows.push_back(std::move(row)); }

  const patches::ContentStore& store_;
  const patches::Authenticode& authenticode_;
  const AcquireRequest& request_;
  fs::path quarantine_;            // resolved
  std::set<std::string> settled_;  // digests of what is wanted and was found, or is told already
  struct Begun {
    std::string file, why;
  };
  std::map<std::string, Begun> begun_;  // by digest of what is wanted: what may become it
  AcquireResult result_;
};

}  // namespace

const char* to_string(AcquiredState state) {
  switch (state) {
    case AcquiredState::quarantined: return "quarantined";
    case AcquiredState::failed: return "failed";
    case AcquiredState::to_bring: return "to-bring";
    case AcquiredState::acquired: return "acquired";
    case AcquiredState::here: return "here";
    case AcquiredState::unfinished: return "unfinished";
    case AcquiredState::not_asked: return "not-asked";
  }
  return "";
}

std::size_t AcquireResult::count(AcquiredState state) const {
  return static_cast<std::size_t>(std::ranges::count(rows, state, &AcquiredRow::state));
}

Result<AcquireResult> acquire(const patches::ContentStore& store, const patches::Authenticode& authenticode,
                              const AcquireRequest& request) {
  return Acquisition(store, authenticode, request).run();
}

void to_json(Json& json, const AcquireResult& result) {
  Json rows = Json::array();
  for (const auto& row : result.rows) {
    rows.push_back({{"state", to_string(row.state)},
                    {"name", row.name},
                    {"item", row.item},
                    {"sha256", row.sha256},
                    {"bytes", row.bytes ? Json(*row.bytes) : Json()},
                    {"source", row.source},
                    {"why", row.why},
                    {"from", row.from},
                    {"quarantine", row.quarantine}});
  }
  Json counts = Json::object();
  for (const auto state :
       {AcquiredState::quarantined, AcquiredState::failed, AcquiredState::to_bring, AcquiredState::acquired,
        AcquiredState::here, AcquiredState::unfinished, AcquiredState::not_asked})
    counts[to_string(state)] = result.count(state);
  json = {{"counts", counts}, {"rows", rows}};
}

std::string acquire_csv(const AcquireResult& result) {
  std::string text = "state,item,name,bytes,sha256,source,why,from,quarantine\n";
  for (const auto& row : result.rows) {
    text += csv_line({to_string(row.state), row.item, row.name, row.bytes ? std::to_string(*row.bytes) : "", row.sha256,
                      row.source, row.why, row.from, row.quarantine});
  }
  return text;
}

}  // namespace patchlab::process
