// C++ regime.
#include "fold/log_columns.hpp"

#include "pg/spi.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
}

namespace etl::fold {

log_columns columns_of(Oid prices) {
    struct column {
        bool found;
        Oid type; // a domain's base type
        std::int32_t modifier;
        const char *name; // of the type, as SQL
    };
    auto look_up = [prices](const char *name) {
        const column found = pg::call([=] {
            column of{};
            const AttrNumber number = ::get_attnum(prices, name);
            if (number != InvalidAttrNumber) {
                Oid collation;
                of.found = true;
                ::get_atttypetypmodcoll(prices, number, &of.type, &of.modifier, &collation);
                of.name = ::format_type_extended(of.type, -1, FORMAT_TYPE_FORCE_QUALIFY);
                of.type = ::getBaseTypeAndTypmod(of.type, &of.modifier);
            }
            return of;
        });
        if (!found.found)
            throw error("42703",
                        pg::view(pg::format("column \"%s\" of price log %s does not exist", name,
                                            pg::relation_name(prices).c_str())),
                        "A price log has the columns lid, price and dt.");
        return found;
    };
    look_up("lid");
    const column day = look_up("dt"), price = look_up("price");
    log_columns columns{price.name, day.name, {}};
    // A numeric(p,s) has one scale; a numeric without keeps the scale that it came with.
    if (price.type == NUMERICOID && price.modifier < 0)
        columns.tie = ", pg_catalog.scale(price)";
    // Zero and minus zero.
    else if (price.type == FLOAT4OID || price.type == FLOAT8OID)
        columns.tie = ", price::pg_catalog.text COLLATE \"C\"";
    return columns;
}

} // namespace etl::fold
