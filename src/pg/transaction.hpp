// Boundary: transactions of a worker, and subtransactions anywhere.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

enum class snapshot_mode { taken, none };
void begin_transaction(const char *activity, snapshot_mode snapshot = snapshot_mode::taken);
void commit_transaction();
// Ends the transaction whatever state it is in, as the top loop of a worker does after an error.
void abort_transaction() noexcept;

// Runs f in a transaction of its own. An error rolls it back and is returned as a report in the caller's context;
// FATAL (terminate, shutdown) leaves the process as always. f allocates in the caller's context, which survives.
template <class F>
std::optional<error_report> in_transaction(const char *activity, F &&f,
                                           snapshot_mode snapshot = snapshot_mode::taken) {
    const MemoryContext memory = CurrentMemoryContext;
    try {
        begin_transaction(activity, snapshot);
        ::MemoryContextSwitchTo(memory);
        f();
        commit_transaction();
        ::MemoryContextSwitchTo(memory);
        return std::nullopt;
    } catch (...) {
        ::MemoryContextSwitchTo(memory);
        error_report report = describe_current_exception();
        abort_transaction();
        ::MemoryContextSwitchTo(memory);
        return report;
    }
}

// The same for what must not be left undone because somebody cancelled the process a moment too late: a cancel is used
// up by the error that it raises.
template <class F> std::optional<error_report> in_transaction_despite_cancel(const char *activity, F &&f) {
    constexpr int tries = 5;
    std::optional<error_report> report;
    for (int i = 0; i < tries; i++) {
        report = in_transaction(activity, f);
        if (!report || std::string_view(report->sqlstate) != "57014")
            break;
    }
    return report;
}

// Runs f, which manages transactions itself, outside of them; an error raised there is returned.
template <class F> std::optional<error_report> outside_transaction(F &&f) {
    const MemoryContext memory = CurrentMemoryContext;
    try {
        f();
        return std::nullopt;
    } catch (...) {
        ::MemoryContextSwitchTo(memory);
        return describe_current_exception();
    }
}

// The number that rows bear which this transaction, or the present subtransaction of it, has written; 0: none so far.
std::uint32_t current_transaction() noexcept;

// Runs f in a subtransaction; an error rolls back what f did and is returned instead of thrown.
void begin_subtransaction();
void release_subtransaction();
void rollback_subtransaction();
template <class F> std::optional<error_report> in_subtransaction(F &&f) {
    const MemoryContext memory = CurrentMemoryContext;
    const ResourceOwner owner = CurrentResourceOwner;
    begin_subtransaction();
    ::MemoryContextSwitchTo(memory);
    try {
        f();
        release_subtransaction();
        ::MemoryContextSwitchTo(memory);
        CurrentResourceOwner = owner;
        return std::nullopt;
    } catch (...) {
        ::MemoryContextSwitchTo(memory);
        error_report report = describe_current_exception();
        rollback_subtransaction();
        ::MemoryContextSwitchTo(memory);
        CurrentResourceOwner = owner;
        return report;
    }
}

} // namespace etl::pg
