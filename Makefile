# The one way to build, install and test pg_etl. Strangers need three targets: `make demo`, `make check`, `make bench`.
EXTENSION = pg_etl
EXTVERSION = 0.1.0
MODULE_big = pg_etl
OBJS = $(patsubst %.cpp,%.o,$(sort $(wildcard src/*.cpp src/*/*.cpp)))
SQL_PARTS = $(sort $(wildcard src/sql/[0-9]*.sql))
DATA_built = $(EXTENSION)--$(EXTVERSION).sql
DATA = $(wildcard src/sql/updates/*.sql)
DOCS = README.md

REGRESS = $(basename $(notdir $(sort $(wildcard sql/*.sql))))
REGRESS_OPTS = --inputdir=.
ISOLATION = $(basename $(notdir $(sort $(wildcard test/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test
EXTRA_CLEAN = $(EXTENSION)--$(EXTVERSION).sql build

PG_CONFIG ?= $(firstword $(wildcard /usr/lib/postgresql/15/bin/pg_config) pg_config)
PG_CPPFLAGS = -Isrc -DBOOST_CONTAINER_USE_STD_EXCEPTIONS -DPG_ETL_VERSION=\"$(EXTVERSION)\"
# PostgreSQL 15 leaves PGDLLEXPORT empty; with hidden visibility the entry points need it.
PG_CPPFLAGS += -DPGDLLEXPORT='__attribute__((visibility("default")))'
PG_CXXFLAGS = -std=c++17 -fvisibility=hidden -fvisibility-inlines-hidden -Wall -Wextra -Wclobbered -Wno-register
PG_CXXFLAGS += -fstack-protector-strong $(if $(WERROR),-Werror)
SHLIB_LINK = -lstdc++ -Wl,-z,now -Wl,--version-script=src/exports.map
# Bitcode is for inlining into JIT code; ours is not meant for that, and clang need not be there.
override with_llvm = no

# These install what PGXS needs before they call make again, so they must not need it themselves.
STRANGERS = check demo demo-stop soak bench
ifneq ($(filter $(STRANGERS),$(MAKECMDGOALS)),)
include make/check.mk make/demo.mk make/bench.mk
else
PGXS := $(shell $(PG_CONFIG) --pgxs)
include $(PGXS)
# PostgreSQL's headers are not ours to warn about.
override CPPFLAGS := $(patsubst -I$(shell $(PG_CONFIG) --includedir-server),-isystem $(shell $(PG_CONFIG) --includedir-server),$(CPPFLAGS))
DEPENDENCIES = $(OBJS:.o=.d)
%.o: %.cpp
	$(CXX) $(CXXFLAGS) $(CPPFLAGS) -MMD -MP -c -o $@ $<
-include $(DEPENDENCIES)
EXTRA_CLEAN += $(DEPENDENCIES)

$(EXTENSION)--$(EXTVERSION).sql: $(SQL_PARTS) Makefile
	{ printf '%s\n' '\echo Use "CREATE EXTENSION pg_etl" to load this file. \quit'; cat $(SQL_PARTS); } > $@
endif
