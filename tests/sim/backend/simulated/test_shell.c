#include <string.h>

#include "tests/sim/backend/simulated/bench_node.h"
#include "tests/sim/backend/simulated/suites.h"

typedef struct Script {
    const char *text, *output; /* stdout and stderr mixed */
    int exit_code;
} Script;

static void
on_exec(const ExecResult *result, void *data)
{
    NodeBench *b = data;
    g_string_printf(b->out, "%d|%s|%s", result->timed_out ? 124 : result->exit_code,
                    result->error != NULL ? result->error : "", result->output);
}

/* Runs a script by exec in the container that runs. */
static void
exec_script(NodeBench *b, const char *text, int64_t timeout)
{
    const char *command[] = {"sh", "-c", text, NULL};
    g_string_assign(b->out, "no answer");
    b->runtime->ops->exec_sync(b->runtime, b->id, command, timeout, on_exec, b);
    bench_run(b, 100 * NS_PER_S);
}

static const Script words[] = {
    {"echo hello   world", "hello world\n", 0},
    {"echo 'a  b' \"c  d\" e\\ f", "a  b c  d e f\n", 0},
    {"x=5; echo \"$x ${x}y ${z:-none} ${x:+set} ${#x}\"", "5 5y none set 1\n", 0},
    {"x='a b'; for i in $x \"$x\"; do echo [$i]; done", "[a]\n[b]\n[a b]\n", 0},
    {"f=a/b/c.txt; echo ${f##*/} ${f%/*} ${f#*/} ${f%%/*}", "c.txt a/b b/c.txt a\n", 0},
    {"echo $(echo in $(echo nested)) `echo back`", "in nested back\n", 0},
    {"echo $((2 + 3 * 4)) $(( (1+2)*3 % 4 )) $((7 > 3 && 2 < 1))", "14 1 0\n", 0},
    {"i=1; i=$((i+1)); echo $i", "2\n", 0},
    {"echo $((1/0))", "sh: arithmetic: divide by zero\n", 1},
    {"set -- a 'b c'; echo $# \"$1\" \"$2\"; for x in \"$@\"; do echo \"<$x>\"; done; shift; echo $#",
     "2 a b c\n<a>\n<b c>\n1\n", 0},
    {"echo ~ $HOME; echo \"$(hostname)\"", "/root /root\nweb-1\n", 0},
    {"cat <<EOF\nname: $HOSTNAME\nEOF", "name: web-1\n", 0},
    {"cat <<'EOF'\nname: $X\nEOF", "name: $X\n", 0},
    {"printf '%s-%03d\\n' a 7 b 8", "a-007\nb-008\n", 0},
    {"echo -n a; echo -e 'b\\tc'", "ab\tc\n", 0},
};

static const Script flow[] = {
    {"true && echo yes || echo no; false && echo yes || echo no", "yes\nno\n", 0},
    {"if [ -f /nope ]; then echo a; elif [ 3 -gt 2 ]; then echo b; else echo c; fi", "b\n", 0},
    {"i=0; while [ $i -lt 3 ]; do i=$((i+1)); [ $i = 2 ] && continue; echo $i; done", "1\n3\n", 0},
    {"until false; do echo once; break; done; echo $?", "once\n0\n", 0},
    {"for i in 1 2 3; do if [ $i -eq 2 ]; then break; fi; echo $i; done", "1\n", 0},
    {"case web-1 in db*) echo db;; web*|api) echo web;; *) echo other;; esac", "web\n", 0},
    {"greet() { echo hi $1; return 3; }; greet you; echo $?", "hi you\n3\n", 0},
    {"x=1; (x=2; echo $x); echo $x", "2\n1\n", 0},
    {"{ echo a; echo b; } | wc -l", "2\n", 0},
    {"seq 3 | while read n; do echo n$n; done", "n1\nn2\nn3\n", 0},
    {"! true; echo $?", "1\n", 0},
    {"set -e; false; echo never", "", 1},
    {"set -e; false || true; if false; then :; fi; echo here", "here\n", 0},
    {"exit 42", "", 42},
    {"foo", "sh: foo: not found\n", 127},
    {"if true; then", "sh: syntax error: unexpected end of file\n", 2},
    {"echo a; )", "sh: syntax error: unexpected )\n", 2},
    {"eval 'echo $((1+1))'; sh -c 'exit 7'; echo $?", "2\n7\n", 0},
    {"trap 'echo bye' EXIT; echo hi", "hi\nbye\n", 0},
    {"(sleep 2; echo late) & echo early; wait; echo done", "early\nlate\ndone\n", 0},
    {"timeout 2 sleep 10; echo $?", "124\n", 0},
    {"exec echo replaced; echo never", "replaced\n", 0},
    {"x=1 env | grep ^x=; echo [$x]", "x=1\n[]\n", 0},
};

