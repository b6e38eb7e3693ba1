// C++ regime.
#include "sync/digests.hpp"

#include "pg/identity.hpp"

namespace etl::sync {

digest_ranges digest_ranges_of(Oid partition, const plan::lid_range &range) {
    pg::catalog_scope as_catalog;
    const pg::result rows = pg::query(
        "SELECT lid_from FROM etl.digest WHERE relation = $1 AND (lid_to IS NULL OR $2 IS NULL OR lid_to > $2)"
        " AND (lid_from IS NULL OR $3 IS NULL OR lid_from < $3) ORDER BY lid_from NULLS FIRST",
        {pg::regclass(partition), pg::int8(range.from), pg::int8(range.to)});
    digest_ranges found{partition, {}, {}};
    for (std::size_t row = 0; row < rows.size(); row++) {
        found.from.push_back(rows.optional_int8(row, 0));
        if (row > 0)
            found.bounds.push_back(rows.int8(row, 0));
    }
    return found;
}

void adjust(const digest_ranges &ranges, std::size_t place, const digest_change &by) {
    if (place >= ranges.from.size() || (by.rows == 0 && by.digest == 0))
        return;
    pg::catalog_scope as_catalog;
    pg::execute("UPDATE etl.digest SET rows = rows + $3, digest = etl.add_digests(digest, $4)"
                " WHERE relation = $1 AND lid_from IS NOT DISTINCT FROM $2",
                {pg::regclass(ranges.partition), pg::int8(ranges.from[place]), pg::int8(by.rows),
                 pg::int8(static_cast<std::int64_t>(by.digest))});
}

std::uint64_t wrap(const pg::string &sum) noexcept {
    std::uint64_t value = 0;
    for (const char digit : sum)
        if (digit >= '0' && digit <= '9')
            value = value * 10 + static_cast<std::uint64_t>(digit - '0');
    return !sum.empty() && sum.front() == '-' ? 0 - value : value;
}

void note_dead(Oid partition, std::int64_t versions) {
    if (versions == 0)
        return;
    pg::catalog_scope as_catalog;
    pg::execute("UPDATE etl.partition SET dead = dead + $2 WHERE relation = $1",
                {pg::regclass(partition), pg::int8(versions)});
}

} // namespace etl::sync
