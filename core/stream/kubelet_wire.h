/* What travels over port/net between the API server and a kubelet's server on port 10250.
 *
 * Calls (net call): a KubeletRequest of kind KUBELET_STATS_SUMMARY, KUBELET_PODS or KUBELET_HEALTHZ; the reply's body is a
 * KubeletAnswer.
 *
 * Streams (net open): a KubeletRequest of another kind. The kubelet answers with one KUBELET_ACCEPTED or KUBELET_REFUSED frame
 * (after which it closes), then both sides send KUBELET_DATA frames; the kubelet's last one is KUBELET_END. A log without
 * `follow` ends by itself. Port forwarding uses one stream a connection. All bodies belong to their messages. */
#pragma once

#include "core/object/value.h"

#define KUBELET_PORT 10250

typedef enum {
    KUBELET_LOGS,
    KUBELET_EXEC,
    KUBELET_ATTACH,
    KUBELET_PORT_FORWARD,
    KUBELET_STATS_SUMMARY, /* /stats/summary: a Value as there */
    KUBELET_PODS,          /* /pods: a PodList */
    KUBELET_HEALTHZ,
} KubeletRequestKind;

/* All strings owned; made by kubelet_request_new. */
typedef struct KubeletRequest {
    KubeletRequestKind kind;
    char *namespace_, *pod, *container; /* container NULL: the first (or the annotation's default) */
    char *user;                         /* who asks, for the trace; may be NULL */
    /* logs */
    bool previous, follow, timestamps;
    int64_t tail_lines;  /* -1: all */
    int64_t limit_bytes; /* 0: no limit */
    int64_t since_ns;    /* since this time; 0: all */
    int64_t since_seconds; /* or this long ago by the node's clock; 0: none */
    /* exec and attach */
    char **command; /* NULL terminated */
    bool stdin_open, stdout_open, stderr_open, tty;
    /* port forwarding */
    uint16_t port;
} KubeletRequest;

KubeletRequest *kubelet_request_new(KubeletRequestKind kind, const char *namespace_, const char *pod,
                                    const char *container);
void kubelet_request_free(KubeletRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KubeletRequest, kubelet_request_free)

typedef struct KubeletAnswer {
    int code; /* HTTP */
    Value *value; /* owned; NULL on failure */
    char *text;   /* owned; what went wrong */
} KubeletAnswer;

KubeletAnswer *kubelet_answer_new(int code, Value *take, const char *text);
void kubelet_answer_free(KubeletAnswer *answer);

typedef enum {
    KUBELET_ACCEPTED,
    KUBELET_REFUSED,     /* code (HTTP) and text */
    KUBELET_DATA,        /* channel and bytes */
    KUBELET_RESIZE,      /* columns and rows: to the kubelet */
    KUBELET_CLOSE_INPUT, /* no more input */
    KUBELET_END,         /* code: the exit code; text: an error, or NULL */
} KubeletFrameKind;

/* The channels of remotecommand: as in v5.channel.k8s.io. */
enum { KUBELET_STDIN = 0, KUBELET_STDOUT = 1, KUBELET_STDERR = 2 };

typedef struct KubeletFrame {
    KubeletFrameKind kind;
    int channel;
    int code;
    unsigned columns, rows;
    GBytes *bytes; /* owned */
    char *text;    /* owned */
} KubeletFrame;

KubeletFrame *kubelet_frame_new(KubeletFrameKind kind);
KubeletFrame *kubelet_frame_data(int channel, const void *bytes, size_t length);
KubeletFrame *kubelet_frame_code(KubeletFrameKind kind, int code, const char *text);
void kubelet_frame_free(KubeletFrame *frame);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KubeletFrame, kubelet_frame_free)
