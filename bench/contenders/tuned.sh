#!/usr/bin/env bash
# SQL tuned by hand, in two sessions that halve the lids; tuned-load.sql says how. Prices are folded already, as
# they are for the seed of pg_etl. Sourced.
# shellcheck disable=SC2154
set -euo pipefail

tuned_mart=tuned.ads_$make
session="SET work_mem = '512MB';
    SET temp_buffers = '128MB'; SET maintenance_work_mem = '1GB'; SET enable_nestloop = off;
    SET max_parallel_workers_per_gather = 0; SET max_parallel_maintenance_workers = 0;"

tuned_half() { # the rows whose lid is $1, '< 123' or '>= 123'
    local portal
    {
        echo "$session"
        for portal in "${portals[@]}"; do
            echo "\\set portal $portal"
            cat "$root/bench/contenders/tuned-load.sql"
        done
    } | sql -v side="$1" -v target="$tuned_mart" -v country="$country" -v mapping="$mapping"
}
tuned_load() {
    sql -v country="$country" -f "$root/bench/contenders/tuned-rates.sql"
    at_once tuned_half "< $(middle)" ">= $(middle)"
}

# The lid in the middle of the mapping, by its statistics.
middle() {
    sql -c "SELECT bounds[(array_length(bounds, 1) + 1) / 2] FROM (
        SELECT histogram_bounds::text::bigint[] AS bounds FROM pg_stats
        WHERE format('%I.%I', schemaname, tablename) = '$mapping' AND attname = 'lid') AS s"
}

# build_indexes TABLE: the four of the mart, in two sessions, near equal in time.
build_indexes() {
    at_once index_session "CREATE UNIQUE INDEX ON $1 (lid, make); CREATE INDEX ON $1 (acc_id)" \
        "CREATE INDEX ON $1 (model); CREATE INDEX ON $1 (modified)"
}
index_session() { sql -c "$session" -c "$1"; }

# bare_mart TABLE: a table like the mart, without indexes.
bare_mart() {
    sql -c "CREATE SCHEMA IF NOT EXISTS ${1%%.*}" -c "DROP TABLE IF EXISTS $1"
    MART=$1 "$root/bench/legacy/render" mart "$make" | sed '/^CREATE .*INDEX/d' | sql
}

tuned() {
    bare_mart "$tuned_mart"
    timed 'tuned load' tuned_load
    timed 'tuned index' build_indexes "$tuned_mart"
}
