// Boundary: copying errors out of PostgreSQL, and describing them for the catalog.
#include "pg/guard.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstring>

namespace etl {

// An error outlives the contexts that the unwinding deletes on its way, so its text lives as long as the transaction.
static pg::allocator<char> lasting() noexcept {
    return pg::allocator<char>(TopTransactionContext ? TopTransactionContext : TopMemoryContext);
}

error::error(const char *sqlstate, std::string_view message, std::string_view detail, std::string_view hint)
    : sqlstate_(MAKE_SQLSTATE(sqlstate[0], sqlstate[1], sqlstate[2], sqlstate[3], sqlstate[4])),
      message_(message.data(), message.size(), lasting()), detail_(detail.data(), detail.size(), lasting()),
      hint_(hint.data(), hint.size(), lasting()) {}

namespace pg {

ErrorData *take_error_data() noexcept {
    static ErrorData out_of_memory;
    sigjmp_buf *const exceptions = PG_exception_stack;
    sigjmp_buf here;
    ErrorData *volatile data = nullptr;

    // CopyErrorData asserts that it is not in ErrorContext, and may itself fail for want of memory.
    ::MemoryContextSwitchTo(TopTransactionContext ? TopTransactionContext : TopMemoryContext);
    if (sigsetjmp(here, 0) == 0) {
        PG_exception_stack = &here;
        data = ::CopyErrorData();
    } else {
        out_of_memory.elevel = ERROR;
        out_of_memory.sqlerrcode = ERRCODE_OUT_OF_MEMORY;
        out_of_memory.message = const_cast<char *>("out of memory while copying an error");
        data = &out_of_memory;
    }
    PG_exception_stack = exceptions;
    ::FlushErrorState();
    return data;
}

string format(const char *pattern, ...) {
    va_list values;
    va_start(values, pattern);
    const int length = ::pg_vsnprintf(nullptr, 0, pattern, values);
    va_end(values);
    string text(static_cast<std::size_t>(length), '\0');
    va_start(values, pattern);
    ::pg_vsnprintf(text.data(), text.size() + 1, pattern, values);
    va_end(values);
    return text;
}

error_report describe_current_exception() {
    error_report report{};
    auto fill = [&report](int code, std::string_view message, std::string_view detail) {
        std::memcpy(report.sqlstate, ::unpack_sql_state(code), sizeof report.sqlstate);
        report.message.assign(message.data(), message.size());
        report.detail.assign(detail.data(), detail.size());
    };
    try {
        throw;
    } catch (const error &e) {
        fill(e.data()->sqlerrcode, e.what(), e.data()->detail ? e.data()->detail : "");
    } catch (const etl::error &e) {
        fill(e.sqlstate(), view(e.message()), view(e.detail()));
    } catch (const std::bad_alloc &) {
        fill(ERRCODE_OUT_OF_MEMORY, "out of memory", {});
    } catch (const std::exception &e) {
        fill(ERRCODE_INTERNAL_ERROR, e.what(), {});
    } catch (...) {
        fill(ERRCODE_INTERNAL_ERROR, "unknown C++ exception", {});
    }
    return report;
}

} // namespace pg
} // namespace etl
