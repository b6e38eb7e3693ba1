// PG regime: notifications of changed last prices.
#include "watch/news.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "commands/async.h"
#include "utils/json.h"
#include "utils/lsyscache.h"
}

namespace etl::watch {

namespace {

constexpr int most_bytes = 7900; // of 8000; a single change is far below

Oid type_of(price_type prices) {
    switch (prices) {
    case price_type::int2:
        return INT2OID;
    case price_type::int4:
        return INT4OID;
    case price_type::int8:
        return INT8OID;
    case price_type::float4:
        return FLOAT4OID;
    case price_type::float8:
        return FLOAT8OID;
    default:
        return NUMERICOID;
    }
}

} // namespace

news::news(const char *portal, const char *channel, price_type prices)
    : portal_(portal), channel_(channel), prices_(prices), batch_() {
    if (wanted())
        ::initStringInfo(&batch_);
}

// As a number where JSON has it, else as text ("NaN"); null where there is no price.
void news::add_price(const folded &state) {
    if (!state.any) {
        ::appendStringInfoString(&batch_, "null");
        return;
    }
    Oid output;
    bool is_varlena;
    ::getTypeOutputInfo(type_of(prices_), &output, &is_varlena);
    const char *text = ::OidOutputFunctionCall(output, price_datum(prices_, state.last.amount));
    const bool number = strspn(text, "0123456789.-+e") == strlen(text);
    if (number && strlen(text) <= 300)
        ::appendStringInfoString(&batch_, text);
    else
        ::appendStringInfo(&batch_, strlen(text) > 20 ? "\"%.20s...\"" : "\"%.20s\"", text);
}

void news::add(const change &what) {
    if (what.before.any == what.after.any && what.before.any &&
        compare(what.before.last.amount, what.after.last.amount) == 0)
        return;
    const int before = batch_.len;
    ::appendStringInfoString(&batch_, before == 0 ? "[{\"portal\":" : ",{\"portal\":");
    ::escape_json(&batch_, portal_);
    ::appendStringInfo(&batch_, ",\"lid\":" INT64_FORMAT ",\"old\":", what.lid);
    add_price(what.before);
    ::appendStringInfoString(&batch_, ",\"new\":");
    add_price(what.after);
    ::appendStringInfoChar(&batch_, '}');
    if (batch_.len > most_bytes - 1000)
        send();
}

void news::hear(void *self, const change &what) {
    static_cast<news *>(self)->add(what);
}

void news::send() {
    if (!wanted() || batch_.len == 0)
        return;
    ::appendStringInfoChar(&batch_, ']');
    ::Async_Notify(channel_, batch_.data);
    ::resetStringInfo(&batch_);
}

} // namespace etl::watch
