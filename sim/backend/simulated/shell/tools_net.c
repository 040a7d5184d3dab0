/* Programs that ask others over the simulated network: wget, curl, nc, nslookup; and the image's own program and its
 * client commands. Each first finds the address of a name, then asks. */
#include <arpa/inet.h>
#include <string.h>

#include "sim/backend/simulated/shell/machine.h"

#define DNS_PORT 53
#define DNS_TIMEOUT_NS (5 * NS_PER_S)

/* ---- waiting for an answer ---- */

static NetWait *
wait_new(ToolCall *call)
{
    NetWait *wait = g_new0(NetWait, 1);
    wait->shell = call->shell;
    call->frame->wait = wait;
    return wait;
}

/* The answer is there; true when somebody still waits for it. */
static bool
wait_over(NetWait *wait)
{
    wait->answered = true;
    if (wait->shell == NULL) {
        net_wait_free(wait);
        return false;
    }
    shell_schedule(wait->shell, SHELL_STEP_NS);
    return true;
}

static void
forget_wait(ToolCall *call)
{
    net_wait_free(g_steal_pointer(&call->frame->wait));
}

/* The request ends without an answer. */
static void
wait_lost(void *data)
{
    NetWait *wait = data;
    wait->answered = true;
    wait->status = NET_TIMEOUT;
    if (wait->shell == NULL)
        net_wait_free(wait);
}

static void
on_answer(const SimulatedAnswer *answer, void *data)
{
    NetWait *wait = data;
    wait->status = answer->status;
    wait->http_status = answer->http_status;
    wait->body = g_strdup(answer->body);
    wait->server = g_strdup(answer->server);
    wait_over(wait);
}

static int
ask(ToolCall *call, SimulatedRequest *request)
{
    request->from = container_address(call->shell->container);
    NetWait *wait = wait_new(call);
    wait->answered = true; /* so that it is freed when there is no sender */
    SimulatedBackend *backend = container_node(call->shell->container)->backend;
    wait->status = NET_UNREACHABLE;
    if (!simulated_net_has_address(backend->net, request->from)) {
        shell_schedule(call->shell, NS_PER_MS);
        return TOOL_WAITS;
    }
    wait->answered = false;
    request->free_data = wait_lost;
    simulated_net_request(backend->net, NULL, request, on_answer, wait);
    return TOOL_WAITS;
}

/* ---- names ---- */

typedef struct Lookup {
    NetWait *wait;
    SimulatedBackend *backend;
    EngineProcess *process;
    GPtrArray *candidates; /* names to try */
    guint next;
    char *server;
} Lookup;

void
shell_lookup_free(void *data)
{
    Lookup *lookup = data;
    if (lookup->wait != NULL) {
        g_ptr_array_remove(lookup->backend->lookups, lookup);
        wait_lost(lookup->wait);
    }
    engine_process_free(lookup->process);
    g_ptr_array_unref(lookup->candidates);
    g_free(lookup->server);
    g_free(lookup);
}

static void lookup_next(Lookup *lookup);

static void
lookup_ends(Lookup *lookup)
{
    g_ptr_array_remove(lookup->backend->lookups, lookup);
    wait_over(g_steal_pointer(&lookup->wait));
    /* Later, since this may be an event of its own process. */
    Engine *engine = lookup->backend->engine;
    engine_at_take(engine, NULL, engine_now(engine), shell_lookup_free, lookup, shell_lookup_free);
}

static void
lookup_answered(NetStatus status, NetMessage message, void *data)
{
    Lookup *lookup = data;
    lookup->wait->status = status;
    if (status == NET_OK && lookup->backend->dns->answer(message, lookup->wait->ips)) {
        lookup->wait->found = true;
        lookup->wait->body = g_strdup(lookup->candidates->pdata[lookup->next - 1]);
    }
    if (lookup->wait->found || status != NET_OK || lookup->wait->shell == NULL ||
        lookup->next == lookup->candidates->len)
        lookup_ends(lookup);
    else
        lookup_next(lookup);
}

static void
lookup_next(Lookup *lookup)
{
    Net *net = engine_process_ports(lookup->process)->net;
    NetMessage question = lookup->backend->dns->question(lookup->candidates->pdata[lookup->next++]);
    net->ops->call(net, (NetAddress){lookup->server, DNS_PORT}, question, DNS_TIMEOUT_NS, lookup_answered, lookup);
}

