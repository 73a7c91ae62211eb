// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/content/publish.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <set>

#include "lab/content/blocks.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/pipe.hpp"

namespace patchlab::lab::content {
namespace {

namespace fs = std::filesystem;

constexpr const char* lock_name = "lock";
constexpr std::chrono::minutes until_published{30};  // one image by somebody else

// What an image is made of, by its own image.json. `take` gets each block.
Result<Index> cut_image(const image::GoldenImage& image, const std::stop_token& stop, const TakeBlock& take) {
  if (!is_candidate_id(image.name))
    return configuration_error(
        fmt::format("image '{}' cannot be published: a name needs {}", image.name, candidate_id_rule));
  Index index{image.contents, image.name, image.built, {}};
  auto expected = image.sha256;
  expected[described_in] = image.contents;
  for (const auto& [name, digest] : expected) {
    const auto path = image.folder / name;
    PATCHLAB_ASSIGN(const auto input, open_input(path, Links::refuse));
    PATCHLAB_ASSIGN(auto file, cut_file(input, name, [&](const Block& block, std::string_view bytes) -> Result<void> {
                      if (stop.stop_requested())
                        return Error{ErrorClass::cancelled, "reading image '" + image.name + "': cancelled", {}};
                      return take(block, bytes);
                    }));
    if (file.sha256 != digest)
      return configuration_error(
          fmt::format("'{}' has changed: expected {}, found {}", path.string(), digest, file.sha256),
          "remove the image and build it again with 'patchlab image build'");
    index.files.push_back(std::move(file));
  }
  // Nobody could read what has other files, or a time of another spelling.
  PATCHLAB_TRY(parse_index(index_text(index), image.folder.string()));
  return index;
}

fs::path note_of(const image::GoldenImage& image, const fs::path& cache) {
  return cache / "content-digests" / image.contents;
}

Result<FileLock> lock_of(const fs::path& folder, FileLock::Mode mode, const std::stop_token& stop) {
  return FileLock::take(folder / lock_name, mode, {.limit = until_published, .stop = stop});
}

class ContentFolder {
 public:
  static Result<ContentFolder> make(const fs::path& path) {
    PATCHLAB_TRY(create_folders(path));
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return errno_error("looking at '" + path.string() + "'", errno);
    ContentFolder folder(path, info.st_mode & 07777U);
    for (const auto* below : {"blocks", "images"}) PATCHLAB_TRY(folder.make_folder(path / below));
    return folder;
  }

  // One that is there and damaged is replaced: so publishing again mends a folder.
  enum class Put { is_new, was_there, mended };
  Result<Put> put_block(const Block& block, std::string_view bytes, std::uint64_t& stored_bytes) {
    const auto path = path_ / block_name(block.sha256);
    const bool is_there = status_of(path).type() != fs::file_type::not_found;
    if (is_there && is_intact(path, block)) return Put::was_there;
    PATCHLAB_TRY(make_folder(path.parent_path()));
    const auto stored = packed(bytes);
    stored_bytes += stored.size();
    PATCHLAB_TRY(write(path, stored));
    return is_there ? Put::mended : Put::is_new;
  }

  // Behind all of its blocks, also when the host loses its power.
  Result<void> put_index(const std::string& digest, const std::string& text) const {
    PATCHLAB_ASSIGN(const auto anything, open_input(path_ / lock_name, Links::refuse));
    if (::syncfs(anything.file.get()) != 0) return errno_error("syncing '" + path_.string() + "'", errno);
    const auto path = path_ / index_name(digest);
    if (const auto there = read_file(path, most_index_bytes, Links::refuse); there && *there == text) return {};
    return write_file_atomically(path, text, file_mode());
  }

 private:
  ContentFolder(fs::path path, unsigned mode) : path_(std::move(path)), mode_(mode) {}

  [[nodiscard]] unsigned file_mode() const { return mode_ & 0444U; }
  // Who may look into the content folder may look into it, whatever the program's own rule for new files is.
  [[nodiscard]] Result<void> make_folder(const fs::path& path) const {
    if (::mkdir(path.c_str(), 0700) != 0) {
      if (errno == EEXIST) return {};
      return errno_error("making '" + path.string() + "'", errno);
    }
    if (::chmod(path.c_str(), mode_) != 0) return errno_error("changing the mode of '" + path.string() + "'", errno);
    return {};
  }
  static bool is_intact(const fs::path& path, const Block& block) {
    const auto stored = read_file(path, most_packed_bytes(block.bytes), Links::refuse);
    return stored && unpacked(*stored, block).has_value();
  }
  // Not synced: see put_index.
  [[nodiscard]] Result<void> write(const fs::path& path, std::string_view bytes) const {
    static std::atomic<unsigned> counter{0};
    const fs::path fresh = path.string() + fmt::format(".tmp-{}-{}", ::getpid(), counter++);
    const FileDescriptor file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file.valid()) return errno_error("creating '" + fresh.string() + "'", errno);
    if (write_all(file.get(), bytes) && ::fchmod(file.get(), file_mode()) == 0 &&
        ::rename(fresh.c_str(), path.c_str()) == 0)
      return {};
    const int saved = errno;
    ::unlink(fresh.c_str());
    return errno_error("writing '" + path.string() + "'", saved);
  }

