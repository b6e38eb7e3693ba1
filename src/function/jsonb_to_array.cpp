// PG regime: may ereport
#include "kernel/jsonb_to_array.hpp"

#include "function/arguments.hpp"
#include "pg/function.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"
}

namespace etl::function {

namespace {

// Elements of the array to be, with room for as many as the document has members.
struct element_list {
    Datum *values;
    bool *nulls;
    int count;
};

element_list make_list(std::size_t capacity) {
    return {static_cast<Datum *>(::palloc(capacity * sizeof(Datum))),
            static_cast<bool *>(::palloc(capacity * sizeof(bool))), 0};
}

void add(element_list &list, Datum value) {
    list.values[list.count] = value;
    list.nulls[list.count++] = false;
}

void add_null(element_list &list) {
    list.values[list.count] = 0;
    list.nulls[list.count++] = true;
}

Datum string_datum(const JsonbValue &string) {
    return to_datum(std::string_view(string.val.string.val, static_cast<std::size_t>(string.val.string.len)));
}

// Whatever ->> gives: strings as they are, documents in jsonb's own text form, JSON's null as NULL.
void add_element(element_list &list, const JsonbValue &element) {
    char *written;

    switch (element.type) {
    case jbvNull:
        add_null(list);
        return;
    case jbvString:
        add(list, string_datum(element));
        return;
    case jbvBool:
        add(list, to_datum(std::string_view(element.val.boolean ? "true" : "false")));
        return;
    case jbvNumeric:
        written = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(element.val.numeric)));
        break;
    case jbvBinary:
        written = ::JsonbToCString(nullptr, element.val.binary.data, element.val.binary.len);
        break;
    default:
        elog(ERROR, "unexpected jsonb element type: %d", static_cast<int>(element.type));
    }
    add(list, to_datum(std::string_view(written)));
    ::pfree(written);
}

bool is_false_or_null(const JsonbValue &value) noexcept {
    return value.type == jbvNull || (value.type == jbvBool && !value.val.boolean);
}

Datum to_array(const element_list &list) {
    if (list.count == 0)
        return PointerGetDatum(::construct_empty_array(TEXTOID));
    int lower_bound = 1;
    int count = list.count;
    ArrayType *const array =
        ::construct_md_array(list.values, list.nulls, 1, &count, &lower_bound, TEXTOID, -1, false, TYPALIGN_INT);
    for (int i = 0; i < list.count; i++)
        if (!list.nulls[i])
            ::pfree(DatumGetPointer(list.values[i]));
    return PointerGetDatum(array);
}

// Array elements, or the keys of an object in stored order whose value is neither false nor null.
element_list collect(JsonbContainer *root) {
    element_list list = make_list(JsonContainerSize(root));
    JsonbIterator *iterator = ::JsonbIteratorInit(root);
    JsonbValue member;
    JsonbValue key;
    JsonbIteratorToken token;

    while ((token = ::JsonbIteratorNext(&iterator, &member, true)) != WJB_DONE) {
        CHECK_FOR_INTERRUPTS();
        if (token == WJB_ELEM)
            add_element(list, member);
        else if (token == WJB_KEY)
            key = member;
        else if (token == WJB_VALUE && !is_false_or_null(member))
            add(list, string_datum(key));
    }
    return list;
}

// For what the kernel leaves: PostgreSQL's own iterator, and its text forms of numbers and documents.
std::optional<Datum> convert_slowly(Jsonb *document) {
    if (JB_ROOT_IS_SCALAR(document)) {
        JsonbValue scalar;
        if (!::JsonbExtractScalar(&document->root, &scalar) || scalar.type != jbvString)
            return std::nullopt;
    }
    const element_list list = collect(&document->root);
    const Datum array = to_array(list);
    ::pfree(list.values);
    ::pfree(list.nulls);
    return array;
}

// The kernel takes memory by the worst case, and looks for no interrupts.
constexpr std::size_t longest_for_kernel = 1 << 16;

std::optional<Datum> convert(varlena *document) {
    const std::size_t size = VARSIZE_ANY_EXHDR(document);
    if (size <= longest_for_kernel) {
        auto *const bytes = static_cast<char *>(::palloc(kernel::most_array_bytes(size)));
        const kernel::array_of_jsonb array = kernel::jsonb_to_array<false>(VARDATA_ANY(document), size, bytes);
        if (array.kind == kernel::array_of_jsonb::written)
            return PointerGetDatum(bytes);
        ::pfree(bytes);
        if (array.kind == kernel::array_of_jsonb::null)
            return std::nullopt;
    }
    return convert_slowly(DatumGetJsonbP(PointerGetDatum(document)));
}

} // namespace

ETL_FUNCTION(etl_jsonb_to_array) {
    if (any_null(fcinfo))
        PG_RETURN_NULL();
    varlena *const document = PG_GETARG_VARLENA_PP(0);
    const std::optional<Datum> array = convert(document);
    PG_FREE_IF_COPY(document, 0);
    if (!array)
        PG_RETURN_NULL();
    return *array;
}

} // namespace etl::function
