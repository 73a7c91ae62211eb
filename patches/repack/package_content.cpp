// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/repack/package_content.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <set>

#include "patches/deb/control.hpp"
#include "patches/deb/version.hpp"

namespace patchlab::patches {
namespace {

using Entries = std::vector<TarEntry>;

TarEntry* find(Entries& entries, const std::string& path) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const TarEntry& entry) { return plain_path(entry.path) == path; });
  return found == entries.end() ? nullptr : &*found;
}

// dpkg verifies installed files against this list; MD5 is the format's choice (deb-md5sums(5)), not ours.
std::string md5_hex(const std::string& bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_md5(), nullptr);
  std::string hex;
  for (unsigned int i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
  return hex;
}

std::int64_t newest(const Entries& entries) {
  std::int64_t stamp = 0;
  for (const auto& entry : entries) stamp = std::max(stamp, entry.modified);
  return stamp;
}

TarEntry new_entry(const std::string& path, EntryType type, std::uint32_t mode, std::int64_t stamp) {
  TarEntry entry;
  entry.path = "./" + path + (type == EntryType::folder ? "/" : "");
  entry.type = type;
  entry.mode = mode;
  entry.user = "root";
  entry.group = "root";
  entry.modified = stamp;
  return entry;
}

class RecipeWork {
 public:
  RecipeWork(PackageContent content, const Recipe& recipe)
      : content_(std::move(content)), recipe_(recipe), stamp_(newest(content_.data)) {}

  Result<PackageContent> run() {
    for (const auto& path : recipe_.remove) PATCHLAB_TRY(remove(path));
    for (const auto& replacement : recipe_.replacements) PATCHLAB_TRY(replace(replacement));
    for (const auto& addition : recipe_.additions) PATCHLAB_TRY(append(addition));
    for (const auto& file : recipe_.overlay) put(file);
    for (const auto& addition : recipe_.scripts) add_snippet(addition);
    PATCHLAB_TRY(set_version());
    refresh_md5sums();
    refresh_conffiles();
    return std::move(content_);
  }

 private:
  [[nodiscard]] Error does_not_fit(const std::string& what) const {
    return configuration_error(
        fmt::format("recipe '{}' does not fit package '{}': {}", recipe_.identity.id, recipe_.base_package, what));
  }

  // A folder goes with everything in it.
  Result<void> remove(const std::string& path) {
    const auto before = content_.data.size();
    std::erase_if(content_.data, [&](const TarEntry& entry) {
      const std::string name = plain_path(entry.path);
      return name == path || name.starts_with(path + "/");
    });
    if (content_.data.size() == before) return does_not_fit(fmt::format("there is no '{}' to remove", path));
    return {};
  }

  Result<TarEntry*> text_file(const std::string& path) {
    TarEntry* entry = find(content_.data, path);
    if (entry == nullptr || entry->type != EntryType::file)
      return does_not_fit(fmt::format("there is no file '{}'", path));
    return entry;
  }

  Result<void> replace(const TextReplacement& replacement) {
    PATCHLAB_ASSIGN(TarEntry * entry, text_file(replacement.path));
    std::size_t at = entry->content.find(replacement.find);
    if (at == std::string::npos) {
      return does_not_fit(fmt::format("'{}' does not contain '{}'", replacement.path, replacement.find));
    }
    for (; at != std::string::npos; at = entry->content.find(replacement.find, at + replacement.with.size())) {
      entry->content.replace(at, replacement.find.size(), replacement.with);
    }
    entry->modified = stamp_;
    return {};
  }

  Result<void> append(const TextAddition& addition) {
    PATCHLAB_ASSIGN(TarEntry * entry, text_file(addition.path));
    entry->content += addition.text;
    entry->modified = stamp_;
    return {};
  }

  void ensure_folder(const std::string& path) {
    if (path.empty() || find(content_.data, path) != nullptr) return;
    const auto slash = path.rfind('/');
    if (slash != std::string::npos) ensure_folder(path.substr(0, slash));
    content_.data.push_back(new_entry(path, EntryType::folder, 0755, stamp_));
  }

  void put(const OverlayFile& file) {
    TarEntry entry = new_entry(file.path, EntryType::file, file.executable ? 0755 : 0644, stamp_);
    entry.content = file.content;
    entry.bytes = file.content.size();
    if (TarEntry* old = find(content_.data, file.path)) {
      *old = std::move(entry);
      return;
    }
    const auto slash = file.path.rfind('/');
    if (slash != std::string::npos) ensure_folder(file.path.substr(0, slash));
    content_.data.push_back(std::move(entry));
  }

  TarEntry& control_entry(const std::string& name, std::uint32_t mode) {
    if (TarEntry* entry = find(content_.control, name)) return *entry;
    content_.control.push_back(new_entry(name, EntryType::file, mode, stamp_));
    return content_.control.back();
  }

  void add_snippet(const ScriptAddition& addition) {
    auto& entry = control_entry(addition.script, 0755);
    entry.content = with_snippet(entry.content, addition);
  }

