// Boundary: procedures.
#include "pg/procedure.hpp"

extern "C" {
#include "executor/spi.h"
#include "nodes/parsenodes.h"
#include "utils/snapmgr.h"
}

namespace etl::pg {

procedure::procedure(FunctionCallInfo fcinfo, const char *name) {
    const Node *context = fcinfo->context;
    if (!context || !IsA(context, CallContext) || reinterpret_cast<const CallContext *>(context)->atomic)
        throw etl::error("25001", view(format("%s cannot run inside a transaction block", name)), {},
                         "Use CALL outside BEGIN, and not from a function.");
    call([] { ::SPI_connect_ext(SPI_OPT_NONATOMIC); });
}

void procedure::commit() {
    call([] {
        ::SPI_commit();
        // SPI_commit has started the next transaction; what it must not have is a snapshot.
        Assert(!::ActiveSnapshotSet());
    });
}

void procedure::finish() {
    call([] { ::SPI_finish(); });
}

} // namespace etl::pg
