// Boundary: the time.
#include "pg/clock.hpp"

extern "C" {
#include "utils/timestamp.h"
}

namespace etl::pg {

std::int64_t microseconds_now() noexcept {
    return ::GetCurrentTimestamp();
}

std::int64_t microseconds_of(const Interval &length) noexcept {
    const long double total = static_cast<long double>(length.month) * DAYS_PER_MONTH * USECS_PER_DAY +
                              static_cast<long double>(length.day) * USECS_PER_DAY + length.time;
    return total >= 9.2e18L ? PG_INT64_MAX : static_cast<std::int64_t>(total);
}

} // namespace etl::pg
