// Boundary: giving a view its query without CREATE VIEW.
#include "pg/view.hpp"

extern "C" {
#include "commands/view.h"
#include "nodes/nodes.h"
}

namespace etl::pg {

void set_view_query(Oid view, Query *query) {
    call([=] {
        ::StoreViewQuery(view, static_cast<Query *>(copyObjectImpl(query)), true);
        ::CommandCounterIncrement();
    });
}

} // namespace etl::pg
