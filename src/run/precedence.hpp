// C++ regime: syncs go before seeds where workers are short.
#pragma once

#include "pg/lock.hpp"
#include "run/run.hpp"

namespace etl::run {

// What a worker of a seed holds from leaving it until it works at a sync, or is gone: others do not leave for the same
// sync meanwhile.
class way {
public:
    way() noexcept = default;
    ~way() { end(); }
    way(const way &) = delete;
    way &operator=(const way &) = delete;

    // Whether this worker of the seed is to leave, because syncs lack more workers than there are free slots and other
    // workers on their way.
    bool begin(const record &seed);
    void end() noexcept;

private:
    pg::lock_key key_{pg::lock_kind::way, 0, 0};
    bool held_ = false;
};

} // namespace etl::run
