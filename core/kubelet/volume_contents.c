/* What configMap, secret, downwardAPI and projected volumes hold, as a map path -> text or {bytes, mode}. */
#include "core/base/text.h"
#include "core/kubelet/internal.h"

#define DEFAULT_MODE 0644

typedef struct Contents {
    PodWorker *worker;
    const VolumeState *state;
    ValueBuilder *files;
    int64_t mode;
    char *error;
} Contents;

/* text: as it is; base64: encoded; one of them is NULL. */
static void
add_file(Contents *c, const char *path, const char *text, const char *base64, const Value *mode_value)
{
    int64_t mode = mode_value != NULL ? value_int(mode_value) : c->mode;
    if (text != NULL && mode == DEFAULT_MODE) {
        value_builder_set(c->files, path, value_new_string(text));
        return;
    }
    g_autofree char *encoded = text != NULL ? text_base64(text, strlen(text)) : g_strdup(base64);
    value_builder_set(c->files, path, value_new_f("{bytes: %s, mode: %i}", encoded, mode));
}

static void
add_data(Contents *c, const Value *object, const char *key, const char *path, bool secret, const Value *mode)
{
    const Value *value = value_get(value_get(object, "data"), key);
    const Value *binary = value_get(value_get(object, "binaryData"), key);
    if (secret)
        add_file(c, path, NULL, value_text(value), mode);
    else if (value != NULL)
        add_file(c, path, value_text(value), NULL, mode);
    else
        add_file(c, path, NULL, value_text(binary), mode);
}

/* source: {name | secretName, items, optional} */
static void
add_object(Contents *c, const Value *source, bool secret)
{
    const char *namespace_ = object_namespace(c->worker->pod);
    const char *name = value_string(value_get(source, "name"));
    if (name == NULL)
        name = value_text(value_get(source, "secretName"));
    bool optional = value_bool(value_get(source, "optional"));
    const Value *object;
    if (objects_get(c->worker->kubelet, secret ? "secrets" : "configmaps", namespace_, name, &object) != OBJECT_FOUND) {
        if (!optional && c->error == NULL)
            c->error = g_strdup_printf("%s \"%s\" not found", secret ? "secret" : "configmap", name);
        return;
    }
    const Value *items = value_get(source, "items");
    if (value_size(items) == 0) {
        const Value *data = value_get(object, "data"), *binary = value_get(object, "binaryData");
        for (size_t i = 0; i < value_size(data); i++)
            add_data(c, object, value_key_at(data, i), value_key_at(data, i), secret, NULL);
        for (size_t i = 0; i < value_size(binary); i++)
            add_data(c, object, value_key_at(binary, i), value_key_at(binary, i), secret, NULL);
    }
    VALUE_ARRAY_FOREACH (item, items) {
        const char *key = value_text(value_get(item, "key"));
        bool there = value_has(value_get(object, "data"), key) || value_has(value_get(object, "binaryData"), key);
        if (there)
            add_data(c, object, key, value_text(value_get(item, "path")), secret, value_get(item, "mode"));
        else if (!optional && c->error == NULL)
            c->error = g_strdup_printf("references non-existent %s key: %s", secret ? "secret" : "config", key);
    }
}

static void
add_downward(Contents *c, const Value *items)
{
    const Value *status = c->worker->status;
    VALUE_ARRAY_FOREACH (item, items) {
        g_autofree char *error = NULL, *text = NULL;
        if (value_has(item, "fieldRef"))
            text = field_value(c->worker, value_text_at(item, "fieldRef.fieldPath"), value_string(value_get(status, "podIP")),
                               &error);
        else
            text = resource_value(c->worker, value_get(item, "resourceFieldRef"), NULL, &error);
        if (text != NULL)
            add_file(c, value_text(value_get(item, "path")), text, NULL, value_get(item, "mode"));
        else if (c->error == NULL)
            c->error = g_steal_pointer(&error);
    }
}

static void
add_projected(Contents *c, const Value *sources)
{
    for (unsigned i = 0; i < value_size(sources); i++) {
        const Value *source = value_item(sources, i);
        if (value_has(source, "configMap"))
            add_object(c, value_get(source, "configMap"), false);
        if (value_has(source, "secret"))
            add_object(c, value_get(source, "secret"), true);
        if (value_has(source, "downwardAPI"))
            add_downward(c, value_at(source, "downwardAPI.items"));
        if (value_has(source, "serviceAccountToken")) {
            char key[16];
            g_snprintf(key, sizeof key, "%u", i);
            add_file(c, value_text_at(source, "serviceAccountToken.path"), value_text(value_get(c->state->tokens, key)), NULL,
                     NULL);
        }
    }
}

Value *
volume_contents(PodWorker *worker, const Value *volume, const VolumeState *state, char **ret_error)
{
    static const char *const SOURCES[] = {"configMap", "secret", "downwardAPI", "projected"};
    Contents c = {.worker = worker, .state = state, .files = value_builder_new(NULL), .mode = DEFAULT_MODE};
    const Value *source = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(SOURCES) && source == NULL; i++)
        source = value_get(volume, SOURCES[i]);
    if (value_has(source, "defaultMode"))
        c.mode = value_int(value_get(source, "defaultMode"));
    if (value_has(volume, "configMap"))
        add_object(&c, source, false);
    else if (value_has(volume, "secret"))
        add_object(&c, source, true);
    else if (value_has(volume, "downwardAPI"))
        add_downward(&c, value_get(source, "items"));
    else
        add_projected(&c, value_get(source, "sources"));
    Value *files = value_builder_end(c.files);
    if (c.error == NULL)
        return files;
    value_unref(files);
    *ret_error = c.error;
    return NULL;
}
