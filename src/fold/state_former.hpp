// PG regime: states to rows of a price state, as they lie in its pages.
#pragma once

#include "fold/state_row.hpp"

extern "C" {
#include "access/htup_details.h"
}

namespace etl::fold {

// What all rows of a table have in common. Made once, it saves a row most of what forming it costs.
struct state_former {
    enum class part : std::uint8_t { lid, first_day, last_day, modified, price };
    struct column {
        part what;
        std::uint8_t price; // which one
    };
    static constexpr int column_count = 8;
    // The head, eight columns and what aligns them.
    static constexpr std::size_t most_head = MAXALIGN(SizeofHeapTupleHeader + BITMAPLEN(MaxHeapAttributeNumber));
    static constexpr std::size_t most_bytes =
        most_head + 4 * 2 * sizeof(std::int64_t) + price_count * sizeof(short_price);

    state_columns columns;
    TupleDesc table;
    bool is_ready; // false: none of its rows can be formed here
    column in_order[column_count];
    std::size_t head_bytes;
    alignas(MAXIMUM_ALIGNOF) char head[most_head];
};
void prepare_former(state_former &former, TupleDesc table, const state_columns &columns);

// Whether the row of a state can be formed: its prices are numerics that are codes.
inline bool can_form(const state_former &former, const kernel::price_state &state) noexcept {
    return former.is_ready && !state.wide && state.has_events;
}
// Writes that row, but for who inserted it, to aligned memory that has room for most_bytes. Returns its length.
std::size_t form_state(const state_former &former, const kernel::price_state &state, TimestampTz modified, char *row);

} // namespace etl::fold
