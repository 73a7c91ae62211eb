// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The only file that knows libldap and Cyrus SASL.
#include "checks/ldap/session.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <ldap.h>
#include <openldap.h>
#include <openssl/pem.h>
#include <sasl/sasl.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "checks/hex.hpp"
#include "checks/socket.hpp"
#include "lab/core/printable.hpp"

namespace patchlab::checks::ldap {
namespace {

struct Unbind {
  void operator()(LDAP* connection) const { ldap_unbind_ext_s(connection, nullptr, nullptr); }
};
struct FreeMessage {
  void operator()(LDAPMessage* message) const { ldap_msgfree(message); }
};
using Message = std::unique_ptr<LDAPMessage, FreeMessage>;

const std::map<int, std::string> names_of_results{{0, "success"},
                                                  {1, "operationsError"},
                                                  {2, "protocolError"},
                                                  {3, "timeLimitExceeded"},
                                                  {4, "sizeLimitExceeded"},
                                                  {7, "authMethodNotSupported"},
                                                  {8, "strongerAuthRequired"},
                                                  {10, "referral"},
                                                  {11, "adminLimitExceeded"},
                                                  {12, "unavailableCriticalExtension"},
                                                  {13, "confidentialityRequired"},
                                                  {14, "saslBindInProgress"},
                                                  {16, "noSuchAttribute"},
                                                  {17, "undefinedAttributeType"},
                                                  {19, "constraintViolation"},
                                                  {20, "attributeOrValueExists"},
                                                  {21, "invalidAttributeSyntax"},
                                                  {32, "noSuchObject"},
                                                  {34, "invalidDNSyntax"},
                                                  {48, "inappropriateAuthentication"},
                                                  {49, "invalidCredentials"},
                                                  {50, "insufficientAccessRights"},
                                                  {51, "busy"},
                                                  {52, "unavailable"},
                                                  {53, "unwillingToPerform"},
                                                  {64, "namingViolation"},
                                                  {65, "objectClassViolation"},
                                                  {66, "notAllowedOnNonLeaf"},
                                                  {68, "entryAlreadyExists"},
                                                  {80, "other"}};

Json ours(const std::string& why, int code = 0) {
  return {{"ok", false}, {"kind", "ours"}, {"code", code}, {"why", why}};
}
const Json done{{"ok", true}};
const std::string hex_mark = "hex:";

// libldap reads authorities from a file only.
FileDescriptor file_in_memory(const std::string& text) {
  FileDescriptor file(::memfd_create("patchlab", MFD_CLOEXEC));
  for (std::size_t at = 0; file.valid() && at < text.size();) {
    const auto count = ::write(file.get(), text.data() + at, text.size() - at);
    if (count < 0 && errno != EINTR) return FileDescriptor();
    if (count > 0) at += static_cast<std::size_t>(count);
  }
  return file;
}

// GnuTLS would take any text, and then believe nobody.
bool holds_certificate(const std::string& pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                         &BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> first(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr),
                                                          &X509_free);
  return first != nullptr;
}

// Nobody is here who could be asked: as whom to log in is in the ticket.
int answer_nothing(LDAP*, unsigned, void*, void* questions) {
  for (auto* one = static_cast<sasl_interact_t*>(questions); one->id != SASL_CB_LIST_END; ++one) {
    one->result = "";
    one->len = 0;
  }
  return LDAP_SUCCESS;
}

std::string text_of(const berval& value) {
  const std::string bytes(value.bv_val, value.bv_len);
  const bool plain =
      to_valid_utf8(bytes) == bytes && std::ranges::none_of(bytes, [](unsigned char c) { return c < ' ' || c == 127; });
  return plain && !bytes.starts_with(hex_mark) ? bytes : hex_mark + to_hex(bytes);
}

// What text_of() made a text of.
std::string bytes_of(const std::string& text) {
  if (!text.starts_with(hex_mark)) return text;
  return from_hex(text.substr(hex_mark.size())).value_or(text);
}

std::string wanted_spelling(const std::string& name, const std::vector<std::string>& wanted) {
  for (const auto& one : wanted) {
    if (::strcasecmp(one.c_str(), name.c_str()) == 0) return one;
  }
  return name;
}

// For functions that take lists of pointers which they do not change.
class Pointers {
 public:
  explicit Pointers(const std::vector<std::string>& texts) {
    for (const auto& text : texts) list_.push_back(const_cast<char*>(text.c_str()));  // NOLINT
    list_.push_back(nullptr);
  }
  char** get() { return list_.data(); }

