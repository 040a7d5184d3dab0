/* A small file system: paths to contents, over a read-only base that many trees may share (an image's files, a
 * published volume). Costs nothing but its base until somebody writes. Paths are normalised, without a leading slash. */
#pragma once

#include "core/object/value.h"

typedef struct FileTree FileTree;

typedef enum {
    FILE_OK,
    FILE_NONE,      /* No such file or directory */
    FILE_IS_DIR,    /* Is a directory */
    FILE_NOT_DIR,   /* Not a directory */
    FILE_EXISTS,    /* File exists */
    FILE_NOT_EMPTY, /* Directory not empty */
    FILE_FULL,      /* No space left on device */
    FILE_READONLY,  /* Read-only file system */
} FileStatus;

#define FILE_TREE_SIZE_MAX (1024u * 1024) /* bytes that one tree may hold beyond its base */
#define FILE_TREE_FILES_MAX 4096
#define FILE_PATH_MAX 1024

const char *file_status_text(FileStatus status);
/* "/a/./b//../c" -> "a/c"; relative paths start at `directory`; caller frees. NULL when it is too long. */
char *file_path_normalise(const char *directory, const char *path);

/* base: map path -> text, or {bytes: base64}; keys may start with a slash; NULL: empty. */
FileTree *file_tree_new(const Value *base);
FileTree *file_tree_ref(FileTree *tree);
void file_tree_unref(FileTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FileTree, file_tree_unref)
void file_tree_set_base(FileTree *tree, const Value *base); /* publishes another base atomically */
void file_tree_set_size_max(FileTree *tree, uint64_t bytes); /* 0: FILE_TREE_SIZE_MAX; never more than that */
uint64_t file_tree_used(const FileTree *tree);
uint64_t file_tree_version(const FileTree *tree); /* rises with every change */

FileStatus file_tree_read(const FileTree *tree, const char *path, const char **ret_text, size_t *ret_length);
FileStatus file_tree_write(FileTree *tree, const char *path, const char *text, size_t length, bool append);
FileStatus file_tree_make_directory(FileTree *tree, const char *path, bool parents);
FileStatus file_tree_remove(FileTree *tree, const char *path, bool recursive);
bool file_tree_exists(const FileTree *tree, const char *path);
bool file_tree_is_directory(const FileTree *tree, const char *path);
/* Adds the names in a directory, sorted, to names (owned texts; no duplicates). */
void file_tree_list(const FileTree *tree, const char *path, GPtrArray *names);
