// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/repack/recipe.hpp"

#include <fmt/format.h>

#include <array>
#include <cctype>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "patches/candidate/manifest.hpp"
#include "patches/deb/control.hpp"

namespace patchlab::patches {
namespace {

namespace fs = std::filesystem;
using Problems = std::vector<JsonProblem>;

constexpr std::array<std::string_view, 4> known_scripts{"preinst", "postinst", "prerm", "postrm"};
constexpr std::uintmax_t longest_file = 16U << 20U;

bool is_inside_path(const std::string& path) {
  if (path.empty() || path.front() == '/' || path.back() == '/') return false;
  for (const auto& part : fs::path(path)) {
    if (part == ".." || part == ".") return false;
  }
  return true;
}

std::string why_not_inside(const std::string& path) {
  return is_inside_path(path) ? ""
                              : fmt::format("'{}' must be a path inside the package such as 'etc/default/x'", path);
}

std::string inside_path(JsonReader& reader, const std::string& key) { return reader.text(key, why_not_inside); }

// Calls `read` for every object of an optional list.
template <class Read>
void each(JsonReader& reader, const std::string& key, Problems& problems, const Read& read) {
  if (!reader.has(key)) return;
  const Json& list = reader.raw(key);
  if (!list.is_array()) {
    reader.problem(key, "must be a list of objects");
    return;
  }
  for (std::size_t i = 0; i < list.size(); ++i) {
    JsonReader item(list[i], fmt::format("{}/{}", reader.at(key), i), problems);
    read(item);
    item.finish();
  }
}

void read_base(JsonReader& reader, Recipe& recipe) {
  if (!reader.has("base")) {
    reader.problem("base", "is required: {\"package\": \"name\"}");
    return;
  }
  auto base = reader.object("base");
  recipe.base_package = base.text("package", [](const std::string& name) {
    return is_package_name(name) ? "" : fmt::format("'{}' is no package name such as 'postfix'", name);
  });
  base.finish();
}

void read_suffix(JsonReader& reader, Recipe& recipe) {
  // With '+' in front the new version sorts right after the base and before its next release.
  recipe.version_suffix = reader.text("version_suffix", [](const std::string& suffix) {
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.'; };
    const bool good =
        suffix.size() > 1 && suffix.front() == '+' && std::all_of(suffix.begin() + 1, suffix.end(), allowed);
    return good ? "" : fmt::format("'{}' must be '+' and lower-case letters, digits or dots", suffix);
  });
}

void read_scripts(JsonReader& reader, Problems& problems, const fs::path& folder, Recipe& recipe) {
  each(reader, "scripts", problems, [&](JsonReader& item) {
    ScriptAddition addition;
    addition.script = item.text("script", [](const std::string& name) {
      const bool is_known = std::find(known_scripts.begin(), known_scripts.end(), name) != known_scripts.end();
      return is_known ? "" : fmt::format("'{}' is unknown; allowed: preinst, postinst, prerm, postrm", name);
    });
    const std::string place = item.text_or("at", "end", [](const std::string& word) {
      return word == "start" || word == "end" ? "" : fmt::format("'{}' is unknown; allowed: start, end", word);
    });
    addition.place = place == "start" ? ScriptPlace::start : ScriptPlace::end;
    if (const std::string from = inside_path(item, "from"); !from.empty()) {
      auto text = read_file(folder / from, longest_file);
      if (text)
        addition.text = std::move(*text);
      else
        item.problem("from", text.error().message);
    }
    recipe.scripts.push_back(std::move(addition));
  });
}

void read_edits(JsonReader& reader, Problems& problems, Recipe& recipe) {
  recipe.remove = reader.texts_or_empty("remove", why_not_inside);
  each(reader, "replace", problems, [&](JsonReader& item) {
    TextReplacement replacement{inside_path(item, "path"), item.text("find", not_empty("what is to be replaced")),
                                item.text("with")};
    recipe.replacements.push_back(std::move(replacement));
  });
  each(reader, "append", problems, [&](JsonReader& item) {
    recipe.additions.push_back({inside_path(item, "path"), item.text("text", not_empty("what is to be added"))});
  });
}

Result<std::vector<OverlayFile>> read_overlay(const fs::path& root) {
  std::vector<OverlayFile> overlay;
  if (!is_folder(root)) return overlay;
  PATCHLAB_ASSIGN(const auto entries, entries_below(root));
  for (const auto& entry : entries) {
    const auto status = status_of(entry);
    if (fs::is_directory(status)) continue;
    PATCHLAB_ASSIGN(auto content, read_file(entry, longest_file, Links::refuse));
    const bool executable = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
    overlay.push_back({entry.lexically_relative(root).string(), std::move(content), executable});
  }
  std::sort(overlay.begin(), overlay.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return overlay;
}

std::string digest_of(const Json& json, const Recipe& recipe) {
  DigestBuilder builder;
  builder.add("patchlab/recipe/v1").add(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  for (const auto& script : recipe.scripts) builder.add(script.text);
  for (const auto& file : recipe.overlay) builder.add(file.path).add(file.executable ? "x" : "-").add(file.content);
  return builder.finish();
}

}  // namespace

Result<Recipe> read_recipe(const fs::path& path) {
  std::error_code ignored;
  const auto file = fs::is_directory(path, ignored) ? path / "recipe.json" : path;
  const auto folder = file.parent_path();
  PATCHLAB_ASSIGN(const auto json, read_json_file(file));
  Problems problems;
  Recipe recipe;
  JsonReader reader(json, "", problems);
  read_identity(reader, recipe.identity);
  if (recipe.identity.kind != "deb") reader.problem("kind", "must be deb: other packages cannot be made from a recipe");
  recipe.identity.origin = Origin::repack;
  read_base(reader, recipe);
  read_suffix(reader, recipe);
  read_edits(reader, problems, recipe);
  read_scripts(reader, problems, folder, recipe);
  reader.finish();
  auto overlay = read_overlay(folder / "files");
  if (overlay)
    recipe.overlay = std::move(*overlay);
  else
    problems.push_back({"", overlay.error().message});
  if (!problems.empty()) return problems_error(file.string(), problems);
  recipe.digest = digest_of(json, recipe);
  return recipe;
}

}  // namespace patchlab::patches
