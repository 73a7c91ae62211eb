// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/intake/disk_file.hpp"

#include <fmt/format.h>

#include <charconv>

#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/text.hpp"
#include "lab/process/sandbox.hpp"

namespace patchlab::runners::intake {
namespace {

constexpr const char* inside = "/in/disk";
constexpr const char* outside = "/out";
constexpr std::uint64_t most_bytes = 64ULL << 40U;  // of a VHDX, the largest of all
constexpr auto quick = std::chrono::minutes(2);
constexpr auto slow = std::chrono::hours(12);

struct Format {
  DiskFormat format;
  const char* word;
  std::string_view ending;
  std::string_view begins;  // empty: with anything
};
// "KDMV": VMware's virtual disk format 5.0, SparseExtentHeader. "vhdxfile": MS-VHDX 2.2.1. "QFI\xfb": QEMU's
// docs/interop/qcow2.txt.
constexpr std::array<Format, 4> formats{{{DiskFormat::vhdx, "vhdx", ".vhdx", "vhdxfile"},
                                         {DiskFormat::vmdk, "vmdk", ".vmdk", "KDMV"},
                                         {DiskFormat::qcow2, "qcow2", ".qcow2", "QFI\xfb"},
                                         {DiskFormat::raw, "raw", ".raw", ""}}};

// What people have, and what to do with it.
struct Other {
  std::string_view ending;
  const char* what;
  const char* next;
};
constexpr std::array<Other, 7> others{
    {{".avhdx", "a checkpoint of Hyper-V, which only holds what differs from the disk below it",
      "remove the machine's checkpoints in Hyper-V, which merges them, and export it again"},
     {".vhd", "a disk of older versions of Hyper-V", "make it a .vhdx there with Convert-VHD"},
     {".ovf", "the descriptor of an export that lies beside it in a folder",
      "pack the files of the folder, the descriptor first: tar --format=ustar -cf NAME.ova NAME.ovf NAME.mf "
      "NAME-disk1.vmdk"},
     {".img", "a disk of which only the name does not say the format", "call it .raw when it is one"},
     {".vdi", "a disk of VirtualBox", "export the machine there as .ova"},
     {".iso", "a CD", "put it into the CD drive of the domain"},
     {".zip", "an archive", "unpack it, and import the disk that is in it"}}};

// The least that qemu-img runs with; the program of the host, none of its files.
ProcessSpec confined(const DiskInput& disk, const std::filesystem::path& writable,
                     std::initializer_list<std::string> words) {
  Sandbox sandbox{.readable = {{disk.file, inside}}, .devices = true};
  if (!writable.empty()) sandbox.writable = {{writable, outside}};
  auto spec = in_sandbox(sandbox, words);
  spec.time_limit = quick;
  spec.output_limit = 4U << 20U;
  spec.private_files = true;
  return spec;
}

std::string last_line(std::string_view text) {
  std::string last;
  for (const auto line : split(text, '\n')) {
    if (!trimmed(line).empty()) last = trimmed(line);
  }
  return last;
}

// What a person gets to read of it.
std::string words_of(const ProcessOutcome& outcome) {
  auto words = last_line(outcome.errors);
  for (const char* program : {"qemu-img: ", "qemu-io: "}) {
    if (words.starts_with(program)) words.erase(0, std::string_view(program).size());
  }
  return words.empty() ? outcome.describe() : words;
}

std::string hint_of(const std::string& words) {
  if (words.find("log that needs to be replayed") != std::string::npos)
    return "the machine was not shut down, or Hyper-V has the disk still open: shut it down and export it again";
  if (words.find("lock") != std::string::npos) return "a machine runs on this disk: shut it down, and import a copy";
  return "copy it again from where it was exported, and compare size and digest with those there";
}

// Trouble of the lab when it was not the disk; nothing when the program ran to its end, whatever it said.
std::optional<Error> trouble_of(const ProcessOutcome& outcome, const std::string& action, std::stop_token stop) {
  if (stop.stop_requested()) return Error{ErrorClass::cancelled, action + ": cancelled", {}};
  if (std::holds_alternative<NotStarted>(outcome.end))
    return infrastructure_error(fmt::format("{}: bwrap {}", action, outcome.describe()),
                                "'apt-get install bubblewrap': disks of others are read in a sandbox only");
  if (is_without_sandbox(outcome))
    return infrastructure_error(fmt::format("{}: {}", action, last_line(outcome.errors)),
                                "are bubblewrap and qemu-utils installed? 'patchlab doctor' looks for both");
  if (std::holds_alternative<TimedOut>(outcome.end)) return timeout_error(action + ": " + outcome.describe());
  if (std::holds_alternative<Signalled>(outcome.end)) return infrastructure_error(action + ": " + outcome.describe());
  return std::nullopt;
}

std::optional<int> exit_code_of(const ProcessOutcome& outcome) {
  const auto* exited = std::get_if<Exited>(&outcome.end);
  return exited == nullptr ? std::nullopt : std::optional<int>(exited->code);
}

// What a question to a disk brought, when it was answered.
Result<std::string> answer(const DiskInput& disk, const ProcessSpec& spec, ProcessRunner& runner,
                           const std::stop_token& stop) {
  auto outcome = runner.run(spec, stop);
  if (auto lab = trouble_of(outcome, fmt::format("reading '{}'", disk.name), stop)) return std::move(*lab);
  if (exit_code_of(outcome) == 0) return std::move(outcome.output);
  const auto words = words_of(outcome);
  return configuration_error(fmt::format("'{}' cannot be read as {}: {}", disk.name, to_string(disk.format), words),
                             hint_of(words));
}

// Every file that it is made of, wherever the answer names one.
Result<void> check_names(const Json& json, const DiskInput& disk) {
  static const std::map<std::string, const char*> refused{
      {"backing-filename", "stands on another file"},
      {"full-backing-filename", "stands on another file"},
      {"data-file", "keeps its data in another file"},
  };
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      if (const auto found = refused.find(key); found != refused.end())
        return configuration_error(
            fmt::format("'{}' {}: {}", disk.name, found->second, value.is_string() ? value.get<std::string>() : "?"),
            "export or convert it where it comes from to one file that holds everything; what it names here is not "
            "read");
      if (key == "filename" && value != inside)
        return configuration_error(fmt::format("'{}' is made of other files: {}", disk.name,
                                               value.is_string() ? value.get<std::string>() : "?"),
                                   "export it as one file that holds everything");
      PATCHLAB_TRY(check_names(value, disk));
    }
  } else if (json.is_array()) {
    for (const auto& value : json) PATCHLAB_TRY(check_names(value, disk));
  }
  return {};
}

}  // namespace

