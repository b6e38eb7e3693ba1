// C++ regime: names of portals, makes and templates.
#include "catalog/name.hpp"

namespace etl::catalog {

void check_name(const char *what, const pg::string &name, std::size_t longest) {
    if (name.empty())
        throw error("22023", pg::view(pg::format("name of %s must not be empty", what)),
                    pg::view(pg::format("A name has from 1 to %zu bytes.", longest)), "Choose a name.");
    if (name.size() > longest)
        throw error("42622", pg::view(pg::format("name of %s is too long", what)),
                    pg::view(pg::format("\"%s\" has %zu bytes; the most is %zu.", name.c_str(), name.size(), longest)),
                    "Choose a shorter name; it need not be that of a relation.");
}

pg::string in_quotes(const char *what, const pg::string &name) {
    return pg::format("%s \"%s\"", what, name.c_str());
}

} // namespace etl::catalog
