// Boundary: values that cross.
#include "pg/value.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
}

namespace etl::pg {

value null_of(Oid type) noexcept {
    return {type, 0, true};
}

value text(std::string_view characters) {
    const char *data = characters.data();
    const int length = static_cast<int>(characters.size());
    return {TEXTOID, call([=] { return PointerGetDatum(::cstring_to_text_with_len(data, length)); }), false};
}

value text(const char *characters) {
    return text(std::string_view(characters));
}

value text(const std::optional<string> &characters) {
    return characters ? text(view(*characters)) : null_of(TEXTOID);
}

value int4(std::int32_t number) noexcept {
    return {INT4OID, Int32GetDatum(number), false};
}

value int8(std::int64_t number) noexcept {
    return {INT8OID, Int64GetDatum(number), false};
}

value int8(std::optional<std::int64_t> number) noexcept {
    return number ? int8(*number) : null_of(INT8OID);
}

value boolean(bool truth) noexcept {
    return {BOOLOID, BoolGetDatum(truth), false};
}

value oid(Oid object) noexcept {
    return {OIDOID, ObjectIdGetDatum(object), false};
}

value regclass(Oid relation) noexcept {
    return {REGCLASSOID, ObjectIdGetDatum(relation), false};
}

value regrole(Oid role) noexcept {
    return {REGROLEOID, ObjectIdGetDatum(role), false};
}

value text_array(const vector<string> &elements) {
    vector<Datum> datums;
    datums.reserve(elements.size());
    for (const string &element : elements)
        datums.push_back(text(view(element)).datum);
    Datum *data = datums.data();
    const int count = static_cast<int>(datums.size());
    return {TEXTARRAYOID,
            call([=] { return PointerGetDatum(::construct_array(data, count, TEXTOID, -1, false, TYPALIGN_INT)); }),
            false};
}

value int8_array(const vector<std::int64_t> &elements) {
    vector<Datum> datums;
    datums.reserve(elements.size());
    for (const std::int64_t element : elements)
        datums.push_back(Int64GetDatum(element));
    Datum *data = datums.data();
    const int count = static_cast<int>(datums.size());
    return {INT8ARRAYOID,
            call([=] { return PointerGetDatum(::construct_array(data, count, INT8OID, 8, true, TYPALIGN_DOUBLE)); }),
            false};
}

value timestamptz(std::int64_t microseconds) noexcept {
    return {TIMESTAMPTZOID, TimestampTzGetDatum(microseconds), false};
}

value text_array(const std::optional<vector<string>> &elements) {
    return elements ? text_array(*elements) : null_of(TEXTARRAYOID);
}

static string to_string(Datum datum) {
    struct slice {
        const char *data;
        int size;
    };
    const slice bytes = call([=] {
        const struct varlena *packed = ::pg_detoast_datum_packed(reinterpret_cast<struct varlena *>(datum));
        return slice{VARDATA_ANY(packed), static_cast<int>(VARSIZE_ANY_EXHDR(packed))};
    });
    return string(bytes.data, static_cast<std::size_t>(bytes.size));
}

void arguments::require(int index, const char *name) const {
    if (is_null(index))
        throw etl::error("22004", view(format("argument \"%s\" must not be NULL", name)));
}

string arguments::text(int index, const char *name) const {
    require(index, name);
    return to_string(fcinfo_->args[index].value);
}

std::optional<string> arguments::optional_text(int index) const {
    if (is_null(index))
        return std::nullopt;
    return to_string(fcinfo_->args[index].value);
}

std::int64_t arguments::int8(int index, const char *name) const {
    require(index, name);
    return DatumGetInt64(fcinfo_->args[index].value);
}

std::optional<std::int64_t> arguments::optional_int8(int index) const {
    if (is_null(index))
        return std::nullopt;
    return DatumGetInt64(fcinfo_->args[index].value);
}

std::optional<std::int32_t> arguments::optional_int4(int index) const {
    if (is_null(index))
        return std::nullopt;
    return DatumGetInt32(fcinfo_->args[index].value);
}

bool arguments::boolean(int index, const char *name) const {
    require(index, name);
    return DatumGetBool(fcinfo_->args[index].value);
}

Oid arguments::oid(int index, const char *name) const {
    require(index, name);
    return DatumGetObjectId(fcinfo_->args[index].value);
}

std::optional<Oid> arguments::optional_oid(int index) const {
    if (is_null(index))
        return std::nullopt;
    return DatumGetObjectId(fcinfo_->args[index].value);
}

std::optional<Interval> arguments::optional_interval(int index) const {
    if (is_null(index))
        return std::nullopt;
    return *DatumGetIntervalP(fcinfo_->args[index].value);
}

std::optional<vector<string>> arguments::optional_text_array(int index, const char *name) const {
    if (is_null(index))
        return std::nullopt;
    struct elements {
        Datum *values;
        bool *nulls;
        int count;
        bool flat;
    };
    const Datum datum = fcinfo_->args[index].value;
    const elements found = call([=] {
        elements all{};
        ArrayType *array = DatumGetArrayTypeP(datum);
        all.flat = ARR_NDIM(array) <= 1;
        ::deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &all.values, &all.nulls, &all.count);
        return all;
    });
    if (!found.flat)
        throw etl::error("22023", view(format("argument \"%s\" must be a one-dimensional array", name)));
    vector<string> list;
    for (int i = 0; i < found.count; i++) {
        if (found.nulls[i])
            throw etl::error("22023", view(format("argument \"%s\" must not contain NULL", name)));
        list.push_back(to_string(found.values[i]));
    }
    return list;
}

