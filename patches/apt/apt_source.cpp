// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/apt_source.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "patches/store/scratch_folder.hpp"

namespace patchlab::patches {
namespace {

namespace fs = std::filesystem;

// Read after the host's own configuration (proxies and credentials stay in force). Hooks of the host have no business
// here. The sandbox user cannot reach folders in somebody's home. Container images switch apt's caches off, which costs
// seconds per call.
constexpr std::string_view configuration = R"(#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
APT::Sandbox::User "root";
Dir::Cache::pkgcache "pkgcache.bin";
Dir::Cache::srcpkgcache "srcpkgcache.bin";
APT::Install-Recommends "false";
APT::Get::Always-Include-Phased-Updates "true";
Acquire::Languages "none";
Acquire::Retries "3";
)";

bool is_list_index(const std::string& name) { return name.ends_with("_InRelease") || name.ends_with("_Release"); }

InstalledSet installed_set(const std::vector<StatusEntry>& entries) {
  InstalledSet set;
  for (const auto& entry : entries) set[entry.package + ":" + entry.architecture] = entry.version;
  return set;
}

std::string specification(const std::string& package, const std::string& version, const std::string& architecture) {
  return architecture == "all" ? fmt::format("{}={}", package, version)
                               : fmt::format("{}:{}={}", package, architecture, version);
}

bool is_same(const AptPackage& offer, const DebFile& deb) {
  return offer.package == deb.package && offer.version == deb.version && offer.architecture == deb.architecture;
}

Result<void> take_in(const fs::path& file, const std::vector<const AptPackage*>& packages, const ContentStore& store) {
  PATCHLAB_ASSIGN(const auto deb, inspect_deb(file));
  for (const auto* offer : packages) {
    if (!is_same(*offer, deb)) continue;
    PATCHLAB_TRY(store.add_file(file, {offer->sha256, offer->bytes}));
    return {};
  }
  return infrastructure_error(fmt::format("apt-get fetched '{}' {}, which nobody asked for", deb.package, deb.version));
}

}  // namespace

AptPaths default_apt_paths() {
  AptPaths paths;
  paths.folder = cache_folder() / "apt";
  return paths;
}

bool lists_are_fresh(const fs::path& lists, std::chrono::system_clock::time_point now, std::chrono::hours age) {
  std::error_code ignored;
  std::chrono::system_clock::time_point newest{};
  for (const auto& entry : fs::directory_iterator(lists, ignored)) {
    struct stat info {};
    if (!is_list_index(entry.path().filename().string()) || ::stat(entry.path().c_str(), &info) != 0) continue;
    if (::access(entry.path().c_str(), R_OK) != 0) return false;
    newest = std::max(newest, std::chrono::system_clock::from_time_t(info.st_ctim.tv_sec));
  }
  return newest + age > now;
}

AptSource::AptSource(ProcessRunner& runner, const ContentStore& store, AptPaths paths,
                     std::function<void(const std::string&)> progress)
    : runner_(runner), store_(store), paths_(std::move(paths)), progress_(std::move(progress)) {}

void AptSource::tell(const std::string& sentence) const {
  if (progress_) progress_(sentence);
}

ProcessSpec AptSource::command(const std::string& program, std::vector<std::string> arguments) const {
  const auto option = [](const std::string& name, const fs::path& value) { return name + "=" + value.string(); };
  ProcessSpec spec;
  spec.program = program;
  spec.arguments = {"-c", (paths_.folder / "apt.conf").string(),    "-o", option("Dir::State", paths_.folder / "state"),
                    "-o", option("Dir::State::lists", lists_),      "-o", option("Dir::Cache", paths_.folder / "cache"),
                    "-o", option("Dir::Log", paths_.folder / "log")};
  spec.arguments.insert(spec.arguments.end(), std::make_move_iterator(arguments.begin()),
                        std::make_move_iterator(arguments.end()));
  spec.extra_environment = {{"LC_ALL", "C.UTF-8"}, {"DEBIAN_FRONTEND", "noninteractive"}};
  spec.time_limit = std::chrono::minutes(15);
  return spec;
}

