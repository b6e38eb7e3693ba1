# `make demo` shows the whole job on made-up data in a private cluster; `make demo-stop` removes that cluster.
# ROWS=, EVENTS=, SEED=, LAYOUT=, DEMO_DIR= as demo/demo says.
.PHONY: demo demo-stop
export ROWS EVENTS SEED LAYOUT DEMO_DIR

# Installing is left to another make: this one may have read its rules before PostgreSQL was there.
demo:
	scripts/bootstrap
	$(MAKE) --no-print-directory -j "$$(nproc)" all
	scripts/as-root $(MAKE) --no-print-directory -s install
	demo/demo start

demo-stop:
	demo/demo stop
