-- SPDX-FileCopyrightText: 2026 The patchlab authors
-- SPDX-License-Identifier: Apache-2.0

-- What a run saw of a candidate in a department, on machines of one role: what forecasts are made of. Of runs that say when they began and
-- ended. outcome: of the verdict; "not-reached" also where an earlier run knew it. products: a line for each. install_ms, restart_ms: of the
-- installation and of the restarts behind it on one machine; measured: 0 where neither was. asked: the installer asked for a restart.
create table tried (
  run text not null,
  department text not null,
  candidate text not null,
  role text not null,
  started text not null,
  finished text not null,
  digest text not null,
  kind text not null,
  source text not null,
  products text not null,
  outcome text not null,
  accelerator text not null,
  measured bigint not null,
  install_ms bigint not null,
  restart_ms bigint not null,
  restarts bigint not null,
  asked bigint not null,
  primary key (run, department, candidate, role)
);
create index tried_by_kind on tried (kind, source, finished);
create index tried_by_candidate on tried (candidate, finished);
