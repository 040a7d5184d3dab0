/* Paths that are no API: version, health, metrics, and the list of paths at the root. Anonymous
 * users may read the health and version paths; the rest needs a user, which face.c has not looked
 * for yet when this is asked: so metrics are guarded here. */
#include "core/http/private.h"

static const char *const health_paths[] = {"healthz", "livez", "readyz"};

static void
health_answer(HttpFace *face, const Url *url, HttpResponder *responder)
{
    bool ready = api_server_is_ready(face->server);
    bool ok = ready || strcmp(url->segments[0], "livez") == 0;
    g_autofree char *text = NULL;

    if (ok && url_param(url, "verbose") == NULL) {
        answer_text(responder, 200, "text/plain; charset=utf-8", "ok");
        return;
    }
    text = g_strdup_printf(
        "[+]ping ok\n[%c]etcd %s\n[+]poststarthook/start-apiserver-admission-initializer ok\n%s "
        "check %s\n",
        ready ? '+' : '-', ready ? "ok" : "failed: reason withheld", url->segments[0],
        ok ? "passed" : "failed");
    answer_text(responder, ok ? 200 : 500, "text/plain; charset=utf-8", text);
}

static void
version_answer(HttpFace *face, HttpResponder *responder)
{
    g_autoptr(Value) version =
        value_new_f("{major: %s, minor: %s, emulationMajor: %s, emulationMinor: %s, "
                    "minCompatibilityMajor: %s, minCompatibilityMinor: "
                    "'34', gitVersion: %s, gitCommit: timonel, gitTreeState: clean, buildDate: "
                    "'2026-01-01T00:00:00Z', goVersion: none, "
                    "compiler: gcc, platform: 'linux/amd64'}",
                    API_SERVER_VERSION_MAJOR, API_SERVER_VERSION_MINOR, API_SERVER_VERSION_MAJOR,
                    API_SERVER_VERSION_MINOR, API_SERVER_VERSION_MAJOR,
                    api_server_options(face->server)->git_version);
    GString *text = g_string_new(NULL);

    json_write_pretty(text, version);
    g_string_append_c(text, '\n');
    answer_text(responder, 200, "application/json", text->str);
    g_string_free(text, TRUE);
}

static bool
may_read_metrics(HttpFace *face, const HttpRequest *request)
{
    const char *authorization = http_request_header(request, "Authorization");
    ApiUser *user;

    if (request->peer_common_name != NULL)
        return true;
    if (authorization == NULL || g_ascii_strncasecmp(authorization, "Bearer ", 7) != 0)
        return false;
    user = api_server_authenticate_token(face->server, authorization + 7);
    api_user_unref(user);
    return user != NULL;
}

static void
metrics_answer(HttpFace *face, const HttpRequest *request, HttpResponder *responder)
{
    g_autofree char *text = NULL;

    if (!may_read_metrics(face, request)) {
        answer_status(
            responder,
            status_new(403, "Forbidden",
                       "forbidden: User \"system:anonymous\" cannot get path \"/metrics\""));
        return;
    }
    text = api_server_metrics(face->server);
    answer_text(responder, 200, "text/plain; version=0.0.4; charset=utf-8", text);
}

bool
health_handle(HttpFace *face, const HttpRequest *request, const Url *url, HttpResponder *responder)
{
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
        return false;
    if (url->n_segments == 0)
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(health_paths); i++)
        if (strcmp(url->segments[0], health_paths[i]) == 0) {
            health_answer(face, url, responder);
            return true;
        }
    if (url->n_segments != 1)
        return false;
    if (strcmp(url->segments[0], "version") == 0)
        version_answer(face, responder);
    else if (strcmp(url->segments[0], "metrics") == 0)
        metrics_answer(face, request, responder);
    else
        return false;
    return true;
}
