// C++ regime: replaced partitions, kept beside the mart as <partition>_old.
#include "mart/old.hpp"

#include "mart/dependents.hpp"
#include "mart/indexes.hpp"
#include "mart/swap.hpp"
#include "pg/message.hpp"

namespace etl::mart {

namespace {

constexpr std::string_view comment_separator = "\n\n";
constexpr std::string_view former_partition = "Replaced by pg_etl: former partition of mart ";

pg::string for_portal(std::string_view portal) {
    return " for portal " + pg::quote_literal(portal) + ", kept for etl_revert";
}

// A mart that was renamed is known by its portal alone, as long as no other relation has the name.
bool was_set_aside(const table &mart, std::string_view portal, const table &old) {
    if (!old.comment)
        return false;
    std::string_view rest = pg::view(*old.comment);
    if (rest.substr(0, former_partition.size()) != former_partition)
        return false;
    rest.remove_prefix(former_partition.size());
    const pg::string ending = for_portal(portal);
    const std::size_t end = rest.find(pg::view(ending));
    if (end == std::string_view::npos)
        return false;
    const std::string_view after = rest.substr(end + ending.size());
    if (!after.empty() && after.substr(0, comment_separator.size()) != comment_separator)
        return false;
    const std::string_view name = rest.substr(0, end);
    return name == pg::view(mart.quoted()) ||
           pg::query("SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                     " WHERE format('%I.%I', n.nspname, c.relname) = $1",
                     {pg::text(name)})
               .empty();
}

bool is_ours(const table &mart, std::string_view portal, const table &old) {
    return old.kind == 'r' && !old.is_partition && pg::may_act_as(old.owner) && has_portal_constraint(old.oid) &&
           was_set_aside(mart, portal, old);
}

} // namespace

pg::string portal_check(const table &mart, std::string_view portal) {
    // PARTITION BY LIST (portal COLLATE ...) compares by a collation that is not the column's.
    const pg::result rows =
        pg::query("SELECT format(' COLLATE %I.%I', n.nspname, l.collname) FROM pg_partitioned_table p"
                  " JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]"
                  " JOIN pg_collation l ON l.oid = p.partcollation[0] JOIN pg_namespace n ON n.oid = l.collnamespace"
                  " WHERE p.partrelid = $1 AND p.partcollation[0] <> a.attcollation",
                  {pg::oid(mart.oid)});
    const pg::string collation = rows.empty() ? pg::string() : rows.text(0, 0);
    return "CHECK (portal IS NOT NULL AND portal" + collation + " = " + pg::quote_literal(portal) + ")";
}

pg::string portal_constraint_statement(const table &mart, const table &on, std::string_view portal) {
    return pg::format("ALTER TABLE %s ADD CONSTRAINT %s %s", on.quoted().c_str(), portal_constraint,
                      portal_check(mart, portal).c_str());
}

bool has_portal_constraint(Oid table) {
    return !pg::query("SELECT FROM pg_constraint WHERE conrelid = $1 AND contype = 'c' AND conname = $2::name",
                      {pg::oid(table), pg::text(portal_constraint)})
                .empty();
}

pg::string final_name(const table &mart, std::string_view portal, const std::optional<table> &replaced) {
    if (replaced && replaced->schema == mart.schema)
        return replaced->name;
    // Another make's partition may have the name ("a" + "b_c", "a_b" + "c"); partitions are found by bound, never by
    // name.
    return free_name(pg::view(mart.schema), pg::view(partition_name(mart, portal)), "");
}

std::optional<table> find_old(const table &mart, std::string_view portal, std::string_view partition) {
    const pg::string name = old_name(partition);
    for (;;) {
        const Oid found = find_relation(pg::view(mart.schema), pg::view(name));
        if (found == InvalidOid)
            return std::nullopt;
        const std::optional<table> old = find_table(found);
        if (old && is_ours(mart, portal, *old))
            return old;
        // Unless it was dropped while we looked at it.
        if (find_relation(pg::view(mart.schema), pg::view(name)) == found)
            throw error("42P07",
                        pg::view(pg::format("relation %s already exists",
                                            qualified(pg::view(mart.schema), pg::view(name)).c_str())),
                        "The replaced partition is to get this name, and the relation is not one that pg_etl left"
                        " there.",
                        "Drop or rename it.");
    }
}

bool lock_old(const table &mart, std::string_view portal, std::string_view partition, const table &old) {
    if (!lock_table_if_there(old))
        return false;
    const std::optional<table> now = find_old(mart, portal, partition);
    return now && now->oid == old.oid;
}

void dispose_old(const table &old) {
    const pg::string dependents = list_foreign_dependents(old.oid);
    if (dependents.empty()) {
        pg::execute("DROP TABLE " + old.quoted());
        return;
    }
    const pg::string aside = free_name(pg::view(old.schema), pg::view(old.name), "_kept");
    pg::execute("ALTER TABLE " + old.quoted() + " RENAME TO " + pg::quote_identifier(pg::view(aside)));
    pg::warning(pg::view(pg::format("replaced partition %s is kept as \"%s\" because other objects depend on it",
                                    old.quoted().c_str(), aside.c_str())),
                pg::view(dependents));
}

void set_aside(const table &mart, std::string_view portal, const table &replaced, std::string_view partition) {
    const pg::string dependents = list_foreign_dependents(replaced.oid);
    const pg::string name = old_name(partition);
    if (!dependents.empty())
        pg::warning(pg::view(pg::format("objects that depend on partition %s itself stay with it as \"%s\"",
                                        replaced.quoted().c_str(), name.c_str())),
                    pg::view(dependents));

    pg::execute("ALTER TABLE " + mart.quoted() + " DETACH PARTITION " + replaced.quoted());
    rename_indexes_old(replaced);
    pg::execute("ALTER TABLE " + replaced.quoted() + " RENAME TO " + pg::quote_identifier(pg::view(name)));
    table old = replaced;
    old.name = name;
    if (old.schema != mart.schema) {
        pg::execute("ALTER TABLE " + old.quoted() + " SET SCHEMA " + pg::quote_identifier(pg::view(mart.schema)));
        old.schema = mart.schema;
    }
    // A partition that we did not make has no mark yet. Its rows are checked when etl_revert brings it back.
    if (!has_portal_constraint(old.oid))
        pg::execute(portal_constraint_statement(mart, old, portal) + " NOT VALID");
    pg::string comment(former_partition.data(), former_partition.size());
    comment += mart.quoted() + for_portal(portal);
    if (replaced.comment)
        comment.append(comment_separator.data(), comment_separator.size()).append(*replaced.comment);
    comment_on(old, pg::view(comment));
}

std::optional<pg::string> comment_before(const table &old) {
    if (!old.comment)
        return std::nullopt;
    if (old.comment->compare(0, 19, "Replaced by pg_etl:") != 0)
        return old.comment;
    const std::size_t end = old.comment->find(comment_separator.data(), 0, comment_separator.size());
    if (end == pg::string::npos)
        return std::nullopt;
    return old.comment->substr(end + comment_separator.size());
}

} // namespace etl::mart
