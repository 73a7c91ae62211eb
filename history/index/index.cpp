// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "history/index/index.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "history/index/ledger_events.hpp"
#include "history/index/schema.hpp"
#include "history/index/write.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "promotion/chain/chain.hpp"
#include "reports/record/record.hpp"

namespace patchlab::history {
namespace {

namespace fs = std::filesystem;
using promotion::Chain;

// Until then nobody can say what a run found.
constexpr const char* events_file_name = "events.jsonl";
constexpr const char* indexed = "indexed";
constexpr const char* unfinished = "unfinished";
constexpr const char* unreadable = "unreadable";
// In the place of a folder: a record that the ledger should have. No folder has a name with a slash.
constexpr std::string_view of_the_ledger = "ledger/";

// By which a file is known again without reading it; empty: it is not there. An error when nobody can say.
Result<std::string> stamp_of(const fs::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::string();
    return errno_error(fmt::format("looking at '{}'", file.string()), errno);
  }
  return fmt::format("{}.{:09}:{}:{}", info.st_mtim.tv_sec, info.st_mtim.tv_nsec, info.st_size, info.st_ino);
}

// A folder of a run as it lies there now.
struct Seen {
  fs::path path;
  std::string stamp;    // of its run.json; empty: it has none
  std::string trouble;  // why that cannot even be looked at
};

struct Sources {
  std::map<std::string, Seen> folders;  // by name, as it is stored
  std::string ledger;                   // stamp; empty: there is none
};

Result<Sources> look_at(const HistorySources& of) {
  Sources sources;
  PATCHLAB_ASSIGN(const auto entries, entries_of(of.runs).while_doing("looking for runs"));
  for (const auto& entry : entries) {
    const auto name = storable(entry.filename().string());
    auto stamp = stamp_of(entry / reports::run_file_name);
    if (!stamp) {
      sources.folders[name] = {entry, {}, stamp.error().message};
    } else if (!stamp->empty()) {
      sources.folders[name] = {entry, std::move(*stamp), {}};
    } else if (is_there(entry / events_file_name)) {
      sources.folders[name] = {entry, {}, {}};
    }
  }
  PATCHLAB_ASSIGN(sources.ledger, stamp_of(of.stage / promotion::chain_folder_name / promotion::chain_file_name));
  return sources;
}

// A row of the table of sources.
struct Folder {
  std::string stamp;
  std::string state;
  std::string digest;
  std::string problem;
};

// What an index says of itself.
struct Known {
  std::map<std::string, std::string> meta;
  std::map<std::string, Folder> folders;
  [[nodiscard]] std::string value(const std::string& name) const {
    const auto found = meta.find(name);
    return found == meta.end() ? "" : found->second;
  }
  [[nodiscard]] std::int64_t number(const std::string& name) const {
    const auto text = value(name);
    return text.empty() ? 0 : std::strtoll(text.c_str(), nullptr, 10);
  }
};

Result<Known> known_in(Database& database) {
  Known known;
  PATCHLAB_ASSIGN(const auto meta, database.rows("select name, value from meta", 2));
  for (const auto& row : meta) known.meta[row[0]] = row[1];
  PATCHLAB_ASSIGN(const auto folders, database.rows("select folder, stamp, state, digest, problem from source", 5));
  for (const auto& row : folders) {
    if (!row[0].starts_with(of_the_ledger)) known.folders[row[0]] = {row[1], row[2], row[3], row[4]};
  }
  return known;
}

// Why this index cannot answer for these sources.
Result<void> check_whose(const Database& database, const Known& known, const HistorySources& sources) {
  const auto place = database.place().shown();
  if (const auto version = known.number("version"); version > schema_version()) {
    return configuration_error(fmt::format("the history index '{}' is of version {} and was made by patchlab {}; this "
                                           "one ({}) knows version {}",
                                           place, version, known.value("tool"), sources.tool, schema_version()),
                               "use that version, name another index with --history, or make it anew for this one: "
                               "patchlab history rebuild");
  }
  for (const auto& [name, folder] : {std::pair("runs", sources.runs), std::pair("stage", sources.stage)}) {
    if (known.value(name) == storable(folder.string())) continue;
    return configuration_error(
        fmt::format("the history index '{}' is of the {} in '{}', not of '{}'", place, name, known.value(name),
                    folder.string()),
        fmt::format("name that folder with --{}, another index with --history, or make this one anew: patchlab history "
                    "rebuild",
                    name));
  }
  return {};
}

bool is_as_it_was(const Folder& folder, const Seen& seen) {
  if (!seen.trouble.empty()) return folder.state == unreadable && folder.problem == storable(seen.trouble);
  return folder.stamp == seen.stamp && (folder.state == unfinished) == seen.stamp.empty();
}

bool is_up_to_date(const Known& known, const Sources& there) {
  if (known.number("version") != schema_version() || known.value("ledger_stamp") != there.ledger) return false;
  return std::ranges::equal(known.folders, there.folders, [](const auto& row, const auto& seen) {
    return row.first == seen.first && is_as_it_was(row.second, seen.second);
  });
}

// One bringing up to date, within a transaction that writes. Where something that was read is gone or another one,
// `anew` says so in the end, and nothing of it may stay.
class Reading {
 public:
  Reading(Database& database, const HistorySources& sources, const Sources& there, Known known)
      : database_(database),
        sources_(sources),
        there_(there),
        known_(std::move(known)),
        writer_(database),
        chain_(sources.stage / promotion::chain_folder_name) {}

