// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/survey/survey.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "lab/core/choice.hpp"
#include "lab/core/digest.hpp"
#include "lab/core/files.hpp"
#include "lab/guest/recording/understanding.hpp"
#include "lab/image/versions.hpp"
#include "patches/apt/apt_source.hpp"
#include "patches/apt/release.hpp"
#include "patches/candidate/deb_facts.hpp"
#include "patches/candidate/manifest.hpp"
#include "patches/deb/changelog.hpp"

namespace patchlab::process {
namespace {

namespace fs = std::filesystem;
using patches::Candidate;

// What is told of a golden machine once, however many machines are made of it.
struct Golden {
  std::string name;
  fs::path dpkg_status;
  std::string not_known;
  std::string release;
  std::vector<ScannedPackage> packages;
  std::optional<WindowsMachine> windows;
};

// The image that a run would start this machine from.
Result<lab::image::GoldenImage> image_of(const std::string& department, const runners::MachinePlan& machine,
                                         const fs::path& cache) {
  PATCHLAB_ASSIGN(const auto built, lab::image::newest_of(cache, machine.golden.recipe));
  return lab::image::image_for(cache, built, department, machine.name);
}

std::string key_of(const runners::GoldenRef& ref, const Result<lab::image::GoldenImage>& image) {
  if (ref.domain)
    return ref.domain->uri + " " + ref.domain->domain + " " + ref.domain->dpkg_status.string() + " " +
           ref.domain->recording.string();
  return ref.recipe.string() + " " + (image ? image->digest : image.error().message);
}

void read_packages(Golden& golden) {
  const auto text = read_file(golden.dpkg_status);
  const auto entries =
      text ? patches::parse_dpkg_status(*text) : Result<std::vector<patches::StatusEntry>>(text.error());
  if (!entries) {
    golden.not_known = fmt::format("what is installed cannot be read: {}", entries.error().message);
    return;
  }
  // Of a file that is cut off, packages would be missing from all answers without a word.
  if (!text->ends_with('\n') ||
      std::ranges::find(*entries, "base-files", &patches::StatusEntry::package) == entries->end()) {
    golden.not_known = fmt::format("'{}' lists no whole Debian system: copy it again", golden.dpkg_status.string());
    return;
  }
  for (const auto& entry : *entries)
    golden.packages.push_back(
        {entry.package, entry.version, entry.architecture, entry.source.name, entry.source.version});
  golden.release = patches::codename_of(patches::release_of(*entries));
}

// Of an update that servicing and the list of quick fixes know: how it stands. A state that is on its way, and one that
// the means do not agree on, is no answer.
WindowsMachine machine_of(const lab::guest::windows::InstalledViews& views) {
  using namespace lab::guest::windows;
  WindowsMachine machine;
  for (const auto& kb : views.quick_fixes) machine.updates[kb] = to_string(PackageState::installed);
  for (const auto& [identity, state] : views.dism) {
    const auto kb = kb_of(identity);
    if (kb.empty()) continue;
    switch (state) {
      case PackageState::installed:
      case PackageState::permanent: machine.updates[kb] = to_string(PackageState::installed); break;
      case PackageState::superseded: machine.updates.try_emplace(kb, to_string(state)); break;
      case PackageState::install_pending: machine.updates[kb] = to_string(state); break;
      case PackageState::uninstall_pending:
      case PackageState::partially_installed: machine.disputed.insert(kb); break;
      case PackageState::absent:
      case PackageState::resolving:
      case PackageState::resolved:
      case PackageState::staging:
      case PackageState::staged: break;
    }
  }
  for (const auto& one : disagreements(views)) {
    const auto kb = kb_of(one.update);
    machine.disputed.insert(kb.empty() ? one.update : kb);
  }
  return machine;
}

// What the machine said of itself when it was recorded.
void read_windows(Golden& golden, const runners::GoldenDomainRef& domain) {
  namespace recording = lab::guest::recording;
  if (domain.recording.empty()) {
    golden.not_known =
        "what is installed on a Windows machine is known by a recording of it: patchlab guest record, and its folder "
        "as "
        "'recording' of the domain";
    return;
  }
  const auto read = recording::read_recording(domain.recording);
  if (!read) {
    golden.not_known = fmt::format("what is installed cannot be read: {}", read.error().message);
    return;
  }
  const auto& release = read->machine.release;
  if (release != domain.system.version && !release.starts_with(domain.system.version + ".")) {
    golden.not_known = fmt::format("'{}' is a recording of Windows '{}', and the scenario says {}",
                                   domain.recording.string(), release, domain.system.version);
    return;
  }
  const auto understood = recording::understanding_of(*read);
  const auto step = std::ranges::find(understood.steps, "installed", &recording::Step::name);
  if (step == understood.steps.end() || !step->trouble.empty()) {
    golden.not_known = fmt::format("what is installed is not understood: {}",
                                   step == understood.steps.end() ? "it was not asked" : step->trouble);
    return;
  }
  golden.windows = machine_of(understood.views);
  golden.windows->version = release;
  golden.windows->architecture = domain.system.architecture;
}

Golden golden_of(const runners::GoldenRef& ref, const Result<lab::image::GoldenImage>& image) {
  Golden golden;
  if (ref.domain) {
    golden.name = ref.domain->domain;
    golden.dpkg_status = ref.domain->dpkg_status;
    if (ref.domain->system.family == GuestFamily::windows) {
      read_windows(golden, *ref.domain);
      return golden;
    }
  } else {
    golden.name = ref.recipe.filename().string();
    if (!image) {
      golden.not_known = fmt::format("{}; {}", image.error().message, image.error().hint);
      return golden;
    }
    golden.dpkg_status = image->dpkg_status;
    // What was noted is what the image had then, byte for byte.
    const auto noted = image->sha256.find("dpkg-status");
    const auto found = sha256_of_file(image->dpkg_status);
    if (noted == image->sha256.end() || !found || *found != noted->second) {
      golden.not_known = fmt::format(
          "the package list of golden image '{}' is not the one that it was made with: "
          "patchlab image verify says more",
          golden.name);
      return golden;
    }
  }
  read_packages(golden);
  return golden;
}

OfferedFile offered(const patches::CandidateFile& file) {
  return {file.package, file.version, file.architecture, file.sha256, "", ""};
}

class Surveyor {
 public:
  Surveyor(const runners::Scenario& scenario, ProcessRunner& processes, const SurveyRequest& request)
      : scenario_(scenario),
        request_(request),
        store_(request.cache / "store"),
        apt_(processes, store_, {.folder = request.cache / "apt"}, request.progress) {}

