// C++ regime: loading one chunk; the work itself is one guarded call.
#include "load/load.hpp"

#include "load/chunk.hpp"
#include "pg/identity.hpp"

namespace etl::load {

costs load_chunk(Oid view, Oid staging, const plan::lid_range &range) {
    pg::settings_scope settings;
    // The workers are the parallelism, and a chunk is too short for compiled expressions to pay.
    settings.set("max_parallel_workers_per_gather", "0");
    settings.set("jit", "off");
    const plan::key_bounds bounds = plan::bounds_of(range);
    return pg::call([&] { return write_chunk(view, staging, bounds); });
}

} // namespace etl::load
