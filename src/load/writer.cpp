// PG regime: which writer a table gets.
#include "load/writer.hpp"

#include "load/multi_insert.hpp"
#include "load/page_writer.hpp"
#include "pg/heap_append.hpp"
#include "settings.hpp"

namespace etl::load {

row_writer *open_writer(Relation target) {
    return write_mode == write_pages && pg::takes_pages(target) ? open_page_writer(target) : open_multi_insert(target);
}

} // namespace etl::load
