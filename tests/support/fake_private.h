/* Shared by the files of the fake API. */
#pragma once

#include "core/base/pmap.h"
#include "tests/support/fake_api.h"

typedef struct FakeResource FakeResource;
typedef struct FakeEvent FakeEvent;

struct FakeEvent {
    WatchEventType type;
    Value *object, *before; /* before: NULL for ADDED */
    PMap *state;
    int64_t revision;
    uint64_t cause;
};

struct FakeResource {
    char *group, *resource;
    PMap *state;
    GQueue history; /* FakeEvent, oldest first */
};

typedef struct {
    char *prefix, *reason, *message;
    int code;
    unsigned times;
} FakeFailure;

struct FakeApi {
    const Ports *ports;
    const ApiTypes *types;
    int64_t revision, compacted;
    GPtrArray *resources; /* FakeResource */
    GPtrArray *requests;  /* texts */
    GPtrArray *failures;  /* FakeFailure */
    GQueue watches;       /* TransportWatch, of all transports */
    bool down, hides_state;
};

FakeResource *fake_resource(FakeApi *api, const char *group, const char *resource);
/* Stores (object taken) or removes (NULL), counts the revision and tells the watches. Returns what
 * is stored, or the last state of what was removed; borrowed from the history. */
const Value *fake_store(FakeApi *api, FakeResource *resource, const char *key, Value *take);
void fake_watches_notify(FakeApi *api, FakeResource *resource, const FakeEvent *event);

/* Answers one request at once. */
ApiResponse *fake_answer(FakeApi *api, const ApiRequest *request);
bool fake_matches(const Value *object, const char *label_selector, const char *field_selector);
