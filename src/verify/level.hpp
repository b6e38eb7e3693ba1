// C++ regime: how closely a verification looks.
#pragma once

#include "pg/error.hpp"

namespace etl::verify {

enum class level {
    count,   // rows, against the source view and against what was written
    summary, // also how many values each column has, the least and the greatest
    digest,  // the rows themselves, against the digests of what was written
    source   // all bytes, against the source view and against the digests
};

// 22023 where there is no such level.
level level_of(std::string_view name);

} // namespace etl::verify
