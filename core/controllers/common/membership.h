/* Which pods does a selector of its namespace choose (Services, PodDisruptionBudgets), kept as pods
 * change: one walk over the namespace when an owner is first asked for, after that each pod's
 * change costs what its labels cost to look up, not the number of owners or pods. */
#pragma once

#include "core/controllers/controller.h"

typedef struct Membership Membership;

/* owners and pods: informers not yet started. selector: as label_selector_matches reads it, NULL
 * for none. changed (may be NULL) is called for each owner that a changed pod belongs or belonged
 * to. index: a name for the owners' index, unique by selector. */
typedef const Value *(*MembershipSelector)(const Value *owner);
typedef void (*MembershipChanged)(const char *owner_key, const Value *owner, const Value *old,
                                  const Value *new_, uint64_t cause, void *data);
Membership *membership_new(Informer *owners, const char *index, IndexFunc index_func,
                           Informer *pods, MembershipSelector selector, MembershipChanged changed,
                           void *data);
void membership_free(Membership *membership);
/* The pods of an owner in order of their names: references (g_ptr_array_unref). */
GPtrArray *membership_pods(Membership *membership, const char *owner_key, const Value *owner);
/* How many, without looking at them; 0 when not counted yet. */
size_t membership_count(const Membership *membership, const char *owner_key);
/* The owners that choose a pod, in order of their names: references. */
GPtrArray *membership_owners(const Membership *membership, const Value *pod);

/* For an IndexFunc of owners: adds the string under which a pod's labels find the selector. */
void membership_index(const Value *owner, const Value *selector, GPtrArray *ret_strings);
