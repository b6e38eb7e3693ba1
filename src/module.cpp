// PG regime: the library's entry: magic block and initialisation, nothing else.
#include "join/offer.hpp"
#include "pg/postgres.hpp"
#include "run/launcher.hpp"
#include "settings.hpp"

extern "C" {
PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);
}

void _PG_init(void) {
    etl::define_settings();
    etl::join::install();
    etl::run::register_launcher();
}
