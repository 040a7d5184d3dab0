#include <string.h>

#include "core/base/rng.h"
#include "tests/core/dns/bench.h"
#include "tests/core/dns/suites.h"

static DnsAnswer *
long_answer(unsigned n)
{
    DnsAnswer *answer = dns_answer_new(DNS_NOERROR);
    answer->authoritative = true;
    for (unsigned i = 0; i < n; i++)
        dns_record_add(answer->answers, "web.default.svc.cluster.local", DNS_A, 30)->address =
            g_strdup_printf("10.0.%u.%u", i / 250, i % 250 + 1);
    return answer;
}

START_TEST(a_question_survives_the_wire)
{
    static const char *const names[] = {"web.default.svc.cluster.local", "_http._tcp.Web", "",
                                        "a\\046b.c", "x"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(DnsQuery) query = dns_query_new(names[i], DNS_SRV);
        g_autoptr(GByteArray) bytes = dns_query_encode(4711, query);
        g_autoptr(DnsRequest) request = dns_request_decode(bytes->data, bytes->len);
        ck_assert_ptr_nonnull(request);
        ck_assert_uint_eq(request->id, 4711);
        ck_assert(request->recursion_desired);
        ck_assert_str_eq(request->query->name, names[i]);
        ck_assert_int_eq(request->query->type, DNS_SRV);
    }
}
END_TEST

START_TEST(an_answer_survives_the_wire)
{
    g_autoptr(DnsQuery) query = dns_query_new("web.default.svc.cluster.local", DNS_ANY);
    g_autoptr(GByteArray) asked = dns_query_encode(7, query);
    g_autoptr(DnsRequest) request = dns_request_decode(asked->data, asked->len);
    g_autoptr(DnsAnswer) answer = long_answer(2);
    dns_record_add(answer->answers, "a.b", DNS_AAAA, 5)->address = g_strdup("fd00::1");
    dns_record_add(answer->answers, "a.b", DNS_CNAME, 5)->target =
        g_strdup("c.web.default.svc.cluster.local");
    dns_record_add(answer->answers, "a.b", DNS_TXT, 5)->text = g_strdup("1.1.0");
    DnsRecord *srv = dns_record_add(answer->answers, "_x._tcp.a.b", DNS_SRV, 5);
    srv->weight = 50;
    srv->port = 8080;
    srv->target = g_strdup("a.b");
    DnsRecord *soa = dns_record_add(answer->answers, "b", DNS_SOA, 5);
    soa->target = g_strdup("ns.b");
    soa->text = g_strdup("hostmaster.b");
    soa->serial = 99;
    soa->minimum = 30;
    g_autoptr(GByteArray) bytes = dns_answer_encode(request, answer, 4096);
    g_autoptr(DnsAnswer) back = dns_answer_decode(bytes->data, bytes->len, 7);
    ck_assert_ptr_nonnull(back);
    ck_assert(back->authoritative);
    g_autofree char *wanted = dns_answer_text(answer);
    g_autofree char *found = dns_answer_text(back);
    ck_assert_str_eq(found, wanted);
    ck_assert_ptr_null(dns_answer_decode(bytes->data, bytes->len, 8));
}
END_TEST

START_TEST(what_does_not_fit_is_cut_and_said_so)
{
    g_autoptr(DnsQuery) query = dns_query_new("web.default.svc.cluster.local", DNS_A);
    g_autoptr(GByteArray) asked = dns_query_encode(7, query);
    g_autoptr(DnsRequest) request = dns_request_decode(asked->data, asked->len);
    g_autoptr(DnsAnswer) answer = long_answer(100);
    g_autoptr(GByteArray) bytes = dns_answer_encode(request, answer, request->udp_size);
    ck_assert_uint_le(bytes->len, 512);
    ck_assert_uint_eq(bytes->data[2] & 0x02, 0x02);
    g_autoptr(DnsAnswer) back = dns_answer_decode(bytes->data, bytes->len, 7);
    ck_assert_uint_gt(back->answers->len, 20);
    ck_assert_uint_lt(back->answers->len, 100);
    g_autoptr(GByteArray) whole = dns_answer_encode(request, answer, 65535);
    ck_assert_uint_eq(whole->data[2] & 0x02, 0);
}
END_TEST

