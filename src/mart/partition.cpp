// C++ regime: the partition that holds a portal.
#include "mart/partition.hpp"

namespace etl::mart {

namespace {

// FOR VALUES IN ('mobile'): a comma outside of quotes parts two values.
bool has_one_value(const pg::string &bound) {
    bool quoted = false;
    for (const char c : bound) {
        if (c == '\'')
            quoted = !quoted;
        else if (c == ',' && !quoted)
            return false;
    }
    return true;
}

} // namespace

std::optional<held_partition> find_partition(const table &mart, std::string_view portal) {
    // The type by its bare name: character would be character(1), and a modifier would cut the value.
    const pg::result key = pg::query(
        "SELECT format('%I.%I', s.nspname, t.typname), CASE WHEN l.oid IS NULL THEN '' ELSE"
        " format(' COLLATE %I.%I', n.nspname, l.collname) END FROM pg_attribute a"
        " JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace s ON s.oid = t.typnamespace"
        " LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_namespace n ON n.oid = l.collnamespace"
        " WHERE a.attrelid = $1 AND a.attname = 'portal'",
        {pg::oid(mart.oid)});
    if (key.empty())
        throw error("42703", pg::view(pg::format("mart %s has no column \"portal\"", mart.quoted().c_str())));
    const pg::string value = pg::quote_literal(portal) + "::" + key.text(0, 0) + key.text(0, 1);

    const pg::result rows =
        pg::query("SELECT i.inhrelid::oid, pg_get_partition_constraintdef(i.inhrelid), i.inhdetachpending,"
                  " pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
                  " WHERE i.inhparent = $1 AND pg_get_expr(c.relpartbound, c.oid) <> 'DEFAULT' ORDER BY 1",
                  {pg::oid(mart.oid)});
    for (std::size_t row = 0; row < rows.size(); row++) {
        // The constraint is PostgreSQL's own expression over the column, so it knows the type's equality.
        if (pg::query(
                pg::format("SELECT %s FROM (SELECT %s AS portal) AS bound", rows.text(row, 1).c_str(), value.c_str()))
                .boolean(0, 0))
            return held_partition{read_table(rows.oid(row, 0), "partition"), has_one_value(rows.text(row, 3)),
                                  rows.boolean(row, 2)};
    }
    return std::nullopt;
}

std::optional<table> find_replaceable(const table &mart, std::string_view portal) {
    const std::optional<held_partition> found = find_partition(mart, portal);
    if (!found)
        return std::nullopt;
    const table &partition = found->partition;
    const pg::string message = pg::format("partition %s cannot be replaced", partition.quoted().c_str());
    if (found->pending)
        throw error("55000", pg::view(message), "Its detaching was broken off.",
                    pg::view(pg::format("Run ALTER TABLE %s DETACH PARTITION %s FINALIZE.", mart.quoted().c_str(),
                                        partition.quoted().c_str())));
    if (!found->alone)
        throw error("55000", pg::view(message),
                    pg::view(pg::format("It holds other values than %s.", pg::quote_literal(portal).c_str())),
                    "Split it: detach it, and attach a table for each portal.");
    if (partition.kind != 'r')
        throw error("55000", pg::view(message),
                    partition.kind == 'p' ? "It is itself partitioned." : "It is not an ordinary table.",
                    "Detach it, or move its rows into an ordinary table that is attached for this portal alone.");
    require_owner(partition);
    return partition;
}

} // namespace etl::mart
