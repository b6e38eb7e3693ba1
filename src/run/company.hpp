// C++ regime: who runs beside whom. A task that may bring the server down runs while no other task of the database does.
#pragma once

#include "pg/lock.hpp"

namespace etl::run {

class company {
public:
    enum class entry {
        joined,
        disturbed, // by a cancel or another error that may have to do with the run
        stopped    // the run was stopped
    };

    // alone: for a task under suspicion.
    company(std::int64_t run_id, bool alone) noexcept
        : run_id_(run_id), strength_(alone ? pg::lock_strength::exclusive : pg::lock_strength::shared) {}
    ~company() { leave(); }
    company(const company &) = delete;
    company &operator=(const company &) = delete;

    // Waits, outside of transactions, until others leave room. etl_progress says for whom; a cancel of the run ends it.
    entry join();
    void leave() noexcept;

private:
    static constexpr pg::lock_key key{pg::lock_kind::alone, 0, 0};
    entry wait();

    std::int64_t run_id_;
    pg::lock_strength strength_;
    bool held_ = false;
};

// Whether the run still goes on; false once it was stopped, or has ended.
bool still_wanted(std::int64_t run_id);

} // namespace etl::run
