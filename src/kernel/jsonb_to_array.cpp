// C++ regime: may throw, never calls PostgreSQL (nothing here throws)
#include "kernel/jsonb_to_array.hpp"

#include "kernel/column.hpp"

namespace etl::kernel {

namespace {

// The format of jsonb (jsonb.h): a word with the number of members and what they are in, an entry of a word for each
// element (of an object for each key and then each value), then their bytes one after the other.
constexpr std::uint32_t count_bits = 0x0fffffff, scalar_bit = 0x10000000, object_bit = 0x20000000,
                        array_bit = 0x40000000;
constexpr std::uint32_t length_bits = 0x0fffffff, offset_bit = 0x80000000; // the length is where the bytes end, then
enum entry_type : unsigned { string, number, no, yes, null, container };

constexpr unsigned type_of(std::uint32_t entry) noexcept {
    return entry >> 28 & 7;
}

// The header of an array (array.h) of one dimension, whose elements have alignment 4 and begin at a multiple of 8.
struct array_header {
    std::uint32_t varlena;
    std::int32_t dimensions;
    std::int32_t data_offset; // 0: there is no bitmap of NULLs
    std::uint32_t element_type;
    std::int32_t count;
    std::int32_t lower_bound;
};
constexpr std::size_t header_of_empty = offsetof(array_header, count);
constexpr std::uint32_t text_oid = 25;

constexpr std::uint32_t varlena_header(std::size_t size) noexcept {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return static_cast<std::uint32_t>(size) << 2;
#else
    return static_cast<std::uint32_t>(size) & 0x3fffffff;
#endif
}

std::uint32_t word(const char *bytes) noexcept {
    std::uint32_t value;
    std::memcpy(&value, bytes, sizeof value);
    return value;
}

void put_word(char *to, std::uint32_t value) noexcept {
    std::memcpy(to, &value, sizeof value);
}

template <bool with_slack> void copy(char *to, const char *from, std::size_t size) noexcept {
    constexpr std::size_t block = 16;
    static_assert(block <= slack);
    if (!with_slack) {
        std::memcpy(to, from, size);
        return;
    }
    for (std::size_t at = 0; at < size; at += block)
        std::memcpy(to + at, from + at, block);
}

// A text with the bytes between it and the next multiple of 4 zeroed, as PostgreSQL makes them. Returns where the next
// one begins.
template <bool with_slack> char *put_text(char *to, const char *from, std::size_t size) noexcept {
    put_word(to, varlena_header(size + 4));
    char *const end = to + 4 + ((size + 3) & ~std::size_t{3});
    if (with_slack) {
        copy<true>(to + 4, from, size);
        put_word(to + 4 + size, 0);
    } else {
        if (size > 0)
            put_word(end - 4, 0);
        copy<false>(to + 4, from, size);
    }
    return end;
}

array_of_jsonb put_empty(char *to) noexcept {
    const array_header header = {varlena_header(header_of_empty), 0, 0, text_oid, 0, 0};
    std::memcpy(to, &header, header_of_empty);
    return {array_of_jsonb::written, header_of_empty};
}

array_of_jsonb finish(char *to, const char *end, std::size_t count, std::size_t data_offset) noexcept {
    const std::size_t size = static_cast<std::size_t>(end - to);
    const array_header header = {
        varlena_header(size), 1, static_cast<std::int32_t>(data_offset), text_oid, static_cast<std::int32_t>(count), 1};
    std::memcpy(to, &header, sizeof header);
    return {array_of_jsonb::written, size};
}

// The members' bytes one after the other, as the entries tell; false if they cannot be true.
class extents {
public:
    extents(const char *bytes, std::size_t size) noexcept : bytes_(bytes), size_(size) {}

    bool next(std::uint32_t entry) noexcept {
        begin_ = end_;
        end_ = (entry & length_bits) + (entry & offset_bit ? 0 : begin_);
        return begin_ <= end_ && end_ <= size_;
    }
    const char *begin() const noexcept {
        return bytes_ + begin_;
    }
    std::size_t size() const noexcept {
        return end_ - begin_;
    }

private:
    const char *bytes_;
    std::size_t size_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

constexpr array_of_jsonb leave_it = {array_of_jsonb::slow, 0};

template <bool with_slack>
array_of_jsonb elements(const char *entries, std::size_t count, extents members, char *to) noexcept {
    unsigned types = 0;
    for (std::size_t i = 0; i < count; i++)
        types |= 1u << type_of(word(entries + 4 * i));
    if (types & ~(1u << string | 1u << no | 1u << yes | 1u << null))
        return leave_it;
    const bool has_nulls = types & 1u << null;
    std::size_t data_offset = sizeof(array_header);
    auto *const bitmap = reinterpret_cast<unsigned char *>(to + data_offset);
    if (has_nulls) {
        const std::size_t bitmap_size = (data_offset + (count + 7) / 8 + 7) / 8 * 8 - data_offset;
        std::memset(bitmap, 0, bitmap_size);
        data_offset += bitmap_size;
    }
    char *at = to + data_offset;
    for (std::size_t i = 0; i < count; i++) {
        const std::uint32_t entry = word(entries + 4 * i);
        if (!members.next(entry))
            return leave_it;
        const unsigned type = type_of(entry);
        if (type == string)
            at = put_text<with_slack>(at, members.begin(), members.size());
        else if (type != null)
            at = type == yes ? put_text<false>(at, "true", 4) : put_text<false>(at, "false", 5);
        if (has_nulls && type != null)
            bitmap[i / 8] = static_cast<unsigned char>(bitmap[i / 8] | 1u << i % 8);
    }
    return finish(to, at, count, has_nulls ? data_offset : 0);
}

template <bool with_slack>
array_of_jsonb keys(const char *entries, std::size_t count, extents members, char *to) noexcept {
    char *at = to + sizeof(array_header);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < count; i++) {
        if (!members.next(word(entries + 4 * i)))
            return leave_it;
        const unsigned value = type_of(word(entries + 4 * (count + i)));
        if (value == no || value == null)
            continue;
        at = put_text<with_slack>(at, members.begin(), members.size());
        kept++;
    }
    return kept == 0 ? put_empty(to) : finish(to, at, kept, 0);
}

} // namespace

template <bool with_slack> array_of_jsonb jsonb_to_array(const char *jsonb, std::size_t size, char *to) noexcept {
    if (size < 4)
        return leave_it;
    const std::uint32_t header = word(jsonb);
    const std::size_t count = header & count_bits;
    const bool is_object = header & object_bit;
    const std::size_t entries_size = 4 * (is_object ? 2 * count : count);
    if (entries_size > size - 4)
        return leave_it;
    const char *const entries = jsonb + 4;
    const extents members(entries + entries_size, size - 4 - entries_size);
    if (header & scalar_bit) {
        if (count != 1 || is_object)
            return leave_it;
        if (type_of(word(entries)) != string)
            return {array_of_jsonb::null, 0};
    }
    if (is_object == ((header & array_bit) != 0))
        return leave_it;
    if (count == 0)
        return put_empty(to);
    return is_object ? keys<with_slack>(entries, count, members, to)
                     : elements<with_slack>(entries, count, members, to);
}

template array_of_jsonb jsonb_to_array<true>(const char *jsonb, std::size_t size, char *to) noexcept;
template array_of_jsonb jsonb_to_array<false>(const char *jsonb, std::size_t size, char *to) noexcept;

} // namespace etl::kernel
