// C++ regime: the partition that holds a portal, found by its bound.
#pragma once

#include "mart/table.hpp"

namespace etl::mart {

struct held_partition {
    table partition;
    bool alone;   // it holds this portal and no other value
    bool pending; // DETACH ... CONCURRENTLY was broken off
};

// The partition to which rows of the portal go, the default partition not counted.
std::optional<held_partition> find_partition(const table &mart, std::string_view portal);

// The same, but refuses what publish could not replace: 55000 with a hint, 42501 if it belongs to somebody else.
std::optional<table> find_replaceable(const table &mart, std::string_view portal);

} // namespace etl::mart
