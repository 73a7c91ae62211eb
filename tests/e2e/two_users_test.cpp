// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <regex>

#include "lab/core/digest.hpp"
#include "lab/core/paths.hpp"
#include "lab/core/time.hpp"
#include "lab/image/golden_image.hpp"
#include "lab/process/child.hpp"
#include "patches/store/content_store.hpp"
#include "program.hpp"
#include "promotion/chain/chain.hpp"
#include "promotion/desk/run_statements.hpp"
#include "promotion/handover/message.hpp"
#include "promotion/stage/manifest.hpp"
#include "promotion/stage/stage_proof.hpp"
#include "tests/support/sample_record.hpp"

// A lab and a desk as two users of this host, set up by the documented command: real users, real sudo, in a mount
// namespace whose /etc is a copy.
namespace patchlab::e2e {
namespace {

namespace fs = std::filesystem;
using namespace promotion;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* lab_user = "patchlab";
constexpr const char* desk_user = "patchlab-promote";

class TwoUsers : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root: it makes two users in a mount namespace of its own";
    for (const char* program : {"sudo", "visudo", "useradd", "usermod", "setpriv"}) {
      if (exit_code(shell(fmt::format("command -v {}", program))) != 0) GTEST_SKIP() << "there is no " << program;
    }
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
      GTEST_SKIP() << "cannot have a mount namespace of its own: " << std::strerror(errno);
    ::chmod(root().c_str(), 0755);
    ok("mkdir etc home && cp -a /etc/. etc/ && mount --bind etc /etc");
    if (exit_code(shell("grep -q '^includedir\\|^@includedir\\|^#includedir' /etc/sudoers")) != 0)
      GTEST_SKIP() << "this sudo reads no folder of rules";
    ok(fmt::format("! getent passwd {0} || userdel {0}; ! getent passwd {1} || userdel {1}", lab_user, desk_user));
    ok(fmt::format("useradd --system --no-log-init --user-group --create-home --home-dir {}/home/lab {}",
                   root().string(), lab_user));
    // Installed as an administrator does.
    ok(fmt::format("install -D -m 0755 {} bin/patchlab && install -D -m 0755 {} bin/ended_run", PATCHLAB_PROGRAM,
                   PATCHLAB_ENDED_RUN));
    ok("install -d -m 0755 srv");
    const auto applied = shell(set_up() + " --apply");
    ASSERT_EQ(exit_code(applied), 0) << applied.output << applied.errors;
    // The lab: its cache, its runs, a run that has passed.
    ok(fmt::format("install -d -o {0} -g {0} -m 0700 lab lab/cache lab/runs", lab_user));
    for (const auto& candidate : record_.candidates)
      ASSERT_TRUE(patches::ContentStore(root() / "lab/cache/store").add_bytes("content of " + candidate.id, "sample"));
    record_.id = "r-first";
    record_.started = record_.finished = rfc3339(std::chrono::system_clock::now());
    for (auto& machine : record_.departments[0].machines)
      machine.golden_digest = machine.golden_digest_after = add_image(machine.golden);
    write_record();
    before_ = ledger_text();
  }
  ~TwoUsers() override {
    if (::geteuid() == 0) static_cast<void>(shell("umount /etc; chmod -R u+w ."));
  }

