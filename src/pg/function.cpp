// Boundary: turning a caught exception into a PostgreSQL error.
#include "pg/function.hpp"

namespace etl::pg {

static void fill(failure &why, int sqlstate, const char *message, const char *detail = "", const char *hint = "") {
    why.data = nullptr;
    why.sqlstate = sqlstate;
    ::strlcpy(why.message, message, sizeof why.message);
    ::strlcpy(why.detail, detail, sizeof why.detail);
    ::strlcpy(why.hint, hint, sizeof why.hint);
}

void fill_failure(failure &why) noexcept {
    try {
        throw;
    } catch (const error &e) {
        why.data = e.data();
    } catch (const etl::error &e) {
        fill(why, e.sqlstate(), e.message().c_str(), e.detail().c_str(), e.hint().c_str());
    } catch (const std::bad_alloc &) {
        fill(why, ERRCODE_OUT_OF_MEMORY, "out of memory");
    } catch (const std::exception &e) {
        fill(why, ERRCODE_INTERNAL_ERROR, e.what());
    } catch (...) {
        fill(why, ERRCODE_INTERNAL_ERROR, "unknown C++ exception");
    }
}

void raise(const failure &why) {
    if (why.data)
        ::ReThrowError(why.data);
    // strlcpy may have cut a multibyte character: clip at a boundary, for the message goes to a client.
    auto clipped = [](const char *text) {
        return ::pnstrdup(text, pg_mbcliplen(text, static_cast<int>(strlen(text)), static_cast<int>(strlen(text))));
    };
    ereport(ERROR, (errcode(why.sqlstate), errmsg_internal("%s", clipped(why.message)),
                    why.detail[0] ? errdetail_internal("%s", clipped(why.detail)) : 0,
                    why.hint[0] ? errhint("%s", clipped(why.hint)) : 0));
    pg_unreachable();
}

} // namespace etl::pg
