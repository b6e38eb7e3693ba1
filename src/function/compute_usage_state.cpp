// PG regime: may ereport
#include "kernel/compute_usage_state.hpp"

#include "function/arguments.hpp"
#include "pg/function.hpp"

extern "C" {
#include "access/detoast.h"
#include "utils/date.h"
}

namespace etl::function {

namespace {

static_assert(kernel::before_all_days == DATEVAL_NOBEGIN && kernel::after_all_days == DATEVAL_NOEND);

// No condition that a rule asks for is longer than this, so what is longer need not be detoasted.
constexpr std::size_t longest_condition = 4;

kernel::listed_condition to_condition(Datum condition) {
    const auto *const stored = reinterpret_cast<const text *>(DatumGetPointer(condition));
    if (!VARATT_IS_EXTERNAL(stored) && !VARATT_IS_COMPRESSED(stored))
        return kernel::to_condition(to_view(stored));
    if (::toast_raw_datum_size(condition) - VARHDRSZ > longest_condition)
        return kernel::listed_condition::other;
    text *const value = DatumGetTextPP(condition);
    const kernel::listed_condition known = kernel::to_condition(to_view(value));
    if (value != reinterpret_cast<text *>(DatumGetPointer(condition)))
        ::pfree(value);
    return known;
}

template <class T> std::optional<T> argument(FunctionCallInfo fcinfo, int index, T (*convert)(Datum)) {
    if (PG_ARGISNULL(index))
        return std::nullopt;
    return convert(PG_GETARG_DATUM(index));
}

// In the words that date - interval has for the same days.
[[noreturn]] void refuse(kernel::usage_state state) {
    if (state == kernel::usage_state::date_out_of_range)
        ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("date out of range for timestamp"),
                        errdetail("Argument \"as_of\" is later than any timestamp."),
                        errhint("Use NULL or infinity for a day that is not known.")));
    ereport(ERROR, (errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE), errmsg("timestamp out of range"),
                    errdetail("The day 30 years before argument \"as_of\" is earlier than any timestamp."),
                    errhint("Use NULL or -infinity for a day that is not known.")));
}

} // namespace

ETL_FUNCTION(etl_compute_usage_state) {
    kernel::usage listing{};
    listing.damaged = argument<bool>(fcinfo, 4, [](Datum datum) { return DatumGetBool(datum); });
    if (!listing.damaged.value_or(false) && !PG_ARGISNULL(0))
        listing.condition = to_condition(PG_GETARG_DATUM(0));
    listing.mileage = argument<std::int32_t>(fcinfo, 1, [](Datum datum) { return DatumGetInt32(datum); });
    listing.first_registration = argument<std::int32_t>(fcinfo, 2, [](Datum datum) { return DatumGetDateADT(datum); });
    listing.previous_owners = argument<std::int16_t>(fcinfo, 3, [](Datum datum) { return DatumGetInt16(datum); });
    listing.as_of = argument<std::int32_t>(fcinfo, 5, [](Datum datum) { return DatumGetDateADT(datum); });

    const kernel::usage_state state = kernel::compute_usage_state(listing);
    switch (state) {
    case kernel::usage_state::date_out_of_range:
    case kernel::usage_state::timestamp_out_of_range:
        refuse(state);
    case kernel::usage_state::unknown:
        PG_RETURN_NULL();
    default:
        return to_datum(kernel::to_text(state));
    }
}

} // namespace etl::function
