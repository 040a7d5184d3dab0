/* A pod's resolver: names in order, servers in order, each question with a time-out. */
#include "core/dns/server.h"
#include "core/port/clock.h"

#define TIMEOUT_NS (5 * NS_PER_S)
#define ATTEMPTS 2

struct DnsResolution {
    Net *net;
    uint64_t call; /* under way; 0: none */
    char **servers, **names;
    unsigned name, try, n_servers;
    DnsType type;
    DnsAnswer *best; /* an answer without records for an earlier name */
    DnsDone done;
    void *data;
};

static void ask(DnsResolution *resolution);

static void
resolution_free(DnsResolution *resolution)
{
    dns_answer_free(resolution->best);
    g_strfreev(resolution->servers);
    g_strfreev(resolution->names);
    g_free(resolution);
}

static void
finish(DnsResolution *resolution, DnsAnswer *take)
{
    DnsDone done = resolution->done;
    void *data = resolution->data;
    if (take == resolution->best)
        resolution->best = NULL;
    resolution_free(resolution);
    done(take, data);
}

void
dns_resolution_cancel(DnsResolution *resolution)
{
    if (resolution == NULL)
        return;
    if (resolution->call != 0)
        resolution->net->ops->cancel_call(resolution->net, resolution->call);
    resolution_free(resolution);
}

/* The name is not there: the next one. What exists without such a record is remembered. */
static void
next_name(DnsResolution *resolution, DnsAnswer *take)
{
    if (resolution->best == NULL || resolution->best->code != DNS_NOERROR) {
        dns_answer_free(resolution->best);
        resolution->best = take;
    } else {
        dns_answer_free(take);
    }
    resolution->try = 0;
    if (resolution->names[++resolution->name] == NULL)
        finish(resolution, resolution->best);
    else
        ask(resolution);
}

static void
answered(NetStatus status, NetMessage message, void *data)
{
    DnsResolution *resolution = data;
    resolution->call = 0;
    DnsAnswer *answer = status == NET_OK ? message.body : NULL;
    if (answer == NULL || answer->code == DNS_SERVFAIL) {
        dns_answer_free(answer);
        if (++resolution->try < ATTEMPTS * resolution->n_servers)
            ask(resolution);
        else
            finish(resolution, dns_answer_new(DNS_SERVFAIL));
    } else if (answer->code == DNS_NOERROR && answer->answers->len > 0) {
        finish(resolution, answer);
    } else {
        next_name(resolution, answer);
    }
}

static void
ask(DnsResolution *resolution)
{
    const char *server = resolution->servers[resolution->try % resolution->n_servers];
    resolution->call = resolution->net->ops->call(
        resolution->net, (NetAddress){.host = server, .port = DNS_PORT},
        dns_question_message(resolution->names[resolution->name], resolution->type), TIMEOUT_NS,
        answered, resolution);
}

DnsResolution *
dns_resolve(Net *net, const char *const *servers, const char *name, const char *const *search,
            unsigned ndots, DnsType type, DnsDone done, void *data)
{
    DnsResolution *resolution = g_new0(DnsResolution, 1);
    resolution->net = net;
    resolution->servers = g_strdupv((char **)servers);
    resolution->n_servers = g_strv_length(resolution->servers);
    resolution->names = dns_search_names(name, search, ndots);
    resolution->type = type;
    resolution->done = done;
    resolution->data = data;
    g_assert(resolution->n_servers > 0);
    if (resolution->names[0] == NULL) { /* too long for any question */
        finish(resolution, dns_answer_new(DNS_FORMERR));
        return NULL;
    }
    ask(resolution);
    return resolution;
}

NetMessage
dns_question_message(const char *name, DnsType type)
{
    return (NetMessage){.body = dns_query_new(name, type),
                        .free_body = (GDestroyNotify)dns_query_free,
                        .size = 64,
                        .label = "DNS question"};
}

bool
dns_answer_addresses(NetMessage take, GPtrArray *ret_addresses)
{
    unsigned before = ret_addresses->len;
    g_autoptr(DnsAnswer) answer = take.body;
    for (unsigned i = 0; answer != NULL && i < answer->answers->len; i++) {
        const DnsRecord *record = answer->answers->pdata[i];
        if (record->address != NULL)
            g_ptr_array_add(ret_addresses, g_strdup(record->address));
    }
    return ret_addresses->len > before;
}
