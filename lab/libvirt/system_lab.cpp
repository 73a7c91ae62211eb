// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/system_lab.hpp"

#include <fmt/format.h>

#include "lab/libvirt/error.hpp"
#include "lab/libvirt/file_owners.hpp"
#include "lab/libvirt/network_xml.hpp"
#include "lab/libvirt/session.hpp"
#include "lab/network/fence.hpp"

namespace patchlab::lab::libvirt {
namespace {

Mark mark_of(const SystemLab::Place& place) {
  Mark cell{place.run, place.cell, {}, {}};
  cell.folder = place.storage / cell.object_name();
  return cell;
}

Result<void> copy_privately(const FileCopy& copy) {
  std::error_code code;
  if (!std::filesystem::copy_file(copy.from, copy.to, code)) {
    return infrastructure_error(
        fmt::format("copying '{}' to '{}': {}", copy.from.string(), copy.to.string(), code.message()),
        "reading the files of golden domains may need root");
  }
  std::filesystem::permissions(copy.to, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, code);
  return {};
}

}  // namespace

Result<void> check_is_local(const std::string& uri) {
  const auto scheme_end = uri.find("://");
  const bool names_host = scheme_end != std::string::npos && scheme_end + 3 < uri.size() && uri[scheme_end + 3] != '/';
  if (!names_host) return {};
  return configuration_error(
      fmt::format("libvirt '{}' is on another host, whose disk files cannot be reached from here", uri),
      "run patchlab on that host, with the URI 'qemu:///system'");
}

std::vector<std::filesystem::path> socket_places(const std::string& uri) {
  // https://libvirt.org/uri.html: "?socket=" names another one than those of the packages.
  constexpr std::string_view parameter = "socket=";
  const auto named = uri.find(parameter);
  if (named == std::string::npos) return {"/run/libvirt"};
  const auto path = uri.substr(named + parameter.size());
  return {path.substr(0, path.find('&'))};
}

SystemLab::SystemLab(std::shared_ptr<Session> session, CellFolder folder, ProcessRunner& runner)
    : session_(std::move(session)),
      folder_(std::move(folder)),
      runner_(runner),
      hypervisor_(LibvirtHypervisor::on(session_, folder_.mark().object_name() + "-")) {}

SystemLab::~SystemLab() {
  if (!removed_) static_cast<void>(remove());
}

std::filesystem::path SystemLab::folder_of(const Place& place) { return mark_of(place).folder; }

Mark SystemLab::mark_of_machine(const Place& place, const std::string& machine) {
  auto mark = mark_of(place);
  mark.machine = machine;
  return mark;
}

Result<std::unique_ptr<LibvirtHypervisor>> SystemLab::machines_of(const Place& place) {
  PATCHLAB_ASSIGN(auto session, Session::open(place.uri));
  return LibvirtHypervisor::on(std::move(session), mark_of(place).object_name() + "-");
}

Result<std::unique_ptr<SystemLab>> SystemLab::open(const Place& place, ProcessRunner& runner) {
  PATCHLAB_TRY(check_is_local(place.uri));
  const auto cell = mark_of(place);
  PATCHLAB_TRY(check_mark(cell));
  PATCHLAB_ASSIGN(auto session, Session::open(place.uri));
  PATCHLAB_ASSIGN(auto folder, CellFolder::create(cell));
  std::unique_ptr<SystemLab> lab(new SystemLab(std::move(session), std::move(folder), runner));
  PATCHLAB_TRY(lab->start_network());
  return lab;
}

Result<void> SystemLab::start_network() {
  const auto action = fmt::format("making the isolated network '{}'", folder_.mark().object_name());
  const Network network(virNetworkDefineXML(session_->connection(), isolated_network_xml(folder_.mark()).c_str()));
  if (!network || virNetworkCreate(network.get()) < 0) return last_error(action);
  const Text xml(virNetworkGetXMLDesc(network.get(), 0));
  if (!xml) return last_error(action);
  PATCHLAB_ASSIGN(const auto document, XmlDocument::parse(xml.get(), "the XML of the network"));
  if (auto why = why_not_isolated(document.root()); !why.empty()) return infrastructure_error(action + ": " + why);
  if (session_->is_test_driver()) return {};  // its bridges do not exist
  return network::close_bridge_to_host(bridge()).while_doing(action);
}

Result<ClonePlan> SystemLab::clone(const std::string& golden, const std::string& machine) {
  auto mark = folder_.mark();
  mark.machine = machine;
  PATCHLAB_ASSIGN(const auto xml, golden_domain_xml(*session_, golden));
  PATCHLAB_ASSIGN(auto plan, plan_clone(xml, mark));
  PATCHLAB_ASSIGN(const auto files, files_below(plan, runner_));
  PATCHLAB_TRY(
      remember_owners(files, mark.folder / (machine + owners_suffix), owners_files(mark.folder.parent_path())));
  for (const auto& overlay : plan.overlays) PATCHLAB_TRY(run_for_output(runner_, overlay_process(overlay)));
  for (const auto& copy : plan.copies) PATCHLAB_TRY(copy_privately(copy));
  PATCHLAB_TRY(define(plan));
  return plan;
}

Result<void> SystemLab::define(const ClonePlan& plan) {
  const Domain domain(virDomainDefineXMLFlags(session_->connection(), plan.xml.c_str(), 0));
  if (!domain) return last_error(fmt::format("defining a clone of '{}' as '{}'", plan.golden, plan.mark.machine));
  return {};
}

Result<GoldenIdentity> SystemLab::identity_of(const std::string& golden) {
  auto mark = folder_.mark();
  mark.machine = "identity";  // nothing of that name is made
  PATCHLAB_ASSIGN(const auto xml, golden_domain_xml(*session_, golden));
  PATCHLAB_ASSIGN(const auto plan, plan_clone(xml, mark));
  return identify(xml, plan, runner_);
}

std::string SystemLab::bridge() const { return isolated_bridge_name(folder_.mark()); }

Result<void> SystemLab::remove() {
  removed_ = true;
  return remove_cell(*session_, folder_);
}

}  // namespace patchlab::lab::libvirt
