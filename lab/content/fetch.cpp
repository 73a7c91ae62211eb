// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/content/fetch.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "lab/content/blocks.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"

namespace patchlab::lab::content {
namespace {

namespace fs = std::filesystem;

constexpr const char* index_file = "index";
constexpr const char* half_prefix = ".half-";
constexpr std::chrono::hours patience{2};  // as long as an image may take
constexpr std::size_t at_once = 4;         // blocks: a server answers while others are packed out
constexpr std::uint64_t room_to_leave = 1U << 30U;
constexpr std::chrono::hours unused_for{24 * 60};  // longer than from one month's image to the next
constexpr std::chrono::hours given_up_for{24 * 7};

// Not more than `size` bytes; fewer where the file ends.
Result<std::string> read_at(const FileDescriptor& file, std::uint64_t at, std::size_t size) {
  std::string bytes(size, '\0');
  std::size_t held = 0;
  while (held < size) {
    const auto count = ::pread(file.get(), bytes.data() + held, size - held, static_cast<off_t>(at + held));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading", errno);
    if (count == 0) break;
    held += static_cast<std::size_t>(count);
  }
  bytes.resize(held);
  return bytes;
}

Result<void> write_at(const FileDescriptor& file, std::uint64_t at, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("writing", errno);
    at += static_cast<std::uint64_t>(count);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> set_mode(const fs::path& path, ::mode_t mode) {
  if (::chmod(path.c_str(), mode) != 0) return errno_error("changing the mode of '" + path.string() + "'", errno);
  return {};
}

Result<void> move_folder(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return errno_error("renaming '" + from.string() + "'", errno);
  return sync_path(to.parent_path());
}

// What machines are made of: whoever else could write here could choose that.
Result<void> make_own_folder(const fs::path& folder) {
  PATCHLAB_TRY(create_folders(folder.parent_path()));
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return errno_error("making '" + folder.string() + "'", errno);
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0) return errno_error("looking at '" + folder.string() + "'", errno);
  if (!S_ISDIR(info.st_mode))
    return configuration_error(fmt::format("'{}' is no folder for images", folder.string()), "name another one");
  if (info.st_uid != ::geteuid() || (info.st_mode & 022U) != 0)
    return configuration_error(
        fmt::format("other users can write to '{}': its images may be anybody's", folder.string()),
        fmt::format("name a folder of the user that runs patchlab there, and 'chmod 0700 {}'", folder.string()));
  return {};
}

Result<Index> read_index(const fs::path& file, const std::string& digest) {
  PATCHLAB_ASSIGN(const auto text, read_file(file, most_index_bytes, Links::refuse));
  if (sha256(text) != digest) return infrastructure_error("'" + file.string() + "' has another SHA-256");
  return parse_index(text, file.string());
}

Result<Index> index_from(Source& source, const std::string& digest, std::string& text) {
  PATCHLAB_ASSIGN(auto found, source.read(index_name(digest), most_index_bytes));
  if (!found)
    return configuration_error(fmt::format("'{}' has no image of content digest {}", source.shown(), digest),
                               "publish it from the host that has it: 'patchlab content publish'");
  if (sha256(*found) != digest)
    return infrastructure_error(
        fmt::format("'{}' of '{}' is damaged: it has another SHA-256", index_name(digest), source.shown()),
        "publish the image again with 'patchlab content publish': that replaces it");
  text = std::move(*found);
  return parse_index(text, source.shown() + "/" + index_name(digest));
}

// Blocks of images that lie here: where each is.
class OlderImages {
 public:
  OlderImages(const fs::path& images, const std::string& except) {
    for (const auto& entry : entries_of(images).value_or({})) {
      const auto digest = entry.filename().string();
      if (!is_sha256(digest) || digest == except) continue;
      const auto index = read_index(entry / index_file, digest);
      if (!index) continue;  // who asks for that one is told
      for (const auto& file : index->files) add(entry, file);
    }
  }

  // Nothing when no file has it, or none has it any more.
  [[nodiscard]] std::optional<std::string> find(const Block& block) const {
    const auto place = places_.find(block.sha256);
    if (place == places_.end()) return std::nullopt;
    auto bytes = read_at(files_[place->second.file].file, place->second.at, block.bytes);
    if (!bytes || sha256(*bytes) != block.sha256) return std::nullopt;
    return std::move(*bytes);
  }

 private:
  struct Place {
    std::size_t file;
    std::uint64_t at;
  };
  // Open files stay what they are, whoever removes the image.
  void add(const fs::path& folder, const IndexedFile& file) {
    auto input = open_input(folder / file.name, Links::refuse);
    if (!input) return;
    std::uint64_t at = 0;
    for (const auto& block : file.blocks) {
      if (!block.sha256.empty()) places_.try_emplace(block.sha256, Place{files_.size(), at});
      at += block.bytes;
    }
    files_.push_back(std::move(*input));
  }

