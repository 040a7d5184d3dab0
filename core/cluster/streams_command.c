/* Exec and attach. The kubelet's session is opened first; the connection is upgraded when the kubelet says yes (with
 * v5 over WebSocket at once, as the real API server translates it itself: then a refusal comes on the error channel).
 * Over SPDY the client opens its streams after the upgrade: what the command says meanwhile waits for them.
 *
 *   asked --(accepted)--> upgraded --(session ended, streams there)--> told --(client closes, or after a while)--> ended */
#include "core/cluster/streams_private.h"
#include "core/object/json.h"

#define CHANNEL_ERROR 3
#define CHANNEL_RESIZE 4
#define CHANNEL_CLOSE 255
#define CHANNELS 5
#define LINGER_NS (10 * NS_PER_S) /* for the client to read and close, over SPDY */

typedef struct CommandConnection {
    StreamConnection base;
    KubeletSession *session; /* NULL: over */
    unsigned version;        /* of the remotecommand protocol: 1 to 5 */
    bool wanted[CHANNELS];   /* the streams that there should be */
    uint32_t streams[CHANNELS]; /* over SPDY: ids, 0 while the client has not opened it */
    GByteArray *pending[CHANNELS];
    Value *status; /* how the session ended; NULL while it runs */
    bool accepted; /* by the kubelet */
    bool told;     /* the status went out */
    TimerId timer; /* for the client to open its streams; then to close */
} CommandConnection;

static CommandConnection *
command_of(StreamConnection *base)
{
    return (CommandConnection *)base;
}

static void
command_clear(StreamConnection *base)
{
    CommandConnection *command = command_of(base);
    if (command->session != NULL)
        kubelet_session_close(command->session);
    for (int i = 0; i < CHANNELS; i++)
        g_byte_array_unref(command->pending[i]);
    value_unref(command->status);
    clock_cancel(base->streams->ports->clock, &command->timer);
}

/* ---- to the client ------------------------------------------------------------------------------------------------- */

static bool
is_spdy(const CommandConnection *command)
{
    return command->base.agreement.form == STREAM_SPDY;
}

/* From protocol 4 on the error channel carries a Status; before, a text, and nothing when all went well. */
static char *
status_text(const CommandConnection *command)
{
    if (command->version >= 4)
        return json_text(command->status);
    return g_strdup(stream_succeeded(command->status) ? "" : status_message(command->status));
}

static bool
has_streams(const CommandConnection *command)
{
    for (int i = 0; i < CHANNELS; i++)
        if (command->wanted[i] && command->streams[i] == 0)
            return false;
    return true;
}

static void
time_out(void *data)
{
    CommandConnection *command = data;
    command->timer = 0;
    connection_end(&command->base);
}

/* Tells how it ended, when all is there to tell it by. */
static void
tell_end(CommandConnection *command)
{
    StreamConnection *base = &command->base;
    if (command->status == NULL || command->told || (is_spdy(command) && !has_streams(command)))
        return;
    g_autofree char *text = status_text(command);
    size_t length = strlen(text);
    command->told = true;
    if (!is_spdy(command)) {
        if (length > 0)
            connection_send(base, CHANNEL_ERROR, text, length);
        connection_end(base);
        return;
    }
    Clock *clock = base->streams->ports->clock;
    clock_cancel(clock, &command->timer);
    command->timer = clock_timer_in(clock, LINGER_NS, time_out, command);
    for (int i = KUBELET_STDOUT; i <= KUBELET_STDERR; i++)
        spdy_send(base->spdy, command->streams[i], NULL, 0, true);
    spdy_send(base->spdy, command->streams[CHANNEL_ERROR], text, length, true);
}

