// C++ regime: the statements that publish and revert have in common.
#include "mart/swap.hpp"

#include "mart/indexes.hpp"
#include "mart/old.hpp"
#include "mart/privileges.hpp"
#include "mart/publications.hpp"
#include "pg/message.hpp"
#include "pg/transaction.hpp"

namespace etl::mart {

namespace {

// Partitions belong to whom the mart belongs to, where that role may own a table there.
void give_to_owner(const table &mart, const table &what, Oid owner) {
    if (what.owner == owner)
        return;
    const bool may =
        pg::query("SELECT has_schema_privilege($1, $2, 'CREATE')", {pg::oid(owner), pg::text(pg::view(mart.schema))})
            .boolean(0, 0);
    if (may && pg::may_act_as(owner))
        pg::execute("ALTER TABLE " + what.quoted() + " OWNER TO " +
                    pg::quote_identifier(pg::view(pg::role_name(owner))));
}

void carry_row_rights(const table &from, const table &to) {
    const bool guarded = pg::query("SELECT relrowsecurity OR EXISTS (SELECT FROM pg_policy WHERE polrelid = $1)"
                                   " FROM pg_class WHERE oid = $1",
                                   {pg::oid(from.oid)})
                             .boolean(0, 0);
    if (guarded) {
        pg::warning(pg::view(pg::format("row security and privileges of the replaced partition %s are not carried over",
                                        from.quoted().c_str())),
                    "The new partition can be read through the mart only, until you set them anew.");
        return;
    }
    const pg::string lost = carry_privileges(from, to);
    if (!lost.empty())
        pg::warning(pg::view(pg::format("privileges of the replaced partition %s are not carried over whole",
                                        from.quoted().c_str())),
                    pg::view(lost));
}

} // namespace

void lock_table(const table &what) {
    pg::execute("LOCK TABLE ONLY " + what.quoted() + " IN ACCESS EXCLUSIVE MODE");
}

bool lock_table_if_there(const table &what) {
    const std::optional<pg::error_report> failure = pg::in_subtransaction([&] { lock_table(what); });
    if (!failure)
        return true;
    if (std::string_view(failure->sqlstate) != "42P01")
        throw error(failure->sqlstate, pg::view(failure->message), pg::view(failure->detail));
    return false;
}

void lock_mart(const table &mart, bool detaching) {
    pg::execute("LOCK TABLE ONLY " + mart.quoted() + " IN " +
                (detaching ? "ACCESS EXCLUSIVE" : "SHARE UPDATE EXCLUSIVE") + " MODE");
}

pg::string detach_statement(const table &mart, const table &partition) {
    return "ALTER TABLE " + mart.quoted() + " DETACH PARTITION " + partition.quoted();
}

pg::string attach_statement(const table &mart, const table &what, std::string_view portal) {
    return "ALTER TABLE " + mart.quoted() + " ATTACH PARTITION " + what.quoted() + " FOR VALUES IN (" +
           pg::quote_literal(portal) + ")";
}

void bring_in(const table &mart, std::string_view portal, const table &what, std::string_view name,
              const std::optional<table> &replaced) {
    table partition = what;
    partition.name.assign(name.data(), name.size());
    if (partition.name != what.name)
        pg::execute("ALTER TABLE " + what.quoted() + " RENAME TO " + pg::quote_identifier(name));
    pg::execute("ALTER TABLE " + partition.quoted() +
                " RESET (autovacuum_enabled, toast.autovacuum_enabled)"); // off while it was loaded
    pg::execute(attach_statement(mart, partition, portal));
    rename_indexes(mart, partition);

    std::optional<pg::string> comment = replaced ? replaced->comment : std::nullopt;
    if (comment && is_staging_comment(pg::view(*comment)))
        comment.reset(); // of a staging table that somebody attached by hand
    comment_on(partition, comment ? pg::view(*comment)
                                  : pg::view(pg::format("Partition of mart %s for portal %s, built by pg_etl",
                                                        mart.quoted().c_str(), pg::quote_literal(portal).c_str())));
    // Last, so that nothing needs rights that went to another owner.
    give_to_owner(mart, partition, replaced ? replaced->owner : mart.owner);
    if (replaced) {
        table now = read_table(replaced->oid, "replaced partition");
        carry_row_rights(now, partition);
        carry_publications(now, partition);
    }
}

} // namespace etl::mart
