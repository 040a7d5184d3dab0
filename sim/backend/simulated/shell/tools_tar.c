/* tar c, x and t, as kubectl cp and tutorials use it: ustar archives, with GNU's long names read. */
#include <string.h>

#include "sim/backend/simulated/shell/machine.h"

#define BLOCK 512
#define NAME_SIZE 100
#define SIZE_AT 124
#define MTIME_AT 136
#define CHECKSUM_AT 148
#define TYPE_AT 156
#define MAGIC_AT 257
#define PREFIX_AT 345
#define PREFIX_SIZE 155
#define DEPTH_MAX 32
#define ARCHIVE_MAX (4u * FILE_TREE_SIZE_MAX)

typedef struct TarOptions {
    char mode; /* 'c', 'x', 't' */
    bool verbose;
    const char *file;      /* NULL: standard input or output */
    const char *directory; /* of -C */
    GPtrArray *members;    /* borrowed */
} TarOptions;

/* ---- making ---------------------------------------------------------------------------------------------- */

static void
append_header(ToolCall *call, GString *archive, const char *name, size_t size, char type)
{
    char head[BLOCK] = {0};
    size_t length = strlen(name);
    const char *cut = length > NAME_SIZE ? strchr(name + length - NAME_SIZE - 1, '/') : NULL;
    if (cut != NULL && cut - name <= PREFIX_SIZE) {
        memcpy(head + PREFIX_AT, name, (size_t)(cut - name));
        name = cut + 1;
        length = strlen(name);
    }
    memcpy(head, name, MIN(length, NAME_SIZE));
    memcpy(head + NAME_SIZE, type == '5' ? "0000755" : "0000644", 8);
    memcpy(head + 108, "0000000", 8);
    memcpy(head + 116, "0000000", 8);
    g_snprintf(head + SIZE_AT, 12, "%011zo", size);
    g_snprintf(head + MTIME_AT, 12, "%011llo",
               (unsigned long long)(engine_now(shell_engine(call->shell)) / NS_PER_S));
    head[TYPE_AT] = type;
    memcpy(head + MAGIC_AT, "ustar\00000", 8);
    memset(head + CHECKSUM_AT, ' ', 8);
    unsigned sum = 0;
    for (size_t i = 0; i < BLOCK; i++)
        sum += (unsigned char)head[i];
    g_snprintf(head + CHECKSUM_AT, 7, "%06o", sum);
    g_string_append_len(archive, head, BLOCK);
}

static void
append_zeros(GString *archive, size_t count)
{
    for (size_t i = 0; i < count; i++)
        g_string_append_c(archive, '\0');
}

/* One file, or a directory with all that is in it. */
static int
append_path(ToolCall *call, const TarOptions *options, GString *archive, const char *path, int depth)
{
    g_autofree char *inner = NULL;
    bool readonly;
    const char *text;
    size_t length;
    FileTree *tree = container_find_file(call->shell->container, options->directory, path, &inner, &readonly);
    const char *name = path + strspn(path, "/");
    if (tree == NULL || !file_tree_exists(tree, inner))
        return tool_fail(call, 1, "tar: %s: No such file or directory", path);
    if (archive->len > ARCHIVE_MAX || depth > DEPTH_MAX)
        return tool_fail(call, 1, "tar: %s: File too large", path);
    if (!file_tree_is_directory(tree, inner)) {
        if (file_tree_read(tree, inner, &text, &length) != FILE_OK)
            return tool_fail(call, 1, "tar: %s: can't be read", path);
        append_header(call, archive, name, length, '0');
        g_string_append_len(archive, text, (gssize)length);
        append_zeros(archive, (BLOCK - length % BLOCK) % BLOCK);
        return 0;
    }
    g_autofree char *directory = g_str_has_suffix(name, "/") ? g_strdup(name) : g_strconcat(name, "/", NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    int status = 0;
    if (*name != '\0')
        append_header(call, archive, directory, 0, '5');
    file_tree_list(tree, inner, names);
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *below =
            g_strdup_printf("%s%s%s", path, g_str_has_suffix(path, "/") ? "" : "/", (char *)names->pdata[i]);
        status |= append_path(call, options, archive, below, depth + 1);
    }
    return status;
}

static int
tar_create(ToolCall *call, const TarOptions *options)
{
    g_autoptr(GString) archive = g_string_new(NULL);
    int status = 0;
    if (options->members->len == 0)
        return tool_fail(call, 1, "tar: empty archive");
    for (guint i = 0; i < options->members->len; i++) {
        const char *path = options->members->pdata[i];
        if (*path == '/')
            tool_fail(call, 1, "tar: removing leading '/' from member names");
        status |= append_path(call, options, archive, path, 0);
    }
    append_zeros(archive, 2 * BLOCK);
    if (options->file != NULL) {
        FileStatus written = container_write_file(call->shell->container, call->shell->scope->directory, options->file,
                                                  archive->str, archive->len, false);
        return written == FILE_OK ? status
                                  : tool_fail(call, 1, "tar: %s: %s", options->file, file_status_text(written));
    }
    sink_write(call->shell, call->frame->io.out, archive->str, archive->len);
    return status;
}

/* ---- taking apart ------------------------------------------------------------------------------------------ */

typedef struct Member {
    char *name; /* owned */
    char type;
    const char *bytes;
    size_t length;
} Member;

