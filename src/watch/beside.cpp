// PG regime: may ereport, so no local here needs a destructor.
#include "watch/beside.hpp"

#include "watch/apply.hpp"

extern "C" {
#include "storage/proc.h"
#include "utils/guc.h"
}

namespace etl::watch {

namespace {

void set(const char *name, int milliseconds) {
    ::set_config_option(name, psprintf("%d", milliseconds), PGC_SUSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

// The chunk can be tried again, a writer's transaction can't, so in a deadlock the chunk has to give way. Whoever is in
// one looks for it only once, some time after it began to wait. Where the chunk's wait has closed the circle, the chunk
// sees it at once; where a writer's has, the chunk stops waiting before that writer looks.
void give_way() {
    const int writers_look_after = DeadlockTimeout;
    set("deadlock_timeout", 1);
    set("lock_timeout", std::max(writers_look_after / 2, 1));
}

} // namespace

std::int64_t fold_beside_writers(Oid prices, Oid price_state, const std::int64_t *lids, std::size_t count) {
    const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "etl fold anew", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext before = ::MemoryContextSwitchTo(memory);
    const int level = ::NewGUCNestLevel();
    give_way();
    const std::int64_t written = refold({prices, price_state, nullptr, nullptr}, lids, count);
    ::AtEOXact_GUC(false, level);
    ::MemoryContextSwitchTo(before);
    ::MemoryContextDelete(memory);
    if (written < 0)
        ereport(ERROR,
                (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("price state can't be kept by triggers"),
                 errdetail("etl_health tells why; etl_unwatch_prices() lets it be folded without.")));
    return written;
}

} // namespace etl::watch
