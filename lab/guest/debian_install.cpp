// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/debian_install.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <sstream>

#include "lab/core/json.hpp"
#include "lab/guest/debian_parse.hpp"

namespace patchlab::lab::guest::debian {

namespace install_scripts {

// Mounting is retried: a changed medium is seen by the guest a moment later. apt's lists are put where it looks for
// those of this source, so that nothing has to be fetched. The marks of what was installed automatically are a copy:
// naming a package on the command line would make it one that somebody asked for, and production's would not be.
// Everything else of the machine's own apt is in force: preferences, holds, hooks.
const char* const prepare = R"sh(mark=$1; shift
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
medium=/run/patchlab/medium; work=/run/patchlab/apt
rm -rf "$work"; mkdir -p "$medium" "$work/lists/partial" "$work/archives/partial"
tries=0
until mount -o ro /dev/sr0 "$medium" 2>"$medium.trouble"; do
  tries=$((tries + 1))
  if [ "$tries" -ge 20 ]; then cat "$medium.trouble"; exit 240; fi
  sleep 0.25
done
leave() { echo "$2"; umount "$medium"; exit "$1"; }
command -v apt-get >/dev/null || leave 242 'it has no apt-get'
[ -f "$medium/Packages" ] && [ -f "$medium/patchlab-files" ] || leave 241 'it has no index of packages'
cp "$medium/Packages" "$work/lists/_run_patchlab_medium_._Packages"
[ ! -f /var/lib/apt/extended_states ] || cp /var/lib/apt/extended_states "$work/extended_states"
echo 'deb [trusted=yes] file:/run/patchlab/medium ./' >"$work/sources.list"
cat >"$work/apt.conf" <<'END'
Dir::Etc::sourcelist "/run/patchlab/apt/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::lists "/run/patchlab/apt/lists";
Dir::State::extended_states "/run/patchlab/apt/extended_states";
Dir::Cache::archives "/run/patchlab/apt/archives";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Get::Assume-Yes "true";
Acquire::Languages "none";
DPkg::Lock::Timeout "120";
DPkg::Use-Pty "false";
DPkg::Options:: "--force-confold";
DPkg::Options:: "--force-confdef";
END
: >"$work/asked"
echo "$mark asked"
for file; do
  [ -f "$medium/$file" ] || leave 241 "it has no file '$file'"
  found=
  while read -r name package version architecture; do
    [ "$name" = "$file" ] || continue
    found=yes
    echo "$package $version $architecture"
    case $architecture in all) echo "$package=$version" ;; *) echo "$package:$architecture=$version" ;; esac >>"$work/asked"
  done <"$medium/patchlab-files"
  [ "$found" ] || leave 241 "its index does not name '$file'"
done
echo "$mark simulation"
apt-get -c "$work/apt.conf" -q -s install $(cat "$work/asked") 2>&1; code=$?
echo "$mark end $code"
exit 0
)sh";

const char* const install =
    R"sh(export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true UCF_FORCE_CONFFOLD=1 LC_ALL=C.UTF-8
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
medium=/run/patchlab/medium; work=/run/patchlab/apt
: >"$work/begin"
apt-get -c "$work/apt.conf" -q --no-remove install "$@"; code=$?
find /etc -xdev -type f -cnewer "$work/begin" \( -name '*.dpkg-dist' -o -name '*.dpkg-new' -o -name '*.ucf-dist' \) |
  while read -r file; do echo "@@patchlab-kept $file"; done
umount "$medium" || umount -l "$medium"
exit "$code"
)sh";

const char* const leave = "umount /run/patchlab/medium || umount -l /run/patchlab/medium\n";

}  // namespace install_scripts

namespace {

// The simulation changes nothing in the guest: a minute of it is a laboratory that is starved.
constexpr Milliseconds simulation_limit = std::chrono::minutes(5);

bool is_plain(const std::string& name) {
  if (name.empty() || name.front() == '-' || name.front() == '.') return false;
  return std::ranges::all_of(name, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("._+~%:-").find(c) != std::string::npos;
  });
}

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