/* The names that the resolver tries: with the searches first when it has less than five dots. */
static GPtrArray *
candidates_of(const SimulatedSandbox *sandbox, const char *name)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    guint dots = 0;
    for (const char *c = name; *c != '\0'; c++)
        dots += *c == '.';
    size_t length = strlen(name);
    bool absolute = length > 0 && name[length - 1] == '.';
    g_autofree char *plain = g_strndup(name, length - absolute);
    if (dots >= 5 || absolute)
        g_ptr_array_add(names, g_strdup(plain));
    g_auto(GStrv) searches = g_strsplit(sandbox->dns_searches != NULL ? sandbox->dns_searches : "", " ", 8);
    for (char **search = searches; !absolute && *search != NULL; search++)
        if (**search != '\0')
            g_ptr_array_add(names, g_strconcat(plain, ".", *search, NULL));
    if (dots < 5 && !absolute)
        g_ptr_array_add(names, g_strdup(plain));
    return names;
}

static bool
is_ip(const char *name)
{
    struct in_addr v4;
    struct in6_addr v6;
    return inet_pton(AF_INET, name, &v4) == 1 || inet_pton(AF_INET6, name, &v6) == 1;
}

/* Starts finding a name. 0: *ret_ip is known at once; else TOOL_WAITS, and frame->wait has the answer then. */
static int
start_lookup(ToolCall *call, const char *name, char **ret_ip)
{
    SimulatedContainer *container = call->shell->container;
    SimulatedBackend *backend = container_node(container)->backend;
    const SimulatedSandbox *sandbox = container->sandbox;
    bool own = strcmp(name, "localhost") == 0 || strcmp(name, sandbox->hostname) == 0;
    if (is_ip(name) || own) {
        *ret_ip = g_strdup(own ? container_address(container) : name);
        return 0;
    }
    NetWait *wait = wait_new(call);
    wait->ips = g_ptr_array_new_with_free_func(g_free);
    if (backend->dns == NULL || sandbox->dns_server == NULL || container_address(container)[0] == '\0') {
        wait->answered = true;
        shell_schedule(call->shell, 10 * NS_PER_MS);
        return TOOL_WAITS;
    }
    Lookup *lookup = g_new0(Lookup, 1);
    lookup->wait = wait;
    lookup->backend = backend;
    g_ptr_array_add(backend->lookups, lookup);
    lookup->candidates = candidates_of(sandbox, name);
    lookup->server = g_strdup(sandbox->dns_server);
    g_autofree char *process = g_strconcat("resolver/", sandbox->name, NULL);
    lookup->process = engine_process_new(backend->engine,
                                         &(EngineProcessOptions){.name = process, .host = container_node(container)->name});
    simulated_net_attach(backend->net, lookup->process, container_address(container));
    lookup_next(lookup);
    return TOOL_WAITS;
}

/* ---- wget and curl ---- */

typedef struct Fetch {
    bool curl, quiet, show_error, fail, head, headers, spider;
    const char *output, *url, *method, *body, *format;
    int64_t timeout_ns;
    char *host, *path;
    uint16_t port;
} Fetch;

static void
fetch_clear(Fetch *fetch)
{
    g_free(fetch->host);
    g_free(fetch->path);
}

static bool
split_url(Fetch *fetch)
{
    const char *url = fetch->url, *scheme = strstr(url, "://");
    bool https = g_str_has_prefix(url, "https://");
    url = scheme != NULL ? scheme + 3 : url;
    size_t length = strcspn(url, "/?");
    g_autofree char *authority = g_strndup(url, length);
    char *colon = strrchr(authority, ':');
    fetch->port = https ? 443 : 80;
    if (colon != NULL) {
        guint64 port = g_ascii_strtoull(colon + 1, NULL, 10);
        *colon = '\0';
        fetch->port = (uint16_t)port;
        if (port == 0 || port > 65535)
            return false;
    }
    fetch->host = g_strdup(authority);
    fetch->path = g_strdup(url[length] == '\0' ? "/" : url + length);
    return authority[0] != '\0';
}

static void
take_seconds(Fetch *fetch, const char *text)
{
    int64_t ns;
    if (text != NULL && shell_duration(text, &ns) && ns > 0)
        fetch->timeout_ns = ns;
}

