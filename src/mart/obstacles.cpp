// C++ regime: what stands in the way of replacing a plain table by a partitioned one.
#include "mart/obstacles.hpp"

#include "mart/dependents.hpp"

namespace etl::mart {

namespace {

// What pg_depend does not tell, one sentence a row. (pg_attver is no option of the user's: late minor releases of
// PostgreSQL keep a column's version there.)
constexpr const char *features =
    "SELECT line FROM (SELECT 'It has row security.' FROM pg_class WHERE oid = $1 AND (relrowsecurity OR "
    "relforcerowsecurity)"
    " UNION ALL SELECT 'It has a replica identity.' FROM pg_class WHERE oid = $1 AND relreplident <> 'd'"
    " UNION ALL SELECT format('It has storage options (%s).', array_to_string(reloptions, ', ')) FROM pg_class"
    "  WHERE oid = $1 AND reloptions IS NOT NULL"
    " UNION ALL SELECT format('It has storage options (toast.%s).', array_to_string(t.reloptions, ', toast.'))"
    "  FROM pg_class c JOIN pg_class t ON t.oid = c.reltoastrelid WHERE c.oid = $1 AND t.reloptions IS NOT NULL"
    " UNION ALL SELECT format('It has the access method %I.', a.amname) FROM pg_class c JOIN pg_am a ON a.oid = c.relam"
    "  WHERE c.oid = $1 AND a.amname <> 'heap'"
    " UNION ALL SELECT format('It is a table of type %s.', reloftype::regtype) FROM pg_class WHERE oid = $1"
    "  AND reloftype <> 0"
    " UNION ALL SELECT format('It inherits from %s.', inhparent::regclass) FROM pg_inherits WHERE inhrelid = $1"
    " UNION ALL SELECT 'It belongs to extension ' || quote_ident(e.extname) || '.' FROM pg_depend d"
    "  JOIN pg_extension e ON e.oid = d.refobjid WHERE d.classid = 'pg_class'::regclass AND d.objid = $1"
    "  AND d.refclassid = 'pg_extension'::regclass"
    " UNION ALL SELECT 'A subscription replicates into it.' WHERE EXISTS (SELECT FROM pg_subscription_rel"
    "  WHERE srrelid = $1)"
    " UNION ALL SELECT DISTINCT format('It has security labels of provider %s.', provider) FROM pg_seclabel"
    "  WHERE classoid = 'pg_class'::regclass AND objoid = $1"
    " UNION ALL SELECT format('Column %I is an identity column.', attname) FROM pg_attribute WHERE attrelid = $1"
    "  AND attnum > 0 AND NOT attisdropped AND attidentity <> ''"
    " UNION ALL SELECT format('Column %I has a statistics target or options.', attname) FROM pg_attribute"
    "  WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped AND (attstattarget <> -1"
    "  OR EXISTS (SELECT FROM unnest(attoptions) o WHERE o NOT LIKE 'pg\\_attver=%'))"
    " UNION ALL SELECT 'Column portal is a generated column.' FROM pg_attribute WHERE attrelid = $1"
    "  AND attname = 'portal' AND attgenerated <> ''"
    " UNION ALL SELECT format('Constraint %I is NO INHERIT.', conname) FROM pg_constraint WHERE conrelid = $1"
    "  AND contype = 'c' AND connoinherit"
    " UNION ALL SELECT format('Index %I is invalid.', c.relname) FROM pg_index i JOIN pg_class c"
    "  ON c.oid = i.indexrelid WHERE i.indrelid = $1 AND NOT (i.indisvalid AND i.indisready)"
    " UNION ALL SELECT format('Index %I is marked for CLUSTER.', c.relname) FROM pg_index i JOIN pg_class c"
    "  ON c.oid = i.indexrelid WHERE i.indrelid = $1 AND i.indisclustered"
    " UNION ALL SELECT format('Index %I has a statistics target.', c.relname) FROM pg_index i JOIN pg_class c"
    "  ON c.oid = i.indexrelid WHERE i.indrelid = $1 AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid"
    "  AND a.attstattarget <> -1)"
    " UNION ALL SELECT format('Privileges on it were granted by role %s, which the current user may not act as.',"
    "  quote_ident(pg_get_userbyid(x.grantor))) FROM (SELECT x.grantor FROM pg_class c, aclexplode(c.relacl) x"
    "  WHERE c.oid = $1 AND x.grantor <> c.relowner UNION SELECT x.grantor FROM pg_class c JOIN pg_attribute a"
    "  ON a.attrelid = c.oid, aclexplode(a.attacl) x WHERE c.oid = $1 AND x.grantor <> c.relowner) x"
    "  WHERE NOT pg_has_role(x.grantor, 'USAGE')"
    ") AS lines (line) ORDER BY line COLLATE \"C\"";

} // namespace

void refuse_obstacles(const table &old) {
    pg::string outside, inside;
    for (const dependent &each : find_dependents(old.oid)) {
        pg::string &list = each.belongs ? inside : outside;
        list +=
            (list.empty() ? "" : "\n") + (each.belongs ? "It has " + each.what + "." : each.what + " depends on it.");
    }
    const pg::result rows = pg::query(features, {pg::oid(old.oid)});
    for (std::size_t row = 0; row < rows.size(); row++)
        inside += (inside.empty() ? "" : "\n") + rows.text(row, 0);
    if (outside.empty() && inside.empty())
        return;
    const pg::string separator(outside.empty() || inside.empty() ? "" : "\n");
    throw error(outside.empty() ? "0A000" : "2BP01",
                pg::view(pg::format(outside.empty() ? "table %s has what a table partitioned by portal cannot take over"
                                                    : "table %s cannot be replaced because other objects depend on it",
                                    old.quoted().c_str())),
                pg::view(outside + separator + inside),
                "A mart must be partitioned by LIST (portal). Drop these first and make them anew on the mart, or name"
                " another table.");
}

} // namespace etl::mart