static const Script files[] = {
    {"touch /tmp/healthy; cat /tmp/healthy && echo ok; rm /tmp/healthy; cat /tmp/healthy",
     "ok\ncat: can't open '/tmp/healthy': No such file or directory\n", 1},
    {"echo one > /tmp/f; echo two >> /tmp/f; cat /tmp/f; wc -l < /tmp/f; echo x > /no/dir", NULL, 1},
    {"mkdir -p /a/b; touch /a/b/x /a/b/y; ls /a/b; ls /a/b/*; rm -rf /a; ls /a",
     "x\ny\n/a/b/x\n/a/b/y\nls: /a: No such file or directory\n", 1},
    {"cd /tmp; pwd; echo hi > rel; cat /tmp/rel; [ -s rel ] && [ ! -d rel ] && echo both", "/tmp\nhi\nboth\n", 0},
    {"echo out; echo err >&2; (echo gone; echo gone >&2) > /dev/null 2>&1", "out\nerr\n", 0},
    {"printf 'b\\na\\nb\\n' | sort | uniq", "a\nb\n", 0},
    {"printf 'a:1\\nb:2\\n' | cut -d : -f 2; printf 'x y\\n' | awk '{print $2}'", "1\n2\ny\n", 0},
    {"echo hello | sed 's/l/L/g' | tr a-z A-Z | tee /tmp/t; cat /tmp/t", "HELLO\nHELLO\n", 0},
    {"seq 20 | tail -n 2; seq 20 | head -2; seq 5 | sed -n 2p", "19\n20\n1\n2\n2\n", 0},
    {"printf 'a\\nb\\n' | grep -c a; echo x | grep -q y || echo none", "1\nnone\n", 0},
    {"mkdir -p /tmp/a/b; echo x > /tmp/a/b/f; tar cf /tmp/t.tar -C /tmp a; rm -rf /tmp/a; tar -xmf - -C /tmp < /tmp/t.tar;"
     " cat /tmp/a/b/f; tar tf /tmp/t.tar; echo junk | tar xf - 2>&1",
     "x\na/\na/b/\na/b/f\ntar: invalid tar magic\n", 1},
    {"cat /etc/hostname; grep nameserver /etc/resolv.conf", "web-1\nnameserver 127.0.0.53\n", 0},
    {"date +%Y-%m-%d; date -u +%H", NULL, 0},
    {"echo aGk= | base64 -d; echo; basename /a/b.c; dirname /a/b", "hi\nb.c\n/a\n", 0},
};

static void
run_table(const Script *table, size_t count)
{
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "busybox:1.36", "{command: [sleep, infinity]}");
    bench_run(&b, NS_PER_S);
    for (size_t i = 0; i < count; i++) {
        exec_script(&b, table[i].text, 0);
        g_autofree char *wanted = g_strdup_printf("%d||%s", table[i].exit_code, table[i].output);
        if (table[i].output != NULL)
            ck_assert_msg(strcmp(b.out->str, wanted) == 0, "%s\nwanted: %s\nfound: %s", table[i].text, wanted, b.out->str);
        else
            ck_assert_int_eq(atoi(b.out->str), table[i].exit_code);
    }
    bench_teardown(&b);
}

START_TEST(words_are_expanded_as_a_shell_does)
{
    run_table(words, G_N_ELEMENTS(words));
}
END_TEST

START_TEST(control_flows_as_in_a_shell)
{
    run_table(flow, G_N_ELEMENTS(flow));
}
END_TEST

START_TEST(files_and_filters_work)
{
    run_table(files, G_N_ELEMENTS(files));
}
END_TEST

START_TEST(sleep_takes_virtual_time_and_exit_ends_the_container)
{
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "busybox", "{command: [sh, -c, 'echo start; sleep 30; echo end; exit 3']}");
    bench_run(&b, 29 * NS_PER_S);
    ck_assert_str_eq(bench_log(&b), "start\n");
    ck_assert_int_eq(bench_status(&b).state, CONTAINER_RUNNING);
    bench_run(&b, 2 * NS_PER_S);
    ck_assert_str_eq(bench_log(&b), "start\nend\n");
    ck_assert_int_eq(bench_status(&b).exit_code, 3);
    bench_teardown(&b);
}
END_TEST

