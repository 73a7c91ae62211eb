// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/acquire/acquire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "lab/core/csv_cell.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "patches/bytes/file_kind.hpp"
#include "patches/candidate/windows_intake.hpp"
#include "patches/deb/deb_file.hpp"

namespace patchlab::process {
namespace {

namespace fs = std::filesystem;
constexpr const char* quarantine_schema = "patchlab/quarantined/v1";

// What verification says of one file: how, or why not and whose trouble that is.
struct Verified {
  bool is_fine = false;
  bool is_its_fault = true;  // else the host's: it stays where it is
  std::string text;
};
// Hints are for other commands.
Verified refused(const Error& error) { return {false, error.error_class == ErrorClass::configuration, error.message}; }

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
    std::ranges::stable_sort(result_.rows, {},
                             [&](const AcquiredRow& row) { return row.state == AcquiredState::quarantined ? 0 : 1; });
    return std::move(result_);
  }

 private:
  // --- what people brought
  Result<void> look_into_drop() {
    PATCHLAB_ASSIGN(const auto drop, resolved_path(request_.drop));
    PATCHLAB_ASSIGN(const auto quarantine, resolved_path(request_.quarantine));
    PATCHLAB_ASSIGN(const auto files, entries_below(drop));
    for (const auto& file : files) {
      const auto below = file.lexically_relative(drop);
      const bool is_hidden =
          std::ranges::any_of(below, [](const fs::path& part) { return part.native().starts_with('.'); });
      const auto inside = file.lexically_relative(quarantine);
      const bool is_quarantine = inside == "." || (!inside.empty() && *inside.begin() != "..");
      if (is_hidden || is_quarantine) continue;
      const auto type = status_of(file).type();
      if (type == fs::file_type::directory) continue;
      if (type != fs::file_type::regular) {
        add({.state = AcquiredState::failed,
             .name = file.filename().string(),
             .source = file.string(),
             .why = "is no regular file: it is not looked at"});
        continue;
      }
      look_at(file);
    }
    return {};
  }

  void look_at(const fs::path& file) {
    const auto digest = sha256_of_file(file);
    const auto name = file.filename().string();
    if (!digest) {
      add({.state = AcquiredState::failed, .name = name, .source = file.string(), .why = digest.error().message});
      return;
    }
    if (settled_.contains(*digest)) return;  // another copy
    const auto by_digest = std::ranges::find(request_.wanted, *digest, &WantedFile::sha256);
    if (by_digest != request_.wanted.end()) {
      take(*by_digest, file);
      return;
    }
    if (const auto by_name = wanted_as(name); by_name != nullptr) {
      std::error_code code;
      const auto bytes = fs::file_size(file, code);
      // Somebody may still be copying it.
      if (by_name->bytes && !code && bytes < *by_name->bytes) {
        add({AcquiredState::to_bring,
             by_name->name,
             by_name->item,
             by_name->sha256,
             by_name->bytes,
             file.string(),
             fmt::format("{} of {} bytes are there: it was cut, or somebody still copies it", bytes, *by_name->bytes),
             by_name->from,
             {}});
        settled_.insert(by_name->sha256);
        return;
      }
      put_away(file, *digest, by_name->item,
               fmt::format("is called as a file of '{}', whose SHA-256 is {}",
                           by_name->item.empty() ? by_name->name : by_name->item, by_name->sha256));
      return;
    }
    put_away(file, *digest, {}, why_nobody_wants(file));
  }

  [[nodiscard]] const WantedFile* wanted_as(const std::string& name) const {
    const auto found = std::ranges::find_if(request_.wanted, [&](const WantedFile& wanted) {
      return lower_case(wanted.name) == lower_case(name) ||
             (wanted.is_of_apt() &&
              name == patches::canonical_deb_name(wanted.package, wanted.version, wanted.architecture));
    });
    return found == request_.wanted.end() ? nullptr : &*found;
  }
  static std::string why_nobody_wants(const fs::path& file) {
    const auto package = patches::check_is_package(file);
    return package ? "nothing that is wanted has these bytes" : package.error().message;
  }

  // --- one file that has the right digest, wherever it is
  void take(const WantedFile& wanted, const fs::path& file) {
    AcquiredRow row{AcquiredState::acquired,
                    wanted.name,
                    wanted.item,
                    wanted.sha256,
                    wanted.bytes,
                    file.string(),
                    {},
                    wanted.from,
                    {}};
    if (const auto bad = request_.known_bad.find(wanted.sha256); bad != request_.known_bad.end()) {
      put_away(file, wanted.sha256, wanted.item, bad->second);
      return;
    }
    const bool was_here = is_stored(wanted);
    const auto verified = verify(wanted, file);
    if (!verified.is_fine && verified.is_its_fault) {
      put_away(file, wanted.sha256, wanted.item, verified.text);
      return;
    }
    row.state = !verified.is_fine ? AcquiredState::failed : was_here ? AcquiredState::here : AcquiredState::acquired;
    row.why = verified.text;
    settled_.insert(wanted.sha256);
    add(std::move(row));
  }

