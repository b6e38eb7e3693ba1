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

// By value, then by display scale, which NaN and the infinities have not.
int compare(std::int64_t left, std::int64_t right) {
    const Datum one = PointerGetDatum(wide_price(left)), other = PointerGetDatum(wide_price(right));
    const int by_value = DatumGetInt32(DirectFunctionCall2(numeric_cmp, one, other));
    if (by_value != 0 || ::numeric_is_nan(DatumGetNumeric(one)) || ::numeric_is_inf(DatumGetNumeric(one)))
        return by_value;
    return DatumGetInt32(DirectFunctionCall1(numeric_scale, one)) -
           DatumGetInt32(DirectFunctionCall1(numeric_scale, other));
}

void replace(wide_prices &prices, std::int64_t &handle, std::int64_t with) {
    drop(prices, handle);
    handle = keep_copy(prices, with);
}

} // namespace

struct varlena *wide_price(std::int64_t handle) noexcept {
    return reinterpret_cast<struct varlena *>(static_cast<std::intptr_t>(handle));
}

void absorb_wide(wide_prices &prices, kernel::price_state &state, std::int64_t day, std::int64_t code,
                 const struct varlena *price) {
    const std::int64_t given =
        code != kernel::no_code ? keep_code(prices, code) : keep(prices, VARDATA_ANY(price), VARSIZE_ANY_EXHDR(price));
    if (!state.has_events) {
        kernel::begin(state, day, 0);
        for (std::int64_t *handle : {&state.first, &state.last, &state.least, &state.greatest})
            *handle = keep_copy(prices, given);
    } else if (!state.wide) {
        for (std::int64_t *handle : {&state.first, &state.last, &state.least, &state.greatest})
            *handle = keep_code(prices, *handle);
    }
    state.wide = true;
    if (day < state.first_day || (day == state.first_day && compare(given, state.first) < 0)) {
        state.first_day = day;
        replace(prices, state.first, given);
    }
    if (day > state.last_day || (day == state.last_day && compare(given, state.last) > 0)) {
        state.last_day = day;
        replace(prices, state.last, given);
    }
    if (compare(given, state.least) < 0)
        replace(prices, state.least, given);
    if (compare(given, state.greatest) > 0)
        replace(prices, state.greatest, given);
    drop(prices, given);
}

void forget(wide_prices &prices, const kernel::price_state &state) {
    if (!state.wide)
        return;
    for (const std::int64_t handle : {state.first, state.last, state.least, state.greatest})
        drop(prices, handle);
}

} // namespace etl::fold