Result<void> AptSource::prepare(std::stop_token stop) {
  if (!lists_.empty()) return {};
  for (const char* sub : {"state/lists/partial", "cache/archives/partial", "log", "known"}) {
    PATCHLAB_TRY(create_folders(paths_.folder / sub));
  }
  PATCHLAB_TRY(write_file_atomically(paths_.folder / "apt.conf", configuration));
  const auto now = std::chrono::system_clock::now();
  if (lists_are_fresh(paths_.host_lists, now, paths_.fresh_for)) {
    lists_ = paths_.host_lists;
    return {};
  }
  return refresh_lists(stop);
}

// Our own lists, kept between runs. Without a network, old ones are better than none, and the reader is told.
Result<void> AptSource::refresh_lists(std::stop_token stop) {
  PATCHLAB_ASSIGN(const auto lock,
                  FileLock::take(paths_.folder / "lock", FileLock::Mode::exclusive, FileLock::Blocking::yes));
  const auto own = paths_.folder / "state" / "lists";
  lists_ = own;
  if (lists_are_fresh(own, std::chrono::system_clock::now(), paths_.fresh_for)) return {};
  tell("reading package lists from the apt sources");
  // Without this option apt-get ends with 0 although sources could not be reached.
  auto updated =
      run_for_output(runner_, command("apt-get", {"-q", "-o", "APT::Update::Error-Mode=any", "update"}), stop);
  if (updated) return {};
  const auto age = std::chrono::hours(24 * 365);
  for (const auto& old : {own, paths_.host_lists}) {
    if (!lists_are_fresh(old, std::chrono::system_clock::now(), age)) continue;
    lists_ = old;
    notes_.push_back("the apt sources could not be reached; older package lists were used");
    return {};
  }
  lists_.clear();
  return std::move(updated).error().while_doing("reading the apt sources");
}

// Everything besides the image that apt's answer depends on: our settings, the host's, and the package lists.
std::string AptSource::fingerprint() const {
  std::set<std::string> facts;
  std::error_code ignored;
  for (const auto& root : {lists_, paths_.host_configuration}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, ignored)) {
      struct stat info {};
      if (::stat(entry.path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
      facts.insert(
          fmt::format("{} {} {}.{}", entry.path().string(), info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec));
    }
  }
  DigestBuilder builder;
  builder.add(configuration);
  for (const auto& fact : facts) builder.add(fact);
  return builder.finish();
}

// A second or two per image under emulation, so the answer is kept for as long as nothing changes.
Result<std::string> AptSource::simulate_upgrade(const AptImage& image, const std::string& status,
                                                std::stop_token stop) {
  DigestBuilder key;
  key.add("patchlab/apt-upgrade/v1").add(fingerprint()).add(status);
  const auto note = paths_.folder / "known" / ("upgrade-" + key.finish());
  if (auto known = read_file(note)) return std::move(*known);
  const auto spec = command("apt-get", {"-o", "Dir::State::status=" + image.dpkg_status.string(), "-o",
                                        "Debug::NoLocking=true", "-q", "-s", "-y", "--with-new-pkgs", "upgrade"});
  PATCHLAB_ASSIGN(
      auto output,
      run_for_output(runner_, spec, stop).while_doing(fmt::format("finding updates for image '{}'", image.name)));
  PATCHLAB_TRY(write_file_atomically(note, output));
  return output;
}

Result<std::vector<ImageUpdates>> AptSource::updates_of(const std::vector<AptImage>& images, std::stop_token stop) {
  std::vector<ImageUpdates> all;
  for (const auto& image : images) {
    PATCHLAB_ASSIGN(const auto text, read_file(image.dpkg_status));
    auto status = parse_dpkg_status(text);
    if (!status) return std::move(status).error().while_doing("'" + image.dpkg_status.string() + "'");
    PATCHLAB_ASSIGN(const auto output, simulate_upgrade(image, text, stop));
    PATCHLAB_ASSIGN(auto updates, parse_simulation(output));
    all.push_back({installed_set(*status), std::move(updates)});
  }
  return all;
}

Result<std::vector<AptPackage>> AptSource::describe(const std::vector<std::string>& specifications,
                                                    std::stop_token stop) {
  if (specifications.empty()) return std::vector<AptPackage>{};
  std::vector<std::string> arguments{"-q", "show"};
  arguments.insert(arguments.end(), specifications.begin(), specifications.end());
  PATCHLAB_ASSIGN(const auto output, run_for_output(runner_, command("apt-cache", std::move(arguments)), stop));
  return parse_show(output);
}

