// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/executor.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "lab/core/files.hpp"
#include "runners/cell/client.hpp"
#include "runners/host/node_wait.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::runners::host {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

cell::CellJob job_of(std::vector<std::uint32_t> memory_mib) {
  cell::CellJob job;
  for (const auto mib : memory_mib) job.machines.emplace_back().plan.memory_mib = mib;
  return job;
}

class ExecutorFile : public ::testing::Test {
 protected:
  Result<Executor> read(const std::string& text) {
    const auto file = folder_.path() / "slurm.json";
    EXPECT_TRUE(write_file_atomically(file, text));
    return read_executor(file);
  }
  test::TemporaryFolder folder_;
};

TEST_F(ExecutorFile, IsReadWithItsDefaults) {
  const auto least = read(R"({"schema": "patchlab/executor/v1", "kind": "slurm"})");
  ASSERT_TRUE(least) << least.error().message;
  EXPECT_EQ(*least, Executor());
  const auto all = read(R"({"schema": "patchlab/executor/v1", "kind": "slurm", "partition": "lab", "cpus": 4,
                            "time_limit_minutes": 90, "options": ["--constraint=kvm&big", "--exclusive", "--nice"]})");
  ASSERT_TRUE(all) << all.error().message;
  EXPECT_EQ(*all, (Executor{"lab", 4, 90, {"--constraint=kvm&big", "--exclusive", "--nice"}}));
}