  std::vector<InputFile> files_;
  std::map<std::string, Place> places_;
};

// One image in its half-made folder, until it is whole.
class Making {
 public:
  Making(Source& source, const Index& index, fs::path folder, const OlderImages& older, const FetchPlace& place)
      : source_(source), index_(index), folder_(std::move(folder)), older_(older), place_(place) {}

  Result<Moved> make() {
    for (const auto& file : index_.files) PATCHLAB_TRY(open(file));
    list_wanted();
    PATCHLAB_TRY(keep_what_is_there());
    std::uint64_t missing = 0;
    for (const auto* wanted : left_) missing += wanted->block.bytes * wanted->at.size();
    PATCHLAB_TRY(check_room(missing));
    moved_.all = index_.bytes();
    if (place_.tell && missing > 0)
      place_.tell(fmt::format("getting image '{}' from '{}' and from older ones: {} of {} MiB are missing", index_.name,
                              source_.shown(), missing >> 20U, moved_.all >> 20U));
    PATCHLAB_TRY(get_the_rest());
    for (const auto& file : files_) {
      if (::fsync(file.get()) != 0) return errno_error("syncing '" + folder_.string() + "'", errno);
    }
    return moved_;
  }

 private:
  struct At {
    std::size_t file;
    std::uint64_t offset;
  };
  struct Wanted {
    Block block;
    std::vector<At> at;
  };

  Result<void> open(const IndexedFile& file) {
    const auto path = folder_ / file.name;
    // Of an image that was found damaged, nobody may write to it yet.
    (void)::fchmodat(AT_FDCWD, path.c_str(), 0600, AT_SYMLINK_NOFOLLOW);  // opening tells
    FileDescriptor opened(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    struct stat info {};
    if (!opened.valid() || ::fstat(opened.get(), &info) != 0 || !S_ISREG(info.st_mode))
      return errno_error("opening '" + path.string() + "'", errno);
    began_.push_back(info.st_size > 0);
    if (::ftruncate(opened.get(), static_cast<off_t>(file.bytes)) != 0)
      return errno_error("making '" + path.string() + "'", errno);
    files_.push_back(std::move(opened));
    return {};
  }

  // Each once, wherever it is needed, in the order of the files.
  void list_wanted() {
    std::map<std::string, std::size_t> known;
    for (std::size_t i = 0; i < index_.files.size(); ++i) {
      std::uint64_t at = 0;
      for (const auto& block : index_.files[i].blocks) {
        const auto [found, is_new] = known.try_emplace(block.sha256, wanted_.size());
        if (is_new) wanted_.push_back({block, {}});
        wanted_[found->second].at.push_back({i, at});
        at += block.bytes;
      }
    }
  }

  // Nothing of an earlier try is believed.
  Result<void> keep_what_is_there() {
    for (auto& wanted : wanted_) {
      std::erase_if(wanted.at, [&](const At& at) { return is_there(wanted.block, at); });
      if (wanted.at.empty()) continue;
      if (!wanted.block.sha256.empty()) {
        left_.push_back(&wanted);
        continue;
      }
      for (const auto& at : wanted.at)
        PATCHLAB_TRY(write_at(files_[at.file], at.offset, std::string(wanted.block.bytes, '\0')));
    }
    return {};
  }
  bool is_there(const Block& block, const At& at) {
    if (!began_[at.file]) return block.sha256.empty();  // a hole
    const auto bytes = read_at(files_[at.file], at.offset, block.bytes);
    if (!bytes || bytes->size() != block.bytes) return false;
    if (block.sha256.empty()) return bytes->find_first_not_of('\0') == std::string::npos;
    if (sha256(*bytes) != block.sha256) return false;
    moved_.kept += block.bytes;
    return true;
  }

  [[nodiscard]] Result<void> check_room(std::uint64_t missing) const {
    struct statvfs info {};
    if (::statvfs(folder_.c_str(), &info) != 0) return {};  // then writing tells
    const auto room = static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
    if (missing == 0 || room >= missing + room_to_leave) return {};
    return infrastructure_error(fmt::format("image '{}' needs {} MiB in '{}', and there are {}; 1 GiB is left free",
                                            index_.name, missing >> 20U, folder_.parent_path().string(), room >> 20U),
                                "make room on that disk, or name another folder for images");
  }

  Result<void> get_the_rest() {
    std::atomic<std::size_t> next{0};
    std::optional<Error> trouble;
    const auto work = [&] {
      for (auto i = next++; i < left_.size(); i = next++) {
        auto got = get(*left_[i]);
        if (got && !place_.stop.stop_requested()) continue;
        next = left_.size();  // nobody begins another one
        const std::lock_guard lock(mutex_);
        if (!got && !trouble) trouble = std::move(got).error();
      }
    };
    {
      std::vector<std::jthread> helpers;
      for (std::size_t i = 1; i < std::min(at_once, left_.size()); ++i) helpers.emplace_back(work);
      work();
    }
    if (place_.stop.stop_requested())
      return Error{ErrorClass::cancelled, "getting image '" + index_.name + "': cancelled", {}};
    if (trouble) return std::move(*trouble);
    return {};
  }

  Result<void> get(const Wanted& wanted) {
    const auto& block = wanted.block;
    std::uint64_t received = 0;
    auto bytes = older_.find(block);
    const bool is_copied = bytes.has_value();
    if (!bytes) {
      PATCHLAB_ASSIGN(bytes, ask(block, received));
    }
    for (const auto& at : wanted.at)
      PATCHLAB_TRY(write_at(files_[at.file], at.offset, *bytes).while_doing("'" + folder_.string() + "'"));
    const std::lock_guard lock(mutex_);
    // What is needed twice was fetched once, and the other is a copy.
    const auto all = block.bytes * wanted.at.size();
    moved_.fetched += is_copied ? 0 : block.bytes;
    moved_.received += received;
    moved_.copied += is_copied ? all : all - block.bytes;
    return {};
  }
  Result<std::string> ask(const Block& block, std::uint64_t& received) {
    const auto name = block_name(block.sha256);
    PATCHLAB_ASSIGN(const auto stored, source_.read(name, most_packed_bytes(block.bytes)));
    const auto next_step = "publish it again with 'patchlab content publish': that replaces what is damaged or missing";
    if (!stored)
      return infrastructure_error(fmt::format("'{}' of image '{}' is not in '{}'", name, index_.name, source_.shown()),
                                  next_step);
    auto bytes = unpacked(*stored, block);
    if (!bytes)
      return infrastructure_error(fmt::format("'{}' of image '{}' in '{}' is damaged: {}", name, index_.name,
                                              source_.shown(), bytes.error().message),
                                  next_step);
    received = stored->size();
    return bytes;
  }

  Source& source_;
  const Index& index_;
  const fs::path folder_;
  const OlderImages& older_;
  const FetchPlace& place_;
  std::vector<FileDescriptor> files_;  // as in the index
  std::vector<bool> began_;            // that had something in them
  std::vector<Wanted> wanted_;
  std::vector<const Wanted*> left_;
  std::mutex mutex_;
  Moved moved_;
};

std::vector<std::string> names_of(const Index& index) {
  std::vector<std::string> names;
  for (const auto& file : index.files) names.push_back(file.name);
  return names;
}

class Place {
 public:
  Place(Source& source, const std::string& digest, const FetchPlace& place)
      : source_(source),
        digest_(digest),
        place_(place),
        folder_(place.images / digest),
        half_(place.images / (half_prefix + digest)) {}

