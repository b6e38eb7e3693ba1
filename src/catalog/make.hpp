// C++ regime: adding, dropping and refreshing makes.
#pragma once

#include "catalog/definitions.hpp"

namespace etl::catalog {

struct make_request {
    pg::string name;
    Oid mapping;
    std::optional<pg::string> mart;
    std::optional<pg::string> country;
    pg::string template_name;
    std::optional<pg::vector<pg::string>> portals;
    std::optional<pg::string> terminal;
};

void add_make(const make_request &request);
void drop_make(const pg::string &name);

// Makes the views anew from the relations that now have the names which the make's and its portals' had.
void refresh_make(const pg::string &name);

// What a mapping must be, for the make of `owner`.
void check_mapping(Oid owner, Oid mapping);

} // namespace etl::catalog
