// C++ regime: may throw, never calls PostgreSQL
// The batched kernels over arguments that bench/kernels exported, with the answers expected of them.
//   kernel_batches KERNEL TABLE RATES REPETITIONS   fails if an answer is another one; then prints lines
//                                                   "KERNEL WAY nanoseconds a call", WAY batch or an instruction set
//   kernel_batches best                             prints the instruction set of batch
// A batch is gathered into columns as a loader does; only the kernel is timed, with its arguments in the cache.
#include "kernel/clean_car_plates.hpp"
#include "kernel/clean_vins.hpp"
#include "kernel/compute_usage_states.hpp"
#include "kernel/convert_currencies.hpp"
#include "kernel/jsonb_to_arrays.hpp"
#include "table.hpp"

#include <cstdio>
#include <functional>
#include <memory>
#include <time.h>

namespace {

using namespace etl::kernel;
using bench::attribute;

constexpr std::size_t batch_rows = 512;

struct answer {
    bool is_null;
    std::string_view bytes;
};

// The rows of one batch, copied together.
class texts {
public:
    text_column gather(const attribute &from, std::size_t first, std::size_t n) {
        const std::uint32_t begin = from.offsets[first], size = from.offsets[first + n] - begin;
        bytes_.resize(size + slack);
        std::memcpy(bytes_.data(), from.bytes.data() + begin, size);
        for (std::size_t i = 0; i <= n; i++)
            offsets_[i] = from.offsets[first + i] - begin;
        for (std::size_t i = 0; i < n; i++)
            is_null_[i] = from.is_null[first + i];
        return {bytes_.data(), offsets_, is_null_};
    }

private:
    std::vector<char> bytes_;
    std::uint32_t offsets_[batch_rows + 1];
    bool is_null_[batch_rows];
};

template <class T> class values {
public:
    column<T> gather(const attribute &from, std::size_t first, std::size_t n) {
        for (std::size_t i = 0; i < n; i++) {
            is_null_[i] = from.is_null[first + i];
            if (!is_null_[i])
                std::memcpy(&values_[i], from.at(first + i).data(), sizeof(T));
        }
        return {values_, is_null_};
    }

private:
    T values_[batch_rows];
    bool is_null_[batch_rows];
};

// A kernel ready to run: fills in a batch, runs over it, tells an answer and which rows it left to the slow path.
struct runner {
    std::function<void(std::size_t first, std::size_t n)> gather;
    std::function<void(std::size_t n, instruction_set set)> run;
    std::function<answer(std::size_t row)> at;
    bool has_sets; // runs with each instruction set
};

bool is_null[batch_rows];
std::uint32_t slow_numbers[batch_rows];
slow_rows slow{slow_numbers};
char cells[batch_rows * plate_stride + slack];

answer short_cell(std::size_t row, std::size_t stride) {
    const char *const cell = cells + row * stride;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    const std::size_t size = (static_cast<unsigned char>(*cell) >> 1) - 1u;
#else
    const std::size_t size = (static_cast<unsigned char>(*cell) & 0x7fu) - 1u;
#endif
    return {is_null[row], {cell + 1, size}};
}

runner text_runner(const bench::table &from,
                   const std::function<void(const text_column &, std::size_t, instruction_set)> &kernel,
                   std::size_t stride) {
    auto text = std::make_shared<texts>();
    auto column = std::make_shared<text_column>();
    return {[=, &from](std::size_t first, std::size_t n) { *column = text->gather(from.attributes[0], first, n); },
            [=](std::size_t n, instruction_set set) { kernel(*column, n, set); },
            [=](std::size_t row) { return short_cell(row, stride); }, true};
}

runner usage_runner(const bench::table &from) {
    struct memory {
        texts condition;
        values<std::int32_t> mileage, first_registration, as_of;
        values<std::int16_t> previous_owners;
        values<bool> damaged;
        usage_columns columns;
        usage_state states[batch_rows];
    };
    auto at = std::make_shared<memory>();
    const auto &attributes = from.attributes;
    return {[=, &attributes](std::size_t first, std::size_t n) {
                at->columns = {at->condition.gather(attributes[0], first, n),
                               at->mileage.gather(attributes[1], first, n),
                               at->first_registration.gather(attributes[2], first, n),
                               at->previous_owners.gather(attributes[3], first, n),
                               at->damaged.gather(attributes[4], first, n),
                               at->as_of.gather(attributes[5], first, n)};
            },
            [=](std::size_t n, instruction_set) { compute_usage_states(at->columns, n, at->states); },
            [=](std::size_t row) {
                const std::string_view name = to_text(at->states[row]);
                return answer{name.empty(), name};
            },
            false};
}

// The rates in memory that lives as long as the program.
const daily_rates &read_rates(const std::string &path) {
    static const bench::table from = bench::read_table(path, 4);
    static std::vector<rate> rates(from.rows);
    static std::vector<rate_group> groups(from.rows);
    static std::vector<std::string_view> numbers(from.rows);
    for (std::size_t i = 0; i < from.rows; i++) {
        std::int32_t day;
        std::memcpy(&day, from.attributes[2].at(i).data(), sizeof day);
        numbers[i] = from.attributes[3].at(i);
        rates[i] = {from.attributes[0].at(i), from.attributes[1].at(i), day, static_cast<std::uint32_t>(i),
                    from.attributes[3].is_null[i] ? nullptr : &numbers[i]};
    }
    static const rate_table table(rates.data(), rates.size(), groups.data());
    static std::vector<std::max_align_t> memory(daily_rates::bytes_needed(table) / sizeof(std::max_align_t) + 1);
    static const daily_rates daily(
        table, [](const void *value) { return *static_cast<const std::string_view *>(value); }, memory.data());
    return daily;
}

runner currency_runner(const bench::table &from, const daily_rates &rates) {
    struct memory {
        texts country, currency, amount;
        values<std::int32_t> day;
        currency_columns columns;
    };
    auto at = std::make_shared<memory>();
    const auto &attributes = from.attributes;
    return {[=, &attributes](std::size_t first, std::size_t n) {
                at->columns = {at->country.gather(attributes[0], first, n),
                               at->currency.gather(attributes[1], first, n), at->amount.gather(attributes[2], first, n),
                               at->day.gather(attributes[3], first, n)};
            },
            [=, &rates](std::size_t n, instruction_set) {
                convert_currencies(at->columns, n, rates, {cells, is_null}, slow);
            },
            [=](std::size_t row) { return short_cell(row, amount_stride); }, false};
}

runner jsonb_runner(const bench::table &from) {
    struct memory {
        texts documents;
        text_column column;
        std::vector<std::uint64_t> arrays;
        std::size_t room;
        std::uint32_t offsets[batch_rows];
        char *bytes() {
            return reinterpret_cast<char *>(arrays.data());
        }
    };
    auto at = std::make_shared<memory>();
    const attribute &documents = from.attributes[0];
    return {[=, &documents](std::size_t first, std::size_t n) {
                at->column = at->documents.gather(documents, first, n);
                at->room = n * most_array_bytes(0) + most_array_bytes(at->column.offsets[n]);
                at->arrays.resize((at->room + slack) / 8 + 1);
            },
            [=](std::size_t n, instruction_set) {
                jsonb_to_arrays(at->column, n, {at->bytes(), at->room, at->offsets, is_null}, slow);
            },
            [=](std::size_t row) {
                // Without its header, as the answer was exported.
                const char *const array = at->bytes() + at->offsets[row];
                std::uint32_t header;
                std::memcpy(&header, array, sizeof header);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
                header >>= 2;
#endif
                return answer{is_null[row], {array + 4, is_null[row] ? 0 : header - 4}};
            },
            false};
}

// Rows that are left to the slow path are the SQL function's, which bench/kernels checks itself.
std::size_t differences(const bench::table &from, const runner &kernel, instruction_set set) {
    const attribute &expected = from.attributes.back();
    std::size_t found = 0;
    for (std::size_t first = 0; first < from.rows; first += batch_rows) {
        const std::size_t n = std::min(batch_rows, from.rows - first);
        kernel.gather(first, n);
        slow.count = 0;
        kernel.run(n, set);
        std::size_t left = 0;
        for (std::size_t row = 0; row < n; row++) {
            if (left < slow.count && slow_numbers[left] == row) {
                left++;
                continue;
            }
            const answer ours = kernel.at(row);
            const bool wants_null = expected.is_null[first + row];
            const bool same = ours.is_null == wants_null && (wants_null || ours.bytes == expected.at(first + row));
            if (!same && found++ == 0)
                std::printf("%s: row %zu differs\n", name(set), first + row);
        }
    }
    return found;
}

// What this thread ran: others may use the processor as well.
double cpu_nanoseconds() {
    timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

double nanoseconds(const bench::table &from, const runner &kernel, instruction_set set) {
    double took = 0;
    for (std::size_t first = 0; first < from.rows; first += batch_rows) {
        const std::size_t n = std::min(batch_rows, from.rows - first);
        kernel.gather(first, n);
        slow.count = 0;
        const double begin = cpu_nanoseconds();
        kernel.run(n, set);
        took += cpu_nanoseconds() - begin;
    }
    return took / static_cast<double>(from.rows);
}

} // namespace

int main(int count, char **words) {
    if (count == 2 && words[1] == std::string("best")) {
        std::puts(name(best_instruction_set()));
        return 0;
    }
    if (count != 5)
        return 2;
    const std::string kernel_name = words[1];
    const bool is_usage = kernel_name == "compute_usage_state",
               is_currency = kernel_name == "convert_currency_by_counties";
    const bench::table from = bench::read_table(words[2], is_usage ? 7 : is_currency ? 5 : 2);
    const plate_alphabet alphabet = utf8_plate_alphabet();
    runner kernel;
    if (is_usage)
        kernel = usage_runner(from);
    else if (is_currency)
        kernel = currency_runner(from, read_rates(words[3]));
    else if (kernel_name == "jsonb_to_array")
        kernel = jsonb_runner(from);
    else if (kernel_name == "clean_vin")
        kernel = text_runner(
            from,
            [](const text_column &text, std::size_t n, instruction_set set) {
                clean_vins(text, n, {cells, is_null}, set);
            },
            vin_stride);
    else
        kernel = text_runner(
            from,
            [&](const text_column &text, std::size_t n, instruction_set set) {
                clean_car_plates(text, n, alphabet, {cells, is_null}, set);
            },
            plate_stride);

    std::vector<instruction_set> sets;
    for (const instruction_set set : all_instruction_sets)
        if (kernel.has_sets ? has(set) : set == best_instruction_set())
            sets.push_back(set);
    std::size_t found = 0;
    for (const instruction_set set : sets)
        found += differences(from, kernel, set);
    if (found > 0)
        return 1;
    for (int repetition = 0; repetition < std::stoi(words[4]); repetition++)
        for (const instruction_set set : sets)
            std::printf("%s %s %.3f\n", kernel_name.c_str(), set == best_instruction_set() ? "batch" : name(set),
                        nanoseconds(from, kernel, set));
    return 0;
}