  // A golden image as a lab has it, in its cache; the digest of its contents.
  [[nodiscard]] std::string add_image(const std::string& name) const {
    lab::image::GoldenImage image;
    image.digest = sha256("recipe of " + name);
    image.name = name;
    image.role = "dns";
    image.memory_mib = 256;
    image.built = "2026-11-28T02:00:00Z";
    const auto folder = images() / image.digest;
    EXPECT_TRUE(create_folders(folder));
    for (const char* file : {"disk.qcow2", "dpkg-status", "initrd", "kernel"}) {
      EXPECT_TRUE(write_file_atomically(folder / file, name + " " + file));
      image.sha256[file] = sha256(name + " " + file);
    }
    const auto text = pretty(Json(image));
    EXPECT_TRUE(write_file_atomically(folder / "image.json", text));
    ok(fmt::format("chmod 0444 {0}/* && chmod 0555 {0}", folder.string()));
    return sha256(text);
  }
  [[nodiscard]] fs::path images() const { return root() / "lab/cache/images"; }
  // What docs/two-users.md says: the desk may read the images, and nothing else of the lab.
  void let_the_desk_read_the_images() const {
    ok(fmt::format("chgrp {} lab lab/cache lab/cache/images && chmod 0710 lab lab/cache && chmod 0750 lab/cache/images",
                   desk_user));
  }
  [[nodiscard]] ProcessOutcome promote(const std::string& more = {}) const {
    return as(desk_user, fmt::format("cd / && {} promote r-first --stage {} --runs {} {}", program(), stage().string(),
                                     desk_runs().string(), more));
  }
  [[nodiscard]] std::string from_the_lab() const { return "--lab-cache " + (root() / "lab/cache").string(); }

  void write_record() {
    ASSERT_TRUE(reports::write_run_record(record_, root() / "lab" / (record_.id + ".json")));
    ok(fmt::format("chown -R {0}:{0} lab", lab_user));
  }
  [[nodiscard]] const fs::path& root() const { return folder_.path(); }
  [[nodiscard]] fs::path stage() const { return root() / "srv/production"; }
  [[nodiscard]] fs::path desk_runs() const { return root() / "home/desk/runs"; }
  [[nodiscard]] std::string program() const { return (root() / "bin/patchlab").string(); }
  [[nodiscard]] std::string set_up(const std::string& more = {}) const {
    return fmt::format("{} stage setup --stage {} --lab {} --user {} --home {}/home/desk --runs {} {}", program(),
                       stage().string(), lab_user, desk_user, root().string(), desk_runs().string(), more);
  }
  [[nodiscard]] std::string take() const {
    return fmt::format("{} ledger take --stage {} --runs {}", program(), stage().string(), desk_runs().string());
  }
  [[nodiscard]] std::string desk() const { return fmt::format("sudo -n -u {} {}", desk_user, take()); }

  [[nodiscard]] ProcessOutcome shell(const std::string& command, const std::string& input = {}) const {
    ProcessSpec spec;
    spec.program = "/bin/sh";
    spec.arguments = {"-c", command};
    spec.working_folder = root();
    spec.input = input;
    spec.time_limit = std::chrono::minutes(2);
    return host_processes().run(spec);
  }
  void ok(const std::string& command) const {
    const auto outcome = shell(command);
    ASSERT_EQ(exit_code(outcome), 0) << command << ": " << outcome.output << outcome.errors;
  }
  [[nodiscard]] ProcessOutcome as(const std::string& user, const std::string& command,
                                  const std::string& input = {}) const {
    ProcessSpec spec;
    spec.program = "setpriv";
    spec.arguments = {"--reuid",        user,   "--regid", user, "--init-groups", "--inh-caps=-all",
                      "--bounding-set", "+all", "/bin/sh", "-c", command};
    spec.working_folder = root();
    spec.input = input;
    spec.time_limit = std::chrono::minutes(2);
    const auto home = root() / "home" / (user == lab_user ? "lab" : "desk");
    spec.extra_environment = {{"HOME", home.string()}, {"PATCHLAB_CACHE", ""}};
    if (user == lab_user) spec.extra_environment["PATCHLAB_CACHE"] = (root() / "lab/cache").string();
    return host_processes().run(spec);
  }
  [[nodiscard]] ProcessOutcome ended_run(const std::string& desk) const {
    return as(lab_user, fmt::format("cd lab && PATCHLAB_DESK='{}' ../bin/ended_run {}.json {} runs", desk, record_.id,
                                    stage().string()));
  }
  [[nodiscard]] std::string ledger_text() const {
    const auto file = stage() / chain_folder_name / chain_file_name;
    return is_there(file) ? read_file(file).value() : std::string();
  }
  // All that is there: names, owners, modes, bytes.
  [[nodiscard]] std::string everything() const {
    return shell(
               fmt::format(
                   "cd {0} && find . -printf '%p %u %g %m %l\\n' | sort; find . -type f -exec sha256sum {{}} + | sort",
                   stage().string()))
        .output;
  }
  [[nodiscard]] std::vector<std::string> kinds() const {
    std::vector<std::string> all;
    const auto state = Chain(stage() / chain_folder_name).read();
    EXPECT_TRUE(state) << state.error().message;
    for (const auto& line : state.value_or({}).lines) all.emplace_back(to_string(line.kind));
    return all;
  }