 private:
  std::vector<char*> list_;
};

class Modification {
 public:
  Modification(int operation, std::string attribute, const std::vector<std::string>& values)
      : attribute_(std::move(attribute)) {
    for (const auto& value : values) values_.push_back(bytes_of(value));
    for (auto& value : values_) bytes_.push_back({value.size(), value.data()});
    for (auto& one : bytes_) list_.push_back(&one);
    list_.push_back(nullptr);
    raw_.mod_op = operation | LDAP_MOD_BVALUES;
    raw_.mod_type = attribute_.data();
    raw_.mod_bvalues = values_.empty() ? nullptr : list_.data();
  }
  Modification(const Modification&) = delete;
  Modification& operator=(const Modification&) = delete;
  LDAPMod* get() { return &raw_; }

 private:
  std::string attribute_;
  std::vector<std::string> values_;
  std::vector<berval> bytes_;
  std::vector<berval*> list_;
  LDAPMod raw_{};
};

}  // namespace

struct Session::State {
  std::string address;
  std::string source;
  Login login;
  Deadline deadline;
  FileDescriptor authorities;  // libldap has its path
  std::unique_ptr<LDAP, Unbind> connection;

  [[nodiscard]] LDAP* raw() const { return connection.get(); }
  bool set(int option, const void* value) const { return ldap_set_option(raw(), option, value) == LDAP_OPT_SUCCESS; }
  // For the next call.
  void hurry() const {
    const auto left = std::max(deadline.remaining(), Milliseconds(1));
    const timeval time{left.count() / 1000, (left.count() % 1000) * 1000};
    set(LDAP_OPT_TIMEOUT, &time);
    set(LDAP_OPT_NETWORK_TIMEOUT, &time);
  }
  [[nodiscard]] std::string diagnostic() const {
    char* text = nullptr;
    ldap_get_option(raw(), LDAP_OPT_DIAGNOSTIC_MESSAGE, &text);
    std::string copy = to_valid_utf8(text == nullptr ? "" : text);
    ldap_memfree(text);
    while (copy.ends_with('\n') || copy.ends_with(' ')) copy.pop_back();
    return printable(copy);
  }
  // Codes below zero are libldap's own.
  [[nodiscard]] Json told(int code) const {
    if (code == LDAP_SUCCESS) return done;
    const auto said = diagnostic();
    Json entry{{"ok", false}, {"code", code}, {"why", said.empty() ? std::string(ldap_err2string(code)) : said}};
    if (code > 0) {
      entry["kind"] = "result";
      entry["result"] = result_name(code);
      if (const auto sub_code = sub_code_in(said); !sub_code.empty()) entry["sub_code"] = sub_code;
    } else if (code == LDAP_SERVER_DOWN) {
      entry["kind"] = "closed";
    } else if (code == LDAP_TIMEOUT) {
      entry["kind"] = "unreachable";
    } else if (code == LDAP_CONNECT_ERROR) {
      entry["kind"] = "tls";
    } else if (code == LDAP_LOCAL_ERROR) {
      entry["kind"] = "security";
    } else if (code == LDAP_AUTH_UNKNOWN) {
      return ours("Cyrus SASL has no Kerberos here: apt-get install libsasl2-modules-gssapi-mit; " + said, code);
    } else if (code == LDAP_NO_MEMORY || code == LDAP_PARAM_ERROR || code == LDAP_FILTER_ERROR ||
               code == LDAP_ENCODING_ERROR || code == LDAP_NOT_SUPPORTED) {
      return ours(fmt::format("libldap: {} {}", ldap_err2string(code), said), code);
    } else {
      entry["kind"] = "malformed";
    }
    return entry;
  }
  [[nodiscard]] Json take_over(int socket);
  [[nodiscard]] Json prepare_tls();
  [[nodiscard]] bool agrees_with_any_certificate() const;
  [[nodiscard]] Json bind_by_sasl() const;
  Json add_entry(LDAPMessage* message, const Search& search, Json& entries, std::size_t& bytes) const;
};

