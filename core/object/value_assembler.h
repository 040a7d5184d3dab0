/* Assembles a Value from a stream of events, such as a parser sends: begin, key, scalar, end. Maps are
 * sorted when they end; of a key given twice the last value wins and the path is noted. */
#pragma once

#include "core/object/value.h"

typedef struct ValueAssembler ValueAssembler;

ValueAssembler *value_assembler_new(void);
void value_assembler_free(ValueAssembler *assembler);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ValueAssembler, value_assembler_free)

/* Paths of keys given twice ("spec.containers[0].image") are added here as owned strings; borrowed. */
void value_assembler_note_duplicates(ValueAssembler *assembler, GPtrArray *paths);

/* The containers that are open now. Parsers hold it below VALUE_DEPTH_MAX. */
size_t value_assembler_depth(const ValueAssembler *assembler);

void value_assembler_begin(ValueAssembler *assembler, ValueType array_or_map);
void value_assembler_key(ValueAssembler *assembler, const char *key, size_t len);
/* Whether the event that comes next must be a key (or the end of the map). */
bool value_assembler_wants_key(const ValueAssembler *assembler);
void value_assembler_add(ValueAssembler *assembler, Value *take);
void value_assembler_end(ValueAssembler *assembler);
/* Gives up the key that waits for its value. */
void value_assembler_drop_key(ValueAssembler *assembler);

/* Where the next value goes, as a dotted path; owned. */
char *value_assembler_path(const ValueAssembler *assembler);

/* The finished root (owned); NULL when none is finished. The assembler can be used again. */
Value *value_assembler_steal(ValueAssembler *assembler);
