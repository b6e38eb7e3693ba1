// PG regime: what a template means, once its placeholders stand for relations.
#include "template/analyse.hpp"

#include "pg/walk.hpp"
#include "template/moment.hpp"

extern "C" {
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "parser/analyze.h"
#include "parser/parser.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"
}

namespace etl::templates {

namespace {

struct rules {
    relation_list allowed;
    List *moments;
    const char *kind;
};

constexpr const char *sameness = "A mart must be the same whenever, and by whomever, it is built.";

void check_relation(const RangeTblEntry *entry, const rules &rule) {
    for (int i = 0; i < rule.allowed.count; i++)
        if (rule.allowed.relations[i] == entry->relid)
            return;
    ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                    errmsg("%s reads relation \"%s\", which no placeholder stands for", rule.kind,
                           ::get_rel_name(entry->relid)),
                    errdetail("A sync could not see that relation change."),
                    errhint("Read {listing}, {customer}, {stat}, {mapping} and {price_state} only.")));
}

[[noreturn]] void refuse_moment(int location, const rules &rule) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION), errmsg("%s depends on the current time", rule.kind),
                    errdetail("now, today, tomorrow and yesterday would stay what they are when the view is made."),
                    errhint("Write the date itself."), errposition(location + 1)));
}

bool refused(Oid function, void *reason) {
    *static_cast<const char **>(reason) = why_not_called(function);
    return *static_cast<const char **>(reason) != nullptr;
}

void check_functions(Node *node, const rules &rule) {
    const char *reason = nullptr;
    if (::check_functions_in_node(node, refused, &reason)) {
        const char *name = IsA(node, FuncExpr) ? ::get_func_name(reinterpret_cast<FuncExpr *>(node)->funcid) : nullptr;
        ereport(ERROR,
                (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                 name ? errmsg("function %s in %s %s", name, rule.kind, reason)
                      : errmsg("%s calls a function that %s", rule.kind, reason),
                 errdetail("%s", sameness), errhint("Use immutable or stable functions of the sources' columns."),
                 errposition(exprLocation(node) + 1)));
    }
}

void check_constant(const Const *constant, const rules &rule) {
    if (constant->location >= 0 && ::list_member_int(rule.moments, constant->location) &&
        (constant->consttype == CSTRINGOID || reads_moments(constant->consttype)))
        refuse_moment(constant->location, rule);
}

// 'now'::text::date: the text is read at run time.
void check_conversion(const CoerceViaIO *conversion, const rules &rule) {
    const Node *argument = ::strip_implicit_coercions(reinterpret_cast<Node *>(conversion->arg));
    if (argument && IsA(argument, Const) && reads_moments(conversion->resulttype) &&
        ::list_member_int(rule.moments, reinterpret_cast<const Const *>(argument)->location))
        refuse_moment(reinterpret_cast<const Const *>(argument)->location, rule);
}

bool check_node(Node *node, void *context) {
    if (!node)
        return false;
    const rules &rule = *static_cast<const rules *>(context);
    check_functions(node, rule);
    switch (nodeTag(node)) {
    case T_Query:
        return pg::walk_query(reinterpret_cast<Query *>(node), check_node, context, QTW_EXAMINE_RTES_BEFORE);
    case T_RangeTblEntry:
        if (reinterpret_cast<RangeTblEntry *>(node)->rtekind == RTE_RELATION)
            check_relation(reinterpret_cast<RangeTblEntry *>(node), rule);
        return false;
    case T_Var:
        if (reinterpret_cast<Var *>(node)->varattno < 0)
            ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION), errmsg("%s reads a system column", rule.kind),
                            errdetail("ctid, xmin, tableoid and the like change without the row."),
                            errhint("Use the sources' own columns."),
                            errposition(reinterpret_cast<Var *>(node)->location + 1)));
        return false;
    case T_Const:
        check_constant(reinterpret_cast<Const *>(node), rule);
        return false;
    case T_CoerceViaIO:
        check_conversion(reinterpret_cast<CoerceViaIO *>(node), rule);
        break;
    default:
        break;
    }
    return pg::walk_expression(node, check_node, context);
}

