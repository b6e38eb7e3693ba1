// C++ regime: the vacuum task of a sync: autovacuum may be off, or late, for tables that a sync changes a little every
// day.
#include "run/work.hpp"

#include "pg/extension.hpp"
#include "pg/identity.hpp"
#include "pg/message.hpp"
#include "pg/transaction.hpp"
#include "pg/vacuum.hpp"
#include "run/meter.hpp"

namespace etl::run {

namespace {

// Dead versions of rows that are worth a vacuum: of as many rows as the partition has, and in any case.
constexpr double worth_share = 0.03;
constexpr int worth_at_least = 100;

struct litter {
    Oid partition;
    std::int64_t dead;
};

std::optional<litter> litter_of(Oid partition) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        pg::kept(pg::format("SELECT e.dead FROM etl.partition e JOIN pg_catalog.pg_class c ON c.oid = e.relation"
                            " WHERE e.relation = $1 AND e.dead > GREATEST(%d, %g * c.reltuples)",
                            worth_at_least, worth_share)),
        {pg::regclass(partition)});
    if (rows.empty())
        return std::nullopt;
    return litter{partition, rows.int8(0, 0)};
}

// What syncs have left behind in the partition of the portal, where that is worth a vacuum and the owner may.
std::optional<litter> find_litter(const assignment &duty, const pg::string &portal) {
    const Oid partition = [&] {
        pg::catalog_scope as_catalog;
        return pg::query("SELECT staging::oid FROM etl.run_portal WHERE run_id = $1 AND portal = $2",
                         {pg::int8(duty.run.run_id), pg::text(pg::view(portal))})
            .oid(0, 0);
    }();
    const std::optional<litter> found = litter_of(partition);
    if (found && !pg::may_vacuum(found->partition)) {
        pg::log(pg::view(pg::format("run " INT64_FORMAT ": role \"%s\" may not vacuum %s, which has " INT64_FORMAT
                                    " dead rows",
                                    duty.run.run_id, pg::role_name(pg::current_role()).c_str(),
                                    pg::relation_name(found->partition, "partition").c_str(), found->dead)));
        return std::nullopt;
    }
    return found;
}

template <class F> void in_its_own_transaction(F &&f, pg::snapshot_mode snapshot = pg::snapshot_mode::taken) {
    if (const std::optional<pg::error_report> report = pg::in_transaction("vacuum", f, snapshot))
        throw error(report->sqlstate, pg::view(report->message), pg::view(report->detail));
}

} // namespace

bool is_littered(Oid partition) {
    return litter_of(partition).has_value();
}

void perform_vacuum(const assignment &duty, const task &todo) {
    const meter spent;
    std::optional<litter> found;
    in_its_own_transaction([&] {
        pg::lock_extension();
        found = find_litter(duty, *todo.portal);
    });
    if (found)
        in_its_own_transaction([&] { pg::vacuum(found->partition); }, pg::snapshot_mode::none);
    in_its_own_transaction([&] {
        pg::lock_extension();
        if (found) {
            pg::catalog_scope as_catalog;
            pg::execute("UPDATE etl.partition SET dead = GREATEST(dead - $2, 0) WHERE relation = $1",
                        {pg::regclass(found->partition), pg::int8(found->dead)});
        }
        mark_done(duty.run, todo, {spent.costs(std::nullopt)});
    });
}

} // namespace etl::run
