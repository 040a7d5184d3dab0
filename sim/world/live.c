/* The pump: a GLib source that is due when the engine's next event is, by the pace. It runs events in slices, so that
 * sockets and keys are served in between. */
#include "sim/world/live.h"

#include <string.h>

#include "core/base/error.h"
#include "sim/world/inputs.h"
#include "sim/world/world_private.h"

#define SLICE_EVENTS 20000
#define SLICE_NS (20 * NS_PER_MS) /* of machine time, between two looks at sockets and keys */

struct Live {
    LiveOptions options;
    Value *cluster;
    World *world;
    Pace pace;
    HttpServer *server;
    GSource *source;
    void (*moved)(void *data);
    void *moved_data;
    int64_t last_moved; /* machine time of the last call */
    char *wanted_pace;  /* what the Clock object says; set by pace_source */
    guint pace_source;
};

static int64_t
machine_now(void)
{
    return g_get_monotonic_time() * NS_PER_US;
}

/* ---- the pump ------------------------------------------------------------------------------------------------- */

typedef struct PumpSource {
    GSource source;
    Live *live;
} PumpSource;

static int64_t
pump_deadline(Live *live)
{
    int64_t next = engine_next_time(world_engine(live->world));
    return next == ENGINE_TIME_NEVER ? INT64_MAX : pace_next_deadline(&live->pace, next);
}

static gboolean
pump_prepare(GSource *source, gint *timeout)
{
    int64_t deadline = pump_deadline(((PumpSource *)source)->live);
    int64_t now = machine_now();
    if (deadline <= now) {
        *timeout = 0;
        return TRUE;
    }
    *timeout = deadline == INT64_MAX ? -1
                                     : (gint)MIN((deadline - now + NS_PER_MS - 1) / NS_PER_MS, 60000);
    return FALSE;
}

static gboolean
pump_check(GSource *source)
{
    return pump_deadline(((PumpSource *)source)->live) <= machine_now();
}

static void
tell_observer(Live *live, bool always)
{
    int64_t now = machine_now();
    if (live->moved == NULL || (!always && now - live->last_moved < SLICE_NS))
        return;
    live->last_moved = now;
    live->moved(live->moved_data);
}

