// Boundary: PostgreSQL's tree walkers, whose callbacks have another type before version 16. All of them may ereport.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
}

namespace etl::pg {

using visitor = bool (*)(Node *node, void *context);

#if PG_VERSION_NUM >= 160000
inline tree_walker_callback walker_of(visitor visit) noexcept {
    return visit;
}
#else
using untyped_walker = bool (*)();
inline untyped_walker walker_of(visitor visit) noexcept {
    return reinterpret_cast<untyped_walker>(reinterpret_cast<void (*)()>(visit));
}
#endif

using replacer = Node *(*)(Node *node, void *context);

inline Node *mutate_expression(Node *node, replacer replace, void *context) {
#if PG_VERSION_NUM >= 160000
    return expression_tree_mutator(node, replace, context);
#else
    using untyped_mutator = Node *(*)();
    return expression_tree_mutator(node, reinterpret_cast<untyped_mutator>(reinterpret_cast<void (*)()>(replace)),
                                   context);
#endif
}

inline bool walk_raw(Node *node, visitor visit, void *context) {
    return raw_expression_tree_walker(node, walker_of(visit), context);
}

inline bool walk_expression(Node *node, visitor visit, void *context) {
    return expression_tree_walker(node, walker_of(visit), context);
}

inline bool walk_query(Query *query, visitor visit, void *context, int flags) {
    return query_tree_walker(query, walker_of(visit), context, flags);
}

} // namespace etl::pg
