/* The client's side of the two framings, for tests. */
#pragma once

#include <zlib.h>

#include "core/stream/spdy.h"

/* Appends one masked frame; first_byte: FIN and opcode ("0x82": a whole binary message). */
void client_ws_frame(GByteArray *out, unsigned first_byte, const void *bytes, size_t length);

typedef struct WsFrame {
    unsigned first_byte;
    const uint8_t *bytes;
    size_t length;
} WsFrame;

/* The server's next frame; false when there is no whole one. */
bool client_ws_next(const GByteArray *in, size_t *at, WsFrame *ret);

typedef struct SpdyClient {
    z_stream out, in;
} SpdyClient;

void client_spdy_init(SpdyClient *client);
void client_spdy_clear(SpdyClient *client);
void client_spdy_control(GByteArray *out, unsigned type, unsigned flags, const void *payload, size_t length);
/* headers: name, value, ..., NULL */
void client_spdy_open(SpdyClient *client, GByteArray *out, uint32_t id, bool finish, const char *const *headers);
void client_spdy_data(GByteArray *out, uint32_t id, bool finish, const char *text);

typedef struct SpdyFrame {
    unsigned type; /* 0: data */
    unsigned flags;
    uint32_t stream; /* of data, SYN_REPLY, RST_STREAM; the id of a PING */
    const uint8_t *bytes;
    size_t length;
} SpdyFrame;

bool client_spdy_next(const GByteArray *in, size_t *at, SpdyFrame *ret);
