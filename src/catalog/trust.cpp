// C++ regime: whose code a make's owner would run by reading a portal.
#include "catalog/trust.hpp"

#include "catalog/name.hpp"

namespace etl::catalog {

namespace {

// Who has the rights of the make's owner gains nothing by code that runs as that role.
struct writer {
    pg::string what;
    Oid owner;
    Oid relation_owner; // who chose to have that code there
};

// The views among the relations, and the functions that PostgreSQL calls when it plans or runs a query over one: those of
// policies, and, as far as constant, those of indexes, checks, statistics and partition bounds. Functions of PostgreSQL
// itself are not in pg_depend.
pg::vector<writer> writers(std::initializer_list<Oid> relations) {
    pg::string list;
    for (const Oid relation : relations)
        list += pg::format("%s%u", list.empty() ? "" : ",", relation);
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        "WITH relation AS (SELECT c.oid, c.relkind, c.relowner FROM pg_class c WHERE c.oid = ANY"
        "  ($1::oid[] || ARRAY(SELECT t.relid::oid FROM unnest($1::oid[]) r(oid), pg_partition_tree(r.oid) t)))"
        " SELECT r.oid::regclass::text, r.relowner::oid, r.relowner::oid FROM relation r WHERE r.relkind NOT IN ('r', 'p', 'm')"
        " UNION SELECT format('%s with %s', r.oid::regclass, f.oid::regprocedure), f.proowner::oid, r.relowner::oid"
        " FROM relation r CROSS JOIN LATERAL (SELECT 'pg_class'::regclass AS class, r.oid"
        "  UNION ALL SELECT 'pg_class'::regclass, indexrelid FROM pg_index WHERE indrelid = r.oid"
        "  UNION ALL SELECT 'pg_constraint'::regclass, oid FROM pg_constraint WHERE conrelid = r.oid"
        "  UNION ALL SELECT 'pg_attrdef'::regclass, oid FROM pg_attrdef WHERE adrelid = r.oid"
        "  UNION ALL SELECT 'pg_policy'::regclass, oid FROM pg_policy WHERE polrelid = r.oid"
        "  UNION ALL SELECT 'pg_statistic_ext'::regclass, oid FROM pg_statistic_ext WHERE stxrelid = r.oid) o"
        " JOIN pg_depend d ON d.classid = o.class AND d.objid = o.oid"
        " LEFT JOIN pg_operator p ON d.refclassid = 'pg_operator'::regclass AND p.oid = d.refobjid"
        " JOIN pg_proc f ON f.oid = CASE d.refclassid WHEN 'pg_proc'::regclass THEN d.refobjid ELSE p.oprcode END"
        " ORDER BY 1",
        {pg::text(pg::view("{" + list + "}"))});
    pg::vector<writer> found;
    for (std::size_t row = 0; row < rows.size(); row++)
        found.push_back({rows.text(row, 0), rows.oid(row, 1), rows.oid(row, 2)});
    return found;
}

std::optional<writer> stranger(const make &of, std::initializer_list<Oid> relations) {
    for (writer &each : writers(relations))
        if (!pg::may_act_as(each.owner, of.owner) && !pg::may_act_as(each.relation_owner, of.owner))
            return std::move(each);
    return std::nullopt;
}

std::optional<writer> stranger(const make &of, const portal &from) {
    if (pg::may_act_as(from.owner, of.owner))
        return std::nullopt;
    return stranger(of, {from.listing, from.customer, from.stat, from.price_state});
}

[[noreturn]] void refuse(const make &of, const writer &found, const pg::string &what, const char *hint) {
    throw error("42501",
                pg::view(pg::format("%s cannot use %s", in_quotes("make", of.name).c_str(), what.c_str())),
                pg::view(pg::format("Code of role \"%s\" in %s would run with the rights of role \"%s\".",
                                    pg::role_name(found.owner).c_str(), found.what.c_str(),
                                    pg::role_name(of.owner).c_str())),
                hint);
}

// The relation of currency rates, which anybody may have named.
Oid rates() {
    pg::catalog_scope as_catalog;
    const pg::result rows =
        pg::query("SELECT COALESCE((SELECT relation FROM etl.rates), to_regclass('raw.currency_rates'))::oid");
    return rows.is_null(0, 0) ? InvalidOid : rows.oid(0, 0);
}

} // namespace

bool trusts(const make &of, const portal &from) {
    return !stranger(of, from);
}

void require_trust(const make &of, const portal &from) {
    if (const std::optional<writer> found = stranger(of, from))
        refuse(of, *found, in_quotes("portal", from.name),
               "Name the make's portals, or have this one added by the make's owner, or over plain tables.");
}

void require_trust(const make &of) {
    if (const std::optional<writer> found = stranger(of, {of.mart}))
        refuse(of, *found, pg::relation_name(of.mart, "mart"),
               "Have the make added by the owner of those functions, or let a role that is trusted own them.");
    if (const std::optional<writer> found = stranger(of, {rates()}))
        refuse(of, *found, "the currency rates", "Name other rates with etl_set_rates.");
}

} // namespace etl::catalog
