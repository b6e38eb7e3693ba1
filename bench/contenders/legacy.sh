#!/usr/bin/env bash
# The legacy pipeline's first run, over the whole price log: one session, one transaction. Sourced.
# shellcheck disable=SC2154
set -euo pipefail

legacy_mart=legacy.ads_$make

legacy_pipeline() {
    MART=$legacy_mart "$root/bench/legacy/render" pipeline "$make" "$country" "${portals[@]}" | sql
}
legacy() {
    sql -c "DROP TABLE IF EXISTS $legacy_mart"
    MART=$legacy_mart "$root/bench/legacy/render" mart "$make" | sql
    timed legacy legacy_pipeline
}
