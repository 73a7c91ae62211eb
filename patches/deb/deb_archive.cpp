// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/deb_archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"

namespace patchlab::patches {
namespace {

constexpr std::string_view ar_magic = "!<arch>\n";
constexpr std::size_t ar_header_bytes = 60;

struct ReadClose {
  void operator()(archive* a) const { archive_read_free(a); }
};
struct WriteClose {
  void operator()(archive* a) const { archive_write_free(a); }
};
struct EntryClose {
  void operator()(archive_entry* e) const { archive_entry_free(e); }
};
using Reader = std::unique_ptr<archive, ReadClose>;
using Writer = std::unique_ptr<archive, WriteClose>;
using Entry = std::unique_ptr<archive_entry, EntryClose>;

std::string why(archive* a) {
  const char* text = archive_error_string(a);
  return text == nullptr ? "damaged" : text;
}

std::string text_of(const char* text) { return text == nullptr ? std::string() : std::string(text); }

Result<std::string> read_at(int file, std::uint64_t offset, std::size_t bytes, const std::string& name) {
  std::string block(bytes, '\0');
  std::size_t done = 0;
  while (done < bytes) {
    const auto count = ::pread(file, block.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading '" + name + "'", errno);
    if (count == 0) return configuration_error(fmt::format("'{}' is truncated", name));
    done += static_cast<std::size_t>(count);
  }
  return block;
}

std::string without_padding(std::string_view field) {
  return std::string(field.substr(0, field.find_last_not_of(" /") + 1));
}

// ---- the ar archive

class ArReader {
 public:
  ArReader(int file, std::uint64_t bytes, std::string name) : file_(file), bytes_(bytes), name_(std::move(name)) {}

  Result<std::vector<DebMember>> members() {
    if (bytes_ < ar_magic.size()) return trouble("is no Debian package (too short)");
    PATCHLAB_ASSIGN(const auto magic, read_at(file_, 0, ar_magic.size(), name_));
    if (magic != ar_magic) return trouble("is no Debian package (no ar archive)");
    std::vector<DebMember> found;
    for (std::uint64_t at = ar_magic.size(); at < bytes_;) {
      if (found.size() > 16) return trouble("has too many ar members for a Debian package");
      PATCHLAB_ASSIGN(auto member, header_at(at));
      at = member.offset + member.bytes + member.bytes % 2;  // members are padded to even offsets
      found.push_back(std::move(member));
    }
    return found;
  }

  [[nodiscard]] Error trouble(const std::string& what) const {
    return configuration_error(fmt::format("'{}' {}", name_, what));
  }

 private:
  Result<DebMember> header_at(std::uint64_t at) {
    if (bytes_ - at < ar_header_bytes) return trouble("is truncated or has bytes after its end");
    PATCHLAB_ASSIGN(const auto header, read_at(file_, at, ar_header_bytes, name_));
    if (header.substr(58, 2) != "`\n") return trouble(fmt::format("is damaged at byte {} (no ar header)", at));
    const std::string size = without_padding(std::string_view(header).substr(48, 10));
    DebMember member{without_padding(std::string_view(header).substr(0, 16)), at + ar_header_bytes, 0};
    const auto [end, bad] = std::from_chars(size.data(), size.data() + size.size(), member.bytes);
    if (size.empty() || bad != std::errc{} || end != size.data() + size.size()) {
      return trouble(fmt::format("is damaged at byte {} (ar size '{}')", at, size));
    }
    if (member.bytes > bytes_ - member.offset) {
      return trouble(fmt::format("is truncated: member '{}' needs {} bytes, {} are there", member.name, member.bytes,
                                 bytes_ - member.offset));
    }
    return member;
  }

  int file_;
  std::uint64_t bytes_;
  std::string name_;
};

// ---- compressed members

// A byte range of the file, handed to libarchive in blocks.
struct RangeSource {
  int file = -1;
  std::uint64_t at = 0;
  std::uint64_t end = 0;
  std::vector<char> block = std::vector<char>(1U << 16U);

  static la_ssize_t read(archive* a, void* self, const void** buffer) {
    auto& source = *static_cast<RangeSource*>(self);
    const auto want = std::min<std::uint64_t>(source.block.size(), source.end - source.at);
    for (;;) {
      const auto count = ::pread(source.file, source.block.data(), want, static_cast<off_t>(source.at));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) {
        archive_set_error(a, errno, "%s", std::strerror(errno));
        return -1;
      }
      source.at += static_cast<std::uint64_t>(count);
      *buffer = source.block.data();
      return count;
    }
  }
};

// The decompressed bytes of a member, counted against the limit; the tar reader pulls from it.
struct PlainSource {
  archive* raw = nullptr;
  std::uint64_t seen = 0;
  std::uint64_t limit = 0;
  std::string trouble;  // what went wrong here; the tar reader would only say that its input ended

