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
        // Waiting needs a transaction, for the sake of the deadlock check; it has no snapshot.
        const bool alone = !::IsTransactionState();
        if (alone)
            ::StartTransactionCommand();
        (void)::LockAcquire(&tag, mode_of(strength), true, false);
        if (alone)
            ::CommitTransactionCommand();
    });
}

void unlock(lock_key key, lock_strength strength) {
    call([=] {
        const LOCKTAG tag = tag_of(key);
        (void)::LockRelease(&tag, mode_of(strength), true);
    });
}

string held_locks(lock_kind kind) {
    return format("(locktype = 'advisory' AND granted AND database = %u AND objsubid = %d)", MyDatabaseId,
                  static_cast<int>(kind));
}

} // namespace etl::pg
