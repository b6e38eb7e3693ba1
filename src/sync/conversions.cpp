// PG regime: may ereport, so no local here needs a destructor.
#include "sync/conversions.hpp"

#include "pg/walk.hpp"
#include "plan/source_query.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_proc.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "rewrite/rewriteDefine.h"
#include "rewrite/rewriteHandler.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

Datum etl_convert_currency_by_counties(PG_FUNCTION_ARGS);
}

namespace etl::sync {

namespace {

bool is_conversion(const Node *node) {
    if (!IsA(node, FuncExpr))
        return false;
    FmgrInfo function;
    ::fmgr_info(reinterpret_cast<const FuncExpr *>(node)->funcid, &function);
    return function.fn_addr == etl_convert_currency_by_counties;
}

// Appends the conversions to the List * that `calls` points to.
bool collect(Node *node, void *calls) {
    if (!node)
        return false;
    List **found = static_cast<List **>(calls);
    if (is_conversion(node))
        *found = ::lappend(*found, node);
    if (IsA(node, Query))
        return pg::walk_query(reinterpret_cast<Query *>(node), collect, calls, 0);
    return pg::walk_expression(node, collect, calls);
}

bool may_convert(Oid function, void *) {
    return ::func_volatile(function) != PROVOLATILE_IMMUTABLE && ::get_func_namespace(function) != PG_CATALOG_NAMESPACE;
}

// True if a function that we don't know is called, which may call the conversion itself.
bool calls_others(Node *node, void *) {
    if (!node)
        return false;
    if (!is_conversion(node) && ::check_functions_in_node(node, may_convert, nullptr))
        return true;
    if (IsA(node, Query))
        return pg::walk_query(reinterpret_cast<Query *>(node), calls_others, nullptr, 0);
    return pg::walk_expression(node, calls_others, nullptr);
}

int count_calls(Node *node) {
    List *calls = NIL;
    (void)collect(node, &calls);
    return list_length(calls);
}

// What replaces the columns of sources by those of the partition that the view fills with them.
struct substitution {
    Query *query;
    Oid partition;
    bool failed;
};

Node *substitute(Node *node, void *context) {
    if (!node)
        return nullptr;
    substitution *now = static_cast<substitution *>(context);
    if (IsA(node, Var)) {
        const Var *wanted = reinterpret_cast<const Var *>(node);
        ListCell *cell;
        foreach (cell, now->query->targetList) {
            const TargetEntry *entry = static_cast<const TargetEntry *>(lfirst(cell));
            if (entry->resjunk || !entry->resname || !IsA(entry->expr, Var) || !equal(entry->expr, wanted))
                continue;
            const AttrNumber column = ::get_attnum(now->partition, entry->resname);
            Oid type = InvalidOid, collation = InvalidOid;
            std::int32_t modifier = -1;
            if (column > 0)
                ::get_atttypetypmodcoll(now->partition, column, &type, &modifier, &collation);
            // A column of less precision may hold another value than was converted with.
            if (type == wanted->vartype && (modifier == -1 || modifier == wanted->vartypmod))
                return reinterpret_cast<Node *>(::makeVar(1, column, type, modifier, collation, 0));
        }
        now->failed = true;
        return static_cast<Node *>(copyObjectImpl(node));
    }
    return pg::mutate_expression(node, substitute, context);
}

// Null once a column was not to be replaced: that of another relation has no name here.
const char *text_of(Node *expression, substitution &now, List *names) {
    Node *const replaced = substitute(expression, &now);
    return now.failed ? nullptr : ::deparse_expression(replaced, names, true, false);
}

bool is_known(List *texts, const char *text) {
    ListCell *cell;
    foreach (cell, texts)
        if (strcmp(static_cast<const char *>(lfirst(cell)), text) == 0)
            return true;
    return false;
}

} // namespace

conversions find_conversions(Oid view, Oid partition) {
    const Relation source = plan::open_planned(view, AccessShareLock, "source view");
    Query *query = static_cast<Query *>(copyObjectImpl(::get_view_query(source)));
    ::relation_close(source, NoLock);
    conversions found{};
    const int everywhere = count_calls(reinterpret_cast<Node *>(query));
    const bool others = calls_others(reinterpret_cast<Node *>(query), nullptr);
    found.any = everywhere > 0 || others;
    found.hidden = everywhere == 0 && others;
    if (others)
        found.obstacle = "it calls functions that may convert currencies";
    if (!found.any || others)
        return found;
    List *calls = NIL;
    ListCell *cell;
    foreach (cell, query->targetList) {
        TargetEntry *entry = static_cast<TargetEntry *>(lfirst(cell));
        entry->expr = reinterpret_cast<Expr *>(::flatten_join_alias_vars(query, reinterpret_cast<Node *>(entry->expr)));
    }
    foreach (cell, query->targetList) {
        // Named arguments in their places.
        Node *plain =
            ::eval_const_expressions(nullptr, reinterpret_cast<Node *>(static_cast<TargetEntry *>(lfirst(cell))->expr));
        (void)collect(plain, &calls);
    }
    if (list_length(calls) != everywhere) {
        found.obstacle = "it converts currencies outside of its columns";
        return found;
    }
    ::AcquireRewriteLocks(query, true, false);
    substitution now{query, partition, false};
    List *const names = ::deparse_context_for("p", partition);
    foreach (cell, calls) {
        List *arguments = static_cast<FuncExpr *>(lfirst(cell))->args;
        const char *country = text_of(static_cast<Node *>(linitial(arguments)), now, names);
        const char *currency = text_of(static_cast<Node *>(lsecond(arguments)), now, names);
        const char *day = text_of(static_cast<Node *>(lfourth(arguments)), now, names);
        if (now.failed) {
            found.obstacle = "its conversions depend on columns that the mart does not have";
            return found;
        }
        char *condition = psprintf("c.country = ((%s)::pg_catalog.text COLLATE pg_catalog.\"C\")"
                                   " AND c.currency = ((%s)::pg_catalog.text COLLATE pg_catalog.\"C\")"
                                   " AND (%s) >= c.from_day AND (c.to_day IS NULL OR (%s) < c.to_day)",
                                   country, currency, day, day);
        if (!is_known(found.conditions, condition))
            found.conditions = ::lappend(found.conditions, condition);
    }
    return found;
}

} // namespace etl::sync
