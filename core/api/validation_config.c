#include "core/api/validation_private.h"
const KindRules kind_rules_config[] = {{0}};
