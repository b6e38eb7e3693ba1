// PG regime: PostgreSQL's own rule for assignments; pg_cast alone knows nothing of arrays, domains and text.
#include "mart/assignable.hpp"

extern "C" {
#include "parser/parse_coerce.h"
}

namespace etl::mart {

bool is_assignable(Oid from, Oid to) {
    return pg::call([=] { return ::can_coerce_type(1, &from, &to, COERCION_ASSIGNMENT); });
}

} // namespace etl::mart