  static la_ssize_t read(archive* a, void* self, const void** buffer) {
    auto& source = *static_cast<PlainSource*>(self);
    std::size_t bytes = 0;
    la_int64_t offset = 0;
    int status = ARCHIVE_OK;
    while (bytes == 0 && status >= ARCHIVE_WARN && status != ARCHIVE_EOF) {  // an empty block is not the end
      status = archive_read_data_block(source.raw, buffer, &bytes, &offset);
    }
    if (status == ARCHIVE_EOF) return 0;
    if (status < ARCHIVE_WARN) {
      return source.fail(a, why(source.raw));
    }
    source.seen += bytes;
    if (source.seen > source.limit) {
      return source.fail(a, fmt::format("unpacks to more than the {} bytes allowed", source.limit));
    }
    return static_cast<la_ssize_t>(bytes);
  }

  la_ssize_t fail(archive* a, const std::string& what) {
    trouble = what;
    archive_set_error(a, EILSEQ, "%s", what.c_str());
    return -1;
  }
};

struct Compression {
  std::string_view suffix;
  int filter;
  int (*enable)(archive*);
  bool nothing_is_empty = false;  // dpkg takes no bytes at all for an archive without files
};
// The compressions dpkg-deb(1) knows.
constexpr std::array<Compression, 6> compressions{{
    {"", ARCHIVE_FILTER_NONE, archive_read_support_filter_none, true},
    {".gz", ARCHIVE_FILTER_GZIP, archive_read_support_filter_gzip, true},
    {".xz", ARCHIVE_FILTER_XZ, archive_read_support_filter_xz},
    {".zst", ARCHIVE_FILTER_ZSTD, archive_read_support_filter_zstd},
    {".bz2", ARCHIVE_FILTER_BZIP2, archive_read_support_filter_bzip2},
    {".lzma", ARCHIVE_FILTER_LZMA, archive_read_support_filter_lzma},
}};

const Compression* compression_of(std::string_view member, std::string_view stem) {
  if (!member.starts_with(stem)) return nullptr;
  for (const auto& compression : compressions) {
    if (member.substr(stem.size()) == compression.suffix) return &compression;
  }
  return nullptr;
}

const Compression* compression_of(std::string_view member) {
  const auto* found = compression_of(member, "control.tar");
  return found != nullptr ? found : compression_of(member, "data.tar");
}

// An absolute name does not: dpkg puts it below the root that it installs to.
bool leaves_root(std::string_view path) {
  if (path.empty()) return true;
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (path.substr(0, slash) == "..") return true;
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
  }
  return false;
}

EntryType type_of(archive_entry* entry) {
  if (archive_entry_hardlink(entry) != nullptr) return EntryType::hardlink;
  switch (archive_entry_filetype(entry)) {
    case AE_IFREG: return EntryType::file;
    case AE_IFDIR: return EntryType::folder;
    case AE_IFLNK: return EntryType::symlink;
    default: return EntryType::other;
  }
}

TarEntry entry_from(archive_entry* entry) {
  TarEntry out;
  out.path = text_of(archive_entry_pathname(entry));
  out.type = type_of(entry);
  out.mode = archive_entry_perm(entry);
  out.user_id = archive_entry_uid(entry);
  out.group_id = archive_entry_gid(entry);
  out.user = text_of(archive_entry_uname(entry));
  out.group = text_of(archive_entry_gname(entry));
  out.modified = archive_entry_mtime(entry);
  if (out.type == EntryType::hardlink) out.target = text_of(archive_entry_hardlink(entry));
  if (out.type == EntryType::symlink) out.target = text_of(archive_entry_symlink(entry));
  out.bytes = archive_entry_size_is_set(entry) ? static_cast<std::uint64_t>(archive_entry_size(entry)) : 0;
  return out;
}

// Reads one member entry by entry.
class MemberWalker {
 public:
  MemberWalker(int file, const DebMember& member, const DebLimits& limits, std::string where)
      : limits_(limits), where_(std::move(where)), range_{file, member.offset, member.offset + member.bytes} {}

