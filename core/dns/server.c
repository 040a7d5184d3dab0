/* The server: its own zones from the caches, all else from upstream; CNAMEs are followed. */
#include "core/dns/server.h"

#include "core/dns/records.h"

#define CHAIN_MAX 8 /* CNAMEs followed for one question */

struct DnsServer {
    const Ports *ports;
    char *domain;
    DnsConfig config;
    DnsView view;
    NetServer *net_server;
    GQueue questions; /* Question, those that wait for upstream */
};

typedef struct {
    DnsServer *server;
    GList link;
    DnsType type;
    DnsAnswer *answer; /* so far; NULL: upstream's is the whole */
    unsigned chain;
    DnsDone done;
    void *data;
} Question;

static void proceed(Question *question, const DnsQuery *query);

/* ---- answering
 * ------------------------------------------------------------------------------------------- */

static void
question_end(Question *question, DnsAnswer *take)
{
    DnsDone done = question->done;
    void *data = question->data;
    g_free(question);
    done(take, data);
}

static void
move_records(GPtrArray *from, GPtrArray *to)
{
    while (from->len > 0 && to->len < DNS_RECORDS_MAX)
        g_ptr_array_add(to, g_ptr_array_steal_index(from, 0));
}

/* Adds the next answer to what is known; goes on along a CNAME that leads nowhere yet. */
static void
take_answer(Question *question, DnsAnswer *take)
{
    if (question->answer == NULL) {
        question->answer = take;
    } else {
        move_records(take->answers, question->answer->answers);
        g_ptr_array_set_size(question->answer->authority, 0);
        move_records(take->authority, question->answer->authority);
        question->answer->code = take->code;
        dns_answer_free(take);
    }
    GPtrArray *answers = question->answer->answers;
    const DnsRecord *last = answers->len > 0 ? answers->pdata[answers->len - 1] : NULL;
    bool follows = last != NULL && last->type == DNS_CNAME && question->type != DNS_CNAME &&
                   question->type != DNS_ANY;
    if (!follows) {
        question_end(question, question->answer);
    } else if (++question->chain > CHAIN_MAX) {
        dns_answer_free(question->answer);
        question_end(question, dns_answer_new(DNS_SERVFAIL));
    } else {
        g_autoptr(DnsQuery) next = dns_query_new(last->target, question->type);
        proceed(question, next);
    }
}

static void
upstream_answered(DnsAnswer *take, void *data)
{
    Question *question = data;
    DnsServer *server = question->server;
    g_queue_unlink(&server->questions, &question->link);
    question->chain = CHAIN_MAX; /* upstream has followed its own CNAMEs */
    if (question->answer == NULL) {
        question_end(question, take);
        return;
    }
    if (take->answers->len > 0) {
        const DnsRecord *last = take->answers->pdata[take->answers->len - 1];
        if (last->type == DNS_CNAME) {
            move_records(take->answers, question->answer->answers);
            question->answer->code = take->code;
            dns_answer_free(take);
            question_end(question, question->answer);
            return;
        }
    }
    if (take->answers->len == 0) { /* the alias is there, what it stands for is not */
        question->answer->code = take->code;
        dns_answer_free(take);
        question_end(question, question->answer);
        return;
    }
    take_answer(question, take);
}

static void
proceed(Question *question, const DnsQuery *query)
{
    DnsServer *server = question->server;
    DnsAnswer *own = dns_lookup(&server->view, query);
    if (own != NULL) {
        take_answer(question, own);
        return;
    }
    if (server->config.upstream == NULL) {
        take_answer(question, dns_answer_new(DNS_SERVFAIL));
        return;
    }
    question->link.data = question;
    g_queue_push_tail_link(&server->questions, &question->link);
    server->config.upstream(query, upstream_answered, question, server->config.context);
}

void
dns_server_answer(DnsServer *server, const DnsQuery *query, DnsDone done, void *data)
{
    if (!dns_server_is_ready(server)) {
        done(dns_answer_new(DNS_SERVFAIL), data);
        return;
    }
    Question *question = g_new0(Question, 1);
    question->server = server;
    question->type = query->type;
    question->done = done;
    question->data = data;
    proceed(question, query);
}

/* ---- over the network
 * ------------------------------------------------------------------------------------ */

typedef struct {
    Net *net;
    NetReply *reply;
} NetQuestion;

static void
net_answered(DnsAnswer *take, void *data)
{
    g_autofree NetQuestion *question = data;
    uint32_t size = 64 + 32 * (take->answers->len + take->additional->len);
    question->net->ops->reply(question->net, question->reply,
                              (NetMessage){.body = take,
                                           .free_body = (GDestroyNotify)dns_answer_free,
                                           .size = size,
                                           .label = "DNS answer"});
}

static void
net_asked(NetServer *net_server, NetMessage message, NetReply *reply, const char *from, void *data)
{
    DnsServer *server = data;
    NetQuestion *question = g_new0(NetQuestion, 1);
    question->net = server->ports->net;
    question->reply = reply;
    dns_server_answer(server, message.body, net_answered, question);
    if (message.free_body != NULL)
        message.free_body(message.body);
}

/* ---- the server
 * -------------------------------------------------------------------------------------------- */

DnsServer *
dns_server_new(const Ports *ports, Client *client, const DnsConfig *config)
{
    static const NetServerHandler handler = {.call = net_asked};
    DnsServer *server = g_new0(DnsServer, 1);
    server->ports = ports;
    server->config = *config;
    server->domain = g_strdup(config->domain != NULL ? config->domain : "cluster.local");
    server->net_server = ports->net->ops->listen(ports->net, DNS_PORT, &handler, server);
    if (server->net_server == NULL) {
        log_error(ports->log, "listen tcp :%d: bind: address already in use", DNS_PORT);
        g_free(server->domain);
        g_free(server);
        return NULL;
    }
    server->view =
        (DnsView){.domain = server->domain,
                  .ttl = config->ttl > 0 ? config->ttl : 30,
                  .services = informer_new(ports, client, "", "services", NULL, NULL, NULL),
                  .slices = informer_new(ports, client, "discovery.k8s.io", "endpointslices", NULL,
                                         NULL, NULL),
                  .namespaces = informer_new(ports, client, "", "namespaces", NULL, NULL, NULL)};
    dns_view_add_indices(server->view.services, server->view.slices);
    informer_start(server->view.services);
    informer_start(server->view.slices);
    informer_start(server->view.namespaces);
    return server;
}

void
dns_server_free(DnsServer *server)
{
    if (server == NULL)
        return;
    server->ports->net->ops->close_server(server->ports->net, server->net_server);
    GList *link;
    while ((link = g_queue_pop_head_link(&server->questions)) != NULL) {
        Question *question = link->data;
        dns_answer_free(question->answer);
        question_end(question, dns_answer_new(DNS_SERVFAIL));
    }
    informer_free(server->view.services);
    informer_free(server->view.slices);
    informer_free(server->view.namespaces);
    g_free(server->domain);
    g_free(server);
}

bool
dns_server_is_ready(const DnsServer *server)
{
    return informer_has_synced(server->view.services) && informer_has_synced(server->view.slices) &&
           informer_has_synced(server->view.namespaces);
}
