// C++ regime: the table that a run fills for one portal, until it is attached.
#include "mart/mart.hpp"

#include "mart/old.hpp"
#include "mart/swap.hpp"

namespace etl::mart {

namespace {

// Default privileges could show a half-loaded table to others.
void revoke_from_others(const table &staging) {
    const pg::result rows =
        pg::query("SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END"
                  " FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = $1 AND a.grantee <> c.relowner",
                  {pg::oid(staging.oid)});
    for (std::size_t row = 0; row < rows.size(); row++)
        pg::execute("REVOKE ALL ON " + staging.quoted() + " FROM " + rows.text(row, 0));
}

// ATTACH would refuse, after all the loading, a portal whose rows lie in the default partition.
void require_none_in_default(const table &mart, std::string_view portal) {
    const pg::result rows = pg::query("SELECT partdefid::oid FROM pg_partitioned_table WHERE partrelid = $1"
                                      " AND partdefid <> 0",
                                      {pg::oid(mart.oid)});
    if (rows.empty())
        return;
    const table fallback = read_table(rows.oid(0, 0), "default partition");
    if (!pg::query("SELECT FROM " + fallback.quoted() + " WHERE portal = " + pg::quote_literal(portal) + " LIMIT 1")
             .empty())
        throw error(
            "55000",
            pg::view(pg::format("default partition %s of mart %s holds rows of portal %s", fallback.quoted().c_str(),
                                mart.quoted().c_str(), pg::quote_literal(portal).c_str())),
            "A partition for the portal cannot be attached beside them.",
            "Move them into a partition of their own, or delete them.");
}

bool is_droppable(const table &what) {
    return what.kind == 'r' && !what.is_partition && what.comment && is_staging_comment(pg::view(*what.comment)) &&
           pg::may_act_as(what.owner);
}

} // namespace

Oid create_staging(Oid mart_oid, std::string_view portal, std::int64_t run) {
    pinned_settings settings;
    const table mart = read_table(mart_oid, "mart");
    require_owner(mart);
    // What would stop publish is better known before the loading than after it.
    const std::optional<table> replaced = find_replaceable(mart, portal);
    if (!replaced)
        require_none_in_default(mart, portal);
    (void)find_old(mart, portal, pg::view(final_name(mart, portal, replaced)));

    table staging = mart;
    staging.name = staging_name(mart, portal, run);
    if (const Oid present = find_relation(pg::view(staging.schema), pg::view(staging.name)); present != InvalidOid)
        drop_staging(present); // left by a run that a dump did not carry, whose number this one has
    if (find_relation(pg::view(staging.schema), pg::view(staging.name)) != InvalidOid)
        throw error(
            "42P07", pg::view(pg::format("relation %s already exists", staging.quoted().c_str())),
            pg::view(pg::format("It has the name of the staging table of run %lld.", static_cast<long long>(run))),
            "Drop or rename it.");
    pg::string statement = "CREATE TABLE " + staging.quoted() + " (LIKE " + mart.quoted() +
                           " INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE"
                           " INCLUDING COMPRESSION INCLUDING COMMENTS) USING heap"
                           " WITH (autovacuum_enabled = off, toast.autovacuum_enabled = off)";
    if (!mart.tablespace.empty())
        statement += " TABLESPACE " + pg::quote_identifier(pg::view(mart.tablespace));
    pg::execute(statement);
    // While the table is empty: rows are checked as they come, and never looked at again for it.
    pg::execute(portal_constraint_statement(mart, staging, portal));
    staging.oid = find_relation(pg::view(staging.schema), pg::view(staging.name));
    revoke_from_others(staging);
    comment_on(staging, pg::view(staging_comment(mart, portal, run)));
    return staging.oid;
}

bool drop_staging(Oid staging_oid) {
    pinned_settings settings;
    // Publishing takes the comment away, so neither a partition nor what a later run replaced by another is dropped.
    const std::optional<table> staging = find_table(staging_oid);
    if (!staging || !is_droppable(*staging) || !lock_table_if_there(*staging))
        return false;
    const std::optional<table> now = find_table(staging_oid);
    if (!now || !is_droppable(*now) || now->quoted() != staging->quoted())
        return false;
    pg::execute("DROP TABLE " + now->quoted());
    return true;
}

} // namespace etl::mart
