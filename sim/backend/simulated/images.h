/* Image models: what an image would do, as data (images.yaml, and what a cluster or scenario adds). A model is found by
 * the image's full repository name: exact names first, later additions before earlier ones, then patterns; an image that
 * nobody described gets the model named "default", so it exists, runs and listens on the ports its container declares. */
#pragma once

#include "core/object/value.h"

typedef struct SimulatedImages SimulatedImages;

typedef enum { PORT_HTTP, PORT_TCP, PORT_GRPC } PortProtocol;

typedef struct ImagePort {
    uint16_t port;
    PortProtocol protocol;
    const Value *paths;   /* path -> {status, body}; a key ending in * matches by prefix */
    const char *root;     /* directory whose files are served (index.html for a directory), or NULL */
    const char *argument; /* the command-line argument that gives another port ("--http-port"), or NULL */
    int otherwise;        /* status for any other path */
    int64_t time_ns;      /* to answer one request */
} ImagePort;

typedef struct ImageModel {
    Value *document; /* owns the texts below */
    const char *name;
    uint64_t size;
    const char *os;  /* "linux" or "windows" */
    const char *process; /* the component whose process it is, or NULL */
    bool shell;          /* has sh and the usual small programs */
    bool any_program;    /* every command is taken for its own program */
    bool declared_ports; /* listens on the container's containerPorts */
    int64_t start_ns, stop_ns;
    bool ignores_term;
    bool exits;          /* by itself, after exit_after_ns, with exit_code */
    int exit_code;
    int64_t exit_after_ns;
    uint64_t memory, memory_per_request;
    int64_t cpu_milli, cpu_per_request_ns;
    const char *memory_argument, *cpu_argument; /* "--vm-bytes" */
    const char *body_argument; /* the answer to / is this argument's value ("-text") */
    const Value *entrypoint, *cmd, *programs, *files, *env, *required_env, *log_start, *log_stop;
    const char *log_request; /* a line per request, with {client} {method} {path} {status} {date} {size} */
    const char *working_dir;
    GArray *ports; /* of ImagePort */
} ImageModel;

/* An image's name taken apart: "nginx" is docker.io/library/nginx, tag latest. */
typedef struct ImageName {
    char *full;       /* "docker.io/library/nginx:latest" */
    char *registry;   /* "docker.io" */
    char *repository; /* "docker.io/library/nginx" */
    char *tag;        /* "" when a digest is given */
    char *digest;     /* "sha256:..." or NULL */
} ImageName;

/* False: not a valid reference ("invalid reference format"). */
bool image_name_parse(const char *image, ImageName *ret_name);
void image_name_clear(ImageName *name);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ImageName, image_name_clear)

/* With the built-in catalogue. */
SimulatedImages *simulated_images_new(void);
void simulated_images_free(SimulatedImages *images);
/* More models, before those there are: {registry: {...}, images: [...], absent: [...]}, or a bare list of models. */
bool simulated_images_add(SimulatedImages *images, const Value *document, GError **error);

const ImageModel *simulated_images_find(SimulatedImages *images, const ImageName *name);

/* What the registry says to a pull: NULL when it exists, else why not, as containerd words it; caller frees. */
char *simulated_images_refusal(SimulatedImages *images, const ImageName *name, const char *os);
/* "docker.io/library/nginx@sha256:..."; caller frees. */
char *simulated_images_reference(const ImageName *name);
int64_t simulated_images_pull_time(SimulatedImages *images, const ImageName *name);

/* Faults of the registry; names: NULL for all registries. */
void simulated_images_set_registry_down(SimulatedImages *images, const char *registry, bool down);
void simulated_images_set_registry_slow(SimulatedImages *images, unsigned factor); /* 1: as usual */

/* "64Mi", "250M", "1.5Gi", "100m" ... as bytes (or units); 0 when it is none. */
uint64_t simulated_quantity(const char *text);
