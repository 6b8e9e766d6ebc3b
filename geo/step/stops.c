/* geo/visits/standing.py and geo/visits/near_stops.py: who stands, where, since when, and who has left. */

#include <math.h>

#include "step.h"

static double speed_of(Standing *memory, const Here *here) {
    Base *base = memory->base;
    if (base[1].ms == UNKNOWN_MS || here->ms - base[1].ms >= BASE_MS) {
        Base now = {here->ms, here->x_m, here->y_m};
        base[0] = base[1];
        base[1] = now;
    }
    if (here->speed_mps <= BELIEVED_MPS) return here->speed_mps;
    if (base[0].ms == UNKNOWN_MS || here->ms <= base[0].ms) return INFINITY;
    double seconds = (double)(here->ms - base[0].ms) / 1000;
    return sqrt(squared(here->x_m - base[0].x_m) + squared(here->y_m - base[0].y_m)) / seconds;
}

static void note_stand(Standing *memory, const Here *here, int slow) {
    Base *stands = &memory->stands;
    double moved_m = sqrt(squared(here->x_m - stands->x_m) + squared(here->y_m - stands->y_m));
    int drives = here->speed_mps >= SLOW_MPS && here->speed_mps <= BELIEVED_MPS;
    if (drives && memory->open > 0 && memory->inside_ms != 0) memory->drove = 1;
    if (slow && !has_stayed(memory) && stands->ms != UNKNOWN_MS && !(moved_m > PIN_M)) return;
    Base anew = {slow ? here->ms : UNKNOWN_MS, here->x_m, here->y_m};
    *stands = anew;
}

Stand stand_of(Standing *memory, const Here *here) {
    Stand stand = {0};
    const Base last = memory->base[1];
    int64_t gap_ms = last.ms == UNKNOWN_MS ? 0 : here->ms - last.ms;
    stand.gap_ms = gap_ms >= BASE_MS ? gap_ms : 0;
    stand.straight_m = sqrt(squared(here->x_m - last.x_m) + squared(here->y_m - last.y_m));
    stand.slow = speed_of(memory, here) < SLOW_MPS;
    note_stand(memory, here, stand.slow);
    stand.vague_m = within(isnan(here->accuracy_m) ? UNSAID_AT_STOP_M : here->accuracy_m, 0.0, VAGUEST_M);
    stand.margin_m = MARGIN * least(stand.vague_m, MARGIN_VAGUEST_M);
    return stand;
}

static void tell_idle(Standing *memory, Stand *stand, double along_m) {
    double moved_m = fmax(stand->straight_m, fabs(along_m - memory->along_m));
    memory->along_m = along_m;
    stand->under_way_ms = stand->gap_ms > 0 ? (int64_t)rint(moved_m * (1000 / TYPICAL_MPS)) : 0;
    stand->idle_ms = stand->gap_ms > stand->under_way_ms ? stand->gap_ms - stand->under_way_ms : 0;
}

static int away(Standing *memory, const Stand *stand, const Here *here) {
    if (!memory->open) return 0;
    double out_m = out_of(here, memory->open - 1);
    int64_t inside_ms = memory->inside_ms;
    int unseen = stand->idle_ms >= NO_FIX_MS && here->ms - inside_ms <= stand->idle_ms + stand->under_way_ms + BASE_MS;
    if (out_m <= stand->margin_m) memory->inside_ms = here->ms;
    else if (unseen) memory->inside_ms = here->ms - stand->under_way_ms;
    if (!(out_m > stand->vague_m + LEFT_M)) memory->outs = 0;
    else if (memory->outs < 255) memory->outs++;
    int gone = memory->outs >= LEFT_OUTS && (!stand->slow || here->ms - memory->inside_ms >= LEFT_MS);
    int drives = here->speed_mps >= SLOW_MPS;
    return (gone || (drives && out_m > stand->vague_m + FAR_M)) && memory->inside_ms != 0;
}

