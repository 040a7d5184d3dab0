#include "core/api/protobuf_wire.h"

#include "core/base/error.h"

void
wire_put_varint(GByteArray *out, uint64_t value)
{
    uint8_t bytes[10];
    guint n = 0;
    do {
        bytes[n++] = (uint8_t)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
    } while (value);
    g_byte_array_append(out, bytes, n);
}

void
wire_put_tag(GByteArray *out, int number, WireType type)
{
    wire_put_varint(out, (uint64_t)number << 3 | (uint64_t)type);
}

void
wire_put_bytes(GByteArray *out, int number, const void *bytes, size_t length)
{
    wire_put_tag(out, number, WIRE_BYTES);
    wire_put_varint(out, length);
    if (length)
        g_byte_array_append(out, bytes, (guint)length);
}

void
wire_put_string(GByteArray *out, int number, const char *text)
{
    wire_put_bytes(out, number, text, strlen(text));
}

void
wire_put_message(GByteArray *out, int number, GByteArray *take)
{
    wire_put_bytes(out, number, take->data, take->len);
    g_byte_array_unref(take);
}

void
wire_put_int(GByteArray *out, int number, int64_t value)
{
    wire_put_tag(out, number, WIRE_VARINT);
    wire_put_varint(out, (uint64_t)value);
}

bool
wire_read_varint(WireReader *reader, uint64_t *ret_value)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && reader->at < reader->end; shift += 7) {
        uint8_t byte = *reader->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool
read_fixed(WireReader *reader, size_t length, uint64_t *ret_value)
{
    if ((size_t)(reader->end - reader->at) < length)
        return false;
    uint64_t value = 0;
    for (size_t i = 0; i < length; i++)
        value |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += length;
    *ret_value = value;
    return true;
}

static bool
read_payload(WireReader *reader, WireField *field)
{
    uint64_t length;
    switch (field->type) {
    case WIRE_VARINT:
        return wire_read_varint(reader, &field->integer);
    case WIRE_FIXED64:
        return read_fixed(reader, 8, &field->integer);
    case WIRE_FIXED32:
        return read_fixed(reader, 4, &field->integer);
    case WIRE_BYTES:
        if (!wire_read_varint(reader, &length) || length > (uint64_t)(reader->end - reader->at))
            return false;
        field->bytes = reader->at;
        field->length = (size_t)length;
        reader->at += length;
        return true;
    }
    return false;
}

bool
wire_next(WireReader *reader, WireField *ret_field, GError **error)
{
    if (reader->at == reader->end)
        return false;
    uint64_t tag;
    WireField field = {0};
    if (!wire_read_varint(reader, &tag) || tag >> 3 == 0 || tag >> 3 > G_MAXINT)
        return fail(error, TIMONEL_ERROR_INVALID, "proto: illegal tag");
    field.number = (int)(tag >> 3);
    field.type = (WireType)(tag & 7);
    if (!read_payload(reader, &field))
        return fail(error, TIMONEL_ERROR_INVALID, "unexpected EOF");
    *ret_field = field;
    return true;
}
