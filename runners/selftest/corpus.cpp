// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/selftest/corpus.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "lab/core/choice.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::runners {
namespace {

namespace fs = std::filesystem;
using Problems = std::vector<JsonProblem>;

constexpr const char* corpus_schema = "patchlab/faults/v1";

// Once, although a script that talks to debconf is begun a second time; and not at all unless every line works: a fault
// that was not made must not look like one that nobody saw.
std::string postinst(const std::string& lines) {
  return "if [ \"$1\" = configure ] && [ -z \"${configured_once:-}\" ]; then\n"
         "export configured_once=yes\n"
         "set -e\n"
         "(\n"
         "edit() { before=$(cat \"$2\"); sed -i -E \"$1\" \"$2\"; [ \"$before\" != \"$(cat \"$2\")\" ]; }\n" +
         lines +
         ")\n"
         "fi\n";
}

// A list of texts as lines.
std::string lines_of(const Json& list, const std::string& pointer, Problems& problems) {
  std::string text;
  if (!list.is_array() || list.empty()) {
    problems.push_back({pointer, "must be a list of lines"});
    return text;
  }
  for (const auto& line : list) {
    if (!line.is_string()) {
      problems.push_back({pointer, "must be a list of lines"});
      return {};
    }
    text += line.get<std::string>() + "\n";
  }
  return text;
}

std::string why_no_id(const std::string& id) {
  const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; };
  return !id.empty() && std::ranges::all_of(id, good) ? "" : fmt::format("'{}' is no id such as 'dns-ttl'", id);
}

Expected expected_in(JsonReader& reader) {
  const auto word = reader.text("expect", [](const std::string& text) {
    return text == "fail" || text == "review" || text == "clean"
               ? ""
               : fmt::format("'{}' is unknown; allowed: fail, review, clean", text);
  });
  if (word == "review") return Expected::review;
  return word == "clean" ? Expected::clean : Expected::fail;
}

// Each has its own, so that one more entry moves no other out of the sample but by its own luck. The smallest are
// drawn: one that took a third of the time wins against another three times out of four (Efraimidis and Spirakis:
// weighted sampling without replacement, the weight is one by the time).
using Lot = std::pair<double, std::string>;
Lot lot_of(const Fault& fault, const Choice& choice) {
  const auto digest = sha256(fmt::format("{}/{}", choice.seed, fault.id));
  if (choice.seconds.empty()) return {0, digest};
  const auto known = choice.seconds.find(fault.id);
  const auto seconds = known == choice.seconds.end() ? unknown_seconds : std::max<std::int64_t>(known->second, 1);
  const auto luck = (static_cast<double>(std::stoul(digest.substr(0, 8), nullptr, 16)) + 1) / 0x1p32;  // in (0, 1]
  return {-std::log(luck) * static_cast<double>(seconds), digest};
}

class RoleFile {
 public:
  RoleFile(fs::path file, std::string role) : file_(std::move(file)), role_(std::move(role)) {}

  Result<std::vector<Fault>> read() {
    PATCHLAB_ASSIGN(const auto json, read_json_file(file_));
    JsonReader reader(json, "", problems_);
    const auto named = reader.text("role");
    if (named != role_) reader.problem("role", fmt::format("must be '{}', as the file is named", role_));
    package_ = reader.text("package");
    on_ = reader.text_or("on", role_);
    const Json& list = reader.raw("faults");
    if (!list.is_array()) {
      reader.problem("faults", "must be a list of objects");
    } else {
      for (std::size_t i = 0; i < list.size(); ++i) add(list[i], fmt::format("/faults/{}", i));
    }
    reader.finish();
    if (!problems_.empty()) return problems_error(file_.string(), problems_);
    return std::move(faults_);
  }

 private:
  void add(const Json& json, const std::string& pointer) {
    JsonReader reader(json, pointer, problems_);
    Fault fault;
    fault.role = role_;
    fault.id = reader.text("id", why_no_id);
    fault.what = reader.text("what", not_empty("what the package does, as a sentence"));
    fault.like = reader.texts_or_empty("like");
    fault.package = reader.text_or("package", package_);
    fault.on = reader.text_or("on", on_);
    fault.when = reader.text("when", [](const std::string& word) {
      const bool known = std::ranges::count(fault_times, word) > 0;
      return known ? "" : fmt::format("'{}' is unknown; allowed: {}", word, fmt::join(fault_times, ", "));
    });
    fault.expected = expected_in(reader);
    fault.by = reader.texts_or_empty("by");
    Json recipe{{"id", fault.id},
                {"title", fault.what},
                {"severity", "moderate"},
                {"base", {{"package", fault.package}}},
                {"version_suffix", "+patchlab1"},
                {"roles", {fault.on}}};
    for (const char* key : {"remove", "replace", "append"}) {
      if (reader.has(key)) recipe[key] = reader.raw(key);
    }
    if (const auto at = reader.text_or("at", "start"); reader.has("postinst")) {
      recipe["scripts"] = {{{"script", "postinst"}, {"at", at}, {"from", "postinst.sh"}}};
      fault.files["postinst.sh"] = postinst(lines_of(reader.raw("postinst"), pointer + "/postinst", problems_));
    }
    add_files(reader, "files", fault);
    add_files(reader, "programs", fault);
    fault.files["recipe.json"] = pretty(recipe);
    reader.finish();
    faults_.push_back(std::move(fault));
  }

