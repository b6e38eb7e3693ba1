// PG regime: prices that have no code. States with such a price keep all four as numerics, found through handles.
#pragma once

#include "kernel/price_code.hpp"
#include "kernel/price_state.hpp"
#include "pg/postgres.hpp"

namespace etl::fold {

struct wide_prices {
    MemoryContext context;
    kernel::price_format format;
    std::size_t bytes; // held
};

// Adds an event to a state, which may have none yet; afterwards the state is wide. price: where the code is no_code,
// the numeric itself, which is copied.
void absorb_wide(wide_prices &prices, kernel::price_state &state, std::int64_t day, std::int64_t code,
                 const struct varlena *price);

// The numeric behind a handle of a wide state.
struct varlena *wide_price(std::int64_t handle) noexcept;

// Gives back what a state holds, if it is wide.
void forget(wide_prices &prices, const kernel::price_state &state);

} // namespace etl::fold
