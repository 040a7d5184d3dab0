#include "sim/engine/trace_export.h"

struct TraceExport {
    EngineTrace *trace;
    TraceFormat format;
    bool messages, first;
    TraceWriteFunc write;
    void *data;
    GHashTable *tracks; /* actor -> number; looked up only */
    GString *line;
};

static void
append_quoted(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\')
            g_string_append_printf(out, "\\%c", *c);
        else if ((unsigned char)*c < 0x20)
            g_string_append_printf(out, "\\u%04x", (unsigned)*c);
        else
            g_string_append_c(out, *c);
    }
    g_string_append_c(out, '"');
}

static void
append_member(GString *out, const char *key, const char *text)
{
    if (text == NULL)
        return;
    g_string_append_printf(out, ",\"%s\":", key);
    append_quoted(out, text);
}

static void
flush_line(TraceExport *export)
{
    export->write(export->line->str, export->line->len, export->data);
    g_string_truncate(export->line, 0);
}

static void
json_fact(TraceExport *export, const TraceFact *fact)
{
    GString *out = export->line;
    g_string_append_printf(out, "{\"id\":%" G_GUINT64_FORMAT ",\"time\":%" G_GINT64_FORMAT ",\"kind\":\"%s\"",
                           fact->id, fact->time, fact_kind_name(fact->kind));
    if (fact->cause != 0)
        g_string_append_printf(out, ",\"cause\":%" G_GUINT64_FORMAT, fact->cause);
    append_member(out, "actor", fact->actor);
    append_member(out, "verb", fact->verb);
    append_member(out, "subject", fact->subject);
    append_member(out, "text", fact->text);
    if (fact->revision != 0)
        g_string_append_printf(out, ",\"revision\":%" G_GINT64_FORMAT, fact->revision);
    if (fact->digest != 0)
        g_string_append_printf(out, ",\"digest\":\"%016" G_GINT64_MODIFIER "x\"", fact->digest);
    g_string_append(out, "}\n");
    flush_line(export);
}

static void
json_message(TraceExport *export, const TraceMessage *message)
{
    GString *out = export->line;
    g_string_append_printf(out, "{\"kind\":\"message\",\"time\":%" G_GINT64_FORMAT ",\"arrives\":%" G_GINT64_FORMAT,
                           message->time, message->arrives);
    append_member(out, "from", message->from);
    append_member(out, "to", message->to);
    append_member(out, "label", message->label);
    g_string_append_printf(out, "%s}\n", message->lost ? ",\"lost\":true" : "");
    flush_line(export);
}

static void
chrome_begin(TraceExport *export, const char *name, const char *phase, unsigned track, int64_t time)
{
    g_string_append(export->line, export->first ? "" : ",\n");
    export->first = false;
    g_string_append(export->line, "{\"name\":");
    append_quoted(export->line, name);
    g_string_append_printf(export->line, ",\"ph\":\"%s\",\"pid\":1,\"tid\":%u,\"ts\":%" G_GINT64_FORMAT ".%03d", phase,
                           track, time / 1000, (int)(time % 1000));
}

/* The track of an actor; names it in the file when it is new. */
static unsigned
chrome_track(TraceExport *export, const char *actor)
{
    unsigned track = GPOINTER_TO_UINT(g_hash_table_lookup(export->tracks, actor));
    if (track != 0)
        return track;
    track = g_hash_table_size(export->tracks) + 1;
    g_hash_table_insert(export->tracks, g_strdup(actor), GUINT_TO_POINTER(track));
    chrome_begin(export, "thread_name", "M", track, 0);
    g_string_append(export->line, ",\"args\":{\"name\":");
    append_quoted(export->line, actor);
    g_string_append(export->line, "}}");
    return track;
}

static void
chrome_fact(TraceExport *export, const TraceFact *fact)
{
    unsigned track = chrome_track(export, fact->actor);
    g_autofree char *name = g_strconcat(fact->verb, fact->subject != NULL ? " " : "",
                                        fact->subject != NULL ? fact->subject : "", NULL);
    TraceFact cause;
    if (engine_trace_get(export->trace, fact->cause, &cause)) {
        chrome_begin(export, "cause", "s", chrome_track(export, cause.actor), cause.time);
        g_string_append_printf(export->line, ",\"cat\":\"cause\",\"id\":%" G_GUINT64_FORMAT "}", fact->id);
        chrome_begin(export, "cause", "f", track, fact->time);
        g_string_append_printf(export->line, ",\"cat\":\"cause\",\"bp\":\"e\",\"id\":%" G_GUINT64_FORMAT "}", fact->id);
    }
    chrome_begin(export, name, "i", track, fact->time);
    g_string_append_printf(export->line, ",\"s\":\"t\",\"cat\":\"%s\",\"args\":{\"id\":%" G_GUINT64_FORMAT,
                           fact_kind_name(fact->kind), fact->id);
    append_member(export->line, "text", fact->text);
    g_string_append(export->line, "}}");
    flush_line(export);
}

static void
chrome_message(TraceExport *export, const TraceMessage *message)
{
    unsigned track = chrome_track(export, message->from);
    chrome_begin(export, message->label[0] != '\0' ? message->label : "message", "X", track, message->time);
    int64_t took = message->arrives - message->time;
    g_string_append_printf(export->line, ",\"dur\":%" G_GINT64_FORMAT ".%03d,\"cat\":\"message\",\"args\":{\"lost\":%s",
                           took / 1000, (int)(took % 1000), message->lost ? "true" : "false");
    append_member(export->line, "to", message->to);
    g_string_append(export->line, "}}");
    flush_line(export);
}

static void
export_one(const TraceFact *fact, const TraceMessage *message, void *data)
{
    TraceExport *export = data;
    bool chrome = export->format == TRACE_FORMAT_CHROME;
    if (fact != NULL)
        (chrome ? chrome_fact : json_fact)(export, fact);
    else if (export->messages)
        (chrome ? chrome_message : json_message)(export, message);
}

TraceExport *
trace_export_new(EngineTrace *trace, TraceFormat format, bool messages, TraceWriteFunc write, void *data)
{
    TraceExport *export = g_new0(TraceExport, 1);
    *export = (TraceExport){.trace = trace, .format = format, .messages = messages, .first = true,
                            .write = write, .data = data};
    export->tracks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    export->line = g_string_new(format == TRACE_FORMAT_CHROME ? "{\"traceEvents\":[\n" : "");
    flush_line(export);
    TraceFact fact;
    for (CauseId id = engine_trace_oldest(trace); engine_trace_get(trace, id, &fact); id++)
        export_one(&fact, NULL, export);
    engine_trace_add_listener(trace, export_one, export);
    return export;
}

void
trace_export_free(TraceExport *export)
{
    if (export == NULL)
        return;
    engine_trace_remove_listener(export->trace, export_one, export);
    if (export->format == TRACE_FORMAT_CHROME) {
        g_string_append(export->line, "\n]}\n");
        flush_line(export);
    }
    g_hash_table_unref(export->tracks);
    g_string_free(export->line, TRUE);
    g_free(export);
}