  const TemporaryFolder folder_;
  reports::RunRecord record_ = tests::good_record();
  std::string before_;
};

TEST_F(TwoUsers, ARunIsHandedOverAndAnotherUserPromotesIt) {
  const auto health = shell(fmt::format("{} doctor --stage {} --lab {}", program(), stage().string(), lab_user));
  EXPECT_EQ(exit_code(health), 0) << health.output;
  EXPECT_THAT(health.output, HasSubstr("'patchlab' cannot write it"));

  const auto alone = as(lab_user, fmt::format("cd lab && ../bin/ended_run r-first.json {} runs", stage().string()));
  EXPECT_NE(exit_code(alone), 0);
  EXPECT_THAT(alone.errors, HasSubstr("nothing was started"));
  EXPECT_THAT(alone.errors, HasSubstr("is written by 'patchlab-promote'"));
  EXPECT_THAT(alone.errors, HasSubstr("PATCHLAB_DESK"));
  EXPECT_THAT(kinds(), IsEmpty());

  const auto run = ended_run(desk());
  ASSERT_EQ(exit_code(run), 0) << run.output << run.errors;
  EXPECT_THAT(kinds(), ElementsAre("begin", "run"));
  EXPECT_FALSE(is_there(stage() / "finance")) << "only people promote here";

  // The lab's user may read it: he is in the group.
  const auto explained = as(lab_user, fmt::format("{} verify {}", program(), stage().string()));
  EXPECT_THAT(explained.output + explained.errors, Not(HasSubstr("Permission denied")));

  const auto not_his =
      as(lab_user, fmt::format("cd lab && {} promote r-first --stage {}", program(), stage().string()));
  EXPECT_NE(exit_code(not_his), 0);
  EXPECT_THAT(kinds(), ElementsAre("begin", "run"));

  // Whoever cannot look at what a run would start from today does not promote.
  const auto without = promote();
  EXPECT_EQ(exit_code(without), 5) << without.output << without.errors;
  EXPECT_THAT(without.output, HasSubstr("stale: "));
  EXPECT_THAT(without.output, HasSubstr("when another user runs the lab, its cache is named with --lab-cache"));
  const auto closed = promote(from_the_lab());
  EXPECT_EQ(exit_code(closed), 5) << closed.output << closed.errors;
  EXPECT_THAT(closed.output, HasSubstr("Permission denied"));
  let_the_desk_read_the_images();
  // Whatever the lab does next, and whoever is first.
  const auto looked =
      as(lab_user, fmt::format("PATCHLAB_CACHE={}/lab/cache {} image list", root().string(), program()));
  ASSERT_EQ(exit_code(looked), 0) << looked.output << looked.errors;
  // An image is what its bytes are, whatever image.json says of them; another one is another one.
  const auto disk = shell(fmt::format("ls -d {}/*/disk.qcow2 | head -n1", images().string())).output;
  const auto file = disk.substr(0, disk.find('\n'));
  ok(fmt::format("cp -p {0} kept && chmod u+w {0} && echo more >>{0} && chmod a-w {0}", file));
  const auto edited = promote(from_the_lab());
  EXPECT_EQ(exit_code(edited), 5) << edited.output << edited.errors;
  EXPECT_THAT(edited.output, HasSubstr("'disk.qcow2' has changed"));
  ok(fmt::format("cp -p kept {}", file));
  ok(fmt::format("mv {} newer", fs::path(file).parent_path().string()));
  const auto gone = promote(from_the_lab());
  EXPECT_EQ(exit_code(gone), 5) << gone.output << gone.errors;
  EXPECT_THAT(gone.output, HasSubstr("there is no golden image"));
  ok(fmt::format("mv newer {}", fs::path(file).parent_path().string()));
  EXPECT_FALSE(is_there(stage() / "finance"));

  const auto promoted = promote(from_the_lab());
  ASSERT_EQ(exit_code(promoted), 0) << promoted.output << promoted.errors;
  EXPECT_THAT(kinds(), ElementsAre("begin", "run", "promote-refused", "promote-refused", "promote-begun",
                                   "promote-switched", "promote-done"));
  const auto proof = prove_stage(stage());
  ASSERT_TRUE(proof) << proof.error().message;
  EXPECT_TRUE(proof->is_proven());
  for (const char* user : {lab_user, desk_user, "root"}) {
    const auto verified = as(user, fmt::format("{} verify {}", program(), stage().string()));
    EXPECT_EQ(exit_code(verified), 0) << user << verified.output << verified.errors;
  }
  const auto again = shell(fmt::format("{} doctor --stage {} --lab {}", program(), stage().string(), lab_user));
  EXPECT_EQ(exit_code(again), 0) << again.output;
}

