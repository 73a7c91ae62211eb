// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <future>
#include <thread>

#include "lab/content/publish.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "runners/cell/client.hpp"
#include "runners/host/executor.hpp"
#include "tests/support/content_image.hpp"
#include "tests/support/process_state.hpp"

// Run by tests/support/private-slurm, which starts a Slurm of one node with 4000 MiB: real srun, real cells, no
// machine.
namespace patchlab::runners::host {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;

const fs::path& slurm() {
  static const fs::path folder = [] {
    const auto* named = std::getenv("PRIVATE_SLURM");
    return fs::path(named == nullptr ? "" : named);
  }();
  return folder;
}

bool comes(const std::string& awaited, const std::function<bool()>& done, std::chrono::seconds limit) {
  const Wait wait{awaited, limit, Milliseconds(50), {}, {}};
  const auto waited = wait_until(system_clock_source(), wait, done);
  EXPECT_TRUE(waited) << waited.error().message;
  return waited.has_value();
}

// Those that have this text in their command line.
std::vector<int> processes_with(const std::string& text) {
  std::vector<int> found;
  for (const auto& entry : entries_of("/proc").value_or({})) {
    int pid = 0;
    const auto name = entry.filename().string();
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc() || pid == ::getpid()) continue;
    if (read_file(entry / "cmdline").value_or("").find(text) != std::string::npos && !test::has_ended(pid))
      found.push_back(pid);
  }
  return found;
}

std::string output_of(const std::vector<std::string>& command) {
  ProcessSpec spec;
  spec.program = command.front();
  spec.arguments.assign(command.begin() + 1, command.end());
  spec.time_limit = std::chrono::seconds(60);
  return host_processes().run(spec).output;
}

std::string queue() { return output_of({"squeue", "--noheader", "--format=%j %T"}); }

// One cell of an empty lab.
class OneCell {
 public:
  OneCell(const std::string& name, std::uint32_t memory_mib, const std::string& partition = "lab",
          std::chrono::seconds silence = std::chrono::seconds(12), const std::vector<fs::path>& readable = {})
      : root_(slurm() / "cells" / name) {
    EXPECT_TRUE(create_folders(root_ / "slots"));
    Executor executor;
    executor.partition = partition;
    executor.cpus = 1;
    launch =
        launch_by_slurm(executor, {1, memory_mib, 60}, job_name("r1", name), host_processes(), system_clock_source());
    question = {{}, {root_, PATCHLAB_PROGRAM}};
    cell::CellStart start{.program = PATCHLAB_PROGRAM,
                          .department = name,
                          .root = root_,
                          .readable = {PATCHLAB_PROGRAM, root_ / "slots"},
                          .log = slurm() / "log" / (name + ".log"),
                          .launch = launch,
                          .silence = silence};
    start.readable.insert(start.readable.end(), readable.begin(), readable.end());
    auto started = cell::start_cell(start, [this](const std::string&, const Json& event) {
      const std::lock_guard lock(mutex_);
      told_ += event.value("text", "") + "\n";
    });
    EXPECT_TRUE(started) << started.error().message;
    client = std::move(started).value();
  }
  // The place, or why there is none.
  Result<cell::Place> place() const { return client->place(question); }
  // What is told when it is gone.
  [[nodiscard]] Error end() const {
    Error error;
    comes(
        "the end of the cell",
        [&] {
          error = answer();
          return error.message.find("is gone") != std::string::npos;
        },
        std::chrono::seconds(30));
    return error;
  }
  // Answers from within its namespaces: with an error, as there is nothing to be made of such a job.
  [[nodiscard]] Error answer() const {
    const auto trial = client->prepare({});
    return trial ? Error{} : trial.error();
  }
  void expect_gone() const {
    EXPECT_TRUE(comes(
        "the processes of the cell to be gone", [&] { return processes_with(root_).empty(); },
        std::chrono::seconds(30)));
  }
  void expect_not_in_queue() const {
    EXPECT_TRUE(comes(
        "its job to be gone from the queue",
        [&] { return queue().find(root_.filename().string() + " ") == std::string::npos; }, std::chrono::seconds(60)));
  }

  std::string told() {
    const std::lock_guard lock(mutex_);
    return told_;
  }

 private:
  std::mutex mutex_;  // before the client, which tells to the last
  std::string told_;

 public:
  std::shared_ptr<cell::Launch> launch;
  std::unique_ptr<cell::CellClient> client;
  cell::PlaceQuestion question;

 private:
  fs::path root_;
};

