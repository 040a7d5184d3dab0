/* Simulated clients of a scenario: they ask a Service from a node, so a fault's cost is counted in failed requests. */
#include <glib/gi18n.h>
#include <string.h>

#include "core/base/duration.h"
#include "sim/scenario/scenario_private.h"
#include "sim/scenario/texts.h"

/* The Service's address, or NULL with a reason. */
static const char *
service_address(ScenarioRun *run, const Value *spec, char **ret_reason)
{
    const char *namespace_ = value_string(value_get(spec, "namespace"));
    const char *name = value_text_at(spec, "service");
    const Value *service = world_peek(run->world, "", "services", namespace_ != NULL ? namespace_ : "default", name);
    const char *address = value_text_at(service, "spec.clusterIP");
    if (*address != '\0' && strcmp(address, "None") != 0)
        return address;
    *ret_reason = g_strdup_printf(scenario_tr(run, service == NULL ? N_("there is no Service %s/%s")
                                                                   : N_("Service %s/%s has no cluster IP")),
                                  namespace_ != NULL ? namespace_ : "default", name);
    return NULL;
}

static void
begin(ScenarioRun *run, ScenarioTraffic *traffic)
{
    g_autoptr(GError) error = NULL;
    int64_t timeout = 0;
    const char *address = service_address(run, traffic->spec, &traffic->reason);
    if (address == NULL)
        return;
    duration_parse(value_text_at(traffic->spec, "timeout"), &timeout, NULL);
    const Value *rate = value_get(traffic->spec, "rate");
    const TrafficOptions options = {
        .name = value_text_at(traffic->spec, "name"),
        .from = value_text_at(traffic->spec, "source"),
        .to = address,
        .port = (uint16_t)value_int_at_or(traffic->spec, "port", 80),
        .path = value_string(value_get(traffic->spec, "path")),
        .rate = rate != NULL ? value_double(rate) : 10,
        .timeout_ns = timeout,
    };
    traffic->client = traffic_client_new(world_engine(run->world), world_net(run->world), &options, &error);
    if (traffic->client == NULL)
        traffic->reason = g_strdup(error->message);
}

void
scenario_traffic_init(ScenarioRun *run)
{
    VALUE_ARRAY_FOREACH (spec, value_get(run->scenario->document, "traffic")) {
        ScenarioTraffic *traffic = g_new0(ScenarioTraffic, 1);
        traffic->spec = spec;
        traffic->title = texts_get(value_get(spec, "title"), run->language);
        g_ptr_array_add(run->traffic, traffic);
    }
}

void
scenario_traffic_free(void *data)
{
    ScenarioTraffic *traffic = data;
    traffic_client_free(traffic->client);
    g_free(traffic->reason);
    g_free(traffic);
}

void
scenario_traffic_reached(ScenarioRun *run, const char *step)
{
    for (guint i = 0; i < run->traffic->len; i++) {
        ScenarioTraffic *traffic = run->traffic->pdata[i];
        const char *from = value_string(value_get(traffic->spec, "from"));
        bool now = step == NULL ? from == NULL : from != NULL && strcmp(from, step) == 0;
        if (now && traffic->client == NULL)
            begin(run, traffic);
    }
}

static bool
end(ScenarioRun *run, ScenarioTraffic *traffic)
{
    if (traffic->client == NULL) {
        if (traffic->reason == NULL)
            traffic->reason = g_strdup(scenario_tr(run, N_("its step was never reached")));
        return false;
    }
    traffic_client_set_rate(traffic->client, 0);
    traffic_client_totals(traffic->client, &traffic->totals);
    uint64_t ended = traffic->totals.succeeded + traffic->totals.failed;
    double failed = ended > 0 ? 100.0 * (double)traffic->totals.failed / (double)ended : 0;
    const Value *most = value_get(traffic->spec, "maxFailedPercent");
    traffic->reason = g_strdup_printf(
        scenario_tr(run, N_("%llu requests, %llu failed (%.2f%%), mean latency %.1f ms")),
        (unsigned long long)traffic->totals.sent, (unsigned long long)traffic->totals.failed, failed,
        (double)traffic->totals.latency_mean_ns / 1e6);
    return most == NULL || (ended > 0 && failed <= value_double(most));
}

void
scenario_traffic_end(ScenarioRun *run)
{
    for (guint i = 0; i < run->traffic->len; i++) {
        ScenarioTraffic *traffic = run->traffic->pdata[i];
        bool met = end(run, traffic);
        scenario_checks_add(run, CHECK_TRAFFIC, traffic->title, met, traffic->reason);
    }
}
