#include "core/port/trace.h"

CauseId
trace_decision(Trace *trace, const char *actor, const char *verb, const char *subject,
               const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    return trace_record(trace, &(Fact){.kind = FACT_DECISION,
                                       .actor = actor,
                                       .verb = verb,
                                       .subject = subject,
                                       .text = text});
}
