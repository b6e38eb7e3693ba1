// PG regime: what a table is watched for, kept per session.
#pragma once

#include "fold/events.hpp"
#include "pg/identity.hpp"

namespace etl::watch {

struct watched_portal {
    char name[NAMEDATALEN];
    char channel[NAMEDATALEN]; // empty: nobody wants to be told
    Oid log;
    Oid state;
    Oid state_owner; // 0: the price state is gone
};

// A source that the table is, or is a part of.
struct captured_source {
    Oid source;
    bool by_lid, by_account; // which of its columns is queued
};

// A column whose values are keys; number 0: the table has none of an integer type.
struct key_column {
    AttrNumber number;
    Oid type;
};

// Portals may share a log, and tables may be parts of several sources; what watches them refuses more, so that no writer
// is ever stopped by it.
constexpr int most_watchers = 8;

struct registration {
    Oid relation;
    bool valid;
    bool is_log; // has the columns of one
    fold::row_layout layout;
    int count;
    watched_portal portals[most_watchers];
    int source_count;
    captured_source sources[most_watchers];
    key_column lid, account;
};

// The portals of the catalog for which `relation` is a watched log, or one of its partitions, and the captured sources of
// which it is a part; none for any other table, whoever put the trigger there. Looked up again after the relation, its registration or the price state changed.
// Reads the catalog as it is now, not as an old snapshot shows it. The layout lasts as long as the relation is open.
const registration *find_registration(Relation relation);

// Whether anything is watched; cheap, for DDL that has nothing to do with it. 40001 where the transaction sees another
// state of that than there is now.
bool any_watched();

// Makes every session look up again what these relations are registered for, once this transaction commits.
void forget_registration(Oid relation);

// Records a gap in the coverage of a price log or of a captured source, with its cause.
void record_gap(const char *portal, const char *cause);
void record_gap(Oid source, const char *cause);

using pg::as_extension_owner;

// The owner of a price state, in a security-restricted operation.
class as_state_owner {
public:
    explicit as_state_owner(Oid owner);
    void end();

private:
    Oid user_;
    int context_;
};

} // namespace etl::watch
