/* The bounds of everything: one place to look up, reason about and change them. A bound that follows
 * Kubernetes says so; the others are ours. Sizes in bytes, counts in entries. */
#pragma once

/* ---- values and their texts ------------------------------------------------------------------------ */

#define VALUE_DEPTH_MAX 64                       /* nesting of maps and arrays that a parser accepts */
#define VALUE_SIZE_MAX (1u << 28)                /* entries of one array or map, bytes of one string */
#define BODY_SIZE_MAX (3u * 1024 * 1024)         /* a request's body (apiserver: MaxRequestBodyBytes) */
#define YAML_DOCUMENT_SIZE_MAX (16u * 1024 * 1024) /* one YAML input of any number of documents */
#define YAML_DOCUMENTS_MAX 10000                 /* documents of one YAML input */
#define YAML_NODES_MAX 1000000                   /* nodes of one input after aliases are expanded */
#define JSON_PATCH_OPERATIONS_MAX 10000          /* as the API server: maxJSONPatchOperations */
#define JSON_PATCH_COPY_BYTES_MAX (3u * 1024 * 1024) /* as the API server: JSONPatchMaxCopyBytes */
#define JSON_PATCH_VISITS_MAX 10000000           /* values looked at to bound the nesting of a patch's result */
#define JSONPATH_RESULTS_MAX 1000000             /* values that one JSONPath step may yield */
#define JSONPATH_DEPTH_MAX 32                    /* nesting of ranges and filters in a template */
#define SELECTOR_REQUIREMENTS_MAX 1000           /* requirements of one label or field selector */
#define SELECTOR_TEXT_MAX (64u * 1024)           /* text of one label or field selector */

/* ---- containers ------------------------------------------------------------------------------------- */

#define HEAP_SIZE_MAX (1u << 26)                 /* entries of one heap */
#define RING_CAPACITY_MAX (1u << 20)             /* entries of one ring */
#define WATCH_RING_CAPACITY 65536                /* events kept per resource for watchers to catch up */
#define WATCH_RING_CAPACITY_MIN 128

/* ---- texts ------------------------------------------------------------------------------------------- */

#define LOG_LINE_MAX (16u * 1024)                /* a longer log line is cut */

/* ---- the HTTP server ---- */
#define HTTP_CONNECTIONS_MAX 1000                /* open at once */
#define HTTP_IDLE_SECONDS 180                    /* a connection that asks nothing is closed */
#define HTTP_BACKLOG_MAX (8u * 1024 * 1024)      /* bytes that a slow client may leave untaken in a stream */

/* ---- streams of pods ---- */
#define WEB_SOCKET_MESSAGE_MAX (16u * 1024 * 1024) /* one message of a client, its fragments joined */
#define SPDY_CONTROL_MAX (64u * 1024)            /* a control frame */
#define SPDY_HEADERS_MAX (64u * 1024)            /* a header block, unfolded */
#define SPDY_STREAMS_MAX 512                     /* open on one connection */
#define STREAM_CONNECTIONS_MAX 1000              /* exec, attach and port-forward at once, of one API server */
#define STREAM_PENDING_MAX (1024u * 1024)        /* output that waits for the client to open its streams */
#define STREAM_CREATION_SECONDS 30               /* in which a client must do so (kubelet: streamCreationTimeout) */
#define STREAM_FORWARDS_MAX 256                  /* connections forwarded at once over one client connection */

/* ---- the scheduler ---- */
#define SCHEDULER_PROFILES_MAX 8
#define SCHEDULER_DECISIONS_MAX 256              /* pods whose last cycle is remembered for `why` */
#define SCHEDULER_DECISION_NODES_MAX 32          /* nodes of each that are remembered */
#define SCHEDULER_DESCRIBED_NODES_MAX 5000       /* nodes that an evaluation on demand lists */
#define SCHEDULER_POD_SETS_MAX 2048              /* selectors whose pods are counted incrementally */
#define SCHEDULER_NODE_SETS_MAX 128              /* sets of nodes that spread constraints count in */
#define SCHEDULER_FIT_TABLES_MAX 256             /* pod templates whose verdicts on nodes are kept */
