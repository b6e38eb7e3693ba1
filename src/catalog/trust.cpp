// C++ regime: whose code a make's owner would run by reading a portal.
#include "catalog/trust.hpp"

#include "catalog/name.hpp"

namespace etl::catalog {

namespace {

// Who has the rights of the make's owner gains nothing by code that runs as that role.
struct writer {
    pg::string what;
    Oid owner;
};

// The views among the relations, and the functions that PostgreSQL calls when it plans or runs a query over one: those of
// policies, and, as far as constant, those of indexes, checks, statistics and partition bounds. Functions of PostgreSQL
// itself are not in pg_depend.
pg::vector<writer> writers(const portal &from) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        "WITH relation AS (SELECT c.oid, c.relkind, c.relowner FROM pg_class c WHERE c.oid = ANY"
        "  (ARRAY[$1, $2, $3, $4]::oid[] || ARRAY(SELECT t.relid::oid FROM unnest(ARRAY[$1, $2, $3, $4]::oid[]) r(oid),"
        "  pg_partition_tree(r.oid) t)))"
        " SELECT r.oid::regclass::text, r.relowner::oid FROM relation r WHERE r.relkind NOT IN ('r', 'p', 'm')"
        " UNION SELECT format('%s with %s', r.oid::regclass, f.oid::regprocedure), f.proowner::oid"
        " FROM relation r CROSS JOIN LATERAL (SELECT 'pg_class'::regclass AS class, r.oid"
        "  UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid = r.oid"
        "  UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid = r.oid"
        "  UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy WHERE polrelid = r.oid"
        "  UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext WHERE stxrelid = r.oid) o"
        " JOIN pg_depend d ON d.classid = o.class AND d.objid = o.oid"
        " LEFT JOIN pg_operator p ON d.refclassid = 'pg_operator'::regclass AND p.oid = d.refobjid"
        " JOIN pg_proc f ON f.oid = CASE d.refclassid WHEN 'pg_proc'::regclass THEN d.refobjid ELSE p.oprcode END"
        " ORDER BY 1",
        {pg::oid(from.listing), pg::oid(from.customer), pg::oid(from.stat), pg::oid(from.price_state)});
    pg::vector<writer> found;
    for (std::size_t row = 0; row < rows.size(); row++)
        found.push_back({rows.text(row, 0), rows.oid(row, 1)});
    return found;
}

std::optional<writer> stranger(const make &of, const portal &from) {
    if (!pg::may_act_as(from.owner, of.owner))
        for (writer &each : writers(from))
            if (!pg::may_act_as(each.owner, of.owner))
                return std::move(each);
    return std::nullopt;
}

} // namespace

bool trusts(const make &of, const portal &from) {
    return !stranger(of, from);
}

void require_trust(const make &of, const portal &from) {
    if (const std::optional<writer> found = stranger(of, from))
        throw error("42501",
                    pg::view(pg::format("%s cannot read %s", in_quotes("make", of.name).c_str(),
                                        in_quotes("portal", from.name).c_str())),
                    pg::view(pg::format("Code of role \"%s\" in %s would run with the rights of role \"%s\".",
                                        pg::role_name(found->owner).c_str(), found->what.c_str(),
                                        pg::role_name(of.owner).c_str())),
                    "Name the make's portals, or have this one added by the make's owner, or over plain tables.");
}

} // namespace etl::catalog
