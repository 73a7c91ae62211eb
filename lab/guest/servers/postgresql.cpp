// SPDX-FileCopyrightText: 2026 The patchlab authors
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "lab/core/text.hpp"
#include "lab/guest/servers/collectors.hpp"

namespace patchlab::lab::guest::servers {
namespace {

// A field of COPY's text format: "\n", "\t" and "\\" stand for themselves, "\N" for nothing at all.
std::string plain(std::string_view field) {
  if (field == "\\N") return {};
  std::string text;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] != '\\' || i + 1 == field.size()) {
      text += field[i];
      continue;
    }
    switch (field[++i]) {
      case 'n': text += '\n'; break;
      case 't': text += '\t'; break;
      case 'r': text += '\r'; break;
      default: text += field[i];
    }
  }
  return text;
}

// Parts "5432": rows of one server, "setting\tfsync\ton".
Result<void> read_postgresql(const Parts& parts, Rows& rows) {
  const bool several = parts.size() > 1;
  for (const auto& [port, text] : parts) {
    bool is_whole = false;
    for (const auto line : lines_of(text)) {
      const auto fields = split(line, '\t');
      if (fields.size() != 3) return not_understood("postgresql", line);
      if (fields[0] == "end") {
        is_whole = true;
        continue;
      }
      auto item = plain(fields[1]);
      if (several) item = fmt::format("{}: {}", port, item);
      rows.add(fmt::format("postgresql-{}", fields[0]), item, plain(fields[2]));
    }
    if (!is_whole) return guest_error(fmt::format("what 'postgresql' says of itself on port {} ends early", port));
  }
  return {};
}

}  // namespace