void check_key_columns(const TargetEntry *lid, const TargetEntry *portal) {
    if (!lid || !portal)
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_COLUMN), errmsg("template gives no column \"%s\"", lid ? "portal" : "lid"),
                 errdetail("The mart's key is lid, and its partition key is portal."),
                 lid ? errhint("Add {portal} AS portal.") : errhint("Add the listing's lid.")));
    if (const Oid type = ::exprType(reinterpret_cast<Node *>(lid->expr)); type != INT8OID)
        ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
                        errmsg("column \"lid\" of template must be of type bigint, not %s", ::format_type_be(type)),
                        errdetail("Work is divided by ranges of lid."), errhint("Cast it: lid::bigint.")));
    if (const Oid type = ::exprType(reinterpret_cast<Node *>(portal->expr)); type != TEXTOID && type != VARCHAROID)
        ereport(ERROR,
                (errcode(ERRCODE_DATATYPE_MISMATCH),
                 errmsg("column \"portal\" of template must be of type text, not %s", ::format_type_be(type)),
                 errdetail("The mart is partitioned by the portal's name."), errhint("Use {portal} AS portal.")));
}

void check_columns(Query *query) {
    const TargetEntry *lid = nullptr;
    const TargetEntry *portal = nullptr;
    ListCell *cell;
    if (query->hasTargetSRFs)
        ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                        errmsg("template must not have a set-returning function among its columns"),
                        errdetail("A listing has one row at most in the mart."),
                        errhint("Gather the set: ARRAY(SELECT ...).")));
    foreach (cell, query->targetList) {
        const auto *target = lfirst_node(TargetEntry, cell);
        if (target->resjunk)
            continue;
        for (ListCell *other = list_head(query->targetList); other != cell; other = lnext(query->targetList, other))
            if (!lfirst_node(TargetEntry, other)->resjunk &&
                strcmp(lfirst_node(TargetEntry, other)->resname, target->resname) == 0)
                ereport(ERROR, (errcode(ERRCODE_DUPLICATE_COLUMN),
                                errmsg("template gives column \"%s\" twice", target->resname),
                                errdetail("The mart's columns are those of the template."),
                                errhint("Give each column a name of its own with AS.")));
        Node *expression = reinterpret_cast<Node *>(target->expr);
        if (::type_is_collatable(::exprType(expression)) && !OidIsValid(::exprCollation(expression)))
            ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_COLLATION),
                            errmsg("could not determine which collation to use for column \"%s\" of template",
                                   target->resname),
                            errdetail("Its sources have different collations."),
                            errhint("Use the COLLATE clause to set the collation explicitly.")));
        if (strcmp(target->resname, "lid") == 0)
            lid = target;
        else if (strcmp(target->resname, "portal") == 0)
            portal = target;
    }
    check_key_columns(lid, portal);
}

} // namespace

Query *analyse_template(const source_text &text, relation_list allowed) {
    RawStmt *statement = parse_template(text);
    rules rule{allowed, moment_literals(statement), text.kind};
    error_position position;
    position.begin(text);
    Query *query = ::parse_analyze_fixedparams(statement, text.sql, nullptr, 0, nullptr);
    check_node(reinterpret_cast<Node *>(query), &rule);
    check_columns(query);
    position.end();
    return query;
}

void check_condition(const source_text &condition, const source_text &statement, Oid relation) {
    parse_expression(condition);
    RawStmt *parsed = linitial_node(RawStmt, ::raw_parser(statement.sql, RAW_PARSE_DEFAULT));
    rules rule{{&relation, 1}, moment_literals(parsed), statement.kind};
    error_position position;
    position.begin(statement);
    Query *query = ::parse_analyze_fixedparams(parsed, statement.sql, nullptr, 0, nullptr);
    if (query->hasSubLinks)
        ereport(ERROR,
                (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("%s must not contain a subquery", statement.kind),
                 errdetail("It is a condition over the columns of one row of the mart."),
                 errhint("For example: sold AND days_online > 30")));
    check_node(reinterpret_cast<Node *>(query), &rule);
    position.end();
}

const char *columns_only(Query *query) {
    StringInfoData text;
    ::initStringInfo(&text);
    ListCell *cell;
    foreach (cell, query->targetList) {
        const auto *target = lfirst_node(TargetEntry, cell);
        if (target->resjunk)
            continue;
        Node *expression = reinterpret_cast<Node *>(target->expr);
        const Oid collation = ::exprCollation(expression);
        ::appendStringInfo(&text, "%sNULL::%s", text.len ? ", " : "SELECT ",
                           ::format_type_extended(::exprType(expression), ::exprTypmod(expression),
                                                  FORMAT_TYPE_TYPEMOD_GIVEN | FORMAT_TYPE_FORCE_QUALIFY));
        if (OidIsValid(collation) && collation != ::get_typcollation(::exprType(expression)))
            ::appendStringInfo(&text, " COLLATE %s", ::generate_collation_name(collation));
        ::appendStringInfo(&text, " AS %s", ::quote_identifier(target->resname));
    }
    return text.data;
}

} // namespace etl::templates