std::vector<std::string> split_words(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) {
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

struct Simulation {
  std::set<std::string> asked;
  std::string output;
  std::uint32_t code = 0;
};

Result<Simulation> simulation_in(const std::string& text, const std::string& mark) {
  const auto found = sections(text, mark);
  Simulation simulation;
  bool ended = false;
  for (const auto& [name, content] : found) {
    if (name == "simulation") simulation.output = content;
    if (name == "asked") {
      for (const auto& line : lines_of(content)) simulation.asked.insert(line);
    }
    if (name.starts_with("end ")) {
      ended = true;
      simulation.code = static_cast<std::uint32_t>(std::strtoul(name.c_str() + 4, nullptr, 10));
    }
  }
  if (!ended) return guest_error("the answer ends early");
  return simulation;
}

// Lines that only say which configuration files were kept come out of the log.
std::vector<std::string> take_kept(std::string& log) {
  std::vector<std::string> kept;
  std::string rest;
  for (const auto& line : lines_of(log)) {
    if (line.starts_with(install_scripts::kept_mark))
      kept.push_back(line.substr(std::string_view(install_scripts::kept_mark).size()));
    else
      rest += line + '\n';
  }
  log = std::move(rest);
  std::ranges::sort(kept);
  return kept;
}

class Installation {
 public:
  Installation(GuestAgent& agent, Clock& clock, const std::vector<std::string>& file_names, std::stop_token stop)
      : agent_(agent),
        clock_(clock),
        files_(file_names),
        stop_(std::move(stop)),
        doing_(fmt::format("installing {} in '{}'", fmt::join(file_names, ", "), agent.machine())) {}

  Result<InstallOutcome> run(Milliseconds deadline) {
    PATCHLAB_TRY(check_names().while_doing(doing_));
    const auto start = clock_.now();
    PATCHLAB_ASSIGN(auto simulation, simulate(deadline));
    if (simulation.code != 0 && !is_only_about_order(simulation.output)) {
      leave();
      return InstallOutcome{simulation.code, "apt refuses, and nothing was changed:\n" + simulation.output,
                            clock_.now() - start, InstallEnd::failed};
    }
    if (auto exact = compare(simulation); !exact) {
      leave();
      return std::move(exact).error();
    }
    PATCHLAB_ASSIGN(const auto arguments, arguments_for(simulation.asked).while_doing(doing_));
    auto process = agent_.run_detached(arguments + install_scripts::install, deadline, stop_);
    if (!process) return std::move(process).error().while_doing(doing_);
    InstallOutcome outcome{process->exit_code, to_valid_utf8(process->output), clock_.now() - start,
                           process->exit_code == 0 ? InstallEnd::installed : InstallEnd::failed};
    outcome.kept_files = take_kept(outcome.log);
    return outcome;
  }

 private:
  // A medium that stays mounted is in nobody's way but the next medium's.
  void leave() { (void)agent_.run_script(install_scripts::leave, {}, simulation_limit); }

  Result<void> check_names() const {
    if (files_.empty()) return configuration_error("no file to install");
    for (const auto& name : files_) {
      if (!is_plain(name)) return configuration_error(fmt::format("'{}' is not a usable file name", name));
    }
    return {};
  }

  // "set -- 'bind9:amd64=1:2'": what is installed is what was compared, word for word.
  static Result<std::string> arguments_for(const std::set<std::string>& asked) {
    std::string text = "set --";
    for (const auto& line : asked) {
      const auto words = split_words(line);
      if (words.size() != 3 || !std::ranges::all_of(words, is_plain))
        return infrastructure_error(fmt::format("wrong medium: its index says '{}'", to_valid_utf8(line)));
      text += words[2] == "all" ? fmt::format(" '{}={}'", words[0], words[1])
                                : fmt::format(" '{}:{}={}'", words[0], words[2], words[1]);
    }
    return text + "\n";
  }

  Result<Simulation> simulate(Milliseconds deadline) {
    const auto mark = fmt::format("@@patchlab-{:x}", clock_.wall().time_since_epoch().count());
    std::vector<std::string> arguments{mark};
    arguments.insert(arguments.end(), files_.begin(), files_.end());
    auto process = agent_.run_script(install_scripts::prepare, arguments, std::min(deadline, simulation_limit), stop_);
    if (!process) {
      auto error = std::move(process).error().while_doing(doing_);
      // Nothing of the patch has run yet.
      if (error.error_class == ErrorClass::timeout) error.error_class = ErrorClass::infrastructure;
      return error;
    }
    const auto text = to_valid_utf8(process->output);
    switch (process->exit_code) {
      case 0: return simulation_in(text, mark).while_doing(doing_);
      case install_scripts::no_medium:
        return infrastructure_error(
            fmt::format("{}: the medium cannot be mounted: {}", doing_, without_line_end(text)));
      case install_scripts::no_such_file:
        return infrastructure_error(fmt::format("{}: wrong medium: {}", doing_, last_line(text)));
      case install_scripts::no_apt:
        return configuration_error(fmt::format("{}: {}", doing_, last_line(text)),
                                   "packages are installed by the machine's own apt: it must have one");
    }
    return guest_error(fmt::format("{}: exit code {}: {}", doing_, process->exit_code, without_line_end(text)));
  }

  static std::string last_line(const std::string& text) {
    const auto lines = lines_of(text);
    return lines.empty() ? std::string() : lines.back();
  }

  [[nodiscard]] Result<void> compare(const Simulation& simulation) const {
    PATCHLAB_ASSIGN(const auto changes, simulated_changes(simulation.output).while_doing(doing_));
    const auto difference = widening(simulation.asked, changes);
    if (difference.empty()) return {};
    return guest_error(
        fmt::format("set widened on '{}', before anything was changed: {}", agent_.machine(), difference),
        "add it to the candidate or declare it as a prerequisite");
  }

  GuestAgent& agent_;
  Clock& clock_;
  const std::vector<std::string>& files_;
  std::stop_token stop_;
  std::string doing_;
};

}  // namespace