Session::Session(std::string address, std::string source, Login login, const Deadline& deadline)
    : state_(new State{std::move(address), std::move(source), std::move(login), deadline, {}, {}}) {}
Session::~Session() = default;

Json Session::connect() {
  auto& state = *state_;
  auto reached = connect_tcp({state.address, state.login.port}, state.source, state.deadline);
  if (!reached) return ours(reached.error().message);
  if (reached->saved_errno != 0)
    return {{"ok", false},
            {"kind", "connect"},
            {"code", reached->saved_errno},
            {"reason", reason_for_errno(reached->saved_errno)},
            {"why", describe_errno(reached->saved_errno)}};
  const int socket = reached->socket.get();
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) & ~O_NONBLOCK);
  auto entry = state.take_over(socket);
  if (state.connection) (void)reached->socket.release();  // closed by libldap
  return entry;
}

Json Session::State::take_over(int socket) {
  ::setenv("LDAPNOINIT", "1", 1);  // no ldap.conf, no ~/.ldaprc
  const auto url = fmt::format("{}://{}:{}", login.tls == Tls::ldaps ? "ldaps" : "ldap",
                               login.server.empty() ? address : login.server, login.port);
  LDAP* made = nullptr;
  if (const int code = ldap_init_fd(socket, LDAP_PROTO_TCP, url.c_str(), &made); code != LDAP_SUCCESS)
    return ours(fmt::format("libldap does not begin: {}", ldap_err2string(code)), code);
  connection.reset(made);
  const int version = LDAP_VERSION3;
  Sockbuf* buffer = nullptr;
  ber_len_t most = most_bytes;
  if (!set(LDAP_OPT_PROTOCOL_VERSION, &version) || !set(LDAP_OPT_REFERRALS, LDAP_OPT_OFF) ||
      !set(LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON) ||
      ldap_get_option(raw(), LDAP_OPT_SOCKBUF, &buffer) != LDAP_OPT_SUCCESS ||
      ber_sockbuf_ctrl(buffer, LBER_SB_OPT_SET_MAX_INCOMING, &most) != 1)
    return ours("libldap does not take its options");
  return done;
}

Json Session::State::prepare_tls() {
  const int demanded = login.authorities.empty() ? LDAP_OPT_X_TLS_NEVER : LDAP_OPT_X_TLS_DEMAND;
  if (!login.authorities.empty()) {
    if (!holds_certificate(login.authorities)) return ours("'authorities' holds no certificate in PEM");
    authorities = file_in_memory(login.authorities);
    if (!authorities.valid()) return ours("making a file in memory: " + describe_errno(errno));
    const auto path = fmt::format("/proc/self/fd/{}", authorities.get());
    if (!set(LDAP_OPT_X_TLS_CACERTFILE, path.c_str())) return ours("libldap does not take authorities");
  }
  const int client = 0;
  if (!set(LDAP_OPT_X_TLS_REQUIRE_CERT, &demanded)) return ours("libldap does not take its options");
  if (!set(LDAP_OPT_X_TLS_NEWCTX, &client)) return ours("GnuTLS does not begin");
  return done;
}

