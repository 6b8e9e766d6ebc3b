/* Places on the path of a plan, and its stops. */

#include <math.h>

#include "step.h"

/* geo.plan.plans.places_at */
void place_at(const Plan *plan, double along_m, double *x_m, double *y_m) {
    int64_t low = 0, high = plan->path_count; /* the first vertex beyond */
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (plan->path_along_m[middle] <= along_m) low = middle + 1;
        else high = middle;
    }
    int64_t row = low - 1;
    if (row > plan->segment_count - 1) row = plan->segment_count - 1;
    if (row < 0) row = 0;
    const Segment *one = plan->segments + row;
    double share = one->length_m > 0 ? within((along_m - one->along_m) / one->length_m, 0.0, 1.0) : 0.0;
    *x_m = one->x + share * one->dx;
    *y_m = one->y + share * one->dy;
}

/* How far a van is from the door of a stop. */
double door_m(const Here *here, int64_t row) {
    const Stop *stop = here->plan->stops + row;
    return sqrt(squared(here->x_m - stop->x_m) + squared(here->y_m - stop->y_m));
}

/* geo.visits.near_stops.out_m_of, of a circle */
double out_of(const Here *here, int64_t row) { return door_m(here, row) - here->plan->stops[row].radius_m; }
