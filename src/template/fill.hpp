// C++ regime: replacing the placeholders of a template.
#pragma once

#include "pg/value.hpp"

namespace etl::templates {

// What the placeholders stand for, as SQL text that is quoted already: names for relations, typed literals for the
// rest.
struct filling {
    pg::string listing;
    pg::string customer;
    pg::string stat;
    pg::string mapping;
    pg::string price_state;
    pg::string make;
    pg::string portal;
    pg::string country;
};

// 'text'::pg_catalog.text, or NULL of that type.
pg::string text_literal(const std::optional<pg::string> &characters);

// Names and values that stand for nothing, for checks before there are any relations.
filling sample_filling();

// Raises 42601 for a brace outside literals, quoted identifiers and comments that makes no known placeholder.
pg::string fill(std::string_view query, const filling &with);

} // namespace etl::templates
