// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checks/deadline.hpp"
#include "checks/ldap/login.hpp"
#include "lab/core/json.hpp"

namespace patchlab::checks::ldap {

struct Search {
  std::string base;
  std::string scope = "subtree";  // or "one", "base" (RFC 4511 section 4.5.1.2)
  std::string filter = "(objectClass=*)";
  std::vector<std::string> attributes;  // in the spelling that is wanted back
};
// More entries, or more bytes, are a failure of their own.
inline constexpr int most_entries = 1000;
inline constexpr std::size_t most_bytes = 8U << 20U;

// One client of one server by OpenLDAP's libldap (with the host's GnuTLS and Cyrus SASL): no file of the host's
// configuration, no name look-up, no referral followed. Its calls keep to the deadline as far as libldap can, see
// unfinished.hpp; not for several threads at once.
//
// Each call says how it went, as in taken_steps.hpp: {"ok": true, ...}, or {"ok": false, "kind", "code", "why"} where
// "kind" is one of taken_steps.hpp, "tls" (no agreement), "certificate" (it is not believed), "security" (a login by
// SASL that broke off on this side) or "result": the server said no, with its "result" by name ("invalidCredentials",
// RFC 4511 section 4.1.9) and, if Active Directory said one, "sub_code"
// ("52e": the password is wrong; [MS-ERREF] in hexadecimal digits).
class Session {
 public:
  // No connection yet. `address` is IPv4, `source` the local address, or empty.
  Session(std::string address, std::string source, Login login, const Deadline& deadline);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  [[nodiscard]] Json connect();
  // If there is to be TLS.
  [[nodiscard]] Json secure();
  // Of a SASL login with what be_the_process() of kerberos/session.hpp says. {"ok": true, "ssf": 1}: the strength of
  // the SASL layer in bits; 1 is a signature, 0 none.
  [[nodiscard]] Json bind();
  // {"ok": true, "entries": {"CN=a,DC=b": {"mail": ["a@b", "c@d"]}}}: values as texts, sorted by their bytes; what is
  // no plain text, or begins so itself, is "hex:0001...". Attributes that an entry does not have are not there.
  [[nodiscard]] Json search(const Search& search);
  // Values are texts of that manner.
  using Attributes = std::map<std::string, std::vector<std::string>>;
  [[nodiscard]] Json add(const std::string& dn, const Attributes& attributes);
  // All values of the attribute become these; none: it has none.
  [[nodiscard]] Json replace(const std::string& dn, const std::string& attribute,
                             const std::vector<std::string>& values);
  [[nodiscard]] Json remove(const std::string& dn);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Pure parts, for tests: "52e" of "80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data 52e,
// v3839"; empty: none.
[[nodiscard]] std::string sub_code_in(const std::string& diagnostic);
// The name of a result code of RFC 4511, or "result 123".
[[nodiscard]] std::string result_name(int code);
// Whether it is one of these names.
[[nodiscard]] bool is_result_name(const std::string& name);

}  // namespace patchlab::checks::ldap
