// C++ regime: what depends on a table.
#include "mart/dependents.hpp"

namespace etl::mart {

pg::vector<dependent> find_dependents(Oid table) {
    // `own` grows from the table over the objects that come and go with it; what hangs on any of them from outside is
    // a dependent. Views show as themselves, not as their rule.
    const pg::result rows = pg::query(
        "WITH RECURSIVE own (classid, objid) AS ("
        " SELECT 'pg_class'::regclass::oid, $1::oid"
        " UNION"
        " SELECT d.classid, d.objid FROM own o JOIN pg_depend d ON d.refclassid = o.classid AND d.refobjid = o.objid"
        " WHERE CASE d.classid"
        "  WHEN 'pg_attrdef'::regclass THEN EXISTS (SELECT FROM pg_attrdef x WHERE x.oid = d.objid AND x.adrelid = $1)"
        "  WHEN 'pg_constraint'::regclass THEN"
        "   EXISTS (SELECT FROM pg_constraint x WHERE x.oid = d.objid AND x.conrelid = $1 AND x.contype IN ('c', 'p', "
        "'u'))"
        "  WHEN 'pg_type'::regclass THEN EXISTS (SELECT FROM pg_class x LEFT JOIN pg_type t ON t.oid = x.reltype"
        "   WHERE x.oid = $1 AND d.objid IN (x.reltype, t.typarray))"
        "  WHEN 'pg_trigger'::regclass THEN EXISTS (SELECT FROM pg_trigger x JOIN pg_constraint k ON k.oid = "
        "x.tgconstraint"
        "   WHERE x.oid = d.objid AND x.tgrelid = $1 AND x.tgisinternal AND k.contype IN ('p', 'u') AND k.conrelid = "
        "$1)"
        "  WHEN 'pg_class'::regclass THEN EXISTS (SELECT FROM pg_class x LEFT JOIN pg_index i ON i.indexrelid = x.oid"
        "   JOIN pg_class m ON m.oid = $1 WHERE x.oid = d.objid"
        "   AND (x.oid = m.reltoastrelid OR i.indrelid IN (m.oid, m.reltoastrelid)))"
        "  ELSE false END),"
        " found AS (SELECT d.classid, d.objid, d.objsubid FROM own o"
        " JOIN pg_depend d ON d.refclassid = o.classid AND d.refobjid = o.objid"
        " WHERE (d.classid, d.objid) NOT IN (SELECT classid, objid FROM own)),"
        " told AS (SELECT CASE WHEN r.ev_class <> $1 THEN pg_describe_object('pg_class'::regclass, r.ev_class, 0)"
        "  ELSE pg_describe_object(f.classid, f.objid, f.objsubid) END AS what,"
        " coalesce(r.ev_class = $1, t.tgrelid = $1, k.conrelid = $1, p.polrelid = $1, s.stxrelid = $1,"
        "  i.deptype IS NOT NULL, false) AS belongs, f.classid = 'pg_publication_rel'::regclass AS publication"
        " FROM found f"
        " LEFT JOIN pg_rewrite r ON f.classid = 'pg_rewrite'::regclass AND r.oid = f.objid"
        " LEFT JOIN pg_trigger t ON f.classid = 'pg_trigger'::regclass AND t.oid = f.objid"
        " LEFT JOIN pg_constraint k ON f.classid = 'pg_constraint'::regclass AND k.oid = f.objid"
        " LEFT JOIN pg_policy p ON f.classid = 'pg_policy'::regclass AND p.oid = f.objid"
        " LEFT JOIN pg_statistic_ext s ON f.classid = 'pg_statistic_ext'::regclass AND s.oid = f.objid"
        " LEFT JOIN pg_depend i ON i.classid = f.classid AND i.objid = f.objid AND i.refclassid = 'pg_class'::regclass"
        "  AND i.refobjid = $1 AND i.deptype = 'i' AND f.classid = 'pg_class'::regclass)"
        " SELECT what, bool_or(belongs), bool_or(publication) FROM told GROUP BY what ORDER BY what COLLATE \"C\"",
        {pg::oid(table)});
    pg::vector<dependent> found;
    for (std::size_t row = 0; row < rows.size(); row++)
        found.push_back({rows.text(row, 0), rows.boolean(row, 1), rows.boolean(row, 2)});
    return found;
}

pg::string list_foreign_dependents(Oid table) {
    pg::string list;
    for (const dependent &each : find_dependents(table))
        if (!each.belongs && !each.publication)
            list += (list.empty() ? "" : "\n") + each.what + " depends on it.";
    return list;
}

} // namespace etl::mart