TEST_F(TwoUsers, TheLabCannotWriteStageOrLedger) {
  ASSERT_EQ(exit_code(ended_run(desk())), 0);
  let_the_desk_read_the_images();
  ASSERT_EQ(exit_code(promote(from_the_lab())), 0);
  const auto before = everything();
  const auto object = Chain(stage() / chain_folder_name).read().value().lines.front().object;
  const std::vector<std::string> tries{
      "echo x >>.ledger/ledger.jsonl",
      ": >.ledger/ledger.jsonl",
      "truncate -s 10 .ledger/ledger.jsonl",
      "rm -f .ledger/ledger.jsonl",
      "sed -i s/run/xxx/ .ledger/ledger.jsonl",
      "mv .ledger .ledger2",
      "mv ../production ../production2",
      "mv ../production /tmp/",
      "rm -rf .ledger/objects/" + object,
      "echo x >.ledger/objects/" + object,
      "chmod u+w .ledger/objects/" + object,
      "chmod -R go+w .",
      "chown -R patchlab .",
      "ln -s /etc/passwd .ledger/objects/" + std::string(64, 'a'),
      "ln .ledger/ledger.jsonl .ledger/second",
      "touch .ledger/heads/9",
      "echo x >.ledger/head",
      "mkdir .ledger/policy",
      "mkdir .ledger/trust",
      "ln -sfn /tmp finance",
      "rm -f finance",
      "mv finance finance2",
      "mkdir sales",
      "rm -rf .versions",
      "echo x >.versions/x",
      "find . -type f -exec sh -c 'echo x >>\"$1\"' sh {} \\; ; find . -type f -newer /etc/hostname -writable | grep .",
      "mkdir ../other && mv ../other ../production",
      "setfacl -m u:patchlab:rwx .",
      "flock -n .ledger/ledger.jsonl -c 'echo x >.ledger/lock'",
  };
  for (const auto& one : tries) {
    const auto tried = as(lab_user, fmt::format("cd {} && {}", stage().string(), one));
    EXPECT_NE(exit_code(tried), 0) << one << tried.output;
    EXPECT_EQ(everything(), before) << one;
  }
  // As the other user only that one command, with exactly these words.
  const std::vector<std::string> commands{
      fmt::format("sudo -n -u {} {} promote r-first --stage {} --runs {}", desk_user, program(), stage().string(),
                  desk_runs().string()),
      desk() + " --promote",
      desk() + " --sign-with /etc/passwd",
      fmt::format("sudo -n -u {} {} ledger take --stage /tmp --runs {}", desk_user, program(), desk_runs().string()),
      fmt::format("sudo -n -u {} {} ledger take", desk_user, program()),
      fmt::format("sudo -n -u {} {} ledger", desk_user, program()),
      fmt::format("sudo -n -u {} sh -c id", desk_user),
      fmt::format("sudo -n -u {} -s", desk_user),
      fmt::format("sudo -n -u root {}", take()),
      fmt::format("sudo -n -u {} PATCHLAB_CACHE=/tmp {}", desk_user, take()),
      fmt::format("sudo -n -E -u {} {}", desk_user, take()),
      fmt::format("sudoedit -n -u {} {}/.ledger/ledger.jsonl", desk_user, stage().string()),
  };
  for (const auto& one : commands) {
    const auto tried = as(lab_user, one, "");
    EXPECT_NE(exit_code(tried), 0) << one << tried.output;
    EXPECT_THAT(tried.errors, HasSubstr("sudo")) << one << " was stopped by something else";
    EXPECT_EQ(everything(), before) << one;
  }
}

