/* Invariants: `entries` holds what was written, made or removed here; it hides the base. A removed entry of the base is
 * kept as GONE. A directory exists when an entry says so, when it is the root, or when anything lies below it. */
#include "sim/backend/simulated/file_tree.h"

#include <string.h>

#include "core/base/text.h"

typedef enum { ENTRY_FILE, ENTRY_DIRECTORY, ENTRY_GONE } EntryKind;

typedef struct Entry {
    EntryKind kind;
    GString *content; /* of a file */
} Entry;

struct FileTree {
    uint32_t refs;
    Value *base;
    GTree *entries; /* path -> Entry; NULL until something is written */
    GHashTable *decoded; /* base paths given as bytes -> GBytes; looked up only */
    uint64_t used, size_max, version;
};

const char *
file_status_text(FileStatus status)
{
    static const char *const texts[] = {
        [FILE_OK] = "Success",
        [FILE_NONE] = "No such file or directory",
        [FILE_IS_DIR] = "Is a directory",
        [FILE_NOT_DIR] = "Not a directory",
        [FILE_EXISTS] = "File exists",
        [FILE_NOT_EMPTY] = "Directory not empty",
        [FILE_FULL] = "No space left on device",
        [FILE_READONLY] = "Read-only file system",
    };
    return texts[status];
}

char *
file_path_normalise(const char *directory, const char *path)
{
    if (strlen(path) > FILE_PATH_MAX || (directory != NULL && strlen(directory) > FILE_PATH_MAX))
        return NULL;
    g_autofree char *whole = path[0] == '/' || directory == NULL ? g_strdup(path)
                                                                 : g_strconcat(directory, "/", path, NULL);
    g_auto(GStrv) parts = g_strsplit(whole, "/", -1);
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    for (char **part = parts; *part != NULL; part++) {
        if (**part == '\0' || strcmp(*part, ".") == 0)
            continue;
        if (strcmp(*part, "..") != 0)
            g_ptr_array_add(kept, *part);
        else if (kept->len > 0)
            g_ptr_array_set_size(kept, (gint)kept->len - 1);
    }
    g_ptr_array_add(kept, NULL);
    return g_strjoinv("/", (char **)kept->pdata);
}

static void
entry_free(void *data)
{
    Entry *entry = data;
    if (entry->content != NULL)
        g_string_free(entry->content, TRUE);
    g_free(entry);
}

FileTree *
file_tree_new(const Value *base)
{
    FileTree *tree = g_new0(FileTree, 1);
    tree->refs = 1;
    tree->base = value_ref(base);
    tree->size_max = FILE_TREE_SIZE_MAX;
    return tree;
}

FileTree *
file_tree_ref(FileTree *tree)
{
    tree->refs++;
    return tree;
}

void
file_tree_unref(FileTree *tree)
{
    if (tree == NULL || --tree->refs > 0)
        return;
    value_unref(tree->base);
    g_clear_pointer(&tree->entries, g_tree_unref);
    g_clear_pointer(&tree->decoded, g_hash_table_unref);
    g_free(tree);
}

void
file_tree_set_base(FileTree *tree, const Value *base)
{
    value_replace(&tree->base, value_ref(base));
    g_clear_pointer(&tree->decoded, g_hash_table_unref);
    tree->version++;
}

void
file_tree_set_size_max(FileTree *tree, uint64_t bytes)
{
    tree->size_max = bytes == 0 ? FILE_TREE_SIZE_MAX : MIN(bytes, FILE_TREE_SIZE_MAX);
}

uint64_t
file_tree_used(const FileTree *tree)
{
    return tree->used;
}

uint64_t
file_tree_version(const FileTree *tree)
{
    return tree->version;
}

static Entry *
find_entry(const FileTree *tree, const char *path)
{
    return tree->entries != NULL ? g_tree_lookup(tree->entries, path) : NULL;
}

static const Value *
find_base(const FileTree *tree, const char *path)
{
    const Value *found = value_get(tree->base, path);
    if (found != NULL || value_size(tree->base) == 0)
        return found;
    g_autofree char *slashed = g_strconcat("/", path, NULL);
    return value_get(tree->base, slashed);
}