Json Session::secure() {
  auto& state = *state_;
  if (state.login.tls == Tls::none) return done;
  if (auto prepared = state.prepare_tls(); prepared != done) return prepared;
  state.hurry();
  const int code =
      state.login.tls == Tls::ldaps ? ldap_install_tls(state.raw()) : ldap_start_tls_s(state.raw(), nullptr, nullptr);
  // What breaks off a handshake is told as "server down" or as an error of the connection, in no words.
  auto entry = state.told(code);
  if (code == LDAP_SERVER_DOWN && state.login.tls == Tls::ldaps) entry["kind"] = "tls";
  // StartTLS has no parameters of ours: libldap says so of what comes in place of an answer, or of one that never ends.
  if (code == LDAP_PARAM_ERROR && state.login.tls == Tls::starttls)
    entry = {
        {"ok", false}, {"kind", "malformed"}, {"code", code}, {"why", "what came for StartTLS is no answer of LDAP"}};
  if (entry.value("kind", "") != "tls") return entry;
  entry["why"] = "no agreement on TLS";
  if (!state.login.authorities.empty() && state.agrees_with_any_certificate()) {
    entry["kind"] = "certificate";
    entry["why"] =
        fmt::format("the certificate is not from 'authorities', not valid now, or not for '{}'", state.login.server);
  }
  return entry;
}

// With who has no opinion on certificates.
bool Session::State::agrees_with_any_certificate() const {
  auto trusting = login;
  trusting.authorities.clear();
  Session session(address, source, trusting, deadline);
  return session.connect().at("ok").get<bool>() && session.secure().at("ok").get<bool>();
}

Json Session::bind() {
  auto& state = *state_;
  state.hurry();
  if (state.login.method != Method::simple) return state.bind_by_sasl();
  berval password{state.login.password.size(), state.login.password.data()};
  const auto* const user = state.login.user.c_str();
  auto entry = state.told(ldap_sasl_bind_s(state.raw(), user, LDAP_SASL_SIMPLE, &password, nullptr, nullptr, nullptr));
  if (entry.at("ok").get<bool>()) entry["ssf"] = 0;
  return entry;
}

Json Session::State::bind_by_sasl() const {
  const auto* const wanted = login.layer == Layer::none   ? "minssf=0,maxssf=0"
                             : login.layer == Layer::sign ? "minssf=1,maxssf=1"
                                                          : "minssf=56";
  if (!set(LDAP_OPT_X_SASL_SECPROPS, wanted)) return ours("Cyrus SASL does not take its options");
  const auto* const mechanism = login.method == Method::gssapi ? "GSSAPI" : "GSS-SPNEGO";
  auto entry = told(ldap_sasl_interactive_bind_s(raw(), nullptr, mechanism, nullptr, nullptr, LDAP_SASL_QUIET,
                                                 answer_nothing, nullptr));
  ber_len_t strength = 0;
  if (!entry.at("ok").get<bool>()) return entry;
  if (ldap_get_option(raw(), LDAP_OPT_X_SASL_SSF, &strength) != LDAP_OPT_SUCCESS)
    return ours("Cyrus SASL does not tell its layer");
  entry["ssf"] = strength;
  return entry;
}

Json Session::search(const Search& search) {
  auto& state = *state_;
  const int scope = search.scope == "base"  ? LDAP_SCOPE_BASE
                    : search.scope == "one" ? LDAP_SCOPE_ONELEVEL
                                            : LDAP_SCOPE_SUBTREE;
  Pointers attributes(search.attributes);
  state.hurry();
  int id = 0;
  if (const int code = ldap_search_ext(state.raw(), search.base.c_str(), scope, search.filter.c_str(), attributes.get(),
                                       0, nullptr, nullptr, nullptr, most_entries, &id);
      code != LDAP_SUCCESS)
    return state.told(code);
  Json entries = Json::object();
  std::size_t bytes = 0;
  while (true) {
    const auto left = state.deadline.remaining();
    timeval time{left.count() / 1000, (left.count() % 1000) * 1000};
    LDAPMessage* taken = nullptr;
    const int type = ldap_result(state.raw(), id, LDAP_MSG_ONE, &time, &taken);
    const Message message(taken);
    if (type == 0) return state.told(LDAP_TIMEOUT);
    if (type < 0) {
      int code = LDAP_SERVER_DOWN;
      ldap_get_option(state.raw(), LDAP_OPT_RESULT_CODE, &code);
      return state.told(code < 0 ? code : LDAP_DECODING_ERROR);
    }
    if (type == LDAP_RES_SEARCH_ENTRY) {
      if (auto entry = state.add_entry(taken, search, entries, bytes); entry != done) return entry;
    } else if (type == LDAP_RES_SEARCH_RESULT) {
      int code = LDAP_SUCCESS;
      if (const int parsed = ldap_parse_result(state.raw(), taken, &code, nullptr, nullptr, nullptr, nullptr, 0);
          parsed != LDAP_SUCCESS)
        return state.told(parsed);
      auto entry = state.told(code);
      if (code == LDAP_SUCCESS) entry["entries"] = entries;
      return entry;
    }
  }
}

