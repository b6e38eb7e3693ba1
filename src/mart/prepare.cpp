// C++ regime: the mart that a name stands for: made, replaced or taken over.
#include "mart/mart.hpp"

#include "mart/create.hpp"
#include "mart/replace_plain_table.hpp"
#include "pg/foreign_code.hpp"

namespace etl::mart {

namespace {

const char *kind_name(char kind) {
    switch (kind) {
    case 'v':
        return "a view";
    case 'm':
        return "a materialized view";
    case 'f':
        return "a foreign table";
    case 'S':
        return "a sequence";
    case 'c':
        return "a composite type";
    case 'i':
    case 'I':
        return "an index";
    default:
        return "no table";
    }
}

void require_kind(const table &mart) {
    if (mart.kind != 'r' && mart.kind != 'p')
        throw error(
            "42809", pg::view(pg::format("%s cannot be a mart", mart.quoted().c_str())),
            pg::view(pg::format("It is %s.", kind_name(mart.kind))),
            "A mart is a table partitioned by LIST (portal); name a table that does not exist to have one made.");
    if (mart.persistence == 't')
        throw error("0A000", pg::view(pg::format("temporary table %s cannot be a mart", mart.quoted().c_str())),
                    "Workers in other sessions could not fill it.", "Name a permanent table.");
    if (mart.persistence == 'u')
        throw error("0A000", pg::view(pg::format("unlogged table %s cannot be a mart", mart.quoted().c_str())),
                    "A crash would empty it, while its chunks still counted as done.",
                    pg::view(pg::format("Run ALTER TABLE %s SET LOGGED.", mart.quoted().c_str())));
    if (mart.is_partition)
        throw error("0A000", pg::view(pg::format("partition %s cannot be a mart", mart.quoted().c_str())),
                    "A mart's own partitions could not be swapped without locking the table above it.",
                    "Name the partitioned table, if that is partitioned by LIST (portal).");
    require_owner(mart);
    const Oid relation = mart.oid, role = pg::current_role();
    const pg::foreign_code found =
        pg::call([=] { return pg::find_foreign_code(&relation, 1, role, pg::code_of::reading_and_triggers); });
    if (found.what)
        throw error("42501", pg::view(pg::format("table %s cannot be a mart of role \"%s\"", mart.quoted().c_str(),
                                                 pg::role_name(role).c_str())),
                    pg::view(pg::format("Code of role \"%s\" in %s would run with the rights of role \"%s\".",
                                        pg::role_name(found.owner).c_str(), found.what, pg::role_name(role).c_str())),
                    pg::view(pg::format("Look at it, then run ALTER TABLE %s OWNER TO %s; or drop it.",
                                        mart.quoted().c_str(),
                                        pg::quote_identifier(pg::view(pg::role_name(role))).c_str())));
}

void take_over(const table &mart) {
    if (pg::query("SELECT FROM pg_partitioned_table p JOIN pg_attribute a ON a.attrelid = p.partrelid"
                  " WHERE p.partrelid = $1 AND p.partstrat = 'l' AND p.partnatts = 1 AND a.attnum = p.partattrs[0]"
                  " AND a.attname = 'portal'",
                  {pg::oid(mart.oid)})
            .empty())
        throw error("42809",
                    pg::view(pg::format("table %s is not partitioned by LIST (portal)", mart.quoted().c_str())),
                    pg::view("It is partitioned by " +
                             pg::query("SELECT pg_get_partkeydef($1)", {pg::oid(mart.oid)}).text(0, 0) + "."),
                    "Name another table, or one that does not exist to have it made.");
    const pg::result references =
        pg::query("SELECT format('constraint %I on table %s', conname, conrelid::regclass) FROM pg_constraint"
                  " WHERE confrelid = $1 AND contype = 'f' AND conparentid = 0 ORDER BY 1",
                  {pg::oid(mart.oid)});
    if (!references.empty())
        throw error(
            "2BP01",
            pg::view(pg::format("table %s cannot be a mart because foreign keys refer to it", mart.quoted().c_str())),
            pg::view(references.text(0, 0) + " depends on it."),
            "Drop the foreign key: partitions whose rows are referenced cannot be swapped.");
}

} // namespace

Oid prepare(std::string_view name, std::optional<Oid> view) {
    const qualified_name parsed = parse_name(name); // by the caller's search_path
    pinned_settings settings;
    const pg::string mart = qualified(pg::view(parsed.schema), pg::view(parsed.name));

    // Another session may replace or drop the table before our lock is granted, so we look again until it is the same.
    for (;;) {
        const Oid found = find_relation(pg::view(parsed.schema), pg::view(parsed.name));
        if (found == InvalidOid) {
            if (!view)
                throw error("55000", pg::view(pg::format("mart %s does not exist", mart.c_str())),
                            "Its columns are those of a source view, and the make has no portal yet.",
                            "Add a portal with etl_add_portal first, or create the table yourself.");
            return create_mart(parsed, *view);
        }
        const table existing = read_table(found, "mart");
        require_kind(existing);
        if (existing.kind == 'p') {
            take_over(existing);
            return found;
        }
        refuse_rows_unlocked(existing); // a table in use need not feel our lock
        pg::execute("LOCK TABLE ONLY " + mart + " IN ACCESS EXCLUSIVE MODE");
        if (find_relation(pg::view(parsed.schema), pg::view(parsed.name)) == found)
            return replace_plain_table(read_table(found, "mart"));
    }
}

} // namespace etl::mart
