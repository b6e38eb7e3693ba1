// Boundary: C++ to PostgreSQL. The outermost frame of every entry: exceptions become ereport, after the handler closed.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

// Plain data that survives the unwinding.
struct failure {
    ErrorData *data;
    int sqlstate;
    char message[1024];
    char detail[2048];
    char hint[512];
};

// Fills `why` from the exception that is being handled. To be called inside a catch block; allocates nothing.
void fill_failure(failure &why) noexcept;

// Raises `why` as a PostgreSQL error.
[[noreturn]] void raise(const failure &why);

template <class F> [[gnu::noinline]] bool run(F &f, Datum &out, failure &why) noexcept {
    try {
        out = f();
        return true;
    } catch (...) {
        fill_failure(why);
    }
    return false;
}

template <class F> Datum enter(F f) {
    Datum out = 0;
    failure why;
    why.data = nullptr; // compilers can see that some functions raise nothing, and warn of that
    if (!run(f, out, why))
        raise(why);
    return out;
}

} // namespace etl::pg

// Defines the SQL-callable function `name`; the body follows and sees `fcinfo`. It may throw (C++ regime) or ereport
// (PG regime), but not ereport while it owns anything that needs a destructor.
#define ETL_FUNCTION(name)                                                                                             \
    static Datum name##_body(FunctionCallInfo fcinfo);                                                                 \
    extern "C" {                                                                                                       \
    PGDLLEXPORT Datum name(PG_FUNCTION_ARGS);                                                                          \
    PG_FUNCTION_INFO_V1(name);                                                                                         \
    Datum name(PG_FUNCTION_ARGS) {                                                                                     \
        return ::etl::pg::enter([fcinfo] { return name##_body(fcinfo); });                                             \
    }                                                                                                                  \
    }                                                                                                                  \
    static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)
