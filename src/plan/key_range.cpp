// PG regime: may ereport, so no local here needs a destructor.
#include "plan/key_range.hpp"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace etl::plan {

namespace {

// The columns of the query's own relations that equal the key, and the equalities among columns that hold at a place.
struct equal_columns {
    List *members; // of Var
};

struct equality {
    const Var *left;
    const Var *right;
};

bool is_integer(Oid type) {
    return type == INT8OID || type == INT4OID || type == INT2OID;
}

// The integer column that an expression is, looking through the casts that keep its value.
const Var *column_of(const Node *node) {
    while (node && IsA(node, FuncExpr)) {
        const FuncExpr *call = reinterpret_cast<const FuncExpr *>(node);
        if (call->funcid != F_INT8_INT4 && call->funcid != F_INT8_INT2 && call->funcid != F_INT4_INT2)
            return nullptr;
        node = static_cast<const Node *>(linitial(call->args));
    }
    if (!node || !IsA(node, Var))
        return nullptr;
    const Var *column = reinterpret_cast<const Var *>(node);
    if (column->varlevelsup != 0 || column->varattno <= 0 || !is_integer(column->vartype))
        return nullptr;
    return column;
}

bool same_column(const Var *a, const Var *b) {
    return a->varno == b->varno && a->varattno == b->varattno;
}

bool contains(const equal_columns &columns, const Var *column) {
    ListCell *cell;
    foreach (cell, columns.members)
        if (same_column(static_cast<const Var *>(lfirst(cell)), column))
            return true;
    return false;
}

// Appends the equalities `a = b` that stand in ANDed quals.
List *add_equalities(List *found, const Query *query, Node *quals) {
    if (!quals)
        return found;
    if (IsA(quals, List) || is_andclause(quals)) {
        List *parts = IsA(quals, List) ? reinterpret_cast<List *>(quals) : reinterpret_cast<BoolExpr *>(quals)->args;
        ListCell *cell;
        foreach (cell, parts)
            found = add_equalities(found, query, static_cast<Node *>(lfirst(cell)));
        return found;
    }
    if (!IsA(quals, OpExpr))
        return found;
    const OpExpr *comparison = reinterpret_cast<OpExpr *>(quals);
    if (list_length(comparison->args) != 2 ||
        ::get_op_opfamily_strategy(comparison->opno, INTEGER_BTREE_FAM_OID) != BTEqualStrategyNumber)
        return found;
    Query *whole = const_cast<Query *>(query);
    const Var *left = column_of(::flatten_join_alias_vars(whole, static_cast<Node *>(linitial(comparison->args))));
    const Var *right = column_of(::flatten_join_alias_vars(whole, static_cast<Node *>(lsecond(comparison->args))));
    if (!left || !right)
        return found;
    equality *pair = static_cast<equality *>(::palloc(sizeof(equality)));
    *pair = {left, right};
    return ::lappend(found, pair);
}

// Appends the equalities that hold for every row that comes out of a part of the join tree: those of WHERE and of inner
// joins, and of the side of an outer join that keeps its rows.
List *equalities_of(List *found, const Query *query, Node *part) {
    if (!part || IsA(part, RangeTblRef))
        return found;
    if (IsA(part, FromExpr)) {
        FromExpr *from = reinterpret_cast<FromExpr *>(part);
        ListCell *cell;
        foreach (cell, from->fromlist)
            found = equalities_of(found, query, static_cast<Node *>(lfirst(cell)));
        return add_equalities(found, query, from->quals);
    }
    const JoinExpr *join = reinterpret_cast<JoinExpr *>(part);
    switch (join->jointype) {
    case JOIN_INNER:
        found = equalities_of(found, query, join->larg);
        found = equalities_of(found, query, join->rarg);
        return add_equalities(found, query, join->quals);
    case JOIN_LEFT:
        return equalities_of(found, query, join->larg);
    case JOIN_RIGHT:
        return equalities_of(found, query, join->rarg);
    default:
        return found;
    }
}

// Adds whatever the equalities make equal to a member.
equal_columns close_over(equal_columns columns, List *equalities) {
    bool grew = true;
    columns.members = ::list_copy(columns.members);
    while (grew) {
        grew = false;
        ListCell *cell;
        foreach (cell, equalities) {
            const equality *pair = static_cast<const equality *>(lfirst(cell));
            const bool has_left = contains(columns, pair->left), has_right = contains(columns, pair->right);
            if (has_left == has_right)
                continue;
            columns.members = ::lappend(columns.members, const_cast<Var *>(has_left ? pair->right : pair->left));
            grew = true;
        }
    }
    return columns;
}

Node *and_quals(Node *quals, List *added) {
    if (added == NIL)
        return quals;
    if (quals)
        added = ::lcons(quals, added);
    return reinterpret_cast<Node *>(::make_ands_explicit(added));
}

bool is_bounded(const key_bounds &bounds) {
    return bounds.has_from || bounds.has_to;
}

// In the ON clause of an outer join, the columns of its nullable side that equal the key may be restricted, as rows
// that this leaves without a partner are not in the range themselves. Descends with what is known to be equal, and
// returns the columns that come out of the part equal to the key or NULL: those of nullable sides.
List *restrict_outer_joins(Query *query, Node *part, const equal_columns &columns, const key_bounds &bounds) {
    if (!part || IsA(part, RangeTblRef))
        return NIL;
    if (IsA(part, FromExpr)) {
        List *found = NIL;
        ListCell *cell;
        foreach (cell, reinterpret_cast<FromExpr *>(part)->fromlist)
            found =
                ::list_concat(found, restrict_outer_joins(query, static_cast<Node *>(lfirst(cell)), columns, bounds));
        return found;
    }
    JoinExpr *join = reinterpret_cast<JoinExpr *>(part);
    if (join->jointype == JOIN_INNER)
        return ::list_concat(restrict_outer_joins(query, join->larg, columns, bounds),
                             restrict_outer_joins(query, join->rarg, columns, bounds));
    if (join->jointype != JOIN_LEFT && join->jointype != JOIN_RIGHT)
        return NIL;
    Node *kept = join->jointype == JOIN_LEFT ? join->larg : join->rarg;
    Node *nullable = join->jointype == JOIN_LEFT ? join->rarg : join->larg;
    List *or_null = restrict_outer_joins(query, kept, columns, bounds);

    // An equality with a column that is the key or NULL is one with the key wherever it holds.
    const equal_columns known{::list_concat_copy(columns.members, or_null)};
    const equal_columns matched =
        close_over(known, add_equalities(equalities_of(NIL, query, nullable), query, join->quals));
    const Relids relations = ::get_relids_in_jointree(nullable, false);
    equal_columns inside{NIL};
    List *added = NIL;
    ListCell *cell;
    foreach (cell, matched.members) {
        const Var *member = static_cast<const Var *>(lfirst(cell));
        if (!::bms_is_member(member->varno, relations))
            continue;
        inside.members = ::lappend(inside.members, const_cast<Var *>(member));
        // A member that WHERE restricts already needs no second condition.
        if (!contains(columns, member))
            added = ::list_concat(added, range_quals(reinterpret_cast<const Expr *>(member), bounds));
    }
    if (inside.members == NIL)
        return or_null;
    if (is_bounded(bounds))
        join->quals = and_quals(join->quals, added);
    or_null = ::list_concat(or_null, ::list_copy(inside.members));
    return ::list_concat(or_null, restrict_outer_joins(query, nullable, inside, bounds));
}

// A named join hides its tables from the SQL that we show, so that conditions on them can't be put above it.
bool has_named_join(const Query *query) {
    ListCell *cell;
    foreach (cell, query->rtable) {
        const RangeTblEntry *entry = static_cast<const RangeTblEntry *>(lfirst(cell));
        if (entry->rtekind == RTE_JOIN && (entry->alias || entry->join_using_alias))
            return true;
    }
    return false;
}

Expr *compare(const Expr *operand, int strategy, std::int64_t bound) {
    const Oid type = ::exprType(reinterpret_cast<const Node *>(operand));
    const Oid comparison =
        ::get_opfamily_member(INTEGER_BTREE_FAM_OID, type, INT8OID, static_cast<std::int16_t>(strategy));
    if (!OidIsValid(comparison))
        elog(ERROR, "type %u does not compare with bigint", type);
    Const *constant =
        ::makeConst(INT8OID, -1, InvalidOid, sizeof(std::int64_t), Int64GetDatum(bound), false, FLOAT8PASSBYVAL);
    Expr *made = ::make_opclause(comparison, BOOLOID, false, static_cast<Expr *>(copyObjectImpl(operand)),
                                 reinterpret_cast<Expr *>(constant), InvalidOid, InvalidOid);
    ::set_opfuncid(reinterpret_cast<OpExpr *>(made));
    return made;
}

// operand = ANY ($1)
Expr *among_lids(const Expr *operand) {
    const Oid type = ::exprType(reinterpret_cast<const Node *>(operand));
    const Oid comparison = ::get_opfamily_member(INTEGER_BTREE_FAM_OID, type, INT8OID, BTEqualStrategyNumber);
    if (!OidIsValid(comparison))
        elog(ERROR, "type %u does not compare with bigint", type);
    Param *lids = makeNode(Param);
    lids->paramkind = PARAM_EXTERN;
    lids->paramid = 1;
    lids->paramtype = INT8ARRAYOID;
    lids->paramtypmod = -1;
    lids->location = -1;
    ScalarArrayOpExpr *made = makeNode(ScalarArrayOpExpr);
    made->opno = comparison;
    made->useOr = true;
    made->args = list_make2(copyObjectImpl(operand), lids);
    made->location = -1;
    ::set_sa_opfuncid(made);
    return reinterpret_cast<Expr *>(made);
}

} // namespace

