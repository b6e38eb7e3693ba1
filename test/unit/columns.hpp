// C++ regime: may throw, never calls PostgreSQL
// Columns for the batched kernels, made of ordinary containers, and what they answered, taken out again.
#pragma once

#include "kernel/column.hpp"
#include "kernel/instruction_set.hpp"

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace columns {

using maybe_text = std::optional<std::string>;
using etl::kernel::slack;

// Keeps the memory of a text_column. Exactly as much as the kernel is promised, so that a sanitizer sees the rest.
class texts {
public:
    explicit texts(const std::vector<maybe_text> &values) : is_null_(new bool[values.size() + 1]) {
        std::string bytes;
        for (std::size_t i = 0; i < values.size(); i++) {
            offsets_.push_back(static_cast<std::uint32_t>(bytes.size()));
            is_null_[i] = !values[i];
            bytes += values[i].value_or("");
        }
        offsets_.push_back(static_cast<std::uint32_t>(bytes.size()));
        memory_.reset(new char[bytes.size() + slack]);
        std::memset(memory_.get(), 'x', bytes.size() + slack);
        bytes.copy(memory_.get(), bytes.size());
    }
    etl::kernel::text_column column() const {
        return {memory_.get(), offsets_.data(), is_null_.get()};
    }

private:
    std::unique_ptr<char[]> memory_;
    std::vector<std::uint32_t> offsets_;
    std::unique_ptr<bool[]> is_null_;
};

// Keeps the memory of a column of fixed size.
template <class T> class values {
public:
    explicit values(const std::vector<std::optional<T>> &from)
        : values_(new T[from.size() + 1]), is_null_(new bool[from.size() + 1]) {
        for (std::size_t i = 0; i < from.size(); i++) {
            is_null_[i] = !from[i];
            values_[i] = from[i].value_or(T{});
        }
    }
    etl::kernel::column<T> column() const {
        return {values_.get(), is_null_.get()};
    }

private:
    std::unique_ptr<T[]> values_;
    std::unique_ptr<bool[]> is_null_;
};

class cells {
public:
    cells(std::size_t n, std::size_t stride)
        : n_(n), stride_(stride), bytes_(new char[n * stride + slack]), is_null_(new bool[n + 1]) {}

    etl::kernel::short_cells out() const {
        return {bytes_.get(), is_null_.get()};
    }
    std::vector<maybe_text> taken() const {
        std::vector<maybe_text> result;
        for (std::size_t i = 0; i < n_; i++) {
            const char *const cell = bytes_.get() + i * stride_;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
            const std::size_t size = (static_cast<unsigned char>(*cell) >> 1) - 1u;
#else
            const std::size_t size = (static_cast<unsigned char>(*cell) & 0x7fu) - 1u;
#endif
            result.push_back(is_null_[i] ? maybe_text() : maybe_text(std::string(cell + 1, size)));
        }
        return result;
    }

private:
    std::size_t n_;
    std::size_t stride_;
    std::unique_ptr<char[]> bytes_;
    std::unique_ptr<bool[]> is_null_;
};

// Those that this processor has: a test is made for each.
inline std::vector<etl::kernel::instruction_set> instruction_sets() {
    std::vector<etl::kernel::instruction_set> sets;
    for (const etl::kernel::instruction_set set : etl::kernel::all_instruction_sets)
        if (etl::kernel::has(set))
            sets.push_back(set);
    return sets;
}

inline maybe_text null_if_empty(std::string text) {
    return text.empty() ? maybe_text() : maybe_text(std::move(text));
}

} // namespace columns
