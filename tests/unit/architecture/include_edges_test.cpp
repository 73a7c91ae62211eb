// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <regex>
#include <sstream>

#include "lab/core/files.hpp"

// The table "Who may include whom" of ARCHITECTURE.md is what is checked: a change of the structure starts there.
namespace patchlab {
namespace {

using ::testing::Contains;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

constexpr std::array<const char*, 10> folders{"cli",     "lab",       "snapshots", "patches", "checks",
                                              "runners", "promotion", "reports",   "history", "process"};

struct Row {
  std::vector<std::string> subjects;  // "lab/core", "checks/<protocol>"
  std::set<std::string> may_use;      // folders of the table, or single files
};

std::vector<std::string> quoted_words(const std::string& text) {
  static const std::regex word("`([^`]+)`");
  std::vector<std::string> words;
  for (std::sregex_iterator it(text.begin(), text.end(), word), end; it != end; ++it) words.push_back((*it)[1]);
  return words;
}

std::vector<Row> rows_of(const std::string& document) {
  std::vector<Row> rows;
  std::set<std::string> above;
  std::istringstream lines(document.substr(document.find("## Who may include whom")));
  for (std::string line; std::getline(lines, line) && !line.starts_with("No cycles");) {
    if (!line.starts_with("| `")) continue;
    const auto middle = line.find(" | ");
    Row row{quoted_words(line.substr(0, middle)), {}};
    const auto allowed = line.substr(middle);
    for (const auto& word : quoted_words(allowed)) row.may_use.insert(word);
    if (allowed.find("everything above") != std::string::npos) row.may_use.insert(above.begin(), above.end());
    row.may_use.insert("lab/core");
    above.insert(row.subjects.begin(), row.subjects.end());
    rows.push_back(std::move(row));
  }
  return rows;
}

class Structure : public ::testing::Test {
 protected:
  // The folder of the table that a file belongs to: the longest; "checks/<protocol>" stands for each folder below
  // checks that has no row.
  [[nodiscard]] std::string owner_of(const std::string& file) const {
    std::string best;
    for (const auto& row : rows_) {
      for (const auto& subject : row.subjects) {
        if ((file.starts_with(subject + "/") || file == subject) && subject.size() > best.size()) best = subject;
      }
    }
    if (best == "checks" && file.find('/', 7) != std::string::npos) return "checks/<protocol>";
    return best;
  }
  [[nodiscard]] const Row* row_of(const std::string& owner) const {
    for (const auto& row : rows_) {
      if (std::ranges::count(row.subjects, owner) > 0) return &row;
    }
    return nullptr;
  }
  [[nodiscard]] bool allowed(const std::string& from, const std::string& included) const {
    const auto mine = owner_of(from);
    const auto theirs = owner_of(included);
    if (mine == theirs)
      return mine != "checks/<protocol>" || fs::path(from).parent_path() == fs::path(included).parent_path();
    const auto* row = row_of(mine);
    // A word of the table may name a part of another row's folder ("reports/record"), never more than it: "checks" is
    // the contract alone.
    return row != nullptr && std::ranges::any_of(row->may_use, [&](const auto& word) {
             return word == theirs || word == included ||
                    (word.size() > theirs.size() && included.starts_with(word + "/"));
           });
  }

  template <class Visit>
  static void each_source(const Visit& visit) {
    for (const auto* folder : folders) {
      for (const auto& entry : fs::recursive_directory_iterator(root_ / folder)) {
        const auto extension = entry.path().extension();
        if (extension == ".cpp" || extension == ".hpp")
          visit(entry.path().lexically_relative(root_).string(), read_file(entry.path()).value());
      }
    }
  }
  template <class Visit>
  static void each_include(const Visit& visit) {
    static const std::regex include(R"(^\s*#include\s+(["<])([^">]+)[">])");
    each_source([&](const std::string& file, const std::string& text) {
      std::istringstream lines(text);
      for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        if (std::regex_search(line, match, include)) visit(file, match[2].str(), match[1] == "<");
      }
    });
  }

  static inline const fs::path root_ = PATCHLAB_SOURCE_DIR;
  const std::vector<Row> rows_ = rows_of(read_file(root_ / "ARCHITECTURE.md").value());
};

TEST_F(Structure, IncludesOnlyWhatTheTableAllows) {
  ASSERT_GE(rows_.size(), 12U) << "the table of ARCHITECTURE.md could not be read";
  std::vector<std::string> wrong;
  std::size_t seen = 0;
  each_include([&](const std::string& from, const std::string& included, bool system) {
    if (system) return;
    ++seen;
    if (!allowed(from, included)) wrong.push_back(from + " includes " + included);
  });
  EXPECT_THAT(wrong, IsEmpty());
  EXPECT_GT(seen, 500U);
}

