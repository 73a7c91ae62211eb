// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/acceleration.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <system_error>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/json.hpp"

namespace patchlab::lab::libvirt {
namespace {
constexpr const char* qemu = "qemu-system-x86_64";
constexpr const char* cache_file_name = "acceleration.json";
// Under a working KVM both are over in about a second.
constexpr Milliseconds boot_limit{8000};
// SeaBIOS does not boot from a disk of one sector.
constexpr std::size_t boot_disk_size = 1U << 20U;

ProcessSpec bare_machine(const std::string& accelerator) {
  ProcessSpec spec;
  spec.program = qemu;
  spec.arguments = {"-accel",      accelerator,       "-machine", "pc-q35-7.2", "-cpu",       "qemu64",  "-m",   "128",
                    "-nodefaults", "-no-user-config", "-display", "none",       "-no-reboot", "-serial", "stdio"};
  spec.time_limit = boot_limit;
  spec.output_limit = 64U << 10U;
  return spec;
}

std::string last_words(const ProcessOutcome& outcome) {
  if (std::holds_alternative<TimedOut>(outcome.end)) return {};  // only that we ended it
  const auto& text = outcome.errors;
  const auto end = text.find_last_not_of("\r\n");
  if (end == std::string::npos) return {};
  const auto start = text.rfind('\n', end);
  return ": " + text.substr(start == std::string::npos ? 0 : start + 1,
                            end - (start == std::string::npos ? 0 : start + 1) + 1);
}

Acceleration no_kvm(std::string reason) { return {Accelerator::tcg, std::move(reason)}; }

std::optional<Acceleration> trouble_with_device(const std::filesystem::path& device) {
  const FileDescriptor file(::open(device.c_str(), O_RDWR | O_CLOEXEC));
  if (file.valid()) return std::nullopt;
  if (errno == ENOENT) return no_kvm("there is no " + device.string());
  return no_kvm(fmt::format("{} cannot be opened: {}", device.string(), std::generic_category().message(errno)));
}

Acceleration boot_for_real(ProcessRunner& runner, const AccelerationProbe& probe) {
  std::error_code code;
  const auto folder = probe.cache_folder.empty() ? std::filesystem::temp_directory_path(code) : probe.cache_folder;
  const auto disk = folder / fmt::format("boot-disk-{}.img", ::getpid());
  if (const auto written = write_file_atomically(disk, boot_disk()); !written) return no_kvm(written.error().message);
  const auto firmware = runner.run(boot_disk_process("kvm", disk));
  std::filesystem::remove(disk, code);
  const auto* exited = std::get_if<Exited>(&firmware.end);
  const bool greeted = firmware.output.find(boot_disk_greeting) != std::string::npos;
  if (!greeted || exited == nullptr || exited->code != boot_disk_exit_code) {
    return no_kvm(fmt::format("a guest under KVM did not boot: {}{}", firmware.describe(), last_words(firmware)));
  }
  if (probe.kernel.empty()) return {Accelerator::kvm, "a guest boots under KVM"};
  const auto kernel = runner.run(kernel_process("kvm", probe.kernel));
  if (!kernel.succeeded() || kernel.output.find("Kernel panic") == std::string::npos) {
    return no_kvm(fmt::format("a Linux kernel under KVM did not start: {}{}", kernel.describe(), last_words(kernel)));
  }
  return {Accelerator::kvm, "a Linux kernel boots under KVM"};
}

// Everything that could change the answer.
std::string cache_key(ProcessRunner& runner, const AccelerationProbe& probe) {
  utsname host{};
  ::uname(&host);
  ProcessSpec version;
  version.program = qemu;
  version.arguments = {"--version"};
  version.time_limit = std::chrono::seconds(10);
  return DigestBuilder()
      .add(host.release)
      .add(host.version)
      .add(runner.run(version).output)
      .add(std::to_string(::geteuid()))
      .add(probe.kernel.native())
      .finish();
}

// That it does not work may have been a busy moment, or a full disk.
bool is_to_be_tried_again(const std::filesystem::path& file) {
  std::error_code code;
  const auto written = std::filesystem::last_write_time(file, code);
  return !code && std::filesystem::file_time_type::clock::now() - written > std::chrono::hours(24);
}

std::optional<Acceleration> cached(const std::filesystem::path& file, const std::string& key) {
  const auto text = read_file(file, 1U << 16U);
  if (!text) return std::nullopt;
  const auto json = parse_json(*text, file.string());
  if (!json || !json->is_object() || json->value("key", "") != key) return std::nullopt;
  if (json->value("kvm", false)) return Acceleration{Accelerator::kvm, json->value("reason", "")};
  if (is_to_be_tried_again(file)) return std::nullopt;
  return Acceleration{Accelerator::tcg, json->value("reason", "")};
}
}  // namespace

std::string boot_disk() {
  // 16-bit code at 0000:7c00.
  std::string code(
      "\x31\xC0"      // xor ax, ax
      "\x8E\xD8"      // mov ds, ax
      "\xBE\x1B\x7C"  // mov si, message
      "\xBA\xF8\x03"  // mov dx, 0x3f8      COM1
      "\xAC"          // next: lodsb
      "\x84\xC0"      // test al, al
      "\x74\x03"      // jz done
      "\xEE"          // out dx, al
      "\xEB\xF8"      // jmp next
      "\xBA\xF4\x00"  // done: mov dx, 0xf4  isa-debug-exit: QEMU's exit code is (value << 1) | 1
      "\xB0\x10"      // mov al, 0x10
      "\xEE"          // out dx, al
      "\xF4"          // halt: hlt
      "\xEB\xFD",     // jmp halt
      27);
  code += boot_disk_greeting;
  code.resize(510, '\0');
  code += "\x55\xAA";
  code.resize(boot_disk_size, '\0');
  return code;
}

ProcessSpec boot_disk_process(const std::string& accelerator, const std::filesystem::path& disk) {
  auto spec = bare_machine(accelerator);
  for (const auto& argument :
       {std::string("-device"), std::string("isa-debug-exit,iobase=0xf4,iosize=1"), std::string("-blockdev"),
        Json{{"driver", "file"}, {"filename", disk.string()}, {"node-name", "disk"}}.dump(), std::string("-device"),
        std::string("ide-hd,drive=disk")}) {
    spec.arguments.push_back(argument);
  }
  return spec;
}

ProcessSpec kernel_process(const std::string& accelerator, const std::filesystem::path& kernel) {
  auto spec = bare_machine(accelerator);
  for (const auto& argument :
       {std::string("-kernel"), kernel.string(), std::string("-append"), std::string("console=ttyS0 panic=-1")}) {
    spec.arguments.push_back(argument);
  }
  return spec;
}

Acceleration usable_acceleration(ProcessRunner& runner, const AccelerationProbe& probe) {
  if (auto trouble = trouble_with_device(probe.device)) return *std::move(trouble);
  if (probe.cache_folder.empty()) return boot_for_real(runner, probe);
  if (const auto made = create_folders(probe.cache_folder); !made) return no_kvm(made.error().message);
  const auto file = probe.cache_folder / cache_file_name;
  const auto key = cache_key(runner, probe);
  if (auto known = cached(file, key)) return *std::move(known);
  auto found = boot_for_real(runner, probe);
  // A cache that cannot be written costs a second at the next start, nothing else.
  static_cast<void>(write_file_atomically(
      file, pretty({{"key", key}, {"kvm", found.accelerator == Accelerator::kvm}, {"reason", found.reason}})));
  return found;
}

}  // namespace patchlab::lab::libvirt
