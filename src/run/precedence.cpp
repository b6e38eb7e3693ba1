// C++ regime: syncs go before seeds where workers are short.
#include "run/precedence.hpp"

#include "pg/identity.hpp"

namespace etl::run {

static int workers_on_their_way() {
    pg::catalog_scope as_catalog;
    return static_cast<int>(pg::query(pg::format("SELECT pg_catalog.count(*) FROM pg_catalog.pg_locks WHERE %s",
                                                 pg::held_locks(pg::lock_kind::way).c_str()))
                                .int8(0, 0));
}

// Who has a number came first; no more of them are given than workers are lacking, however many ask at once.
bool way::begin(const record &seed) {
    end();
    if (seed.kind != "seed")
        return false;
    const int lacking = workers_lacking(seed.owner);
    if (lacking <= 0 || workers_on_their_way() >= lacking)
        return false;
    for (key_.number = 0; !held_ && key_.number < static_cast<std::uint32_t>(lacking);)
        if (!(held_ = pg::try_lock(key_)))
            key_.number++;
    // One that was on its way may have arrived meanwhile: it is counted there before it gives its number back, so whoever
    // looks at the numbers first misses none.
    if (held_) {
        const int on_their_way = workers_on_their_way();
        if (on_their_way > workers_lacking(seed.owner))
            end();
    }
    return held_;
}

void way::end() noexcept {
    if (held_)
        pg::unlock(key_);
    held_ = false;
}

} // namespace etl::run
