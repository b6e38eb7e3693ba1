// PG regime: the trigger that writes down every change of state of runs and tasks.
#include "pg/function.hpp"
#include "pg/kept_plan.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/rel.h"
}

namespace etl::run {

namespace {

struct cell {
    Datum value;
    bool is_null;
};

cell cell_of(const TriggerData *data, HeapTuple row, const char *column) {
    const TupleDesc columns = RelationGetDescr(data->tg_relation);
    const int number = row ? ::SPI_fnumber(columns, column) : SPI_ERROR_NOATTRIBUTE;
    cell found{0, true};
    if (number > 0)
        found.value = ::SPI_getbinval(row, columns, number, &found.is_null);
    return found;
}

bool is_same(const TriggerData *data, HeapTuple before, HeapTuple now, const char *column) {
    const TupleDesc columns = RelationGetDescr(data->tg_relation);
    const int number = ::SPI_fnumber(columns, column);
    const char *const old_text = ::SPI_getvalue(before, columns, number);
    const char *const new_text = ::SPI_getvalue(now, columns, number);
    return old_text && new_text ? strcmp(old_text, new_text) == 0 : old_text == new_text;
}

void record(const TriggerData *data) {
    const bool is_update = TRIGGER_FIRED_BY_UPDATE(data->tg_event);
    const HeapTuple before = is_update ? data->tg_trigtuple : nullptr;
    const HeapTuple now = is_update ? data->tg_newtuple : data->tg_trigtuple;
    if (before && is_same(data, before, now, "state") && is_same(data, before, now, "why"))
        return;
    const cell cells[] = {cell_of(data, now, "run_id"), cell_of(data, now, "task_no"), cell_of(data, before, "state"),
                          cell_of(data, now, "state"), cell_of(data, now, "why")};
    Oid types[] = {INT8OID, INT4OID, TEXTOID, TEXTOID, TEXTOID};
    Datum values[lengthof(types)];
    char nulls[lengthof(types)];
    for (std::size_t i = 0; i < lengthof(types); i++) {
        values[i] = cells[i].value;
        nulls[i] = cells[i].is_null ? 'n' : ' ';
    }
    const int code = ::SPI_execute_plan(
        pg::kept_plan("INSERT INTO etl.event (run_id, task_no, from_state, to_state, why) VALUES ($1, $2, $3, $4, $5)",
                      lengthof(types), types),
        values, nulls, false, 0);
    if (code != SPI_OK_INSERT)
        elog(ERROR, "could not record an event: %s", ::SPI_result_code_string(code));
}

} // namespace

} // namespace etl::run

ETL_FUNCTION(etl_record_event) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                        errmsg("function etl.record_event() must be called as a trigger")));
    ::SPI_connect();
    etl::run::record(reinterpret_cast<const TriggerData *>(fcinfo->context));
    ::SPI_finish();
    return PointerGetDatum(nullptr);
}
