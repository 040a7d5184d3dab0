/* Kubernetes' quantities ("500m", "1.5Gi", "1e3"), exact: an integer count of nano-units. Range about ±1.7e29
 * units; what lies beyond is refused when parsed, and sums stay at the end of the range. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/object/value.h"

__extension__ typedef __int128 QuantityNano;

typedef enum {
    QUANTITY_DECIMAL_SI,       /* n u m "" k M G T P E */
    QUANTITY_BINARY_SI,        /* Ki Mi Gi Ti Pi Ei */
    QUANTITY_DECIMAL_EXPONENT, /* e3, E-6 */
} QuantityFormat;

typedef struct {
    QuantityNano nano;
    QuantityFormat format; /* how it is written */
} Quantity;

/* Messages are apimachinery's. What is finer than a nano-unit is rounded up, away from zero. */
bool quantity_parse(const char *text, Quantity *ret_quantity, GError **error);
/* From a string or a number. */
bool quantity_parse_value(const Value *value, Quantity *ret_quantity, GError **error);
/* The same for values that were validated: 0 for all that does not parse, and for NULL. */
Quantity quantity_of(const Value *value);
Quantity quantity_from_int(int64_t units, QuantityFormat format);
Quantity quantity_from_milli(int64_t milli, QuantityFormat format);

/* The canonical form: no fraction, the largest suffix that keeps all digits. Owned. */
char *quantity_text(Quantity quantity);
Value *quantity_value_new(Quantity quantity); /* as a string value; owned */
/* What the API server stores for a text: the canonical form, but a text that already is as short stays as it is
 * (Quantity.MarshalJSON keeps it). Owned; NULL with error. */
char *quantity_normalize(const char *text, GError **error);

int quantity_compare(Quantity a, Quantity b);
bool quantity_is_zero(Quantity quantity);
int quantity_sign(Quantity quantity);
Quantity quantity_add(Quantity a, Quantity b); /* a zero takes the other's format */
Quantity quantity_sub(Quantity a, Quantity b);
Quantity quantity_negate(Quantity quantity);

/* In units of 10^scale (-9..18), rounded up away from zero; stays within int64. */
int64_t quantity_scaled(Quantity quantity, int scale);
int64_t quantity_units(Quantity quantity); /* Quantity.Value() */
int64_t quantity_milli(Quantity quantity); /* Quantity.MilliValue() */
double quantity_double(Quantity quantity); /* approximate, in units */
