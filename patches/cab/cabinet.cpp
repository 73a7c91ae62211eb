// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/cab/cabinet.hpp"

#include <fmt/format.h>
#include <mspack.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <optional>

#include "lab/core/json.hpp"
#include "patches/cab/entry_name.hpp"

namespace patchlab::patches {
namespace {

constexpr std::size_t header_bytes = 36;  // CFHEADER without its optional fields
constexpr std::size_t reserved_at = 36;   // of these, the sizes of the reserved fields come first
constexpr std::size_t reserved_bytes = 24;

// ---- libmspack's view of files: the cabinet, or the sink of the entry that is being unpacked

struct Reading {
  const ByteSource& source;
  UnpackBudget& budget;
  ByteSink* sink = nullptr;
  std::optional<Error> trouble;  // ours, kept while libmspack only says that reading or writing failed
};

struct System : mspack_system {
  Reading* reading = nullptr;
};

struct Stream : mspack_file {
  Reading* reading = nullptr;
  std::uint64_t at = 0;
};

Stream& stream_of(mspack_file* file) { return *static_cast<Stream*>(file); }

// Called from C: nothing may be thrown through it.
template <class Action>
int guarded(Reading& reading, const Action& action) noexcept {
  try {
    if (reading.budget.late()) {
      reading.trouble = reading.budget.too_late();
      return -1;
    }
    Result<int> result = action();
    if (result) return *result;
    reading.trouble = std::move(result).error();
  } catch (...) {
    // No memory even for a message; libmspack's own code becomes the error.
  }
  return -1;
}

mspack_file* open_stream(mspack_system* self, const char*, int) {
  auto* stream = new (std::nothrow) Stream;
  if (stream != nullptr) stream->reading = static_cast<System*>(self)->reading;
  return stream;
}

void close_stream(mspack_file* file) { delete static_cast<Stream*>(file); }

int read_stream(mspack_file* file, void* buffer, int bytes) {
  auto& stream = stream_of(file);
  return guarded(*stream.reading, [&]() -> Result<int> {
    PATCHLAB_ASSIGN(const auto count, stream.reading->source.read_at(stream.at, static_cast<char*>(buffer),
                                                                     static_cast<std::size_t>(bytes)));
    stream.at += count;
    return static_cast<int>(count);
  });
}

int write_stream(mspack_file* file, void* buffer, int bytes) {
  auto& stream = stream_of(file);
  return guarded(*stream.reading, [&]() -> Result<int> {
    if (stream.reading->sink != nullptr) {
      PATCHLAB_TRY(stream.reading->sink->write({static_cast<const char*>(buffer), static_cast<std::size_t>(bytes)}));
    }
    return bytes;
  });
}

int seek_stream(mspack_file* file, off_t offset, int mode) {
  auto& stream = stream_of(file);
  const auto base = mode == MSPACK_SYS_SEEK_START ? 0
                    : mode == MSPACK_SYS_SEEK_CUR ? stream.at
                                                  : stream.reading->source.size();
  const auto target = static_cast<off_t>(base) + offset;
  if (target < 0) return -1;
  stream.at = static_cast<std::uint64_t>(target);
  return 0;
}

off_t tell_stream(mspack_file* file) { return static_cast<off_t>(stream_of(file).at); }
void ignore_message(mspack_file*, const char*, ...) {}
void* allocate(mspack_system*, std::size_t bytes) { return std::malloc(bytes); }
void copy_bytes(void* from, void* to, std::size_t bytes) { std::memmove(to, from, bytes); }

System system_for(Reading& reading) {
  System system;
  system.open = open_stream;
  system.close = close_stream;
  system.read = read_stream;
  system.write = write_stream;
  system.seek = seek_stream;
  system.tell = tell_stream;
  system.message = ignore_message;
  system.alloc = allocate;
  system.free = std::free;
  system.copy = copy_bytes;
  system.null_ptr = nullptr;
  system.reading = &reading;
  return system;
}

std::string meaning_of(int code) {
  switch (code) {
    case MSPACK_ERR_NOMEMORY: return "needs more memory than there is";
    case MSPACK_ERR_SIGNATURE:
    case MSPACK_ERR_DATAFORMAT: return "is damaged (its structure is wrong)";
    case MSPACK_ERR_CHECKSUM: return "is damaged (a checksum is wrong)";
    case MSPACK_ERR_DECRUNCH: return "is damaged (its data cannot be unpacked)";
    case MSPACK_ERR_READ: return "is truncated";
    default: return fmt::format("cannot be read (libmspack error {})", code);
  }
}

// ---- one cabinet

class CabinetReader {
 public:
  CabinetReader(const ByteSource& source, const std::string& name, UnpackBudget& budget)
      : name_(name), budget_(budget), reading_{source, budget, nullptr, std::nullopt}, system_(system_for(reading_)) {}
  ~CabinetReader() {
    if (cabinet_ != nullptr) engine_->close(engine_, cabinet_);
    if (engine_ != nullptr) mspack_destroy_cab_decompressor(engine_);
  }
  CabinetReader(const CabinetReader&) = delete;
  CabinetReader& operator=(const CabinetReader&) = delete;

