/* What holds for every kind: names, labels, annotations, finalizers, owner references, and the fields of metadata that never
 * change (apimachinery pkg/api/validation/objectmeta.go); and who checks the rest of each kind. */
#include "core/api/validation_private.h"

#include "core/api/meta.h"
#include "core/object/label.h"

/* ---- names ---- */

static char *
path_segment_problem(const char *name)
{
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return g_strdup_printf("may not be '%s'", name);
    if (strchr(name, '/') != NULL)
        return g_strdup("may not contain '/'");
    return strchr(name, '%') != NULL ? g_strdup("may not contain '%'") : NULL;
}

static char *
name_problem(NameRule rule, const char *name)
{
    switch (rule) {
    case NAME_LABEL:
        return dns_label_problem(name);
    case NAME_1035_LABEL:
        return dns_1035_label_problem(name);
    case NAME_PATH:
        return path_segment_problem(name);
    case NAME_SUBDOMAIN:
        break;
    }
    return dns_subdomain_problem(name);
}

/* A prefix may end with a dash: something follows it. */
static void
check_generate_name(const Path *at, const Value *prefix, NameRule rule)
{
    g_autofree char *name = g_strdup(value_text(prefix)), *problem = NULL;
    size_t length = strlen(name);

    if (length == 0)
        return;
    if (length > 1 && name[length - 1] == '-') {
        name[length - 2] = 'a';
        name[length - 1] = '\0';
    }
    problem = name_problem(rule, name);
    if (problem != NULL)
        bad_invalid(AT(at, "generateName"), prefix, problem);
}

static void
check_name(const Path *at, const Value *metadata, NameRule rule)
{
    const Value *name = value_get(metadata, "name");
    g_autofree char *problem = NULL;

    check_generate_name(at, value_get(metadata, "generateName"), rule);
    if (is_empty(name)) {
        bad_required(AT(at, "name"), "name or generateName is required");
        return;
    }
    problem = name_problem(rule, value_text(name));
    if (problem != NULL)
        bad_invalid(AT(at, "name"), name, problem);
}

static void
check_namespace(const Path *at, const ApiKind *kind, const Value *namespace_)
{
    if (!kind->namespaced) {
        if (!is_empty(namespace_))
            bad_forbidden(AT(at, "namespace"), "not allowed on this type");
    } else if (is_empty(namespace_)) {
        bad_required(AT(at, "namespace"), "");
    } else {
        check_dns_label(AT(at, "namespace"), namespace_);
    }
}

/* ---- the rest of metadata ---- */

static void
check_owner(const Path *at, const Value *owner)
{
    static const struct {
        const char *field;
        const char *detail;
    } wanted[] = {{"apiVersion", "version must not be empty"},
                  {"kind", "kind must not be empty"},
                  {"name", "name must not be empty"},
                  {"uid", "uid must not be empty"}};

    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        if (is_empty(value_get(owner, wanted[i].field)))
            bad_invalid_text(AT(at, wanted[i].field), "", wanted[i].detail);
    if (text_is(value_get(owner, "kind"), "Event") &&
        (text_is(value_get(owner, "apiVersion"), "v1") || text_is(value_get(owner, "apiVersion"), "events.k8s.io/v1"))) {
        g_autofree char *detail = g_strdup_printf("%s, Kind=Event is disallowed from being an owner",
                                                  value_text(value_get(owner, "apiVersion")));

        bad_invalid(at, owner, detail);
    }
}

static void
check_owners(const Path *at, const Value *owners)
{
    const Value *controller = NULL;

    VALUE_ARRAY_FOREACH (owner, owners) {
        check_owner(at, owner);
        if (!value_bool(value_get(owner, "controller")))
            continue;
        if (controller != NULL) {
            g_autofree char *detail = g_strdup_printf("Only one reference can have Controller set to true. Found \"true\" in "
                                                      "references for %s/%s and %s/%s",
                                                      value_text(value_get(controller, "kind")),
                                                      value_text(value_get(controller, "name")),
                                                      value_text(value_get(owner, "kind")),
                                                      value_text(value_get(owner, "name")));

            bad_invalid(at, owners, detail);
        }
        controller = owner;
    }
}

static void
check_finalizers(const Path *at, const Value *finalizers)
{
    static const char *const standard[] = {"kubernetes", "orphan", "foregroundDeletion", NULL};
    bool orphan = false, foreground = false;
    size_t i = 0;

    VALUE_ARRAY_FOREACH (finalizer, finalizers) {
        check_qualified(at, finalizer);
        orphan |= text_is(finalizer, "orphan");
        foreground |= text_is(finalizer, "foregroundDeletion");
    }
    if (orphan && foreground)
        bad_invalid(at, finalizers, "finalizer orphan and foregroundDeletion cannot be both set");
    VALUE_ARRAY_FOREACH (finalizer, finalizers) {
        const Path *here = NTH(at, i++);

        if (strchr(value_text(finalizer), '/') == NULL && !text_in(value_text(finalizer), standard))
            bad_invalid(here, finalizer, "name is neither a standard finalizer name nor is it fully qualified");
    }
}

