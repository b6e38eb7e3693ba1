// C++ regime: privileges on tables and their columns.
#include "mart/privileges.hpp"

namespace etl::mart {

namespace {

// Every privilege of a table and its columns, in the order in which they were granted, the owner's own first.
constexpr const char *all_privileges =
    "SELECT x.grantor, x.grantee, x.privilege_type, x.is_grantable, a.name, c.relowner, a.position, x.number"
    " FROM pg_class c CROSS JOIN LATERAL ("
    " SELECT NULL::text AS name, 0 AS position, coalesce(c.relacl, acldefault('r', c.relowner)) AS acl UNION ALL"
    " SELECT attname::text, attnum, attacl FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped"
    "  AND attacl IS NOT NULL) a"
    " CROSS JOIN LATERAL aclexplode(a.acl) WITH ORDINALITY"
    "  AS x (grantor, grantee, privilege_type, is_grantable, number) WHERE c.oid = $1";

pg::string role(const pg::result &rows, std::size_t row, std::size_t column) {
    const Oid oid = rows.oid(row, column);
    return oid == InvalidOid ? pg::string("PUBLIC") : pg::quote_identifier(pg::view(pg::role_name(oid)));
}

pg::string fingerprint(const table &of) {
    return pg::query(
               pg::format("SELECT coalesce(string_agg(format('%%s %%s %%s %%s %%I', grantor, grantee, privilege_type,"
                          " is_grantable, coalesce(name, '')), ',' ORDER BY grantor, grantee, privilege_type, name),"
                          " '') FROM (%s) p",
                          all_privileges),
               {pg::oid(of.oid)})
        .text(0, 0);
}

void revoke_all(const table &from) {
    const pg::result rows =
        pg::query(pg::format("SELECT DISTINCT grantee::oid FROM (%s) p", all_privileges), {pg::oid(from.oid)});
    for (std::size_t row = 0; row < rows.size(); row++)
        pg::execute("REVOKE ALL ON " + from.quoted() + " FROM " + role(rows, row, 0) + " CASCADE");
}

} // namespace

pg::string carry_privileges(const table &from, const table &to) {
    if (fingerprint(from) == fingerprint(to))
        return {};
    revoke_all(to);
    const pg::result rows = pg::query(
        pg::format(
            "SELECT grantor::oid, grantee::oid, privilege_type, is_grantable, quote_ident(name), grantor = relowner"
            " FROM (%s) p ORDER BY grantor <> relowner, position, number",
            all_privileges),
        {pg::oid(from.oid)});
    pg::string lost;
    for (std::size_t row = 0; row < rows.size(); row++) {
        const Oid grantor = rows.oid(row, 0);
        const pg::string what =
            rows.text(row, 2) + (rows.is_null(row, 4) ? pg::string() : " (" + rows.text(row, 4) + ")");
        const pg::string statement = "GRANT " + what + " ON " + to.quoted() + " TO " + role(rows, row, 1) +
                                     (rows.boolean(row, 3) ? " WITH GRANT OPTION" : "");
        if (rows.boolean(row, 5)) {
            pg::execute(statement);
        } else if (pg::may_act_as(grantor)) {
            // GRANT records the role that says it, so the grantor says it again.
            pg::role_scope as_grantor(grantor, pg::role_scope::mode::catalog);
            pg::execute(statement);
        } else {
            lost += pg::format("%s%s was granted to %s by %s.", lost.empty() ? "" : "\n", what.c_str(),
                               role(rows, row, 1).c_str(), role(rows, row, 0).c_str());
        }
    }
    return lost;
}

} // namespace etl::mart