START_TEST(an_endless_loop_burns_model_time_only)
{
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "busybox", "{command: [sh, -c, 'while true; do :; done']}");
    bench_run(&b, 2 * NS_PER_S);
    ContainerStats stats;
    ck_assert(b.runtime->ops->container_stats(b.runtime, b.id, &stats));
    ck_assert_uint_gt(stats.cpu_usage_ns, (uint64_t)NS_PER_S);
    ck_assert_uint_lt(engine_events_run(b.engine), 2000);
    bench_teardown(&b);
}
END_TEST

START_TEST(hostile_scripts_meet_bounds)
{
    static const char *const scripts[] = {
        "f() { f; }; f",
        "x=a; while true; do x=$x$x; done",
        "yes | cat",
        "$($($($($(echo))))); ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
        "while true; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa >> /tmp/f; done",
        "i=0; while true; do i=$((i+1)); export v$i=1; eval v$i=2; done",
        "for i in $(seq 100000); do sleep 100 & done; wait",
        "cat <<A\n$(cat <<B",
        "echo \"${x:-${y:-${z:-\"",
        "trap 'kill 1' TERM; kill 1; echo ${@} ${*} ${!} $((",
    };
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "busybox", "{command: [sleep, 1d]}");
    bench_run(&b, NS_PER_S);
    for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++) {
        exec_script(&b, scripts[i], 2 * NS_PER_S);
        ck_assert_msg(strcmp(b.out->str, "no answer") != 0, "%s", scripts[i]);
    }
    ck_assert_int_eq(bench_status(&b).state, CONTAINER_RUNNING);
    bench_teardown(&b);
}
END_TEST

START_TEST(process_one_ignores_a_signal_without_a_trap_and_obeys_one_with)
{
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "busybox", "{command: [sleep, '3600']}");
    bench_run(&b, NS_PER_S);
    b.runtime->ops->stop_container(b.runtime, b.id, 30 * NS_PER_S, bench_done, &b);
    bench_run(&b, 29 * NS_PER_S);
    ck_assert_int_eq(bench_status(&b).state, CONTAINER_RUNNING);
    bench_run(&b, 2 * NS_PER_S);
    ck_assert_int_eq(bench_status(&b).exit_code, 137);
    bench_run_container(&b, "busybox",
                        "{command: [sh, -c, 'trap \"echo stopping; exit 5\" TERM; while true; do sleep 1; done']}");
    bench_run(&b, NS_PER_S);
    b.runtime->ops->stop_container(b.runtime, b.id, 30 * NS_PER_S, bench_done, &b);
    bench_run(&b, 3 * NS_PER_S);
    ck_assert_int_eq(bench_status(&b).exit_code, 5);
    bench_teardown(&b);
}
END_TEST

static void
session_output(int stream, const void *bytes, size_t length, void *data)
{
    g_string_append_len(((NodeBench *)data)->out, bytes, (gssize)length);
}

static void
session_ended(int exit_code, const char *error, void *data)
{
    g_string_append_printf(((NodeBench *)data)->out, "<%d %s>", exit_code, error != NULL ? error : "");
}

START_TEST(an_interactive_session_reads_what_is_typed)
{
    static const RuntimeSink sink = {.output = session_output, .ended = session_ended};
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "alpine", "{command: [sleep, 1d]}");
    bench_run(&b, NS_PER_S);
    const char *command[] = {"sh", NULL};
    RuntimeExecOptions options = {.command = command, .stdin_open = true, .tty = true};
    g_string_truncate(b.out, 0);
    RuntimeSession *session = b.runtime->ops->exec(b.runtime, b.id, &options, &sink, &b);
    b.runtime->ops->session_input(b.runtime, session, "x=1\recho v$x\r", 13);
    bench_run(&b, NS_PER_S);
    b.runtime->ops->session_input(b.runtime, session, "exit 4\r", 7);
    bench_run(&b, NS_PER_S);
    ck_assert_ptr_nonnull(strstr(b.out->str, "v1\r\n"));
    ck_assert(g_str_has_suffix(b.out->str, "<4 >"));
    g_string_truncate(b.out, 0);
    const char *cat[] = {"cat", NULL};
    options = (RuntimeExecOptions){.command = cat, .stdin_open = true};
    session = b.runtime->ops->exec(b.runtime, b.id, &options, &sink, &b);
    b.runtime->ops->session_input(b.runtime, session, "abc\n", 4);
    bench_run(&b, NS_PER_S);
    b.runtime->ops->session_input(b.runtime, session, "", 0);
    bench_run(&b, NS_PER_S);
    ck_assert_str_eq(b.out->str, "abc\n<0 >");
    const char *nothing[] = {"nothing", NULL};
    options = (RuntimeExecOptions){.command = nothing};
    g_string_truncate(b.out, 0);
    b.runtime->ops->exec(b.runtime, b.id, &options, &sink, &b);
    bench_run(&b, NS_PER_S);
    ck_assert_ptr_nonnull(strstr(b.out->str, "executable file not found in $PATH"));
    bench_teardown(&b);
}
END_TEST

