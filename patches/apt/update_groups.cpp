// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/apt/update_groups.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "patches/deb/version.hpp"
#include "patches/set/machine_plan.hpp"

namespace patchlab::patches {
namespace {

using Names = std::set<std::string>;

std::string key_of(const std::string& package, const std::string& version, const std::string& architecture) {
  return package + " " + version + " " + architecture;
}

// Collects packages by source, and melts circles together.
class Grouping {
 public:
  Grouping(const std::vector<ImageUpdates>& images, const std::vector<AptPackage>& offers) : images_(images) {
    for (const auto& offer : offers) offers_[key_of(offer.package, offer.version, offer.architecture)] = &offer;
  }

  Result<std::vector<UpdateGroup>> run() {
    for (const auto& image : images_) {
      for (const auto& update : image.updates) PATCHLAB_TRY(add(update));
    }
    for (const auto& image : images_) find_needs(image);
    melt_circles();
    melt_new_packages();
    return result();
  }

 private:
  struct Group {
    Names sources;
    std::string version;
    Names origins;
    std::map<std::string, const AptPackage*> packages;  // by key_of
    bool updates_something = false;
    Names needs;  // keys of groups_
  };

  Result<void> add(const AptUpdate& update) {
    const auto key = key_of(update.package, update.after, update.architecture);
    const auto offer = offers_.find(key);
    if (offer == offers_.end()) {
      return infrastructure_error(
          fmt::format("apt offers '{}' {} but does not describe it", update.package, update.after));
    }
    const auto& source = offer->second->source;
    const auto name = source_key(*offer->second);
    auto& group = groups_[name];
    group.sources.insert(source.name);
    group.version = source.version;
    group.origins.insert(update.origin);
    group.packages.emplace(key, offer->second);
    if (!update.before.empty()) group.updates_something = true;
    return {};
  }

  void find_needs(const ImageUpdates& image) {
    for (const auto& [own, others] : image.needs) {
      for (const auto& other : others) {
        if (other != own && groups_.contains(own) && groups_.contains(other)) groups_[own].needs.insert(other);
      }
    }
  }

  [[nodiscard]] bool reaches(const std::string& from, const std::string& to) const {
    Names seen;
    std::vector<std::string> open{from};
    while (!open.empty()) {
      const auto name = open.back();
      open.pop_back();
      for (const auto& next : groups_.at(name).needs) {
        if (next == to) return true;
        if (seen.insert(next).second) open.push_back(next);
      }
    }
    return false;
  }

  void melt(const std::string& into, const std::string& from) {
    Group gone = std::move(groups_.at(from));
    groups_.erase(from);
    auto& kept = groups_.at(into);
    kept.sources.merge(gone.sources);
    kept.origins.merge(gone.origins);
    kept.packages.merge(gone.packages);
    kept.needs.merge(gone.needs);
    kept.updates_something = kept.updates_something || gone.updates_something;
    for (auto& [name, group] : groups_) {
      if (group.needs.erase(from) != 0) group.needs.insert(into);
    }
    kept.needs.erase(into);
  }

  void melt_circles() {
    while (const auto pair = two_in_a_circle()) melt(pair->first, pair->second);
  }

  [[nodiscard]] std::optional<std::pair<std::string, std::string>> two_in_a_circle() const {
    for (auto a = groups_.begin(); a != groups_.end(); ++a) {
      for (auto b = std::next(a); b != groups_.end(); ++b) {
        if (reaches(a->first, b->first) && reaches(b->first, a->first)) return std::pair(a->first, b->first);
      }
    }
    return std::nullopt;
  }

  // A source of which nothing was installed before comes in only because one update needs it: it belongs to that
  // update.
  void melt_new_packages() {
    while (const auto pair = new_with_one_user()) melt(pair->first, pair->second);
  }

  [[nodiscard]] std::optional<std::pair<std::string, std::string>> new_with_one_user() const {
    for (const auto& [name, group] : groups_) {
      if (group.updates_something) continue;
      std::vector<std::string> users;
      for (const auto& [other, user] : groups_) {
        if (user.needs.count(name) != 0) users.push_back(other);
      }
      if (users.size() == 1) return std::pair(users.front(), name);
    }
    return std::nullopt;
  }

  std::vector<UpdateGroup> result() const {
    std::map<std::string, UpdateGroup> made;
    for (const auto& [name, group] : groups_) {
      UpdateGroup out;
      out.sources = {group.sources.begin(), group.sources.end()};
      // The source this group is named after comes first.
      const std::string own = name.substr(0, name.find(' '));
      std::stable_partition(out.sources.begin(), out.sources.end(),
                            [&](const std::string& source) { return source == own; });
      out.version = group.version;
      out.origin = fmt::format("{}", fmt::join(group.origins, ", "));
      out.security = std::any_of(group.origins.begin(), group.origins.end(), is_security_origin);
      for (const auto& [key, package] : group.packages) out.packages.push_back(*package);
      made.emplace(name, std::move(out));
    }
    std::vector<UpdateGroup> groups;
    for (const auto& [name, group] : groups_) {
      UpdateGroup out = made.at(name);
      for (const auto& need : group.needs) out.prerequisites.push_back(made.at(need).id());
      groups.push_back(std::move(out));
    }
    return groups;
  }

