// PG regime: may ereport
#include "function/arguments.hpp"
#include "function/rate_cache.hpp"
#include "kernel/convert_amount.hpp"
#include "pg/function.hpp"

namespace etl::function {

namespace {

// What the fast path leaves: PostgreSQL's own arithmetic, so results are equal to the last digit and the display scale.
std::optional<Datum> convert_slowly(FunctionCallInfo fcinfo, const text *country, const text *currency) {
    constexpr int decimals = 2;

    const std::optional<Datum> rate =
        find_rate(fcinfo->flinfo, to_view(country), to_view(currency), PG_GETARG_DATEADT(3));
    if (!rate)
        return std::nullopt;
    const Datum product = DirectFunctionCall2(numeric_mul, PG_GETARG_DATUM(2), *rate);
    const Datum rounded = DirectFunctionCall2(numeric_round, product, Int32GetDatum(decimals));
    ::pfree(DatumGetPointer(product));
    return rounded;
}

bool is_plain(const varlena *value) noexcept {
    return !VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value);
}

std::optional<Datum> convert(FunctionCallInfo fcinfo, const text *country, const text *currency) {
    const kernel::daily_rate rate =
        rates_by_day(fcinfo->flinfo).find(to_view(country), to_view(currency), PG_GETARG_DATEADT(3));
    if (rate.is == kernel::daily_rate::none)
        return std::nullopt;
    const varlena *const amount = reinterpret_cast<const varlena *>(PG_GETARG_DATUM(2));
    if (rate.is == kernel::daily_rate::known && is_plain(amount)) {
        auto *const converted = static_cast<varlena *>(::palloc(VARHDRSZ + kernel::most_amount_bytes));
        const std::size_t size =
            kernel::convert_amount(VARDATA_ANY(amount), VARSIZE_ANY_EXHDR(amount), rate, VARDATA(converted));
        SET_VARSIZE(converted, VARHDRSZ + size);
        if (size > 0)
            return PointerGetDatum(converted);
        ::pfree(converted);
    }
    return convert_slowly(fcinfo, country, currency);
}

} // namespace

ETL_FUNCTION(etl_convert_currency_by_counties) {
    if (any_null(fcinfo))
        PG_RETURN_NULL();
    text *const country = PG_GETARG_TEXT_PP(0);
    text *const currency = PG_GETARG_TEXT_PP(1);
    const std::optional<Datum> converted = convert(fcinfo, country, currency);
    PG_FREE_IF_COPY(country, 0);
    PG_FREE_IF_COPY(currency, 1);
    if (!converted)
        PG_RETURN_NULL();
    return *converted;
}

} // namespace etl::function