  [[nodiscard]] Verified verify(const WantedFile& wanted, const fs::path& file) const {
    if (const auto package = patches::check_is_package(file); !package) return refused(package.error());
    return patches::is_windows_package(file) ? verify_windows(wanted, file) : verify_deb(wanted, file);
  }
  [[nodiscard]] Verified verify_windows(const WantedFile& wanted, const fs::path& file) const {
    const auto name = file.filename().string();
    const auto package = patches::inspect_windows_file(file, name);
    if (!package) return refused(package.error());
    if (!wanted.kb.empty() && package->kb != wanted.kb)
      return {false, true,
              fmt::format("says of itself that it is {}, and {} is wanted", package->kb.empty() ? "no KB" : package->kb,
                          wanted.kb)};
    // Without certificates nobody can tell: that is not the file's fault.
    if (package->carries_signature && !authenticode_.can_verify())
      return {false, false, "carries a signature, and no certificates to verify it by were named: --ca-bundle"};
    const auto taken = patches::take_in_windows(file, store_, authenticode_);
    if (!taken) return refused(taken.error());
    if (taken->sha256 != wanted.sha256)
      return {false, true, fmt::format("was changed while it was read: it had SHA-256 {}", taken->sha256)};
    return {true, false, taken->signature ? describe(*taken->signature) : std::string()};
  }
  [[nodiscard]] Verified verify_deb(const WantedFile& wanted, const fs::path& file) const {
    const auto deb = patches::inspect_deb(file);
    if (!deb) return refused(deb.error());
    if (const auto stored = store_.add_file(file, {wanted.sha256, wanted.bytes}); !stored)
      return refused(stored.error());
    return {true, false,
            wanted.is_of_apt() ? "its digest is that of the apt sources" : "its digest is that of the list"};
  }

  // --- what nobody brought
  [[nodiscard]] bool is_settled(const WantedFile& wanted) const { return settled_.contains(wanted.sha256); }
  // What is in the store was verified before; of a Windows package that is noted there.
  [[nodiscard]] bool is_stored(const WantedFile& wanted) const {
    const auto path = store_.verified_path(wanted.sha256);
    return path && (!patches::is_windows_package(*path) || patches::taken_in_windows(*path, store_));
  }

  void settle(const WantedFile& wanted) {
    AcquiredRow row{AcquiredState::here, wanted.name, wanted.item, wanted.sha256, wanted.bytes, {}, {},
                    wanted.from,         {}};
    if (const auto bad = request_.known_bad.find(wanted.sha256); bad != request_.known_bad.end()) {
      row.state = AcquiredState::failed;
      row.why = bad->second;
    } else if (is_stored(wanted)) {
      row.why = "was verified when it was put into the store";
    } else if (wanted.is_of_apt()) {
      fetch(wanted, row);
    } else if (const auto file = in_wsus(wanted); file) {
      take(wanted, *file);
      return;
    } else {
      row.state = AcquiredState::to_bring;
      row.why = "nobody brought it";
    }
    add(std::move(row));
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
  [[nodiscard]] std::optional<fs::path> in_wsus(const WantedFile& wanted) const {
    if (request_.wsus.empty() || wanted.sha1.empty()) return std::nullopt;
    const auto name = upper_case(wanted.sha1);
    for (const auto& part : {name.substr(38), lower_case(name.substr(38))}) {
      const auto files = entries_of(request_.wsus / part);
      if (!files) continue;
      for (const auto& file : *files) {
        if (upper_case(file.stem().string()) != name || !is_file(file)) continue;
        const auto digest = sha256_of_file(file);
        if (digest && *digest == wanted.sha256) return file;
      }
    }
    return std::nullopt;
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
    if (request_.wsus.empty()) return false;
    const auto inside = file.lexically_relative(request_.wsus);
    return !inside.empty() && *inside.begin() != "..";
  }
  // The reason first: what is there without one would be nobody's.
  [[nodiscard]] Result<fs::path> move_away(const fs::path& file, const AcquiredRow& row) const {
    PATCHLAB_ASSIGN(const auto root, absolute_path(request_.quarantine));
    const auto folder = root / row.sha256;
    PATCHLAB_TRY(create_folders(folder));
    const Json reason{{"schema", quarantine_schema},
                      {"name", row.name},
                      {"sha256", row.sha256},
                      {"item", row.item},
                      {"why", row.why},
                      {"was", row.source},
                      {"since", request_.now}};
    PATCHLAB_TRY(write_file_atomically(folder / "reason.json", pretty(reason)));
    const auto target = folder / "file";
    std::error_code code;
    fs::rename(file, target, code);
    if (code == std::errc::cross_device_link) {
      fs::copy_file(file, target, fs::copy_options::overwrite_existing, code);
      if (!code) fs::remove(file, code);
    }
    if (code) return infrastructure_error(fmt::format("moving '{}': {}", printable(file.string()), code.message()));
    // Nobody installs it by mistake.
    fs::permissions(target, fs::perms::owner_read, code);
    return folder;
  }

  void add(AcquiredRow row) { result_.rows.push_back(std::move(row)); }

  const patches::ContentStore& store_;
  const patches::Authenticode& authenticode_;
  const AcquireRequest& request_;
  std::set<std::string> settled_;  // digests of what is wanted and was found, or is told already
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
  for (const auto state : {AcquiredState::quarantined, AcquiredState::failed, AcquiredState::to_bring,
                           AcquiredState::acquired, AcquiredState::here})
    counts[to_string(state)] = result.count(state);
  json = {{"counts", counts}, {"rows", rows}};
}

std::string acquire_csv(const AcquireResult& result) {
  std::string text = "state,item,name,bytes,sha256,source,why,from,quarantine\n";
  for (const auto& row : result.rows) {
    const std::vector<std::string> cells{
        to_string(row.state), row.item,   row.name, row.bytes ? std::to_string(*row.bytes) : "",
        row.sha256,           row.source, row.why,  row.from,
        row.quarantine};
    for (std::size_t i = 0; i < cells.size(); ++i) text += (i == 0 ? "" : ",") + csv_cell(cells[i]);
    text += "\n";
  }
  return text;
}

}  // namespace patchlab::process
