// C++ regime: what the DBA defined, read from the catalog. Every reader acts as the extension's owner for its query only.
#pragma once

#include "pg/identity.hpp"
#include "pg/spi.hpp"

namespace etl::catalog {

struct portal {
    pg::string name;
    Oid owner;
    Oid listing;
    Oid customer;
    Oid stat;
    Oid prices;
    Oid price_state;
    pg::string state; // unfolded, current, as_of, stale
    std::optional<pg::string> folded_at;
};

struct make {
    pg::string name;
    Oid owner;
    Oid mapping;
    Oid mart;
    std::optional<pg::string> country;
    pg::string template_name;
    std::optional<pg::vector<pg::string>> portals; // as defined; empty optional: all
    pg::string settings;                           // jsonb object, name -> value
    std::optional<pg::string> terminal;            // condition over the mart's columns
};

// The source view of one portal of a make.
struct source {
    pg::string portal;
    Oid view;
};

std::optional<portal> find_portal(std::string_view name);
portal get_portal(std::string_view name); // 42704 with a hint if there is none
pg::vector<portal> all_portals();

std::optional<make> find_make(std::string_view name);
make get_make(std::string_view name); // 42704 with a hint if there is none

// The portals of a make, by name, each with its view. Raises 55000 where the make has no portal,
// or one without a view (etl_refresh_make).
pg::vector<source> sources_of(const make &of);

// 42501 unless the current user has the rights of `owner`. `what` names the object: make "volkswagen".
void require_owner(Oid owner, std::string_view what);

// The settings on which a result can depend, as they are in this session, as a jsonb object.
pg::string current_settings();
// Puts those of a make in force until the scope ends.
void apply_settings(pg::settings_scope &scope, std::string_view settings);

} // namespace etl::catalog