// A desk on another host, with the lines that the setup prints: its sshd lets the lab's key do that one thing.
TEST_F(TwoUsers, ADeskIsReachedBySsh) {
  for (const char* program : {"/usr/sbin/sshd", "/usr/bin/ssh", "/usr/sbin/ip"}) {
    if (!is_there(program)) GTEST_SKIP() << program << " is not installed";
  }
  // The other host is a network of our own: its ports are nobody else's.
  if (::unshare(CLONE_NEWNET) != 0) GTEST_SKIP() << "cannot have a network of its own: " << std::strerror(errno);
  ok("ip link set lo up && mkdir -p /run/sshd && install -d -m 0700 home/lab/.ssh home/desk/.ssh");
  ok("ssh-keygen -q -t ed25519 -N '' -f host_key && ssh-keygen -q -t ed25519 -N '' -f home/lab/.ssh/id_ed25519");
  ok("ssh-keygen -q -t ed25519 -N '' -f of_others && cp of_others.pub home/desk/.ssh/authorized_keys");
  ok(
      fmt::format("printf 'Host *\\n Hostname 127.0.0.1\\n Port 2222\\n HostKeyAlias desk\\n' >home/lab/.ssh/config && "
                  "chown -R {0}:{0} home/lab/.ssh",
                  lab_user));
  const auto by_ssh = fmt::format(
      "{} stage setup --stage {} --ssh home/lab/.ssh/id_ed25519.pub --user {} --home {}/home/desk --runs {}", program(),
      stage().string(), desk_user, root().string(), desk_runs().string());
  const auto applied = shell(by_ssh + " --apply");
  ASSERT_EQ(exit_code(applied), 0) << applied.output << applied.errors;
  EXPECT_EQ(shell(by_ssh).output, applied.output) << "what is done already stays";
  ok("test $(wc -l <home/desk/.ssh/authorized_keys) = 2");
  std::smatch desk;
  ASSERT_TRUE(std::regex_search(applied.output, desk, std::regex("PATCHLAB_DESK='(ssh [^']*)'"))) << applied.output;
  folder_.write("sshd_config", fmt::format("ListenAddress 127.0.0.1:2222\nHostKey {}/host_key\nPidFile none\n"
                                           "UsePAM no\nPasswordAuthentication no\n",
                                           root().string()));
  ProcessSpec sshd;
  sshd.program = "/usr/sbin/sshd";
  sshd.arguments = {"-D", "-e", "-f", (root() / "sshd_config").string()};
  const auto server = ChildProcess::start(sshd, root() / "sshd_log");
  ASSERT_TRUE(server) << server.error().message;
  ok("for i in $(seq 600); do grep -q 'Server listening' sshd_log && exit 0; sleep 0.1; done; exit 1");

  const auto unknown = ended_run(desk[1]);
  EXPECT_NE(exit_code(unknown), 0);
  EXPECT_THAT(unknown.errors, HasSubstr("Host key verification failed"));
  EXPECT_THAT(kinds(), IsEmpty());
  ok("echo \"desk $(cat host_key.pub)\" >home/lab/.ssh/known_hosts");
  const auto run = ended_run(desk[1]);
  ASSERT_EQ(exit_code(run), 0) << run.output << run.errors;
  EXPECT_THAT(kinds(), ElementsAre("begin", "run"));
  // Whatever else is asked for, that is what is done.
  const auto before = everything();
  const auto other =
      as(lab_user, fmt::format("ssh -o BatchMode=yes {}@desk 'echo x >{}/x; id'", desk_user, stage().string()));
  EXPECT_NE(exit_code(other), 0) << other.output;
  EXPECT_THAT(other.output, Not(HasSubstr("uid=")));
  EXPECT_EQ(everything(), before);
}

