// Boundary: session locks.
#include "pg/lock.hpp"

extern "C" {
#include "storage/lmgr.h"
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

void unlock(lock_key key, lock_strength strength) noexcept {
    const LOCKTAG tag = tag_of(key);
    // Raises nothing for a lock that is held.
    if (::LockHeldByMe(&tag, mode_of(strength)))
        (void)::LockRelease(&tag, mode_of(strength), true);
}

bool try_lock_in_transaction(lock_key key, lock_strength strength) {
    return call([=] {
        const LOCKTAG tag = tag_of(key);
        return ::LockAcquire(&tag, mode_of(strength), false, true) != LOCKACQUIRE_NOT_AVAIL;
    });
}

void lock_in_transaction(lock_key key) {
    const LOCKTAG tag = tag_of(key);
    (void)::LockAcquire(&tag, ExclusiveLock, false, false);
}

void share_in_transaction(lock_key key) {
    const LOCKTAG tag = tag_of(key);
    (void)::LockAcquire(&tag, ShareLock, false, false);
}

bool is_shared_by_others(lock_key key) {
    const LOCKTAG tag = tag_of(key);
    if (::LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
        return true;
    (void)::LockRelease(&tag, ExclusiveLock, false);
    return false;
}

void wait_for_sharers(lock_key key) {
    ::WaitForLockers(tag_of(key), ExclusiveLock, false);
}

void wait_for_writers(Oid table) {
    LOCKTAG tag;
    SET_LOCKTAG_RELATION(tag, MyDatabaseId, table);
    ::WaitForLockers(tag, ShareLock, false);
}

bool is_task_of(const LOCKTAG &tag, std::uint32_t run) noexcept {
    return tag.locktag_type == LOCKTAG_ADVISORY && tag.locktag_field1 == MyDatabaseId && tag.locktag_field2 == run &&
           tag.locktag_field4 == static_cast<std::uint16_t>(lock_kind::task);
}

string held_locks(lock_kind kind) {
    return format("(locktype = 'advisory' AND granted AND database = %u AND objsubid = %d)", MyDatabaseId,
                  static_cast<int>(kind));
}

} // namespace etl::pg