START_TEST(a_port_forward_carries_requests)
{
    static const RuntimeSink sink = {.output = session_output, .ended = session_ended};
    static const char request[] = "GET /missing HTTP/1.1\r\nHost: localhost\r\n\r\n";
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "nginx", "{}");
    bench_run(&b, NS_PER_S);
    g_string_truncate(b.out, 0);
    RuntimeSession *session = b.runtime->ops->port_forward(b.runtime, b.sandbox, 80, &sink, &b);
    b.runtime->ops->session_input(b.runtime, session, request, sizeof request - 1);
    bench_run(&b, NS_PER_S);
    ck_assert(g_str_has_prefix(b.out->str, "HTTP/1.1 404 Error\r\n"));
    ck_assert(g_str_has_suffix(b.out->str, "<0 >"));
    g_string_truncate(b.out, 0);
    b.runtime->ops->port_forward(b.runtime, b.sandbox, 81, &sink, &b);
    bench_run(&b, NS_PER_S);
    ck_assert_ptr_nonnull(strstr(b.out->str, "failed to connect to localhost:81"));
    b.runtime->ops->session_close(b.runtime, b.runtime->ops->port_forward(b.runtime, b.sandbox, 80, &sink, &b));
    bench_teardown(&b);
}
END_TEST

START_TEST(an_exec_runs_out_of_time)
{
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "busybox", "{command: [sleep, 1d]}");
    bench_run(&b, NS_PER_S);
    exec_script(&b, "sleep 60", NS_PER_S);
    ck_assert_str_eq(b.out->str, "124||");
    bench_teardown(&b);
}
END_TEST

START_TEST(volumes_are_shared_and_the_log_follows)
{
    NodeBench b;
    bench_setup(&b);
    b.host->ops->make_empty_dir(b.host, "uid-1", "shared", "", 0, NULL, (HostDone)(void (*)(void))g_free, NULL);
    bench_run_container(&b, "busybox",
                        "{mount: /data, command: [sh, -c, 'while true; do date >> /data/log; sleep 5; done']}");
    bench_run(&b, 12 * NS_PER_S);
    g_autofree char *first = g_strdup(b.id);
    bench_run_container(&b, "busybox", "{mount: /logs, args: [/bin/sh, -c, 'tail -n+1 -F /logs/log']}");
    bench_run(&b, 12 * NS_PER_S);
    g_auto(GStrv) lines = g_strsplit(bench_log(&b), "\n", -1);
    ck_assert_uint_ge(g_strv_length(lines), 5);
    bench_teardown(&b);
}
END_TEST

START_TEST(programs_ask_others_over_the_network)
{
    NodeBench b;
    bench_setup(&b);
    bench_run_container(&b, "nginx", "{}");
    bench_run(&b, NS_PER_S);
    exec_script(&b, "curl -s localhost | grep -c Welcome; curl -s -o /dev/null -w '%{http_code}\\n' http://10.244.1.2/x", 0);
    ck_assert_str_eq(b.out->str, "0||2\n404\n");
    exec_script(&b, "wget -qO- http://10.244.1.2:81; nc -z 10.244.1.2 80 && echo open; wget -q http://web", 0);
    ck_assert_str_eq(b.out->str, "1||wget: can't connect to remote host (10.244.1.2): Connection refused\nopen\n"
                                 "wget: bad address 'web'\n");
    exec_script(&b, "echo new > /usr/share/nginx/html/index.html; wget -qO- 127.0.0.1; nginx -v", 0);
    ck_assert_str_eq(b.out->str, "0||new\nnginx version: latest\n");
    bench_teardown(&b);
}
END_TEST

TCase *
shell_case(void)
{
    return test_case("shell", words_are_expanded_as_a_shell_does, control_flows_as_in_a_shell, files_and_filters_work,
                     sleep_takes_virtual_time_and_exit_ends_the_container, an_endless_loop_burns_model_time_only,
                     hostile_scripts_meet_bounds, process_one_ignores_a_signal_without_a_trap_and_obeys_one_with,
                     an_interactive_session_reads_what_is_typed, a_port_forward_carries_requests,
                     an_exec_runs_out_of_time,
                     volumes_are_shared_and_the_log_follows, programs_ask_others_over_the_network);
}
