#!/bin/bash
# SPDX-FileCopyrightText: 2026 The patchlab authors
# SPDX-License-Identifier: Apache-2.0
#
# audit.sh BUNDLE ROOTS [HEAD]: proves or refutes what a bundle says was promoted, with ssh-keygen, sha256sum, jq and
# coreutils. Of the bundle nothing is believed: ROOTS (allowed_signers of the root keys, for patchlab.trust.v1) and HEAD
# (a head that was noted) come from elsewhere, and so does this script. What it proves is in docs/evidence.md.
# shellcheck disable=SC2013,SC2015,SC2016 # names have no blanks; "A && B || die": die does not return; jq has its own $
set -euo pipefail
export LC_ALL=C TZ=UTC
said=; die() { said=1; echo "REFUTED: $*" >&2; exit 1; }
[ $# -ge 2 ] || { echo "usage: audit.sh BUNDLE ROOTS [HEAD]" >&2; exit 64; }
roots=$(realpath -e "$2"); noted=${3:+$(realpath -e "$3")}; cd "$1"
sum() { sha256sum -- "$1" 2>/dev/null | cut -c1-64; }
ms_of() { date -d "$1" +%s%3N 2>/dev/null || die "'$1' is no time"; }
time='^(19[7-9]|20[0-9]|21[0-9])[0-9]-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}(\.[0-9]{1,9})?Z$'
armour='^-----BEGIN SSH SIGNATURE-----'$'\n''([A-Za-z0-9+/=]{1,76}'$'\n'')+-----END SSH SIGNATURE-----'$'\n''$'
signed() { # FILE SIGNERS NAME NAMESPACE TIME: stock ssh-keygen enforces name, namespace and dates
  local armoured; { [ -f "$1.sig" ] && ! IFS= read -r -d '' armoured <"$1.sig" && [[ $armoured =~ $armour ]]; } || die "$1.sig: missing, cut, or not a signature alone"
  ssh-keygen -q -Y verify -f "$2" -I "$3" -n "patchlab.$4.v1" -O "verify-time=$5" -s "$1.sig" <"$1" >/dev/null 2>&1 ||
    die "$1: no signature of $3 for patchlab.$4.v1 that was valid at $5"; }
[ -z "$(find . ! -type f ! -type d -print -quit)" ] || die "there are files that are not regular"
! find . -mindepth 1 -maxdepth 1 | grep -qvxE '\./(ledger\.jsonl|objects|trust|policy|head|head\.sig|evidence|stage)' ||
  die "there are files that do not belong to a bundle"
[ -z "$(find . -type d -empty -print -quit)" ] || die "there are folders without anything"
[ -z "$(find . -maxdepth 1 -name 'head*' -size +8 -print -quit; find . -name '*.sig' -size +64 -print -quit; find objects trust policy stage/*/manifest.json -size +131072 -print -quit 2>/dev/null)" ] ||
  die "there are files that are larger than such files can be"
# One document; no key twice, which every reader would understand in its own way; numbers as $2 says, and what the filter $3 asks.
json() { sed -E '1s/^\xef\xbb\xbf//; s/"([^"\\\x01-\x1f]|\\.)*"//g' "$1" 2>/dev/null | tr '\0' '"' | tr -d ' \t\r\n' >"$work/rest" && ! tr '][{}:,' '\n' <"$work/rest" | grep -qavxE "|true|false|null|$2" &&
  jq -es --arg time "$time" --arg keys "$(tr -cd : <"$work/rest" | wc -c)" "${3:-def asks: true;} length == 1 and (.[0] | ([.. | objects | length] | add) == (\$keys | tonumber) and asks)" "$1" >/dev/null 2>&1; }
[ -f ledger.jsonl ] && [ -s ledger.jsonl ] && [ "$(tr -dc '\0' <ledger.jsonl | wc -c)" = 0 ] && [ "$(tail -c1 ledger.jsonl | tr '\n' .)" = . ] ||
  die "ledger: missing, empty, cut or not text"

# 1. The chain: every line has the one spelling, the hash of the bytes before it, and no earlier time.
work=$(mktemp -d); trap 'code=$?; rm -rf "$work"; [ $code = 0 ] || [ -n "$said" ] || die "it cannot be read to its end"' EXIT
split -l1 -a7 -d ledger.jsonl "$work/"
hashes=("$(printf '0%.0s' {1..64})"); while read -r hash _; do hashes+=("$hash"); done < <(sha256sum "$work"/*)
line='^\{"seq":([1-9][0-9]{0,15}),"prev":"([0-9a-f]{64})","time":"([0-9-]{10}T[0-9:]{8}(\.[0-9]{3})?Z)","kind":"([a-z-]+)","object":"([0-9a-f]{64})","by":"([a-z0-9][a-z0-9._@+-]*)"\}$'
n=0; last=0; kind=(-); object=(-); by=(-); at=(-); ms=(0); declare -A line_of=() state=()
mapfile -t stamps < <(cut -d'"' -f10 ledger.jsonl | date -f - +%s%3N 2>/dev/null)
while IFS= read -r text; do n=$((n + 1))
  [[ $text =~ $line ]] || die "ledger:$n: not an entry in its one spelling"
  [ "${BASH_REMATCH[1]}" = $n ] && [ "${BASH_REMATCH[2]}" = "${hashes[n - 1]}" ] || die "ledger:$n: does not follow the line before it"
  [ "${stamps[n - 1]:-0}" -ge "$last" ] && [ "${stamps[n - 1]:-0}" -gt 0 ] || die "ledger:$n: no time, or one before that of the line before"
  last=${stamps[n - 1]}; ms+=("$last"); kind+=("${BASH_REMATCH[5]}"); object+=("${BASH_REMATCH[6]}"); by+=("${BASH_REMATCH[7]}")
  digits=${BASH_REMATCH[3]//[^0-9]/}; at+=("${digits:0:14}Z"); o=${object[n]}; was=${state[$o]:-none}
  case ${kind[n]} in
    import) [ $n = $((${repairs:-0} + 1)) ] || die "ledger:$n: an older ledger is taken over by the first line only" ;;
    repair) repairs=$((${repairs:-0} + 1)); continue ;;
    promote-switched) [ "$was" = promote-begun ] && [ "${by[n]}" = "${by[${line_of[$o]:-0}]}" ] || die "ledger:$n: switches what had not begun" ;;
    promote-done) [ "$was" = promote-switched ] && [ "${by[n]}" = "${by[${line_of[$o]:-0}]}" ] || die "ledger:$n: is done and was not switched" ;;
    promote-refused) [ "$was" = none ] || [ "$was" = promote-begun ] || [ "$was" = promote-switched ] || die "ledger:$n: gives up what had ended" ;;
    begin | run | submit | approve | reject | waive | withdraw | policy | trust | promote-begun | deployed) [ "$was" = none ] || die "ledger:$n: says again what an earlier line said" ;;
    *) die "ledger:$n: unknown kind" ;;
  esac
  state[$o]=${kind[n]}; line_of[$o]=${line_of[$o]:-$n}
done <ledger.jsonl

# 2. Every object that is here: its digest, the one spelling of a statement, the signature of who could sign at that time.
is_head() { [ "$(wc -l <"$1")" = 4 ] && [ "$(sed -n 1p "$1")" = "patchlab ledger ${hashes[1]}" ] && s=$(sed -n 2p "$1") && [[ $s =~ ^[1-9][0-9]{0,15}$ ]] &&
  [ "$s" -le $n ] && [ "$(sed -n 3p "$1")" = "${hashes[s]}" ] && [[ $(sed -n 4p "$1") =~ $time ]] || die "$1: not a head of this ledger: one of them was cut or rewritten"; }
files=(objects/*); mapfile -t found < <(sha256sum -- "${files[@]}" 2>/dev/null)
for ((i = 0; i < ${#files[@]}; i++)); do file=${files[i]}; d=${file#objects/}; d=${d%.sig}
  [[ $d =~ ^[0-9a-f]{64}$ ]] && [ -f "objects/$d" ] && { [[ $file = *.sig ]] || [ "${found[i]:0:64}" = "$d" ]; } || die "$file: changed, or does not belong here"; done
present=(); missing=; text=; declare -A listed=()
for ((i = 1; i <= n; i++)); do o=objects/${object[i]}; case ${kind[i]} in import | repair) continue ;; esac
  if [ ! -f "$o" ]; then case ${kind[i]} in trust | policy | submit | reject | waive | withdraw) die "ledger:$i: its statement is missing" ;; esac; missing+=" $i"; continue; fi
  [ -z "${listed[$o]:-}" ] || continue; listed[$o]=1; present+=("$o"); IFS= read -r one <"$o" && text+=$one$'\n' || die "ledger:$i: its statement is not one line"; done
[ ${#present[@]} -gt 0 ] && cat "${present[@]}" | cmp -s - <(printf %s "$text") && jq -c . "${present[@]}" 2>/dev/null | cmp -s - <(printf %s "$text") || die "objects: a statement is not one line of compact JSON"
facts='(input_filename | ltrimstr("objects/")) as $o | .predicate as $p | ([.subject[] | {("set:" + .name): .digest.sha256}] | add) +
  {type: ._type, urn: .predicateType, subjects: (.subject | length), name: .subject[0].name, set: .subject[0].digest.sha256, size: $p.ledger.size, saw: $p.ledger.hash,
   decisions: ($p.decisions // [] | join(" ")), waives: ($p.waives // [] | map("\(.machine)/\(.check // .finding) \(.outcome)" | @uri) | join(" "))} +
  ($p | {kind, by, run, policy, begin, withdraws, promotion, expires, version, serial, manifest, complete, submitter, ticket, review_by}) | to_entries[] | select(.value != null) |
  .value |= tostring | if .value | test("[[:cntrl:]]|^ | $") then error("no plain text") else "\($o) \(.key) \(.value)" end'
# The form of a statement: its keys in their order, each of its kind; docs/evidence.md and docs/approvals.md say them.
form='def hex: type == "string" and test("^[0-9a-f]{64}$"); def whole: type == "number" and . >= 0 and . < 9007199254740992 and floor == .; def name: type == "string" and test("^[a-z][a-z0-9-]*$");
  def plain: type == "string" and . != "" and (test("[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]|^ | $") | not); def up: type == "array" and all(.[]; plain) and (. == (unique)); def w: split(" ");
  def moment: type == "string" and test($time) and (.[0:19] + "Z" | . as $t | fromdateiso8601 | todateiso8601 == $t);
  def rule: {approve: ["run policy ledger reason", "ticket"], reject: ["run ledger reason", "policy ticket"], waive: ["run policy ledger reason ticket expires waives", ""], withdraw: ["run ledger reason withdraws", "policy ticket"],
    submit: ["ledger", "reason ticket scenario candidates"], begin: ["id", "policy ledger ticket submitter scenario candidates attempt asked"], run: ["begin", "run ledger id submitter scenario complete result failed attempt"],
    promote: ["run manifest serial", "policy ledger reason ticket decisions version review_by"], refuse: ["", "run policy ledger promotion decisions reasons"],
    rollback: ["reason serial", "run policy ledger ticket decisions manifest"], policy: ["version", "ledger reason ticket"], trust: ["version", "ledger reason ticket"], deployed: ["ledger promotion result report", "reason ticket"]}[.kind];
  def value($k): if $k | IN("run", "policy", "withdraws", "scenario", "manifest", "begin", "promotion", "report") then hex elif $k | IN("attempt", "version") then whole elif $k == "serial" then (whole and . > 0) elif $k == "complete" then type == "boolean"
    elif $k == "ledger" then (keys_unsorted == ["size", "hash"] and (.size | whole) and (.hash | hex)) elif $k | IN("expires", "review_by") then moment elif $k | IN("candidates", "decisions") then (up and all(.[]; hex))
    elif $k == "failed" then up elif $k | IN("reasons", "asked") then (type == "array" and all(.[]; plain)) elif $k == "waives" then (type == "array" and length > 0 and all(.[]; (keys_unsorted | IN(["machine", "check", "outcome"], ["machine", "finding", "outcome"])) and (.machine | name) and (.outcome | name) and
      (if has("check") then .check | name else .finding | plain and contains(":") end)) and (map([.machine, .check // "", .finding // ""]) | . == unique)) else plain end;
  def form: keys_unsorted == ["_type", "subject", "predicateType", "predicate"] and (.subject | length > 0 and all(.[]; keys_unsorted == ["name", "digest"] and (.digest | keys_unsorted == ["sha256"] and (.sha256 | hex))) and (map(.name) | . == unique)) and
  (.predicate as $p | (.subject | length == 1 or ($p.kind | IN("begin", "run"))) and (.subject | all(.[]; .name | if $p.kind | IN("policy", "trust") then plain else name end)) and ($p | rule) as $r | $r != null and ($p | keys_unsorted) as $k | $k[:2] == ["kind", "by"] and $k[2:] as $k |
    ("run policy ledger reason ticket expires waives withdraws id begin promotion submitter scenario candidates complete result failed attempt decisions manifest reasons serial version asked review_by report" | w | map(select(IN($k[])))) == $k and
    (($r[0] | w) - $k == [""] or ($r[0] | w) - $k == []) and $k - ($r | map(w) | add) == [] and all($k[]; . as $k | $p[$k] | value($k)) and ($p.kind != "promote" or ($p | (has("reason") == has("review_by")) and has("ticket") == has("review_by"))));'
[ -z "$(find "${present[@]}" -size +128 -print -quit)" ] || die "objects: a statement is longer than one can be"
jq -r --arg time "$time" "$form if form then $facts else \"! \" + input_filename end" "${present[@]}" >"$work/facts" 2>/dev/null || die "objects: a statement is none"
declare -A fact=(); while IFS=' ' read -r o key value; do [ "$o" != ! ] || die "$key: a statement that has not the form of its kind"; fact[$o.$key]=$value; done <"$work/facts"
get() { v=${fact[${object[$1]}.$2]:-}; [ -n "$v" ] || die "ledger:$1: its statement lacks $2"; }
is() { [ "${fact[${object[$1]}.$2]:-}" = "$3" ]; }
# A policy as far as it is asked here: nothing in it that is not known, and that could mean to ask for more.
asks='def w: split(" "); def only($k): type == "object" and keys - ($k | w) == []; def list: type == "array" and length > 0; def count($max): type == "number" and . >= 1 and . <= $max; def words($k): list and . - ($k | w) == [] and (unique | length) == length;
  def moment: type == "string" and test($time) and (.[0:19] + "Z" | . as $t | fromdateiso8601 | todateiso8601 == $t); def severities: words("critical important moderate low");
  def approvals: list and all(.[]; only("count not_by security_key when") and (.count | count(20)) and ((has("not_by") | not) or (.not_by | words("submitter waiver-author policy-author"))) and
    ((has("security_key") | not) or (.security_key | IN("any", "touched", "verified"))) and ((has("when") | not) or (.when | only("severity waived") and (.severity // .waived) and ((has("severity") | not) or (.severity | severities)) and ((has("waived") | not) or (.waived | type == "boolean")))));
  def opt($k; f): (has($k) | not) or (.[$k] | f);
  def asks: (any(.. | strings; contains("\ufffd")) | not) and only("$schema schema id title author valid_since valid_until replaces run departments coverage likeness carried decisions approvals change_ticket findings waivers windows emergency") and .schema == "patchlab/policy/v1" and (.id | type == "string" and test("^[a-z][a-z0-9-]*$")) and (.valid_since | moment) and (.valid_until | moment) and
  opt("author"; type == "string" and test("^[A-Za-z0-9._@+-]+$")) and opt("replaces"; type == "string" and test("^[0-9a-f]{64}$")) and opt("approvals"; approvals) and opt("change_ticket"; IN("any", "required")) and opt("findings"; only("review notice") and all(.[]; IN("needs-decision", "shown"))) and
  opt("waivers"; only("what max_days max_per_set never") and (.what | words("check state install review")) and (.max_days | count(366)) and (.max_per_set | count(100)) and opt("never"; list and all(.[]; type == "string"))) and
  opt("likeness"; only("max_age_days at_most") and (.max_age_days | count(366)) and (.at_most | only("release packages role-packages configuration role-configuration services ports") and length > 0 and all(.[]; type == "number" and . >= 0 and . <= 100000))) and
  opt("carried"; only("max_age_hours") and (.max_age_hours | count(8784))) and
  opt("decisions"; only("file sha256") and (.file | type == "string" and test("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,119}$")) and (.sha256 | type == "string" and test("^[0-9a-f]{64}$"))) and
  opt("emergency"; only("severity approvals review_within_days") and (.severity | severities) and (.approvals | approvals) and (.review_within_days | count(366)));'
signers=; version=0; policies=; declare -A closed=() book=()
for ((i = 1; i <= n; i++)); do k=${kind[i]}; f=objects/${object[i]}
  case $k in import | repair | promote-switched | promote-done) continue ;; esac; [ -f "$f" ] || continue
  get "$i" kind; s=$v
  case $k:$s in "$s:$k" | promote-begun:promote | promote-begun:rollback | promote-refused:refuse | promote-refused:promote | promote-refused:rollback) ;; *) die "ledger:$i: its statement is of kind $s" ;; esac
  is "$i" type https://in-toto.io/Statement/v1 && is "$i" urn "urn:patchlab:$s:v1" && is "$i" by "${by[i]}" || die "ledger:$i: its statement says otherwise"
  if [ -n "${fact[${object[i]}.size]:-}" ]; then get "$i" size; [[ $v =~ ^[0-9]{1,15}$ ]] && [ "$v" -lt "$i" ] && is "$i" saw "${hashes[v]}" || die "ledger:$i: ${by[i]} saw another history"
  else case $k in approve | reject | waive | withdraw) die "ledger:$i: a decision without the history that was seen" ;; esac; fi
  if [ "$k" = trust ]; then
    signed "$f" "$roots" "${by[i]}" trust "${at[i]}"; version=$((version + 1)); signers=trust/$version/allowed_signers
    is "$i" version $version && [ -f $signers ] && is "$i" set "$(sum $signers)" || die "ledger:$i: $signers is not what it names"
    signed $signers "$roots" "${by[i]}" trust "${at[i]}"
    ! grep -Evq '^[a-z0-9][a-z0-9._+@-]* namespaces="patchlab\.[a-z]+\.v1(,patchlab\.[a-z]+\.v1)*"(,valid-(after|before)="[0-9]{14}Z")* (sk-)?(ssh-ed25519|ecdsa-sha2-nistp(256|384|521)|rsa-sha2-512|ssh-rsa)(@openssh\.com)? [A-Za-z0-9+/=]+$' $signers || die "$signers: a line is not NAME namespaces=... KEY"
    [ -z "$(awk '{print $NF}' $signers | sort | uniq -d)" ] || die "$signers: one key on two lines"
    [ "$(tail -c1 $signers | tr '\n' .)" = . ] && awk '{print $(NF-1), $NF}' $signers >"$work/keys" && [ "$(ssh-keygen -l -f "$work/keys" 2>/dev/null | awk '$NF != "(RSA)" || $1 >= 3072' | wc -l)" = "$(wc -l <$signers)" ] || die "$signers: a key is none, or too weak"
    awk -v lab='begin run promote rollback refuse head' -v judges='approve reject waive withdraw policy witness' -F'"' 'BEGIN { split(lab, a, " "); for (i in a) of[a[i]] = 1; split(judges " submit deployed", a, " "); for (i in a) if (!of[a[i]]) of[a[i]] = 2 }
      { split($0, who, " "); m = split($2, a, ","); split("", had); for (i = 1; i <= m; i++) { k = a[i]; sub("patchlab.", "", k); sub(/\.v1$/, "", k); if (!of[k] || had[k]++) exit 1; if (k != "submit" && k != "deployed") role[who[1]] = or_(role[who[1]], of[k]) }
        if (role[who[1]] == 3) exit 1; split("", date); for (i = 3; i < NF; i += 2) { k = $i; gsub("[,=]", "", k); if (k in date) exit 1; date[k] = $(i + 1) }
        if (("valid-after" in date) && ("valid-before" in date) && date["valid-after"] > date["valid-before"]) exit 1 }
      function or_(x, y) { return x == y || !x ? y : 3 }' $signers || die "$signers: a namespace, a date or a role that cannot be"
    for stamp in $(grep -oE '"[0-9]{14}Z"' $signers | tr -d '"Z' | sort -u); do [ "$(date -d "${stamp:0:8} ${stamp:8:2}:${stamp:10:2}:${stamp:12:2}" +%Y%m%d%H%M%S 2>/dev/null)" = "$stamp" ] || die "$signers: a date that is none"; done; continue
  fi
  [ -n "$signers" ] || die "ledger:$i: signed before anybody could"; signed "$f" $signers "${by[i]}" "$s" "${at[i]}"
  if [ "$k" = run ]; then get "$i" begin; g=${line_of[$v]:-0}; [ "$g" -gt 0 ] && [ "$g" -lt "$i" ] && [ "${kind[g]}" = begin ] && [ -z "${closed[$g]:-}" ] || die "ledger:$i: ends a run that had not begun, or had ended"; closed[$g]=$i; fi
  [ "$k" != deployed ] || { get "$i" promotion; [ "${state[$v]:-}" = promote-done ] && [ "${line_of[$v]}" -lt "$i" ] || die "ledger:$i: tells of a promotion that was not done"; }
  [ "$k" != policy ] || { get "$i" version; p=policy/$v.json; [[ $v =~ ^[0-9]+$ ]] && [ -f "$p" ] && is "$i" set "$(sum "$p")" || die "ledger:$i: $p is not what it names"; get "$i" set; book[$v]=$p; policies+="policy/$(basename "$p")"$'\n'
    json "$p" '-?(0|[1-9][0-9]*)' "$asks" || die "$p: no policy that can be understood in one way"; }
done
# Nothing lies beside what the ledger and its statements name.
[ -n "$policies" ] || policies=$(printf 'policy/%s\n' quickstart.json; [ ! -f policy/quickstart-1.json ] || printf 'policy/%s\n' quickstart-1.json)$'\n'
cmp -s <(find trust policy ! -path trust ! -path policy 2>/dev/null | sort) <({ printf %s "$policies" | sort -u; for ((i = 1; i <= version; i++)); do printf "trust/$i%s\n" '' /allowed_signers /allowed_signers.sig; done; } | sort) || die "trust, policy: there are files that no line names, or some are missing"
declare -A named=(); for o in "${object[@]}" "${!fact[@]}"; do case $o in *.run | *.manifest | *.policy) named[${fact[$o]}]=1 ;; *) named[$o]=1 ;; esac; done
for file in "${files[@]}"; do d=${file#objects/}; [ -n "${named[${d%.sig}]:-}" ] || die "$file: nothing names it"; done
[ -z "$(find stage -mindepth 1 -maxdepth 1 ! -type d -print -quit 2>/dev/null)" ] && ! find stage -mindepth 1 -maxdepth 1 2>/dev/null | grep -qvxE 'stage/[a-z][a-z0-9-]*' || die "stage: there is something that is no department"

# 3. The head: of all lines, by who may sign heads; and it continues the one that was noted.
[ -f head ] && is_head head && [ "$s" = $n ] || die "head: does not cover the whole ledger"
ok=; for who in $(grep -F patchlab.head.v1 "$signers" | cut -d' ' -f1); do ! (signed head "$signers" "$who" head "${at[n]}") 2>/dev/null || ok=1; done; [ -n "$ok" ] || die "head: not signed by anybody who may"
[ -z "$noted" ] || is_head "$noted"

# 4. What was promoted last in each department: these bytes, this manifest, a complete run, and people who decided.
declare -A person=(); while read -r who one; do person[$who]=$one; done < <(cat trust/*/allowed_signers | awk '{ p = of[$NF]; q = who[$1]; if (p == "") p = q == "" ? $1 : q; of[$NF] = p
  if (q != "" && q != p) { for (x in who) if (who[x] == q) who[x] = p; for (x in of) if (of[x] == q) of[x] = p }; who[$1] = p } END { for (x in who) print x, who[x] }')
flags() { # SIGNATURE: what a security key saw: 1 touched, 4 knew who; 0 for other keys (PROTOCOL.sshsig, PROTOCOL.u2f)
  local blob from=20 size part; blob=$(sed '1d;$d' "$1" | base64 -d | od -An -v -tx1 | tr -d ' \n')
  next() { size=$((16#${blob:from:8} * 2)); part=${blob:from + 8:size}; from=$((from + 8 + size)); }
  next; next; next; next; next; blob=$part; from=0; next; next; echo $((16#${blob:from:2}0 / 16)); }
# Whether each golden machine was known to be as like production as the policy asks, when it was promoted: AT, in ms
alike='$rules[0].likeness as $l | $l == null or (.departments[] | select(.name == $dep) | .machines | all(.[]; .likeness as $k | $k != null and $k.not_known == "" and
  (($k.observed[0:19] + "Z" | fromdateiso8601) * 1000 | . <= $at + 86400000 and $at - . <= $l.max_age_days * 86400000) and all($l.at_most | to_entries[]; .key as $w | .value as $most | ($w | ltrimstr("role-")) as $p |
  [$k.parts[] | select(.part == $p)] | length == 1 and .[0].not_known == "" and (.[0] | if $w == $p then .only_golden + .only_production + .other else .of_role end) <= $most)))'
# The record as if this department had been tested, where another one of the run was, its policy takes that at AT, in ms,
# every machine there is like the one here, nothing here says otherwise, and the manifest says so
carried='def hex: type == "string" and test("^[0-9a-f]{64}$"); def same: [.role, .address, .memory_mib, .golden_at, .golden_digest, .golden_digest_after, .state_digest, .definition_digest, .checks, .check_digests];
  def known: (.golden_digest | hex) and .golden_digest_after == .golden_digest and (.state_digest | hex) and (.definition_digest | hex) and .role != "" and .address != "" and (.checks | length) == (.check_digests | length);
  def places: [.verdicts[] | {candidate, machines: (.machines | sort)}] | sort_by(.candidate);
  [.departments[] | select(.name == $dep)] as $here | $here[0] as $d | [.departments[] | select(.name == $d.tested_in and .name != $dep and (.tested_in // "") == "")] as $there | $there[0] as $t |
  if ($here | length) == 1 and ($there | length) == 1 and ($d.machines | length) > 0 and ($d.machines | map(.name) | sort == unique) and ($d.machines | map(.name) | sort) == ($t.machines | map(.name) | sort) and
    all($d.machines[]; known and (. as $m | any($t.machines[]; .name == $m.name and same == ($m | same)))) and $d.phases == $t.phases and ($d | places) == ($t | places) and
    $d.outcome == "not-reached" and $d.error == null and $d.trials == [] and ($d.flaky // []) == [] and ($d.final_trial // "") == "" and $d.fence.attempts == [] and $d.fence.troubles == [] and all($d.verdicts[]; .outcome == "not-reached") and
    ($rules[0].carried.max_age_hours | type) == "number" and ((.finished[0:19] + "Z" | fromdateiso8601) * 1000 | $at - . <= $rules[0].carried.max_age_hours * 3600000) and
    $manifest[0].carried == {department: $t.name, run: .id, machines: [$d.machines[] | {machine: .name, golden_digest, definition_digest}]}
  then .departments |= map(if .name == $dep then $t + {name: $d.name, machines: $d.machines, phases: $d.phases} else . end) else error("no") end'
# Who wrote the policy, and what it asks of approvals, as "COUNT FLAG NOT" lines; and what failed in the trial of this very set
# that saw most, the last of several: it must have seen every check in every phase.
asked='"author \(.author // "-")", (($run[0].departments[] | select(.name == $dep) | .tested_in // "" | if . == "" then $dep else . end) as $where | ($run[0].departments[] | select(.name == $where)) as $d | [$d.verdicts[] | select(.outcome == "pass") | .candidate as $c | ($run[0].candidates[] | select(.id == $c) | .severity) // "unknown"] as $all |
  (if $urgent != "" then .emergency.approvals else .approvals end) // [] | .[] | (.when // {}) as $w | select($w == {} or ($w.waived and $waived != "") or ($w.severity and ($all - (["critical", "important", "moderate", "low"] - $w.severity) | length > 0))) |
  "\(.count // 1) \({any: 0, touched: 1, verified: 4}[.security_key // "any"]) \(if any(.not_by // [] | .[]; . == "policy-author") then "author" else "-" end)")'
failed='[$manifest[0].candidates[].id] as $ids | .departments[] | select(.name == $dep) | . as $d | [.machines[].name] as $all |
  [.trials[] | select((.retried_as // "") == "" and (.reused_from // "") == "" and .purpose != "removal" and (.candidates | sort) == ($ids | sort) and (.machines | sort) == ($all | sort)) | . as $t |
    {$t, gaps: ([$d.phases[] as $p | $d.machines[] as $m | ($m.checks | if . == [] then ["*"] else map(.id? // .) end)[] as $c |
      select(any($t.phases[]; .phase == $p and .machine == $m.name and any(.checks[]; .id == $c and .outcome != "not-reached")) | not)] | length)}] |
  if . == [] then error("none") else (map(.gaps) | min) as $least | map(select(.gaps == $least)) | last end | if .gaps > 0 then error("not seen") else .t end |
  if .error or .outcome == "error" or any(.phases[]; .error or any(.checks[]; .error or (.outcome != "pass" and .outcome != "fail"))) then error("trouble") else . end |
  if all(.installs[]; .outcome == "pass" or .outcome == "skipped") then . else error("not installed") end | (.phases[] | .machine as $m | (.checks[] | select(.outcome == "fail") | "\($m)/\(.id) fail"), (.differences[] | select((.finding // "breach") == "breach") | "\($m)/state:\(.kind):\(.item) fail")) | @uri'
# What changed in any trial of this set, and failed nobody, where the policy asks for a decision: a name, and in base64
# what its digest is of, kind, item, before, after and diff as netstrings.
changed='[$manifest[0].candidates[].id] as $ids | ($rules[0].findings // {} | {review: (.review // "needs-decision"), notice: (.notice // "shown")}) as $rule | $run[0].departments[] | select(.name == $dep) | .verdicts as $v | .trials as $all |
  def earlier: any(.installs[]?; (.installed_run // "") != ""); def set: [.set_digest, .candidates, .machines]; def of($m; $x): any(.phases[]; .machine == $m and any(.differences[]; ([.kind, .item, .before // "", .after // "", .diff // ""] == $x) and (.finding // "breach") != "breach"));
  .trials[] | select(((.retried_as // "") == "" or (earlier and .outcome != "error")) and (.reused_from // "") == "" and (.purpose | . != "removal" and . != "baseline" and . != "control") and .candidates != []) | . as $t |
  [$ids[] | . as $c | select(any($v[]; .candidate == $c and any(.machines[]; IN($t.machines[]))))] as $here | select(($t.candidates | sort) == ($ids | sort) or ($t.candidates | sort) == ($here | sort)) |
  .phases[] | .machine as $m | .differences[] | (.finding // "breach") as $f | select($f != "breach" and $rule[$f] != "shown") |
  [.kind, .item, .before // "", .after // "", .diff // ""] as $x | select(($t.retried_as // "") == "" or all($all[]; .purpose == "removal" or earlier or set != ($t | set) or (of($m; $x) | not))) |
  "\($m)/\($f):\("\(.kind):\(.item)" | gsub("[^A-Za-z0-9._/:+=,-]+"; "_") | .[0:100])@ \($f) \([.kind, .item, .before // "", .after // "", .diff // ""] | map("\(utf8bytelength):\(.),") | join("") | @base64)"'
# What the run kept of the trials of this set, and of the control, as its record names it.
kept='[$manifest[0].candidates[].id] as $ids | [.departments[] | select(.name == $dep) | .trials[] | select(.candidates == [] or (.candidates | sort) == ($ids | sort)) | .evidence_folder // "" | select(. != "") + "/"] as $folders |
  .evidence // [] | .[] | select(.name as $name | any($folders[]; . as $folder | $name | startswith($folder))) | "\(.bytes) \(.sha256)  \(.name)" | if test("[[:cntrl:]\\\\]|(^|[ /])\\.\\.?(/|$)") then error("no name") else . end'
declare -A spans=(); in_force_at() { # TIME LINE [BEFORE OWN]: digests of the policies that were in force then, by the lines before this one; of those that came not BEFORE that one, only OWN
  local i since until old; in_force=
  for ((i = 1; i < $2; i++)); do [ "${kind[i]}" = policy ] || continue; get $i set; [ "$i" -lt "${3:-$2}" ] || [ "$v" = "${4:-}" ] || continue; [ -n "${spans[$v]:-}" ] || spans[$v]=$(jq -r '"\(.valid_since) \(.valid_until) \(.replaces // "-")"' "${book[$v]}"); read -r since until old <<<"${spans[$v]}"
    [ "$(ms_of "$since")" -le "$1" ] || continue; in_force=${in_force//" $old "/" "}; [ "$(ms_of "$until")" -gt "$1" ] || continue; in_force+=" $v "; done; }
enough() { # RECORD RULEBOOK URGENT WAIVED LINES BEFORE: whether these approvals are as many different people as the policy asks for; else of how many COUNT, and PEOPLE; TICKETED: whether one of them named a ticket, and had seen the line BEFORE
  jq -r --arg dep "$dep" --arg waived "$4" --arg urgent "$3" --slurpfile run "$1" "$asked" "$2" >"$work/asked" 2>/dev/null || die "$dep: nobody can tell what its policy asks"
  local i who flag not owners rule rules; mapfile -t rules <"$work/asked"; owners=${rules[0]#author }; owners=" ${person[$owners]:-$owners} "; for ((i = 1; i <= n; i++)); do [ "${kind[i]}" != policy ] || ! is "$i" set "$(sum "$2")" || owners+="${person[${by[i]}]:-${by[i]}} "; done
  ticketed=; names_ticket() { get "$1" size; [ "$v" -lt "$2" ] || ticketed+=${fact[${object[$1]}.ticket]:+x}; }
  [ ${#rules[@]} -gt 1 ] || for i in $5; do names_ticket "$i" "${6:-0}"; done
  for rule in "${rules[@]:1}"; do read -r count flag not <<<"$rule"; people=; for i in $5; do who=${person[${by[i]}]}; [[ " $people " = *" $who "* ]] || [[ $not = author && $owners = *" $who "* ]] || [ $(($(flags "objects/${object[i]}.sig") & flag)) != "$flag" ] || people+=" $who"; done
    for i in $5; do [[ " $people " != *" ${person[${by[i]}]} "* ]] || names_ticket "$i" "${6:-0}"; done
    [ "$(wc -w <<<"$people")" -ge "$count" ] || return 1; done; }
reviewed() { # BEGUN DONE LINE: whether this emergency was reviewed, or taken back, before LINE: 0, 1, or 2 where that is not here
  local i w run set manifest rules given all=" " gone=" " authors=" " waived='' lost='' known='' saw
  get "$1" run; run=$v; get "$1" set; set=$v; get "$1" manifest; manifest=$v
  for ((i = 1; i < $3; i++)); do case ${kind[i]} in
    promote-begun) [ "$i" -lt "$2" ] || ! is "$i" name "$dep" || ! is "$i" kind rollback || [ "${state[${object[i]}]}" != promote-done ] || return 0 ;;
    run) ! is "$i" run "$run" || { get "$i" submitter; authors+="${person[$v]:-$v} "; known=1; } ;;
    submit | waive) ! is "$i" set "$set" || { authors+="${person[${by[i]}]} "; [ "${kind[i]}" = submit ] || waived=1; } ;;
    withdraw) get "$i" withdraws; w=${line_of[$v]:-0}; [ "$w" = 0 ] || [ "${person[${by[w]}]}" != "${person[${by[i]}]}" ] || gone+="$w " ;;
    approve) [ -f "objects/${object[i]}" ] || [ "$i" -lt "$2" ] || lost=1 ;;
  esac; done; [ -n "$known" ] && [ -f "objects/$run" ] && [ -f "objects/$manifest" ] || return 2
  for ((i = 1; i < $3; i++)); do [[ $gone != *" $i "* ]] || continue; case ${kind[i]} in
    reject) { ! is "$i" run "$run" && ! is "$i" set "$set"; } || return 1 ;;
    approve) is "$i" name "$dep" && is "$i" run "$run" && is "$i" set "$set" && [[ $authors != *" ${person[${by[i]}]} "* ]] || continue
      get "$i" policy; rules=$v; in_force_at "${ms[i]}" "$3" "$i" "$rules"; [[ $in_force != *" $rules "* ]] || all+="$i " ;;
  esac; done
  for rules in "${!book[@]}"; do given=; saw=; for i in $all; do is "$i" policy "$rules" || continue; given+=" $i"; get "$i" size; [ "$v" -lt "$2" ] || saw=1; done
    [ -z "$saw" ] || ! enough "objects/$run" "${book[$rules]}" '' "$waived" "$given" || return 0; done
  return $((lost ? 2 : 1)); }
sized() { # LIST FOLDER: whether its files have these sizes: what is huge is not read
  local bytes name; while IFS=' ' read -r bytes name; do [ -f "$2/$name" ] && [ "$(stat -c %s -- "$2/$name")" = "$bytes" ] || return 1; done <"$1"; }
: >"$work/kept"; proven=; for folder in stage/*/; do dep=$(basename "$folder"); b=0; d=0
  for ((i = 1; i <= n; i++)); do [ "${kind[i]}" = promote-begun ] && is "$i" name "$dep" || continue
    case ${state[${object[i]}]} in promote-done) b=$i ;; promote-refused) ;; *) die "$dep: the promotion of line $i was not finished" ;; esac; done
  [ $b -gt 0 ] || die "$dep: nothing here says that it was promoted"; for ((i = b; i <= n; i++)); do [ "${kind[i]}" != promote-done ] || [ "${object[i]}" != "${object[b]}" ] || d=$i; done
  get $b set; set=$v; get $b run; run=$v; get $b policy; rules=$v; is $b subjects 1 || die "$dep: line $b promotes more than one set"; record=objects/$run; instead=
  [ -f "$record" ] || die "$dep: the record of its run is missing"
  for file in "$record" "$folder/manifest.json"; do json "$file" '-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?' || die "$dep: $file is missing, or can be read in more than one way"; done
  jq -r --slurpfile m "$folder/manifest.json" '[$m[0].candidates[].id] as $ids | .candidates[] | .id as $c | select($ids | index($c)) | .files[] | "\(.bytes) \(.sha256)  \($c)/\(.name)"' "$record" >"$work/staged" 2>/dev/null &&
    sized <(sed -E 's/^([0-9]+) [0-9a-f]{64}  /\1 /' "$work/staged") "$folder" || die "$dep: a file is missing, or has another size"
  cmp -s <(find "$folder" -mindepth 1 -type d -printf '%P\n' | sort) <(cut -c67- "$folder/SHA256SUMS" 2>/dev/null | cut -d/ -f1 | sort -u) || die "$dep: there are folders that are of no candidate"
  in_force_at "${ms[b]}" $b; rulebook=${book[$rules]:-}
  [[ " ${kind[*]:1:b-1} " = *" policy "* ]] || for p in policy/quickstart.json policy/quickstart-1.json; do [ "$(sum $p)" != "$rules" ] || { rulebook=$p; in_force=$rules; }; done
  [ -n "$rulebook" ] && [ "${in_force//[[:space:]]/}" = "$rules" ] || die "$dep: line $b names a policy that was not in force, or not alone"
  # What record, manifest and policy are asked once, a line each: two of words, and two of what the manifest says.
  mapfile -t says < <(jq -r --arg dep "$dep" --slurpfile m "$folder/manifest.json" --slurpfile rules "$rulebook" '$m[0] as $m | $rules[0] as $r |
    "\(if all(.departments[]; .name != $dep or (.tested_in // "") == "") then "here" else "there" end) \($m.carried != null) \(.complete == true)",
    "\($r.emergency.review_within_days // 0) \($r.waivers.max_days // 0) \($r.waivers.max_per_set // 0) \($r.change_ticket // "any")",
    ($m.emergency // {} | "\(.ticket // "") \(.review_by // "")"), ($m | .department + " " + .set + " " + (.serial | tostring))' "$record" 2>/dev/null)
  [ ${#says[@]} = 4 ] || die "$dep: its record, its manifest or its policy cannot be understood"; read -r where carries complete <<<"${says[0]}"; read -r lane longest most ticketing <<<"${says[1]}"
  if [ "$where" = here ]; then [ "$carries" = false ] || die "$dep: the manifest says that another department was tested in its place, and the record does not"
  else jq --arg dep "$dep" --argjson at "${ms[b]}" --slurpfile rules "$rulebook" --slurpfile manifest "$folder/manifest.json" "$carried" "$record" >"$work/carried" 2>/dev/null || die "$dep: another department was tested in its place, and its policy does not take that, or not all machines are alike"; record=$work/carried; instead=", tested in $(jq -r --arg dep "$dep" '.departments[] | select(.name == $dep) | .machines | length' "$record") machines of another department that are like its own"; fi
  urgent=${fact[${object[b]}.review_by]:-}; if [ -n "$urgent" ]; then get $b ticket; is $b kind promote || die "$dep: line $b is no promotion that can be an emergency"
    [ "$lane" -gt 0 ] || die "$dep: line $b is an emergency, and its policy has no lane for that"
    [ "$(ms_of "$urgent")" -le $((ms[b] + lane * 86400000)) ] || die "$dep: line $b puts its review off until $urgent"
    jq -e --slurpfile rules "$rulebook" --slurpfile m "$folder/manifest.json" '[$m[0].candidates[].id] as $ids | [.candidates[] | .id as $c | select($ids | index($c)) | .severity] - $rules[0].emergency.severity == []' "$record" >/dev/null 2>&1 || die "$dep: line $b is an emergency for what is not urgent"
  fi; [ "${says[2]}" = "${fact[${object[b]}.ticket]:-} $urgent" ] || die "$dep: the manifest says something else of an emergency"
  r=0; for ((i = 1; i < b; i++)); do [ "${kind[i]}" != run ] || ! is "$i" run "$run" || r=$i; done
  [ $r -gt 0 ] || die "$dep: no run before line $b found that"; get $r begin; g=${line_of[$v]}
  for i in $missing; do [ "$i" -lt "$g" ] || { [ "$i" -gt $d ] && [ "${kind[i]}" != promote-begun ]; } || die "ledger:$i: its statement is missing, and could be about this promotion"; done
  is $r complete true && [ "$complete" = true ] && get $r "set:$dep" && tested=$v || die "$dep: the run of line $r was not complete"
  cmp -s <(sort "$folder/SHA256SUMS" 2>/dev/null) <(cut -d' ' -f2- "$work/staged" | sort) || die "$dep: the run of line $r had other files"
  get $r submitter; authors=" ${person[$v]:-$v} "; waived=; counts=" "; gone=; approvals=()
  for ((i = 1; i < b; i++)); do [ "${kind[i]}" != submit ] || ! is "$i" set "$set" || authors+="${person[${by[i]}]} "
    [ "${kind[i]}" = withdraw ] && [ -f "objects/${object[i]}" ] || continue; get $i withdraws; w=${line_of[$v]:-0}; [ "$w" -gt 0 ] && [ "$w" -lt $i ] && [ "${person[${by[w]}]:-}" = "${person[${by[i]}]}" ] || die "ledger:$i: withdraws what is not its author's"; gone+=" $w "; done
  submitted=$authors; for ((i = 1; i < b; i++)); do [ -f "objects/${object[i]}" ] && is "$i" name "$dep" || continue; who=${person[${by[i]}]:-}; mine=; ! is "$i" run "$run" || ! is "$i" set "$set" || mine=1
    case ${kind[i]} in
      reject) [[ $gone = *" $i "* ]] || { ! is "$i" run "$run" && ! is "$i" set "$set"; } || die "$dep: line $b promotes what ${by[i]} rejected" ;;
      waive) ! is "$i" set "$set" || authors+="$who "; [ -n "$mine" ] && is "$i" policy "$rules" && [[ $gone != *" $i "* ]] || continue
        [[ $submitted != *" $who "* ]] || continue; get $i expires; until=$(ms_of "$v"); [ "$until" -gt "${ms[b]}" ] || die "$dep: the waiver of line $i had expired"; [ "$until" -le $((ms[i] + longest * 86400000)) ] || continue; get $i waives; waived+="${v// /$'\n'}"$'\n'; last_waiver=$i; counts+="$i " ;;
      approve) [ -z "$mine" ] || ! is "$i" policy "$rules" || [[ $gone = *" $i "* ]] || approvals+=("$i") ;;
    esac; done
  # Not what the policy lets nobody waive, and not more failures than it lets a set have.
  [ -z "$waived" ] || waived=$(jq -r '.waivers.never // [] | .[] | (., (. | select(contains("/") | not) | "\(.)/")) | @uri' "$rulebook" | { mapfile -t never; while IFS= read -r one; do
    [[ $one =~ ^[^%]*%2F(error|fence|golden|baseline|control)(%2F|%3A|%20|$) ]] && continue; for no in "${never[@]}"; do [ "${one%%%20*}" != "$no" ] || continue 2; done; printf '%s\n' "$one"; done <<<"$waived"; } |
    awk -v most="$most" '!/%20fail$/ || $0 in had || n++ < most { had[$0]; print }')
  approvers=; seen=; for i in "${approvals[@]}"; do who=${person[${by[i]}]}; [[ $authors = *" $who "* ]] || { approvers+=" $i"; get "$i" size; [ -z "$waived" ] || [ "$v" -lt "$last_waiver" ] || seen=1; }; done
  [ "$tested" = "$set" ] || [ -n "$waived" ] || die "$dep: the run of line $r tested another set, and nothing of this one was waived"
  [ -z "$waived" ] || [ -n "$seen" ] || die "$dep: nobody approved who had seen the waiver"
  jq -r --arg dep "$dep" --slurpfile manifest "$folder/manifest.json" "$failed" "$record" >"$work/failed" 2>/dev/null || die "$dep: no trial of this very set, or not all of it was seen, or the lab could not tell"
  ! grep -qvxF -- "$waived" "$work/failed" || die "$dep: there are failures that nobody waived"
  jq -n -r --arg dep "$dep" --slurpfile manifest "$folder/manifest.json" --slurpfile run "$record" --slurpfile rules "$rulebook" "$changed" >"$work/changed" 2>/dev/null || die "$dep: nobody can tell what changed"
  sort -u "$work/changed" | while read -r name class bytes; do digest=$(base64 -d <<<"$bytes" | sha256sum); jq -nr --arg n "$name${digest:0:64} $class" '$n | @uri'; done >"$work/named"
  for what in check state review; do case $what in check) ! grep -qv '^[^%]*%2Fstate%3A' "$work/failed" ;; state) ! grep -q '^[^%]*%2Fstate%3A' "$work/failed" ;; *) [ ! -s "$work/named" ] ;; esac ||
    jq -e --arg what $what '.waivers.what // [] | index($what)' "$rulebook" >/dev/null || die "$dep: its policy lets no $what be waived or accepted"; done
  ! grep -qvxF -- "$waived" "$work/named" || die "$dep: something changed that nobody explained or accepted"
  jq -r --arg dep "$dep" --slurpfile manifest "$folder/manifest.json" "$kept" "$record" >"$work/keeps" 2>/dev/null || die "$dep: nobody can tell what its run kept"
  cut -d' ' -f2- "$work/keeps" >>"$work/kept"; sized <(sed -E 's/^([0-9]+) [0-9a-f]{64}  /\1 /' "$work/keeps") . || die "evidence: a file that the run kept is missing, or has another size"
  before=0; for ((i = 1; i < b; i++)); do [ "${kind[i]}" != promote-done ] || ! is "$i" name "$dep" || before=$i; done
  enough "$record" "$rulebook" "$urgent" "$waived" "$approvers" "$before" || die "$dep: approved by${people:- nobody} who neither submitted nor waived; the policy asks for $count"
  [ "$ticketing" != required ] || [ -n "$ticketed${urgent:+x}" ] || die "$dep: its policy asks for the ticket of the change, and nobody who approved named one$([ $before = 0 ] || echo " since line $before")"
  jq -e --arg dep "$dep" --argjson at "${ms[b]}" --slurpfile rules "$rulebook" "$alike" "$record" >/dev/null 2>&1 || die "$dep: its policy asks how like production its machines are, and its run does not say that they are"
  names=; witness=$noted; for i in $approvers; do names+=" ${by[i]}"; get "$i" size; [ "$v" -lt $r ] || witness=1; done
  [ -n "$witness" ] || die "$dep: approved by${names:- nobody} who saw this run in the ledger, and no head was noted: nothing outside of the lab supports it"
  for o in ${fact[${object[b]}.decisions]:-}; do w=${line_of[$o]:-0}; [[ "$approvers $counts" = *" $w"* ]] && [[ " $approvers $counts " = *" $w "* ]] || die "$dep: line $b rests on what is no decision that counted"; done
  get $b serial; for ((i = 1; i < b; i++)); do [ "${kind[i]}" != promote-begun ] || ! is "$i" name "$dep" || [ "${fact[${object[i]}.serial]}" -lt "$v" ] || die "$dep: the serial of line $b is not greater than that of line $i"; done; is $b manifest "$(sum "$folder/manifest.json")" && [ "${says[3]}" = "$dep $set $v" ] || die "$dep: the manifest is not the one that was promoted"
  [ "$(sum "$folder/SHA256SUMS")" = "$set" ] || die "$dep: SHA256SUMS is not the set that was promoted"
  (cd "$folder" && sha256sum --quiet --strict -c SHA256SUMS >/dev/null 2>&1) && [ "$(find "$folder" -type f | wc -l)" = $(($(wc -l <"$folder/SHA256SUMS") + 2)) ] || die "$dep: the files are not those of the set"
  proven+=" $dep (line $b, serial $v, approved by${names:- nobody}${urgent:+, an emergency}$instead)"
  # Emergencies of this department: reviewed in time when this was promoted; what is open now refutes nothing, and is said.
  for ((e = 1; e <= b; e++)); do by_then=${fact[${object[e]}.review_by]:-}
    [ "${kind[e]}" = promote-begun ] && is "$e" name "$dep" && [ -n "$by_then" ] && [ "${state[${object[e]}]}" = promote-done ] || continue
    for ((d = e; d < n; d++)); do [ "${kind[d]}" != promote-done ] || [ "${object[d]}" != "${object[e]}" ] || break; done
    due=$(ms_of "$by_then"); [ $((ms[d] + lane * 86400000)) -ge "$due" ] || due=$((ms[d] + lane * 86400000)); code=0
    if [ $e -lt $b ] && [ "${ms[b]}" -ge "$due" ] && ! is $b kind rollback; then reviewed $e $d $b || code=$?
      [ $code != 1 ] || die "$dep: line $b was promoted while the review of the emergency of line $e was overdue"
      [ $code = 0 ] || die "$dep: nobody can tell whether the emergency of line $e was reviewed before line $b: that is not here"; fi
    code=0; reviewed $e $d $((n + 1)) || code=$?; case $code in 0) continue ;; 2) proven+=", whether the emergency of line $e was reviewed is not known" ;;
      *) [ "$(ms_of "$by_then")" -le "${ms[n]}" ] && proven+=", the review of the emergency of line $e is OVERDUE" || proven+=", the emergency of line $e is to be reviewed by $by_then" ;; esac; done
done
[ -n "$proven" ] || die "nothing is promoted here"
[ ! -s "$work/kept" ] || sha256sum --quiet --strict -c "$work/kept" >/dev/null 2>&1 || die "evidence: a file that the run kept is missing, or was edited"
cmp -s <(cut -c67- "$work/kept" | sort -u) <([ ! -e evidence ] || find evidence -type f | sort) || die "evidence: there are files that no run kept"
echo "PROVEN:$proven; $n lines, head ${hashes[n]}"
