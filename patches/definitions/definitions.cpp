// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/definitions/definitions.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "lab/core/files.hpp"
#include "lab/core/held_folder.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "lab/process/sandbox.hpp"
#include "patches/deb/control.hpp"
#include "patches/deb/deb_file.hpp"

namespace patchlab::patches {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t header_bytes = 512;
constexpr std::size_t longest_name = 64;
constexpr auto time_limit = std::chrono::minutes(5);
constexpr const char* folder_inside = "/definitions";
constexpr std::string_view family = "clamav-data";
constexpr std::string_view place = "var/lib/clamav/";
constexpr std::string_view ending = ".cvd";

// A package of data needs no other field; any of the others may mean that something else happens to the machine.
constexpr std::string_view fields[] = {
    "Package",  "Source",      "Version",  "Architecture", "Maintainer", "Installed-Size",     "Section",
    "Priority", "Description", "Homepage", "Provides",     "Suggests",   "Original-Maintainer"};
// Signatures of ClamAV, by the endings of their files (its manual, "Database info"; CLI_DBEXT of libclamav). Not .cbc,
// programs in bytecode, and no rules of YARA.
constexpr std::string_view signature_endings[] = {
    "cat",  "cdb", "cfg", "crb", "db",  "fp",  "ftm", "gdb", "hdb", "hdu", "hsb",  "hsu", "idb", "ign", "ign2", "imp",
    "info", "ldb", "ldu", "mdb", "mdu", "msb", "msu", "ndb", "ndu", "pdb", "pwdb", "rmd", "sdb", "sfp", "wdb",  "zmd"};

Definitions other(std::string why) { return {Definitions::State::other, std::move(why), {}, {}}; }
Definitions damaged(std::string why) { return {Definitions::State::damaged, std::move(why), {}, {}}; }
Definitions not_told(std::string why) { return {Definitions::State::not_told, std::move(why), {}, {}}; }

bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= longest_name &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
             std::string_view::npos;
}

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, trouble] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (trouble != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "daily.cvd" of "var/lib/clamav/daily.cvd"; empty: it is not the place of such a file.
std::string definition_name(const std::string& path) {
  if (!path.starts_with(place) || !path.ends_with(ending)) return {};
  const auto name = path.substr(place.size());
  return is_word(std::string_view(name).substr(0, name.size() - ending.size())) ? name : std::string();
}

// What a program said, on one line.
std::string last_words(std::string_view text) { return printable(trimmed(text, " \t\r\n")); }

const char* state_word(Definitions::State state) {
  switch (state) {
    case Definitions::State::proven: return "proven";
    case Definitions::State::other: return "other";
    case Definitions::State::damaged: return "damaged";
    case Definitions::State::not_told: return "not-told";
  }
  return "not-told";
}

// What is said to others of a path that they chose.
std::string shown(const std::string& path) { return printable("/" + path); }

std::string why_not_by_name(const std::string& package) {
  if (is_called_as_definitions(package)) return {};
  return fmt::format(
      "it is called '{}': a package of definitions is called '{}' or '{}-...', so that it takes the place of nothing "
      "else",
      printable(package), family, family);
}

// Why its control archive is not that of a package of data; empty: it is.
Result<std::string> why_not_by_control(const fs::path& deb, const DebMember& member, const DebLimits& limits) {
  std::string why;
  const auto nothing = [](const TarEntry&) { return Content::skip; };
  PATCHLAB_TRY(walk_member(deb, member, limits, nothing, [&](TarEntry&& entry) -> Result<void> {
    const auto name = plain_path(entry.path);
    if (why.empty() && !name.empty() && name != "control" && name != "md5sums")
      why = fmt::format("its package has '{}', which dpkg acts on", printable(name));
    return {};
  }));
  if (!why.empty()) return why;
  PATCHLAB_ASSIGN(const auto control, control_of(deb, limits));
  const auto package = known_package_name(field(control, "Package"));
  if (auto why_not = why_not_by_name(package); !why_not.empty()) return why_not;
  if (field(control, "Architecture") != "all")
    return fmt::format("it is for the architecture '{}': data is for all", printable(field(control, "Architecture")));
  for (const auto& [name, value] : control) {
    const auto is_same = [&name = name](std::string_view known) { return lower_case(name) == lower_case(known); };
    if (std::ranges::none_of(fields, is_same))
      return fmt::format("its control file has the field '{}', which a package of data does not need", printable(name));
  }
  const auto provides = std::string(trimmed(field(control, "Provides")));
  if (!provides.empty() && provides != family) return fmt::format("it says that it provides '{}'", printable(provides));
  return std::string();
}

// Why one entry of its data is none of a package of data; empty: it is one.
std::string why_not_by_entry(const TarEntry& entry, const std::string& path, const std::string& package) {
  constexpr std::uint32_t special = 07000, executable = 0111, written_by_others = 0022;
  const auto documents = fmt::format("usr/share/doc/{}", package);
  if (entry.type == EntryType::folder) {
    const bool is_on_the_way = path.empty() || std::string_view("var/lib/clamav/").starts_with(path + "/") ||
                               (documents + "/").starts_with(path + "/") || path.starts_with(documents + "/");
    if (!is_on_the_way) return fmt::format("it brings the folder '{}'", shown(path));
    if ((entry.mode & (special | written_by_others)) != 0)
      return fmt::format("it brings the folder '{}' with the mode {:o}", shown(path), entry.mode);
    return {};
  }
  if (entry.type != EntryType::file) return fmt::format("it brings '{}', which is no plain file", shown(path));
  if (definition_name(path).empty() && !path.starts_with(documents + "/"))
    return fmt::format("it brings '{}'", shown(path));
  if ((entry.mode & (special | executable | written_by_others)) != 0)
    return fmt::format("it brings '{}' with the mode {:o}", shown(path), entry.mode);
  return {};
}

// Why a file of definitions holds more than signatures; empty: it does not.
Result<std::string> why_not_by_signatures(const fs::path& file, const std::string& name, const DebLimits& limits) {
  std::error_code code;
  const auto bytes = fs::file_size(file, code);
  if (code) return infrastructure_error(fmt::format("reading '{}': {}", file.string(), code.message()));
  // Behind its header it is a .tar.gz, as the data of a package may be.
  const DebMember content{"data.tar.gz", header_bytes, bytes - header_bytes};
  std::string why;
  const auto nothing = [](const TarEntry&) { return Content::skip; };
  PATCHLAB_TRY(walk_member(file, content, limits, nothing, [&](TarEntry&& entry) -> Result<void> {
    const auto inside = plain_path(entry.path);
    if (!why.empty() || inside == "COPYING" || (entry.type == EntryType::folder && inside.empty())) return {};
    const auto dot = inside.find('.');
    const auto kind = dot == std::string::npos ? std::string() : inside.substr(dot + 1);
    const bool is_known = entry.type == EntryType::file && is_word(inside.substr(0, dot)) &&
                          std::ranges::count(signature_endings, kind) > 0;
    if (kind == "cbc")
      why = fmt::format("'{}' in '{}' is a program in bytecode, which a scanner executes", printable(inside), name);
    else if (!is_known)
      why = fmt::format("'{}' in '{}' is of no kind of signatures that is known", printable(inside), name);
    return {};
  }));
  return why;
}

// What ClamAV's own verifier says of one file.
Definitions verified(const fs::path& folder, const std::string& name, ProcessRunner& processes) {
  const auto outcome = processes.run(sigtool_command(folder, name));
  if (std::holds_alternative<NotStarted>(outcome.end) || is_without_sandbox(outcome))
    return not_told(
        fmt::format("'{}' could not be verified: {}; install the Debian packages clamav and bubblewrap", name,
                    outcome.errors.empty() ? fmt::format("bwrap {}", outcome.describe()) : last_words(outcome.errors)));
  const auto* exited = std::get_if<Exited>(&outcome.end);
  if (exited == nullptr)
    return not_told(fmt::format("'{}' could not be verified: sigtool {}", name, outcome.describe()));
  bool is_fine = false;
  for (const auto line : split(outcome.output, '\n')) is_fine = is_fine || trimmed(line) == "Verification OK.";
  if (exited->code == 0 && is_fine) return {Definitions::State::proven, {}, {}, {}};
  // Of a newer form than this ClamAV reads it says nothing of the bytes; what it says of them begins so.
  constexpr std::string_view says = "Verification: ";
  for (const auto text : {std::string_view(outcome.errors), std::string_view(outcome.output)}) {
    const auto at = text.find(says);
    if (at == std::string_view::npos) continue;
    const auto rest = text.substr(at + says.size());
    return damaged(fmt::format("ClamAV refuses '{}': {}", name, printable(trimmed(rest.substr(0, rest.find('\n'))))));
  }
  return not_told(
      fmt::format("'{}' could not be verified: sigtool {}: {}", name, outcome.describe(), last_words(outcome.errors)));
}

std::string version_of_verifier(ProcessRunner& processes) {
  auto spec = in_sandbox({}, {"sigtool", "--version"});
  spec.time_limit = std::chrono::seconds(30);
  const auto outcome = processes.run(spec);
  const auto text = trimmed(std::string_view(outcome.output).substr(0, outcome.output.find('\n')));
  return outcome.succeeded() && text.starts_with("ClamAV ") ? printable(text.substr(0, text.find('/'))) : "ClamAV";
}

// The files of definitions in the data, put into `folder`, with their headers; `look` becomes what stands against it.
using Headers = std::map<std::string, std::optional<DefinitionHeader>>;
Result<Headers> unpack(const fs::path& deb, const DebMember& member, const DebLimits& limits,
                       const std::string& package, const fs::path& folder, Definitions& look) {
  Headers headers;
  look = {Definitions::State::proven, {}, {}, {}};
  const auto wanted = [&](const TarEntry& entry) {
    return look.are_proven() && !definition_name(plain_path(entry.path)).empty() ? Content::keep : Content::skip;
  };
  PATCHLAB_TRY(walk_member(deb, member, limits, wanted, [&](TarEntry&& entry) -> Result<void> {
    if (!look.are_proven()) return {};
    const auto path = plain_path(entry.path);
    if (auto why = why_not_by_entry(entry, path, package); !why.empty()) {
      look = other(std::move(why));
      return {};
    }
    const auto name = definition_name(path);
    if (entry.type != EntryType::file || name.empty()) return {};
    if (!headers.emplace(name, definition_header(entry.content)).second) {
      look = other(fmt::format("it brings '{}' twice", shown(path)));
      return {};
    }
    return write_file_atomically(folder / name, entry.content);
  }));
  return headers;
}

}  // namespace

