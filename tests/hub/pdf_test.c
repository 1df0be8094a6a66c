/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The drawing process: what it draws, and what becomes of those who wait when it dies, hangs or
 * speaks nonsense. Shell scripts stand in for the bad ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "hub/finance/pdf.h"
#include "tests/hub/receipt_fixture.h"

enum { MOST = 80, ROUND_MS = 20000 };

static struct event_base *loop;
static struct arena *a;
static char directory[32], program[64], log_file[64];
static struct pdf_document document;

/* ---- those who ask ---- */

struct asking {
    struct pdf_drawn drawn;
    unsigned number;
};

static struct {
    unsigned ended;
    enum err_kind kinds[MOST];
    char *bytes[MOST];
    size_t lengths[MOST];
} result;
static unsigned to_end;

static enum flow_next ask(struct flow *f)
{
    struct asking *s = f->state;

    return pdf_draw(f, &document, &s->drawn);
}

static void on_end(struct flow *f)
{
    struct asking *s = f->state;

    result.kinds[s->number] = f->err.kind;
    if (!failed(f->err)) {
        result.bytes[s->number] = arena_bytes(a, s->drawn.bytes, s->drawn.length);
        result.lengths[s->number] = s->drawn.length;
    }
    if (++result.ended == to_end)
        event_base_loopbreak(loop);
}

static const struct flow_step steps[] = {{"ask", ask}, {0}};
static const struct flow_type asking_flow = {.name = "asking",
                                             .state_size = sizeof(struct asking),
                                             .deadline_ms = SECONDS(30),
                                             .steps = steps};

static struct flow *asker(unsigned number)
{
    struct flow *f = flow_new(
        &asking_flow, &(struct flow_options){.loop = loop, .on_end = on_end, .no_log = true});

    ((struct asking *)f->state)->number = number;
    return f;
}

static void run(unsigned count)
{
    memset(&result, 0, sizeof result);
    to_end = count;
    for (unsigned i = 0; i < count; i++)
        flow_run(asker(i));
    event_base_loopexit(loop, &(struct timeval){ROUND_MS / 1000, 0});
    if (result.ended < count)
        event_base_dispatch(loop);
    assert_int_equal(result.ended, count);
}

/* ---- the programs ---- */

static void write_script(const char *name, const char *text)
{
    snprintf(program, sizeof program, "%s/%s", directory, name);
    FILE *file = fopen(program, "we");
    assert_non_null(file);
    fprintf(file, "#!/bin/sh\necho $$ >> %s\n%s\n", log_file, text);
    fclose(file);
    chmod(program, 0700);
}

static unsigned times_started(void)
{
    FILE *file = fopen(log_file, "re");
    unsigned n = 0;
    char line[32];

    while (file && fgets(line, sizeof line, file))
        n++;
    if (file)
        fclose(file);
    return n;
}

/* Of this build: beside the tests. */
static const char *real_program(void)
{
    static char path[512];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 32);

    assert_true(n > 0);
    path[n] = '\0';
    char *slash = strrchr(path, '/');
    snprintf(slash, 32, "/../hub/receipt-pdf");
    return path;
}

static int setup(void **state)
{
    struct receipt_content content;
    size_t length;

    (void)state;
    loop = event_base_new();
    a = arena_new(256 * 1024 * 1024);
    content = receipt_fixture(a);
    document = (struct pdf_document){.number = "FI-1", .language = RECEIPT_DE};
    time_parse("2026-11-13T08:00:00Z", TIME_RFC3339, &document.issued_us);
    assert_false(failed(receipt_content_print(a, &content, &document.content, &length)));
    strncpy(directory, "/tmp/pdf_test_XXXXXX", sizeof directory);
    assert_non_null(mkdtemp(directory));
    snprintf(log_file, sizeof log_file, "%s/started", directory);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pdf_close();
    event_base_free(loop);
    arena_free(a);
    unlink(log_file);
    unlink(program);
    rmdir(directory);
    /* Nothing is left behind. */
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    return 0;
}

/* ---- tests ---- */

static void the_same_receipt_has_the_same_bytes(void **state)
{
    (void)state;
    pdf_open(loop, real_program());
    run(3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(result.kinds[i], ERR_NONE);
        assert_int_equal(result.lengths[i], result.lengths[0]);
        assert_memory_equal(result.bytes[i], result.bytes[0], result.lengths[0]);
    }
    assert_memory_equal(result.bytes[0], "%PDF-", 5);
    char *first = result.bytes[0];
    size_t length = result.lengths[0];
    pdf_close(); /* and from another process */
    pdf_open(loop, real_program());
    run(1);
    assert_int_equal(result.lengths[0], length);
    assert_memory_equal(result.bytes[0], first, length);
    document.language = RECEIPT_FI;
    run(1);
    assert_memory_equal(result.bytes[0], "%PDF-", 5);
    assert_true(result.lengths[0] != length || memcmp(result.bytes[0], first, length) != 0);
}

static void what_cannot_be_drawn_is_told_and_the_next_is_drawn(void **state)
{
    const char *good = document.content;

    (void)state;
    pdf_open(loop, real_program());
    document.content = "{}";
    run(1);
    assert_int_equal(result.kinds[0], ERR_INTERNAL);
    document.content = good;
    run(1);
    assert_int_equal(result.kinds[0], ERR_NONE);
}

