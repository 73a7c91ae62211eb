#!/bin/bash
# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
#
# audit.sh BUNDLE ROOTS [HEAD]: proves or refutes what a bundle says was promoted, with ssh-keygen, sha256sum, jq and
# coreutils. Of the bundle nothing is believed: ROOTS (allowed_signers of the root keys, for patchlab.trust.v1) and HEAD
# (a head that was noted) come from elsewhere, and so does this script. What it proves is in docs/evidence.md.
# shellcheck disable=SC2013,SC2015 # names have no blanks; "A && B || die": die does not return
set -euo pipefail
export LC_ALL=C TZ=UTC
die() { echo "REFUTED: $*" >&2; exit 1; }
[ $# -ge 2 ] || { echo "usage: audit.sh BUNDLE ROOTS [HEAD]" >&2; exit 64; }
roots=$(realpath -e "$2"); noted=${3:+$(realpath -e "$3")}; cd "$1"
sum() { sha256sum -- "$1" 2>/dev/null | cut -c1-64; }
signed() { # FILE SIGNERS NAME NAMESPACE TIME: stock ssh-keygen enforces name, namespace and dates
  ssh-keygen -q -Y verify -f "$2" -I "$3" -n "patchlab.$4.v1" -O "verify-time=$5" -s "$1.sig" <"$1" >/dev/null 2>&1 ||
    die "$1: no signature of $3 for patchlab.$4.v1 that was valid at $5"; }
[ -z "$(find . ! -type f ! -type d -print -quit)" ] || die "there are files that are not regular"
! find . -mindepth 1 -maxdepth 1 | grep -qvxE '\./(ledger\.jsonl|objects|trust|policy|head|head\.sig|stage)' ||
  die "there are files that do not belong to a bundle"
[ "$(tr -dc '\0' <ledger.jsonl | wc -c)" = 0 ] && [ "$(tail -c1 ledger.jsonl | tr '\n' .)" = . ] || die "ledger: empty, cut or not text"

# 1. The chain: every line has the one spelling, the hash of the bytes before it, and no earlier time.
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
split -l1 -a7 -d ledger.jsonl "$work/"
hashes=("$(printf '0%.0s' {1..64})"); while read -r hash _; do hashes+=("$hash"); done < <(sha256sum "$work"/*)
line='^\{"seq":([1-9][0-9]{0,15}),"prev":"([0-9a-f]{64})","time":"([0-9-]{10}T[0-9:]{8}(\.[0-9]{3})?Z)","kind":"([a-z-]+)","object":"([0-9a-f]{64})","by":"([a-z0-9][a-z0-9._@+-]*)"\}$'
n=0; last=0; latest=(); kind=(-); object=(-); by=(-); at=(-); ms=(0); declare -A line_of=() state=()
mapfile -t stamps < <(cut -d'"' -f10 ledger.jsonl | date -f - +%s%3N 2>/dev/null)
while IFS= read -r text; do n=$((n + 1))
  [[ $text =~ $line ]] || die "ledger:$n: not an entry in its one spelling"
  [ "${BASH_REMATCH[1]}" = $n ] && [ "${BASH_REMATCH[2]}" = "${hashes[n - 1]}" ] || die "ledger:$n: does not follow the line before it"
  [ "${stamps[n - 1]:-0}" -ge "$last" ] && [ "${stamps[n - 1]:-0}" -gt 0 ] || die "ledger:$n: no time, or one before that of the line before"
  last=${stamps[n - 1]}; ms+=("$last"); kind+=("${BASH_REMATCH[5]}"); object+=("${BASH_REMATCH[6]}"); by+=("${BASH_REMATCH[7]}")
  digits=${BASH_REMATCH[3]//[^0-9]/}; at+=("${digits:0:14}Z"); o=${object[n]}; was=${state[$o]:-none}
  case ${kind[n]} in
    import) [ $n = 1 ] || die "ledger:$n: an older ledger is taken over by the first line only" ;;
    repair) continue ;;
    promote-switched) [ "$was" = promote-begun ] && [ "${by[n]}" = "${by[${line_of[$o]:-0}]}" ] || die "ledger:$n: switches what had not begun" ;;
    promote-done) [ "$was" = promote-switched ] && [ "${by[n]}" = "${by[${line_of[$o]:-0}]}" ] || die "ledger:$n: is done and was not switched" ;;
    promote-refused) [ "$was" = none ] || [ "$was" = promote-begun ] || [ "$was" = promote-switched ] || die "ledger:$n: gives up what had ended" ;;
    begin | run | submit | approve | reject | waive | withdraw | policy | trust | promote-begun) [ "$was" = none ] || die "ledger:$n: says again what an earlier line said" ;;
    *) die "ledger:$n: unknown kind" ;;
  esac
  state[$o]=${kind[n]}; line_of[$o]=${line_of[$o]:-$n}
done <ledger.jsonl

# 2. Every object that is here: its digest, the one spelling of a statement, the signature of who could sign at that time.
is_head() { [ "$(wc -l <"$1")" = 4 ] && [ "$(sed -n 1p "$1")" = "patchlab ledger ${hashes[1]}" ] && s=$(sed -n 2p "$1") && [[ $s =~ ^[1-9][0-9]{0,15}$ ]] &&
  [ "$s" -le $n ] && [ "$(sed -n 3p "$1")" = "${hashes[s]}" ] || die "$1: not a head of this ledger: one of them was cut or rewritten"; }
get() { jq -er "$2 | select(. != null) | tostring" "objects/${object[$1]}" 2>/dev/null || die "ledger:$1: its statement lacks $2"; }
signers=; version=0; policy=; missing=; declare -A closed=()
for file in objects/*; do d=${file#objects/}; d=${d%.sig}
  [[ $d =~ ^[0-9a-f]{64}$ ]] && [ -f "objects/$d" ] && { [[ $file = *.sig ]] || [ "$(sum "$file")" = "$d" ]; } || die "$file: changed, or does not belong here"; done
for ((i = 1; i <= n; i++)); do k=${kind[i]}; f=objects/${object[i]}
  case $k in import | repair | promote-switched | promote-done) continue ;; esac
  [ -f "$f" ] || { [ "$k" != trust ] && [ "$k" != policy ] && missing+=" $i" && continue || die "ledger:$i: its statement is missing"; }
  jq -c . "$f" 2>/dev/null | cmp -s - "$f" && [ "$(wc -l <"$f")" = 1 ] || die "ledger:$i: not one line of compact JSON"
  s=$(get "$i" .predicate.kind)
  case $k:$s in "$s:$k" | promote-begun:promote | promote-begun:rollback | promote-refused:refuse | promote-refused:promote | promote-refused:rollback) ;; *) die "ledger:$i: its statement is of kind $s" ;; esac
  [ "$(get "$i" ._type)" = https://in-toto.io/Statement/v1 ] && [ "$(get "$i" .predicateType)" = "urn:patchlab:$s:v1" ] && [ "$(get "$i" .predicate.by)" = "${by[i]}" ] || die "ledger:$i: its statement says otherwise"
  if jq -e '.predicate | has("ledger")' "$f" >/dev/null; then h=$(get "$i" .predicate.ledger.size)
    [ "$h" -lt "$i" ] && [ "$(get "$i" .predicate.ledger.hash)" = "${hashes[h]}" ] || die "ledger:$i: ${by[i]} saw another history"
  else case $k in approve | reject | waive | withdraw) die "ledger:$i: a decision without the history that was seen" ;; esac; fi
  if [ "$k" = trust ]; then
    signed "$f" "$roots" "${by[i]}" trust "${at[i]}"; version=$((version + 1)); signers=trust/$version/allowed_signers
    [ "$(get "$i" .predicate.version)" = $version ] && [ -f $signers ] && [ "$(sum $signers)" = "$(get "$i" '.subject[0].digest.sha256')" ] || die "ledger:$i: $signers is not what it names"
    signed $signers "$roots" "${by[i]}" trust "${at[i]}"
    ! grep -Evq '^[a-z0-9][a-z0-9._+@-]* namespaces="patchlab\.[a-z]+\.v1(,patchlab\.[a-z]+\.v1)*"(,valid-(after|before)="[0-9]{14}Z")* (sk-)?(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|rsa-sha2-512|ssh-rsa)(@openssh\.com)? [A-Za-z0-9+/=]+$' $signers || die "$signers: a line is not NAME namespaces=... KEY"
    [ -z "$(awk '{print $NF}' $signers | sort | uniq -d)" ] || die "$signers: one key on two lines"; continue
  fi
  [ -n "$signers" ] || die "ledger:$i: signed before anybody could"; signed "$f" $signers "${by[i]}" "$s" "${at[i]}"
  if [ "$k" = run ]; then g=${line_of[$(get "$i" .predicate.begin)]:-0}; [ "$g" -gt 0 ] && [ "$g" -lt "$i" ] && [ "${kind[g]}" = begin ] && [ -z "${closed[$g]:-}" ] || die "ledger:$i: ends a run that had not begun, or had ended"; closed[$g]=$i; fi
  [ "$k" != policy ] || { policy=$i; p=policy/$(get "$i" .predicate.version).json; [ -f "$p" ] && [ "$(sum "$p")" = "$(get "$i" '.subject[0].digest.sha256')" ] || die "ledger:$i: $p is not what it names"; }
  [ "$k" != promote-begun ] || latest[i]=$policy
done

# 3. The head: of all lines, by who may sign heads; and it continues the one that was noted.
[ -f head ] && is_head head && [ "$s" = $n ] || die "head: does not cover the whole ledger"
ok=; for who in $(cut -d' ' -f1 "$signers"); do ! (signed head "$signers" "$who" head "${at[n]}") 2>/dev/null || ok=1; done; [ -n "$ok" ] || die "head: not signed by anybody who may"
[ -z "$noted" ] || is_head "$noted"

# 4. What was promoted last in each department: these bytes, this manifest, a complete run, and people who decided.
proven=; for folder in stage/*/; do dep=$(basename "$folder"); b=0; d=0
  for ((i = 1; i <= n; i++)); do [ "${kind[i]}" = promote-begun ] && [ -f "objects/${object[i]}" ] && [ "$(get "$i" '.subject[0].name')" = "$dep" ] || continue
    case ${state[${object[i]}]} in promote-done) b=$i ;; promote-refused) ;; *) die "$dep: the promotion of line $i was not finished" ;; esac; done
  [ $b -gt 0 ] || die "$dep: nothing here says that it was promoted"; for ((i = b; i <= n; i++)); do [ "${kind[i]}" != promote-done ] || [ "${object[i]}" != "${object[b]}" ] || d=$i; done
  set=$(get $b '.subject[0].digest.sha256'); run=$(get $b .predicate.run); rules=$(get $b .predicate.policy); [ "$(get $b '.subject | length')" = 1 ] || die "$dep: line $b promotes more than one set"
  [ -f "objects/$run" ] || die "$dep: the record of its run is missing"; [ -n "${latest[b]:-}" ] && [ "$(get "${latest[b]}" '.subject[0].digest.sha256')" = "$rules" ] || die "$dep: line $b names a policy that was not in force"
  r=0; for ((i = 1; i < b; i++)); do [ "${kind[i]}" != run ] || [ ! -f "objects/${object[i]}" ] || [ "$(jq -r .predicate.run "objects/${object[i]}")" != "$run" ] || r=$i; done
  [ $r -gt 0 ] || die "$dep: no run before line $b found that"; g=${line_of[$(get $r .predicate.begin)]}
  for i in $missing; do [ "$i" -lt "$g" ] || [ "$i" -gt $d ] || die "ledger:$i: its statement is missing, and could be about this promotion"; done
  [ "$(get $r '.predicate.complete')" = true ] && [ "$(get $r "(.subject[] | select(.name == \"$dep\") | .digest.sha256)")" = "$set" ] || die "$dep: the run of line $r tested another set, or was not complete"
  authors=" $(get $r .predicate.submitter) "; waived=; gone=; approvers=
  for ((i = g; i < b; i++)); do [ "${kind[i]}" != withdraw ] || { w=${line_of[$(get $i .predicate.withdraws)]:-0}; [ "$w" -gt 0 ] && [ "${by[w]}" = "${by[i]}" ] || die "ledger:$i: withdraws what is not its author's"; gone+=" $w "; }; done
  for ((i = g; i < b; i++)); do case ${kind[i]} in approve | reject | waive) ;; *) continue ;; esac
    [ "$(get $i '.subject[0].name')" = "$dep" ] || continue; mine=; [ "$(get $i .predicate.run)" != "$run" ] || [ "$(get $i '.subject[0].digest.sha256')" != "$set" ] || mine=1
    case ${kind[i]} in
      reject) [[ $gone = *" $i "* ]] || { [ "$(get $i .predicate.run)" != "$run" ] && [ "$(get $i '.subject[0].digest.sha256')" != "$set" ]; } || die "$dep: line $b promotes what ${by[i]} rejected" ;;
      waive) [ "$(get $i '.subject[0].digest.sha256')" != "$set" ] || authors+="${by[i]} "
        [ -z "$mine" ] || [[ $gone = *" $i "* ]] || { e=$(date -d "$(get $i .predicate.expires)" +%s%3N 2>/dev/null) && [ "$e" -gt "${ms[b]}" ] || die "$dep: the waiver of line $i had expired"; waived+=$(jq -r '.predicate.waives[] | .machine + "/" + .check' "objects/${object[i]}")$'\n'; } ;;
    esac; done
  for ((i = r + 1; i < b; i++)); do [ "${kind[i]}" = approve ] && [ "$(get $i '.subject[0].name')" = "$dep" ] && [ "$(get $i .predicate.run)" = "$run" ] && [ "$(get $i '.subject[0].digest.sha256')" = "$set" ] && [ "$(get $i .predicate.policy)" = "$rules" ] || continue
    [[ $gone = *" $i "* ]] || [[ $authors = *" ${by[i]} "* ]] || [[ " $approvers " = *" ${by[i]} "* ]] || approvers+=" ${by[i]}"; done
  [ -z "$(jq -r '.predicate.failed // [] | .[]' "objects/${object[r]}" | grep -vxF -- "$waived" || true)" ] || die "$dep: there are failures that nobody waived"
  [ -n "$approvers" ] || die "$dep: approved by nobody who neither submitted nor waived"
  for o in $(jq -r '.predicate.decisions // [] | .[]' "objects/${object[b]}"); do w=${line_of[$o]:-0}; [ "$w" -gt 0 ] && [ "$w" -lt $b ] && [[ $gone != *" $w "* ]] || die "$dep: line $b rests on a decision that is not there"; done
  [ "$(sum "$folder/manifest.json")" = "$(get $b .predicate.manifest)" ] && [ "$(jq -r '.department + " " + .set + " " + (.serial | tostring)' "$folder/manifest.json")" = "$dep $set $(get $b .predicate.serial)" ] || die "$dep: the manifest is not the one that was promoted"
  [ "$(sum "$folder/SHA256SUMS")" = "$set" ] || die "$dep: SHA256SUMS is not the set that was promoted"
  (cd "$folder" && sha256sum --quiet --strict -c SHA256SUMS >/dev/null 2>&1) && [ "$(find "$folder" -type f | wc -l)" = $(($(wc -l <"$folder/SHA256SUMS") + 2)) ] || die "$dep: the files are not those of the set"
  proven+=" $dep (line $b, serial $(get $b .predicate.serial), approved by$approvers)"
done
[ -n "$proven" ] || die "nothing is promoted here"
echo "PROVEN:$proven; $n lines, head ${hashes[n]}"
