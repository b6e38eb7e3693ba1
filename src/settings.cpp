// PG regime: definition of the settings, in alphabetical order.
#include "settings.hpp"

#include "pg/postgres.hpp"

extern "C" {
#include "utils/guc.h"
}

namespace etl {

namespace {

const config_enum_entry key_join_values[] = {
    {"off", key_join_off, false}, {"on", key_join_on, false}, {"always", key_join_always, false}, {nullptr, 0, false}};
const config_enum_entry write_mode_values[] = {
    {"rows", write_rows, false}, {"pages", write_pages, false}, {nullptr, 0, false}};

} // namespace

int max_workers = 8;
int workers_per_run = 4;
int chunk_target = 5000;
int publish_wait = 60000;
int publish_lock_timeout = 2000;
int fold_memory = 256 * 1024;
int index_memory = 512 * 1024;
int join_memory = 128 * 1024;
int key_join = key_join_on;
int statistics_target = 25;
int sync_overlap = 10000;
int write_mode = write_rows;
char *databases = nullptr;

void define_settings() {
    DefineCustomIntVariable("etl.chunk_target", "Sets the wall time that one chunk of a run should take.",
                            "Chunks are sized by rows from this and from the measured pace.", &chunk_target, 5000, 10,
                            3600000, PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("etl.databases", "Databases in which the launcher resumes interrupted runs.",
                               "A comma-separated list; needs pg_etl in shared_preload_libraries.", &databases, "",
                               PGC_SIGHUP, GUC_LIST_INPUT, nullptr, nullptr, nullptr);
    DefineCustomIntVariable(
        "etl.fold_memory", "Sets how much memory the states of a price log may take while it is folded.",
        "A log of more listings is scanned several times. A trigger takes 64 MB of it at most.", &fold_memory,
        256 * 1024, 256, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("etl.index_memory", "Sets how much memory the index builds of a run may take together.",
                            "Each has its share, in place of maintenance_work_mem. Workers read it from the "
                            "configuration; a session's SET does not reach them.",
                            &index_memory, 512 * 1024, 1024, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, nullptr, nullptr,
                            nullptr);
    DefineCustomIntVariable("etl.join_memory", "Sets how much memory a worker may take to join sources by their keys.",
                            "A chunk that needs more is joined in parts; look-ups of dimensions may take as much again.",
                            &join_memory, 128 * 1024, 64, MAX_KILOBYTES, PGC_USERSET, GUC_UNIT_KB, nullptr, nullptr,
                            nullptr);
    DefineCustomEnumVariable("etl.key_join", "Joins sources that have unique keys in common past the executor.",
                             "on: in the chunks of a load; always: in every query of that shape, to look at it.",
                             &key_join, key_join_on, key_join_values, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("etl.max_workers", "Sets how many worker processes a database may have at a time.",
                            "Each takes one of max_worker_processes.", &max_workers, 8, 1, 1000, PGC_SUSET, 0, nullptr,
                            nullptr, nullptr);
    DefineCustomIntVariable(
        "etl.publish_lock_timeout", "Sets how long one try to publish waits for a lock.",
        "Readers of the mart queue behind a waiting publish no longer than this. Workers read it from the "
        "configuration; a session's SET reaches etl_revert and etl_forget_old only.",
        &publish_lock_timeout, 2000, 1, 600000, PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("etl.publish_wait", "Sets how long publish waits for older snapshots.",
                            "After that it goes on with a warning. Workers read it from the configuration; a "
                            "session's SET does not reach them.",
                            &publish_wait, 60000, 0, 86400000, PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("etl.statistics_target", "Sets the statistics target for what a run gathers of its mart.",
                            "That is for the mart as a whole; its partitions get two fifths of it. Below 1: "
                            "default_statistics_target for both. Workers read it from the configuration; a session's SET "
                            "does not reach them.",
                            &statistics_target, 25, -1, 10000, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable(
        "etl.sync_overlap", "Sets how long before its high-water mark a sync looks for changes.",
        "A row counts as changed from its column modified, which is not to be older than the transaction that wrote it; "
        "this is how far clients with clocks of their own may be off. Workers read it from the configuration; a session's "
        "SET does not reach them.",
        &sync_overlap, 10000, 0, INT_MAX, PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("etl.workers_per_run", "Sets how many workers a run uses unless it is told otherwise.",
                            nullptr, &workers_per_run, 4, 1, 1000, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomEnumVariable("etl.write_mode", "Sets how workers write the rows of a chunk.",
                             "rows: by the table's bulk insert; pages: as whole pages, past the shared buffers. "
                             "Workers read it from the configuration; a session's SET does not reach them.",
                             &write_mode, write_rows, write_mode_values, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    MarkGUCPrefixReserved("etl");
}

} // namespace etl
