/* geo/visits/tour.py: what comes next, and how late. */

#include <math.h>

#include "step.h"

/* ahead_row of a van whose place is not known */
int64_t ahead_row(const Plan *plan, const uint8_t *visits, int64_t last) {
    int64_t row = last;
    while (row < plan->stop_count && is_served(visits[row])) row++;
    return row;
}

static int is_open(const Plan *plan, const uint8_t *visits, int64_t row, int worded) {
    int done = worded ? visits[row] & DONE : is_served(visits[row]);
    return (visits[row] & AWAITED) || (plan->owed[row] && !done);
}

int64_t next_row(const Plan *plan, const uint8_t *visits, const Going *going) {
    int64_t row = going->last;
    if (!isnan(going->along_m)) {
        int64_t bin = (int64_t)least(going->along_m / BIN_M, (double)(plan->bin_count - 1));
        if (plan->next_from[bin] > row) row = plan->next_from[bin];
    }
    row = ahead_row(plan, visits, row);
    if (row < plan->stop_count) return row;
    for (int64_t left = 0; left < plan->stop_count; left++)
        if (is_open(plan, visits, left, going->worded)) return left;
    return row;
}

double delay_s(const Plan *plan, const uint8_t *visits, const Going *going, int64_t row) {
    const Due *table = plan->timetable;
    double ms = (double)going->ms;
    if (!plan->is_timed) return NAN;
    int64_t first = going->at_stop ? 0 : plan->stop_count;
    while (first < plan->stop_count && !(visits[first] & HERE)) first++;
    if (first < plan->stop_count) {
        double done_ms = table[first].due_ms;
        for (int64_t here = first; here < plan->stop_count; here++)
            if (visits[here] & HERE) done_ms += table[here].done_ms - table[here].due_ms;
        return most((double)going->arrived_ms - table[first].due_ms, ms - done_ms) / 1000;
    }
    if (row >= plan->stop_count) return NAN;
    double from_ms = row ? table[row - 1].done_ms : (double)plan->start_ms, from_m = row ? table[row - 1].along_m : 0.0;
    from_ms = least(from_ms, table[row].due_ms);
    double along_m = isnan(going->along_m) ? 0.0 : going->along_m;
    double part = within((along_m - from_m) / most(table[row].along_m - from_m, 1.0), 0.0, 1.0);
    return (ms - (from_ms + part * (table[row].due_ms - from_ms))) / 1000;
}
