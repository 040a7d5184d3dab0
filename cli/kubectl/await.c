/* Following objects: a list, then a watch from its revision, again when the watch ends. */
#include "cli/kubectl/kube.h"

#include "core/api/status.h"

typedef struct Following {
    bool (*func)(const WatchEvent *event, void *data);
    void *data;
    TransportWatch *watch;
    bool stopped; /* func said so */
    bool ended;   /* the watch is gone */
} Following;

static void
followed(const WatchEvent *event, void *data)
{
    Following *following = data;
    if (event == NULL) {
        following->ended = true;
        following->watch = NULL;
    } else if (!following->stopped) {
        following->stopped = following->func(event, following->data);
    }
}

static bool
following_over(void *data)
{
    const Following *following = data;
    return following->stopped || following->ended;
}

/* What happened: stopped, ended, or neither (time is over or the person gave up). */
static Following
follow(Kube *kube, ApiRequest *take, bool (*func)(const WatchEvent *event, void *data), void *data,
       int64_t timeout_ns)
{
    Transport *transport = kube->env->transport;
    Following following = {.func = func, .data = data};
    if (take->user_agent == NULL)
        take->user_agent = g_strdup("kubectl");
    following.watch = transport->ops->watch(transport, take, followed, &following);
    if (!following_over(&following))
        kube_wait(kube, following_over, &following, timeout_ns);
    if (following.watch != NULL)
        transport->ops->unwatch(transport, following.watch);
    return following;
}

int
kube_watch(Kube *kube, ApiRequest *take, bool (*func)(const WatchEvent *event, void *data),
           void *data, int64_t timeout_ns)
{
    follow(kube, take, func, data, timeout_ns);
    return 0;
}

typedef struct Alarm {
    bool rang;
} Alarm;

static void
ring(void *data)
{
    ((Alarm *)data)->rang = true;
}

static bool
has_rung(void *data)
{
    return ((Alarm *)data)->rang;
}

bool
kube_sleep(Kube *kube, int64_t ns)
{
    Clock *clock = kube->env->ports->clock;
    Alarm alarm = {false};
    TimerId timer = clock_timer_in(clock, ns, ring, &alarm);
    bool went_on = kube->env->wait(has_rung, &alarm, kube->env->data);
    clock_cancel(clock, &timer);
    return went_on;
}

typedef struct Awaiting {
    bool (*func)(const Value *object, void *data);
    void *data;
    bool done;
} Awaiting;

static bool
awaited(const WatchEvent *event, void *data)
{
    Awaiting *awaiting = data;
    if (event->type == WATCH_BOOKMARK || event->type == WATCH_ERROR)
        return event->type == WATCH_ERROR;
    awaiting->done =
        awaiting->func(event->type == WATCH_DELETED ? NULL : event->object, awaiting->data);
    return awaiting->done;
}

Await
kube_await(Kube *kube, const ApiKind *kind, const char *namespace_, const char *name,
           bool (*func)(const Value *object, void *data), void *data, int64_t timeout_ns,
           char **ret_error)
{
    int64_t end_ns = timeout_ns < 0 ? INT64_MAX : kube_now(kube) + timeout_ns;
    g_autofree char *fields = g_strdup_printf("metadata.name=%s", name);
    Awaiting awaiting = {.func = func, .data = data};
    for (;;) {
        g_autoptr(Value) list = kube_list(kube, kind, namespace_, NULL, fields, ret_error);
        if (list == NULL)
            return AWAIT_FAILED;
        if (func(value_item(value_get(list, "items"), 0), data))
            return AWAIT_DONE;
        int64_t left = timeout_ns < 0 ? -1 : end_ns - kube_now(kube);
        if (timeout_ns >= 0 && left <= 0)
            return AWAIT_TIMEOUT;
        ApiRequest *request = kube_request(API_VERB_WATCH, kind, namespace_, NULL);
        request->list.field_selector = g_strdup(fields);
        request->list.resource_version = g_strdup(value_text_at(list, "metadata.resourceVersion"));
        Following following = follow(kube, request, awaited, &awaiting, left);
        if (awaiting.done)
            return AWAIT_DONE;
        if (!following.stopped && !following.ended)
            return timeout_ns >= 0 && kube_now(kube) >= end_ns ? AWAIT_TIMEOUT : AWAIT_CANCELLED;
        if (!kube_sleep(kube, NS_PER_S / 2))
            return AWAIT_CANCELLED;
    }
}