  Result<Survey> run() {
    std::vector<std::string> known;
    for (const auto& department : scenario_.departments) known.push_back(department.name);
    PATCHLAB_TRY(check_choice("--department", request_.departments, "is not in the scenario", known));
    for (const auto& department : scenario_.departments) {
      if (!request_.departments.empty() && std::ranges::count(request_.departments, department.name) == 0) continue;
      for (const auto& machine : department.machines) add(department, machine);
    }
    if (request_.only_installed) return std::move(survey_);
    PATCHLAB_TRY(ask_apt());
    add_candidates();
    return std::move(survey_);
  }

 private:
  void add(const runners::DepartmentPlan& department, const runners::MachinePlan& machine) {
    const auto image = machine.golden.domain ? Result<lab::image::GoldenImage>(lab::image::GoldenImage())
                                             : image_of(department.name, machine, request_.cache);
    const auto key = key_of(machine.golden, image);
    if (!goldens_.contains(key)) goldens_[key] = golden_of(machine.golden, image);
    const auto& golden = goldens_[key];
    ScannedMachine scanned;
    scanned.department = department.name;
    scanned.machine = machine.name;
    scanned.role = machine.role;
    scanned.golden = golden.name;
    scanned.release = golden.release;
    scanned.exposed = machine.exposed;
    scanned.importance = machine.importance;
    scanned.not_known = golden.not_known;
    scanned.packages = golden.packages;
    scanned.windows = golden.windows;
    survey_.machines.push_back(std::move(scanned));
    golden_of_.push_back(key);
    systems_.push_back(machine.golden.domain ? machine.golden.domain->system : GuestSystem());
  }

  // All machines of a golden one are offered the same.
  Result<void> ask_apt() {
    std::vector<patches::AptImage> images;
    for (const auto& [key, golden] : goldens_) {
      // The key tells two images of one name apart.
      if (golden.not_known.empty() && !golden.windows) images.push_back({golden.name, golden.dpkg_status});
    }
    if (images.empty()) return {};
    const auto found = apt_.survey(images, request_.stop);
    if (!found) {
      if (found.error().error_class == ErrorClass::cancelled) return found.error();
      for (auto& machine : survey_.machines) {
        if (!machine.windows)
          machine.offers_not_known = fmt::format("the apt sources gave no answer: {}", found.error().message);
      }
      survey_.not_known.push_back({"what the apt sources offer", found.error().message});
      return {};
    }
    for (const auto& note : found->notes) survey_.not_known.push_back({"what the apt sources offer", note});
    for (std::size_t i = 0; i < survey_.machines.size(); ++i)
      take(*found, goldens_[golden_of_[i]], survey_.machines[i]);
    return {};
  }

