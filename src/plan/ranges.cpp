// C++ regime: pure.
#include "plan/ranges.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace etl::plan {

namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

// to - from for from <= to; the difference of two bigints needs 64 bits without a sign.
double distance(std::int64_t from, std::int64_t to) {
    return static_cast<double>(static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from));
}

// The lid at `fraction` of the way from `from` to `to`, in (from, to].
std::int64_t between(std::int64_t from, std::int64_t to, double fraction) {
    const std::uint64_t width = static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
    const double steps = std::ceil(static_cast<double>(width) * fraction);
    std::uint64_t offset = 1;
    if (steps >= static_cast<double>(width))
        offset = width;
    else if (steps > 1)
        offset = static_cast<std::uint64_t>(steps);
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + offset);
}

// Mass of the lids below a point, asked for at rising points.
class rising_mass {
public:
    explicit rising_mass(const sketch &of) : of_(of) {
        const std::size_t stretches = of.bounds.size() > 1 ? of.bounds.size() - 1 : of.bounds.size();
        each_ = stretches ? of.rows / static_cast<double>(stretches) : 0;
    }

    double below(std::int64_t point) {
        const auto &bounds = of_.bounds;
        if (bounds.size() == 1)
            return bounds[0] < point ? of_.rows : 0;
        // A stretch is passed when its end is reached; one that is a single lid, when that lid is.
        while (next_ + 1 < bounds.size() && bounds[next_ + 1] <= point &&
               (bounds[next_] < bounds[next_ + 1] || bounds[next_] < point))
            next_++;
        const double passed = each_ * static_cast<double>(next_);
        if (next_ + 1 >= bounds.size() || bounds[next_] >= point)
            return passed;
        return passed + each_ * distance(bounds[next_], point) / distance(bounds[next_], bounds[next_ + 1]);
    }

private:
    const sketch &of_;
    double each_ = 0;
    std::size_t next_ = 0;
};

// All points where the density of a sketch may change.
void add_points(std::vector<std::int64_t> &points, const sketch &of) {
    const auto &bounds = of.bounds;
    for (std::size_t i = 0; i < bounds.size(); i++) {
        points.push_back(bounds[i]);
        const bool single = bounds.size() == 1 || (i > 0 && bounds[i - 1] == bounds[i]);
        if (single && bounds[i] < largest)
            points.push_back(bounds[i] + 1);
    }
}

void sort_unique(std::vector<std::int64_t> &points) {
    std::sort(points.begin(), points.end());
    points.erase(std::unique(points.begin(), points.end()), points.end());
}

// Cuts where the running mass passes multiples of an equal share. mass[i]: rows below points[i].
std::vector<cut_range> cut(const std::vector<std::int64_t> &points, const std::vector<double> &mass, double rows_each,
                           std::size_t most) {
    std::vector<cut_range> ranges;
    const double total = mass.empty() ? 0 : mass.back();
    // A little tolerance, so that 3 million rows by one million are three ranges whatever the last bit says.
    const double wanted = std::ceil(total / std::max(rows_each, 1.0) * (1 - 1e-9));
    const double count = std::clamp(wanted, 1.0, static_cast<double>(std::max<std::size_t>(most, 1)));
    const double share = total / count;
    std::optional<std::int64_t> from;
    double before = 0;
    std::size_t stretch = 0;
    for (double passed = share; passed < total - share / 2; passed += share) {
        while (stretch + 1 < points.size() && mass[stretch + 1] < passed)
            stretch++;
        if (stretch + 1 >= points.size())
            break;
        const double here = mass[stretch + 1] - mass[stretch];
        const std::int64_t to =
            between(points[stretch], points[stretch + 1], here > 0 ? (passed - mass[stretch]) / here : 1);
        if (from && to <= *from)
            continue;
        const double at =
            mass[stretch] + here * (distance(points[stretch], to) / distance(points[stretch], points[stretch + 1]));
        ranges.push_back({from, to, at - before});
        before = at;
        from = to;
    }
    ranges.push_back({from, std::nullopt, total - before});
    return ranges;
}

} // namespace

