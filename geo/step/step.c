/* The step of a fix, van by van; what Python calls. */

#include <stdlib.h>

#include "step.h"

#define DEFINED(name) double name;
NUMBERS(DEFINED)

#define NAMED(name) #name " "
const char step_numbers[] = NUMBERS(NAMED);
const char step_source[] = SOURCE; /* the hash of these files */
const int64_t step_sizes[] = {HYPOTHESES, ROUNDS, MAX_STOPS, sizeof(Snap), sizeof(Standing), sizeof(Told), sizeof(Going), sizeof(Plan)};

/* Gives the numbers their values, in the order of `step_numbers`, and the sines of whole degrees from -360 to 360. */
void step_use(const double *values, const double *sines, const double *cosines) {
#define TAKEN(name) name = *values++;
    NUMBERS(TAKEN)
    use_sines(sines, cosines);
}

static int make_scratch(Scratch *scratch, const Plan *const *plans, int64_t n) {
    int64_t segments = 1, stops = 1;
    for (int64_t i = 0; i < n; i++) {
        if (plans[i]->segment_count > segments) segments = plans[i]->segment_count;
        if (plans[i]->stop_count > stops) stops = plans[i]->stop_count;
    }
    scratch->places = malloc(sizeof(Place) * (size_t)segments);
    scratch->places_of_fix = malloc(sizeof(double) * (size_t)segments);
    scratch->doors = malloc(sizeof(Door) * (size_t)stops);
    scratch->open_before = malloc(sizeof(int32_t) * (size_t)(stops + 1));
    return scratch->places && scratch->places_of_fix && scratch->doors && scratch->open_before;
}

/* Folds one fix each of n vans; writes into both memories. -1: no memory left, and nothing was written. */
int step(int64_t n, const Plan *const *plans, const uint8_t *visits, const int64_t *ms, const double *const columns[5],
         Snap *snaps, Standing *standings, Told *told) {
    Scratch scratch;
    int is_made = make_scratch(&scratch, plans, n);
    for (int64_t i = 0; is_made && i < n; i++) {
        Here here = {plans[i], visits + i * MAX_STOPS, ms[i], columns[0][i], columns[1][i], columns[2][i],
                     columns[3][i], columns[4][i]};
        Stand stand = stand_of(standings + i, &here);
        int64_t doors = doors_of(standings + i, &stand, &here, scratch.doors);
        snap(snaps + i, &here, scratch.doors, doors, &scratch, told + i);
        look_at_stops(standings + i, &stand, &here, told[i].along_m, told + i);
    }
    free(scratch.places);
    free(scratch.places_of_fix);
    free(scratch.doors);
    free(scratch.open_before);
    return is_made ? 0 : -1;
}

/* geo.plan.plans.places_at */
void places_at(int64_t n, const Plan *const *plans, const double *along_m, double *x_m, double *y_m) {
    for (int64_t i = 0; i < n; i++) place_at(plans[i], along_m[i], x_m + i, y_m + i);
}

/* The next stops of vans, 0 for none, and how late they are: geo.step.plain.Plain.next_stops */
void next_stops(int64_t n, const Plan *const *plans, const uint8_t *visits, const Going *going, int64_t *stop_ids,
                double *late_s) {
    for (int64_t i = 0; i < n; i++) {
        const Plan *plan = plans[i];
        int64_t row = next_row(plan, visits + i * MAX_STOPS, going + i);
        stop_ids[i] = row < plan->stop_count ? plan->stop_ids[row] : 0;
        late_s[i] = delay_s(plan, visits + i * MAX_STOPS, going + i, row);
    }
}