  Result<void> read() {
    PATCHLAB_ASSIGN(const auto runs, database_.rows("select id, digest from run", 2));
    for (const auto& row : runs) runs_[row[0]] = row[1];
    PATCHLAB_TRY(read_ledger());
    if (anew_.empty()) PATCHLAB_TRY(read_folders());
    if (anew_.empty()) PATCHLAB_TRY(read_records_of_ledger());
    if (anew_.empty()) PATCHLAB_TRY(look_for_what_is_gone());
    if (anew_.empty()) PATCHLAB_TRY(name_candidates());
    return {};
  }

  [[nodiscard]] const std::string& anew() const { return anew_; }
  [[nodiscard]] HistoryUpdate update() const { return {new_runs_, new_lines_, {}, there_.ledger.empty()}; }

 private:
  Result<void> note(const char* name, const std::string& value) {
    return database_.run(
        "insert into meta (name, value) values (:name, :value) on conflict (name) do update set value = "
        "excluded.value",
        {name, storable(value)});
  }

  Result<void> read_ledger() {
    const auto file = (chain_.folder() / promotion::chain_file_name).string();
    const auto lines = static_cast<std::size_t>(known_.number("ledger_lines"));
    if (known_.value("ledger_stamp") != there_.ledger) {
      PATCHLAB_ASSIGN(const auto state, chain_.read());
      const bool continues =
          state.lines.size() >= lines && (lines == 0 || state.hashes[lines - 1] == known_.value("ledger_head"));
      if (!continues) {
        return configuration_error(
            fmt::format("'{}' is not the ledger that the history index '{}' was made of: line {} of that is not in it",
                        file, database_.place().shown(), lines),
            "patchlab verify says whether the stage is proven; for an index of this ledger: patchlab history rebuild");
      }
      PATCHLAB_ASSIGN(const auto events, events_behind(chain_, state, lines));
      for (const auto& event : events) PATCHLAB_TRY(writer_.add(event));
      new_lines_ = events.size();
      PATCHLAB_TRY(note("ledger_lines", std::to_string(state.lines.size())));
      PATCHLAB_TRY(note("ledger_head", state.lines.empty() ? "" : state.hashes.back()));
      PATCHLAB_TRY(note("ledger_stamp", there_.ledger));
    }
    PATCHLAB_ASSIGN(const auto ended,
                    database_.rows("select run_id, run, seq from event where kind = 'run' and run <> '' "
                                   "order by seq",
                                   3));
    for (const auto& row : ended) of_ledger_[row[0]] = {row[1], row[2]};
    for (const auto& [id, record] : of_ledger_) {
      if (const auto run = runs_.find(id); run != runs_.end() && run->second != record.digest)
        anew_ = fmt::format("the ledger has another record of run {}", id);
    }
    return {};
  }

