// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The other host is this one: `ssh` is a script that starts what it is told to, and the patchlab there is this very
// program, as host agent (a genuine one) and as cell (an imitation).
#include "runners/host/remote_host.hpp"
#include "runners/cell/slots.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "runners/host/host_agent.hpp"

namespace patchlab::runners::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

namespace fs = std::filesystem;
using lab::libvirt::SshDestination;

const SshDestination hv1{"root", "hv1", 0, {}, {}, "test:///default"};

std::string own_path() { return fs::read_symlink("/proc/self/exe"); }

class FakeSsh : public ProcessRunner {
 public:
  explicit FakeSsh(ProcessOutcome answer) : answer_(std::move(answer)) {}
  ProcessOutcome run(const ProcessSpec& spec, std::stop_token) override {
    EXPECT_EQ(spec.program, "ssh");
    EXPECT_EQ(spec.arguments.back(), "patchlab --version");
    return answer_;
  }

 private:
  ProcessOutcome answer_;
};

Error refusal(const ProcessOutcome& outcome) {
  FakeSsh ssh(outcome);
  const auto checked = check_patchlab_there(hv1, ssh);
  EXPECT_FALSE(checked);
  return checked ? Error{} : checked.error();
}

TEST(PatchlabThere, IsFineInThisVersionWhateverElseIsPrinted) {
  FakeSsh ssh({Exited{0}, "Welcome!\npatchlab " PATCHLAB_VERSION "\n", "", {}});
  EXPECT_TRUE(check_patchlab_there(hv1, ssh));
}

TEST(PatchlabThere, AnotherVersionIsRefusedByBothNames) {
  const auto error = refusal({Exited{0}, "patchlab 0.0.9\n", "", {}});
  EXPECT_EQ(error.error_class, ErrorClass::configuration);
  EXPECT_EQ(error.message, "patchlab on 'root@hv1' is version '0.0.9', and this one is '" PATCHLAB_VERSION
                           "': they would misunderstand each other");
  EXPECT_THAT(error.hint, StartsWith("install patchlab " PATCHLAB_VERSION " there, where 'patchlab --version' by ssh "
                                     "finds it"));
}

TEST(PatchlabThere, WhatIsInTheWayIsSaidWithTheNextStep) {
  const auto missing = refusal({Exited{127}, "", "bash: line 1: patchlab: command not found\n", {}});
  EXPECT_EQ(missing.error_class, ErrorClass::configuration);
  EXPECT_EQ(missing.message, "there is no patchlab on 'root@hv1': bash: line 1: patchlab: command not found");
  EXPECT_THAT(missing.hint, HasSubstr("/usr/local/bin"));

  const auto key = refusal({Exited{255}, "", "root@hv1: Permission denied (publickey).\r\n", {}});
  EXPECT_EQ(key.error_class, ErrorClass::configuration);
  EXPECT_EQ(key.message,
            "ssh cannot log in to 'root@hv1' without a question: root@hv1: Permission denied (publickey).");
  EXPECT_THAT(key.hint, HasSubstr("(?keyfile=/path)"));
  EXPECT_THAT(key.hint, HasSubstr("try it: ssh -T "));

  const auto host =
      refusal({Exited{255}, "", "No ED25519 host key is known for hv1\nHost key verification failed.\n", {}});
  EXPECT_EQ(host.error_class, ErrorClass::configuration);
  EXPECT_THAT(host.hint, HasSubstr("(?known_hosts=/path)"));

  const auto down = refusal({Exited{255}, "", "ssh: connect to host hv1 port 22: Connection refused\n", {}});
  EXPECT_EQ(down.error_class, ErrorClass::infrastructure) << "that says nothing about the scenario";
  EXPECT_EQ(down.message, "ssh cannot reach 'root@hv1': ssh: connect to host hv1 port 22: Connection refused");

  EXPECT_THAT(refusal({TimedOut{}, "", "", std::chrono::minutes(1)}).message, HasSubstr("ran longer than"));
  EXPECT_THAT(refusal({NotStarted{"no such file"}, "", "", {}}).hint, HasSubstr("openssh-client"));
}

class RemoteHostTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/patchlab-there-XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::create_directories(folder_ / "bin");
    // The command is the last of its arguments, as a text for a shell.
    write("bin/ssh", "#!/bin/sh\nfor last; do :; done\nexec sh -c \"$last\"\n");
    ::chmod((folder_ / "bin/ssh").c_str(), 0755);
    path_ = std::getenv("PATH");
    ::setenv("PATH", ((folder_ / "bin").string() + ":" + path_).c_str(), 1);
    ::setenv("PATCHLAB_CACHE", (folder_ / "cache there").c_str(), 1);
    host_ = remote_host(hv1, started({"host-agent"}));
  }
  void TearDown() override {
    host_.reset();
    ::setenv("PATH", path_.c_str(), 1);
    ::unsetenv("PATCHLAB_CACHE");
    fs::remove_all(folder_);
  }
  void write(const std::string& name, const std::string& text) const {
    ASSERT_TRUE(create_folders((folder_ / name).parent_path()));
    ASSERT_TRUE(write_file_atomically(folder_ / name, text));
  }
  static ChildProcess started(const std::vector<std::string>& arguments) {
    ProcessSpec spec;
    spec.program = own_path();
    spec.arguments = arguments;
    return ChildProcess::start(spec).value();
  }

  std::unique_ptr<cell::CellClient> cell() {
    job_.department = "finance";
    job_.evidence = folder_ / "run/evidence/finance";
    job_.libvirt = {"qemu+ssh://root@hv1/system", "r1", "/storage"};
    cell::CellStart start{.program = "/here/patchlab",
                          .department = "finance",
                          .root = "/here/root",
                          .kind = cell::CellKind::on_libvirt,
                          .log = folder_ / "cell.log",
                          .to_clean = "patchlab lab clean --connect qemu+ssh://root@hv1/system"};
    auto started = host_->start_cell("r1", start, job_, [this](const std::string& department, const Json& event) {
      EXPECT_EQ(department, "finance");
      events_.push_back(event);
    });
    EXPECT_TRUE(started) << started.error().message;
    return std::move(started).value();
  }

  fs::path folder_;
  std::string path_;
  std::shared_ptr<LibvirtHost> host_;
  cell::CellJob job_;
  std::vector<Json> events_;
};

