// Boundary: whose rights and which settings are in force, for the length of a scope.
#pragma once

#include "pg/value.hpp"

namespace etl::pg {

// Settings that are put back at the end of the scope, with whatever code inside it changed besides.
class settings_scope {
public:
    settings_scope();
    ~settings_scope();
    settings_scope(const settings_scope &) = delete;
    settings_scope &operator=(const settings_scope &) = delete;

    void set(const char *name, const char *setting);
    // Sets what only a superuser may; for values of our own, never for what a user gave.
    void force(const char *name, const char *setting);

private:
    int level_;
    int exceptions_;
};

// Acts as `role` until the end of the scope.
class role_scope {
public:
    enum class mode {
        catalog, // our own statements only: may not SET ROLE
        foreign  // code that the role wrote may run: also no temporary objects, cursors or session state left behind
    };
    role_scope(Oid role, mode how) noexcept;
    ~role_scope();
    role_scope(const role_scope &) = delete;
    role_scope &operator=(const role_scope &) = delete;

private:
    Oid user_;
    int context_;
};

// The extension's owner with the pinned search_path: for the catalog in schema etl, never while a template's code runs.
class catalog_scope {
public:
    catalog_scope();

private:
    role_scope role_;
    settings_scope settings_;
};

// The owner of a make or portal with the pinned search_path and row_security = off: for whatever touches relations
// of theirs in another session, and in workers.
class owner_scope {
public:
    explicit owner_scope(Oid owner);
    settings_scope &settings() noexcept { return settings_; }

private:
    role_scope role_;
    settings_scope settings_;
};

Oid current_role() noexcept;
string role_name(Oid role);
bool is_superuser(Oid role);
// True if the current user has the rights of `role` (is it, a member of it, or superuser).
bool may_act_as(Oid role);
bool may_act_as(Oid member, Oid role);
// True if workers can log in as the role: before PostgreSQL 17 that takes LOGIN.
bool can_work_as(Oid role);
// OID of the extension and its owner; 0 (and an error in owner()) where the extension is not installed.
Oid extension_oid();
Oid extension_owner();
// The same for PG regime: it may ereport.
Oid extension_owner_or_error();

// For PG regime: the extension's owner for one statement on the catalog. Errors put the former role back, as transactions do.
class as_extension_owner {
public:
    as_extension_owner();
    void end();

private:
    Oid user_;
    int context_;
};

// What tells this database from a copy of it in another cluster or under another name.
std::int64_t system_identifier() noexcept;
Oid current_database() noexcept;

// Raises 25006 in a read-only transaction and on a standby.
void require_read_write(const char *function);

} // namespace etl::pg
