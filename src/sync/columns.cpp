// C++ regime.
#include "sync/columns.hpp"

namespace etl::sync {

columns columns_of(Oid view, Oid partition) {
    const pg::result rows =
        pg::query("SELECT p.attname::text, v.attnum IS NOT NULL FROM pg_catalog.pg_attribute p LEFT JOIN "
                  "pg_catalog.pg_attribute v"
                  " ON v.attrelid = $1 AND v.attname = p.attname AND v.attnum > 0 AND NOT v.attisdropped"
                  " WHERE p.attrelid = $2 AND p.attnum > 0 AND NOT p.attisdropped ORDER BY p.attnum",
                  {pg::oid(view), pg::oid(partition)});
    columns found;
    pg::string spare = "row";
    const auto taken = [&rows](const pg::string &name) {
        for (std::size_t row = 0; row < rows.size(); row++)
            if (rows.text(row, 0) == name)
                return true;
        return false;
    };
    while (taken(spare))
        spare += "_";
    found.spare = pg::quote_identifier(pg::view(spare));
    for (std::size_t row = 0; row < rows.size(); row++)
        if (rows.boolean(row, 1))
            found.quoted.push_back(pg::quote_identifier(pg::view(rows.text(row, 0))));
    return found;
}

pg::string list(const columns &of, const char *prefix) {
    pg::string text;
    for (const pg::string &column : of.quoted)
        text.append(text.empty() ? "" : ", ").append(prefix).append(column);
    return text;
}

pg::string digest_of_row(const columns &of, const char *alias) {
    return "(SELECT etl.row_digest(" + of.spare + ") FROM (SELECT " + list(of, (pg::string(alias) + ".").c_str()) +
           ") " + of.spare + ")";
}

} // namespace etl::sync
