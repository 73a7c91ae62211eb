// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/file_lock.hpp"
#include "lab/core/names.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "promotion/chain/own_folder.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage.hpp"
#include "promotion/stage/version_folder.hpp"
#include "reports/record/queries.hpp"

namespace fs = std::filesystem;

namespace patchlab::promotion {
namespace {

// Bytes that are not the tested ones: the only trouble of the configuration class that leaves this file. `promote`
// makes a refusal of it.
Error refusal(std::string message) { return configuration_error(std::move(message)); }

// What could not be had or made, for whatever reason: nothing is known of its bytes.
Error trouble(Error error) {
  if (error.error_class == ErrorClass::configuration) error.error_class = ErrorClass::infrastructure;
  return error;
}

Result<void> set_mode(const fs::path& path, mode_t mode) {
  if (::chmod(path.c_str(), mode) != 0) return errno_error("changing the mode of '" + path.string() + "'", errno);
  return {};
}

// Copies and syncs; the digest that counts is that of the copy, read back by the caller.
Result<void> copy_and_sync(const fs::path& from, const fs::path& to) {
  const auto in = open_input(from);
  if (!in) return trouble(in.error());
  const FileDescriptor out(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_of_files));
  if (!out.valid()) return errno_error("creating '" + to.string() + "'", errno);
  std::vector<char> block(1U << 20U);
  for (;;) {
    const auto count = ::read(in->file.get(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading '" + from.string() + "'", errno);
    if (count == 0) break;
    for (ssize_t done = 0; done < count;) {
      const auto written = ::write(out.get(), block.data() + done, static_cast<std::size_t>(count - done));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return errno_error("writing '" + to.string() + "'", errno);
      done += written;
    }
  }
  if (::fchmod(out.get(), mode_of_files) != 0) return errno_error("changing the mode of '" + to.string() + "'", errno);
  if (::fsync(out.get()) != 0) return errno_error("syncing '" + to.string() + "'", errno);
  return {};
}

// One attempt to publish, under the lock of the stage.
class Publisher {
 public:
  Publisher(const reports::RunRecord& record, const Decision& decision, const FileSource& source,
            const PublishOptions& options)
      : record_(record),
        decision_(decision),
        source_(source),
        options_(options),
        link_(options.stage / decision.department),
        versions_(options.stage / ".versions" / decision.department) {}

  Result<Published> publish() {
    PATCHLAB_TRY(look_at_names());
    PATCHLAB_TRY(make_own_folder(versions_.parent_path(), Links::refuse));
    PATCHLAB_TRY(make_own_folder(versions_, Links::refuse));
    PATCHLAB_TRY(find_current());
    PATCHLAB_TRY(look_at_published());
    const auto manifest =
        manifest_json(record_, decision_,
                      {options_.now, serial_, options_.valid_until, options_.policy, options_.run_object, rollback_});
    if (auto same = current_version_is(manifest)) return std::move(*same);
    step("clean");
    PATCHLAB_TRY(remove_leftovers());
    const auto text = pretty(manifest);
    const auto name = unused_name(sha256(text));
    PATCHLAB_TRY(build(versions_ / name, text));
    step("prove");
    PATCHLAB_TRY(prove(versions_ / name, sha256(text)));
    const Publication publication{decision_.department, manifest.at("set"), sha256(text), serial_, rollback_, text,
                                  decision_.emergency};
    step("begun");
    PATCHLAB_TRY(told(options_.journal.begun, publication));
    if (auto switched = switch_and_prove(name, publication); !switched)
      return give_up(std::move(switched).error(), publication);
    return Published{link_, sha256(text), decision_.promotable, Published::Change::published};
  }

 private:
  void step(const std::string& name) const {
    if (options_.before_step) options_.before_step(name);
  }

  // What the ledger does not take says nothing of the bytes.
  static Result<void> told(const std::function<Result<void>(const Publication&)>& journal,
                           const Publication& publication) {
    if (!journal) return {};
    if (auto written = journal(publication); !written) return trouble(std::move(written).error());
    return {};
  }

  Result<void> look_at_names() const {
    std::vector<std::string> names{decision_.department};
    for (const auto& id : decision_.promotable) {
      names.push_back(id);
      std::set<std::string> files;
      for (const auto& file : reports::find_candidate(record_, id)->files) {
        names.push_back(file.name);
        if (!files.insert(file.name).second)
          return infrastructure_error(fmt::format("candidate '{}' has two files of the name '{}'", id, file.name));
      }
    }
    const auto no_id = std::ranges::find_if_not(decision_.promotable, is_candidate_id);
    if (no_id != decision_.promotable.end())
      return infrastructure_error(fmt::format("'{}' is no candidate id: {}", *no_id, candidate_id_rule));
    const auto bad = std::ranges::find_if_not(names, is_plain_name);
    if (bad != names.end())
      return infrastructure_error(fmt::format("'{}' cannot be the name of a file or folder in the stage", *bad));
    return {};
  }

  // The version that the link names today; a link or folder that we did not make is not ours to replace.
  Result<void> find_current() {
    std::error_code code;
    const auto status = fs::symlink_status(link_, code);
    if (!fs::exists(status)) return {};
    const auto target = fs::read_symlink(link_, code);
    if (code || target.parent_path() != fs::path(".versions") / decision_.department) {
      return infrastructure_error(fmt::format("'{}' was not published by patchlab", link_.string()),
                                  "move it away, then promote again");
    }
    current_ = target.filename().string();
    return {};
  }

  // What is published now decides which serial comes next, and whether this would be a step back.
  Result<void> look_at_published() {
    std::uint64_t greatest = options_.known_serial;
    const auto versions = entries_of(versions_);
    if (!versions) return trouble(versions.error());
    for (const auto& version : *versions) {
      const auto json = read_json_file(version / manifest_file_name);
      const auto there = json ? manifest_from_json(*json, manifest_file_name) : Result<Manifest>(json.error());
      if (!there) continue;  // damaged, or a leftover: no version that anybody deployed
      greatest = std::max(greatest, there->serial);
      if (version.filename() == current_) PATCHLAB_TRY(look_back(*there));
    }
    serial_ = greatest + 1;
    return {};
  }

  Result<void> look_back(const Manifest& published) {
    const auto then = parse_rfc3339(published.tested);
    const auto now = parse_rfc3339(record_.finished);
    if (!then || !now || *now >= *then) return {};
    if (options_.rollback_reason.empty()) {
      return infrastructure_error(
          fmt::format("run {} ended at {}, before run {}, which is published ({}): that would take newer patches away",
                      record_.id, record_.finished, published.run, published.tested),
          "promote a newer run, or give the reason for going back");
    }
    rollback_ = options_.rollback_reason;
    return {};
  }

  // The same facts, whole and unchanged: only when it was published, and what follows from that, differs.
  std::optional<Published> current_version_is(const Json& manifest) const {
    if (current_.empty()) return std::nullopt;
    const auto check = verify_version(versions_ / current_);
    if (!check.problems.empty()) return std::nullopt;
    const auto there = read_json_file(versions_ / current_ / manifest_file_name);
    if (!there) return std::nullopt;
    auto same = manifest;
    for (const char* key : {"published", "serial", "valid_until", "rollback", "emergency"}) {
      same.erase(key);
      if (there->is_object() && there->contains(key)) same[key] = there->at(key);
    }
    if (*there != same) return std::nullopt;
    return Published{link_, check.manifest_digest, decision_.promotable, Published::Change::already_there};
  }

  // What an interrupted attempt left, and versions before the current one (which stays for whoever is still reading
  // it).
  Result<void> remove_leftovers() const {
    const auto entries = entries_of(versions_);
    if (!entries) return trouble(entries.error());
    for (const auto& entry : *entries) {
      if (entry.filename() != current_) PATCHLAB_TRY(remove_tree(entry).while_doing("removing a leftover"));
    }
    return {};
  }

  [[nodiscard]] std::string unused_name(const std::string& manifest_digest) const {
    const auto name = manifest_digest.substr(0, 16);
    return name == current_ ? name + "-again" : name;  // the current one is there but damaged
  }

  Result<void> build(const fs::path& folder, const std::string& manifest) const {
    step("create");
    PATCHLAB_TRY(make_own_folder(folder, Links::refuse));
    for (const auto& id : decision_.promotable) {
      PATCHLAB_TRY(make_own_folder(folder / id, Links::refuse));
      for (const auto& file : reports::find_candidate(record_, id)->files) {
        step("copy " + id + "/" + file.name);
        PATCHLAB_TRY(copy_tested(file, folder / id / file.name)
                         .while_doing(fmt::format("copying '{}' of candidate '{}'", file.name, id)));
      }
      PATCHLAB_TRY(set_mode(folder / id, mode_of_versions));
      PATCHLAB_TRY(sync_path(folder / id));
    }
    step("sums");
    PATCHLAB_TRY(
        write_file_atomically(folder / sums_file_name, sha256sums_of(record_, decision_.promotable), mode_of_files));
    step("manifest");
    PATCHLAB_TRY(write_file_atomically(folder / manifest_file_name, manifest, mode_of_files));
    PATCHLAB_TRY(set_mode(folder, mode_of_versions));
    step("sync");
    PATCHLAB_TRY(sync_path(folder));
    PATCHLAB_TRY(sync_path(versions_));
    return sync_path(versions_.parent_path());
  }

  Result<void> copy_tested(const reports::FileRecord& file, const fs::path& to) const {
    const auto from = source_(file.sha256);
    if (!from) return trouble(from.error());
    PATCHLAB_TRY(copy_and_sync(*from, to));
    PATCHLAB_ASSIGN(const auto digest, sha256_of_file(to));
    if (digest != file.sha256)
      return refusal(fmt::format("'{}' has the digest {}, tested was {}", from->string(), digest, file.sha256));
    return {};
  }

  [[nodiscard]] static Result<void> prove(const fs::path& folder, const std::string& manifest_digest) {
    const auto check = verify_version(folder);
    if (!check.problems.empty())
      return refusal(fmt::format("read back, it differs from what was tested: {}", fmt::join(check.problems, "; ")));
    if (check.manifest_digest != manifest_digest)
      return refusal("read back, the manifest differs from what was written");
    return {};
  }

  // Through the link, as a deployer reads it.
  [[nodiscard]] Result<void> prove_published(const std::string& manifest_digest) const {
    std::error_code code;
    const auto folder = fs::canonical(link_, code);
    if (code) return infrastructure_error(fmt::format("following '{}': {}", link_.string(), code.message()));
    return prove(folder, manifest_digest);
  }

  // The link is made beside the version and renamed over the old one: rename(2) is atomic, on any file system.
  Result<void> point_link_at(const std::string& name) const {
    const auto target = fs::path(".versions") / decision_.department / name;
    const auto fresh = versions_ / "link";
    ::unlink(fresh.c_str());
    if (::symlink(target.c_str(), fresh.c_str()) != 0)
      return errno_error("creating the link '" + fresh.string() + "'", errno);
    step("switch");
    if (::rename(fresh.c_str(), link_.c_str()) != 0) return errno_error("renaming to '" + link_.string() + "'", errno);
    step("sync-stage");
    return sync_path(options_.stage);
  }

  Result<void> switch_and_prove(const std::string& name, const Publication& publication) const {
    step("link");
    PATCHLAB_TRY(point_link_at(name));
    step("switched");
    PATCHLAB_TRY(told(options_.journal.switched, publication));
    step("prove-published");
    PATCHLAB_TRY(prove_published(publication.manifest_digest));
    step("done");
    return told(options_.journal.done, publication);
  }

  // What cannot be finished and written down is not left published.
  Error give_up(Error why, const Publication& publication) const {
    std::error_code code;
    const auto target = fs::read_symlink(link_, code);
    const bool is_ours = !code && target.filename() != current_;
    if (is_ours && current_.empty()) {
      ::unlink(link_.c_str());
      static_cast<void>(sync_path(options_.stage));
    } else if (is_ours) {
      if (auto back = point_link_at(current_); !back) {
        why.message += "; and the version before could not be restored: " + back.error().message;
        return why;  // the ledger keeps saying that it is not finished
      }
    }
    step("given-up");
    if (!options_.journal.given_up) return why;
    if (auto told = options_.journal.given_up(publication, why.message); !told)
      why.message += "; and the ledger could not be told: " + told.error().message;
    return why;
  }

  const reports::RunRecord& record_;
  const Decision& decision_;
  const FileSource& source_;
  const PublishOptions& options_;
  fs::path link_;
  fs::path versions_;
  std::string current_;
  std::uint64_t serial_ = 1;
  std::string rollback_;
};

}  // namespace

Result<Published> publish(const reports::RunRecord& record, const Decision& decision, const FileSource& source,
                          const PublishOptions& options) {
  if (!decision.promotes()) {
    return refusal(
        fmt::format("the gate promotes nothing of '{}': {}", decision.department, fmt::join(decision.reasons(), "; ")));
  }
  // The stage itself may be reached by a link: whoever names it decides where it is.
  PATCHLAB_TRY(make_own_folder(options.stage, Links::follow));
  const auto lock = FileLock::take(options.stage / ".lock", FileLock::Mode::exclusive, {.limit = stage_lock_patience});
  if (!lock) return trouble(lock.error());
  return Publisher(record, decision, source, options).publish();
}

}  // namespace patchlab::promotion