static void
read_base(FileTree *tree, const char *path, const Value *content, const char **ret_text, size_t *ret_length)
{
    if (value_is_string(content)) {
        *ret_text = value_string(content);
        *ret_length = value_string_len(content);
        return;
    }
    if (tree->decoded == NULL)
        tree->decoded = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_bytes_unref);
    GBytes *bytes = g_hash_table_lookup(tree->decoded, path);
    if (bytes == NULL) {
        size_t length = 0;
        const char *text = value_string(value_get(content, "text"));
        uint8_t *raw = text == NULL ? text_base64_decode(value_text(value_get(content, "bytes")), &length) : NULL;
        bytes = text != NULL ? g_bytes_new(text, strlen(text) + 1) : g_bytes_new_take(raw, length + (raw != NULL));
        g_hash_table_insert(tree->decoded, g_strdup(path), bytes);
    }
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    *ret_text = data != NULL ? data : "";
    *ret_length = size > 0 ? size - 1 : 0;
}

FileStatus
file_tree_read(const FileTree *tree, const char *path, const char **ret_text, size_t *ret_length)
{
    const Entry *entry = find_entry(tree, path);
    const Value *base = entry == NULL ? find_base(tree, path) : NULL;
    if (entry != NULL && entry->kind == ENTRY_FILE) {
        *ret_text = entry->content->str;
        *ret_length = entry->content->len;
        return FILE_OK;
    }
    if (base != NULL) {
        read_base((FileTree *)tree, path, base, ret_text, ret_length);
        return FILE_OK;
    }
    return file_tree_is_directory(tree, path) ? FILE_IS_DIR : FILE_NONE;
}

/* ---- directories ---- */

typedef struct Search {
    const char *prefix; /* "a/b/", or "" */
    size_t length;
    const FileTree *tree;
    GPtrArray *names; /* NULL: only look */
    bool found;
} Search;

static void
add_name(Search *search, const char *path)
{
    search->found = true;
    if (search->names == NULL)
        return;
    const char *rest = path + search->length, *slash = strchr(rest, '/');
    g_autofree char *name = slash != NULL ? g_strndup(rest, (size_t)(slash - rest)) : g_strdup(rest);
    if (name[0] != '\0' && !g_ptr_array_find_with_equal_func(search->names, name, g_str_equal, NULL))
        g_ptr_array_add(search->names, g_steal_pointer(&name));
}

static gboolean
visit_entry(gpointer key, gpointer value, gpointer data)
{
    Search *search = data;
    int order = strncmp(key, search->prefix, search->length);
    if (order == 0 && ((Entry *)value)->kind != ENTRY_GONE)
        add_name(search, key);
    return order > 0 || (search->found && search->names == NULL);
}

static void
search_below(Search *search)
{
    if (search->tree->entries != NULL)
        g_tree_foreach(search->tree->entries, visit_entry, search);
    for (size_t i = 0; i < value_size(search->tree->base); i++) {
        const char *key = value_key_at(search->tree->base, i), *path = key[0] == '/' ? key + 1 : key;
        if (strncmp(path, search->prefix, search->length) == 0 && find_entry(search->tree, path) == NULL)
            add_name(search, path);
    }
}