const char* to_string(DiskFormat format) {
  for (const auto& one : formats) {
    if (one.format == format) return one.word;
  }
  return "";
}

Result<DiskFormat> format_of(const std::string& name, std::string_view first_bytes) {
  const auto ending = lower_case(std::filesystem::path(name).extension().string());
  for (const auto& other : others) {
    if (ending == other.ending) return configuration_error(fmt::format("'{}' is {}", name, other.what), other.next);
  }
  const auto named = std::ranges::find(formats, ending, &Format::ending);
  if (named == formats.end())
    return configuration_error(fmt::format("'{}' ends with none of .vhdx, .vmdk, .qcow2, .raw and .ova", name),
                               "the ending says what it is; its contents are never guessed");
  if (first_bytes.empty()) return configuration_error(fmt::format("'{}' is empty", name), "copy it again");
  if (ending == ".vmdk" && first_bytes.starts_with("# Disk DescriptorFile"))
    return configuration_error(
        fmt::format("'{}' is a text that names other files, in which the disk is", name),
        "export the machine as .ova; of a datastore's copy the '-flat.vmdk' beside it is the disk: import that, called "
        ".raw");
  for (const auto& format : formats) {
    if (format.begins.empty() || !first_bytes.starts_with(format.begins)) continue;
    if (format.format == named->format) return format.format;
    return configuration_error(fmt::format("'{}' is a {} by its contents", name, format.word),
                               fmt::format("call it {}", format.ending));
  }
  if (named->format == DiskFormat::raw) return DiskFormat::raw;
  return configuration_error(fmt::format("'{}' does not begin as a {} does", name, named->word),
                             "is it the file that was exported, and whole?");
}