  Result<CabContent> list() {
    PATCHLAB_TRY(check_header());
    engine_ = mspack_create_cab_decompressor(&system_);
    if (engine_ == nullptr) return trouble("cannot be read: libmspack does not start");
    cabinet_ = engine_->open(engine_, "cabinet");
    if (cabinet_ == nullptr) return failure("'" + name_ + "'", engine_->last_error(engine_));
    CabContent content;
    content.carries_signature = carries_signature_;
    for (auto* file = cabinet_->files; file != nullptr; file = file->next) {
      const std::string entry = to_valid_utf8(file->filename);
      if (const auto why = dangerous_name(entry); !why.empty())
        return trouble(fmt::format("holds the dangerous name '{}': it {}", entry, why));
      files_.push_back(file);
      content.entries.push_back({entry, file->length});
      content.unpacked_bytes += file->length;
    }
    return content;
  }

  Result<CabContent> read(const ChooseSink& choose) {
    PATCHLAB_ASSIGN(auto content, list());
    PATCHLAB_TRY(plan());
    for (const auto index : order_) PATCHLAB_TRY(unpack(index, content.entries[index], choose));
    return content;
  }

 private:
  [[nodiscard]] Error trouble(const std::string& what) const {
    return configuration_error(fmt::format("'{}' {}", name_, what));
  }

  // Our own trouble (a limit, the disk) says more than the code that libmspack made of it.
  [[nodiscard]] Error failure(const std::string& subject, int code) const {
    return about(subject, reading_.trouble ? *reading_.trouble : configuration_error(meaning_of(code)));
  }
  // Limits are said of the thing ("'x' has more ..."), trouble of the host is not its own.
  [[nodiscard]] static Error about(const std::string& subject, Error error) {
    error.message = subject + (error.error_class == ErrorClass::infrastructure ? ": " : " ") + error.message;
    return error;
  }
  Result<void> within(Result<void> taken) const {
    if (taken) return {};
    return about("'" + name_ + "'", std::move(taken).error());
  }

  // Before libmspack sees anything: what is refused, and sizes that cannot be.
  Result<void> check_header() {
    const auto size = reading_.source.size();
    if (!is_cabinet(reading_.source)) return trouble("is no cabinet (no MSCF signature)");
    if (size < header_bytes) return trouble("is truncated (no complete header)");
    PATCHLAB_ASSIGN(const auto header, reading_.source.block(0, header_bytes, name_));
    const auto declared = u32_at(header, 8);
    if (declared > size)
      return trouble(fmt::format("is truncated: it declares {} bytes, {} are there", declared, size));
    if ((u16_at(header, 30) & (MSCAB_HDR_PREVCAB | MSCAB_HDR_NEXTCAB)) != 0) {
      return trouble("is one part of a cabinet set, which no servicing package is");
    }
    PATCHLAB_ASSIGN(carries_signature_, has_signature(u16_at(header, 30)));
    return within(budget_.take_entries(u16_at(header, 28)));
  }

