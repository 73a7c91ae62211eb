// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "runners/cell/place.hpp"

#include <fmt/ranges.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>
#include <sstream>

#include "checks/worker.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/core/paths.hpp"
#include "lab/libvirt/acceleration.hpp"
#include "lab/libvirt/host_ticks.hpp"
#include "lab/libvirt/hypervisor.hpp"
#include "runners/cell/protocol.hpp"

namespace patchlab::runners::cell {
namespace {

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string variable(const char* name) {
  const auto* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Those that a job got; without limits by the kernel (cgroups, affinity) only Slurm's word tells.
std::size_t processors_of_job() {
  cpu_set_t may{};
  std::size_t count = ::sched_getaffinity(0, sizeof may, &may) == 0 ? static_cast<std::size_t>(CPU_COUNT(&may)) : 1;
  const auto given = variable("SLURM_CPUS_ON_NODE");
  std::size_t number = 0;
  if (std::from_chars(given.data(), given.data() + given.size(), number).ec == std::errc() && number > 0)
    count = std::min(count, number);
  return count;
}

std::string host_name() {
  utsname system{};
  return ::uname(&system) == 0 ? system.nodename : "";
}

}  // namespace

std::string kernel_release() {
  utsname system{};
  return ::uname(&system) == 0 ? fmt::format("{} {}", system.sysname, system.release) : "";
}

std::string processor_model() {
  std::set<std::string> models;
  std::istringstream lines(read_file("/proc/cpuinfo").value_or(""));
  for (std::string line; std::getline(lines, line);) {
    const auto colon = line.find(':');
    if (line.starts_with("model name") && colon != std::string::npos) models.insert(line.substr(colon + 1));
  }
  return fmt::format("{}", fmt::join(models, ","));
}

std::string qemu_version(ProcessRunner& processes) {
  ProcessSpec version;
  version.program = "qemu-system-x86_64";
  version.arguments = {"--version"};
  version.time_limit = std::chrono::seconds(20);
  const auto text = run_for_output(processes, version);
  return text ? first_line(*text) : "";
}

std::string boot_id() { return first_line(read_file("/proc/sys/kernel/random/boot_id").value_or("")); }

std::string network_namespace() {
  struct stat found {};
  return ::stat("/proc/self/ns/net", &found) == 0 ? fmt::format("{}:{}", found.st_dev, found.st_ino) : "";
}

bool is_here(const Place& place) {
  return !place.boot.empty() && place.boot == boot_id() && !place.network.empty() &&
         place.network == network_namespace();
}

std::string HostClass::program_and_hypervisor() const { return program + "\n" + qemu + "\n" + libvirt; }

std::string HostClass::all() const { return program_and_hypervisor() + "\n" + kernel + "\n" + processor; }

HostClass host_class(const std::filesystem::path& program, ProcessRunner& processes) {
  HostClass found;
  found.program = sha256_of_file(program).value_or("");
  if (const auto worker = checks::check_worker_of(program); worker != program && !found.program.empty()) {
    const auto digest = sha256_of_file(worker);
    found.program = digest ? sha256(found.program + "\n" + *digest) : "";
  }
  found.qemu = qemu_version(processes);
  found.libvirt = lab::libvirt::LibvirtHypervisor::library_version();
  found.kernel = kernel_release();
  found.processor = processor_model();
  found.ticks_mhz = lab::libvirt::host_tsc_mhz();
  return found;
}

void to_json(Json& json, const Place& place) {
  const auto& of = place.host_class;
  json = {{"host", place.host},
          {"boot", place.boot},
          {"network", place.network},
          {"job", place.job},
          {"processors", place.processors},
          {"program", of.program},
          {"qemu", of.qemu},
          {"libvirt", of.libvirt},
          {"kernel", of.kernel},
          {"processor", of.processor},
          {"ticks_mhz", of.ticks_mhz},
          {"facts", host_facts_json(place.facts)},
          {"accelerator", place.accelerator},
          {"acceleration", place.acceleration},
          {"now_ms", place.now.count()}};
}

Place place_from_json(const Json& json) {
  Place place;
  place.host = json.at("host");
  place.boot = json.at("boot");
  place.network = json.at("network");
  place.job = json.at("job");
  place.processors = json.at("processors");
  place.host_class = {json.at("program"), json.at("qemu"),      json.at("libvirt"),
                      json.at("kernel"),  json.at("processor"), json.at("ticks_mhz")};
  place.facts = host_facts_from_json(json.at("facts"));
  place.accelerator = json.at("accelerator");
  place.acceleration = json.at("acceleration");
  place.now = Milliseconds(json.at("now_ms").get<std::int64_t>());
  return place;
}

void to_json(Json& json, const PlaceQuestion& question) {
  std::vector<std::string> files;
  for (const auto& file : question.files) files.push_back(file.string());
  json = {{"kernel", question.kernel.string()}, {"files", files}};
  if (!question.content) return;
  json["content"] = {{"from", question.content->source.from},
                     {"ca", question.content->source.ca.string()},
                     {"images", question.content->images.string()},
                     {"digests", question.content->digests}};
}

PlaceQuestion place_question_from_json(const Json& json) {
  PlaceQuestion question;
  question.kernel = json.at("kernel").get<std::string>();
  for (const auto& file : json.at("files")) question.files.emplace_back(file.get<std::string>());
  if (!json.contains("content")) return question;
  const auto& json_content = json.at("content");
  ContentQuestion content;
  content.source.from = json_content.at("from");
  content.source.ca = json_content.at("ca").get<std::string>();
  content.images = json_content.at("images").get<std::string>();
  content.digests = json_content.at("digests").get<std::vector<std::string>>();
  question.content = std::move(content);
  return question;
}

Result<std::vector<lab::content::Fetched>> bring_images(const ContentQuestion& question,
                                                        const std::function<void(const std::string&)>& tell) {
  const auto here = fmt::format("on node '{}'", host_name());
  std::vector<lab::content::Fetched> images;
  auto source = lab::content::open_source(question.source);
  if (!source) return std::move(source).error().while_doing(here);
  for (const auto& digest : question.digests) {
    const auto said = [&](const std::string& sentence) { tell(here + ": " + sentence); };
    auto image = lab::content::fetch(**source, digest, {.images = question.images, .tell = said});
    if (!image) return std::move(image).error().while_doing(here);
    if (!image->was_there) said(lab::content::describe(*image));
    images.push_back(std::move(*image));
  }
  return images;
}

Result<Place> place_here(const PlaceQuestion& question, ProcessRunner& processes) {
  Place place;
  place.host = host_name();
  for (const auto& file : question.files) {
    if (file.empty() || is_there(file)) continue;
    return configuration_error(
        fmt::format("'{}' is not there on node '{}'", file.string(), place.host),
        "a node has to see the program, the cache (PATCHLAB_CACHE), the folder of runs and the images at the same "
        "paths as the host of the run: put them on a file system that both mount");
  }
  place.boot = boot_id();
  place.network = network_namespace();
  place.job = variable("SLURM_JOB_ID");
  place.processors = processors_of_job();
  place.host_class = host_class("/proc/self/exe", processes);
  place.facts = lab::network::collect_host_facts();
  // The cache is that of all nodes, and the next one may answer otherwise.
  const auto acceleration = lab::libvirt::usable_acceleration(
      processes, {.kernel = question.kernel, .cache_folder = cache_folder() / "nodes" / place.host});
  place.accelerator = acceleration.accelerator == lab::Accelerator::kvm ? "kvm" : "tcg";
  place.acceleration = acceleration.reason;
  place.now = system_clock_source().now();
  return place;
}

}  // namespace patchlab::runners::cell