  void add_files(JsonReader& reader, const char* key, Fault& fault) {
    if (!reader.has(key)) return;
    const Json& files = reader.raw(key);
    if (!files.is_object()) return reader.problem(key, "must be an object of lists of lines");
    for (const auto& [path, lines] : files.items()) {
      const auto inside = fs::path(path).lexically_normal();
      if (inside.empty() || inside.is_absolute() || *inside.begin() == "..") {
        reader.problem(key, fmt::format("'{}' must be a path inside the package such as 'etc/default/x'", path));
        continue;
      }
      const auto name = "files/" + inside.string();
      fault.files[name] = lines_of(lines, reader.at(key) + "/" + path, problems_);
      if (std::string_view(key) == "programs") fault.programs.push_back(name);
    }
  }

  fs::path file_;
  std::string role_;
  std::string package_;
  std::string on_;
  Problems problems_;
  std::vector<Fault> faults_;
};

}  // namespace

const char* to_string(Expected expected) {
  switch (expected) {
    case Expected::fail: return "fail";
    case Expected::review: return "review";
    case Expected::clean: return "clean";
  }
  return "";
}

Result<Corpus> read_corpus(const fs::path& folder) {
  const auto file = folder / "corpus.json";
  PATCHLAB_ASSIGN(const auto json, read_json_file(file));
  Problems problems;
  JsonReader reader(json, "", problems);
  Corpus corpus;
  (void)reader.text("schema", [](const std::string& schema) {
    return schema == corpus_schema ? "" : fmt::format("must be '{}'", corpus_schema);
  });
  corpus.scenario = (folder / reader.text("scenario")).lexically_normal();
  corpus.department = reader.text("department");
  const auto roles = reader.texts_or_empty("roles", why_no_id);
  reader.finish();
  if (!problems.empty()) return problems_error(file.string(), problems);
  std::set<std::string> ids;
  for (const auto& role : roles) {
    PATCHLAB_ASSIGN(auto faults, RoleFile(folder / (role + ".json"), role).read());
    for (auto& fault : faults) {
      if (!ids.insert(fault.id).second)
        return configuration_error(fmt::format("'{}': the id '{}' is there twice", folder.string(), fault.id));
      corpus.faults.push_back(std::move(fault));
    }
  }
  return corpus;
}

Result<std::vector<Fault>> chosen(const Corpus& corpus, const Choice& choice) {
  std::set<std::string> roles, ids;
  for (const auto& fault : corpus.faults) {
    roles.insert(fault.role);
    ids.insert(fault.id);
  }
  PATCHLAB_TRY(check_choice("--role", choice.roles, "is not in the corpus", {roles.begin(), roles.end()}));
  PATCHLAB_TRY(check_choice("--fault", choice.ids, "is not in the corpus", {ids.begin(), ids.end()}));
  const auto wanted = [](const auto& list, const auto& word) {
    return list.empty() || std::ranges::count(list, word) > 0;
  };
  std::vector<Fault> faults;
  std::ranges::copy_if(corpus.faults, std::back_inserter(faults), [&](const Fault& fault) {
    return wanted(choice.roles, fault.role) && wanted(choice.ids, fault.id);
  });
  if (choice.sample == 0) return faults;
  std::map<std::string, std::vector<Lot>> lots;
  const auto lot = [&](const Fault& fault) { return lot_of(fault, choice); };
  for (const auto& fault : faults) lots[fault.role].push_back(lot(fault));
  for (auto& [role, drawn] : lots) {
    std::ranges::sort(drawn);
    drawn.resize(std::min(drawn.size(), choice.sample));
  }
  std::erase_if(faults, [&](const Fault& fault) { return std::ranges::count(lots[fault.role], lot(fault)) == 0; });
  return faults;
}

Result<std::vector<fs::path>> write_recipes(const std::vector<Fault>& faults, const fs::path& folder) {
  std::vector<fs::path> folders;
  for (const auto& fault : faults) {
    const auto place = folder / fault.id;
    for (const auto& [name, content] : fault.files) {
      const bool is_program = std::ranges::count(fault.programs, name) > 0;
      PATCHLAB_TRY(create_folders((place / name).parent_path()));
      PATCHLAB_TRY(write_file_atomically(place / name, content, is_program ? 0755U : 0644U));
    }
    folders.push_back(place);
  }
  return folders;
}

}  // namespace patchlab::runners