  static void take(const patches::AptSurvey& found, const Golden& golden, ScannedMachine& machine) {
    if (!golden.not_known.empty() || golden.windows) return;
    const auto image = std::ranges::find(found.images, golden.dpkg_status, &patches::SurveyedImage::dpkg_status);
    if (image == found.images.end()) {
      machine.offers_not_known = "the apt sources of this host are for another release";
      return;
    }
    for (const auto& update : image->updates) {
      Offer offer;
      offer.id = update.candidate.id;
      offer.title = update.candidate.title;
      for (const auto& package : update.packages)
        offer.files.push_back({package.package, package.version, package.architecture, package.sha256,
                               package.source.name, package.source.version});
      if (update.changes) {
        offer.cves = update.changes->cves;
        offer.urgency = update.changes->urgency;
      }
      machine.offers.push_back(std::move(offer));
    }
  }

  void add_candidates() {
    for (const auto& source : scenario_.candidates) {
      if (source.kind != runners::CandidateSourceKind::path) continue;
      const auto loaded = patches::load_candidate(source.path, store_);
      if (!loaded) {
        survey_.not_known.push_back({fmt::format("candidate '{}'", source.path.string()), loaded.error().message});
        continue;
      }
      for (std::size_t i = 0; i < survey_.machines.size(); ++i)
        survey_.machines[i].offers.push_back(offer_of(*loaded, survey_.machines[i], systems_[i]));
    }
  }

  // What the packages' own changelogs say since what is installed; nothing when none of those that apply has one with
  // an entry that is newer. Their headings have versions of the source package, which may not be that of the package.
  void read_changelogs(const Candidate& candidate, const ScannedMachine& machine, Offer& offer) const {
    for (const auto& file : candidate.files) {
      const auto installed = std::ranges::find(machine.packages, file.package, &ScannedPackage::package);
      if (installed == machine.packages.end() || candidate.kind != "deb") continue;
      const auto text = patches::DebFacts(store_).changelog(store_.path_of(file.sha256), file.package);
      if (!text || !*text) continue;
      const auto facts = patches::changelog_facts(**text, installed->source_version);
      if (facts == patches::ChangelogFacts()) continue;  // every entry has an urgency
      if (!offer.cves) offer.cves.emplace();
      offer.cves->insert(offer.cves->end(), facts.cves.begin(), facts.cves.end());
      if (offer.urgency_from == "changelog" && !facts.urgency.empty()) offer.urgency = facts.urgency;
    }
  }

  Offer offer_of(const Candidate& candidate, const ScannedMachine& machine, const GuestSystem& system) const {
    Offer offer;
    offer.id = candidate.id;
    offer.title = candidate.title;
    offer.supersedes = candidate.supersedes;
    for (const auto& file : candidate.files) {
      offer.files.push_back(offered(file));
      if (file.windows) offer.kb = file.windows->kb;
    }
    if (candidate.severity != patches::Severity::unknown) {
      offer.urgency = to_string(candidate.severity);
      offer.urgency_from = "candidate";
    }
    const auto& family = traits_of(system.family);
    if (!candidate.roles.empty() && std::ranges::count(candidate.roles, machine.role) == 0)
      offer.not_for_it = fmt::format("is for {} machines only", fmt::join(candidate.roles, ", "));
    else if (!family.takes(candidate.kind))
      offer.not_for_it = fmt::format("is a .{}, the machine runs {}", candidate.kind, family.title);
    read_changelogs(candidate, machine, offer);
    return offer;
  }

  const runners::Scenario& scenario_;
  const SurveyRequest& request_;
  patches::ContentStore store_;
  patches::AptSource apt_;
  std::map<std::string, Golden> goldens_;
  std::vector<std::string> golden_of_;  // of each machine
  std::vector<GuestSystem> systems_;
  Survey survey_;
};

}  // namespace

Result<Survey> survey(const runners::Scenario& scenario, ProcessRunner& processes, const SurveyRequest& request) {
  return Surveyor(scenario, processes, request).run();
}

}  // namespace patchlab::process
