/* geo.snap.likelihood.exp and geo.shape.plane.sin_cos: the same bits everywhere. */

#include <math.h>

#include "step.h"

static const double *SINES, *COSINES; /* of whole degrees from -360 */

void use_sines(const double *sines, const double *cosines) {
    SINES = sines;
    COSINES = cosines;
}

double raised(double x) {
    if (x < -138.0) return 0.0;
    double y = within(x, -138.0, 41.0) * 1.4426950408889634;
    double whole = rint(y);
    double r = (y - whole) * 0.6931471805599453;
    double series = 1.0 / 720 + r * (1.0 / 5040);
    series = 1.0 / 120 + r * series;
    series = 1.0 / 24 + r * series;
    series = 1.0 / 6 + r * series;
    series = 1.0 / 2 + r * series;
    series = 1 + r * series;
    series = 1 + r * series;
    union {
        int64_t bits;
        double value;
    } power = {((int64_t)whole + 1023) << 52}; /* two to the whole */
    return power.value * series;
}

void sin_cos(double degrees, double *sine, double *cosine) {
    double whole = rint(degrees);
    int row = (int)whole + 360;
    double rest = (degrees - whole) * (3.14159265358979323846 / 180);
    double r2 = rest * rest;
    double sin_rest = rest * (1 - r2 * (1.0 / 6 - r2 * (1.0 / 120 - r2 * (1.0 / 5040))));
    double cos_rest = 1 - r2 * (1.0 / 2 - r2 * (1.0 / 24 - r2 * (1.0 / 720 - r2 * (1.0 / 40320))));
    *sine = SINES[row] * cos_rest + COSINES[row] * sin_rest;
    *cosine = COSINES[row] * cos_rest - SINES[row] * sin_rest;
}