static void
curl_option(Fetch *fetch, const char *option, const char *value)
{
    if (strcmp(option, "-o") == 0 || strcmp(option, "--output") == 0)
        fetch->output = value;
    else if (strcmp(option, "-w") == 0 || strcmp(option, "--write-out") == 0)
        fetch->format = value;
    else if (strcmp(option, "-X") == 0 || strcmp(option, "--request") == 0)
        fetch->method = value;
    else if (strcmp(option, "-d") == 0 || strcmp(option, "--data") == 0)
        fetch->body = value;
    else if (strcmp(option, "-m") == 0 || strcmp(option, "--max-time") == 0 || strcmp(option, "--connect-timeout") == 0)
        take_seconds(fetch, value);
}

static void
parse_curl(ToolCall *call, Fetch *fetch)
{
    static const char with_value[] = "owXdmHAuxe";
    for (int i = 1; i < call->argc; i++) {
        const char *option = call->argv[i];
        bool long_value = g_str_has_prefix(option, "--") && strstr("--output --write-out --request --data --max-time "
                                                                   "--connect-timeout --header --user --retry ", option) != NULL;
        if (option[0] != '-') {
            fetch->url = option;
            continue;
        }
        fetch->quiet = fetch->quiet || strcmp(option, "--silent") == 0;
        fetch->fail = fetch->fail || strcmp(option, "--fail") == 0;
        if (long_value) {
            curl_option(fetch, option, i + 1 < call->argc ? call->argv[++i] : NULL);
            continue;
        }
        for (const char *c = option + 1; option[1] != '-' && *c != '\0'; c++) {
            fetch->quiet = fetch->quiet || *c == 's';
            fetch->show_error = fetch->show_error || *c == 'S';
            fetch->fail = fetch->fail || *c == 'f';
            fetch->head = fetch->head || *c == 'I';
            fetch->headers = fetch->headers || *c == 'i';
            if (strchr(with_value, *c) != NULL) {
                char name[3] = {'-', *c, '\0'};
                curl_option(fetch, name, c[1] != '\0' ? c + 1 : i + 1 < call->argc ? call->argv[++i] : NULL);
                break;
            }
        }
    }
}

static void
parse_wget(ToolCall *call, Fetch *fetch)
{
    for (int i = 1; i < call->argc; i++) {
        const char *option = call->argv[i];
        if (option[0] != '-') {
            fetch->url = option;
            continue;
        }
        if (g_str_has_prefix(option, "--timeout="))
            take_seconds(fetch, option + 10);
        fetch->spider = fetch->spider || strcmp(option, "--spider") == 0;
        fetch->quiet = fetch->quiet || strcmp(option, "--quiet") == 0;
        for (const char *c = option + 1; option[1] != '-' && *c != '\0'; c++) {
            fetch->quiet = fetch->quiet || *c == 'q';
            if (strchr("OTtU", *c) == NULL)
                continue;
            const char *value = c[1] != '\0' ? c + 1 : i + 1 < call->argc ? call->argv[++i] : NULL;
            fetch->output = *c == 'O' ? value : fetch->output;
            if (*c == 'T')
                take_seconds(fetch, value);
            break;
        }
    }
}

static int
complain_fetch(ToolCall *call, const Fetch *fetch, int status, const char *format, ...) G_GNUC_PRINTF(4, 5);

static int
complain_fetch(ToolCall *call, const Fetch *fetch, int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    if (fetch->curl && fetch->quiet && !fetch->show_error)
        return status;
    if (fetch->curl)
        return tool_fail(call, status, "curl: (%d) %s", status, text);
    return tool_fail(call, 1, "wget: %s", text);
}

static void
write_format(ToolCall *call, const Fetch *fetch, int http_status)
{
    if (fetch->format == NULL)
        return;
    g_autoptr(GString) text = g_string_new(fetch->format);
    g_autofree char *code = g_strdup_printf("%03d", http_status);
    g_string_replace(text, "%{http_code}", code, 0);
    g_string_replace(text, "%{response_code}", code, 0);
    g_string_replace(text, "\\n", "\n", 0);
    sink_write(call->shell, call->frame->io.out, text->str, text->len);
}

