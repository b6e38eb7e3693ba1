// PG regime: rows by the table's own bulk insert, etl.write_mode = 'rows'.
#pragma once

#include "load/writer.hpp"

namespace etl::load {

row_writer *open_multi_insert(Relation target);

} // namespace etl::load
