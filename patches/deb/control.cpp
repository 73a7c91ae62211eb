// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "patches/deb/control.hpp"

#include <fmt/format.h>
#include <strings.h>

#include "lab/core/text.hpp"

namespace patchlab::patches {
namespace {

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Feeds lines into stanzas.
class ControlParser {
 public:
  Result<void> line(std::string_view text) {
    ++number_;
    if (trimmed(text).empty()) {
      finish();
      return {};
    }
    if (text.front() == '#') return {};
    if (text.front() == ' ' || text.front() == '\t') return continuation(text);
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return configuration_error(fmt::format("line {}: no 'Field: value'", number_));
    }
    field_ = std::string(text.substr(0, colon));
    if (!stanza_.emplace(field_, trimmed(text.substr(colon + 1))).second) {
      return configuration_error(fmt::format("line {}: field '{}' stands there twice", number_, field_));
    }
    return {};
  }

  void finish() {
    if (!stanza_.empty()) stanzas_.push_back(std::move(stanza_));
    stanza_.clear();
    field_.clear();
  }

  std::vector<Stanza> take() { return std::move(stanzas_); }

 private:
  Result<void> continuation(std::string_view text) {
    if (field_.empty()) return configuration_error(fmt::format("line {}: a continuation of nothing", number_));
    stanza_[field_].append("\n").append(text.substr(1));
    return {};
  }

  std::vector<Stanza> stanzas_;
  Stanza stanza_;
  std::string field_;
  std::size_t number_ = 0;
};

}  // namespace

bool FieldNameLess::operator()(const std::string& a, const std::string& b) const {
  return ::strcasecmp(a.c_str(), b.c_str()) < 0;
}

std::string field(const Stanza& stanza, const std::string& name) {
  const auto found = stanza.find(name);
  return found == stanza.end() ? std::string() : found->second;
}

Result<std::vector<Stanza>> parse_control(std::string_view text) {
  ControlParser parser;
  while (!text.empty()) {
    const auto end = text.find('\n');
    PATCHLAB_TRY(parser.line(text.substr(0, end)));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  parser.finish();
  return parser.take();
}

bool is_package_name(std::string_view text) {
  if (text.empty() || text.size() > 200 || !is_letter_or_digit(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return is_letter_or_digit(c) || std::string_view("+-._").find(c) != std::string_view::npos;
  });
}

std::string known_package_name(std::string_view text) {
  std::string name(text);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

bool is_architecture(std::string_view text) {
  if (text.empty() || text.size() > 64 || !is_letter_or_digit(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

SourceName source_of(const Stanza& stanza) {
  SourceName source{field(stanza, "Package"), field(stanza, "Version")};
  const std::string text = field(stanza, "Source");
  if (text.empty()) return source;
  const auto bracket = text.find('(');
  source.name = trimmed(std::string_view(text).substr(0, bracket));
  if (bracket != std::string::npos) {
    const auto end = text.find(')', bracket);
    source.version = trimmed(std::string_view(text).substr(bracket + 1, end - bracket - 1));
  }
  return source;
}

Result<std::vector<StatusEntry>> parse_dpkg_status(std::string_view text) {
  PATCHLAB_ASSIGN(const auto stanzas, parse_control(text));
  std::vector<StatusEntry> entries;
  for (const auto& stanza : stanzas) {
    // "want error state": only a whole "installed" counts; "config-files" and half-done states do not (dpkg-query(1)).
    const std::string status = field(stanza, "Status");
    if (!status.ends_with(" ok installed")) continue;
    entries.push_back({field(stanza, "Package"), field(stanza, "Version"), field(stanza, "Architecture"),
                       source_of(stanza), field(stanza, "Provides"), status.starts_with("hold ")});
  }
  return entries;
}

}  // namespace patchlab::patches
