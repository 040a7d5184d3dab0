/* One page that needs nothing beside it: the timeline, each node's pods over time as a picture, what was expected. */
#include <glib/gi18n.h>
#include <string.h>

#include "sim/scenario/scenario_private.h"

#define PICTURE_WIDTH 960
#define LEFT 150
#define LANE_HEIGHT 46
#define LANE_GAP 10
#define HEAD 34

static const char STYLE[] =
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1010px;margin:2em auto;padding:0 1em;color:#1d2733;"
    "background:#fbfaf7}h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}table{border-collapse:collapse;width:100%}"
    "td,th{text-align:left;vertical-align:top;padding:.35em .7em .35em 0;border-bottom:1px solid #ddd8cc}"
    "pre{background:#f1eee5;padding:.7em;overflow:auto;font-size:13px;margin:.3em 0}.met{color:#1b6e3c}"
    ".unmet{color:#a51d2d;font-weight:600}.n{font-variant-numeric:tabular-nums;white-space:nowrap}"
    "svg{width:100%;height:auto}svg text{font:12px system-ui,sans-serif;fill:#1d2733}"
    "@media(prefers-color-scheme:dark){body{color:#e6e2d8;background:#171b21}pre{background:#20262e}"
    "td,th{border-color:#39414b}.met{color:#6fd08c}.unmet{color:#ff8f8f}svg text{fill:#e6e2d8}}";

static void
escaped(GString *out, const char *text)
{
    g_autofree char *safe = g_markup_escape_text(text != NULL ? text : "", -1);
    g_string_append(out, safe);
}

static void
element(GString *out, const char *open, const char *text, const char *close)
{
    g_string_append(out, open);
    escaped(out, text);
    g_string_append(out, close);
}

/* ---- the picture --------------------------------------------------------------------------------------------------- */

typedef struct Picture {
    const ScenarioRun *run;
    GString *out;
    int64_t from_ns, to_ns;
    unsigned most; /* pods in a lane */
    unsigned lane;
} Picture;

static double
x_of(const Picture *picture, int64_t time_ns)
{
    double part = (double)(time_ns - picture->from_ns) / (double)MAX(picture->to_ns - picture->from_ns, 1);
    return LEFT + CLAMP(part, 0.0, 1.0) * (PICTURE_WIDTH - LEFT - 10);
}

static void
box(const Picture *picture, int64_t from, int64_t to, unsigned below, unsigned count, const char *colour)
{
    double top = HEAD + picture->lane * (LANE_HEIGHT + LANE_GAP);
    double unit = (double)LANE_HEIGHT / MAX(picture->most, 1);
    if (count > 0)
        g_string_append_printf(picture->out,
                               "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"/>\n",
                               x_of(picture, from), top + LANE_HEIGHT - unit * (below + count),
                               MAX(x_of(picture, to) - x_of(picture, from), 0.3), unit * count, colour);
}

static void
draw_sample(const Picture *picture, const ScenarioSample *sample, int64_t until)
{
    unsigned below = 0;
    double top = HEAD + picture->lane * (LANE_HEIGHT + LANE_GAP);
    if (*sample->node != '\0' && !sample->node_ready)
        g_string_append_printf(picture->out,
                               "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" fill=\"#d9435022\" "
                               "stroke=\"#d94350\" stroke-dasharray=\"3 3\"/>\n",
                               x_of(picture, sample->time_ns), top,
                               MAX(x_of(picture, until) - x_of(picture, sample->time_ns), 0.3), LANE_HEIGHT);
    box(picture, sample->time_ns, until, below, sample->ready, "#2f9e5f");
    below += sample->ready;
    box(picture, sample->time_ns, until, below, sample->unready, "#e0a32e");
    below += sample->unready;
    box(picture, sample->time_ns, until, below, sample->pending, "#5b8dd6");
    below += sample->pending;
    box(picture, sample->time_ns, until, below, sample->ended, "#9a9a9a");
}

static gboolean
draw_lane(gpointer key, gpointer value, gpointer data)
{
    Picture *picture = data;
    const GArray *samples = picture->run->samples;
    const ScenarioSample *last = NULL;
    double top = HEAD + picture->lane * (LANE_HEIGHT + LANE_GAP);
    const char *node = *(const char *)key != '\0' ? key : scenario_tr(picture->run, N_("(on no node)"));
    g_string_append_printf(picture->out, "<text x=\"0\" y=\"%.1f\">", top + LANE_HEIGHT / 2.0 + 4);
    element(picture->out, "", node, "</text>\n");
    g_string_append_printf(picture->out,
                           "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#8888\"/>\n", LEFT,
                           PICTURE_WIDTH - 10, top + LANE_HEIGHT, top + LANE_HEIGHT);
    for (guint i = 0; i < samples->len; i++) {
        const ScenarioSample *sample = &g_array_index(samples, ScenarioSample, i);
        if (strcmp(sample->node, key) != 0)
            continue;
        if (last != NULL)
            draw_sample(picture, last, sample->time_ns);
        last = sample;
    }
    if (last != NULL)
        draw_sample(picture, last, picture->to_ns);
    picture->lane++;
    return FALSE;
}

