#!/usr/bin/env bash
# What PostgreSQL needs for the parts alone, in two sessions each: the join without a mart, the mart without a join, its
# indexes; and a look at each event of the price log. Sourced after tuned.sh.
# shellcheck disable=SC2154
set -euo pipefail

copied=floor.ads_$make

join_half() { # all columns of all rows whose lid is $1, through the executor, as tuned.sh joins them
    local portal
    {
        echo "$session"
        for portal in "${portals[@]}"; do
            echo "\\set portal $portal"
            cat "$root/bench/contenders/floor-join.sql"
        done
    } | sql -v side="$1" -v country="$country" -v mapping="$mapping" >/dev/null
}
join_alone() { at_once join_half "< $(middle)" ">= $(middle)"; }

copy_half() { # the first or second half of each partition, by pages
    sql -c "SELECT format('INSERT INTO $copied SELECT * FROM %s WHERE ctid %s %L', relid,
                          CASE '$1' WHEN 'first' THEN '<' ELSE '>=' END,
                          format('(%s,0)', pg_relation_size(relid) / 8192 / 2))
            FROM pg_partition_tree('$mart') WHERE isleaf" | sed 's/$/;/' | sql
}
copy_alone() { at_once copy_half first second; }

count_log() {
    local portal
    for portal in "${portals[@]}"; do
        sql -c 'SET max_parallel_workers_per_gather = 1' -c 'SET parallel_setup_cost = 0' \
            -c 'SET parallel_tuple_cost = 0' \
            -c "SELECT count(*) FROM raw.prices_auto_$portal" >/dev/null
    done
}

floors() {
    timed 'floor join' join_alone
    bare_mart "$copied"
    timed 'floor copy' copy_alone
    timed 'floor index' build_indexes "$copied"
    sql -c "DROP TABLE $copied"
    timed 'floor count' count_log
}
