// PG regime: keys of changed rows, on their way to the queue etl.dirty.
#pragma once

#include "watch/registration.hpp"

namespace etl::capture {

// The keys that a statement has changed in one column, written each once, or once a lot where they are many.
class changed_keys {
public:
    changed_keys(const watch::registration &known, bool by_account);
    bool wanted() const {
        return wanted_;
    }
    void add(std::int64_t key) {
        if (count_ > 0 && keys_[count_ - 1] == key)
            return;
        if (count_ == capacity_)
            make_room();
        keys_[count_++] = key;
    }
    // For each source that is captured by this column.
    void write();

private:
    void make_room();

    const watch::registration &known_;
    bool by_account_, wanted_;
    std::int64_t *keys_;
    int count_, capacity_;
};

} // namespace etl::capture
