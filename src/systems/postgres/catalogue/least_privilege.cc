#include "systems/postgres/catalogue/least_privilege.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sluice::postgres {

// `reached` are the role, all that it is a member of but the server's own roles, and PUBLIC. An access list
// that is null means the default. pg_settings, which PUBLIC may update by default, is SET in other words:
// only tables of pg_catalog count. The server's first superuser (10, BOOTSTRAP_SUPERUSERID) owns
// and may everything, and cannot be made less.
const std::string_view kExcessPrivileges = R"(BEGIN READ ONLY;
SET LOCAL search_path = pg_catalog;
WITH RECURSIVE me AS (
  SELECT * FROM pg_roles WHERE rolname = CURRENT_USER
), belongs(role, direct) AS (
  SELECT m.roleid, m.roleid FROM pg_auth_members m JOIN me ON m.member = me.oid
  UNION
  SELECT m.roleid, b.direct FROM belongs b
    JOIN pg_roles r ON r.oid = b.role AND NOT starts_with(r.rolname, 'pg_')
    JOIN pg_auth_members m ON m.member = b.role
), reached(oid, name) AS (
  SELECT 0::oid, 'PUBLIC'
  UNION SELECT oid, quote_ident(rolname) FROM me
  UNION SELECT r.oid, quote_ident(r.rolname) FROM belongs b
          JOIN pg_roles r ON r.oid = b.role AND NOT starts_with(r.rolname, 'pg_')
)
SELECT 'attribute', a.name, '', quote_ident(me.rolname)
  FROM me, LATERAL (VALUES (1, 'SUPERUSER', rolsuper), (2, 'REPLICATION', rolreplication),
                           (3, 'BYPASSRLS', rolbypassrls), (4, 'CREATEROLE', rolcreaterole),
                           (5, 'CREATEDB', rolcreatedb)) AS a(place, name, given)
 WHERE a.given AND me.oid <> 10
UNION ALL
SELECT 'first', '', '', quote_ident(rolname) FROM me WHERE oid = 10
UNION ALL
SELECT DISTINCT 'member', r.rolname, quote_ident(d.rolname), quote_ident(me.rolname)
  FROM me, belongs b JOIN pg_roles r ON r.oid = b.role JOIN pg_roles d ON d.oid = b.direct
 WHERE r.rolname IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program',
                     'pg_read_all_data', 'pg_write_all_data', 'pg_monitor', 'pg_read_all_stats',
                     'pg_read_all_settings', 'pg_stat_scan_tables', 'pg_signal_backend',
                     'pg_signal_autovacuum_worker', 'pg_create_subscription', 'pg_maintain', 'pg_checkpoint')
    OR r.rolsuper
UNION ALL
SELECT 'owner', 'SCHEMA', quote_ident(n.nspname), g.name
  FROM pg_namespace n JOIN reached g ON g.oid = n.nspowner AND g.oid <> 10
 WHERE NOT starts_with(n.nspname, 'pg_')
UNION ALL
SELECT 'owner', 'DATABASE', quote_ident(d.datname), g.name
  FROM pg_database d JOIN reached g ON g.oid = d.datdba AND g.oid <> 10
 WHERE d.datname = current_database()
UNION ALL
SELECT 'schema', 'CREATE', quote_ident(n.nspname), g.name
  FROM pg_namespace n, aclexplode(COALESCE(n.nspacl, acldefault('n', n.nspowner))) a JOIN reached g ON g.oid = a.grantee
 WHERE a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner AND NOT starts_with(n.nspname, 'pg_t')
UNION ALL
SELECT 'database', a.privilege_type, quote_ident(d.datname), g.name
  FROM pg_database d, aclexplode(COALESCE(d.datacl, acldefault('d', d.datdba))) a JOIN reached g ON g.oid = a.grantee
 WHERE d.datname = current_database() AND a.privilege_type IN ('CREATE', 'TEMPORARY')
   AND a.grantee <> d.datdba
