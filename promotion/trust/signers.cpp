// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "promotion/trust/signers.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

#include "lab/core/json.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/time.hpp"
#include "promotion/signature/ssh_keygen.hpp"

namespace patchlab::promotion {
namespace {

constexpr std::size_t longest_line = 16U << 10U;
constexpr const char* head = "patchlab.head.v1";
constexpr const char* witness = "patchlab.witness.v1";

using Code = TrustProblemCode;

// What only the lab signs: who finds may not decide.
bool is_of_lab(std::string_view name_space) {
  static const std::set<std::string, std::less<>> names{
      signature_namespace(StatementKind::begin),   signature_namespace(StatementKind::run),
      signature_namespace(StatementKind::promote), signature_namespace(StatementKind::rollback),
      signature_namespace(StatementKind::refuse),  head};
  return names.contains(name_space);
}
bool judges_the_lab(std::string_view name_space) {
  const auto decides = [&](StatementKind kind) { return is_decision(kind) && name_space == signature_namespace(kind); };
  return name_space == witness || name_space == signature_namespace(StatementKind::policy) ||
         std::ranges::any_of(all_statement_kinds, decides);
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const auto start = line.find_first_not_of(" \t");
    if (start == std::string_view::npos) break;
    line.remove_prefix(start);
    const auto end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

bool looks_like_a_type(std::string_view word) {
  return word.find_first_of("=,\"") == std::string_view::npos &&
         (word.starts_with("ssh-") || word.starts_with("ecdsa-") || word.starts_with("sk-") ||
          word.starts_with("rsa-"));
}

struct Option {
  std::string_view name;
  std::optional<std::string_view> value;
};
// nullopt: quotes do not match.
std::optional<std::vector<Option>> options_of(std::string_view text) {
  std::vector<Option> options;
  for (;;) {
    Option option;
    const auto end = std::min(text.find_first_of("=,"), text.size());
    option.name = text.substr(0, end);
    text.remove_prefix(end);
    if (text.starts_with("=\"")) {
      text.remove_prefix(2);
      const auto quote = text.find('"');
      if (quote == std::string_view::npos) return std::nullopt;
      option.value = text.substr(0, quote);
      text.remove_prefix(quote + 1);
    } else if (text.starts_with("=")) {
      return std::nullopt;
    }
    options.push_back(option);
    if (text.empty()) return options;
    if (text.front() != ',') return std::nullopt;
    text.remove_prefix(1);
  }
}

class SignersReader {
 public:
  SignersReader(SignersOf what, const std::vector<std::string>& with_security_key)
      : known_(known_namespaces(what)), with_security_key_(with_security_key) {}

  SignersReading read(std::string_view text) {
    if (text.size() > largest_signers_file) {
      says(Code::too_large, fmt::format("the file has more than {} bytes", largest_signers_file));
      return std::move(reading_);
    }
    if (!text.empty() && text.back() != '\n') says(Code::not_text, "the last line has no end: the file was cut");
    while (!text.empty()) {
      ++line_;
      const auto end = std::min(text.find('\n'), text.size());
      line(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    line_ = 0;
    if (reading_.signers.empty() && reading_.problems.empty()) says(Code::no_signers, "nobody is named in it");
    compare_roles();
    std::ranges::stable_sort(reading_.problems, {}, &TrustProblem::line);
    return std::move(reading_);
  }

 private:
  void says(Code code, std::string text) { reading_.problems.push_back({code, line_, std::move(text)}); }

  void line(std::string_view text) {
    const auto acts = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\t'; };
    if (text.size() > longest_line)
      return says(Code::too_large, fmt::format("the line has more than {} bytes", longest_line));
    if (std::ranges::any_of(text, acts) || to_valid_utf8(text) != text)
      return says(Code::not_text, "the line holds a control character or bytes that are no text");
    const auto words = words_of(text);
    if (words.empty() || words.front().starts_with('#')) return;
    const auto before = reading_.problems.size();
    Signer signer;
    signer.line = line_;
    name(words.front(), signer);
    std::size_t next = 1;
    if (words.size() > 1 && looks_like_a_type(words[1])) {
      says(Code::namespaces_missing, "has no namespaces=\"...\": this key could sign everything");
    } else if (words.size() > 1) {
      options(words[1], signer);
      ++next;
    }
    if (words.size() < next + 2) {
      // Options with a blank in them come apart here; ssh-keygen would take them together.
      return says(Code::line_malformed, "is not NAME namespaces=\"...\" TYPE KEY");
    }
    key(words[next], words[next + 1], signer);
    if (reading_.problems.size() == before) reading_.signers.push_back(std::move(signer));
  }

  void name(std::string_view word, Signer& signer) {
    signer.name = word;
    if (word.find_first_of("*?!,") != std::string_view::npos)
      return says(Code::name_pattern, fmt::format("'{}' stands for more than one name", printable(word)));
    if (!is_principal(word))
      says(Code::name_invalid, fmt::format("'{}' is no name: {}", printable(word), principal_rule));
  }

  void options(std::string_view word, Signer& signer) {
    const auto options = options_of(word);
    if (!options) {
      return says(Code::line_malformed,
                  fmt::format("options must be NAME=\"VALUE\" with a comma between, found '{}'", printable(word)));
    }
    std::set<std::string_view> seen;
    for (const auto& option : *options) {
      if (!seen.insert(option.name).second)
        says(Code::option_twice, fmt::format("'{}' is given twice", printable(option.name)));
      if (option.name == "cert-authority") {
        says(Code::cert_authority, "'cert-authority' lets its holder make more signers");
      } else if (option.name == "namespaces" && option.value) {
        namespaces(*option.value, signer);
      } else if (option.name == "valid-after" && option.value) {
        signer.after = date(option);
      } else if (option.name == "valid-before" && option.value) {
        signer.before = date(option);
      } else {
        says(Code::option_unknown,
             fmt::format("'{}' is no option here; there are: namespaces=, valid-after=, valid-before=",
                         printable(option.name)));
      }
    }
    if (!seen.contains("namespaces"))
      says(Code::namespaces_missing, "has no namespaces=\"...\": this key could sign everything");
    if (signer.after && signer.before && *signer.after > *signer.before)
      says(Code::dates_reversed, "valid-after is later than valid-before: the key is never in force");
  }

  void namespaces(std::string_view list, Signer& signer) {
    for (;;) {
      const auto end = std::min(list.find(','), list.size());
      const std::string one(list.substr(0, end));
      if (one.find_first_of("*?!") != std::string::npos) {
        says(Code::namespace_pattern, fmt::format("'{}' stands for more than one namespace", printable(one)));
      } else if (std::ranges::count(known_, one) == 0) {
        says(Code::namespace_unknown,
             fmt::format("namespace '{}' is not known; there are: {}", printable(one), fmt::join(known_, ", ")));
      } else if (std::ranges::count(signer.namespaces, one) > 0) {
        says(Code::namespace_twice, fmt::format("namespace '{}' is given twice", one));
      }
      signer.namespaces.push_back(one);
      if (end == list.size()) return;
      list.remove_prefix(end + 1);
    }
  }

  std::optional<std::chrono::sys_seconds> date(const Option& option) {
    const auto text = *option.value;
    if (const auto read = date_of_signers(text)) return read;
    // Without the Z it may be a date, of a zone that nobody wrote down.
    if (date_of_signers(std::string(text) + "Z")) {
      says(Code::date_without_zone,
           fmt::format("{}=\"{}\" has no Z: it would mean the local time of whoever verifies", option.name, text));
    } else {
      says(Code::date_unparsable, fmt::format("{}=\"{}\" is no date as 20261231235959Z", option.name, printable(text)));
    }
    return std::nullopt;
  }

  void key(std::string_view type, std::string_view base64, Signer& signer) {
    auto read = read_key_text(type, base64);
    if (const auto* none = std::get_if<NoKey>(&read)) {
      switch (none->problem) {
        case KeyProblem::unreadable: return says(Code::key_unreadable, none->text);
        case KeyProblem::kind: return says(Code::key_kind, none->text);
        case KeyProblem::weak: return says(Code::key_weak, none->text);
      }
    }
    signer.key = std::get<PublicKey>(std::move(read));
    const auto [at, is_new] = lines_of_keys_.emplace(signer.key.blob, std::pair(line_, signer.name));
    if (!is_new) {
      says(Code::key_twice, fmt::format("is the key of '{}' in line {}: whoever has it could sign as both",
                                        printable(at->second.second), at->second.first));
    }
    if (is_security_key(signer.key.kind)) return;
    for (const auto& name_space : signer.namespaces) {
      if (std::ranges::count(with_security_key_, name_space) > 0)
        says(Code::security_key_missing,
             fmt::format("a security key is demanded for '{}', and this is a {} key", name_space, signer.key.type));
    }
  }

  // Per name, over all its lines.
  void compare_roles() {
    std::map<std::string, std::set<std::string>> of_name;
    for (const auto& signer : reading_.signers) {
      auto& all = of_name[signer.name];
      all.insert(signer.namespaces.begin(), signer.namespaces.end());
      if (std::ranges::any_of(all, is_of_lab) && std::ranges::any_of(all, judges_the_lab)) {
        line_ = signer.line;
        says(Code::roles_mixed,
             fmt::format("'{}' would sign what the lab found ({}) and judge it ({})", signer.name,
                         *std::ranges::find_if(all, is_of_lab), *std::ranges::find_if(all, judges_the_lab)));
      }
    }
    line_ = 0;
  }

  std::vector<std::string> known_;
  const std::vector<std::string>& with_security_key_;
  SignersReading reading_;
  std::map<std::string, std::pair<std::size_t, std::string>> lines_of_keys_;
  std::size_t line_ = 0;
};

}  // namespace

bool may_sign(const Signer& signer, std::string_view name_space) {
  return std::ranges::find(signer.namespaces, name_space) != signer.namespaces.end();
}

bool in_force(const Signer& signer, std::chrono::system_clock::time_point when) {
  const auto second = std::chrono::floor<std::chrono::seconds>(when);
  return (!signer.after || second >= *signer.after) && (!signer.before || second <= *signer.before);
}

const char* to_string(TrustProblemCode code) {
  switch (code) {
    case Code::too_large: return "too-large";
    case Code::not_text: return "not-text";
    case Code::no_signers: return "no-signers";
    case Code::line_malformed: return "line-malformed";
    case Code::name_pattern: return "name-pattern";
    case Code::name_invalid: return "name-invalid";
    case Code::option_unknown: return "option-unknown";
    case Code::option_twice: return "option-twice";
    case Code::cert_authority: return "cert-authority";
    case Code::namespaces_missing: return "namespaces-missing";
    case Code::namespace_pattern: return "namespace-pattern";
    case Code::namespace_unknown: return "namespace-unknown";
    case Code::namespace_twice: return "namespace-twice";
    case Code::date_without_zone: return "date-without-zone";
    case Code::date_unparsable: return "date-unparsable";
    case Code::dates_reversed: return "dates-reversed";
    case Code::key_unreadable: return "key-unreadable";
    case Code::key_kind: return "key-kind";
    case Code::key_weak: return "key-weak";
    case Code::key_twice: return "key-twice";
    case Code::roles_mixed: return "roles-mixed";
    case Code::security_key_missing: return "security-key-missing";
    case Code::not_canonical: return "not-canonical";
  }
  return "";
}

std::vector<std::string> known_namespaces(SignersOf what) {
  const auto trust = signature_namespace(StatementKind::trust);
  if (what == SignersOf::trust) return {trust};
  std::vector<std::string> names;
  for (const auto kind : all_statement_kinds) {
    if (kind != StatementKind::trust) names.push_back(signature_namespace(kind));
  }
  names.insert(names.end(), {head, witness});
  return names;
}

SignersReading read_signers(std::string_view text, SignersOf what, const std::vector<std::string>& with_security_key) {
  return SignersReader(what, with_security_key).read(text);
}

std::string write_signers(const std::vector<Signer>& signers) {
  std::string text;
  for (const auto& signer : signers) {
    text += fmt::format("{} namespaces=\"{}\"", signer.name, fmt::join(signer.namespaces, ","));
    if (signer.after) text += fmt::format(",valid-after=\"{}\"", ssh_time(*signer.after));
    if (signer.before) text += fmt::format(",valid-before=\"{}\"", ssh_time(*signer.before));
    text += fmt::format(" {}\n", to_string(signer.key));
  }
  return text;
}

Result<std::vector<Signer>> read_canonical_signers(std::string_view text, SignersOf what,
                                                   const std::string& file_name) {
  auto reading = read_signers(text, what);
  if (reading.problems.empty() && write_signers(reading.signers) != text)
    reading.problems.push_back({Code::not_canonical, 0, "is not written as 'patchlab trust sign' writes it"});
  if (!reading.problems.empty()) return trust_error(file_name, reading.problems);
  return std::move(reading.signers);
}

Error trust_error(const std::string& file_name, const std::vector<TrustProblem>& problems) {
  std::string message;
  for (const auto& problem : problems) {
    message += fmt::format("{}{}{}: {}: {}", message.empty() ? "" : "\n", printable(file_name),
                           problem.line == 0 ? std::string() : fmt::format(":{}", problem.line),
                           to_string(problem.code), problem.text);
  }
  return configuration_error(std::move(message), "patchlab trust check FILE says the same of a file");
}

std::optional<std::chrono::sys_seconds> date_of_signers(std::string_view text) {
  if (!text.ends_with('Z')) return std::nullopt;
  text.remove_suffix(1);
  if (text.size() != 8 && text.size() != 12 && text.size() != 14) return std::nullopt;
  std::string digits(text);
  digits.resize(14, '0');
  const auto part = [&](std::size_t at, std::size_t size) { return digits.substr(at, size); };
  const auto when = parse_rfc3339(
      fmt::format("{}-{}-{}T{}:{}:{}Z", part(0, 4), part(4, 2), part(6, 2), part(8, 2), part(10, 2), part(12, 2)));
  // 0 is "no date" to ssh-keygen.
  if (!when || when->time_since_epoch().count() == 0) return std::nullopt;
  return std::chrono::floor<std::chrono::seconds>(*when);
}

}  // namespace patchlab::promotion
