// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Started by golden_domain_test.cpp through with-system-libvirt. Usage: remote_domain_inside FOLDER
//
// The other host is a mount namespace with an sshd in it, beside the libvirt and the disks. There the cache, the
// scenario and the run's folder are not to be seen; here it is the libvirt's socket and the disks.
#include <gmock/gmock.h>

#include <csignal>

#include "golden_domain.hpp"
#include "reports/record/queries.hpp"

namespace patchlab::e2e {
namespace {

using lab::libvirt::lab_folder;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

void run_fine(const std::string& program, const std::vector<std::string>& arguments) {
  ProcessSpec spec;
  spec.program = program;
  spec.arguments = arguments;
  const auto outcome = host_processes().run(spec);
  ASSERT_TRUE(outcome.succeeded()) << program << ": " << outcome.describe() << ": " << outcome.errors;
}

class RemoteDomain : public GoldenDomain {
 protected:
  void SetUp() override {
    GoldenDomain::SetUp();
    if (HasFatalFailure()) return;
    fs::create_directories(etc_);
    fs::create_directories("/run/sshd");  // sshd wants it, and Debian's service would make it
    for (const auto& key : {etc_ / "host", work_.path() / "key", work_.path() / "other"})
      run_fine("ssh-keygen", {"-q", "-t", "ed25519", "-N", "", "-f", key});
    fs::rename(work_.path() / "key.pub", etc_ / "authorized_keys");
    work_.write("known", "[127.0.0.1]:2222 " + read_file(etc_ / "host.pub").value());
    work_.write("unknown", "[127.0.0.1]:2222 " + read_file(work_.path() / "other.pub").value());
    set_program(PATCHLAB_PROGRAM);
    start_sshd();
    auto scenario = read_json_file(work_.path() / "domains.json").value();
    scenario["roles"]["dns"]["golden"]["libvirt"] = uri();
    work_.write("domains.json", scenario.dump());
  }
  void TearDown() override {
    if (sshd_) {
      sshd_->send_signal(SIGTERM);
      (void)sshd_->wait(std::chrono::seconds(10));
    }
    fs::remove_all(etc_);
    GoldenDomain::TearDown();
  }

  void start_sshd() {
    const auto config = etc_ / "config";
    ASSERT_TRUE(write_file_atomically(
        config, fmt::format("ListenAddress 127.0.0.1:2222\nHostKey {0}/host\nAuthorizedKeysFile {0}/authorized_keys\n"
                            "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n"
                            "PasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                            "SetEnv PATH={0}/bin:/usr/sbin:/usr/bin:/sbin:/bin PATCHLAB_CACHE={1}\n",
                            etc_.string(), there_.string())));
    // Without PAM, sshd lets nobody in whose password is locked; the change is in a layer of our own (/etc).
    run_fine("sed", {"-i", "s/^root:![^:]*:/root:*:/", "/etc/shadow"});
    ProcessSpec spec;
    spec.program = "unshare";
    spec.arguments = {
        "--mount",    "sh",
        "-c",         R"(mount -t tmpfs none "$1" && mount -t tmpfs none "$2" && exec /usr/sbin/sshd -D -e -f "$3")",
        "sh",         there_.parent_path(),
        work_.path(), config};
    auto started = ChildProcess::start(spec, etc_ / "sshd.log");
    ASSERT_TRUE(started) << started.error().message;
    sshd_.emplace(std::move(started).value());
    await("sshd",
          [this] { return read_file(etc_ / "sshd.log").value_or("").find("Server listening") != std::string::npos; });
    EXPECT_FALSE(fs::exists(on_the_other_host(work_.path() / "domains.json")));
    EXPECT_FALSE(fs::exists(on_the_other_host(cache_folder())));
  }

  // What `patchlab` is over there.
  void set_program(const fs::path& program) const {
    fs::create_directories(etc_ / "bin");
    fs::remove(etc_ / "bin/patchlab");
    fs::create_symlink(program, etc_ / "bin/patchlab");
  }