std::vector<cut_range> cut_rows(const sketch &rows, double rows_each, std::size_t most) {
    std::vector<std::int64_t> points;
    add_points(points, rows);
    sort_unique(points);
    std::vector<double> mass;
    mass.reserve(points.size());
    rising_mass of(rows);
    for (const std::int64_t point : points)
        mass.push_back(of.below(point));
    // A lone lid that is the largest bigint: there is no point above it.
    if (!mass.empty() && mass.back() < rows.rows)
        mass.back() = rows.rows;
    return cut(points, mass, rows_each, most);
}

std::vector<cut_range> cut_mart(const sketch &listing, const sketch &mapping, const std::vector<sketch> &other_listings,
                                double rows_each, std::size_t most) {
    std::vector<std::int64_t> points;
    add_points(points, listing);
    add_points(points, mapping);
    for (const sketch &other : other_listings)
        add_points(points, other);
    sort_unique(points);

    rising_mass own(listing), mapped(mapping);
    std::vector<rising_mass> others(other_listings.begin(), other_listings.end());
    std::vector<double> mass;
    mass.reserve(points.size());
    double own_before = 0, mapped_before = 0, others_before = 0, total = 0;
    for (const std::int64_t point : points) {
        const double own_now = own.below(point), mapped_now = mapped.below(point);
        double others_now = 0;
        for (rising_mass &other : others)
            others_now += other.below(point);
        const double own_here = own_now - own_before, mapped_here = mapped_now - mapped_before;
        const double all_here = own_here + std::max(0.0, others_now - others_before);
        if (own_here > 0 && mapped_here > 0)
            total += std::min(own_here, mapped_here * own_here / all_here);
        mass.push_back(total);
        own_before = own_now, mapped_before = mapped_now, others_before = others_now;
    }
    return cut(points, mass, rows_each, most);
}

sketch merge_frequent(const sketch &histogram, std::vector<std::int64_t> frequent, std::vector<double> frequent_rows,
                      std::size_t count) {
    // Each single lid becomes a sketch of one bound; then quantiles of the sum are read off.
    std::vector<sketch> parts;
    sketch sum;
    std::vector<std::int64_t> points;
    parts.push_back(histogram);
    for (std::size_t i = 0; i < frequent.size() && i < frequent_rows.size(); i++)
        parts.push_back({{frequent[i]}, frequent_rows[i]});
    for (sketch &part : parts) {
        std::sort(part.bounds.begin(), part.bounds.end());
        add_points(points, part);
        sum.rows += part.bounds.empty() ? 0 : part.rows;
    }
    sort_unique(points);
    if (points.empty() || count < 2)
        return sum;

    std::vector<rising_mass> masses(parts.begin(), parts.end());
    std::vector<double> below;
    for (const std::int64_t point : points) {
        double here = 0;
        for (rising_mass &mass : masses)
            here += mass.below(point);
        below.push_back(here);
    }
    below.back() = sum.rows;
    std::size_t stretch = 0;
    for (std::size_t i = 0; i < count; i++) {
        const double wanted = sum.rows * static_cast<double>(i) / static_cast<double>(count - 1);
        while (stretch + 2 < points.size() && below[stretch + 1] < wanted)
            stretch++;
        const double here = stretch + 1 < points.size() ? below[stretch + 1] - below[stretch] : 0;
        // A stretch that is one lid wide is that lid.
        if (here <= 0 || points[stretch] + 1 == points[stretch + 1] || wanted <= below[stretch])
            sum.bounds.push_back(points[stretch]);
        else
            sum.bounds.push_back(
                between(points[stretch], points[stretch + 1], std::min(1.0, (wanted - below[stretch]) / here)));
    }
    return sum;
}

} // namespace etl::plan