  Result<Fetched> fetch() {
    PATCHLAB_TRY(make_own_folder(place_.images));
    for (;;) {
      PATCHLAB_ASSIGN(auto hold, take_lock(FileLock::Mode::shared));
      if (is_folder(folder_)) {
        if (auto index = whole()) {
          touch();
          return Fetched{std::move(*index), folder_, true, {}, std::move(hold)};
        }
      }
      { const auto released = std::move(hold); }
      PATCHLAB_ASSIGN(auto made, make());
      if (!made) continue;  // somebody else did meanwhile
      PATCHLAB_ASSIGN(auto held, take_lock(FileLock::Mode::shared));
      if (!is_folder(folder_)) continue;
      return Fetched{std::move(made->index), folder_, false, made->moved, std::move(held)};
    }
  }

 private:
  struct Made {
    Index index;
    Moved moved;
  };

  Result<FileLock> take_lock(FileLock::Mode mode) const {
    return FileLock::take(place_.images / (digest_ + ".lock"), mode,
                          {.limit = patience, .stop = place_.stop, .waiting = [&](const std::string& holder) {
                             if (place_.tell) place_.tell("waiting for an image that others get: " + holder);
                           }});
  }

  // With its digests compared.
  [[nodiscard]] Result<Index> whole() const {
    PATCHLAB_ASSIGN(auto index, read_index(folder_ / index_file, digest_));
    PATCHLAB_TRY(verify_files(index, folder_, names_of(index)));
    return index;
  }
  void touch() const { (void)::utimensat(AT_FDCWD, (folder_ / index_file).c_str(), nullptr, 0); }

