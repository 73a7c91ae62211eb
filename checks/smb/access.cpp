// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/access.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <set>

#include "checks/check_with.hpp"
#include "checks/smb/judging.hpp"
#include "checks/smb/steps.hpp"
#include "lab/core/digest.hpp"

namespace patchlab::checks::smb {
namespace {

const std::set<std::string> all_operations{"list", "write", "read", "rename", "delete"};

struct Parameters {
  Account account;
  std::set<std::string> operations;
  std::string folder;
  std::size_t bytes = 0;
  std::map<std::string, std::string> known_files;

  [[nodiscard]] bool does(const std::string& operation) const { return operations.contains(operation); }
  [[nodiscard]] std::string folder_path() const {
    return folder.empty() ? account.share : account.share + "/" + folder;
  }
};

std::set<std::string> read_operations(JsonReader& reader) {
  if (!reader.has("operations")) return all_operations;
  std::set<std::string> operations;
  const auto once = [&operations](const std::string& operation) {
    if (!all_operations.contains(operation))
      return fmt::format("unknown operation '{}'; known are list, write, read, rename, delete", operation);
    return operations.insert(operation).second ? "" : fmt::format("'{}' stands there twice", operation);
  };
  (void)reader.texts_or_empty("operations", once);
  if (reader.raw("operations").is_array() && reader.raw("operations").empty())
    reader.problem("operations", "must name at least one operation: list, write, read, rename, delete");
  for (const char* operation : {"read", "rename", "delete"}) {
    if (!operations.contains(operation) || operations.contains("write")) continue;
    reader.problem("operations", fmt::format("'{}' needs 'write', which makes the file", operation));
    break;
  }
  return operations;
}

Parameters read_parameters(JsonReader& reader) {
  Parameters parameters;
  parameters.account = read_account(reader);
  parameters.operations = read_operations(reader);
  parameters.folder = reader.text_or("folder", "", [](const std::string& folder) {
    return is_path_below_share(folder) ? "" : fmt::format("'{}' must be a path below the share, as team/in", folder);
  });
  parameters.bytes = static_cast<std::size_t>(reader.integer_or("bytes", 262144, 1, 16777216));
  parameters.known_files = read_known_files(reader);
  return parameters;
}

// The life of one file in the share.
class FileLife {
 public:
  FileLife(const Parameters& parameters, StepRecorder& recorder, Session& session)
      : parameters_(parameters),
        recorder_(recorder),
        session_(session),
        folder_(parameters.folder_path()),
        name_(random_file_name()),
        content_(random_content(parameters.bytes)) {}

  void live() {
    if (!write()) return;
    const bool well = list_again() && read_back() && rename() && remove() && gone();
    (void)well;
    if (exists_) recorder_.take("clean up", [&](Json&) { return session_.remove(path()); });
  }

 private:
  [[nodiscard]] std::string path() const { return folder_ + "/" + name_; }

  bool write() {
    const bool well = recorder_.take("write", [&](Json& entry) {
      entry["name"] = name_;
      entry["sha256"] = sha256(content_);
      return session_.write(path(), content_);
    });
    exists_ = well;
    return well;
  }
  bool list_again() { return !parameters_.does("list") || take_list(recorder_, session_, "list again", folder_); }
  bool read_back() {
    if (!parameters_.does("read")) return true;
    return recorder_.take("read", [&](Json& entry) {
      std::string content;
      const int trouble = session_.read(path(), content);
      if (trouble == 0) entry["sha256"] = sha256(content);
      return trouble;
    });
  }
  bool rename() {
    if (!parameters_.does("rename")) return true;
    return recorder_.take("rename", [&](Json& entry) {
      const auto renamed = "renamed-" + name_;
      const int trouble = session_.rename(path(), folder_ + "/" + renamed);
      if (trouble == 0) name_ = renamed;
      entry["name"] = renamed;
      return trouble;
    });
  }
  bool remove() {
    if (!parameters_.does("delete")) return true;
    const bool well = recorder_.take("delete", [&](Json&) { return session_.remove(path()); });
    exists_ = !well;
    return well;
  }
  bool gone() {
    if (!parameters_.does("delete")) return true;
    return recorder_.take("gone", [&](Json&) {
      std::string content;
      return session_.read(path(), content);
    });
  }

  const Parameters& parameters_;
  StepRecorder& recorder_;
  Session& session_;
  std::string folder_;
  std::string name_;
  std::string content_;
  bool exists_ = false;
};

Trouble judge_listing(const Observation& observation) {
  const auto& names = find_step(observation, "list again")->at("names");
  const auto& name = find_step(observation, "write")->at("name");
  for (const auto& listed : names) {
    if (listed == name) return std::nullopt;
  }
  return failed("file-not-listed", fmt::format("{} in the listing", name.get<std::string>()),
                fmt::format("{} other names", names.size()));
}

Trouble judge_content(const Observation& observation) {
  const auto written = find_step(observation, "write")->at("sha256").get<std::string>();
  const auto read = find_step(observation, "read")->at("sha256").get<std::string>();
  if (written == read) return std::nullopt;
  return failed("content-differs", "sha256 " + written, "sha256 " + read);
}

Trouble judge_gone(const Observation& observation) {
  const auto* entry = find_step(observation, "gone");
  if (entry != nullptr && entry->contains("errno") && entry->at("errno").get<int>() == ENOENT) return std::nullopt;
  return failed("deleted-file-remains", "gone: ENOENT", entry == nullptr ? "gone: not reached" : describe_step(*entry));
}

Trouble judge_steps(const Parameters& parameters, const Observation& observation) {
  if (auto trouble = judge_success(observation, "connect")) return trouble;
  if (parameters.does("list")) {
    if (auto trouble = judge_success(observation, "list")) return trouble;
  }
  if (auto trouble = judge_known_files(observation, parameters.known_files)) return trouble;
  if (!parameters.does("write")) return std::nullopt;
  if (auto trouble = judge_success(observation, "write")) return trouble;
  if (parameters.does("list")) {
    if (auto trouble = judge_success(observation, "list again")) return trouble;
    if (auto trouble = judge_listing(observation)) return trouble;
  }
  for (const char* operation : {"read", "rename", "delete"}) {
    if (!parameters.does(operation)) continue;
    if (auto trouble = judge_success(observation, operation)) return trouble;
    if (operation == std::string("read")) {
      if (auto trouble = judge_content(observation)) return trouble;
    }
  }
  return parameters.does("delete") ? judge_gone(observation) : std::nullopt;
}

class Access final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "smb.access"; }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& parameters,
                                                 Milliseconds deadline) const override {
    return observe_steps(target, parameters.account, deadline, [parameters](StepRecorder& recorder, Session& session) {
      if (parameters.does("list") && !take_list(recorder, session, "list", parameters.folder_path())) return;
      if (!take_known_files(recorder, session, parameters.account.share, parameters.known_files)) return;
      if (parameters.does("write")) FileLife(parameters, recorder, session).live();
    });
  }

  [[nodiscard]] Judgement judge_with(const Parameters& parameters, const Observation& observation) const override {
    if (auto trouble = judge_steps(parameters, observation)) return *trouble;
    const auto done = fmt::format("{} uses '{}'", parameters.account.user, parameters.account.share);
    return {Outcome::pass, "as-expected", done, done};
  }
};

}  // namespace

const Check& access() {
  static const Access instance;
  return instance;
}

}  // namespace patchlab::checks::smb
