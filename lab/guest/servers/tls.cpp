// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <map>
#include <memory>
#include <set>

#include "lab/core/digest.hpp"
#include "lab/core/text.hpp"
#include "lab/guest/servers/collectors.hpp"

namespace patchlab::lab::guest::servers {
namespace {

using Bio = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Pointer = std::unique_ptr<X509, decltype(&X509_free)>;

std::string distinguished_name(const X509_NAME* name) {
  const Bio text(BIO_new(BIO_s_mem()), &BIO_free);
  if (!text || X509_NAME_print_ex(text.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(text.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

std::string day_of(const ASN1_TIME* time) {
  std::tm day{};
  if (ASN1_TIME_to_tm(time, &day) != 1) return "?";
  return fmt::format("{:04}-{:02}-{:02}", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday);
}

// Empty: it is no certificate.
std::string certificate(std::string_view pem) {
  const Bio bytes(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
  const X509Pointer found(bytes ? PEM_read_bio_X509(bytes.get(), nullptr, nullptr, nullptr) : nullptr, &X509_free);
  if (!found) return {};
  unsigned char* key = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(found.get()), &key);
  if (size <= 0) return {};
  const std::string key_bytes(reinterpret_cast<char*>(key), static_cast<std::size_t>(size));
  OPENSSL_free(key);
  return fmt::format("subject {}, issuer {}, until {}, key SHA-256 {}",
                     distinguished_name(X509_get_subject_name(found.get())),
                     distinguished_name(X509_get_issuer_name(found.get())), day_of(X509_get0_notAfter(found.get())),
                     sha256(key_bytes));
}

// "New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384"; without a session "New, (NONE), Cipher is (NONE)".
struct Session {
  std::string version;
  std::string cipher;
};
Session session_of(std::string_view text) {
  for (const auto line : lines_of(text)) {
    constexpr std::string_view before = "New, ";
    constexpr std::string_view between = ", Cipher is ";
    const auto cut = line.find(between);
    if (!line.starts_with(before) || cut == std::string_view::npos) continue;
    const auto cipher = line.substr(cut + between.size());
    if (cipher == "(NONE)") continue;
    return {std::string(line.substr(before.size(), cut - before.size())), std::string(cipher)};
  }
  return {};
}

std::string pem_of(std::string_view text) {
  constexpr std::string_view end = "-----END CERTIFICATE-----";
  const auto first = text.find("-----BEGIN CERTIFICATE-----");
  const auto last = text.find(end, first == std::string_view::npos ? 0 : first);
  if (first == std::string_view::npos || last == std::string_view::npos) return {};
  return std::string(text.substr(first, last + end.size() - first)) + "\n";
}

// Parts "25 smtp 1.3": what openssl said when it spoke no version above this one, and "over", "still" when the port
// stood still, or "late" when nobody knows why it did not end.
Result<void> read_tls(const Parts& parts, Rows& rows) {
  std::map<std::string, std::set<std::string>> certificates;  // by port, "25 (smtp)"; none: no TLS
  std::set<std::string> mute;
  for (const auto& [part, text] : parts) {
    const auto words = words_of(part);
    if (words.size() != 3) return not_understood("tls", part);
    const auto lines = lines_of(text);
    if (lines.empty() || (lines.back() != "over" && lines.back() != "late" && lines.back() != "still"))
      return not_understood("tls", text);
    if (lines.back() == "late")
      return guest_error(fmt::format("what port {} offers in TLS was not seen within its time", words[0]));
    const auto port = fmt::format("{} ({})", words[0], words[1]);
    const auto session = session_of(text);
    auto& shown = certificates[port];
    if (lines.back() == "still") mute.insert(port);
    if (session.version.empty()) continue;
    const auto pem = pem_of(text);
    const auto one = pem.empty() ? std::string("none") : certificate(pem);
    if (one.empty()) return not_understood("tls", pem);
    shown.insert(one);
    // A server that has only older ones answers every question with the same.
    rows.add("tls-version", fmt::format("{} at most {}", port, words[2]), session.version + " " + session.cipher);
  }
  for (const auto& [port, shown] : certificates) {
    rows.add("tls-port", port, mute.contains(port) ? "does not answer" : shown.empty() ? "no TLS" : "TLS");
    for (const auto& one : shown) rows.add("tls-certificate", port, one);
  }
  return {};
}

}  // namespace

// What is not known for speaking TLS is not spoken to: it would find it odd, and say so in its log. CUPS would make
// itself a certificate. The oldest versions need the lowest level, whatever this system's own client takes.
const Collector tls{"tls", R"sh(tls() {
  seen=; targets=
  while read -r number local remote state rest; do
    [ "$state" = 0A ] || continue
    port=$(printf '%d' "0x${local##*:}")
    case $port in
      25|587) how=smtp ;; 110) how=pop3 ;; 143) how=imap ;; 21) how=ftp ;; 389) how=ldap ;; 5432) how=postgres ;;
      3306) how=mysql ;; 4190) how=sieve ;; 5222) how=xmpp ;;
      443|465|563|636|853|989|990|992|993|994|995|5061|5671|5986|6514|6697|8443|8883) how=tls ;;
      631) how=tls; ls /etc/cups/ssl/*.crt >/dev/null 2>&1 || continue ;;
      *) continue ;;
    esac
    case " $seen " in *" $port "*) continue ;; esac
    seen="$seen $port"
    address=${local%:*}
    case $address in
      00000000|*????????0000000000000000) address=127.0.0.1 ;;
      ????????)
        d=${address%??????}; c=${address#??}; c=${c%????}; b=${address#????}; b=${b%??}; a=${address#??????}
        address=$(printf '%d.%d.%d.%d' "0x$a" "0x$b" "0x$c" "0x$d") ;;
      *) address=::1 ;;
    esac
    targets="$targets $port/$how/$address"
  done <<LIST
$(cat /proc/net/tcp; cat /proc/net/tcp6 2>/dev/null)
LIST
  [ "$targets" ] || return 1
  has openssl || { why "there is no openssl"; return 4; }
  for target in $targets; do
    port=${target%%/*}; how=${target#*/}; address=${how#*/}; how=${how%%/*}
    set -- -connect "$address:$port"
    case $address in *:*) set -- -connect "[$address]:$port" ;; esac
    [ $how = tls ] || set -- "$@" -starttls $how
    for most in 1.3 1.2 1.1; do
      { OPENSSL_CONF=/dev/null timeout -k 2 60 openssl s_client "$@" -min_protocol TLSv1 -max_protocol TLSv$most \
          -cipher 'DEFAULT:@SECLEVEL=0' </dev/null >$work/tls-$port-$how-$most 2>/dev/null
        case $? in 124|137) echo late ;; *) echo over ;; esac >>$work/tls-$port-$how-$most; } &
    done
  done
  wait
  ! grep -qx late $work/tls-* || ! is_awake || sed -i 's/^late$/still/' $work/tls-*
  awk -v mark="$mark" 'FNR == 1 { name = FILENAME; sub(/.*\/tls-/, "", name); gsub(/-/, " ", name); print "=" mark " " name }
/^-----BEGIN CERTIFICATE/ { inside = 1 }
inside || /^New, / || /^late$/ || /^still$/ || /^over$/ { print }
/^-----END CERTIFICATE/ { inside = 0 }' $work/tls-* >>$work/said
  return 0
}
)sh",
                    read_tls};

}  // namespace patchlab::lab::guest::servers
