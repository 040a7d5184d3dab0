/* One error domain for everything that can go wrong because of input or surroundings.
 * A wrong program asserts; wrong input returns one of these (see STYLE: errors). */
#pragma once

#include <glib.h>

#define TIMONEL_ERROR (timonel_error_quark())

typedef enum {
    TIMONEL_ERROR_INVALID,     /* the input is malformed or breaks a rule */
    TIMONEL_ERROR_NOT_FOUND,   /* what was named does not exist */
    TIMONEL_ERROR_EXISTS,      /* what was to be made is there already */
    TIMONEL_ERROR_CONFLICT,    /* somebody else changed it first */
    TIMONEL_ERROR_EXPIRED,     /* the asked-for history is gone */
    TIMONEL_ERROR_LIMIT,       /* a bound of core/base/limits.h was reached */
    TIMONEL_ERROR_UNAVAILABLE, /* the other side does not answer (now) */
    TIMONEL_ERROR_UNSUPPORTED, /* valid, but this build or back end cannot do it */
    TIMONEL_ERROR_PERMISSION,  /* not allowed */
    TIMONEL_ERROR_IO,          /* the operating system said no */
} TimonelErrorCode;

GQuark timonel_error_quark(void);

/* Sets *error (if error is not NULL) and returns FALSE, so that failing takes one line:
 * `return fail(error, TIMONEL_ERROR_INVALID, "...")`. */
gboolean fail(GError **error, TimonelErrorCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);