static void
session_received(int channel, const void *bytes, size_t length, void *data)
{
    CommandConnection *command = data;
    StreamConnection *base = &command->base;
    if (channel != KUBELET_STDOUT && channel != KUBELET_STDERR)
        return;
    if (!is_spdy(command)) {
        if (connection_keeps_up(base))
            connection_send(base, channel, bytes, length);
    } else if (command->streams[channel] != 0) {
        if (connection_keeps_up(base))
            spdy_send(base->spdy, command->streams[channel], bytes, length, false);
    } else if (command->wanted[channel]) {
        if (command->pending[channel]->len + length > STREAM_PENDING_MAX)
            connection_end(base);
        else
            g_byte_array_append(command->pending[channel], bytes, (guint)length);
    }
}

/* Over an upgraded connection the kubelet's refusal comes as the API server's own words. */
static Value *
final_status(const CommandConnection *command, const Value *status)
{
    if (status == NULL)
        return value_new_f("{kind: Status, apiVersion: v1, metadata: {}, status: Success}");
    if (command->accepted || stream_succeeded(status))
        return value_ref(status);
    return status_internal("unable to upgrade connection: %s", stream_failure(status));
}

static void
session_ended(const Value *status, void *data)
{
    CommandConnection *command = data;
    command->session = NULL;
    if (!command->base.upgraded) {
        connection_refuse(&command->base, status, true);
        return;
    }
    command->status = final_status(command, status);
    tell_end(command);
}

static void
session_accepted(void *data)
{
    CommandConnection *command = data;
    StreamConnection *base = &command->base;
    Clock *clock = base->streams->ports->clock;
    command->accepted = true;
    clock_cancel(clock, &command->timer);
    if (!base->upgraded)
        connection_upgrade(base);
    if (is_spdy(command)) {
        command->timer =
            clock_timer_in(clock, STREAM_CREATION_SECONDS * NS_PER_S, time_out, command);
        return;
    }
    /* An empty message on the lowest channel that is written says that the command runs. */
    int channel = command->wanted[KUBELET_STDOUT]   ? KUBELET_STDOUT
                  : command->wanted[KUBELET_STDERR] ? KUBELET_STDERR
                                                    : CHANNEL_ERROR;
    connection_send(base, channel, NULL, 0);
}

/* ---- from the client -------------------------------------------------------------------------------------------------- */

static void
command_input(CommandConnection *command, int channel, const void *bytes, size_t length)
{
    if (command->session == NULL)
        return;
    if (channel == CHANNEL_RESIZE || (channel == KUBELET_STDIN && length > 0))
        kubelet_session_send(command->session, channel, bytes, length);
}

static void
command_message(StreamConnection *base, const uint8_t *bytes, size_t length)
{
    CommandConnection *command = command_of(base);
    if (bytes[0] != CHANNEL_CLOSE)
        command_input(command, bytes[0], bytes + 1, length - 1);
    else if (length > 1 && bytes[1] == KUBELET_STDIN && command->version >= 5 && command->session != NULL)
        kubelet_session_send(command->session, KUBELET_STDIN, NULL, 0);
}

static void
command_opened(StreamConnection *base, uint32_t stream, const Value *headers, bool finished)
{
    static const char *const TYPES[CHANNELS] = {"stdin", "stdout", "stderr", "error", "resize"};
    CommandConnection *command = command_of(base);
    const char *type = value_text(value_get(headers, "streamtype"));
    int channel = 0;
    while (channel < CHANNELS && strcmp(TYPES[channel], type) != 0)
        channel++;
    if (channel == CHANNELS || command->streams[channel] != 0) {
        spdy_reset(base->spdy, stream, SPDY_REFUSED_STREAM);
        return;
    }
    command->streams[channel] = stream;
    spdy_reply(base->spdy, stream);
    GByteArray *pending = command->pending[channel];
    if (pending->len > 0)
        spdy_send(base->spdy, stream, pending->data, pending->len, false);
    g_byte_array_set_size(pending, 0);
    if (has_streams(command) && !command->told)
        clock_cancel(base->streams->ports->clock, &command->timer);
    tell_end(command);
}

