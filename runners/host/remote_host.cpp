// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/remote_host.hpp"

#include <fmt/format.h>

#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <sstream>

#include "lab/core/base64.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/shell_words.hpp"
#include "lab/facts/facts.hpp"
#include "runners/host/workplace.hpp"
#include "runners/talk/conversation.hpp"

namespace patchlab::runners::host {
namespace {

namespace fs = std::filesystem;
using lab::libvirt::SshDestination;

constexpr std::size_t piece_size = 1U << 20U;      // bytes of a medium that travel at a time
constexpr std::chrono::minutes piece_patience{2};  // 12 kB/s
constexpr std::chrono::seconds patience{20};

// Answers come from another host: what is not as agreed is its error, not ours.
template <class Read>
auto understood(const std::string& who, const Read& read) -> Result<decltype(read())> {
  try {
    return read();
  } catch (const Json::exception& trouble) {
    return infrastructure_error(fmt::format("{} gave an answer that is none: {}", who, trouble.what()));
  }
}

std::string last_line(const std::string& text) {
  std::string last;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.find_first_not_of(" \t\r") != std::string::npos) last = line.substr(0, line.find_last_not_of("\r ") + 1);
  }
  return last.empty() ? "it said nothing" : last;
}

// The connection to a host agent. Shared by everything that needs it, and so by the cells on that host.
class Connection {
 public:
  Connection(const SshDestination& destination, ChildProcess child)
      : who_("patchlab on '" + destination.name() + "'"),
        conversation_(std::move(child),
                      {who_, "the connection by ssh has ended, and with it the hold on the golden domains' disks"},
                      [](const Json&) {}) {}
  ~Connection() { (void)conversation_.end(patience); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] const std::string& who() const { return who_; }
  Result<Json> call(const Json& request) { return conversation_.call(request, piece_patience); }
  // An agent that answers has held the disks until now.
  Result<void> still_held() {
    PATCHLAB_TRY(call({{"op", "alive"}}));
    return {};
  }

  // A file of ours, there: sent once, in pieces, its digest compared there.
  Result<fs::path> bring(const fs::path& file, const std::atomic<bool>& give_up) {
    const std::lock_guard one_at_a_time(files_);
    if (const auto known = there_.find(file); known != there_.end()) return known->second;
    PATCHLAB_ASSIGN(const auto sha256, sha256_of_file(file));
    std::ifstream bytes(file, std::ios::binary);
    std::string piece(piece_size, '\0');
    for (bool first = true;; first = false) {
      if (give_up) return Error{ErrorClass::cancelled, fmt::format("cancelled while sending '{}'", file.string()), {}};
      bytes.read(piece.data(), static_cast<std::streamsize>(piece.size()));
      if (bytes.bad()) return infrastructure_error(fmt::format("reading '{}' failed", file.string()));
      const bool last = bytes.eof();
      const auto text = patchlab::base64(std::string_view(piece).substr(0, static_cast<std::size_t>(bytes.gcount())));
      PATCHLAB_ASSIGN(const auto answer,
                      call({{"op", "medium"}, {"sha256", sha256}, {"first", first}, {"last", last}, {"bytes", text}})
                          .while_doing(fmt::format("sending '{}' to {}", file.string(), who_)));
      if (!last) continue;
      PATCHLAB_ASSIGN(const auto path, understood(who_, [&] { return answer.at("path").get<std::string>(); }));
      there_[file] = path;
      return fs::path(path);
    }
  }

