// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "lab/facts/facts.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "lab/core/digest.hpp"
#include "lab/core/names.hpp"
#include "lab/core/printable.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"
#include "lab/core/utf16.hpp"

namespace patchlab::lab::facts {
namespace {

constexpr std::size_t most_lines = 40000;
constexpr std::size_t longest_line = 4096;  // bytes
constexpr std::size_t longest_text = 1000;  // bytes
constexpr std::size_t longest_name = 253;   // of a machine, as of a host (RFC 1035)

// Without the byte order mark that says which of the two it is.
Result<std::string> utf8_of(std::string_view text, const std::string& file_name) {
  if (text.starts_with("\xEF\xBB\xBF")) return std::string(text.substr(3));
  if (!text.starts_with("\xFF\xFE")) return std::string(text);
  if (text.size() % 2 != 0) return configuration_error(fmt::format("{}: is cut off within a letter", file_name));
  return to_utf8(utf16_units(text.substr(2)));
}

std::string wrong_text(const std::string& text) {
  if (text.empty()) return "must not be empty";
  if (text.size() > longest_text) return fmt::format("is longer than {} bytes", longest_text);
  // As others see it, so that no two names look the same that are not.
  return printable(text) == text ? "" : "has characters that cannot be printed";
}

bool is_name_of_machine(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && text.front() != '-' && text.front() != '.' &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
             std::string_view::npos;
}

// One line after the other.
class Reading {
 public:
  explicit Reading(const std::string& file_name) : file_name_(file_name) {}

  Result<Facts> all(const std::string& text) {
    std::string_view rest(text);
    while (!rest.empty()) {
      const auto end = rest.find('\n');
      if (end == std::string_view::npos) {
        ++number_;
        return wrong("has no end: the file was cut off");
      }
      const auto line = trimmed(rest.substr(0, end));
      rest.remove_prefix(end + 1);
      ++number_;
      if (number_ > most_lines) return wrong(fmt::format("there are more than {} lines", most_lines));
      if (line.size() > longest_line) return wrong(fmt::format("is longer than {} bytes", longest_line));
      PATCHLAB_TRY(line_of(std::string(line)));
    }
    if (number_ == 0) return configuration_error(fmt::format("{}: is empty", file_name_), hint);
    if (!ended_)
      return configuration_error(
          fmt::format("{}: the last line does not say how many there are: the file was cut off", file_name_), hint);
    // Nobody has none.
    for (const auto part : {Part::packages, Part::release}) {
      const bool has = part == Part::packages ? !facts_.packages.empty() : !facts_.release.empty();
      if (!has) facts_.not_known.try_emplace(part, "the machine said none");
    }
    return std::move(facts_);
  }

 private:
  static constexpr const char* hint = "run the script again: patchlab likeness script prints it";

  [[nodiscard]] Error wrong(const std::string& what) const {
    return configuration_error(fmt::format("{}:{}: {}", file_name_, number_, what), hint);
  }

  Result<void> line_of(const std::string& line) {
    if (ended_) return wrong("stands behind the end");
    const auto place = fmt::format("{}:{}", file_name_, number_);
    PATCHLAB_ASSIGN(const auto json, parse_json(line, place));
    if (!json.is_object()) return wrong("is no object");
    std::vector<JsonProblem> problems;
    JsonReader reader(json, "", problems);
    if (number_ == 1)
      head(reader);
    else if (json.contains("release"))
      pair(reader, "release", "value", facts_.release);
    else if (json.contains("package"))
      package(reader);
    else if (json.contains("file"))
      file(reader);
    else if (json.contains("service"))
      service(reader);
    else if (json.contains("port"))
      port(reader);
    else if (json.contains("not_known"))
      not_known(reader);
    else if (json.contains("end"))
      end(reader);
    else
      problems.push_back({"", "is none of: release, package, file, service, port, not_known, end"});
    reader.finish();
    if (!problems.empty()) return problems_error(place, problems);
    return {};
  }

