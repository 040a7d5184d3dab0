/* The main of a test runner: one executable per folder, one suite function per file.
 *
 *   TEST_RUNNER("core/base", heap_suite, pmap_suite)
 *
 * Each suite function returns a TCase made with test_case(name, test, test, ...). Run the executable with
 * CK_RUN_CASE=name for one case alone, CK_FORK=no under a debugger. */
#pragma once

#include <check.h>
#include <glib.h>
#include <stdlib.h>

typedef TCase *(*TestCaseFn)(void);

static inline int
test_run(const char *name, const TestCaseFn *cases, size_t count)
{
    Suite *suite = suite_create(name);

    for (size_t i = 0; i < count; i++)
        suite_add_tcase(suite, cases[i]());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define TEST_RUNNER(name, ...)                                                                     \
    int main(void)                                                                                 \
    {                                                                                              \
        static const TestCaseFn cases[] = {__VA_ARGS__};                                           \
        return test_run(name, cases, G_N_ELEMENTS(cases));                                         \
    }

static inline TCase *
test_case_from(const char *name, const TTest *const *tests, size_t count)
{
    TCase *tcase = tcase_create(name);

    tcase_set_timeout(tcase, 60);
    for (size_t i = 0; i < count; i++)
        tcase_add_test(tcase, tests[i]);
    return tcase;
}

#define test_case(name, ...)                                                                       \
    test_case_from(name, (const TTest *const[]){__VA_ARGS__},                                      \
                   sizeof((const TTest *const[]){__VA_ARGS__}) / sizeof(const TTest *))
