-- SPDX-FileCopyrightText: 2026 The patchlab authors
-- SPDX-License-Identifier: Apache-2.0
--
-- The history index, in the words that SQLite and PostgreSQL have in common: text and bigint, nothing is null. On PostgreSQL each text
-- is compared by its bytes, as SQLite does (history/index/database.cpp adds that). All of it is made of run folders and of the ledger
-- of a stage, and can be made anew at any time: whoever changes a table, or what is put into one, adds a file with the next number (it
-- may be empty), and older indexes are made anew by it.

-- What the index is of. version: number of the newest of these files; tool: who made it; runs, stage: folders; ledger_lines, ledger_head:
-- how far the ledger was read; ledger_stamp: by which its file is known again.
create table meta (
  name text not null,
  value text not null,
  primary key (name)
);

-- Each folder of a run, as it was looked at last. state: indexed, unfinished (no record yet, or never), unreadable.
create table source (
  folder text not null,
  stamp text not null,
  state text not null,
  digest text not null,
  problem text not null,
  primary key (folder)
);
create index source_by_digest on source (digest);

-- digest: SHA-256 of its run.json. month: of its begin, "2026-11"; "unknown" when it says none. result: word of its exit code. good: it
-- ran to its end, and nothing stands against it.
create table run (
  id text not null,
  digest text not null,
  month text not null,
  started text not null,
  finished text not null,
  duration_ms bigint not null,
  scenario text not null,
  title text not null,
  scenario_digest text not null,
  tool text not null,
  accelerator text not null,
  result text not null,
  complete bigint not null,
  good bigint not null,
  departments bigint not null,
  candidates bigint not null,
  passed bigint not null,
  failed bigint not null,
  undecided bigint not null,
  primary key (id)
);
create index run_by_digest on run (digest);
create index run_by_scenario on run (scenario, started);
create index run_by_start on run (started);

-- What else a run says that it was made with: kind "host" (kernel, qemu ...) or "digest" (check_set, policy ...);
-- and "foreseen" (makespan_ms).
create table run_fact (
  run text not null,
  kind text not null,
  name text not null,
  value text not null,
  primary key (run, kind, name)
);
create table machine (
  run text not null,
  department text not null,
  name text not null,
  role text not null,
  golden text not null,
  golden_digest text not null,
  state_digest text not null,
  checks text not null,
  primary key (run, department, name)
);
-- The checks of a machine, by machine.checks: most runs have the same.
create table check_list (
  digest text not null,
  id text not null,
  check_digest text not null,
  primary key (digest, id)
);
create table candidate (
  run text not null,
  id text not null,
  place bigint not null,
  digest text not null,
  title text not null,
  severity text not null,
  kind text not null,
  origin text not null,
  primary key (run, id)
);
create index candidate_by_id on candidate (id);
create table verdict (
  run text not null,
  department text not null,
  candidate text not null,
  outcome text not null,
  reason text not null,
  failed text not null,
  together_with text not null,
  machines text not null,
  known_from text not null,
  removal text not null,
  primary key (run, department, candidate)
);
create index verdict_by_candidate on verdict (candidate);

-- Sums over the runs of a month.
create table verdict_count (
  month text not null,
  scenario text not null,
  department text not null,
  candidate text not null,
  outcome text not null,
  n bigint not null,
  primary key (month, scenario, department, candidate, outcome)
);
-- asked: times with an answer, pass or fail. asked_again: of those, that needed more than one try. disagreed: of those, that failed and
-- passed. between_trials: a trial failed by it and another one of the same set passed. bare: times it was asked without any patch;
-- bare_failed: of those, that failed. errors: the observer itself could not work.
create table check_count (
  month text not null,
  scenario text not null,
  department text not null,
  machine text not null,
  role text not null,
  id text not null,
  asked bigint not null,
  asked_again bigint not null,
  disagreed bigint not null,
  between_trials bigint not null,
  bare bigint not null,
  bare_failed bigint not null,
  errors bigint not null,
  primary key (month, scenario, department, machine, role, id)
);
-- How often something took so long, in milliseconds as far as they are kept (run_sums.hpp). month: empty for all of them. step: install, restart, checks. kind: of the candidates that were
-- installed; "mixed": several; "none": nothing was.
create table duration_count (
  month text not null,
  scenario text not null,
  accelerator text not null,
  role text not null,
  kind text not null,
  step text not null,
  ms bigint not null,
  n bigint not null,
  primary key (month, scenario, accelerator, role, kind, step, ms)
);

-- Lines of the ledger. about: digest of the statement that this one is about (the begin of a run, what is withdrawn, what was promoted).
-- run: digest of a record. named: of decisions, promotions and refusals that name a run, whether the candidates of their set are known:
-- 0 not looked, 1 known, 2 the run's record does not have that set.
create table event (
  seq bigint not null,
  time text not null,
  kind text not null,
  by_whom text not null,
  object text not null,
  department text not null,
  set_digest text not null,
  run text not null,
  run_id text not null,
  about text not null,
  reason text not null,
  ticket text not null,
  expires text not null,
  result text not null,
  policy text not null,
  serial bigint not null,
  complete bigint not null,
  named bigint not null,
  primary key (seq)
);
create index event_by_run on event (run, kind);
create index event_by_object on event (object);
create index event_by_kind on event (kind, department, seq);
create index event_by_about on event (about, kind);
create index event_by_run_id on event (run_id, kind);
create table event_candidate (
  seq bigint not null,
  candidate text not null,
  primary key (seq, candidate)
);
create index event_candidate_by_candidate on event_candidate (candidate);

-- What machines said last of each promotion, by candidate.
create table installed (
  department text not null,
  machine text not null,
  serial bigint not null,
  candidate text not null,
  name text not null,
  seq bigint not null,
  observed text not null,
  promoted text not null,
  found text not null,
  state text not null,
  since text not null,
  source text not null,
  primary key (department, machine, serial, candidate, name)
);
create index installed_by_candidate on installed (candidate);
