// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The scripts themselves, run by a shell of this host: whatever one of their tools does, it is noticed.
#include <gmock/gmock.h>

#include <fstream>
#include <regex>

#include "lab/core/files.hpp"
#include "lab/guest/debian_scripts.hpp"
#include "tests/support/shell_guest.hpp"

namespace patchlab::lab::guest {
namespace {
namespace fs = std::filesystem;

constexpr const char* shell = "/bin/sh";

// How a tool of the guest behaves.
struct Way {
  const char* name;
  const char* script;  // $real: the tool itself
};
constexpr Way usual{"as usual", "exec \"$real\" \"$@\""};
constexpr Way broken[] = {{"ends badly", "exit 3"},
                          {"ends badly after its answer", "\"$real\" \"$@\"; exit 3"},
                          {"prints garbage", "echo garbage"},
                          {"prints nothing", "exit 0"}};

class DebianScripts : public testing::TestWithParam<bool>, public test::ShellGuest {
 protected:
  DebianScripts()
      : ShellGuest({{"/run/systemd/system", "systemd"},
                    {"/run/log/journal", "no-journal"},
                    {"/var/log", "log"},
                    {"/proc/1/task/1/children", "children"},
                    {"/proc/sys/kernel/osrelease", "release"},
                    {"/proc/sys/kernel/version", "version"},
                    {"/boot/", "boot/"}},
                   {"tools"}) {
    for (const char* name : {"tools", "real", "log", "boot"}) fs::create_directories(folder_ / name);
    if (GetParam()) fs::create_directories(folder_ / "systemd");
    fs::create_directories(folder_ / "log/journal");
    write("children", "163 ");
    write("log/named.log", "named[163]: error: no zone\n");
    write("boot/vmlinuz-6.1.0-28-amd64", "");
    write("release", "6.1.0-28-amd64\n");
    write("version", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.119-1 (2024-11-22)\n");
    // What depends on the host is said by tools of ours.
    says("ip", "[]");
    says("dmesg", "<6>[    0.000000] Linux version 6.1.0-28-amd64");
    says("df", "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 2000 500 1500 25% /");
    says("apt-get", "Reading package lists...");
    says("dpkg", "");
    says("journalctl", "named[163]: error: no zone either");
    write_program("real/systemctl",
                  "#!/bin/sh\ncase $1 in list-units) echo 'named.service loaded active running BIND';;\n"
                  "*) printf 'LoadState=loaded\\nActiveState=active\\nSubState=running\\n\\n';; esac\n");
    for (const auto& tool : tools_of_this_host()) behaves(tool, usual);
    fs::remove(folder_ / "used");
  }
  void says(const std::string& tool, const std::string& text) const {
    write_program("real/" + tool, "#!/bin/sh\ncat <<'END'\n" + text + "\nEND\n");
  }

  // Every word of the scripts that is a program here and not the shell's own.
  std::set<std::string> tools_of_this_host() const {
    std::string words;
    const std::string text = std::string(scripts::host_state) + scripts::in_effect;
    const std::regex word("[a-z][a-z0-9-]*");
    std::set<std::string> all;
    for (std::sregex_iterator it(text.begin(), text.end(), word), end; it != end; ++it) all.insert(it->str());
    for (const auto& one : all) words += " " + one;
    ProcessSpec spec;
    spec.program = shell;
    spec.arguments = {"-c", "for word in" + words + "; do case $(command -v $word) in /*) echo $word;; esac; done"};
    spec.extra_environment["PATH"] = (folder_ / "real").string() + ":/usr/bin:/bin:/usr/sbin:/sbin";
    std::istringstream found(host_processes().run(spec).output);
    std::set<std::string> tools;
    for (std::string line; std::getline(found, line);) tools.insert(line);
    return tools;
  }
  void behaves(const std::string& tool, const Way& way) const {
    const auto real = fs::exists(folder_ / "real" / tool) ? (folder_ / "real" / tool).string() : "";
    write_program("tools/" + tool,
                  fmt::format("#!{0}\necho {1} >>'{2}/used'\nPATH=/usr/bin:/bin:/usr/sbin:/sbin\nreal={3}\n"
                              "[ -n \"$real\" ] || real=$(command -v {1})\n{4}\n",
                              shell, tool, folder_.string(), real, way.script));
  }
  std::set<std::string> used() const {
    std::ifstream file(folder_ / "used");
    std::set<std::string> names;
    for (std::string line; std::getline(file, line);) names.insert(line);
    return names;
  }

  // ls always ends badly: processes end while it looks. No error in the journal and nothing that dpkg complains of are
  // answers, and of apt-get only the exit code is one.
  static bool is_an_answer(const std::string& tool, const char* way) {
    if (tool == "ls") return way == broken[1].name;
    if (tool == "journalctl" || tool == "dpkg") return way == broken[3].name;
    return tool == "apt-get" && (way == broken[2].name || way == broken[3].name);
  }

  // "fine", or why not: an error, or what cannot be told. Other processes of this host come and go.
  std::string look() {
    const auto state = adapter_->host_state({"named"});
    if (!state) return state.error().message;
    std::string text;
    for (const auto& [name, why] : state->absent_sources) text += name + ": " + why + "; ";
    const auto effect = adapter_->not_in_effect({{"linux-image-6.1.0-28-amd64:amd64", "6.1.119-1"}});
    if (!effect) return effect.error().message;
    for (const auto& kind : state->error_kinds) {
      if (kind.find("garbage") != std::string::npos) text += "another error is logged";
    }
    if (state->services.at("named") != "running" && GetParam()) text += "named does not run";
    const auto packages = state->facts.find("package system");
    if (packages == state->facts.end() || packages->second != "works") text += "the package system does not work";
    if (effect->unseen.contains("kernel") || effect->pending.contains("kernel")) text += "another kernel";
    return text.empty() ? "fine" : text;
  }
};

TEST_P(DebianScripts, NoticeEachToolThatIsMissingOrBroken) {
  ASSERT_EQ(look(), "fine");
  const auto tools = used();
  ASSERT_GE(tools.size(), 6U) << testing::PrintToString(tools);
  for (const auto& tool : tools) {
    fs::remove(folder_ / "tools" / tool);
    EXPECT_NE(look(), "fine") << tool << " is missing";
    for (const auto& way : broken) {
      if (is_an_answer(tool, way.name)) continue;
      behaves(tool, way);
      EXPECT_NE(look(), "fine") << tool << " " << way.name;
    }
    behaves(tool, usual);
  }
  EXPECT_EQ(look(), "fine");
}

TEST_P(DebianScripts, NoticeEachFileThatCannotBeRead) {
  ASSERT_EQ(look(), "fine");
  for (const char* name : {"children", "release", "version"}) {
    const auto file = folder_ / name;
    const auto text = read_file(file).value_or("");
    if (GetParam() && std::string_view(name) == "children") continue;  // systemd is asked instead
    for (const char* instead : {"", "garbage in it\n"}) {
      write(name, instead);
      EXPECT_NE(look(), "fine") << name << ": '" << instead << "'";
    }
    fs::remove(file);
    EXPECT_NE(look(), "fine") << name << " is missing";
    write(name, text);
  }
}

INSTANTIATE_TEST_SUITE_P(Inits, DebianScripts, testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "Systemd" : "Sysvinit"; });

}  // namespace
}  // namespace patchlab::lab::guest
