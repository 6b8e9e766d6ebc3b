/* geo.step.doors.doors_of and geo/snap/doors.py: at which doors a van stands, and what that says. */

#include <math.h>

#include "step.h"

int64_t doors_of(const Standing *memory, const Stand *stand, const Here *here, Door *doors) {
    int at_stop = has_stayed(memory);
    int64_t since_ms = at_stop ? memory->arrived_ms : memory->stands.ms;
    double stood_s = stand->slow ? (double)(here->ms - since_ms) / 1000 : 0.0;
    int64_t count = 0, last = here->plan->stop_count - 1;
    if (!(stood_s >= UNSAID_S)) return 0;
    for (int64_t row = 0; row <= last; row++) {
        if (at_stop && !(here->visits[row] & HERE)) continue;
        double out_m = out_of(here, row) - stand->margin_m;
        if (!(out_m <= BESIDE_M)) continue;
        const Stop *stop = here->plan->stops + row;
        Door *door = doors + count++;
        door->along_m = stop->along_m;
        place_at(here->plan, stop->along_m, &door->x_m, &door->y_m);
        door->low_m = at_stop ? stop->along_m - STOP_SLACK_M : row == 0 ? -INFINITY : stop[-1].along_m - OWN_M;
        door->high_m = at_stop ? stop->along_m + STOP_SLACK_M : row == last ? INFINITY : stop[1].along_m + OWN_M;
        door->door_x_m = stop->x_m;
        door->door_y_m = stop->y_m;
        door->inside = out_m <= 0;
        door->may_enter = !at_stop || memory->last == row + 1;
        door->is_open = is_unseen(here->visits[row]);
        door->stood_s = stood_s;
    }
    return count;
}

static double said(double long_s) { return least(most(long_s, 0.0) / DOOR_S, SURELY); }

static double far(double ahead_m) {
    return ahead_m > 0 ? least(ahead_m * (1 / DOOR_AHEAD_M), DOOR_FAR)
                       : least(-ahead_m * (1 / DOOR_BEHIND_M), DOOR_FAR_BEHIND);
}

static double out_of_turn(const Snap *memory, const Door *door) {
    int left_out = door->is_open && door->along_m < memory->left_m;
    double cost = far(door->along_m - memory->left_m) + (left_out ? DOOR_LEFT_OUT : DOOR);
    double back = far(door->along_m - memory->before_m) + DOOR_BACK;
    return door->is_open && memory->before_m != memory->left_m ? least(cost, back) : cost;
}

/* A hypothesis while it is weighed. */
typedef struct {
    double along_m, x_m, y_m, offset_m, weight;
} Pulled;

static double sum(const double *of) {
    double total = of[0];
    for (int i = 1; i < HYPOTHESES; i++) total += of[i];
    return total;
}

static void to_door(Pulled *of, const Door *door, double offset_m, double least_weight) {
    double near[HYPOTHESES];
    int best = 0;
    for (int i = 0; i < HYPOTHESES; i++) {
        near[i] = fabs(of[i].along_m - door->along_m) <= STOP_SLACK_M ? of[i].weight : 0.0;
        double closer_m = fabs(of[best].along_m - door->along_m) - fabs(of[i].along_m - door->along_m);
        if (near[i] > 0 && (!(near[best] > 0) || closer_m > 0)) best = i;
    }
    double lacks = least_weight - sum(near);
    if (!(lacks > 0)) return;
    if (near[best] == 0) {
        best = 0;
        for (int i = 1; i < HYPOTHESES; i++)
            if (of[i].weight < of[best].weight) best = i;
        Pulled anew = {door->along_m, door->x_m, door->y_m, offset_m, 0.0};
        of[best] = anew;
    }
    of[best].weight += lacks;
}

static int has_door(const Pulled *of, const Door *door) {
    return of->along_m >= door->low_m && of->along_m <= door->high_m;
}

static double to_door_squared(const Door *door, const Fix *fix) {
    return squared(fix->x_m - door->door_x_m) + squared(fix->y_m - door->door_y_m);
}

