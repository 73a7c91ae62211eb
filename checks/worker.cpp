// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/worker.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <exception>

#include "checks/names_target.hpp"
#include "checks/program.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/pipe.hpp"
#include "lab/process/confinement.hpp"

namespace patchlab::checks {
namespace {

Result<std::string> read_all(int file) {
  std::string text;
  std::array<char, 65536> block{};
  while (true) {
    const auto count = ::read(file, block.data(), block.size());
    if (count == 0) return text;
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("reading the check request", errno);
    text.append(block.data(), static_cast<std::size_t>(count));
  }
}

// Protocol libraries obey dozens of variables (http_proxy, PGHOST, CUPS_SERVER, KRB5_CONFIG ...) of whoever started
// patchlab. Only these survive, so that a check depends on nothing but its request.
void forget_environment() {
  std::vector<std::pair<std::string, std::string>> kept;
  for (const char* name :
       {"PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) kept.emplace_back(name, value);
  }
  ::clearenv();
  for (const auto& [name, value] : kept) ::setenv(name.c_str(), value.c_str(), 1);
  ::setenv("LC_ALL", "C.UTF-8", 1);
  ::setenv("TZ", "UTC", 1);
}

void prepare_process() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a worker never outlives who asked
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(SIGPIPE, SIG_IGN);
  forget_environment();
}

Result<const Check*> check_of(const Json& request, const FindCheck& find) {
  const auto kind = request.at("kind").get<std::string>();
  const auto* check = find(kind);
  if (check == nullptr) return configuration_error(fmt::format("unknown kind of check '{}'", kind));
  return check;
}

// The bytes that were digested when the scenario was read, and no others.
Result<std::optional<process::BroughtProgram>> program_of(const Json& request) {
  if (!request.contains("program")) return std::optional<process::BroughtProgram>();
  PATCHLAB_ASSIGN(auto program, check_program_from(request.at("program")));
  return std::optional(
      process::BroughtProgram{std::move(program.name), std::move(program.bytes), std::move(program.found_at)});
}

Result<Observation> observe(const Json& request, const Check& check) {
  const auto& target = request.at("target");
  return check.observe(Target{target.at("address"), target.at("client_address"), target.at("interface"),
                              target.value("machine", ""), target.value("role", ""), target.value("memory", Json())},
                       request.at("parameters"), Milliseconds(request.at("deadline_ms").get<std::int64_t>()));
}

Json answer_to(const std::string& text, const FindCheck& find) {
  const auto request = parse_json(text, "check request");
  if (!request) return Json{{"error", request.error()}};
  const auto check = check_of(*request, find);
  if (!check) return Json{{"error", check.error()}};
  // From here on a guest is answered to.
  const auto program = program_of(*request);
  if (!program) return Json{{"error", program.error()}};
  const auto& parameters = request->at("parameters");
  std::vector<process::HostName> names;
  if (const auto* names_target = dynamic_cast<const NamesTarget*>(*check)) {
    for (const auto& [name, address] : names_target->names(parameters, request->at("target").at("address")))
      names.push_back({address, name});
  }
  if (const auto confined =
          process::confine((*check)->capabilities(parameters), *program ? &**program : nullptr, names);
      !confined)
    return Json{{"error", Error(confined.error()).while_doing("confining the check worker")}};
  const auto start = std::chrono::steady_clock::now();
  const auto observation = observe(*request, **check);
  const auto took = std::chrono::duration_cast<Milliseconds>(std::chrono::steady_clock::now() - start);
  if (!observation) return Json{{"error", observation.error()}};
  return Json{{"observation", *observation}, {"took_ms", took.count()}};
}

Json guarded_answer_to(const std::string& text, const FindCheck& find) {
  try {
    return answer_to(text, find);
  } catch (const std::exception& trouble) {
    return Json{{"error", Error{ErrorClass::check, fmt::format("the check threw: {}", trouble.what()), {}}}};
  }
}

}  // namespace

Json worker_request(const CheckSpec& spec, const Target& target) {
  Json request{{"kind", spec.kind},
               {"parameters", spec.parameters},
               {"deadline_ms", spec.deadline.count()},
               {"target",
                {{"address", target.address},
                 {"client_address", target.client_address},
                 {"interface", target.interface},
                 {"machine", target.machine},
                 {"role", target.role}}}};
  if (!target.memory.is_null()) request["target"]["memory"] = target.memory;
  if (spec.program) request["program"] = check_program_json(*spec.program);
  return request;
}

std::filesystem::path check_worker_of(const std::filesystem::path& patchlab) {
  constexpr const char* name = "patchlab-check-worker";
  std::error_code code;
  const auto folder = std::filesystem::canonical(patchlab, code).parent_path();
  if (code) return patchlab;
  for (const auto& place : {folder / name, folder.parent_path() / "libexec" / "patchlab" / name}) {
    if (is_file(place) && ::access(place.c_str(), X_OK) == 0) return place;
  }
  return patchlab;
}

int check_worker_main(const FindCheck& find) {
  prepare_process();
  // Libraries print to standard output when they feel like it: that goes to standard error, the answer to a private
  // copy.
  const FileDescriptor answers(::dup(STDOUT_FILENO));
  if (!answers.valid() || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return 70;
  const auto text = read_all(STDIN_FILENO);
  const Json answer = text ? guarded_answer_to(*text, find) : Json{{"error", text.error()}};
  const auto line = answer.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  const int code = write_all(answers.get(), line) ? 0 : 74;
  ::_exit(
      code);  // not a return: a hung library's thread (see unfinished.hpp) must not meet destructors of static objects
}

}  // namespace patchlab::checks