// Folders that include each other, by whatever way. Files beside folders (lab/hypervisor.hpp) stand for themselves.
using Edges = std::map<std::string, std::set<std::string>>;
std::vector<std::string> cycles_in(const Edges& edges) {
  std::vector<std::string> found;
  for (const auto& [start, ignored] : edges) {
    std::set<std::string> reached;
    std::vector<std::string> next{start};
    while (!next.empty()) {
      const auto at = next.back();
      next.pop_back();
      const auto below = edges.find(at);
      if (below == edges.end()) continue;
      for (const auto& folder : below->second) {
        if (reached.insert(folder).second) next.push_back(folder);
      }
    }
    if (reached.contains(start)) found.push_back(start);
  }
  return found;
}

TEST_F(Structure, HasNoCycles) {
  const auto place = [](const std::string& file) {
    const auto folder = fs::path(file).parent_path().string();
    return folder == "lab" ? file : folder;
  };
  Edges edges;
  each_include([&](const std::string& from, const std::string& included, bool system) {
    if (!system && place(from) != place(included)) edges[place(from)].insert(place(included));
  });
  EXPECT_GT(edges.size(), 50U);
  EXPECT_THAT(cycles_in(edges), IsEmpty());
  edges["lab/core"].insert("runners/engine");
  EXPECT_THAT(cycles_in(edges), Contains("lab/core"));
}

// Those that ARCHITECTURE.md names.
TEST_F(Structure, FunctionsOverValuesAskNobody) {
  const auto document = read_file(root_ / "ARCHITECTURE.md").value();
  const auto begin = document.find("Functions over values");
  const auto pure = quoted_words(document.substr(begin, document.find("Some consequences", begin) - begin));
  ASSERT_GE(pure.size(), 10U);
  // Folders, or single files with their headers.
  const auto is_pure = [&](const std::string& file) {
    return std::ranges::any_of(pure, [&](const auto& word) {
      return file.starts_with(word + "/") ||
             (word.ends_with(".cpp") && file.substr(0, file.size() - 4) == word.substr(0, word.size() - 4));
    });
  };
  const auto asks = [&](const std::string& from, const std::string& included) {
    static const std::set<std::string> outside{"lab/core/files.hpp",
                                               "lab/core/file_lock.hpp",
                                               "lab/core/paths.hpp",
                                               "fstream",
                                               "filesystem",
                                               "thread",
                                               "unistd.h",
                                               "cstdlib",
                                               "random"};
    return is_pure(from) &&
           (outside.contains(included) || included.starts_with("sys/") || included.starts_with("lab/process/"));
  };
  std::vector<std::string> wrong;
  each_include([&](const std::string& from, const std::string& included, bool) {
    if (asks(from, included)) wrong.push_back(from + " includes " + included);
  });
  EXPECT_THAT(wrong, IsEmpty());
  EXPECT_TRUE(asks("runners/culprit/search.cpp", "lab/core/files.hpp"));
  static const std::regex clock(R"(_clock::now\b|\bgetenv\b|\bsystem_clock_source\b|\bhost_processes\b)");
  EXPECT_TRUE(asks("promotion/browser/asked.hpp", "lab/core/files.hpp"));
  EXPECT_FALSE(asks("lab/web/server.cpp", "lab/core/files.hpp"));
  std::size_t seen = 0;
  each_source([&](const std::string& file, const std::string& text) {
    if (!is_pure(file)) return;
    ++seen;
    EXPECT_FALSE(std::regex_search(text, clock)) << file;
  });
  EXPECT_GT(seen, pure.size());
}

TEST_F(Structure, KeepsHeavyLibrariesInOneFolder) {
  std::vector<std::string> wrong;
  each_include([&](const std::string& from, const std::string& included, bool system) {
    if (!system) return;
    if (included.starts_with("libvirt/") && !from.starts_with("lab/libvirt/"))
      wrong.push_back(from + " includes " + included);
    if (included.starts_with("curl/") && from != "process/notify/curl_sender.cpp" && from != "checks/http/page.cpp" &&
        from != "lab/content/curl_source.cpp")
      wrong.push_back(from + " includes " + included);
    if ((included.starts_with("krb5") || included == "profile.h") && from != "checks/kerberos/session.cpp")
      wrong.push_back(from + " includes " + included);
    if ((included == "ldap.h" || included == "openldap.h" || included.starts_with("sasl/")) &&
        from != "checks/ldap/session.cpp")
      wrong.push_back(from + " includes " + included);
    if (included == "mspack.h" && from != "patches/cab/cabinet.cpp") wrong.push_back(from + " includes " + included);
    if (included.starts_with("libxml/") && from != "patches/msu/xml_document.cpp" &&
        from != "patches/catalogue/xml_stream.cpp" && from != "lab/libvirt/xml_document.cpp") {
      wrong.push_back(from + " includes " + included);
    }
    if ((included.starts_with("boost/beast") || included.starts_with("boost/asio")) && from != "lab/web/server.cpp" &&
        !from.starts_with("lab/process/")) {
      wrong.push_back(from + " includes " + included);
    }
    // Of what it may use by the table, everything else is of the language or the system.
    static const std::regex of_core(R"(\w+|(fmt|nlohmann|openssl|sys|linux)/[\w/.]+|(unistd|fcntl|dirent)\.h)");
    if (from.starts_with("lab/core/") && !std::regex_match(included, of_core))
      wrong.push_back(from + " includes " + included);
    if (included.starts_with("boost/process") && (!from.starts_with("lab/process/") || !from.ends_with(".cpp")))
      wrong.push_back(from + " includes " + included);
  });
  EXPECT_THAT(wrong, IsEmpty());
}

