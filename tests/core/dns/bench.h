/* A cluster with some Services, and its DNS server on host "dns". */
#pragma once

#include "core/dns/server.h"
#include "tests/support/fake_api.h"
#include "tests/support/test_ports.h"

typedef struct DnsBench {
    TestWorld *world;
    FakeApi *api;
    Client *client;
    DnsServer *server;
    struct BenchUpstream *upstream; /* the question it has; NULL: none */
} DnsBench;

/* Upstream knows www.example.com (10.9.9.9) and nothing else. */
void dns_bench_start(DnsBench *bench, bool with_upstream);
void dns_bench_stop(DnsBench *bench);
void dns_bench_drop_upstream(DnsBench *bench); /* as when the server's process dies */
/* "NOERROR;record;record; +additional;", records as dns_record_text; owned. */
char *dns_answer_text(const DnsAnswer *answer);
/* Asks the server's own function. */
char *dns_bench_ask(DnsBench *bench, const char *name, DnsType type);
