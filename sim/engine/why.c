#include "sim/engine/why.h"

#define N_(text) text

static const char *
say(const WhyOptions *options, const char *message_id)
{
    return options->translate != NULL ? options->translate(message_id, options->translate_data) : message_id;
}

/* The sentence of a kind: %1$s actor, %2$s verb, %3$s subject, %4$s text. */
static const char *
sentence_format(const TraceFact *fact)
{
    bool has_text = fact->text != NULL;
    switch (fact->kind) {
    case FACT_WRITE:
        return has_text ? N_("%1$s wrote (%2$s) %3$s: %4$s") : N_("%1$s wrote (%2$s) %3$s");
    case FACT_DECISION:
        return has_text ? N_("%1$s decided on %3$s: %4$s") : N_("%1$s decided to %2$s %3$s");
    case FACT_MESSAGE:
        return N_("%1$s sent %2$s to %3$s");
    case FACT_FAULT:
        return has_text ? N_("fault at %3$s: %4$s (by %1$s)") : N_("fault at %3$s: %2$s (by %1$s)");
    case FACT_INPUT:
        return has_text ? N_("%1$s asked for %2$s of %3$s: %4$s") : N_("%1$s asked for %2$s of %3$s");
    case FACT_STATE:
        return has_text ? N_("on %1$s, %3$s: %4$s") : N_("on %1$s, %3$s: %2$s");
    }
    g_assert_not_reached();
}

/* Fills a format whose arguments are %1$s to %4$s; anything else a translator wrote is copied as it is. */
static char *
fill(const char *format, const char *const arguments[4])
{
    GString *out = g_string_new(NULL);
    for (const char *c = format; *c != '\0'; c++) {
        if (c[0] == '%' && c[1] >= '1' && c[1] <= '4' && c[2] == '$' && c[3] == 's') {
            g_string_append(out, arguments[c[1] - '1']);
            c += 3;
        } else {
            g_string_append_c(out, *c);
        }
    }
    return g_string_free(out, FALSE);
}

char *
why_sentence(const TraceFact *fact, const WhyOptions *options)
{
    const char *subject = fact->subject != NULL ? fact->subject : say(options, N_("the cluster"));
    const char *const arguments[4] = {fact->actor, fact->verb, subject, fact->text != NULL ? fact->text : ""};
    return fill(say(options, sentence_format(fact)), arguments);
}

static void
append_line(GString *out, const TraceFact *fact, const WhyOptions *options, bool first)
{
    int64_t ms = (fact->time - options->epoch) / 1000000;
    g_autofree char *sentence = why_sentence(fact, options);
    g_string_append_printf(out, "%8" G_GINT64_FORMAT ".%03d s  %s%s\n", ms / 1000, (int)(ms % 1000),
                           first ? "" : say(options, N_("because ")), sentence);
}

char *
why_cause(const EngineTrace *trace, CauseId cause, const WhyOptions *options)
{
    size_t max = options->lines_max == 0 ? 20 : MIN(options->lines_max, WHY_LINES_MAX);
    g_autofree TraceFact *facts = g_new(TraceFact, max);
    size_t n = engine_trace_chain(trace, cause, max, facts);
    if (n == 0)
        return NULL;
    GString *out = g_string_new(NULL);
    for (size_t i = 0; i < n; i++)
        append_line(out, &facts[i], options, i == 0);
    CauseId further = facts[n - 1].cause;
    if (further != 0)
        g_string_append_printf(out, "%s\n", further < engine_trace_oldest(trace)
                                                ? say(options, N_("... what came before is forgotten"))
                                                : say(options, N_("... and more before")));
    return g_string_free(out, FALSE);
}

char *
why_subject(const EngineTrace *trace, const char *subject, const WhyOptions *options)
{
    return why_cause(trace, engine_trace_last_about(trace, subject), options);
}