List *range_quals(const Expr *operand, const key_bounds &bounds) {
    List *quals = NIL;
    if (bounds.has_from)
        quals = ::lappend(quals, compare(operand, BTGreaterEqualStrategyNumber, bounds.from));
    if (bounds.has_to)
        quals = ::lappend(quals, compare(operand, BTLessStrategyNumber, bounds.to));
    if (bounds.of_lids)
        quals = ::lappend(quals, among_lids(operand));
    if (quals == NIL) {
        NullTest *test = makeNode(NullTest);
        test->arg = static_cast<Expr *>(copyObjectImpl(operand));
        test->nulltesttype = IS_NOT_NULL;
        test->argisrow = false;
        test->location = -1;
        quals = list_make1(test);
    }
    return quals;
}

bool can_restrict(const Query *query) {
    return query->commandType == CMD_SELECT && !query->hasAggs && !query->hasWindowFuncs && !query->hasTargetSRFs &&
           !query->hasDistinctOn && !query->hasModifyingCTE && !query->hasForUpdate && query->groupClause == NIL &&
           query->groupingSets == NIL && query->havingQual == nullptr && query->distinctClause == NIL &&
           query->limitOffset == nullptr && query->limitCount == nullptr && query->rowMarks == NIL &&
           query->setOperations == nullptr && query->jointree->fromlist != NIL && !has_named_join(query);
}

