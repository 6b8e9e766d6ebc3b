/* geo/snap/snap.py and geo/snap/left_out.py: hypotheses moved, weighed and gathered, and what is told of them. */

#include <math.h>
#include <string.h>

#include "step.h"

/* A place that a hypothesis moves to, with its weight. */
typedef struct {
    Place at;
    double weight, start_m;
    int slot, off;
} Move;

static double smoothed(const Snap *memory) {
    double east = memory->east_mps, north = memory->north_mps;
    return sqrt(east * east + north * north);
}

static double pace_of(Snap *memory, int began, double seconds, double x_m, double y_m) {
    double since_s = most(seconds, 1e-3), share = began ? 0.0 : seconds / (seconds + PACE_S);
    double east = began ? 0.0 : (x_m - memory->fix_x_m) / since_s;
    double north = began ? 0.0 : (y_m - memory->fix_y_m) / since_s;
    memory->east_mps = (float)(memory->east_mps + share * (east - memory->east_mps));
    memory->north_mps = (float)(memory->north_mps + share * (north - memory->north_mps));
    memory->fix_x_m = (float)x_m;
    memory->fix_y_m = (float)y_m;
    return smoothed(memory);
}

static double crept_of(double before_mps, double told_mps, double pace_mps, double seconds) {
    int slow = before_mps < SLOW_MPS && told_mps < SLOW_MPS && pace_mps <= FAST_MPS && seconds < STILL_S;
    return slow ? (before_mps + told_mps) / 2 * seconds : INFINITY;
}

static Fix seen(Snap *memory, int began, const Here *here, double *pace_mps) {
    double told_mps = here->speed_mps <= BELIEVED_MPS ? here->speed_mps : NAN;
    Fix fix = {.x_m = here->x_m, .y_m = here->y_m};
    fix.seconds = began ? 0.0 : (double)(here->ms - memory->ms) / 1000;
    fix.full = began ? 1.0 : least(fix.seconds / EVIDENCE_S, 1.0);
    double paced_mps = smoothed(memory);
    *pace_mps = pace_of(memory, began, fix.seconds, here->x_m, here->y_m);
    fix.crept_m = crept_of(memory->speed_mps, told_mps, least(paced_mps, *pace_mps), fix.seconds);
    memory->speed_mps = (float)told_mps;
    int told = !isnan(here->heading_deg) && told_mps > HEADING_MPS;
    int moving = !told && *pace_mps > FAST_MPS && !(told_mps <= HEADING_MPS);
    sin_cos(told ? here->heading_deg : 0.0, &fix.east, &fix.north);
    if (moving) {
        fix.east = memory->east_mps / most(*pace_mps, 1.0);
        fix.north = memory->north_mps / most(*pace_mps, 1.0);
    }
    fix.turn = told || moving ? TURN : 0.0;
    if (!isnan(told_mps)) *pace_mps = told_mps;
    double accuracy_m = isnan(here->accuracy_m) ? UNSAID_TO_SNAP_M : here->accuracy_m;
    fix.error_m = OPTIMISM * within(accuracy_m, BEST_M, VAGUEST_M);
    fix.sigma_m = sqrt(fix.error_m * fix.error_m + squared(*pace_mps < SLOW_MPS ? WALK_M : VAN_M));
    fix.vague_mps = isnan(told_mps) ? UNTOLD_MPS : TOLD_PART * told_mps + TOLD_MPS;
    return fix;
}

/* geo.snap.left_out.OpenStops.behind */
static int32_t open_behind(const Plan *plan, const int32_t *open_before, double along_m) {
    double key = rint(fmax(along_m - PAST_M, 0.0) * 1000);
    int64_t low = 0, high = plan->stop_count;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (rint(plan->stops[middle].along_m * 1000) < key) low = middle + 1;
        else high = middle;
    }
    return open_before[low];
}

/* geo.snap.left_out.weigh */
static void weigh(Move *moves, int count, const Here *here, int32_t *open_before) {
    const Plan *plan = here->plan;
    double before = 0.0, after = 0.0, weighed[ALL_PLACES];
    int any = 0;
    open_before[0] = 0;
    for (int64_t row = 0; row < plan->stop_count; row++)
        open_before[row + 1] = open_before[row] + !is_served(here->visits[row]);
    for (int i = 0; i < count; i++) {
        const Move *move = moves + i;
        int32_t was = open_behind(plan, open_before, move->start_m);
        int32_t is_now = open_behind(plan, open_before, move->at.along_m);
        weighed[i] = move->weight;
        if (is_now != was && !isnan(move->start_m)) {
            double ratio = (double)(1 + was) / (double)(1 + is_now);
            weighed[i] = move->weight * ratio * sqrt(ratio);
            any = 1;
        }
        before += move->off ? 0.0 : move->weight;
        after += move->off ? 0.0 : weighed[i];
    }
    double kept = after > 0 ? before / after : 1.0;
    for (int i = 0; any && i < count; i++) moves[i].weight = (moves[i].off ? 1.0 : kept) * weighed[i];
}