bool
file_tree_is_directory(const FileTree *tree, const char *path)
{
    static const char *const always[] = {"",     "bin",  "dev",  "etc",  "home",     "opt",     "proc",
                                         "root", "run",  "sbin", "srv",  "sys",      "tmp",     "usr",
                                         "var",  "mnt",  "lib",  "data", "var/log",  "var/run", "usr/bin",
                                         "var/lib", "var/tmp", "usr/local", "usr/local/bin"};
    const Entry *entry = find_entry(tree, path);
    if (entry != NULL && entry->kind != ENTRY_GONE)
        return entry->kind == ENTRY_DIRECTORY;
    for (size_t i = 0; entry == NULL && i < G_N_ELEMENTS(always); i++)
        if (strcmp(path, always[i]) == 0)
            return true;
    g_autofree char *prefix = g_strconcat(path, "/", NULL);
    Search search = {.prefix = prefix, .length = strlen(prefix), .tree = tree};
    search_below(&search);
    return search.found;
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void
file_tree_list(const FileTree *tree, const char *path, GPtrArray *names)
{
    g_autofree char *prefix = path[0] != '\0' ? g_strconcat(path, "/", NULL) : g_strdup("");
    Search search = {.prefix = prefix, .length = strlen(prefix), .tree = tree, .names = names};
    search_below(&search);
    g_ptr_array_sort(names, compare_names);
}

bool
file_tree_exists(const FileTree *tree, const char *path)
{
    const char *text;
    size_t length;
    FileStatus status = file_tree_read(tree, path, &text, &length);
    return status == FILE_OK || status == FILE_IS_DIR;
}

/* ---- changes ---- */

static FileStatus
put_entry(FileTree *tree, const char *path, EntryKind kind)
{
    if (tree->entries == NULL)
        tree->entries = g_tree_new_full((GCompareDataFunc)(void (*)(void))strcmp, NULL, g_free, entry_free);
    if (g_tree_nnodes(tree->entries) >= FILE_TREE_FILES_MAX)
        return FILE_FULL;
    Entry *old = find_entry(tree, path);
    if (old != NULL && old->content != NULL)
        tree->used -= old->content->len;
    Entry *entry = g_new0(Entry, 1);
    entry->kind = kind;
    entry->content = kind == ENTRY_FILE ? g_string_new(NULL) : NULL;
    g_tree_replace(tree->entries, g_strdup(path), entry);
    tree->version++;
    return FILE_OK;
}

static FileStatus
check_parent(const FileTree *tree, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return FILE_OK;
    g_autofree char *parent = g_strndup(path, (size_t)(slash - path));
    if (file_tree_is_directory(tree, parent))
        return FILE_OK;
    return file_tree_exists(tree, parent) ? FILE_NOT_DIR : FILE_NONE;
}

FileStatus
file_tree_write(FileTree *tree, const char *path, const char *text, size_t length, bool append)
{
    const char *old = "";
    size_t old_length = 0;
    FileStatus status = file_tree_read(tree, path, &old, &old_length);
    if (status == FILE_IS_DIR)
        return status;
    if (status == FILE_NONE && (status = check_parent(tree, path)) != FILE_OK)
        return status;
    Entry *entry = find_entry(tree, path);
    size_t kept = append ? old_length : 0, freed = entry != NULL && entry->content != NULL ? entry->content->len : 0;
    if (tree->used - freed + kept + length > tree->size_max)
        return FILE_FULL;
    if (append && entry != NULL && entry->kind == ENTRY_FILE) {
        g_string_append_len(entry->content, text, (gssize)length);
        tree->used += length;
        tree->version++;
        return FILE_OK;
    }
    g_autofree char *copy = g_memdup2(old, kept);
    if ((status = put_entry(tree, path, ENTRY_FILE)) != FILE_OK)
        return status;
    entry = find_entry(tree, path);
    if (kept > 0)
        g_string_append_len(entry->content, copy, (gssize)kept);
    g_string_append_len(entry->content, text, (gssize)length);
    tree->used += entry->content->len;
    return FILE_OK;
}

FileStatus
file_tree_make_directory(FileTree *tree, const char *path, bool parents)
{
    if (file_tree_is_directory(tree, path))
        return parents ? FILE_OK : FILE_EXISTS;
    if (file_tree_exists(tree, path))
        return FILE_EXISTS;
    FileStatus status = parents ? FILE_OK : check_parent(tree, path);
    for (const char *slash = strchr(path, '/'); parents && slash != NULL; slash = strchr(slash + 1, '/')) {
        g_autofree char *parent = g_strndup(path, (size_t)(slash - path));
        if (!file_tree_is_directory(tree, parent) && (status = put_entry(tree, parent, ENTRY_DIRECTORY)) != FILE_OK)
            return status;
    }
    return status == FILE_OK ? put_entry(tree, path, ENTRY_DIRECTORY) : status;
}

FileStatus
file_tree_remove(FileTree *tree, const char *path, bool recursive)
{
    if (!file_tree_exists(tree, path))
        return FILE_NONE;
    if (file_tree_is_directory(tree, path)) {
        if (!recursive)
            return FILE_IS_DIR;
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
        file_tree_list(tree, path, names);
        for (guint i = 0; i < names->len; i++) {
            g_autofree char *child = g_strconcat(path, path[0] != '\0' ? "/" : "", names->pdata[i], NULL);
            file_tree_remove(tree, child, true);
        }
        if (path[0] == '\0')
            return FILE_OK;
    }
    return put_entry(tree, path, ENTRY_GONE);
}
