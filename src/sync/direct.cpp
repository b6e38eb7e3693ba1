// C++ regime.
#include "sync/direct.hpp"

#include "pg/guard.hpp"

#include <algorithm>
#include <iterator>

namespace etl::sync {

namespace {

bool add_those_of_portal(pg::vector<std::int64_t> &lids, const some_lids &recent, const touching &listing,
                         Oid partition) {
    const some_lids listed = pg::call([&] { return find_indexed(listing.relation, listing.needed, recent); });
    if (!listed.known)
        return false;
    pg::vector<std::int64_t> others;
    std::set_difference(recent.lids, recent.lids + recent.count, listed.lids, listed.lids + listed.count,
                        std::back_inserter(others));
    const pg::result held =
        pg::query(pg::format("SELECT p.lid FROM %s p WHERE p.lid = ANY ($1)", pg::relation_name(partition).c_str()),
                  {pg::int8_array(others)});
    lids.insert(lids.end(), listed.lids, listed.lids + listed.count);
    for (std::size_t row = 0; row < held.size(); row++)
        lids.push_back(held.int8(row, 0));
    return true;
}

} // namespace

bool add_recent(pg::vector<std::int64_t> &lids, const direct_read &from, Oid partition, std::int64_t since,
                std::optional<std::uint64_t> position) {
    const some_lids recent = pg::call([&] { return find_recent(from.rows, since, position.value_or(0)); });
    if (!recent.known)
        return false;
    if (from.listing)
        return add_those_of_portal(lids, recent, *from.listing, partition);
    lids.insert(lids.end(), recent.lids, recent.lids + recent.count);
    return true;
}

} // namespace etl::sync
