/* The wire format. */
#include <arpa/inet.h>
#include <string.h>

#include "core/dns/message.h"

#define HEADER_SIZE 12
#define POINTERS_MAX 128 /* of one name */
#define CLASS_IN 1
#define FLAG_ANSWER 0x8000
#define FLAG_AUTHORITATIVE 0x0400
#define FLAG_TRUNCATED 0x0200
#define FLAG_RECURSION_DESIRED 0x0100
#define FLAG_RECURSION_AVAILABLE 0x0080
#define OPCODE_MASK 0x7800
#define CODE_MASK 0x000f

/* ---- reading
 * ------------------------------------------------------------------------------------------- */

typedef struct {
    const uint8_t *bytes;
    size_t length, at;
} Reader;

static bool
read16(Reader *reader, uint16_t *ret_number)
{
    if (reader->length - reader->at < 2)
        return false;
    *ret_number = (uint16_t)(reader->bytes[reader->at] << 8 | reader->bytes[reader->at + 1]);
    reader->at += 2;
    return true;
}

static bool
read32(Reader *reader, uint32_t *ret_number)
{
    uint16_t high, low;
    if (!read16(reader, &high) || !read16(reader, &low))
        return false;
    *ret_number = (uint32_t)high << 16 | low;
    return true;
}

static void
append_label(GString *name, const uint8_t *label, size_t length)
{
    if (name->len > 0)
        g_string_append_c(name, '.');
    for (size_t i = 0; i < length; i++) {
        if (g_ascii_isalnum(label[i]) || label[i] == '-' || label[i] == '_')
            g_string_append_c(name, (char)label[i]);
        else
            g_string_append_printf(name, "\\%03u", (unsigned)label[i]);
    }
}

/* A name, whose tail may lie earlier in the message. NULL when malformed. */
static char *
read_name(Reader *reader)
{
    g_autoptr(GString) name = g_string_new(NULL);
    size_t at = reader->at, size = 1;
    bool jumped = false;
    for (unsigned jumps = 0; jumps < POINTERS_MAX;) {
        if (at >= reader->length)
            return NULL;
        uint8_t length = reader->bytes[at];
        if ((length & 0xc0) == 0xc0) {
            if (at + 1 >= reader->length)
                return NULL;
            size_t to = (size_t)(length & 0x3f) << 8 | reader->bytes[at + 1];
            if (!jumped)
                reader->at = at + 2;
            if (to >= at) /* backwards only: so it must end */
                return NULL;
            jumped = true;
            jumps++;
            at = to;
            continue;
        }
        if (length > DNS_LABEL_MAX || at + 1 + length > reader->length)
            return NULL;
        if (length == 0) {
            if (!jumped)
                reader->at = at + 1;
            return g_strdup(name->str);
        }
        size += 1u + length;
        if (size > DNS_NAME_MAX)
            return NULL;
        append_label(name, reader->bytes + at + 1, length);
        at += 1u + length;
    }
    return NULL;
}

void
dns_request_free(DnsRequest *request)
{
    if (request == NULL)
        return;
    dns_query_free(request->query);
    g_free(request);
}

/* The OPT record among the additional ones says how much the client takes. */
static void
read_edns(Reader *reader, unsigned count, DnsRequest *request)
{
    for (unsigned i = 0; i < count && i < 16; i++) {
        g_autofree char *name = read_name(reader);
        uint16_t type, size, data_length;
        uint32_t ttl;
        if (name == NULL || !read16(reader, &type) || !read16(reader, &size) ||
            !read32(reader, &ttl) || !read16(reader, &data_length) ||
            reader->length - reader->at < data_length)
            return;
        reader->at += data_length;
        if (type != DNS_OPT)
            continue;
        request->edns = true;
        request->udp_size = CLAMP(size, DNS_UDP_SIZE, DNS_UDP_SIZE_MAX);
    }
}

