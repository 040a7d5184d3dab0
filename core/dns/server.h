/* The cluster's DNS server (what a CoreDNS pod runs), and asking one. */
#pragma once

#include "core/dns/records.h"

#define DNS_PORT 53

/* Takes the answer; called once, by a later event. */
typedef void (*DnsDone)(DnsAnswer *take_answer, void *data);

typedef struct DnsConfig {
    const char *domain; /* NULL: "cluster.local" */
    uint32_t ttl;       /* 0: 30 */
    /* Asks the servers of the outside world; NULL: there are none (SERVFAIL). query is borrowed.
     * done is called by a later event, and dropped with the server's process, as timers are. */
    void (*upstream)(const DnsQuery *query, DnsDone done, void *data, void *context);
    void *context;
} DnsConfig;

typedef struct DnsServer DnsServer;

/* Listens on port 53 of this process's host for calls with a DnsQuery. NULL (and a log line) when
 * the port is in use. */
DnsServer *dns_server_new(const Ports *ports, Client *client, const DnsConfig *config);
void dns_server_free(DnsServer *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsServer, dns_server_free)
bool
dns_server_is_ready(const DnsServer *server); /* its caches are full; before, it answers SERVFAIL */

/* Answers a question: for a real socket's messages. done may be called at once. */
void dns_server_answer(DnsServer *server, const DnsQuery *query, DnsDone done, void *data);

/* ---- asking
 * --------------------------------------------------------------------------------------------- */

/* Over port/net, as a pod's resolver does: the names of dns_search_names in order until one exists,
 * each server with a time-out of 5 s, twice. The answer of the last name tried, SERVFAIL when no
 * server answered. The handle is valid until done is called; whoever goes away before must cancel
 * it. NULL when done was called at once (the name is too long). */
typedef struct DnsResolution DnsResolution;
void dns_resolution_cancel(DnsResolution *resolution); /* done is not called */
DnsResolution *dns_resolve(Net *net, const char *const *servers, const char *name,
                           const char *const *search, unsigned ndots, DnsType type, DnsDone done,
                           void *data);

/* One question and its answer as messages, for those who only want addresses: the question, and the
 * addresses (g_strdup'ed) of a reply; false when there are none. Takes the message. */
NetMessage dns_question_message(const char *name, DnsType type);
bool dns_answer_addresses(NetMessage take, GPtrArray *ret_addresses);
