// Boundary: the time.
#include "pg/clock.hpp"

extern "C" {
#include "utils/timestamp.h"
}

#include <ctime>

namespace etl::pg {

std::int64_t microseconds_now() noexcept {
    return ::GetCurrentTimestamp();
}

std::int64_t microseconds_of(const Interval &length) noexcept {
    const long double total = static_cast<long double>(length.month) * DAYS_PER_MONTH * USECS_PER_DAY +
                              static_cast<long double>(length.day) * USECS_PER_DAY + length.time;
    return total >= 9.2e18L ? PG_INT64_MAX : static_cast<std::int64_t>(total);
}

std::int64_t processor_nanoseconds() noexcept {
    timespec now{};
    (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * INT64CONST(1000000000) + now.tv_nsec;
}

} // namespace etl::pg
