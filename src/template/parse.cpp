// PG regime: parsing the text of a template, with errors that point into that text.
#include "template/parse.hpp"

#include "pg/walk.hpp"
#include "template/moment.hpp"

extern "C" {
#include "catalog/namespace.h"
#include "nodes/value.h"
#include "parser/parse_target.h"
#include "parser/parser.h"
}

namespace etl::templates {

namespace {

void describe(void *argument) {
    const auto *text = static_cast<const source_text *>(argument);
    const int position = ::geterrposition();
    if (position > 0) {
        ::errposition(0);
        ::internalerrposition(position);
        ::internalerrquery(text->sql);
    }
    const int code = ::geterrcode();
    if (code == ERRCODE_UNDEFINED_FUNCTION || code == ERRCODE_UNDEFINED_OBJECT)
        errhint("Names in a template are looked up in pg_catalog only: write schema.name for anything else,"
                " and add casts where the types of arguments do not match.");
    ::errcontext_msg("%s", text->what);
}

// Reports the position of a node in the text under the error_position in force.
int at(Node *node) {
    return ::errposition(::exprLocation(node) + 1);
}

[[noreturn]] void refuse_session_value(Node *node, const char *kind) {
    const auto *value = reinterpret_cast<SQLValueFunction *>(node);
    const bool clock = value->op < SVFOP_CURRENT_ROLE;
    ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                    clock ? errmsg("%s depends on the current time", kind) : errmsg("%s depends on the session", kind),
                    errdetail("A mart must be the same whenever, and by whomever, it is built."),
                    errhint("Compute it from columns of the sources."), at(node)));
}

// At this point argument types are unknown: refuses what would be refused for any of them.
void check_call(FuncCall *call, const char *kind) {
    const char *why = nullptr;
    FuncCandidateList candidate =
        ::FuncnameGetCandidates(call->funcname, list_length(call->args), NIL, true, true, false, true);
    for (; candidate; candidate = candidate->next) {
        why = OidIsValid(candidate->oid) ? why_not_called(candidate->oid) : nullptr;
        if (!why)
            return;
    }
    if (why)
        ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                        errmsg("function %s in %s %s", ::NameListToString(call->funcname), kind, why),
                        errdetail("A mart must be the same whenever, and by whomever, it is built."),
                        errhint("Use immutable or stable functions of the sources' columns."),
                        at(reinterpret_cast<Node *>(call))));
}

void check_select(SelectStmt *select, const char *kind) {
    if (select->intoClause)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s must not contain SELECT INTO", kind),
                        errhint("Leave INTO out: pg_etl writes the rows to the mart.")));
    if (select->lockingClause)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s must not lock rows", kind),
                        errdetail("It contains FOR UPDATE, FOR SHARE or the like."),
                        errhint("Leave the locking clause out.")));
}

bool check_node(Node *node, void *context) {
    if (!node)
        return false;
    const char *kind = static_cast<const source_text *>(context)->kind;
    switch (nodeTag(node)) {
    case T_SelectStmt:
        check_select(reinterpret_cast<SelectStmt *>(node), kind);
        break;
    case T_InsertStmt:
    case T_UpdateStmt:
    case T_DeleteStmt:
    case T_MergeStmt:
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s must not change data", kind),
                        errdetail("It contains INSERT, UPDATE, DELETE or MERGE in a WITH clause."),
                        errhint("Read only: pg_etl writes the rows to the mart.")));
    case T_SQLValueFunction:
        refuse_session_value(node, kind);
    case T_RangeTableSample:
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s must not contain TABLESAMPLE", kind),
                        errdetail("The rows of a mart must not depend on chance."), errhint("Filter by a column."),
                        ::errposition(reinterpret_cast<RangeTableSample *>(node)->location + 1)));
    case T_FuncCall:
        check_call(reinterpret_cast<FuncCall *>(node), kind);
        break;
    default:
        break;
    }
    return pg::walk_raw(node, check_node, context);
}

