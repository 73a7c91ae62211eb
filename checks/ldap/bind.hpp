// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "checks/check.hpp"

namespace patchlab::checks::ldap {

// Kind "ldap.bind": a user logs in to a directory (RFC 4511, RFC 4513) and finds there what is known to be there.
// Parameters: those of Login (login.hpp), and
//   expect_result  how the login must end, by the names of RFC 4511: "success" (default), or a refusal such as
//                  "strongerAuthRequired" of a server that takes no simple login without TLS
//   root_dse       {"defaultNamingContext": ["DC=office,DC=example"]}: what the server says of itself (RFC 4512 section
//                  5.1): all values of these attributes
//   search         {"base", "scope": "subtree" | "one" | "base" (default subtree), "filter" (default
//   "(objectClass=*)"),
//                  "attributes": ["mail"], "expect": {"CN=a,DC=b": {"mail": ["a@b"]}}}: exactly these entries, by the
//                  names that the server gives them, with all values of these attributes, in any order; an attribute
//                  without values is not named. What is no plain text is "hex:0001..."
// Steps: connect, tls, ticket and service (by Kerberos), bind, root dse, search. Observation: {"server", "steps":
// [{"step", ...}]} as session.hpp says. Reasons of failure: connection-refused, no-answer, unreachable,
// connection-closed, malformed-reply, tls-failed, certificate-not-believed, ticket-refused, service-refused,
// bind-refused, bind-granted, refused-for-another-reason, layer-differs, root-dse-refused, root-dse-differs,
// search-refused, entry-missing, entry-added, values-differ.
[[nodiscard]] const Check& bind();

// Kind "ldap.login-refused": a simple login with a password made up for this try must be refused as one with a wrong
// password (invalidCredentials, 49). A server that locks accounts counts the try: take a user whom no other check
// needs. Parameters: those of Login for a simple login but `password`, and
//   sub_code       what Active Directory says in its words, in hexadecimal digits: "52e", the password is wrong;
//                  default: not looked at
// Steps: connect, tls, bind. Reasons of failure: those above up to certificate-not-believed, wrong-password-accepted,
// refused-for-another-reason, sub-code-differs.
[[nodiscard]] const Check& login_refused();

}  // namespace patchlab::checks::ldap
