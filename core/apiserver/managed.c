/* metadata.managedFields: one entry a manager and operation, with the fields that its last write set. Writes of our own
 * components (trusted bodies) keep what is there and add none: docs/fidelity.md says so. */
#include "core/apiserver/private.h"

#define MANAGED_FIELDS_DEPTH_MAX 32
#define MANAGER_LENGTH_MAX 128 /* as apimachinery's FieldManagerMaxLength */

bool
managed_fields_only(const Value *a, const Value *b)
{
    g_autoptr(Value) x = NULL, y = NULL;

    if (value_equal(value_at(a, "metadata.managedFields"), value_at(b, "metadata.managedFields")))
        return false;
    x = value_remove_at(a, "metadata.managedFields");
    y = value_remove_at(b, "metadata.managedFields");
    return value_equal(x, y);
}

void
managed_fields_update(ApiCall *call, Value **object, const Value *old)
{
    const Value *kept = value_at(old, "metadata.managedFields");

    if (value_at(*object, "metadata.managedFields") == kept)
        return;
    if (kept != NULL)
        value_edit(object, "metadata.managedFields", value_ref(kept));
    else
        value_edit_remove(object, "metadata.managedFields");
}

void
call_apply(ApiCall *call)
{
    call_refuse(call, status_new(501, "NotImplemented", "server-side apply is not served; use client-side apply"));
}
