#include "core/base/log.h"
#include "core/base/text.h"
#include "tests/core/base/suites.h"

START_TEST(escape_sequences_and_direction_marks_are_unsafe)
{
    static const struct {
        const char *text, *one_line;
    } cases[] = {
        {"plain \xc3\xb1", "plain \xc3\xb1"},
        {"a\x1b[31mred", "a\\x1b[31mred"},
        {"bell\a\x7f", "bell\\x07\\x7f"},
        {"c1\xc2\x9b", "c1\\x9b"},
        {"bad\xff\xc3", "bad\\xff\\xc3"},
        {"turn\xe2\x80\xae", "turn\\u202e"},
        {"two\nlines\t", "two\\nlines\\t"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        size_t len = strlen(cases[i].text);
        g_autofree char *safe = text_sanitize(cases[i].text, len, TEXT_ONE_LINE);
        ck_assert_str_eq(safe, cases[i].one_line);
        ck_assert_int_eq(text_is_safe(cases[i].text, len, TEXT_ONE_LINE), i == 0);
    }
    ck_assert(text_is_safe("two\nlines\t", 10, TEXT_LINES));
    ck_assert(!text_is_safe("a\0b", 3, TEXT_LINES));
}
END_TEST

START_TEST(base64_is_strict)
{
    size_t len = 0;
    g_autofree char *encoded = text_base64("hello", 5);
    g_autofree uint8_t *decoded = text_base64_decode(encoded, &len);

    ck_assert_str_eq(encoded, "aGVsbG8=");
    ck_assert_uint_eq(len, 5);
    ck_assert_str_eq((char *)decoded, "hello");
    ck_assert_ptr_null(text_base64_decode("aGVsbG8", &len));
    ck_assert_ptr_null(text_base64_decode("aGVs bG8=", &len));
    ck_assert_ptr_null(text_base64_decode("====", &len));
}
END_TEST

START_TEST(quotes_are_gos)
{
    g_autofree char *quoted = text_quote("a\"b\\c\n\x01\xff\xc3\xb1");

    ck_assert_str_eq(quoted, "\"a\\\"b\\\\c\\n\\x01\\xff\xc3\xb1\"");
}
END_TEST

typedef struct {
    Log base;
    char *last;
} LastLine;

static void
last_line_write(Log *log, LogLevel level, const char *line)
{
    LastLine *sink = (LastLine *)log;

    g_free(sink->last);
    sink->last = g_strdup(line);
}

START_TEST(log_lines_are_filtered_and_made_safe)
{
    static const LogOps ops = {.write = last_line_write};
    LastLine sink = {.base = {.ops = &ops, .level_min = LOG_INFO}};

    log_info(NULL, "nobody hears");
    log_debug(&sink.base, "too quiet");
    ck_assert_ptr_null(sink.last);
    log_error(&sink.base, "got %s", "\x1b[2J");
    ck_assert_str_eq(sink.last, "got \\x1b[2J");
    g_free(sink.last);
    g_autofree char *line = log_klog_line(LOG_WARNING, INT64_C(1136214245123456789), 1, "a.go:7", "hm");
    ck_assert_str_eq(line, "W0102 15:04:05.123456       1 a.go:7] hm");
}
END_TEST

TCase *
text_case(void)
{
    return test_case("text and log", escape_sequences_and_direction_marks_are_unsafe, base64_is_strict,
                     quotes_are_gos, log_lines_are_filtered_and_made_safe);
}
