/* `timonel bench`: figures of the program itself. Each benchmark is one file; its figures are lines
 * of JSON on standard output, words for people go to standard error. None is ever part of a timed
 * test. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/object/value.h"

typedef struct BenchOptions {
    int nodes, pods, deployments, connections, events; /* 0: the benchmark's own default */
    int seconds;                  /* for those that measure a rate; 0: 3 */
} BenchOptions;

/* Processor and wall time since a moment. */
typedef struct BenchTimer {
    int64_t wall_us, cpu_us;
} BenchTimer;

BenchTimer bench_timer_start(void);
double bench_timer_wall(const BenchTimer *timer); /* seconds */
double bench_timer_cpu(const BenchTimer *timer);
double bench_peak_rss_mb(void);
double bench_rss_mb(int pid); /* of a process as it is now; 0: ourselves */

/* Prints {name, value, unit, ...sizes, transport, store, cpu_seconds, peak_rss_mb}. `sizes` is a
 * map (taken). */
void bench_report(const char *name, double value, const char *unit, Value *take_sizes,
                  const char *transport, const char *store, double cpu_seconds);

/* Each returns false and sets the error when something that it stands on failed. `what`: a variant,
 * or NULL for all. */
bool bench_engine(const BenchOptions *options, const char *what, GError **error);
bool bench_scheduler(const BenchOptions *options, const char *what, GError **error);
bool bench_cluster(const BenchOptions *options, const char *what, GError **error);
bool bench_http(const BenchOptions *options, const char *what, GError **error);
bool bench_start(const BenchOptions *options, const char *what, GError **error);
