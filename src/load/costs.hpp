// C++ regime: what loading a chunk gave and cost; plain data.
#pragma once

#include <cstddef>
#include <cstdint>

namespace etl::load {

// Times are of the processor, in ns, of this process alone.
struct costs {
    std::int64_t rows;
    std::uint64_t digest; // of the rows, by the columns that the view gives (function/row_digest)
    std::int64_t join;    // reading the sources and finding what belongs together
    std::int64_t columns; // taking rows apart, expressions; and the join where the executor does it
    std::int64_t kernels;
    std::int64_t form; // and digest
    std::int64_t write; // into pages, with WAL
    std::size_t memory; // bytes, of this process's own
};

} // namespace etl::load
