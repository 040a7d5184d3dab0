/* Text files that are compiled into the program: core/base/embed.py makes a table of them at build time. */
#pragma once

#include <stddef.h>

typedef struct EmbeddedFile {
    const char *name; /* as given to the build: "clusters/default.yaml" */
    const char *text; /* NUL terminated */
} EmbeddedFile;

/* `files` ends with a NULL name. NULL when there is no such file. */
const EmbeddedFile *embedded_file(const EmbeddedFile *files, const char *name);
