#!/usr/bin/env bash
# The legacy system's sources in the private cluster, and pg_etl over them; sourced after common.sh.
# shellcheck disable=SC2034,SC2154
set -euo pipefail

make=volkswagen country=DE portals=(mobile autoscout kleinanzeigen)
mapping=mapping.lot_$make mart=raw.ads_$make

# make_sources ROWS EVENTS: so many listings a portal, and price events a listing, on average.
make_sources() {
    {
        "$root/bench/legacy/render" sources "$make" "${portals[@]}"
        "$root/bench/legacy/render" functions
    } | sql
    sql -v make="$make" -v country="$country" -v rows="$1" -v events="$2" \
        -v portals="$(IFS=,; echo "${portals[*]}")" -f "$root/bench/generate.sql"
}

# The extension, the portals and the make, in the database that the environment names; the tables all-visible, as
# autovacuum leaves them, which they can't be before their commits are on disk.
set_up() {
    local portal
    sql -c "DROP EXTENSION IF EXISTS pg_etl CASCADE" -c "DROP TABLE IF EXISTS $mart CASCADE" \
        -c "CREATE EXTENSION pg_etl"
    for portal in "${portals[@]}"; do
        sql -c "SELECT FROM etl_add_portal('$portal', 'raw.full_auto_$portal', 'raw.cust_auto_$portal',
                                           'raw.stat_auto_$portal', 'raw.prices_auto_$portal')"
    done
    sql -c "SELECT FROM etl_add_make('$make', '$mapping', country => '$country')" \
        -c 'SET synchronous_commit = on' -c 'CREATE TABLE IF NOT EXISTS on_disk ()' -c 'VACUUM' -c CHECKPOINT
}

# Folds the price logs of all portals, one after the other.
fold_all() {
    local portal run
    for portal in "${portals[@]}"; do
        run=$(sql -c "SELECT DISTINCT run_id FROM etl_fold_prices('$portal')")
        sql -c "CALL etl_wait($run)"
        sql -c "VACUUM ANALYZE raw.price_state_$portal"
    done
}
