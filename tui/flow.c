#include "tui/flow.h"

#include <string.h>

#include "sim/engine/trace.h"

#define API_SERVER "kube-apiserver"
#define FACTS_LOOKED_AT_MAX 4096

/* "kube-scheduler/control-plane-1" -> "kube-scheduler". */
static const char *
component_of(const char *label)
{
    const char *slash = strchr(label, '/');
    g_autofree char *name = slash != NULL ? g_strndup(label, (gsize)(slash - label)) : NULL;
    return name != NULL ? g_intern_string(name) : g_intern_string(label);
}

static FlowLink *
find_link(Flow *flow, const char *component)
{
    for (size_t i = 0; i < flow->count; i++)
        if (flow->links[i].component == component)
            return &flow->links[i];
    if (flow->count == FLOW_LINKS_MAX)
        return NULL;
    flow->links[flow->count] = (FlowLink){.component = component};
    return &flow->links[flow->count++];
}

/* Messages come newest first. */
static void
count_message(FlowWay *way, const TraceMessage *message)
{
    way->count++;
    if (way->last == 0) {
        way->last = message->time;
        way->lost = message->lost;
    }
    if (way->label == NULL && message->label != NULL && *message->label != '\0')
        way->label = g_intern_string(message->label);
}

static void
read_messages(Flow *flow, EngineTrace *trace)
{
    TraceMessage message;
    for (uint64_t number = engine_trace_message_count(trace); number > 0; number--) {
        if (!engine_trace_get_message(trace, number, &message)) {
            flow->span_ns = MAX(flow->now - flow->span_ns, NS_PER_MS);
            return;
        }
        if (message.time < flow->now - FLOW_WINDOW_NS)
            break;
        flow->span_ns = message.time; /* the oldest so far */
        const char *from = component_of(message.from), *to = component_of(message.to);
        bool to_api = strcmp(to, API_SERVER) == 0;
        if (!to_api && strcmp(from, API_SERVER) != 0)
            continue;
        FlowLink *link = find_link(flow, to_api ? from : to);
        if (link != NULL)
            count_message(to_api ? &link->to_api : &link->from_api, &message);
    }
    flow->span_ns = FLOW_WINDOW_NS;
}

static void
read_writes(Flow *flow, EngineTrace *trace)
{
    TraceFact fact;
    CauseId last = engine_trace_count(trace);
    for (CauseId id = last; id > 0 && last - id < FACTS_LOOKED_AT_MAX; id--) {
        if (!engine_trace_get(trace, id, &fact) || fact.time < flow->now - FLOW_WINDOW_NS)
            return;
        if (fact.kind != FACT_WRITE)
            continue;
        flow->etcd.count++;
        if (flow->etcd.last == 0) {
            flow->etcd.last = fact.time;
            g_strlcpy(flow->etcd_subject, fact.subject != NULL ? fact.subject : "",
                      sizeof flow->etcd_subject);
        }
    }
}

void
flow_read(Flow *flow, World *world)
{
    *flow = (Flow){.now = world_now(world)};
    read_messages(flow, world_trace(world));
    read_writes(flow, world_trace(world));
}

const FlowLink *
flow_link(const Flow *flow, const char *component)
{
    for (size_t i = 0; i < flow->count; i++)
        if (strcmp(flow->links[i].component, component) == 0)
            return &flow->links[i];
    return NULL;
}

char *
flow_rate_text(const Flow *flow, const FlowWay *way)
{
    if (way->count == 0 || flow->span_ns <= 0)
        return g_strdup("");
    int64_t tenths = (int64_t)way->count * 10 * NS_PER_S / flow->span_ns;
    if (tenths < 100)
        return g_strdup_printf("%d.%d/s", (int)(tenths / 10), (int)(tenths % 10));
    return g_strdup_printf("%" G_GINT64_FORMAT "/s", tenths / 10);
}
