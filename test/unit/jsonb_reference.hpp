// C++ regime: may throw, never calls PostgreSQL
// jsonb and text[] as PostgreSQL stores them, written from lists of members as plainly as it can be done.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reference {

struct json_member {
    enum kind : std::uint32_t { string, number, no, yes, null, container } type;
    std::string bytes; // of a string its text; of a number or container what it is stored as
    std::string key;   // in an object
};

struct json_document {
    enum kind { array, object, scalar } type;
    std::vector<json_member> members;
};

inline void append_word(std::string &to, std::uint32_t word) {
    to.append(reinterpret_cast<const char *>(&word), sizeof word);
}

// Without a varlena header. Each 32nd entry tells where its bytes end instead of how many they are.
inline std::string jsonb_bytes(const json_document &document) {
    const bool is_object = document.type == json_document::object;
    std::string bytes, data;
    append_word(bytes, static_cast<std::uint32_t>(document.members.size()) | (is_object ? 0x20000000u : 0x40000000u) |
                           (document.type == json_document::scalar ? 0x10000000u : 0));
    std::size_t entries = 0;
    const auto add = [&](std::uint32_t type, const std::string &value) {
        const std::size_t before = data.size();
        if (type == json_member::number || type == json_member::container)
            data.append((4 - data.size() % 4) % 4, '\0');
        data += value;
        const std::size_t length = entries % 32 == 0 ? data.size() : data.size() - before;
        append_word(bytes, static_cast<std::uint32_t>(length) | type << 28 | (entries % 32 == 0 ? 0x80000000u : 0));
        entries++;
    };
    if (is_object)
        for (const json_member &member : document.members)
            add(json_member::string, member.key);
    for (const json_member &member : document.members)
        add(member.type, member.bytes);
    return bytes + data;
}

// With a varlena header of four bytes.
inline std::string text_array_bytes(const std::vector<std::optional<std::string>> &elements) {
    const auto varlena = [](std::size_t size) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        return static_cast<std::uint32_t>(size << 2);
#else
        return static_cast<std::uint32_t>(size);
#endif
    };
    constexpr std::uint32_t text_oid = 25;
    std::string array;
    if (elements.empty()) {
        for (const std::uint32_t word : {varlena(16), 0u, 0u, text_oid})
            append_word(array, word);
        return array;
    }
    bool has_nulls = false;
    std::string bitmap((elements.size() + 7) / 8, '\0'), data;
    for (std::size_t i = 0; i < elements.size(); i++) {
        if (!elements[i]) {
            has_nulls = true;
            continue;
        }
        bitmap[i / 8] = static_cast<char>(bitmap[i / 8] | 1 << i % 8);
        append_word(data, varlena(4 + elements[i]->size()));
        data += *elements[i];
        data.append((4 - data.size() % 4) % 4, '\0');
    }
    if (has_nulls)
        bitmap.append((8 - bitmap.size() % 8) % 8, '\0');
    else
        bitmap.clear();
    const std::size_t data_offset = 24 + bitmap.size();
    for (const std::uint32_t word :
         {varlena(data_offset + data.size()), 1u, has_nulls ? static_cast<std::uint32_t>(data_offset) : 0u, text_oid,
          static_cast<std::uint32_t>(elements.size()), 1u})
        append_word(array, word);
    return array + bitmap + data;
}

// What jsonb_to_array makes of a document, empty where that is NULL. `plain` says if that needs no number or container
// in its text form.
struct array_of_json {
    std::string bytes;
    bool plain;
};

inline array_of_json jsonb_to_array(const json_document &document) {
    std::vector<std::optional<std::string>> elements;
    if (document.type == json_document::scalar && document.members[0].type != json_member::string)
        return {"", true};
    for (const json_member &member : document.members) {
        if (document.type == json_document::object) {
            if (member.type != json_member::no && member.type != json_member::null)
                elements.emplace_back(member.key);
            continue;
        }
        switch (member.type) {
        case json_member::string:
            elements.emplace_back(member.bytes);
            break;
        case json_member::no:
            elements.emplace_back("false");
            break;
        case json_member::yes:
            elements.emplace_back("true");
            break;
        case json_member::null:
            elements.emplace_back();
            break;
        default:
            return {"", false};
        }
    }
    return {text_array_bytes(elements), true};
}

} // namespace reference
