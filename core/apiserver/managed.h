/* metadata.managedFields: who set what. */
#pragma once

#include "core/apiserver/private.h"

/* The object without what no manager owns: identity, system fields, managedFields itself. Owned. */
Value *managed_content(const Value *object);
/* The entry's index of a manager and operation; -1 when there is none. */
int managed_find(const Value *entries, const char *manager, const char *operation,
                 const char *subresource);
/* A new entry; `fields` is taken. */
Value *managed_entry(ApiCall *call, const char *manager, const char *operation, Value *take_fields);
/* The name under which the request writes; borrowed from it or owned by *ret_owned. */
const char *managed_manager(const ApiCall *call, char **ret_owned);
