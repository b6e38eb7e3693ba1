// PG regime: may ereport, so no local here needs a destructor.
#include "join/candidate.hpp"

extern "C" {
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
}

#include <cmath>

namespace etl::join {

namespace {

// Nanoseconds, roughly: to turn to a page; to look at a row's key among those of all rows of a page; to find a row by
// the index and look at it alone.
constexpr double turning = 400, looking = 25, finding = 70;

bool is_key(const Node *node, const candidate &read) {
    if (!IsA(node, Var))
        return false;
    const Var *var = reinterpret_cast<const Var *>(node);
    return static_cast<Index>(var->varno) == read.part.relation && var->varattno == read.part.key &&
           var->varlevelsup == 0;
}

std::int64_t bound_of(const Const *constant) {
    switch (constant->consttype) {
    case INT8OID:
        return DatumGetInt64(constant->constvalue);
    case INT4OID:
        return DatumGetInt32(constant->constvalue);
    default:
        return DatumGetInt16(constant->constvalue);
    }
}

// Narrows the key's range by a condition, if the condition is no more than that.
bool take_bound(candidate &read, const Expr *condition) {
    member &part = read.part;
    if (IsA(condition, NullTest)) {
        const NullTest *test = reinterpret_cast<const NullTest *>(condition);
        return test->nulltesttype == IS_NOT_NULL && is_key(reinterpret_cast<const Node *>(test->arg), read);
    }
    if (!IsA(condition, OpExpr))
        return false;
    const OpExpr *comparison = reinterpret_cast<const OpExpr *>(condition);
    if (list_length(comparison->args) != 2 || !is_key(static_cast<const Node *>(linitial(comparison->args)), read) ||
        !IsA(lsecond(comparison->args), Const) || castNode(Const, lsecond(comparison->args))->constisnull)
        return false;
    const int strategy = ::get_op_opfamily_strategy(comparison->opno, INTEGER_BTREE_FAM_OID);
    if (strategy == InvalidStrategy)
        return false;
    const std::int64_t bound = bound_of(castNode(Const, lsecond(comparison->args)));
    const bool below = strategy == BTLessStrategyNumber, above = strategy == BTGreaterStrategyNumber;
    if ((below && bound == PG_INT64_MIN) || (above && bound == PG_INT64_MAX)) {
        part.low = PG_INT64_MAX; // no key is there
        part.high = PG_INT64_MIN;
        return true;
    }
    if (strategy >= BTEqualStrategyNumber)
        part.low = std::max(part.low, above ? bound + 1 : bound);
    if (strategy <= BTEqualStrategyNumber)
        part.high = std::min(part.high, below ? bound - 1 : bound);
    return true;
}

// Takes the list of keys from a condition, if the condition is no more than that and the list is the first.
bool take_keys(const candidate &read, const Expr *condition, Const *&keys) {
    if (keys || read.part.what == duty::look_up || read.optional || !IsA(condition, ScalarArrayOpExpr))
        return false;
    const ScalarArrayOpExpr *comparison = reinterpret_cast<const ScalarArrayOpExpr *>(condition);
    Node *list = static_cast<Node *>(lsecond(comparison->args));
    if (!comparison->useOr || !is_key(static_cast<const Node *>(linitial(comparison->args)), read) ||
        !IsA(list, Const) || castNode(Const, list)->constisnull || ::exprType(list) != INT8ARRAYOID ||
        ::get_op_opfamily_strategy(comparison->opno, INTEGER_BTREE_FAM_OID) != BTEqualStrategyNumber)
        return false;
    keys = castNode(Const, list);
    return true;
}

// How well the rows lie in the order of a column: from 0, not at all, to 1; 0 if nobody knows.
double order_by(Oid table, AttrNumber column) {
    const HeapTuple statistics =
        ::SearchSysCache3(STATRELATTINH, ObjectIdGetDatum(table), Int16GetDatum(column), BoolGetDatum(false));
    if (!HeapTupleIsValid(statistics))
        return 0;
    AttStatsSlot found;
    double order = 0;
    if (::get_attstatsslot(&found, statistics, STATISTIC_KIND_CORRELATION, InvalidOid, ATTSTATSSLOT_NUMBERS)) {
        order = std::abs(static_cast<double>(found.numbers[0]));
        ::free_attstatsslot(&found);
    }
    ::ReleaseSysCache(statistics);
    return order;
}

// The part of its pages on which some part of its rows stands, between the two ends as the planner has it.
double pages_with(double part, double order, const RelOptInfo *planned) {
    const double rows_a_page = planned->tuples / std::max<double>(planned->pages, 1);
    return order * order * part + (1 - order * order) * (1 - std::pow(1 - part, rows_a_page));
}

double cost_of_all(const RelOptInfo *planned) {
    return planned->pages * turning + planned->tuples * looking;
}

double cost_by_index(double part, double order, const RelOptInfo *planned) {
    return pages_with(part, order, planned) * planned->pages * turning + part * planned->tuples * finding;
}

} // namespace

const char *obstacle_of(const PlannerInfo *root, const candidate &read) {
    const RelOptInfo *planned = read.planned;
    const RangeTblEntry *entry = root->simple_rte_array[planned->relid];
    if (planned->rtekind != RTE_RELATION)
        return ::psprintf("\"%s\" is not a table", read.name);
    if (entry->tablesample)
        return ::psprintf("\"%s\" is a sample", read.name);
    if (entry->relkind != RELKIND_RELATION && entry->relkind != RELKIND_MATVIEW)
        return ::psprintf("\"%s\" is not a plain table", read.name);
    if (entry->inh)
        return ::psprintf("\"%s\" has children", read.name);
    if (entry->securityQuals != NIL)
        return ::psprintf("\"%s\" has row security", read.name);
    if (planned->lateral_relids || planned->direct_lateral_relids)
        return ::psprintf("\"%s\" is joined laterally", read.name);
    // The planner holds the lock.
    const Relation relation = ::table_open(entry->relid, NoLock);
    const bool is_heap = relation->rd_rel->relam == HEAP_TABLE_AM_OID, is_populated = RelationIsPopulated(relation);
    ::table_close(relation, NoLock);
    if (!is_populated)
        return ::psprintf("\"%s\" is not populated", read.name);
    return is_heap ? nullptr : ::psprintf("\"%s\" is not a heap", read.name);
}

Oid unique_index(const RelOptInfo *planned, AttrNumber column) {
    ListCell *cell;
    foreach (cell, planned->indexlist) {
        const IndexOptInfo *index = static_cast<const IndexOptInfo *>(lfirst(cell));
        if (index->unique && index->immediate && !index->hypothetical && index->nkeycolumns == 1 &&
            index->indexkeys[0] == column && index->relam == BTREE_AM_OID &&
            index->opfamily[0] == INTEGER_BTREE_FAM_OID && index->indpred == NIL)
            return index->indexoid;
    }
    return InvalidOid;
}

const char *take_conditions(PlannerInfo *root, candidate &read, Const *&keys) {
    List *bounds = NIL;
    ListCell *cell;
    foreach (cell, read.planned->baserestrictinfo) {
        RestrictInfo *condition = static_cast<RestrictInfo *>(lfirst(cell));
        Node *clause = reinterpret_cast<Node *>(condition->clause);
        if (::contain_volatile_functions(clause))
            return ::psprintf("a condition on \"%s\" is volatile", read.name);
        if (::contain_subplans(clause))
            return ::psprintf("a condition on \"%s\" has a subquery", read.name);
        if (read.part.what != duty::look_up && take_bound(read, condition->clause))
            bounds = ::lappend(bounds, condition);
        else if (!take_keys(read, condition->clause, keys))
            read.filters = ::lappend(read.filters, clause);
    }
    const double part = ::clauselist_selectivity(root, bounds, 0, JOIN_INNER, nullptr);
    read.read = read.planned->tuples * part;
    read.rows = read.planned->rows;
    const double order = order_by(root->simple_rte_array[read.part.relation]->relid, read.part.key);
    read.part.whole = cost_by_index(part, order, read.planned) > cost_of_all(read.planned);
    return nullptr;
}

void limit_to_list(candidate &read, int keys) {
    read.read = std::min<double>(read.read, keys);
    read.rows = std::min<double>(read.rows, keys);
    const double part = read.read / std::max(read.planned->tuples, 1.0);
    read.part.whole = cost_by_index(part, 0, read.planned) > cost_of_all(read.planned);
}

} // namespace etl::join
