// C++ regime: guarded calls of what source_query.hpp offers.
#include "plan/source.hpp"

#include "pg/guard.hpp"
#include "pg/identity.hpp"
#include "plan/source_query.hpp"

extern "C" {
#include "access/relation.h"
#include "utils/snapmgr.h"
}

namespace etl::plan {

pg::string source_sql(Oid view, Oid target, const lid_range &range, bool of_lids) {
    key_bounds bounds = bounds_of(range);
    bounds.of_lids = of_lids;
    // A plan may have many chunks, and a query's tree is far larger than its text.
    pg::owned_context scratch("etl source query");
    const char *text = [&] {
        pg::memory_switch to_scratch(scratch.get());
        return pg::call([=] { return source_query_text(view, target, bounds); });
    }();
    return pg::string(text);
}

chunk_outlook look_at_chunk(Oid view, Oid target) {
    pg::settings_scope kept; // planning calls functions of constants, and functions may change settings
    // The range does not matter for the width, but makes the plan a cheap one to find.
    const key_bounds bounds = bounds_of({0, 1});
    pg::owned_context scratch("etl source query");
    const join::planned found = [&] {
        pg::memory_switch to_scratch(scratch.get());
        return pg::call([=] {
            const Relation columns = open_planned(target, AccessShareLock, "mart");
            Query *query = source_query(view, columns, bounds, row_shape::given);
            ::relation_close(columns, NoLock);
            const bool pushed = !::ActiveSnapshotSet();
            if (pushed)
                ::PushActiveSnapshot(::GetTransactionSnapshot());
            const join::planned planned = plan_source_query(query, "pg_etl: plan a chunk");
            if (pushed)
                ::PopActiveSnapshot();
            return planned;
        });
    }();
    constexpr int header = 28;
    pg::string join = found.obstacle ? pg::format("no key join: %s", found.obstacle) : pg::string("key join");
    // It is to stand in a comment, whatever the names in it.
    std::replace(join.begin(), join.end(), '*', '?');
    return {static_cast<double>(found.plan->planTree->plan_width + header), std::move(join)};
}

} // namespace etl::plan
