// PG regime: may ereport, so no local here needs a destructor.
#include "plan/source_query.hpp"

extern "C" {
#include "access/relation.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_relation.h"
#include "rewrite/rewriteDefine.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/tcopprot.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"
}

namespace etl::plan {

namespace {

constexpr const char *key_name = "lid";

// Position of a column in a relation's rows by its name, or 0.
int position_of(TupleDesc columns, const char *name) {
    for (int i = 0; i < columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i);
        if (!column->attisdropped && namestrcmp(&column->attname, name) == 0)
            return i + 1;
    }
    return 0;
}

// The view's own query, restricted, or NULL where the range can't go into it.
Query *restricted_query(Relation view, int key, const key_bounds &bounds) {
    Query *query = static_cast<Query *>(copyObjectImpl(::get_view_query(view)));
    if (!can_restrict(query))
        return nullptr;
    ::AcquireRewriteLocks(query, true, false);
    // The view's owner stands behind no relation: whoever reads must be allowed to.
    ::setRuleCheckAsUser(reinterpret_cast<Node *>(query), InvalidOid);
    ListCell *cell;
    foreach (cell, query->targetList) {
        const TargetEntry *entry = static_cast<const TargetEntry *>(lfirst(cell));
        if (entry->resno == key && !entry->resjunk)
            return restrict_key(query, entry, bounds) ? query : nullptr;
    }
    return nullptr;
}

// SELECT <all columns> FROM view WHERE <range>, for PostgreSQL to push the range down as far as it can.
Query *wrapped_query(Relation view, int key, const key_bounds &bounds) {
    ParseState *parse = ::make_parsestate(nullptr);
    const ParseNamespaceItem *item =
        ::addRangeTableEntryForRelation(parse, view, AccessShareLock, nullptr, false, true);
    Query *query = makeNode(Query);
    query->commandType = CMD_SELECT;
    query->rtable = parse->p_rtable;
    Node *key_column = nullptr;
    const TupleDesc columns = RelationGetDescr(view);
    for (int i = 1; i <= columns->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(columns, i - 1);
        Var *value =
            ::makeVar(1, static_cast<AttrNumber>(i), column->atttypid, column->atttypmod, column->attcollation, 0);
        query->targetList =
            ::lappend(query->targetList, ::makeTargetEntry(reinterpret_cast<Expr *>(value), static_cast<AttrNumber>(i),
                                                           ::pstrdup(NameStr(column->attname)), false));
        item->p_rte->selectedCols = ::bms_add_member(item->p_rte->selectedCols, i - FirstLowInvalidHeapAttributeNumber);
        if (i == key)
            key_column = static_cast<Node *>(copyObjectImpl(value));
    }
    const Oid type = ::exprType(key_column);
    if (type != INT8OID && type != INT4OID && type != INT2OID)
        key_column = ::coerce_to_target_type(parse, key_column, type, INT8OID, -1, COERCION_ASSIGNMENT,
                                             COERCE_EXPLICIT_CAST, -1);
    if (!key_column)
        ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
                errmsg("column \"%s\" of source view \"%s\" is of type %s, not bigint", key_name,
                       RelationGetRelationName(view), ::format_type_be(type)));
    RangeTblRef *reference = makeNode(RangeTblRef);
    reference->rtindex = 1;
    query->jointree = ::makeFromExpr(
        list_make1(reference),
        reinterpret_cast<Node *>(::make_ands_explicit(range_quals(reinterpret_cast<Expr *>(key_column), bounds))));
    ::free_parsestate(parse);
    return query;
}

// The entry of the target list that fills a column of the target, or NULL if the view does not give it.
const TargetEntry *entry_for(const Query *query, TupleDesc given, const Form_pg_attribute column) {
    const int position = position_of(given, NameStr(column->attname));
    ListCell *cell;
    foreach (cell, query->targetList) {
        const TargetEntry *entry = static_cast<const TargetEntry *>(lfirst(cell));
        if (position != 0 && !entry->resjunk && entry->resno == position)
            return entry;
    }
    return nullptr;
}

