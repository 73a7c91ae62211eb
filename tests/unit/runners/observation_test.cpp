// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// A verdict is only ever made of observations: a baseline and a trial in which all is well are recorded, then each call
// that they make is failed in turn, in every way. None of them may pass.
#include <gmock/gmock.h>

#include "runners/cell/cell.hpp"
#include "tests/support/debian_guest.hpp"
#include "tests/support/fake_windows.hpp"
#include "tests/support/faulty_hypervisor.hpp"

namespace patchlab::runners::cell {
namespace {
using namespace std::chrono_literals;
using Way = test::FaultyHypervisor::Way;

// A department of one machine and a trial with one update, of one family.
class Department {
 public:
  explicit Department(GuestFamily family) {
    MachineJob machine;
    machine.plan.name = "srv";
    machine.system.family = family;
    job_.department = "finance";
    job_.policy = {.warm_reboots = 1, .cold_reboots = 0, .stability = 20s, .lab_retries = 0};
    job_.policy.boot_timeout = 60s;
    job_.policy.install_timeout = 60s;
    job_.evidence = folder_ / "evidence";
    trial_ = {.id = "finance/t1",
              .purpose = reports::Purpose::batch,
              .candidates = {"update"},
              .set_digest = {},
              .machines = {"srv"}};
    trial_.media["srv"] = "medium.iso";
    lab::MachineSpec spec;
    spec.name = "srv";
    (void)inner_.define(spec);
    job_.machines = {machine};
  }
  virtual ~Department() { std::filesystem::remove_all(folder_); }
  Department(const Department&) = delete;
  Department& operator=(const Department&) = delete;

  reports::TrialRecord prepare() {
    cell_ = std::make_unique<Cell>(
        context_, [](const std::string&) {}, [](const auto&, const auto&, auto&, const auto&) {});
    return cell_->prepare();
  }
  reports::TrialRecord run_trial() { return cell_->run_trial(trial_); }
  test::FaultyHypervisor& faults() { return hypervisor_; }

 protected:
  static std::filesystem::path new_folder() {
    std::string pattern = ::testing::TempDir() + "patchlab-observation-XXXXXX";
    return ::mkdtemp(pattern.data());
  }
  const std::filesystem::path folder_ = new_folder();
  test::FakeClock clock_;
  test::FakeHypervisor inner_;
  test::FaultyHypervisor hypervisor_{inner_, clock_};
  CellJob job_;
  TrialJob trial_;
  CellContext context_{hypervisor_, host_processes(), clock_, job_, Slots(folder_, 2, clock_), [](const Json&) {}, {},
                       "br"};
  std::unique_ptr<Cell> cell_;
};

class DebianDepartment final : public Department {
 public:
  DebianDepartment() : Department(GuestFamily::debian) {
    job_.machines[0].plan.services = {"named"};
    sections = {{"scripts", "0 named\n"}, {"kernels", "6.1.0-28-amd64\n"}};
    trial_.installs["srv"] = {{"update", "digest", {{.file_name = "bind9.deb"}}, {{"bind9:amd64", "2"}}}};
    inner_.on_agent([this](auto&, const auto& command) { return guest_.answer(command); });
    guest_.jobs = [this](const auto&) {
      version_ = "2";
      return test::FakeAgent::Job{0, "Setting up ...\n", 1};
    };
    guest_.programs = [this](const auto& program, const auto& arguments, const auto&) {
      test::FakeAgent::Process process;
      if (program == "/sbin/shutdown") {
        guest_.restart();
        boot();
      } else if (program == "dpkg-query") {
        process.output = "bind9:amd64\t" + version_ + "\tok\tinstalled\n";
      } else if (arguments.size() > 2) {
        process.output = test::debian_answer(arguments[2], sections);
        for (const auto& name : lost) {
          const auto at = process.output.find(arguments[2] + " " + name + "\n");
          const auto next = process.output.find(arguments[2], at + 1);
          process.output.erase(at, next == std::string::npos ? next : next - at);
        }
        for (const auto& name : unreadable) process.output += arguments[2] + " failed " + name + "\nit ended with 1\n";
      }
      return process;
    };
    test::let_idle(guest_, clock_);
    boot();
  }
  // An update whose installer ends well and does nothing.
  void installs_nothing(bool says_what_it_brings) {
    guest_.jobs = [](const auto&) { return test::FakeAgent::Job{0, "Done.\n", 1}; };
    auto& job = trial_.installs["srv"][0];
    job.says_what_it_changes = says_what_it_brings;
    job.expected = says_what_it_brings ? InstalledSet{{"bind9:amd64", "1"}} : InstalledSet{};
  }
  void accepts(const std::string& kind, const std::string& item) {
    job_.machines[0].plan.allowances.findings = {{kind, item, "known"}};
  }
  void stops_at_first_failure() { trial_.stop_at_first_failure = true; }
  void takes_it_away_again() { trial_.purpose = reports::Purpose::removal; }
  std::map<std::string, std::string> sections;
  std::set<std::string> lost;
  std::set<std::string> unreadable;

