// PG regime: the events of one lid, folded: a point of the lattice.
#pragma once

#include "watch/price.hpp"

namespace etl::watch {

struct event {
    std::int64_t day; // date or timestamp; infinities are its least and greatest values
    price amount;
};

inline int compare(const event &a, const event &b) {
    if (a.day != b.day)
        return a.day < b.day ? -1 : 1;
    return compare(a.amount, b.amount);
}

struct folded {
    bool any; // false: no event at all, and the rest means nothing
    event first;
    event last;
    price least;
    price greatest;

    void add(const event &one, MemoryContext memory) {
        if (!any) {
            any = true;
            first.day = last.day = one.day;
            first.amount = last.amount = least = greatest = keep_price(one.amount, memory);
            return;
        }
        if (compare(one, first) < 0)
            first = {one.day, keep_price(one.amount, memory)};
        if (compare(one, last) > 0)
            last = {one.day, keep_price(one.amount, memory)};
        if (compare(one.amount, least) < 0)
            least = keep_price(one.amount, memory);
        if (compare(one.amount, greatest) > 0)
            greatest = keep_price(one.amount, memory);
    }
    // Takes the other's events in; says whether that changed anything. Wide prices stay where they are.
    bool merge(const folded &other) {
        if (!other.any)
            return false;
        if (!any) {
            *this = other;
            return true;
        }
        bool changed = false;
        auto take = [&changed](auto &mine, const auto &its, bool better) {
            if (better) {
                mine = its;
                changed = true;
            }
        };
        take(first, other.first, compare(other.first, first) < 0);
        take(last, other.last, compare(other.last, last) > 0);
        take(least, other.least, compare(other.least, least) < 0);
        take(greatest, other.greatest, compare(other.greatest, greatest) > 0);
        return changed;
    }
    bool same(const folded &other) const {
        return any == other.any &&
               (!any || (compare(first, other.first) == 0 && compare(last, other.last) == 0 &&
                         compare(least, other.least) == 0 && compare(greatest, other.greatest) == 0));
    }
    // True unless these events, taken away, leave the state as it is: none of them is an extreme of it. The scale does
    // not count here, so that an event that equals an extreme in value is taken for it.
    bool may_miss(const folded &removed) const {
        if (!removed.any)
            return false;
        auto alike = [](const price &a, const price &b) {
            price unscaled = b;
            unscaled.scale = a.scale;
            return compare(a, unscaled);
        };
        auto alike_event = [&alike](const event &a, const event &b) {
            return a.day != b.day ? (a.day < b.day ? -1 : 1) : alike(a.amount, b.amount);
        };
        return !any || alike_event(removed.first, first) <= 0 || alike_event(removed.last, last) >= 0 ||
               alike(removed.least, least) <= 0 || alike(removed.greatest, greatest) >= 0;
    }
};

} // namespace etl::watch
