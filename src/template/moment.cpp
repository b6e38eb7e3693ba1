// PG regime: what makes a result depend on when it is computed, or by whom.
#include "template/moment.hpp"

extern "C" {
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
}

namespace etl::templates {

const char *why_not_called(Oid function) {
    switch (function) {
    case F_NOW:
    case F_TRANSACTION_TIMESTAMP:
    case F_STATEMENT_TIMESTAMP:
    case F_CLOCK_TIMESTAMP:
    case F_TIMEOFDAY:
    case F_AGE_TIMESTAMP:
    case F_AGE_TIMESTAMPTZ:
    case F_AGE_XID:
    case F_TIMETZ_TIME: // takes the time zone's offset of today
        return "depends on the current time";
    case F_TXID_CURRENT:
    case F_TXID_CURRENT_IF_ASSIGNED:
    case F_TXID_CURRENT_SNAPSHOT:
    case F_PG_CURRENT_XACT_ID:
    case F_PG_CURRENT_XACT_ID_IF_ASSIGNED:
    case F_PG_CURRENT_SNAPSHOT:
        return "depends on the current transaction";
    case F_CURRENT_SETTING_TEXT:
    case F_CURRENT_SETTING_TEXT_BOOL:
    case F_CURRENT_USER:
    case F_SESSION_USER:
    case F_GETPGUSERNAME:
    case F_CURRENT_DATABASE:
    case F_CURRENT_SCHEMA:
    case F_CURRENT_SCHEMAS:
        return "depends on the session";
    default:
        return ::func_volatile(function) == PROVOLATILE_VOLATILE ? "is volatile" : nullptr;
    }
}

bool names_moment(const char *characters) noexcept {
    constexpr const char *moments[] = {"now", "today", "tomorrow", "yesterday"};
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    for (const char *at = characters; *at;) {
        if (!is_letter(*at)) {
            at++;
            continue;
        }
        const char *end = at;
        while (is_letter(*end))
            end++;
        for (const char *moment : moments)
            if (strlen(moment) == static_cast<std::size_t>(end - at) &&
                ::pg_strncasecmp(moment, at, static_cast<std::size_t>(end - at)) == 0)
                return true;
        at = end;
    }
    return false;
}

bool reads_moments(Oid type) {
    type = ::getBaseType(type);
    if (const Oid element = ::get_element_type(type); OidIsValid(element))
        return reads_moments(element);
    if (const Oid range = ::get_multirange_range(type); OidIsValid(range))
        return reads_moments(range);
    if (const Oid subtype = ::get_range_subtype(type); OidIsValid(subtype))
        return reads_moments(subtype);
    switch (type) {
    case DATEOID:
    case TIMEOID:
    case TIMETZOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
        return true;
    default:
        return false;
    }
}

} // namespace etl::templates
