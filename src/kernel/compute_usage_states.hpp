// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#pragma once

#include "kernel/column.hpp"
#include "kernel/compute_usage_state.hpp"

namespace etl::kernel {

struct usage_columns {
    text_column condition;
    column<std::int32_t> mileage;
    column<day_number> first_registration;
    column<std::int16_t> previous_owners;
    column<bool> damaged;
    column<day_number> as_of;
};

// As compute_usage_state(), for n rows. Returns the number of the first row whose state is an error, n if there is
// none; the rows after it have their states all the same.
std::size_t compute_usage_states(const usage_columns &listings, std::size_t n, usage_state *states) noexcept;

} // namespace etl::kernel