static void
draw_steps(const Picture *picture, unsigned lanes)
{
    int height = HEAD + (int)lanes * (LANE_HEIGHT + LANE_GAP);
    for (guint i = 0; i < picture->run->steps->len; i++) {
        const ScenarioStep *step = picture->run->steps->pdata[i];
        double x = x_of(picture, step->start_ns);
        g_string_append_printf(picture->out,
                               "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"18\" y2=\"%d\" stroke=\"#7a5ea8\" "
                               "stroke-dasharray=\"2 3\"/><circle cx=\"%.1f\" cy=\"11\" r=\"9\" fill=\"#7a5ea8\"/>"
                               "<text x=\"%.1f\" y=\"15\" text-anchor=\"middle\" style=\"fill:#fff\">%u</text>\n",
                               x, x, height, x, x, i + 1);
        element(picture->out, "<title>", step->title, "</title>\n");
    }
}

static void
append_picture(GString *out, const ScenarioRun *run)
{
    Picture picture = {.run = run, .out = out, .from_ns = run->zero_ns, .to_ns = world_now(run->world)};
    unsigned lanes = (unsigned)g_tree_nnodes(run->nodes);
    for (guint i = 0; i < run->samples->len; i++) {
        const ScenarioSample *sample = &g_array_index(run->samples, ScenarioSample, i);
        picture.most = MAX(picture.most, sample->ready + sample->unready + sample->pending + sample->ended);
    }
    g_string_append_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", PICTURE_WIDTH,
                           HEAD + (int)lanes * (LANE_HEIGHT + LANE_GAP) + 20);
    element(out, "", scenario_tr(run, N_("Pods of each node over time")), "\">\n");
    g_tree_foreach(run->nodes, draw_lane, &picture);
    draw_steps(&picture, lanes);
    int bottom = HEAD + (int)lanes * (LANE_HEIGHT + LANE_GAP) + 12;
    for (int i = 0; i <= 4; i++) {
        int64_t time = picture.from_ns + (picture.to_ns - picture.from_ns) / 4 * i;
        g_string_append_printf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"%s\">%.0f s</text>\n",
                               x_of(&picture, time), bottom, i == 0 ? "start" : i == 4 ? "end" : "middle",
                               scenario_seconds(run, time));
    }
    g_string_append(out, "</svg>\n");
    element(out, "<p>",
            scenario_tr(run, N_("Green: ready. Yellow: running, not ready. Blue: pending. Grey: ended. A red frame: the "
                                "node is not Ready. Numbers are the steps below.")),
            "</p>\n");
}

/* Requests second by second: what succeeded below, what failed above it. */
static void
append_client(GString *out, const ScenarioRun *run, const ScenarioTraffic *traffic)
{
    Picture picture = {.run = run, .out = out, .from_ns = run->zero_ns, .to_ns = world_now(run->world), .most = 1};
    size_t seconds = traffic->client != NULL ? traffic_client_seconds(traffic->client) : 0;
    for (size_t i = 0; i < seconds; i++) {
        const TrafficSecond *second = traffic_client_second(traffic->client, i);
        picture.most = MAX(picture.most, second->succeeded + second->failed);
    }
    element(out, "<p>", traffic->title, ": ");
    element(out, "", traffic->reason, "</p>\n");
    g_string_append_printf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\">\n", PICTURE_WIDTH, HEAD + LANE_HEIGHT + 8);
    for (size_t i = 0; i < seconds; i++) {
        const TrafficSecond *second = traffic_client_second(traffic->client, i);
        int64_t from = second->second * NS_PER_S;
        box(&picture, from, from + NS_PER_S, 0, second->succeeded, "#2f9e5f");
        box(&picture, from, from + NS_PER_S, second->succeeded, second->failed, "#d94350");
    }
    draw_steps(&picture, 1);
    g_string_append(out, "</svg>\n");
}

static void
append_traffic(GString *out, const ScenarioRun *run)
{
    if (run->traffic->len > 0)
        element(out, "<h2>", scenario_tr(run, N_("Traffic: requests that succeeded (green) and failed (red)")), "</h2>\n");
    for (guint i = 0; i < run->traffic->len; i++)
        append_client(out, run, run->traffic->pdata[i]);
}