  Result<void> open(const Compression& compression) {
    raw_.reset(archive_read_new());
    if (range_.at == range_.end && compression.nothing_is_empty) {
      is_empty_ = true;
      return {};
    }
    compression.enable(raw_.get());
    archive_read_support_format_empty(raw_.get());
    archive_read_support_format_raw(raw_.get());
    if (archive_read_open(raw_.get(), &range_, nullptr, RangeSource::read, nullptr) != ARCHIVE_OK) {
      return trouble(why(raw_.get()));
    }
    archive_entry* ignored = nullptr;
    const int first = archive_read_next_header(raw_.get(), &ignored);
    if (first != ARCHIVE_OK && first != ARCHIVE_EOF) return trouble(why(raw_.get()));
    if (archive_filter_code(raw_.get(), 0) != compression.filter) return trouble("is not compressed as its name says");
    is_empty_ = first == ARCHIVE_EOF;
    if (is_empty_) return {};
    plain_.raw = raw_.get();
    plain_.limit = limits_.unpacked_bytes;
    tar_.reset(archive_read_new());
    archive_read_support_format_tar(tar_.get());
    if (archive_read_open(tar_.get(), &plain_, nullptr, PlainSource::read, nullptr) != ARCHIVE_OK) {
      return trouble(why(tar_.get()));
    }
    return {};
  }

  Result<void> walk(const ContentWanted& wanted, const VisitEntry& visit) {
    if (is_empty_) return {};
    for (;;) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(tar_.get(), &entry);
      if (status == ARCHIVE_EOF) return drain();
      if (status < ARCHIVE_WARN) return trouble(tar_trouble());
      if (++entries_ > limits_.entries) return trouble(fmt::format("has more than {} entries", limits_.entries));
      TarEntry item = entry_from(entry);
      PATCHLAB_TRY(refuse_dangerous(item));
      if (item.type == EntryType::file) PATCHLAB_TRY(take_content(item, wanted(item)));
      PATCHLAB_TRY(visit(std::move(item)));
    }
  }

 private:
  [[nodiscard]] Error trouble(const std::string& what) const { return configuration_error(where_ + ": " + what); }

  [[nodiscard]] std::string tar_trouble() const { return plain_.trouble.empty() ? why(tar_.get()) : plain_.trouble; }

  Result<void> refuse_dangerous(const TarEntry& item) const {
    if (leaves_root(item.path)) return trouble(fmt::format("entry '{}' would leave the root folder", item.path));
    if (item.type == EntryType::hardlink && leaves_root(item.target)) {
      return trouble(fmt::format("hard link '{}' would leave the root folder", item.path));
    }
    return {};
  }

  Result<void> take_content(TarEntry& item, Content content) {
    if (content == Content::skip) return {};
    PATCHLAB_TRY(read_content(item));
    if (content == Content::keep) return {};
    kept_ -= item.bytes;
    item.content = sha256(item.content);
    return {};
  }