// A process that begins something and then stays until it is killed: 0 when it says that it could not.
pid_t parent_that(const std::function<void(const std::function<void(bool is_there)>& stays)>& begins) {
  std::array<int, 2> ready{};
  if (::pipe(ready.data()) != 0) return 0;
  const auto parent = ::fork();
  if (parent == 0) {
    begins([&](bool is_there) {
      (void)!::write(ready[1], is_there ? "1" : "0", 1);
      ::pause();
    });
    ::_exit(0);
  }
  char said = 0;
  return ::read(ready[0], &said, 1) == 1 && said == '1' ? parent : 0;
}

class SlurmCells : public ::testing::Test {
 protected:
  void SetUp() override {
    if (slurm().empty()) GTEST_SKIP() << "tests/support/private-slurm runs it";
    ::setenv("PATCHLAB_CACHE", (slurm() / "cache").c_str(), 1);
    ::setenv("SLURM_LABELIO", "1", 1);  // somebody's wish for jobs of their own: no line would be understood
    ASSERT_TRUE(comes(
        "the node to be idle",
        [] {
          return output_of({"sinfo", "--noheader", "--partition=lab", "--format=%T"}) == "idle\n";
        },
        std::chrono::seconds(60)));
  }
  static void kill_daemon(const std::string& name) {
    const auto text = read_file(slurm() / "run" / (name + ".pid")).value_or("");
    int pid = 0;
    std::from_chars(text.data(), text.data() + text.size(), pid);
    ASSERT_GT(pid, 0);
    ASSERT_EQ(::kill(pid, SIGKILL), 0);
    ASSERT_TRUE(test::ends_soon(pid));
  }
};

TEST_F(SlurmCells, SayWhereTheyAreAndAnswerFromTheirNamespaces) {
  OneCell cell("places", 600);
  const auto place = cell.place();
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_TRUE(cell::is_here(*place));
  EXPECT_NE(place->job, "");
  EXPECT_EQ(place->processors, 1U);
  EXPECT_EQ(place->host_class, cell::host_class(PATCHLAB_PROGRAM, host_processes()));
  EXPECT_THAT(place->accelerator, AnyOf("kvm", "tcg"));
  const auto error = cell.answer();
  EXPECT_THAT(error.message, ::testing::Not(HasSubstr("is gone"))) << "that is no answer";
  EXPECT_NE(error.message, "");
  cell.client->close();
  cell.expect_gone();
  cell.expect_not_in_queue();
}

TEST_F(SlurmCells, WhatTheNodeDoesNotSeeIsAMistakeOfTheSite) {
  OneCell cell("sees", 600);
  cell.question.files.emplace_back("/no/such/image.qcow2");
  const auto place = cell.place();
  ASSERT_FALSE(place);
  EXPECT_EQ(place.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(place.error().message, HasSubstr("'/no/such/image.qcow2' is not there on node '"));
  cell.client->close();
  cell.expect_not_in_queue();
}

TEST_F(SlurmCells, BringTheirImagesByDigestBeforeTheySayWhereTheyAre) {
  const auto image = tests::put_image(slurm() / "cache", tests::noise(512U << 10U, 1));
  const auto published = lab::content::publish(image, slurm() / "content", {});
  ASSERT_TRUE(published) << published.error().message;
  const auto images = slurm() / "images";
  const auto folder = images / published->digest;
  OneCell cell("brings", 600, "lab", std::chrono::seconds(12),
               {folder / "disk.qcow2", folder / "kernel", folder / "initrd"});
  cell.question.files.push_back(folder / "disk.qcow2");
  cell.question.content = {{slurm() / "content", {}}, images, {published->digest}};
  const auto place = cell.place();
  ASSERT_TRUE(place) << place.error().message;
  EXPECT_THAT(cell.told(), HasSubstr("on node '" + place->host + "': image 'dns': 0.5 of 0.5 MiB were fetched"));
  EXPECT_EQ(read_file(folder / "disk.qcow2").value(), read_file(image.disk).value());
  EXPECT_TRUE(cell.client->images_again());
  // As long as the cell lives, nobody removes or exchanges them.
  EXPECT_FALSE(FileLock::take(images / (published->digest + ".lock"), FileLock::Mode::exclusive, FileLock::at_once()));
  fs::permissions(folder / "kernel", fs::perms::owner_all);
  std::ofstream(folder / "kernel") << "another";  // the same file: the cell has that mounted
  const auto changed = cell.client->images_again();
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(changed.error().message, HasSubstr("kernel' has changed"));
  cell.client->close();

  OneCell other("brings-not", 600);
  other.question.content = {{slurm() / "content", {}}, images, {sha256("another")}};
  const auto none = other.place();
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().error_class, ErrorClass::configuration);
  EXPECT_THAT(none.error().message, HasSubstr("has no image of content digest " + sha256("another")));
  EXPECT_THAT(none.error().hint, HasSubstr("patchlab content publish"));
  other.client->close();
  other.expect_not_in_queue();
}

