#!/usr/bin/env bash
# Bytes a row: of the mart that a seed made, of COPY of the same rows, and of
# the write-ahead log of both. They hardly change from run to run, so one is taken. Sourced after tuned.sh and seed.sh.
# shellcheck disable=SC2154
set -euo pipefail

copied=floor.ads_$make

wal_position() { sql -c 'SELECT pg_current_wal_insert_lsn()'; }
bytes_since() { sql -c "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '$1')"; }
a_row() { awk -v bytes="$1" -v rows="$2" 'BEGIN {printf "%.1f\n", bytes / rows}'; }

copy_bytes() {
    local rows from file=$dir/rows
    seed 2 'copied seed'
    rows=$(sql -c "SELECT count(*) FROM $mart")
    record 'heap of the mart' "$(a_row "$(sql -c "SELECT sum(pg_relation_size(relid)) FROM pg_partition_tree('$mart')
        WHERE isleaf")" "$rows")" bytes/row
    sql -c "COPY (SELECT * FROM $mart) TO '$file' (FORMAT binary)"
    bare_mart "$copied"
    sql -c CHECKPOINT
    from=$(wal_position)
    timed 'copy from' sql -c "COPY $copied FROM '$file' (FORMAT binary)"
    record 'wal of COPY' "$(a_row "$(bytes_since "$from")" "$rows")" bytes/row
    record 'heap of COPY' "$(a_row "$(sql -c "SELECT pg_relation_size('$copied')")" "$rows")" bytes/row
    from=$(wal_position)
    build_indexes "$copied"
    record 'wal of indexes' "$(a_row "$(bytes_since "$from")" "$rows")" bytes/row
    sql -c "DROP TABLE $copied"
    rm -f "$file"
    sql -c "SELECT etl_forget_old('$make')" -c CHECKPOINT >/dev/null
    from=$(wal_position)
    seed_session 2 >/dev/null
    record 'wal of the seed' "$(a_row "$(bytes_since "$from")" "$rows")" bytes/row
}
