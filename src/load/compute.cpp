// PG regime: may ereport, so no local here needs a destructor.
#include "load/compute.hpp"

#include "function/arguments.hpp"
#include "function/plate_letters.hpp"
#include "function/rate_cache.hpp"
#include "kernel/clean_car_plates.hpp"
#include "kernel/clean_vins.hpp"
#include "kernel/compute_usage_states.hpp"
#include "kernel/convert_currencies.hpp"
#include "kernel/jsonb_to_arrays.hpp"
#include "load/argument.hpp"
#include "load/memory.hpp"

extern "C" {
#include "executor/executor.h"
#include "optimizer/optimizer.h"
}

namespace etl::load {

namespace {

constexpr int state_count = static_cast<int>(kernel::usage_state::used) + 1;

// One lifted column at work.
struct column_maker {
    lifted how;
    int arguments[most_arguments]; // which of the computer's; of a memory: columns of the row
    ExprState *slow;
    char *bytes; // of the results
    std::size_t room;
    result_memory *known;
};

} // namespace

struct computer {
    int count;
    column_maker *makers;
    int argument_count;
    argument *arguments;
    TupleTableSlot *row; // lent a row of the batch
    ExprContext *expressions;
    MemoryContext memory;
    Datum states[state_count];
    bool is_null[batch_rows];
    std::uint32_t slow_list[batch_rows];
    std::uint32_t offsets[batch_rows + 1];
};

namespace {

int add_argument(computer *self, int column, int size) {
    for (int i = 0; i < self->argument_count; i++)
        if (self->arguments[i].column == column && self->arguments[i].size == size)
            return i;
    self->arguments[self->argument_count] = create_argument(column, size);
    return self->argument_count++;
}

void add_arguments(computer *self, column_maker &maker, std::initializer_list<int> sizes) {
    if (static_cast<std::size_t>(maker.how.count) != sizes.size())
        elog(ERROR, "a kernel has %d arguments, not %d", maker.how.count, static_cast<int>(sizes.size()));
    int i = 0;
    for (const int size : sizes) {
        maker.arguments[i] = add_argument(self, maker.how.arguments[i], size);
        i++;
    }
}

void make_room(const computer *self, column_maker &maker, std::size_t bytes) {
    if (bytes <= maker.room)
        return;
    maker.room = bytes + bytes / 2;
    if (maker.bytes)
        ::pfree(maker.bytes);
    maker.bytes = static_cast<char *>(::MemoryContextAllocExtended(self->memory, maker.room, MCXT_ALLOC_HUGE));
}

void prepare(computer *self, column_maker &maker, TupleDesc columns) {
    constexpr int text = varlena_size;
    switch (maker.how.what) {
    case lifted_by::clean_vin:
        add_arguments(self, maker, {text});
        make_room(self, maker, batch_rows * kernel::vin_stride + kernel::slack);
        break;
    case lifted_by::clean_car_plate:
        add_arguments(self, maker, {text});
        make_room(self, maker, batch_rows * kernel::plate_stride + kernel::slack);
        break;
    case lifted_by::compute_usage_state:
        add_arguments(self, maker, {text, sizeof(std::int32_t), sizeof(kernel::day_number), sizeof(std::int16_t),
                                    sizeof(bool), sizeof(kernel::day_number)});
        break;
    case lifted_by::convert_currency:
        add_arguments(self, maker, {text, text, text, sizeof(std::int32_t)});
        make_room(self, maker, batch_rows * kernel::amount_stride + kernel::slack);
        break;
    case lifted_by::jsonb_to_array:
        add_arguments(self, maker, {text});
        break;
    case lifted_by::memory:
        std::copy_n(maker.how.arguments, maker.how.count, maker.arguments);
        maker.known = create_result_memory(false, TupleDescAttr(columns, maker.how.column)->attlen);
    }
    maker.slow = ::ExecInitExpr(::expression_planner(maker.how.slow), nullptr);
}

// The slow way: the expression itself, for one row. Its result is in the batch's memory.
Datum evaluate(computer *self, const column_maker &maker, const batch &rows, int number, bool *is_null) {
    self->row->tts_values = rows.row(number);
    self->row->tts_isnull = rows.nulls_of(number);
    self->expressions->ecxt_scantuple = self->row;
    const MemoryContext before = ::MemoryContextSwitchTo(rows.memory);
    const Datum value = ExecEvalExpr(maker.slow, self->expressions, is_null);
    ::MemoryContextSwitchTo(before);
    return value;
}

void put(const column_maker &maker, const batch &rows, int number, Datum value, bool is_null) {
    rows.row(number)[maker.how.column] = is_null ? static_cast<Datum>(0) : value;
    rows.nulls_of(number)[maker.how.column] = is_null;
}

void put_slowly(computer *self, const column_maker &maker, const batch &rows, int number) {
    bool is_null;
    const Datum value = evaluate(self, maker, rows, number, &is_null);
    put(maker, rows, number, value, is_null);
}

void put_slowly(computer *self, const column_maker &maker, const batch &rows, const kernel::slow_rows &slow) {
    for (std::size_t i = 0; i < slow.count; i++)
        put_slowly(self, maker, rows, static_cast<int>(slow.rows[i]));
}

void put_cells(const computer *self, const column_maker &maker, const batch &rows, std::size_t stride) {
    for (int i = 0; i < rows.rows; i++)
        put(maker, rows, i, PointerGetDatum(maker.bytes + static_cast<std::size_t>(i) * stride), self->is_null[i]);
}

const argument &argument_of(const computer *self, const column_maker &maker, int number) {
    return self->arguments[maker.arguments[number]];
}

void clean_vins(computer *self, const column_maker &maker, const batch &rows) {
    kernel::clean_vins(text_of(argument_of(self, maker, 0)), static_cast<std::size_t>(rows.rows),
                       {maker.bytes, self->is_null});
    put_cells(self, maker, rows, kernel::vin_stride);
}

void clean_car_plates(computer *self, const column_maker &maker, const batch &rows) {
    kernel::clean_car_plates(text_of(argument_of(self, maker, 0)), static_cast<std::size_t>(rows.rows),
                             function::plate_letters(), {maker.bytes, self->is_null});
    put_cells(self, maker, rows, kernel::plate_stride);
}

void compute_usage_states(computer *self, const column_maker &maker, const batch &rows) {
    const kernel::usage_columns listings{text_of(argument_of(self, maker, 0)),
                                         values_of<std::int32_t>(argument_of(self, maker, 1)),
                                         values_of<kernel::day_number>(argument_of(self, maker, 2)),
                                         values_of<std::int16_t>(argument_of(self, maker, 3)),
                                         values_of<bool>(argument_of(self, maker, 4)),
                                         values_of<kernel::day_number>(argument_of(self, maker, 5))};
    kernel::usage_state states[batch_rows];
    const std::size_t wrong =
        kernel::compute_usage_states(listings, static_cast<std::size_t>(rows.rows), states);
    // The function says what is wrong.
    if (wrong < static_cast<std::size_t>(rows.rows)) {
        put_slowly(self, maker, rows, static_cast<int>(wrong));
        elog(ERROR, "a usage state is wrong, but its function does not say so");
    }
    for (int i = 0; i < rows.rows; i++)
        put(maker, rows, i, self->states[static_cast<int>(states[i])], states[i] == kernel::usage_state::unknown);
}

bool has_payment(const computer *self, const column_maker &maker, int count) {
    for (int row = 0; row < count; row++) {
        bool any_null = false;
        for (int i = 0; i < maker.how.count; i++)
            any_null |= argument_of(self, maker, i).is_null[row];
        if (!any_null)
            return true;
    }
    return false;
}

void convert_currencies(computer *self, const column_maker &maker, const batch &rows) {
    if (!has_payment(self, maker, rows.rows))
        return; // all are NULL, and nobody needs rates
    const kernel::currency_columns payments{text_of(argument_of(self, maker, 0)), text_of(argument_of(self, maker, 1)),
                                            text_of(argument_of(self, maker, 2)),
                                            values_of<std::int32_t>(argument_of(self, maker, 3))};
    kernel::slow_rows slow{self->slow_list};
    kernel::convert_currencies(payments, static_cast<std::size_t>(rows.rows), function::rates_by_day(nullptr),
                               {maker.bytes, self->is_null}, slow);
    put_cells(self, maker, rows, kernel::amount_stride);
    put_slowly(self, maker, rows, slow);
}

void make_arrays(computer *self, column_maker &maker, const batch &rows) {
    const argument &documents = argument_of(self, maker, 0);
    std::size_t room = 0;
    for (int i = 0; i < rows.rows; i++)
        room += kernel::most_array_bytes(text_of(documents).size(static_cast<std::size_t>(i)));
    make_room(self, maker, room + kernel::slack);
    kernel::slow_rows slow{self->slow_list};
    (void)kernel::jsonb_to_arrays(text_of(documents), static_cast<std::size_t>(rows.rows),
                                  {maker.bytes, maker.room - kernel::slack, self->offsets, self->is_null}, slow);
    for (int i = 0; i < rows.rows; i++)
        put(maker, rows, i, PointerGetDatum(maker.bytes + self->offsets[i]), self->is_null[i]);
    put_slowly(self, maker, rows, slow);
}

void recall_results(computer *self, const column_maker &maker, const batch &rows) {
    for (int i = 0; i < rows.rows; i++) {
        sources from{};
        for (int j = 0; j < maker.how.count; j++)
            if (rows.nulls_of(i)[maker.arguments[j]])
                from.nulls |= 1u << j;
            else
                from.values[j] = rows.row(i)[maker.arguments[j]];
        remembered found = recall(*maker.known, from);
        if (!found.known) {
            found.value = evaluate(self, maker, rows, i, &found.is_null);
            found.value = remember(*maker.known, from, found.value, found.is_null);
        }
        put(maker, rows, i, found.value, found.is_null);
    }
}

void make_column(computer *self, column_maker &maker, const batch &rows) {
    switch (maker.how.what) {
    case lifted_by::clean_vin:
        return clean_vins(self, maker, rows);
    case lifted_by::clean_car_plate:
        return clean_car_plates(self, maker, rows);
    case lifted_by::compute_usage_state:
        return compute_usage_states(self, maker, rows);
    case lifted_by::convert_currency:
        return convert_currencies(self, maker, rows);
    case lifted_by::jsonb_to_array:
        return make_arrays(self, maker, rows);
    case lifted_by::memory:
        return recall_results(self, maker, rows);
    }
}

} // namespace

computer *create_computer(const lifted_columns &lifted, TupleDesc columns) {
    computer *made = static_cast<computer *>(::palloc0(sizeof(computer)));
    const std::size_t count = static_cast<std::size_t>(lifted.count);
    made->memory = CurrentMemoryContext;
    made->makers = static_cast<column_maker *>(::palloc0(sizeof(column_maker) * (count + 1)));
    made->arguments = static_cast<argument *>(::palloc0(sizeof(argument) * (most_arguments * count + 1)));
    made->row = ::MakeSingleTupleTableSlot(columns, &TTSOpsVirtual);
    ::ExecStoreVirtualTuple(made->row);
    made->expressions = ::CreateStandaloneExprContext();
    for (int i = 0; i < state_count; i++)
        made->states[i] = function::to_datum(kernel::to_text(static_cast<kernel::usage_state>(i)));
    for (int i = 0; i < lifted.count; i++) {
        column_maker &maker = made->makers[made->count++];
        maker.how = lifted.list[i];
        prepare(made, maker, columns);
    }
    return made;
}

void drop_computer(computer *self) {
    ::FreeExprContext(self->expressions, true);
    ::ExecDropSingleTupleTableSlot(self->row);
}

void compute(computer *self, batch &rows) {
    const MemoryContext before = ::MemoryContextSwitchTo(rows.memory);
    for (int i = 0; i < self->argument_count; i++)
        gather(self->arguments[i], rows);
    for (int i = 0; i < self->count; i++)
        make_column(self, self->makers[i], rows);
    ::MemoryContextSwitchTo(before);
}

} // namespace etl::load
