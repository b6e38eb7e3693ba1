// Boundary: which transactions are under way.
#include "pg/running.hpp"

#include "pg/guard.hpp"
#include "pg/spi.hpp"

extern "C" {
#include "access/twophase.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/backend_status.h"
#include "utils/timestamp.h"
}

namespace etl::pg {

namespace {

// 0: none under way.
TimestampTz start_of(const PgBackendStatus &session) {
    if (session.st_procpid <= 0 || session.st_procpid == MyProcPid ||
        (session.st_databaseid != MyDatabaseId && OidIsValid(session.st_databaseid)))
        return 0;
    // Auxiliary processes write to no table.
    if (session.st_backendType != B_BACKEND && session.st_backendType != B_BG_WORKER &&
        session.st_backendType != B_AUTOVAC_WORKER && session.st_backendType != B_WAL_SENDER)
        return 0;
    return session.st_state == STATE_DISABLED ? session.st_proc_start_timestamp : session.st_xact_start_timestamp;
}

} // namespace

TimestampTz oldest_start() {
    const TimestampTz reported = call([] {
        TimestampTz oldest = ::GetCurrentTimestamp();
        ::pgstat_clear_backend_activity_snapshot();
        const int sessions = ::pgstat_fetch_stat_numbackends();
        for (int i = 1; i <= sessions; i++) {
            const LocalPgBackendStatus *session = ::pgstat_fetch_stat_local_beentry(i);
            const TimestampTz start = session ? start_of(session->backendStatus) : 0;
            if (start != 0 && start < oldest)
                oldest = start;
        }
        // Nobody needs the copy any more, and the next mark must not be taken from it.
        ::pgstat_clear_backend_activity_snapshot();
        return oldest;
    });
    if (max_prepared_xacts == 0)
        return reported;
    const result prepared =
        query(kept("SELECT (EXTRACT(epoch FROM pg_catalog.min(prepared)) * 1000000)::bigint"
                   " FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database()"));
    const std::optional<std::int64_t> since_1970 = prepared.optional_int8(0, 0);
    if (!since_1970)
        return reported;
    constexpr std::int64_t epochs = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
    return std::min<TimestampTz>(reported, *since_1970 - epochs);
}

} // namespace etl::pg
