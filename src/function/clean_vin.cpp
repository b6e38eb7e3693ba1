// PG regime: may ereport
#include "kernel/clean_vin.hpp"

#include "function/arguments.hpp"
#include "pg/function.hpp"

namespace etl::function {

ETL_FUNCTION(etl_clean_vin) {
    if (any_null(fcinfo))
        PG_RETURN_NULL();
    text *const input = PG_GETARG_TEXT_PP(0);
    const std::string_view bytes = to_view(input);
    kernel::vin_cleaner cleaner;
    for (std::size_t from = 0; from < bytes.size(); from += bytes_between_interrupts) {
        if (!cleaner.feed(bytes.substr(from, bytes_between_interrupts)))
            break;
        CHECK_FOR_INTERRUPTS();
    }
    PG_FREE_IF_COPY(input, 0);
    if (cleaner.result().empty())
        PG_RETURN_NULL();
    return to_datum(cleaner.result());
}

} // namespace etl::function