static void
check_new_finalizers(const Path *at, const Value *finalizers, const Value *before)
{
    g_autoptr(GString) added = g_string_new(NULL);

    VALUE_ARRAY_FOREACH (finalizer, finalizers) {
        bool known = false;

        VALUE_ARRAY_FOREACH (old, before)
            known |= value_equal(old, finalizer);
        if (!known)
            g_string_append_printf(added, "%s\"%s\"", added->len > 0 ? ", " : "", value_text(finalizer));
    }
    if (added->len > 0)
        bad_forbidden_f(at, "no new finalizers can be added if the object is being deleted, found new finalizers []string{%s}",
                        added->str);
}

static bool
changed(const Value *metadata, const Value *before, const char *key)
{
    const Value *now = value_get(metadata, key), *then = value_get(before, key);

    return now != then && !value_equal(now, then);
}

static void
check_metadata(const Path *at, const ApiKind *kind, const KindRules *rules, const Value *metadata, const Value *before)
{
    static const char *const kept[] = {"name", "namespace", "uid", "creationTimestamp", "deletionTimestamp",
                                       "deletionGracePeriodSeconds"};

    if (before == NULL) {
        check_name(at, metadata, rules->name);
        check_namespace(at, kind, value_get(metadata, "namespace"));
    } else if (value_get(before, "deletionTimestamp") != NULL) {
        check_new_finalizers(AT(at, "finalizers"), value_get(metadata, "finalizers"), value_get(before, "finalizers"));
    }
    for (size_t i = 0; before != NULL && i < G_N_ELEMENTS(kept); i++)
        if (changed(metadata, before, kept[i]))
            check_kept(AT(at, kept[i]), value_get(metadata, kept[i]), value_get(before, kept[i]));
    if (before == NULL)
        check_not_negative(AT(at, "generation"), value_get(metadata, "generation"));
    if (before == NULL || changed(metadata, before, "labels"))
        check_labels(AT(at, "labels"), value_get(metadata, "labels"));
    if (before == NULL || changed(metadata, before, "annotations"))
        check_annotations(AT(at, "annotations"), value_get(metadata, "annotations"));
    if (before == NULL || changed(metadata, before, "ownerReferences"))
        check_owners(AT(at, "ownerReferences"), value_get(metadata, "ownerReferences"));
    if (before == NULL || changed(metadata, before, "finalizers"))
        check_finalizers(AT(at, "finalizers"), value_get(metadata, "finalizers"));
}

/* ---- kinds ---- */

static const KindRules *
kind_rules_find(const ApiKind *kind)
{
    static const KindRules other = {.name = NAME_SUBDOMAIN}, role = {.name = NAME_PATH};
    const KindRules *const groups[] = {kind_rules_pod,    kind_rules_workload, kind_rules_batch, kind_rules_network,
                                       kind_rules_config, kind_rules_storage,  kind_rules_node,  kind_rules_sim};

    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        for (const KindRules *rules = groups[i]; rules->kind != NULL; rules++)
            if (strcmp(rules->kind, kind->kind) == 0 && strcmp(rules->group, kind->group) == 0)
                return rules;
    return g_str_has_prefix(kind->group, "rbac.") ? &role : &other;
}

void
api_validate(const ApiKind *kind, const Value *object, const Value *old, const char *subresource, FieldErrors *errors)
{
    const KindRules *rules = kind_rules_find(kind);
    const Path root = {errors, NULL, NULL, NULL, 0};
    bool is_status = g_strcmp0(subresource, "status") == 0;

    check_metadata(AT(&root, "metadata"), kind, rules, value_get(object, "metadata"), value_get(old, "metadata"));
    if (old != NULL && is_status) {
        if (rules->check_status != NULL)
            rules->check_status(&root, object, old);
        return;
    }
    if (old != NULL && g_strcmp0(subresource, "ephemeralcontainers") == 0) {
        check_pod_ephemeral_containers(&root, object, old);
        return;
    }
    if (old != NULL && g_strcmp0(subresource, "resize") == 0) {
        check_pod_resize(&root, object, old);
        return;
    }
    if (rules->check != NULL && (old == NULL || !rules->update_alone))
        rules->check(&root, object);
    if (old != NULL && rules->check_update != NULL)
        rules->check_update(&root, object, old);
}
