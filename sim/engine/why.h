/* "Why?" in plain words: a chain of facts as lines, newest first. The sentences are message ids for gettext; whoever has
 * a language gives `translate`. */
#pragma once

#include "sim/engine/trace.h"

typedef const char *(*WhyTranslateFunc)(const char *message_id, void *data);

typedef struct WhyOptions {
    size_t lines_max; /* 0: 20 */
    int64_t epoch;    /* times are written as seconds since then */
    WhyTranslateFunc translate; /* NULL: English */
    void *translate_data;
} WhyOptions;

#define WHY_LINES_MAX 1000

/* Each line ends in a newline; caller frees. NULL when nothing is known of the subject (or cause). */
char *why_cause(const EngineTrace *trace, CauseId cause, const WhyOptions *options);
char *why_subject(const EngineTrace *trace, const char *subject, const WhyOptions *options);
/* One fact as a sentence without a full stop; caller frees. */
char *why_sentence(const TraceFact *fact, const WhyOptions *options);