DnsRequest *
dns_request_decode(const uint8_t *bytes, size_t length)
{
    Reader reader = {.bytes = bytes, .length = length};
    uint16_t id, flags, questions, answers, authority, additional, type, class;
    if (length < HEADER_SIZE)
        return NULL;
    read16(&reader, &id);
    read16(&reader, &flags);
    read16(&reader, &questions);
    read16(&reader, &answers);
    read16(&reader, &authority);
    read16(&reader, &additional);
    if ((flags & FLAG_ANSWER) != 0)
        return NULL;
    DnsRequest *request = g_new0(DnsRequest, 1);
    request->id = id;
    request->recursion_desired = (flags & FLAG_RECURSION_DESIRED) != 0;
    request->udp_size = DNS_UDP_SIZE;
    if ((flags & OPCODE_MASK) != 0) {
        request->code = DNS_NOTIMP;
        return request;
    }
    request->code = DNS_FORMERR;
    if (questions != 1 || answers != 0 || authority != 0)
        return request;
    g_autofree char *name = read_name(&reader);
    if (name == NULL || !read16(&reader, &type) || !read16(&reader, &class))
        return request;
    read_edns(&reader, additional, request);
    request->code = class == CLASS_IN ? DNS_NOERROR : DNS_NOTIMP;
    if (class == CLASS_IN)
        request->query = dns_query_new(name, type);
    return request;
}

/* One record's data; false when malformed. Those of unknown types are left without data. */
static bool
read_data(Reader *reader, DnsRecord *record, size_t length)
{
    char text[INET6_ADDRSTRLEN];
    const uint8_t *data = reader->bytes + reader->at;
    uint32_t refresh, retry, expire;
    switch (record->type) {
    case DNS_A:
    case DNS_AAAA:
        if (length != (record->type == DNS_A ? 4 : 16))
            return false;
        inet_ntop(record->type == DNS_A ? AF_INET : AF_INET6, data, text, sizeof text);
        record->address = g_strdup(text);
        return true;
    case DNS_SRV:
        return read16(reader, &record->priority) && read16(reader, &record->weight) &&
               read16(reader, &record->port) && (record->target = read_name(reader)) != NULL;
    case DNS_CNAME:
    case DNS_NS:
    case DNS_PTR:
        return (record->target = read_name(reader)) != NULL;
    case DNS_SOA:
        return (record->target = read_name(reader)) != NULL &&
               (record->text = read_name(reader)) != NULL && read32(reader, &record->serial) &&
               read32(reader, &refresh) && read32(reader, &retry) && read32(reader, &expire) &&
               read32(reader, &record->minimum);
    case DNS_TXT:
        if (length == 0 || data[0] + 1u > length)
            return false;
        record->text = g_utf8_make_valid((const char *)data + 1, data[0]);
        return true;
    default:
        return true;
    }
}

static bool
read_section(Reader *reader, unsigned count, GPtrArray *section)
{
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *name = read_name(reader);
        uint16_t type, class, length;
        uint32_t ttl;
        if (name == NULL || !read16(reader, &type) || !read16(reader, &class) ||
            !read32(reader, &ttl) || !read16(reader, &length) ||
            reader->length - reader->at < length)
            return false;
        DnsRecord *record = dns_record_add(section, name, type, ttl);
        if (record == NULL)
            return false;
        size_t end = reader->at + length;
        /* Names in the data may point anywhere before, but the data itself ends where it says. */
        Reader data = {.bytes = reader->bytes, .length = end, .at = reader->at};
        if (!read_data(&data, record, length))
            return false;
        reader->at = end;
        bool known = record->address != NULL || record->target != NULL || record->text != NULL;
        if (!known || class != CLASS_IN)
            g_ptr_array_remove_index(section, section->len - 1);
    }
    return true;
}