UNION ALL
SELECT 'function', f.family,
       string_agg(format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)), ', '
                  ORDER BY p.proname, p.oid),
       g.name
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
  LEFT JOIN pg_depend x ON x.classid = 'pg_proc'::regclass AND x.objid = p.oid AND x.deptype = 'e'
  LEFT JOIN pg_extension e ON e.oid = x.refobjid
  CROSS JOIN LATERAL (SELECT CASE
    WHEN p.proname IN ('lo_import', 'lo_export') AND n.nspname = 'pg_catalog' THEN 'large objects'
    WHEN n.nspname = 'pg_catalog' AND (p.proname IN ('pg_read_file', 'pg_read_binary_file', 'pg_stat_file', 'pg_ls_dir',
           'pg_current_logfile') OR p.proname LIKE 'pg\_ls\_%dir') THEN 'files'
    WHEN e.extname = 'adminpack' AND p.proname LIKE 'pg\_file\_%' THEN 'files'
    WHEN e.extname = 'dblink' AND p.proname IN ('dblink', 'dblink_connect', 'dblink_connect_u', 'dblink_exec',
           'dblink_open', 'dblink_send_query') THEN 'dblink'
    END) AS f(family)
  CROSS JOIN LATERAL aclexplode(COALESCE(p.proacl, acldefault('f', p.proowner))) a
  JOIN reached g ON g.oid = a.grantee AND g.oid <> 10
 WHERE f.family IS NOT NULL AND a.privilege_type = 'EXECUTE'
 GROUP BY f.family, g.name
UNION ALL
SELECT 'catalogue', string_agg(DISTINCT a.privilege_type, ', ' ORDER BY a.privilege_type), format('pg_catalog.%I', c.relname), g.name
  FROM pg_class c, aclexplode(c.relacl) a JOIN reached g ON g.oid = a.grantee AND g.oid <> 10
 WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind = 'r'
   AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE')
 GROUP BY c.relname, g.name;
COMMIT)";

