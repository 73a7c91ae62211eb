// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/host/executor.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "lab/core/json.hpp"

namespace patchlab::runners::host {
namespace {

constexpr std::uint32_t beside_each_machine_mib = 300;  // QEMU itself: its heap, video memory, translated code
constexpr std::uint32_t of_the_cell_mib = 512;          // the cell with libvirt, and check workers

// After the deadline of a run: the trial that is under way then goes on to its end.
constexpr std::chrono::minutes after_the_deadline{60};
constexpr std::int64_t longest_minutes = 30L * 24 * 60;

constexpr const char* schema_name = "patchlab/executor/v1";

// Those that choose a node or say who pays. All others change what patchlab relies on, or what it asks for by itself.
constexpr std::array passed_on{
    "--account",  "--comment", "--constraint", "--exclude",     "--exclusive",        "--gres", "--licenses", "--nice",
    "--nodelist", "--prefer",  "--qos",        "--reservation", "--threads-per-core", "--tmp",  "--wckey"};

// srun takes what stands behind any other without a value for it, and that may be the program.
constexpr std::array without_value{"--exclusive", "--nice"};

std::string wrong_option(const std::string& option) {
  const auto end = option.find('=');
  const auto name = option.substr(0, end);
  if (std::ranges::find(passed_on, name) != passed_on.end()) {
    const bool has_value = end != std::string::npos && end + 1 < option.size();
    if (has_value || (end == std::string::npos && std::ranges::find(without_value, name) != without_value.end()))
      return {};
    return fmt::format("'{}' has no value: write {}=VALUE", option, name);
  }
  return fmt::format("'{}' is no option of srun that may be given here; allowed are {}, with their values behind '='",
                     option, fmt::join(passed_on, ", "));
}

std::string wrong_path(const std::string& text) {
  return std::filesystem::path(text).is_absolute() ? "" : "must be an absolute path: nodes have their own folders";
}

std::optional<ImageContent> content_of(JsonReader& reader) {
  const bool is_wanted = reader.has("content") || reader.has("images") || reader.has("ca_bundle");
  if (!is_wanted) return std::nullopt;
  ImageContent content;
  content.source.from = reader.text("content", lab::content::wrong_with_source);
  content.images = reader.text("images", wrong_path);
  content.source.ca = reader.text_or("ca_bundle", "", wrong_path);
  return content;
}

}  // namespace

Result<Executor> read_executor(const std::filesystem::path& file) {
  PATCHLAB_ASSIGN(const auto json, read_json_file(file));
  std::vector<JsonProblem> problems;
  JsonReader reader(json, "", problems);
  Executor executor;
  const auto one_of = [](const char* only) {
    return [only](const std::string& text) { return text == only ? "" : fmt::format("must be '{}'", only); };
  };
  reader.text("schema", one_of(schema_name));
  reader.text("kind", one_of("slurm"));
  executor.partition = reader.text_or("partition", "", not_empty("the partition's name; without it, Slurm's default"));
  executor.cpus = static_cast<std::uint32_t>(reader.integer_or("cpus", executor.cpus, 1, 1024));
  if (const auto minutes = reader.integer_or("time_limit_minutes", 0, 1, longest_minutes); minutes > 0)
    executor.time_limit_minutes = static_cast<std::uint32_t>(minutes);
  executor.options = reader.texts_or_empty("options", wrong_option);
  executor.content = content_of(reader);
  reader.finish();
  if (!problems.empty()) return problems_error(file.string(), problems);
  return executor;
}

std::uint32_t memory_of(const cell::CellJob& job) {
  auto mib = of_the_cell_mib;
  for (const auto& machine : job.machines) mib += machine.plan.memory_mib + beside_each_machine_mib;
  return mib;
}

CellRequest request_of(const Executor& executor, const cell::CellJob& job) {
  const auto most = std::chrono::ceil<std::chrono::minutes>(job.policy.run_deadline) + after_the_deadline;
  return {executor.cpus, memory_of(job),
          executor.time_limit_minutes.value_or(static_cast<std::uint32_t>(most.count()))};
}

Result<void> check_time_limit(const Executor& executor, Milliseconds run_deadline) {
  if (!executor.time_limit_minutes || std::chrono::minutes(*executor.time_limit_minutes) >= run_deadline) return {};
  return configuration_error(
      fmt::format(
          "Slurm would end jobs after {} minutes (\"time_limit_minutes\" of the executor), and the run may take "
          "{} s (\"run_deadline_s\" of the scenario's \"trial\")",
          *executor.time_limit_minutes, run_deadline.count() / 1000),
      "raise the first, or leave it out, or lower the second");
}

std::string job_name(const std::string& run, const std::string& department) {
  return fmt::format("patchlab-{}-{}", run, department);
}

}  // namespace patchlab::runners::host
