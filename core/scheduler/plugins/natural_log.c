#include "core/scheduler/plugins/plugins.h"

/* n = 2^k * m with m in (2/3, 4/3]; ln m = 2 artanh((m-1)/(m+1)) by its series, whose terms fall by
 * 25 times each. */
double
natural_log(int n)
{
    const double ln2 = 0.69314718055994530942;
    double m = (double)n;
    int k = 0;
    while (m > 4.0 / 3.0) {
        m *= 0.5;
        k++;
    }
    double z = (m - 1.0) / (m + 1.0), square = z * z, sum = 0;
    for (int i = 25; i >= 1; i -= 2)
        sum = sum * square + 1.0 / (double)i;
    return (double)k * ln2 + 2.0 * z * sum;
}
