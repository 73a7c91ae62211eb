// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/ldap/bind.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "checks/check_with.hpp"
#include "checks/ldap/arrival.hpp"
#include "checks/unique.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::checks::ldap {
namespace {

using Values = std::map<std::string, std::vector<std::string>>;  // by attribute, sorted
using Entries = std::map<std::string, Values>;                   // by name

struct Parameters {
  Login login;
  std::string expect_result;
  Values root_dse;
  std::optional<Search> search;
  Entries expect;
};

std::string why_no_attribute(const std::string& name) {
  const bool plain = !name.empty() && name.size() <= 200 && std::ranges::all_of(name, [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '.' || c == ';';
  });
  return plain ? "" : fmt::format("'{}' is no name of an attribute, such as mail", name);
}

Values read_values(JsonReader& reader, const std::string& key) {
  Values values;
  const auto& raw = reader.raw(key);
  auto inside = reader.object(key);
  if (!raw.is_object()) return values;
  for (const auto& [name, list] : raw.items()) {
    if (const auto why = why_no_attribute(name); !why.empty()) inside.problem(name, why);
    values[name] = inside.texts_or_empty(name);
    std::ranges::sort(values[name]);
  }
  return values;
}

Search read_search(JsonReader& reader, Entries& expected) {
  Search search;
  search.base = reader.text("base");
  search.scope = reader.text_or("scope", "subtree", [](const std::string& scope) {
    return scope == "subtree" || scope == "one" || scope == "base"
               ? std::string()
               : fmt::format("must be one of \"subtree\", \"one\", \"base\", found \"{}\"", scope);
  });
  search.filter = reader.text_or("filter", "(objectClass=*)", [](const std::string& filter) {
    return filter.starts_with("(") && filter.ends_with(")") ? "" : "must be a filter in parentheses, as (cn=alice)";
  });
  search.attributes = reader.texts_or_empty("attributes", why_no_attribute);
  if (search.attributes.empty())
    reader.problem("attributes", "must name at least one attribute whose values are known");
  const auto& raw = reader.raw("expect");
  auto inside = reader.object("expect");
  if (raw.is_object()) {
    for (const auto& [name, ignored] : raw.items()) expected[name] = read_values(inside, name);
  }
  reader.finish();
  return search;
}

Parameters read_bind(JsonReader& reader) {
  Parameters with;
  with.login = read_login(reader);
  with.expect_result = reader.text_or("expect_result", "success", [](const std::string& name) {
    return is_result_name(name) ? std::string()
                                : fmt::format("'{}' is no result of RFC 4511, such as strongerAuthRequired", name);
  });
  if (reader.has("root_dse")) {
    with.root_dse = read_values(reader, "root_dse");
    if (with.root_dse.empty()) reader.problem("root_dse", "must name at least one attribute whose values are known");
  }
  if (reader.has("search")) {
    auto inside = reader.object("search");
    with.search = read_search(inside, with.expect);
  }
  for (const char* key : {"root_dse", "search"}) {
    if (with.expect_result != "success" && reader.has(key))
      reader.problem(key, "needs a login that is granted: expect_result \"success\"");
  }
  return with;
}

Search root_dse_of(const Values& wanted) {
  Search search{"", "base", "(objectClass=*)", {}};
  for (const auto& [name, values] : wanted) search.attributes.push_back(name);
  return search;
}

Arrival arrival_at(const Login& login, const std::string& address) { return {login, address, address}; }

template <class Work>
Result<Observation> observe_directory(const Target& target, const Login& login, Milliseconds limit, Work work) {
  const Deadline deadline(limit);
  auto seen = observe_within(limit, [=](Progress progress) {
    TakenSteps steps(std::move(progress));
    Tickets tickets;
    Session session(target.address, target.client_address, login, deadline);
    if (arrive(arrival_at(login, target.address), session, tickets, steps)) work(session, steps);
  });
  if (seen.contains("lab_error")) return error_from_json(seen["lab_error"]);
  seen["server"] = fmt::format("{}:{}", target.address, login.port);
  return seen;
}

Arrival seen_arrival(const Login& login, const Observation& seen) {
  const auto server = seen.value("server", "");
  return arrival_at(login, server.substr(0, server.find(':')));
}

std::string listed_values(const std::vector<std::string>& values) {
  return values.empty() ? "nothing" : listed(values, ", ");
}

// The first attribute that is not as it should be.
std::optional<Judgement> compare(const std::string& reason, const std::string& entry, const Values& expected,
                                 const Json& seen) {
  auto names = seen.get<std::map<std::string, std::vector<std::string>>>();
  for (const auto& [name, values] : expected) names.try_emplace(name);
  for (const auto& [name, values] : names) {
    const auto wanted = expected.contains(name) ? expected.at(name) : std::vector<std::string>();
    if (values == wanted) continue;
    return failed(reason, printable_format("{}: {} is {}", entry, name, listed_values(wanted)),
                  printable_format("{}: {} is {}", entry, name, listed_values(values)));
  }
  return std::nullopt;
}

std::optional<Judgement> judge_entries(const Entries& expected, const Json& seen) {
  for (const auto& [name, values] : expected) {
    if (!seen.contains(name)) return failed("entry-missing", "entry " + printable(name), "it is not found");
  }
  for (const auto& [name, attributes] : seen.items()) {
    if (!expected.contains(name))
      return failed("entry-added", fmt::format("{} entries", expected.size()), "another entry: " + printable(name));
    if (auto bad = compare("values-differ", name, expected.at(name), attributes)) return bad;
  }
  return std::nullopt;
}

std::optional<Judgement> judge_layer(const Login& login, const Observation& seen) {
  if (login.method == Method::simple || login.layer == Layer::none) return std::nullopt;
  const auto strength = find_taken_step(seen, "bind")->value("ssf", 0);
  const int least = login.layer == Layer::sign ? 1 : 56;
  if (strength >= least) return std::nullopt;
  return failed("layer-differs", fmt::format("{} of {} bits or more", described(login), least),
                fmt::format("{} bits", strength));
}

std::optional<Judgement> judge_content(const Parameters& with, const Observation& seen) {
  if (!with.root_dse.empty()) {
    if (auto bad = judge_taken_step(seen, "root dse", "root-dse-refused", "what the server says of itself")) return bad;
    const auto& entries = find_taken_step(seen, "root dse")->at("entries");
    const auto said = entries.contains("") ? entries.at("") : Json::object();
    if (auto bad = compare("root-dse-differs", "the server itself", with.root_dse, said)) return bad;
  }
  if (!with.search) return std::nullopt;
  const auto expected = printable_format("an answer to {} below '{}'", with.search->filter, with.search->base);
  if (auto bad = judge_taken_step(seen, "search", "search-refused", expected)) return bad;
  return judge_entries(with.expect, find_taken_step(seen, "search")->at("entries"));
}

class Bind final : public CheckWith<Parameters> {
 public:
  [[nodiscard]] std::string kind() const override { return "ldap.bind"; }

