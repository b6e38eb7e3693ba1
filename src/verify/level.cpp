// C++ regime.
#include "verify/level.hpp"

namespace etl::verify {

level level_of(std::string_view name) {
    if (name == "count")
        return level::count;
    if (name == "summary")
        return level::summary;
    if (name == "digest")
        return level::digest;
    if (name == "source")
        return level::source;
    throw error("22023", pg::view(pg::format("there is no level \"%.*s\"", static_cast<int>(name.size()), name.data())),
                {}, "Argument \"level\" is one of count, summary, digest and source.");
}

} // namespace etl::verify
