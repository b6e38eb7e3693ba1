// PG regime: rows onto pages of our own, many of which go to the table at a time; etl.write_mode = 'pages'.
#pragma once

#include "load/writer.hpp"

namespace etl::load {

// For tables that pg::takes_pages. Takes 4 MB.
row_writer *open_page_writer(Relation target);

} // namespace etl::load
