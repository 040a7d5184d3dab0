#include "cli/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "cli/command.h"
#include "core/object/json.h"
#include "sim/engine/engine.h"

/* ---- measuring
 * ----------------------------------------------------------------------------------------------------
 */

static int64_t
cpu_us(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * INT64_C(1000000) +
           usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

BenchTimer
bench_timer_start(void)
{
    return (BenchTimer){.wall_us = g_get_monotonic_time(), .cpu_us = cpu_us()};
}

double
bench_timer_wall(const BenchTimer *timer)
{
    return (double)(g_get_monotonic_time() - timer->wall_us) / 1e6;
}

double
bench_timer_cpu(const BenchTimer *timer)
{
    return (double)(cpu_us() - timer->cpu_us) / 1e6;
}

double
bench_peak_rss_mb(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024.0;
}

double
bench_rss_mb(int pid)
{
    g_autofree char *path = g_strdup_printf("/proc/%d/statm", pid != 0 ? pid : (int)getpid());
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL))
        return 0;
    const char *resident = strchr(text, ' ');
    double pages = resident != NULL ? g_ascii_strtod(resident, NULL) : 0;
    return pages * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

static double
rounded(double value)
{
    return value >= 100 ? (double)(int64_t)(value + 0.5)
                        : (double)(int64_t)(value * 1000 + 0.5) / 1000;
}

void
bench_report(const char *name, double value, const char *unit, Value *take_sizes,
             const char *transport, const char *store, double cpu_seconds)
{
    g_autoptr(Value) line = value_new_f(
        "{name: %s, value: %d, unit: %s, sizes: %V, transport: %s, store: %s, cpu_seconds: %d,"
        " peak_rss_mb: %d}",
        name, rounded(value), unit, take_sizes, transport, store, rounded(cpu_seconds),
        rounded(bench_peak_rss_mb()));
    g_autofree char *text = json_text(line);
    printf("%s\n", text);
    fflush(stdout);
    fprintf(stderr, "%-28s %12.1f %s\n", name, value, unit);
}

/* ---- engine
 * -------------------------------------------------------------------------------------------------------
 */

#define ENGINE_PENDING 100000
#define EVENTS_DEFAULT 10000000
#define ENGINE_SPREAD_NS 1000000

typedef struct Ticker {
    Engine *engine;
    uint64_t state;
} Ticker;

static void
tick(void *data)
{
    Ticker *ticker = data;
    ticker->state = ticker->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    engine_in(ticker->engine, NULL, (int64_t)((ticker->state >> 33) % ENGINE_SPREAD_NS), tick,
              ticker);
}

bool
bench_engine(const BenchOptions *options, const char *what, GError **error)
{
    const uint64_t count = options->events != 0 ? (uint64_t)options->events : EVENTS_DEFAULT;
    g_autoptr(Engine) engine = engine_new(&(EngineOptions){.seed = 1});
    g_autofree Ticker *tickers = g_new0(Ticker, ENGINE_PENDING);
    for (uint64_t i = 0; i < ENGINE_PENDING; i++) {
        tickers[i] = (Ticker){.engine = engine, .state = i * 977};
        tick(&tickers[i]);
    }
    engine_run_some(engine, ENGINE_TIME_NEVER - 1, count / 10);
    BenchTimer timer = bench_timer_start();
    engine_run_some(engine, ENGINE_TIME_NEVER - 1, count);
    double cpu = bench_timer_cpu(&timer), wall = bench_timer_wall(&timer);
    bench_report("engine.events", (double)count / cpu, "events/s",
                 value_new_f("{pending: %i, events: %i, wall_seconds: %d, per: 'cpu second'}",
                             (int64_t)ENGINE_PENDING, (int64_t)count, wall),
                 "none", "none", cpu);
    engine_drop_pending(engine);
    return true;
}

/* ---- the command
 * --------------------------------------------------------------------------------------------------
 */

static const struct Benchmark {
    const char *name;
    bool (*run)(const BenchOptions *options, const char *what, GError **error);
} BENCHMARKS[] = {
    {"engine", bench_engine}, {"scheduler", bench_scheduler}, {"cluster", bench_cluster},
    {"http", bench_http},     {"start", bench_start},
};

static int
bench_run(int argc, char **argv)
{
    extern const Command COMMAND_BENCH;
    BenchOptions options = {0};
    g_autoptr(GError) error = NULL;
    int status;
    const GOptionEntry entries[] = {
        {"nodes", 0, 0, G_OPTION_ARG_INT, &options.nodes, N_("How many nodes"), "N"},
        {"pods", 0, 0, G_OPTION_ARG_INT, &options.pods, N_("How many pods"), "N"},
        {"deployments", 0, 0, G_OPTION_ARG_INT, &options.deployments, N_("How many Deployments"),
         "N"},
        {"events", 0, 0, G_OPTION_ARG_INT, &options.events, N_("How many events"), "N"},
        {"connections", 0, 0, G_OPTION_ARG_INT, &options.connections, N_("How many connections"),
         "N"},
        {"seconds", 0, 0, G_OPTION_ARG_INT, &options.seconds, N_("How long a rate is measured"),
         "N"},
        {NULL}};
    if (!command_parse(&COMMAND_BENCH, entries, &argc, &argv, &status))
        return status;
    if (argc < 2) {
        for (size_t i = 0; i < G_N_ELEMENTS(BENCHMARKS); i++)
            printf("%s\n", BENCHMARKS[i].name);
        return EXIT_DONE;
    }
    if (MIN(MIN(options.nodes, options.pods), MIN(options.deployments, options.events)) < 0 ||
        options.connections < 0 || options.seconds < 0)
        return command_usage(&COMMAND_BENCH, "%s", _("sizes are positive numbers"));
    for (size_t i = 0; i < G_N_ELEMENTS(BENCHMARKS); i++) {
        if (strcmp(BENCHMARKS[i].name, argv[1]) != 0)
            continue;
        if (!BENCHMARKS[i].run(&options, argc > 2 ? argv[2] : NULL, &error))
            return command_failed(&COMMAND_BENCH, error);
        return EXIT_DONE;
    }
    return command_usage(&COMMAND_BENCH, _("no benchmark is called \"%s\""), argv[1]);
}

const Command COMMAND_BENCH = {
    "bench", "[engine|scheduler [VARIANT]|cluster|http|start] [--nodes N] [--pods N] ...",
    N_("Measures the program itself"), bench_run};
