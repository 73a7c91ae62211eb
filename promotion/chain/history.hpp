// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "promotion/chain/line.hpp"

// What may follow what. A chain whose hashes fit can still tell a story that cannot be: a run that ends twice, a
// promotion that is done and never began.
namespace patchlab::promotion {

// What a statement says that the order of lines hangs on; of a file that is no statement, nothing.
struct StatementFacts {
  std::string kind;
  std::string by;
  std::string department;  // of the first subject
  std::string set;         // its digest
  std::string run;         // digest of the run object
  std::string begin;       // of a run: digest of the statement of its begin
  // Of a refusal: digest of the statement of the promotion that it gives up. Of what machines said: of which promotion.
  std::string promotion;
  std::string manifest;  // of a promotion: digest of the manifest that was to be published
  std::string id;        // of a begin: the run's, for people
  std::uint64_t serial = 0;
  std::uint64_t version = 0;  // of a policy: the number of its document
  std::string review_by{};    // of a promotion through the emergency lane: until when it is to be reviewed
};
// Reads what is asked here and nothing else; the form of a whole statement is judged elsewhere.
[[nodiscard]] Result<StatementFacts> statement_facts(const std::string& bytes, const std::string& name);

struct Attempt {
  std::uint64_t line = 0;      // of its begin
  std::string begin;           // digest of its statement
  std::uint64_t end_line = 0;  // 0: it has not ended, or was killed
  std::string end;
  std::string id;   // of the run, for people
  std::string run;  // digest of its record; empty: it has not ended
};

// A policy that the ledger names: its document must be there as long as the ledger is.
struct NamedPolicy {
  std::uint64_t line = 0;
  std::uint64_t version = 0;
  std::string document;  // digest
};

struct PromotionStory {
  enum class State { begun, switched, done, refused };
  std::uint64_t line = 0;       // of its beginning
  std::uint64_t last_line = 0;  // that says something of it
  std::string statement;        // digest
  std::string department;
  std::string manifest;
  std::uint64_t serial = 0;
  std::string run;  // digest of the record
  State state = State::begun;
  bool is_rollback = false;
  std::string review_by{};  // RFC 3339: it went through the emergency lane; empty: it did not
  [[nodiscard]] bool is_open() const { return state == State::begun || state == State::switched; }
};

// Takes the lines of a chain in their order.
class History {
 public:
  // Why this line cannot stand behind those before; empty when it can, and then it does. `facts`: of its object; not
  // asked for kinds whose object is a file.
  [[nodiscard]] std::string add(const ChainLine& line, const StatementFacts& facts);
  [[nodiscard]] static bool has_statement(ChainKind kind);

  [[nodiscard]] const std::vector<Attempt>& attempts() const { return attempts_; }
  [[nodiscard]] const std::vector<PromotionStory>& promotions() const { return promotions_; }
  // Null when there is none.
  [[nodiscard]] const PromotionStory* last_done(const std::string& department) const;
  // The greatest of all promotions of it, whatever came of them; 0 when there is none.
  [[nodiscard]] std::uint64_t greatest_serial(const std::string& department) const;
  // Nothing was told yet but what a crash left; then an older ledger may be taken over.
  [[nodiscard]] bool is_new() const { return !told_; }
  // The ledger of an older version that was taken over; empty: none was.
  [[nodiscard]] const std::string& imported() const { return imported_; }
  [[nodiscard]] const std::vector<NamedPolicy>& policies() const { return policies_; }
  // The statement with which this run was refused last in this department; empty when it never was.
  [[nodiscard]] std::string last_refusal(const std::string& department, const std::string& run) const;
  [[nodiscard]] bool names(const std::string& object) const { return objects_.contains(object); }

 private:
  std::string judge(const ChainLine& line, const StatementFacts& facts);
  std::string begins(const ChainLine& line, const StatementFacts& facts);
  std::string ends(const ChainLine& line, const StatementFacts& facts);
  std::string promotes(const ChainLine& line, const StatementFacts& facts);
  std::string goes_on(const ChainLine& line, PromotionStory::State from, PromotionStory::State to);
  std::string refuses(const ChainLine& line, const StatementFacts& facts);
  std::string tells_of(const StatementFacts& facts);
  PromotionStory* story_of(const std::string& statement);

  std::unordered_set<std::string> objects_;
  std::vector<Attempt> attempts_;
  std::unordered_map<std::string, std::size_t> attempt_of_;  // by the digest of its begin
  std::vector<PromotionStory> promotions_;
  std::unordered_map<std::string, std::size_t> story_of_;  // by the digest of its statement
  std::map<std::string, std::size_t> newest_;              // by department: that began last
  std::map<std::string, std::size_t> done_;                // by department: that was done last
  bool told_ = false;
  std::string imported_;
  std::vector<NamedPolicy> policies_;
  std::map<std::pair<std::string, std::string>, std::string> refusals_;  // by department and run: the newest
};

}  // namespace patchlab::promotion
