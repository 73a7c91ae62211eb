// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/host_agent.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>

#include "lab/core/base64.hpp"
#include "lab/core/digest.hpp"
#include "lab/network/host_facts.hpp"
#include "runners/host/workplace.hpp"
#include "runners/talk/reply.hpp"

namespace patchlab::runners::host {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t largest_evidence = 32U << 20U;  // bytes; base64 makes a line of it

Error misunderstood(const std::string& what) {
  return {ErrorClass::bug, "the host agent was asked for what it does not know: " + what, {}};
}

}  // namespace

HostAgent::HostAgent(std::string program, ProcessRunner& runner) : program_(std::move(program)), runner_(runner) {}

Json HostAgent::answer(const Json& request) {
  const auto id = request.contains("id") ? request["id"] : Json(0);
  auto result = [&]() -> Result<Json> {
    try {
      return carry_out(request);
    } catch (const std::exception& bug) {
      return misunderstood(bug.what());
    }
  }();
  if (!result) return {{"id", id}, {"error", result.error()}};
  return {{"id", id}, {"result", *result}};
}

Result<Json> HostAgent::carry_out(const Json& request) {
  const std::string op = request.at("op");
  if (op == "alive") return Json::object();
  if (op == "look") {
    PATCHLAB_ASSIGN(const auto facts, host_of(request.at("uri")).look(request.at("domain")));
    return Json(facts);
  }
  if (op == "digest") {
    PATCHLAB_ASSIGN(const auto digest, host_of(request.at("uri")).digest_of(request.at("domain")));
    return Json(digest);
  }
  if (op == "leftovers") {
    PATCHLAB_ASSIGN(const auto names, host_of(request.at("uri")).leftovers(request.at("storage").get<std::string>()));
    return Json(names);
  }
  return move_files(op, request);
}

Result<Json> HostAgent::move_files(const std::string& op, const Json& request) {
  const std::lock_guard lock(files_);
  if (given_up_) return Error{ErrorClass::cancelled, "the host agent ends", {}};
  if (op == "begin") return begin(request.at("run"), request.at("cell"));
  if (op == "medium") return take_piece(request);
  if (op == "files") return list_files(request);
  if (op == "file") return read_one(request);
  return misunderstood("'" + op + "'");
}

void HostAgent::give_up() {
  const std::lock_guard lock(files_);
  given_up_ = true;
  scratch_.reset();
}

LibvirtHost& HostAgent::host_of(const std::string& uri) {
  auto& host = hosts_[uri];
  if (!host) host = local_host(uri, runner_);
  return *host;
}

Result<Json> HostAgent::begin(const std::string& run, const std::string& cell) {
  if (!stays_below(run) || !stays_below(cell)) return misunderstood("a name");
  if (!scratch_) {
    // A run may come to this host by several names, and from this host itself.
    PATCHLAB_ASSIGN(auto scratch, Scratch::create(fmt::format("{}-{}", run, ::getpid())));
    scratch_.emplace(std::move(scratch));
  }
  Workplace place;
  place.program = program_;
  place.root = scratch_->path() / ("cell-" + cell);
  place.evidence = scratch_->path() / "evidence" / cell;
  place.media = scratch_->path() / "media";
  place.slots = scratch_->slots();
  place.slot_count = Scratch::slot_count();
  place.facts = lab::network::collect_host_facts();
  place.now = system_clock_source().now();
  for (const auto& folder : {place.root, place.evidence, place.media}) PATCHLAB_TRY(create_folders(folder));
  return Json(place);
}

Result<Json> HostAgent::take_piece(const Json& request) {
  const std::string sha256 = request.at("sha256");
  const auto bytes = patchlab::from_base64(request.at("bytes").get_ref<const std::string&>());
  if (!is_sha256(sha256) || !bytes || !scratch_) return misunderstood("a piece of a medium");
  const auto path = scratch_->path() / "media" / (sha256 + ".iso");
  const auto half = path.string() + ".part";
  std::ofstream file(half, std::ios::binary | (request.at("first").get<bool>() ? std::ios::trunc : std::ios::app));
  file << *bytes << std::flush;
  if (!file) return infrastructure_error(fmt::format("writing '{}' failed", half), "is the disk of its cache full?");
  if (!request.at("last").get<bool>()) return Json::object();
  file.close();
  PATCHLAB_ASSIGN(const auto found, sha256_of_file(half));
  if (found != sha256) {
    return infrastructure_error(
        fmt::format("'{}' has the digest {} there, and {} where it was sent", half, found, sha256));
  }
  std::error_code code;
  fs::rename(half, path, code);
  if (code) return infrastructure_error(fmt::format("renaming '{}': {}", half, code.message()));
  return Json{{"path", path.string()}};
}

Result<fs::path> HostAgent::evidence_folder(const Json& request) const {
  const fs::path cell = request.at("cell").get<std::string>();
  const fs::path folder = request.at("folder").get<std::string>();
  if (!scratch_ || !stays_below(cell) || !stays_below(folder)) return misunderstood("a folder of evidence");
  return scratch_->path() / "evidence" / cell / folder;
}

Result<Json> HostAgent::list_files(const Json& request) const {
  PATCHLAB_ASSIGN(const auto folder, evidence_folder(request));
  std::vector<std::string> names;
  std::error_code code;
  for (auto entry = fs::recursive_directory_iterator(folder, code); !code && entry != fs::end(entry);
       entry.increment(code)) {
    if (entry->is_regular_file(code)) names.push_back(entry->path().lexically_relative(folder));
  }
  if (code) return infrastructure_error(fmt::format("listing '{}': {}", folder.string(), code.message()));
  std::ranges::sort(names);
  return Json(names);
}

Result<Json> HostAgent::read_one(const Json& request) const {
  PATCHLAB_ASSIGN(const auto folder, evidence_folder(request));
  const fs::path name = request.at("name").get<std::string>();
  if (!stays_below(name)) return misunderstood("a file of evidence");
  PATCHLAB_ASSIGN(const auto bytes, read_file(folder / name, largest_evidence));
  return Json(patchlab::base64(bytes));
}

int host_agent_main(const std::string& program) {
  for (const int not_for_us : {SIGINT, SIGPIPE, SIGHUP, SIGQUIT}) std::signal(not_for_us, SIG_IGN);
  talk::Reply reply;
  HostAgent agent(program, host_processes());
  std::mutex mutex;
  std::condition_variable_any more;
  std::deque<Json> requests;
  // Not in the reading thread: the end of standard input must be seen while disks are read.
  std::jthread worker([&](const std::stop_token& stop) {
    for (;;) {
      std::unique_lock lock(mutex);
      if (!more.wait(lock, stop, [&] { return !requests.empty(); })) return;
      const auto request = std::move(requests.front());
      requests.pop_front();
      lock.unlock();
      reply.send(agent.answer(request));
    }
  });
  std::string line;
  while (std::getline(std::cin, line)) {
    auto request = json_in(line);
    if (!request.is_object()) continue;
    const std::lock_guard lock(mutex);
    requests.push_back(std::move(request));
    more.notify_one();
  }
  agent.give_up();
  ::_exit(0);
}

}  // namespace patchlab::runners::host
