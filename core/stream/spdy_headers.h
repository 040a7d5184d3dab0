/* SPDY/3's header blocks: name-value lists, compressed by one zlib stream a direction. */
#pragma once

#include <zlib.h>

#include "core/stream/spdy.h"

typedef struct SpdyHeaders {
    z_stream in, out;
} SpdyHeaders;

void spdy_headers_init(SpdyHeaders *headers);
void spdy_headers_clear(SpdyHeaders *headers);
/* A map name -> text (owned). NULL when the block is malformed or unfolds to more than SPDY_HEADERS_MAX: then the two
 * compressors are out of step and the connection is lost. */
Value *spdy_headers_read(SpdyHeaders *headers, const void *block, size_t length);
/* Appends the block of no headers. */
void spdy_headers_write_none(SpdyHeaders *headers, GByteArray *out);
