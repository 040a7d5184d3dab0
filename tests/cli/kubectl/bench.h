/* Command lines against an API server in memory: what they print and how they end. */
#pragma once

#include "cli/kubectl/kubectl.h"
#include "tests/support/fake_api.h"
#include "tests/support/runner.h"
#include "tests/support/test_ports.h"

typedef struct Bench {
    TestWorld *world;
    ApiTypes *types;
    FakeApi *api;
    KubectlEnv env;
    GString *out, *err;
    const char *file_name, *file_text; /* the one file there is; "-" too */
    int64_t patience_ns;               /* how long a command may wait before it is interrupted */
} Bench;

Bench *bench_new(void);
void bench_free(Bench *bench);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Bench, bench_free)
/* Puts an object in relaxed YAML. */
void bench_put(Bench *bench, const char *group, const char *resource, const char *yaml);
int bench_run(Bench *bench, const char *line);

/* Runs the line and compares status, standard output and standard error. */
#define bench_expect(bench, line, status, out_, err_)                                              \
    do {                                                                                           \
        int status_ = bench_run(bench, line);                                                      \
        ck_assert_str_eq((bench)->err->str, err_);                                                 \
        ck_assert_str_eq((bench)->out->str, out_);                                                 \
        ck_assert_int_eq(status_, status);                                                         \
    } while (0)

TCase *commands_suite(void);
TCase *describe_suite(void);
TCase *get_suite(void);
TCase *http_suite(void);
TCase *write_suite(void);
