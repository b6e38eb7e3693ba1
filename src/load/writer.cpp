// PG regime: which writer a table gets.
#include "load/writer.hpp"

#include "load/multi_insert.hpp"

namespace etl::load {

row_writer *open_writer(Relation target) {
    return open_multi_insert(target);
}

} // namespace etl::load
