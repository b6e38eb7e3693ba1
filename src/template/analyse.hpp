// PG regime: what a template means, once its placeholders stand for relations.
#pragma once

#include "template/parse.hpp"

namespace etl::templates {

// The relations that a text may read.
struct relation_list {
    const Oid *relations;
    int count;
};

// Analyses a filled template as the current user, under the search_path in force, and checks the outcome: reads no
// other relation than those listed, calls nothing volatile or now-like, gives lid (bigint) and portal (a string) and no
// column twice, no set-returning function among its columns, no system columns.
Query *analyse_template(const source_text &text, relation_list allowed);

// Checks that the expression in `condition` is a boolean condition over the columns of the relation, with the same
// rules and without subqueries: `condition` alone is parsed first, so that it cannot be more than an expression.
void check_condition(const source_text &condition, const source_text &statement, Oid relation);

// SELECT NULL::type AS column, ...: a statement that gives columns of the query's names and types and reads nothing.
// Makes no difference between who analyses it: no literal but NULL, no function.
const char *columns_only(Query *query);

} // namespace etl::templates
