#!/usr/bin/env bash
# The same make with four times the rows, in a database of its own: time and private memory of a seed beside that of the
# plain one. Sourced after seed.sh.
# shellcheck disable=SC2154
set -euo pipefail

# Copies the sources, each row four times, ten billion lids apart, in the order in which
# such tables are (generate.sql): listings as they arrived, counters and mapping anyhow. The price log gets one event a
# listing: the state is folded from it, the log itself is not read by a seed.
make_growth() {
    local portal
    if [ "$(sql -c "SELECT count(*) FROM pg_database WHERE datname = 'growth' AND datistemplate")" = 0 ]; then
        step "Multiplying them by four"
        sql -c "DROP DATABASE IF EXISTS growth"
        sql -d template1 -c "CREATE DATABASE growth TEMPLATE postgres STRATEGY file_copy"
        for portal in "${portals[@]}"; do
            multiply "raw.cust_auto_$portal" acc_id
            multiply "raw.full_auto_$portal" lid
            multiply "raw.stat_auto_$portal" lid 'hashint8extended(lid + k, 1)'
            sql -d growth -c "TRUNCATE raw.prices_auto_$portal" \
                -c "INSERT INTO raw.prices_auto_$portal SELECT lid, price, '2022-02-22' FROM raw.full_auto_$portal"
        done
        multiply "$mapping" lid 'hashint8extended(lid + k, 1)'
        sql -d growth -c 'VACUUM ANALYZE' -c 'ALTER DATABASE growth IS_TEMPLATE true' # that is: complete
    fi
    (
        export PGDATABASE=growth
        set_up
        fold_all
    )
}
# multiply TABLE KEY [ORDER]: as it comes, or in that order
multiply() {
    sql -d growth -v "of=$1" -v key="$2" -v order="${3:+ORDER BY $3}" <<'SQL'
SET work_mem = '256MB';
SET maintenance_work_mem = '512MB';
SELECT string_agg(CASE WHEN attname IN ('lid', 'acc_id')
                       THEN attname || ' + k * 10000000000' ELSE quote_ident(attname) END,
                  ', ' ORDER BY attnum) AS columns
FROM pg_attribute WHERE attrelid = :'of'::regclass AND attnum > 0 AND NOT attisdropped \gset
SELECT coalesce(string_agg(pg_get_indexdef(indexrelid), '; '), '') AS others FROM pg_index
WHERE indrelid = :'of'::regclass AND NOT indisprimary \gset
CREATE TABLE once AS TABLE :of;
TRUNCATE :of;
SELECT CASE WHEN indisprimary THEN format('ALTER TABLE %s DROP CONSTRAINT %I', :'of', relname)
            ELSE format('DROP INDEX %s', indexrelid::regclass) END
FROM pg_index JOIN pg_class ON oid = indexrelid WHERE indrelid = :'of'::regclass \gexec
SELECT format('INSERT INTO %s SELECT %s FROM once, unnest(%L::bigint[]) AS k WHERE %I BETWEEN 0 AND 9999999999 %s',
              :'of', :'columns', k, :'key', :'order')
FROM unnest(CASE :'order' WHEN '' THEN '{"{0}","{1}","{2}","{3}"}' ELSE '{"{0,1,2,3}"}' END::text[]) AS k \gexec
ALTER TABLE :of ADD PRIMARY KEY (:key);
SELECT :'others' WHERE :'others' <> '' \gexec
DROP TABLE once;
SQL
}

# A seed of each, timed; RUNS of them one after the other.
growth() {
    seed 2 'growth 1x'
    PGDATABASE=growth seed 2 'growth 4x'
}
growth_memory() {
    local database run
    for database in postgres growth; do
        run=$(PGDATABASE=$database sql -c "SELECT DISTINCT run_id FROM etl_seed('$make', workers => 2)")
        record "private memory $database" "$(PGDATABASE=$database private_memory "$run")" kB
    done
}