  // What a cell has saved in `folder` of its evidence, below `to`.
  Result<void> fetch(const std::string& cell, const std::string& folder, const fs::path& to) {
    PATCHLAB_ASSIGN(const auto list, call({{"op", "files"}, {"cell", cell}, {"folder", folder}}));
    PATCHLAB_ASSIGN(const auto names, understood(who_, [&] { return list.get<std::vector<std::string>>(); }));
    for (const auto& name : names) {
      if (!stays_below(name))
        return infrastructure_error(fmt::format("{} has evidence of a name that is none: '{}'", who_, name));
      PATCHLAB_ASSIGN(const auto answer, call({{"op", "file"}, {"cell", cell}, {"folder", folder}, {"name", name}}));
      PATCHLAB_ASSIGN(const auto text, understood(who_, [&] { return answer.get<std::string>(); }));
      const auto bytes = patchlab::from_base64(text);
      if (!bytes) return infrastructure_error(fmt::format("{} sent '{}' garbled", who_, name));
      PATCHLAB_TRY(create_folders((to / name).parent_path()));
      PATCHLAB_TRY(write_file_atomically(to / name, *bytes));
    }
    return {};
  }

 private:
  const std::string who_;
  std::mutex files_;
  std::map<fs::path, fs::path> there_;  // what was sent: where it is here and there
  talk::Conversation conversation_;
};

// A cell there: files travel before and after a trial, and a trial counts only when the golden disks were held until
// its end.
class RemoteCell final : public cell::CellClient {
 public:
  RemoteCell(std::shared_ptr<Connection> connection, std::unique_ptr<cell::CellClient> inner, std::string department,
             fs::path evidence)
      : connection_(std::move(connection)),
        inner_(std::move(inner)),
        department_(std::move(department)),
        evidence_(std::move(evidence)) {}

  Result<reports::TrialRecord> prepare(const cell::CellJob& job) override {
    auto trial =
        finished(inner_->prepare(job), ++baselines_ == 1 ? "baseline" : fmt::format("baseline-{}", baselines_));
    if (trial && job.facts) bring_facts(job);
    return trial;
  }
  Result<reports::TrialRecord> run_trial(const cell::TrialJob& job) override {
    auto there = job;
    for (auto& [machine, medium] : there.media) {
      PATCHLAB_ASSIGN(medium, connection_->bring(medium, closed_));
    }
    return finished(inner_->run_trial(there), job.id.substr(job.id.find('/') + 1));
  }
  Result<cell::LearntMachines> learn(const cell::CellJob& job, const cell::LearnJob& wanted) override {
    PATCHLAB_ASSIGN(auto learnt, inner_->learn(job, wanted));
    PATCHLAB_TRY(connection_->still_held());
    return learnt;
  }
  Result<cell::GuestReplies> record(const cell::CellJob& job) override {
    PATCHLAB_ASSIGN(auto replies, inner_->record(job));
    PATCHLAB_TRY(connection_->still_held());
    return replies;
  }
  Result<void> probe_fence(const std::string& phase) override { return inner_->probe_fence(phase); }
  void close() override {
    closed_ = true;
    inner_->close();
  }

 private:
  // They decide nothing: where they do not come here, it is said why nobody knows them.
  void bring_facts(const cell::CellJob& job) {
    const auto folder = evidence_ / lab::facts::evidence_folder;
    const auto fetched = connection_->fetch(department_, lab::facts::evidence_folder, folder);
    if (fetched || !create_folders(folder)) return;
    for (const auto& machine : job.machines)
      static_cast<void>(write_file_atomically(folder / (machine.plan.name + ".txt"), fetched.error().message + "\n"));
  }
  // `name` is the trial's in this department. What the record says is another host's word, and no place for files here.
  Result<reports::TrialRecord> finished(Result<reports::TrialRecord> trial, const std::string& name) {
    if (!trial) return trial;
    if (!trial->evidence_folder.empty()) {
      trial->evidence_folder = fmt::format("evidence/{}/{}", department_, name);
      const auto folder = evidence_ / name;
      if (auto fetched = connection_->fetch(department_, name, folder); !fetched) {
        static_cast<void>(create_folders(folder));
        static_cast<void>(write_file_atomically(folder / "evidence-missing.txt", fetched.error().message + "\n"));
      }
    }
    PATCHLAB_TRY(connection_->still_held());
    return trial;
  }

