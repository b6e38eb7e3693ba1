// C++ regime: pure, never calls PostgreSQL; allocates nothing, throws nothing.
#include "template/scanner.hpp"

namespace etl::templates {

namespace {

bool starts_word(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool is_newline(char c) noexcept {
    return c == '\n' || c == '\r';
}

bool is_blank(char c) noexcept {
    return c == ' ' || c == '\t' || c == '\f' || c == '\v' || is_newline(c);
}

bool in_placeholder(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

} // namespace

std::optional<piece> scanner::next() noexcept {
    const std::size_t begin = position_;
    if (begin >= query_.size())
        return std::nullopt;
    if (at(begin) == '{' || at(begin) == '}') {
        std::size_t end = begin + 1;
        while (in_placeholder(at(end)))
            end++;
        if (at(begin) == '{' && end > begin + 1 && at(end) == '}') {
            position_ = end + 1;
            return piece{piece::kind::placeholder, query_.substr(begin + 1, end - begin - 1)};
        }
        position_ = begin + 1;
        return piece{piece::kind::stray_brace, query_.substr(begin, 1)};
    }
    std::size_t end = begin;
    while (end < query_.size() && query_[end] != '{' && query_[end] != '}')
        end = past_token(end);
    position_ = end;
    return piece{piece::kind::text, query_.substr(begin, end - begin)};
}

std::size_t scanner::past_token(std::size_t from) const noexcept {
    const char c = query_[from];
    if (c == '\'' || c == '"')
        return past_quoted(from);
    if (c == '-' && at(from + 1) == '-')
        return past_line_comment(from);
    if (c == '/' && at(from + 1) == '*')
        return past_block_comment(from);
    if (c == '$')
        return past_dollar_quoted(from);
    if (starts_word(c)) {
        const std::size_t end = past_word(from);
        const bool escape = end == from + 1 && (c == 'e' || c == 'E') && at(end) == '\'';
        return escape ? past_escape_string(end) : end;
    }
    return from + 1;
}

// A doubled quote needs no care: it ends one literal and begins the next.
std::size_t scanner::past_quoted(std::size_t from) const noexcept {
    const std::size_t close = query_.find(query_[from], from + 1);
    return close == std::string_view::npos ? query_.size() : close + 1;
}

std::size_t scanner::past_escape_string(std::size_t from) const noexcept {
    std::size_t offset = from + 1;
    while (offset < query_.size()) {
        if (query_[offset] == '\\') {
            offset += 2;
        } else if (query_[offset] != '\'') {
            offset++;
        } else if (at(offset + 1) == '\'') {
            offset += 2;
        } else {
            // 'a' newline 'b' is one literal, and of the kind that it began as.
            const std::size_t next = past_continuation(offset + 1);
            if (next == offset + 1)
                return next;
            offset = next;
        }
    }
    return query_.size();
}

// Past the quote that continues a string literal after blanks with a newline among them; else where it was.
std::size_t scanner::past_continuation(std::size_t from) const noexcept {
    bool newline = false;
    std::size_t offset = from;
    for (;;) {
        if (is_blank(at(offset))) {
            newline = newline || is_newline(at(offset));
            offset++;
        } else if (newline && at(offset) == '-' && at(offset + 1) == '-') {
            offset = past_line_comment(offset);
        } else {
            break;
        }
    }
    return newline && at(offset) == '\'' ? offset + 1 : from;
}

std::size_t scanner::past_dollar_quoted(std::size_t from) const noexcept {
    std::size_t end = from + 1;
    while (starts_word(at(end)) || (end > from + 1 && is_digit(at(end))))
        end++;
    if (at(end) != '$')
        return from + 1;
    const std::string_view tag = query_.substr(from, end + 1 - from);
    const std::size_t close = query_.find(tag, end + 1);
    return close == std::string_view::npos ? query_.size() : close + tag.size();
}

std::size_t scanner::past_line_comment(std::size_t from) const noexcept {
    while (from < query_.size() && !is_newline(query_[from]))
        from++;
    return from;
}

std::size_t scanner::past_block_comment(std::size_t from) const noexcept {
    std::size_t depth = 0;
    while (from < query_.size()) {
        if (query_[from] == '/' && at(from + 1) == '*') {
            depth++;
            from += 2;
        } else if (query_[from] == '*' && at(from + 1) == '/') {
            from += 2;
            if (--depth == 0)
                return from;
        } else {
            from++;
        }
    }
    return from;
}

std::size_t scanner::past_word(std::size_t from) const noexcept {
    while (starts_word(at(from)) || is_digit(at(from)) || at(from) == '$')
        from++;
    return from;
}

} // namespace etl::templates
