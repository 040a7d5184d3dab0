/* Texts of lessons and scenarios in several languages: a plain string, or a map {en: ..., es: ...}. */
#pragma once

#include "core/object/value.h"

/* The text in the language ("es"), else in English, else "". Borrowed. */
const char *texts_get(const Value *texts, const char *language);
/* Is it a string, or a map that has every language given (NULL terminated) as a string with something in it? The
 * error names `path`. */
bool texts_validate(const Value *texts, const char *const *languages, const char *path, GError **error);
