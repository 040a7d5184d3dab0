/* How far a person has come with the lessons: progress.json in the user's data directory. */
#pragma once

#include "core/object/value.h"

/* {lessons: {NAME: what lesson_play_progress says}}; empty when there is none yet. A file that cannot be read is an
 * error: it is never overwritten silently. Owned. */
Value *progress_load(GError **error);
bool progress_save(const Value *progress, GError **error);
const Value *progress_of(const Value *progress, const char *lesson); /* NULL: not begun */
/* A new one with that lesson's entry (taken; NULL removes it). Owned. */
Value *progress_with(const Value *progress, const char *lesson, Value *take);