  Result<void> read_folders() {
    for (const auto& [name, seen] : there_.folders) {
      const auto known = known_.folders.find(name);
      // What the ledger says now may be what made it unreadable.
      const bool again = known == known_.folders.end() || !is_as_it_was(known->second, seen) ||
                         (known->second.state == unreadable && new_lines_ > 0);
      if (!again) continue;
      PATCHLAB_ASSIGN(const auto folder, read_folder(name, seen));
      if (!anew_.empty()) return {};
      if (known != known_.folders.end() && known->second.state == indexed && known->second.digest != folder.digest) {
        anew_ = fmt::format("'{}' holds another record than before", name);
        return {};
      }
      PATCHLAB_TRY(write(name, folder));
    }
    for (const auto& [name, folder] : known_.folders) {
      if (!there_.folders.contains(name))
        PATCHLAB_TRY(database_.run("delete from source where folder = :folder", {name}));
    }
    return {};
  }

  Result<void> write(const std::string& name, const Folder& folder) {
    return database_.run(
        "insert into source (folder, stamp, state, digest, problem) values (:folder, :stamp, :state, "
        ":digest, :problem) on conflict (folder) do update set stamp = excluded.stamp, state = "
        "excluded.state, digest = excluded.digest, problem = excluded.problem",
        {name, folder.stamp, folder.state, folder.digest, storable(folder.problem)});
  }

  // A record names nobody twice that another line of it speaks of by name; empty: this one does not.
  static std::string told_twice(const reports::RunRecord& record) {
    const auto first_double = [](const auto& all, auto name, std::string what) -> std::string {
      std::set<std::string> seen;
      for (const auto& one : all) {
        if (!seen.insert(std::invoke(name, one)).second)
          return fmt::format("its run.json names {} '{}' twice", what, printable(std::invoke(name, one)));
      }
      return {};
    };
    auto twice = first_double(record.candidates, &reports::CandidateRecord::id, "candidate");
    if (twice.empty()) twice = first_double(record.departments, &reports::DepartmentRecord::name, "department");
    for (const auto& department : record.departments) {
      if (twice.empty()) twice = first_double(department.machines, &reports::MachineRecord::name, "machine");
      if (twice.empty())
        twice = first_double(department.verdicts, &reports::VerdictRecord::candidate, "the verdict on candidate");
    }
    return twice;
  }

  Result<Folder> read_folder(const std::string& name, const Seen& seen) {
    const auto left_out = [&](const std::string& problem) { return Folder{seen.stamp, unreadable, {}, problem}; };
    if (!seen.trouble.empty()) return left_out(seen.trouble);
    if (seen.stamp.empty()) return Folder{{}, unfinished, {}, "it has no record: it is under way, or was killed"};
    const auto record = reports::read_run_record(seen.path / reports::run_file_name);
    if (!record) return left_out(record.error().message);
    if (record->id != name) return left_out(fmt::format("its run.json is the record of run '{}'", record->id));
    if (const auto twice = told_twice(*record); !twice.empty()) return left_out(twice);
    const auto digest = reports::run_object(*record);
    if (const auto ledger = of_ledger_.find(name); ledger != of_ledger_.end() && ledger->second.digest != digest) {
      return left_out(
          fmt::format("its run.json is not the record that line {} of the ledger names", ledger->second.line));
    }
    const auto run = runs_.find(name);
    if (run == runs_.end()) {
      PATCHLAB_TRY(add(*record));
    } else if (run->second != digest) {
      anew_ = fmt::format("'{}' holds another record than before", name);
    }
    return Folder{seen.stamp, indexed, digest, {}};
  }

  Result<void> add(const reports::RunRecord& record) {
    PATCHLAB_TRY(writer_.add(record).while_doing(fmt::format("run {}", record.id)));
    runs_[record.id] = reports::run_object(record);
    ++new_runs_;
    return {};
  }