// One psql, by its own name: Debian's is a script that starts Perl first. What is the same in every database is asked
// in one, and then every database by a second script. Of passwords only words leave the server. Kinds with very many
// rows are one digest. `reset_val`: what was set for this session is not meant.
const Collector postgresql{"postgresql", R"sh(postgresql() {
  program=
  for folder in /usr/lib/postgresql/*/bin; do
    [ -x "$folder/postgres" ] && program=$folder
  done
  [ "$program" ] || return 1
  for folder in /usr/lib/postgresql/*/bin; do
    [ -x "$folder/psql" ] && psql=$folder/psql
  done
  [ "$psql" ] || { why "there is no psql"; return 4; }
  ports=
  for socket in /run/postgresql/.s.PGSQL.*; do
    [ -S "$socket" ] && ports="$ports ${socket##*.}"
  done
  [ "$ports" ] || { why "no server listens in /run/postgresql"; return 2; }
  cat >$work/all.sql <<'SQL'
SET statement_timeout = '50s'; SET lock_timeout = '5s'; SET default_transaction_read_only = on;
SET search_path = pg_catalog; SET datestyle = 'ISO'; SET client_encoding = 'UTF8';
COPY (
SELECT 'setting', name,
  CASE WHEN source IN ('default', 'override') THEN 'built in: ' ELSE '' END || reset_val || coalesce(' x ' || unit, '')
  || CASE WHEN source IN ('configuration file', 'session', 'default', 'override') THEN '' ELSE ' (' || source || ')' END
FROM pg_settings WHERE reset_val IS DISTINCT FROM boot_val AND name NOT IN ('application_name', 'client_encoding')
UNION ALL
SELECT 'setting', 'of' || coalesce(' role ' || quote_ident(r.rolname), '') || coalesce(' database ' || quote_ident(d.datname), '')
  || ': ' || split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase,
  unnest(s.setconfig) c
UNION ALL
SELECT 'access', coalesce(concat_ws(' ', type, array_to_string(database, ','), array_to_string(user_name, ','), address, netmask), 'line'),
  concat_ws(' ', auth_method, array_to_string(options, ' '), 'error: ' || error) FROM pg_hba_file_rules
UNION ALL
SELECT 'access-order', 'all', string_agg(coalesce(concat_ws(' ', type, array_to_string(database, ','), array_to_string(user_name, ','),
  address, netmask, auth_method), error), '; ' ORDER BY line_number) FROM pg_hba_file_rules
UNION ALL
SELECT 'role', quote_ident(a.rolname), concat_ws(', ', CASE WHEN a.rolsuper THEN 'superuser' END,
  CASE WHEN a.rolcreaterole THEN 'makes roles' END, CASE WHEN a.rolcreatedb THEN 'makes databases' END,
  CASE WHEN a.rolreplication THEN 'replicates' END, CASE WHEN a.rolbypassrls THEN 'sees every row' END,
  CASE WHEN a.rolcanlogin THEN 'logs in' ELSE 'does not log in' END, CASE WHEN NOT a.rolinherit THEN 'inherits nothing' END,
  'password ' || CASE WHEN a.rolpassword IS NULL THEN 'none' WHEN a.rolpassword LIKE 'SCRAM-SHA-256$%' THEN 'scram'
    WHEN a.rolpassword LIKE 'md5%' THEN 'md5' ELSE 'set' END,
  CASE WHEN a.rolconnlimit <> -1 THEN 'at most ' || a.rolconnlimit END, 'until ' || a.rolvaliduntil,
  'member of ' || (SELECT string_agg(quote_ident(g.rolname) || CASE WHEN m.admin_option THEN ' as its admin' ELSE '' END, ', '
    ORDER BY g.rolname) FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = a.oid))
FROM pg_authid a WHERE a.rolname !~ '^pg_'
UNION ALL
SELECT 'database', quote_ident(datname), concat_ws(', ', 'owner ' || quote_ident(pg_get_userbyid(datdba)), pg_encoding_to_char(encoding),
  'collation ' || datcollate, 'characters ' || datctype, CASE WHEN datistemplate THEN 'template' END,
  CASE WHEN NOT datallowconn THEN 'no connections' END, CASE WHEN datconnlimit <> -1 THEN 'at most ' || datconnlimit END)
FROM pg_database
UNION ALL
SELECT 'grant', 'database ' || quote_ident(datname), array_to_string(ARRAY(SELECT a::text FROM unnest(datacl) a ORDER BY a::text COLLATE "C"), ', ')
FROM pg_database WHERE datacl IS NOT NULL
UNION ALL
SELECT 'tablespace', quote_ident(spcname), concat_ws(', ', 'owner ' || quote_ident(pg_get_userbyid(spcowner)), pg_tablespace_location(oid),
  array_to_string(spcoptions, ' ')) FROM pg_tablespace
) TO STDOUT;
\o next.sql
SELECT format(E'\\connect %I\n\\i one.sql', datname) FROM pg_database WHERE datallowconn ORDER BY datname LIMIT 100;
\o
\i next.sql
COPY (SELECT 'end', '', '') TO STDOUT;
SQL
  cat >$work/one.sql <<'SQL'
SET statement_timeout = '50s'; SET lock_timeout = '5s'; SET default_transaction_read_only = on;
SET search_path = pg_catalog; SET datestyle = 'ISO'; SET client_encoding = 'UTF8';
COPY (
WITH ns AS (SELECT oid, nspname, nspowner, nspacl FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'),
rel AS (SELECT c.oid, c.relname, c.relkind, c.relowner, c.relacl, c.relrowsecurity, c.relforcerowsecurity, c.relpersistence,
    c.reloptions, format('%I.%I', n.nspname, c.relname) AS name
  FROM pg_class c JOIN ns n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S')),
acl(item, list) AS (
  SELECT 'schema ' || quote_ident(nspname), nspacl FROM ns
  UNION ALL SELECT CASE relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || name, relacl FROM rel
  UNION ALL SELECT format('column %s.%I', name, attname), attacl FROM rel JOIN pg_attribute ON attrelid = rel.oid
  UNION ALL SELECT format('function %I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)), proacl FROM pg_proc p JOIN ns ON ns.oid = pronamespace
  UNION ALL SELECT 'language ' || quote_ident(lanname), lanacl FROM pg_language
  UNION ALL SELECT 'foreign server ' || quote_ident(srvname), srvacl FROM pg_foreign_server
  UNION ALL SELECT 'what ' || quote_ident(pg_get_userbyid(defaclrole)) || ' makes later, ' || defaclobjtype::text, defaclacl FROM pg_default_acl),
r(kind, item, value) AS (
SELECT 'schema', quote_ident(nspname), 'owner ' || quote_ident(pg_get_userbyid(nspowner)) FROM ns
UNION ALL
SELECT 'table', name, concat_ws(', ', CASE relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'stored view' WHEN 'p' THEN 'partitioned table'
    WHEN 'f' THEN 'foreign table' ELSE 'sequence' END, 'owner ' || quote_ident(pg_get_userbyid(relowner)),
  CASE relpersistence WHEN 'u' THEN 'not logged' WHEN 't' THEN 'temporary' END, CASE WHEN relrowsecurity THEN 'rows are secured' END,
  CASE WHEN relforcerowsecurity THEN 'from the owner too' END, array_to_string(reloptions, ' '),
  CASE WHEN relkind IN ('v', 'm') THEN 'MD5 ' || md5(pg_get_viewdef(oid)) END) FROM rel WHERE relpersistence <> 't'
UNION ALL
SELECT 'column', format('%s.%I', name, attname), concat_ws(' ', format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'not null' END,
  'default ' || pg_get_expr(d.adbin, d.adrelid), CASE attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity' END,
  CASE WHEN attgenerated <> '' THEN 'generated' END,
  'collation ' || (SELECT quote_ident(collname) FROM pg_collation c WHERE c.oid = attcollation AND c.collname <> 'default'))
FROM rel JOIN pg_attribute a ON a.attrelid = rel.oid LEFT JOIN pg_attrdef d ON d.adrelid = rel.oid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped AND relkind <> 'S' AND relpersistence <> 't'
UNION ALL
SELECT 'index', x.indexrelid::regclass::text, pg_get_indexdef(x.indexrelid) || CASE WHEN x.indisvalid THEN '' ELSE ', not valid' END
FROM pg_index x JOIN rel ON rel.oid = x.indrelid
UNION ALL
SELECT 'constraint', format('%s: %I', coalesce(rel.name, 'type ' || contypid::regtype), conname), pg_get_constraintdef(c.oid) || CASE WHEN convalidated THEN '' ELSE ', not validated' END
FROM pg_constraint c LEFT JOIN rel ON rel.oid = c.conrelid WHERE c.connamespace IN (SELECT oid FROM ns)
UNION ALL
SELECT 'trigger', format('%s: %I', name, tgname), pg_get_triggerdef(t.oid) || CASE tgenabled WHEN 'O' THEN '' ELSE ', state ' || tgenabled::text END
FROM pg_trigger t JOIN rel ON rel.oid = t.tgrelid WHERE NOT tgisinternal
UNION ALL
SELECT 'trigger', 'of events: ' || quote_ident(evtname), concat_ws(' ', evtevent, array_to_string(evttags, ','), evtfoid::regproc::text, 'state ' || evtenabled::text) FROM pg_event_trigger
UNION ALL
SELECT 'rule', name || ': ' || quote_ident(rulename), pg_get_ruledef(w.oid) FROM pg_rewrite w JOIN rel ON rel.oid = w.ev_class WHERE rulename <> '_RETURN'
UNION ALL
SELECT 'policy', format('%s: %I', name, polname), concat_ws(' ', polcmd::text, CASE WHEN polpermissive THEN 'permissive' ELSE 'restrictive' END,
  (SELECT string_agg(CASE WHEN o = 0 THEN 'everybody' ELSE quote_ident(pg_get_userbyid(o)) END, ',' ORDER BY o) FROM unnest(polroles) o),
  'using ' || pg_get_expr(polqual, polrelid), 'check ' || pg_get_expr(polwithcheck, polrelid)) FROM pg_policy p JOIN rel ON rel.oid = p.polrelid
UNION ALL
SELECT 'function', format('%I.%I(%s)', nspname, proname, pg_get_function_identity_arguments(p.oid)), concat_ws(', ', l.lanname,
  'owner ' || quote_ident(pg_get_userbyid(proowner)), CASE WHEN prosecdef THEN 'with the rights of its owner' END,
  'MD5 ' || md5(CASE WHEN prokind = 'a' THEN format_type(prorettype, NULL) ELSE pg_get_functiondef(p.oid) END))
FROM pg_proc p JOIN ns ON ns.oid = pronamespace JOIN pg_language l ON l.oid = prolang
UNION ALL
SELECT 'type', format('%I.%I', nspname, typname), concat_ws(', ', 'owner ' || quote_ident(pg_get_userbyid(typowner)), CASE WHEN typtype = 'd' THEN
  concat_ws(' ', format_type(typbasetype, typtypmod), CASE WHEN typnotnull THEN 'not null' END, 'default ' || typdefault) END,
  (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid))
FROM pg_type t JOIN ns ON ns.oid = typnamespace WHERE typtype IN ('d', 'e')
UNION ALL
SELECT 'extension', quote_ident(extname), concat_ws(', ', extversion, 'owner ' || quote_ident(pg_get_userbyid(extowner)), 'schema ' || extnamespace::regnamespace::text) FROM pg_extension
UNION ALL
SELECT 'publication', quote_ident(pubname), concat_ws(', ', 'owner ' || quote_ident(pg_get_userbyid(pubowner)), CASE WHEN puballtables THEN 'all tables' END) FROM pg_publication
UNION ALL
SELECT 'grant', item, array_to_string(ARRAY(SELECT a::text FROM unnest(list) a ORDER BY a::text COLLATE "C"), ', ') FROM acl WHERE list IS NOT NULL
UNION ALL
SELECT 'rows', name, (xpath('/row/c/text()', query_to_xml('SELECT count(*) AS c FROM ' || name, false, true, '')))[1]::text
FROM (SELECT name, oid FROM rel WHERE relkind = 'r' AND relpersistence <> 't' AND pg_relation_size(oid) < 8388608 ORDER BY name LIMIT 300) small),
counted AS (SELECT kind, item, value, count(*) OVER (PARTITION BY kind) AS many FROM r)
SELECT kind, quote_ident(current_database()) || ': ' || item, value FROM counted WHERE many <= 1500
UNION ALL
SELECT kind, quote_ident(current_database()) || ': all', count(*) || ' of them, MD5 ' || md5(string_agg(item || E'\t' || coalesce(value, ''), E'\n'
  ORDER BY item COLLATE "C", value COLLATE "C")) FROM counted WHERE many > 1500 GROUP BY kind
) TO STDOUT;
SQL
  mkdir $work/database && chmod 644 $work/all.sql $work/one.sql && cp $work/all.sql $work/one.sql $work/database &&
    chown -R postgres: $work/database || { why "there is no account postgres"; return 2; }
  for port in $ports; do
    part "$port"
    cd $work/database
    try runuser -u postgres -- "$psql" -X -q -A -t -v ON_ERROR_STOP=1 -h /run/postgresql -p "$port" -d template1 -f all.sql
    status=$?
    cd /
    [ $status = 0 ] || return $status
  done
}
)sh",
                           read_postgresql};

}  // namespace patchlab::lab::guest::servers
