# `make bench` measures the seed beside the legacy pipeline, SQL tuned by hand and the floors of PostgreSQL, in a private
# cluster, and says which bounds hold; some 20 minutes on two cores. ROWS=, RUNS=, WORKERS=, PARTS=, EVENTS=, KEEP=,
# SETTINGS=, BENCH_JSON=, BENCH_DIR= as bench/run says. docs/performance.md explains the table.
.PHONY: bench
export ROWS RUNS WORKERS PARTS EVENTS KEEP SETTINGS BENCH_JSON BENCH_DIR

bench:
	@scripts/bootstrap
	@echo "Building and installing pg_etl"
	@$(MAKE) -s --no-print-directory -j "$$(nproc)" all
	@scripts/as-root $(MAKE) -s --no-print-directory install
	@bench/run
