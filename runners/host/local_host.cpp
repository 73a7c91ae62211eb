// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <mutex>

#include "lab/libvirt/disk_hold.hpp"
#include "lab/libvirt/golden_domain.hpp"
#include "lab/libvirt/leftovers.hpp"
#include "lab/libvirt/system_lab.hpp"
#include "runners/host/libvirt_host.hpp"

namespace patchlab::runners::host {
namespace {

namespace libvirt = lab::libvirt;

class LocalHost final : public LibvirtHost {
 public:
  LocalHost(std::string uri, ProcessRunner& runner) : uri_(std::move(uri)), runner_(runner) {}

  Result<DomainFacts> look(const std::string& domain) override {
    const std::lock_guard one_at_a_time(mutex_);
    if (const auto known = known_.find(domain); known != known_.end()) return known->second.facts;
    PATCHLAB_TRY(libvirt::check_is_local(uri_));
    PATCHLAB_TRY(may_change_networks());
    PATCHLAB_ASSIGN(const auto now, read(domain));
    PATCHLAB_ASSIGN(const auto files, libvirt::files_below(now.plan, runner_));
    PATCHLAB_ASSIGN(auto hold, libvirt::DiskHold::take(files));
    PATCHLAB_ASSIGN(auto identity, libvirt::identify(now.xml, now.plan, runner_));
    DomainFacts facts{std::move(identity.digest), static_cast<std::uint32_t>(now.plan.memory_kib / 1024),
                      now.plan.macs};
    known_.emplace(domain, Known{facts, std::move(hold)});
    return facts;
  }

  Result<std::string> digest_of(const std::string& domain) override {
    PATCHLAB_ASSIGN(const auto now, read(domain));
    PATCHLAB_ASSIGN(auto identity, libvirt::identify(now.xml, now.plan, runner_));
    return std::move(identity.digest);
  }

  Result<std::vector<std::string>> leftovers(const std::filesystem::path& storage) override {
    PATCHLAB_ASSIGN(const auto session, libvirt::open_session(uri_));
    PATCHLAB_ASSIGN(const auto objects, libvirt::find_lab_objects(*session, storage));
    std::vector<std::string> names;
    for (const auto& object : objects) {
      if (!object.in_use) names.push_back(fmt::format("{} {}", to_string(object.kind), object.name()));
    }
    return names;
  }

  Result<std::unique_ptr<cell::CellClient>> start_cell(const std::string&, cell::CellStart start, cell::CellJob&,
                                                       cell::OnEvent on_event) override {
    return cell::start_cell(start, std::move(on_event));
  }

  [[nodiscard]] std::string name() const override { return {}; }

 private:
  struct Domain {
    std::string xml;
    libvirt::ClonePlan plan;  // what a clone of it would be; the names are only there to be valid: nothing is made
  };
  struct Known {
    DomainFacts facts;
    libvirt::DiskHold hold;
  };

  [[nodiscard]] Result<Domain> read(const std::string& domain) const {
    PATCHLAB_ASSIGN(const auto session, libvirt::open_session(uri_));
    PATCHLAB_ASSIGN(auto xml, libvirt::golden_domain_xml(*session, domain));
    PATCHLAB_ASSIGN(auto plan, libvirt::plan_clone(xml, {"plan", "plan", "machine", "/plan"}));
    return Domain{std::move(xml), std::move(plan)};
  }

  [[nodiscard]] Result<void> may_change_networks() const {
    if (!uri_.starts_with("qemu:") || ::geteuid() == 0) return {};
    return configuration_error(
        fmt::format("clones on '{}' need root: the bridge of a cell is closed to the host by root only", uri_),
        "start patchlab as root on the libvirt's host, or name root in a qemu+ssh:// URI");
  }

  const std::string uri_;
  ProcessRunner& runner_;
  std::mutex mutex_;
  std::map<std::string, Known> known_;
};

}  // namespace

void to_json(Json& json, const DomainFacts& facts) {
  json = {{"digest", facts.digest}, {"memory_mib", facts.memory_mib}, {"macs", facts.macs}};
}

DomainFacts domain_facts_from_json(const Json& json) {
  return {json.at("digest"), json.at("memory_mib"), json.at("macs")};
}

std::shared_ptr<LibvirtHost> local_host(const std::string& uri, ProcessRunner& runner) {
  return std::make_shared<LocalHost>(uri, runner);
}

}  // namespace patchlab::runners::host
