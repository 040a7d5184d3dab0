/* Reading nodes. All borrow and accept NULL. */
#pragma once

#include "core/object/value.h"

bool node_is_ready(const Value *node);
const char *node_ready_status(const Value *node); /* "True", "False", "Unknown" or "" */
bool node_is_unschedulable(const Value *node);
const char *node_internal_ip(const Value *node);  /* "" when none */
bool node_is_control_plane(const Value *node);