 protected:
  [[nodiscard]] Parameters read(JsonReader& reader) const override { return read_bind(reader); }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Parameters& with,
                                                 Milliseconds limit) const override {
    return observe_directory(target, with.login, limit, [with](Session& session, TakenSteps& steps) {
      if (with.expect_result != "success") return;
      if (!with.root_dse.empty() && !steps.take("root dse", [&] { return session.search(root_dse_of(with.root_dse)); }))
        return;
      if (with.search) steps.take("search", [&] { return session.search(*with.search); });
    });
  }

  [[nodiscard]] Judgement judge_with(const Parameters& with, const Observation& seen) const override {
    if (auto bad = judge_arrival(seen_arrival(with.login, seen), seen, with.expect_result)) return *bad;
    const auto what = described(with.login);
    if (with.expect_result != "success")
      return {Outcome::pass, "refused", fmt::format("{}: {}", what, with.expect_result),
              find_taken_step(seen, "bind")->value("why", "")};
    if (auto bad = judge_layer(with.login, seen)) return *bad;
    if (auto bad = judge_content(with, seen)) return *bad;
    return {Outcome::pass, "granted", what, "it is granted, and what was looked for is there"};
  }

  [[nodiscard]] Result<void> expect(const Parameters& with, Observation& seen, Json& json) const override {
    const auto entries = [&](const char* step) {
      const auto* entry = find_taken_step(seen, step);
      return entry != nullptr && entry->contains("entries") ? entry->at("entries") : Json();
    };
    if (const auto found = entries("root dse"); found.is_object()) {
      for (const auto& [name, values] : with.root_dse)
        json["root_dse"][name] = found.contains("") ? found.at("").value(name, Json::array()) : Json::array();
    }
    if (const auto found = entries("search"); found.is_object()) json["search"]["expect"] = found;
    return {};
  }
};

struct Stranger {
  Login login;
  std::string sub_code;
};

class LoginRefused final : public CheckWith<Stranger> {
 public:
  [[nodiscard]] std::string kind() const override { return "ldap.login-refused"; }
  [[nodiscard]] bool wants_a_refusal() const override { return true; }

 protected:
  [[nodiscard]] Stranger read(JsonReader& reader) const override {
    Stranger with;
    with.login = read_login(reader, Password::made_up);
    with.sub_code = reader.text_or("sub_code", "", [](const std::string& code) {
      const bool plain =
          !code.empty() && code.size() <= 8 && code.find_first_not_of("0123456789abcdef") == std::string::npos;
      return plain ? "" : "must be hexadecimal digits in small letters, as \"52e\"";
    });
    return with;
  }

  [[nodiscard]] Result<Observation> observe_with(const Target& target, const Stranger& with,
                                                 Milliseconds limit) const override {
    auto login = with.login;
    login.password = unique_text();
    return observe_directory(target, login, limit, [](Session&, TakenSteps&) {});
  }

  [[nodiscard]] Judgement judge_with(const Stranger& with, const Observation& seen) const override {
    auto bad = judge_arrival(seen_arrival(with.login, seen), seen, "invalidCredentials");
    if (bad && bad->reason == "bind-granted") bad->reason = "wrong-password-accepted";
    if (bad) return *bad;
    const auto& entry = *find_taken_step(seen, "bind");
    const auto said = entry.value("sub_code", "");
    const auto expected = fmt::format("{} with a wrong password is refused{}", described(with.login),
                                      with.sub_code.empty() ? "" : ", data " + with.sub_code);
    if (!with.sub_code.empty() && said != with.sub_code)
      return failed("sub-code-differs", expected,
                    said.empty() ? "no such code: " + entry.value("why", "") : "data " + said);
    return {Outcome::pass, "login-refused", expected, entry.value("why", "")};
  }
};

}  // namespace

const Check& bind() {
  static const Bind instance;
  return instance;
}
const Check& login_refused() {
  static const LoginRefused instance;
  return instance;
}

}  // namespace patchlab::checks::ldap
