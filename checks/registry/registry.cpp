// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// Every kind built into this binary. A new kind costs two lines here: its header and its name in the list below.
#include "checks/registry/registry.hpp"

#include <algorithm>

#include "checks/command/command.hpp"
#include "checks/database/connections.hpp"
#include "checks/database/isolation.hpp"
#include "checks/database/query_hash.hpp"
#include "checks/database/refusals.hpp"
#include "checks/database/settings.hpp"
#include "checks/database/transaction.hpp"
#include "checks/database/write.hpp"
#include "checks/dhcp/lease.hpp"
#include "checks/dns/load.hpp"
#include "checks/dns/query.hpp"
#include "checks/dns/records.hpp"
#include "checks/dns/transfer.hpp"
#include "checks/dns/update.hpp"
#include "checks/http/get.hpp"
#include "checks/kerberos/ticket.hpp"
#include "checks/ldap/bind.hpp"
#include "checks/ldap/locator.hpp"
#include "checks/ldap/replication.hpp"
#include "checks/mail/bounce.hpp"
#include "checks/mail/delivery.hpp"
#include "checks/mail/login_refused.hpp"
#include "checks/mail/mailbox.hpp"
#include "checks/mail/relay_refused.hpp"
#include "checks/mail/size_limit.hpp"
#include "checks/ntp/query.hpp"
#include "checks/port/banner.hpp"
#include "checks/port/client_role.hpp"
#include "checks/port/handshakes.hpp"
#include "checks/port/offered.hpp"
#include "checks/port/scan.hpp"
#include "checks/print/job.hpp"
#include "checks/print/queue.hpp"
#include "checks/smb/access.hpp"
#include "checks/smb/denied.hpp"
#include "checks/smb/dialects.hpp"
#include "checks/smb/encryption.hpp"
#include "checks/smb/login_refused.hpp"
#include "checks/smb/readonly.hpp"
#include "checks/smb/referral.hpp"
#include "checks/tftp/get.hpp"

namespace patchlab::checks {
namespace {

std::vector<const Check*> sorted(std::vector<const Check*> checks) {
  std::sort(checks.begin(), checks.end(), [](const Check* a, const Check* b) { return a->kind() < b->kind(); });
  return checks;
}

}  // namespace

const std::vector<const Check*>& all_checks() {
  static const auto checks = sorted({
      &command(),
      &database::connections(),
      &database::denied(),
      &database::isolation(),
      &database::login_refused(),
      &database::query_hash(),
      &database::settings(),
      &database::transaction(),
      &database::write(),
      &dhcp::lease(),
      &dns::load(),
      &dns::query(),
      &dns::records(),
      &dns::transfer(),
      &dns::update(),
      &http::get(),
      &kerberos::password(),
      &kerberos::ticket(),
      &ldap::bind(),
      &ldap::locator(),
      &ldap::login_refused(),
      &ldap::replication(),
      &mail::bounce(),
      &mail::delivery(),
      &mail::login_refused(),
      &mail::mailbox(),
      &mail::relay_refused(),
      &mail::size_limit(),
      &ntp::query(),
      &port::banner(),
      &port::tls_client_role(),
      &port::tls_handshakes(),
      &port::tls_offered(),
      &port::tls_scan(),
      &print::job(),
      &print::queue(),
      &smb::access(),
      &smb::denied(),
      &smb::dialects_spoken(),
      &smb::encryption(),
      &smb::login_refused(),
      &smb::readonly(),
      &smb::referral(),
      &tftp::get(),
  });
  return checks;
}

const Check* find_check(const std::string& kind) {
  for (const auto* check : all_checks()) {
    if (check->kind() == kind) return check;
  }
  return nullptr;
}

std::set<net::MacAddress> speakers_of(const std::vector<CheckSpec>& checks) {
  std::set<net::MacAddress> all;
  for (const auto& check : checks) {
    if (check.kind != dhcp::lease().kind()) continue;
    if (const auto mac = dhcp::reserved_mac(check.parameters)) all.insert(*mac);
  }
  return all;
}

}  // namespace patchlab::checks
