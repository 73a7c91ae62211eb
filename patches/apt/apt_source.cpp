// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/apt_source.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/file_lock.hpp"
#include "lab/core/files.hpp"
#include "lab/core/held_folder.hpp"
#include "lab/core/json.hpp"
#include "lab/core/paths.hpp"
#include "patches/apt/release.hpp"
#include "patches/apt/solver.hpp"
#include "patches/candidate/deb_facts.hpp"
#include "patches/deb/version.hpp"

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

std::string specification(const std::string& package, const std::string& version, const std::string& architecture) {
  return architecture == "all" ? fmt::format("{}={}", package, version)
                               : fmt::format("{}:{}={}", package, architecture, version);
}

bool is_same(const AptPackage& offer, const DebFile& deb) {
  return offer.package == deb.package && offer.version == deb.version && offer.architecture == deb.architecture;
}

Result<void> take_in(const fs::path& file, const std::vector<const AptPackage*>& packages, const ContentStore& store) {
  PATCHLAB_ASSIGN(const auto deb, DebFacts(store).inspect(file));
  for (const auto* offer : packages) {
    if (!is_same(*offer, deb)) continue;
    PATCHLAB_TRY(store.add_file(file, {offer->sha256, offer->bytes}));
    return {};
  }
  return infrastructure_error(fmt::format("apt-get fetched '{}' {}, which nobody asked for", deb.package, deb.version));
}

// Lines of `apt-config shell`: name='value'; a name that comes several times has as many values.
std::map<std::string, std::vector<std::string>> shell_values(const std::string& text) {
  std::map<std::string, std::vector<std::string>> values;
  for (std::string_view rest = text; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const auto quote = line.find("='");
    if (quote == line.npos || !line.ends_with('\'') || line.size() < quote + 3) continue;
    std::string value(line.substr(quote + 2, line.size() - quote - 3));
    for (auto at = value.find("'\\''"); at != value.npos; at = value.find("'\\''", at + 1)) value.replace(at, 4, "'");
    if (!value.empty()) values[std::string(line.substr(0, quote))].push_back(std::move(value));
  }
  return values;
}

// Changelogs have versions of the source package in their headings.
std::string source_version_of(const std::vector<StatusEntry>& status, const AptUpdate& update) {
  const auto is_it = [&](const StatusEntry& entry) {
    return entry.package == update.package && entry.version == update.before;
  };
  const auto found = std::ranges::find_if(status, is_it);
  return found == status.end() || found->source.version.empty() ? update.before : found->source.version;
}

}  // namespace

