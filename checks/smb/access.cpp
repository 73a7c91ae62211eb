// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/smb/access.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "checks/check_with.hpp"
#include "checks/names_target.hpp"
#include "checks/smb/judging.hpp"
#include "checks/smb/netbios.hpp"
#include "checks/smb/steps.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/text.hpp"

namespace patchlab::checks::smb {
namespace {

const std::set<std::string> all_operations{"list", "write", "read", "rename", "delete"};

struct Parameters {
  Account account;
  std::set<std::string> operations;
  std::string folder;
  std::size_t bytes = 0;
  std::map<std::string, std::string> known_files;
  std::string names;      // "insensitive", "sensitive", or empty
  std::size_t files = 0;  // besides the one
  bool together = false;
  bool locks = false;

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
  read_login(reader, parameters.account);
  parameters.account.dialect = reader.text_or("dialect", "", [](const std::string& word) {
    return protocol_of(word).empty() ? fmt::format("'{}' is none of 1, 2.0.2, 2.1, 3.0, 3.0.2, 3.1.1", word)
                                     : std::string();
  });
  auto& account = parameters.account;
  account.netbios = reader.boolean_or("netbios", false);
  if (account.netbios && !reader.has("port")) account.port = netbios_port;
  parameters.operations = read_operations(reader);
  parameters.folder = reader.text_or("folder", "", [](const std::string& folder) {
    return is_path_below_share(folder) ? "" : fmt::format("'{}' must be a path below the share, as team/in", folder);
  });
  parameters.bytes = static_cast<std::size_t>(reader.integer_or("bytes", 262144, 1, 16777216));
  parameters.known_files = read_known_files(reader);
  parameters.names = reader.text_or("names", "", [](const std::string& word) {
    return word == "insensitive" || word == "sensitive"
               ? ""
               : fmt::format("must be \"insensitive\" or \"sensitive\", found \"{}\"", word);
  });
  parameters.files = static_cast<std::size_t>(reader.integer_or("files", 0, 0, 5000));
  parameters.together = reader.boolean_or("together", false);
  parameters.locks = reader.boolean_or("locks", false);
  for (const char* key : {"names", "files", "together", "locks"}) {
    if (reader.has(key) && !parameters.does("write"))
      reader.problem(key, "needs the operation 'write', which makes files");
  }
  return parameters;
}

// The life of one file in the share.
class FileLife {
 public:
  FileLife(const Parameters& parameters, StepRecorder& recorder, Session& session, const AnotherSession& another)
      : parameters_(parameters),
        recorder_(recorder),
        session_(session),
        another_(another),
        folder_(parameters.folder_path()),
        name_(random_file_name()),
        content_(random_content(parameters.bytes)) {}

