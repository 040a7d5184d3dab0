#include "core/api/validation_private.h"
const KindRules kind_rules_storage[] = {{0}};
void
check_claim_spec(const Path *at, const Value *spec)
{
    (void)at;
    (void)spec;
}