bool is_called_as_definitions(std::string_view package) {
  return package == family || package.starts_with(fmt::format("{}-", family));
}

std::optional<DefinitionHeader> definition_header(std::string_view bytes) {
  constexpr std::string_view magic = "ClamAV-VDB:";
  if (bytes.size() < header_bytes || !bytes.starts_with(magic)) return std::nullopt;
  const auto parts = split(bytes.substr(magic.size(), header_bytes - magic.size()), ':');
  constexpr std::size_t least_parts = 6;  // built, version, signatures, level, MD5, signature; then builder and time
  if (parts.size() < least_parts) return std::nullopt;
  const auto version = number_in(parts[1]), signatures = number_in(parts[2]);
  const auto built = std::string(trimmed(parts[0]));
  if (!version || !signatures || built.empty() || printable(built) != built) return std::nullopt;
  return DefinitionHeader{built, *version, *signatures};
}

ProcessSpec sigtool_command(const fs::path& folder, const std::string& name) {
  auto spec = in_sandbox({.readable = {{folder, folder_inside}}},
                         {"sigtool", fmt::format("--info={}/{}", folder_inside, name)});
  spec.time_limit = time_limit;
  spec.output_limit = 1U << 20U;
  return spec;
}

Result<Definitions> definitions_in(const fs::path& deb, ProcessRunner& processes, const fs::path& scratch,
                                   const DebLimits& limits) {
  PATCHLAB_ASSIGN(const auto layout, read_deb_layout(deb, limits));
  PATCHLAB_ASSIGN(auto why, why_not_by_control(deb, layout.control, limits));
  if (!why.empty()) return other(std::move(why));
  PATCHLAB_ASSIGN(const auto control, control_of(deb, limits));
  PATCHLAB_ASSIGN(const auto work, HeldFolder::make_in(scratch, "definitions-"));
  Definitions look;
  PATCHLAB_ASSIGN(const auto headers,
                  unpack(deb, layout.data, limits, known_package_name(field(control, "Package")), work.path(), look));
  if (!look.are_proven()) return look;
  if (headers.empty()) return other("it brings no file of definitions (/var/lib/clamav/NAME.cvd)");
  for (const auto& [name, header] : headers) {
    if (!header) return damaged(fmt::format("'{}' does not begin as a file of definitions does", name));
    if (auto said = verified(work.path(), name, processes); !said.are_proven()) return said;
    auto more = why_not_by_signatures(work.path() / name, name, limits);
    if (!more) return not_told(fmt::format("what '{}' holds could not be read: {}", name, more.error().message));
    if (!more->empty()) return other(std::move(*more));
    look.files.push_back({name, *header});
  }
  look.verifier = version_of_verifier(processes);
  return look;
}

void to_json(Json& json, const Definitions& definitions) {
  Json files = Json::array();
  for (const auto& file : definitions.files) {
    files.push_back({{"name", file.name},
                     {"version", file.header.version},
                     {"built", file.header.built},
                     {"signatures", file.header.signatures}});
  }
  json = {{"state", state_word(definitions.state)},
          {"why", definitions.why},
          {"files", std::move(files)},
          {"verifier", definitions.verifier}};
}

std::string describe(const Definitions& definitions) {
  if (!definitions.are_proven()) {
    const char* what = definitions.state == Definitions::State::other ? "no definition update"
                       : definitions.state == Definitions::State::damaged
                           ? "damaged definitions"
                           : "nobody can tell whether it is a definition update";
    return fmt::format("{}: {}", what, definitions.why);
  }
  std::vector<std::string> files;
  for (const auto& file : definitions.files)
    files.push_back(fmt::format("{} {} of {} ({} signatures)", file.name, file.header.version, file.header.built,
                                file.header.signatures));
  return fmt::format("definitions: {}, each verified by {}", fmt::join(files, ", "), definitions.verifier);
}

}  // namespace patchlab::patches
