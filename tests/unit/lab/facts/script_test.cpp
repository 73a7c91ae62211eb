// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <sstream>

#include "lab/core/digest.hpp"
#include "lab/core/text.hpp"
#include "lab/core/time.hpp"
#include "lab/facts/compare.hpp"
#include "lab/process/process.hpp"
#include "tests/support/temporary_folder.hpp"

namespace patchlab::lab::facts {
namespace {
using testing::HasSubstr;
using testing::IsEmpty;

std::string run_script(const std::string& text) {
  ProcessSpec spec;
  spec.program = "sh";
  spec.arguments = {"-s"};
  spec.input = text;  // as over ssh, and as the guest agent hands it over
  spec.time_limit = std::chrono::minutes(2);
  const auto outcome = host_processes().run(spec);
  EXPECT_TRUE(outcome.succeeded()) << outcome.describe() << outcome.errors;
  EXPECT_THAT(outcome.errors, IsEmpty());
  return outcome.output;
}

// The rule for what counts as the same, taken from the script itself.
std::string left_by_the_rule(const std::string& text, const std::string& own) {
  const std::string script = debian_script;
  const auto from = script.find("rule='") + 6;
  const test::TemporaryFolder folder;
  const auto file = folder.write("file", text);
  ProcessSpec spec;
  spec.program = "awk";
  spec.arguments = {"-v", "own=" + own, script.substr(from, script.find("\n}'", from) + 2 - from), file.string()};
  const auto outcome = host_processes().run(spec);
  EXPECT_TRUE(outcome.succeeded()) << outcome.errors;
  return outcome.output;
}

TEST(FactsScript, SaysOnThisHostWhatItsReaderUnderstands) {
  const auto text = run_script(debian_script);
  const auto facts = read_facts(text, "this-host.json");
  ASSERT_TRUE(facts) << facts.error().message;
  EXPECT_EQ(facts->family, GuestFamily::debian);
  EXPECT_TRUE(std::ranges::any_of(facts->packages, [](const auto& one) { return one.first.starts_with("dpkg:"); }));
  EXPECT_TRUE(facts->release.contains("kernel"));
  EXPECT_TRUE(facts->files.contains("/etc/hosts"));
  EXPECT_EQ(facts->files.at("/etc/nsswitch.conf").sha256, sha256_of_file("/etc/nsswitch.conf").value());
  const auto observed = parse_rfc3339(facts->observed);
  ASSERT_TRUE(observed);
  EXPECT_LT(system_clock_source().wall() - *observed, std::chrono::minutes(5));
  // Twice the same, but for the time.
  const auto again = read_facts(run_script(debian_script), "again.json");
  ASSERT_TRUE(again);
  auto likeness = compare("dns", *facts, *again);
  EXPECT_EQ(likeness.part(Part::packages)->differing(), 0U);
  EXPECT_EQ(likeness.part(Part::configuration)->differing(), 0U);
}

TEST(FactsScript, LeavesOutCommentsAndWhatIsEachMachinesOwn) {
  const std::string own = "dns1.corp.example 10.20.0.10 dns1 ";
  EXPECT_EQ(left_by_the_rule("# a comment\n  ; another\n\t// third\n\n  \noption a;  \n", own), "option a;\n");
  EXPECT_EQ(left_by_the_rule("listen-on { 10.20.0.10; };\nzone dns1.corp.example.\nhost dns1\n", own),
            "listen-on { <address>; };\nzone <name>.\nhost <name>\n");
  // Of others, or a part of another word: it stays.
  const std::string others = "10.20.0.101\n110.20.0.10\n10.20.0.11\ndns12\nxdns1\ndns1-old\nold.dns1\n";
  EXPECT_EQ(left_by_the_rule(others, own), others);
  EXPECT_EQ(left_by_the_rule("10.20.0.10/24 10.20.0.10,10.20.0.10\n", own), "<address>/24 <address>,<address>\n");
  EXPECT_EQ(left_by_the_rule("  secret \"abc\";\nldap_bindpw = x\nadmin_password: y\n", own),
            "  secret<secret>\nldap_bindpw<secret>\nadmin_passw<secret>\n");
  EXPECT_EQ(left_by_the_rule("a=1\r\n", own), left_by_the_rule("a=1\n", own));
  EXPECT_NE(left_by_the_rule("recursion yes;\n", own), left_by_the_rule("recursion no;\n", own));
  EXPECT_NE(left_by_the_rule("a\nb\n", own), left_by_the_rule("b\na\n", own));
}

// Read by people before they run it as root: nothing is written but to standard output, and nobody is called.
TEST(FactsScript, OnlyReads) {
  std::istringstream lines{std::string(debian_script)};
  for (std::string line; std::getline(lines, line);) {
    if (trimmed(line).starts_with("#") || line.find("sub(") != std::string::npos) continue;
    auto rest = line;
    for (const char* harmless : {"2>/dev/null", "2>&1", ">/dev/null", ">&2", "<name>", "<address>", "<secret>",
                                 "index(text, what)) > 0", "at > 1", ">= first"}) {
      for (auto at = rest.find(harmless); at != std::string::npos; at = rest.find(harmless))
        rest.erase(at, std::string(harmless).size());
    }
    EXPECT_EQ(rest.find('>'), std::string::npos) << line;
    for (const char* writer :
         {"tee", "mktemp", "touch ", "curl", "wget", " ssh ", " rm ", " mv ", " cp ", "sed -i", "nslookup"})
      EXPECT_EQ(rest.find(writer), std::string::npos) << line;
  }
  std::istringstream windows{std::string(windows_script)};
  for (std::string line; std::getline(windows, line);) {
    if (trimmed(line).starts_with("#")) continue;
    for (const char* writer :
         {"Set-", "New-", "Remove-", "Out-File", "Add-", "Start-", "Stop-", "Invoke-", "Clear-", "Rename-", "Move-",
          "Copy-", "WriteAll", "Net.WebClient", "Resolve-Dns", "Test-Connection"})
      EXPECT_EQ(line.find(writer), std::string::npos) << line;
    EXPECT_EQ(line.find(" > "), std::string::npos) << line;
  }
}

// A role whose configuration the script does not look at would be alike without a look.
TEST(FactsScript, LooksAtTheConfigurationOfEachRole) {
  const std::string both = std::string(debian_script) + windows_script;
  for (const auto& role : role_parts()) {
    for (const auto* of : role.of) {
      const bool debian = both.find(std::string("\n") + of + " /etc/") != std::string::npos;
      const bool windows = both.find(std::string("@('") + of + "', ") != std::string::npos;
      EXPECT_TRUE(debian || windows) << role.role << ": " << of;
    }
  }
}

}  // namespace
}  // namespace patchlab::lab::facts
