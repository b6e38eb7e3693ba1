// C++ regime: pure, never calls PostgreSQL; allocates nothing, throws nothing.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace etl::templates {

// A stretch of a template, as it stands there.
struct piece {
    enum class kind {
        text,        // SQL to be kept as it is: string literals, quoted identifiers and comments are never looked into
        placeholder, // {name}; `text` is the name without the braces
        stray_brace  // a brace that belongs to no placeholder, which SQL has no use for
    };
    kind what;
    std::string_view text;
};

// Cuts a template into pieces. Knows SQL's lexical rules with standard_conforming_strings on: '...', E'...' (with
// continuation over a newline), "...", $tag$...$tag$, -- and nested /* */. Works on the bytes of any server encoding,
// for those keep ASCII as it is and give every byte of other characters the high bit, which identifiers may have.
// Whatever is not closed extends to the end: PostgreSQL's own parser says so better.
class scanner {
public:
    explicit scanner(std::string_view query) noexcept : query_(query) {}

    std::optional<piece> next() noexcept;

private:
    char at(std::size_t offset) const noexcept {
        return offset < query_.size() ? query_[offset] : '\0';
    }
    std::size_t past_token(std::size_t from) const noexcept;
    std::size_t past_quoted(std::size_t from) const noexcept;
    std::size_t past_escape_string(std::size_t from) const noexcept;
    std::size_t past_dollar_quoted(std::size_t from) const noexcept;
    std::size_t past_line_comment(std::size_t from) const noexcept;
    std::size_t past_block_comment(std::size_t from) const noexcept;
    std::size_t past_word(std::size_t from) const noexcept;
    std::size_t past_continuation(std::size_t from) const noexcept;

    std::string_view query_;
    std::size_t position_ = 0;
};

} // namespace etl::templates