List *key_columns(Query *query, const TargetEntry *key) {
    const Var *column = column_of(::flatten_join_alias_vars(query, reinterpret_cast<Node *>(key->expr)));
    if (!column)
        return NIL;
    Node *tree = reinterpret_cast<Node *>(query->jointree);
    const equal_columns columns = close_over({list_make1(const_cast<Var *>(column))}, equalities_of(NIL, query, tree));
    // Without bounds no condition is added.
    return ::list_concat(::list_copy(columns.members), restrict_outer_joins(query, tree, columns, key_bounds{}));
}

bool restrict_key(Query *query, const TargetEntry *key, const key_bounds &bounds) {
    const Var *column = column_of(::flatten_join_alias_vars(query, reinterpret_cast<Node *>(key->expr)));
    if (!column)
        return false;
    Node *tree = reinterpret_cast<Node *>(query->jointree);
    const equal_columns columns = close_over({list_make1(const_cast<Var *>(column))}, equalities_of(NIL, query, tree));

    // The lids are for the key's own column: where the others are reached through it, row by row, the whole list would be
    // looked through each time.
    key_bounds range = bounds;
    range.of_lids = false;
    List *added = NIL;
    if (is_bounded(range) || (!bounds.of_lids && list_length(columns.members) == 1)) {
        ListCell *cell;
        foreach (cell, columns.members)
            added = ::list_concat(added, range_quals(static_cast<const Expr *>(lfirst(cell)), range));
    }
    if (bounds.of_lids)
        added = ::lappend(added, among_lids(reinterpret_cast<const Expr *>(column)));
    restrict_outer_joins(query, tree, columns, range);
    query->jointree->quals = and_quals(query->jointree->quals, added);
    query->sortClause = NIL;
    return true;
}

} // namespace etl::plan
