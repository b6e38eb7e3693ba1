// C++ regime: what a task costs its worker.
#include "run/meter.hpp"

#include "pg/clock.hpp"
#include "pg/usage.hpp"

namespace etl::run {

namespace {

std::int64_t microseconds(std::int64_t nanoseconds) noexcept {
    return nanoseconds / 1000;
}

} // namespace

meter::meter() noexcept : processor_(pg::processor_nanoseconds()), wal_(pg::wal_bytes()) {}

pg::string meter::costs(const std::optional<load::costs> &steps, std::size_t tasks) const {
    const std::size_t memory = steps ? steps->memory : pg::memory_bytes();
    pg::string text = pg::format("{\"cpu_us\": " INT64_FORMAT ", \"wal_bytes\": " UINT64_FORMAT
                                 ", \"private_kb\": " UINT64_FORMAT,
                                 microseconds(pg::processor_nanoseconds() - processor_) / static_cast<std::int64_t>(tasks),
                                 (pg::wal_bytes() - wal_) / tasks,
                                 static_cast<std::uint64_t>(memory / 1024));
    if (steps)
        text.append(pg::format(", \"join_us\": " INT64_FORMAT ", \"columns_us\": " INT64_FORMAT
                               ", \"kernels_us\": " INT64_FORMAT ", \"form_us\": " INT64_FORMAT
                               ", \"write_us\": " INT64_FORMAT,
                               microseconds(steps->join), microseconds(steps->columns), microseconds(steps->kernels),
                               microseconds(steps->form), microseconds(steps->write)));
    return text.append("}");
}

} // namespace etl::run