static int
fetch_failed(ToolCall *call, const Fetch *fetch, NetStatus status)
{
    write_format(call, fetch, 0);
    switch (status) {
    case NET_TIMEOUT:
        return fetch->curl ? complain_fetch(call, fetch, 28, "Connection timed out after %d milliseconds",
                                            (int)((fetch->timeout_ns > 0 ? fetch->timeout_ns : NET_CALL_TIMEOUT_NS) / NS_PER_MS))
                           : complain_fetch(call, fetch, 1, "download timed out");
    case NET_RESET:
        return fetch->curl ? complain_fetch(call, fetch, 52, "Empty reply from server")
                           : complain_fetch(call, fetch, 1, "error getting response: Connection reset by peer");
    default:
        return fetch->curl ? complain_fetch(call, fetch, 7, "Failed to connect to %s port %u after 1 ms: Could not connect "
                                            "to server", fetch->host, fetch->port)
                           : complain_fetch(call, fetch, 1, "can't connect to remote host (%s): %s",
                                            call->frame->scratch, status == NET_REFUSED ? "Connection refused"
                                                                                        : "No route to host");
    }
}

static int
write_body(ToolCall *call, const Fetch *fetch, const char *body, int http_status)
{
    bool file = fetch->output != NULL && strcmp(fetch->output, "-") != 0 && strcmp(fetch->output, "/dev/stdout") != 0;
    g_autofree char *name = g_path_get_basename(fetch->path);
    const char *output = file ? fetch->output : NULL;
    if (!fetch->curl && fetch->output == NULL)
        output = strcmp(name, "/") == 0 ? "index.html" : name;
    if (fetch->headers || fetch->head)
        tool_print(call, "HTTP/1.1 %d %s\r\nContent-Length: %zu\r\n\r\n", http_status, http_status < 400 ? "OK" : "Error",
                   strlen(body));
    if (fetch->spider || fetch->head)
        return 0;
    if (output == NULL)
        sink_write(call->shell, call->frame->io.out, body, strlen(body));
    else if (strcmp(output, "/dev/null") != 0 &&
             container_write_file(call->shell->container, call->shell->scope->directory, output, body, strlen(body), false) !=
                 FILE_OK)
        return complain_fetch(call, fetch, 23, "can't open '%s'", output);
    return 0;
}

static int
fetch_answered(ToolCall *call, const Fetch *fetch)
{
    NetWait *wait = call->frame->wait;
    NetStatus status = wait->status;
    int http_status = wait->http_status, result;
    g_autofree char *body = g_strdup(wait->body != NULL ? wait->body : "");
    forget_wait(call);
    if (status != NET_OK)
        return fetch_failed(call, fetch, status);
    if (http_status >= 400 && (!fetch->curl || fetch->fail)) {
        write_format(call, fetch, http_status);
        return fetch->curl ? complain_fetch(call, fetch, 22, "The requested URL returned error: %d", http_status)
                           : complain_fetch(call, fetch, 1, "server returned error: HTTP/1.1 %d %s", http_status,
                                            http_status == 404 ? "Not Found" : "Error");
    }
    result = write_body(call, fetch, body, http_status);
    write_format(call, fetch, http_status);
    return result;
}

/* Finds the address into frame->scratch: 0 when it is there, TOOL_WAITS, or 1: there is none. */
static int
find_address(ToolCall *call, const char *name)
{
    Frame *frame = call->frame;
    if (frame->state == 0) {
        frame->state = 1;
        int status = start_lookup(call, name, &frame->scratch);
        if (status == TOOL_WAITS)
            return status;
    }
    if (frame->state == 1 && frame->wait != NULL) {
        if (!frame->wait->answered)
            return TOOL_WAITS;
        if (frame->wait->found && frame->wait->ips->len > 0)
            frame->scratch = g_strdup(frame->wait->ips->pdata[0]);
        forget_wait(call);
    }
    return frame->scratch != NULL ? 0 : 1;
}

static int
run_fetch(ToolCall *call, Fetch *fetch)
{
    Frame *frame = call->frame;
    if (fetch->url == NULL || !split_url(fetch))
        return complain_fetch(call, fetch, 3, "URL rejected: malformed input");
    if (frame->state < 2) {
        int status = find_address(call, fetch->host);
        if (status == TOOL_WAITS)
            return status;
        if (status != 0)
            return fetch->curl ? complain_fetch(call, fetch, 6, "Could not resolve host: %s", fetch->host)
                               : complain_fetch(call, fetch, 1, "bad address '%s'", fetch->host);
        frame->state = 2;
        if (!fetch->curl && !fetch->quiet)
            tool_fail(call, 0, "Connecting to %s (%s:%u)", fetch->host, frame->scratch, fetch->port);
        SimulatedRequest request = {.protocol = SIMULATED_HTTP,
                                    .to = frame->scratch,
                                    .port = fetch->port,
                                    .method = fetch->method != NULL ? fetch->method : fetch->body != NULL ? "POST" : "GET",
                                    .path = fetch->path,
                                    .http_host = fetch->host,
                                    .body = fetch->body,
                                    .timeout_ns = fetch->timeout_ns};
        return ask(call, &request);
    }
    return frame->wait->answered ? fetch_answered(call, fetch) : TOOL_WAITS;
}

