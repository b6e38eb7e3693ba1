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

// The handle of a copy of a price: of a code, or of the numeric itself where there is none and `price` is not NULL.
std::int64_t keep_price(wide_prices &prices, std::int64_t code, const struct varlena *price);

// Adds an event to a state, which may have none yet; afterwards the state is wide. price: as above, not kept itself.
void absorb_wide(wide_prices &prices, kernel::price_state &state, std::int64_t day, std::int64_t code,
                 const struct varlena *price);

// Adds an event with a code or, where `price` is not NULL, without.
inline void absorb(wide_prices &prices, kernel::price_state &state, std::int64_t day, std::int64_t code,
                   const struct varlena *price) {
    if (unlikely(price || state.wide))
        absorb_wide(prices, state, day, code, price);
    else if (!state.has_events)
        kernel::begin(state, day, code);
    else
        kernel::absorb(state, day, code);
}

// The lattice for states of both kinds. What they hold is their own: it is copied from one to another.
kernel::price_state copy(wide_prices &prices, const kernel::price_state &state);
bool merge(wide_prices &prices, kernel::price_state &state, const kernel::price_state &other);
bool same(wide_prices &prices, const kernel::price_state &left, const kernel::price_state &right);
bool same_last_price(wide_prices &prices, const kernel::price_state &left, const kernel::price_state &right);
bool may_miss(wide_prices &prices, const kernel::price_state &state, const kernel::price_state &removed);

// The numeric behind a handle of a wide state.
struct varlena *wide_price(std::int64_t handle) noexcept;

// Gives back what a state holds, if it is wide.
void forget(wide_prices &prices, const kernel::price_state &state);

} // namespace etl::fold