row_writer::row_writer(FunctionCallInfo fcinfo) : result_(reinterpret_cast<ReturnSetInfo *>(fcinfo->resultinfo)) {
    call([=] { ::InitMaterializedSRF(fcinfo, 0); });
}

void row_writer::add(std::initializer_list<value> columns) {
    vector<Datum> datums;
    vector<bool> nulls;
    for (const value &column : columns) {
        datums.push_back(column.datum);
        nulls.push_back(column.is_null);
    }
    Datum *datum = datums.data();
    bool *null = nulls.data();
    ReturnSetInfo *result = result_;
    call([=] { ::tuplestore_putvalues(result->setResult, result->setDesc, datum, null); });
}

string quote_identifier(std::string_view name) {
    const string terminated(name.data(), name.size());
    const char *characters = terminated.c_str();
    return string(call([=] { return ::quote_identifier(characters); }));
}

string quote_literal(std::string_view characters) {
    const string terminated(characters.data(), characters.size());
    const char *raw = terminated.c_str();
    return string(call([=] { return ::quote_literal_cstr(raw); }));
}

string relation_name(Oid relation, const char *what) {
    const char *name = call([=]() -> const char * {
        const char *found = ::get_rel_name(relation);
        const char *schema = found ? ::get_namespace_name(::get_rel_namespace(relation)) : nullptr;
        return schema ? ::quote_qualified_identifier(schema, found) : nullptr;
    });
    if (!name)
        throw etl::error("42P01", view(format("%s with OID %u does not exist", what, relation)),
                         "It was dropped after it had been registered.");
    return string(name);
}

string derived_name(std::string_view base, std::string_view suffix) {
    constexpr std::size_t longest = NAMEDATALEN - 1;
    string name(base.data(), base.size());
    name.append(suffix.data(), suffix.size());
    if (name.size() <= longest)
        return name;
    const std::uint64_t hash = DatumGetUInt64(::hash_any_extended(
        reinterpret_cast<const unsigned char *>(name.data()), static_cast<int>(name.size()), 0));
    const string tail = format("_%08x", static_cast<unsigned>(hash));
    // Encodings are server encodings, so clipping at a character boundary cannot ereport.
    const int kept = ::pg_mbcliplen(name.c_str(), static_cast<int>(name.size()),
                                    static_cast<int>(longest - tail.size()));
    name.resize(static_cast<std::size_t>(kept));
    return name.append(tail);
}

} // namespace etl::pg
