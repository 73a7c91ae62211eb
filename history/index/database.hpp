// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "history/index/place.hpp"
#include "lab/core/result.hpp"

namespace patchlab::history {

// One connection to a database, through SOCI, which only database.cpp includes. Of one thread at a time; threads and
// processes may have one each to the same database, any number of them: who reads sees what was there when its
// transaction began, and who writes waits for its turn, at most half a minute.
class Database {
 public:
  // All values are texts, also numbers: a column is what the schema says.
  using Row = std::vector<std::string>;

  // Makes an SQLite file that is not there. Errors (configuration): it is no database, or that of another program;
  // (infrastructure): it cannot be reached.
  [[nodiscard]] static Result<Database> open(const HistoryPlace& place);
  ~Database();
  Database(Database&&) noexcept;
  Database& operator=(Database&&) noexcept;

  // A statement without an answer, with ":a" and the like for its values, in their order; prepared once.
  [[nodiscard]] Result<void> run(const std::string& sql, const Row& values = {});
  // The rows of an answer with so many columns, none of them null.
  [[nodiscard]] Result<std::vector<Row>> rows(const std::string& sql, std::size_t columns, const Row& values = {});
  [[nodiscard]] Result<bool> has_table(const std::string& name);
  // One of our schema's, in the words of this database.
  [[nodiscard]] Result<void> make(const std::string& schema_statement);
  [[nodiscard]] Result<void> drop(const std::string& table);

  // Writing: nobody else writes until it ends, and nobody sees anything before that. Reading: what is seen stays the
  // same until it ends. Without commit() nothing has happened.
  enum class Access { read, write };
  class Transaction {
   public:
    Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
    Transaction& operator=(Transaction&&) = delete;
    ~Transaction();
    [[nodiscard]] Result<void> commit();

   private:
    friend class Database;
    explicit Transaction(Database& database) : database_(&database) {}
    Database* database_;
  };
  [[nodiscard]] Result<Transaction> begin(Access access);

  [[nodiscard]] const HistoryPlace& place() const { return place_; }
  // Whether the last error was that the file cannot be understood.
  [[nodiscard]] bool was_damaged() const { return damaged_; }

 private:
  struct Connection;
  Database(HistoryPlace place, std::unique_ptr<Connection> connection);
  template <class Work>
  [[nodiscard]] auto guarded(const std::string& doing, const Work& work) -> Result<decltype(work())>;
  [[nodiscard]] Result<void> plain(const std::string& sql);
  // Of SQLite, from then on and for everybody: readers see the old state while somebody writes a new one.
  [[nodiscard]] Result<void> write_ahead();

  HistoryPlace place_;
  std::unique_ptr<Connection> connection_;
  bool damaged_ = false;
  bool busy_ = false;  // the last error was that somebody else is at it
};

// Removes an SQLite file of ours that cannot be read any more, with what SQLite keeps beside it. An error
// (configuration) when it is not certain that it is an index.
[[nodiscard]] Result<void> remove_damaged_file(const HistoryPlace& place);

}  // namespace patchlab::history