  // Of runs whose folder is not here, or holds something else.
  Result<void> read_records_of_ledger() {
    PATCHLAB_TRY(database_.run("delete from source where folder like 'ledger/%'"));
    for (const auto& [id, named] : of_ledger_) {
      if (runs_.contains(id)) continue;
      const auto record = record_in_ledger(id, named.digest);
      const auto problem = record ? told_twice(*record) : record.error().message;
      if (problem.empty()) {
        PATCHLAB_TRY(add(*record));
      } else {
        PATCHLAB_TRY(write(storable(std::string(of_the_ledger) + id),
                           {{}, unreadable, {}, fmt::format("line {}: {}", named.line, problem)}));
      }
    }
    return {};
  }

  Result<reports::RunRecord> record_in_ledger(const std::string& id, const std::string& digest) const {
    PATCHLAB_ASSIGN(const auto bytes, chain_.objects().get(digest));
    const auto name = fmt::format("the record of run '{}'", id);
    PATCHLAB_ASSIGN(const auto json, parse_json(bytes, name, JsonTexts::any));
    PATCHLAB_ASSIGN(auto record, reports::run_record_from_json(json, name));
    if (record.id != id) return configuration_error(fmt::format("{} is that of run '{}'", name, record.id));
    record.file_digest = digest;
    return record;
  }

  Result<void> look_for_what_is_gone() {
    PATCHLAB_ASSIGN(const auto folders, database_.rows("select digest from source where state = 'indexed'", 1));
    std::set<std::string> here;
    for (const auto& row : folders) here.insert(row[0]);
    for (const auto& [id, digest] : runs_) {
      if (here.contains(digest)) continue;
      const auto ledger = of_ledger_.find(id);
      if (ledger != of_ledger_.end() && ledger->second.digest == digest && chain_.objects().has(digest)) continue;
      anew_ = fmt::format("run {} is gone", id);
      return {};
    }
    return {};
  }

  // Lines that came after their run.
  Result<void> name_candidates() {
    PATCHLAB_ASSIGN(const auto open,
                    database_.rows("select distinct r.id, r.digest from event e join run r on r.digest = e.run where "
                                   "e.named = 0",
                                   2));
    for (const auto& row : open) {
      const auto file = sources_.runs / row[0] / reports::run_file_name;
      auto record = reports::read_run_record(file);
      if (!record || reports::run_object(*record) != row[1]) record = record_in_ledger(row[0], row[1]);
      if (record) PATCHLAB_TRY(writer_.name_candidates(*record));
    }
    return {};
  }

