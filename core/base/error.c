#include "core/base/error.h"

GQuark
timonel_error_quark(void)
{
    return g_quark_from_static_string("timonel-error");
}

gboolean
fail(GError **error, TimonelErrorCode code, const char *format, ...)
{
    if (error != NULL && *error == NULL) {
        va_list args;
        va_start(args, format);
        *error = g_error_new_valist(TIMONEL_ERROR, (gint)code, format, args);
        va_end(args);
    }
    return FALSE;
}
