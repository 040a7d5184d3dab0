/* images.yaml, compiled in. */
#pragma once

extern const char SIMULATED_IMAGES_TEXT[];
