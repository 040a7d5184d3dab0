/* What every store driver must do, as one suite: give a maker of stores and add the cases to a
 * runner.
 *
 * A maker opens the same data again when it is called again for the same world, if the driver is
 * durable. */
#pragma once

#include "core/store/store.h"
#include "tests/support/runner.h"
#include "tests/support/test_ports.h"

typedef struct StoreMaker {
    bool durable; /* a second store finds what the first one acknowledged */
    StoreDriver *(*make)(const Ports *ports, void *data);
    void *data;
} StoreMaker;

/* Called for each test: a fresh, empty place. */
extern void store_conformance_fresh(StoreMaker *ret_maker);
TCase *store_conformance_case(void);
