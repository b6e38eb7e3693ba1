// C++ regime: may throw, never calls PostgreSQL
#include "kernel/jsonb_to_array.hpp"
#include "jsonb_reference.hpp"
#include "rows.hpp"

namespace {

using etl::kernel::array_of_jsonb;

struct answer {
    int kind;
    std::string bytes;
    bool operator==(const answer &other) const {
        return kind == other.kind && bytes == other.bytes;
    }
};

// In memory that has not a byte more than it may take.
template <bool with_slack> answer convert(const std::string &jsonb) {
    const std::size_t beyond = with_slack ? etl::kernel::slack : 0;
    std::unique_ptr<char[]> from(new char[jsonb.size() + beyond]);
    jsonb.copy(from.get(), jsonb.size());
    std::fill_n(from.get() + jsonb.size(), beyond, 'x');
    const std::size_t room = etl::kernel::most_array_bytes(jsonb.size());
    std::unique_ptr<std::uint32_t[]> to(new std::uint32_t[(room + beyond + 3) / 4]);
    char *const bytes = reinterpret_cast<char *>(to.get());
    const array_of_jsonb array = etl::kernel::jsonb_to_array<with_slack>(from.get(), jsonb.size(), bytes);
    fuzz::require(array.size <= room);
    return {array.kind, std::string(bytes, array.size)};
}

// A document by the input's bytes: what it is, then of each member the type, a size and a letter.
reference::json_document document(const std::uint8_t *data, std::size_t size) {
    reference::json_document made{static_cast<reference::json_document::kind>(data[0] % 3), {}};
    for (std::size_t i = 1; i + 2 < size; i += 3) {
        const auto type = static_cast<reference::json_member::kind>(data[i] % 6);
        const bool has_bytes = type == reference::json_member::string || type == reference::json_member::number;
        made.members.push_back({type, std::string(has_bytes ? data[i + 1] % 40 : 0, static_cast<char>(data[i + 2])),
                                std::string(data[i + 1] / 40, static_cast<char>(data[i + 2]))});
    }
    if (made.type == reference::json_document::scalar)
        made.members.resize(1, {reference::json_member::yes, "", ""});
    return made;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::string any(reinterpret_cast<const char *>(data), size);
    fuzz::require(convert<true>(any) == convert<false>(any));
    if (size == 0)
        return 0;
    const reference::json_document made = document(data, size);
    const std::string jsonb = reference::jsonb_bytes(made);
    const reference::array_of_json expected = reference::jsonb_to_array(made);
    const answer ours = convert<false>(jsonb);
    fuzz::require(ours == convert<true>(jsonb));
    fuzz::require(ours.kind == (!expected.plain          ? array_of_jsonb::slow
                                : expected.bytes.empty() ? array_of_jsonb::null
                                                         : array_of_jsonb::written));
    fuzz::require(ours.bytes == expected.bytes);
    return 0;
}
