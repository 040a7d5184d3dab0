/* A world that runs beside people: paced by the machine's clock, fed by sockets, in the GLib main loop of the caller. */
#pragma once

#include "sim/backend/host/http_server.h"
#include "sim/engine/pace.h"
#include "sim/world/world.h"

typedef struct Live Live;

typedef struct LiveOptions {
    const Value *cluster;     /* document of kind Cluster; borrowed */
    uint64_t seed;            /* 0: the default */
    bool at_machine_time;     /* virtual time starts at the machine's, else at WORLD_EPOCH_NS */
    const char *store_path;   /* file that keeps the objects; NULL: memory. Borrowed for the Live's life */
    const Pki *pki;           /* borrowed for the Live's life; needed to listen */
    const char *address;      /* NULL: nobody listens */
    guint16 port;             /* 0: any free one */
    WhyTranslateFunc translate; /* see world_set_translate; stays when the world is rewound */
    void *translate_data;
} LiveOptions;

/* Makes the world, runs it as fast as possible until its API answers, then stands paused. */
Live *live_new(const LiveOptions *options, GError **error);
/* A world that somebody else made (a lesson's), as it is, paused; nobody listens, and it cannot be rewound. */
Live *live_new_for(World *take);
void live_free(Live *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Live, live_free)

World *live_world(Live *live); /* changes when live_rewind succeeds */
guint16 live_port(const Live *live); /* 0 when nobody listens */

/* ---- pace: everything happens in the main loop ------------------------------------------------------------- */

const Pace *live_pace(const Live *live);
void live_pause(Live *live);
void live_resume(Live *live);
void live_set_factor(Live *live, int64_t thousandths);
void live_set_max(Live *live);
/* By a word: "paused", "max", or a factor of life's pace such as "1", "60" or "0.5". The error says what is allowed. */
bool live_set_pace(Live *live, const char *pace, GError **error);
/* While paused: one event, or all up to now + duration. */
void live_step(Live *live);
void live_step_for(Live *live, int64_t duration_ns);
/* Called after each batch of events (at most every 20 ms of machine time): the dashboard redraws. NULL: nobody. */
void live_set_observer(Live *live, void (*moved)(void *data), void *data);
/* Hands what happened outside to the world now (a key press, a request): virtual time is first brought to the present. */
void live_catch_up(Live *live);
/* Goes back by replay: a new world, same seed, same inputs up to `time_ns`, paused. Not for stored clusters. */
bool live_rewind(Live *live, int64_t time_ns, GError **error);