 private:
  void boot() {
    guest_.files["/proc/sys/kernel/random/boot_id"] = fmt::format("{:08}-3bd4-450d-8146-5cf4ba5f0909\n", ++boots_);
    guest_.files["/run/patchlab-boot-complete"] = "9.1";
  }
  test::FakeAgent guest_;
  std::string version_ = "1";
  int boots_ = 0;
};

class WindowsDepartment final : public Department {
 public:
  WindowsDepartment() : Department(GuestFamily::windows) {
    job_.machines[0].plan.services = {"DNS"};
    job_.machines[0].system = {GuestFamily::windows, "6.2.9200", "amd64"};
    const std::string identity = "Package_for_KB5000001~31bf3856ad364e35~amd64~~6.2.1.0";
    windows.installers["KB5000001.msu"].identity = identity;
    windows.medium.insert("D:KB5000001.msu");
    trial_.installs["srv"] = {
        {"update", "digest", {{.file_name = "KB5000001.msu", .kb = "KB5000001"}}, {{identity, "installed"}}}};
    inner_.on_agent([this](auto&, const auto& command) { return windows.answer(command); });
  }
  test::FakeWindows windows{clock_};
};

std::unique_ptr<Department> department_of(GuestFamily family) {
  switch (family) {
    case GuestFamily::debian: return std::make_unique<DebianDepartment>();
    case GuestFamily::windows: return std::make_unique<WindowsDepartment>();
  }
  return nullptr;
}

// What may fail although all is well: it asks for nothing that a verdict is made of. Whatever is not named here has to
// be answered.
bool asks_for_nothing(const std::string& call) {
  const auto is = [&](std::string_view start) { return call.starts_with(start); };
  return is("guest-file-close") ||  // tidies up after an answer
         is("pause") ||             // saves the host's processor
         is("power_off") ||         // after the trial
         is("delete_snapshot") ||   // saves disk
         is("processor_time") ||    // ends a wait early; who needs it to be seen says so: see the baseline
         is("guest-exec date") ||   // the agent sets the clock where that cannot
         is("guest-file-seek of C:\\patchlab\\patchlab-#-#.out") ||  // what an installer printed
         is("guest-exec-status of date") ||
         is("guest-exec-status of launch of a job") ||                          // files tell whether the job ran
         is("guest-exec-status of C:\\Windows\\System#\\cmd.exe /d /c mkdir");  // the write that follows shows
}
// Replies that are free text, or nothing: the exit code alone tells.
bool is_free_text(const std::string& call) { return call.find("/run/patchlab/job-#-#/out") != std::string::npos; }

// From the first on; from the last on, for one way of each sort. The hypervisor is asked for the state last of all
// before a machine is paused, where it does not matter.
std::set<std::size_t> occurrences(const std::string& call, std::size_t times, Way way, GuestFamily family) {
  if (call == "state" || family == GuestFamily::windows || !(way == Way::refusal || way == Way::garbage)) return {1};
  return {1, times};
}

class Observation : public ::testing::TestWithParam<GuestFamily> {
 protected:
  using Phase = std::function<reports::TrialRecord(Department&)>;

