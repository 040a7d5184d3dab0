#include "core/base/embed.h"

#include <string.h>

const EmbeddedFile *
embedded_file(const EmbeddedFile *files, const char *name)
{
    for (; files->name != NULL; files++)
        if (strcmp(files->name, name) == 0)
            return files;
    return NULL;
}
