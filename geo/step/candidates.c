/* geo/snap/candidates.py and geo/snap/likelihood.py: where each hypothesis may be now, and how unlikely that is. */

#include <math.h>

#include "step.h"

/* What is the same for all places of a hypothesis. */
typedef struct {
    double moved_squared, over, under, detour, longest_m, behind_m;
} Way;

static Way way_of(const From *start, const Fix *fix) {
    Way way;
    way.moved_squared = squared(fix->x_m - start->x_m) + squared(fix->y_m - start->y_m);
    double moved_m = sqrt(way.moved_squared);
    way.over = 1 / (OVER_M + OVER_MOVED * moved_m + OVER_ERROR * fix->error_m + fix->vague_mps * fix->seconds);
    way.under = 1 / (UNDER_M + UNDER_ERROR * fix->error_m + UNDER_MOVED * moved_m);
    way.detour = DETOUR + TURN_ROUND_S / most(fix->seconds, 0.1);
    way.longest_m = DETOUR_MPS * fix->seconds + fix->error_m + DETOUR_M;
    way.behind_m = fix->error_m * sqrt(fix->full);
    way.moved_squared = least(way.moved_squared, squared(fix->crept_m + TOLD_MPS * fix->seconds));
    return way;
}

double join(double ahead_m) {
    return ahead_m > 0 ? least(ahead_m * (1 / RETURN_AHEAD_M), ANYWHERE)
                       : least(-ahead_m * (1 / RETURN_BEHIND_M), ANYWHERE_BEHIND);
}

static double drive(const Way *way, double ahead_m, double beside_squared) {
    double excess_m = fabs(ahead_m) - sqrt(most(way->moved_squared - beside_squared, 0.0));
    double behind_m = most(-ahead_m - way->behind_m, 0.0);
    double cost = -excess_m * way->under;
    if (excess_m > 0)
        cost = least(excess_m * way->over, way->detour) + most(excess_m - way->longest_m, 0.0) * (1 / BEYOND_M);
    return cost + behind_m * (1 / BACK_M);
}

static double of_staying(const Fix *fix, double stayed_m) {
    double cost = stayed_m * stayed_m * (0.5 / (fix->sigma_m * fix->sigma_m)) - NEAR_GAIN;
    cost = cost * fix->full + fix->crept_m * (1 / (UNDER_M + UNDER_ERROR * fix->error_m));
    return least(cost, FAR_COST * fix->full);
}

/* Lists the places where the path comes nearest to the fix; tells how many. */
static int64_t nearest(const Plan *plan, const From *start, const Fix *fix, Scratch *scratch) {
    int64_t bins = plan->bin_count - 1, count = 0;
    int64_t first = (int64_t)within(start->low_m / BIN_M, 0, (double)bins);
    int64_t final = (int64_t)within(start->high_m / BIN_M + 1, 0, (double)bins);
    int64_t begin = plan->segment_at[first], end = plan->segment_at[final] + 1;
    double weighed = 0.5 / (fix->sigma_m * fix->sigma_m);
    Way way = way_of(start, fix);
    double px = fix->x_m - plan->segments[begin].x, py = fix->y_m - plan->segments[begin].y;
    double part = (px * plan->segments[begin].dx + py * plan->segments[begin].dy) * plan->segments[begin].inverse;
    for (int64_t row = begin; row < end; row++) {
        const Segment *one = plan->segments + row;
        double next_x = 0, next_y = 0, next_part = 0;
        if (row + 1 < end) {
            next_x = fix->x_m - one[1].x;
            next_y = fix->y_m - one[1].y;
            next_part = (next_x * one[1].dx + next_y * one[1].dy) * one[1].inverse;
        }
        int corner = part >= 1 && (row + 1 < end ? next_part <= 0 : final == bins);
        if ((part > 0 && part < 1) || corner || (row == begin && part <= 0 && first == 0)) {
            double at = within(part, 0.0, 1.0);
            double ex = px - at * one->dx, ey = py - at * one->dy;
            double beside = ex * ex + ey * ey, inverse_m = sqrt(one->inverse);
            double east = one->dx * inverse_m, north = one->dy * inverse_m;
            double of_fix = beside * weighed - NEAR_GAIN;
            of_fix += fix->turn * (TURN_FREE - east * fix->east - north * fix->north);
            of_fix *= fix->full;
            Place *place = scratch->places + count;
            place->along_m = one->along_m + at * one->length_m;
            place->x_m = one->x + at * one->dx;
            place->y_m = one->y + at * one->dy;
            place->offset_m = copysign(sqrt(beside), one->dx * py - one->dy * px >= 0 ? 1.0 : -1.0);
            double ahead_m = place->along_m - start->along_m;
            double of_way = start->anywhere
                                ? least(join(ahead_m), join(place->along_m - start->before_m) + BEFORE)
                                : drive(&way, ahead_m, beside);
            place->cost = of_fix + of_way;
            scratch->places_of_fix[count++] = of_fix;
        }
        px = next_x, py = next_y, part = next_part;
    }
    return count;
}

/* Gives the ROUNDS cheapest places that are apart, then the one where it was; and the least that the fix alone costs
   anywhere within reach. */
double candidates_of(const Plan *plan, const From *start, const Fix *fix, Scratch *scratch, Place found[PLACES]) {
    const Place none = {NAN, NAN, NAN, NAN, INFINITY};
    int64_t count = nearest(plan, start, fix, scratch);
    double beside = INFINITY;
    Place *places = scratch->places;
    for (int64_t i = 0; i < count; i++) {
        beside = least(beside, scratch->places_of_fix[i]);
        if (!isfinite(places[i].cost)) places[i].cost = INFINITY;
    }
    for (int round = 0; round < ROUNDS; round++) {
        int64_t best = -1;
        for (int64_t i = 0; i < count; i++)
            if (places[i].cost < INFINITY && (best < 0 || places[i].cost < places[best].cost)) best = i;
        found[round] = best < 0 ? none : places[best];
        if (best < 0) continue;
        double at_m = places[best].along_m;
        for (int64_t i = 0; i < count; i++)
            if (fabs(places[i].along_m - at_m) <= APART_M) places[i].cost = INFINITY;
    }
    Place *stayed = found + ROUNDS;
    stayed->along_m = start->along_m;
    stayed->x_m = start->x_m;
    stayed->y_m = start->y_m;
    stayed->offset_m = sqrt(squared(fix->x_m - start->x_m) + squared(fix->y_m - start->y_m));
    stayed->cost = start->anywhere ? INFINITY : of_staying(fix, stayed->offset_m);
    double same_cost = INFINITY;
    for (int round = 0; round < ROUNDS; round++)
        if (fabs(found[round].along_m - start->along_m) <= APART_M) same_cost = least(same_cost, found[round].cost);
    if (!(stayed->cost < same_cost)) stayed->cost = INFINITY;
    else
        for (int round = 0; round < ROUNDS; round++)
            if (fabs(found[round].along_m - start->along_m) <= APART_M) found[round].cost = INFINITY;
    return beside;
}
