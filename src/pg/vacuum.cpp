// Boundary: VACUUM of one table.
#include "pg/vacuum.hpp"

extern "C" {
#include "commands/vacuum.h"
#include "nodes/makefuncs.h"
#include "nodes/pg_list.h"
#include "utils/acl.h"
#include "utils/portal.h"
}

namespace etl::pg {

namespace {

// vacuum() keeps what must survive its transactions below the context of the portal, which only a client's statement has.
class portal_memory {
public:
    explicit portal_memory(MemoryContext context) noexcept : before_(PortalContext) { PortalContext = context; }
    ~portal_memory() { PortalContext = before_; }
    portal_memory(const portal_memory &) = delete;
    portal_memory &operator=(const portal_memory &) = delete;

private:
    MemoryContext before_;
};

} // namespace

bool may_vacuum(Oid table) {
    return call([=] {
#if PG_VERSION_NUM >= 170000
        if (::pg_class_aclcheck(table, ::GetUserId(), ACL_MAINTAIN) == ACLCHECK_OK)
            return true;
#endif
#if PG_VERSION_NUM >= 160000
        return ::object_ownercheck(RelationRelationId, table, ::GetUserId()) ||
               ::object_ownercheck(DatabaseRelationId, MyDatabaseId, ::GetUserId());
#else
        return ::pg_class_ownercheck(table, ::GetUserId()) || ::pg_database_ownercheck(MyDatabaseId, ::GetUserId());
#endif
    });
}

void vacuum(Oid table) {
    const MemoryContext context = CurrentMemoryContext;
    const portal_memory portal(context);
    call([=] {
        VacuumParams parameters{};
        parameters.options = VACOPT_VACUUM | VACOPT_PROCESS_TOAST;
#if PG_VERSION_NUM >= 160000
        parameters.options |= VACOPT_PROCESS_MAIN;
#endif
        parameters.freeze_min_age = parameters.freeze_table_age = -1;
        parameters.multixact_freeze_min_age = parameters.multixact_freeze_table_age = -1;
        parameters.log_min_duration = -1;
        parameters.index_cleanup = VACOPTVALUE_UNSPECIFIED;
        parameters.truncate = VACOPTVALUE_DISABLED;
        parameters.nworkers = -1; // processes are what the workers of runs need
        List *tables = list_make1(::makeVacuumRelation(nullptr, table, NIL));
#if PG_VERSION_NUM >= 160000
        ::vacuum(tables, &parameters, nullptr, context, true);
#else
        ::vacuum(tables, &parameters, nullptr, true);
#endif
        ::MemoryContextSwitchTo(context);
    });
}

} // namespace etl::pg
