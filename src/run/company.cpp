// C++ regime: who runs beside whom.
#include "run/company.hpp"

#include "pg/extension.hpp"
#include "pg/identity.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"

namespace etl::run {

bool still_wanted(std::int64_t run_id) {
    pg::catalog_scope as_catalog;
    return !pg::query("SELECT FROM etl.run WHERE run_id = $1 AND state IN ('queued', 'running')", {pg::int8(run_id)})
                .empty();
}

company::entry company::join() {
    if (held_ || (held_ = pg::try_lock(key, strength_)))
        return entry::joined;
    const entry how = wait();
    held_ = how == entry::joined;
    return how;
}

void company::leave() noexcept {
    if (held_)
        pg::unlock(key, strength_);
    held_ = false;
}

// Who waits holds a lock that passes for a task's, so that a cancel of the run reaches it; as with a claim, nobody cancels
// the run between the look at its state and that lock.
company::entry company::wait() {
    const pg::lock_key mark{pg::lock_kind::task, static_cast<std::uint32_t>(run_id_), 0};
    bool wanted = true;
    bool marked = false;
    const std::optional<pg::error_report> failed = pg::in_transaction("waiting for other tasks", [&] {
        marked = pg::try_lock_in_transaction({pg::lock_kind::steer, static_cast<std::uint32_t>(run_id_), 0},
                                             pg::lock_strength::shared) &&
                 (wanted = pg::extension_exists() && still_wanted(run_id_)) && pg::try_lock(mark, pg::lock_strength::shared);
    });
    entry how = wanted ? entry::disturbed : entry::stopped;
    if (!failed && marked &&
        !pg::in_transaction(
            "waiting for other tasks", [this] { pg::lock(key, strength_); }, pg::snapshot_mode::none))
        how = entry::joined;
    if (how != entry::joined)
        pg::unlock(key, strength_); // a cancel may have come a moment after we got it
    if (marked)
        pg::unlock(mark, pg::lock_strength::shared);
    return how;
}

} // namespace etl::run
