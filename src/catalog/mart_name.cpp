// PG regime: names of marts as users write them.
#include "catalog/mart_name.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "commands/dbcommands.h"
#include "nodes/makefuncs.h"
#include "utils/lsyscache.h"
#include "utils/varlena.h"
}

namespace etl::catalog {

mart_name parse_mart_name(const char *text) {
    RangeVar *name = ::makeRangeVarFromNameList(::textToQualifiedNameList(::cstring_to_text(text)));
    if (name->catalogname && strcmp(name->catalogname, ::get_database_name(MyDatabaseId)) != 0)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("mart %s is in another database", text)));
    if (!name->schemaname)
        name->schemaname = ::get_namespace_name(::RangeVarGetCreationNamespace(name));
    return {name->schemaname, name->relname};
}

} // namespace etl::catalog
