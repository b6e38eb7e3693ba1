// C++ regime: an empty plain table becomes a partitioned one.
#include "mart/replace_plain_table.hpp"

namespace etl::mart {

void refuse_rows(const table &mart) {
    (void)mart;
}

Oid replace_plain_table(const table &old) {
    throw error("0A000", pg::view(old.quoted()));
}

} // namespace etl::mart