  [[nodiscard]] std::string uri(const std::string& key = "key", const std::string& known = "known") const {
    return fmt::format("qemu+ssh://root@127.0.0.1:2222/system?keyfile={0}/{1}&known_hosts={0}/{2}",
                       work_.path().string(), key, known);
  }
  [[nodiscard]] ProcessSpec command(const std::vector<std::string>& arguments) const override {
    auto spec = GoldenDomain::command(arguments);
    spec.arguments.insert(
        spec.arguments.begin(),
        {"--mount", "sh", "-c", R"(mount -t tmpfs none "$1" && mount -t tmpfs none /run/libvirt && shift && exec "$@")",
         "sh", lab_folder, std::exchange(spec.program, "unshare")});
    return spec;
  }
  [[nodiscard]] ProcessOutcome here(const std::vector<std::string>& arguments,
                                    Milliseconds limit = std::chrono::minutes(2)) const {
    auto spec = command(arguments);
    spec.time_limit = limit;
    return host_processes().run(spec);
  }

  [[nodiscard]] fs::path on_the_other_host(const fs::path& path) const {
    return "/proc/" + std::to_string(sshd_->pid()) + "/root" + path.string();
  }
  // Processes with this word in their command; of one program, or (empty) of any.
  static std::vector<pid_t> processes_with(const std::string& word, const std::string& program = {}) {
    std::vector<pid_t> found;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const auto name = entry.path().filename().string();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      const bool is_program = program.empty() || read_file(entry.path() / "comm").value_or("") == program + "\n";
      if (is_program && read_file(entry.path() / "cmdline").value_or("").find(word) != std::string::npos)
        found.push_back(std::stoi(name));
    }
    return found;
  }
  // The run's connection to its cell there.
  static std::vector<pid_t> connections() { return processes_with("--on-libvirt", "ssh"); }
  void expect_nothing_there() {
    expect_no_processes(there_);
    await("the host agent to be gone", [] { return processes_with("host-agent").empty(); });
    std::error_code code;
    EXPECT_TRUE(fs::is_empty(on_the_other_host(there_ / "cells"), code)) << code.message();
    EXPECT_EQ(owner_of_disk(), 0U);
    expect_no_trace();
  }

