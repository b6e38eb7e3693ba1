// C++ regime: what logical replication knows of a partition.
#include "mart/publications.hpp"

#include "pg/message.hpp"

namespace etl::mart {

namespace {

void carry_replica_identity(const table &from, const table &to) {
    const pg::result rows = pg::query("SELECT relreplident::text FROM pg_class WHERE oid = $1", {pg::oid(from.oid)});
    const char kind = rows.text(0, 0).front();
    if (kind == 'f' || kind == 'n')
        pg::execute("ALTER TABLE " + to.quoted() + " REPLICA IDENTITY " + (kind == 'f' ? "FULL" : "NOTHING"));
    else if (kind == 'i')
        pg::warning(pg::view(pg::format("replica identity of the replaced partition %s is not carried over",
                                        from.quoted().c_str())),
                    "It is an index; set it for the new partition with ALTER TABLE ... REPLICA IDENTITY.");
}

} // namespace

void carry_publications(const table &from, const table &to) {
    carry_replica_identity(from, to);
    const pg::result rows = pg::query(
        "SELECT p.pubname::text, p.pubowner::oid,"
        " (SELECT ' (' || string_agg(quote_ident(a.attname), ', ' ORDER BY k.number) || ')'"
        "  FROM unnest(r.prattrs) WITH ORDINALITY AS k (attnum, number) JOIN pg_attribute a"
        "  ON a.attrelid = r.prrelid AND a.attnum = k.attnum),"
        " ' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')'"
        " FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = $1 ORDER BY 1",
        {pg::oid(from.oid)});
    for (std::size_t row = 0; row < rows.size(); row++) {
        const pg::string name = pg::quote_identifier(pg::view(rows.text(row, 0)));
        if (!pg::may_act_as(rows.oid(row, 1))) {
            pg::warning(pg::view(pg::format("publication %s still lists the replaced partition %s", name.c_str(),
                                            from.quoted().c_str())),
                        pg::view(pg::format("Its owner should run ALTER PUBLICATION %s ADD TABLE %s.", name.c_str(),
                                            to.quoted().c_str())));
            continue;
        }
        pg::execute("ALTER PUBLICATION " + name + " DROP TABLE " + from.quoted());
        pg::execute("ALTER PUBLICATION " + name + " ADD TABLE " + to.quoted() +
                    rows.optional_text(row, 2).value_or(pg::string()) +
                    rows.optional_text(row, 3).value_or(pg::string()));
    }
}

} // namespace etl::mart
