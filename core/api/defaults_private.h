/* Shared by the files of defaults. Not for other folders. */
#pragma once

#include "core/object/value.h"

/* Sets the value at the path when there is none; take is freed otherwise. */
void default_missing(Value **object, const char *path, Value *take);
/* Calls `one` for each element of the list at the path; puts back the list when one changed. */
void default_items(Value **object, const char *path, void (*one)(Value **item));

/* What only a Pod gets, not a template; and what every pod specification gets. */
void default_pod(Value **pod);
void default_pod_spec(Value **spec);
