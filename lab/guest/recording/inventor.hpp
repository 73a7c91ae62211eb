// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lab/guest/recording/found_names.hpp"
#include "lab/guest/recording/name_search.hpp"

namespace patchlab::lab::guest::recording {

// How a name is compared with others of its kind: without case, a MAC without its marks, an IPv6 address in its one
// form.
[[nodiscard]] std::string plain_name(NameKind kind, std::string_view text);
// "525400140010" of a MAC, whatever stands between its bytes.
[[nodiscard]] std::string bare_mac(std::string_view text);
[[nodiscard]] bool is_word(NameKind kind);  // and no address, number or key

// Makes up what stands in the place of names: names of the same length, addresses and SIDs that nobody has. Never the
// same for two, never one of the names themselves. What it makes is told from a genuine name by what a recording says
// was made, never by its form: a machine may be called host12.
class Inventor {
 public:
  // `taken`: plain names that an earlier scrubbing made.
  Inventor(const std::vector<FoundName>& names, const std::set<std::string>& taken);

  // Nothing: no other name of that length is free. `words`: that would be found, and replaced, in what is made.
  [[nodiscard]] std::optional<std::string> instead_of(NameKind kind, const std::string& text, const NameSearch& words);

 private:
  [[nodiscard]] std::optional<std::string> word(NameKind kind, const std::string& text, const NameSearch& words);
  [[nodiscard]] std::string ipv4(const std::string& text);
  // The first that is free, of those that `make` makes of 1, 2, ...; counted on for each `series`.
  template <class Make>
  [[nodiscard]] std::string first_free(NameKind kind, const std::string& series, const Make& make);

  std::set<std::string> taken_;
  std::set<std::string> own_nets_;                                // of names: "10.20.0."
  std::map<std::string, std::string> nets_;                       // of names -> invented
  std::map<std::pair<NameKind, std::string>, std::string> same_;  // one address written in several ways
  std::map<std::string, std::size_t> last_;                       // by series
};

}  // namespace patchlab::lab::guest::recording
