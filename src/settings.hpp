// PG regime: the extension's settings (GUCs); read anywhere, defined once.
#pragma once

namespace etl {

extern int max_workers;        // etl.max_workers: worker processes of this database at a time
extern int workers_per_run;    // etl.workers_per_run: default for the argument `workers`
extern int chunk_target;       // etl.chunk_target, ms: wall time that a chunk should take
extern int publish_wait;       // etl.publish_wait, ms: how long publish waits for older snapshots
extern int publish_lock_timeout; // etl.publish_lock_timeout, ms: how long one try of publish waits for its locks
extern int fold_memory;        // etl.fold_memory, kB: what the price states of one fold task may take
extern int index_memory;       // etl.index_memory, kB: what the index builds of a run may take together
extern int statistics_target;  // etl.statistics_target: of ANALYZE in a run; below 1: default_statistics_target
extern int join_memory;        // etl.join_memory, kB: what the rows of one key join may take
extern int key_join;           // etl.key_join, a key_join_value
extern int sync_overlap;       // etl.sync_overlap, ms: how long before its mark a sync looks for changes
extern int write_mode;         // etl.write_mode, a write_mode_value
extern char *databases;        // etl.databases: databases that the launcher looks after

enum key_join_value : int { key_join_off, key_join_on, key_join_always };
enum write_mode_value : int { write_rows, write_pages };

// Defines them; called once from _PG_init.
void define_settings();

} // namespace etl
