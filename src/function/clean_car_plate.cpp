// PG regime: may ereport
#include "kernel/clean_car_plate.hpp"

#include "function/arguments.hpp"
#include "function/plate_letters.hpp"
#include "pg/function.hpp"

namespace etl::function {

ETL_FUNCTION(etl_clean_car_plate) {
    if (any_null(fcinfo))
        PG_RETURN_NULL();
    text *const input = PG_GETARG_TEXT_PP(0);
    const std::string_view bytes = to_view(input);
    kernel::plate_cleaner cleaner(plate_letters());
    for (std::size_t from = 0; from < bytes.size();) {
        from = cleaner.feed(bytes, from, from + bytes_between_interrupts);
        CHECK_FOR_INTERRUPTS();
    }
    PG_FREE_IF_COPY(input, 0);
    if (cleaner.result().empty())
        PG_RETURN_NULL();
    return to_datum(cleaner.result());
}

} // namespace etl::function
