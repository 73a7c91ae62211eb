// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "checks/ldap/netlogon.hpp"

#include <lber.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <utility>

#include "checks/hex.hpp"

namespace patchlab::checks::ldap {
namespace {

// RFC 4511.
constexpr ber_tag_t search_request = 0x63;
constexpr ber_tag_t search_entry = 0x64;
constexpr ber_tag_t search_done = 0x65;
constexpr ber_tag_t filter_and = 0xA0;
constexpr ber_tag_t filter_equal = 0xA3;

constexpr std::string_view attribute = "Netlogon";
// NETLOGON_NT_VERSION_5 and _5EX ([MS-ADTS] 6.3.1.1), little-endian.
constexpr std::string_view wanted_version("\x06\x00\x00\x00", 4);
constexpr std::size_t most_bytes = 4096;

struct Free {
  void operator()(BerElement* element) const { ber_free(element, 1); }
  void operator()(berval* values) const { ber_bvarray_free(values); }
};
using Element = std::unique_ptr<BerElement, Free>;

std::string text_of(const berval& value) { return {value.bv_val, value.bv_len}; }

bool same_word(const std::string& a, std::string_view b) {
  return std::ranges::equal(
      a, b, {}, [](unsigned char c) { return std::tolower(c); }, [](unsigned char c) { return std::tolower(c); });
}

constexpr std::array<std::pair<unsigned, const char*>, 21> flag_names{{{0, "pdc"},
                                                                       {2, "gc"},
                                                                       {3, "ldap"},
                                                                       {4, "ds"},
                                                                       {5, "kdc"},
                                                                       {6, "timeserv"},
                                                                       {7, "closest"},
                                                                       {8, "writable"},
                                                                       {9, "good-timeserv"},
                                                                       {10, "ndnc"},
                                                                       {11, "select-secret-domain-6"},
                                                                       {12, "full-secret-domain-6"},
                                                                       {13, "ws"},
                                                                       {14, "ds-8"},
                                                                       {15, "ds-9"},
                                                                       {16, "ds-10"},
                                                                       {17, "key-list"},
                                                                       {18, "ds-13"},
                                                                       {29, "dns-controller"},
                                                                       {30, "dns-domain"},
                                                                       {31, "dns-forest"}}};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  std::uint64_t number(std::size_t size) {
    const auto part = take(size);
    std::uint64_t number = 0;
    for (std::size_t i = part.size(); i > 0; --i) number = number << 8U | static_cast<unsigned char>(part[i - 1]);
    return number;
  }
  std::string_view take(std::size_t size) {
    if (bad_ || bytes_.size() - at_ < size) {
      bad_ = true;
      return {};
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  // Labels with dots between them. A pointer goes to before the name, or the part of it, that it is in: so they end.
  std::string name() {
    std::string text;
    std::size_t at = at_;
    std::size_t before = at_;
    bool jumped = false;
    while (!bad_) {
      if (at >= bytes_.size()) break;
      const auto length = static_cast<unsigned char>(bytes_[at]);
      if (length == 0) {
        if (!jumped) at_ = at + 1;
        return text;
      }
      if ((length & 0xC0U) == 0xC0U) {
        if (at + 1 >= bytes_.size()) break;
        const std::size_t to = (length & 0x3FU) << 8U | static_cast<unsigned char>(bytes_[at + 1]);
        if (to >= before) break;
        if (!jumped) at_ = at + 2;
        jumped = true;
        before = at = to;
        continue;
      }
      if (length > 63 || bytes_.size() - at <= length) break;
      if (!text.empty()) text += '.';
      text += bytes_.substr(at + 1, length);
      if (text.size() > 255) break;
      at += 1U + length;
    }
    bad_ = true;
    return {};
  }
  [[nodiscard]] bool at_end() const { return !bad_ && at_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool bad_ = false;
};

std::vector<std::string> names_of(std::uint64_t flags) {
  std::vector<std::string> names;
  for (const auto& [bit, name] : flag_names) {
    if ((flags >> bit & 1U) != 0) names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace

Result<std::string> locator_request(int id, const std::string& domain) {
  const Element made(ber_alloc_t(LBER_USE_DER));
  berval bytes{};
  const auto& version = wanted_version;
  // messageID, then baseObject, scope, derefAliases, sizeLimit, timeLimit, typesOnly, filter, attributes.
  if (!made ||
      ber_printf(made.get(), "{it{seeiibt{t{oo}t{oo}}{o}}}", id, search_request, "", 0, 0, 0, 0, 0, filter_and,
                 filter_equal, "DnsDomain", ber_len_t{9}, domain.data(), ber_len_t{domain.size()}, filter_equal,
                 "NtVer", ber_len_t{5}, version.data(), ber_len_t{version.size()}, attribute.data(),
                 ber_len_t{attribute.size()}) < 0 ||
      ber_flatten2(made.get(), &bytes, 0) < 0)
    return infrastructure_error("liblber does not make a search");
  return text_of(bytes);
}

std::optional<LocatorReply> locator_reply_in(std::string_view datagram) {
  if (datagram.empty()) return std::nullopt;  // at which liblber would read from nowhere
  std::string copy(datagram);
  berval bytes{copy.size(), copy.data()};
  const Element read(ber_init(&bytes));
  LocatorReply reply;
  ber_int_t id = 0;
  ber_len_t size = 0;
  if (!read || ber_scanf(read.get(), "{i", &id) == LBER_ERROR || id <= 0) return std::nullopt;
  reply.id = id;
  const auto what = ber_peek_tag(read.get(), &size);
  if (what == search_done) return reply;
  if (what != search_entry) return std::nullopt;
  berval name{};
  char* end = nullptr;
  if (ber_scanf(read.get(), "{m", &name) == LBER_ERROR) return std::nullopt;
  for (auto tag = ber_first_element(read.get(), &size, &end); tag != LBER_DEFAULT;
       tag = ber_next_element(read.get(), &size, end)) {
    berval type{};
    berval* list = nullptr;
    const bool well = ber_scanf(read.get(), "{m[W]}", &type, &list) != LBER_ERROR;
    const std::unique_ptr<berval, Free> values(list);
    if (!well) return std::nullopt;
    if (!same_word(text_of(type), attribute)) continue;
    if (list == nullptr || list[0].bv_val == nullptr || list[1].bv_val != nullptr) return std::nullopt;
    reply.netlogon = text_of(list[0]);
  }
  return reply;
}

std::optional<Located> located_in(std::string_view bytes) {
  if (bytes.size() > most_bytes) return std::nullopt;
  Reader reader(bytes);
  Located located;
  located.operation = static_cast<std::uint16_t>(reader.number(2));
  (void)reader.number(2);  // Sbz
  located.flags = names_of(reader.number(4));
  located.domain_guid = to_hex(reader.take(16));
  for (auto* name : {&located.forest, &located.domain, &located.host, &located.netbios_domain, &located.netbios_name,
                     &located.user, &located.site, &located.client_site})
    *name = reader.name();
  (void)reader.number(4);                // NtVersion
  const auto tokens = reader.number(4);  // LmNtToken and Lm20Token
  const bool known = located.operation == 23 || located.operation == 25;
  if (!reader.at_end() || !known || tokens != 0xFFFFFFFFU) return std::nullopt;
  return located;
}

bool is_controller_flag(const std::string& name) {
  return std::ranges::any_of(flag_names, [&](const auto& one) { return name == one.second; });
}

}  // namespace patchlab::checks::ldap
