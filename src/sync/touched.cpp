// PG regime: may ereport, so no local here needs a destructor.
#include "sync/touched.hpp"

#include "plan/key_range.hpp"
#include "plan/source_query.hpp"

extern "C" {
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/pathnodes.h"
#include "optimizer/optimizer.h"
#include "optimizer/prep.h"
#include "parser/parse_coerce.h"
#include "parser/parsetree.h"
#include "rewrite/rewriteDefine.h"
#include "rewrite/rewriteHandler.h"
#include "rewrite/rewriteManip.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
}

namespace etl::sync {

namespace {

constexpr const char *key_name = "lid";
constexpr const char *time_name = "modified";

// The relation's column `modified`, or null if it has none of a time type.
Var *time_of(const RangeTblEntry *entry, int number) {
    const AttrNumber column = ::get_attnum(entry->relid, time_name);
    if (column <= 0)
        return nullptr;
    Oid type, collation;
    std::int32_t modifier;
    ::get_atttypetypmodcoll(entry->relid, column, &type, &modifier, &collation);
    if (::getBaseType(type) != TIMESTAMPTZOID && ::getBaseType(type) != TIMESTAMPOID && ::getBaseType(type) != DATEOID)
        return nullptr;
    return ::makeVar(number, column, type, modifier, collation, 0);
}

const Var *key_of(List *keys, int number) {
    ListCell *cell;
    foreach (cell, keys)
        if (static_cast<const Var *>(lfirst(cell))->varno == number)
            return static_cast<const Var *>(lfirst(cell));
    return nullptr;
}

// All quals of the join tree, whatever kind of join they stand at.
List *all_quals(List *found, Node *part) {
    if (!part || IsA(part, RangeTblRef))
        return found;
    Node *quals;
    if (IsA(part, FromExpr)) {
        ListCell *cell;
        foreach (cell, reinterpret_cast<FromExpr *>(part)->fromlist)
            found = all_quals(found, static_cast<Node *>(lfirst(cell)));
        quals = reinterpret_cast<FromExpr *>(part)->quals;
    } else {
        const JoinExpr *join = reinterpret_cast<JoinExpr *>(part);
        found = all_quals(all_quals(found, join->larg), join->rarg);
        quals = join->quals;
    }
    return ::list_concat(found, ::make_ands_implicit(reinterpret_cast<Expr *>(quals)));
}

struct link {
    Node *condition;
    const Var *key; // of the relation at the other end
};

// An equality that joins the relation to one that has the key. Any will do: rows that are joined fulfil all of them.
link link_of(Query *query, List *keys, int number) {
    ListCell *cell;
    foreach (cell, all_quals(NIL, reinterpret_cast<Node *>(query->jointree))) {
        Node *condition = ::flatten_join_alias_vars(query, static_cast<Node *>(lfirst(cell)));
        if (!IsA(condition, OpExpr) || ::contain_volatile_functions(condition))
            continue;
        const OpExpr *comparison = reinterpret_cast<OpExpr *>(condition);
        if (list_length(comparison->args) != 2 ||
            !::op_mergejoinable(comparison->opno, ::exprType(static_cast<Node *>(linitial(comparison->args)))))
            continue;
        const Relids relations = ::pull_varnos(nullptr, condition);
        const int other = ::bms_num_members(relations) == 2 && ::bms_is_member(number, relations)
                              ? ::bms_next_member(relations, ::bms_next_member(relations, -1) == number ? number : -1)
                              : 0;
        const Var *key = other > 0 ? key_of(keys, other) : nullptr;
        if (key &&
            ::bms_membership(::pull_varnos(nullptr, static_cast<Node *>(linitial(comparison->args)))) ==
                BMS_SINGLETON &&
            ::bms_membership(::pull_varnos(nullptr, static_cast<Node *>(lsecond(comparison->args)))) == BMS_SINGLETON)
            return {condition, key};
    }
    return {nullptr, nullptr};
}

// The relations whose rows may be missing from what comes out: those of the nullable sides of outer joins.
Relids optional_relations(Node *part, bool optional) {
    if (IsA(part, RangeTblRef))
        return optional ? ::bms_make_singleton(reinterpret_cast<RangeTblRef *>(part)->rtindex) : nullptr;
    Relids found = nullptr;
    if (IsA(part, FromExpr)) {
        ListCell *cell;
        foreach (cell, reinterpret_cast<FromExpr *>(part)->fromlist)
            found = ::bms_join(found, optional_relations(static_cast<Node *>(lfirst(cell)), optional));
        return found;
    }
    const JoinExpr *join = reinterpret_cast<JoinExpr *>(part);
    const bool left = optional || join->jointype == JOIN_RIGHT || join->jointype == JOIN_FULL;
    const bool right = optional || join->jointype == JOIN_LEFT || join->jointype == JOIN_FULL;
    return ::bms_join(optional_relations(join->larg, left), optional_relations(join->rarg, right));
}

RangeTblRef *reference_to(int number) {
    RangeTblRef *reference = makeNode(RangeTblRef);
    reference->rtindex = number;
    return reference;
}

TargetEntry *column(Node *expression, int number, const char *name) {
    return ::makeTargetEntry(reinterpret_cast<Expr *>(expression), static_cast<AttrNumber>(number), ::pstrdup(name),
                             false);
}

// SELECT <key>::bigint AS lid, <modified> AS modified FROM <relation>, or, over a link, FROM <the other>, <relation>.
const char *write_query(const Query *from, int number, const Var *key, const Var *time, Node *condition) {
    Query *query = makeNode(Query);
    query->commandType = CMD_SELECT;
    query->querySource = QSRC_ORIGINAL;
    query->canSetTag = true;
    List *const numbers = condition ? list_make2_int(key->varno, number) : list_make1_int(number);
    // The entries move to the front, so the columns must follow; high numbers are nobody's meanwhile.
    constexpr int aside = 100000;
    Node *lid = static_cast<Node *>(copyObjectImpl(key)), *modified = static_cast<Node *>(copyObjectImpl(time));
    Node *moved[] = {lid, modified, condition};
    ListCell *cell;
    foreach (cell, numbers) {
        RangeTblEntry *entry = static_cast<RangeTblEntry *>(copyObjectImpl(rt_fetch(lfirst_int(cell), from->rtable)));
        entry->inh = true;
        entry->lateral = false;
        query->rtable = ::lappend(query->rtable, entry);
        for (Node *part : moved)
            if (part)
                ::ChangeVarNodes(part, lfirst_int(cell), aside + foreach_current_index(cell) + 1, 0);
    }
    List *references = NIL;
    for (int i = 1; i <= list_length(query->rtable); i++) {
        references = ::lappend(references, reference_to(i));
        for (Node *part : moved)
            if (part)
                ::ChangeVarNodes(part, aside + i, i, 0);
    }
    query->jointree = ::makeFromExpr(references, condition);
    lid = ::coerce_to_target_type(nullptr, lid, ::exprType(lid), INT8OID, -1, COERCION_ASSIGNMENT, COERCE_EXPLICIT_CAST,
                                  -1);
    query->targetList = list_make2(column(lid, 1, key_name), column(modified, 2, time_name));
    return ::pg_get_querydef(query, false);
}

bool in_join_tree(const Query *query, int number) {
    return ::bms_is_member(number, ::get_relids_in_jointree(reinterpret_cast<Node *>(query->jointree), true));
}

} // namespace

touched_lids find_touched(Oid view) {
    const Relation source = plan::open_planned(view, AccessShareLock, "source view");
    Query *query = static_cast<Query *>(copyObjectImpl(::get_view_query(source)));
    const AttrNumber key_number = ::get_attnum(view, key_name);
    ::relation_close(source, NoLock);
    touched_lids found{NIL, nullptr};
    if (!plan::can_restrict(query) || query->hasSubLinks || query->cteList != NIL) {
        found.obstacle = "its template is no plain join";
        return found;
    }
    ::AcquireRewriteLocks(query, true, false);
    ::setRuleCheckAsUser(reinterpret_cast<Node *>(query), InvalidOid);
    List *keys = NIL;
    ListCell *cell;
    foreach (cell, query->targetList)
        if (static_cast<TargetEntry *>(lfirst(cell))->resno == key_number)
            keys = plan::key_columns(query, static_cast<TargetEntry *>(lfirst(cell)));
    if (keys == NIL) {
        found.obstacle = "its key is computed";
        return found;
    }
    const Relids optional = optional_relations(reinterpret_cast<Node *>(query->jointree), false);
    foreach (cell, query->rtable) {
        const RangeTblEntry *entry = static_cast<RangeTblEntry *>(lfirst(cell));
        const int number = foreach_current_index(cell) + 1;
        if (entry->rtekind == RTE_JOIN || !in_join_tree(query, number))
            continue;
        if (entry->rtekind != RTE_RELATION) {
            found.obstacle = "its template is no plain join";
            return found;
        }
        const Var *time = time_of(entry, number);
        if (!time) {
            found.obstacle = psprintf("relation \"%s\" has no column modified", ::get_rel_name(entry->relid));
            return found;
        }
        const Var *key = key_of(keys, number);
        const link by = key ? link{nullptr, key} : link_of(query, keys, number);
        if (!by.key) {
            found.obstacle = psprintf("relation \"%s\" is not joined on the key", ::get_rel_name(entry->relid));
            return found;
        }
        touching *one = static_cast<touching *>(::palloc(sizeof(touching)));
        *one = {entry->relid,
                write_query(query, number, by.key, time, by.condition),
                !key,
                ::getBaseType(time->vartype) != TIMESTAMPTZOID,
                key ? ::get_attname(entry->relid, key->varattno, false) : nullptr,
                key && !::bms_is_member(number, optional) ? ::get_attname(entry->relid, key->varattno, false)
                                                          : nullptr};
        found.relations = ::lappend(found.relations, one);
    }
    return found;
}

} // namespace etl::sync
