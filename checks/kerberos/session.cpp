// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
//
// The only file that knows libkrb5.
#include "checks/kerberos/session.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <krb5.h>
#include <profile.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "lab/core/printable.hpp"

// Of libkrb5's interface (krb5_3_MIT, since 1.8), though only its own GSSAPI library has the declaration. GSSAPI itself
// would read the configuration of the host.
extern "C" krb5_error_code krb5_get_credentials_for_user(krb5_context context, krb5_flags options, krb5_ccache cache,
                                                         krb5_creds* wanted, krb5_data* certificate, krb5_creds** got);

namespace patchlab::checks::kerberos {
namespace {

// A file that has no name and ends with this process.
class NamelessFile {
 public:
  static Result<NamelessFile> with(const std::string& text) {
    FileDescriptor file(::memfd_create("patchlab", MFD_CLOEXEC));
    if (!file.valid()) return errno_error("making a file in memory", errno);
    for (std::size_t at = 0; at < text.size();) {
      const auto count = ::write(file.get(), text.data() + at, text.size() - at);
      if (count < 0 && errno != EINTR) return errno_error("writing a file in memory", errno);
      if (count > 0) at += static_cast<std::size_t>(count);
    }
    return NamelessFile(std::move(file));
  }
  [[nodiscard]] std::string path() const { return fmt::format("/proc/self/fd/{}", file_.get()); }

 private:
  explicit NamelessFile(FileDescriptor file) : file_(std::move(file)) {}
  FileDescriptor file_;
};

class MitSession final : public Session {
 public:
  MitSession() = default;
  ~MitSession() override {
    if (context_ == nullptr) return;
    krb5_free_principal(context_, self_);
    if (cache_ != nullptr) krb5_cc_destroy(context_, cache_);
    krb5_free_context(context_);
  }
  MitSession(const MitSession&) = delete;
  MitSession& operator=(const MitSession&) = delete;

  Result<void> begin(const Realm& realm, const std::string& user) {
    PATCHLAB_ASSIGN(auto file, NamelessFile::with(configuration(realm)));
    configuration_.push_back(std::move(file));
    const auto path = configuration_.front().path();
    std::array<const char*, 2> names{path.c_str(), nullptr};
    profile_t profile = nullptr;
    if (const auto code = profile_init(names.data(), &profile); code != 0)
      return infrastructure_error(fmt::format("libkrb5 does not read its configuration ({})", code));
    const auto code = krb5_init_context_profile(profile, 0, &context_);
    profile_release(profile);
    if (code != 0) return infrastructure_error(fmt::format("libkrb5 does not begin ({})", code));
    PATCHLAB_TRY(ours(krb5_parse_name(context_, user.c_str(), &self_), "reading the user's name"));
    PATCHLAB_TRY(ours(krb5_cc_new_unique(context_, "MEMORY", nullptr, &cache_), "making a cache"));
    return ours(krb5_cc_initialize(context_, cache_, self_), "beginning a cache");
  }

  Json get_ticket(const Proof& proof) override {
    krb5_get_init_creds_opt* options = nullptr;
    if (const auto code = krb5_get_init_creds_opt_alloc(context_, &options); code != 0) return told(code);
    const auto seen = get_ticket_with(options, proof);
    krb5_get_init_creds_opt_free(context_, options);
    return seen;
  }

  Json get_service(const std::string& service) override {
    krb5_creds wanted{};
    wanted.client = self_;
    if (const auto code = krb5_parse_name(context_, service.c_str(), &wanted.server); code != 0) return told(code);
    krb5_creds* got = nullptr;
    const auto code = krb5_get_credentials(context_, KRB5_GC_NO_STORE, cache_, &wanted, &got);
    krb5_free_principal(context_, wanted.server);
    return taken(code, got);
  }

  Json get_for(const std::string& user) override {
    krb5_creds wanted{};
    wanted.server = self_;
    if (const auto code = krb5_parse_name(context_, user.c_str(), &wanted.client); code != 0) return told(code);
    krb5_creds* got = nullptr;
    const auto code = krb5_get_credentials_for_user(context_, KRB5_GC_NO_STORE, cache_, &wanted, nullptr, &got);
    krb5_free_principal(context_, wanted.client);
    return taken(code, got);
  }

  Json change_password(const std::string& from, const std::string& to) override {
    krb5_creds creds{};
    auto code = krb5_get_init_creds_password(context_, &creds, self_, from.c_str(), nullptr, nullptr, 0,
                                             "kadmin/changepw", nullptr);
    if (code != 0) return told(code);
    int result = 0;
    krb5_data said{}, more{};
    code = krb5_change_password(context_, &creds, to.c_str(), &result, &said, &more);
    krb5_free_cred_contents(context_, &creds);
    Json seen = code != 0 ? told(code) : Json{{"ok", result == 0}};
    if (code == 0 && result != 0) {
      seen["kind"] = "refused";
      seen["code"] = result;
      seen["why"] = printable(to_valid_utf8(std::string(said.data, said.length)));
    }
    krb5_free_data_contents(context_, &said);
    krb5_free_data_contents(context_, &more);
    return seen;
  }

  Result<void> be_the_process() override {
    char* name = nullptr;
    PATCHLAB_TRY(ours(krb5_cc_get_full_name(context_, cache_, &name), "naming a cache"));
    ::setenv("KRB5CCNAME", name, 1);
    krb5_free_string(context_, name);
    ::setenv("KRB5_CONFIG", configuration_.front().path().c_str(), 1);
    return {};
  }

