#include "core/store/memory.h"
#include "tests/support/store_conformance.h"

static StoreDriver *
make_at_once(const Ports *ports, void *data)
{
    return store_driver_memory_new(NULL, 0);
}

void
store_conformance_fresh(StoreMaker *ret_maker)
{
    ret_maker->make = make_at_once;
}

TCase *memory_case(void);

TEST_RUNNER("core/store", store_conformance_case, memory_case)
