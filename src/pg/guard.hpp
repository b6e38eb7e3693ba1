// Boundary: PostgreSQL to C++. pg::call turns an ereport(ERROR) into an exception that keeps the whole ErrorData.
#pragma once

#include "pg/error.hpp"

#include <csetjmp>

namespace etl::pg {

// Copies the error that is on PostgreSQL's stack and clears that stack. Never raises.
ErrorData *take_error_data() noexcept;

// Calls f, which may ereport. What f itself declares is skipped by the longjmp, so it must be trivially destructible:
// keep f to a few lines around the PostgreSQL call, and everything that owns something above the guard.
// A guard costs about as much as PG_TRY: guard a batch, never a row.
template <class F> [[gnu::noinline]] std::invoke_result_t<F &> call(F &&f) {
    sigjmp_buf *const exceptions = PG_exception_stack;
    ErrorContextCallback *const contexts = error_context_stack;
    const MemoryContext memory = CurrentMemoryContext;
    sigjmp_buf here;

    if (sigsetjmp(here, 0) == 0) {
        PG_exception_stack = &here;
        if constexpr (std::is_void_v<std::invoke_result_t<F &>>) {
            f();
            PG_exception_stack = exceptions;
            error_context_stack = contexts;
            return;
        } else {
            auto result = f();
            static_assert(std::is_trivially_destructible_v<decltype(result)>);
            PG_exception_stack = exceptions;
            error_context_stack = contexts;
            return result;
        }
    }
    PG_exception_stack = exceptions;
    error_context_stack = contexts;
    ErrorData *const data = take_error_data();
    ::MemoryContextSwitchTo(memory);
    throw error(data);
}

inline void check_interrupts() {
    if (INTERRUPTS_PENDING_CONDITION())
        call([] { ::ProcessInterrupts(); });
}

} // namespace etl::pg
