// PG regime: may ereport, so no local here needs a destructor.
#include "fold/key_probe.hpp"

extern "C" {
#include "access/genam.h"
#include "access/stratnum.h"
#include "access/tableam.h"
#include "executor/tuptable.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
}

namespace etl::fold {

struct key_probe {
    MemoryContext context; // of the scan, which allocates on its way
    Relation index;
    AttrNumber lid;
    SnapshotData dirty;
    IndexScanDesc scan;
    TupleTableSlot *found;
};

key_probe *begin_probing(Relation table, Oid key, AttrNumber lid) {
    key_probe *probe = static_cast<key_probe *>(::palloc0(sizeof(key_probe)));
    probe->context = CurrentMemoryContext;
    probe->index = ::index_open(key, AccessShareLock);
    probe->lid = lid;
    InitDirtySnapshot(probe->dirty);
    probe->scan = ::index_beginscan(table, probe->index, &probe->dirty, 2, 0);
    probe->found = ::table_slot_create(table, nullptr);
    return probe;
}

int count_free(key_probe *probe, const std::int64_t *lids, int count) {
    const MemoryContext before = ::MemoryContextSwitchTo(probe->context);
    ScanKeyData keys[2];
    ::ScanKeyInit(&keys[0], 1, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(lids[0]));
    ::ScanKeyInit(&keys[1], 1, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(lids[count - 1]));
    ::index_rescan(probe->scan, keys, 2, nullptr, 0);
    int free = 0;
    bool is_taken = false;
    while (!is_taken && ::index_getnext_slot(probe->scan, ForwardScanDirection, probe->found)) {
        bool is_null;
        const std::int64_t taken = DatumGetInt64(::slot_getattr(probe->found, probe->lid, &is_null));
        while (lids[free] < taken)
            free++;
        is_taken = lids[free] == taken;
    }
    ::ExecClearTuple(probe->found);
    ::MemoryContextSwitchTo(before);
    return is_taken ? free : count;
}

void end_probing(key_probe *probe) {
    ::index_endscan(probe->scan);
    ::index_close(probe->index, NoLock);
    ::ExecDropSingleTupleTableSlot(probe->found);
    ::pfree(probe);
}

} // namespace etl::fold