TEST_F(RemoteHostTest, TroublesOfTheOtherHostNameIt) {
  const auto facts = host_->look("nobody");
  ASSERT_FALSE(facts);
  EXPECT_EQ(facts.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(facts.error().message, StartsWith("on 'root@hv1': looking for golden domain 'nobody': libvirt: "));
  EXPECT_FALSE(host_->digest_of("nobody"));
  EXPECT_TRUE(host_->leftovers(folder_));
}

TEST_F(RemoteHostTest, ACellThereGetsThePlacesOfItsHost) {
  const auto client = cell();
  EXPECT_EQ(job_.worker_program, own_path());
  EXPECT_THAT(job_.evidence.string(), StartsWith((folder_ / "cache there/cells/r1-").string()));
  EXPECT_EQ(job_.slots, folder_ / "cache there/slots");
  EXPECT_EQ(job_.libvirt->uri, "test:///default");
  const auto baseline = client->prepare(job_);
  ASSERT_TRUE(baseline) << baseline.error().message;
  EXPECT_EQ(baseline->outcome, Outcome::pass);
  client->close();
}

TEST_F(RemoteHostTest, MediaTravelThereAndEvidenceTravelsBack) {
  const std::string bytes = std::string(3U << 20U, 'x') + "end";  // several pieces
  write("media/abc.iso", bytes);
  auto client = cell();
  ASSERT_TRUE(client->prepare(job_));
  const auto local = folder_ / "media/abc.iso";
  const auto failed =
      client->run_trial({.id = "finance/t1", .purpose = reports::Purpose::batch, .media = {{"dns", local}}});
  ASSERT_TRUE(failed) << failed.error().message;
  EXPECT_EQ(failed->outcome, Outcome::fail);
  // The imitation saves what it was given as evidence.
  const auto there = read_file(folder_ / "run/evidence/finance/t1/dns/medium.txt");
  ASSERT_TRUE(there) << there.error().message;
  EXPECT_THAT(*there, StartsWith((folder_ / "cache there/cells/r1-").string()));
  EXPECT_THAT(*there, ::testing::EndsWith(" " + sha256(bytes)));

  EXPECT_EQ(failed->evidence_folder, "evidence/finance/t1");

  // A whole number of pieces; and one that is there already does not travel again.
  write("media/whole.iso", std::string(1U << 20U, 'y'));
  EXPECT_TRUE(client->run_trial({.id = "finance/t2", .media = {{"dns", folder_ / "media/whole.iso"}}}));
  fs::remove(local);
  EXPECT_TRUE(client->run_trial({.id = "finance/t2", .purpose = reports::Purpose::search, .media = {{"dns", local}}}));
  const auto unknown = client->run_trial({.id = "finance/t3", .media = {{"dns", folder_ / "media/other.iso"}}});
  ASSERT_FALSE(unknown);
  EXPECT_THAT(unknown.error().message, HasSubstr("other.iso"));
  client.reset();
  host_.reset();
  EXPECT_TRUE(fs::is_empty(folder_ / "cache there/cells"));
}

TEST_F(RemoteHostTest, EvidenceIsPutWhereItBelongsWhateverTheOtherHostSays) {
  const auto client = cell();
  ASSERT_TRUE(client->prepare(job_));
  const auto trial = client->run_trial({.id = "finance/t1", .candidates = {"lie about the place"}});
  ASSERT_TRUE(trial) << trial.error().message;
  EXPECT_EQ(trial->evidence_folder, "evidence/finance/t1");
  const auto missing = read_file(folder_ / "run/evidence/finance/t1/evidence-missing.txt");
  ASSERT_TRUE(missing) << missing.error().message;
  EXPECT_THAT(*missing, HasSubstr("listing '"));
  EXPECT_FALSE(fs::exists(folder_ / "run/evidence/elsewhere"));
}

TEST_F(RemoteHostTest, TimingsAreOnOurClock) {
  const auto before = system_clock_source().now().count();
  ::setenv("PATCHLAB_TEST_CLOCK_AHEAD_MS", "5000000", 1);
  host_ = remote_host(hv1, started({"host-agent-of-another-clock"}));
  const auto client = cell();
  ::unsetenv("PATCHLAB_TEST_CLOCK_AHEAD_MS");
  ASSERT_TRUE(client->prepare(job_));
  ASSERT_EQ(events_.size(), 1U);
  EXPECT_GE(events_[0]["start_ms"].get<std::int64_t>(), before - 1000);
  EXPECT_LE(events_[0]["start_ms"].get<std::int64_t>(), system_clock_source().now().count() + 1000);
}

TEST_F(RemoteHostTest, ATrialDoesNotCountWhenTheDisksWereNotHeldUntilItsEnd) {
  const auto client = cell();
  ASSERT_TRUE(client->prepare(job_));
  // The imitation kills the host agent, and passes.
  const auto trial = client->run_trial({.id = "finance/t1", .candidates = {"kill the host agent"}});
  ASSERT_FALSE(trial);
  EXPECT_EQ(trial.error().error_class, ErrorClass::infrastructure);
  EXPECT_THAT(trial.error().message, StartsWith("patchlab on 'root@hv1' is gone: "));
  EXPECT_THAT(trial.error().hint, HasSubstr("the hold on the golden domains' disks"));
  EXPECT_FALSE(host_->digest_of("test"));
}

TEST_F(RemoteHostTest, ACellThatIsGoneIsAnErrorThatSaysHowToTidyUp) {
  const auto client = cell();
  ASSERT_TRUE(client->prepare(job_));
  const auto trial = client->run_trial({.id = "finance/t1", .candidates = {"end"}});
  ASSERT_FALSE(trial);
  EXPECT_EQ(trial.error().message, "the cell of department 'finance' is gone: its process ended");
  EXPECT_THAT(trial.error().hint, HasSubstr("'patchlab lab clean --connect qemu+ssh://root@hv1/system' removes"));
}

TEST_F(RemoteHostTest, WhatCannotBeUnderstoodEndsTheCellAndNotTheRun) {
  for (const char* nonsense : {"an answer without a number", "an error that is none"}) {
    const auto client = cell();
    ASSERT_TRUE(client->prepare(job_));
    const auto trial = client->run_trial({.id = "finance/t1", .candidates = {nonsense}});
    ASSERT_FALSE(trial);
    EXPECT_EQ(trial.error().error_class, ErrorClass::infrastructure);
    EXPECT_THAT(trial.error().message, HasSubstr("is gone: it sends what cannot be understood: "));
  }
}

// What may be read and written by a cell there are places of that host: its program, its slots, a libvirt's socket.
bool sees_places_of_this_host(const std::vector<std::string>& arguments) {
  std::multimap<std::string, fs::path> seen;
  for (std::size_t i = 3; i + 1 < arguments.size(); i += 2) seen.emplace(arguments[i], arguments[i + 1]);
  const auto read = seen.equal_range("--read");
  const bool has_slots =
      std::any_of(read.first, read.second, [](const auto& one) { return fs::exists(one.second / cell::slot_name(0)); });
  const auto written = seen.find("--write");
  return has_slots && seen.count("--write") == 1 && fs::is_directory(written->second) &&
         written->second.filename() == "finance";
}

// The imitation of a cell: `<program> cell ROOT --on-libvirt`, and what it may see.
int fake_cell(const std::vector<std::string>& arguments) {
  if (arguments.size() < 3 || !fs::is_directory(arguments[1]) || arguments[2] != "--on-libvirt") return 64;
  if (!sees_places_of_this_host(arguments)) return 65;
  const char* ahead = std::getenv("PATCHLAB_TEST_CLOCK_AHEAD_MS");
  const auto now = system_clock_source().now().count() + (ahead == nullptr ? 0 : std::stoll(ahead));
  const auto send = [](const Json& message) { std::cout << message.dump() << std::endl; };
  fs::path evidence;
  for (std::string line; std::getline(std::cin, line);) {
    const auto request = Json::parse(line);
    reports::TrialRecord record{.outcome = Outcome::pass};
    const auto& job = request.at("job");
    if (request.at("op") == "prepare") {
      evidence = job.at("evidence").get<std::string>();
      record.id = "finance/baseline";
      record.purpose = reports::Purpose::baseline;
      send({{"event", "timing"}, {"start_ms", now}, {"duration_ms", 1}});
    } else {
      record.id = job.at("id");
      record.purpose = reports::purpose_from(job.at("purpose")).value();
      const auto wish = job.at("candidates").empty() ? std::string() : job.at("candidates")[0].get<std::string>();
      if (wish == "end") return 0;
      if (wish == "an answer without a number") send(Json::object());
      if (wish == "an error that is none") send({{"id", request.at("id")}, {"error", "x"}});
      if (wish == "kill the host agent") {
        const auto agent = evidence.parent_path().parent_path().filename().string();  // "r1-<process id>"
        ::kill(std::stoi(agent.substr(agent.rfind('-') + 1)), SIGKILL);
      }
      if (wish == "lie about the place") {
        record.id = "finance/../elsewhere";
        record.evidence_folder = "elsewhere";
        static_cast<void>(create_folders(evidence.parent_path() / "elsewhere"));
      }
      if (record.purpose == reports::Purpose::batch) {
        record.outcome = Outcome::fail;
        record.evidence_folder = "evidence/" + record.id;
        const auto medium = job.at("media").at("dns").get<std::string>();
        static_cast<void>(create_folders(evidence / "t1/dns"));
        static_cast<void>(write_file_atomically(evidence / "t1/dns/medium.txt",
                                                medium + " " + sha256_of_file(medium).value_or("cannot be read")));
      }
    }
    send({{"id", request.at("id")}, {"result", Json(record)}});
  }
  return 0;
}

// A genuine one whose clock is ahead.
int agent_of_another_clock() {
  HostAgent agent(own_path(), host_processes());
  for (std::string line; std::getline(std::cin, line);) {
    auto answer = agent.answer(Json::parse(line));
    auto& result = answer.at("result");
    if (result.contains("now_ms")) result["now_ms"] = result["now_ms"].get<std::int64_t>() + 5'000'000;
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}

}  // namespace

int as_the_other_host(const std::vector<std::string>& arguments) {
  if (arguments[0] == "host-agent") return host_agent_main(own_path());
  if (arguments[0] == "host-agent-of-another-clock") return agent_of_another_clock();
  return fake_cell(arguments);
}

}  // namespace patchlab::runners::host

int main(int argc, char** argv) {
  if (argc > 1 && argv[1][0] != '-') return patchlab::runners::host::as_the_other_host({argv + 1, argv + argc});
  ::testing::InitGoogleMock(&argc, argv);
  return RUN_ALL_TESTS();
}