  const std::vector<ImageUpdates>& images_;
  std::map<std::string, const AptPackage*> offers_;
  std::map<std::string, Group> groups_;
};

const UpdateGroup* by_id(const std::vector<UpdateGroup>& groups, const std::string& id) {
  const auto found =
      std::find_if(groups.begin(), groups.end(), [&](const UpdateGroup& group) { return group.id() == id; });
  return found == groups.end() ? nullptr : &*found;
}

bool is_wanted(const UpdateGroup& group, const AptRequest& request) {
  if (request.security_only && !group.security) return false;
  if (request.packages.empty()) return true;
  return std::any_of(group.sources.begin(), group.sources.end(), [&](const std::string& source) {
    return std::find(request.packages.begin(), request.packages.end(), source) != request.packages.end();
  });
}

void place(const std::vector<UpdateGroup>& all, const UpdateGroup& group, Names& placed,
           std::vector<UpdateGroup>& ordered) {
  if (!placed.insert(group.id()).second) return;
  for (const auto& id : group.prerequisites) {
    if (const auto* needed = by_id(all, id)) place(all, *needed, placed, ordered);
  }
  ordered.push_back(group);
}

}  // namespace

std::string source_key(const AptPackage& package) { return package.source.name + " " + package.source.version; }

std::map<std::string, std::vector<const AptPackage*>> updates_by_source(const ImageUpdates& image,
                                                                        const std::vector<AptPackage>& offers) {
  std::map<std::string, const AptPackage*> known;
  for (const auto& offer : offers) known[key_of(offer.package, offer.version, offer.architecture)] = &offer;
  std::map<std::string, std::vector<const AptPackage*>> found;
  for (const auto& update : image.updates) {
    const auto offer = known.find(key_of(update.package, update.after, update.architecture));
    if (offer != known.end()) found[source_key(*offer->second)].push_back(offer->second);
  }
  return found;
}

// apt does not know how severe an update is, and neither do we: the maintainer's word, or none.
Severity severity_of(const ChangelogFacts& changes) {
  if (changes.urgency == "critical" || changes.urgency == "emergency") return Severity::critical;
  if (changes.urgency == "high") return Severity::important;
  if (changes.urgency == "medium") return Severity::moderate;
  if (changes.urgency == "low") return Severity::low;
  return Severity::unknown;
}

std::string UpdateGroup::id() const {
  return make_candidate_id(fmt::format("apt-{}-{}", sources.empty() ? "" : sources.front(), without_epoch(version)));
}

Result<std::vector<UpdateGroup>> group_updates(const std::vector<ImageUpdates>& images,
                                               const std::vector<AptPackage>& offers) {
  return Grouping(images, offers).run();
}

SelectedGroups select_groups(const std::vector<UpdateGroup>& groups, const AptRequest& request) {
  std::vector<const UpdateGroup*> wanted;
  for (const auto& group : groups) {
    if (is_wanted(group, request)) wanted.push_back(&group);
  }
  const auto place_in_request = [&](const UpdateGroup& group) {
    return request.as_named ? std::ranges::find_first_of(request.packages, group.sources) - request.packages.begin()
                            : 0;
  };
  const auto weight = [&](const UpdateGroup* group) {
    return std::tuple(place_in_request(*group), !request.as_named && !group->security, group->id());
  };
  std::ranges::stable_sort(wanted, {}, weight);
  SelectedGroups selected;
  for (const auto& source : request.packages) {
    const auto has = [&](const UpdateGroup* g) {
      return std::find(g->sources.begin(), g->sources.end(), source) != g->sources.end();
    };
    if (std::none_of(wanted.begin(), wanted.end(), has)) {
      selected.notes.push_back(
          fmt::format("the apt sources offer no update of '{}' over what the golden images hold", source));
    }
  }
  if (request.limit && wanted.size() > *request.limit) {
    selected.notes.push_back(fmt::format("{} of {} updates from the apt sources are left out by the limit",
                                         wanted.size() - *request.limit, wanted.size()));
    wanted.resize(*request.limit);
  }
  Names placed;
  for (const auto* group : wanted) place(groups, *group, placed, selected.groups);
  for (const auto& group : selected.groups) {
    const bool asked =
        std::any_of(wanted.begin(), wanted.end(), [&](const UpdateGroup* w) { return w->id() == group.id(); });
    if (!asked) selected.notes.push_back(fmt::format("'{}' comes along because another update needs it", group.id()));
  }
  if (selected.groups.empty() && selected.notes.empty()) {
    selected.notes.emplace_back(no_updates);
  }
  return selected;
}

Candidate candidate_of(const UpdateGroup& group) {
  Candidate candidate;
  candidate.id = group.id();
  candidate.title = fmt::format("{} {} ({})", fmt::join(group.sources, ", "), group.version,
                                group.security ? "security update" : "update");
  candidate.severity = severity_of(group.changes);
  if (!group.changes.cves.empty()) {
    constexpr std::size_t most = 3;
    const std::vector<std::string> first(
        group.changes.cves.begin(),
        group.changes.cves.begin() + static_cast<std::ptrdiff_t>(std::min(most, group.changes.cves.size())));
    candidate.title += fmt::format(": {}", fmt::join(first, ", "));
    if (group.changes.cves.size() > most)
      candidate.title += fmt::format(" and {} more", group.changes.cves.size() - most);
  }
  candidate.origin = Origin::apt;
  for (const auto& package : group.packages) {
    candidate.files.push_back(
        {fitting_name(canonical_deb_name(package.package, package.version, package.architecture), package.sha256),
         package.sha256, package.bytes, package.package, package.version, package.architecture, package.depends,
         package.pre_depends});
  }
  candidate.prerequisites = group.prerequisites;
  candidate.digest = candidate_digest(candidate);
  return candidate;
}

}  // namespace patchlab::patches