static int64_t nearest(const Standing *memory, const Stand *stand, const Here *here, double along_m) {
    const Plan *plan = here->plan;
    if (isnan(along_m)) return -1;
    int64_t bin = (int64_t)least(most(along_m, 0) / BIN_M, (double)(plan->bin_count - 1)), best = -1;
    int64_t first = plan->next_from[bin], past = plan->near_until[bin];
    double here_m = INFINITY, cheapest = INFINITY;
    for (int64_t row = first; row < past; row++)
        if (here->visits[row] & HERE) {
            const Stop *stop = plan->stops + row;
            double away_m = most(out_of(here, row) + stop->radius_m, 0.0);
            here_m = least(here_m, away_m + ALONG_PART * fabs(stop->along_m - along_m));
        }
    for (int64_t row = first; row < past; row++) {
        const Stop *stop = plan->stops + row;
        uint8_t counted = here->visits[row];
        double out_m = out_of(here, row), apart_m = fabs(stop->along_m - along_m);
        double away_m = most(out_m + stop->radius_m, 0.0) + ALONG_PART * apart_m;
        if (!(out_m <= stand->margin_m && apart_m <= STOP_SLACK_M && away_m + NEARER_M <= here_m)) continue;
        if ((counted & HERE) || !(is_unseen(counted) || memory->open == 0)) continue;
        double passed_over = within((double)(row - memory->last), 0, OUT_OF_TURN_STOPS);
        double cost = away_m + OUT_OF_TURN_M * passed_over + (is_served(counted) ? SERVED_M : 0.0);
        if (cost < cheapest) cheapest = cost, best = row;
    }
    return best;
}

/* Does not look next door while the van stands at the door of the stop where it is. */
static int64_t stay_at_door(const Standing *memory, const Here *here, int64_t found) {
    if (found < 0 || memory->open <= 0) return found;
    return door_m(here, memory->open - 1) + NEARER_M < door_m(here, found) ? -1 : found;
}

/* Says which of the stops at one place it is whose turn it is; -1: of none. */
static int64_t in_turn(const Here *here, const Stand *stand, int64_t last, int64_t nearest) {
    const Plan *plan = here->plan;
    const Stop *at = plan->stops + nearest;
    int64_t seen = -1, elsewhere = -1, best = -1, following = ahead_row(plan, here->visits, last);
    int best_late = 3;
    for (int64_t row = 0; row < plan->stop_count; row++) {
        if (!is_served(here->visits[row])) continue;
        const Stop *stop = plan->stops + row;
        if (hypot(stop->x_m - at->x_m, stop->y_m - at->y_m) <= NEXT_DOOR_M) seen = row;
        else elsewhere = row;
    }
    for (int64_t row = 0; row < plan->stop_count; row++) {
        const Stop *stop = plan->stops + row;
        if (!(out_of(here, row) <= stand->margin_m) || !is_unseen(here->visits[row])) continue;
        if (!(hypot(stop->x_m - at->x_m, stop->y_m - at->y_m) <= NEXT_DOOR_M)) continue;
        if (seen >= 0 && !(row < seen || elsewhere > seen)) continue;
        int late = row == following ? 0 : row < last ? 1 : 2;
        if (late < best_late) best_late = late, best = row;
    }
    return best;
}

static int64_t by_fence(const Standing *memory, const Stand *stand, const Here *here, double along_m) {
    const Plan *plan = here->plan;
    int64_t nearest = -1;
    double least_m = INFINITY;
    for (int64_t row = 0; row < plan->stop_count; row++) {
        double out_m = out_of(here, row);
        if (!(out_m <= stand->margin_m) || !is_unseen(here->visits[row])) continue;
        if (out_m + plan->stops[row].radius_m <= least_m) least_m = out_m + plan->stops[row].radius_m, nearest = row;
    }
    if (nearest < 0) return -1;
    int64_t found = in_turn(here, stand, memory->last, nearest);
    return !isnan(along_m) && found > ahead_row(plan, here->visits, memory->last) ? -1 : found;
}

static int is_together(const Plan *plan, int64_t row, int64_t other) {
    for (int32_t i = plan->together_starts[row]; i < plan->together_starts[row + 1]; i++)
        if (plan->together[i] == other) return 1;
    return 0;
}

static int64_t heed_driver(Standing *memory, const Stand *stand, const Here *here, int64_t found) {
    if (memory->by_driver && out_of(here, memory->open - 1) <= stand->margin_m) found = -1;
    int64_t left = memory->left - 1;
    if (left < 0) return found;
    if (out_of(here, left) > stand->margin_m) memory->left = memory->left_count = 0;
    else if (found < left + memory->left_count && is_together(here->plan, left, found)) found = -1;
    return found;
}

