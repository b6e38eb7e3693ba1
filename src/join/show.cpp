// PG regime: may ereport, so no local here needs a destructor.
#include "join/show.hpp"

extern "C" {
#include "parser/parsetree.h"
#include "utils/lsyscache.h"
}

namespace etl::join {

namespace {

const char *name_of(const member &part, const ExplainState *shown) {
    return rt_fetch(part.relation, shown->rtable)->eref->aliasname;
}

char *range_of(const member &part) {
    if (part.low == PG_INT64_MIN && part.high == PG_INT64_MAX)
        return ::pstrdup("");
    if (part.high == PG_INT64_MAX)
        return ::psprintf(" from " INT64_FORMAT, part.low);
    if (part.low == PG_INT64_MIN)
        return ::psprintf(" to " INT64_FORMAT, part.high);
    return ::psprintf(" from " INT64_FORMAT " to " INT64_FORMAT, part.low, part.high);
}

const char *way_of(const member &part) {
    const char *index = ::get_rel_name(part.index);
    return part.whole ? "all pages" : part.what == duty::look_up ? index : ::psprintf("pages of %s", index);
}

} // namespace

void show(const layout &join, std::int64_t listed, std::int64_t passes, std::size_t memory, ExplainState *shown) {
    static constexpr const char *labels[] = {"Map of Keys", "Probed", "Driven by", "Looked up"};
    for (int i = 0; i < join.count; i++) {
        const member &part = join.members[i];
        const char *optional = part.optional ? ", optional" : "";
        const char *how = ::psprintf("%s by %s%s%s", name_of(part, shown), way_of(part), range_of(part), optional);
        ::ExplainPropertyText(labels[static_cast<int>(part.what)], how, shown);
    }
    if (join.of_list)
        ::ExplainPropertyInteger("Listed Keys", nullptr, listed, shown);
    if (shown->analyze) {
        ::ExplainPropertyInteger("Passes", nullptr, passes, shown);
        ::ExplainPropertyInteger("Memory", "kB", static_cast<std::int64_t>(memory / 1024), shown);
    }
}

} // namespace etl::join