/* Moves one hypothesis, `slot` of them, to where it may be now; tells what the fix alone costs at best. */
static double move_one(const From *start, int slot, double given, const Here *here, const Fix *fix, Scratch *scratch,
                       Move *moves, int *count) {
    Place found[PLACES];
    double beside = candidates_of(here->plan, start, fix, scratch, found);
    for (int i = 0; i < PLACES; i++) {
        if (!(found[i].cost < INFINITY)) continue;
        Move *move = moves + (*count)++;
        move->at = found[i];
        move->slot = slot * PLACES + i;
        move->off = start->anywhere;
        move->start_m = start->along_m;
        move->weight = given * raised(-found[i].cost);
    }
    return beside;
}

/* Makes one hypothesis of places that are one, and keeps the heaviest; writes them and what they lie off the fix. */
static void gather(Snap *memory, const Move *moves, int count, double stayed, double offset_m[HYPOTHESES]) {
    double weight[ALL_PLACES] = {0}, picked[HYPOTHESES] = {0};
    const Place *at[ALL_PLACES] = {0}, *best[HYPOTHESES] = {0};
    for (int i = 0; i < count; i++) {
        weight[moves[i].slot] = moves[i].weight;
        at[moves[i].slot] = &moves[i].at;
    }
    double total = 0.0;
    int found = 0;
    for (; found < HYPOTHESES; found++) {
        int heaviest = 0;
        for (int i = 1; i < ALL_PLACES; i++)
            if (weight[i] > weight[heaviest]) heaviest = i;
        if (!(weight[heaviest] > 0)) break;
        best[found] = at[heaviest];
        for (int i = 0; i < ALL_PLACES; i++) {
            if (!at[i] || !(fabs(at[i]->along_m - best[found]->along_m) <= APART_M)) continue;
            picked[found] += weight[i];
            weight[i] = 0.0;
        }
        total += picked[found];
    }
    total += stayed;
    for (int i = 0; i < found; i++) picked[i] /= total;
    for (int i = 1; i < found; i++) { /* the heaviest first, equals as they came */
        double one = picked[i];
        const Place *place = best[i];
        int k = i;
        for (; k > 0 && picked[k - 1] < one; k--) picked[k] = picked[k - 1], best[k] = best[k - 1];
        picked[k] = one, best[k] = place;
    }
    for (int i = 0; i < HYPOTHESES; i++) {
        static const Hypothesis NONE;
        memory->on[i] = NONE;
        offset_m[i] = 0.0;
        if (i >= found || !(picked[i] >= LEAST_WEIGHT)) continue;
        memory->on[i].weight = (float)picked[i];
        memory->on[i].along_m = best[i]->along_m;
        memory->on[i].x_m = (float)best[i]->x_m;
        memory->on[i].y_m = (float)best[i]->y_m;
        offset_m[i] = best[i]->offset_m;
    }
    memory->off_weight = (float)(stayed / total);
}

static void leave_from(Snap *memory, double along_m, int sure, double seconds) {
    double ahead_m = along_m - memory->left_m;
    int jumped = sure && (ahead_m < -JUMP_M || ahead_m > JUMP_M + REACH_MPS * seconds);
    int is_one = memory->before_m == memory->left_m;
    if (jumped) memory->joined_m = along_m, memory->served = 0;
    if (sure && !jumped && (is_one || along_m - memory->joined_m > MEANT_M)) memory->before_m = along_m;
    if (sure) memory->left_m = along_m;
}

/* geo.snap.by_speed.told_at: `at` holds the place of the fix alone; gives how far off along_m may be, squared. */
static double told_at(const Snap *memory, float before_mps, const Plan *plan, const Fix *fix, Place *at) {
    double from_mps = before_mps < SLOW_MPS ? 0.0 : before_mps;
    double to_mps = memory->speed_mps < SLOW_MPS ? 0.0 : memory->speed_mps;
    double mean_mps = (from_mps + to_mps) / 2, unsure_mps = SPEED_PART * mean_mps + SPEED_MPS;
    double led_m = memory->along_m + mean_mps * fix->seconds;
    double led_m2 = memory->told_m2 + unsure_mps * unsure_mps * (fix->seconds * most(fix->seconds, EVIDENCE_S));
    double fix_m2 = fix->error_m * fix->error_m;
    if (!(fix->error_m > SHARP_M && fabs(at->along_m - led_m) <= SPEED_ERRORS * fix->error_m && led_m2 > 0))
        return fix_m2;
    double weight = led_m2 * fix->full, share = weight / (weight + fix_m2 - SHARP_M * SHARP_M);
    double ends_m = least(led_m, plan->path_along_m[plan->path_count - 1]);
    at->along_m = ends_m + share * (at->along_m - ends_m);
    place_at(plan, at->along_m, &at->x_m, &at->y_m);
    return share < 1 ? (1 - share) * led_m2 : fix_m2;
}

