// PG regime: may ereport
#include "function/rate_cache.hpp"

#include "function/arguments.hpp"
#include "function/rates.hpp"
#include "kernel/rate_table.hpp"
#include "pg/relation.hpp"

extern "C" {
#include "access/relation.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "common/hashfn.h"
#include "executor/spi.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
}

namespace etl::function {

namespace {

// What the rates that a query sees depend on. Within one top-level transaction equal contents are an equal view:
// - other transactions: below one xmax the set of running transactions only shrinks, so equal counts are an equal set;
// - this transaction: every statement that writes raises curcid, and rolling back ends the subtransaction, whose number
//   does not come again;
// - rights, and the setting: REVOKE and SET ROLE are statements, and the client's statement has its time.
struct view_key {
    TransactionId xmin;
    TransactionId xmax;
    std::uint32_t running;
    std::int32_t running_subtransactions;
    CommandId command;
    SubTransactionId subtransaction;
    Oid user;
    TimestampTz statement_start;
    SnapshotType type;
    bool overflowed;
    bool in_recovery;
};

struct rate_cache {
    MemoryContext context; // holds this struct too
    view_key key;
    bool valid; // false once the transaction is over
    kernel::rate_table rates;
    kernel::daily_rates by_day;
    rate_set set;
};

rate_cache *cache = nullptr;
// Of this transaction.
used_rates used{};

bool operator==(const view_key &a, const view_key &b) noexcept {
    return a.xmin == b.xmin && a.xmax == b.xmax && a.running == b.running &&
           a.running_subtransactions == b.running_subtransactions && a.command == b.command &&
           a.subtransaction == b.subtransaction && a.user == b.user && a.statement_start == b.statement_start &&
           a.type == b.type && a.overflowed == b.overflowed && a.in_recovery == b.in_recovery;
}

view_key current_view() {
    if (!::ActiveSnapshotSet())
        elog(ERROR, "cannot read currency rates without a snapshot");
    const Snapshot snapshot = ::GetActiveSnapshot();
    return {snapshot->xmin,
            snapshot->xmax,
            snapshot->xcnt,
            snapshot->subxcnt,
            snapshot->curcid,
            ::GetCurrentSubTransactionId(),
            ::GetUserId(),
            ::GetCurrentStatementStartTimestamp(),
            snapshot->snapshot_type,
            snapshot->suboverflowed,
            snapshot->takenDuringRecovery};
}

void forget_at_end(XactEvent, void *) {
    if (cache)
        cache->valid = false;
    used = {};
}

void forget_with_memory(void *) {
    cache = nullptr;
}

// True if the rates can change without a trace in the snapshot: in a foreign table, and by TRUNCATE of a table whose
// file is new in this transaction, which happens in place.
bool changes_unseen(Oid relation) {
    bool unseen = false;
    List *const members = ::find_all_inheritors(relation, AccessShareLock, nullptr);
    ListCell *cell;
    foreach (cell, members) {
        const Relation member = ::relation_open(lfirst_oid(cell), NoLock);
        unseen = unseen || member->rd_rel->relkind == RELKIND_FOREIGN_TABLE || pg::has_new_storage(member);
        ::relation_close(member, NoLock);
    }
    ::list_free(members);
    return unseen;
}

std::string_view stored_numeric(const void *value) noexcept {
    return {VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)};
}

// The sum over all rates, so that their order does not matter.
std::int64_t digest_of(const kernel::rate *rates, std::size_t count) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < count; i++) {
        std::uint64_t hash = static_cast<std::uint32_t>(rates[i].valid_from);
        const std::string_view value = rates[i].value ? stored_numeric(rates[i].value) : std::string_view();
        for (const std::string_view part : {rates[i].country, rates[i].currency, value})
            hash = ::hash_bytes_extended(reinterpret_cast<const unsigned char *>(part.data()),
                                         static_cast<int>(part.size()), hash);
        sum += hash;
    }
    return static_cast<std::int64_t>(sum);
}