TEST_F(SlurmCells, TwoThatDoNotFitAreNotTogether) {
  OneCell first("first", 2500);
  ASSERT_TRUE(first.place());
  OneCell second("second", 2500);
  auto waits = std::async(std::launch::async, [&] { return second.place(); });
  EXPECT_TRUE(comes(
      "Slurm's reason", [&] { return second.launch->waits_for({}).find("Resources") != std::string::npos; },
      std::chrono::seconds(20)));
  EXPECT_EQ(waits.wait_for(std::chrono::seconds(3)), std::future_status::timeout) << "it runs beside the first";
  first.client->close();
  const auto place = waits.get();
  EXPECT_TRUE(place) << place.error().message;
}

TEST_F(SlurmCells, CancellingEndsAWaitForANode) {
  OneCell first("runs", 2500);
  ASSERT_TRUE(first.place());
  OneCell second("waits", 2500);
  auto waits = std::async(std::launch::async, [&] { return second.place(); });
  EXPECT_TRUE(comes(
      "the second to be in the queue", [] { return queue().find("waits PENDING") != std::string::npos; },
      std::chrono::seconds(20)));
  second.client->close();
  EXPECT_FALSE(waits.get());
  second.expect_not_in_queue();
}

TEST_F(SlurmCells, WhatSlurmDoesToThemIsToldInItsWord) {
  const auto node = output_of({"sinfo", "--noheader", "--format=%n"});
  const auto host = node.substr(0, node.find('\n'));
  const auto told = [](const std::string& name, const std::function<void()>& happens) {
    OneCell cell(name, 600);
    EXPECT_TRUE(cell.place());
    happens();
    const auto error = cell.end();
    EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
    cell.expect_gone();
    return error.message;
  };
  EXPECT_THAT(told("cancelled",
                   [] {
                     output_of({"scancel", "--name=patchlab-r1-cancelled"});
                   }),
              HasSubstr(": CANCELLED"));
  EXPECT_THAT(told("preempted",
                   [] {
                     OneCell urgent("urgent", 3900, "urgent");
                     EXPECT_TRUE(urgent.place());
                   }),
              HasSubstr(": PREEMPTED"));
  EXPECT_THAT(told("failed",
                   [&] {
                     output_of({"scontrol", "update", "nodename=" + host, "state=down", "reason=test"});
                   }),
              HasSubstr(": NODE_FAIL"));
  output_of({"scontrol", "update", "nodename=" + host, "state=resume"});
}

TEST_F(SlurmCells, KillingSrunEndsThem) {
  OneCell cell("srun", 600);
  ASSERT_TRUE(cell.place());
  for (const auto pid : processes_with("job-name=patchlab-r1-srun")) {
    if (test::process_state(pid).parent == ::getpid()) ::kill(pid, SIGKILL);
  }
  const auto error = cell.end();
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  EXPECT_THAT(error.message, HasSubstr("srun ended: killed by signal 9"));
  cell.expect_gone();
  cell.expect_not_in_queue();
}

TEST_F(SlurmCells, EndByThemselvesWhenNobodyIsHeardAnyMore) {
  const auto parent = parent_that([](const auto& stays) {
    OneCell cell("unheard", 600, "lab", std::chrono::seconds(3));
    const bool is_there = cell.place().has_value();
    stays(is_there);
  });
  ASSERT_GT(parent, 0);
  // All of srun at once, so that none of it can tell Slurm of the other; then who would.
  ::kill(parent, SIGSTOP);
  const auto srun = processes_with("job-name=patchlab-r1-unheard");
  for (const int signal : {SIGSTOP, SIGKILL}) {
    for (const auto pid : srun) ::kill(pid, signal);
  }
  std::this_thread::sleep_for(std::chrono::seconds(1));
  EXPECT_FALSE(processes_with((slurm() / "cells" / "unheard").string()).empty())
      << "then Slurm noticed, and this tests nothing";
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  // Long before Slurm misses its srun: see InactiveLimit.
  EXPECT_TRUE(comes(
      "the cell to end", [] { return processes_with((slurm() / "cells" / "unheard").string()).empty(); },
      std::chrono::seconds(10)));
  output_of({"scancel", "--name=patchlab-r1-unheard"});  // else the next test waits for that
}