  void live() {
    if (!write()) return;
    const bool well = list_again() && read_back() && read_by_other_case() && work_together() && rename() && remove();
    if (well) look_again();
    if (exists_) recorder_.take("clean up", [&](Json&) { return session_.remove(path()); });
    if (well && parameters_.files > 0) live_as_many();
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
  // Whether it is found depends on the server; that it is not is no trouble.
  bool read_by_other_case() {
    if (parameters_.names.empty()) return true;
    recorder_.take("other case", [&](Json& entry) {
      std::string content;
      const int trouble = session_.read(folder_ + "/" + upper_case(name_), content);
      if (trouble == 0) entry["sha256"] = sha256(content);
      return trouble;
    });
    return true;
  }
  // The same user at another desk, with a connection of their own.
  bool work_together() {
    if (!parameters_.together && !parameters_.locks) return true;
    if (auto opened = another_(recorder_, Encryption::as_wanted)) second_.emplace(*std::move(opened));
    if (!second_ || !take_list(recorder_, *second_, "second list", folder_)) return false;
    return share_the_file() && lock_the_file();
  }
  bool share_the_file() {
    if (!parameters_.together) return true;
    if (!recorder_.take("open", [&](Json&) { return session_.hold_open(path()); })) return false;
    recorder_.take("second read", [&](Json& entry) {
      std::string content;
      const int trouble = second_->read(path(), content);
      if (trouble == 0) entry["sha256"] = sha256(content);
      return trouble;
    });
    // Well is when that goes wrong.
    exists_ = !recorder_.take("second delete", [&](Json&) { return second_->remove(path()); });
    return recorder_.take("close", [&](Json&) { return session_.close_held(); }) && exists_;
  }
  // The first session keeps others from writing while it has the file open, as an office program does.
  bool lock_the_file() {
    if (!parameters_.locks) return true;
    const auto newer = folder_ + "/new-" + name_;
    if (!recorder_.take("lock", [&](Json&) { return session_.hold_open(path(), Session::Others::only_read); }))
      return false;
    recorder_.take("locked read", [&](Json& entry) { return read_by_second(entry); });
    recorder_.take("locked write", [&](Json&) { return second_->overwrite(path(), "x"); });  // not well is well
    if (!recorder_.take("new file", [&](Json& entry) {
          newer_content_ = random_content(1000);
          entry["sha256"] = sha256(newer_content_);
          return second_->write(newer, newer_content_);
        })) {
      recorder_.take("unlock", [&](Json&) { return session_.close_held(); });
      return false;
    }
    // Here as well. What the file became of it is read when it is free.
    recorder_.take("locked rename over", [&](Json&) { return second_->rename(newer, path()); });
    if (!recorder_.take("unlock", [&](Json&) { return session_.close_held(); })) return false;
    if (!recorder_.take("unlocked read", [&](Json& entry) { return read_by_second(entry); }) ||
        !recorder_.take("unlocked write", [&](Json&) { return second_->overwrite(path(), content_); }))
      return false;
    const bool well = recorder_.take("unlocked rename over", [&](Json&) { return second_->rename(newer, path()); });
    if (!well) {
      recorder_.take("clean up new file", [&](Json&) { return second_->remove(newer); });
      return false;
    }
    return recorder_.take("renamed read", [&](Json& entry) { return read_by_second(entry); });
  }
  int read_by_second(Json& entry) {
    std::string content;
    const int trouble = second_->read(path(), content);
    if (trouble == 0) entry["sha256"] = sha256(content);
    return trouble;
  }
  // Many small files: all are listed, and no others of their name; then all are gone.
  void live_as_many() {
    const auto common = name_ + "-";
    const auto path_of = [&](std::size_t i) { return fmt::format("{}/{}{}", folder_, common, i); };
    std::size_t made = 0;
    const bool well = recorder_.take("write many", [&](Json& entry) {
      int trouble = 0;
      while (made < parameters_.files && (trouble = session_.write(path_of(made), "x")) == 0) ++made;
      entry["files"] = made;
      return trouble;
    });
    if (well) recorder_.take("list many", [&](Json& entry) { return count(common, entry["files"]); });
    recorder_.take("delete many", [&](Json& entry) {
      int trouble = 0;
      for (std::size_t i = 0; i < made; ++i) {
        const int failed = session_.remove(path_of(i));
        if (trouble == 0) trouble = failed;
      }
      entry["files"] = made;
      return trouble;
    });
    if (well) recorder_.take("list none", [&](Json& entry) { return count(common, entry["files"]); });
  }
  int count(const std::string& common, Json& found) {
    std::vector<std::string> names;
    const int trouble = session_.list(folder_, names);
    found = std::ranges::count_if(names, [&](const std::string& name) { return name.starts_with(common); });
    return trouble;
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
  // Well is when that goes wrong.
  void look_again() {
    if (!parameters_.does("delete")) return;
    recorder_.take("gone", [&](Json&) {
      std::string content;
      return session_.read(path(), content);
    });
    if (parameters_.locks) take_list(recorder_, *second_, "list after", folder_);
  }

  const Parameters& parameters_;
  StepRecorder& recorder_;
  Session& session_;
  const AnotherSession& another_;
  std::string folder_;
  std::string name_;
  std::string content_;
  std::string newer_content_;
  std::optional<Session> second_;
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

Trouble judge_case(const Parameters& parameters, const Observation& observation) {
  if (parameters.names.empty()) return std::nullopt;
  const auto* entry = find_step(observation, "other case");
  const auto expected = fmt::format("names are looked up case-{}", parameters.names);
  if (entry == nullptr || !entry->contains("errno"))
    return failed("other-case-not-reached", expected, "its name in capitals was not asked for");
  const int trouble = entry->at("errno").get<int>();
  if (trouble != 0 && trouble != ENOENT) return failed("other-case-failed", expected, describe_step(*entry));
  if (trouble == 0 && parameters.names == "sensitive")
    return failed("case-ignored", expected, "the file is found by its name in capitals");
  if (trouble == ENOENT && parameters.names == "insensitive")
    return failed("case-matters", expected, "the file is not found by its name in capitals");
  if (trouble == 0 && entry->at("sha256") != find_step(observation, "write")->at("sha256"))
    return failed("content-differs", expected, "by its name in capitals another file is found");
  return std::nullopt;
}

// How the library flattens SHARING_VIOLATION and DELETE_PENDING of a server that minds who has a file open.
bool is_in_use(int saved_errno) { return saved_errno == EBUSY || saved_errno == EACCES || saved_errno == ETXTBSY; }

Trouble judge_together(const Parameters& parameters, const Observation& observation) {
  if (!parameters.together) return std::nullopt;
  for (const char* step : {"second list", "open", "second read"}) {
    if (auto trouble = judge_success(observation, step)) return trouble;
  }
  if (find_step(observation, "second read")->at("sha256") != find_step(observation, "write")->at("sha256"))
    return failed("content-differs", "a second session reads what the first one wrote", "it reads something else");
  const auto* entry = find_step(observation, "second delete");
  const auto expected = "second delete: refused while the first session has the file open";
  if (entry == nullptr || !entry->contains("errno"))
    return failed("no-answer", expected, entry == nullptr ? "not reached" : describe_step(*entry));
  const int trouble = entry->at("errno").get<int>();
  if (trouble == 0) return failed("open-file-deleted", expected, describe_step(*entry));
  if (!is_in_use(trouble)) return failed("refused-for-another-reason", expected, describe_step(*entry));
  return judge_success(observation, "close");
}

// Which name the file had in the end.
std::string last_name(const Observation& observation) {
  const auto* renamed = find_step(observation, "rename");
  return (renamed != nullptr ? renamed : find_step(observation, "write"))->value("name", "");
}

Trouble judge_refused_while_open(const Observation& observation, const std::string& step, const char* done) {
  const auto expected = step + ": refused while the first session keeps others from writing";
  const auto* entry = find_step(observation, step);
  if (entry == nullptr || !entry->contains("errno"))
    return failed("no-answer", expected, entry == nullptr ? "not reached" : describe_step(*entry));
  const int trouble = entry->at("errno").get<int>();
  if (trouble == 0) return failed(done, expected, describe_step(*entry));
  // What a rename is told is that the file is there: it could not be taken away.
  if (!is_in_use(trouble) && trouble != EEXIST)
    return failed("refused-for-another-reason", expected, describe_step(*entry));
  return std::nullopt;
}

Trouble judge_same(const Observation& observation, const std::string& read, const std::string& written,
                   const char* says) {
  if (auto trouble = judge_success(observation, read)) return trouble;
  const auto wanted = find_step(observation, written)->value("sha256", "");
  const auto seen = find_step(observation, read)->value("sha256", "");
  if (seen == wanted) return std::nullopt;
  return failed("content-differs", fmt::format("{}: sha256 {}", says, wanted), "sha256 " + seen);
}

Trouble judge_locks(const Parameters& parameters, const Observation& observation) {
  if (!parameters.locks) return std::nullopt;
  for (const char* step : {"second list", "lock"}) {
    if (auto trouble = judge_success(observation, step)) return trouble;
  }
  if (auto trouble = judge_same(observation, "locked read", "write", "what is locked for writing can be read"))
    return trouble;
  if (auto trouble = judge_refused_while_open(observation, "locked write", "lock-ignored")) return trouble;
  if (auto trouble = judge_success(observation, "new file")) return trouble;
  if (auto trouble = judge_refused_while_open(observation, "locked rename over", "open-file-replaced")) return trouble;
  if (auto trouble = judge_success(observation, "unlock")) return trouble;
  if (auto trouble = judge_same(observation, "unlocked read", "write", "what was refused has changed nothing"))
    return trouble;
  for (const char* step : {"unlocked write", "unlocked rename over"}) {
    if (auto trouble = judge_success(observation, step)) return trouble;
  }
  return judge_same(observation, "renamed read", "new file", "the file that was renamed over it");
}

// No session lists what was deleted.
Trouble judge_list_after(const Parameters& parameters, const Observation& observation) {
  if (!parameters.locks || !parameters.does("delete")) return std::nullopt;
  if (auto trouble = judge_success(observation, "list after")) return trouble;
  const auto name = last_name(observation);
  for (const auto& listed : find_step(observation, "list after")->at("names")) {
    if (listed == name) return failed("deleted-file-remains", name + " is not listed any more", "it is");
  }
  return std::nullopt;
}

Trouble judge_many(const Parameters& parameters, const Observation& observation) {
  if (parameters.files == 0) return std::nullopt;
  const auto listed = [&](const char* step, std::size_t wanted, const char* reason) -> Trouble {
    if (auto trouble = judge_success(observation, step)) return trouble;
    const auto count = find_step(observation, step)->at("files").get<std::size_t>();
    if (count == wanted) return std::nullopt;
    return failed(reason, fmt::format("{} files in the listing", wanted), fmt::format("{}", count));
  };
  if (auto trouble = judge_success(observation, "write many")) return trouble;
  if (auto trouble = listed("list many", parameters.files, "files-not-listed")) return trouble;
  if (auto trouble = judge_success(observation, "delete many")) return trouble;
  return listed("list none", 0, "deleted-file-remains");
}

Trouble judge_steps(const Parameters& parameters, const Observation& observation) {
  if (auto trouble = judge_success(observation, "connect")) return trouble;
  if (parameters.account.kerberos) {
    for (const char* step : {"controller", "ticket"}) {
      if (auto trouble = judge_success(observation, step)) return trouble;
    }
  }
  if (parameters.account.netbios) {
    if (auto trouble = judge_success(observation, "netbios session")) return trouble;
  }
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
    if (operation == std::string("rename")) {
      if (auto trouble = judge_together(parameters, observation)) return trouble;
      if (auto trouble = judge_locks(parameters, observation)) return trouble;
    }
    if (!parameters.does(operation)) continue;
    if (auto trouble = judge_success(observation, operation)) return trouble;
    if (operation == std::string("read")) {
      if (auto trouble = judge_content(observation)) return trouble;
    }
  }
  if (parameters.does("delete")) {
    if (auto trouble = judge_gone(observation)) return trouble;
    if (auto trouble = judge_list_after(parameters, observation)) return trouble;
  }
  if (auto trouble = judge_case(parameters, observation)) return trouble;
  return judge_many(parameters, observation);
}

class Access final : public CheckWith<Parameters>, public NamesTarget {
 public:
  [[nodiscard]] std::string kind() const override { return "smb.access"; }
  [[nodiscard]] std::map<std::string, std::string> names(const Json& parameters,
                                                         const std::string& address) const override {
    if (parameters.value("login", "") != "kerberos") return {};
    return {{parameters.value("server", ""), address}};
  }

 protected:
  Parameters read(JsonReader& reader) const override { return read_parameters(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& parameters,
                                                 Milliseconds deadline) const override {
    const auto steps = [parameters](StepRecorder& recorder, Session& session, const AnotherSession& another) {
      if (parameters.does("list") && !take_list(recorder, session, "list", parameters.folder_path())) return;
      if (!take_known_files(recorder, session, parameters.account.share, parameters.known_files)) return;
      if (parameters.does("write")) FileLife(parameters, recorder, session, another).live();
    };
    return observe_steps_of_two(target, parameters.account, deadline, steps);
  }

  [[nodiscard]] Judgement judge_with(const Parameters& parameters, const Observation& observation) const override {
    if (auto trouble = judge_steps(parameters, observation)) return *trouble;
    const auto done = fmt::format("{} uses '{}'", parameters.account.user, parameters.account.share);
    return {Outcome::pass, "as-expected", done, done};
  }

  [[nodiscard]] Result<void> expect(const Parameters& parameters, Observation& observation, Json& json) const override {
    const auto* entry = find_step(observation, "other case");
    if (parameters.names.empty() || entry == nullptr || !entry->contains("errno")) return {};
    const int trouble = entry->at("errno").get<int>();
    if (trouble == 0) json["names"] = "insensitive";
    if (trouble == ENOENT) json["names"] = "sensitive";
    return {};
  }
};

}  // namespace

const Check& access() {
  static const Access instance;
  return instance;
}

}  // namespace patchlab::checks::smb
