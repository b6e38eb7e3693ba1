// PG regime: parsing and analysing the text of a template, with errors that point into that text.
#pragma once

#include "pg/postgres.hpp"

extern "C" {
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
}

namespace etl::templates {

// An SQL text and what it is: template or terminal, as messages say, and for their CONTEXT: template "ads" for make
// "volkswagen" and portal "mobile".
struct source_text {
    const char *sql;
    const char *kind;
    const char *what;
};

// While it is in force, errors point into the text and name it. Trivially destructible: the guard above puts
// error_context_stack back if an error leaves the scope, end() does otherwise.
class error_position {
public:
    void begin(const source_text &text) noexcept;
    void end() noexcept {
        error_context_stack = callback_.previous;
    }

private:
    source_text text_;
    ErrorContextCallback callback_;
};

// Parses the text, which must be one SELECT, and checks what can be told without relations: no INTO, no row locks, no
// data-modifying WITH, no values of the clock or session, no function that is volatile whatever its arguments are;
// gives lid and portal, unless a * hides the columns.
RawStmt *parse_template(const source_text &text);

// The literals that mean the present if they are read as a date or time: list of their locations.
List *moment_literals(RawStmt *statement);

// Raises 42601 unless the text is one expression; the statement SELECT (expression) otherwise.
RawStmt *parse_expression(const source_text &text);

} // namespace etl::templates
