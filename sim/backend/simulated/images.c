#include "sim/backend/simulated/images.h"

#include <string.h>

#include "core/base/duration.h"
#include "core/base/error.h"
#include "core/base/text.h"
#include "core/object/yaml.h"
#include "core/port/clock.h"
#include "sim/backend/simulated/images_text.h"

#define IMAGE_NAME_MAX 512
#define PULL_LATENCY_NS (400 * NS_PER_MS)
#define PULL_BANDWIDTH (60u * 1024 * 1024)
#define IMAGE_MODELS_MAX 4096

struct SimulatedImages {
    GPtrArray *models; /* owned ImageModel; the later ones win */
    GPtrArray *absent; /* owned patterns of full names that do not exist */
    GHashTable *found; /* repository -> ImageModel; a cache */
    GHashTable *down;  /* registries; looked up only */
    bool all_down;
    unsigned slow;
    int64_t latency_ns;
    uint64_t bandwidth;
};

/* ---- names ---- */

void
image_name_clear(ImageName *name)
{
    g_free(name->full);
    g_free(name->registry);
    g_free(name->repository);
    g_free(name->tag);
    g_free(name->digest);
    *name = (ImageName){0};
}

static bool
image_characters_are_valid(const char *image)
{
    size_t length = strlen(image);
    if (length == 0 || length > IMAGE_NAME_MAX || !g_ascii_isalnum(image[0]) || !g_ascii_isalnum(image[length - 1]))
        return false;
    for (const char *c = image; *c != '\0'; c++)
        if (!g_ascii_isalnum(*c) && strchr("./:@-_", *c) == NULL)
            return false;
    return strstr(image, "//") == NULL && strstr(image, "::") == NULL;
}

bool
image_name_parse(const char *image, ImageName *ret_name)
{
    if (image == NULL || !image_characters_are_valid(image))
        return false;
    const char *slash = strchr(image, '/'), *at = strchr(image, '@');
    g_autofree char *head = g_strndup(image, slash != NULL ? (size_t)(slash - image) : 0);
    bool has_registry = slash != NULL && (strpbrk(head, ".:") != NULL || strcmp(head, "localhost") == 0);
    g_autofree char *path = g_strndup(image, at != NULL ? (size_t)(at - image) : strlen(image));
    const char *last_slash = strrchr(path, '/');
    char *colon = strchr(last_slash != NULL ? last_slash : path, ':');
    g_autofree char *tag = g_strdup(colon != NULL ? colon + 1 : at != NULL ? "" : "latest");
    if (colon != NULL)
        *colon = '\0';
    for (const char *c = path; *c != '\0'; c++)
        if (g_ascii_isupper(*c) && !(has_registry && c < path + strlen(head)))
            return false;
    ret_name->registry = g_strdup(has_registry ? head : "docker.io");
    ret_name->repository = has_registry      ? g_strdup(path)
                           : slash == NULL   ? g_strconcat("docker.io/library/", path, NULL)
                                             : g_strconcat("docker.io/", path, NULL);
    ret_name->digest = at != NULL ? g_strdup(at + 1) : NULL;
    ret_name->full = g_strconcat(ret_name->repository, tag[0] != '\0' ? ":" : "", tag, at != NULL ? "@" : "",
                                 at != NULL ? at + 1 : "", NULL);
    ret_name->tag = g_steal_pointer(&tag);
    return true;
}

/* ---- reading models ---- */

uint64_t
simulated_quantity(const char *text)
{
    static const struct {
        const char *suffix;
        double factor;
    } suffixes[] = {{"Ki", 1024.0}, {"Mi", 1048576.0}, {"Gi", 1073741824.0}, {"Ti", 1099511627776.0},
                    {"k", 1e3},     {"K", 1e3},        {"M", 1e6},           {"G", 1e9},
                    {"T", 1e12},    {"m", 1e-3},       {"", 1.0}};
    char *end = NULL;
    double number = text != NULL ? g_ascii_strtod(text, &end) : 0;
    if (text == NULL || end == text || number < 0)
        return 0;
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++)
        if (strcmp(end, suffixes[i].suffix) == 0 && number * suffixes[i].factor < 9e18)
            return (uint64_t)(number * suffixes[i].factor);
    return 0;
}

static uint64_t
quantity_at(const Value *map, const char *key, uint64_t otherwise)
{
    const Value *value = value_get(map, key);
    if (value_type(value) == VALUE_INT)
        return value_int(value) < 0 ? 0 : (uint64_t)value_int(value);
    return value_is_string(value) ? simulated_quantity(value_string(value)) : otherwise;
}

static int64_t
duration_at(const Value *map, const char *key, int64_t otherwise)
{
    int64_t ns;
    const char *text = value_string(value_get(map, key));
    return text != NULL && duration_parse(text, &ns, NULL) ? ns : otherwise;
}

