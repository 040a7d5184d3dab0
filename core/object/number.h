/* Numbers as Go writes and reads them: what JSON and YAML from Kubernetes hold. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* encoding/json's form: shortest digits that read back the same; an exponent below 1e-6 and from 1e21 on.
 * Not-a-number and infinities, which JSON does not know, become null. */
void number_append_json(GString *out, double d);
/* go-yaml's form (Go's shortest %g): an exponent below 1e-4 and from 1e6 on ("1e+06"); .inf, -.inf, .nan. */
void number_append_yaml(GString *out, double d);

/* A decimal integer that fits an int64, and nothing else around it. */
bool number_parse_int(const char *text, size_t len, int64_t *ret_i);
/* A decimal number, and nothing else around it; out of range gives false. */
bool number_parse_double(const char *text, size_t len, double *ret_d);
