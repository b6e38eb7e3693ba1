// Boundary: session locks.
#include "pg/lock.hpp"

extern "C" {
#include "storage/lock.h"
}

namespace etl::pg {

static LOCKTAG tag_of(lock_key key) noexcept {
    LOCKTAG tag;
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, key.run, key.number, static_cast<std::uint16_t>(key.kind));
    return tag;
}

static LOCKMODE mode_of(lock_strength strength) noexcept {
    return strength == lock_strength::shared ? ShareLock : ExclusiveLock;
}

bool try_lock(lock_key key, lock_strength strength) {
    return call([=] {
        const LOCKTAG tag = tag_of(key);
        return ::LockAcquire(&tag, mode_of(strength), true, true) != LOCKACQUIRE_NOT_AVAIL;
    });
}

void lock(lock_key key, lock_strength strength) {
    call([=] {
        const LOCKTAG tag = tag_of(key);
        (void)::LockAcquire(&tag, mode_of(strength), true, false);
    });
}

void unlock(lock_key key, lock_strength strength) {
    call([=] {
        const LOCKTAG tag = tag_of(key);
        (void)::LockRelease(&tag, mode_of(strength), true);
    });
}

bool is_locked(lock_key key) {
    if (!try_lock(key))
        return true;
    unlock(key);
    return false;
}

} // namespace etl::pg