static void
read_ports(ImageModel *model, const Value *ports)
{
    model->ports = g_array_new(FALSE, TRUE, sizeof(ImagePort));
    VALUE_ARRAY_FOREACH (port, ports) {
        const char *protocol = value_text(value_get(port, "protocol"));
        ImagePort read = {
            .port = (uint16_t)value_int(value_get(port, "port")),
            .protocol = strcmp(protocol, "http") == 0 ? PORT_HTTP : strcmp(protocol, "grpc") == 0 ? PORT_GRPC : PORT_TCP,
            .paths = value_get(port, "paths"),
            .root = value_string(value_get(port, "root")),
            .argument = value_string(value_get(port, "argument")),
            .otherwise = (int)value_int_at_or(port, "otherwise", 404),
            .time_ns = duration_at(port, "time", 2 * NS_PER_MS),
        };
        g_array_append_val(model->ports, read);
    }
}

static ImageModel *
read_model(const Value *document)
{
    ImageModel *model = g_new0(ImageModel, 1);
    const Value *exit = value_get(document, "exit");
    *model = (ImageModel){
        .document = value_ref(document),
        .name = value_text(value_get(document, "name")),
        .size = quantity_at(document, "size", 50u << 20),
        .os = value_has(document, "os") ? value_text(value_get(document, "os")) : "linux",
        .process = value_string(value_get(document, "process")),
        .shell = value_bool(value_get(document, "shell")),
        .any_program = value_bool(value_get(document, "anyProgram")),
        .declared_ports = value_bool(value_get(document, "declaredPorts")),
        .start_ns = duration_at(document, "start", 300 * NS_PER_MS),
        .stop_ns = duration_at(document, "stop", 50 * NS_PER_MS),
        .ignores_term = value_bool(value_get(document, "ignoresTerm")),
        .exits = exit != NULL,
        .exit_code = (int)value_int(value_get(exit, "code")),
        .exit_after_ns = duration_at(exit, "after", 100 * NS_PER_MS),
        .memory = quantity_at(document, "memory", 16u << 20),
        .memory_per_request = quantity_at(document, "memoryPerRequest", 0),
        .cpu_milli = value_int_at_or(document, "cpuMilli", 1),
        .cpu_per_request_ns = duration_at(document, "cpuPerRequest", NS_PER_MS / 2),
        .memory_argument = value_string(value_get(document, "memoryArgument")),
        .cpu_argument = value_string(value_get(document, "cpuArgument")),
        .body_argument = value_string(value_get(document, "bodyArgument")),
        .entrypoint = value_get(document, "entrypoint"),
        .cmd = value_get(document, "cmd"),
        .programs = value_get(document, "programs"),
        .files = value_get(document, "files"),
        .env = value_get(document, "env"),
        .required_env = value_get(document, "requiredEnv"),
        .log_start = value_at(document, "log.start"),
        .log_stop = value_at(document, "log.stop"),
        .log_request = value_string_at(document, "log.request"),
        .working_dir = value_string(value_get(document, "workingDir")),
    };
    read_ports(model, value_get(document, "ports"));
    return model;
}

static void
model_free(void *data)
{
    ImageModel *model = data;
    value_unref(model->document);
    g_array_unref(model->ports);
    g_free(model);
}

bool
simulated_images_add(SimulatedImages *images, const Value *document, GError **error)
{
    const Value *models = value_is_array(document) ? document : value_get(document, "images");
    if (images->models->len + value_size(models) > IMAGE_MODELS_MAX)
        return fail(error, TIMONEL_ERROR_LIMIT, "more than %d image models", IMAGE_MODELS_MAX);
    VALUE_ARRAY_FOREACH (checked, models)
        if (value_string(value_get(checked, "name")) == NULL)
            return fail(error, TIMONEL_ERROR_INVALID, "image model %zu has no name", checked_iter.next);
    VALUE_ARRAY_FOREACH (model, models)
        g_ptr_array_add(images->models, read_model(model));
    VALUE_ARRAY_FOREACH (pattern, value_get(document, "absent"))
        g_ptr_array_add(images->absent, g_strdup(value_text(pattern)));
    const Value *registry = value_get(document, "registry");
    images->latency_ns = duration_at(registry, "latency", images->latency_ns);
    images->bandwidth = MAX(1, quantity_at(registry, "bandwidth", images->bandwidth));
    g_hash_table_remove_all(images->found);
    return true;
}

SimulatedImages *
simulated_images_new(void)
{
    SimulatedImages *images = g_new0(SimulatedImages, 1);
    images->models = g_ptr_array_new_with_free_func(model_free);
    images->absent = g_ptr_array_new_with_free_func(g_free);
    images->found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    images->down = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    images->slow = 1;
    images->latency_ns = PULL_LATENCY_NS;
    images->bandwidth = PULL_BANDWIDTH;
    g_autoptr(GError) error = NULL;
    g_autoptr(Value) document = yaml_parse(SIMULATED_IMAGES_TEXT, strlen(SIMULATED_IMAGES_TEXT), &error);
    if (document == NULL || !simulated_images_add(images, document, &error))
        g_error("images.yaml: %s", error->message); /* a wrong program */
    return images;
}

