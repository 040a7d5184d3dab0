#pragma once

#include "tests/support/runner.h"
#include "tui/state.h"

TCase *grid_case(void);
TCase *update_case(void);
TCase *screens_case(void);
TCase *terminal_case(void);

/* A cluster of one control-plane node and two workers, paused, 20 s after its API answered. */
Live *live_for_test(void);
/* A pod of one nginx container in namespace default; it runs where the scheduler puts it. */
void live_add_pod(Live *live, const char *name);
/* Types "<Down>:pods<Enter>" and the like. */
void type_keys(TuiState *state, const char *keys);
/* The screen as text; owned. */
char *screen_text(TuiState *state, bool ascii);
/* Prints "ran: LINE"; fails (1) when the line begins with "fail". */
int kubectl_for_test(Live *live, const char *line, const TuiOutput *output, void *data);
