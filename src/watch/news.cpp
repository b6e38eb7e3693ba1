// PG regime: notifications of changed last prices.
#include "watch/news.hpp"

#include "fold/state_row.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
}

namespace etl::watch {

namespace {

constexpr int most_bytes = 7900; // of 8000; a single change is far below

Oid type_of(fold::price_kind prices) {
    switch (prices) {
    case fold::price_kind::int2:
        return INT2OID;
    case fold::price_kind::int4:
        return INT4OID;
    case fold::price_kind::int8:
        return INT8OID;
    case fold::price_kind::float4:
        return FLOAT4OID;
    case fold::price_kind::float8:
        return FLOAT8OID;
    default:
        return NUMERICOID;
    }
}

} // namespace

news::news(const char *portal, const char *channel, const fold::event_coding &coding)
    : portal_(portal), channel_(channel), coding_(coding), batch_() {
    if (wanted())
        ::initStringInfo(&batch_);
}

// As a number where JSON has it, else as text ("NaN"); null where there is no price.
void news::add_price(const kernel::price_state &state) {
    if (!state.has_events) {
        ::appendStringInfoString(&batch_, "null");
        return;
    }
    Oid output;
    bool is_varlena;
    ::getTypeOutputInfo(type_of(coding_.kind), &output, &is_varlena);
    fold::short_price room;
    const char *text = ::OidOutputFunctionCall(output, fold::price_of(coding_, state, state.last, room));
    const bool number = strspn(text, "0123456789.-+e") == strlen(text);
    if (number && strlen(text) <= 300)
        ::appendStringInfoString(&batch_, text);
    else
        ::appendStringInfo(&batch_, strlen(text) > 20 ? "\"%.20s...\"" : "\"%.20s\"", text);
}

void news::add(const kernel::price_state &before, const kernel::price_state &after) {
    const bool is_first = batch_.len == 0;
    ::appendStringInfoString(&batch_, is_first ? "[{\"portal\":" : ",{\"portal\":");
    ::escape_json(&batch_, portal_);
    ::appendStringInfo(&batch_, ",\"lid\":" INT64_FORMAT ",\"old\":", after.lid);
    add_price(before);
    ::appendStringInfoString(&batch_, ",\"new\":");
    add_price(after);
    ::appendStringInfoChar(&batch_, '}');
    if (batch_.len > most_bytes - 1000)
        send();
}

void news::hear(void *self, const kernel::price_state &before, const kernel::price_state &after) {
    static_cast<news *>(self)->add(before, after);
}

void news::send() {
    if (!wanted() || batch_.len == 0)
        return;
    ::appendStringInfoChar(&batch_, ']');
    ::Async_Notify(channel_, batch_.data);
    ::resetStringInfo(&batch_);
}

} // namespace etl::watch