  // Every call of `phase`, which comes after `before`.
  static void fail_each(const std::function<void(Department&)>& before, const Phase& phase,
                        const std::string& also_for_nothing = {}) {
    const auto good = department_of(GetParam());
    before(*good);
    good->faults().record();
    const auto passed = phase(*good);
    ASSERT_EQ(passed.outcome, Outcome::pass)
        << (passed.error ? passed.error->message : "") << ::testing::PrintToString(passed.signature);
    std::map<std::string, std::size_t> calls;
    for (const auto& call : good->faults().calls()) ++calls[call];
    ASSERT_GE(calls.size(), 10U);
    std::size_t tried = 0;
    for (const auto& [call, times] : calls) {
      if (asks_for_nothing(call) || call == also_for_nothing) continue;
      for (const auto way : ways()) {
        if (is_free_text(call) && (way == Way::garbage || way == Way::empty)) continue;
        for (const auto occurrence : occurrences(call, times, way, GetParam())) {
          const auto department = department_of(GetParam());
          before(*department);
          department->faults().fail(call, occurrence, way);
          const auto record = phase(*department);
          if (!department->faults().struck()) continue;
          ++tried;
          EXPECT_NE(record.outcome, Outcome::pass)
              << call << ", " << occurrence << " of " << times << ": " << test::FaultyHypervisor::name_of(way);
        }
      }
    }
    EXPECT_GE(tried, 40U);
  }
  // What is said in the agent's own words is read by one piece of code for all families, and a Windows guest is asked
  // for long.
  static std::vector<Way> ways() {
    if (GetParam() == GuestFamily::windows) return {Way::refusal, Way::bad_end, Way::garbage};
    return {std::begin(test::FaultyHypervisor::ways), std::end(test::FaultyHypervisor::ways)};
  }
  static void up(Department& department) { EXPECT_EQ(department.prepare().outcome, Outcome::pass); }
};

TEST_P(Observation, ThatABaselineCannotMakeIsNoPass) {
  // The state is asked for only before a machine is paused.
  fail_each([](Department&) {}, [](Department& department) { return department.prepare(); }, "state");
}

TEST_P(Observation, ThatATrialCannotMakeIsNoPass) {
  fail_each(up, [](Department& department) { return department.run_trial(); });
}

TEST_P(Observation, OfAGuestThatFallsSilentIsAnErrorThatSaysSo) {
  const auto good = department_of(GetParam());
  up(*good);
  good->faults().record();
  (void)good->run_trial();
  const auto agent_calls = static_cast<std::size_t>(
      std::ranges::count_if(good->faults().calls(), [](const auto& call) { return call.starts_with("guest-"); }));
  for (std::size_t from = 1; from <= agent_calls; from += 1 + agent_calls / 12) {
    const auto department = department_of(GetParam());
    up(*department);
    department->faults().fail("", from, Way::trouble);
    const auto record = department->run_trial();
    EXPECT_EQ(record.outcome, Outcome::error) << from;
    EXPECT_TRUE(record.signature.empty()) << from << ": " << ::testing::PrintToString(record.signature);
  }
}

INSTANTIATE_TEST_SUITE_P(Families, Observation, ::testing::Values(GuestFamily::debian, GuestFamily::windows),
                         [](const auto& parameter) { return std::string(to_string(parameter.param)); });

// What a script of a Debian guest prints, section by section.
TEST(DebianObservation, OfEachPartOfTheHostStateIsNeeded) {
  for (const auto& line : {"lost", "unreadable", "garbage"}) {
    const std::string way = line;
    const auto answer = test::debian_answer("@", {});
    for (auto at = answer.find("@ "); at != std::string::npos; at = answer.find("\n@ ", at)) {
      const auto begin = answer.find("@ ", at) + 2;
      const auto name = answer.substr(begin, answer.find('\n', begin) - begin);
      at = begin;
      if (way == "garbage" && name == "end") continue;  // nothing is read there
      // Only the baseline asks for them: debian_view_test.
      if (way == "lost" && (name == "digests" || name == "texts" || name == "owned")) continue;
      DebianDepartment department;
      EXPECT_EQ(department.prepare().outcome, Outcome::pass);
      if (way == "lost") department.lost.insert(name);
      if (way == "unreadable") department.unreadable.insert(name);
      if (way == "garbage") department.sections[name] = "garbage\n";
      EXPECT_NE(department.run_trial().outcome, Outcome::pass) << name << " " << way;
    }
  }
}

// By what the machine lists at the end of the trial: nothing more is asked of it.
TEST(DebianObservation, OfWhatACandidateBringsIsOnRecord) {
  DebianDepartment department;
  EXPECT_EQ(department.prepare().outcome, Outcome::pass);
  const auto record = department.run_trial();
  EXPECT_EQ(record.outcome, Outcome::pass);
  ASSERT_EQ(record.installs.size(), 1U);
  EXPECT_EQ(record.installs[0].brought,
            std::optional(std::vector<reports::BroughtRecord>{{"bind9:amd64", "1", "2", "2"}}));
  for (const auto& phase : record.phases) EXPECT_THAT(phase.differences, testing::IsEmpty()) << phase.phase;
}

// Installed, and everything is as it was: that a person sees, whether or not it says what it brings.
TEST(DebianObservation, OfACandidateThatChangesNothingIsAFinding) {
  for (const bool says : {true, false}) {
    DebianDepartment department;
    department.installs_nothing(says);
    EXPECT_EQ(department.prepare().outcome, Outcome::pass);
    const auto record = department.run_trial();
    EXPECT_EQ(record.outcome, Outcome::pass);
    std::vector<std::string> seen;
    for (const auto& phase : record.phases) {
      for (const auto& difference : phase.differences)
        seen.push_back(
            fmt::format("{} {} {} {}", phase.phase, to_string(difference.finding), difference.kind, difference.item));
    }
    EXPECT_THAT(seen, testing::ElementsAre("stability review brought update"));
  }
}

std::vector<std::string> brought_in(const reports::TrialRecord& record) {
  std::vector<std::string> phases;
  for (const auto& phase : record.phases) {
    if (std::ranges::count(phase.differences, "brought", &checks::state::StateDifference::kind) > 0)
      phases.push_back(phase.phase);
  }
  return phases;
}

TEST(DebianObservation, OfACandidateThatChangesNothingMayBeAccepted) {
  for (const char* accepted : {"other", "update"}) {
    DebianDepartment department;
    department.installs_nothing(true);
    department.accepts("brought", accepted);
    EXPECT_EQ(department.prepare().outcome, Outcome::pass);
    EXPECT_EQ(brought_in(department.run_trial()).size(), std::string_view(accepted) == "other" ? 1U : 0U);
  }
}

// In the last phase that saw the machine: nobody reads those that were not reached.
TEST(DebianObservation, OfACandidateThatChangesNothingIsToldWhereSomebodyLookedLast) {
  DebianDepartment department;
  department.installs_nothing(true);
  EXPECT_EQ(department.prepare().outcome, Outcome::pass);
  department.stops_at_first_failure();
  department.sections["scripts"] = "3 named\n";
  const auto record = department.run_trial();
  EXPECT_EQ(record.outcome, Outcome::fail);
  EXPECT_THAT(brought_in(record), testing::ElementsAre("after-install"));
}

// What is there last is the baseline again.
TEST(DebianObservation, OfARemovalSaysNothingOfEffects) {
  DebianDepartment department;
  department.installs_nothing(true);
  department.takes_it_away_again();
  EXPECT_EQ(department.prepare().outcome, Outcome::pass);
  EXPECT_THAT(brought_in(department.run_trial()), testing::IsEmpty());
}

// Nobody waits for what is not looked at: the record does not guess.
TEST(DebianObservation, OfATrialThatSawNothingSaysNothingOfEffects) {
  DebianDepartment department;
  EXPECT_EQ(department.prepare().outcome, Outcome::pass);
  department.unreadable.insert("services");
  const auto record = department.run_trial();
  EXPECT_EQ(record.outcome, Outcome::error);
  ASSERT_EQ(record.installs.size(), 1U);
  ASSERT_TRUE(record.installs[0].brought);
  EXPECT_EQ(record.installs[0].brought->at(0).found, std::nullopt);
}

// What the commands of a Windows guest's jobs print, one by one.
TEST(WindowsObservation, OfEachCommandIsNeeded) {
  for (const auto& row : lab::guest::windows::commands()) {
    // The table says what is understood of a reply.
    const std::string understood = row.reply;
    const bool asks = !understood.starts_with("nothing");
    const bool has_text = asks && !understood.starts_with("exit code");
    for (const bool garbage : {false, true}) {
      if (!asks || (garbage && !has_text)) continue;
      WindowsDepartment department;
      department.windows.registry.set("HKLM\\SYSTEM\\CurrentControlSet\\Services\\DHCPServer", "ImagePath", "REG_SZ",
                                      "x");
      EXPECT_EQ(department.prepare().outcome, Outcome::pass);
      if (garbage)
        department.windows.replies[row.command] = "garbage\r\n";
      else
        department.windows.exit_codes[row.command] = 5;  // access denied
      department.windows.carried_out.clear();
      const auto record = department.run_trial();
      if (!department.windows.carried_out.contains(row.command)) continue;
      EXPECT_NE(record.outcome, Outcome::pass) << row.line << (garbage ? ": garbage" : ": ends badly");
    }
  }
}

}  // namespace
}  // namespace patchlab::runners::cell
