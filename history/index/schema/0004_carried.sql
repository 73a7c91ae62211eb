-- SPDX-FileCopyrightText: 2026 The patchlab authors
-- SPDX-License-Identifier: Apache-2.0

-- run_fact has kind "carried" as well: by department the one that was tested for it, where all of their machines are alike.
