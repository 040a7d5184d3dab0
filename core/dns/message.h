/* DNS questions and answers, and their wire format (RFC 1035, 3596, 2782, 6891). Decoding treats
 * its input as hostile: every length is checked, pointers only lead backwards, counts are bounded.
 *
 * Names are texts without the last dot, "" for the root; a byte of a label that is not a plain
 * letter, digit, '-' or '_' is written \. or \DDD. Case is kept; names are compared without it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    DNS_A = 1,
    DNS_NS = 2,
    DNS_CNAME = 5,
    DNS_SOA = 6,
    DNS_PTR = 12,
    DNS_TXT = 16,
    DNS_AAAA = 28,
    DNS_SRV = 33,
    DNS_OPT = 41,
    DNS_ANY = 255,
} DnsType;

typedef enum {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5,
} DnsCode;

const char *dns_type_name(unsigned type); /* "A", ...; "?" for what we do not know */
const char *dns_code_name(DnsCode code);  /* "NXDOMAIN", ... */

#define DNS_NAME_MAX 255
#define DNS_LABEL_MAX 63
#define DNS_RECORDS_MAX 4096  /* in one answer */
#define DNS_UDP_SIZE 512      /* without EDNS */
#define DNS_UDP_SIZE_MAX 4096 /* what we answer by UDP at most */

typedef struct DnsRecord {
    char *name;
    DnsType type;
    uint32_t ttl;
    char *address;                   /* A, AAAA */
    char *target;                    /* CNAME, NS, PTR, SRV; the primary server of an SOA */
    char *text;                      /* TXT; the mailbox of an SOA */
    uint16_t priority, weight, port; /* SRV */
    uint32_t serial, minimum;        /* SOA */
} DnsRecord;

/* What is asked: also the body of a call over port/net, port 53, whose reply is a DnsAnswer. */
typedef struct DnsQuery {
    char *name;
    DnsType type;
} DnsQuery;

DnsQuery *dns_query_new(const char *name, DnsType type);
void dns_query_free(DnsQuery *query);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsQuery, dns_query_free)

typedef struct DnsAnswer {
    DnsCode code;
    bool authoritative;
    GPtrArray *answers, *authority, *additional; /* DnsRecord */
} DnsAnswer;

DnsAnswer *dns_answer_new(DnsCode code);
void dns_answer_free(DnsAnswer *answer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsAnswer, dns_answer_free)
/* Adds an empty record; its texts are filled in by the caller. NULL when the section is full. */
DnsRecord *dns_record_add(GPtrArray *section, const char *name, DnsType type, uint32_t ttl);
/* "web.default.svc.cluster.local. 30 IN A 10.0.0.1"; owned. */
char *dns_record_text(const DnsRecord *record);

/* Is `name` the zone or below it? Without case. */
bool dns_name_in(const char *name, const char *zone);

/* ---- wire
 * --------------------------------------------------------------------------------------------- */

typedef struct DnsRequest {
    uint16_t id;
    bool recursion_desired;
    unsigned udp_size; /* what the client takes by UDP */
    bool edns;
    DnsQuery *query; /* NULL: the answer is `code` */
    DnsCode code;
} DnsRequest;

/* Reads a question. NULL when nothing can be answered at all (too short, or itself an answer); else
 * a request, with code FORMERR or NOTIMP and no query when it cannot be served. */
DnsRequest *dns_request_decode(const uint8_t *bytes, size_t length);
void dns_request_free(DnsRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DnsRequest, dns_request_free)

/* Writes the answer to a request. Records beyond `size_max` are left out and the truncation bit is
 * set. */
GByteArray *dns_answer_encode(const DnsRequest *request, const DnsAnswer *answer, size_t size_max);

/* For asking an upstream server. */
GByteArray *dns_query_encode(uint16_t id, const DnsQuery *query);
/* NULL when malformed, or not the answer with this id. Unknown types of record are skipped. */
DnsAnswer *dns_answer_decode(const uint8_t *bytes, size_t length, uint16_t id);