static int long_enough(const Standing *memory, const Here *here, int64_t row, double stood_ms, double least_ms) {
    double left_out = 0;
    for (int64_t before = memory->last; memory->last > 0 && before < row; before++)
        left_out += here->plan->owed[before] && here->plan->stops[before].service_s > 0 &&
                    !is_served(here->visits[before]);
    double times = is_unseen(here->visits[row]) ? least(most(left_out, 1), OUT_OF_TURN_STOPS) : AGAIN_TIMES;
    return stood_ms >= times * least_ms;
}

static int is_free(const Standing *memory, const Here *here, int64_t before, int gone) {
    if (memory->open == 0 || (gone && memory->inside_ms < memory->candidate_ms)) return 1;
    if (before < 0 || memory->inside_ms == 0) return 0;
    return ahead_row(here->plan, here->visits, memory->last) == before;
}

static void stood(Standing *memory, const Stand *stand, const Here *here, Told *told) {
    int64_t ms = here->ms, lately_ms = stand->idle_ms, found = told->row, before = memory->candidate - 1;
    int same = found >= 0 && found == before, drove = memory->idle_ms < 0, silent = lately_ms >= NO_FIX_MS;
    int64_t idle_ms = (before >= 0 ? memory->idle_ms : 0) + lately_ms;
    if (drove) idle_ms -= (int64_t)(DROVE_PART * (double)stand->under_way_ms);
    int hidden = silent && memory->open == 0 && stand->under_way_ms <= UNSEEN_MS;
    int64_t hidden_ms = hidden ? lately_ms : 0, since_ms = found >= 0 ? ms - hidden_ms : 0;
    if (same && (stand->slow || idle_ms >= IDLE_MS)) since_ms = memory->candidate_ms;
    double stood_ms = (double)(ms - since_ms);
    told->arriving = same && stand->slow && stood_ms >= (told->own_way ? OFF_PATH_MS : DWELL_MS) &&
                     (told->own_way || long_enough(memory, here, found, stood_ms, DWELL_MS));
    double enough_ms = within(IDLE_PART * (double)(ms - memory->candidate_ms), IDLE_LEAST_MS, IDLE_MS);
    int passed = before >= 0 && !same && is_unseen(here->visits[before]) && (double)idle_ms >= enough_ms &&
                 long_enough(memory, here, before, (double)idle_ms, enough_ms);
    int moved_on = told->gone || found >= 0 || memory->outs > 0;
    told->passed = passed && is_free(memory, here, moved_on ? before : -1, told->gone);
    told->since_ms = since_ms;
    told->before = before;
    told->first_ms = memory->candidate_ms;
    told->last_ms = memory->once_ms + (silent ? lately_ms : 0);
    told->idle_ms = idle_ms;
    memory->candidate = (int16_t)(found + 1);
    memory->candidate_ms = since_ms;
    memory->once_ms = found >= 0 ? ms : 0;
    int drives = here->speed_mps > SLOW_MPS || told->own_way;
    int64_t begins_ms = drives ? hidden_ms - (int64_t)DROVE_MS : lately_ms;
    if (!(same && (!drove || idle_ms >= IDLE_MS))) idle_ms = begins_ms;
    memory->idle_ms = found < 0 ? 0 : idle_ms;
}

void look_at_stops(Standing *memory, Stand *stand, const Here *here, double along_m, Told *told) {
    told->was_off = isnan(memory->along_m);
    told->slow = (uint8_t)stand->slow;
    tell_idle(memory, stand, along_m);
    told->gone = (uint8_t)away(memory, stand, here);
    int64_t found = stay_at_door(memory, here, nearest(memory, stand, here, along_m));
    int own_way = stand->slow && found < 0 && memory->open == 0;
    if (own_way) found = by_fence(memory, stand, here, along_m);
    told->own_way = own_way && found >= 0;
    told->row = memory->by_driver || memory->left ? heed_driver(memory, stand, here, found) : found;
    stood(memory, stand, here, told);
}
