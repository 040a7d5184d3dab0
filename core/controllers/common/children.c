#include "core/controllers/common/children.h"

#include <string.h>

#include "core/api/meta.h"
#include "core/api/pod.h"
#include "core/controllers/common/util.h"

const Value *
children_owner(const Children *children, const Value *child)
{
    const Value *reference = object_controller(child);
    if (reference == NULL || strcmp(value_text(value_get(reference, "kind")), children->kind) != 0)
        return NULL;
    const Value *owner = informer_get_named(children->owners, object_namespace(child),
                                            value_text(value_get(reference, "name")));
    if (owner == NULL || strcmp(object_uid(owner), value_text(value_get(reference, "uid"))) != 0)
        return NULL;
    return owner;
}

/* `claimed`: it only came to or left this owner, which is no creation or deletion. */
static void
wake(Children *children, const Value *owner, const Value *old, const Value *new_, uint64_t cause,
     bool claimed)
{
    g_autofree char *key = object_key(owner);
    if (children->expectations != NULL && !claimed) {
        if (old == NULL)
            expectations_creation_observed(children->expectations, key);
        if (new_ == NULL || (object_is_deleting(new_) && !object_is_deleting(old)))
            expectations_deletion_observed(children->expectations, key,
                                           object_uid(new_ != NULL ? new_ : old));
    }
    if (children->changed != NULL)
        children->changed(children->controller, owner, old, new_);
    int64_t delay =
        children->delay != NULL ? children->delay(children->controller, owner, old, new_) : 0;
    if (delay > 0)
        work_queue_add_after(children->controller->queue, key, delay);
    else
        work_queue_add(children->controller->queue, key, cause);
}

/* An orphan that is new or differs may be adopted by whoever selects it. */
static void
wake_adopters(Children *children, const Value *child, uint64_t cause)
{
    InformerIter iter;
    informer_iter_init(&iter, children->owners, object_namespace(child));
    const char *key;
    const Value *owner;
    while ((owner = informer_iter_next(&iter, &key)) != NULL) {
        const Value *selector = children->selector(owner);
        if (!label_selector_is_empty(selector) &&
            label_selector_matches(selector, object_labels(child)))
            work_queue_add(children->controller->queue, key, cause);
    }
}

static void
on_changed(const char *key, const Value *old, const Value *new_, uint64_t cause, bool initial,
           void *data)
{
    Children *children = data;
    const Value *old_ref = object_controller(old), *new_ref = object_controller(new_);
    bool ref_changed = !value_equal(value_get(old_ref, "uid"), value_get(new_ref, "uid"));
    if (old_ref != NULL && ref_changed) {
        const Value *owner = children_owner(children, old);
        if (owner != NULL)
            wake(children, owner, old, NULL, cause, new_ != NULL);
    }
    if (new_ == NULL)
        return;
    if (new_ref != NULL) {
        const Value *owner = children_owner(children, new_);
        if (owner != NULL)
            wake(children, owner, ref_changed ? NULL : old, new_, cause,
                 ref_changed && old != NULL);
        return;
    }
    if (children->selector != NULL && !object_is_deleting(new_) &&
        (old == NULL || ref_changed || !value_equal(object_labels(old), object_labels(new_))))
        wake_adopters(children, new_, cause);
}

void
children_watch(Children *children)
{
    static const InformerHandler handler = {.changed = on_changed};
    informer_add_handler(children->informer, &handler, children);
}

/* ---- claims
 * ------------------------------------------------------------------------------------------ */

static void
adopt(const Children *children, const Value *owner, const Value *child, Sync *sync)
{
    controller_decide(children->controller, "adopt", child, NULL,
                      "%s %s adopts %s, which matches its selector and has no controller",
                      children->kind, object_name(owner), object_name(child));
    Value *reference = owner_reference_new(owner, children->owner_api_version, children->kind);
    Value *patch =
        value_new_f("{metadata: {ownerReferences: [%V], uid: %s}}", reference, object_uid(child));
    client_patch(children->controller->client, children->group, children->resource,
                 object_namespace(child), object_name(child), NULL, PATCH_STRATEGIC, patch,
                 sync_call, sync_begin_tolerating(sync, "NotFound"));
}

static void
release(const Children *children, const Value *owner, const Value *child, Sync *sync)
{
    controller_decide(children->controller, "release", child, NULL,
                      "%s %s releases %s, whose labels match its selector no more", children->kind,
                      object_name(owner), object_name(child));
    Value *patch =
        value_new_f("{metadata: {ownerReferences: [{'$patch': delete, uid: %s}], uid: %s}}",
                    object_uid(owner), object_uid(child));
    client_patch(children->controller->client, children->group, children->resource,
                 object_namespace(child), object_name(child), NULL, PATCH_STRATEGIC, patch,
                 sync_call, sync_begin_tolerating(sync, "NotFound,Invalid"));
}

GPtrArray *
children_claim(const Children *children, const Value *owner, Sync *sync, bool *ret_writing,
               bool (*filter)(const Value *owner, const Value *child))
{
    GPtrArray *claimed = objects_new();
    const Value *selector = children->selector(owner);
    bool owner_deleting = object_is_deleting(owner);
    *ret_writing = false;
    const GPtrArray *owned = informer_owned_by(children->informer, object_uid(owner));
    for (guint i = 0; i < owned->len; i++) {
        const Value *child = objects_item(owned, i);
        if (label_selector_matches(selector, object_labels(child))) {
            objects_add(claimed, child);
        } else if (!owner_deleting && !object_is_deleting(child)) {
            release(children, owner, child, sync);
            *ret_writing = true;
        }
    }
    if (owner_deleting)
        return claimed;
    const GPtrArray *orphans = informer_orphans(children->informer, object_namespace(owner));
    for (guint i = 0; i < orphans->len; i++) {
        const Value *child = objects_item(orphans, i);
        if (object_is_deleting(child) || !label_selector_matches(selector, object_labels(child)) ||
            (filter != NULL && !filter(owner, child)))
            continue;
        adopt(children, owner, child, sync);
        objects_add(claimed, child);
        *ret_writing = true;
    }
    return claimed;
}