  const fs::path etc_ = lab_folder / "sshd";
  const fs::path there_ = cache_folder().parent_path() / "patchlab-there";
  std::optional<ChildProcess> sshd_;
};

TEST_F(RemoteDomain, TheMainJobIsDoneThere) {
  const auto planned = here({"run", "domains.json", "--dry-run"});
  EXPECT_EQ(exit_code(planned), 0) << planned.errors;
  EXPECT_THAT(planned.output, HasSubstr("candidate harmless-hostname: on dns"));

  const auto outcome = here({"run", "domains.json", "--runs", "runs"}, std::chrono::minutes(10));
  EXPECT_EQ(exit_code(outcome), 1) << outcome.output << outcome.errors;
  const auto record = this->record();
  ASSERT_EQ(record.departments.size(), 1U) << outcome.errors;
  expect_main_job(record);
  EXPECT_EQ(record.host.at("cell of finance"), "on 'root@127.0.0.1:2222', by ssh");
  const auto& finance = record.departments[0];
  EXPECT_THAT(planned.output, HasSubstr("golden " + finance.machines.at(0).golden_digest.substr(0, 12)));

  int with_evidence = 0;
  for (const auto& trial : finance.trials) {
    if (trial.evidence_folder.empty()) continue;
    ++with_evidence;
    const auto logs = work_.path() / "runs" / record.id / trial.evidence_folder / "dns";
    EXPECT_TRUE(fs::is_directory(logs)) << logs;
    EXPECT_FALSE(fs::exists(logs.parent_path() / "evidence-missing.txt"));
  }
  EXPECT_GE(with_evidence, 1);
  EXPECT_THAT(scratch_folders(), IsEmpty());
  expect_nothing_there();
}

TEST_F(RemoteDomain, WhatIsInTheWayIsSaidBeforeAnythingStarts) {
  const auto refused = [this](const std::string& libvirt) {
    auto scenario = read_json_file(work_.path() / "domains.json").value();
    scenario["roles"]["dns"]["golden"]["libvirt"] = libvirt;
    work_.write("refused.json", scenario.dump());
    const auto outcome = here({"validate", "refused.json"});
    EXPECT_EQ(exit_code(outcome), 78) << outcome.output;
    EXPECT_THAT(outcome.errors, HasSubstr("refused.json: /departments/finance/machines/dns/golden: "));
    return outcome.errors;
  };
  EXPECT_THAT(refused(uri("other")), AllOf(HasSubstr("ssh cannot log in to 'root@127.0.0.1:2222' without a question"),
                                           HasSubstr("Permission denied"), HasSubstr("patchlab: hint: let a key")));
  EXPECT_THAT(refused(uri("key", "unknown")), HasSubstr("ssh does not know 'root@127.0.0.1:2222' by the key"));
  fs::remove(etc_ / "bin/patchlab");
  EXPECT_THAT(refused(uri()), AllOf(HasSubstr("there is no patchlab on 'root@127.0.0.1:2222'"),
                                    HasSubstr("patchlab: hint: install patchlab " PATCHLAB_VERSION " there")));
  ASSERT_TRUE(write_file_atomically(etc_ / "bin/old", "#!/bin/sh\necho patchlab 0.0.9\n"));
  fs::permissions(etc_ / "bin/old", fs::perms::owner_all);
  set_program(etc_ / "bin/old");
  EXPECT_THAT(refused(uri()), HasSubstr("is version '0.0.9', and this one is '" PATCHLAB_VERSION "'"));
  expect_no_trace();
}

TEST_F(RemoteDomain, WhenSshDiesInATrialItIsAnErrorAndNothingIsLeftThere) {
  work_.write("domains.json", short_scenario().dump());
  auto run = start();
  await(
      "the batch", [this] { return events().find("\"purpose\":\"batch\"") != std::string::npos; },
      std::chrono::minutes(2));
  await_machine(1);
  const auto ssh = connections();
  ASSERT_EQ(ssh.size(), 1U);
  ::kill(ssh[0], SIGKILL);
  const auto end = run.wait(std::chrono::minutes(1));
  ASSERT_TRUE(std::holds_alternative<Exited>(end.end)) << end.describe();
  EXPECT_EQ(std::get<Exited>(end.end).code, 2);
  const auto record = this->record();
  for (const auto& verdict : record.departments.at(0).verdicts) EXPECT_EQ(verdict.outcome, Outcome::error);
  EXPECT_THAT(events(), HasSubstr("the cell of department 'finance' is gone"));
  EXPECT_FALSE(fs::exists(work_.path() / "production" / ".versions"));
  expect_nothing_there();
}

TEST_F(RemoteDomain, AKilledRunIsTidiedUpThere) {
  auto run = start();
  await_machine(1);
  EXPECT_EQ(connections().size(), 1U);
  run.send_signal(SIGKILL);
  (void)run.wait(std::chrono::seconds(10));
  await("the ssh of the run to be gone", [] { return connections().empty(); });
  expect_nothing_there();
}

TEST_F(RemoteDomain, WhatAKilledCellLeavesThereIsRemovedFromHere) {
  auto run = start();
  await_machine(1);
  const auto cells = keepers(there_);
  ASSERT_EQ(cells.size(), 1U);
  ::kill(cells[0], SIGKILL);
  const auto end = run.wait(std::chrono::minutes(1));
  ASSERT_TRUE(std::holds_alternative<Exited>(end.end)) << end.describe();
  EXPECT_EQ(std::get<Exited>(end.end).code, 2);
  EXPECT_EQ(qemus(), 1) << "a system libvirt's machines outlive the process that started them";

  std::vector<std::string> words{
      "lab", "clean", "--connect", uri(), "--storage", (lab_folder / "storage").string(), "--dry-run", "--json"};
  const auto listed = here(words);
  EXPECT_EQ(exit_code(listed), 0) << listed.errors;
  EXPECT_THAT(listed.output, AllOf(HasSubstr("would be removed"), Not(HasSubstr("in use"))));
  EXPECT_EQ(qemus(), 1);
  words.resize(6);
  const auto cleaned = here(words);
  EXPECT_EQ(exit_code(cleaned), 0) << cleaned.errors;
  EXPECT_THAT(cleaned.output, HasSubstr("removed"));
  expect_nothing_there();

  const auto doctor = here({"doctor", "--connect", uri()});
  EXPECT_THAT(doctor.output, HasSubstr("free in '" + there_.string() + "'")) << doctor.errors;
}

}  // namespace
}  // namespace patchlab::e2e

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc < 2) return 64;
  patchlab::lab::libvirt::lab_folder = argv[1];
  return RUN_ALL_TESTS();
}
