// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>

#include "lab/core/files.hpp"
#include "lab/core/json.hpp"
#include "lab/core/text.hpp"
#include "lab/guest/windows/exit_codes.hpp"
#include "lab/guest/windows/replies.hpp"
#include "lab/guest/windows/servicing.hpp"
#include "patches/msu/servicing_package.hpp"
#include "patches/windows/windows_package.hpp"
#include "tests/support/windows_packages.hpp"
#include "tests/unit/transcripts/transcripts.hpp"

// Real output of real tools, fed to the parser of its tool: tests/golden/transcripts, and any other folder of the same
// form that the environment variable PATCHLAB_TRANSCRIPTS names. What must be read stands in its index.json; a tool
// that no parser is for, or an expectation that nobody compares, is a failure.
namespace patchlab {
namespace {
namespace windows = lab::guest::windows;
namespace fs = std::filesystem;

// Expectations that are for people.
const std::set<std::string> remarks{"meaning", "note", "removable"};
// What else was true when a tool printed, which its parser is told.
const std::set<std::string> inputs{"section", "exit_code", "processes", "columns"};

// "{a4122831-...}" in an index stands for the one name that begins so.
bool is_meant(const std::string& name, const std::string& wanted) {
  const auto dots = wanted.find("...");
  return dots == std::string::npos ? name == wanted : name.starts_with(wanted.substr(0, dots));
}

std::string as_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

void compare_services(const std::string& text, const Json& expected) {
  const auto found = windows::services(text);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->size(), expected.size());
  for (const auto& [name, values] : expected.items()) {
    ASSERT_TRUE(found->contains(name)) << name;
    EXPECT_EQ(found->at(name).state, values.at(0).get<std::uint32_t>()) << name;
    EXPECT_EQ(found->at(name).exit_code, values.at(1).get<std::uint32_t>()) << name;
  }
}

void compare_registry(const std::string& text, const Json& expected) {
  const auto keys = windows::registry_keys(text);
  ASSERT_TRUE(keys) << keys.error().message;
  std::size_t values = 0;
  for (const auto& key : *keys) values += key.values.size();
  for (const auto& [name, wanted] : expected.items()) {
    if (name == "keys") {
      EXPECT_EQ(keys->size(), wanted.get<std::size_t>());
    } else if (name == "values" || name == "matches") {
      EXPECT_EQ(values, wanted.get<std::size_t>()) << name;
    } else {
      const auto key =
          std::ranges::find_if(*keys, [&, &name = name](const auto& one) { return is_meant(one.name(), name); });
      ASSERT_NE(key, keys->end()) << name;
      EXPECT_TRUE(!wanted.empty() || key->values.empty()) << name;
      for (const auto& [value, data] : wanted.items()) {
        ASSERT_TRUE(key->values.contains(value)) << name << ' ' << value;
        EXPECT_EQ(key->values.at(value), as_text(data)) << name << ' ' << value;
      }
    }
  }
}

void compare_events(const std::string& text, const Json& expected) {
  const auto events = windows::events(text);
  ASSERT_TRUE(events) << events.error().message;
  for (const auto& [name, wanted] : expected.items()) {
    if (name == "events") {
      Json found = Json::array();
      for (const auto& event : *events) found.push_back({event.provider, event.id, event.level, event.record});
      EXPECT_EQ(found, wanted);
    } else if (name == "data") {
      ASSERT_FALSE(events->empty());
      for (const auto& [key, value] : wanted.items()) {
        ASSERT_TRUE(events->front().data.contains(key)) << key;
        EXPECT_EQ(events->front().data.at(key), as_text(value)) << key;
      }
    } else {
      EXPECT_TRUE(remarks.contains(name)) << "nobody compares '" << name << "'";
    }
  }
}

// "Name~~1.2.3.4": "State", where the middle of the identity, its version, and what the state means may be left out.
void compare_packages(const std::string& text, const Json& expected) {
  const auto packages = windows::dism_packages(text);
  ASSERT_TRUE(packages) << packages.error().message;
  for (const auto& [short_name, wanted] : expected.items()) {
    if (remarks.contains(short_name)) continue;
    const auto tildes = short_name.find("~~");
    const auto name = short_name.substr(0, short_name.find('~')) + "~";
    const auto version = tildes == std::string::npos ? std::string{} : short_name.substr(short_name.rfind('~'));
    const auto is_it = [&, &short_name = short_name](const auto& entry) {
      return entry.first == short_name || (entry.first.starts_with(name) && entry.first.ends_with(version));
    };
    const auto found = std::ranges::find_if(*packages, is_it);
    ASSERT_NE(found, packages->end()) << short_name;
    const auto state = as_text(wanted);
    EXPECT_EQ(found->second, state.substr(0, state.find(" ("))) << short_name;
    EXPECT_TRUE(windows::is_package_identity(found->first));
  }
}

// All that one of the simple readers reads, by its name.
void compare_values(const Json& expected, const Json& values) {
  for (const auto& [name, wanted] : expected.items()) {
    if (remarks.contains(name) || inputs.contains(name)) continue;
    ASSERT_TRUE(values.contains(name)) << "nobody compares '" << name << "'";
    if (expected.contains("section")) {
      for (const auto& [kind, rows] : wanted.items()) EXPECT_EQ(values[name].value(kind, Json()), rows) << kind;
    } else {
      EXPECT_EQ(values[name], wanted) << name;
    }
  }
}

void compare_system(const std::string& text, const Json& expected) {
  const auto reply = Json::parse(text);
  const auto& system = reply.contains("return") ? reply["return"] : reply;
  const auto kernel = windows::proves_windows(system);
  ASSERT_TRUE(kernel) << kernel.error().message;
  for (const auto& [name, wanted] : expected.items()) {
    EXPECT_TRUE(remarks.contains(name) || system.at(name) == wanted) << name;
  }
}

void compare_cbs_log(const std::string& text, const Json& expected) {
  const auto failure = windows::cbs_failure(text);
  if (expected.contains("no_failure")) {
    EXPECT_FALSE(failure) << windows::code_text(failure->hresult) << ' ' << failure->cause;
    return;
  }
  ASSERT_TRUE(failure);
  for (const auto& [name, wanted] : expected.items()) {
    if (name == "hresult")
      EXPECT_EQ(failure->hresult, *windows::registry_number(wanted.get<std::string>()));
    else if (name == "name")
      EXPECT_EQ(failure->name, wanted.get<std::string>());
    else if (name == "self_restarts")
      EXPECT_EQ(failure->self_restarts, wanted.get<int>());
    else if (name == "whole_cause")
      EXPECT_EQ(failure->cause, wanted.get<std::string>());
    else if (name == "cause")
      EXPECT_THAT(failure->cause, testing::HasSubstr(wanted.get<std::string>()));
    else
      EXPECT_TRUE(remarks.contains(name)) << "nobody compares '" << name << "'";
  }
}

void compare_manifest(const std::string& bytes, const Json& expected) {
  const auto package = patches::parse_update_mum(bytes, "update.mum");
  ASSERT_TRUE(package) << package.error().message;
  const std::map<std::string, std::string> found{{"identity", package->identity.text()},
                                                 {"kb", package->kb},
                                                 {"restart", package->restart},
                                                 {"permanence", package->permanence}};
  for (const auto& [name, wanted] : expected.items()) {
    if (remarks.contains(name)) continue;
    ASSERT_TRUE(found.contains(name)) << "nobody compares '" << name << "'";
    EXPECT_EQ(found.at(name), as_text(wanted));
  }
}

// The names inside a real .msu, each filled with what such a file holds, read as a package.
void compare_listing(const std::string& text, const Json& expected) {
  using namespace patches::testing;
  constexpr std::string_view in_cabinet = "cab: ";
  const auto own =
      expected.value("own_identity", std::string("Package_for_KB5122882~31bf3856ad364e35~amd64~~20348.5614.1.0"));
  MumBuilder main;
  main.name = own.substr(0, own.find('~'));
  main.version = own.substr(own.rfind('~') + 1);
  CabBuilder inner;
  CabBuilder outer;
  std::set<std::string> parts;
  for (std::string_view rest = text; !rest.empty();) {
    const auto end = std::min(rest.find('\n'), rest.size() - 1);
    const std::string line(trimmed(rest.substr(0, end + 1), " \t\r\n"));
    rest.remove_prefix(end + 1);
    if (!line.starts_with(in_cabinet)) {
      if (!line.empty()) outer.entries.emplace_back(line, std::string{});
      continue;
    }
    const auto name = line.substr(in_cabinet.size());
    auto mum = main;
    if (const auto tilde = name.find('~'); tilde != std::string::npos) {
      mum.name = name.substr(0, tilde);
      parts.insert(lower_case(name.substr(0, name.rfind('.'))));
    }
    inner.entries.emplace_back(name, mum.text());
  }
  if (inner.entries.empty()) inner.entries.emplace_back("update.mum", main.text());
  bool has_stack = false;
  for (auto& [name, content] : outer.entries) {
    const auto lower = lower_case(name);
    if (lower == "wsusscan.cab") {
      content = MsuBuilder{}.metadata();
    } else if (lower.starts_with("ssu-")) {
      has_stack = true;
      content = CabBuilder{{{"update.mum", MumBuilder{.name = "Package_for_ServicingStack_5614",
                                                      .version = "20348.5614.1.0",
                                                      .permanence = "permanent"}
                                               .text()}}}
                    .bytes();
    } else if (lower.ends_with(".cab")) {
      content = inner.bytes();
    } else if (lower.ends_with(".xml")) {
      content = "<?xml version=\"1.0\"?><unattend xmlns=\"urn:schemas-microsoft-com:unattend\"/>";
    }
  }
  const auto package = patches::inspect_windows_package(patches::MemorySource(outer.bytes()), "x.msu");
  ASSERT_TRUE(package) << package.error().message;
  ASSERT_FALSE(package->packages.empty());
  EXPECT_EQ(package->packages.back(), own);
  EXPECT_EQ(package->packages.size(), has_stack ? 2U : 1U);
  std::set<std::string> read;
  for (const auto& part : package->parts) read.insert(lower_case(part));
  EXPECT_EQ(read, parts);
  EXPECT_EQ(package->removable, "yes");
  EXPECT_EQ(package->permanent_packages.size(), has_stack ? 1U : 0U);
}

struct Reader {
  std::string_view tool;  // what the tool's name in the index begins with or holds
  void (*compare)(const std::string& text, const Json& expected);
  bool decodes = true;  // as a reply of the guest is decoded
};
constexpr Reader readers[] = {
    {"sc query", compare_services},
    {"reg query", compare_registry},
    {"wevtutil", compare_events},
    {"dism", compare_packages},
    {"guest-get-osinfo", compare_system},
    {"CBS.log", compare_cbs_log},
    {"package's .mum", compare_manifest, false},
    {"update.mum", compare_manifest, false},
    {"names inside", compare_listing},
};

using recorded::Transcript;
using recorded::transcripts;

class TranscriptTest : public testing::TestWithParam<Transcript> {};

TEST_P(TranscriptTest, HoldsWhatItsIndexSays) {
  const auto& transcript = GetParam();
  const auto tool = transcript.tool();
  const auto& expected = transcript.expected();
  const auto bytes = transcript.bytes();
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto values = recorded::values_in(transcript, *bytes);
  if (expected.contains("error")) {
    ASSERT_TRUE(values) << "no parser is for '" << tool << "'";
    ASSERT_FALSE(*values) << "read as " << (*values)->dump();
    EXPECT_THAT(values->error().message, testing::HasSubstr(expected["error"].get<std::string>()));
    return;
  }
  if (values) ASSERT_TRUE(*values) << values->error().message;
  if (expected.contains("absent")) {
    EXPECT_EQ((**values)["keys"], Json::array());
    const auto answer = windows::text_of(*bytes).value_or("");
    EXPECT_FALSE(windows::registry_in({{"x", {answer, 1}}}, "x", windows::Absence::of_matches));
    EXPECT_FALSE(windows::registry_in({{"x", {answer, 1}}}, "x", windows::Absence::impossible));
    return;
  }
  const auto reader =
      std::ranges::find_if(readers, [&](const auto& one) { return tool.find(one.tool) != std::string::npos; });
  if (reader == std::end(readers) || expected.contains("section")) {
    ASSERT_TRUE(values) << "no parser is for '" << tool << "'";
    return compare_values(expected, **values);
  }
  const auto text = reader->decodes ? windows::text_of(*bytes) : Result<std::string>(*bytes);
  ASSERT_TRUE(text) << text.error().message;
  reader->compare(*text, expected);
}

INSTANTIATE_TEST_SUITE_P(Files, TranscriptTest, testing::ValuesIn(transcripts()));

// The numbers in README.md, and that nothing is called what it is not.
TEST(Transcripts, AreCountedInTheirDocument) {
  const std::map<std::string, std::string> languages{{"de", "German"}, {"es", "Spanish"},  {"ru", "Russian"},
                                                     {"fr", "French"}, {"ja", "Japanese"}, {"zh", "Chinese"}};
  const auto folder = fs::path(PATCHLAB_SOURCE_DIR) / "tests/golden/transcripts";
  const auto document = read_file(folder / "README.md");
  ASSERT_TRUE(document);
  std::map<std::string, int> origins;
  std::map<std::string, int> files;
  for (const auto& transcript : transcripts()) {
    if (transcript.folder != folder) continue;
    ++origins[transcript.entry.at("origin").get<std::string>()];
    ++files[transcript.entry.at("language").get<std::string>()];
    EXPECT_FALSE(transcript.entry.at("source").get<std::string>().empty()) << transcript.file();
    EXPECT_FALSE(transcript.entry.at("kind").get<std::string>().empty()) << transcript.file();
  }
  EXPECT_EQ(origins.size(), 3U);
  for (const auto& [origin, count] : origins)
    EXPECT_THAT(*document, testing::HasSubstr(fmt::format("| `{}` | {} |", origin, count)));
  for (const auto& [language, count] : files) {
    const auto name = language == "en" ? "English, or nothing that is translated" : languages.at(language);
    EXPECT_THAT(*document, testing::HasSubstr(fmt::format("| {} | {} |", name, count)));
  }
}

// What lies in the folder and is in no index is tried by nobody.
TEST(Transcripts, AreAllInTheIndex) {
  std::set<std::string> named{"index.json", "README.md"};
  for (const auto& transcript : transcripts()) named.insert(transcript.entry.at("file").get<std::string>());
  for (const auto& folder : recorded::recordings()) named.insert(folder.filename().string());
  for (const auto& file : fs::directory_iterator(fs::path(PATCHLAB_SOURCE_DIR) / "tests/golden/transcripts"))
    EXPECT_TRUE(named.contains(file.path().filename().string())) << file.path();
}

// Every proper beginning of a reply that ends inside a line is either an error or, where the tool marks no end, less.
TEST(Transcripts, ThatAreCutOffAreNeverReadAsWhole) {
  for (const auto& [folder, entry] : transcripts()) {
    const auto tool = entry.at("tool").get<std::string>();
    if (entry.at("expected").contains("error")) continue;
    const auto bytes = read_file(folder / entry.at("file").get<std::string>());
    ASSERT_TRUE(bytes);
    const auto text = windows::text_of(*bytes).value_or("");
    if (tool.starts_with("dism")) {
      for (std::size_t cut = 0; cut + 2 < text.size(); ++cut)
        EXPECT_FALSE(windows::dism_packages(text.substr(0, cut))) << entry["file"] << ' ' << cut;
    } else if (tool.starts_with("wevtutil")) {
      const auto whole = windows::events(text)->size();
      for (std::size_t cut = 0; cut + 1 < text.size(); ++cut) {
        const auto some = windows::events(text.substr(0, cut));
        EXPECT_FALSE(some && some->size() == whole) << entry["file"] << ' ' << cut;
      }
    } else if (tool.starts_with("sc query")) {
      // Of the last block, what is read comes before its last number.
      const auto last = text.find_last_not_of(" \r\n");
      const Transcript whole{folder, entry};
      const auto values = **recorded::values_in(whole, text);
      for (auto cut = std::min(text.rfind(" (0x") + 1, last); cut < last; ++cut) {
        const auto some = *recorded::values_in(whole, text.substr(0, cut));
        EXPECT_TRUE(!some || *some == values) << entry["file"] << ' ' << text.substr(0, cut);
      }
    }
  }
}
}  // namespace
}  // namespace patchlab