void arrange_columns(Query *query, Relation view, Relation target, row_shape shape) {
    const TupleDesc given = RelationGetDescr(view), wanted = RelationGetDescr(target);
    for (int i = 0; i < given->natts; i++) {
        const char *name = NameStr(TupleDescAttr(given, i)->attname);
        if (position_of(wanted, name) == 0)
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("column \"%s\" of source view \"%s\" does not exist in table \"%s\"", name,
                           RelationGetRelationName(view), RelationGetRelationName(target)),
                    errhint("The mart was altered: add the column again, or drop the make and add it anew."));
    }
    List *arranged = NIL;
    for (int i = 0; i < wanted->natts; i++) {
        const Form_pg_attribute column = TupleDescAttr(wanted, i);
        const TargetEntry *entry = column->attisdropped ? nullptr : entry_for(query, given, column);
        if (!entry && shape == row_shape::given)
            continue;
        Expr *value;
        if (column->attisdropped)
            value = reinterpret_cast<Expr *>(::makeNullConst(INT4OID, -1, InvalidOid));
        else if (!entry)
            value =
                reinterpret_cast<Expr *>(::makeNullConst(column->atttypid, column->atttypmod, column->attcollation));
        else {
            Node *source = static_cast<Node *>(copyObjectImpl(entry->expr));
            value = reinterpret_cast<Expr *>(::coerce_to_target_type(nullptr, source, ::exprType(source),
                                                                     column->atttypid, column->atttypmod,
                                                                     COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST, -1));
            if (!value)
                ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("column \"%s\" of table \"%s\" is of type %s but source view \"%s\" gives type %s",
                               NameStr(column->attname), RelationGetRelationName(target),
                               ::format_type_be(column->atttypid), RelationGetRelationName(view),
                               ::format_type_be(::exprType(source))));
        }
        arranged = ::lappend(arranged, ::makeTargetEntry(value, static_cast<AttrNumber>(list_length(arranged) + 1),
                                                         ::pstrdup(NameStr(column->attname)), false));
    }
    query->targetList = arranged;
}

} // namespace

Relation open_planned(Oid relation, LOCKMODE mode, const char *what) {
    const Relation found = ::try_relation_open(relation, mode);
    if (!found)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_TABLE), errmsg("%s with OID %u does not exist", what, relation),
                errdetail("It, or a relation that it was made from, was dropped after the run had been planned."),
                errhint("Make the source views anew with etl_refresh_make, then start again."));
    return found;
}

Query *source_query(Oid view, Relation target, const key_bounds &bounds, row_shape shape) {
    const Relation source = open_planned(view, AccessShareLock, "source view");
    const int key = position_of(RelationGetDescr(source), key_name);
    if (source->rd_rel->relkind != RELKIND_VIEW || key == 0)
        ereport(ERROR, errcode(ERRCODE_WRONG_OBJECT_TYPE),
                errmsg("\"%s\" is not a view with a column \"%s\"", RelationGetRelationName(source), key_name));
    Query *query = restricted_query(source, key, bounds);
    if (!query)
        query = wrapped_query(source, key, bounds);
    query->querySource = QSRC_ORIGINAL;
    query->canSetTag = true;
    arrange_columns(query, source, target, shape);
    // The lock stays to the end of the transaction, as the plan needs it.
    ::relation_close(source, NoLock);
    return query;
}

char *source_query_text(Oid view, Oid target, const key_bounds &bounds) {
    const Relation columns = open_planned(target, AccessShareLock, "table");
    Query *query = source_query(view, columns, bounds, row_shape::given);
    ::relation_close(columns, NoLock);
    return ::pg_get_querydef(query, true);
}

join::planned plan_source_query(Query *query, const char *text, ParamListInfo parameters) {
    // Rules can't make two queries of a SELECT.
    return join::plan_with_key_join(linitial_node(Query, ::pg_rewrite_query(query)), text, parameters);
}

} // namespace etl::plan