static void tell(Snap *memory, float before_mps, const Here *here, const Fix *fix, double offset_m, Told *told) {
    double off = memory->off_weight;
    const Hypothesis first = memory->on[0];
    int was_off = memory->off, never = isnan(memory->along_m);
    int is_off = was_off ? off > BACK_AT : !never && off >= OFF_AT;
    int doubt = is_off || off > DOUBT_AT;
    int64_t since_ms = memory->doubt_ms == UNKNOWN_MS ? here->ms : memory->doubt_ms;
    memory->off = (uint8_t)is_off;
    memory->doubt_ms = doubt ? since_ms : UNKNOWN_MS;
    int tells = first.weight > 0 && !doubt;
    if (tells) {
        Place at = {.along_m = first.along_m, .x_m = first.x_m, .y_m = first.y_m};
        memory->told_m2 = (float)told_at(memory, before_mps, here->plan, fix, &at);
        memory->along_m = at.along_m;
        memory->path_x_m = at.x_m;
        memory->path_y_m = at.y_m;
    } else
        memory->told_m2 = NAN;
    leave_from(memory, first.along_m, tells && off < SURE_AT, fix->seconds);
    double spread = 0.0;
    for (int i = 0; i < HYPOTHESES; i++)
        spread += memory->on[i].weight * squared(memory->on[i].along_m - first.along_m);
    int nowhere = is_off || isnan(memory->along_m);
    told->along_m = nowhere ? NAN : memory->along_m;
    told->offset_m = nowhere ? NAN : offset_m;
    told->x_m = nowhere ? NAN : memory->path_x_m;
    told->y_m = nowhere ? NAN : memory->path_y_m;
    told->along_sd_m = nowhere ? NAN : sqrt(spread + fix->sigma_m * fix->sigma_m);
    told->on_route_p = 1 - off;
    told->on_route = !nowhere;
    told->went_off = is_off && !was_off;
    told->came_back = was_off && !is_off;
    told->off_ms = since_ms;
}

void snap(Snap *memory, const Here *here, const Door *doors, int64_t door_count, Scratch *scratch, Told *told) {
    int began = memory->ms == UNKNOWN_MS, count = 0;
    double pace_mps, beside = INFINITY, offset_m[HYPOTHESES];
    float before_mps = memory->speed_mps;
    Fix fix = seen(memory, began, here, &pace_mps);
    Move moves[ALL_PLACES];
    double off = memory->off_weight;
    double leave = began ? 0.0 : within(pace_mps * fix.seconds / LEAVE_M, LEAST_WEIGHT, LEAVE_AT_MOST);
    double back = began ? RETURN_AT_MOST : least(fix.seconds / RETURN_S, RETURN_AT_MOST);
    for (int i = 0; i < HYPOTHESES; i++) {
        const Hypothesis *one = memory->on + i;
        if (!(one->weight > 0)) continue;
        double reach_m = one->along_m + (AHEAD_M + REACH_MPS * fix.seconds);
        From start = {0, one->along_m - BEHIND_M, reach_m, one->along_m, memory->before_m, one->x_m, one->y_m};
        double given = one->weight * (1 - leave);
        beside = least(beside, move_one(&start, i, given, here, &fix, scratch, moves, &count));
    }
    int everywhere = began || off > SEARCH_AT;
    if (everywhere || (memory->before_m != memory->left_m && !memory->served)) {
        From anywhere = {1, -INFINITY, INFINITY, memory->left_m, memory->before_m, 0.0, 0.0};
        double given = off * back;
        if (!everywhere) {
            anywhere.along_m = memory->before_m;
            anywhere.low_m = memory->before_m - RETURN_BEHIND_M;
            anywhere.high_m = memory->before_m + MEANT_M;
            given = (1 - off) * back * raised(least(join(memory->joined_m - memory->before_m) - BY_THE_WAY, 0.0));
        }
        int first = count;
        beside = least(beside, move_one(&anywhere, HYPOTHESES, given, here, &fix, scratch, moves, &count));
        for (; isnan(memory->along_m) && first < count; first++) moves[first].start_m = NAN;
    }
    double alike = raised(-ALIKE * fix.full - beside);
    double stayed = (off * (1 - back) + leave * (1 - off)) * most(alike, 1.0);
    weigh(moves, count, here, scratch->open_before);
    gather(memory, moves, count, stayed, offset_m);
    memory->ms = here->ms;
    pull(memory, doors, door_count, &fix, offset_m);
    tell(memory, before_mps, here, &fix, offset_m[0], told);
}