// What the lab may call, called with what it may not say.
TEST_F(TwoUsers, TheDeskTakesNothingElse) {
  ASSERT_EQ(exit_code(ended_run(desk())), 0);
  const auto before = ledger_text();
  const auto run_json = read_file(desk_runs() / "r-first/run.json").value();
  const auto begin = to_line(Offer(BeginOffer{planned_subjects(record_), {}})) + "\n";
  const auto end_of = [](const std::string& id, const std::string& bytes) {
    return to_line(Offer(EndOffer{id, sha256(bytes), bytes.size(), true, {}})) + "\n";
  };
  const auto state = Chain(stage() / chain_folder_name).read().value();
  const auto first = Chain(stage() / chain_folder_name).objects().get(state.lines[0].object).value();
  Statement approval;
  approval.kind = StatementKind::approve;
  approval.by = "bob@x";
  approval.subjects = planned_subjects(record_);
  approval.run = sha256(run_json);
  approval.policy = std::string(64, 'a');
  approval.ledger = seen(state.head());
  approval.reason = "read it";
  const auto handed = [](const std::string& statement) { return to_line(HandedStatement{statement, {}}) + "\n"; };
  auto edited = record_;
  edited.peak_memory_kib += 1;
  const auto other = pretty(Json(edited));
  const std::vector<std::pair<std::string, std::string>> tries{
      {"nothing at all", ""},
      {"an approval", begin + handed(write_statement(approval).value())},
      {"the same beginning again", begin + handed(first)},
      {"an end with another record", end_of("r-first", other) + other},
      {"an end of a run that never began", end_of("r-other", run_json) + run_json},
      {"an end whose bytes are others", end_of("r-first", run_json) + std::string(run_json.size(), 'x') + "\n"},
      {"a line that is too long", std::string(3U << 20U, 'x')},
      {"a deep one", std::string(200000, '[') + "\n"},
      {"no JSON", "promote r-first\n"},
      {"half a line", begin.substr(0, begin.size() / 2)},
  };
  for (const auto& [what, input] : tries) {
    const auto tried = as(lab_user, desk(), input);
    EXPECT_NE(exit_code(tried), 0) << what << tried.output;
    EXPECT_THAT(tried.errors, HasSubstr("patchlab: error: ")) << what;
    EXPECT_EQ(ledger_text(), before) << what;
  }
  const auto endless = as(lab_user, "yes | tr -d '\\n' | " + desk());
  EXPECT_EQ(exit_code(endless), 65) << endless.errors;
  const auto zeros = as(lab_user, desk() + " </dev/zero");
  EXPECT_EQ(exit_code(zeros), 65) << zeros.errors;
  EXPECT_EQ(ledger_text(), before);
  // The rest of that desk still works.
  record_.id = "r-second";
  write_record();
  const auto run = ended_run(desk());
  EXPECT_EQ(exit_code(run), 0) << run.output << run.errors;
  EXPECT_THAT(kinds(), ElementsAre("begin", "run", "begin", "run"));
}

