/* Life and text of questions and answers. */
#include "core/dns/message.h"

#include <string.h>

const char *
dns_type_name(unsigned type)
{
    switch (type) {
    case DNS_A:
        return "A";
    case DNS_NS:
        return "NS";
    case DNS_CNAME:
        return "CNAME";
    case DNS_SOA:
        return "SOA";
    case DNS_PTR:
        return "PTR";
    case DNS_TXT:
        return "TXT";
    case DNS_AAAA:
        return "AAAA";
    case DNS_SRV:
        return "SRV";
    case DNS_OPT:
        return "OPT";
    case DNS_ANY:
        return "ANY";
    default:
        return "?";
    }
}

const char *
dns_code_name(DnsCode code)
{
    static const char *const names[] = {"NOERROR",  "FORMERR", "SERVFAIL",
                                        "NXDOMAIN", "NOTIMP",  "REFUSED"};
    return (size_t)code < G_N_ELEMENTS(names) ? names[code] : "?";
}

DnsQuery *
dns_query_new(const char *name, DnsType type)
{
    DnsQuery *query = g_new0(DnsQuery, 1);
    query->name = g_strdup(name);
    query->type = type;
    size_t length = strlen(query->name);
    if (length > 0 && query->name[length - 1] == '.' &&
        (length == 1 || query->name[length - 2] != '\\'))
        query->name[length - 1] = '\0';
    return query;
}

void
dns_query_free(DnsQuery *query)
{
    if (query == NULL)
        return;
    g_free(query->name);
    g_free(query);
}

static void
record_free(void *data)
{
    DnsRecord *record = data;
    g_free(record->name);
    g_free(record->address);
    g_free(record->target);
    g_free(record->text);
    g_free(record);
}

DnsAnswer *
dns_answer_new(DnsCode code)
{
    DnsAnswer *answer = g_new0(DnsAnswer, 1);
    answer->code = code;
    answer->answers = g_ptr_array_new_with_free_func(record_free);
    answer->authority = g_ptr_array_new_with_free_func(record_free);
    answer->additional = g_ptr_array_new_with_free_func(record_free);
    return answer;
}

void
dns_answer_free(DnsAnswer *answer)
{
    if (answer == NULL)
        return;
    g_ptr_array_unref(answer->answers);
    g_ptr_array_unref(answer->authority);
    g_ptr_array_unref(answer->additional);
    g_free(answer);
}

DnsRecord *
dns_record_add(GPtrArray *section, const char *name, DnsType type, uint32_t ttl)
{
    if (section->len >= DNS_RECORDS_MAX)
        return NULL;
    DnsRecord *record = g_new0(DnsRecord, 1);
    record->name = g_strdup(name);
    record->type = type;
    record->ttl = ttl;
    g_ptr_array_add(section, record);
    return record;
}

char *
dns_record_text(const DnsRecord *record)
{
    g_autofree char *head =
        g_strdup_printf("%s. %u IN %s", record->name, record->ttl, dns_type_name(record->type));
    switch (record->type) {
    case DNS_A:
    case DNS_AAAA:
        return g_strdup_printf("%s %s", head, record->address);
    case DNS_SRV:
        return g_strdup_printf("%s %u %u %u %s.", head, record->priority, record->weight,
                               record->port, record->target);
    case DNS_TXT:
        return g_strdup_printf("%s \"%s\"", head, record->text);
    case DNS_SOA:
        return g_strdup_printf("%s %s. %s. %u 7200 1800 86400 %u", head, record->target,
                               record->text, record->serial, record->minimum);
    default:
        return g_strdup_printf("%s %s.", head, record->target != NULL ? record->target : "");
    }
}

bool
dns_name_in(const char *name, const char *zone)
{
    size_t name_length = strlen(name), zone_length = strlen(zone);
    if (zone_length == 0)
        return true;
    if (name_length < zone_length ||
        g_ascii_strcasecmp(name + name_length - zone_length, zone) != 0)
        return false;
    if (name_length == zone_length)
        return true;
    size_t before = name_length - zone_length - 1;
    return name[before] == '.' && (before == 0 || name[before - 1] != '\\');
}
