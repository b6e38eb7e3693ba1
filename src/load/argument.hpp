// PG regime: may ereport, so no local here needs a destructor.
#pragma once

#include "kernel/column.hpp"
#include "load/batch.hpp"

namespace etl::load {

// A column of a batch as kernels take it: values one after the other. Several kernels may ask for the same one.
struct argument {
    int column;
    int size; // bytes of a value; 0: a varlena, whose bytes are kept without its header
    bool *is_null;
    char *bytes;
    std::size_t room;
    std::uint32_t *offsets; // of a varlena
};

constexpr int varlena_size = 0;
argument create_argument(int column, int size);

// Takes the column out of the batch.
void gather(argument &self, const batch &rows);

inline kernel::text_column text_of(const argument &self) {
    return {self.bytes + kernel::slack, self.offsets, self.is_null};
}
template <class T> kernel::column<T> values_of(const argument &self) {
    return {reinterpret_cast<const T *>(self.bytes), self.is_null};
}

} // namespace etl::load
