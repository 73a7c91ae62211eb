# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
#
# Of a run.json: where its time went.

# What needs a processor slot; the rest waits.
def heavy: IN("boot", "install", "reboot", "checks", "state", "beside", "revert", "remove");
def sum_of(f): map(f) | add // 0;
def busy_kind: if .phase | heavy then "heavy" elif .phase == "stability" then "alone" else "other" end;

# Milliseconds of the run in which that many steps of each kind were under way at once: each moment counts once.
def moments($slots):
  [.timings[] | busy_kind as $kind | [.start_ms, $kind, 1], [.start_ms + .duration_ms, $kind, -1]] | sort_by(.[0])
  | reduce .[] as [$at, $kind, $step]
      ({at: 0, heavy: 0, alone: 0, other: 0, full: 0, partly: 0, left_alone: 0, waiting: 0, nothing: 0};
       (if .heavy >= $slots then "full" elif .heavy > 0 then "partly" elif .alone > 0 then "left_alone" elif .other > 0 then "waiting"
        else "nothing" end) as $class
       | .[$class] += $at - .at | .at = $at | .[$kind] += $step);

([.host.cpus // "2" | tonumber, 2] | max) as $slots
| .duration_ms as $took
| moments($slots) as $moments
# Of each machine in each trial: from its first step to its last one.
| [.timings[] | select(.machine != "" and .trial != "")] as $steps
| ($steps | group_by([.trial, .machine])
   | sum_of((map(.start_ms + .duration_ms) | max) - (map(.start_ms) | min))) as $in_trials
| {took_ms: $took, slots: $slots,
   moments: ($moments | {full, partly, left_alone, waiting, nothing: (.nothing + $took - .at)}),
   machines: {in_trials_ms: $in_trials,
              heavy_ms: ($steps | map(select(busy_kind == "heavy")) | sum_of(.duration_ms)),
              alone_ms: ($steps | map(select(busy_kind == "alone")) | sum_of(.duration_ms)),
              other_ms: ($steps | map(select(busy_kind == "other")) | sum_of(.duration_ms))},
   phases: (.timings | group_by(.phase)
            | map({phase: .[0].phase, count: length, ms: sum_of(.duration_ms), longest_ms: (map(.duration_ms) | max)}) | sort_by(-.ms)),
   longest: (.timings | map(select(busy_kind == "heavy")) | sort_by(-.duration_ms) | .[:6] | map({department, machine, trial, phase, ms: .duration_ms})),
   departments: (.timings as $timings | .departments
                 | map(.name as $name
                       | {name: $name, ends_ms: ([$timings[] | select(.department == $name) | .start_ms + .duration_ms] | max // 0),
                          trials: (.trials | map(select((.reused_from // "") == "")) | group_by(.purpose)
                                   | map({purpose: .[0].purpose, count: length, ms: sum_of(.duration_ms)}))}))}
