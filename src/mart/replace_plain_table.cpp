// C++ regime: an empty plain table becomes a partitioned one.
#include "mart/replace_plain_table.hpp"

#include "mart/create.hpp"
#include "mart/obstacles.hpp"
#include "mart/old_indexes.hpp"
#include "mart/privileges.hpp"
#include "pg/transaction.hpp"

namespace etl::mart {

namespace {

void require_key_columns(const table &old) {
    for (const char *name : {"lid", "portal"})
        if (pg::query("SELECT FROM pg_attribute WHERE attrelid = $1 AND attname = $2::name AND attnum > 0"
                      " AND NOT attisdropped",
                      {pg::oid(old.oid), pg::text(name)})
                .empty())
            throw error("42703", pg::view(pg::format("table %s has no column \"%s\"", old.quoted().c_str(), name)),
                        "A mart is keyed by lid and partitioned by portal.");
}

// LIKE copies columns with types, collations, NOT NULL, defaults, generated expressions, checks, storage, compression
// and the comments on all these; it translates expressions as trees, not as text.
void create_like(const table &old, const table &made) {
    pg::string statement = "CREATE TABLE " + made.quoted() + " (LIKE " + old.quoted() +
                           " INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE"
                           " INCLUDING COMPRESSION INCLUDING COMMENTS) PARTITION BY LIST (portal)";
    if (!old.tablespace.empty())
        statement += " TABLESPACE " + pg::quote_identifier(pg::view(old.tablespace));
    pg::execute(statement);
}

void carry_owner(const table &old, const table &made) {
    if (made.owner != old.owner)
        pg::execute("ALTER TABLE " + made.quoted() + " OWNER TO " +
                    pg::quote_identifier(pg::view(pg::role_name(old.owner))));
}

bool holds_rows(const table &mart) {
    return !pg::query("SELECT FROM ONLY " + mart.quoted() + " LIMIT 1").empty();
}

[[noreturn]] void refuse_rows(const table &mart) {
    throw error("55000",
                pg::view(pg::format("table %s holds rows and is not partitioned by portal", mart.quoted().c_str())),
                "Only an empty table can be replaced by a partitioned one.",
                "Move the rows away (a seed loads them anew), or name another table.");
}

// The caller holds the table's lock.
void require_empty(const table &mart) {
    if (holds_rows(mart))
        refuse_rows(mart);
    // A snapshot taken before the lock does not see rows that were committed since.
    if (pg::query("SELECT current_setting('transaction_isolation') <> 'read committed' AND pg_relation_size($1) > 0",
                  {pg::oid(mart.oid)})
            .boolean(0, 0))
        throw error(
            "55000",
            pg::view(pg::format("table %s may hold rows that this transaction cannot see", mart.quoted().c_str())),
            "Its file is not empty, and the transaction is not READ COMMITTED.",
            "Use READ COMMITTED, or TRUNCATE the table before.");
}

} // namespace

void refuse_rows_unlocked(const table &mart) {
    bool found = false;
    // Rolled back for the lock of the SELECT: two sessions that both held it would wait for each other's.
    (void)pg::in_subtransaction([&] {
        found = holds_rows(mart);
        throw error("55000", "looked without keeping a lock");
    });
    if (found)
        refuse_rows(mart);
}

Oid replace_plain_table(const table &old) {
    require_empty(old);
    require_key_columns(old);
    refuse_obstacles(old);

    const pg::vector<old_index> indexes = read_indexes(old.oid);
    table made = old;
    made.name = free_name(pg::view(old.schema), pg::view(old.name), "_partitioned");
    create_like(old, made);
    made = read_table(find_relation(pg::view(made.schema), pg::view(made.name)), "mart");
    carry_owner(old, made);
    const pg::string lost = carry_privileges(old, made);
    if (!lost.empty())
        throw error("0A000",
                    pg::view(pg::format("privileges on table %s cannot be carried over", old.quoted().c_str())),
                    pg::view(lost), "Let these roles revoke them, and grant them anew on the mart.");
    comment_on(made, old.comment ? pg::view(*old.comment) : std::string_view(mart_comment));

    // Without CASCADE: PostgreSQL's own check that nothing was overlooked.
    pg::execute("DROP TABLE " + old.quoted());
    pg::execute("ALTER TABLE " + made.quoted() + " RENAME TO " + pg::quote_identifier(pg::view(old.name)));
    made.name = old.name;
    for (const old_index &each : indexes)
        create_index(each, made);
    return made.oid;
}

} // namespace etl::mart
