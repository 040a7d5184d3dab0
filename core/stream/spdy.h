/* The server's side of SPDY/3.1 framing, as far as exec, attach and port-forward need it: streams that the client opens,
 * data both ways, header blocks. Flow control is left out by both sides (clients built on moby/spdystream neither send
 * nor heed window updates). Bytes in, bytes out. */
#pragma once

#include "core/object/value.h"

typedef struct Spdy Spdy;

typedef enum {
    SPDY_PROTOCOL_ERROR = 1,
    SPDY_INVALID_STREAM = 2,
    SPDY_REFUSED_STREAM = 3,
    SPDY_CANCEL = 5,
    SPDY_INTERNAL_ERROR = 6,
} SpdyReset;

typedef struct SpdyHandler {
    /* Bytes for the client, called within the other functions. */
    void (*write)(const void *bytes, size_t length, void *data);
    /* The client opened a stream: answer with spdy_reply or spdy_reset. headers: a map of names in lower case to texts. */
    void (*opened)(uint32_t stream, const Value *headers, bool finished, void *data);
    /* finished: the client sends nothing more here (bytes may be empty then). */
    void (*received)(uint32_t stream, const void *bytes, size_t length, bool finished, void *data);
    /* The client gave the stream up, or it broke its rules and we did; it is gone. */
    void (*reset)(uint32_t stream, void *data);
    /* Once: the client went away (why NULL) or broke the protocol; nothing more is received. */
    void (*closed)(const char *why, void *data);
} SpdyHandler;

Spdy *spdy_new(const SpdyHandler *handler, void *data);
/* May be called from the handler's functions; none is called afterwards. Accepts NULL. */
void spdy_free(Spdy *spdy);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Spdy, spdy_free)
void spdy_receive(Spdy *spdy, const void *bytes, size_t length);
void spdy_reply(Spdy *spdy, uint32_t stream);
/* finish: the server sends nothing more here. Streams that are gone swallow it. */
void spdy_send(Spdy *spdy, uint32_t stream, const void *bytes, size_t length, bool finish);
void spdy_reset(Spdy *spdy, uint32_t stream, SpdyReset status);
void spdy_goaway(Spdy *spdy);
size_t spdy_stream_count(const Spdy *spdy); /* open in at least one direction */

/* The 1423 bytes that both sides' compressors start from (SPDY/3, section 2.6.10.1). */
#define SPDY_DICTIONARY_SIZE 1423
void spdy_dictionary(uint8_t ret_bytes[static SPDY_DICTIONARY_SIZE]);