static int
tool_fetch(ToolCall *call)
{
    Fetch fetch = {.curl = strcmp(call->argv[0], "curl") == 0 || g_str_has_suffix(call->argv[0], "/curl")};
    (fetch.curl ? parse_curl : parse_wget)(call, &fetch);
    int status = run_fetch(call, &fetch);
    fetch_clear(&fetch);
    return status;
}

/* ---- nc, nslookup ---- */

static int
tool_nc(ToolCall *call)
{
    const char *operands[2] = {NULL, NULL};
    bool verbose = false;
    int64_t timeout = 10 * NS_PER_S;
    for (int i = 1, n = 0; i < call->argc; i++) {
        const char *word = call->argv[i];
        verbose = verbose || (word[0] == '-' && strchr(word, 'v') != NULL);
        if (word[0] == '-' && word[strlen(word) - 1] == 'w' && i + 1 < call->argc)
            shell_duration(call->argv[++i], &timeout);
        else if (word[0] != '-' && n < 2)
            operands[n++] = word;
    }
    guint64 port = operands[1] != NULL ? g_ascii_strtoull(operands[1], NULL, 10) : 0;
    if (port == 0 || port > 65535)
        return tool_fail(call, 1, "nc: bad port '%s'", operands[1] != NULL ? operands[1] : "");
    if (call->frame->state < 2) {
        int status = find_address(call, operands[0]);
        if (status == TOOL_WAITS)
            return status;
        if (status != 0)
            return tool_fail(call, 1, "nc: bad address '%s'", operands[0]);
        call->frame->state = 2;
        SimulatedRequest request = {.protocol = SIMULATED_TCP, .to = call->frame->scratch, .port = (uint16_t)port,
                                    .timeout_ns = timeout};
        return ask(call, &request);
    }
    if (!call->frame->wait->answered)
        return TOOL_WAITS;
    NetStatus status = call->frame->wait->status;
    forget_wait(call);
    if (status == NET_OK && verbose)
        return tool_fail(call, 0, "%s (%s:%s) open", operands[0], call->frame->scratch, operands[1]);
    if (status != NET_OK && verbose)
        return tool_fail(call, 1, "nc: %s (%s:%s): %s", operands[0], call->frame->scratch, operands[1],
                         status == NET_REFUSED ? "Connection refused" : "Connection timed out");
    return status != NET_OK;
}

static int
tool_nslookup(ToolCall *call)
{
    const char *server = call->shell->container->sandbox->dns_server;
    const char *name = call->argc > 1 ? call->argv[call->argc > 2 && call->argv[1][0] == '-' ? 2 : 1] : "";
    Frame *frame = call->frame;
    if (frame->state == 0) {
        frame->state = 1;
        if (start_lookup(call, name, &frame->scratch) == TOOL_WAITS)
            return TOOL_WAITS;
        tool_print(call, "Name:\t%s\nAddress: %s\n", name, frame->scratch);
        return 0;
    }
    if (!frame->wait->answered)
        return TOOL_WAITS;
    if (frame->wait->status != NET_OK) {
        forget_wait(call);
        return tool_fail(call, 1, ";; connection timed out; no servers could be reached");
    }
    tool_print(call, "Server:\t\t%s\nAddress:\t%s:53\n\n", server != NULL ? server : "", server != NULL ? server : "");
    bool found = frame->wait->found;
    for (guint i = 0; found && i < frame->wait->ips->len; i++)
        tool_print(call, "Name:\t%s\nAddress: %s\n", frame->wait->body, (char *)frame->wait->ips->pdata[i]);
    if (!found)
        tool_print(call, "** server can't find %s: NXDOMAIN\n", name);
    forget_wait(call);
    return !found;
}

const Tool shell_net_tools[] = {
    {"wget", tool_fetch}, {"curl", tool_fetch}, {"nc", tool_nc}, {"nslookup", tool_nslookup}, {NULL, NULL},
};