  std::shared_ptr<Connection> connection_;
  std::unique_ptr<cell::CellClient> inner_;
  const std::string department_;
  const fs::path evidence_;  // here
  std::atomic<bool> closed_ = false;
  int baselines_ = 0;
};

class RemoteHost final : public LibvirtHost {
 public:
  RemoteHost(const SshDestination& destination, ChildProcess child)
      : destination_(destination), connection_(std::make_shared<Connection>(destination, std::move(child))) {}

  Result<DomainFacts> look(const std::string& domain) override {
    PATCHLAB_ASSIGN(const auto answer, call({{"op", "look"}, {"uri", destination_.uri}, {"domain", domain}}));
    return understood(connection_->who(), [&] { return domain_facts_from_json(answer); });
  }
  Result<std::string> digest_of(const std::string& domain) override {
    PATCHLAB_ASSIGN(const auto answer, call({{"op", "digest"}, {"uri", destination_.uri}, {"domain", domain}}));
    return understood(connection_->who(), [&] { return answer.get<std::string>(); });
  }
  Result<std::vector<std::string>> leftovers(const fs::path& storage) override {
    PATCHLAB_ASSIGN(const auto answer,
                    call({{"op", "leftovers"}, {"uri", destination_.uri}, {"storage", storage.string()}}));
    return understood(connection_->who(), [&] { return answer.get<std::vector<std::string>>(); });
  }

  Result<std::unique_ptr<cell::CellClient>> start_cell(const std::string& run, cell::CellStart start,
                                                       cell::CellJob& job, cell::OnEvent on_event) override {
    const auto before = system_clock_source().now();
    PATCHLAB_ASSIGN(const auto answer, call({{"op", "begin"}, {"run", run}, {"cell", start.department}}));
    PATCHLAB_ASSIGN(const auto place, understood(connection_->who(), [&] { return workplace_from_json(answer); }));
    // Its clock was read half-way between question and answer.
    const auto ahead = place.now - (before + system_clock_source().now()) / 2;
    start.there = destination_;
    start.program = job.worker_program = place.program;
    start.root = place.root;
    const auto evidence = std::exchange(job.evidence, place.evidence);
    job.slots = place.slots;
    job.slot_count = place.slot_count;
    job.host = place.facts;
    job.libvirt->uri = destination_.uri;
    cell::let_see(start, job, place.media);
    PATCHLAB_ASSIGN(auto inner, cell::start_cell(start, on_our_clock(std::move(on_event), ahead)));
    return std::unique_ptr<cell::CellClient>(
        std::make_unique<RemoteCell>(connection_, std::move(inner), start.department, evidence));
  }

  [[nodiscard]] std::string name() const override { return destination_.name(); }

 private:
  Result<Json> call(const Json& request) {
    return connection_->call(request).while_doing("on '" + destination_.name() + "'");
  }

  // Timings are on the monotonic clock of the host of the cell.
  static cell::OnEvent on_our_clock(cell::OnEvent on_event, Milliseconds ahead) {
    return [on_event = std::move(on_event), ahead](const std::string& department, const Json& event) {
      auto ours = event;
      if (ours.contains("start_ms") && ours["start_ms"].is_number_integer())
        ours["start_ms"] = ours["start_ms"].get<std::int64_t>() - ahead.count();
      on_event(department, ours);
    };
  }

  const SshDestination destination_;
  std::shared_ptr<Connection> connection_;
};

std::string to_try(const SshDestination& destination, const std::vector<std::string>& command) {
  auto spec = lab::libvirt::ssh_process(destination, command);
  spec.arguments.insert(spec.arguments.begin(), spec.program);
  return shell_words(spec.arguments);
}

