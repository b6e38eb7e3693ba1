// C++ regime: replacing the placeholders of a template.
#include "template/fill.hpp"

#include "template/scanner.hpp"

namespace etl::templates {

namespace {

constexpr const char *known =
    "Placeholders are {listing}, {customer}, {stat}, {mapping} and {price_state} for relations,"
    " {make}, {portal} and {country} for literals.";

struct entry {
    std::string_view name;
    pg::string filling::*value;
};

constexpr entry placeholders[] = {
    {"listing", &filling::listing}, {"customer", &filling::customer},       {"stat", &filling::stat},
    {"mapping", &filling::mapping}, {"price_state", &filling::price_state}, {"make", &filling::make},
    {"portal", &filling::portal},   {"country", &filling::country},
};

const pg::string &value_of(std::string_view name, const filling &with) {
    for (const entry &one : placeholders)
        if (one.name == name)
            return with.*one.value;
    const pg::string quoted(name.data(), name.size());
    throw error("42601", pg::view(pg::format("unknown placeholder {%s} in template", quoted.c_str())), known);
}

} // namespace

pg::string text_literal(const std::optional<pg::string> &characters) {
    pg::string literal = characters ? pg::quote_literal(pg::view(*characters)) : pg::string("NULL");
    return literal.append("::pg_catalog.text");
}

filling sample_filling() {
    const pg::string literal = text_literal(pg::string("sample"));
    return {"sample.listing",     "sample.customer", "sample.stat", "sample.mapping",
            "sample.price_state", literal,           literal,       literal};
}

pg::string fill(std::string_view query, const filling &with) {
    pg::string filled;
    filled.reserve(query.size() + 512);
    scanner pieces(query);
    while (const std::optional<piece> next = pieces.next()) {
        switch (next->what) {
        case piece::kind::text:
            filled.append(next->text.data(), next->text.size());
            break;
        case piece::kind::placeholder: {
            // Blanks keep the value apart from what stands beside it: E{make} must not become an escape string.
            const pg::string &value = value_of(next->text, with);
            filled.append(" ").append(value.data(), value.size()).append(" ");
            break;
        }
        case piece::kind::stray_brace:
            throw error("42601", "brace that makes no placeholder in template", known,
                        "Braces mean something inside string literals, quoted identifiers and comments only.");
        }
    }
    return filled;
}

} // namespace etl::templates