/* ---- tables ---------------------------------------------------------------------------------------------------------- */

static void
append_state(GString *out, const ScenarioRun *run, bool met)
{
    g_string_append_printf(out, "<td class=\"%s\">", met ? "met" : "unmet");
    element(out, "", scenario_tr(run, met ? N_("met") : N_("not met")), "</td>");
}

static void
append_steps(GString *out, const ScenarioRun *run)
{
    element(out, "<h2>", scenario_tr(run, N_("Steps")), "</h2>\n<table>\n");
    for (guint i = 0; i < run->steps->len; i++) {
        const ScenarioStep *step = run->steps->pdata[i];
        g_string_append_printf(out, "<tr><td class=\"n\">%u</td><td class=\"n\">%.3f s</td>", i + 1,
                               scenario_seconds(run, step->start_ns));
        append_state(out, run, step->met);
        element(out, "<td>", step->title, "");
        if (step->output->len > 0)
            element(out, "<pre>", step->output->str, "</pre>");
        if (step->reason != NULL)
            element(out, "<pre>", step->reason, "</pre>");
        if (step->why != NULL)
            element(out, "<pre>", step->why, "</pre>");
        g_string_append(out, "</td></tr>\n");
    }
    g_string_append(out, "</table>\n");
}

static void
append_checks(GString *out, const ScenarioRun *run)
{
    element(out, "<h2>", scenario_tr(run, N_("Expectations")), "</h2>\n<table>\n");
    for (guint i = 0; i < run->checks->len; i++) {
        const ScenarioCheck *check = run->checks->pdata[i];
        g_string_append_printf(out, "<tr><td class=\"n\">%.3f s</td>", scenario_seconds(run, check->decided_ns));
        append_state(out, run, check->state == CHECK_MET);
        element(out, "<td>", scenario_check_word(run, check->kind), "</td>");
        element(out, "<td>", check->title, "");
        if (check->state != CHECK_MET)
            element(out, "<pre>", check->result.reason, "</pre>");
        if (check->why != NULL)
            element(out, "<pre>", check->why, "</pre>");
        g_string_append(out, "</td></tr>\n");
    }
    g_string_append(out, "</table>\n");
}

static void
append_rules(GString *out, const ScenarioRun *run)
{
    element(out, "<h2>", scenario_tr(run, N_("Rules that hold in every run")), "</h2>\n<table>\n");
    for (size_t i = 0; i < oracle_class_count(); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (size_t k = 0; k < oracles_breach_count(run->oracles); k++) {
            const OracleBreach *breach = oracles_breach(run->oracles, k);
            if (breach->class == oracle_class_item(i))
                g_string_append_printf(text, "%.3f s: %s %s\n", scenario_seconds(run, breach->time_ns),
                                       breach->subject, breach->text);
        }
        g_string_append(out, "<tr>");
        append_state(out, run, text->len == 0);
        element(out, "<td>", scenario_tr(run, oracle_class_item(i)->title), "");
        if (text->len > 0)
            element(out, "<pre>", text->str, "</pre>");
        g_string_append(out, "</td></tr>\n");
    }
    g_string_append(out, "</table>\n");
}

char *
scenario_run_html(const ScenarioRun *run)
{
    GString *out = g_string_new("<!DOCTYPE html>\n");
    g_string_append_printf(out, "<html lang=\"%s\"><head><meta charset=\"utf-8\">\n", run->language[0] == 'e' &&
                           run->language[1] == 's' ? "es" : "en");
    g_string_append(out, "<meta name=\"viewport\" content=\"width=device-width\">\n<style>");
    g_string_append(out, STYLE);
    element(out, "</style>\n<title>", scenario_title(run->scenario, run->language), "</title></head>\n<body>\n");
    element(out, "<h1>", scenario_title(run->scenario, run->language), "</h1>\n");
    g_string_append_printf(out, "<p class=\"%s\">", run->met ? "met" : "unmet");
    element(out, "",
            scenario_tr(run, run->met ? N_("All is as expected.") : N_("Not all is as expected.")), "</p>\n<p>");
    g_autofree char *identity = scenario_identity(run);
    element(out, "", identity, "</p>\n");
    append_picture(out, run);
    append_traffic(out, run);
    append_steps(out, run);
    append_checks(out, run);
    append_rules(out, run);
    g_autofree char *digest = scenario_digest_line(run);
    element(out, "<p><code>", digest, "</code></p>\n</body></html>\n");
    return g_string_free(out, FALSE);
}
