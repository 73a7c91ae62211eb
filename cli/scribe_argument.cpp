// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/scribe_argument.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "cli/key_argument.hpp"
#include "promotion/book/book.hpp"

namespace patchlab::cli {

using namespace promotion;

void add_scribe(CLI::App& command, ScribeArguments& arguments) {
  command
      .add_option("--by", arguments.by,
                  "who asks for it, as the list of signers spells names; default: user@host of whoever calls")
      ->envname("PATCHLAB_BY");
  command
      .add_option("--sign-with", arguments.key,
                  "sign what is written into the stage's ledger with this key of the lab: the .pub file, or the "
                  "private one")
      ->envname("PATCHLAB_SIGN_WITH");
}

Result<Scribe> unsigned_scribe(const ScribeArguments& arguments) {
  Scribe scribe;
  if (!arguments.by.empty() && !is_principal(arguments.by))
    return usage_error(fmt::format("--by '{}' is no name of a signer", arguments.by), principal_rule);
  scribe.by = arguments.by.empty() ? whoever_calls() : arguments.by;
  scribe.submitter = scribe.by;
  return scribe;
}

Result<Scribe> scribe_of(const ScribeArguments& arguments, const std::filesystem::path& stage) {
  PATCHLAB_ASSIGN(auto scribe, unsigned_scribe(arguments));
  if (arguments.key.empty()) return scribe;
  PATCHLAB_ASSIGN(const auto key, signing_key(arguments.key).while_doing("--sign-with"));
  const DecisionBook book(stage / chain_folder_name, host_processes(), system_clock_source());
  PATCHLAB_ASSIGN(const auto trust, book.trust());
  const auto* version = trust.at(system_clock_source().wall());
  const auto signers = version == nullptr ? std::vector<Signer>() : version->signers;
  const auto signer = std::ranges::find_if(signers, [&](const Signer& one) { return one.key == key.key; });
  if (signer == signers.end()) {
    return configuration_error(
        fmt::format("--sign-with: {} may sign nothing for stage '{}'", fingerprint(key.key), stage.string()),
        "a root key puts it in force: patchlab trust add signers NAME --key FILE --may "
        "begin,run,promote,rollback,refuse,head, then patchlab trust sign");
  }
  scribe.by = signer->name;
  scribe.sign = [file = key.file, who = *signer](const std::string& name_space,
                                                 const std::string& bytes) -> Result<std::string> {
    if (!may_sign(who, name_space)) {
      // Who answers for a policy is somebody else than the lab.
      if (name_space == signature_namespace(StatementKind::policy)) return std::string();
      return configuration_error(fmt::format("'{}' may not sign for {} in this stage", who.name, name_space),
                                 "patchlab trust add says which kinds a key may sign");
    }
    return make_signature(host_processes(), file, name_space, bytes);
  };
  return scribe;
}

}  // namespace patchlab::cli
