#!/usr/bin/env bash
# Syncs of a mart that a seed has just filled: where nothing has changed, and where one listing in a hundred has, with
# its counters and its mapping; without indexes on `modified` in listings, counters and customers, and with them. Beside
# them the legacy pipeline's daily run over the same changes. Sourced after seed.sh and legacy.sh.
# shellcheck disable=SC2154
set -euo pipefail

# The legacy mart, as full as ours; its newest row tells the daily run where to begin.
fill_legacy() {
    sql -c "DROP TABLE IF EXISTS $legacy_mart"
    MART=$legacy_mart "$root/bench/legacy/render" mart "$make" | sql
    sql -c "INSERT INTO $legacy_mart SELECT * FROM $mart" -c "VACUUM ANALYZE $legacy_mart"
}

# change HUNDREDTH: one listing in a hundred, another one with each number.
change() {
    local portal now='modified = clock_timestamp()' some="lid / 3 % 100 = $1"
    for portal in "${portals[@]}"; do
        sql -c "UPDATE raw.full_auto_$portal SET title = 'other ' || title, $now WHERE $some" \
            -c "UPDATE raw.stat_auto_$portal SET views = views + 1, $now WHERE $some"
    done
    sql -c "UPDATE $mapping SET quality = 1, $now WHERE $some"
}

sync_session() {
    sql -v make="$make" >/dev/null <<'SQL'
SELECT DISTINCT run_id FROM etl_sync(:'make', workers => 2) \gset
CALL etl_wait(:run_id);
SELECT state FROM etl_runs WHERE run_id = :run_id;
SQL
}

index_times() {
    local portal kind
    for portal in "${portals[@]}"; do
        for kind in full cust stat; do
            if [ "$1" = make ]; then
                sql -c "CREATE INDEX ${kind}_${portal}_modified ON raw.${kind}_auto_$portal (modified)"
            else
                sql -c "DROP INDEX IF EXISTS raw.${kind}_${portal}_modified"
            fi
        done
    done
}

# Changed rows must be older than etl.sync_overlap to be looked at once only.
syncs() {
    local with=$1 number=$2
    sleep 0.2
    timed "sync idle$with" sync_session
    change "$number"
    timed "sync one in 100$with" sync_session
    sleep 0.2
}

# sync NUMBER: all of it, once.
sync() {
    fill_legacy
    sql -c "ALTER DATABASE postgres SET etl.sync_overlap = 0"
    index_times drop
    sync_session
    syncs '' $((2 * $1))
    timed 'legacy daily' legacy_pipeline
    index_times make
    syncs ' indexed' $((2 * $1 + 1))
    index_times drop
    sync_session
    sql -c "ALTER DATABASE postgres RESET etl.sync_overlap"
    sql -c "DROP TABLE $legacy_mart"
}
