// C++ regime: may throw, never calls PostgreSQL
// Rows that bench/kernels exported: COPY in binary form of bytea fields, each an attribute as it is stored.
#pragma once

#include <cstdint>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct attribute {
    std::string bytes;
    std::vector<std::uint32_t> offsets{0};
    std::vector<char> is_null;

    std::string_view at(std::size_t row) const {
        return std::string_view(bytes).substr(offsets[row], offsets[row + 1] - offsets[row]);
    }
};

struct table {
    std::vector<attribute> attributes;
    std::size_t rows = 0;
};

inline table read_table(const std::string &path, std::size_t width) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    std::size_t at = 19; // signature, flags, no extension
    const auto number = [&](std::size_t size) {
        if (at + size > bytes.size())
            throw std::runtime_error(path + " ends too early");
        std::int64_t value = static_cast<signed char>(bytes[at]);
        for (std::size_t i = 1; i < size; i++)
            value = value * 256 + static_cast<unsigned char>(bytes[at + i]);
        at += size;
        return value;
    };
    table read;
    read.attributes.resize(width);
    for (std::int64_t fields; (fields = number(2)) != -1; read.rows++) {
        if (fields != static_cast<std::int64_t>(width))
            throw std::runtime_error(path + " has other attributes");
        for (attribute &each : read.attributes) {
            const std::int64_t size = number(4);
            each.is_null.push_back(size < 0);
            if (size > 0)
                each.bytes.append(bytes, at, static_cast<std::size_t>(size));
            at += size > 0 ? static_cast<std::size_t>(size) : 0;
            each.offsets.push_back(static_cast<std::uint32_t>(each.bytes.size()));
        }
    }
    return read;
}

} // namespace bench
