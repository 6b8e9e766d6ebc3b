/* One fix each of drivers on a plan: what geo/snap and geo/visits say in NumPy, van by van and with the same bits.

   Each function has the name of the one it follows. No product is fused with a sum (-ffp-contract=off), and sums run
   in the order of the arrays, so that IEEE 754 leaves no choice. */

#ifndef STEP_H
#define STEP_H

#include <stdint.h>

enum { HYPOTHESES = 6, ROUNDS = 3, PLACES = ROUNDS + 1, ALL_PLACES = (HYPOTHESES + 1) * PLACES, MAX_STOPS = 512 };

/* The numbers of geo's pages by their names there; `step_use` gives them their values. */
#define NUMBERS(X) \
    X(AGAIN_TIMES) X(AHEAD_M) X(ALIKE) X(ALONG_PART) X(ANYWHERE) X(ANYWHERE_BEHIND) X(APART_M) X(BACK_AT) X(BACK_M) \
    X(BASE_MS) X(BEFORE) X(BEHIND_M) X(BELIEVED_MPS) X(BESIDE_M) X(BEST_M) X(BEYOND_M) X(BIN_M) X(BY_THE_WAY) X(DETOUR) \
    X(DETOUR_M) X(DETOUR_MPS) X(DOOR) X(DOOR_AHEAD_M) X(DOOR_BACK) X(DOOR_BEHIND_M) X(DOOR_FAR) X(DOOR_FAR_BEHIND) \
    X(DOOR_LEFT_OUT) X(DOOR_S) X(DOUBT_AT) X(DROVE_MS) X(DROVE_PART) X(DWELL_MS) X(EVIDENCE_S) X(FAR_COST) X(FAR_M) \
    X(FAST_MPS) X(HEADING_MPS) X(IDLE_LEAST_MS) X(IDLE_MS) X(IDLE_PART) X(JUMP_M) X(LEAST_WEIGHT) X(LEAVE_AT_MOST) \
    X(LEAVE_M) X(LEFT_M) X(LEFT_MS) X(LEFT_OUTS) X(MARGIN) X(MARGIN_VAGUEST_M) X(MEANT_M) X(NEARER_DOOR_M) X(NEARER_M) \
    X(NEAR_GAIN) X(NEXT_DOOR_M) X(NO_FIX_MS) X(OFF_AT) X(OFF_PATH_MS) X(OPTIMISM) X(OUT_OF_TURN_M) \
    X(OUT_OF_TURN_STOPS) X(OVER_ERROR) X(OVER_M) X(OVER_MOVED) X(OWN_M) X(PACE_S) X(PAST_M) X(PIN_M) X(REACH_MPS) \
    X(RETURN_AHEAD_M) X(RETURN_AT_MOST) X(RETURN_BEHIND_M) X(RETURN_S) X(SEARCH_AT) X(SERVED_M) X(SHARP_M) X(SLOW_MPS) \
    X(SPEED_ERRORS) X(SPEED_MPS) X(SPEED_PART) X(STILL_S) X(STOP_SLACK_M) X(SURELY) X(SURE_AT) X(TOLD_MPS) \
    X(TOLD_PART) X(TURN) X(TURN_FREE) X(TURN_ROUND_S) X(TYPICAL_MPS) X(UNDER_ERROR) X(UNDER_M) X(UNDER_MOVED) \
    X(UNSAID_AT_STOP_M) X(UNSAID_S) X(UNSAID_TO_SNAP_M) X(UNSEEN_MS) X(UNTOLD_MPS) X(VAGUEST_M) X(VAN_M) X(WALK_M)

#define DECLARED(name) extern double name;
NUMBERS(DECLARED)

#define UNKNOWN_MS INT64_MIN

/* Of a byte that counts visits: geo/visits/tour.py. */
enum { DONE = 0x80, AWAITED = 0x40, HERE = 0x20, VISITS = 0x1f };

/* geo.plan.plans.Plan, where its arrays are. */
typedef struct {
    double x, y, dx, dy, inverse, along_m, length_m;
} Segment;

typedef struct {
    double x_m, y_m, radius_m, along_m, service_s;
} Stop;

typedef struct {
    double due_ms, done_ms, along_m;
} Due;

typedef struct {
    const Segment *segments;
    const double *path_along_m;
    const Stop *stops;
    const int32_t *segment_at, *next_from, *near_until;
    const int32_t *together, *together_starts; /* those of the k-th stop from together_starts[k] to [k + 1] */
    const uint8_t *owed;
    const int64_t *stop_ids;
    const Due *timetable;
    int64_t segment_count, path_count, stop_count, bin_count, is_timed, start_ms;
} Plan;

#pragma pack(push, 1)

/* geo.snap.snap.SNAP */
typedef struct {
    float weight, x_m, y_m;
    double along_m;
} Hypothesis;

