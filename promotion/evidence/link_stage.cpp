// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/evidence/proving.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/printable.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage_proof.hpp"
#include "promotion/stage/version_folder.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

// Regular files and folders that have their place; else nobody knows what they are taken for.
std::string stranger(const Proving& proving) {
  const auto entries = entries_below(proving.folder);
  if (!entries) return entries.error().message;
  constexpr std::array known{"ledger.jsonl", "objects", "trust", "policy", "head", "head.sig", "evidence", "stage"};
  for (const auto& entry : *entries) {
    const auto name = entry.lexically_relative(proving.folder).generic_string();
    const auto status = status_of(entry);
    if (!fs::is_regular_file(status) && !fs::is_directory(status))
      return fmt::format("{}: is neither a regular file nor a folder", printable(name));
    if (name.find('/') == std::string::npos && std::ranges::count(known, name) == 0)
      return fmt::format("{}: does not belong to a bundle", printable(name));
    std::error_code code;
    if (fs::is_directory(status) && fs::is_empty(entry, code))
      return fmt::format("{}: is a folder without anything", printable(name));
  }
  return {};
}

// What the lines of a bundle name, by its place there: statements and what they are about, lists of signers, policies.
std::set<std::string> named_in(const Proving& proving) {
  std::set<std::string> named;
  std::uint64_t version = 0;
  bool has_policy = false;
  for (const auto& line : proving.lines()) {
    named.insert("objects/" + line.object);
    if (line.kind == ChainKind::trust) {
      const auto folder = fmt::format("trust/{}", ++version);
      named.insert({folder, folder + "/allowed_signers", folder + "/allowed_signers.sig"});
    }
    if (!History::has_statement(line.kind) || proving.lacks(line.seq)) continue;
    const auto bytes = proving.objects.get(line.object);
    const auto statement = bytes ? read_statement(*bytes, line.object) : Result<Statement>(bytes.error());
    if (!statement) continue;  // said by who asks it
    for (const auto* digest : {&statement->run, &statement->manifest, &statement->policy, &statement->report}) {
      if (*digest) named.insert("objects/" + **digest);
    }
    if (line.kind != ChainKind::policy) continue;
    has_policy = true;
    named.insert(fmt::format("policy/{}.json", *statement->version));
  }
  if (!has_policy) named.insert({"policy/quickstart.json", "policy/quickstart-1.json"});
  return named;
}

// A file that no line and no statement names: whatever it is there for, nobody signed that.
std::string unnamed(const Proving& proving) {
  const auto named = named_in(proving);
  for (const char* place : {"objects", "trust", "policy"}) {
    const auto entries = entries_below(proving.folder / place);
    for (const auto& entry : entries.value_or({})) {
      auto name = entry.lexically_relative(proving.folder).generic_string();
      if (std::string_view(place) == "objects" && name.ends_with(".sig")) name.resize(name.size() - 4);
      if (!named.contains(name)) return fmt::format("{}: no line of the ledger names it", printable(name));
    }
  }
  return {};
}

void compare(const Proving& proving, StageCheck& check) {
  for (const auto& story : proving.chain.state.history.promotions()) {
    if (story.is_open() && story.department == check.department)
      check.problems.push_back(
          fmt::format("{}: the promotion of line {} of the ledger was not finished", check.department, story.line));
  }
  const auto* story = proving.chain.state.history.last_done(check.department);
  if (story == nullptr) {
    check.problems.push_back(check.department + ": no promotion of it is in the ledger");
  } else if (story->manifest != check.manifest_digest || story->serial != check.serial) {
    check.problems.push_back(
        fmt::format("{}: is not what line {} of the ledger promoted", check.department, story->line));
  }
}

void say_ledger(Proving& proving) {
  proving.is_read = true;
  proving.proof.head = proving.chain.state.head();
  proving.holds({}, LinkKind::ledger,
                fmt::format("{} lines, unbroken, head {}", proving.lines().size(), proving.chain.state.head().hash));
}

void say_stage(Proving& proving, const StageCheck& check) {
  for (const auto& problem : check.problems) proving.broken(check.department, LinkKind::stage, problem);
  if (check.problems.empty())
    proving.holds(check.department, LinkKind::stage,
                  fmt::format("{} candidates of run {}, as published", check.candidates.size(), printable(check.run)));
}

// Only a desk that keeps a ledger writes which policy decided, or which record.
void look_without_ledger(Proving& proving) {
  bool was_there = false;
  for (const auto& check : proving.proof.departments) {
    const auto json = read_json_file(proving.folder / check.department / manifest_file_name, JsonTexts::any);
    was_there = was_there || (json && json->is_object() && (json->contains("policy") || json->contains("run_object")));
  }
  if (was_there || !proving.question.noted.empty()) {
    proving.broken({}, LinkKind::ledger,
                   fmt::format("'{}' is missing: what lies here was promoted by a desk that keeps a ledger",
                               proving.ledger.string()));
  } else {
    proving.missing({}, LinkKind::ledger, "the stage has none: it is of an older version, and consistent with itself");
  }
}

}  // namespace

Result<void> look_at_stage(Proving& proving) {
  const Chain chain(proving.ledger);
  auto proven = prove_stage(proving.folder);
  if (!proven) {
    auto checks = verify_stage(proving.folder);
    if (!checks && !chain.exists()) return std::move(checks).error();
    if (checks) proving.proof.departments = std::move(*checks);
    for (const auto& check : proving.proof.departments) say_stage(proving, check);
    proving.broken({}, LinkKind::ledger, proven.error().message);
    return {};
  }
  proving.proof.departments = std::move(proven->departments);
  for (const auto& check : proving.proof.departments) say_stage(proving, check);
  if (!proven->ledger) {
    look_without_ledger(proving);
    return {};
  }
  proving.proof.notes = std::move(proven->ledger->notes);
  PATCHLAB_ASSIGN(proving.chain.state, chain.read());
  proving.chain.lacks.assign(proving.lines().size(), false);
  say_ledger(proving);
  if (proving.proof.departments.empty())
    proving.missing({}, LinkKind::stage, "nothing is published here yet: no line of the ledger is a promotion");
  return {};
}

Result<void> look_at_bundle(Proving& proving) {
  if (const auto strange = stranger(proving); !strange.empty()) proving.broken({}, LinkKind::stage, strange);
  auto chain = read_bundle_chain(proving.folder);
  if (!chain) {
    proving.broken({}, LinkKind::ledger, chain.error().message);
  } else if (const auto whole = proving.objects.verify(); !whole) {
    proving.broken({}, LinkKind::ledger, whole.error().message);
  } else {
    proving.chain = std::move(*chain);
    say_ledger(proving);
    if (const auto strange = unnamed(proving); !strange.empty()) proving.broken({}, LinkKind::ledger, strange);
  }
  const auto entries = entries_of(proving.folder / "stage");
  for (const auto& entry : entries.value_or({})) {
    auto check = verify_version(entry, Modes::any);
    const auto name = entry.filename().string();
    for (auto& problem : check.problems) problem = name + "/" + problem;
    if (!check.department.empty() && check.department != name)
      check.problems.push_back(fmt::format("{}: its manifest is that of the department '{}'", name, check.department));
    check.department = name;
    if (proving.is_read && check.problems.empty()) compare(proving, check);
    say_stage(proving, check);
    proving.proof.departments.push_back(std::move(check));
  }
  if (proving.proof.departments.empty()) proving.broken({}, LinkKind::stage, "nothing is promoted here");
  return {};
}

}  // namespace patchlab::promotion
