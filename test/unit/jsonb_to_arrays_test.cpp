// C++ regime: may throw, never calls PostgreSQL
#include "columns.hpp"
#include "jsonb_reference.hpp"
#include "kernel/jsonb_to_arrays.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

namespace {

using namespace etl::kernel;
using columns::maybe_text;
using reference::json_document;
using reference::json_member;

struct answer {
    std::vector<maybe_text> arrays;
    std::vector<std::uint32_t> slow;
};

answer convert(const std::vector<maybe_text> &rows, std::optional<std::size_t> room = std::nullopt) {
    std::size_t needed = 0;
    for (const maybe_text &row : rows)
        needed += row ? most_array_bytes(row->size()) : 0;
    const std::size_t given = room.value_or(needed);
    const columns::texts documents(rows);
    std::vector<std::uint64_t> memory((given + slack + 7) / 8 + 1);
    std::vector<std::uint32_t> offsets(rows.size()), slow(rows.size());
    std::unique_ptr<bool[]> is_null(new bool[rows.size() + 1]);
    auto *const bytes = reinterpret_cast<char *>(memory.data());
    slow_rows left{slow.data()};
    const std::size_t used =
        jsonb_to_arrays(documents.column(), rows.size(), {bytes, given, offsets.data(), is_null.get()}, left);
    EXPECT_LE(used, given);
    answer result{{}, {slow.begin(), slow.begin() + static_cast<std::ptrdiff_t>(left.count)}};
    for (std::size_t i = 0; i < rows.size(); i++) {
        EXPECT_EQ(offsets[i] % 8, 0u);
        if (is_null[i]) {
            result.arrays.emplace_back();
            continue;
        }
        std::uint32_t header;
        std::memcpy(&header, bytes + offsets[i], sizeof header);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        header >>= 2;
#endif
        result.arrays.emplace_back(std::string(bytes + offsets[i], header));
    }
    return result;
}

// By the two ways to copy.
std::optional<std::string> convert_exactly(const std::string &jsonb) {
    // Just the bytes that there are: the sanitizer watches both ends.
    std::unique_ptr<char[]> exact(new char[jsonb.size()]);
    jsonb.copy(exact.get(), jsonb.size());
    std::unique_ptr<std::uint64_t[]> memory(new std::uint64_t[(most_array_bytes(jsonb.size()) + 7) / 8]);
    auto *const bytes = reinterpret_cast<char *>(memory.get());
    const array_of_jsonb array = jsonb_to_array<false>(exact.get(), jsonb.size(), bytes);
    if (array.kind != array_of_jsonb::written)
        return std::nullopt;
    return std::string(bytes, array.size);
}

void check(const std::vector<json_document> &documents) {
    std::vector<maybe_text> rows, arrays;
    std::vector<std::uint32_t> slow;
    for (const json_document &document : documents) {
        const reference::array_of_json array = reference::jsonb_to_array(document);
        if (!array.plain)
            slow.push_back(static_cast<std::uint32_t>(rows.size()));
        rows.emplace_back(reference::jsonb_bytes(document));
        arrays.push_back(columns::null_if_empty(array.bytes));
        ASSERT_EQ(convert_exactly(*rows.back()), arrays.back());
    }
    const answer ours = convert(rows);
    ASSERT_EQ(ours.arrays, arrays);
    ASSERT_EQ(ours.slow, slow);
}

json_member text(std::string bytes) {
    return {json_member::string, std::move(bytes), ""};
}
json_member key(std::string name, json_member::kind type) {
    return {type, "", std::move(name)};
}

TEST(jsonb_to_arrays, each_kind_of_document) {
    check({{json_document::array, {}},
           {json_document::object, {}},
           {json_document::array, {text("ABS")}},
           {json_document::array, {text("ABS"), text(""), text("Navi"), text("a text of more than sixteen bytes")}},
           {json_document::array, {{json_member::no, "", ""}, {json_member::yes, "", ""}}},
           {json_document::array, {{json_member::null, "", ""}}},
           {json_document::array, {text("x"), {json_member::null, "", ""}, text("yy")}},
           {json_document::object, {key("a", json_member::yes), key("b", json_member::no)}},
           {json_document::object, {key("a", json_member::null), key("b", json_member::no)}},
           {json_document::object, {key("", json_member::yes), {json_member::number, "12", "n"}}},
           {json_document::scalar, {text("only one")}},
           {json_document::scalar, {text("")}},
           {json_document::scalar, {{json_member::null, "", ""}}},
           {json_document::scalar, {{json_member::yes, "", ""}}},
           {json_document::scalar, {{json_member::number, "12", ""}}},
           {json_document::array, {{json_member::number, "12", ""}}},
           {json_document::array, {text("x"), {json_member::container, "0123", ""}}}});
}

TEST(jsonb_to_arrays, a_null_row_is_null) {
    const std::string array = reference::jsonb_bytes({json_document::array, {text("x")}});
    const answer ours = convert({std::nullopt, array, std::nullopt});
    EXPECT_EQ(ours.arrays, (std::vector<maybe_text>{std::nullopt, reference::text_array_bytes({"x"}), std::nullopt}));
    EXPECT_TRUE(ours.slow.empty());
}

TEST(jsonb_to_arrays, many_members) {
    std::vector<json_document> documents;
    for (const std::size_t count : {8, 9, 31, 32, 33, 64, 65, 1000}) {
        json_document array{json_document::array, {}}, object{json_document::object, {}}, flags = array;
        for (std::size_t i = 0; i < count; i++) {
            array.members.push_back(text(std::string(i % 40, 'm')));
            object.members.push_back(key(std::to_string(i), i % 3 == 0 ? json_member::no : json_member::yes));
            flags.members.push_back({i % 7 == 0 ? json_member::null : json_member::no, "", ""});
        }
        documents.insert(documents.end(), {array, object, flags});
    }
    check(documents);
}

TEST(jsonb_to_arrays, what_does_not_fit_is_left) {
    const std::string array = reference::jsonb_bytes({json_document::array, {text("x")}});
    const std::size_t one = most_array_bytes(array.size());
    EXPECT_EQ(convert({array, array}, one).slow, std::vector<std::uint32_t>{1});
    EXPECT_EQ(convert({array, array}, one - 1).slow, (std::vector<std::uint32_t>{0, 1}));
}

TEST(jsonb_to_arrays, bytes_that_are_no_jsonb_do_no_harm) {
    std::mt19937 random(5);
    const std::string good = reference::jsonb_bytes(
        {json_document::object, {key("a", json_member::yes), key("bb", json_member::no), key("c", json_member::yes)}});
    std::vector<maybe_text> rows;
    for (int i = 0; i < 20000; i++) {
        std::string bytes = good.substr(0, random() % 4 ? good.size() : random() % good.size());
        for (std::size_t changes = random() % 4; changes > 0 && !bytes.empty(); changes--)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        convert_exactly(bytes);
        rows.emplace_back(bytes);
    }
    EXPECT_FALSE(convert(rows).slow.empty());
}

TEST(jsonb_to_arrays, equals_the_reference_on_random_documents) {
    std::mt19937 random(25);
    const json_member::kind types[] = {json_member::string, json_member::string, json_member::no,    json_member::yes,
                                       json_member::null,   json_member::string, json_member::number};
    for (int batch = 0; batch < 200; batch++) {
        std::vector<json_document> documents(random() % 100);
        for (json_document &document : documents) {
            document.type = static_cast<json_document::kind>(random() % 3);
            const std::size_t count = document.type == json_document::scalar ? 1 : random() % (random() % 8 ? 9 : 80);
            const std::size_t kinds = random() % 3 ? 6 : 7;
            for (std::size_t i = 0; i < count; i++) {
                const json_member::kind type = types[random() % kinds];
                const std::string bytes(type == json_member::string   ? random() % 40
                                        : type == json_member::number ? 8
                                                                      : 0,
                                        static_cast<char>('a' + i % 26));
                document.members.push_back({type, bytes, std::string(random() % 20, 'k')});
            }
        }
        check(documents);
        if (HasFatalFailure())
            return;
    }
}

} // namespace