DnsAnswer *
dns_answer_decode(const uint8_t *bytes, size_t length, uint16_t wanted_id)
{
    Reader reader = {.bytes = bytes, .length = length};
    uint16_t id, flags, counts[4], type, class;
    if (!read16(&reader, &id) || !read16(&reader, &flags) || id != wanted_id ||
        (flags & FLAG_ANSWER) == 0)
        return NULL;
    for (size_t i = 0; i < 4; i++)
        if (!read16(&reader, &counts[i]))
            return NULL;
    for (unsigned i = 0; i < counts[0]; i++) {
        g_autofree char *name = read_name(&reader);
        if (name == NULL || !read16(&reader, &type) || !read16(&reader, &class))
            return NULL;
    }
    g_autoptr(DnsAnswer) answer = dns_answer_new((DnsCode)(flags & CODE_MASK));
    answer->authoritative = (flags & FLAG_AUTHORITATIVE) != 0;
    if (!read_section(&reader, counts[1], answer->answers) ||
        !read_section(&reader, counts[2], answer->authority) ||
        !read_section(&reader, counts[3], answer->additional))
        return NULL;
    return g_steal_pointer(&answer);
}

/* ---- writing
 * ------------------------------------------------------------------------------------------- */

typedef struct {
    GByteArray *out;
    GHashTable *names; /* lower-case name -> offset + 1, for compression */
} Writer;

static void
write8(Writer *writer, unsigned number)
{
    guint8 byte = (guint8)number;
    g_byte_array_append(writer->out, &byte, 1);
}

static void
write16(Writer *writer, unsigned number)
{
    write8(writer, number >> 8);
    write8(writer, number & 0xff);
}

static void
write32(Writer *writer, uint32_t number)
{
    write16(writer, number >> 16);
    write16(writer, number & 0xffff);
}

