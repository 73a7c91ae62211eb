// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include "cli/run_reports.hpp"

#include "reports/html/html.hpp"
#include "reports/junit/junit.hpp"

namespace patchlab::cli {

reports::RunChanges changes_in(const history::RunArchive& archive, const reports::RunRecord& record) {
  const auto before = archive.before(record);
  return before ? reports::changes_since(*before, record) : reports::RunChanges{};
}

Result<void> keep_reports(const history::RunArchive& archive, const reports::RunRecord& record,
                          const reports::Decisions& decisions) {
  PATCHLAB_TRY(archive.keep_report(record.id, "junit.xml", reports::junit_xml(record, decisions)));
  PATCHLAB_TRY(archive.keep_report(record.id, "junit-trials.xml", reports::junit_trials_xml(record)));
  PATCHLAB_TRY(archive.keep_report(record.id, "report.html",
                                   reports::html_report(record, decisions, changes_in(archive, record))));
  return archive.keep_report(record.id, "decisions.json", pretty(Json(decisions)));
}

}  // namespace patchlab::cli
