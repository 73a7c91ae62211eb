-- SPDX-FileCopyrightText: 2026 The patchlab authors
-- SPDX-License-Identifier: Apache-2.0

-- Of a verdict that passed: whether what the candidate brings was there at the end, in words. No row: not recorded.
create table verdict_effect (
  run text not null,
  department text not null,
  candidate text not null,
  effect text not null,
  primary key (run, department, candidate)
);
