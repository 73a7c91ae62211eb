// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>

#include "process/page/answers.hpp"
#include "process/page/asked.hpp"
#include "tests/support/history_years.hpp"
#include "tests/support/page_facts.hpp"

// Each page over an index of years. The promise is that of pages over 10 000 runs 95 of 100 are made within 200 ms; a
// kind of page that takes longer is an error. What is held to that is the time of the processor, as tests run side by
// side; the time that passed stands beside it. PATCHLAB_HISTORY_RUNS says of how many runs: 10 000 in the test.
namespace patchlab {
namespace {

using tests::wanted_runs;
using tests::Years;

// What the optimizer did not see takes three times as long and more: it is held to twice what users are promised.
#ifdef __OPTIMIZE__
constexpr double promised_ms = 200;
#else
constexpr double promised_ms = 400;
#endif

class Pages {
 public:
  Pages() {
    auto facts = tests::page_facts();
    auto& index = Years::all().database();
    auto history = *facts.history;
    history.size = history::size_of(index).value();
    history.departments = history::departments(index).value();
    history.newest = history::runs(index, {}, 8).value();
    history.trend = history::trend(index, {}, {true, true, false}).value();
    history.flaky = history::flaky(index, {}).value().checks;
    facts.history = history;
    facts_ = std::make_shared<const process::page::Facts>(std::move(facts));
  }
  lab::web::WebResponse get(const std::string& target) const {
    const process::page::Answers answers({origin_, "", Years::all().place()}, [this] { return facts_; });
    return answers.answer({"GET", target, {{"host", origin_.host}}, {}});
  }
  static const Pages& all() {
    static const Pages pages;
    return pages;
  }

 private:
  lab::web::Origin origin_ = lab::web::read_origin("http://localhost:8444").value();
  std::shared_ptr<const process::page::Facts> facts_;
};

double processor_ms() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

// Of 95 of 100, no more; of fewer than twenty the half, as one of them may have been disturbed.
double most_of(std::vector<double> all) {
  std::ranges::sort(all);
  return all[(all.size() * (all.size() < 20 ? 50 : 95) + 99) / 100 - 1];
}

void show(benchmark::State& state, const std::string& target) {
  const auto& pages = Pages::all();
  std::vector<double> passed_ms, used_ms;
  std::size_t bytes = 0;
  const auto ask = [&] {
    const auto begun = std::chrono::steady_clock::now();
    const auto used = processor_ms();
    const auto page = pages.get(target);
    used_ms.push_back(processor_ms() - used);
    passed_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begun).count());
    if (page.status != 200) state.SkipWithError((target + ": " + std::to_string(page.status)).c_str());
    bytes = page.body.size();
  };
  for (auto _ : state) ask();
  while (used_ms.size() < 3) ask();
  state.counters["runs"] = static_cast<double>(wanted_runs());
  state.counters["used_ms"] = most_of(used_ms);
  state.counters["passed_ms"] = most_of(passed_ms);
  state.counters["KiB"] = static_cast<double>(bytes) / 1024;
  if (most_of(used_ms) > promised_ms)
    state.SkipWithError(fmt::format("{}: {:.0f} ms", target, most_of(used_ms)).c_str());
}

void today(benchmark::State& state) { show(state, "/"); }
void first_runs(benchmark::State& state) { show(state, "/runs"); }
void last_runs(benchmark::State& state) { show(state, fmt::format("/runs?page={}", (wanted_runs() + 49) / 50)); }
void one_run(benchmark::State& state) { show(state, "/run/" + Years::all().last_run()); }
void candidates(benchmark::State& state) { show(state, "/candidates"); }
void one_candidate(benchmark::State& state) { show(state, "/candidate/" + Years::all().last_candidate()); }
void departments(benchmark::State& state) { show(state, "/departments"); }
void one_department(benchmark::State& state) { show(state, "/department/finance"); }
void reports(benchmark::State& state) { show(state, "/reports"); }
void compliance(benchmark::State& state) { show(state, "/compliance"); }
void success_file(benchmark::State& state) { show(state, "/download/success.csv"); }

BENCHMARK(today)->Unit(benchmark::kMillisecond);
BENCHMARK(first_runs)->Unit(benchmark::kMillisecond);
BENCHMARK(last_runs)->Unit(benchmark::kMillisecond);
BENCHMARK(one_run)->Unit(benchmark::kMillisecond);
BENCHMARK(candidates)->Unit(benchmark::kMillisecond);
BENCHMARK(one_candidate)->Unit(benchmark::kMillisecond);
BENCHMARK(departments)->Unit(benchmark::kMillisecond);
BENCHMARK(one_department)->Unit(benchmark::kMillisecond);
BENCHMARK(reports)->Unit(benchmark::kMillisecond);
BENCHMARK(compliance)->Unit(benchmark::kMillisecond);
BENCHMARK(success_file)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace patchlab