static void more_than_the_queue_holds_are_turned_away(void **state)
{
    unsigned drawn = 0, away = 0;

    (void)state;
    pdf_open(loop, real_program());
    run(70);
    for (unsigned i = 0; i < 70; i++) {
        drawn += result.kinds[i] == ERR_NONE;
        away += result.kinds[i] == ERR_OVERLOADED;
    }
    assert_int_equal(drawn, 65); /* the one that is drawn, and 64 that wait */
    assert_int_equal(away, 5);
}

static void who_has_left_is_not_drawn_for(void **state)
{
    (void)state;
    pdf_open(loop, real_program());
    memset(&result, 0, sizeof result);
    to_end = 4;
    struct flow *flows[4];
    for (unsigned i = 0; i < 4; i++) {
        flows[i] = asker(i);
        flow_run(flows[i]);
    }
    flow_cancel(flows[0], err_new(ERR_DEADLINE)); /* the one that is being drawn */
    flow_cancel(flows[2], err_new(ERR_DEADLINE));
    event_base_loopexit(loop, &(struct timeval){ROUND_MS / 1000, 0});
    event_base_dispatch(loop);
    assert_int_equal(result.kinds[0], ERR_DEADLINE);
    assert_int_equal(result.kinds[1], ERR_NONE);
    assert_int_equal(result.kinds[2], ERR_DEADLINE);
    assert_int_equal(result.kinds[3], ERR_NONE);
    assert_memory_equal(result.bytes[1], "%PDF-", 5);
    assert_int_equal(result.lengths[1], result.lengths[3]);
}

static void a_process_that_dies_once_is_replaced(void **state)
{
    (void)state;
    write_script("once",
                 arena_printf(a,
                              "if [ $(wc -l < %s) = 1 ]; then head -c 10 >/dev/null; exit 1; "
                              "fi\nexec %s",
                              log_file, real_program()));
    pdf_open(loop, program);
    run(3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(result.kinds[i], ERR_NONE);
    assert_int_equal(times_started(), 2);
}

static void a_process_that_always_dies_fails_each_question_after_two_tries(void **state)
{
    (void)state;
    write_script("dies", "exit 3");
    pdf_open(loop, program);
    run(3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(result.kinds[i], ERR_INTERNAL);
    assert_int_equal(times_started(), 6);
}

static void a_program_that_is_not_there_fails_and_harms_nothing(void **state)
{
    (void)state;
    pdf_open(loop, "/nonexistent/receipt-pdf");
    run(2);
    assert_int_equal(result.kinds[0], ERR_INTERNAL);
    assert_int_equal(result.kinds[1], ERR_INTERNAL);
}

static void a_process_that_hangs_is_killed_in_time(void **state)
{
    int64_t began = time_monotonic_ms();

    (void)state;
    write_script("hangs", "exec sleep 600");
    pdf_open(loop, program);
    run(1);
    assert_int_equal(result.kinds[0], ERR_DEADLINE);
    assert_true(time_monotonic_ms() - began >= 4900);
    assert_int_equal(times_started(), 1); /* the question may be at fault: not again */
}

static void nonsense_ends_the_process(void **state)
{
    static const char *const scripts[] = {
        "printf '\\377\\377\\377\\377p'; exec sleep 600", /* too long */
        "printf '\\000\\000\\000\\000p'; exec sleep 600", /* not even a kind */
        "head -c 100 >/dev/null; printf 'HTTP/1.1 200 OK'; exec sleep 600",
        "printf '\\000\\000\\000\\002p1'; exec sleep 600", /* before it was asked */
    };

    (void)state;
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        write_script(arena_printf(a, "bad"), scripts[i]);
        pdf_open(loop, program);
        run(1);
        /* The last one may answer after the question was written: then it is an answer. */
        assert_true(result.kinds[0] == ERR_INTERNAL || (i == 3 && result.lengths[0] == 1));
        pdf_close();
    }
}

static void a_close_ends_those_who_wait(void **state)
{
    (void)state;
    write_script("hangs", "exec sleep 600");
    pdf_open(loop, program);
    memset(&result, 0, sizeof result);
    to_end = 3;
    for (unsigned i = 0; i < 3; i++)
        flow_run(asker(i));
    event_base_loop(loop, EVLOOP_NONBLOCK);
    pdf_close();
    assert_int_equal(result.ended, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(result.kinds[i], ERR_DEADLINE);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_same_receipt_has_the_same_bytes),
        T(what_cannot_be_drawn_is_told_and_the_next_is_drawn),
        T(more_than_the_queue_holds_are_turned_away),
        T(who_has_left_is_not_drawn_for),
        T(a_process_that_dies_once_is_replaced),
        T(a_process_that_always_dies_fails_each_question_after_two_tries),
        T(a_program_that_is_not_there_fails_and_harms_nothing),
        T(a_process_that_hangs_is_killed_in_time),
        T(nonsense_ends_the_process),
        T(a_close_ends_those_who_wait),
    };
#undef T

    return cmocka_run_group_tests(tests, NULL, NULL);
}
