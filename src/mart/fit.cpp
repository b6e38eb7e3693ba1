// C++ regime: whether a source view's rows fit a mart.
#include "mart/mart.hpp"

#include "mart/assignable.hpp"
#include "mart/table.hpp"

namespace etl::mart {

namespace {

struct faults {
    pg::string list;
    void add(const pg::string &line) {
        list += (list.empty() ? "" : "\n") + line;
    }
};

void require_columns(const table &mart, const table &view) {
    const pg::result rows =
        pg::query("SELECT v.attname::text FROM pg_attribute v WHERE v.attrelid = $1 AND v.attnum > 0"
                  " AND NOT v.attisdropped AND NOT EXISTS (SELECT FROM pg_attribute m WHERE m.attrelid = $2"
                  " AND m.attnum > 0 AND NOT m.attisdropped AND m.attname = v.attname) ORDER BY v.attnum",
                  {pg::oid(view.oid), pg::oid(mart.oid)});
    faults missing;
    for (std::size_t row = 0; row < rows.size(); row++)
        missing.add(
            pg::format("Column \"%s\" of view %s is missing.", rows.text(row, 0).c_str(), view.quoted().c_str()));
    if (!missing.list.empty())
        throw error("42703", pg::view(pg::format("mart %s lacks columns of the template", mart.quoted().c_str())),
                    pg::view(missing.list), "Add the columns to the mart, or use a template without them.");
}

void require_key(const table &of) {
    const pg::result rows =
        pg::query("SELECT k.name, format_type(a.atttypid, a.atttypmod), a.atttypid = 'int8'::regtype,"
                  " t.typcategory = 'S' FROM (VALUES ('lid'), ('portal')) AS k (name)"
                  " LEFT JOIN pg_attribute a ON a.attrelid = $1 AND a.attname = k.name AND NOT a.attisdropped"
                  " LEFT JOIN pg_type t ON t.oid = a.atttypid ORDER BY k.name",
                  {pg::oid(of.oid)});
    for (std::size_t row = 0; row < rows.size(); row++) {
        const pg::string &name = rows.text(row, 0);
        if (rows.is_null(row, 1))
            throw error("42703", pg::view(pg::format("%s has no column \"%s\"", of.quoted().c_str(), name.c_str())),
                        "A mart is keyed by lid and partitioned by portal.");
        if (!rows.boolean(row, name == "lid" ? 2 : 3))
            throw error("42804", pg::view(pg::format("column \"%s\" of %s is of type %s, not %s", name.c_str(),
                                                     of.quoted().c_str(), rows.text(row, 1).c_str(),
                                                     name == "lid" ? "bigint" : "text")));
    }
}

void require_types(const table &mart, const table &view) {
    const pg::result rows = pg::query(
        "SELECT v.attname::text, v.atttypid::oid, m.atttypid::oid, format_type(v.atttypid, v.atttypmod),"
        " format_type(m.atttypid, m.atttypmod), m.attgenerated <> '', m.attidentity = 'a'"
        " FROM pg_attribute v JOIN pg_attribute m ON m.attrelid = $2 AND m.attname = v.attname AND NOT m.attisdropped"
        " WHERE v.attrelid = $1 AND v.attnum > 0 AND NOT v.attisdropped ORDER BY v.attnum",
        {pg::oid(view.oid), pg::oid(mart.oid)});
    faults types, generated;
    for (std::size_t row = 0; row < rows.size(); row++) {
        const char *name = rows.text(row, 0).c_str();
        if (!is_assignable(rows.oid(row, 1), rows.oid(row, 2)))
            types.add(pg::format("Column \"%s\" is of type %s in the mart, of type %s in the template.", name,
                                 rows.text(row, 4).c_str(), rows.text(row, 3).c_str()));
        if (rows.boolean(row, 5) || rows.boolean(row, 6))
            generated.add(
                pg::format("Column \"%s\" is %s.", name,
                           rows.boolean(row, 5) ? "a generated column" : "an identity column GENERATED ALWAYS"));
    }
    if (!types.list.empty())
        throw error(
            "42804",
            pg::view(pg::format("columns of mart %s have other types than the template's", mart.quoted().c_str())),
            pg::view(types.list), "Change the columns' types, or cast in the template.");
    if (!generated.list.empty())
        throw error("428C9", pg::view(pg::format("columns of mart %s cannot be written", mart.quoted().c_str())),
                    pg::view(generated.list),
                    "Drop the expression or identity, or use a template without the columns.");
}

// Identity is not inherited by partitions, so a column that only has that counts as one without a default.
void require_rest_optional(const table &mart, const table &view) {
    const pg::result rows = pg::query(
        "SELECT m.attname::text FROM pg_attribute m JOIN pg_type t ON t.oid = m.atttypid"
        " WHERE m.attrelid = $2 AND m.attnum > 0 AND NOT m.attisdropped AND (m.attnotnull OR t.typnotnull)"
        " AND NOT m.atthasdef AND t.typdefault IS NULL AND NOT EXISTS (SELECT FROM pg_attribute v WHERE v.attrelid = $1"
        " AND v.attnum > 0 AND NOT v.attisdropped AND v.attname = m.attname) ORDER BY m.attnum",
        {pg::oid(view.oid), pg::oid(mart.oid)});
    faults needed;
    for (std::size_t row = 0; row < rows.size(); row++)
        needed.add(pg::format("Column \"%s\" is NOT NULL and has no default.", rows.text(row, 0).c_str()));
    if (!needed.list.empty())
        throw error("23502",
                    pg::view(pg::format("the template gives no value for columns of mart %s", mart.quoted().c_str())),
                    pg::view(needed.list), "Drop NOT NULL, set a default, or use a template with the columns.");
}

} // namespace

void check_fit(Oid mart_oid, Oid view_oid) {
    pinned_settings settings;
    const table mart = read_table(mart_oid, "mart");
    const table view = read_table(view_oid, "source view");
    require_columns(mart, view);
    require_key(view);
    require_key(mart);
    require_types(mart, view);
    require_rest_optional(mart, view);
}

} // namespace etl::mart
