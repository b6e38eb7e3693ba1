// PG regime: may ereport, so no local here needs a destructor.
#include "fold/price_state.hpp"

#include "plan/source_query.hpp"

extern "C" {
#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace etl::fold {

namespace {

constexpr int column_count = 8;

// NULL where there is none that rows could be written to.
Form_pg_attribute find_column(Relation table, const char *name) {
    const AttrNumber number = ::get_attnum(RelationGetRelid(table), name);
    const Form_pg_attribute found = number > 0 ? TupleDescAttr(RelationGetDescr(table), number - 1) : nullptr;
    return found && !found->attgenerated ? found : nullptr;
}

bool has_type_of(Relation table, const char *name, Relation log, const char *source) {
    const Form_pg_attribute column = find_column(table, name);
    const AttrNumber number = ::get_attnum(RelationGetRelid(log), source);
    if (!column || number <= 0)
        return false;
    const Form_pg_attribute of = TupleDescAttr(RelationGetDescr(log), number - 1);
    return column->atttypid == of->atttypid && column->atttypmod == of->atttypmod;
}

bool has_columns(Relation table, Oid prices) {
    const Form_pg_attribute lid = find_column(table, "lid"), modified = find_column(table, "modified");
    const Relation log = ::table_open(prices, AccessShareLock);
    bool right = lid && lid->atttypid == INT8OID && modified && modified->atttypid == TIMESTAMPTZOID;
    for (const char *name : {"first_price", "last_price", "price_min", "price_max"})
        right = right && has_type_of(table, name, log, "price");
    for (const char *name : {"first_dt", "last_dt"})
        right = right && has_type_of(table, name, log, "dt");
    ::table_close(log, NoLock);
    return right;
}

int count_columns(TupleDesc columns) {
    int present = 0;
    for (int i = 0; i < columns->natts; i++)
        present += !TupleDescAttr(columns, i)->attisdropped;
    return present;
}

const char *obstacle_of(Relation table, Oid prices) {
    if (const char *obstacle = obstacle_to_rows(table))
        return obstacle;
    constexpr AclMode rights[] = {ACL_SELECT, ACL_INSERT, ACL_UPDATE, ACL_DELETE};
    for (const AclMode right : rights)
        if (::pg_class_aclcheck(RelationGetRelid(table), ::GetUserId(), right) != ACLCHECK_OK)
            return "there is no right to write the price state";
    if (!has_columns(table, prices))
        return "the price state has other columns than the log asks for";
    bool has_key = false, has_late_checks = false;
    List *indexes = ::RelationGetIndexList(table);
    ListCell *cell;
    foreach (cell, indexes) {
        const Relation index = ::index_open(lfirst_oid(cell), AccessShareLock);
        const Form_pg_index key = index->rd_index;
        has_late_checks |= !key->indimmediate || key->indisexclusion;
        has_key |= key->indisunique && key->indisvalid && key->indnkeyatts == 1 && !key->indcheckxmin &&
                   key->indkey.values[0] == ::get_attnum(RelationGetRelid(table), "lid") &&
                   ::RelationGetIndexPredicate(index) == NIL && index->rd_rel->relam == BTREE_AM_OID;
        ::index_close(index, NoLock);
    }
    ::list_free(indexes);
    return has_late_checks ? "the price state has deferrable constraints"
           : !has_key      ? "the price state has no primary key (lid)"
                           : nullptr;
}

} // namespace

const char *obstacle_to_rows(Relation table) {
    const Form_pg_class form = table->rd_rel;
    const TupleDesc columns = RelationGetDescr(table);
    if (form->relkind != RELKIND_RELATION || form->relam != HEAP_TABLE_AM_OID || form->relhassubclass ||
        form->relispartition)
        return "the price state is no plain table";
    if (table->trigdesc || table->rd_rules || form->relrowsecurity)
        return "the price state has triggers, rules or row security";
    if (columns->constr && columns->constr->num_check > 0)
        return "the price state has check constraints";
    if (count_columns(columns) != column_count)
        return "the price state has other columns than it was made with";
    return nullptr;
}

Relation open_price_state(Oid table, Oid prices, LOCKMODE mode, const char *&obstacle) {
    const Relation opened = plan::open_planned(table, mode, "price state");
    obstacle = obstacle_of(opened, prices);
    if (!obstacle)
        return opened;
    ::table_close(opened, NoLock);
    return nullptr;
}

} // namespace etl::fold