// Copies the rows of the SPI result: country, currency, valid_from, rate.
void fill_from_result(rate_cache &target) {
    const std::size_t count = SPI_tuptable->numvals;
    const MemoryContext before = ::MemoryContextSwitchTo(target.context);
    auto *const rates = static_cast<kernel::rate *>(::palloc_extended(count * sizeof(kernel::rate), MCXT_ALLOC_HUGE));
    auto *const groups =
        static_cast<kernel::rate_group *>(::palloc_extended(count * sizeof(kernel::rate_group), MCXT_ALLOC_HUGE));

    for (std::size_t row = 0; row < count; row++) {
        Datum columns[4];
        bool is_null[4];
        for (int i = 0; i < 4; i++)
            columns[i] = ::SPI_getbinval(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, i + 1, &is_null[i]);
        rates[row].country = to_view(DatumGetTextPCopy(columns[0]));
        rates[row].currency = to_view(DatumGetTextPCopy(columns[1]));
        rates[row].valid_from = DatumGetDateADT(columns[2]);
        rates[row].position = static_cast<std::uint32_t>(row);
        rates[row].value = is_null[3] ? nullptr : PG_DETOAST_DATUM_COPY(columns[3]);
    }
    // A copy, since the table sorts them by its own order.
    auto *const by_day = static_cast<kernel::rate *>(::palloc_extended(count * sizeof(kernel::rate), MCXT_ALLOC_HUGE));
    std::copy(rates, rates + count, by_day);
    target.set = {digest_of(rates, count), by_day, count};
    target.rates = kernel::rate_table(rates, count, groups);
    void *const memory = ::palloc_extended(kernel::daily_rates::bytes_needed(target.rates), MCXT_ALLOC_HUGE);
    target.by_day = kernel::daily_rates(target.rates, stored_numeric, memory);
    ::MemoryContextSwitchTo(before);
}

// Reads with the rights of the current user; a relation that row security would thin out is an error.
void read_rates(Oid relation, rate_cache &target) {
    const int settings = ::NewGUCNestLevel();
    (void)::set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true,
                              0, false);
    (void)::set_config_option("row_security", "off", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    ::SPI_connect();
    // The casts strip the blanks of char(n) and see through domains. Of two rates of one day the last row counts.
    const char *const query = ::psprintf(
        "SELECT country::pg_catalog.text, currency::pg_catalog.text, valid_from::pg_catalog.date,"
        " rate::pg_catalog.numeric FROM %s"
        " WHERE country IS NOT NULL AND currency IS NOT NULL AND valid_from IS NOT NULL ORDER BY 3, 4 NULLS FIRST",
        ::quote_qualified_identifier(::get_namespace_name(::get_rel_namespace(relation)), ::get_rel_name(relation)));
    const int result = ::SPI_execute(query, true, 0);
    if (result != SPI_OK_SELECT)
        elog(ERROR, "reading currency rates failed: %s", ::SPI_result_code_string(result));
    fill_from_result(target);
    ::SPI_finish();
    ::AtEOXact_GUC(true, settings);
}

void refill(const FmgrInfo *caller, const view_key &key) {
    static bool registered = false;
    if (!registered) {
        ::RegisterXactCallback(forget_at_end, nullptr);
        registered = true;
    }
    if (cache)
        ::MemoryContextDelete(cache->context);
    // Under the caller's context until it is complete, so that an error leaves nothing behind.
    const MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "currency rates", ALLOCSET_DEFAULT_SIZES);
    auto *const filled = new (::MemoryContextAllocZero(context, sizeof(rate_cache))) rate_cache{};
    filled->context = context;
    filled->key = key;
    filled->valid = true;
    const Oid relation = rates_relation();
    read_rates(relation, *filled);

    auto *const end =
        static_cast<MemoryContextCallback *>(::MemoryContextAllocZero(context, sizeof(MemoryContextCallback)));
    end->func = forget_with_memory;
    ::MemoryContextRegisterResetCallback(context, end);
    // Where the key does not tell all, what was read goes with the caller: with the memory of its query.
    const bool with_caller = caller && changes_unseen(relation);
    ::MemoryContextSetParent(context, with_caller ? caller->fn_mcxt : TopTransactionContext);
    cache = filled;
}

void refresh(const FmgrInfo *caller) {
    const view_key key = current_view();
    if (!cache || !cache->valid || !(cache->key == key))
        refill(caller, key);
}

void note_use() {
    if (used.sets == 0 || used.digest != cache->set.digest)
        used = {used.sets + 1, cache->set.digest};
}

} // namespace

std::optional<Datum> find_rate(const FmgrInfo *caller, std::string_view country, std::string_view currency,
                               DateADT on) {
    refresh(caller);
    note_use();
    const kernel::rate *const found = cache->rates.find(country, currency, on);
    if (!found || !found->value)
        return std::nullopt;
    return PointerGetDatum(found->value);
}

const kernel::daily_rates &rates_by_day(const FmgrInfo *caller) {
    refresh(caller);
    note_use();
    return cache->by_day;
}

rate_set current_rates() {
    refresh(nullptr);
    return cache->set;
}

used_rates rates_used() {
    return used;
}

} // namespace etl::function