static void
command_received(StreamConnection *base, uint32_t stream, const void *bytes, size_t length, bool finished)
{
    CommandConnection *command = command_of(base);
    for (int channel = 0; channel < CHANNELS; channel++) {
        if (command->streams[channel] != stream)
            continue;
        if (length > 0)
            command_input(command, channel, bytes, length);
        if (finished && channel == KUBELET_STDIN && command->session != NULL)
            kubelet_session_send(command->session, KUBELET_STDIN, NULL, 0);
    }
    if (command->told && spdy_stream_count(base->spdy) == 0)
        connection_end(base);
}

static void
command_reset(StreamConnection *base, uint32_t stream)
{
    if (command_of(base)->told && spdy_stream_count(base->spdy) == 0)
        connection_end(base);
}

static const StreamConnectionOps COMMAND_OPS = {
    .message = command_message,
    .opened = command_opened,
    .received = command_received,
    .reset = command_reset,
    .clear = command_clear,
};

/* ---- opening ------------------------------------------------------------------------------------------------------------- */

static bool
flag(const ApiRequest *request, const char *name)
{
    const char *text = value_string(value_item(value_get(request->query, name), 0));
    return text != NULL && (strcmp(text, "1") == 0 || g_ascii_strcasecmp(text, "true") == 0);
}

/* "v4.channel.k8s.io", "v4.base64.channel.k8s.io"; "channel.k8s.io" and none are the first. */
static unsigned
protocol_version(const char *protocol)
{
    return *protocol == 'v' ? (unsigned)(protocol[1] - '0') : 1;
}

static CommandConnection *
command_new(Streams *streams, const ApiRequest *request, HttpResponder *responder,
            const StreamAgreement *take)
{
    CommandConnection *command = g_new0(CommandConnection, 1);
    const bool tty = flag(request, "tty");
    command->version = protocol_version(take->protocol);
    command->wanted[KUBELET_STDIN] = flag(request, "stdin");
    command->wanted[KUBELET_STDOUT] = flag(request, "stdout");
    command->wanted[KUBELET_STDERR] = flag(request, "stderr") && !tty;
    command->wanted[CHANNEL_ERROR] = true;
    command->wanted[CHANNEL_RESIZE] = tty && command->version >= 3;
    for (int i = 0; i < CHANNELS; i++)
        command->pending[i] = g_byte_array_new();
    connection_init(&command->base, &COMMAND_OPS, streams, responder, take);
    return command;
}

void
stream_open_command(Streams *streams, ApiRequest *take, const Value *pod, const Value *node,
                    const HttpRequest *http, HttpResponder *responder)
{
    static const char *const SOCKET[] = {
        "",                  "v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io",
        "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io",    "base64.channel.k8s.io",
        NULL};
    static const char *const SPDY[] = {"v5.channel.k8s.io", "v4.channel.k8s.io", "v3.channel.k8s.io",
                                       "v2.channel.k8s.io", "channel.k8s.io",    NULL};
    static const StreamOffer OFFER = {.socket_protocols = SOCKET, .spdy_protocols = SPDY};
    static const ApiStreamHandler HANDLER = {session_received, session_ended};
    g_autoptr(ApiRequest) request = take;
    g_autoptr(Value) refusal = NULL;
    StreamAgreement agreement;
    if (!stream_negotiate(http, &OFFER, &agreement, &refusal)) {
        streams_answer(responder, refusal);
        return;
    }
    CommandConnection *command = command_new(streams, request, responder, &agreement);
    const bool translated = agreement.form == STREAM_SOCKET && command->version == 5;
    command->session =
        kubelet_dialer_open(streams->dialer, node, pod, request, &HANDLER, command, &refusal);
    if (command->session == NULL) {
        connection_refuse(&command->base, refusal, false);
        return;
    }
    kubelet_session_on_accepted(command->session, session_accepted);
    if (!translated)
        return;
    connection_upgrade(&command->base);
    command->timer = clock_timer_in(streams->ports->clock, STREAM_CREATION_SECONDS * NS_PER_S,
                                    time_out, command);
}
