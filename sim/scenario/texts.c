#include "sim/scenario/texts.h"

#include "core/base/error.h"

const char *
texts_get(const Value *texts, const char *language)
{
    if (value_is_string(texts))
        return value_text(texts);
    const char *text = value_string(value_get(texts, language != NULL ? language : "en"));
    return text != NULL ? text : value_text(value_get(texts, "en"));
}

bool
texts_validate(const Value *texts, const char *const *languages, const char *path, GError **error)
{
    if (value_is_string(texts) && value_string_len(texts) > 0)
        return true;
    if (!value_is_map(texts))
        return fail(error, TIMONEL_ERROR_INVALID, "%s: must be a text, or one in each language", path);
    for (size_t i = 0; languages[i] != NULL; i++)
        if (value_string_len(value_get(texts, languages[i])) == 0)
            return fail(error, TIMONEL_ERROR_INVALID, "%s.%s: required", path, languages[i]);
    return true;
}
