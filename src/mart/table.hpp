// C++ regime: what the mart code knows of a relation, and the session settings under which it looks and acts.
#pragma once

#include "pg/identity.hpp"
#include "pg/spi.hpp"

namespace etl::mart {

// Settings on which the text of catalog functions and the place of new tables depend. Every entry opens one.
class pinned_settings {
public:
    pinned_settings();
    void set(const char *name, const char *setting) {
        scope_.set(name, setting);
    }

private:
    pg::settings_scope scope_;
};

struct table {
    Oid oid;
    pg::string schema;
    pg::string name;
    char kind;        // pg_class.relkind
    char persistence; // pg_class.relpersistence
    bool is_partition;
    Oid owner;
    pg::string tablespace; // empty: that of the database
    std::optional<pg::string> comment;

    pg::string quoted() const; // schema.name
};

pg::string qualified(std::string_view schema, std::string_view name);

std::optional<table> find_table(Oid relation);
// Raises 42P01 where the relation is gone, naming `what`.
table read_table(Oid relation, const char *what);
// InvalidOid where there is none.
Oid find_relation(std::string_view schema, std::string_view name);
// base + suffix as a name that no relation of the schema has: derived_name, with a number where that is taken.
pg::string free_name(std::string_view schema, std::string_view base, std::string_view suffix);
// 42501 unless the current user is the owner or a member of it.
void require_owner(const table &of);

void comment_on(const table &on, std::string_view comment);

} // namespace etl::mart
