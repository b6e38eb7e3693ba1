// PG regime: may ereport, so no local here needs a destructor.
#include "sync/compare.hpp"

#include "function/rates.hpp"
#include "function/row_digest.hpp"
#include "plan/source_query.hpp"
#include "sync/sorted_rows.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "tcop/tcopprot.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

#include <algorithm>

namespace etl::sync {

namespace {

struct work {
    const comparison *wanted;
    sorted_rows fresh, held;
    const function::row_digester *digester;
    differences found;
};

ParamListInfo parameters_of(const comparison &wanted) {
    if (!wanted.bounds.of_lids)
        return nullptr;
    const ParamListInfo made = ::makeParamList(1);
    made->params[0] = {wanted.lids, false, PARAM_FLAG_CONST, INT8ARRAYOID};
    return made;
}

PlannedStmt *plan_fresh(const comparison &wanted, ParamListInfo parameters) {
    const Relation partition = plan::open_planned(wanted.partition, AccessShareLock, "partition");
    Query *query = plan::source_query(wanted.view, partition, wanted.bounds, plan::row_shape::given);
    ::relation_close(partition, NoLock);
    return plan::plan_source_query(query, "pg_etl: rows of the source view", parameters).plan;
}

PlannedStmt *plan_held(const comparison &wanted, ParamListInfo parameters) {
    const Oid type = INT8ARRAYOID;
    RawStmt *parsed = linitial_node(RawStmt, ::pg_parse_query(wanted.held));
    List *rewritten = ::pg_analyze_and_rewrite_fixedparams(parsed, wanted.held, &type, parameters ? 1 : 0, nullptr);
    return ::pg_plan_query(linitial_node(Query, rewritten), wanted.held, 0, parameters);
}

bool are_equal(const sorted_rows &fresh, const sorted_rows &held) {
    for (int i = 0; i < fresh.columns->natts; i++) {
        const FormData_pg_attribute *column = TupleDescAttr(fresh.columns, i);
        const bool is_null = fresh.row->tts_isnull[i];
        if (is_null != held.row->tts_isnull[i] ||
            (!is_null &&
             !::datum_image_eq(fresh.row->tts_values[i], held.row->tts_values[i], column->attbyval, column->attlen)))
            return false;
    }
    return true;
}

std::uint64_t digest_of(const work &self, const sorted_rows &side) {
    return function::digest_row(self.digester, side.row->tts_values, side.row->tts_isnull);
}

range_change &change_of(work &self, std::int64_t lid) {
    const std::int64_t *first = self.wanted->ranges, *end = first + self.wanted->range_count;
    return self.found.changes[std::upper_bound(first, end, lid) - first];
}

void add_gone(work &self, range_change &change) {
    change.gone++;
    change.digest -= digest_of(self, self.held);
}

// The row that the view gives now. Where all rows of the range are looked at, it is of those that are counted.
void add_fresh(work &self, range_change *change) {
    const bool all = !self.wanted->bounds.of_lids;
    if (!all && !change)
        return;
    const std::uint64_t digest = digest_of(self, self.fresh);
    if (all) {
        self.found.rows++;
        self.found.digest += digest;
    }
    if (change) {
        change->come++;
        change->digest += digest;
    }
}

void store(Tuplestorestate *rows, std::int64_t &count, const sorted_rows &side) {
    ::tuplestore_puttupleslot(rows, side.row);
    count++;
}

void compare_pair(work &self, std::int64_t lid) {
    const bool equal = are_equal(self.fresh, self.held);
    range_change *change = equal ? nullptr : &change_of(self, lid);
    add_fresh(self, change);
    if (equal)
        return;
    add_gone(self, *change);
    if (self.wanted->anew) {
        store(self.found.gone, self.found.gone_count, self.held);
        store(self.found.came, self.found.came_count, self.fresh);
    } else {
        store(self.found.changed, self.found.changed_count, self.fresh);
    }
    self.found.lids++;
}

// The rows of both sides that have been come to are of the lid, if there are any, and those that follow may be.
void replace_all(work &self, std::int64_t lid, bool has_fresh, bool has_held) {
    range_change &change = change_of(self, lid);
    for (bool more = has_fresh; more; more = next_of(self.fresh, lid)) {
        add_fresh(self, &change);
        store(self.found.came, self.found.came_count, self.fresh);
    }
    for (bool more = has_held; more; more = next_of(self.held, lid))
        add_gone(self, change);
    if (has_held)
        store(self.found.gone, self.found.gone_count, self.held);
    self.found.lids++;
}

Tuplestorestate *make_store() {
    return ::tuplestore_begin_heap(false, false, work_mem);
}

} // namespace

sides plan_sides(const comparison &wanted) {
    function::lock_rates();
    const ParamListInfo parameters = parameters_of(wanted);
    ::PushActiveSnapshot(::GetTransactionSnapshot());
    const sides planned{plan_fresh(wanted, parameters), plan_held(wanted, parameters), parameters};
    ::PopActiveSnapshot();
    return planned;
}

differences compare(const comparison &wanted, const sides &planned, Snapshot snapshot) {
    work self{};
    self.wanted = &wanted;
    self.found.gone = make_store();
    self.found.changed = make_store();
    self.found.came = make_store();
    self.found.changes = static_cast<range_change *>(::palloc0(sizeof(range_change) * (wanted.range_count + 1)));
    self.fresh = sort_rows(planned.fresh, planned.parameters, snapshot);
    self.held = sort_rows(planned.held, planned.parameters, snapshot);
    self.found.given = self.fresh.columns;
    self.digester = function::create_row_digester(self.fresh.columns, nullptr);
    std::int64_t lid;
    while (least_lid(self.fresh, self.held, lid)) {
        CHECK_FOR_INTERRUPTS();
        const bool has_fresh = next_of(self.fresh, lid), has_held = next_of(self.held, lid);
        if (has_fresh && has_held && !comes_next(self.fresh, lid) && !comes_next(self.held, lid))
            compare_pair(self, lid);
        else
            replace_all(self, lid, has_fresh, has_held);
    }
    end_rows(self.fresh);
    end_rows(self.held);
    return self.found;
}

} // namespace etl::sync