ProcessSpec info_process(const DiskInput& disk) {
  return confined(disk, {}, {"qemu-img", "info", "--output=json", "-f", to_string(disk.format), inside});
}
ProcessSpec check_process(const DiskInput& disk) {
  auto spec = confined(disk, {}, {"qemu-img", "check", "-q", "-f", to_string(disk.format), inside});
  spec.time_limit = slow;
  return spec;
}
ProcessSpec measure_process(const DiskInput& disk) {
  auto spec =
      confined(disk, {}, {"qemu-img", "measure", "--output=json", "-f", to_string(disk.format), "-O", "qcow2", inside});
  spec.time_limit = slow;
  return spec;
}
ProcessSpec first_sector_process(const DiskInput& disk) {
  return confined(disk, {}, {"qemu-io", "-r", "-f", to_string(disk.format), "-c", "read -v 0 512", inside});
}
ProcessSpec convert_process(const DiskInput& disk, const std::filesystem::path& result) {
  auto spec = confined(disk, result.parent_path(),
                       {"qemu-img", "convert", "-f", to_string(disk.format), "-O", "qcow2", inside,
                        (std::filesystem::path(outside) / result.filename()).string()});
  spec.time_limit = slow;
  return spec;
}

Result<DiskFacts> facts_in(const std::string& info, const DiskInput& disk) {
  PATCHLAB_ASSIGN(const auto json, parse_json(info, "the answer of 'qemu-img info'"));
  const auto refused = [&](const std::string& why, std::string hint) {
    return configuration_error(fmt::format("'{}' {}", disk.name, why), std::move(hint));
  };
  const auto size = json.is_object() ? json.find("virtual-size") : json.end();
  if (!json.is_object() || size == json.end() || !size->is_number_unsigned() ||
      json.value("format", Json()) != to_string(disk.format))
    return infrastructure_error(fmt::format("reading '{}': the answer of 'qemu-img info' is not understood", disk.name),
                                "'patchlab doctor' says which QEMU this is");
  PATCHLAB_TRY(check_names(json, disk));
  if (json.value("encrypted", false)) return refused("is encrypted", "decrypt it where it comes from");
  const auto specific = json.value("format-specific", Json::object()).value("data", Json::object());
  if (specific.value("corrupt", false))
    return refused("says of itself that it is damaged", "mend it where it comes from, 'qemu-img check -r all'");
  DiskFacts facts;
  facts.bytes = size->get<std::uint64_t>();
  facts.snapshots = json.value("snapshots", Json::array()).size();
  if (facts.bytes == 0) return refused("is a disk of no size", "is it the file that was exported, and whole?");
  if (facts.bytes > most_bytes)
    return refused(fmt::format("is a disk of {} bytes, more than the {} that any is", facts.bytes, most_bytes),
                   "is it the file that was exported, and whole?");
  return facts;
}

Result<DiskFacts> look_at(const DiskInput& disk, ProcessRunner& runner, std::stop_token stop) {
  PATCHLAB_ASSIGN(const auto info, answer(disk, info_process(disk), runner, stop));
  PATCHLAB_ASSIGN(const auto facts, facts_in(info, disk));
  if (disk.format == DiskFormat::raw) return facts;  // nothing in it says what else there should be
  // 3: space that nobody uses, as a machine that was switched off leaves it.
  const auto checked = runner.run(check_process(disk), stop);
  if (auto lab = trouble_of(checked, fmt::format("checking '{}'", disk.name), stop)) return std::move(*lab);
  const auto code = exit_code_of(checked);
  if (code == 0 || code == 3) return facts;
  const std::string_view errors = checked.errors;
  const auto first = errors.substr(0, errors.find('\n'));
  return configuration_error(
      fmt::format("'{}' is damaged or was cut off: {}", disk.name, first.empty() ? checked.describe() : first),
      hint_of(std::string(first)));
}

