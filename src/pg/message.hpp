// Boundary: messages that are not errors.
#pragma once

#include "pg/guard.hpp"

namespace etl::pg {

void notice(std::string_view message, std::string_view hint = {});
void warning(std::string_view message, std::string_view detail = {});
// To the server's log only.
void log(std::string_view message);

} // namespace etl::pg
