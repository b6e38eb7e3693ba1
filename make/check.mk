# `make check`: installs what is missing, builds with warnings as errors, runs every tier of tests in a cluster of its
# own. TIERS="lint unit" runs some. `make installcheck`, by PGXS, runs pg_regress and isolation against any server.
# `make soak MINUTES=60` breaks random runs by random faults for that long, then has random writers at a watched log.
.PHONY: check soak
check:
	@scripts/bootstrap
	@echo "Building, with warnings as errors"
	@$(MAKE) -s --no-print-directory -j "$$(nproc)" WERROR=1 all
	@test/run $(TIERS)

soak:
	@scripts/bootstrap
	@$(MAKE) -s --no-print-directory -j "$$(nproc)" WERROR=1 all
	@MINUTES='$(MINUTES)' test/soak