  Result<void> read_content(TarEntry& item) {
    if (item.bytes > limits_.content_bytes - kept_) {
      return trouble(fmt::format("entry '{}' is too big to be read", item.path));
    }
    kept_ += item.bytes;
    item.content.resize(item.bytes);
    std::size_t done = 0;
    while (done < item.bytes) {
      const auto count = archive_read_data(tar_.get(), item.content.data() + done, item.bytes - done);
      if (count <= 0) return trouble(count < 0 ? tar_trouble() : fmt::format("entry '{}' is truncated", item.path));
      done += static_cast<std::size_t>(count);
    }
    return {};
  }

  // The tar end marker stands before the end of the compressed stream, whose checksum comes last.
  Result<void> drain() {
    const void* buffer = nullptr;
    for (;;) {
      const auto count = PlainSource::read(tar_.get(), &plain_, &buffer);
      if (count < 0) return trouble(tar_trouble());
      if (count == 0) return {};
    }
  }

  const DebLimits& limits_;
  std::string where_;
  RangeSource range_;
  PlainSource plain_;
  Reader raw_;
  Reader tar_;  // closed before the raw reader that feeds it
  bool is_empty_ = false;
  std::uint64_t entries_ = 0;
  std::uint64_t kept_ = 0;
};

// ---- writing

void fill(archive_entry* out, const TarEntry& entry) {
  archive_entry_set_pathname(out, entry.path.c_str());
  archive_entry_set_perm(out, static_cast<mode_t>(entry.mode));
  archive_entry_set_uid(out, entry.user_id);
  archive_entry_set_gid(out, entry.group_id);
  archive_entry_set_uname(out, entry.user.c_str());
  archive_entry_set_gname(out, entry.group.c_str());
  archive_entry_set_mtime(out, entry.modified, 0);
  archive_entry_set_size(out, 0);
  switch (entry.type) {
    case EntryType::folder: archive_entry_set_filetype(out, AE_IFDIR); break;
    case EntryType::symlink:
      archive_entry_set_filetype(out, AE_IFLNK);
      archive_entry_set_symlink(out, entry.target.c_str());
      break;
    case EntryType::hardlink:
      archive_entry_set_filetype(out, AE_IFREG);
      archive_entry_set_hardlink(out, entry.target.c_str());
      break;
    case EntryType::file:
    case EntryType::other:
      archive_entry_set_filetype(out, AE_IFREG);
      archive_entry_set_size(out, static_cast<la_int64_t>(entry.content.size()));
      break;
  }
}

la_ssize_t append_block(archive*, void* self, const void* block, std::size_t bytes) {
  static_cast<std::string*>(self)->append(static_cast<const char*>(block), bytes);
  return static_cast<la_ssize_t>(bytes);
}

Error packing_trouble(archive* a, const std::string& path) {
  return infrastructure_error(fmt::format("packing '{}': {}", path, why(a)));
}

void append_ar_member(std::string& out, const std::string& name, const std::string& bytes, std::int64_t stamp) {
  out += fmt::format("{:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", name, stamp, 0, 0, "100644", bytes.size());
  out += bytes;
  if (bytes.size() % 2 != 0) out += '\n';
}

}  // namespace