Result<std::uint64_t> bytes_as_qcow2(const DiskInput& disk, ProcessRunner& runner, std::stop_token stop) {
  PATCHLAB_ASSIGN(const auto text, answer(disk, measure_process(disk), runner, stop));
  PATCHLAB_ASSIGN(const auto json, parse_json(text, "the answer of 'qemu-img measure'"));
  const auto required = json.is_object() ? json.find("required") : json.end();
  if (!json.is_object() || required == json.end() || !required->is_number_unsigned())
    return infrastructure_error(
        fmt::format("measuring '{}': the answer of 'qemu-img measure' is not understood", disk.name));
  return required->get<std::uint64_t>();
}

Result<void> convert(const DiskInput& disk, const std::filesystem::path& result, ProcessRunner& runner,
                     std::stop_token stop) {
  const auto action = fmt::format("converting '{}'", disk.name);
  const auto outcome = runner.run(convert_process(disk, result), stop);
  if (auto lab = trouble_of(outcome, action, stop)) return std::move(*lab);
  if (exit_code_of(outcome) == 0) return sync_path(result);
  const auto words = words_of(outcome);
  const bool is_full = outcome.errors.find("No space left") != std::string::npos;
  return infrastructure_error(fmt::format("{}: {}", action, words),
                              is_full ? "make room there, or name another folder by --storage" : hint_of(words));
}

// UEFI 2.10, 5.2.3: a protective MBR has one partition of type 0xEE.
std::optional<lab::libvirt::Firmware> firmware_for(std::string_view first_sector) {
  if (first_sector.size() != 512 || first_sector.substr(510) != "\x55\xaa") return std::nullopt;
  constexpr std::size_t table = 446;
  for (std::size_t entry = 0; entry < 4; ++entry) {
    if (first_sector[table + 16 * entry + 4] == '\xee') return lab::libvirt::Firmware::uefi;
  }
  // Without a boot program it is a disk with data.
  if (first_sector.substr(0, table).find_first_not_of('\0') == std::string_view::npos) return std::nullopt;
  return lab::libvirt::Firmware::bios;
}

// "00000010:  eb 63 90 ...  .c..............", sixteen bytes a line.
std::optional<std::string> sector_in(std::string_view dump) {
  std::string sector;
  for (const auto line : split(dump, '\n')) {
    const auto colon = line.find(":  ");
    if (colon == std::string_view::npos || colon < 8 ||
        line.substr(0, colon).find_first_not_of("0123456789abcdef") != std::string_view::npos)
      continue;
    for (std::size_t at = colon + 3; at + 2 <= line.size() && line[at] != ' '; at += 3) {
      unsigned value = 0;
      const auto [end, code] = std::from_chars(line.data() + at, line.data() + at + 2, value, 16);
      if (code != std::errc{} || end != line.data() + at + 2) return std::nullopt;
      sector += static_cast<char>(value);
    }
    if (sector.size() > 512) return std::nullopt;
  }
  if (sector.size() != 512) return std::nullopt;
  return sector;
}

Result<std::string> first_sector_of(const DiskInput& disk, ProcessRunner& runner, std::stop_token stop) {
  PATCHLAB_ASSIGN(const auto dump, answer(disk, first_sector_process(disk), runner, stop));
  if (auto sector = sector_in(dump)) return std::move(*sector);
  return configuration_error(fmt::format("the first sector of '{}' could not be read: {}", disk.name, last_line(dump)));
}

}  // namespace patchlab::runners::intake