START_TEST(malformed_questions_are_refused)
{
    static const struct {
        const char *what;
        uint8_t bytes[48];
        size_t length;
        int code; /* -1: no answer at all */
    } cases[] = {
        {"too short", {0, 1, 1, 0, 0, 1}, 6, -1},
        {"an answer", {0, 1, 0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1}, 17, -1},
        {"an update", {0, 1, 0x28, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1}, 17, DNS_NOTIMP},
        {"no question", {0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 12, DNS_FORMERR},
        {"two questions", {0, 1, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1}, 17, DNS_FORMERR},
        {"a name that points at itself",
         {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 1, 0, 1},
         18,
         DNS_FORMERR},
        {"a name that points forwards",
         {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 14, 0, 0, 1, 0, 1},
         19,
         DNS_FORMERR},
        {"a label beyond the end",
         {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 60, 'a', 0, 0, 1, 0, 1},
         19,
         DNS_FORMERR},
        {"a reserved label",
         {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x80, 'a', 0, 0, 1, 0, 1},
         19,
         DNS_FORMERR},
        {"no type", {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0}, 16, DNS_FORMERR},
        {"another class",
         {0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0, 1, 0, 3},
         19,
         DNS_NOTIMP},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(DnsRequest) request = dns_request_decode(cases[i].bytes, cases[i].length);
        ck_assert_msg((request == NULL) == (cases[i].code < 0), "%s", cases[i].what);
        if (request == NULL)
            continue;
        ck_assert_msg((int)request->code == cases[i].code && request->query == NULL, "%s",
                      cases[i].what);
        g_autoptr(DnsAnswer) answer = dns_answer_new(request->code);
        g_autoptr(GByteArray) bytes = dns_answer_encode(request, answer, 512);
        ck_assert_uint_eq(bytes->len, 12);
    }
}
END_TEST

START_TEST(damaged_messages_do_no_harm)
{
    Rng rng = rng_derive(1, "wire");
    g_autoptr(DnsQuery) query = dns_query_new("web.default.svc.cluster.local", DNS_A);
    g_autoptr(GByteArray) asked = dns_query_encode(7, query);
    g_autoptr(DnsRequest) request = dns_request_decode(asked->data, asked->len);
    g_autoptr(DnsAnswer) answer = long_answer(5);
    dns_record_add(answer->answers, "a.b", DNS_CNAME, 5)->target =
        g_strdup("c.web.default.svc.cluster.local");
    dns_record_add(answer->answers, "a.b", DNS_TXT, 5)->text = g_strdup("text");
    g_autoptr(GByteArray) bytes = dns_answer_encode(request, answer, 4096);
    for (int i = 0; i < 20000; i++) {
        size_t length = rng_below(&rng, bytes->len + 1);
        g_autofree uint8_t *copy = g_memdup2(bytes->data, bytes->len);
        g_autofree uint8_t *exact = g_malloc(length + 1);
        for (int k = 0; k < 4; k++)
            copy[rng_below(&rng, bytes->len)] = (uint8_t)rng_next(&rng);
        memcpy(exact, copy, length);
        uint8_t *end =
            g_memdup2(exact, length > 0 ? length : 1); /* the sanitizer sees reads beyond it */
        dns_answer_free(dns_answer_decode(end, length, 7));
        if (length > 2)
            end[2] &= 0x7f;
        dns_request_free(dns_request_decode(end, length));
        g_free(end);
    }
}
END_TEST

TCase *
wire_case(void)
{
    return test_case("wire", a_question_survives_the_wire, an_answer_survives_the_wire,
                     what_does_not_fit_is_cut_and_said_so, malformed_questions_are_refused,
                     damaged_messages_do_no_harm);
}
