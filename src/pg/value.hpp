// Boundary: values that cross: arguments of SQL functions, parameters of statements, columns of result rows.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

// A typed SQL value, NULL included: a parameter of a statement or a column of a row that a function returns.
// Trivially destructible; the Datum lives in the context that was current when it was made.
struct value {
    Oid type;
    Datum datum;
    bool is_null;
};

value null_of(Oid type) noexcept;
value text(std::string_view characters);
value text(const char *characters);
inline value text(const string &characters) {
    return text(view(characters));
}
value text(const std::optional<string> &characters);
value int4(std::int32_t number) noexcept;
value int8(std::int64_t number) noexcept;
value int8(std::optional<std::int64_t> number) noexcept;
value boolean(bool truth) noexcept;
value oid(Oid object) noexcept;
value regclass(Oid relation) noexcept;
value regrole(Oid role) noexcept;
value text_array(const vector<string> &elements);
value int8_array(const vector<std::int64_t> &elements);
value timestamptz(std::int64_t microseconds) noexcept; // since 2000-01-01
value text_array(const std::optional<vector<string>> &elements);

// The arguments of the SQL function that is being called; detoasts under a guard.
// text() and the other plain readers raise 22004 if the argument is NULL, naming it by `name`.
class arguments {
public:
    explicit arguments(FunctionCallInfo fcinfo) noexcept : fcinfo_(fcinfo) {}

    bool is_null(int index) const noexcept { return fcinfo_->args[index].isnull; }
    string text(int index, const char *name) const;
    std::optional<string> optional_text(int index) const;
    std::int64_t int8(int index, const char *name) const;
    std::optional<std::int64_t> optional_int8(int index) const;
    std::optional<std::int32_t> optional_int4(int index) const;
    bool boolean(int index, const char *name) const;
    Oid oid(int index, const char *name) const;
    std::optional<Oid> optional_oid(int index) const;
    // A one-dimensional text[] without NULLs (else 22023).
    std::optional<vector<string>> optional_text_array(int index, const char *name) const;
    std::optional<Interval> optional_interval(int index) const;

private:
    void require(int index, const char *name) const;
    FunctionCallInfo fcinfo_;
};

// The rows of a set-returning function, materialised: all its work is done at the first call.
class row_writer {
public:
    explicit row_writer(FunctionCallInfo fcinfo);
    void add(std::initializer_list<value> columns);

private:
    ReturnSetInfo *result_;
};

// SQL text pieces, always quoted where needed.
string quote_identifier(std::string_view name);
string quote_literal(std::string_view characters);
// schema.relation, both quoted; raises 42P01 where the relation is gone, naming `what` and its OID.
string relation_name(Oid relation, const char *what = "relation");

// base + suffix cut to a name of at most 63 bytes: a longer one keeps its beginning and ends in a hash of the whole.
string derived_name(std::string_view base, std::string_view suffix);

} // namespace etl::pg