// Checks the names of the columns as far as they can be told: not where a * stands among them.
void check_column_names(SelectStmt *select) {
    while (select->op != SETOP_NONE)
        select = select->larg;
    bool lid = false;
    bool portal = false;
    List *names = NIL;
    ListCell *cell;
    foreach (cell, select->targetList) {
        auto *target = lfirst_node(ResTarget, cell);
        if (IsA(target->val, A_Indirection) || IsA(target->val, ColumnRef)) {
            List *fields = IsA(target->val, ColumnRef) ? reinterpret_cast<ColumnRef *>(target->val)->fields
                                                       : reinterpret_cast<A_Indirection *>(target->val)->indirection;
            if (IsA(llast(fields), A_Star))
                return;
        }
        const char *name = target->name ? target->name : ::FigureColname(target->val);
        if (::list_member(names, ::makeString(const_cast<char *>(name))))
            ereport(ERROR,
                    (errcode(ERRCODE_DUPLICATE_COLUMN), errmsg("template gives column \"%s\" twice", name),
                     errdetail("The mart's columns are those of the template."),
                     errhint("Give each column a name of its own with AS."), ::errposition(target->location + 1)));
        names = ::lappend(names, ::makeString(const_cast<char *>(name)));
        lid = lid || strcmp(name, "lid") == 0;
        portal = portal || strcmp(name, "portal") == 0;
    }
    if (!lid || !portal)
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("template gives no column \"%s\"", lid ? "portal" : "lid"),
                 errdetail("The mart's key is lid, and its partition key is portal."),
                 lid ? errhint("Add {portal} AS portal.") : errhint("Add the listing's lid.")));
}

bool collect_moment(Node *node, void *context) {
    if (!node)
        return false;
    if (IsA(node, A_Const)) {
        const auto *constant = reinterpret_cast<A_Const *>(node);
        auto **found = static_cast<List **>(context);
        if (!constant->isnull && IsA(&constant->val, String) && names_moment(strVal(&constant->val)))
            *found = ::lappend_int(*found, constant->location);
        return false;
    }
    return pg::walk_raw(node, collect_moment, context);
}

RawStmt *only_statement(const source_text &text, const char *wanted) {
    List *statements = ::raw_parser(text.sql, RAW_PARSE_DEFAULT);
    if (list_length(statements) != 1)
        ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("%s must be one %s", text.kind, wanted),
                        errdetail("It holds %d statements.", list_length(statements)),
                        errhint("Leave out semicolons and what follows them.")));
    return linitial_node(RawStmt, statements);
}

} // namespace

void error_position::begin(const source_text &text) noexcept {
    text_ = text;
    callback_.callback = describe;
    callback_.arg = &text_;
    callback_.previous = error_context_stack;
    error_context_stack = &callback_;
}

RawStmt *parse_template(const source_text &text) {
    error_position position;
    position.begin(text);
    RawStmt *statement = only_statement(text, "SELECT");
    if (!IsA(statement->stmt, SelectStmt) || reinterpret_cast<SelectStmt *>(statement->stmt)->valuesLists)
        ereport(ERROR, (errcode(ERRCODE_SYNTAX_ERROR), errmsg("%s must be one SELECT", text.kind),
                        errdetail("It is a statement of another kind."), errhint("Begin with SELECT or WITH.")));
    check_node(statement->stmt, const_cast<source_text *>(&text));
    check_column_names(reinterpret_cast<SelectStmt *>(statement->stmt));
    position.end();
    return statement;
}

List *moment_literals(RawStmt *statement) {
    List *found = NIL;
    collect_moment(statement->stmt, &found);
    return found;
}

RawStmt *parse_expression(const source_text &text) {
    error_position position;
    position.begin(text);
    RawStmt *statement = only_statement(text, "condition");
    const auto *select = reinterpret_cast<SelectStmt *>(statement->stmt);
    if (!IsA(statement->stmt, SelectStmt) || select->op != SETOP_NONE || select->distinctClause || select->intoClause ||
        select->valuesLists || select->fromClause || select->whereClause || select->groupClause ||
        select->havingClause || select->windowClause || select->sortClause || select->limitOffset ||
        select->limitCount || select->lockingClause || select->withClause || list_length(select->targetList) != 1 ||
        linitial_node(ResTarget, select->targetList)->name)
        ereport(ERROR,
                (errcode(ERRCODE_SYNTAX_ERROR), errmsg("%s must be one condition", text.kind),
                 errdetail("It is more than an expression."), errhint("For example: sold AND days_online > 30")));
    check_node(statement->stmt, const_cast<source_text *>(&text));
    position.end();
    return statement;
}

} // namespace etl::templates
