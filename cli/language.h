/* The person's language: what gettext needs of the machine, also when the machine lacks the locale. */
#pragma once

/* Takes locale and translations from the environment; first thing in main. */
void language_init(void);
/* A language that was asked for by an option: "en" or "es". */
void language_choose(const char *language);