  Result<void> set_version() {
    TarEntry* control = find(content_.control, "control");
    if (control == nullptr) return does_not_fit("it has no control file");
    const std::string begin = "\nVersion: ";
    const auto at = ("\n" + control->content).find(begin);  // the field may stand in the first line
    if (at == std::string::npos) return does_not_fit("its control file has no version");
    const auto value = at + begin.size() - 1;
    const auto end = std::min(control->content.find('\n', value), control->content.size());
    const std::string old = control->content.substr(value, end - value);
    if (compare_versions(old + recipe_.version_suffix, old) <= 0)
      return does_not_fit("the new version would not be newer");
    control->content.insert(end, recipe_.version_suffix);
    return {};
  }

  // Conffiles are not listed: dpkg keeps their sums in the status file.
  void refresh_md5sums() {
    const auto conffiles = listed_conffiles();
    std::string sums;
    for (const auto& entry : content_.data) {
      const std::string path = plain_path(entry.path);
      if (entry.type == EntryType::file && conffiles.count(path) == 0 && !path.starts_with("etc/")) {
        sums += md5_hex(entry.content) + "  " + path + "\n";
      }
    }
    control_entry("md5sums", 0644).content = sums;
  }

  std::set<std::string> listed_conffiles() {
    std::set<std::string> paths;
    const TarEntry* list = find(content_.control, "conffiles");
    std::string_view text = list == nullptr ? std::string_view() : std::string_view(list->content);
    while (!text.empty()) {
      const auto line = text.substr(0, text.find('\n'));
      const auto slash = line.find('/');  // "/etc/x" or "remove-on-upgrade /etc/x"
      if (slash != std::string_view::npos) paths.insert(std::string(line.substr(slash + 1)));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
    }
    return paths;
  }

  // What the recipe adds below /etc becomes a conffile, what it removes is one no longer (as debhelper does it).
  void refresh_conffiles() {
    std::set<std::string> paths = listed_conffiles();
    const auto before = paths;
    std::erase_if(paths, [&](const std::string& path) { return find(content_.data, path) == nullptr; });
    for (const auto& file : recipe_.overlay) {
      if (file.path.starts_with("etc/")) paths.insert(file.path);
    }
    if (paths == before) return;
    std::string text;
    for (const auto& path : paths) text += "/" + path + "\n";
    control_entry("conffiles", 0644).content = text;
  }

  PackageContent content_;
  const Recipe& recipe_;
  std::int64_t stamp_;
};

// Where the last line of a script begins when that line is "exit 0"; npos otherwise.
std::size_t final_exit(const std::string& script) {
  const auto last = script.find_last_not_of(" \t\n");
  if (last == std::string::npos) return std::string::npos;
  const auto before = script.find_last_of('\n', last);
  const auto begin = before == std::string::npos ? 0 : before + 1;
  return script.substr(begin, last + 1 - begin) == "exit 0" ? begin : std::string::npos;
}

}  // namespace

std::string with_snippet(const std::string& script, const ScriptAddition& addition) {
  std::string text = addition.text;
  if (!text.ends_with('\n')) text += '\n';
  if (script.empty()) return "#!/bin/sh\nset -e\n" + text;
  if (addition.place == ScriptPlace::start) {
    const auto first_line = script.find('\n');
    if (first_line == std::string::npos) return script + "\n" + text;
    return script.substr(0, first_line + 1) + text + script.substr(first_line + 1);
  }
  const auto exit_line = final_exit(script);
  if (exit_line != std::string::npos) return script.substr(0, exit_line) + text + script.substr(exit_line);
  return script + (script.ends_with('\n') ? "" : "\n") + text;
}

Result<PackageContent> read_package(const std::filesystem::path& deb, const DebLimits& limits) {
  PATCHLAB_ASSIGN(const auto layout, read_deb_layout(deb, limits));
  PackageContent content;
  const auto keep = [](const TarEntry&) { return Content::keep; };
  const auto into = [&deb](Entries& entries) {
    return [&entries, &deb](TarEntry&& entry) -> Result<void> {
      if (entry.type == EntryType::other) {
        return configuration_error(
            fmt::format("'{}': '{}' is a device or FIFO, which cannot be packed again", deb.string(), entry.path));
      }
      entries.push_back(std::move(entry));
      return {};
    };
  };
  PATCHLAB_TRY(walk_member(deb, layout.control, limits, keep, into(content.control)));
  PATCHLAB_TRY(walk_member(deb, layout.data, limits, keep, into(content.data)));
  return content;
}

Result<std::string> write_package(const PackageContent& content) {
  PATCHLAB_ASSIGN(const auto control, pack_tar_xz(content.control));
  PATCHLAB_ASSIGN(const auto data, pack_tar_xz(content.data));
  return pack_deb(control, data, newest(content.data));
}

Result<PackageContent> apply_recipe(PackageContent content, const Recipe& recipe) {
  return RecipeWork(std::move(content), recipe).run();
}

}  // namespace patchlab::patches
