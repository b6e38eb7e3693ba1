#!/usr/bin/env bash
# What all benches share: a private cluster, psql, clocks, and the figures of measures. Sourced after `root` is set.
# BENCH_DIR says where the cluster lives while a bench runs (/tmp/pg_etl-bench-USER).
# SETTINGS are further ones of the server: SETTINGS="etl.key_join=off max_wal_size=2GB".
# shellcheck disable=SC2034,SC2154  # variables come from and go to the scripts that source this
set -euo pipefail

dir=${BENCH_DIR:-/tmp/pg_etl-bench-$(id -un)}
log=$dir/log/postgres.log
# The server's own psql: Debian's in /usr/bin is a Perl script before it, some 20 ms of each session that is timed.
PATH=$("$("$root/scripts/pg-config")" --bindir):$PATH
short='' json=''
# The figures of each measure, one a run, separated by spaces: milliseconds where `units` says nothing else.
declare -A times=() units=()

# arguments "$@": what every bench takes: [short] [--json FILE].
arguments() {
    while [ $# -gt 0 ]; do
        case $1 in
            short) short=yes ;;
            --json) json=${2:?--json wants the name of a file}; shift ;;
            *) echo "$0: '$1' is neither short nor --json FILE" >&2; exit 2 ;;
        esac
        shift
    done
}

sql() { PGOPTIONS='-c client_min_messages=error' psql -X -q -A -t -v ON_ERROR_STOP=1 "$@"; }

# A quarter of the memory, as one would give a server, but no more than 4 GB.
buffers() {
    awk '/^MemTotal:/ {mb = int($2 / 4096); print (mb > 4096 ? 4096 : mb < 128 ? 128 : mb) "MB"}' /proc/meminfo
}

# start_cluster [name=value...]: the same server for all that are compared. Data checksums and fsync are on. No commit
# waits for the disk, no checkpoint and no autovacuum comes into the middle of a measure, and segments of the
# write-ahead log are kept to be used again.
start_cluster() {
    local settings
    read -ra settings <<<"${SETTINGS:-}"
    "$root/scripts/cluster" start "$dir" "shared_buffers=$(buffers)" max_wal_size=16GB min_wal_size=4GB \
        checkpoint_timeout=1h autovacuum=off max_worker_processes=16 synchronous_commit=off work_mem=64MB jit=off "$@" \
        "${settings[@]}"
    eval "$("$root/scripts/cluster" env "$dir")"
    postmaster=$(head -n 1 "$dir/data/postmaster.pid")
}
cleanup() { "$root/scripts/cluster" drop "$dir"; }

now() { date +%s%N; }
ms_since() { awk -v from="$1" -v to="$(now)" 'BEGIN {printf "%.1f\n", (to - from) / 1e6}'; }
difference() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.1f\n", a - b}'; }

# Milliseconds of processor that a process has taken so far, nothing if it is gone; the same of all processes of the
# server that have ended: sessions, workers; and of these with the writer of the log, which works for them.
cpu_of() { cpu_fields "$1" 12 13; }
cpu_of_ended() { cpu_fields "$postmaster" 14 15; }
cpu_of_log_writer() { cpu_of "$(pgrep -P "$postmaster" -f walwriter)"; }
cpu_of_work() { awk -v a="$(cpu_of_ended)" -v b="$(cpu_of_log_writer)" 'BEGIN {print a + b}'; }
cpu_fields() {
    sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null |
        awk -v tick="$(getconf CLK_TCK)" -v u="$2" -v s="$3" '{print ($u + $s) * 1000 / tick}' || true
}

# Waits until no session and no worker is left, reaped and all: only then their processor time counts.
idle() {
    # shellcheck disable=SC2009  # pgrep does not see the command lines of those that are about to be reaped
    while ps -o args= --ppid "$postmaster" |
        grep -qvE ': (checkpointer|background writer|walwriter|.* launcher|archiver)'; do
        sleep 0.02
    done
}

# timed NAME COMMAND...: runs it after a checkpoint, records its time and, as "NAME cpu", the
# processor time that its sessions and the log's writer took.
timed() {
    local name=$1 cpu from took
    shift
    sql -c CHECKPOINT
    idle
    cpu=$(cpu_of_work) from=$(now)
    "$@"
    took=$(ms_since "$from")
    record "$name" "$took"
    idle
    record "$name cpu" "$(difference "$(cpu_of_work)" "$cpu")"
}

# at_once COMMAND ARGUMENT...: runs COMMAND once for each ARGUMENT, all at once; fails where one fails.
at_once() {
    local command=$1 argument pid pids=()
    shift
    for argument in "$@"; do
        "$command" "$argument" &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid"; done
}

# record NAME VALUE [UNIT]: one more figure of a measure. Names and units are plain words.
record() {
    times[$1]+=" $2"
    [ -z "${3:-}" ] || units[$1]=$3
}
sorted() { tr ' ' '\n' <<<"${times[$1]:-}" | grep . | sort -g; }
# The middle one of a measure's figures; the lower of the two of an even number of them.
median() { sorted "$1" | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

# write_figures FILE [PREFIX]: all measures as JSON, as bench/report reads them.
write_figures() {
    local name between=''
    {
        printf '{"measures": ['
        for name in "${!times[@]}"; do
            printf '%s\n {"name": "%s%s", "unit": "%s", "values": [%s]}' "$between" "${2:-}" "$name" \
                "${units[$name]:-ms}" "$(tr ' ' '\n' <<<"${times[$name]}" | grep . | paste -sd ,)"
            between=,
        done
        printf '\n]}\n'
    } >"$1"
}

# Waits for the end of a run and prints the most private memory in kB that a worker was seen with; may miss a peak.
private_memory() {
    local process kb most=0
    while [ "$(sql -c "SELECT state IN ('queued', 'running') FROM etl_runs WHERE run_id = $1")" = t ]; do
        for process in $(pgrep -P "$postmaster" -f "pg_etl worker"); do
            kb=$(sed -n 's/^RssAnon:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$process/status" 2>/dev/null || true)
            if [ "${kb:-0}" -gt "$most" ]; then most=$kb; fi
        done
    done
    echo "$most"
}