  // Authenticode reserves 20 bytes of the header: a mark, then place and length of the signature behind the cabinet.
  [[nodiscard]] Result<bool> has_signature(std::uint16_t flags) const {
    const auto size = reading_.source.size();
    if ((flags & MSCAB_HDR_RESV) == 0 || size < reserved_at + reserved_bytes) return false;
    PATCHLAB_ASSIGN(const auto reserved, reading_.source.block(reserved_at, reserved_bytes, name_));
    return u16_at(reserved, 0) >= reserved_bytes - 4 && u32_at(reserved, 12) != 0;
  }

  // Entries in the order of their data, so that each folder (one compressed stream) is unpacked once. Entries that
  // share bytes would make it start again for each: no packer writes them, and with them a small file could keep us
  // busy for days.
  Result<void> plan() {
    std::map<const mscabd_folder*, std::size_t> folders;
    for (auto* folder = cabinet_->folders; folder != nullptr; folder = folder->next)
      folders.emplace(folder, folders.size());
    for (std::size_t i = 0; i < files_.size(); ++i) order_.push_back(i);
    const auto place = [&](std::size_t i) {
      return std::pair(folders[files_[i]->folder], std::uint64_t{files_[i]->offset});
    };
    std::stable_sort(order_.begin(), order_.end(), [&](auto a, auto b) { return place(a) < place(b); });
    std::map<const mscabd_folder*, std::uint64_t> ends;
    for (const auto i : order_) {
      auto& end = ends[files_[i]->folder];
      if (files_[i]->offset < end)
        return trouble(
            fmt::format("is damaged: '{}' shares bytes with another entry", to_valid_utf8(files_[i]->filename)));
      end = std::uint64_t{files_[i]->offset} + files_[i]->length;
    }
    for (const auto& [folder, end] : ends) PATCHLAB_TRY(within(budget_.take_bytes(end)));
    return {};
  }

  Result<void> unpack(std::size_t index, const CabEntry& entry, const ChooseSink& choose) {
    PATCHLAB_ASSIGN(reading_.sink, choose(entry));
    const int code = engine_->extract(engine_, files_[index], "entry");
    if (code == MSPACK_ERR_OK) return {};
    return failure(fmt::format("'{}': entry '{}'", name_, entry.name), code);
  }

  const std::string& name_;
  UnpackBudget& budget_;
  Reading reading_;
  System system_;
  mscab_decompressor* engine_ = nullptr;
  mscabd_cabinet* cabinet_ = nullptr;
  bool carries_signature_ = false;
  std::vector<mscabd_file*> files_;
  std::vector<std::size_t> order_;
};

}  // namespace

Result<void> UnpackBudget::take_entries(std::uint64_t count) {
  if (count > entries_)
    return configuration_error(fmt::format("has more than the {} entries allowed", limits_.entries));
  entries_ -= count;
  return {};
}

Result<void> UnpackBudget::take_bytes(std::uint64_t count) {
  if (count > bytes_)
    return configuration_error(fmt::format("unpacks to more than the {} bytes allowed", limits_.unpacked_bytes));
  bytes_ -= count;
  return {};
}

Error UnpackBudget::too_late() const {
  return timeout_error(fmt::format("takes longer to unpack than the {} s allowed",
                                   std::chrono::duration_cast<std::chrono::seconds>(limits_.time).count()));
}

bool is_cabinet(const ByteSource& source) {
  const auto magic = source.block(0, 4, "");
  return magic && *magic == "MSCF";
}

Result<CabContent> list_cabinet(const ByteSource& source, const std::string& name, const CabLimits& limits) {
  UnpackBudget budget(limits);
  return CabinetReader(source, name, budget).list();
}

Result<CabContent> read_cabinet(const ByteSource& source, const std::string& name, UnpackBudget& budget,
                                const ChooseSink& choose) {
  return CabinetReader(source, name, budget).read(choose);
}

}  // namespace patchlab::patches
