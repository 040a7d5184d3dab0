#include "core/api/meta.h"

#include <string.h>

#include "core/base/timestamp.h"

const char *
object_kind(const Value *object)
{
    return value_text(value_get(object, "kind"));
}

const char *
object_api_version(const Value *object)
{
    return value_text(value_get(object, "apiVersion"));
}

static const Value *
meta_get(const Value *object, const char *key)
{
    return value_get(value_get(object, "metadata"), key);
}

const char *
object_name(const Value *object)
{
    return value_text(meta_get(object, "name"));
}

const char *
object_namespace(const Value *object)
{
    return value_text(meta_get(object, "namespace"));
}

const char *
object_uid(const Value *object)
{
    return value_text(meta_get(object, "uid"));
}

int64_t
object_resource_version(const Value *object)
{
    return g_ascii_strtoll(value_text(meta_get(object, "resourceVersion")), NULL, 10);
}

int64_t
object_generation(const Value *object)
{
    return value_int(meta_get(object, "generation"));
}

int64_t
object_creation_time(const Value *object)
{
    int64_t time = 0;
    const char *text = value_string(meta_get(object, "creationTimestamp"));
    return text != NULL && timestamp_parse(text, &time) ? time : 0;
}

bool
object_is_deleting(const Value *object)
{
    return value_is_string(meta_get(object, "deletionTimestamp"));
}

const Value *
object_labels(const Value *object)
{
    return meta_get(object, "labels");
}

const Value *
object_annotations(const Value *object)
{
    return meta_get(object, "annotations");
}

const char *
object_label(const Value *object, const char *key)
{
    return value_string(value_get(object_labels(object), key));
}

const char *
object_annotation(const Value *object, const char *key)
{
    return value_string(value_get(object_annotations(object), key));
}

bool
object_has_finalizer(const Value *object, const char *finalizer)
{
    VALUE_ARRAY_FOREACH(item, meta_get(object, "finalizers"))
    {
        if (strcmp(value_text(item), finalizer) == 0)
            return true;
    }
    return false;
}

char *
object_key(const Value *object)
{
    const char *namespace_ = object_namespace(object);
    if (*namespace_ == '\0')
        return g_strdup(object_name(object));
    return g_strconcat(namespace_, "/", object_name(object), NULL);
}

char *
object_subject(const Value *object, const char *kind)
{
    g_autofree char *key = object_key(object);
    return g_strconcat(kind != NULL ? kind : object_kind(object), "/", key, NULL);
}

const Value *
object_controller(const Value *object)
{
    VALUE_ARRAY_FOREACH(owner, meta_get(object, "ownerReferences"))
    {
        if (value_bool(value_get(owner, "controller")))
            return owner;
    }
    return NULL;
}

bool
object_is_controlled_by(const Value *object, const char *uid)
{
    return strcmp(value_text(value_get(object_controller(object), "uid")), uid) == 0;
}

Value *
owner_reference_new(const Value *owner, const char *api_version, const char *kind)
{
    return value_new_f("{apiVersion: %s, kind: %s, name: %s, uid: %s, controller: true, "
                       "blockOwnerDeletion: true}",
                       api_version, kind, object_name(owner), object_uid(owner));
}

Value *
object_reference_new(const Value *object, const char *api_version, const char *kind)
{
    return value_new_f("{apiVersion: %s, kind: %s, name: %s, namespace: ?%v, uid: ?%v, "
                       "resourceVersion: ?%v}",
                       api_version, kind, object_name(object), meta_get(object, "namespace"),
                       meta_get(object, "uid"), meta_get(object, "resourceVersion"));
}

const Value *
condition_find(const Value *conditions, const char *type)
{
    VALUE_ARRAY_FOREACH(condition, conditions)
    {
        if (strcmp(value_text(value_get(condition, "type")), type) == 0)
            return condition;
    }
    return NULL;
}

bool
condition_is(const Value *conditions, const char *type, const char *status)
{
    const Value *condition = condition_find(conditions, type);
    return condition != NULL && strcmp(value_text(value_get(condition, "status")), status) == 0;
}

/* Times that say when somebody looked, not that something changed. */
static const char *const REFRESH_FIELDS[] = {"lastHeartbeatTime", "lastProbeTime",
                                             "lastUpdateTime"};

static bool
condition_same(const Value *old, const Value *new_, bool refresh)
{
    g_autoptr(Value) a = value_ref(old), b = value_ref(new_);
    value_edit_remove(&a, "lastTransitionTime");
    value_edit_remove(&b, "lastTransitionTime");
    for (size_t i = 0; !refresh && i < G_N_ELEMENTS(REFRESH_FIELDS); i++) {
        value_edit_remove(&a, REFRESH_FIELDS[i]);
        value_edit_remove(&b, REFRESH_FIELDS[i]);
    }
    return value_equal(a, b);
}

Value *
condition_set(const Value *conditions, Value *take, bool refresh)
{
    const char *type = value_text(value_get(take, "type"));
    for (size_t i = 0; i < value_size(conditions); i++) {
        const Value *old = value_item(conditions, i);
        if (strcmp(value_text(value_get(old, "type")), type) != 0)
            continue;
        bool same_status = value_equal(value_get(old, "status"), value_get(take, "status"));
        const Value *since = value_get(old, "lastTransitionTime");
        if (same_status && since != NULL)
            value_edit(&take, "lastTransitionTime", value_ref(since));
        if (same_status && condition_same(old, take, refresh)) {
            value_unref(take);
            return value_ref(conditions);
        }
        return value_set_item(conditions, i, take);
    }
    if (conditions == NULL) {
        g_autoptr(Value) empty = value_new_array();
        return value_append(empty, take);
    }
    return value_append(conditions, take);
}

char *
template_hash(const Value *template_, const Value *collision_count)
{
    /* apimachinery util/rand SafeEncodeString: digits of the hash become letters that form no words. */
    static const char alphabet[] = "bcdfghjklmnpqrstvwxz2456789";
    uint64_t digest = value_digest(template_);
    uint32_t hash = 2166136261u;
    for (int i = 0; i < 8; i++)
        hash = (hash ^ (uint8_t)(digest >> (8 * i))) * 16777619u;
    if (collision_count != NULL)
        for (int i = 0; i < 8; i++)
            hash = (hash ^ (uint8_t)(value_int(collision_count) >> (8 * i))) * 16777619u;
    g_autofree char *digits = g_strdup_printf("%u", hash);
    for (char *p = digits; *p != '\0'; p++)
        *p = alphabet[(unsigned char)*p % (sizeof alphabet - 1)];
    return g_steal_pointer(&digits);
}