  Result<std::optional<Made>> make() {
    PATCHLAB_ASSIGN(const auto lock, take_lock(FileLock::Mode::exclusive));
    if (is_folder(folder_)) {
      const auto index = whole();
      if (index) return std::optional<Made>();
      if (place_.tell) place_.tell("an image is damaged, and made anew: " + index.error().message);
      PATCHLAB_TRY(set_aside());
    }
    PATCHLAB_ASSIGN(auto index, half_made());
    PATCHLAB_ASSIGN(const auto moved,
                    Making(source_, index, half_, OlderImages(place_.images, digest_), place_).make());
    // All blocks are what they should be, and still: what counts are the image's own digests.
    if (auto right = verify_files(index, half_, names_of(index)); !right) {
      (void)remove_tree(half_);
      return std::move(right).error();
    }
    for (const auto& file : index.files) PATCHLAB_TRY(set_mode(half_ / file.name, 0444));
    PATCHLAB_TRY(sync_path(half_));
    PATCHLAB_TRY(move_folder(half_, folder_));
    PATCHLAB_TRY(set_mode(folder_, 0555));
    remove_unused();
    return std::optional(Made{std::move(index), moved});
  }

  // What was damaged is as good a begin as any.
  Result<void> set_aside() const {
    PATCHLAB_TRY(remove_tree(half_));
    PATCHLAB_TRY(set_mode(folder_, 0700));
    return move_folder(folder_, half_);
  }

  // The folder with the index in it, of an earlier try or new.
  Result<Index> half_made() {
    if (is_folder(half_)) {
      if (auto index = read_index(half_ / index_file, digest_)) return index;
      PATCHLAB_TRY(remove_tree(half_));
    }
    std::string text;
    PATCHLAB_ASSIGN(auto index, index_from(source_, digest_, text));
    if (::mkdir(half_.c_str(), 0700) != 0) return errno_error("making '" + half_.string() + "'", errno);
    PATCHLAB_TRY(write_file_atomically(half_ / index_file, text, 0444));
    return index;
  }

  // While nobody holds it.
  void remove_unused() const {
    for (const auto& entry : entries_of(place_.images).value_or({})) {
      auto digest = entry.filename().string();
      const bool is_half = digest.starts_with(half_prefix);
      if (is_half) digest.erase(0, std::string_view(half_prefix).size());
      if (!is_sha256(digest) || digest == digest_) continue;
      struct stat info {};
      if (::stat((is_half ? entry : entry / index_file).c_str(), &info) != 0) continue;
      const auto used = std::chrono::system_clock::from_time_t(info.st_mtim.tv_sec);
      if (system_clock_source().wall() - used < (is_half ? given_up_for : unused_for)) continue;
      const auto path = place_.images / (digest + ".lock");
      if (const auto lock = FileLock::take(path, FileLock::Mode::exclusive, FileLock::at_once())) {
        (void)remove_tree(entry);
        (void)remove_tree(path);
      }
    }
  }

  Source& source_;
  const std::string& digest_;
  const FetchPlace& place_;
  const fs::path folder_;
  const fs::path half_;
};

}  // namespace

std::string describe(const Fetched& fetched) {
  const auto mib = [](std::uint64_t bytes) { return static_cast<double>(bytes) / (1U << 20U); };
  const auto& moved = fetched.moved;
  if (fetched.was_there) return fmt::format("image '{}' was there, whole", fetched.index.name);
  auto text =
      fmt::format("image '{}': {:.1f} of {:.1f} MiB were fetched ({:.1f} MiB sent), {:.1f} copied of older images",
                  fetched.index.name, mib(moved.fetched), mib(moved.all), mib(moved.received), mib(moved.copied));
  if (moved.kept > 0) text += fmt::format(", {:.1f} kept of an earlier try", mib(moved.kept));
  return text;
}

Result<Fetched> fetch(Source& source, const std::string& digest, const FetchPlace& place) {
  if (!is_sha256(digest))
    return configuration_error(fmt::format("'{}' is no content digest: 64 hex digits", digest),
                               "'patchlab content publish' says those of its images");
  return Place(source, digest, place).fetch();
}

Result<void> verify_files(const Index& index, const fs::path& folder, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    const auto file = std::ranges::find(index.files, name, &IndexedFile::name);
    if (file == index.files.end())
      return Error{ErrorClass::bug, fmt::format("image '{}' has no '{}'", index.name, name), {}};
    PATCHLAB_ASSIGN(const auto input, open_input(folder / name, Links::refuse));
    Sha256 digest;
    std::uint64_t at = 0;
    for (;;) {
      PATCHLAB_ASSIGN(const auto bytes, read_at(input.file, at, most_block_bytes));
      digest.add(bytes);
      at += bytes.size();
      if (bytes.size() < most_block_bytes) break;
    }
    if (digest.finish() != file->sha256)
      return configuration_error(fmt::format("'{}' has changed", (folder / name).string()),
                                 "whoever can write to that folder can change what is tested");
  }
  return {};
}

}  // namespace patchlab::lab::content