TEST_F(TwoUsers, ADeskThatCannotBeReachedIsSaidAndRepaired) {
  const auto nobody = ended_run("sudo -n -u nobody /bin/true");
  EXPECT_NE(exit_code(nobody), 0);
  EXPECT_THAT(nobody.errors, HasSubstr("nothing was started"));
  EXPECT_THAT(nobody.errors, HasSubstr("the desk does not answer"));
  EXPECT_FALSE(is_there(root() / "lab/runs/r-first"));
  // Reached once, and then no more.
  const auto once = root() / "lab/once";
  ok(fmt::format(
      "printf '#!/bin/sh\\n[ ! -e {0}/lab/called ] || exit 7\\ntouch {0}/lab/called\\nexec {1}\\n' >{2} && chmod "
      "755 {2}",
      root().string(), desk(), once.string()));
  const auto run = ended_run(once.string());
  EXPECT_EQ(exit_code(run), 2) << run.output << run.errors;
  EXPECT_THAT(run.errors, HasSubstr("exit code 7"));
  EXPECT_THAT(run.errors, HasSubstr("patchlab ledger hand"));
  EXPECT_TRUE(is_there(root() / "lab/runs/r-first/run.json")) << "what was found is kept";
  EXPECT_THAT(kinds(), ElementsAre("begin"));
  for (int i = 0; i < 2; ++i) {
    const auto hand =
        as(lab_user, fmt::format("cd lab && {} ledger hand r-first --desk '{}' --by lab@x", program(), desk()));
    EXPECT_EQ(exit_code(hand), 0) << hand.errors;
    EXPECT_THAT(kinds(), ElementsAre("begin", "run"));
  }
}

TEST_F(TwoUsers, ADeskThatPromotesDoesWhatThePolicySays) {
  const auto applied = shell(set_up("--promote --apply"));
  ASSERT_EQ(exit_code(applied), 0) << applied.errors;
  const auto run = ended_run(desk() + " --promote");
  ASSERT_EQ(exit_code(run), 0) << run.output << run.errors;
  EXPECT_THAT(kinds(), ElementsAre("begin", "run", "promote-begun", "promote-switched", "promote-done"));
  EXPECT_THAT(run.errors, HasSubstr("finance: promoted"));
  EXPECT_THAT(read_file(root() / "lab/runs/r-first/report.html").value(), HasSubstr("promoted"));
}

