// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/intake/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>

#include "lab/core/text.hpp"
#include "runners/intake/ovf.hpp"

namespace patchlab::runners::intake {
namespace {

constexpr std::size_t most_members = 64;
constexpr std::uint64_t most_text = 4U << 20U;  // of a descriptor, a manifest
constexpr std::size_t block_bytes = 1U << 20U;

struct ReadClose {
  void operator()(archive* a) const { archive_read_free(a); }
};

Result<void> write_to(int file, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const auto count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("writing '" + path.string() + "'", errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

class PackageReader {
 public:
  PackageReader(const std::string& name, std::filesystem::path folder) : name_(name), folder_(std::move(folder)) {}

  Result<Package> read(int file) {
    reader_.reset(archive_read_new());
    archive_read_support_format_tar(reader_.get());
    if (archive_read_open_fd(reader_.get(), file, block_bytes) != ARCHIVE_OK) return damaged();
    for (;;) {
      archive_entry* entry = nullptr;
      const int status = archive_read_next_header(reader_.get(), &entry);
      if (status == ARCHIVE_EOF) break;
      if (status < ARCHIVE_WARN) return damaged();
      PATCHLAB_TRY(take(entry));
    }
    return whole();
  }

 private:
  [[nodiscard]] Error trouble(const std::string& what, std::string hint = {}) const {
    return configuration_error(fmt::format("'{}' {}", name_, what), std::move(hint));
  }
  [[nodiscard]] Error damaged() const {
    const char* words = archive_error_string(reader_.get());
    return trouble(fmt::format("is no whole tar archive: {}", words == nullptr ? "damaged" : words),
                   "copy it again, and compare its size and digest with those where it comes from");
  }

  Result<void> take(archive_entry* entry) {
    const char* raw = archive_entry_pathname(entry);
    std::string member = raw == nullptr ? std::string() : raw;
    if (member.starts_with("./")) member.erase(0, 2);  // as 'tar -cf x.ova ./...' writes them
    if (!is_package_name(member))
      return trouble(fmt::format("holds '{}', which is no plain name of a file", member),
                     "a package has no folders; whoever made this one wants to write somewhere else");
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
      return trouble(fmt::format("holds '{}', which is a link, a folder or a device", member));
    if (archive_entry_sparse_count(entry) != 0)
      return trouble(fmt::format("holds '{}' with holes, which is more than it seems", member),
                     "pack it with 'tar --format=ustar'");
    if (package_.find(member) != nullptr) return trouble(fmt::format("holds '{}' twice", member));
    if (package_.members.size() == most_members) return trouble(fmt::format("holds more than {} files", most_members));
    const auto bytes = archive_entry_size(entry);
    if (!archive_entry_size_is_set(entry) || bytes < 0)
      return trouble(fmt::format("does not say how long '{}' is", member));
    package_.members.push_back({member, static_cast<std::uint64_t>(bytes), {}});
    return take_content(package_.members.back());
  }

  Result<void> take_content(PackageMember& member) {
    const auto ending = lower_case(std::filesystem::path(member.name).extension().string());
    const bool is_text = ending == ".ovf" || ending == ".mf";
    if (is_text && member.bytes > most_text)
      return trouble(fmt::format("holds '{}' of {} bytes, which is no description", member.name, member.bytes));
    if (ending == ".ovf" && !package_.descriptor_name.empty())
      return trouble(fmt::format("holds two descriptors, '{}' and '{}'", package_.descriptor_name, member.name),
                     "export each machine by itself");
    std::string text;
    PATCHLAB_TRY(copy_content(member, is_text ? &text : nullptr));
    if (ending == ".ovf") {
      package_.descriptor_name = member.name;
      package_.descriptor = std::move(text);
    } else if (is_text) {
      texts_.emplace(member.name, std::move(text));
    }
    return {};
  }

  // Not where it says, but by a number.
  Result<void> copy_content(PackageMember& member, std::string* text) {
    FileDescriptor out;
    if (!folder_.empty()) {
      member.file = folder_ / fmt::format("member-{}", package_.members.size());
      out = FileDescriptor(::open(member.file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
      if (!out.valid()) return errno_error("making '" + member.file.string() + "'", errno);
    }
    if (folder_.empty() && text == nullptr) {
      if (archive_read_data_skip(reader_.get()) < ARCHIVE_WARN) return damaged();
      return {};
    }
    std::vector<char> block(block_bytes);
    std::uint64_t seen = 0;
    for (;;) {
      const auto count = archive_read_data(reader_.get(), block.data(), block.size());
      if (count < 0) return damaged();
      if (count == 0) break;
      const std::string_view piece(block.data(), static_cast<std::size_t>(count));
      seen += piece.size();
      if (text != nullptr) text->append(piece);
      if (out.valid()) PATCHLAB_TRY(write_to(out.get(), piece, member.file));
    }
    if (seen != member.bytes) return trouble(fmt::format("ends within '{}'", member.name));
    return {};
  }

  Result<Package> whole() {
    if (package_.descriptor_name.empty())
      return trouble("holds no descriptor (.ovf), so it is no export of a machine",
                     "a disk alone is imported by its own name: .vhdx, .vmdk, .qcow2 or .raw");
    const auto stem = package_.descriptor_name.substr(0, package_.descriptor_name.size() - 4);
    if (const auto found = texts_.find(stem + ".mf"); found != texts_.end()) {
      package_.manifest_name = found->first;
      package_.manifest = found->second;
    }
    package_.has_certificate = package_.find(stem + ".cert") != nullptr;
    return std::move(package_);
  }

  const std::string& name_;
  std::filesystem::path folder_;
  std::unique_ptr<archive, ReadClose> reader_;
  Package package_;
  std::map<std::string, std::string> texts_;
};

}  // namespace

const PackageMember* Package::find(const std::string& name) const {
  const auto found = std::ranges::find(members, name, &PackageMember::name);
  return found == members.end() ? nullptr : &*found;
}

Result<Package> read_package(const InputFile& input, const std::string& name, const std::filesystem::path& folder) {
  if (::lseek(input.file.get(), 0, SEEK_SET) < 0) return errno_error("reading '" + name + "'", errno);
  return PackageReader(name, folder).read(input.file.get());
}

}  // namespace patchlab::runners::intake