typedef struct {
    Hypothesis on[HYPOTHESES];
    float off_weight;
    double left_m, joined_m, before_m;
    uint8_t served;
    int64_t ms, doubt_ms;
    uint8_t off;
    float fix_x_m, fix_y_m, east_mps, north_mps;
    double along_m, path_x_m, path_y_m;
    float told_m2, speed_mps;
} Snap;

/* geo.visits.standing.STANDING */
typedef struct {
    int64_t ms;
    double x_m, y_m;
} Base;

typedef struct {
    int16_t open;
    int64_t arrived_ms, inside_ms;
    uint8_t outs;
    int16_t last, candidate;
    int64_t candidate_ms, once_ms, idle_ms;
    double along_m;
    Base base[2], stands;
    uint8_t drove, by_driver;
    int16_t said, left, left_count, closed, closed_count;
    int64_t closed_ms;
} Standing;

/* What comes of a fix: geo.step.compiled.TOLD */
typedef struct {
    double along_m, offset_m, x_m, y_m, along_sd_m, on_route_p;
    int64_t off_ms, row, since_ms, before, first_ms, last_ms, idle_ms;
    uint8_t on_route, went_off, came_back, slow, gone, own_way, arriving, passed, was_off;
} Told;

/* geo.step.told.GOING */
typedef struct {
    double along_m;
    int64_t ms, arrived_ms, last;
    uint8_t at_stop, worded;
} Going;

#pragma pack(pop)

/* One fix of one van; all but the numbers of the phone are known. */
typedef struct {
    const Plan *plan;
    const uint8_t *visits;
    int64_t ms;
    double x_m, y_m, accuracy_m, speed_mps, heading_deg;
} Here;

/* geo.snap.likelihood.Fix */
typedef struct {
    double seconds, full, x_m, y_m, error_m, sigma_m, vague_mps, crept_m, east, north, turn;
} Fix;

/* geo.visits.standing.Stand, and what is measured with the place on the path */
typedef struct {
    int slow;
    int64_t gap_ms, idle_ms, under_way_ms;
    double straight_m, vague_m, margin_m;
} Stand;

/* A place on a path where a hypothesis may be. */
typedef struct {
    double along_m, x_m, y_m, offset_m, cost;
} Place;

/* A stop at whose door a van stands: geo.snap.doors.Doors */
typedef struct {
    double along_m, x_m, y_m, door_x_m, door_y_m, low_m, high_m, stood_s;
    int inside, is_open, may_enter;
} Door;

/* geo.visits.standing.has_stayed */
static inline int has_stayed(const Standing *memory) {
    return memory->open > 0 && memory->outs == 0 && !memory->drove;
}

/* Room for what a van's step lists, as long as its plan needs. */
typedef struct {
    Place *places;
    double *places_of_fix; /* what the fix alone costs there */
    Door *doors;
    int32_t *open_before; /* how many stops before each are open, and before the end */
} Scratch;

static inline double least(double a, double b) { return a < b ? a : b; }
static inline double most(double a, double b) { return a > b ? a : b; }
static inline double within(double x, double low, double high) { return least(most(x, low), high); }
static inline double squared(double x) { return x * x; }
static inline int is_served(uint8_t visits) { return (visits & (DONE | VISITS)) && !(visits & AWAITED); }
static inline int is_unseen(uint8_t visits) { return !(visits & VISITS) || (visits & AWAITED); }

/* math.c */
double raised(double x);
void sin_cos(double degrees, double *sine, double *cosine);
void use_sines(const double *sines, const double *cosines);

/* path.c, tour.c */
void place_at(const Plan *plan, double along_m, double *x_m, double *y_m);
int64_t ahead_row(const Plan *plan, const uint8_t *visits, int64_t last);
int64_t next_row(const Plan *plan, const uint8_t *visits, const Going *going);
double delay_s(const Plan *plan, const uint8_t *visits, const Going *going, int64_t row);
double door_m(const Here *here, int64_t row);
double out_of(const Here *here, int64_t row);

/* snap.c */
void snap(Snap *memory, const Here *here, const Door *doors, int64_t door_count, Scratch *scratch, Told *told);

/* candidates.c */
typedef struct {
    int anywhere;
    double low_m, high_m, along_m, before_m, x_m, y_m;
} From;
double join(double ahead_m);
double candidates_of(const Plan *plan, const From *start, const Fix *fix, Scratch *scratch, Place found[PLACES]);

/* doors.c */
int64_t doors_of(const Standing *memory, const Stand *stand, const Here *here, Door *doors);
void pull(Snap *memory, const Door *doors, int64_t count, const Fix *fix, double offset_m[HYPOTHESES]);

/* stops.c */
Stand stand_of(Standing *memory, const Here *here);
void look_at_stops(Standing *memory, Stand *stand, const Here *here, double along_m, Told *told);

#endif