Json Session::State::add_entry(LDAPMessage* message, const Search& search, Json& entries, std::size_t& bytes) const {
  const Json too_much{{"ok", false},
                      {"kind", "too-much"},
                      {"code", 0},
                      {"why", fmt::format("more than {} entries or {} bytes", most_entries, most_bytes)}};
  char* name = ldap_get_dn(raw(), message);
  if (name == nullptr) return told(LDAP_DECODING_ERROR);
  const auto dn = to_valid_utf8(name);
  ldap_memfree(name);
  Json attributes = Json::object();
  BerElement* at = nullptr;
  for (char* type = ldap_first_attribute(raw(), message, &at); type != nullptr;
       type = ldap_next_attribute(raw(), message, at)) {
    const auto spelled = wanted_spelling(to_valid_utf8(type), search.attributes);
    std::vector<std::string> values;
    berval** list = ldap_get_values_len(raw(), message, type);
    for (int i = 0; list != nullptr && list[i] != nullptr; ++i) {
      bytes += list[i]->bv_len;
      values.push_back(text_of(*list[i]));
    }
    ldap_value_free_len(list);
    ldap_memfree(type);
    std::ranges::sort(values);
    attributes[spelled] = values;
  }
  ber_free(at, 0);
  bytes += dn.size();
  if (entries.size() >= most_entries || bytes > most_bytes) return too_much;
  entries[dn] = attributes;
  return done;
}

Json Session::add(const std::string& dn, const Attributes& attributes) {
  std::vector<std::unique_ptr<Modification>> made;
  std::vector<LDAPMod*> list;
  for (const auto& [name, values] : attributes) {
    made.push_back(std::make_unique<Modification>(LDAP_MOD_ADD, name, values));
    list.push_back(made.back()->get());
  }
  list.push_back(nullptr);
  state_->hurry();
  return state_->told(ldap_add_ext_s(state_->raw(), dn.c_str(), list.data(), nullptr, nullptr));
}

Json Session::replace(const std::string& dn, const std::string& attribute, const std::vector<std::string>& values) {
  Modification one(LDAP_MOD_REPLACE, attribute, values);
  std::vector<LDAPMod*> list{one.get(), nullptr};
  state_->hurry();
  return state_->told(ldap_modify_ext_s(state_->raw(), dn.c_str(), list.data(), nullptr, nullptr));
}

Json Session::remove(const std::string& dn) {
  state_->hurry();
  return state_->told(ldap_delete_ext_s(state_->raw(), dn.c_str(), nullptr, nullptr));
}

std::string sub_code_in(const std::string& diagnostic) {
  constexpr std::string_view before = "AcceptSecurityContext error, data ";
  constexpr std::size_t most_digits = 8;
  const auto at = diagnostic.find(before);
  if (at == std::string::npos) return {};
  const auto begin = at + before.size();
  const auto end = std::min(diagnostic.find_first_not_of("0123456789abcdefABCDEF", begin), diagnostic.size());
  const bool is_word = end == diagnostic.size() ||
                       !(std::isalnum(static_cast<unsigned char>(diagnostic[end])) != 0 || diagnostic[end] == '_');
  return end > begin && end - begin <= most_digits && is_word ? diagnostic.substr(begin, end - begin) : std::string();
}

std::string result_name(int code) {
  const auto found = names_of_results.find(code);
  return found == names_of_results.end() ? fmt::format("result {}", code) : found->second;
}

bool is_result_name(const std::string& name) {
  return std::ranges::any_of(names_of_results, [&](const auto& one) { return one.second == name; });
}

}  // namespace patchlab::checks::ldap
