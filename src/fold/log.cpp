// PG regime: may ereport, so no local here needs a destructor.
#include "fold/log.hpp"

#include "plan/source_query.hpp"

extern "C" {
#include "access/table.h"
#include "catalog/pg_am.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
}

namespace etl::fold {

namespace {

struct log_types {
    Oid lid, price, dt;
    std::int32_t price_modifier;
};

bool find_columns(Relation relation, log_leaf &leaf, log_types &types) {
    const Oid table = RelationGetRelid(relation);
    leaf = {relation, ::get_attnum(table, "lid"), ::get_attnum(table, "price"), ::get_attnum(table, "dt")};
    if (leaf.lid <= 0 || leaf.price <= 0 || leaf.dt <= 0)
        return false;
    const TupleDesc columns = RelationGetDescr(relation);
    const Form_pg_attribute price = TupleDescAttr(columns, leaf.price - 1);
    types = {TupleDescAttr(columns, leaf.lid - 1)->atttypid, price->atttypid,
             TupleDescAttr(columns, leaf.dt - 1)->atttypid, price->atttypmod};
    return true;
}

const char *obstacle_of_root(Relation root) {
    const Form_pg_class form = root->rd_rel;
    if (form->relkind != RELKIND_RELATION && form->relkind != RELKIND_PARTITIONED_TABLE &&
        form->relkind != RELKIND_MATVIEW)
        return "the log is a view or a foreign table";
    if (form->relrowsecurity)
        return "the log has row security";
    if (form->relkind == RELKIND_MATVIEW && !form->relispopulated)
        return "the log is not populated";
    if (::pg_class_aclcheck(RelationGetRelid(root), ::GetUserId(), ACL_SELECT) != ACLCHECK_OK)
        return "there is no right to read the log as a whole";
    return nullptr;
}

const char *obstacle_of_types(const log_types &types) {
    if (types.lid != INT8OID)
        return "lid is no plain bigint";
    if (types.price != NUMERICOID)
        return "price is no plain numeric";
    if (types.dt != DATEOID && types.dt != TIMESTAMPOID && types.dt != TIMESTAMPTZOID)
        return "dt is no plain date or timestamp";
    return nullptr;
}

constexpr int most_coded_digits = 18;

} // namespace

price_log open_log(Oid prices) {
    price_log log{};
    const Relation root = plan::open_planned(prices, AccessShareLock, "price log");
    log_leaf leaf;
    log_types types;
    log.obstacle = obstacle_of_root(root);
    if (!log.obstacle)
        log.obstacle = find_columns(root, leaf, types) ? obstacle_of_types(types) : "the log lacks a column";
    if (!log.obstacle) {
        find_coding(types.price, types.price_modifier, types.dt, log.coding);
        // A code holds 18 digits.
        log.has_wide_prices =
            types.price_modifier < 0 || (((types.price_modifier - VARHDRSZ) >> 16) & 0xffff) > most_coded_digits;
        if (types.price_modifier >= 0 && log.coding.format.scale_varies)
            log.obstacle = "prices have more than 15 places";
    }
    ::table_close(root, NoLock);
    if (log.obstacle)
        return log;

    List *tables = ::find_all_inheritors(prices, AccessShareLock, nullptr);
    log.leaves = static_cast<log_leaf *>(::palloc(sizeof(log_leaf) * static_cast<std::size_t>(list_length(tables))));
    ListCell *cell;
    foreach (cell, tables) {
        const Relation table = ::table_open(lfirst_oid(cell), NoLock);
        const char kind = table->rd_rel->relkind;
        const bool is_heap =
            (kind == RELKIND_RELATION || kind == RELKIND_MATVIEW) && table->rd_rel->relam == HEAP_TABLE_AM_OID;
        // What is temporary another session's SQL passes over as well.
        const bool has_rows =
            kind != RELKIND_PARTITIONED_TABLE && table->rd_rel->relpersistence != RELPERSISTENCE_TEMP;
        if (!has_rows || !is_heap || !find_columns(table, leaf, types)) {
            ::table_close(table, NoLock);
            if (!has_rows)
                continue;
            close_log(log);
            log.obstacle = "a part of the log is no plain table";
            return log;
        }
        log.leaves[log.count++] = leaf;
    }
    ::list_free(tables);
    return log;
}

void close_log(price_log &log) {
    for (int i = 0; i < log.count; i++)
        ::table_close(log.leaves[i].relation, NoLock);
    log.count = 0;
}

} // namespace etl::fold
