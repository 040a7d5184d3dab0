/* Events about objects (client-go tools/record): aggregated and rate-limited as there: equal events within 10 minutes are
 * counted up by PATCH, more than 10 similar ones are combined, and 25 a source and object are let through at first, then
 * one every 5 minutes. */
#pragma once

#include "core/client/client.h"

typedef struct EventRecorder EventRecorder;

/* component: "kubelet", "default-scheduler", "deployment-controller" ...; host: the node, or NULL. */
EventRecorder *event_recorder_new(const Ports *ports, Client *client, const char *component, const char *host);
void event_recorder_free(EventRecorder *recorder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EventRecorder, event_recorder_free)

/* type "Normal" or "Warning". object may lack apiVersion and kind: then they are given. */
void event_record(EventRecorder *recorder, const Value *object, const char *type, const char *reason,
                  const char *format, ...) G_GNUC_PRINTF(5, 6);
/* About a part of it: "spec.containers{web}". */
void event_record_field(EventRecorder *recorder, const Value *object, const char *field_path, const char *type,
                        const char *reason, const char *format, ...) G_GNUC_PRINTF(6, 7);