/* The next member at *at; false at the end. A broken head ends it too, with *ret_status 1. */
static bool
next_member(const char *archive, size_t size, size_t *at, Member *ret, int *ret_status)
{
    g_autofree char *long_name = NULL;
    while (*at + BLOCK <= size && archive[*at] != '\0') {
        const char *head = archive + *at;
        g_autofree char *digits = g_strndup(head + SIZE_AT, 12);
        guint64 length = g_ascii_strtoull(g_strstrip(digits), NULL, 8);
        char type = head[TYPE_AT];
        *at += BLOCK;
        if (memcmp(head + MAGIC_AT, "ustar", 5) != 0 || length > size - *at) {
            *ret_status = 1;
            return false;
        }
        const char *bytes = archive + *at;
        *at += MIN((length + BLOCK - 1) / BLOCK * BLOCK, size - *at);
        if (type == 'L') {
            g_free(long_name);
            long_name = g_strndup(bytes, length);
        } else if (type == '0' || type == '\0' || type == '5') {
            g_autofree char *prefix = g_strndup(head + PREFIX_AT, PREFIX_SIZE);
            g_autofree char *name = g_strndup(head, NAME_SIZE);
            if (head[MAGIC_AT + 5] != '\0')
                *prefix = '\0'; /* GNU's form keeps other things there */
            ret->name = long_name != NULL ? g_steal_pointer(&long_name)
                                          : g_strconcat(prefix, *prefix != '\0' ? "/" : "", name, NULL);
            ret->type = type;
            ret->bytes = bytes;
            ret->length = length;
            return true;
        }
    }
    return false;
}

static FileStatus
make_directory(ToolCall *call, const char *directory, const char *path)
{
    g_autofree char *inner = NULL;
    bool readonly;
    FileTree *tree = container_find_file(call->shell->container, directory, path, &inner, &readonly);
    if (tree != NULL && file_tree_is_directory(tree, inner))
        return FILE_OK;
    return tree == NULL ? FILE_NONE : readonly ? FILE_READONLY : file_tree_make_directory(tree, inner, true);
}

static int
extract_member(ToolCall *call, const TarOptions *options, const Member *member)
{
    const char *name = member->name + strspn(member->name, "/");
    g_autofree char *parent = g_path_get_dirname(name);
    FileStatus status = FILE_OK;
    if (member->type == '5')
        status = make_directory(call, options->directory, name);
    else if (strcmp(parent, ".") != 0)
        status = make_directory(call, options->directory, parent);
    if (status == FILE_OK && member->type != '5')
        status = container_write_file(call->shell->container, options->directory, name, member->bytes, member->length,
                                      false);
    return status == FILE_OK ? 0 : tool_fail(call, 1, "tar: can't open '%s': %s", name, file_status_text(status));
}

static int
tar_read(ToolCall *call, const TarOptions *options)
{
    const char *archive;
    size_t size, at = 0;
    int status = 0;
    Member member;
    if (options->file != NULL) {
        g_autofree char *inner = NULL;
        bool readonly;
        FileTree *tree = container_find_file(call->shell->container, call->shell->scope->directory, options->file, &inner,
                                             &readonly);
        FileStatus read = tree != NULL ? file_tree_read(tree, inner, &archive, &size) : FILE_NONE;
        if (read != FILE_OK)
            return tool_fail(call, 1, "tar: can't open '%s': %s", options->file, file_status_text(read));
    } else if (tool_read_all(call, &archive, &size) == TOOL_WAITS) {
        return TOOL_WAITS;
    }
    g_autofree char *copy = g_memdup2(archive, size); /* what is written may be the archive itself */
    while (next_member(copy, size, &at, &member, &status)) {
        g_autofree char *name = member.name;
        if (options->mode == 't' || options->verbose)
            tool_print(call, "%s\n", name);
        if (options->mode == 'x')
            status |= extract_member(call, options, &member);
    }
    return size < BLOCK || (status != 0 && at <= BLOCK) ? tool_fail(call, 1, "tar: invalid tar magic") : status;
}

/* ---- the command line --------------------------------------------------------------------------------------- */

/* Letters of one word; those that want a value take the next words in their order. False: a letter is unknown. */
static bool
read_letters(const ToolCall *call, const char *letters, int *at, TarOptions *options)
{
    for (; *letters != '\0'; letters++) {
        if (strchr("cxt", *letters) != NULL)
            options->mode = *letters;
        else if (*letters == 'v')
            options->verbose = true;
        else if (*letters == 'f' && *at + 1 < call->argc)
            options->file = call->argv[++*at];
        else if (*letters == 'C' && *at + 1 < call->argc)
            options->directory = call->argv[++*at];
        else if (strchr("mopP", *letters) == NULL)
            return false;
    }
    return true;
}

static int
tool_tar(ToolCall *call)
{
    g_autoptr(GPtrArray) members = g_ptr_array_new();
    g_autofree char *directory = NULL;
    TarOptions options = {.members = members};
    for (int i = 1; i < call->argc; i++) {
        const char *word = call->argv[i];
        if (g_str_has_prefix(word, "--")) /* --no-same-owner and the like: owners are not modelled */
            continue;
        if (i > 1 && *word != '-')
            g_ptr_array_add(members, call->argv[i]);
        else if (!read_letters(call, word + (*word == '-'), &i, &options))
            return tool_fail(call, 1, "tar: invalid option -- '%s'", word);
    }
    if (g_strcmp0(options.file, "-") == 0)
        options.file = NULL;
    directory = file_path_normalise(call->shell->scope->directory, options.directory != NULL ? options.directory : ".");
    if (options.mode == '\0' || directory == NULL)
        return tool_fail(call, 1, "tar: must specify one of -c, -x, -t");
    g_autofree char *absolute = g_strconcat("/", directory, NULL);
    options.directory = absolute;
    return options.mode == 'c' ? tar_create(call, &options) : tar_read(call, &options);
}

const Tool shell_tar_tools[] = {{"tar", tool_tar}, {NULL, NULL}};
