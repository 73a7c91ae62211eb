// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lab/process/process.hpp"
#include "patches/apt/update_groups.hpp"
#include "patches/store/content_store.hpp"

namespace patchlab::patches {

// A golden image as far as apt is concerned: its name for messages and its copy of /var/lib/dpkg/status.
struct AptImage {
  std::string name;
  std::filesystem::path dpkg_status;
};

struct AptAnswer {
  std::vector<Candidate> candidates;
  std::vector<std::string> notes;  // sentences for the reader, e.g. that there are no updates
};

// An update as one image meets it.
struct SurveyedUpdate {
  Candidate candidate;
  std::vector<AptPackage> packages;         // that go onto this image
  std::optional<ChangelogFacts> changes{};  // since what this image holds; nothing: no changelog could be read
};
struct SurveyedImage {
  std::string name;
  std::filesystem::path dpkg_status;
  std::vector<SurveyedUpdate> updates;
};
struct AptSurvey {
  std::vector<SurveyedImage> images;  // whose release the sources are of
  std::vector<std::string> notes;     // sentences: what is held back, what could not be asked
};

struct AptPaths {
  std::filesystem::path folder;  // ours: configuration, lists, caches
  // Empty: where apt has them, by its files and APT_CONFIG (apt.conf(5)).
  std::filesystem::path host_lists{};          // used when readable and fresh
  std::filesystem::path host_configuration{};  // folder; part of what an answer depends on
  std::chrono::hours fresh_for{24};
};

// The apt sources of this host, asked on behalf of golden images. apt itself resolves, downloads and verifies
// signatures; it runs with folders of our own, as an ordinary user, and changes nothing on the host. Not thread-safe;
// processes exclude each other by a lock file.
class AptSource {
 public:
  AptSource(ProcessRunner& runner, const ContentStore& store, AptPaths paths,
            std::function<void(const std::string&)> progress = {});

  // What the sources offer over the images, as candidates whose files lie in the store.
  [[nodiscard]] Result<AptAnswer> candidates(const std::vector<AptImage>& all_images, const AptRequest& request,
                                             std::stop_token stop = {});
  // All that the sources offer over the images, for each by itself. Of each source package the smallest file is
  // fetched, for its changelog, and others where that has none.
  [[nodiscard]] Result<AptSurvey> survey(const std::vector<AptImage>& images, std::stop_token stop = {});
  // Exactly this version, from the store when it was fetched before.
  [[nodiscard]] Result<CandidateFile> package(const std::string& name, const std::string& version,
                                              const std::string& architecture, std::stop_token stop = {});

 private:
  [[nodiscard]] ProcessSpec command(const std::string& program, std::vector<std::string> arguments) const;
  Result<void> prepare(std::stop_token stop);
  Result<void> find_host(std::stop_token stop);
  Result<void> refresh_lists(std::stop_token stop);
  // The images whose release the sources are of; about the others a note is left.
  Result<std::vector<AptImage>> of_this_release(const std::vector<AptImage>& images, std::stop_token stop);
  // What `program` prints about the image, with exit code 0 or apt's 100; kept for as long as nothing changes.
  struct Printed {
    int code = 0;
    std::string output;
    std::string errors;
  };
  [[nodiscard]] std::filesystem::path answer_to(const std::string& program, const std::vector<std::string>& arguments,
                                                const std::string& status) const;
  [[nodiscard]] static std::optional<Printed> kept_answer(const std::filesystem::path& note);
  static Result<void> keep_answer(const std::filesystem::path& note, const Printed& printed);
  Result<Printed> ask(const AptImage& image, const std::string& status, const std::string& program,
                      const std::vector<std::string>& arguments, std::stop_token stop);
  Result<std::string> simulate_upgrade(const AptImage& image, const std::string& status, std::stop_token stop);
  // Updates that exist and are not taken: a note for each, with the reason.
  Result<void> note_kept_back(const AptImage& image, const std::string& status, const std::string& upgrade,
                              const std::vector<StatusEntry>& entries, std::stop_token stop);
  [[nodiscard]] std::string fingerprint(std::vector<std::filesystem::path> roots) const;
  // What there is for the images of this release, as both questions begin.
  struct Offered {
    std::vector<AptImage> images;
    std::vector<ImageUpdates> updates;  // of each image
    std::vector<UpdateGroup> groups;
  };
  Result<Offered> offered(const std::vector<AptImage>& all_images, const AptRequest& request, std::stop_token stop);
  Result<std::vector<ImageUpdates>> updates_of(const std::vector<AptImage>& images, std::stop_token stop);
  Result<void> find_needs(const AptImage& image, const AptRequest& request, const std::vector<AptPackage>& offers,
                          ImageUpdates& updates, std::stop_token stop);
  [[nodiscard]] ChangelogFacts changes_in(const UpdateGroup& group, const std::vector<ImageUpdates>& images) const;
  // Of whichever of its packages brings it: all of a source have the same one.
  [[nodiscard]] std::optional<std::string> changelog_in(const UpdateGroup& group) const;
  Result<void> fetch_changelogs(const std::vector<UpdateGroup>& groups, std::stop_token stop);
  Result<std::vector<AptPackage>> describe(const std::vector<std::string>& specifications, std::stop_token stop);
  Result<void> fetch(const std::vector<const AptPackage*>& packages, std::stop_token stop);
  [[nodiscard]] std::filesystem::path note_of(const std::string& name, const std::string& version,
                                              const std::string& architecture) const;
  void tell(const std::string& sentence) const;

  ProcessRunner& runner_;
  const ContentStore& store_;
  AptPaths paths_;
  std::function<void(const std::string&)> progress_;
  std::filesystem::path lists_;  // empty until prepared
  std::filesystem::path host_lists_, host_preferences_;
  std::vector<std::filesystem::path> host_files_;  // and folders: sources and preferences
  std::string host_configuration_;                 // as apt has read it
  std::filesystem::path preferences_;              // of our own, against other releases' sources; empty: the host's
  bool is_incomplete_ = false;                     // a note says so
  std::vector<std::string> notes_;
};

// True when the folder holds package lists that were fetched less than `age` before `now`. By change time: apt gives
// its lists the server's modification time.
[[nodiscard]] bool lists_are_fresh(const std::filesystem::path& lists, std::chrono::system_clock::time_point now,
                                   std::chrono::hours age);

}  // namespace patchlab::patches