bool lists_are_fresh(const fs::path& lists, std::chrono::system_clock::time_point now, std::chrono::hours age) {
  std::chrono::system_clock::time_point newest{};
  for (const auto& entry : entries_of(lists).value_or({})) {
    struct stat info {};
    if (!is_list_index(entry.filename().string()) || ::stat(entry.c_str(), &info) != 0) continue;
    if (::access(entry.c_str(), R_OK) != 0) return false;
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
  PATCHLAB_TRY(find_host(stop).while_doing("reading apt's configuration"));
  const auto now = std::chrono::system_clock::now();
  if (lists_are_fresh(host_lists_, now, paths_.fresh_for)) {
    lists_ = host_lists_;
    return {};
  }
  return refresh_lists(stop);
}

// Which sources apt knows is for apt to say: APT_CONFIG and the files of the host may name any.
Result<void> AptSource::find_host(std::stop_token stop) {
  host_lists_ = paths_.host_lists;
  host_files_ = {paths_.host_configuration};
  host_preferences_ = paths_.host_configuration / "preferences";
  if (!host_lists_.empty() && !paths_.host_configuration.empty()) return {};
  ProcessSpec spec;
  spec.program = "apt-config";
  spec.arguments = {"dump"};
  spec.extra_environment = {{"LC_ALL", "C.UTF-8"}};
  spec.time_limit = std::chrono::minutes(1);
  PATCHLAB_ASSIGN(host_configuration_, run_for_output(runner_, spec, stop));
  spec.arguments = {"shell",
                    "lists",
                    "Dir::State::lists/d",
                    "sources",
                    "Dir::Etc::sourcelist/f",
                    "preferences",
                    "Dir::Etc::preferences/f",
                    "parts",
                    "Dir::Etc::sourceparts/d",
                    "parts",
                    "Dir::Etc::preferencesparts/d"};
  PATCHLAB_ASSIGN(const auto said, run_for_output(runner_, spec, std::move(stop)));
  auto found = shell_values(said);
  if (found["lists"].empty())
    return infrastructure_error("apt-config does not say where package lists are (Dir::State::lists)");
  if (host_lists_.empty()) host_lists_ = found["lists"].front();
  if (!paths_.host_configuration.empty()) return {};
  host_files_.clear();
  for (const auto& [name, values] : found) {
    if (name != "lists") host_files_.insert(host_files_.end(), values.begin(), values.end());
  }
  host_preferences_ = found["preferences"].empty() ? fs::path() : fs::path(found["preferences"].front());
  return {};
}

// Our own lists, kept between runs. Without a network, old ones are better than none, and the reader is told.
Result<void> AptSource::refresh_lists(std::stop_token stop) {
  // Longer than reading package lists takes over a slow line.
  const FileLock::Patience patience{
      .limit = std::chrono::minutes(30), .stop = stop, .waiting = [this](const std::string& holder) {
        tell("waiting for the package lists of " + holder);
      }};
  PATCHLAB_ASSIGN(const auto lock, FileLock::take(paths_.folder / "lock", FileLock::Mode::exclusive, patience));
  const auto own = paths_.folder / "state" / "lists";
  lists_ = own;
  // Lists of other sources say nothing about those of now.
  const auto stamp = paths_.folder / "state" / "lists-of";
  const auto sources = fingerprint(host_files_);
  if (lists_are_fresh(own, std::chrono::system_clock::now(), paths_.fresh_for) &&
      read_file(stamp, 4096).value_or("") == sources)
    return {};
  tell("reading package lists from the apt sources");
  // Without this option apt-get ends with 0 although sources could not be reached.
  auto updated =
      run_for_output(runner_, command("apt-get", {"-q", "-o", "APT::Update::Error-Mode=any", "update"}), stop);
  if (updated) return write_file_atomically(stamp, sources);
  const auto age = std::chrono::hours(24 * 365);
  for (const auto& old : {own, host_lists_}) {
    if (!lists_are_fresh(old, std::chrono::system_clock::now(), age)) continue;
    lists_ = old;
    notes_.push_back("the apt sources could not be reached; older package lists were used");
    return {};
  }
  lists_.clear();
  return std::move(updated).error().while_doing("reading the apt sources");
}

// What apt's answer depends on besides the image: our settings, the host's, and files such as sources and package
// lists.
std::string AptSource::fingerprint(std::vector<fs::path> roots) const {
  std::set<std::string> facts;
  const auto note = [&](const fs::path& file) {
    struct stat info {};
    if (::stat(file.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return;
    facts.insert(fmt::format("{} {} {}.{}", file.string(), info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec));
  };
  std::error_code ignored;
  for (const auto& root : roots) {
    note(root);
    for (const auto& entry :
         fs::recursive_directory_iterator(root, fs::directory_options::skip_permission_denied, ignored))
      note(entry.path());
  }
  DigestBuilder builder;
  builder.add(configuration).add(host_configuration_);
  for (const auto& fact : facts) builder.add(fact);
  return builder.finish();
}

// Where the answer is kept for as long as nothing changes that decides it. `status`: of the image that is asked about.
fs::path AptSource::answer_to(const std::string& program, const std::vector<std::string>& arguments,
                              const std::string& status) const {
  auto roots = host_files_;
  roots.push_back(lists_);
  DigestBuilder key;
  key.add("patchlab/apt-question/v1").add(fingerprint(std::move(roots))).add(status).add(program);
  for (const auto& argument : arguments) key.add(argument);
  if (!preferences_.empty()) key.add(read_file(preferences_).value_or(""));
  return paths_.folder / "known" / ("answer-" + key.finish());
}

std::optional<AptSource::Printed> AptSource::kept_answer(const fs::path& note) {
  const auto text = read_file(note);
  const auto known = text ? json_in(*text) : Json();
  if (!known.is_array() || known.size() != 3 || !known[0].is_number_integer() || !known[1].is_string() ||
      !known[2].is_string())
    return std::nullopt;
  return Printed{known[0].get<int>(), known[1].get<std::string>(), known[2].get<std::string>()};
}

Result<void> AptSource::keep_answer(const fs::path& note, const Printed& printed) {
  return write_file_atomically(note, Json{printed.code, printed.output, printed.errors}.dump());
}

// A second or two per question under emulation.
Result<AptSource::Printed> AptSource::ask(const AptImage& image, const std::string& status, const std::string& program,
                                          const std::vector<std::string>& arguments, std::stop_token stop) {
  const auto note = answer_to(program, arguments, status);
  if (auto known = kept_answer(note)) return std::move(*known);
  std::vector<std::string> all{"-o", "Dir::State::status=" + image.dpkg_status.string(), "-o", "Debug::NoLocking=true"};
  if (!preferences_.empty()) all.insert(all.end(), {"-o", "Dir::Etc::preferences=" + preferences_.string()});
  all.insert(all.end(), arguments.begin(), arguments.end());
  const auto outcome = runner_.run(command(program, std::move(all)), stop);
  if (stop.stop_requested())
    return Error{ErrorClass::cancelled, fmt::format("cancelled while finding updates for image '{}'", image.name), {}};
  const auto* exited = std::get_if<Exited>(&outcome.end);
  if (exited == nullptr || (exited->code != 0 && exited->code != 100)) {
    return infrastructure_error(fmt::format("finding updates for image '{}': {}: {}: {}", image.name, program,
                                            outcome.describe(), apt_refusal("", outcome.errors)));
  }
  Printed printed{exited->code, to_valid_utf8(outcome.output), to_valid_utf8(outcome.errors)};
  PATCHLAB_TRY(keep_answer(note, printed));
  return printed;
}

Result<std::string> AptSource::simulate_upgrade(const AptImage& image, const std::string& status,
                                                std::stop_token stop) {
  PATCHLAB_ASSIGN(auto printed,
                  ask(image, status, "apt-get", {"-q", "-s", "-y", "--with-new-pkgs", "upgrade"}, std::move(stop)));
  if (printed.code == 0) return std::move(printed.output);
  return configuration_error(
      fmt::format("apt refuses to work on '{}' as it is: {}", image.name, apt_refusal(printed.output, printed.errors)),
      "mend the machine, then make its golden image or copy its dpkg status again");
}

Result<std::vector<AptImage>> AptSource::of_this_release(const std::vector<AptImage>& images, std::stop_token stop) {
  preferences_.clear();
  is_incomplete_ = false;
  auto listed = run_for_output(
      runner_, command("apt-get", {"indextargets", "--format", release_format, "Created-By: Packages"}), stop);
  if (!listed) return std::move(listed).error().while_doing("reading the apt sources");
  const auto offered = releases_in(*listed);
  if (offered.empty()) return images;  // whose they are cannot be told
  std::vector<std::string> names;
  for (const auto& [release, codenames] : offered) names.push_back(release);
  std::vector<AptImage> kept;
  std::string chosen;
  for (const auto& image : images) {
    PATCHLAB_ASSIGN(const auto text, read_file(image.dpkg_status));
    auto status = parse_dpkg_status(text);
    if (!status) return std::move(status).error().while_doing("'" + image.dpkg_status.string() + "'");
    const auto release = release_of(*status);
    const bool fits = release.empty() || offered.contains(release);
    if (fits && !release.empty() && chosen.empty()) chosen = release;
    if (fits && (release.empty() || release == chosen)) {
      kept.push_back(image);
      continue;
    }
    is_incomplete_ = true;
    if (fits) {
      notes_.push_back(
          fmt::format("'{}' runs {}, and updates were looked for on {}: whether there are updates for it "
                      "is not known",
                      image.name, release, chosen));
    } else {
      notes_.push_back(
          fmt::format("'{}' runs {}, the apt sources of this host are for {}: whether there are updates "
                      "for it is not known",
                      image.name, release, fmt::join(names, " and ")));
    }
  }
  if (offered.size() < 2 || chosen.empty()) return kept;
  std::string pins = read_file(host_preferences_).value_or("");
  for (const auto& [release, codenames] : offered) {
    if (release == chosen) continue;
    for (const auto& codename : codenames)
      pins += fmt::format("\nPackage: *\nPin: release n={}\nPin-Priority: -1\n", codename);
  }
  PATCHLAB_TRY(write_file_atomically(paths_.folder / "preferences", pins));
  preferences_ = paths_.folder / "preferences";
  return kept;
}

Result<void> AptSource::note_kept_back(const AptImage& image, const std::string& status, const std::string& upgrade,
                                       const std::vector<StatusEntry>& entries, std::stop_token stop) {
  const auto note = [&](const std::string& package, const std::string& version, const std::string& reason) {
    is_incomplete_ = true;
    notes_.push_back(fmt::format("an update of '{}' on '{}'{} exists and is held back: {}", package, image.name,
                                 version.empty() ? "" : " to " + version, reason));
  };
  for (const auto& package : parse_kept_back(upgrade)) {
    const auto name = package.substr(0, package.find(':'));
    PATCHLAB_ASSIGN(const auto tried,
                    ask(image, status, "apt-get", {"-q", "-s", "-y", "--ignore-hold", "install", package}, stop));
    std::string version;
    if (tried.code == 0) {
      PATCHLAB_ASSIGN(const auto updates, parse_simulation(tried.output));
      for (const auto& update : updates) {
        if (update.package == name) version = update.after;
      }
    }
    const bool held =
        std::ranges::any_of(entries, [&](const StatusEntry& entry) { return entry.package == name && entry.held; });
    std::vector<std::string> removed;
    for (const auto& removal : parse_removals(tried.output)) removed.push_back(removal.package);
    if (held)
      note(package, version, "the machine has the package on hold");
    else if (tried.code != 0)
      note(package, version, apt_refusal(tried.output, tried.errors));
    else if (!removed.empty())
      note(package, version, fmt::format("apt would remove '{}'", fmt::join(removed, "', '")));
    else
      note(package, version, "apt keeps it back");
  }
  std::vector<std::string> arguments{"policy"};
  for (const auto& entry : entries) arguments.push_back(entry.package);
  if (arguments.size() == 1) return {};
  PATCHLAB_ASSIGN(const auto policy, ask(image, status, "apt-cache", arguments, stop));
  for (const auto& one : parse_policy(policy.output)) {
    if (const auto version = pinned_away(one); !version.empty())
      note(one.package, version, "the preferences of apt pin another version");
  }
  return {};
}

Result<std::vector<ImageUpdates>> AptSource::updates_of(const std::vector<AptImage>& images, std::stop_token stop) {
  std::vector<ImageUpdates> all;
  for (const auto& image : images) {
    PATCHLAB_ASSIGN(const auto text, read_file(image.dpkg_status));
    auto status = parse_dpkg_status(text);
    if (!status) return std::move(status).error().while_doing("'" + image.dpkg_status.string() + "'");
    PATCHLAB_ASSIGN(const auto output, simulate_upgrade(image, text, stop));
    PATCHLAB_ASSIGN(auto updates, parse_simulation(output));
    PATCHLAB_TRY(note_kept_back(image, text, output, *status, stop));
    all.push_back({std::move(updates), {}});
  }
  return all;
}

// Asks apt about each source that is wanted, and about those that come with it, what it would install besides.
Result<void> AptSource::find_needs(const AptImage& image, const AptRequest& request,
                                   const std::vector<AptPackage>& offers, ImageUpdates& updates, std::stop_token stop) {
  const auto by_source = updates_by_source(updates, offers);
  std::set<std::string> open;
  std::vector<OfferedPackage> offered;
  std::map<AskedPackage, std::string> source_of;
  for (const auto& [source, packages] : by_source) {
    const bool wanted =
        request.packages.empty() || std::ranges::count(request.packages, packages.front()->source.name) > 0;
    if (wanted) open.insert(source);
    for (const auto* package : packages) {
      offered.push_back({package->control,
                         {canonical_deb_name(package->package, package->version, package->architecture),
                          package->sha256, package->bytes}});
      source_of[{package->package, package->version, package->architecture}] = source;
    }
  }
  if (by_source.size() < 2) return {};
  PATCHLAB_ASSIGN(auto status, read_file(image.dpkg_status));
  PATCHLAB_ASSIGN(auto solver, Solver::create(runner_, {image.name, std::move(status), paths_.folder / "known"}));
  std::set<std::string> seen;
  while (!open.empty()) {
    const auto source = *open.begin();
    open.erase(open.begin());
    if (!seen.insert(source).second) continue;
    std::vector<AskedPackage> asked;
    for (const auto* package : by_source.at(source)) {
      // A new package comes with what needs it, or not at all.
      const auto is_it = [&](const AptUpdate& update) {
        return update.package == package->package && update.architecture == package->architecture;
      };
      const auto update = std::ranges::find_if(updates.updates, is_it);
      if (update != updates.updates.end() && !update->before.empty())
        asked.push_back({package->package, package->version, package->architecture});
    }
    if (asked.empty()) continue;
    PATCHLAB_ASSIGN(const auto solution, solver.install(asked, offered, stop));
    for (const auto& update : solution.installs) {
      const auto other = source_of.find({update.package, update.after, update.architecture});
      if (other == source_of.end() || other->second == source) continue;
      updates.needs[source].insert(other->second);
      open.insert(other->second);
    }
  }
  return {};
}

Result<std::vector<AptPackage>> AptSource::describe(const std::vector<std::string>& specifications,
                                                    std::stop_token stop) {
  if (specifications.empty()) return std::vector<AptPackage>{};
  std::vector<std::string> arguments{"-q", "show"};
  arguments.insert(arguments.end(), specifications.begin(), specifications.end());
  const auto note = answer_to("apt-cache", arguments, {});
  if (const auto known = kept_answer(note)) return parse_show(known->output);
  PATCHLAB_ASSIGN(const auto output, run_for_output(runner_, command("apt-cache", std::move(arguments)), stop));
  const Printed printed{0, to_valid_utf8(output), {}};
  PATCHLAB_TRY(keep_answer(note, printed));
  return parse_show(printed.output);
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
  PATCHLAB_ASSIGN(const auto scratch, HeldFolder::make_in(paths_.folder / "incoming", "work-"));
  auto spec = command("apt-get", std::move(arguments));
  spec.working_folder = scratch.path();
  PATCHLAB_TRY(run_for_output(runner_, spec, stop).while_doing("fetching packages"));
  PATCHLAB_ASSIGN(const auto fetched, entries_of(scratch.path()));
  for (const auto& file : fetched) {
    if (file.extension() == ".deb") PATCHLAB_TRY(take_in(file, packages, store_));
  }
  for (const auto* package : packages) {
    if (!store_.contains(package->sha256)) {
      return infrastructure_error(fmt::format("apt-get did not fetch '{}' {}", package->package, package->version));
    }
  }
  return {};
}

// From the first package of the group that brings its changelog: all of a source have the same one.
ChangelogFacts AptSource::changes_in(const UpdateGroup& group, const std::vector<ImageUpdates>& images) const {
  for (const auto& package : group.packages) {
    std::string oldest;
    for (const auto& image : images) {
      for (const auto& update : image.updates) {
        if (update.package != package.package || update.before.empty()) continue;
        if (oldest.empty() || compare_versions(update.before, oldest) < 0) oldest = update.before;
      }
    }
    if (oldest.empty()) continue;
    const auto text = DebFacts(store_).changelog(store_.path_of(package.sha256), package.package);
    if (text && *text) return changelog_facts(**text, oldest);
  }
  return {};
}

Result<AptSource::Offered> AptSource::offered(const std::vector<AptImage>& all_images, const AptRequest& request,
                                              std::stop_token stop) {
  notes_.clear();
  PATCHLAB_TRY(prepare(stop));
  Offered offer;
  PATCHLAB_ASSIGN(offer.images, of_this_release(all_images, stop));
  PATCHLAB_ASSIGN(offer.updates, updates_of(offer.images, stop));
  std::set<std::string> wanted;
  for (const auto& image : offer.updates) {
    for (const auto& update : image.updates)
      wanted.insert(specification(update.package, update.after, update.architecture));
  }
  PATCHLAB_ASSIGN(const auto offers, describe({wanted.begin(), wanted.end()}, stop));
  for (std::size_t i = 0; i < offer.images.size(); ++i)
    PATCHLAB_TRY(find_needs(offer.images[i], request, offers, offer.updates[i], stop));
  PATCHLAB_ASSIGN(offer.groups, group_updates(offer.updates, offers));
  return offer;
}

Result<AptAnswer> AptSource::candidates(const std::vector<AptImage>& all_images, const AptRequest& request,
                                        std::stop_token stop) {
  PATCHLAB_ASSIGN(const auto offer, offered(all_images, request, stop));
  auto selected = select_groups(offer.groups, request);
  std::vector<const AptPackage*> files;
  for (const auto& group : selected.groups) {
    for (const auto& package : group.packages) files.push_back(&package);
  }
  PATCHLAB_TRY(fetch(files, stop));
  AptAnswer answer;
  for (auto& group : selected.groups) {
    group.changes = changes_in(group, offer.updates);
    answer.candidates.push_back(candidate_of(group));
  }
  // That there are none would be untrue of what is held back, and of machines that were left out.
  if (is_incomplete_) std::erase(selected.notes, no_updates);
  // The same package may be held back on many machines of one kind: each says so, once.
  for (const auto* more : {&notes_, &selected.notes}) {
    for (const auto& sentence : *more) {
      if (std::ranges::count(answer.notes, sentence) == 0) answer.notes.push_back(sentence);
    }
  }
  return answer;
}

std::optional<std::string> AptSource::changelog_in(const UpdateGroup& group) const {
  for (const auto& package : group.packages) {
    if (!store_.contains(package.sha256)) continue;
    auto text = DebFacts(store_).changelog(store_.path_of(package.sha256), package.package);
    if (text && *text) return std::move(*text);
  }
  return std::nullopt;
}

Result<void> AptSource::fetch_changelogs(const std::vector<UpdateGroup>& groups, std::stop_token stop) {
  for (const bool all : {false, true}) {
    std::vector<const AptPackage*> files;
    for (const auto& group : groups) {
      if (group.packages.empty() || changelog_in(group)) continue;
      const auto smallest = std::ranges::min_element(group.packages, {}, &AptPackage::bytes);
      for (const auto& package : group.packages) {
        if (all || &package == &*smallest) files.push_back(&package);
      }
    }
    PATCHLAB_TRY(fetch(files, stop));
  }
  return {};
}

Result<AptSurvey> AptSource::survey(const std::vector<AptImage>& all_images, std::stop_token stop) {
  PATCHLAB_ASSIGN(auto offer, offered(all_images, {}, stop));
  auto& [images, updates, groups] = offer;
  if (const auto fetched = fetch_changelogs(groups, stop); !fetched) {
    if (fetched.error().error_class == ErrorClass::cancelled) return fetched.error();
    notes_.push_back("changelogs could not be fetched: " + fetched.error().message);
  }
  AptSurvey survey;
  for (std::size_t i = 0; i < images.size(); ++i) {
    SurveyedImage image{images[i].name, images[i].dpkg_status, {}};
    PATCHLAB_ASSIGN(const auto status_text, read_file(image.dpkg_status));
    PATCHLAB_ASSIGN(const auto status, parse_dpkg_status(status_text));
    for (auto& group : groups) {
      SurveyedUpdate update;
      std::string oldest;  // source version of what this image holds
      for (const auto& one : updates[i].updates) {
        const auto is_it = [&](const AptPackage& package) {
          return one.package == package.package && one.after == package.version &&
                 one.architecture == package.architecture;
        };
        const auto package = std::ranges::find_if(group.packages, is_it);
        if (package == group.packages.end()) continue;
        update.packages.push_back(*package);
        if (one.before.empty()) continue;
        const auto before = source_version_of(status, one);
        if (oldest.empty() || compare_versions(before, oldest) < 0) oldest = before;
      }
      if (update.packages.empty()) continue;
      const auto text = changelog_in(group);
      group.changes = text && !oldest.empty() ? changelog_facts(*text, oldest) : ChangelogFacts();
      update.candidate = candidate_of(group);
      if (group.changes != ChangelogFacts()) update.changes = group.changes;  // every entry has an urgency
      image.updates.push_back(std::move(update));
    }
    survey.images.push_back(std::move(image));
  }
  for (const auto& note : notes_) {
    if (std::ranges::count(survey.notes, note) == 0) survey.notes.push_back(note);
  }
  return survey;
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
      PATCHLAB_ASSIGN(const auto deb, DebFacts(store_).inspect(*path));
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
  PATCHLAB_ASSIGN(const auto deb, DebFacts(store_).inspect(store_.path_of(found->sha256)));
  return candidate_file(deb);
}

}  // namespace patchlab::patches
