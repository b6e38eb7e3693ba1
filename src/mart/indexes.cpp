// C++ regime: indexes of a portal's table that match those of the mart.
#include "mart/indexes.hpp"

#include "mart/mart.hpp"
#include "pg/index_build.hpp"

namespace etl::mart {

namespace {

struct index {
    pg::string name;
    pg::string tail; // of its definition, from USING on: all that makes two indexes match
    bool unique;
    pg::string tablespace;
    pg::string constraint; // PRIMARY KEY or UNIQUE, where it belongs to a constraint
    pg::string deferral;   // " DEFERRABLE ..." of that
    bool of_columns;       // a B-tree with an entry for each row, of nothing but columns
};

// By a condition on pg_index i with the parameter $1, in the order in which they were made.
pg::vector<index> indexes_where(const char *condition, Oid parameter) {
    const pg::result rows = pg::query(
        pg::format(
            "SELECT c.relname::text, pg_get_indexdef(c.oid), i.indisunique, coalesce(t.spcname::text, ''),"
            " format('CREATE %%sINDEX %%I ON %%s%%I.%%I ', CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname,"
            " CASE c.relkind WHEN 'I' THEN 'ONLY ' END, n.nspname, r.relname),"
            " CASE k.contype WHEN 'p' THEN 'PRIMARY KEY' WHEN 'u' THEN 'UNIQUE' ELSE '' END,"
            " CASE WHEN k.condeferrable THEN ' DEFERRABLE' ELSE '' END || CASE WHEN k.condeferred THEN ' INITIALLY "
            "DEFERRED'"
            " ELSE '' END, m.amname = 'btree' AND i.indexprs IS NULL AND i.indpred IS NULL AND NOT i.indisexclusion"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class r ON r.oid = i.indrelid"
            " JOIN pg_namespace n ON n.oid = r.relnamespace LEFT JOIN pg_tablespace t ON t.oid = c.reltablespace"
            " LEFT JOIN pg_constraint k ON k.conindid = c.oid AND k.conrelid = r.oid AND k.contype IN ('p', 'u', 'x')"
            " JOIN pg_am m ON m.oid = c.relam WHERE %s ORDER BY i.indexrelid",
            condition),
        {pg::oid(parameter)});
    pg::vector<index> found;
    for (std::size_t row = 0; row < rows.size(); row++) {
        const pg::string &definition = rows.text(row, 1);
        const pg::string &prefix = rows.text(row, 4);
        if (definition.compare(0, prefix.size(), prefix) != 0)
            throw error("XX000", pg::view(pg::format("unexpected definition of an index: %s", definition.c_str())));
        found.push_back({rows.text(row, 0), definition.substr(prefix.size()), rows.boolean(row, 2), rows.text(row, 3),
                         rows.text(row, 5), rows.optional_text(row, 6).value_or(pg::string()), rows.boolean(row, 7)});
    }
    return found;
}

index read_index(Oid oid) {
    const pg::vector<index> found = indexes_where("i.indexrelid = $1", oid);
    if (found.empty())
        throw error("42704", pg::view(pg::format("index with OID %u of the mart does not exist", oid)),
                    "It was dropped after the run had been planned.", "Cancel the run with etl_cancel and seed anew.");
    return found.front();
}

pg::vector<index> valid_indexes(const table &of) {
    return indexes_where("i.indrelid = $1 AND i.indisvalid", of.oid);
}

pg::string create_statement(const index &like, std::string_view name, const table &on) {
    return pg::format("CREATE %sINDEX %s ON %s %s", like.unique ? "UNIQUE " : "", pg::quote_identifier(name).c_str(),
                      on.quoted().c_str(), like.tail.c_str());
}

// Empty where the index belongs to no constraint. A partition needs the constraint too, or attaching would build it
// anew.
pg::string constraint_statement(const index &like, std::string_view name, const table &on) {
    if (like.constraint.empty())
        return {};
    const pg::string quoted = pg::quote_identifier(name);
    return pg::format("ALTER TABLE %s ADD CONSTRAINT %s %s USING INDEX %s%s", on.quoted().c_str(), quoted.c_str(),
                      like.constraint.c_str(), quoted.c_str(), like.deferral.c_str());
}

// `constrained`: with the constraint that `like` has, if any; `bare`: with none.
enum class match { constrained, bare };

// Of a table's indexes one of the same shape, `taken` ones not counted: attaching gives each index of the mart one of
// its own.
const index *find_match(const index &like, match how, const pg::vector<index> &indexes,
                        const pg::vector<pg::string> &taken) {
    for (const index &other : indexes)
        if (other.tail == like.tail && other.unique == like.unique &&
            (how == match::bare ? other.constraint.empty()
                                : like.constraint.empty() || other.constraint == like.constraint) &&
            std::find(taken.begin(), taken.end(), other.name) == taken.end())
            return &other;
    return nullptr;
}

void create(const index &like, std::string_view name, const table &on) {
    pinned_settings settings;
    settings.set("default_tablespace", like.tablespace.c_str());
    pg::execute(create_statement(like, name, on));
}

Oid create_unfilled(const index &like, std::string_view name, const table &on) {
    pinned_settings settings;
    settings.set("default_tablespace", like.tablespace.c_str());
    return pg::create_unfilled_index(on.oid, create_statement(like, name, on).c_str());
}

void add_constraint(const index &like, std::string_view name, const table &on) {
    const pg::string constraint = constraint_statement(like, name, on);
    if (!constraint.empty())
        pg::execute(constraint);
}

pg::string staging_index_name(const table &mart, const index &like, std::string_view portal, std::int64_t run) {
    const pg::string suffix =
        pg::format("%s_r%lld", index_suffix(mart, pg::view(like.name)).c_str(), static_cast<long long>(run));
    return pg::derived_name(pg::view(partition_name(mart, portal)), pg::view(suffix));
}

void rename(const table &of, std::string_view from, std::string_view to) {
    pg::execute("ALTER INDEX " + qualified(pg::view(of.schema), from) + " RENAME TO " + pg::quote_identifier(to));
}

pg::vector<pg::string> index_names(const table &of) {
    const pg::result rows = pg::query("SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                                      " WHERE i.indrelid = $1 ORDER BY c.relname COLLATE \"C\"",
                                      {pg::oid(of.oid)});
    pg::vector<pg::string> names;
    for (std::size_t row = 0; row < rows.size(); row++)
        names.push_back(rows.text(row, 0));
    return names;
}

} // namespace

pg::vector<Oid> indexes(Oid mart) {
    pinned_settings settings;
    const pg::result rows = pg::query("SELECT i.indexrelid::oid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                                      " WHERE i.indrelid = $1 AND i.indislive"
                                      " ORDER BY i.indisprimary DESC, i.indisunique DESC, c.relname COLLATE \"C\"",
                                      {pg::oid(mart)});
    pg::vector<Oid> found;
    for (std::size_t row = 0; row < rows.size(); row++)
        found.push_back(rows.oid(row, 0));
    return found;
}

pg::string index_statement(Oid mart_oid, Oid parent_index, std::string_view portal, std::int64_t run) {
    pinned_settings settings;
    const table mart = read_table(mart_oid, "mart");
    const index like = read_index(parent_index);
    table staging = mart;
    staging.name = staging_name(mart, portal, run);
    return create_statement(like, pg::view(staging_index_name(mart, like, portal, run)), staging);
}

pg::string constraint_statements(const table &mart, const table &staging, std::string_view portal, std::int64_t run) {
    pg::string statements;
    for (const Oid parent : indexes(mart.oid)) {
        const index like = read_index(parent);
        const pg::string name = staging_index_name(mart, like, portal, run);
        if (!like.constraint.empty())
            statements += constraint_statement(like, pg::view(name), staging) + "; ";
    }
    return statements;
}

std::optional<std::int64_t> build_indexes(Oid mart_oid, const pg::vector<Oid> &parent_indexes, std::string_view portal,
                                          std::int64_t run, Oid staging_oid, means allowed) {
    pinned_settings settings;
    const table mart = read_table(mart_oid, "mart");
    const table staging = read_table(staging_oid, "staging table");
    settings.set("maintenance_work_mem", pg::format("%dkB", allowed.memory).c_str());
    settings.set("max_parallel_maintenance_workers", pg::format("%d", allowed.processes).c_str());
    const pg::vector<index> present = valid_indexes(staging);
    pg::vector<Oid> unfilled;
    for (const Oid parent : parent_indexes) {
        const index like = read_index(parent);
        if (find_match(like, match::bare, present, {}))
            continue;
        const pg::string name = staging_index_name(mart, like, portal, run);
        if (allowed.processes == 0 && like.of_columns)
            unfilled.push_back(create_unfilled(like, pg::view(name), staging));
        else
            create(like, pg::view(name), staging);
    }
    if (unfilled.empty())
        return std::nullopt;
    // Half of it is for the rows, half for sorting them.
    const int memory = std::max(allowed.memory / 2, 1024);
    settings.set("maintenance_work_mem", pg::format("%dkB", memory).c_str());
    return pg::fill_indexes(staging.oid, unfilled.data(), static_cast<int>(unfilled.size()),
                            static_cast<std::size_t>(memory) * 1024);
}

void build_missing_indexes(const table &mart, const table &on, std::string_view base, std::string_view suffix) {
    const pg::vector<index> present = valid_indexes(on);
    pg::vector<pg::string> taken;
    for (const Oid parent : indexes(mart.oid)) {
        const index like = read_index(parent);
        if (const index *const whole = find_match(like, match::constrained, present, taken)) {
            taken.push_back(whole->name);
        } else if (const index *const bare = find_match(like, match::bare, present, taken)) {
            add_constraint(like, pg::view(bare->name), on);
            taken.push_back(bare->name);
        } else {
            const pg::string own = index_suffix(mart, pg::view(like.name)) + pg::string(suffix.data(), suffix.size());
            const pg::string name = free_name(pg::view(on.schema), base, pg::view(own));
            create(like, pg::view(name), on);
            add_constraint(like, pg::view(name), on);
            taken.push_back(name);
        }
    }
}

void rename_indexes(const table &mart, const table &partition) {
    const pg::result rows =
        pg::query("SELECT c.relname::text, p.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
                  " JOIN pg_inherits h ON h.inhrelid = c.oid JOIN pg_class p ON p.oid = h.inhparent"
                  " WHERE i.indrelid = $1 ORDER BY c.relname COLLATE \"C\"",
                  {pg::oid(partition.oid)});
    for (std::size_t row = 0; row < rows.size(); row++) {
        const pg::string suffix = index_suffix(mart, pg::view(rows.text(row, 1)));
        if (rows.text(row, 0) != pg::derived_name(pg::view(partition.name), pg::view(suffix)))
            rename(partition, pg::view(rows.text(row, 0)),
                   pg::view(free_name(pg::view(partition.schema), pg::view(partition.name), pg::view(suffix))));
    }
}

void rename_indexes_old(const table &of) {
    for (const pg::string &name : index_names(of))
        rename(of, pg::view(name), pg::view(free_name(pg::view(of.schema), pg::view(name), "_old")));
}

pg::vector<renamed_index> unname_indexes_old(const table &of) {
    constexpr std::string_view ending = "_old";
    pg::vector<renamed_index> renamed;
    for (const pg::string &name : index_names(of)) {
        const bool ends = name.size() > ending.size() &&
                          name.compare(name.size() - ending.size(), ending.size(), ending.data(), ending.size()) == 0;
        const pg::string to = ends ? name.substr(0, name.size() - ending.size()) : name;
        renamed.push_back({free_name(pg::view(of.schema), pg::view(to), "_swap"), to});
        rename(of, pg::view(name), pg::view(renamed.back().from));
    }
    return renamed;
}

void finish_renaming(const table &of, const pg::vector<renamed_index> &indexes) {
    for (const renamed_index &each : indexes)
        rename(of, pg::view(each.from), pg::view(free_name(pg::view(of.schema), pg::view(each.to), "")));
}

} // namespace etl::mart
