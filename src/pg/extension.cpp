// Boundary: the extension.
#include "pg/extension.hpp"

extern "C" {
#include "catalog/pg_extension.h"
#include "commands/extension.h"
#include "storage/lmgr.h"
}

namespace etl::pg {

bool extension_exists() {
    return call([] { return OidIsValid(::get_extension_oid("pg_etl", true)); });
}

void lock_extension() {
    const bool there = call([] {
        const Oid extension = ::get_extension_oid("pg_etl", true);
        if (!OidIsValid(extension))
            return false;
        ::LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
        return ::get_extension_oid("pg_etl", true) == extension;
    });
    if (!there)
        throw etl::error("55000", "extension \"pg_etl\" was dropped");
}

} // namespace etl::pg