// Else the two tests above could not fail.
TEST_F(Structure, WouldNoticeAForbiddenEdge) {
  EXPECT_FALSE(allowed("checks/dns/query.cpp", "lab/hypervisor.hpp"));
  EXPECT_FALSE(allowed("checks/dns/query.cpp", "checks/smb/session.hpp"));
  EXPECT_FALSE(allowed("checks/run.cpp", "checks/dns/query.hpp"));
  EXPECT_FALSE(allowed("checks/run.cpp", "checks/registry/registry.hpp"));
  EXPECT_FALSE(allowed("checks/dns/query.cpp", "checks/registry/registry.hpp"));
  for (const char* beyond :
       {"lab/hypervisor.hpp", "runners/engine/execute.hpp", "reports/record/record.hpp", "lab/process/process.hpp"}) {
    EXPECT_FALSE(allowed("runners/culprit/search.cpp", beyond)) << beyond;
    EXPECT_FALSE(allowed("snapshots/tree/snapshot_tree.cpp", beyond)) << beyond;
    EXPECT_FALSE(allowed("patches/cab/cabinet.cpp", beyond)) << beyond;
  }
  EXPECT_FALSE(allowed("patches/bytes/byte_source.cpp", "patches/cab/cabinet.hpp"));
  EXPECT_FALSE(allowed("patches/cab/cabinet.cpp", "patches/msu/msu_file.hpp"));
  EXPECT_FALSE(allowed("lab/core/files.cpp", "lab/process/process.hpp"));
  EXPECT_FALSE(allowed("reports/html/html.cpp", "runners/engine/run.hpp"));
  EXPECT_FALSE(allowed("promotion/gate/gate.cpp", "reports/html/html.hpp"));
  EXPECT_FALSE(allowed("promotion/gate/gate.cpp", "tests/support/sample_record.hpp"));
  EXPECT_FALSE(allowed("promotion/gate/gate.cpp", "promotion/stage/stage.hpp"));
  EXPECT_FALSE(allowed("promotion/policy/policy.cpp", "promotion/gate/gate.hpp"));
  EXPECT_FALSE(allowed("reports/record/record.cpp", "reports/html/html.hpp"));
  for (const char* beyond_the_wall :
       {"promotion/gate/gate.hpp", "promotion/policy/policy.hpp", "promotion/desk/desk.hpp",
        "promotion/stage/stage.hpp", "promotion/ledger/ledger.hpp", "reports/html/html.hpp", "reports/junit/junit.hpp",
        "reports/csv/csv.hpp", "reports/tap/tap.hpp", "history/archive/run_archive.hpp"})
    EXPECT_FALSE(allowed("runners/engine/execute.cpp", beyond_the_wall)) << beyond_the_wall;
  EXPECT_FALSE(allowed("runners/engine/execute.cpp", "runners/inquiry/lab_today.hpp")) << "it knows the desk";
  EXPECT_FALSE(allowed("runners/cell/cell.cpp", "promotion/desk/desk.hpp"));
  EXPECT_FALSE(allowed("runners/talk/conversation.cpp", "runners/cell/client.hpp"));
  EXPECT_FALSE(allowed("snapshots/store/cell_checkpoint.cpp", "lab/guest/adapter.hpp"));
  EXPECT_TRUE(allowed("runners/engine/execute.cpp", "reports/record/record.hpp"));
  EXPECT_TRUE(allowed("runners/engine/execute.cpp", "runners/cell/cell_client.hpp"));
  EXPECT_TRUE(allowed("runners/inquiry/lab_today.cpp", "promotion/desk/desk.hpp"));
  EXPECT_FALSE(allowed("promotion/book/book.cpp", "promotion/browser/counter.hpp"));
  EXPECT_FALSE(allowed("promotion/browser/counter.cpp", "history/archive/run_archive.hpp"));
  EXPECT_TRUE(allowed("promotion/desk/desk.cpp", "promotion/stage/stage.hpp"));
  EXPECT_TRUE(allowed("promotion/browser/pages.cpp", "reports/html/page.hpp"));
  EXPECT_TRUE(allowed("checks/dns/query.cpp", "checks/check.hpp"));
  EXPECT_TRUE(allowed("runners/cell/machine.cpp", "lab/hypervisor.hpp"));
  EXPECT_TRUE(allowed("cli/doctor.cpp", "runners/engine/run.hpp"));
}

}  // namespace
}  // namespace patchlab