namespace {

struct Reason {
  std::string_view what;
  std::string_view text;
};

constexpr std::array kAttributes = {
    Reason{"SUPERUSER",
           "it passes every check of the database, reads the server's files and runs programs there"},
    Reason{"REPLICATION", "it can copy the whole server, masked columns and all"},
    Reason{"BYPASSRLS", "row security policies do not hold for it"},
    Reason{"CREATEROLE", "it can make roles, and give itself what others may"},
    Reason{"CREATEDB", "it can make databases, beside those that the policy knows"},
};

constexpr std::array kRoles = {
    Reason{"pg_read_server_files", "it reads files of the server, also those that hold the tables"},
    Reason{"pg_write_server_files", "it writes files on the server, which ends in running code there"},
    Reason{"pg_execute_server_program", "it runs programs on the server"},
    Reason{"pg_read_all_data",
           "it reads every table, also those that nobody thought of when the policy was written"},
    Reason{"pg_write_all_data", "it writes every table"},
    Reason{"pg_monitor", "it sees other sessions' statements, with the values in them"},
    Reason{"pg_read_all_stats", "it sees other sessions' statements, with the values in them"},
    Reason{"pg_read_all_settings", "it sees settings that are hidden from others"},
    Reason{"pg_stat_scan_tables", "it can hold up others by scanning whole tables under locks"},
    Reason{"pg_signal_backend", "it ends other roles' sessions"},
    Reason{"pg_signal_autovacuum_worker", "it stops the server's own upkeep"},
    Reason{"pg_create_subscription", "it makes the server connect elsewhere"},
    Reason{"pg_maintain", "it locks and rewrites every table"},
    Reason{"pg_checkpoint", "it makes the server write everything out, as often as it likes"},
};

constexpr std::array kFunctions = {
    Reason{"large objects", "they read and write files of the server"},
    Reason{"files", "they read or list files of the server"},
    Reason{"dblink", "they open connections to databases that pass no gateway, also to this one"},
};

template <std::size_t N>
std::string_view reason_for(const std::array<Reason, N>& reasons, std::string_view what) {
  const auto found = std::ranges::find(reasons, what, &Reason::what);
  return found == reasons.end() ? std::string_view{} : found->text;
}

// What is taken from PUBLIC is taken from everybody.
std::string from(std::string_view grantee, std::string_view reason) {
  return grantee == "PUBLIC" ? fmt::format("{} (from PUBLIC: grant it again to those who need it)", reason)
                             : std::string{reason};
}

std::optional<PrivilegeAdvice> least_privilege(std::span<const std::optional<std::string>> row,
                                               bool masks_hold) {
  if (row.size() != kExcessPrivilegeColumns) return std::nullopt;
  if (std::ranges::any_of(row, [](const auto& field) { return !field; })) return std::nullopt;
  const std::string &kind = *row[0], &what = *row[1], &object = *row[2], &grantee = *row[3];
  if (kind == "attribute") {
    const auto reason = reason_for(kAttributes, what);
    if (reason.empty()) return std::nullopt;
    return PrivilegeAdvice{fmt::format("ALTER ROLE {} NO{};", grantee, what), std::string{reason}};
  }
  if (kind == "first") {
    return PrivilegeAdvice{
        "CREATE ROLE gateway LOGIN;",
        fmt::format("{} is the server's first superuser, who may everything and cannot be made "
                    "less: let the gateway log in as another role, with what it needs",
                    grantee)};
  }
  if (kind == "member") {
    const auto known = reason_for(kRoles, what);
    const auto reason = known.empty() ? reason_for(kAttributes, "SUPERUSER") : known;
    return PrivilegeAdvice{
        fmt::format("REVOKE {} FROM {};", object, grantee),
        what == object ? std::string{reason} : fmt::format("by way of {}: {}", what, reason)};
  }
  if (kind == "owner") {
    const std::string_view reason = what == "SCHEMA"
                                        ? "its owner grants itself what it likes, and plants code there"
                                        : "its owner grants itself what it likes, and may drop it";
    const std::string usage =
        what == "SCHEMA" ? fmt::format(" GRANT USAGE ON SCHEMA {} TO {};", object, grantee) : std::string{};
    return PrivilegeAdvice{fmt::format("ALTER {} {} OWNER TO CURRENT_USER;{}", what, object, usage),
                           std::string{reason}};
  }
  if (kind == "schema") {
    return PrivilegeAdvice{
        fmt::format("REVOKE CREATE ON SCHEMA {} FROM {};", object, grantee),
        from(grantee, "code that is planted there runs when others name something without its schema")};
  }
  if (kind == "database" && what == "CREATE") {
    return PrivilegeAdvice{fmt::format("REVOKE CREATE ON DATABASE {} FROM {};", object, grantee),
                           from(grantee, "it makes schemas, and plants code in them")};
  }
  if (kind == "database") {
    if (!masks_hold) return std::nullopt;
    return PrivilegeAdvice{
        fmt::format("REVOKE TEMPORARY ON DATABASE {} FROM {};", object, grantee),
        from(grantee,
             "temporary tables cannot be read by name while masks are in force, and only hide others")};
  }
  if (kind == "function") {
    const auto reason = reason_for(kFunctions, what);
    if (reason.empty()) return std::nullopt;
    return PrivilegeAdvice{fmt::format("REVOKE EXECUTE ON FUNCTION {} FROM {};", object, grantee),
                           from(grantee, reason)};
  }
  if (kind == "catalogue") {
    return PrivilegeAdvice{
        fmt::format("REVOKE {} ON TABLE {} FROM {};", what, object, grantee),
        from(grantee, "who changes the catalogue changes what names, types and functions mean")};
  }
  return std::nullopt;
}

}  // namespace

void add_least_privilege(std::vector<PrivilegeAdvice>& all, std::span<const std::optional<std::string>> row,
                         bool masks_hold) {
  auto advice = least_privilege(row, masks_hold);
  if (!advice) return;
  const auto same = std::ranges::find(all, advice->statement, &PrivilegeAdvice::statement);
  if (same == all.end()) return all.push_back(*std::move(advice));
  if (same->reason.find(advice->reason) == std::string::npos) same->reason += "; " + advice->reason;
}

}  // namespace sluice::postgres