TEST_F(SlurmCells, OneThatWasStoppedAnswersNothingMore) {
  OneCell cell("stopped", 600, "lab", std::chrono::seconds(60));
  const auto place = cell.place();
  ASSERT_TRUE(place) << place.error().message;
  output_of({"scontrol", "suspend", place->job});
  ASSERT_TRUE(comes(
      "the job to be suspended", [] { return queue().find("stopped SUSPENDED") != std::string::npos; },
      std::chrono::seconds(20)));
  // Slurm says so before it is: first it asks with SIGTSTP, and stops two seconds later.
  const auto is_stopped = [] {
    auto processes = processes_with((slurm() / "cells" / "stopped").string());
    for (const auto srun : processes_with("job-name=patchlab-r1-stopped")) std::erase(processes, srun);
    return std::ranges::any_of(processes, [](int pid) { return test::process_state(pid).state == 'T'; });
  };
  ASSERT_TRUE(comes("the cell to be stopped", is_stopped, std::chrono::seconds(30)));
  std::this_thread::sleep_for(std::chrono::seconds(6));  // less than the silence that it would not bear
  ASSERT_TRUE(comes(
      "the cell to go on",
      [&] {
        output_of({"scontrol", "resume", place->job});  // one that comes too early is lost
        return !is_stopped();
      },
      std::chrono::seconds(30)));
  const auto error = cell.end();
  EXPECT_EQ(error.error_class, ErrorClass::infrastructure);
  EXPECT_THAT(error.message, HasSubstr("; patchlab: error: the cell was stopped for "));
  cell.expect_gone();
  cell.expect_not_in_queue();
}

TEST_F(SlurmCells, KillingWhoStartedThemLeavesNothingBehind) {
  const auto parent = parent_that([](const auto& stays) {
    OneCell runs("of-parent", 2500);
    bool is_there = runs.place().has_value();
    OneCell waits("of-parent-too", 2500);
    is_there &= comes(
        "the second to be in the queue", [] { return queue().find("of-parent-too PENDING") != std::string::npos; },
        std::chrono::seconds(20));
    stays(is_there);
  });
  ASSERT_GT(parent, 0);
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  EXPECT_TRUE(comes(
      "srun and cells to be gone", [] { return processes_with("of-parent").empty(); }, std::chrono::seconds(30)));
  EXPECT_TRUE(comes(
      "their jobs to be gone, by InactiveLimit of slurm.conf",
      [] { return queue().find("of-parent") == std::string::npos; }, std::chrono::seconds(60)));
}

// packaging/slurm/patchlab-node-health, with a doctor that says what the test wants.
TEST_F(SlurmCells, ANodeThatTheDoctorRefusesIsDrainedUntilThatIsMended) {
  const auto folder = slurm() / "doctor";
  ASSERT_TRUE(create_folders(folder));
  const auto look = [&](const std::string& doctor) {
    const auto program = folder / "patchlab";
    EXPECT_TRUE(write_file_atomically(program, "#!/bin/sh\n" + doctor + "\n"));
    fs::permissions(program, fs::perms::owner_all);
    ProcessSpec spec;
    spec.program = PATCHLAB_SOURCE_DIR "/packaging/slurm/patchlab-node-health";
    spec.extra_environment["PATH"] = folder.string() + ":/usr/bin:/bin";
    EXPECT_TRUE(run_for_output(host_processes(), spec));
    auto state = output_of({"sinfo", "--noheader", "--partition=lab", "--format=%T|%E"});
    std::erase(state, '*');  // it did not respond yet since that changed
    return state;
  };
  EXPECT_THAT(look("echo 'ok    qemu      8.0'; echo 'fail  fence     no /dev/net/tun'; exit 2"),
              ::testing::StartsWith("drained|patchlab doctor: fail fence no /dev/net/tun"));
  EXPECT_THAT(look("exit 0"), ::testing::StartsWith("idle|none"));
  const auto node = output_of({"sinfo", "--noheader", "--format=%n"});
  output_of({"scontrol", "update", "nodename=" + node.substr(0, node.find('\n')), "state=drain", "reason=new disk"});
  EXPECT_THAT(look("exit 0"), ::testing::StartsWith("drained|new disk")) << "somebody else's reason";
  EXPECT_THAT(look("exit 2"), ::testing::StartsWith("drained|new disk"));
  output_of({"scontrol", "update", "nodename=" + node.substr(0, node.find('\n')), "state=resume"});
}

// The last one: nobody starts them again.
TEST_F(SlurmCells, KillingTheDaemonsLeavesNothingBehind) {
  OneCell first("slurmd", 600), second("slurmctld", 600);
  ASSERT_TRUE(first.place());
  ASSERT_TRUE(second.place());
  kill_daemon("slurmd");
  EXPECT_THAT(first.answer().message, ::testing::Not(HasSubstr("is gone"))) << "its step goes on without it";
  first.client->close();
  first.expect_gone();
  kill_daemon("slurmctld");
  EXPECT_THAT(second.answer().message, ::testing::Not(HasSubstr("is gone"))) << "its step goes on without it";
  second.client->close();
  second.expect_gone();
}

}  // namespace
}  // namespace patchlab::runners::host
