// C++ regime: pure.
#include "plan/pieces.hpp"

#include <algorithm>
#include <cmath>

namespace etl::plan {

std::vector<divisible_range> gather_pieces(const std::vector<cut_range> &pieces, std::size_t ranges) {
    const std::size_t count = std::clamp<std::size_t>(ranges, 1, std::max<std::size_t>(pieces.size(), 1));
    std::vector<divisible_range> gathered;
    for (std::size_t i = 0; i < count && !pieces.empty(); i++) {
        const std::size_t first = pieces.size() * i / count, end = pieces.size() * (i + 1) / count;
        divisible_range range{{pieces[first].from, pieces[end - 1].to, 0}, {}};
        for (std::size_t piece = first; piece < end; piece++) {
            range.whole.rows += pieces[piece].rows;
            if (piece > first)
                range.cuts.push_back(*pieces[piece].from);
        }
        gathered.push_back(std::move(range));
    }
    return gathered;
}

double rows_to_take(const load_pace &now) {
    constexpr double first_share = 0.1, least_share = 0.04;
    const double half_a_share = now.waiting / (2.0 * std::max(now.workers, 1));
    if (!(now.rows > 0) || !(now.seconds > 0))
        return std::min(half_a_share, careful_pace * now.target * first_share);
    const double of_target = now.rows / now.seconds * now.target;
    return std::clamp(half_a_share, of_target * least_share, of_target);
}

std::size_t pieces_to_take(std::size_t pieces, double rows, double wanted) {
    if (pieces <= 1 || !(rows > 0))
        return std::max<std::size_t>(pieces, 1);
    const double each = rows / static_cast<double>(pieces);
    const double taken = std::clamp(std::round(wanted / each), 1.0, static_cast<double>(pieces));
    const auto count = static_cast<std::size_t>(taken);
    return 2 * (pieces - count) < count ? pieces : count;
}

} // namespace etl::plan
