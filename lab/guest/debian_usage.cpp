// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/debian_usage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <sstream>
#include <vector>

namespace patchlab::lab::guest::debian {

// Files are read with getline, which takes it well when a process has ended meanwhile; when it ends between being opened
// and being read, awk ends, having said nothing yet, and all is read again. `ls` says that, too, and goes on. Processes of the kernel have no files of their own; what asks here is left out.
const char* const usage_script = R"sh(mark=$1
LC_ALL=C; export LC_ALL
processes() {
ls -U /proc/[0-9]*/fd 2>/dev/null | awk -v self=$$ '
function line_of(file,   line) { if ((getline line < file) < 0) return ""; close(file); return line }
/^\/proc\/[0-9]+\/fd:$/ { split($0, part, "/"); pid = part[3]; files[pid] = 0; next }
NF { ++files[pid] }
END {
  for (pid in files) {
    stat = line_of("/proc/" pid "/stat")
    rest = stat
    if (!sub(/^.*\) /, "", rest)) continue
    at = index(stat, "(")
    name = substr(stat, at + 1, length(stat) - length(rest) - at - 2)
    split(rest, field, " ")
    if (pid == 2 || field[2] == 2 || pid == self || field[2] == self) continue
    if (split(line_of("/proc/" pid "/statm"), pages, " ") < 3) continue
    file = "/proc/" pid "/cgroup"
    while ((getline line < file) > 0) if (match(line, /\/[^\/]+\.service/)) name = substr(line, RSTART + 1, RLENGTH - 1)
    close(file)
    file = "/proc/" pid "/limits"; most = ""
    while (most == "" && (getline line < file) > 0)
      if (line ~ /^Max open files/) { split(line, word, " "); most = word[4] }
    close(file)
    gsub(/[^A-Za-z0-9@._:+-]/, "_", name)
    memory[name] += (pages[2] - pages[3]) * 4; tasks[name] += field[18]; open[name] += files[pid]
    all_tasks += field[18]; all_files += files[pid]
    left = most - files[pid]
    if (most ~ /^[0-9]+$/ && (!(name in room) || left < room[name])) room[name] = left
  }
  for (name in memory) print "service", memory[name], tasks[name], open[name], (name in room) ? room[name] : "-", name
  while ((getline line < "/proc/meminfo") > 0) {
    split(line, word, " ")
    if (word[1] == "MemTotal:") total = word[2]
    if (word[1] == "MemAvailable:") print "memory", total - word[2], word[2]
  }
  print "tasks", all_tasks, line_of("/proc/sys/kernel/threads-max") - all_tasks
  print "files", all_files
  count = 0
  while ((getline line < "/proc/net/tcp") > 0) { split(line, word, " "); count += word[4] == "01" }
  while ((getline line < "/proc/net/tcp6") > 0) { split(line, word, " "); count += word[4] == "01" }
  print "connections", count
}'
}
echo "$mark usage"
processes || processes || processes || echo "$mark failed"
echo "$mark space"
df -P -k -l -x tmpfs -x devtmpfs -x iso9660 -x squashfs || echo "$mark failed"
echo "$mark logs"
du -s -b /var/log /run/log 2>/dev/null
echo "$mark end"
)sh";

namespace {

std::vector<std::string> words_in(const std::string& line) {
  std::istringstream stream(line);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::optional<double> number_in(const std::string& word) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return static_cast<double>(value);
}

template <class Read>
bool all_lines(const std::string& text, Read read) {
  std::istringstream stream(text);
  bool understood = true;
  for (std::string line; std::getline(stream, line);) understood = understood && read(words_in(line));
  return understood;
}

bool read_usage(const std::vector<std::string>& words, Usage& usage) {
  std::vector<double> numbers;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const auto number = number_in(words[i]);
    if (number)
      numbers.push_back(*number);
    else if (words[0] != "service" || i < 4)
      return false;
  }
  if (words.empty()) return false;
  if (words[0] == "service" && words.size() == 6) {
    const auto& name = words[5];
    usage.amounts[{Resource::memory, name}] = numbers[0];
    usage.amounts[{Resource::tasks, name}] = numbers[1];
    usage.amounts[{Resource::open_files, name}] = numbers[2];
    if (const auto room = number_in(words[4])) usage.room[{Resource::open_files, name}] = *room;
    return true;
  }
  if (words[0] == "memory" && words.size() == 3) {
    usage.amounts[{Resource::memory, ""}] = numbers[0];
    usage.room[{Resource::memory, ""}] = numbers[1];
    return true;
  }
  if (words[0] == "tasks" && words.size() == 3) {
    usage.amounts[{Resource::tasks, ""}] = numbers[0];
    usage.room[{Resource::tasks, ""}] = numbers[1];
    return true;
  }
  if (words.size() != 2) return false;
  if (words[0] == "files") usage.amounts[{Resource::open_files, ""}] = numbers[0];
  if (words[0] == "connections") usage.amounts[{Resource::connections, ""}] = numbers[0];
  return words[0] == "files" || words[0] == "connections";
}

// Filesystem, blocks, used, available, capacity, mount point.
bool read_space(const std::vector<std::string>& words, Usage& usage) {
  if (words.size() == 7 && words[0] == "Filesystem") return true;
  if (words.size() < 6) return false;
  const auto used = number_in(words[2]), available = number_in(words[3]);
  if (!used || !available) return false;
  auto mount = words[5];
  for (std::size_t i = 6; i < words.size(); ++i) mount += "_" + words[i];
  usage.amounts[{Resource::disk, mount}] = *used;
  usage.room[{Resource::disk, mount}] = *available;
  return true;
}

}  // namespace

Result<Usage> usage(const std::map<std::string, std::string>& sections) {
  Usage found;
  if (sections.contains("failed") || !sections.contains("end")) return guest_error("the answer is not whole");
  const auto text = [&](const char* name) {
    const auto section = sections.find(name);
    return section == sections.end() ? std::string{} : section->second;
  };
  const bool understood = all_lines(text("usage"), [&](const auto& words) { return read_usage(words, found); }) &&
                          all_lines(text("space"), [&](const auto& words) { return read_space(words, found); }) &&
                          all_lines(text("logs"), [&](const auto& words) {
                            const auto bytes = words.size() == 2 ? number_in(words[0]) : std::nullopt;
                            if (bytes) found.amounts[{Resource::logs, ""}] += *bytes / 1024;
                            return bytes.has_value();
                          });
  if (!understood) return guest_error("the answer is not understood");
  const auto has = [&](Resource resource, bool of_something) {
    return std::ranges::any_of(found.amounts, [&](const auto& one) {
      return one.first.resource == resource && one.first.of.empty() != of_something;
    });
  };
  for (const auto resource :
       {Resource::memory, Resource::tasks, Resource::open_files, Resource::connections, Resource::logs}) {
    if (!has(resource, false)) return guest_error("the answer does not tell what the machine uses up");
  }
  if (!has(Resource::memory, true) || !has(Resource::disk, true))
    return guest_error("the answer names no service or no file system");
  return found;
}

}  // namespace patchlab::lab::guest::debian