bool is_only_about_order(const std::string& output) {
  bool any = false;
  for (const auto& line : lines_of(output)) {
    if (!line.starts_with("E: ")) continue;
    if (!line.starts_with("E: Conf Broken ") && !line.starts_with("E: Inst Broken ")) return false;
    any = true;
  }
  return any;
}

Result<PackageChanges> simulated_changes(const std::string& output) {
  PackageChanges changes;
  for (const auto& line : lines_of(output)) {
    const auto words = split_words(line);
    const bool installs = words[0] == "Inst";
    if (!installs && words[0] != "Remv" && words[0] != "Purg") continue;
    if (words.size() < 2) return guest_error(fmt::format("apt-get printed an unexpected line: '{}'", line));
    const auto name = words[1].substr(0, words[1].find(':'));
    if (!installs) {
      changes.removed.insert(name);
      continue;
    }
    // Inst NAME [OLD] (NEW ORIGIN, ORIGIN [ARCHITECTURE]) [PROBLEMS]
    const auto open = line.find('(');
    const auto close = line.find("])", open);
    const auto bracket = line.rfind('[', close);
    if (open == std::string::npos || close == std::string::npos || bracket == std::string::npos || bracket < open)
      return guest_error(fmt::format("apt-get printed an unexpected line: '{}'", line));
    const auto version = line.substr(open + 1, line.find(' ', open) - open - 1);
    changes.installed.insert(name + " " + version + " " + line.substr(bracket + 1, close - bracket - 1));
  }
  return changes;
}

std::string widening(const std::set<std::string>& asked, const PackageChanges& changes) {
  std::vector<std::string> parts;
  for (const auto& removed : changes.removed) parts.push_back(fmt::format("apt would remove '{}'", removed));
  for (const auto& one : changes.installed) {
    if (!asked.contains(one)) parts.push_back(fmt::format("apt would install '{}', which nobody asked for", one));
  }
  for (const auto& one : asked) {
    if (!changes.installed.contains(one)) parts.push_back(fmt::format("apt would not install '{}'", one));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

Result<InstallOutcome> install(GuestAgent& agent, Clock& clock, const std::vector<std::string>& file_names,
                               Milliseconds deadline, std::stop_token stop) {
  return Installation(agent, clock, file_names, std::move(stop)).run(deadline);
}

}  // namespace patchlab::lab::guest::debian
