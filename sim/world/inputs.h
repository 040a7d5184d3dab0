/* What came into a world from outside: requests that change something, faults. With the seed they make the same run again. */
#pragma once

#include "core/api/request.h"

typedef struct Input {
    int64_t time_ns;
    const char *kind; /* "request", "fault", "fault-stop"; static */
    Value *payload;   /* owned by the list */
} Input;

typedef struct Inputs Inputs;

#define INPUTS_MAX 1000000

Inputs *inputs_new(void);
void inputs_free(Inputs *inputs);
/* Takes the payload. What comes behind INPUTS_MAX is not kept, and inputs_are_complete says so. */
void inputs_add(Inputs *inputs, int64_t time_ns, const char *kind, Value *take_payload);
size_t inputs_count(const Inputs *inputs);
const Input *inputs_item(const Inputs *inputs, size_t index);
bool inputs_are_complete(const Inputs *inputs);

/* A request as a value and back. Who asked goes with it; secrets of the connection do not. */
Value *request_to_value(const ApiRequest *request);
ApiRequest *request_from_value(const Value *value);
