/* How programs in simulated containers ask CoreDNS. */
#include "core/dns/server.h"
#include "sim/world/world_private.h"

static NetMessage
question(const char *name)
{
    return dns_question_message(name, DNS_A);
}

const SimulatedDnsOps WORLD_DNS_OPS = {.question = question, .answer = dns_answer_addresses};
