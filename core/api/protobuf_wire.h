/* The protobuf wire format: enough to write and read messages whose tables we have. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 } WireType;

void wire_put_varint(GByteArray *out, uint64_t value);
void wire_put_tag(GByteArray *out, int number, WireType type);
void wire_put_bytes(GByteArray *out, int number, const void *bytes, size_t length);
void wire_put_string(GByteArray *out, int number, const char *text);
/* Appends `take` as a field of that number and frees it. */
void wire_put_message(GByteArray *out, int number, GByteArray *take);
void wire_put_int(GByteArray *out, int number, int64_t value);

typedef struct WireReader {
    const uint8_t *at;
    const uint8_t *end;
} WireReader;

typedef struct WireField {
    int number;
    WireType type;
    uint64_t integer;     /* of a varint or a fixed one */
    const uint8_t *bytes; /* of WIRE_BYTES; borrowed */
    size_t length;
} WireField;

/* Steps to the next field. False at the end and when the bytes are broken; the latter sets error.
 */
bool wire_next(WireReader *reader, WireField *ret_field, GError **error);
bool wire_read_varint(WireReader *reader, uint64_t *ret_value);