// One apt-get call for everything that is not in the store yet.
Result<void> AptSource::fetch(const std::vector<const AptPackage*>& packages, std::stop_token stop) {
  std::vector<std::string> arguments{"-q", "download"};
  std::uint64_t bytes = 0;
  for (const auto* package : packages) {
    if (store_.contains(package->sha256) && store_.verified_path(package->sha256)) continue;
    arguments.push_back(specification(package->package, package->version, package->architecture));
    bytes += package->bytes;
  }
  if (arguments.size() == 2) return {};
  tell(fmt::format("fetching {} packages ({:.1f} MB) from the apt sources", arguments.size() - 2,
                   static_cast<double>(bytes) / 1e6));
  PATCHLAB_ASSIGN(const auto scratch, ScratchFolder::create(paths_.folder / "incoming"));
  auto spec = command("apt-get", std::move(arguments));
  spec.working_folder = scratch.path();
  PATCHLAB_TRY(run_for_output(runner_, spec, stop).while_doing("fetching packages"));
  for (const auto& entry : fs::directory_iterator(scratch.path())) {
    if (entry.path().extension() == ".deb") PATCHLAB_TRY(take_in(entry.path(), packages, store_));
  }
  for (const auto* package : packages) {
    if (!store_.contains(package->sha256)) {
      return infrastructure_error(fmt::format("apt-get did not fetch '{}' {}", package->package, package->version));
    }
  }
  return {};
}

Result<AptAnswer> AptSource::candidates(const std::vector<AptImage>& images, const AptRequest& request,
                                        std::stop_token stop) {
  notes_.clear();
  PATCHLAB_TRY(prepare(stop));
  PATCHLAB_ASSIGN(const auto updates, updates_of(images, stop));
  std::set<std::string> wanted;
  for (const auto& image : updates) {
    for (const auto& update : image.updates)
      wanted.insert(specification(update.package, update.after, update.architecture));
  }
  PATCHLAB_ASSIGN(const auto offers, describe({wanted.begin(), wanted.end()}, stop));
  PATCHLAB_ASSIGN(const auto groups, group_updates(updates, offers));
  auto selected = select_groups(groups, request);
  std::vector<const AptPackage*> files;
  for (const auto& group : selected.groups) {
    for (const auto& package : group.packages) files.push_back(&package);
  }
  PATCHLAB_TRY(fetch(files, stop));
  AptAnswer answer;
  for (const auto& group : selected.groups) answer.candidates.push_back(candidate_of(group));
  answer.notes = std::move(notes_);
  answer.notes.insert(answer.notes.end(), selected.notes.begin(), selected.notes.end());
  return answer;
}

fs::path AptSource::note_of(const std::string& name, const std::string& version,
                            const std::string& architecture) const {
  return paths_.folder / "known" / sha256(name + " " + version + " " + architecture);
}

Result<CandidateFile> AptSource::package(const std::string& name, const std::string& version,
                                         const std::string& architecture, std::stop_token stop) {
  const auto note = note_of(name, version, architecture);
  if (const auto digest = read_file(note, 4096)) {
    if (const auto path = store_.verified_path(*digest)) {
      PATCHLAB_ASSIGN(const auto deb, inspect_deb(*path));
      return candidate_file(deb);
    }
  }
  PATCHLAB_TRY(prepare(stop));
  auto offers = describe({specification(name, version, architecture)}, stop);
  const auto is_it = [&](const AptPackage& p) {
    return p.package == name && p.version == version && p.architecture == architecture;
  };
  const auto found = offers ? std::find_if(offers->begin(), offers->end(), is_it) : std::vector<AptPackage>::iterator{};
  if (!offers || found == offers->end()) {
    return configuration_error(fmt::format("the apt sources do not offer '{}' {} ({})", name, version, architecture),
                               "the golden image holds an older version: rebuild it with 'patchlab image build'");
  }
  PATCHLAB_TRY(fetch({&*found}, stop));
  PATCHLAB_TRY(write_file_atomically(note, found->sha256));
  PATCHLAB_ASSIGN(const auto deb, inspect_deb(store_.path_of(found->sha256)));
  return candidate_file(deb);
}

}  // namespace patchlab::patches