static gboolean
pump_dispatch(GSource *source, GSourceFunc func, gpointer data)
{
    Live *live = ((PumpSource *)source)->live;
    Engine *engine = world_engine(live->world);
    int64_t begin = machine_now();
    int64_t until = pace_virtual_now(&live->pace, begin);
    do {
        engine_run_some(engine, until, SLICE_EVENTS / 64);
    } while (engine_next_time(engine) <= until && machine_now() - begin < SLICE_NS);
    if (live->pace.mode == PACE_FACTOR)
        pace_lag(&live->pace, machine_now(),
                 engine_next_time(engine) <= until ? engine_now(engine) : until);
    tell_observer(live, false);
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs pump_funcs = {
    .prepare = pump_prepare,
    .check = pump_check,
    .dispatch = pump_dispatch,
};

/* ---- the outside ------------------------------------------------------------------------------------------------ */

void
live_catch_up(Live *live)
{
    if (live->pace.mode != PACE_FACTOR)
        return;
    int64_t until = pace_virtual_now(&live->pace, machine_now());
    engine_run_some(world_engine(live->world), until, SLICE_EVENTS);
}

static void
http_request(const HttpRequest *request, HttpResponder *responder, void *data)
{
    Live *live = data;
    live_catch_up(live);
    world_http(live->world, request, responder);
}

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static gboolean
set_wanted_pace(gpointer data)
{
    Live *live = data;
    live->pace_source = 0;
    live_set_pace(live, live->wanted_pace, NULL);
    return G_SOURCE_REMOVE;
}

/* Told in the middle of an event: the pace is changed between events. What is no pace changes nothing. */
static void
pace_wanted(const char *pace, void *data)
{
    Live *live = data;
    g_free(live->wanted_pace);
    live->wanted_pace = g_strdup(pace);
    if (live->pace_source == 0)
        live->pace_source = g_idle_add_full(G_PRIORITY_HIGH, set_wanted_pace, live, NULL);
}

static void
catch_up(void *data)
{
    Live *live = data;
    if (live->world != NULL)
        live_catch_up(live);
}

static World *
make_world(Live *live, int64_t start_ns, GError **error)
{
    const Pki *pki = live->options.pki;
    const WorldOptions options = {
        .cluster = live->cluster,
        .seed = live->options.seed,
        .start_ns = start_ns,
        .store_path = live->options.store_path,
        .service_account_key = pki != NULL ? pki->sa_key : NULL,
        .root_ca = pki != NULL ? pki->ca_cert : NULL,
        .admin_token = pki != NULL ? pki->token : NULL,
    };
    World *world = world_new(&options, error);
    if (world == NULL)
        return NULL;
    world_on_pace(world, pace_wanted, live);
    world_on_catch_up(world, catch_up, live);
    world_set_translate(world, live->options.translate, live->options.translate_data);
    return world;
}

static void
start_pump(Live *live)
{
    pace_init(&live->pace, machine_now(), world_now(live->world));
    live->source = g_source_new(&pump_funcs, sizeof(PumpSource));
    ((PumpSource *)live->source)->live = live;
    g_source_attach(live->source, NULL);
}

Live *
live_new(const LiveOptions *options, GError **error)
{
    g_autoptr(Live) live = g_new0(Live, 1);
    live->options = *options;
    live->cluster = value_ref(options->cluster);
    int64_t start = options->at_machine_time ? g_get_real_time() * NS_PER_US : WORLD_EPOCH_NS;
    live->world = make_world(live, start, error);
    if (live->world == NULL)
        return NULL;
    if (!world_boot(live->world)) {
        fail(error, TIMONEL_ERROR_UNAVAILABLE,
             "the cluster's API server did not come up within a simulated minute");
        return NULL;
    }
    if (options->address != NULL) {
        live->server = http_server_new(&(HttpServerOptions){.address = options->address,
                                                            .port = options->port,
                                                            .pki = options->pki,
                                                            .handler = http_request,
                                                            .data = live},
                                       error);
        if (live->server == NULL)
            return NULL;
    }
    start_pump(live);
    return g_steal_pointer(&live);
}

Live *
live_new_for(World *take)
{
    Live *live = g_new0(Live, 1);
    live->world = take;
    start_pump(live);
    return live;
}

void
live_free(Live *live)
{
    if (live == NULL)
        return;
    if (live->source != NULL) {
        g_source_destroy(live->source);
        g_source_unref(live->source);
    }
    /* First the world: its API server ends every stream; then the sockets. */
    world_free(live->world);
    http_server_free(live->server);
    g_clear_handle_id(&live->pace_source, g_source_remove);
    g_free(live->wanted_pace);
    value_unref(live->cluster);
    g_free(live);
}

World *
live_world(Live *live)
{
    return live->world;
}

guint16
live_port(const Live *live)
{
    return live->server != NULL ? http_server_port(live->server) : 0;
}

/* ---- pace --------------------------------------------------------------------------------------------------------------- */

const Pace *
live_pace(const Live *live)
{
    return &live->pace;
}

/* Where virtual time stands by the pace: between two events the engine itself is behind. */
static void
settle_time(Live *live)
{
    int64_t now = machine_now();
    int64_t reached = live->pace.mode == PACE_FACTOR ? pace_virtual_now(&live->pace, now)
                                                     : world_now(live->world);
    live_catch_up(live);
    pace_jump(&live->pace, now, MAX(reached, world_now(live->world)));
}

void
live_pause(Live *live)
{
    settle_time(live);
    pace_pause(&live->pace, machine_now());
}

void
live_resume(Live *live)
{
    settle_time(live);
    pace_resume(&live->pace, machine_now());
}

void
live_set_factor(Live *live, int64_t thousandths)
{
    settle_time(live);
    pace_set_factor(&live->pace, machine_now(), thousandths);
}

void
live_set_max(Live *live)
{
    settle_time(live);
    pace_set_max(&live->pace);
}

bool
live_set_pace(Live *live, const char *pace, GError **error)
{
    if (world_is_real(live->world) && strcmp(pace, "1") != 0 && strcmp(pace, "paused") != 0)
        return fail(error, TIMONEL_ERROR_UNSUPPORTED,
                    "a cluster with real containers goes at life's pace: 1, not \"%s\"", pace);
    if (strcmp(pace, "max") == 0) {
        live_set_max(live);
        return true;
    }
    if (strcmp(pace, "paused") == 0) {
        live_pause(live);
        return true;
    }
    char *end;
    double factor = g_ascii_strtod(pace, &end);
    if (*pace == '\0' || *end != '\0' || !(factor > 0) || factor > PACE_FACTOR_MAX / 1000.0)
        return fail(error, TIMONEL_ERROR_INVALID,
                    "\"%s\" is no pace: expected \"paused\", \"max\" or a factor of life's pace "
                    "such as 1 or 60",
                    pace);
    live_set_factor(live, MAX((int64_t)(factor * 1000), 1));
    return true;
}

void
live_step(Live *live)
{
    world_step(live->world);
    pace_jump(&live->pace, machine_now(), world_now(live->world));
    tell_observer(live, true);
}

void
live_step_for(Live *live, int64_t duration_ns)
{
    world_run_for(live->world, duration_ns);
    pace_jump(&live->pace, machine_now(), world_now(live->world));
    tell_observer(live, true);
}

void
live_set_observer(Live *live, void (*moved)(void *data), void *data)
{
    live->moved = moved;
    live->moved_data = data;
}

bool
live_rewind(Live *live, int64_t time_ns, GError **error)
{
    if (live->cluster == NULL)
        return fail(error, TIMONEL_ERROR_UNSUPPORTED,
                    "the world of a lesson cannot go back in time; begin the step anew instead");
    if (world_is_real(live->world))
        return fail(error, TIMONEL_ERROR_UNSUPPORTED,
                    "a cluster with real containers cannot go back in time");
    if (live->options.store_path != NULL)
        return fail(error, TIMONEL_ERROR_UNSUPPORTED,
                    "a cluster with a name keeps its state on disk and cannot go back in time; "
                    "start one without --name to rewind");
    World *old = live->world;
    World *again = make_world(live, world_start(old), error);
    if (again == NULL)
        return false;
    if (!world_boot(again)) { /* as at the first time: what booting itself did is part of the trace */
        world_free(again);
        return fail(error, TIMONEL_ERROR_UNAVAILABLE, "the cluster did not come up again");
    }
    world_replay(again, world_inputs(old), MAX(time_ns, world_now(again)));
    live->world = again;
    world_free(old);
    pace_init(&live->pace, machine_now(), world_now(again));
    tell_observer(live, true);
    return true;
}
