/* Texts from outside, made fit to be shown; and the encodings that Kubernetes uses. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Valid UTF-8 without control characters (newline and tab are allowed where `lines` says so), so that no
 * text can move a terminal's cursor, and without the marks that turn the direction of writing. */
typedef enum {
    TEXT_ONE_LINE,
    TEXT_LINES, /* newline and tab are allowed */
} TextShape;

bool text_is_safe(const char *text, size_t len, TextShape shape);
/* The text with everything unsafe written as \n, \t, \x1b, \u202e; invalid bytes as \xff. Owned. */
char *text_sanitize(const char *text, size_t len, TextShape shape);

/* Lower-case hexadecimal digits of a SHA-256; owned. */
char *text_sha256(const void *bytes, size_t len);
char *text_base64(const void *bytes, size_t len);
/* Strict standard base64 with padding; NULL on anything else. The result has a NUL behind it. */
uint8_t *text_base64_decode(const char *text, size_t *ret_len);

/* Go's %q: a double-quoted text with Go's escapes. Kubernetes' messages quote with it. */
char *text_quote(const char *text);

/* The parts between separators as an owned NULL-ended list, stripped of space and without empty ones. */
char **text_split_list(const char *text, char separator);
