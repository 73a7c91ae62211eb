// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <fstream>

#include "lab/core/paths.hpp"
#include "promotion/chain/chain.hpp"
#include "tests/support/chain_samples.hpp"

// A ledger of years: ten runs a day with three decisions and a promotion are 10 000 lines in half a year. The promise
// is that all of it is verified in well below a second, every statement included.
namespace patchlab {
namespace {

namespace fs = std::filesystem;
using promotion::ChainKind;

class Writer {
 public:
  explicit Writer(fs::path folder) : folder_(std::move(folder)) {
    fs::create_directories(folder_ / "objects");
    file_.open(folder_ / promotion::chain_file_name);
  }
  void line(ChainKind kind, const std::string& statement) {
    const auto digest = sha256(statement);
    std::ofstream(folder_ / "objects" / digest) << statement;
    const auto text =
        promotion::line_text({++seq_, prev_, "2026-11-28T08:00:00.000Z", kind, digest, "lab@xavier.example"});
    file_ << text;
    prev_ = sha256(text);
  }

 private:
  fs::path folder_;
  std::ofstream file_;
  std::uint64_t seq_ = 0;
  std::string prev_ = promotion::no_hash;
};

// Each round is seven lines: a run, two decisions, a promotion.
fs::path ledger_of(std::int64_t lines) {
  static std::map<std::int64_t, fs::path> made;
  if (const auto found = made.find(lines); found != made.end()) return found->second;
  std::string pattern = (fs::temp_directory_path() / "patchlab-chain-bench-XXXXXX").string();
  const fs::path folder = ::mkdtemp(pattern.data());
  static const struct Remover {
    ~Remover() {
      for (const auto& [count, path] : made) static_cast<void>(remove_tree(path));
    }
  } remover;
  Writer writer(folder);
  for (std::int64_t round = 0; round * 7 < lines; ++round) {
    const auto statement = [&](const char* kind, const std::string& more = {}) {
      return tests::sample_statement(kind, "lab@xavier.example", fmt::format(R"(,"serial":{}{})", round, more));
    };
    const auto begin = statement("begin");
    const auto promote = statement("promote");
    writer.line(ChainKind::begin, begin);
    writer.line(ChainKind::run, statement("run", fmt::format(R"(,"begin":"{}")", sha256(begin))));
    writer.line(ChainKind::waive, statement("waive"));
    writer.line(ChainKind::approve, statement("approve"));
    writer.line(ChainKind::promote_begun, promote);
    writer.line(ChainKind::promote_switched, promote);
    writer.line(ChainKind::promote_done, promote);
  }
  return made.emplace(lines, folder).first->second;
}

void verify_chain(benchmark::State& state) {
  const promotion::Chain chain(ledger_of(state.range(0)));
  for (auto _ : state) {
    const auto report = chain.verify();
    if (!report) state.SkipWithError(report.error().message.c_str());
    benchmark::DoNotOptimize(report);
  }
}
// What an append does before it writes.
void read_chain(benchmark::State& state) {
  const promotion::Chain chain(ledger_of(state.range(0)));
  for (auto _ : state) {
    const auto read = chain.read();
    if (!read) state.SkipWithError(read.error().message.c_str());
    benchmark::DoNotOptimize(read);
  }
}
BENCHMARK(verify_chain)->Arg(1000)->Arg(10000)->Unit(benchmark::kMillisecond);
BENCHMARK(read_chain)->Arg(10000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace patchlab