  void head(JsonReader& reader) {
    if (const auto schema = reader.text("schema"); schema != facts_schema)
      reader.problem("schema", fmt::format("must be \"{}\", found \"{}\"", facts_schema, printable(schema)));
    const auto family = guest_family_from(reader.text("family"));
    if (!family) reader.problem("family", "must be debian or windows");
    facts_.family = family.value_or(GuestFamily::debian);
    facts_.machine = reader.text("machine");
    if (!is_name_of_machine(facts_.machine)) reader.problem("machine", "is no name of a machine");
    facts_.observed = reader.text("observed");
    if (!parse_rfc3339(facts_.observed)) reader.problem("observed", "is no time as 2026-11-28T22:00:00Z");
  }

  static void pair(JsonReader& reader, const char* key, const char* value, std::map<std::string, std::string>& into) {
    const auto name = reader.text(key, wrong_text);
    if (!into.emplace(name, reader.text(value, wrong_text)).second)
      reader.problem(key, fmt::format("'{}' is there twice", printable(name)));
  }
  void package(JsonReader& reader) {
    auto name = reader.text("package", wrong_text);
    if (reader.has("architecture")) name += ":" + reader.text("architecture", wrong_text);
    if (!facts_.packages.emplace(name, reader.text("version", wrong_text)).second)
      reader.problem("package", fmt::format("'{}' is there twice", printable(name)));
  }
  void file(JsonReader& reader) {
    const auto path = reader.text("file", wrong_text);
    ConfigurationFile found;
    found.of = reader.text("of", wrong_text);
    found.sha256 = reader.text_or("sha256", "");
    found.compared = reader.text_or("compared", "");
    found.not_read = reader.text_or("not_read", "", wrong_text);
    if (!found.sha256.empty() && !is_sha256(found.sha256)) reader.problem("sha256", "is no SHA-256");
    if (found.not_read.empty() ? !is_sha256(found.compared) : !found.compared.empty() || !found.sha256.empty())
      reader.problem("compared", "must be a SHA-256 of what was read, and only of that");
    if (!facts_.files.emplace(path, std::move(found)).second)
      reader.problem("file", fmt::format("'{}' is there twice", printable(path)));
  }
  void service(JsonReader& reader) {
    const auto name = reader.text("service", wrong_text);
    if (!facts_.services.insert(name).second)
      reader.problem("service", fmt::format("'{}' is there twice", printable(name)));
  }
  void port(JsonReader& reader) {
    constexpr std::int64_t last_port = 65535;
    const auto number = reader.integer("port", 1, last_port);
    const auto protocol = reader.text("protocol");
    if (protocol != "tcp" && protocol != "udp") reader.problem("protocol", "must be tcp or udp");
    const auto scope = reader.text("scope");
    if (scope != "any" && scope != "loopback" && scope != "own")
      reader.problem("scope", "must be any, loopback or own");
    if (!facts_.ports[fmt::format("{} {}", protocol, number)].insert(scope).second)
      reader.problem("port", "is there twice");
  }
  void not_known(JsonReader& reader) {
    const auto part = part_from(reader.text("not_known"));
    const auto why = reader.text("why", wrong_text);
    if (!part) return reader.problem("not_known", "is none of: release, packages, configuration, services, ports");
    facts_.not_known.try_emplace(*part, why);  // the first says enough
  }
  void end(JsonReader& reader) {
    ended_ = true;
    const auto lines = reader.integer("end", 0, static_cast<std::int64_t>(most_lines));
    if (lines != static_cast<std::int64_t>(number_) - 1)
      reader.problem("end", fmt::format("says {} lines, and there are {}", lines, number_ - 1));
  }

  const std::string& file_name_;
  std::size_t number_ = 0;
  bool ended_ = false;
  Facts facts_;
};

}  // namespace

Result<Facts> read_facts(std::string_view text, const std::string& file_name) {
  if (text.size() > most_bytes)
    return configuration_error(fmt::format("{}: is larger than {} MiB", file_name, most_bytes >> 20U));
  PATCHLAB_ASSIGN(const auto utf8, utf8_of(text, file_name));
  return Reading(file_name).all(utf8);
}

Facts facts_of_installed(const InstalledSet& installed, const std::string& why_no_more) {
  Facts facts;
  facts.packages = installed;
  if (installed.empty()) facts.not_known[Part::packages] = why_no_more;
  for (const auto part : {Part::release, Part::configuration, Part::services, Part::ports})
    facts.not_known[part] = why_no_more;
  return facts;
}

}  // namespace patchlab::lab::facts
