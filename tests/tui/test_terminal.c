/* The program itself on a pseudo-terminal: that it shows the dashboard, and gives the terminal back
 * however it ends. */
#include <glib/gstdio.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "tests/tui/suites.h"

#define WAIT_MS 20000
#define LEAVES_SCREEN "\033[?1049l"

typedef struct Terminal {
    int fd;
    pid_t pid;
    GString *seen; /* all that was written so far */
    char *home;
    struct termios before;
} Terminal;

static void
terminal_start(Terminal *terminal, const char *const *argv)
{
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    int slave;
    terminal->seen = g_string_new(NULL);
    terminal->home = g_dir_make_tmp("timonel-XXXXXX", NULL);
    ck_assert_int_eq(openpty(&terminal->fd, &slave, NULL, NULL, &size), 0);
    ck_assert_int_eq(tcgetattr(slave, &terminal->before), 0);
    terminal->pid = fork();
    if (terminal->pid == 0) {
        close(terminal->fd);
        login_tty(slave);
        g_setenv("TERM", "xterm", TRUE);
        g_setenv("LC_ALL", "C.UTF-8", TRUE);
        g_setenv("XDG_DATA_HOME", terminal->home, TRUE);
        g_setenv("XDG_STATE_HOME", terminal->home, TRUE);
        g_setenv("ASAN_OPTIONS", "handle_segv=0:allow_user_segv_handler=1", TRUE);
        execv(TIMONEL_PROGRAM, (char *const *)argv);
        _exit(127);
    }
    close(slave);
}

/* Reads until the text is there. */
static void
expect_text(Terminal *terminal, const char *text)
{
    char bytes[4096];
    struct pollfd ready = {.fd = terminal->fd, .events = POLLIN};
    while (memmem(terminal->seen->str, terminal->seen->len, text, strlen(text)) == NULL) {
        ck_assert_msg(poll(&ready, 1, WAIT_MS) > 0, "\"%s\" was not shown", text);
        ssize_t count = read(terminal->fd, bytes, sizeof bytes);
        ck_assert_msg(count > 0, "it ended before \"%s\" was shown", text);
        g_string_append_len(terminal->seen, bytes, count);
    }
}

static void
press(Terminal *terminal, const char *keys)
{
    g_string_truncate(terminal->seen, 0);
    ck_assert_int_eq(write(terminal->fd, keys, strlen(keys)), (ssize_t)strlen(keys));
}

/* The child's wait status; the terminal must be as it was. */
static int
terminal_end(Terminal *terminal)
{
    struct termios now;
    int status;
    expect_text(terminal, LEAVES_SCREEN);
    ck_assert_int_eq(waitpid(terminal->pid, &status, 0), terminal->pid);
    ck_assert_int_eq(tcgetattr(terminal->fd, &now), 0);
    ck_assert_uint_eq(now.c_lflag, terminal->before.c_lflag);
    ck_assert_uint_eq(now.c_iflag, terminal->before.c_iflag);
    ck_assert_uint_eq(now.c_oflag, terminal->before.c_oflag);
    close(terminal->fd);
    g_string_free(terminal->seen, TRUE);
    g_autofree char *line = g_strdup_printf("rm -rf '%s'", terminal->home);
    ck_assert(g_spawn_command_line_sync(line, NULL, NULL, NULL, NULL));
    g_free(terminal->home);
    return status;
}

static const char *const UP[] = {"timonel", "up", "--app", "none", NULL};

START_TEST(a_person_who_leaves_gets_the_terminal_back)
{
    Terminal terminal;
    terminal_start(&terminal, UP);
    expect_text(&terminal, "kube-scheduler");
    press(&terminal, "q");
    expect_text(&terminal, "Leave");
    press(&terminal, "s");
    int status = terminal_end(&terminal);
    ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

START_TEST(a_crash_and_a_signal_give_the_terminal_back)
{
    static const int SIGNALS[] = {SIGSEGV, SIGABRT, SIGTERM};
    Terminal terminal;
    terminal_start(&terminal, UP);
    expect_text(&terminal, "kube-scheduler");
    kill(terminal.pid, SIGNALS[_i]);
    int status = terminal_end(&terminal);
    if (SIGNALS[_i] == SIGTERM)
        ck_assert(WIFEXITED(status));
    else
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGNALS[_i]);
}
END_TEST

START_TEST(a_resized_terminal_is_drawn_anew)
{
    Terminal terminal;
    terminal_start(&terminal, UP);
    expect_text(&terminal, "kube-scheduler");
    g_string_truncate(terminal.seen, 0);
    ck_assert_int_eq(ioctl(terminal.fd, TIOCSWINSZ, &(struct winsize){.ws_row = 3, .ws_col = 30}),
                     0);
    expect_text(&terminal, "30x3");
    g_string_truncate(terminal.seen, 0);
    ck_assert_int_eq(ioctl(terminal.fd, TIOCSWINSZ, &(struct winsize){.ws_row = 30, .ws_col = 90}),
                     0);
    expect_text(&terminal, "kube-controller-manager");
    kill(terminal.pid, SIGTERM);
    terminal_end(&terminal);
}
END_TEST

START_TEST(a_lesson_is_shown_beside_its_cluster)
{
    static const char *const LEARN[] = {"timonel",           "learn", "--lang", "en",
                                        "what-a-cluster-is", NULL};
    Terminal terminal;
    terminal_start(&terminal, LEARN);
    expect_text(&terminal, "hint");
    press(&terminal, "!get nodes\r");
    expect_text(&terminal, "worker-3");
    expect_text(&terminal, "✔");
    kill(terminal.pid, SIGTERM);
    terminal_end(&terminal);
}
END_TEST

TCase *
terminal_case(void)
{
    TCase *tcase =
        test_case("terminal", a_person_who_leaves_gets_the_terminal_back,
                  a_resized_terminal_is_drawn_anew, a_lesson_is_shown_beside_its_cluster);
    tcase_add_loop_test(tcase, a_crash_and_a_signal_give_the_terminal_back, 0, 3);
    tcase_set_timeout(tcase, 40);
    return tcase;
}