void
simulated_images_free(SimulatedImages *images)
{
    if (images == NULL)
        return;
    g_ptr_array_unref(images->models);
    g_ptr_array_unref(images->absent);
    g_hash_table_unref(images->found);
    g_hash_table_unref(images->down);
    g_free(images);
}

/* ---- finding ---- */

static bool
is_pattern(const char *name)
{
    return strpbrk(name, "*?") != NULL;
}

static const ImageModel *
search(const SimulatedImages *images, const ImageName *name)
{
    g_autofree char *image = g_strconcat(name->repository, ":", name->tag, NULL);
    const ImageModel *otherwise = NULL;
    for (int patterns = 0; patterns < 2; patterns++)
        for (guint i = images->models->len; i-- > 0;) {
            const ImageModel *model = images->models->pdata[i];
            const char *subject = strrchr(model->name, ':') > strrchr(model->name, '/') ? image : name->repository;
            if (strcmp(model->name, "default") == 0 && otherwise == NULL)
                otherwise = model;
            if (patterns == 0 ? strcmp(model->name, subject) == 0
                              : is_pattern(model->name) && g_pattern_match_simple(model->name, subject))
                return model;
        }
    return otherwise;
}

const ImageModel *
simulated_images_find(SimulatedImages *images, const ImageName *name)
{
    const ImageModel *model = g_hash_table_lookup(images->found, name->full);
    if (model == NULL) {
        model = search(images, name);
        g_hash_table_insert(images->found, g_strdup(name->full), (void *)model);
    }
    return model;
}

static bool
matches_any(const Value *patterns, const char *text)
{
    VALUE_ARRAY_FOREACH (pattern, patterns) {
        const char *glob = value_string(pattern);
        if (glob != NULL && g_pattern_match_simple(glob, text))
            return true;
    }
    return false;
}

static bool
tag_exists(const SimulatedImages *images, const ImageModel *model, const ImageName *name)
{
    if (name->digest != NULL)
        return true;
    if (matches_any(value_get(model->document, "absent"), name->tag))
        return false;
    const Value *tags = value_get(model->document, "tags");
    if (tags != NULL)
        return matches_any(tags, name->tag);
    for (guint i = 0; i < images->absent->len; i++)
        if (g_pattern_match_simple(images->absent->pdata[i], name->full))
            return false;
    return true;
}

static char *
registry_host(const ImageName *name)
{
    return g_strdup(strcmp(name->registry, "docker.io") == 0 ? "registry-1.docker.io" : name->registry);
}

char *
simulated_images_refusal(SimulatedImages *images, const ImageName *name, const char *os)
{
    const ImageModel *model = simulated_images_find(images, name);
    if (images->all_down || g_hash_table_contains(images->down, name->registry)) {
        g_autofree char *host = registry_host(name);
        return g_strdup_printf("failed to pull and unpack image \"%s\": failed to resolve reference \"%s\": failed to do "
                               "request: Head \"https://%s/v2/%s/manifests/%s\": dial tcp: lookup %s: i/o timeout",
                               name->full, name->full, host, name->repository + strlen(name->registry) + 1, name->tag,
                               host);
    }
    if (!tag_exists(images, model, name))
        return g_strdup_printf("failed to pull and unpack image \"%s\": failed to resolve reference \"%s\": %s: not found",
                               name->full, name->full, name->full);
    if (strcmp(model->os, "any") != 0 && strcmp(model->os, os) != 0)
        return g_strdup_printf("failed to pull and unpack image \"%s\": no match for platform in manifest: not found",
                               name->full);
    return NULL;
}

char *
simulated_images_reference(const ImageName *name)
{
    if (name->digest != NULL)
        return g_strconcat(name->repository, "@", name->digest, NULL);
    g_autofree char *hash = text_sha256(name->full, strlen(name->full));
    return g_strconcat(name->repository, "@sha256:", hash, NULL);
}

int64_t
simulated_images_pull_time(SimulatedImages *images, const ImageName *name)
{
    const ImageModel *model = simulated_images_find(images, name);
    int64_t transfer = (int64_t)((__int128)model->size * NS_PER_S / images->bandwidth);
    return (images->latency_ns + transfer) * images->slow;
}

void
simulated_images_set_registry_down(SimulatedImages *images, const char *registry, bool down)
{
    if (registry == NULL)
        images->all_down = down;
    else if (down)
        g_hash_table_add(images->down, g_strdup(registry));
    else
        g_hash_table_remove(images->down, registry);
    if (registry == NULL && !down)
        g_hash_table_remove_all(images->down);
}

void
simulated_images_set_registry_slow(SimulatedImages *images, unsigned factor)
{
    images->slow = MAX(factor, 1u);
}
