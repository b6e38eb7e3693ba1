// PG regime: may ereport, so no local here needs a destructor.
#include "join/equality.hpp"

extern "C" {
#include "access/stratnum.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
}

namespace etl::join {

namespace {

// Columns of several relations that are equal in every row.
struct equal_columns {
    int count;
    int unique; // that have a unique index
    const Var *columns[most_members];
};

bool is_integer(Oid type) {
    return type == INT8OID || type == INT4OID || type == INT2OID;
}

const Var *column_of(const void *node) {
    if (!IsA(node, Var))
        return nullptr;
    const Var *column = static_cast<const Var *>(node);
    return column->varattno > 0 && column->varlevelsup == 0 && is_integer(column->vartype) ? column : nullptr;
}

candidate *relation_of(candidates &all, const Var *column) {
    return find(all, static_cast<Index>(column->varno));
}

Oid index_of(candidates &all, const Var *column) {
    const candidate *relation = relation_of(all, column);
    return relation ? unique_index(relation->planned, column->varattno) : InvalidOid;
}

const char *read_class(candidates &all, const EquivalenceClass *equal, equal_columns &found) {
    if (equal->ec_broken || equal->ec_has_volatile || equal->ec_below_outer_join ||
        !list_member_oid(equal->ec_opfamilies, INTEGER_BTREE_FAM_OID))
        return "relations are joined by other things than integer columns";
    found.count = found.unique = 0;
    ListCell *cell;
    foreach (cell, equal->ec_members) {
        const EquivalenceMember *one = static_cast<const EquivalenceMember *>(lfirst(cell));
        if (one->em_is_const || one->em_is_child)
            continue;
        const Var *column = column_of(one->em_expr);
        const candidate *relation = column ? relation_of(all, column) : nullptr;
        if (!relation || relation->optional)
            return "relations are joined by other things than integer columns";
        for (int i = 0; i < found.count; i++)
            if (found.columns[i]->varno == column->varno)
                return ::psprintf("two columns of \"%s\" equal one of another relation", relation->name);
        found.unique += OidIsValid(index_of(all, column)) ? 1 : 0;
        found.columns[found.count++] = column;
    }
    return nullptr;
}

const char *why_no_index(const candidate &relation) {
    return ::psprintf("\"%s\" has no unique index on the column that joins it", relation.name);
}

void give(candidate &relation, duty what, const Var *key) {
    relation.has_part = true;
    relation.part.what = what;
    relation.part.key = key->varattno;
    relation.part.key_type = key->vartype;
    relation.part.index = unique_index(relation.planned, key->varattno);
}

bool is_key(const candidate *relation, const Var *column) {
    return relation->has_part && relation->part.what != duty::look_up && relation->part.key == column->varattno;
}

const char *give_key(candidates &all, const equal_columns &key) {
    for (int i = 0; i < key.count; i++) {
        candidate *relation = relation_of(all, key.columns[i]);
        if (key.columns[i]->vartype != INT8OID)
            return ::psprintf("the key of \"%s\" is no bigint", relation->name);
        give(*relation, duty::probe, key.columns[i]);
    }
    return nullptr;
}

const char *give_dimension(candidate &relation, const Var *key, const candidate *leader, const Var *led_by) {
    if (relation.has_part || !leader->has_part || leader->part.what == duty::look_up)
        return ::psprintf("\"%s\" is joined by more than a key", relation.name);
    give(relation, duty::look_up, key);
    relation.part.led_by = leader->part.relation;
    relation.part.led_by_column = led_by->varattno;
    relation.part.led_by_type = led_by->vartype;
    if (!OidIsValid(relation.part.index))
        return why_no_index(relation);
    return nullptr;
}

// A class beside the key: one column of a relation of the key, and the keys of dimensions.
const char *give_dimensions(candidates &all, const equal_columns &equal) {
    const Var *led_by = nullptr;
    for (int i = 0; i < equal.count; i++) {
        const candidate *relation = relation_of(all, equal.columns[i]);
        if (!relation->has_part || relation->part.what == duty::look_up)
            continue;
        if (led_by)
            return ::psprintf("\"%s\" is joined by more than a key", relation->name);
        led_by = equal.columns[i];
    }
    if (!led_by)
        return ::psprintf("\"%s\" is joined to no relation with the key", relation_of(all, equal.columns[0])->name);
    for (int i = 0; i < equal.count; i++)
        if (equal.columns[i] != led_by)
            if (const char *obstacle = give_dimension(*relation_of(all, equal.columns[i]), equal.columns[i],
                                                      relation_of(all, led_by), led_by))
                return obstacle;
    return nullptr;
}

// Most likely the largest class was meant to be the key.
const char *why_no_key(candidates &all, const equal_columns *classes, int count) {
    const equal_columns *largest = nullptr;
    for (int i = 0; i < count; i++)
        if (!largest || classes[i].count > largest->count)
            largest = &classes[i];
    for (int i = 0; largest && i < largest->count; i++)
        if (!OidIsValid(index_of(all, largest->columns[i])))
            return why_no_index(*relation_of(all, largest->columns[i]));
    return "no two relations are joined by an inner equality";
}

const char *give_inner_parts(const PlannerInfo *root, candidates &all) {
    equal_columns *classes =
        static_cast<equal_columns *>(::palloc(sizeof(equal_columns) * (list_length(root->eq_classes) + 1)));
    int count = 0;
    const equal_columns *key = nullptr;
    ListCell *cell;
    foreach (cell, root->eq_classes) {
        const EquivalenceClass *equal = static_cast<const EquivalenceClass *>(lfirst(cell));
        // Equalities within one relation, and with constants, are among the relations' own conditions.
        if (bms_membership(equal->ec_relids) != BMS_MULTIPLE)
            continue;
        if (const char *obstacle = read_class(all, equal, classes[count])) {
            if (equal->ec_has_const && !equal->ec_broken)
                continue;
            return obstacle;
        }
        if (classes[count].unique == classes[count].count && (!key || classes[count].count > key->count))
            key = &classes[count];
        count++;
    }
    if (!key)
        return why_no_key(all, classes, count);
    if (const char *obstacle = give_key(all, *key))
        return obstacle;
    for (int i = 0; i < count; i++)
        if (&classes[i] != key)
            if (const char *obstacle = give_dimensions(all, classes[i]))
                return obstacle;
    return nullptr;
}

// The equality of a LEFT JOIN.
const char *give_optional_part(candidates &all, candidate &optional, const RestrictInfo *condition) {
    const OpExpr *equality = reinterpret_cast<const OpExpr *>(condition->clause);
    if (!IsA(equality, OpExpr) || list_length(equality->args) != 2 ||
        ::get_op_opfamily_strategy(equality->opno, INTEGER_BTREE_FAM_OID) != BTEqualStrategyNumber)
        return ::psprintf("the LEFT JOIN of \"%s\" is no equality of integer columns", optional.name);
    const Var *own = column_of(linitial(equality->args)), *other = column_of(lsecond(equality->args));
    if (own && static_cast<Index>(own->varno) != optional.part.relation)
        std::swap(own, other);
    if (!own || !other || static_cast<Index>(own->varno) != optional.part.relation)
        return ::psprintf("the LEFT JOIN of \"%s\" is no equality of integer columns", optional.name);
    const candidate *leader = relation_of(all, other);
    if (!leader || leader->optional)
        return ::psprintf("\"%s\" is joined to no relation with the key", optional.name);
    if (!is_key(leader, other) || own->vartype != INT8OID)
        return give_dimension(optional, own, leader, other);
    give(optional, duty::probe, own);
    if (!OidIsValid(optional.part.index))
        return why_no_index(optional);
    return nullptr;
}

const char *give_optional_parts(candidates &all) {
    List *known = NIL;
    for (int i = 0; i < all.count; i++) {
        candidate &one = all.list[i];
        if (!one.optional)
            continue;
        if (list_length(one.planned->joininfo) != 1)
            return ::psprintf("the LEFT JOIN of \"%s\" has other conditions than one equality", one.name);
        RestrictInfo *condition = static_cast<RestrictInfo *>(linitial(one.planned->joininfo));
        if (condition->is_pushed_down)
            return "a condition concerns several relations";
        if (const char *obstacle = give_optional_part(all, one, condition))
            return obstacle;
        known = ::lappend(known, condition);
    }
    for (int i = 0; i < all.count; i++) {
        ListCell *cell;
        foreach (cell, all.list[i].planned->joininfo)
            if (!list_member_ptr(known, lfirst(cell)))
                return "a condition concerns several relations";
    }
    return nullptr;
}

} // namespace

candidate *find(candidates &all, Index relation) {
    for (int i = 0; i < all.count; i++)
        if (all.list[i].part.relation == relation)
            return &all.list[i];
    return nullptr;
}

const char *give_parts(const PlannerInfo *root, candidates &all) {
    if (const char *obstacle = give_inner_parts(root, all))
        return obstacle;
    if (const char *obstacle = give_optional_parts(all))
        return obstacle;
    for (int i = 0; i < all.count; i++)
        if (!all.list[i].has_part)
            return ::psprintf("\"%s\" is not joined by an equality", all.list[i].name);
    return nullptr;
}

} // namespace etl::join