TEST_F(ExecutorFile, MaySayWhereNodesGetImagesFrom) {
  const auto file = [&](const std::string& more) {
    return read(R"({"schema": "patchlab/executor/v1", "kind": "slurm", )" + more + "}");
  };
  const auto folder = file(R"("content": "/srv/content", "images": "/var/lib/patchlab/images")");
  ASSERT_TRUE(folder) << folder.error().message;
  EXPECT_EQ(folder->content, (ImageContent{{"/srv/content", {}}, "/var/lib/patchlab/images"}));
  const auto url = file(R"("content": "https://images.lab/c", "images": "/i", "ca_bundle": "/etc/ca.pem")");
  ASSERT_TRUE(url) << url.error().message;
  EXPECT_EQ(url->content, (ImageContent{{"https://images.lab/c", "/etc/ca.pem"}, "/i"}));
  for (const auto& [wrong, named] : std::vector<std::pair<std::string, std::string>>{
           {R"("content": "/srv/content")", "images"},
           {R"("images": "/i")", "content"},
           {R"("ca_bundle": "/etc/ca.pem")", "content"},
           {R"("content": "http://images.lab/c", "images": "/i")", "/content: must begin with https://"},
           {R"("content": "content", "images": "/i")", "/content: must be the absolute path"},
           {R"("content": "/srv/content", "images": "i")", "/images: must be an absolute path"},
           {R"("content": "https://a/", "images": "/i", "ca_bundle": "ca.pem")", "/ca_bundle"}}) {
    const auto refused = file(wrong);
    ASSERT_FALSE(refused) << wrong;
    EXPECT_THAT(refused.error().message, HasSubstr(named)) << wrong;
  }
}

TEST_F(ExecutorFile, AllThatIsWrongIsNamed) {
  const auto read = this->read(R"({"schema": "patchlab/executor/v2", "kind": "ssh", "partition": "", "cpus": 0,
      "time_limit_minutes": 0, "options": ["--mem=1", "lab", "--ntasks=2", "--constraint", "--gres="], "memory": 5})");
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().error_class, ErrorClass::configuration);
  for (const auto* pointer : {"/schema", "/kind", "/partition", "/cpus", "/time_limit_minutes", "/options/0",
                              "/options/1", "/options/2", "/options/3", "/options/4", "memory"})
    EXPECT_THAT(read.error().message, HasSubstr(pointer));
  EXPECT_THAT(read.error().message, HasSubstr("'--mem=1' is no option of srun that may be given here"));
}

TEST(CellRequest, IsTheMachinesAndWhatIsNeededBesideThem) {
  const auto request = request_of({.cpus = 3}, job_of({512, 1024}));
  EXPECT_EQ(request.processors, 3U);
  EXPECT_EQ(request.memory_mib, 512U + 1024U + 2U * 300U + 512U);
}

TEST(CellRequest, LastsAsLongAsTheRunMay) {
  auto job = job_of({512});
  job.policy.run_deadline = std::chrono::hours(10);
  EXPECT_EQ(request_of({}, job).time_limit_minutes, 11U * 60U) << "the trial that is under way then goes on";
  EXPECT_EQ(request_of({.time_limit_minutes = 600}, job).time_limit_minutes, 600U);
  EXPECT_TRUE(check_time_limit({}, std::chrono::hours(24)));
  EXPECT_TRUE(check_time_limit({.time_limit_minutes = 600}, std::chrono::hours(10)));
  const auto shorter = check_time_limit({.time_limit_minutes = 599}, std::chrono::hours(10));
  ASSERT_FALSE(shorter);
  EXPECT_EQ(shorter.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(shorter.error().message, HasSubstr("after 599 minutes (\"time_limit_minutes\""));
  EXPECT_THAT(shorter.error().message, HasSubstr("36000 s (\"run_deadline_s\""));
}

TEST(SlurmCommand, IsOneTask) {
  Executor executor{"lab", 2, 90, {"--constraint=kvm"}};
  const auto launch = launch_by_slurm(executor, {2, 1836, 90}, job_name("20261129-220000-00ff", "finance"),
                                      host_processes(), system_clock_source());
  const auto spec = launch->process({"/usr/bin/patchlab", "cell", "/a folder"});
  EXPECT_EQ(spec.program, "srun");
  EXPECT_THAT(spec.arguments, ElementsAre("--quiet", "--unbuffered", "--nodes=1", "--ntasks=1", "--chdir=/",
                                          "--mpi=none", "--cpus-per-task=2", "--mem=1836M", "--time=90",
                                          "--job-name=patchlab-20261129-220000-00ff-finance", "--partition=lab",
                                          "--constraint=kvm", "--", "/usr/bin/patchlab", "cell", "/a folder"));
}

// A Slurm of one node in shell: keeps its job in a file; `queue` and `end` are pipes on which it waits to be told that
// there is a node, and how a job ends that does not end by itself.
class FakeSlurm : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(at("bin"));
    ASSERT_EQ(::mkfifo(at("queue").c_str(), 0600), 0);
    ASSERT_EQ(::mkfifo(at("end").c_str(), 0600), 0);
    script("srun", R"(
      env >"$S/srun.environment"
      while [ "$1" != -- ]; do shift; done; shift
      echo '7|PENDING|Resources|' >"$S/job"
      read -r go <"$S/queue"
      if [ "$go" = cancelled ]; then
        echo '7|CANCELLED|Resources|' >"$S/job"
        echo 'srun: error: Unable to allocate resources: Job/step already completing or completed' >&2
        exit 1
      fi
      echo '7|RUNNING|None|n1' >"$S/job"
      exec 3<&0
      "$@" <&3 3<&- & cell=$!
      exec 3<&- </dev/null
      ( read -r how <"$S/end" && { echo "7|$how|None|n1" >"$S/job"; echo "slurmstepd-n1: error: *** STEP 7.0 $how ***" >&2; kill $cell; } ) & watch=$!
      wait $cell; code=$?
      kill $watch 2>/dev/null
      grep -q RUNNING "$S/job" && echo '7|COMPLETED|None|n1' >"$S/job"
      exit $code)");
    script("squeue", R"(env >"$S/squeue.environment"; cat "$S/job")");
    script("scancel", R"(
      env >"$S/scancel.environment"
      if grep -q PENDING "$S/job"; then echo cancelled >"$S/queue"; else echo CANCELLED >"$S/end"; fi)");
    // Answers the first question, and then none until its input ends.
    script("patchlab", R"(
      read -r question
      echo "$question" >"$S/question"
      id=${question#*\"id\":}; id=${id%%,*}
      sed "s/ID/$id/" "$S/answer"
      while read -r more; do echo "$more" >>"$S/more"; done)");
    path_ = std::getenv("PATH");
    ::setenv("PATH", (at("bin").string() + ":" + path_).c_str(), 1);
    cell::Place place;
    place.host = "n1";
    place.boot = "another boot";
    place.job = "7";
    place.processors = 3;
    place.host_class.kernel = "Linux 6.1";
    place.accelerator = "tcg";
    place.now = system_clock_source().now() + std::chrono::hours(5);
    std::string answer = Json{{"id", 0}, {"result", place}}.dump();
    answer.replace(answer.find("\"id\":0"), 6, "\"id\":ID");
    write("answer", answer + "\n");
  }
  void TearDown() override { ::setenv("PATH", path_.c_str(), 1); }

  [[nodiscard]] fs::path at(const std::string& name) const { return folder_.path() / name; }
  void write(const std::string& name, const std::string& text) const {
    EXPECT_TRUE(write_file_atomically(at(name), text));
  }
  void script(const std::string& name, const std::string& text) const {
    write("bin/" + name, "#!/bin/sh\nS='" + folder_.path().string() + "'\n" + text + "\n");
    ::chmod((at("bin") / name).c_str(), 0755);
  }
  // Returns when somebody reads it.
  void tell(const std::string& pipe, const std::string& what) const { std::ofstream(at(pipe)) << what << std::endl; }
  void await_job(const std::string& state) const {
    const Wait wait{"the job to be " + state, std::chrono::seconds(20), Milliseconds(5), {}, {}};
    ASSERT_TRUE(wait_until(system_clock_source(), wait,
                           [&] { return read_file(at("job")).value_or("").find(state) != std::string::npos; }));
  }

  void start() {
    launch_ = launch_by_slurm({}, {2, 1836, 480}, "patchlab-r1-finance", host_processes(), system_clock_source());
    auto started = cell::start_cell({.program = at("bin/patchlab"),
                                     .department = "finance",
                                     .root = at("root"),
                                     .log = at("cell.log"),
                                     .launch = launch_},
                                    [](const std::string&, const Json&) {});
    ASSERT_TRUE(started) << started.error().message;
    cell_ = std::move(*started);
  }
  // Runs, ends as Slurm says, and what is told of it then.
  Error ended_by(const std::string& how) {
    start();
    tell("queue", "go");
    EXPECT_TRUE(cell_->place({}));
    tell("end", how);
    const auto trial = cell_->run_trial({});
    EXPECT_FALSE(trial);
    return trial ? Error{} : trial.error();
  }

  test::TemporaryFolder folder_;
  std::string path_;
  std::shared_ptr<cell::Launch> launch_;
  std::unique_ptr<cell::CellClient> cell_;
};

TEST_F(FakeSlurm, ACellThatWaitsForANodeIsAskedWhereItIsWhenItHasOne) {
  start();
  await_job("PENDING");
  EXPECT_EQ(launch_->waits_for({}), "Slurm has not started job 7 yet: Resources");
  tell("queue", "go");
  const auto place = cell_->place({"/vmlinuz", {"/image"}});
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_EQ(place->host, "n1");
  EXPECT_EQ(place->job, "7");
  EXPECT_EQ(place->processors, 3U);
  const auto question = json_in(read_file(at("question")).value_or(""));
  EXPECT_EQ(question.value("op", ""), "place");
  EXPECT_EQ(question["question"]["files"], Json({"/image"}));
  cell_->close();
  await_job("COMPLETED");
}

TEST_F(FakeSlurm, CancellingEndsTheWaitAndTheJob) {
  start();
  await_job("PENDING");
  std::jthread cancels([&] { cell_->close(); });
  const auto place = cell_->place({});
  ASSERT_FALSE(place);
  await_job("CANCELLED");
}

TEST_F(FakeSlurm, ACellThatRunsNowhereAtTheDeadlineOfTheRunIsEnded) {
  start();
  await_job("PENDING");
  std::vector<std::string> told;
  auto& clock = system_clock_source();
  const auto place = await_place(*cell_, *launch_, {},
                                 {clock, clock.now() - std::chrono::seconds(59), std::chrono::seconds(60),
                                  [&](const std::string& sentence) { told.push_back(sentence); }});
  ASSERT_FALSE(place);
  EXPECT_EQ(place.error().error_class, ErrorClass::infrastructure);
  EXPECT_EQ(place.error().message,
            "it ran on no node when the run was at its deadline of 60 s: Slurm has not started job 7 yet: Resources");
  EXPECT_THAT(place.error().hint, HasSubstr("\"run_deadline_s\" of the scenario"));
  EXPECT_THAT(told, ElementsAre("Slurm has not started job 7 yet: Resources"));
  await_job("CANCELLED");
}

TEST_F(FakeSlurm, ACellThatRunsInTimeIsNotEnded) {
  start();
  tell("queue", "go");
  auto& clock = system_clock_source();
  const auto place = await_place(*cell_, *launch_, {}, {clock, clock.now(), std::chrono::seconds(60), [](auto&) {}});
  ASSERT_TRUE(place) << place.error().message;
  await_job("RUNNING");
}

TEST_F(FakeSlurm, WhatIsSetForOtherJobsIsNotHandedOn) {
  const std::map<std::string, std::string> set{{"SLURM_LABELIO", "1"},     {"SLURM_PARTITION", "other"},
                                               {"SRUN_CONTAINER", "/x"},   {"SQUEUE_PARTITION", "other"},
                                               {"SCANCEL_STATE", "other"}, {"SCONTROL_ALL", "1"}};
  for (const auto& [name, value] : set) ::setenv(name.c_str(), value.c_str(), 1);
  ::setenv("SLURM_CONF", "/the/cluster.conf", 1);
  start();
  await_job("PENDING");
  EXPECT_NE(launch_->waits_for({}), "");
  std::jthread cancels([&] { cell_->close(); });
  EXPECT_FALSE(cell_->place({}));
  await_job("CANCELLED");
  cancels.join();
  for (const auto& [name, value] : set) ::unsetenv(name.c_str());
  ::unsetenv("SLURM_CONF");
  for (const auto* program : {"srun", "squeue", "scancel"}) {
    const auto got = read_file(at(program + std::string(".environment"))).value_or("");
    EXPECT_THAT(got, HasSubstr("SLURM_CONF=/the/cluster.conf\n")) << program;
    EXPECT_THAT(got, HasSubstr("PATH=")) << program;
    for (const auto& [name, value] : set) EXPECT_EQ(got.find(name), std::string::npos) << program << " got " << name;
  }
}

TEST_F(FakeSlurm, AJobThatSlurmEndsIsTroubleOfTheLabWithSlurmsWord) {
  const auto error = ended_by("TIMEOUT");
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  EXPECT_THAT(error.message, StartsWith("the cell of department 'finance' is gone: srun ended: "));
  EXPECT_THAT(error.message, HasSubstr("; Slurm says of job 7 on node n1: TIMEOUT"));
  EXPECT_THAT(error.message, HasSubstr("slurmstepd-n1: error: *** STEP 7.0 TIMEOUT ***"));
  EXPECT_THAT(error.hint,
              StartsWith("it had 480 minutes: \"time_limit_minutes\" of the executor says how many it gets; "
                         "its log is '"));
}

TEST_F(FakeSlurm, EachOfItsWordsHasItsNextStep) {
  for (const auto& [word, step] : std::map<std::string, std::string>{{"NODE_FAIL", "sinfo --list-reasons"},
                                                                     {"PREEMPTED", "are not preempted"},
                                                                     {"OUT_OF_MEMORY", "it had 1836 MiB"},
                                                                     {"CANCELLED", "somebody cancelled it"}}) {
    const auto error = ended_by(word);
    EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
    EXPECT_THAT(error.message, HasSubstr("on node n1: " + word));
    EXPECT_THAT(error.hint, HasSubstr(step));
    cell_.reset();
  }
}

TEST_F(FakeSlurm, AJobThatCannotBeHasSlurmsReason) {
  script("srun", "echo 'srun: error: Unable to allocate resources: Invalid partition name specified' >&2; exit 1");
  script("squeue", "exit 1");
  start();
  const auto place = cell_->place({});
  ASSERT_FALSE(place);
  EXPECT_EQ(place.error().message,
            "the cell of department 'finance' is gone: srun ended: exit code 1; Slurm says nothing of it; srun: error: "
            "Unable to allocate resources: Invalid partition name specified");
}

TEST(PlaceHere, NamesWhatTheNodeDoesNotSee) {
  const auto place = cell::place_here({.kernel = {}, .files = {"/", "/no/such/image"}}, host_processes());
  ASSERT_FALSE(place);
  EXPECT_EQ(place.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(place.error().message, StartsWith("'/no/such/image' is not there on node '"));
  EXPECT_THAT(place.error().hint, HasSubstr("at the same paths"));
}

TEST(PlaceHere, IsThisHostOnlyWithTheSameNetworkDevices) {
  const auto here = cell::place_here({}, host_processes());
  ASSERT_TRUE(here) << here.error().message;
  EXPECT_TRUE(cell::is_here(*here));
  EXPECT_TRUE(cell::is_here(cell::place_from_json(Json(*here))));
  auto other = *here;
  other.boot = "another boot";
  EXPECT_FALSE(cell::is_here(other));
  for (const auto part : {&cell::Place::boot, &cell::Place::network}) {
    other = *here;
    (other.*part).clear();
    EXPECT_FALSE(cell::is_here(other)) << "nobody can tell";
  }
}

// As a slurmd in a container is: the same kernel, and other devices.
TEST(PlaceHere, IsNotThisHostFromAnotherNetworkNamespace) {
  cell::Place here;
  here.boot = cell::boot_id();
  here.network = cell::network_namespace();
  ASSERT_TRUE(cell::is_here(here));
  const auto child = ::fork();
  if (child == 0) ::_exit(::unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0 ? 77 : cell::is_here(here) ? 1 : 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "no network namespace can be made here";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace patchlab::runners::host