  fs::path path_;
  unsigned mode_;
};

struct KnownIndex {
  fs::path path;
  Index index;
};

Result<std::vector<KnownIndex>> indexes_in(const fs::path& folder) {
  std::vector<KnownIndex> known;
  PATCHLAB_ASSIGN(const auto entries, entries_of(folder));
  for (const auto& entry : entries) {
    const auto digest = entry.filename().string();
    if (!is_sha256(digest)) continue;
    PATCHLAB_ASSIGN(const auto text, read_file(entry, most_index_bytes, Links::refuse));
    if (sha256(text) != digest)
      return configuration_error(fmt::format("'{}' is damaged: it has another SHA-256", entry.string()),
                                 "remove it, or publish its image again; nothing was removed");
    PATCHLAB_ASSIGN(auto index, parse_index(text, entry.string()));
    known.push_back({entry, std::move(index)});
  }
  return known;
}

// Those that are not among the `keep` that were built last of their name.
std::set<fs::path> older_ones(std::vector<KnownIndex> known, std::size_t keep) {
  std::ranges::sort(known, [](const KnownIndex& a, const KnownIndex& b) {
    return std::tie(a.index.name, b.index.built, a.path) < std::tie(b.index.name, a.index.built, b.path);
  });
  std::set<fs::path> older;
  std::map<std::string, std::size_t> seen;
  for (const auto& one : known) {
    if (++seen[one.index.name] > keep) older.insert(one.path);
  }
  return older;
}

Result<void> remove_file(const fs::path& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return errno_error("removing '" + path.string() + "'", errno);
}

}  // namespace

Result<Published> publish(const image::GoldenImage& image, const fs::path& folder, const std::stop_token& stop) {
  PATCHLAB_ASSIGN(auto content, ContentFolder::make(folder));
  PATCHLAB_ASSIGN(const auto lock, lock_of(folder, FileLock::Mode::shared, stop));
  Published published;
  published.name = image.name;
  PATCHLAB_ASSIGN(const auto index,
                  cut_image(image, stop, [&](const Block& block, std::string_view bytes) -> Result<void> {
                    if (block.sha256.empty()) return {};
                    PATCHLAB_ASSIGN(const auto put, content.put_block(block, bytes, published.stored_bytes));
                    published.bytes += block.bytes;
                    ++published.blocks;
                    if (put == ContentFolder::Put::mended) ++published.mended_blocks;
                    if (put != ContentFolder::Put::is_new) return {};
                    published.new_bytes += block.bytes;
                    ++published.new_blocks;
                    return {};
                  }));
  const auto text = index_text(index);
  published.digest = sha256(text);
  PATCHLAB_TRY(content.put_index(published.digest, text));
  return published;
}

Result<std::string> index_digest(const image::GoldenImage& image, const fs::path& cache, const std::stop_token& stop) {
  const auto note = note_of(image, cache);
  if (const auto known = read_file(note, 64, Links::refuse); known && is_sha256(*known)) return *known;
  PATCHLAB_ASSIGN(const auto index,
                  cut_image(image, stop, [](const Block&, std::string_view) { return Result<void>(); }));
  auto digest = sha256(index_text(index));
  PATCHLAB_TRY(create_folders(note.parent_path()));
  PATCHLAB_TRY(write_file_atomically(note, digest));
  return digest;
}

Result<Trimmed> trim(const fs::path& folder, std::optional<std::size_t> keep, const std::stop_token& stop) {
  if (!is_folder(folder / "blocks") || !is_folder(folder / "images"))
    return configuration_error(fmt::format("'{}' is no content folder", folder.string()),
                               "name the folder that 'patchlab content publish' was given");
  PATCHLAB_ASSIGN(const auto lock, lock_of(folder, FileLock::Mode::exclusive, stop));
  PATCHLAB_ASSIGN(const auto known, indexes_in(folder / "images"));
  const auto older = keep ? older_ones(known, *keep) : std::set<fs::path>();
  Trimmed trimmed;
  std::set<std::string> named;
  for (const auto& [path, index] : known) {
    if (older.contains(path)) {
      PATCHLAB_TRY(remove_file(path));
      ++trimmed.images;
      continue;
    }
    ++trimmed.kept_images;
    for (const auto& file : index.files) {
      for (const auto& block : file.blocks) named.insert(block.sha256);
    }
  }
  // Blocks below, and what a publisher that was killed has left in both.
  for (const auto* below : {"blocks", "images"}) {
    PATCHLAB_ASSIGN(const auto entries, entries_below(folder / below));
    for (const auto& entry : entries) {
      const auto name = entry.filename().string();
      const bool is_half = name.find(".tmp-") != std::string::npos;
      const bool is_block = is_sha256(name) && entry.parent_path() != folder / "images";
      if (!is_half && (!is_block || named.contains(name))) continue;
      std::error_code code;
      const auto bytes = fs::file_size(entry, code);
      PATCHLAB_TRY(remove_file(entry));
      if (!code) trimmed.bytes += bytes;
      if (is_block) ++trimmed.blocks;
    }
  }
  return trimmed;
}

}  // namespace patchlab::lab::content
