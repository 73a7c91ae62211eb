// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/transcripts/transcripts.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <ostream>
#include <stdexcept>

#include "lab/core/files.hpp"
#include "lab/guest/agent_session.hpp"
#include "lab/guest/windows/collectors.hpp"
#include "lab/guest/windows/replies.hpp"
#include "lab/guest/windows/servicing.hpp"

namespace patchlab::recorded {
namespace {
namespace windows = lab::guest::windows;
namespace fs = std::filesystem;

Result<Json> services(const Json&, const std::string& text) {
  PATCHLAB_ASSIGN(const auto found, windows::services(text));
  Json values = Json::object();
  for (const auto& [name, status] : found) values[name] = {status.state, status.exit_code, status.service_code};
  return values;
}

// "HKLM\..." as reg prints it.
std::string whole_key(std::string_view key) {
  constexpr std::string_view shortened = "HKLM";
  return "HKEY_LOCAL_MACHINE" + std::string(key.substr(shortened.size()));
}

// The rows that a collector makes of one of its questions, while everything else that it asks for is there and empty.
Result<Json> collected(const std::string& section, const std::string& text) {
  for (const auto& collector : windows::collectors()) {
    windows::Sections found;
    for (const auto& question : collector.registry) found[question.section] = {whole_key(question.key) + "\r\n", 0};
    for (const auto& question : collector.others) found[question.section] = {};
    if (!found.contains(section)) continue;
    found[section] = {text, 0};
    windows::Rows rows;
    PATCHLAB_TRY(collector.read(found, rows));
    return Json{{"rows", rows}};
  }
  throw std::logic_error(fmt::format("no collector asks for '{}'", section));
}

Result<Json> role(const Json& entry, const std::string& text) {
  return collected(entry.at("expected").at("section").get<std::string>(), text);
}

Result<Json> registry(const Json& entry, const std::string& text) {
  const auto& expected = entry.at("expected");
  if (expected.contains("section")) return role(entry, text);
  const auto code = expected.value("exit_code", 0U);
  const auto absence = code == 0 ? windows::Absence::impossible : windows::Absence::of_key;
  PATCHLAB_ASSIGN(const auto keys, windows::registry_in({{"asked", {text, code}}}, "asked", absence));
  Json values = Json::array();
  for (const auto& key : keys) {
    Json of_key = Json::object();
    // The name of a key's own value is the language's.
    for (const auto& [name, data] : key.values) of_key[name.starts_with('(') ? "(own)" : name] = data;
    values.push_back({{"path", key.path}, {"values", of_key}});
  }
  return Json{{"keys", values}};
}

Result<Json> events(const Json&, const std::string& text) {
  PATCHLAB_ASSIGN(const auto found, windows::events(text));
  Json values = Json::array();
  for (const auto& event : found)
    values.push_back({event.provider, event.id, event.level, event.record, event.time, event.data});
  return Json{{"events", values}};
}

Result<Json> packages(const Json&, const std::string& text) {
  PATCHLAB_ASSIGN(const auto found, windows::dism_packages(text));
  return Json{{"packages", found}};
}

Result<Json> rows(const Json& entry, const std::string& text) {
  const auto tool = entry.at("tool").get<std::string>();
  const std::size_t columns = entry.at("expected").value("columns", tool.starts_with("driverquery") ? 4U : 3U);
  PATCHLAB_ASSIGN(const auto found, windows::csv_rows(text, tool.starts_with("driverquery") ? 4 : columns));
  return Json{{"rows", found}};
}

Result<Json> listeners(const Json& entry, const std::string& text) {
  const auto processes = entry.at("expected").value("processes", std::string("\"nobody\",\"1\",\"N/A\"\r\n"));
  PATCHLAB_ASSIGN(const auto found, windows::listeners(text, processes));
  return Json{{"listeners", found}};
}

Result<Json> quick_fixes(const Json&, const std::string& text) {
  PATCHLAB_ASSIGN(const auto found, windows::quick_fixes(text, {}));
  return Json{{"quick_fixes", found}};
}

Result<Json> table(const Json& entry, const std::string& text) {
  const auto columns = entry.at("expected").at("columns").get<std::vector<std::string>>();
  PATCHLAB_ASSIGN(const auto found, windows::table_rows(text, columns));
  Json values = Json::array();
  for (const auto& row : found) {
    Json cells = Json::array();
    for (const auto& column : columns) cells.push_back(row.at(column));
    values.push_back(cells);
  }
  return Json{{"table", values}};
}

Result<Json> agent_reply(const std::string& text) {
  auto reply = Json::parse(text, nullptr, false);
  if (reply.is_discarded()) return guest_error("no JSON");
  return reply.is_object() && reply.contains("return") ? reply["return"] : reply;
}

Result<Json> system(const Json&, const std::string& text) {
  PATCHLAB_ASSIGN(const auto reply, agent_reply(text));
  PATCHLAB_ASSIGN(const auto kernel, windows::proves_windows(reply));
  return Json{{"kernel-version", kernel.version}, {"kernel-release", kernel.build}};
}

Result<Json> interfaces(const Json&, const std::string& text) {
  PATCHLAB_ASSIGN(const auto reply, agent_reply(text));
  PATCHLAB_ASSIGN(const auto found, windows::addresses(reply));
  return Json{{"addresses", found}};
}

Result<Json> architecture(const Json&, const std::string& text) {
  PATCHLAB_TRY(windows::proves_64_bit(text));
  return Json{{"is_64_bit", true}};
}

Result<Json> access_rights(const Json&, const std::string& text) {
  PATCHLAB_ASSIGN(const auto found, windows::sddl(text));
  return Json{{"sddl", found}};
}

Result<Json> cbs_log(const Json&, const std::string& text) {
  const auto failure = windows::cbs_failure(text);
  if (!failure) return Json{{"no_failure", true}};
  return Json{{"hresult", failure->hresult},
              {"name", failure->name},
              {"whole_cause", failure->cause},
              {"self_restarts", failure->self_restarts}};
}

struct Reader {
  std::string_view tool;  // what the tool's name in the index holds
  Result<Json> (*values)(const Json& entry, const std::string& text);
};
constexpr Reader readers[] = {
    {"sc query", services},
    {"reg query", registry},
    {"wevtutil", events},
    {"dism", packages},
    {"driverquery", rows},
    {"tasklist", rows},
    {"netstat", listeners},
    {"wmic qfe", quick_fixes},
    {"wmic", table},
    {"schtasks", role},
    {"dnscmd", role},
    {"dhcp", role},
    {"certutil", role},
    {"guest-get-osinfo", system},
    {"guest-network-get-interfaces", interfaces},
    {"PROCESSOR_ARCHITE", architecture},
    {"icacls", access_rights},
    {"CBS.log", cbs_log},
};
}  // namespace

Result<std::string> Transcript::bytes() const { return read_file(folder / file()); }

void PrintTo(const Transcript& transcript, std::ostream* out) { *out << transcript.entry.value("file", "?"); }

namespace {
std::vector<fs::path> folders() {
  std::vector<fs::path> all{fs::path(PATCHLAB_SOURCE_DIR) / "tests/golden/transcripts"};
  if (const char* more = std::getenv("PATCHLAB_TRANSCRIPTS"); more != nullptr && *more != '\0') all.emplace_back(more);
  return all;
}
}  // namespace

std::vector<Transcript> transcripts() {
  std::vector<Transcript> all;
  for (const auto& folder : folders()) {
    const auto index = read_json_file(folder / "index.json");
    if (!index) throw std::runtime_error(index.error().message);
    for (const auto& entry : index->at("files")) all.push_back({folder, entry});
  }
  return all;
}

std::vector<fs::path> recordings() {
  std::vector<fs::path> all;
  for (const auto& folder : folders()) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (fs::exists(entry.path() / "manifest.json")) all.push_back(entry.path());
    }
  }
  return all;
}

std::vector<Transcript> printed_transcripts() {
  auto all = transcripts();
  std::erase_if(all, [](const auto& one) { return !values_in(one, {}); });
  return all;
}

std::optional<Result<Json>> values_in(const Transcript& transcript, std::string_view bytes) {
  for (const auto& reader : readers) {
    if (transcript.tool().find(reader.tool) == std::string::npos) continue;
    auto text = windows::text_of(bytes);
    if (!text) return std::move(text).error();
    return reader.values(transcript.entry, *text);
  }
  return std::nullopt;
}

}  // namespace patchlab::recorded
