// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/guest/recording/inventor.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "lab/core/text.hpp"

namespace patchlab::lab::guest::recording {
namespace {

constexpr std::array<const char*, 4> word_of_kind{"host", "dom", "user", "name"};
constexpr std::array<const char*, 3> other_words{"q", "zz", "vw"};

// Addresses of RFC 2544 and RFC 3849, which nobody has, and a mark in the middle of a MAC.
constexpr std::array<std::string_view, 2> invented_nets{"198.18.", "198.19."};
constexpr std::size_t most_nets = 512;
constexpr std::string_view invented_sid = "S-1-5-21-1000000000-1000000000-";
constexpr std::string_view invented_key = "XXXXX-XXXXX-XXXXX-XXXXX-XXXXX";
constexpr std::string_view invented_id = "00000-00000-00000-XXXXX";

// "hostxx12": as long as the name. Nothing when only digits would be left.
std::string invented(std::string_view word, std::size_t number, std::size_t length) {
  const auto digits = fmt::format("{}", number);
  if (digits.size() >= length) return {};
  auto text = std::string(word.substr(0, length - digits.size()));
  text.append(length - digits.size() - text.size(), 'x');
  return text + digits;
}

std::size_t characters_in(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string net_of(std::string_view address) { return std::string(address.substr(0, address.rfind('.') + 1)); }

std::string mac_of(const std::string& bare) {
  std::string text;
  for (std::size_t i = 0; i < bare.size(); i += 2) text += (i > 0 ? ":" : "") + bare.substr(i, 2);
  return text;
}

}  // namespace

bool is_word(NameKind kind) {
  return kind == NameKind::host || kind == NameKind::domain || kind == NameKind::user || kind == NameKind::other;
}

std::string bare_mac(std::string_view text) {
  auto plain = lower_case(text);
  std::erase_if(plain, [](char c) { return c == ':' || c == '-'; });
  return plain;
}

std::string plain_name(NameKind kind, std::string_view text) {
  if (kind == NameKind::mac) return bare_mac(text);
  if (kind == NameKind::ipv6) {
    in6_addr address{};
    std::array<char, INET6_ADDRSTRLEN> buffer{};
    if (::inet_pton(AF_INET6, std::string(text).c_str(), &address) == 1)
      return ::inet_ntop(AF_INET6, &address, buffer.data(), buffer.size());
  }
  return lower_case(text);
}

Inventor::Inventor(const std::vector<FoundName>& names, const std::set<std::string>& taken) : taken_(taken) {
  for (const auto& name : names) {
    taken_.insert(plain_name(name.kind, name.text));
    if (name.kind == NameKind::ipv4) own_nets_.insert(net_of(name.text));
  }
  for (const auto& made : taken) own_nets_.insert(net_of(made));
}

template <class Make>
std::string Inventor::first_free(NameKind kind, const std::string& series, const Make& make) {
  constexpr std::size_t most = 10'000'000;
  auto& last = last_[series];
  while (last < most) {
    auto by = make(++last);
    if (taken_.insert(plain_name(kind, by)).second) return by;
  }
  return make(most);
}

std::optional<std::string> Inventor::word(NameKind kind, const std::string& text, const NameSearch& words) {
  const auto length = characters_in(text);
  std::vector<const char*> candidates{word_of_kind.at(static_cast<std::size_t>(kind))};
  candidates.insert(candidates.end(), other_words.begin(), other_words.end());
  for (const auto* candidate : candidates) {
    auto& last = last_[fmt::format("{} {}", candidate, length)];
    for (;;) {
      auto by = invented(candidate, last + 1, length);
      if (by.empty()) break;
      ++last;
      if (words.is_any_in(by) || !taken_.insert(by).second) continue;
      return by;
    }
  }
  return std::nullopt;
}

std::string Inventor::ipv4(const std::string& text) {
  const auto net = net_of(text);
  auto& other = nets_[net];
  auto& last = last_["ipv4"];
  while (other.empty() && last + 1 < most_nets) {
    ++last;
    const auto made = fmt::format("{}{}.", invented_nets.at(last / 256 % 2), last % 256);
    if (!own_nets_.contains(made)) other = made;
  }
  if (other.empty()) other = fmt::format("{}255.", invented_nets[1]);
  return other + text.substr(net.size());
}

std::optional<std::string> Inventor::instead_of(NameKind kind, const std::string& text, const NameSearch& words) {
  if (is_word(kind)) return word(kind, text, words);
  auto& by = same_[{kind, plain_name(kind, text)}];
  if (!by.empty()) return by;
  switch (kind) {
    case NameKind::host:
    case NameKind::domain:
    case NameKind::user:
    case NameKind::other: break;
    case NameKind::ipv4: by = ipv4(text); break;
    case NameKind::ipv6: {
      const std::string net = lower_case(text).starts_with("fe80:") ? "fe80::" : "2001:db8::";
      by = first_free(kind, net, [&](std::size_t i) { return fmt::format("{}{:x}", net, i); });
      break;
    }
    case NameKind::mac: {
      const auto maker = bare_mac(text).substr(0, 6);
      by = first_free(kind, "mac " + maker,
                      [&](std::size_t i) { return mac_of(fmt::format("{}fe{:04x}", maker, i & 0xFFFFU)); });
      break;
    }
    case NameKind::sid:
      by = first_free(kind, "sid", [](std::size_t i) { return fmt::format("{}{}", invented_sid, 1'000'000'000 + i); });
      break;
    case NameKind::guid:
      by = first_free(kind, "guid", [](std::size_t i) {
        return fmt::format("0000{:04}-0000-4000-8000-{:012}", i % 10'000, i / 10'000);
      });
      break;
    case NameKind::key: by = text.size() == invented_key.size() ? invented_key : invented_id; break;
  }
  return by;
}

}  // namespace patchlab::lab::guest::recording
