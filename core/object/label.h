/* What may be a label's key and value (apimachinery's util/validation: IsQualifiedName, IsValidLabelValue). */
#pragma once

/* NULL when it is right; else every reason, joined by "; " (owned). */
char *label_key_problem(const char *key);
char *label_value_problem(const char *value);
char *dns_subdomain_problem(const char *name); /* IsDNS1123Subdomain */
