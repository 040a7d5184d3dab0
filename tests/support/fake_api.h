/* An API server in memory for unit tests: a Transport with none of the network, admission or
 * defaulting, but with what controllers depend on: resource versions and conflicts, generateName,
 * uids, creationTimestamp, generation, status apart from spec, finalizers, graceful deletion of
 * pods, pods/binding, pods/eviction, scale, selectors, watches with history, bookmarks at their
 * start, and 410 after fake_api_compact.
 *
 *   FakeApi *api = fake_api_new(test_world_ports(world, "api"), NULL);
 *   g_autoptr(Client) client = client_new(ports, NULL, fake_api_transport(api,
 * "system:kube-scheduler"), NULL); fake_api_put(api, "", "nodes", value_new_f("{apiVersion: v1,
 * kind: Node, metadata: {name: a}}"));
 *   ... test_world_settle(world) ...
 *   ck_assert_str_eq(value_text_at(fake_api_get(api, "", "pods", "default", "web"),
 * "spec.nodeName"), "a");
 *
 * Every answer and watch event comes 1 ms later. Free clients first, then the api, then the world.
 */
#pragma once

#include "core/client/client.h"

typedef struct FakeApi FakeApi;

/* types may be NULL: then lists have no kind, strategic patches merge as merge patches do (with
 * types, as they should), and every kind has a status. */
FakeApi *fake_api_new(const Ports *ports, const ApiTypes *types);
void fake_api_free(FakeApi *api);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(FakeApi, fake_api_free)

/* A connection of this user; owned by the client it is given to. */
Transport *fake_api_transport(FakeApi *api, const char *user);

/* What a test does beside any client, at once: creates or replaces (whatever the resourceVersion
 * says), deletes (whatever finalizers say), reads (borrowed; NULL when absent). namespace_ NULL for
 * cluster-scoped kinds. */
const Value *fake_api_put(FakeApi *api, const char *group, const char *resource, Value *take);
bool fake_api_remove(FakeApi *api, const char *group, const char *resource, const char *namespace_,
                     const char *name);
const Value *fake_api_get(FakeApi *api, const char *group, const char *resource,
                          const char *namespace_, const char *name);
/* By a dotted path, as value_edit: fake_api_edit(api, "", "pods", "default", "web", "status.phase",
 * value_new_string("Running")) */
const Value *fake_api_edit(FakeApi *api, const char *group, const char *resource,
                           const char *namespace_, const char *name, const char *path, Value *take);
/* All objects of a resource, keys "namespace/name"; borrowed. */
struct PMap *fake_api_state(FakeApi *api, const char *group, const char *resource);
size_t fake_api_count(FakeApi *api, const char *group, const char *resource);
int64_t fake_api_revision(const FakeApi *api);

/* What was asked so far: "POST pods default/web", "PUT deployments/status default/web", "WATCH
 * pods", ... by any client. */
const GPtrArray *fake_api_requests(const FakeApi *api);
size_t fake_api_count_requests(const FakeApi *api, const char *prefix);
void fake_api_forget_requests(FakeApi *api);

/* The next `times` requests whose text (as above) begins with the prefix are refused with a Status
 * like this. */
void fake_api_fail(FakeApi *api, const char *prefix, int code, const char *reason,
                   const char *message, unsigned times);
/* All watches end now, as when the server restarts. */
void fake_api_break_watches(FakeApi *api);
/* Forgets all history: a watch from an older revision is answered 410. */
void fake_api_compact(FakeApi *api);
/* While down every call is answered 503 "connection refused" and watches end. */
void fake_api_set_down(FakeApi *api, bool down);
/* Do watches and lists hand over their state, as the real ones within a process do? (true at first)
 */
void fake_api_share_state(FakeApi *api, bool share);
