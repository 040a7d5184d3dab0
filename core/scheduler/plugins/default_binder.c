/* Binding is a POST of pods/binding (binding.c). */
#include "core/scheduler/plugins/plugins.h"

const Plugin DEFAULT_BINDER = {.name = "DefaultBinder"};