/* Says what the fix says for a driver who walks from the van to a door. */
static double walked(const Pulled *of, const Door *doors, int64_t count, const Fix *fix) {
    double gain = 0.0, weighed = 0.5 / squared(fix->sigma_m), most_cost = FAR_COST + NEAR_GAIN;
    for (int64_t k = 0; k < count; k++) {
        if (!doors[k].inside || !doors[k].may_enter) continue;
        int i = 0;
        while (i < HYPOTHESES && !(of[i].weight > 0 && has_door(of + i, doors + k))) i++;
        if (i == HYPOTHESES) continue;
        double dx = doors[k].door_x_m - of[i].x_m, dy = doors[k].door_y_m - of[i].y_m;
        double px = fix->x_m - of[i].x_m, py = fix->y_m - of[i].y_m;
        double part = within((px * dx + py * dy) / most(dx * dx + dy * dy, 1.0), 0.0, 1.0);
        double beside = squared(px - part * dx) + squared(py - part * dy);
        double stayed_cost = least((px * px + py * py) * weighed, most_cost);
        gain = most(gain, (stayed_cost - least(beside * weighed, most_cost)) * fix->full);
    }
    return gain;
}

/* Lets those without a door, or with a farther one, lose weight; gives the weight of all that have none, the one off
   the path included. */
static double let_lose(Pulled *of, const Door *doors, int64_t count, double speaks, double off, const Fix *fix) {
    double lost[HYPOTHESES], nearest = INFINITY, weighed = 0.5 / (NEARER_DOOR_M * NEARER_DOOR_M * SURELY);
    for (int64_t k = 0; k < count; k++)
        if (doors[k].inside) nearest = least(nearest, to_door_squared(doors + k, fix));
    for (int i = 0; i < HYPOTHESES; i++) {
        double part = 1.0;
        for (int64_t k = 0; k < count; k++)
            if (has_door(of + i, doors + k))
                part = least(part, most(to_door_squared(doors + k, fix) - nearest, 0.0) * weighed);
        of[i].weight = raised(-(part * speaks)) * of[i].weight;
        lost[i] = part * of[i].weight;
    }
    return sum(lost) + off;
}

void pull(Snap *memory, const Door *doors, int64_t count, const Fix *fix, double offset_m[HYPOTHESES]) {
    Pulled of[HYPOTHESES];
    double weight[HYPOTHESES];
    int any = 0;
    for (int64_t k = 0; k < count; k++) any |= doors[k].inside;
    if (!any) return;
    double long_s = doors[0].stood_s - UNSAID_S;
    double now = said(long_s);
    for (int i = 0; i < HYPOTHESES; i++) {
        const Hypothesis *one = memory->on + i;
        Pulled each = {one->along_m, one->x_m, one->y_m, offset_m[i], one->weight};
        of[i] = each;
    }
    double speaks = now - said(long_s - fix->seconds) + walked(of, doors, count, fix);
    double off = raised(-speaks) * memory->off_weight, rest = let_lose(of, doors, count, speaks, off, fix);
    for (int64_t k = 0; k < count; k++) {
        if (!doors[k].inside || !doors[k].may_enter) continue;
        double away = squared(fix->x_m - doors[k].x_m) + squared(fix->y_m - doors[k].y_m);
        double unlikely = now - out_of_turn(memory, doors + k) - away * (0.5 / squared(fix->sigma_m));
        double enters = raised(unlikely) * rest;
        if (enters >= LEAST_WEIGHT) to_door(of, doors + k, sqrt(away), enters);
    }
    for (int i = 1; i < HYPOTHESES; i++) { /* the heaviest first, equals as they came */
        Pulled one = of[i];
        int k = i;
        for (; k > 0 && of[k - 1].weight < one.weight; k--) of[k] = of[k - 1];
        of[k] = one;
    }
    for (int i = 0; i < HYPOTHESES; i++) weight[i] = of[i].weight;
    double total = sum(weight) + off;
    for (int i = 0; i < HYPOTHESES; i++) {
        Hypothesis one = {(float)(of[i].weight / total), (float)of[i].x_m, (float)of[i].y_m, of[i].along_m};
        memory->on[i] = one;
        offset_m[i] = of[i].offset_m;
    }
    memory->off_weight = (float)(off / total);
}
