// PG regime: may ereport, so no local here needs a destructor.
#include "sync/write.hpp"

extern "C" {
#include "executor/spi.h"
#include "utils/snapmgr.h"
}

namespace etl::sync {

namespace {

void offer(const char *name, Tuplestorestate *rows, std::int64_t count, TupleDesc columns) {
    const EphemeralNamedRelation offered =
        static_cast<EphemeralNamedRelation>(::palloc0(sizeof(EphemeralNamedRelationData)));
    offered->md.name = ::pstrdup(name);
    offered->md.tupdesc = columns;
    offered->md.enrtype = ENR_NAMED_TUPLESTORE;
    offered->md.enrtuples = static_cast<double>(count);
    offered->reldata = rows;
    const int code = ::SPI_register_relation(offered);
    if (code != SPI_OK_REL_REGISTER)
        elog(ERROR, "offering rows failed with %s", ::SPI_result_code_string(code));
}

void run(const char *statement, Snapshot snapshot) {
    const SPIPlanPtr plan = ::SPI_prepare(statement, 0, nullptr);
    if (!plan)
        elog(ERROR, "statement failed with %s: %s", ::SPI_result_code_string(SPI_result), statement);
    const int code = ::SPI_execute_snapshot(plan, nullptr, nullptr, snapshot, InvalidSnapshot, false, true, 0);
    if (code < 0)
        elog(ERROR, "statement failed with %s: %s", ::SPI_result_code_string(code), statement);
}

// Each statement runs if there are rows for it.
void write(const differences &found, const statements &how, Snapshot snapshot) {
    const struct {
        const char *name, *statement;
        Tuplestorestate *rows;
        std::int64_t count;
    } steps[] = {{"gone", how.remove, found.gone, found.gone_count},
                 {"changed", how.update, found.changed, found.changed_count},
                 {"came", how.insert, found.came, found.came_count}};
    ::SPI_connect();
    for (const auto &step : steps) {
        if (step.count == 0)
            continue;
        offer(step.name, step.rows, step.count, found.given);
        run(step.statement, snapshot);
    }
    ::SPI_finish();
    for (const auto &step : steps)
        ::tuplestore_end(step.rows);
}

} // namespace

differences compare_and_write(const comparison &wanted, const statements &how) {
    const sides planned = plan_sides(wanted);
    ::PushActiveSnapshot(::GetTransactionSnapshot());
    const Snapshot snapshot = ::GetActiveSnapshot();
    const differences found = compare(wanted, planned, snapshot);
    write(found, how, snapshot);
    ::PopActiveSnapshot();
    return found;
}

} // namespace etl::sync
