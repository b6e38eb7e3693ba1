// C++ regime: what a task costs its worker.
#pragma once

#include "load/costs.hpp"
#include "pg/value.hpp"

namespace etl::run {

// Runs from its making on.
class meter {
public:
    meter() noexcept;
    // As jsonb, see etl.task.costs; with the steps of a load. The memory is what this process holds now, or held when
    // the load was at its end. `tasks` of one kind have an equal part of the rest each.
    pg::string costs(const std::optional<load::costs> &steps, std::size_t tasks = 1) const;

private:
    std::int64_t processor_; // ns
    std::uint64_t wal_;      // bytes
};

} // namespace etl::run
