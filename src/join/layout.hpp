// PG regime: what a plan says of a key join; plain data, copied into the plan as bytes.
#pragma once

#include "pg/postgres.hpp"

namespace etl::join {

constexpr int most_members = 16;

// What a relation does in the join. In this order they are read.
enum class duty : int {
    build,   // the fewest rows: fills the map of keys
    probe,   // rows whose keys are in the map are kept beside it
    drive,   // the widest rows: read last, each that finds its partners comes out, straight from its page
    look_up, // a dimension: its rows one by one through its index, or all in advance
};

struct member {
    duty what;
    bool optional; // LEFT JOIN: NULL where it has no row
    bool whole;    // most of it will be asked for, so all its pages are read
    Index relation;
    AttrNumber key;
    Oid key_type; // int8 but of dimensions
    Oid index;    // unique, on the key alone
    std::int64_t low, high;
    // Of a dimension: the column that holds its key.
    Index led_by;
    AttrNumber led_by_column;
    Oid led_by_type;
};

struct layout {
    int count;
    bool of_list; // only keys that a list has, a bigint[], which is the last of the plan's expressions
    member members[most_members];
};

} // namespace etl::join
