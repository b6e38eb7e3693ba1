// PG regime: may ereport, so no local here needs a destructor.
#include "load/lift.hpp"

#include "pg/walk.hpp"

extern "C" {
#include "access/attnum.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"

Datum etl_clean_vin(PG_FUNCTION_ARGS);
Datum etl_clean_car_plate(PG_FUNCTION_ARGS);
Datum etl_compute_usage_state(PG_FUNCTION_ARGS);
Datum etl_convert_currency_by_counties(PG_FUNCTION_ARGS);
Datum etl_jsonb_to_array(PG_FUNCTION_ARGS);
}

namespace etl::load {

namespace {

struct kernel_function {
    PGFunction function;
    lifted_by what;
};
constexpr kernel_function kernel_functions[] = {
    {etl_clean_vin, lifted_by::clean_vin},
    {etl_clean_car_plate, lifted_by::clean_car_plate},
    {etl_compute_usage_state, lifted_by::compute_usage_state},
    {etl_convert_currency_by_counties, lifted_by::convert_currency},
    {etl_jsonb_to_array, lifted_by::jsonb_to_array},
};

// A function is told by its code, not by its name: who has no right to call it is refused when the slow way is made
// ready, and one with settings of its own has other code in front.
const kernel_function *kernel_of(const Node *expression) {
    if (!IsA(expression, FuncExpr))
        return nullptr;
    const FuncExpr *call = reinterpret_cast<const FuncExpr *>(expression);
    if (call->funcretset || call->funcvariadic || list_length(call->args) > most_arguments)
        return nullptr;
    FmgrInfo function;
    ::fmgr_info(call->funcid, &function);
    for (const kernel_function &one : kernel_functions)
        if (one.function == function.fn_addr)
            return &one;
    return nullptr;
}

Expr *column_of_row(const Node *expression, int column) {
    return reinterpret_cast<Expr *>(::makeVar(1, static_cast<AttrNumber>(column + 1), ::exprType(expression),
                                              ::exprTypmod(expression), ::exprCollation(expression), 0));
}

// A query that has columns lifted out of it, and how many it had itself.
struct lifting {
    Query *query;
    int own;
};

// The column that has an expression's value; added if there is none. Of the query's own, only those that nothing is
// lifted from will do.
int column_with(const lifting &now, const Node *expression) {
    List *&columns = now.query->targetList;
    ListCell *cell;
    foreach (cell, columns) {
        const Expr *found = static_cast<const TargetEntry *>(lfirst(cell))->expr;
        if ((IsA(found, Var) || foreach_current_index(cell) >= now.own) && equal(found, expression))
            return foreach_current_index(cell);
    }
    const int column = list_length(columns);
    columns = ::lappend(columns, ::makeTargetEntry(static_cast<Expr *>(copyObjectImpl(expression)),
                                                   static_cast<AttrNumber>(column + 1), nullptr, false));
    return column;
}

// Replaces the columns of sources in an expression by those of the row.
struct replacement {
    const List *sources;
    const lifted *by;
};
Node *replace_columns(Node *node, void *context) {
    const replacement *what = static_cast<const replacement *>(context);
    if (!node)
        return nullptr;
    if (IsA(node, Var)) {
        ListCell *cell;
        foreach (cell, what->sources)
            if (equal(lfirst(cell), node))
                return reinterpret_cast<Node *>(
                    column_of_row(node, what->by->arguments[foreach_current_index(cell)]));
        elog(ERROR, "column %d of relation %d is no argument", reinterpret_cast<Var *>(node)->varattno,
             reinterpret_cast<Var *>(node)->varno);
    }
    return pg::mutate_expression(node, replace_columns, context);
}

void lift_call(const lifting &now, const FuncExpr *call, lifted &made) {
    FuncExpr *slow = static_cast<FuncExpr *>(copyObjectImpl(call));
    ListCell *cell;
    foreach (cell, slow->args) {
        const int column = column_with(now, static_cast<const Node *>(lfirst(cell)));
        made.arguments[made.count++] = column;
        lfirst(cell) = column_of_row(static_cast<const Node *>(lfirst(cell)), column);
    }
    made.slow = reinterpret_cast<Expr *>(slow);
}

void lift_remembered(const lifting &now, Node *expression, const List *sources, lifted &made) {
    ListCell *cell;
    foreach (cell, sources)
        made.arguments[made.count++] = column_with(now, static_cast<const Node *>(lfirst(cell)));
    replacement what{sources, &made};
    made.slow = reinterpret_cast<Expr *>(replace_columns(static_cast<Node *>(copyObjectImpl(expression)), &what));
}

// The columns that an expression is computed from, if its results are worth remembering: something is made in memory,
// and from few values that a Datum holds.
List *few_sources(Node *expression) {
    constexpr int most_sources = 4;
    if (::get_typbyval(::exprType(expression)) || IsA(expression, Const) || IsA(expression, Var) ||
        ::contain_volatile_functions(expression) || ::checkExprHasSubLink(expression))
        return NIL;
    List *sources = NIL;
    ListCell *cell;
    foreach (cell, ::pull_var_clause(expression, 0)) {
        const Var *column = static_cast<const Var *>(lfirst(cell));
        if (column->varlevelsup > 0 || column->varattno <= 0 || !::get_typbyval(column->vartype))
            return NIL;
        sources = ::list_append_unique(sources, const_cast<Var *>(column));
    }
    return list_length(sources) > most_sources ? NIL : sources;
}

bool can_lift(const Query *query) {
    return !query->hasAggs && !query->hasWindowFuncs && !query->hasTargetSRFs && !query->setOperations &&
           query->distinctClause == NIL && query->groupClause == NIL && query->groupingSets == NIL &&
           query->sortClause == NIL && !query->limitCount && !query->limitOffset;
}

} // namespace

lifted_columns lift(Query *query) {
    const int count = list_length(query->targetList);
    lifted_columns all{0, static_cast<lifted *>(::palloc0(sizeof(lifted) * static_cast<std::size_t>(count)))};
    if (!can_lift(query))
        return all;
    const lifting now{query, count};
    for (int i = 0; i < count; i++) {
        TargetEntry *entry = static_cast<TargetEntry *>(list_nth(query->targetList, i));
        Node *expression = reinterpret_cast<Node *>(entry->expr);
        // As the planner would: arguments stand in their places, and a strict call with NULL evaluates none of them.
        if (kernel_of(expression)) {
            expression = ::eval_const_expressions(nullptr, expression);
            entry->expr = reinterpret_cast<Expr *>(expression);
        }
        const kernel_function *kernel = kernel_of(expression);
        List *sources = kernel ? NIL : few_sources(expression);
        if (!kernel && sources == NIL)
            continue;
        lifted &made = all.list[all.count++];
        made.what = kernel ? kernel->what : lifted_by::memory;
        made.column = i;
        // It must not be found as the column that has the value of a like expression.
        entry->expr = reinterpret_cast<Expr *>(
            ::makeNullConst(::exprType(expression), ::exprTypmod(expression), ::exprCollation(expression)));
        if (kernel)
            lift_call(now, reinterpret_cast<const FuncExpr *>(expression), made);
        else
            lift_remembered(now, expression, sources, made);
    }
    return all;
}

} // namespace etl::load
