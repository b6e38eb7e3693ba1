// Boundary: something that is to happen however a call ends, for the PG regime.
#pragma once

#include "pg/postgres.hpp"

namespace etl::pg {

// Calls `work`, which may ereport, then `always`, which may not; what work raised goes on after that.
template <class Work, class Always>
[[gnu::noinline]] std::invoke_result_t<Work &> finally(Work &&work, Always &&always) {
    static_assert(std::is_trivially_destructible_v<std::invoke_result_t<Work &>>);
    std::invoke_result_t<Work &> result;
    PG_TRY();
    { result = work(); }
    PG_FINALLY();
    { always(); }
    PG_END_TRY();
    return result;
}

} // namespace etl::pg