std::string plain_path(const std::string& archived) {
  std::string path;
  for (std::string_view rest = archived; !rest.empty();) {
    const auto part = rest.substr(0, rest.find('/'));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    if (part.empty() || part == ".") continue;
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

Result<std::string> unpacked_gzip(std::string_view bytes, std::size_t limit) {
  const Reader reader(archive_read_new());
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_format_empty(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_entry* entry = nullptr;
  if (archive_read_open_memory(reader.get(), bytes.data(), bytes.size()) != ARCHIVE_OK)
    return configuration_error(fmt::format("gzip: {}", why(reader.get())));
  const int first = archive_read_next_header(reader.get(), &entry);
  if (first == ARCHIVE_EOF) return std::string();
  if (first != ARCHIVE_OK) return configuration_error(fmt::format("gzip: {}", why(reader.get())));
  if (archive_filter_code(reader.get(), 0) != ARCHIVE_FILTER_GZIP)
    return configuration_error("gzip: is not compressed");
  std::string text;
  std::vector<char> block(1U << 16U);
  for (;;) {
    const auto count = archive_read_data(reader.get(), block.data(), block.size());
    if (count < 0) return configuration_error(fmt::format("gzip: {}", why(reader.get())));
    if (count == 0) return text;
    text.append(block.data(), static_cast<std::size_t>(count));
    if (text.size() > limit) return configuration_error(fmt::format("gzip: unpacks to more than {} bytes", limit));
  }
}

Result<DebLayout> read_deb_layout(const std::filesystem::path& deb, const DebLimits& limits) {
  PATCHLAB_ASSIGN(const auto input, open_input(deb));
  const auto& file = input.file;
  const auto bytes = static_cast<std::uint64_t>(input.bytes);
  ArReader ar(file.get(), bytes, deb.string());
  if (bytes > limits.file_bytes) return ar.trouble(fmt::format("is larger than {} bytes", limits.file_bytes));
  PATCHLAB_ASSIGN(auto members, ar.members());
  // Extra members are allowed between the known ones when their name starts with '_' (deb(5)).
  std::erase_if(members, [](const DebMember& member) { return member.name.starts_with('_'); });
  if (members.size() < 3 || members[0].name != "debian-binary" ||
      compression_of(members[1].name, "control.tar") == nullptr ||
      compression_of(members[2].name, "data.tar") == nullptr) {
    return ar.trouble("is no Debian package or is truncated (it needs debian-binary, control.tar and data.tar)");
  }
  if (members[0].bytes > 64) return ar.trouble("has a format version that cannot be read");
  PATCHLAB_ASSIGN(const auto version, read_at(file.get(), members[0].offset, members[0].bytes, deb.string()));
  if (!version.starts_with("2.")) return ar.trouble("has a format version other than 2");
  return DebLayout{members[1], members[2]};
}

Result<void> walk_member(const std::filesystem::path& deb, const DebMember& member, const DebLimits& limits,
                         const ContentWanted& wanted, const VisitEntry& visit) {
  const auto* compression = compression_of(member.name);
  if (compression == nullptr)
    return configuration_error(fmt::format("'{}': unknown member '{}'", deb.string(), member.name));
  PATCHLAB_ASSIGN(const auto input, open_input(deb));
  MemberWalker walker(input.file.get(), member, limits, fmt::format("'{}': {}", deb.string(), member.name));
  PATCHLAB_TRY(walker.open(*compression));
  return walker.walk(wanted, visit);
}

Result<std::string> pack_tar_xz(const std::vector<TarEntry>& entries) {
  std::string out;
  Writer writer(archive_write_new());
  archive_write_set_format_gnutar(writer.get());
  archive_write_add_filter_xz(writer.get());
  // Level 3 packs a megabyte in a quarter of the default's time. One thread: block splitting would depend on the host.
  archive_write_set_options(writer.get(), "xz:compression-level=3,xz:threads=1");
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  if (archive_write_open(writer.get(), &out, nullptr, append_block, nullptr) != ARCHIVE_OK) {
    return packing_trouble(writer.get(), "archive");
  }
  for (const auto& entry : entries) {
    const Entry header(archive_entry_new());
    fill(header.get(), entry);
    if (archive_write_header(writer.get(), header.get()) < ARCHIVE_WARN)
      return packing_trouble(writer.get(), entry.path);
    const bool has_content = entry.type == EntryType::file && !entry.content.empty();
    if (has_content && archive_write_data(writer.get(), entry.content.data(), entry.content.size()) < 0) {
      return packing_trouble(writer.get(), entry.path);
    }
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) return packing_trouble(writer.get(), "archive");
  return out;
}

std::string pack_deb(const std::string& control_tar_xz, const std::string& data_tar_xz, std::int64_t stamp) {
  std::string deb(ar_magic);
  append_ar_member(deb, "debian-binary", "2.0\n", stamp);
  append_ar_member(deb, "control.tar.xz", control_tar_xz, stamp);
  append_ar_member(deb, "data.tar.xz", data_tar_xz, stamp);
  return deb;
}

}  // namespace patchlab::patches
