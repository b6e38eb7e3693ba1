// PG regime: may ereport, so no local here needs a destructor.
#include "join/recognise.hpp"

#include "join/equality.hpp"

extern "C" {
#include "utils/array.h"
}

#include <limits>

namespace etl::join {

namespace {

const char *check_query(const PlannerInfo *root) {
    if (root->parse->commandType != CMD_SELECT || root->parse->rowMarks != NIL)
        return "rows are locked or changed";
    if (root->qual_security_level > 0)
        return "row security or a security barrier orders the conditions";
    if (root->hasPseudoConstantQuals)
        return "a condition depends on no relation";
    if (root->placeholder_list != NIL)
        return "an expression is evaluated below a LEFT JOIN";
    return nullptr;
}

const char *list_candidates(PlannerInfo *root, const RelOptInfo *whole, candidates &all) {
    if (bms_num_members(whole->relids) > most_members)
        return "too many relations are joined";
    int relation = -1;
    while ((relation = bms_next_member(whole->relids, relation)) >= 0) {
        candidate &one = all.list[all.count++];
        one.planned = root->simple_rel_array[relation];
        one.name = root->simple_rte_array[relation]->eref->aliasname;
        one.part.relation = static_cast<Index>(relation);
        one.part.low = PG_INT64_MIN;
        one.part.high = PG_INT64_MAX;
        one.width = one.planned->pages * static_cast<double>(BLCKSZ) / std::max(one.planned->tuples, 1.0);
        if (const char *obstacle = obstacle_of(root, one))
            return obstacle;
    }
    return nullptr;
}

const char *mark_optional(const PlannerInfo *root, candidates &all) {
    ListCell *cell;
    foreach (cell, root->join_info_list) {
        const SpecialJoinInfo *join = static_cast<const SpecialJoinInfo *>(lfirst(cell));
        int relation;
        if (join->jointype != JOIN_LEFT)
            return "a join is neither inner nor LEFT";
        if (!bms_get_singleton_member(join->syn_righthand, &relation))
            return "a LEFT JOIN has several relations on its right";
        if (candidate *one = find(all, static_cast<Index>(relation)))
            one->optional = true;
    }
    return nullptr;
}

bool is_key_relation(const candidate &one) {
    return one.part.what != duty::look_up;
}

// A row read with all others costs about a tenth of one that is looked up, and each is looked up once.
constexpr double cost_of_looking_up = 8;

// Rows that the join gives, at most. The planner's own estimate takes the range of keys, which is on each relation, for
// as many conditions as have nothing to do with each other, and so is nearly nothing for a chunk of a tenth of the
// keys.
double rows_of_join(const candidates &all) {
    double rows = std::numeric_limits<double>::infinity();
    for (int i = 0; i < all.count; i++)
        if (is_key_relation(all.list[i]) && !all.list[i].optional)
            rows = std::min(rows, all.list[i].rows);
    return rows;
}

// Nanoseconds for a row, roughly: to read it and find its key, to evaluate its conditions, to keep it.
constexpr double reading = 30, filtering = 100, keeping = 60;

double filtering_of(const candidate &one) {
    return one.filters == NIL ? 0 : filtering;
}

// What it takes to read all inner relations but the one that drives, if the map is built from this one: its own rows
// are all filtered, and kept if they pass; others only where their key is in the map. So a filtered relation of many
// rows is better probed, unless few of them pass.
double cost_of_building(const candidates &all, const candidate &build, const candidate *drive) {
    double cost = build.read * (reading + filtering_of(build)) + build.rows * keeping;
    for (int i = 0; i < all.count; i++) {
        const candidate &one = all.list[i];
        if (is_key_relation(one) && !one.optional && &one != drive && &one != &build)
            cost += one.read * reading + std::min(one.read, build.rows) * (filtering_of(one) + keeping);
    }
    return cost;
}

// Which relation comes first, which last.
void set_order(candidates &all) {
    candidate *drive = nullptr, *build = nullptr;
    for (int i = 0; i < all.count; i++) {
        candidate &one = all.list[i];
        if (is_key_relation(one) && !one.optional && (!drive || one.width > drive->width))
            drive = &one;
    }
    for (int i = 0; i < all.count; i++) {
        candidate &one = all.list[i];
        if (is_key_relation(one) && !one.optional && &one != drive &&
            (!build || cost_of_building(all, one, drive) < cost_of_building(all, *build, drive)))
            build = &one;
    }
    drive->part.what = duty::drive;
    build->part.what = duty::build;
    std::sort(all.list, all.list + all.count, [](const candidate &left, const candidate &right) {
        if (left.part.what != right.part.what)
            return left.part.what < right.part.what;
        if (left.optional != right.optional)
            return right.optional;
        if (left.rows != right.rows)
            return left.rows < right.rows;
        return left.part.relation < right.part.relation;
    });
}

int length_of(const Const *list) {
    const ArrayType *array = DatumGetArrayTypeP(list->constvalue);
    return ::ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
}

const char *fill(PlannerInfo *root, const RelOptInfo *whole, recognised &found) {
    candidates *all = static_cast<candidates *>(::palloc0(sizeof(candidates)));
    const char *obstacle = check_query(root);
    if (!obstacle)
        obstacle = list_candidates(root, whole, *all);
    if (!obstacle)
        obstacle = mark_optional(root, *all);
    if (!obstacle)
        obstacle = give_parts(root, *all);
    for (int i = 0; !obstacle && i < all->count; i++)
        obstacle = take_conditions(root, all->list[i], found.keys);
    for (int i = 0; !obstacle && found.keys && i < all->count; i++)
        if (is_key_relation(all->list[i]))
            limit_to_list(all->list[i], length_of(found.keys));
    for (int i = 0; !obstacle && i < all->count; i++)
        if (!is_key_relation(all->list[i]))
            all->list[i].part.whole = all->list[i].planned->tuples < rows_of_join(*all) * cost_of_looking_up;
    if (obstacle)
        return obstacle;
    set_order(*all);
    found.join.count = all->count;
    found.join.of_list = found.keys != nullptr;
    for (int i = 0; i < all->count; i++) {
        found.join.members[i] = all->list[i].part;
        found.join.members[i].optional = all->list[i].optional;
        found.filters = ::lappend(found.filters, all->list[i].filters);
    }
    return nullptr;
}

} // namespace

recognised recognise(PlannerInfo *root, const RelOptInfo *whole) {
    recognised found{};
    found.obstacle = fill(root, whole, found);
    return found;
}

} // namespace etl::join
