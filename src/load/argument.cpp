// PG regime: may ereport, so no local here needs a destructor.
#include "load/argument.hpp"

namespace etl::load {

namespace {

template <class T> void gather_values(argument &self, const batch &rows) {
    T *values = reinterpret_cast<T *>(self.bytes);
    for (int i = 0; i < rows.rows; i++) {
        self.is_null[i] = rows.nulls_of(i)[self.column];
        values[i] = self.is_null[i] ? T{0} : static_cast<T>(rows.row(i)[self.column]);
    }
}

void make_room(argument &self, std::size_t used, std::size_t more) {
    if (used + more + 2 * kernel::slack <= self.room)
        return;
    self.room = 2 * (used + more + 2 * kernel::slack);
    self.bytes = static_cast<char *>(::repalloc_huge(self.bytes, self.room));
}

void gather_varlenas(argument &self, const batch &rows) {
    std::size_t used = 0;
    for (int i = 0; i < rows.rows; i++) {
        self.offsets[i] = static_cast<std::uint32_t>(used);
        self.is_null[i] = rows.nulls_of(i)[self.column];
        if (self.is_null[i])
            continue;
        const varlena *value =
            ::pg_detoast_datum_packed(reinterpret_cast<varlena *>(DatumGetPointer(rows.row(i)[self.column])));
        const std::size_t length = VARSIZE_ANY_EXHDR(value);
        if (used + length > PG_UINT32_MAX)
            ereport(ERROR, errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("the values of a column in %d rows take more than 4 GB", rows.rows));
        make_room(self, used, length);
        memcpy(self.bytes + kernel::slack + used, VARDATA_ANY(value), length);
        used += length;
    }
    self.offsets[rows.rows] = static_cast<std::uint32_t>(used);
}

} // namespace

argument create_argument(int column, int size) {
    argument made{};
    made.column = column;
    made.size = size;
    made.room = size == varlena_size ? batch_rows * 32 + 2 * kernel::slack
                                     : static_cast<std::size_t>(batch_rows * size) + kernel::slack;
    made.bytes = static_cast<char *>(::palloc0(made.room));
    made.is_null = static_cast<bool *>(::palloc0(batch_rows));
    made.offsets = static_cast<std::uint32_t *>(::palloc0(sizeof(std::uint32_t) * (batch_rows + 1)));
    return made;
}

void gather(argument &self, const batch &rows) {
    switch (self.size) {
    case varlena_size:
        gather_varlenas(self, rows);
        break;
    case 1:
        gather_values<std::uint8_t>(self, rows);
        break;
    case 2:
        gather_values<std::uint16_t>(self, rows);
        break;
    default:
        gather_values<std::uint32_t>(self, rows);
    }
}

} // namespace etl::load
