// PG regime: may ereport, so no local here needs a destructor.
#include "fold/wide.hpp"

extern "C" {
#include "utils/fmgrprotos.h"
#include "utils/numeric.h"
}

namespace etl::fold {

namespace {

std::int64_t handle_of(struct varlena *price) noexcept {
    return static_cast<std::int64_t>(reinterpret_cast<std::intptr_t>(price));
}

// A copy with a header of four bytes, as numeric functions want it.
std::int64_t keep(wide_prices &prices, const char *bytes, std::size_t length) {
    struct varlena *kept = static_cast<struct varlena *>(::MemoryContextAlloc(prices.context, VARHDRSZ + length));
    SET_VARSIZE(kept, VARHDRSZ + length);
    std::copy_n(bytes, length, VARDATA(kept));
    prices.bytes += ::GetMemoryChunkSpace(kept);
    return handle_of(kept);
}

std::int64_t keep_code(wide_prices &prices, std::int64_t code) {
    unsigned char bytes[kernel::most_price_bytes];
    const std::size_t length = kernel::price_of_code(code, prices.format, bytes);
    return keep(prices, reinterpret_cast<const char *>(bytes), length);
}

std::int64_t keep_copy(wide_prices &prices, std::int64_t handle) {
    const struct varlena *price = wide_price(handle);
    return keep(prices, VARDATA(price), VARSIZE(price) - VARHDRSZ);
}

void drop(wide_prices &prices, std::int64_t handle) {
    struct varlena *price = wide_price(handle);
    prices.bytes -= ::GetMemoryChunkSpace(price);
    ::pfree(price);
}

int compare_values(std::int64_t left, std::int64_t right) {
    return DatumGetInt32(
        DirectFunctionCall2(numeric_cmp, PointerGetDatum(wide_price(left)), PointerGetDatum(wide_price(right))));
}

// By value, then by display scale, which NaN and the infinities have not.
int compare(std::int64_t left, std::int64_t right) {
    const Datum one = PointerGetDatum(wide_price(left)), other = PointerGetDatum(wide_price(right));
    const int by_value = compare_values(left, right);
    if (by_value != 0 || ::numeric_is_nan(DatumGetNumeric(one)) || ::numeric_is_inf(DatumGetNumeric(one)))
        return by_value;
    return DatumGetInt32(DirectFunctionCall1(numeric_scale, one)) -
           DatumGetInt32(DirectFunctionCall1(numeric_scale, other));
}

template <class Change> void change_prices(kernel::price_state &state, Change change) {
    for (std::int64_t *price : {&state.first, &state.last, &state.least, &state.greatest})
        *price = change(*price);
}

void widen(wide_prices &prices, kernel::price_state &state) {
    if (!state.wide && state.has_events) {
        change_prices(state, [&prices](std::int64_t code) { return keep_code(prices, code); });
        state.wide = true;
    }
}

// Both are wide. What is taken is copied.
bool merge_wide(wide_prices &prices, kernel::price_state &state, const kernel::price_state &other) {
    return kernel::merge(state, other, compare, [&prices](std::int64_t &mine, std::int64_t its) {
        drop(prices, mine);
        mine = keep_copy(prices, its);
    });
}

// Whatever is asked of two wide states, asked of two of which one may be not.
template <class Ask>
bool ask_wide(wide_prices &prices, const kernel::price_state &left, const kernel::price_state &right, Ask ask) {
    kernel::price_state one = copy(prices, left), other = copy(prices, right);
    widen(prices, one);
    widen(prices, other);
    const bool answer = ask(one, other);
    forget(prices, one);
    forget(prices, other);
    return answer;
}

} // namespace

struct varlena *wide_price(std::int64_t handle) noexcept {
    return reinterpret_cast<struct varlena *>(static_cast<std::intptr_t>(handle));
}

std::int64_t keep_price(wide_prices &prices, std::int64_t code, const struct varlena *price) {
    return price ? keep(prices, VARDATA_ANY(price), VARSIZE_ANY_EXHDR(price)) : keep_code(prices, code);
}

void absorb_wide(wide_prices &prices, kernel::price_state &state, std::int64_t day, std::int64_t code,
                 const struct varlena *price) {
    kernel::price_state single{};
    kernel::begin(single, day, keep_price(prices, code, price));
    single.wide = true;
    widen(prices, state);
    if (state.has_events) {
        merge_wide(prices, state, single);
    } else {
        single.lid = state.lid;
        state = copy(prices, single);
    }
    drop(prices, single.first);
}

kernel::price_state copy(wide_prices &prices, const kernel::price_state &state) {
    kernel::price_state made = state;
    if (state.wide)
        change_prices(made, [&prices](std::int64_t handle) { return keep_copy(prices, handle); });
    return made;
}

bool merge(wide_prices &prices, kernel::price_state &state, const kernel::price_state &other) {
    if (!other.has_events)
        return false;
    if (!state.has_events) {
        state = copy(prices, other);
        return true;
    }
    if (!state.wide && !other.wide)
        return kernel::merge(state, other);
    kernel::price_state its = copy(prices, other);
    widen(prices, its);
    widen(prices, state);
    const bool changed = merge_wide(prices, state, its);
    forget(prices, its);
    return changed;
}

bool same(wide_prices &prices, const kernel::price_state &left, const kernel::price_state &right) {
    if (!left.wide && !right.wide)
        return kernel::same(left, right);
    return ask_wide(prices, left, right,
                    [](const auto &one, const auto &other) { return kernel::same(one, other, compare); });
}

bool same_last_price(wide_prices &prices, const kernel::price_state &left, const kernel::price_state &right) {
    if (!left.has_events || !right.has_events)
        return left.has_events == right.has_events;
    if (!left.wide && !right.wide)
        return kernel::code_without_scale(left.last, prices.format) ==
               kernel::code_without_scale(right.last, prices.format);
    return ask_wide(prices, left, right,
                    [](const auto &one, const auto &other) { return compare_values(one.last, other.last) == 0; });
}

bool may_miss(wide_prices &prices, const kernel::price_state &state, const kernel::price_state &removed) {
    if (!state.wide && !removed.wide)
        return kernel::may_miss(state, removed, prices.format);
    return ask_wide(prices, state, removed,
                    [](const auto &one, const auto &other) { return kernel::may_miss(one, other, compare_values); });
}

void forget(wide_prices &prices, const kernel::price_state &state) {
    if (!state.wide)
        return;
    for (const std::int64_t handle : {state.first, state.last, state.least, state.greatest})
        drop(prices, handle);
}

} // namespace etl::fold
