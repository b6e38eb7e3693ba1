// Boundary: plans that a session keeps.
#include "pg/kept_plan.hpp"

extern "C" {
#include "common/hashfn.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"
}

namespace etl::pg {

namespace {

struct entry {
    std::uint64_t key; // of the statement
    char *statement;
    SPIPlanPtr plan;
};
HTAB *plans = nullptr;

void prepare_plans() {
    if (plans)
        return;
    HASHCTL control{};
    control.keysize = sizeof(std::uint64_t);
    control.entrysize = sizeof(entry);
    control.hcxt = TopMemoryContext;
    plans = ::hash_create("pg_etl kept plans", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

} // namespace

SPIPlanPtr kept_plan(const char *statement, int count, Oid *types) {
    prepare_plans();
    const std::uint64_t key = ::hash_bytes_extended(reinterpret_cast<const unsigned char *>(statement),
                                                    static_cast<int>(strlen(statement)), 0);
    bool present = false;
    auto *found = static_cast<entry *>(::hash_search(plans, &key, HASH_FIND, &present));
    if (present && strcmp(found->statement, statement) == 0)
        return found->plan;
    const SPIPlanPtr plan = ::SPI_prepare_cursor(statement, count, types, CURSOR_OPT_GENERIC_PLAN);
    if (!plan)
        elog(ERROR, "statement failed with %s: %s", ::SPI_result_code_string(SPI_result), statement);
    if (present)
        return plan; // another statement has its place
    char *text = ::MemoryContextStrdup(TopMemoryContext, statement);
    found = static_cast<entry *>(::hash_search(plans, &key, HASH_ENTER, &present));
    ::SPI_keepplan(plan);
    found->statement = text;
    return found->plan = plan;
}

} // namespace etl::pg
