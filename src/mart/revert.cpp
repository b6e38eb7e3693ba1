// C++ regime: back to the replaced partitions, or good-bye to them.
#include "mart/mart.hpp"

#include "mart/indexes.hpp"
#include "mart/old.hpp"
#include "mart/swap.hpp"

namespace etl::mart {

namespace {

struct step {
    pg::string portal;
    table current;
    table old;
};

pg::vector<step> plan(const table &mart, const pg::vector<pg::string> &portals) {
    pg::vector<step> steps;
    pg::string missing;
    for (const pg::string &portal : portals) {
        const std::optional<table> current = find_replaceable(mart, pg::view(portal));
        const std::optional<table> old = current ? find_old(mart, pg::view(portal), pg::view(current->name)) : std::nullopt;
        if (old)
            steps.push_back({portal, *current, *old});
        else
            missing += pg::format("%sPortal %s has no replaced partition.", missing.empty() ? "" : "\n",
                                  pg::quote_literal(pg::view(portal)).c_str());
    }
    if (!missing.empty())
        throw error("55000", pg::view(pg::format("mart %s cannot be reverted", mart.quoted().c_str())),
                    pg::view(missing),
                    "There is nothing to go back to after a first seed, after etl_forget_old, or where the tables were"
                    " renamed.");
    std::sort(steps.begin(), steps.end(), [](const step &a, const step &b) { return a.portal < b.portal; });
    return steps;
}

// All that attaching would do under the mart's lock is done before.
void make_ready(const table &mart, const step &each) {
    lock_table(each.old);
    pg::execute(pg::format("ALTER TABLE %s VALIDATE CONSTRAINT %s", each.old.quoted().c_str(), portal_constraint));
    build_missing_indexes(mart, each.old, pg::view(each.old.name), "");
}

void swap(const table &mart, const step &each) {
    const table &current = each.current;
    // The name is free for a moment only, in this transaction.
    table aside = each.old;
    aside.name = free_name(pg::view(mart.schema), pg::view(current.name), "_swap");
    pg::execute("ALTER TABLE " + each.old.quoted() + " RENAME TO " + pg::quote_identifier(pg::view(aside.name)));
    const pg::vector<renamed_index> indexes = unname_indexes_old(aside);
    set_aside(mart, pg::view(each.portal), current, pg::view(current.name));
    finish_renaming(aside, indexes);
    table replaced = current;
    replaced.comment = comment_before(each.old);
    bring_in(mart, pg::view(each.portal), aside, pg::view(current.name), replaced);
}

} // namespace

void revert(Oid mart_oid, const pg::vector<pg::string> &portals) {
    pinned_settings settings;
    table mart = read_table(mart_oid, "mart");
    for (const step &each : plan(mart, portals))
        make_ready(mart, each);
    lock_mart(mart, true);
    mart = read_table(mart_oid, "mart");
    const pg::vector<step> steps = plan(mart, portals);
    for (const step &each : steps)
        lock_table(each.current);
    for (const step &each : steps)
        swap(mart, each);
}

int forget_old(Oid mart_oid, const pg::vector<pg::string> &portals) {
    pinned_settings settings;
    const table mart = read_table(mart_oid, "mart");
    int dropped = 0;
    for (const pg::string &portal : portals) {
        const std::optional<held_partition> current = find_partition(mart, pg::view(portal));
        const pg::string name = current ? current->partition.name : partition_name(mart, pg::view(portal));
        const std::optional<table> old = find_old(mart, pg::view(portal), pg::view(name));
        if (old && lock_old(mart, pg::view(portal), pg::view(name), *old)) {
            pg::execute("DROP TABLE " + old->quoted());
            dropped++;
        }
    }
    return dropped;
}

} // namespace etl::mart
