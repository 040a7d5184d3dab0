#include "core/api/validation_private.h"
const KindRules kind_rules_node[] = {{0}};
