// PG regime: may ereport
#include "function/arguments.hpp"
#include "function/rate_cache.hpp"
#include "pg/function.hpp"

namespace etl::function {

// The arithmetic is PostgreSQL's own, so results are equal to the last digit and the display scale.
ETL_FUNCTION(etl_convert_currency_by_counties) {
    constexpr int decimals = 2;

    if (any_null(fcinfo))
        PG_RETURN_NULL();
    text *const country = PG_GETARG_TEXT_PP(0);
    text *const currency = PG_GETARG_TEXT_PP(1);
    const std::optional<Datum> rate =
        find_rate(fcinfo->flinfo, to_view(country), to_view(currency), PG_GETARG_DATEADT(3));
    PG_FREE_IF_COPY(country, 0);
    PG_FREE_IF_COPY(currency, 1);
    if (!rate)
        PG_RETURN_NULL();
    const Datum product = DirectFunctionCall2(numeric_mul, PG_GETARG_DATUM(2), *rate);
    const Datum rounded = DirectFunctionCall2(numeric_round, product, Int32GetDatum(decimals));
    ::pfree(DatumGetPointer(product));
    return rounded;
}

} // namespace etl::function