  struct OfLedger {
    std::string digest;
    std::string line;
  };
  Database& database_;
  const HistorySources& sources_;
  const Sources& there_;
  Known known_;
  Writer writer_;
  Chain chain_;
  std::map<std::string, std::string> runs_;    // in the index, by id: the digest
  std::map<std::string, OfLedger> of_ledger_;  // by id: the record that the ledger names
  std::string anew_;
  std::size_t new_runs_ = 0;
  std::size_t new_lines_ = 0;
};

Result<void> make_tables(Database& database, const HistorySources& sources) {
  for (const auto& part : schema_parts()) {
    for (const auto& statement : statements_in(part.text)) PATCHLAB_TRY(database.make(statement));
  }
  for (const auto& [name, value] :
       {std::pair("version", std::to_string(schema_version())), std::pair("tool", sources.tool),
        std::pair("runs", sources.runs.string()), std::pair("stage", sources.stage.string())})
    PATCHLAB_TRY(database.run("insert into meta (name, value) values (:name, :value)", {name, storable(value)}));
  return {};
}

Result<void> drop_tables(Database& database) {
  for (const auto& table : schema_tables()) PATCHLAB_TRY(database.drop(table.name));
  return {};
}

// Everything, into empty tables. `why`: it is made anew, a sentence.
Result<HistoryUpdate> fill(Database& database, const HistorySources& sources, const Sources& there, std::string why) {
  PATCHLAB_TRY(drop_tables(database));
  PATCHLAB_TRY(make_tables(database, sources));
  PATCHLAB_ASSIGN(auto known, known_in(database));
  Reading reading(database, sources, there, std::move(known));
  PATCHLAB_TRY(reading.read());
  if (!reading.anew().empty())
    return infrastructure_error(fmt::format("while the history index was made, {}", reading.anew()), "try again");
  auto update = reading.update();
  update.made_anew = std::move(why);
  return update;
}

// With the turn to write: somebody may have been quicker, and files are looked at again.
Result<HistoryUpdate> write_what_is_new(Database& database, const HistorySources& sources) {
  PATCHLAB_ASSIGN(const auto there, look_at(sources));
  PATCHLAB_ASSIGN(const auto made, database.has_table("meta"));
  if (!made) return fill(database, sources, there, {});
  PATCHLAB_ASSIGN(auto known, known_in(database));
  PATCHLAB_TRY(check_whose(database, known, sources));
  if (const auto version = known.number("version"); version != schema_version())
    return fill(database, sources, there, fmt::format("it was of version {}", version));
  Reading reading(database, sources, there, std::move(known));
  PATCHLAB_TRY(reading.read());
  if (!reading.anew().empty()) return fill(database, sources, there, reading.anew());
  return reading.update();
}

Result<HistoryUpdate> bring_up_to_date(Database& database, const HistorySources& sources) {
  PATCHLAB_ASSIGN(const auto there, look_at(sources));
  {
    // Most often nothing is new: nobody has to wait for whoever writes.
    PATCHLAB_ASSIGN(auto looking, database.begin(Database::Access::read));
    PATCHLAB_ASSIGN(const auto made, database.has_table("meta"));
    if (made) {
      PATCHLAB_ASSIGN(const auto known, known_in(database));
      PATCHLAB_TRY(check_whose(database, known, sources));
      if (is_up_to_date(known, there)) return HistoryUpdate{0, 0, {}, there.ledger.empty()};
    }
  }
  PATCHLAB_ASSIGN(auto writing, database.begin(Database::Access::write));
  PATCHLAB_ASSIGN(auto update, write_what_is_new(database, sources));
  PATCHLAB_TRY(writing.commit());
  return update;
}

}  // namespace

Result<HistoryIndex> HistoryIndex::open(const HistoryPlace& place, const HistorySources& sources) {
  PATCHLAB_ASSIGN(auto opened, Database::open(place));
  auto database = std::make_unique<Database>(std::move(opened));
  PATCHLAB_ASSIGN(auto update, bring_up_to_date(*database, sources));
  return HistoryIndex(std::move(database), std::move(update));
}

Result<HistoryIndex> HistoryIndex::rebuild(const HistoryPlace& place, const HistorySources& sources) {
  auto opened = Database::open(place);
  // What cannot be opened, or not be emptied, is made away with when it is certainly ours.
  const auto try_again = [&](Error trouble) -> Result<Database> {
    if (!remove_damaged_file(place)) return trouble;
    return Database::open(place);
  };
  if (!opened && opened.error().error_class == ErrorClass::configuration) opened = try_again(opened.error());
  if (!opened) return opened.error();
  auto database = std::make_unique<Database>(std::move(*opened));
  const auto fill_it = [&]() -> Result<HistoryUpdate> {
    PATCHLAB_ASSIGN(auto writing, database->begin(Database::Access::write));
    PATCHLAB_ASSIGN(const auto there, look_at(sources));
    PATCHLAB_ASSIGN(auto update, fill(*database, sources, there, "it was asked for"));
    PATCHLAB_TRY(writing.commit());
    return update;
  };
  auto update = fill_it();
  if (!update && database->was_damaged()) {
    database.reset();
    auto again = try_again(update.error());
    if (!again) return again.error();
    database = std::make_unique<Database>(std::move(*again));
    update = fill_it();
  }
  if (!update) return update.error();
  return HistoryIndex(std::move(database), std::move(*update));
}

}  // namespace patchlab::history
