/* Writes a trace while it happens: JSON lines, or the Chrome / Perfetto trace event format (one track an actor, facts as
 * instants with an arrow from their cause, messages as slices). */
#pragma once

#include "sim/engine/trace.h"

typedef enum { TRACE_FORMAT_JSON_LINES, TRACE_FORMAT_CHROME } TraceFormat;
typedef void (*TraceWriteFunc)(const char *bytes, size_t length, void *data);
typedef struct TraceExport TraceExport;

/* Writes the facts that are kept already, then each new one. Messages are written too when asked for. */
TraceExport *trace_export_new(EngineTrace *trace, TraceFormat format, bool messages, TraceWriteFunc write, void *data);
/* Writes the end. */
void trace_export_free(TraceExport *export);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TraceExport, trace_export_free)
