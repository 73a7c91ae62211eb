// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/libvirt/domain_list.hpp"

#include <fmt/format.h>
#include <libvirt/virterror.h>

#include <algorithm>

#include "lab/libvirt/error.hpp"
#include "lab/libvirt/marks.hpp"
#include "lab/libvirt/session.hpp"
#include "lab/libvirt/ssh.hpp"

namespace patchlab::lab::libvirt {
namespace {

constexpr std::string_view machine_uri = "urn:patchlab:machine:1";
constexpr std::string_view libosinfo_uri = "http://libosinfo.org/xmlns/libvirt/domain/1.0";

std::vector<std::string> addresses_by(virDomainPtr domain, unsigned source) {
  std::vector<std::string> addresses;
  virDomainInterfacePtr* interfaces = nullptr;
  const int count = virDomainInterfaceAddresses(domain, &interfaces, source, 0);
  for (int i = 0; i < count; ++i) {
    for (unsigned j = 0; j < interfaces[i]->naddrs; ++j) addresses.emplace_back(interfaces[i]->addrs[j].addr);
    virDomainInterfaceFree(interfaces[i]);
  }
  std::free(interfaces);
  std::ranges::sort(addresses);
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

// A driver that does not know a source, and a domain of whose addresses nobody knows, say none: that is what is known.
std::vector<std::string> addresses_of(virDomainPtr domain) {
  auto addresses = addresses_by(domain, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE);
  return addresses.empty() ? addresses_by(domain, VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP) : addresses;
}

void read_metadata(XmlNode metadata, ListedDomain& listed) {
  for (const auto& node : metadata.children()) {
    if (node.namespace_uri() == machine_uri && node.name() == "machine") {
      listed.department = node.attribute("department");
      listed.role = node.attribute("role");
    }
    if (node.namespace_uri() == libosinfo_uri && node.name() == "libosinfo")
      listed.system = system_of_libosinfo(node.child("os").attribute("id"));
  }
}

Result<std::vector<Domain>> all_domains(virConnectPtr connection, const std::string& uri) {
  virDomainPtr* raw = nullptr;
  const int count = virConnectListAllDomains(connection, &raw, 0);
  if (count < 0) return last_error(fmt::format("listing the domains of '{}'", uri));
  std::vector<Domain> domains;
  for (int i = 0; i < count; ++i) domains.emplace_back(raw[i]);
  std::free(raw);
  return domains;
}

}  // namespace

void to_json(Json& json, const ListedDomain& domain) {
  json = {{"name", domain.name},     {"active", domain.is_active},      {"addresses", domain.addresses},
          {"system", domain.system}, {"department", domain.department}, {"role", domain.role}};
}

std::string system_of_libosinfo(std::string_view identifier) {
  const auto scheme = identifier.find("://");
  if (scheme == std::string_view::npos) return std::string(identifier);
  const auto path = identifier.find('/', scheme + 3);
  const auto version = identifier.rfind('/');
  if (path == std::string_view::npos || version <= path + 1 || version + 1 == identifier.size())
    return std::string(identifier);
  const auto family = identifier.substr(path + 1, version - path - 1);
  auto number = std::string(identifier.substr(version + 1));
  // Servers are called by two figures of their year: 2k12r2, 2k19.
  if (family == "win" && number.starts_with("2k") && number.size() >= 4) {
    const auto release = number.find('r', 2);
    auto year = number.substr(2, release == std::string::npos ? release : release - 2);
    if (year.size() == 1) year.insert(0, "0");
    return fmt::format("windows server 20{}{}", year, release == std::string::npos ? "" : " " + number.substr(release));
  }
  return fmt::format("{} {}", family == "win" ? "windows" : family, number);
}

Result<std::vector<ListedDomain>> list_domains(const std::string& uri) {
  PATCHLAB_ASSIGN(const auto elsewhere, ssh_destination(uri));
  // libvirt's own ssh must never ask for a password.
  const auto opened = elsewhere ? uri + (uri.find('?') == std::string::npos ? "?no_tty=1" : "&no_tty=1") : uri;
  PATCHLAB_ASSIGN(const auto session, Session::open(opened, Session::Access::read_only));
  PATCHLAB_ASSIGN(const auto domains, all_domains(session->connection(), uri));
  std::vector<ListedDomain> listed;
  for (const auto& domain : domains) {
    const char* name = virDomainGetName(domain.get());
    const Text xml(virDomainGetXMLDesc(domain.get(), VIR_DOMAIN_XML_INACTIVE));
    if (name == nullptr || !xml) {
      if (last_error_code() == VIR_ERR_NO_DOMAIN) continue;  // gone in between
      return last_error(fmt::format("reading a domain of '{}'", uri));
    }
    PATCHLAB_ASSIGN(const auto document, XmlDocument::parse(xml.get(), fmt::format("domain '{}'", name)));
    if (mark_of(document.root())) continue;
    auto& one = listed.emplace_back(ListedDomain{.name = name});
    one.is_active = virDomainIsActive(domain.get()) == 1;
    if (one.is_active) one.addresses = addresses_of(domain.get());
    read_metadata(document.root().child("metadata"), one);
  }
  std::ranges::sort(listed, {}, &ListedDomain::name);
  return listed;
}

}  // namespace patchlab::lab::libvirt
