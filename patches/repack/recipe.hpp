// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "patches/candidate/candidate.hpp"

namespace patchlab::patches {

// A replacement inside a text file of the package; `find` must be there, or the recipe no longer fits the package.
struct TextReplacement {
  std::string path;
  std::string find;
  std::string with;
};

struct TextAddition {
  std::string path;
  std::string text;
};

enum class ScriptPlace { start, end };

// Lines added to a maintainer script. `end` means before its last "exit 0".
struct ScriptAddition {
  std::string script;  // preinst, postinst, prerm, postrm
  ScriptPlace place = ScriptPlace::end;
  std::string text;
};

// A file of the recipe's `files/` folder, which mirrors the guest's root.
struct OverlayFile {
  std::string path;  // "etc/default/x"
  std::string content;
  bool executable = false;
};

// How to make a test candidate from a real package: scenarios/candidates/<id>/recipe.json and the files beside it.
struct Recipe {
  Candidate identity;  // id, title, severity, prerequisites, supersedes, roles; no files yet
  std::string base_package;
  std::string version_suffix;
  std::vector<std::string> remove;
  std::vector<TextReplacement> replacements;
  std::vector<TextAddition> additions;
  std::vector<ScriptAddition> scripts;
  std::vector<OverlayFile> overlay;
  std::string digest;  // of everything the recipe's folder says
};

// `path`: the folder or its recipe.json. All problems in one error with file and JSON pointer.
//
// recipe.json: {"id", "title", "severity", "base": {"package"}, "version_suffix": "+patchlab1", "remove": ["usr/..."],
// "replace": [{"path", "find", "with"}], "append": [{"path", "text"}], "scripts": [{"script", "at": "start"|"end",
// "from": "postinst.sh"}], "prerequisites", "supersedes", "roles"}
[[nodiscard]] Result<Recipe> read_recipe(const std::filesystem::path& path);

}  // namespace patchlab::patches
