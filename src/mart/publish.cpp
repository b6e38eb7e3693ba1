// C++ regime: the swap, for all portals at once.
#include "mart/mart.hpp"

#include "mart/indexes.hpp"
#include "mart/old.hpp"
#include "mart/swap.hpp"

namespace etl::mart {

namespace {

struct step {
    pg::string portal;
    table staging;
    std::optional<table> replaced;
    pg::string name; // of the partition to be
    std::optional<table> old;
};

pg::vector<step> plan(const table &mart, const pg::vector<partition> &partitions) {
    pg::vector<step> steps;
    for (const partition &each : partitions) {
        const table staging = read_table(each.staging, "staging table");
        if (staging.is_partition)
            throw error("55000", pg::view(pg::format("table %s is a partition already", staging.quoted().c_str())),
                        "The run seems to have been published before.");
        const std::optional<table> replaced = find_replaceable(mart, pg::view(each.portal));
        const pg::string name = final_name(mart, pg::view(each.portal), replaced);
        steps.push_back({each.portal, staging, replaced, name, find_old(mart, pg::view(each.portal), pg::view(name))});
    }
    // One order of locks for everybody.
    std::sort(steps.begin(), steps.end(), [](const step &a, const step &b) { return a.portal < b.portal; });
    return steps;
}

bool replaces_any(const pg::vector<step> &steps) {
    return std::any_of(steps.begin(), steps.end(), [](const step &each) { return each.replaced.has_value(); });
}

} // namespace

pg::string publish_statement(Oid mart_oid, const pg::vector<pg::string> &portals, std::int64_t run) {
    pinned_settings settings;
    const table mart = read_table(mart_oid, "mart");
    pg::string statements;
    for (const pg::string &portal : portals) {
        table staging = mart;
        staging.name = staging_name(mart, pg::view(portal), run);
        const std::optional<held_partition> replaced = find_partition(mart, pg::view(portal));
        if (replaced)
            statements += detach_statement(mart, replaced->partition) + "; ";
        statements += attach_statement(mart, staging, pg::view(portal)) + "; ";
    }
    if (!statements.empty())
        statements.erase(statements.size() - 2);
    return statements;
}

void publish(Oid mart_oid, const pg::vector<partition> &partitions) {
    pinned_settings settings;
    table mart = read_table(mart_oid, "mart");
    pg::vector<step> steps = plan(mart, partitions);

    // What readers of the mart have no part in is locked first, so that they don't wait for that too.
    for (const step &each : steps) {
        lock_table(each.staging);
        if (each.old)
            (void)lock_old(mart, pg::view(each.portal), pg::view(each.name), *each.old);
    }
    lock_mart(mart, replaces_any(steps));
    // From here on no partition comes or goes, so what is found now is what will be swapped.
    mart = read_table(mart_oid, "mart");
    steps = plan(mart, partitions);
    if (replaces_any(steps))
        lock_mart(mart, true);
    for (const step &each : steps)
        if (each.replaced)
            lock_table(*each.replaced);
    for (step &each : steps)
        while (each.old && !lock_old(mart, pg::view(each.portal), pg::view(each.name), *each.old))
            each.old = find_old(mart, pg::view(each.portal), pg::view(each.name));

    for (const step &each : steps) {
        if (each.old)
            dispose_old(*each.old);
        if (each.replaced)
            set_aside(mart, pg::view(each.portal), *each.replaced, pg::view(each.name));
        bring_in(mart, pg::view(each.portal), each.staging, pg::view(each.name), each.replaced);
    }
}

} // namespace etl::mart
