// PG regime: called from the planner, may ereport; no local here needs a destructor.
#include "join/offer.hpp"

#include "join/recognise.hpp"
#include "join/scan.hpp"
#include "pg/finally.hpp"
#include "settings.hpp"

extern "C" {
#include "nodes/extensible.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
#include "tcop/tcopprot.h"
}

namespace etl::join {

namespace {

// The query for which we plan just now. Functions that the planner calls may plan queries of their own meanwhile.
struct offer {
    const Query *query;
    const char *obstacle;
};
offer *open_offer = nullptr;
set_join_pathlist_hook_type next_hook = nullptr;

// The joined row: all columns that the conditions and the query's own expressions want, relation by relation, and
// those that lead to dimensions.
List *joined_columns(const layout &join, List *filters, List *wanted) {
    List *vars = ::pull_var_clause(reinterpret_cast<Node *>(filters), 0);
    vars = ::list_concat(vars, ::pull_var_clause(reinterpret_cast<Node *>(wanted), PVC_INCLUDE_PLACEHOLDERS |
                                                                                       PVC_RECURSE_AGGREGATES |
                                                                                       PVC_RECURSE_WINDOWFUNCS));
    for (int i = 0; i < join.count; i++) {
        const member &part = join.members[i];
        if (part.what == duty::look_up)
            for (int leader = 0; leader < join.count; leader++)
                if (join.members[leader].relation == part.led_by)
                    vars = ::lappend(vars, ::makeVar(static_cast<int>(part.led_by), part.led_by_column,
                                                     part.led_by_type, -1, InvalidOid, 0));
    }
    List *columns = NIL;
    for (int i = 0; i < join.count; i++) {
        List *own = NIL;
        ListCell *cell;
        foreach (cell, vars)
            if (static_cast<Index>(static_cast<const Var *>(lfirst(cell))->varno) == join.members[i].relation)
                own = ::list_append_unique(own, lfirst(cell));
        ::list_sort(own, [](const ListCell *left, const ListCell *right) {
            return static_cast<const Var *>(lfirst(left))->varattno - static_cast<const Var *>(lfirst(right))->varattno;
        });
        foreach (cell, own)
            columns = ::lappend(columns,
                                ::makeTargetEntry(static_cast<Expr *>(copyObjectImpl(lfirst(cell))),
                                                  static_cast<AttrNumber>(list_length(columns) + 1), nullptr, false));
    }
    return columns;
}

Plan *create_plan(PlannerInfo *, RelOptInfo *, CustomPath *path, List *columns, List *, List *) {
    CustomScan *scan = makeNode(CustomScan);
    scan->flags = path->flags;
    scan->scan.plan.targetlist = columns;
    scan->custom_private = list_make1(linitial(path->custom_private));
    scan->custom_exprs = static_cast<List *>(lsecond(path->custom_private));
    // `columns` may be empty, for the planner to fill in later; what it can come to is in the path.
    scan->custom_scan_tlist = joined_columns(scan_layout(scan), scan->custom_exprs, path->path.pathtarget->exprs);
    scan->methods = &scan_methods;
    return &scan->scan.plan;
}

CustomPathMethods make_path_methods() {
    CustomPathMethods methods{};
    methods.CustomName = scan_methods.CustomName;
    methods.PlanCustomPath = create_plan;
    return methods;
}

const CustomPathMethods path_methods = make_path_methods();

bool is_ours(const void *node) {
    return IsA(node, CustomPath) && static_cast<const CustomPath *>(node)->methods == &path_methods;
}

bool wants_offer(const PlannerInfo *root) {
    if (root->query_level != 1)
        return false;
    return key_join == key_join_always || (key_join == key_join_on && open_offer && open_offer->query == root->parse);
}

// System columns and whole rows are not among what we hand on.
bool has_plain_columns(const RelOptInfo *joined, List *filters) {
    List *vars =
        ::list_concat(::pull_var_clause(reinterpret_cast<Node *>(joined->reltarget->exprs), PVC_INCLUDE_PLACEHOLDERS),
                      ::pull_var_clause(reinterpret_cast<Node *>(filters), 0));
    ListCell *cell;
    foreach (cell, vars)
        if (static_cast<const Var *>(lfirst(cell))->varattno <= 0)
            return false;
    return true;
}

void offer_key_join(PlannerInfo *root, RelOptInfo *joined, RelOptInfo *outer, RelOptInfo *inner, JoinType type,
                    JoinPathExtraData *extra) {
    if (next_hook)
        next_hook(root, joined, outer, inner, type, extra);
    if (!wants_offer(root) || !bms_equal(joined->relids, root->all_baserels))
        return;
    // The hook is called for every way to put the join together.
    ListCell *cell;
    foreach (cell, joined->pathlist)
        if (is_ours(lfirst(cell)))
            return;
    recognised found = recognise(root, joined);
    if (!found.obstacle && !has_plain_columns(joined, found.filters))
        found.obstacle = "a system column or a whole row is asked for";
    if (open_offer && open_offer->query == root->parse)
        open_offer->obstacle = found.obstacle;
    if (found.obstacle)
        return;
    CustomPath *path = makeNode(CustomPath);
    path->path.pathtype = T_CustomScan;
    path->path.parent = joined;
    path->path.pathtarget = joined->reltarget;
    // It costs nothing, so that it wins: where the shape is right, it is never the worse way by much.
    path->path.rows = joined->rows;
    path->flags = CUSTOMPATH_SUPPORT_PROJECTION;
    // Behind the conditions of each relation stands the list of keys, if there is one.
    if (found.keys)
        found.filters = ::lappend(found.filters, found.keys);
    path->custom_private = ::lappend(private_list(found.join), found.filters);
    path->methods = &path_methods;
    ::add_path(joined, &path->path);
}

} // namespace

void install() {
    ::RegisterCustomScanMethods(&scan_methods);
    next_hook = set_join_pathlist_hook;
    set_join_pathlist_hook = offer_key_join;
}

planned plan_with_key_join(Query *query, const char *text, ParamListInfo parameters) {
    offer mine{query, key_join == key_join_off ? "etl.key_join is off" : "the view is no plain join of tables"};
    offer *const before = open_offer;
    PlannedStmt *plan = pg::finally(
        [&] {
            open_offer = &mine;
            return ::pg_plan_query(query, text, 0, parameters);
        },
        [&] { open_offer = before; });
    const Plan *top = plan->planTree;
    const bool taken = IsA(top, CustomScan) && reinterpret_cast<const CustomScan *>(top)->methods == &scan_methods;
    if (!taken && !mine.obstacle)
        mine.obstacle = "another plan is cheaper";
    return {plan, taken ? nullptr : mine.obstacle};
}

} // namespace etl::join
