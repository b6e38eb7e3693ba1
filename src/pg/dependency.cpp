// Boundary: auto-extension dependencies.
#include "pg/dependency.hpp"

extern "C" {
#include "catalog/dependency.h"
#include "catalog/namespace.h"
#include "catalog/objectaddress.h"
#include "catalog/pg_class.h"
#include "catalog/pg_extension.h"
#include "catalog/pg_trigger.h"
#include "commands/extension.h"
#include "nodes/pg_list.h"
#include "utils/lsyscache.h"
}

namespace etl::pg {

static void depend_on_extension(Oid catalog, Oid object) {
    call([=] {
        const Oid extension = ::get_extension_oid("pg_etl", false);
        List *present = ::getAutoExtensionsOfObject(catalog, object);
        if (::list_member_oid(present, extension))
            return;
        const ObjectAddress dependent = {catalog, object, 0};
        const ObjectAddress referenced = {ExtensionRelationId, extension, 0};
        ::recordDependencyOn(&dependent, &referenced, DEPENDENCY_AUTO_EXTENSION);
        ::CommandCounterIncrement();
    });
}

void drop_with_extension(Oid relation) {
    depend_on_extension(RelationRelationId, relation);
}

void drop_trigger_with_extension(Oid trigger) {
    depend_on_extension(TriggerRelationId, trigger);
}

Oid view_made_by(Node *statement, const char *schema) {
    return call([=] {
        if (!statement || !IsA(statement, ViewStmt) || creating_extension)
            return InvalidOid;
        const RangeVar *view = reinterpret_cast<ViewStmt *>(statement)->view;
        if (!view->schemaname || strcmp(view->schemaname, schema) != 0)
            return InvalidOid;
        return ::get_relname_relid(view->relname, ::get_namespace_oid(schema, false));
    });
}

} // namespace etl::pg
