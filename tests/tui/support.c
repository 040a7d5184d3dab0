#include <string.h>

#include "core/object/yaml.h"
#include "tests/tui/suites.h"

static const char CLUSTER[] = "apiVersion: sim.timonel.dev/v1\n"
                              "kind: Cluster\n"
                              "metadata: {name: test}\n"
                              "spec:\n"
                              "  controlPlane: {count: 1, cpu: \"4\", memory: 8Gi}\n"
                              "  nodeGroups:\n"
                              "  - {name: worker, count: 2, cpu: \"4\", memory: 8Gi}\n";

Live *
live_for_test(void)
{
    GError *error = NULL;
    g_autoptr(Value) document = yaml_parse(CLUSTER, strlen(CLUSTER), &error);
    ck_assert_msg(document != NULL, "%s", error != NULL ? error->message : "");
    Live *live = live_new(&(LiveOptions){.cluster = document, .seed = 1}, &error);
    ck_assert_msg(live != NULL, "%s", error != NULL ? error->message : "");
    live_step_for(live, 20 * NS_PER_S);
    return live;
}

void
live_add_pod(Live *live, const char *name)
{
    ApiRequest *request = api_request_new(API_VERB_CREATE, "", "pods", "default", NULL);
    request->body =
        value_new_f("{apiVersion: v1, kind: Pod, metadata: {name: %s}, spec: {containers: "
                    "[{name: web, image: nginx}]}}",
                    name);
    ApiResponse *response = world_call(live_world(live), request);
    ck_assert_int_eq(response->code, 201);
    api_response_free(response);
}

static const struct {
    const char *name;
    int key;
} NAMES[] = {
    {"Up", TUI_KEY_UP},          {"Down", TUI_KEY_DOWN},
    {"Left", TUI_KEY_LEFT},      {"Right", TUI_KEY_RIGHT},
    {"PageUp", TUI_KEY_PAGE_UP}, {"PageDown", TUI_KEY_PAGE_DOWN},
    {"Home", TUI_KEY_HOME},      {"End", TUI_KEY_END},
    {"Enter", TUI_KEY_ENTER},    {"Esc", TUI_KEY_ESCAPE},
    {"Tab", TUI_KEY_TAB},        {"Back", TUI_KEY_BACKSPACE},
    {"Delete", TUI_KEY_DELETE},  {"Space", ' '},
    {"C-c", TUI_CTRL('c')},      {"C-u", TUI_CTRL('u')},
    {"C-w", TUI_CTRL('w')},      {"Less", '<'},
};

static int
named_key(const char *text, size_t length)
{
    for (size_t i = 0; i < G_N_ELEMENTS(NAMES); i++)
        if (strlen(NAMES[i].name) == length && strncmp(NAMES[i].name, text, length) == 0)
            return NAMES[i].key;
    ck_abort_msg("no key is called <%.*s>", (int)length, text);
    return 0;
}

void
type_keys(TuiState *state, const char *keys)
{
    while (*keys != '\0') {
        TuiEvent event = {.type = TUI_EVENT_KEY};
        if (*keys == '<') {
            const char *end = strchr(keys, '>');
            ck_assert_ptr_nonnull(end);
            event.key = named_key(keys + 1, (size_t)(end - keys - 1));
            keys = end + 1;
        } else {
            event.key = (int)g_utf8_get_char(keys);
            keys = g_utf8_next_char(keys);
        }
        tui_update(state, &event);
    }
}

char *
screen_text(TuiState *state, bool ascii)
{
    g_autoptr(CellGrid) grid = grid_new(state->width, state->height, ascii);
    tui_render(state, grid);
    return grid_text(grid);
}

int
kubectl_for_test(Live *live, const char *line, const TuiOutput *output, void *data)
{
    g_autofree char *text = g_strdup_printf("ran: %s\n", line);
    output->write(1, text, strlen(text), output->data);
    return g_str_has_prefix(line, "fail") ? 1 : 0;
}
