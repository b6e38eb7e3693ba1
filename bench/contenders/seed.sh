#!/usr/bin/env bash
# pg_etl's seed, prices folded before, by phase, from the times and counters that its tasks carry. Sourced.
# shellcheck disable=SC2154
set -euo pipefail

# seed WORKERS [NAME]: figures of one seed as "NAME ...", which is "seed WORKERS" if not given. Phases end where their
# last task ends: those of portals overlap. `published` is when readers see the mart; the statistics of the mart as a
# whole come after it.
seed() {
    local name=${2:-seed $1} cpu writer own run figure value unit
    sql -c "SELECT etl_forget_old('$make')" -c CHECKPOINT >/dev/null
    idle
    cpu=$(cpu_of_ended) writer=$(cpu_of_log_writer)
    IFS='|' read -r run own < <(seed_session "$1")
    idle
    writer=$(difference "$(cpu_of_log_writer)" "$writer")
    record "$name log writer" "$writer"
    record "$name cpu" "$(awk -v writer="$writer" -v from="$cpu" -v to="$(cpu_of_ended)" -v own="$own" \
        'BEGIN {printf "%.1f", to - from - own + writer}')"
    while IFS='|' read -r figure value unit; do record "$name $figure" "$value" "$unit"; done < <(phases; costs)
}

# Prints the run's number and how many milliseconds of processor the session took that asked and waited.
seed_session() {
    sql -v workers="$1" -v make="$make" -v tick="$(getconf CLK_TCK)" <<'SQL'
SELECT DISTINCT run_id FROM etl_seed(:'make', workers => :workers) \gset
CALL etl_wait(:run_id);
SELECT :run_id, (f[14]::bigint + f[15]::bigint) * 1000 / :tick
FROM regexp_split_to_array(pg_read_file('/proc/self/stat'), ' ') AS f;
SQL
}

phases() {
    sql -v run="$run" <<'SQL'
WITH t AS (
    SELECT t.kind, t.portal, t.rows, extract(epoch FROM t.ended_at - t.started_at) * 1000 AS took,
           extract(epoch FROM t.ended_at - r.requested_at) * 1000 AS ended,
           extract(epoch FROM t.started_at - r.requested_at) * 1000 AS started
    FROM etl_tasks t JOIN etl_runs r USING (run_id) WHERE run_id = :run
), e AS (
    SELECT min(started) AS started, max(ended) FILTER (WHERE kind = 'load') AS loaded,
           max(ended) FILTER (WHERE kind = 'index') AS indexed, max(ended) FILTER (WHERE kind = 'publish') AS published,
           max(ended) AS ended, sum(rows) FILTER (WHERE kind = 'load') AS rows
    FROM t
)
SELECT f.name, round(f.value::numeric, 1), f.unit
FROM e, LATERAL (VALUES ('started', started, 'ms'), ('load', loaded, 'ms'), ('index', indexed - loaded, 'ms'),
    ('publish', published - indexed, 'ms'), ('published', published, 'ms'), ('ended', ended, 'ms'),
    ('rows', rows, 'rows')) AS f (name, value, unit)
UNION ALL
SELECT 'tasks ' || kind, round(sum(took)::numeric, 1), 'ms' FROM t GROUP BY kind;
SQL
}

# What the workers counted, where this version counts it: a mart row's share, or the most kB of a worker.
costs() {
    local found
    found=$(sql -c "SELECT count(*) FROM pg_attribute WHERE attrelid = 'etl_tasks'::regclass AND attname = 'costs'")
    [ "$found" = 1 ] || return 0
    sql -v run="$run" <<'SQL'
SELECT kind || ' ' || key,
       CASE WHEN key LIKE '%\_kb' THEN max(value) ELSE round(sum(value) / max(loaded.rows), 3) END,
       CASE WHEN key LIKE '%\_kb' THEN 'kB' WHEN key LIKE '%\_us' THEN 'us/row'
            WHEN key LIKE '%\_bytes' THEN 'bytes/row'
            ELSE '1/row' END
FROM (SELECT kind, key, value::numeric FROM etl_tasks, jsonb_each_text(costs) WHERE run_id = :run) AS c,
     (SELECT sum(rows)::numeric AS rows FROM etl_tasks WHERE run_id = :run AND kind = 'load') AS loaded
WHERE rows > 0
GROUP BY kind, key;
SQL
}