Error not_reached(const SshDestination& destination, const std::string& errors) {
  const auto why = last_line(errors);
  const auto hint = "try it: " + to_try(destination, {"true"});
  if (errors.find("Permission denied") != std::string::npos) {
    return configuration_error(
        fmt::format("ssh cannot log in to '{}' without a question: {}", destination.name(), why),
        "let a key of this user in there, and name its file in the URI (?keyfile=/path) if ssh does not find it; " +
            hint);
  }
  if (errors.find("Host key verification failed") != std::string::npos) {
    return configuration_error(
        fmt::format("ssh does not know '{}' by the key that it shows: {}", destination.name(), why),
        fmt::format("compare the host's key (ssh-keyscan) with the one that its owner tells, put it into known_hosts, "
                    "and name the file in the URI (?known_hosts=/path) if it is not yours; {}",
                    hint));
  }
  return infrastructure_error(fmt::format("ssh cannot reach '{}': {}", destination.name(), why), hint);
}

}  // namespace

Result<void> check_patchlab_there(const SshDestination& destination, ProcessRunner& runner) {
  auto spec = lab::libvirt::ssh_process(destination, {"patchlab", "--version"});
  spec.time_limit = std::chrono::minutes(1);
  const auto outcome = runner.run(spec);
  const auto* exited = std::get_if<Exited>(&outcome.end);
  const auto where = destination.name();
  const auto install = fmt::format(
      "install patchlab {} there, where 'patchlab --version' by ssh finds it, such as "
      "/usr/local/bin; try it: {}",
      PATCHLAB_VERSION, to_try(destination, {"patchlab", "--version"}));
  if (std::holds_alternative<NotStarted>(outcome.end))
    return infrastructure_error("'ssh': " + outcome.describe(), "install openssh-client here");
  if (exited != nullptr && exited->code == 255) return not_reached(destination, outcome.errors);
  if (exited != nullptr && exited->code == 127)
    return configuration_error(fmt::format("there is no patchlab on '{}': {}", where, last_line(outcome.errors)),
                               install);
  if (!outcome.succeeded()) {
    return infrastructure_error(
        fmt::format("'patchlab --version' on '{}': {}: {}", where, outcome.describe(), last_line(outcome.errors)),
        install);
  }
  std::string theirs;
  std::istringstream lines(outcome.output);  // a start-up file of the shell there may have printed something as well
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("patchlab ")) theirs = line.substr(9);
  }
  if (theirs == PATCHLAB_VERSION) return {};
  return configuration_error(fmt::format("patchlab on '{}' is version '{}', and this one is '{}': they would "
                                         "misunderstand each other",
                                         where, theirs.empty() ? "unknown" : theirs, PATCHLAB_VERSION),
                             install);
}

Result<ProcessOutcome> run_patchlab_there(const SshDestination& destination, const std::vector<std::string>& arguments,
                                          ProcessRunner& runner) {
  PATCHLAB_TRY(check_patchlab_there(destination, runner));
  auto command = arguments;
  command.insert(command.begin(), "patchlab");
  auto spec = lab::libvirt::ssh_process(destination, command);
  spec.time_limit = std::chrono::hours(1);
  auto outcome = runner.run(spec);
  const auto* exited = std::get_if<Exited>(&outcome.end);
  if (exited == nullptr || exited->code == 255) return not_reached(destination, outcome.errors);
  return outcome;
}

std::shared_ptr<LibvirtHost> remote_host(const SshDestination& destination, ChildProcess child) {
  return std::make_shared<RemoteHost>(destination, std::move(child));
}

Result<std::shared_ptr<LibvirtHost>> host_of_libvirt(const std::string& uri, ProcessRunner& runner) {
  PATCHLAB_ASSIGN(const auto destination, lab::libvirt::ssh_destination(uri));
  if (!destination) return local_host(uri, runner);
  PATCHLAB_TRY(check_patchlab_there(*destination, runner));
  PATCHLAB_ASSIGN(auto child, ChildProcess::start(lab::libvirt::ssh_process(*destination, {"patchlab", "host-agent"})));
  return remote_host(*destination, std::move(child));
}

}  // namespace patchlab::runners::host
