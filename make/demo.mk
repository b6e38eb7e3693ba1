# `make demo` shows the whole job on made-up data in a private cluster; `make demo-stop` removes that cluster.
# ROWS=, EVENTS=, SEED=, LAYOUT=, DEMO_DIR= as demo/demo says.
.PHONY: demo demo-stop
export ROWS EVENTS SEED LAYOUT DEMO_DIR

# Building is left to another make: this one read its rules before PostgreSQL was there.
demo:
	@scripts/bootstrap
	@echo "Building and installing pg_etl"
	@$(MAKE) -s --no-print-directory -j "$$(nproc)" all
	@scripts/as-root $(MAKE) -s --no-print-directory install
	@demo/demo start

demo-stop:
	@demo/demo stop
