// C++ regime: whose code a make's owner would run by reading a portal.
#include "catalog/trust.hpp"

#include "catalog/name.hpp"
#include "pg/foreign_code.hpp"

namespace etl::catalog {

namespace {

struct writer {
    pg::string what;
    Oid owner;
};

// Who has the rights of the make's owner gains nothing by code that runs as that role.
std::optional<writer> stranger(const make &of, std::initializer_list<Oid> relations, pg::code_of which) {
    const Oid *const first = relations.begin();
    const int count = static_cast<int>(relations.size());
    const Oid role = of.owner;
    pg::catalog_scope as_catalog;
    const pg::foreign_code found = pg::call([=] { return pg::find_foreign_code(first, count, role, which); });
    if (!found.what)
        return std::nullopt;
    return writer{found.what, found.owner};
}

std::optional<writer> stranger(const make &of, const portal &from) {
    if (pg::may_act_as(from.owner, of.owner))
        return std::nullopt;
    return stranger(of, {from.listing, from.customer, from.stat, from.price_state}, pg::code_of::reading);
}

[[noreturn]] void refuse(const make &of, const writer &found, const pg::string &what, const char *hint) {
    throw error("42501",
                pg::view(pg::format("%s cannot use %s", in_quotes("make", of.name).c_str(), what.c_str())),
                pg::view(pg::format("Code of role \"%s\" in %s would run with the rights of role \"%s\".",
                                    pg::role_name(found.owner).c_str(), found.what.c_str(),
                                    pg::role_name(of.owner).c_str())),
                hint);
}

// The relation of currency rates, which anybody may have named.
Oid rates() {
    pg::catalog_scope as_catalog;
    const pg::result rows =
        pg::query("SELECT COALESCE((SELECT relation FROM etl.rates), to_regclass('raw.currency_rates'))::oid");
    return rows.is_null(0, 0) ? InvalidOid : rows.oid(0, 0);
}

} // namespace

bool trusts(const make &of, const portal &from) {
    return !stranger(of, from);
}

void require_trust(const make &of, const portal &from) {
    if (const std::optional<writer> found = stranger(of, from))
        refuse(of, *found, in_quotes("portal", from.name),
               "Drop the make and add it with a list of portals, or have this one added by the make's owner, or over plain"
               " tables with no type, function or operator of others.");
}

void require_trust_in_mart(const make &of) {
    if (const std::optional<writer> found = stranger(of, {of.mart}, pg::code_of::reading_and_triggers))
        refuse(of, *found, pg::relation_name(of.mart, "mart"),
               "Run ALTER TABLE ... OWNER TO, let a role that is trusted own that code, or have the make added by its owner.");
}

void require_trust(const make &of) {
    require_trust_in_mart(of);
    if (const Oid used = rates(); OidIsValid(used))
        if (const std::optional<writer> found = stranger(of, {used}, pg::code_of::reading))
            refuse(of, *found, "the currency rates", "Name other rates with etl_set_rates.");
}

} // namespace etl::catalog
