// C++ regime: the fingerprint of a make's definition.
#include "plan/plan.hpp"

namespace etl::plan {

// Of a scalar subquery, so that the text stays where it is computed: that of a view is long.
static pg::string digest_of(const char *text) {
    return pg::format("SELECT lpad(to_hex(hashtextextended(d, 0)), 16, '0') || lpad(to_hex(hashtextextended(d, 1)), 16,"
                      " '0') FROM %s t (d)",
                      text);
}

// Everything by OID and by parse tree, not by name: a renamed relation is the same source.
pg::string definition_of(const catalog::make &make, const pg::vector<catalog::source> &sources) {
    pg::owner_scope as_owner(make.owner);
    pg::string parts = pg::format("mart %u, mapping %u, settings %s", make.mart, make.mapping, make.settings.c_str());
    parts +=
        pg::query("SELECT coalesce(string_agg(format('; column %s %s %s %s %s %s', a.attname, a.atttypid, a.atttypmod,"
                  " a.attcollation, a.attnotnull, d.adbin), '' ORDER BY a.attnum), '') FROM pg_catalog.pg_attribute a"
                  " LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
                  " WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped",
                  {pg::oid(make.mart)})
            .text(0, 0);
    parts += pg::query("SELECT coalesce(string_agg(format('; index %s %s', indexrelid, pg_get_indexdef(indexrelid)), ''"
                       " ORDER BY indexrelid), '') FROM pg_catalog.pg_index WHERE indrelid = $1",
                       {pg::oid(make.mart)})
                 .text(0, 0);
    for (const catalog::source &source : sources) {
        const pg::result rule = pg::query(pg::kept(digest_of("(SELECT ev_action::text FROM pg_catalog.pg_rewrite"
                                                             " WHERE ev_class = $1 AND ev_type = '1')")),
                                          {pg::oid(source.view)});
        const catalog::portal portal = catalog::get_portal(pg::view(source.portal));
        parts += pg::format("; source %s %u of log %u, state %u ", source.portal.c_str(), source.view, portal.prices,
                            portal.price_state);
        parts += rule.optional_text(0, 0).value_or(pg::string("gone"));
    }
    return pg::query(digest_of("(SELECT $1)"), {pg::text(pg::view(parts))}).text(0, 0);
}

} // namespace etl::plan