/* One label's bytes from its text; *text moves behind it (and its dot). */
static size_t
take_label(const char **text, uint8_t *ret_bytes)
{
    size_t length = 0;
    const char *p = *text;
    for (; *p != '\0' && *p != '.'; p++) {
        uint8_t byte = (uint8_t)*p;
        if (*p == '\\' && g_ascii_isdigit(p[1]) && g_ascii_isdigit(p[2]) && g_ascii_isdigit(p[3])) {
            byte = (uint8_t)((p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0'));
            p += 3;
        } else if (*p == '\\' && p[1] != '\0') {
            byte = (uint8_t) * ++p;
        }
        if (length < DNS_LABEL_MAX)
            ret_bytes[length++] = byte;
    }
    *text = *p == '.' ? p + 1 : p;
    return length;
}

static void
write_name(Writer *writer, const char *name)
{
    uint8_t label[DNS_LABEL_MAX];
    size_t begin = writer->out->len;
    while (*name != '\0') {
        g_autofree char *key = g_ascii_strdown(name, -1);
        size_t known = GPOINTER_TO_SIZE(g_hash_table_lookup(writer->names, key));
        if (known != 0) {
            write16(writer, 0xc000 | (unsigned)(known - 1));
            return;
        }
        if (writer->out->len < 0x3fff)
            g_hash_table_insert(writer->names, g_steal_pointer(&key),
                                GSIZE_TO_POINTER(writer->out->len + 1));
        size_t length = take_label(&name, label);
        if (length == 0 || writer->out->len - begin + length + 2 > DNS_NAME_MAX)
            break;
        write8(writer, (unsigned)length);
        g_byte_array_append(writer->out, label, (guint)length);
    }
    write8(writer, 0);
}

static void
write_data(Writer *writer, const DnsRecord *record)
{
    uint8_t address[16];
    switch (record->type) {
    case DNS_A:
        if (inet_pton(AF_INET, record->address, address) == 1)
            g_byte_array_append(writer->out, address, 4);
        break;
    case DNS_AAAA:
        if (inet_pton(AF_INET6, record->address, address) == 1)
            g_byte_array_append(writer->out, address, 16);
        break;
    case DNS_SRV:
        write16(writer, record->priority);
        write16(writer, record->weight);
        write16(writer, record->port);
        write_name(writer, record->target);
        break;
    case DNS_TXT: {
        size_t length = MIN(strlen(record->text), 255);
        write8(writer, (unsigned)length);
        g_byte_array_append(writer->out, (const guint8 *)record->text, (guint)length);
        break;
    }
    case DNS_SOA:
        write_name(writer, record->target);
        write_name(writer, record->text);
        write32(writer, record->serial);
        write32(writer, 7200);
        write32(writer, 1800);
        write32(writer, 86400);
        write32(writer, record->minimum);
        break;
    default:
        write_name(writer, record->target != NULL ? record->target : "");
    }
}

static void
write_record(Writer *writer, const DnsRecord *record)
{
    write_name(writer, record->name);
    write16(writer, record->type);
    write16(writer, CLASS_IN);
    write32(writer, record->ttl);
    size_t length_at = writer->out->len;
    write16(writer, 0);
    write_data(writer, record);
    size_t length = writer->out->len - length_at - 2;
    writer->out->data[length_at] = (guint8)(length >> 8);
    writer->out->data[length_at + 1] = (guint8)length;
}

/* Returns how many fitted. */
static unsigned
write_section(Writer *writer, const GPtrArray *section, size_t size_max, bool *truncated)
{
    for (unsigned i = 0; i < section->len; i++) {
        size_t before = writer->out->len;
        if (!*truncated)
            write_record(writer, section->pdata[i]);
        if (*truncated || writer->out->len > size_max) {
            g_byte_array_set_size(writer->out, (guint)before);
            *truncated = true;
            return i;
        }
    }
    return section->len;
}

static Writer
writer_new(void)
{
    return (Writer){.out = g_byte_array_new(),
                    .names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
}

GByteArray *
dns_answer_encode(const DnsRequest *request, const DnsAnswer *answer, size_t size_max)
{
    Writer writer = writer_new();
    unsigned flags = FLAG_ANSWER | FLAG_RECURSION_AVAILABLE | ((unsigned)answer->code & CODE_MASK) |
                     (request->recursion_desired ? FLAG_RECURSION_DESIRED : 0) |
                     (answer->authoritative ? FLAG_AUTHORITATIVE : 0);
    unsigned edns = request->edns ? 1 : 0;
    size_max = MAX(size_max, DNS_UDP_SIZE) - edns * 11;
    write16(&writer, request->id);
    for (int i = 0; i < 5; i++)
        write16(&writer, 0);
    if (request->query != NULL) {
        write_name(&writer, request->query->name);
        write16(&writer, request->query->type);
        write16(&writer, CLASS_IN);
    }
    bool truncated = false;
    unsigned counts[3];
    counts[0] = write_section(&writer, answer->answers, size_max, &truncated);
    counts[1] = write_section(&writer, answer->authority, size_max, &truncated);
    bool extra_truncated = truncated; /* what is only extra may be missing silently */
    counts[2] = write_section(&writer, answer->additional, size_max, &extra_truncated) + edns;
    if (request->edns) {
        write8(&writer, 0);
        write16(&writer, DNS_OPT);
        write16(&writer, DNS_UDP_SIZE_MAX);
        write32(&writer, 0);
        write16(&writer, 0);
    }
    guint8 *header = writer.out->data;
    flags |= truncated ? FLAG_TRUNCATED : 0;
    header[2] = (guint8)(flags >> 8);
    header[3] = (guint8)flags;
    header[5] = request->query != NULL ? 1 : 0;
    for (size_t i = 0; i < 3; i++) {
        header[6 + 2 * i] = (guint8)(counts[i] >> 8);
        header[7 + 2 * i] = (guint8)counts[i];
    }
    g_hash_table_unref(writer.names);
    return writer.out;
}

GByteArray *
dns_query_encode(uint16_t id, const DnsQuery *query)
{
    Writer writer = writer_new();
    write16(&writer, id);
    write16(&writer, FLAG_RECURSION_DESIRED);
    write16(&writer, 1);
    for (int i = 0; i < 3; i++)
        write16(&writer, 0);
    write_name(&writer, query->name);
    write16(&writer, query->type);
    write16(&writer, CLASS_IN);
    g_hash_table_unref(writer.names);
    return writer.out;
}