 private:
  Result<void> ours(krb5_error_code code, const char* what) const {
    if (code == 0) return {};
    return infrastructure_error(fmt::format("libkrb5, {}: {}", what, words(code)));
  }
  [[nodiscard]] std::string words(krb5_error_code code) const {
    const char* text = krb5_get_error_message(context_, code);
    auto copy = printable(to_valid_utf8(text));
    krb5_free_error_message(context_, text);
    return copy;
  }

  // What the controller says has a code of the protocol (RFC 4120 section 7.5.9), which libkrb5 counts from its own
  // first; that a reply cannot be decrypted with the password is such a code as well.
  [[nodiscard]] Json told(krb5_error_code code) const {
    const auto number = static_cast<long>(code) - static_cast<long>(KRB5KDC_ERR_NONE);
    std::string kind = "malformed";
    if (code == KRB5_KDC_UNREACH || code == KRB5_REALM_CANT_RESOLVE)
      kind = "unreachable";
    else if ((number > 0 && number < 128) || code == KRB5_PREAUTH_FAILED || code == KRB5_GET_IN_TKT_LOOP ||
             code == KRB5_LIBOS_CANTREADPWD)  // the certificate was not taken, and a password would be asked for
      kind = "refused";
    return {{"ok", false}, {"kind", kind}, {"code", number > 0 && number < 128 ? number : code}, {"why", words(code)}};
  }

  [[nodiscard]] static std::string enctype_name(krb5_enctype enctype) {
    std::array<char, 100> name{};
    return krb5_enctype_to_name(enctype, 0, name.data(), name.size()) == 0 ? std::string(name.data())
                                                                           : fmt::format("{}", enctype);
  }

  [[nodiscard]] Json described(const krb5_creds& creds) const {
    Json seen{{"ok", true},
              {"enctype", enctype_name(creds.keyblock.enctype)},
              {"life_s", static_cast<std::int64_t>(creds.times.endtime) - creds.times.authtime}};
    krb5_ticket* ticket = nullptr;
    if (krb5_decode_ticket(&creds.ticket, &ticket) == 0) {
      seen["ticket_enctype"] = enctype_name(ticket->enc_part.enctype);
      krb5_free_ticket(context_, ticket);
    }
    return seen;
  }

  [[nodiscard]] Json taken(krb5_error_code code, krb5_creds* got) const {
    if (code != 0) return told(code);
    const auto seen = described(*got);
    krb5_free_creds(context_, got);
    return seen;
  }

  Json get_ticket_with(krb5_get_init_creds_opt* options, const Proof& proof) {
    std::vector<NamelessFile> files;
    if (proof.password.empty()) {
      for (const auto* text : {&proof.certificate, &proof.key, &proof.authorities}) {
        auto file = NamelessFile::with(*text);
        if (!file) return {{"ok", false}, {"kind", "ours"}, {"code", 0}, {"why", file.error().message}};
        files.push_back(std::move(*file));
      }
      const auto identity = fmt::format("FILE:{},{}", files[0].path(), files[1].path());
      const auto anchors = fmt::format("FILE:{}", files[2].path());
      for (const auto& [name, value] : {std::pair{"X509_user_identity", identity}, {"X509_anchors", anchors}}) {
        const auto code = krb5_get_init_creds_opt_set_pa(context_, options, name, value.c_str());
        if (code != 0) return told(code);
      }
    }
    krb5_creds creds{};
    const auto code =
        krb5_get_init_creds_password(context_, &creds, self_, proof.password.empty() ? nullptr : proof.password.c_str(),
                                     &no_answer, nullptr, 0, nullptr, options);
    if (code != 0) return told(code);
    auto seen = described(creds);
    if (const auto kept = krb5_cc_store_cred(context_, cache_, &creds); kept != 0) seen = told(kept);
    krb5_free_cred_contents(context_, &creds);
    return seen;
  }

  // Nobody is here who could type a password.
  static krb5_error_code no_answer(krb5_context, void*, const char*, const char*, int, krb5_prompt*) {
    return KRB5_LIBOS_CANTREADPWD;
  }

  std::vector<NamelessFile> configuration_;  // libkrb5 looks now and then whether it has changed
  krb5_context context_ = nullptr;
  krb5_principal self_ = nullptr;
  krb5_ccache cache_ = nullptr;
};

}  // namespace

// Whoever redirects the client redirects it here.
std::string configuration(const Realm& realm) {
  auto text = fmt::format(
      "[libdefaults]\n default_realm = {0}\n dns_lookup_kdc = false\n dns_lookup_realm = false\n"
      " dns_uri_lookup = false\n dns_canonicalize_hostname = false\n rdns = false\n udp_preference_limit = 1\n"
      " allow_weak_crypto = true\n forwardable = false\n",
      realm.name);
  if (!realm.enctypes.empty()) {
    const auto list = fmt::format("{}", fmt::join(realm.enctypes, " "));
    text += fmt::format(" permitted_enctypes = {0}\n default_tkt_enctypes = {0}\n default_tgs_enctypes = {0}\n", list);
  }
  return text + fmt::format(
                    "[realms]\n {0} = {{\n  kdc = {1}:{2}\n  kpasswd_server = {1}:{3}\n"
                    "  pkinit_eku_checking = none\n  pkinit_kdc_hostname = {4}\n }}\n",
                    realm.name, realm.address, realm.port, realm.password_port,
                    realm.controller.empty() ? realm.address : realm.controller);
}

Result<std::unique_ptr<Session>> Session::open(const Realm& realm, const std::string& user) {
  auto session = std::make_unique<MitSession>();
  PATCHLAB_TRY(session->begin(realm, user));
  return std::unique_ptr<Session>(std::move(session));
}

}  // namespace patchlab::checks::kerberos
