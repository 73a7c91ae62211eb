// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "process/page/answers.hpp"

#include <algorithm>

#include "lab/core/choice.hpp"
#include "process/page/asked.hpp"
#include "process/page/pages.hpp"
#include "process/page/parts.hpp"

namespace patchlab::process::page {
namespace {

using lab::web::NotAsked;
using lab::web::WebResponse;

WebResponse html(std::string page) {
  WebResponse response;
  response.body = std::move(page);
  return response;
}
WebResponse refusal(const Facts& facts, const NotAsked& no) {
  auto response = html(refusal_page(facts, no.status, no.code, no.text));
  response.status = no.status;
  response.allow = "GET";
  return response;
}

std::string said(const Error& error) { return error.hint.empty() ? error.message : error.message + "; " + error.hint; }

// One request: one state of the facts and of the index.
class Answer {
 public:
  Answer(const Facts& facts, Reader reader, const history::HistoryPlace& index)
      : facts_(facts), reader_(std::move(reader)), place_(index) {}

  WebResponse operator()(const AskedToday&) const { return html(today_page(facts_, reader_)); }
  WebResponse operator()(const AskedStyle&) const {
    WebResponse response;
    response.content_type = "text/css; charset=utf-8";
    response.body = style_sheet;
    return response;
  }
  WebResponse operator()(const AskedRuns& asked) const {
    return with_index([&](history::Database& index) -> Result<WebResponse> {
      PATCHLAB_ASSIGN(auto answer,
                      history::runs(index, {asked.scenario, {}, {}}, on_a_page, (asked.page - 1) * on_a_page));
      return html(runs_page(facts_, reader_, {std::move(answer), asked.page, asked.scenario}));
    });
  }
  WebResponse operator()(const AskedRun& asked) const {
    return with_index([&](history::Database& index) -> Result<WebResponse> {
      PATCHLAB_ASSIGN(auto details, history::run_details(index, asked.id));
      if (!details) return not_there(fmt::format("the index has no run '{}'", asked.id));
      auto changes = history::changed(index, asked.id, {});
      RunView view{std::move(*details), changes ? Known(std::move(*changes))
                                                : Known<history::ChangesAnswer>::not_known(said(changes.error()))};
      return html(run_page(facts_, reader_, view));
    });
  }
  WebResponse operator()(const AskedCandidates& asked) const {
    return with_index([&](history::Database& index) -> Result<WebResponse> {
      PATCHLAB_ASSIGN(auto answer, history::candidates(index, on_a_page, (asked.page - 1) * on_a_page));
      return html(candidates_page(facts_, reader_, {std::move(answer), asked.page}));
    });
  }
  // What no run tested may be known to a scan; without an index, too.
  WebResponse operator()(const AskedCandidate& asked) const {
    using Story = Known<history::CandidateStory>;
    auto story = Story::not_known(facts_.history.why);
    bool no_run_has_it = false;
    if (facts_.history) {
      auto found = in_one_state([&](history::Database& index) { return history::candidate(index, asked.id); });
      if (found) {
        story = Story(std::move(*found));
      } else if (found.error().error_class == ErrorClass::usage) {
        no_run_has_it = true;
        story = Story(history::CandidateStory{asked.id, {}, {}, {}, {}});
      } else {
        story = Story::not_known(said(found.error()));
      }
    }
    if (!facts_.stale.empty()) return refusal(facts_, {503, "not-known", facts_.stale});
    if (!is_named_outside_runs(facts_, asked.id) && (no_run_has_it || !story))
      return not_there(fmt::format("no run, scan or acquisition that was looked at names '{}'", asked.id));
    return html(candidate_page(facts_, reader_, asked.id, story));
  }
  WebResponse operator()(const AskedDepartments&) const { return html(departments_page(facts_, reader_)); }
  WebResponse operator()(const AskedDepartment& asked) const {
    if (!facts_.stale.empty()) return refusal(facts_, {503, "not-known", facts_.stale});
    const auto names = departments_of(facts_);
    if (std::ranges::count(names, asked.name) == 0)
      return not_there(fmt::format("no run, scan or promotion that was looked at has a department '{}'", asked.name));
    return html(department_page(facts_, reader_, asked.name));
  }
  WebResponse operator()(const AskedReports&) const { return html(reports_page(facts_, reader_)); }
  WebResponse operator()(const AskedCompliance&) const { return html(compliance_page(facts_, reader_)); }
  WebResponse operator()(const AskedDownload& asked) const {
    using Trend = Known<history::TrendAnswer>;
    auto trend = Trend::not_known(facts_.history.why);
    if (asked.name == "success" && facts_.history) {
      auto found = in_one_state([](history::Database& index) { return history::trend(index, {}, {true, true, true}); });
      trend = found ? Trend(std::move(*found)) : Trend::not_known(said(found.error()));
    }
    const auto report = report_of(facts_, asked.name, trend);
    if (!report) return not_there(fmt::format("there is no report '{}'", asked.name));
    // An empty file would say that nothing is missing.
    if (!*report) return refusal(facts_, {503, "not-known", report->why});
    WebResponse response;
    const auto& made = **report;
    const bool is_csv = asked.format == "csv";
    response.content_type = is_csv ? "text/csv; charset=utf-8" : "application/json";
    response.body = is_csv ? report_csv(made) : pretty(report_json(made));
    response.file_name = file_name_of(made, asked.format);
    return response;
  }
  WebResponse operator()(const NotAsked& no) const { return refusal(facts_, no); }

 private:
  WebResponse not_there(std::string text) const { return refusal(facts_, {404, "not-found", std::move(text)}); }
  // All that is asked of the index for one answer, whoever writes meanwhile.
  template <class Ask>
  auto in_one_state(const Ask& ask) const -> decltype(ask(std::declval<history::Database&>())) {
    PATCHLAB_ASSIGN(auto index, history::Database::open(place_));
    PATCHLAB_ASSIGN(const auto reading, index.begin(history::Database::Access::read));
    return ask(index);
  }
  template <class Ask>
  WebResponse with_index(const Ask& ask) const {
    if (!facts_.history) return refusal(facts_, {503, "not-known", facts_.history.why});
    const auto answered = in_one_state(ask);
    return answered ? *answered : refusal(facts_, {503, "not-known", said(answered.error())});
  }

  const Facts& facts_;
  Reader reader_;
  const history::HistoryPlace& place_;
};

}  // namespace

WebResponse Answers::answer(const lab::web::WebRequest& request) const {
  const auto facts = look_();
  const auto what = asked(request, question_.origin);
  Reader reader;
  // The style is nobody's secret, and a refusal is to be read as well.
  const bool is_open = std::holds_alternative<AskedStyle>(what) || std::holds_alternative<NotAsked>(what);
  if (!question_.sign_in_header.empty() && !is_open) {
    auto who = signed_in(request, question_.sign_in_header);
    if (const auto* no = std::get_if<NotAsked>(&who)) return refusal(*facts, *no);
    reader.name = std::get<std::string>(std::move(who));
  }
  return std::visit(Answer(*facts, std::move(reader), question_.index), what);
}

}  // namespace patchlab::process::page