// The lab signs what it says, and the desk knows whose key that is.
TEST_F(TwoUsers, TheLabSignsAndTheDeskVerifies) {
  ok(
      fmt::format("for k in root lab/key lab/other; do ssh-keygen -q -t ed25519 -N '' -C k -f $k; done; install -m "
                  "0600 -o {0} root "
                  "root.pub home/desk/; chown {1}:{1} lab/key* lab/other*",
                  desk_user, lab_user));
  const auto at_stage = [&](const std::string& words) {
    return as(desk_user,
              fmt::format("cd {}/home/desk && {} {} --stage {}", root().string(), program(), words, stage().string()));
  };
  const auto added =
      as(desk_user, fmt::format("cd {0}/home/desk && {1} trust add signers lab@x --key {0}/lab/key.pub --may begin,run",
                                root().string(), program()));
  EXPECT_NE(exit_code(added), 0) << "the lab's folder is the lab's";
  ok(fmt::format("install -o {} lab/key.pub home/desk/lab.pub", desk_user));
  const auto listed =
      as(desk_user, fmt::format("cd {}/home/desk && {} trust add signers lab@x --key lab.pub --may begin,run",
                                root().string(), program()));
  ASSERT_EQ(exit_code(listed), 0) << listed.errors;
  const auto signed_list = at_stage("trust sign signers --root root");
  ASSERT_EQ(exit_code(signed_list), 0) << signed_list.errors;

  const auto without = ended_run(desk());
  EXPECT_NE(exit_code(without), 0);
  EXPECT_THAT(without.errors, HasSubstr("is not signed"));
  const auto with = [&](const std::string& key) {
    return as(lab_user,
              fmt::format("cd lab && PATCHLAB_SIGN_WITH={} PATCHLAB_DESK='{}' ../bin/ended_run r-first.json {} runs",
                          key, desk(), stage().string()));
  };
  const auto wrong = with("other.pub");
  EXPECT_NE(exit_code(wrong), 0);
  EXPECT_THAT(wrong.errors, HasSubstr("may sign nothing for this stage"));
  EXPECT_THAT(kinds(), ElementsAre("trust"));
  const auto right = with("key.pub");
  ASSERT_EQ(exit_code(right), 0) << right.output << right.errors;
  EXPECT_THAT(kinds(), ElementsAre("trust", "begin", "run"));
  const auto object = Chain(stage() / chain_folder_name).read().value().lines.back().object;
  ok(
      fmt::format("cd {1} && ssh-keygen -Y verify -f trust/1/allowed_signers -I lab@x -n patchlab.run.v1 -s "
                  "objects/{0}.sig <objects/{0}",
                  object, (stage() / chain_folder_name).string()));
}

// What is printed is what is done, and what would undo it is found.
TEST_F(TwoUsers, WhatDoesNotPartThemIsSaid) {
  const auto printed = shell(set_up());
  EXPECT_EQ(exit_code(printed), 0) << printed.errors;
  EXPECT_THAT(printed.output, HasSubstr(fmt::format("{} ALL=({}) NOPASSWD: {}", lab_user, desk_user, take())));
  EXPECT_THAT(printed.output, HasSubstr("PATCHLAB_DESK='" + desk() + "'"));
  EXPECT_EQ(exit_code(shell(set_up().replace(set_up().find("--lab patchlab "), 15, "--lab root "))), 64);

  ASSERT_EQ(exit_code(ended_run(desk())), 0);
  const auto healthy = [&] {
    return shell(fmt::format("{} doctor --stage {} --lab {}", program(), stage().string(), lab_user));
  };
  ASSERT_EQ(exit_code(healthy()), 0) << healthy().output;
  const std::vector<std::pair<std::string, std::string>> holes{
      {"chmod 0777 srv", "chmod 0755 srv"},
      {"chmod o+w srv/production", "chmod o-w srv/production"},
      {"chown patchlab srv", "chown root srv"},
      {"chown patchlab srv/production/.ledger", "chown patchlab-promote srv/production/.ledger"},
      {"chmod g+w srv/production/.ledger/objects", "chmod g-w srv/production/.ledger/objects"},
      {"chown patchlab srv/production/.ledger/ledger.jsonl",
       "chown patchlab-promote srv/production/.ledger/ledger.jsonl"},
      {"chown patchlab srv/production/.ledger/objects/*", "chown patchlab-promote srv/production/.ledger/objects/*"},
  };
  for (const auto& [open, close] : holes) {
    ok(open);
    const auto found = healthy();
    EXPECT_EQ(exit_code(found), 2) << open << found.output;
    EXPECT_THAT(found.output, HasSubstr("mend: ")) << open;
    ok(close);
    EXPECT_EQ(exit_code(healthy()), 0) << close;
  }
  ok("chown patchlab bin/patchlab");
  const auto program_of_the_lab = shell(set_up("--apply"));
  EXPECT_EQ(exit_code(program_of_the_lab), 78) << program_of_the_lab.output;
  EXPECT_THAT(program_of_the_lab.errors, HasSubstr("install patchlab as root"));
}

}  // namespace
}  // namespace patchlab::e2e
