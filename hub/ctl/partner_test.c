/* SPDX-License-Identifier: Apache-2.0 */
/* Partner test: asks every 300 ms how far it is. */
#include "hub/ctl/partner_test.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/ctl/print.h"

enum { POLL_MS = 300, POLL_MEMORY = 64 * 1024 * 1024 };

/* A test takes five minutes at most. */
#define PATIENCE_MS MINUTES(7)

const char *partner_test_body(struct arena *a, const struct command_line *line)
{
    (void)a;
    return line->full ? "{\"full\":true}" : "{\"full\":false}";
}

static const char *member(struct arena *a, const json_t *object, const char *name)
{
    return print_cell(a, json_object_get(object, name));
}

static void print_line(struct arena *a, const json_t *check, const char *label, const char *name)
{
    if (json_text_of(check, name))
        printf("      %-9s %s\n", label, member(a, check, name));
}

/* What is well takes one line, what is not says all. What did not apply is only counted: --json has
 * the reasons. */
static void print_check(struct arena *a, const json_t *check)
{
    const char *result = member(a, check, "result");

    if (strcmp(result, "skipped") == 0)
        return;
    printf("%-4s  %-40s %s", result, member(a, check, "name"),
           json_text_of(check, "rule") ? member(a, check, "rule") : "");
    if (strcmp(result, "pass") == 0) {
        putchar('\n');
        return;
    }
    printf("%s%s\n", json_text_of(check, "section") ? ", OCPI " : "",
           json_text_of(check, "section") ? member(a, check, "section") : "");
    print_line(a, check, "where", "where");
    print_line(a, check, "expected", "expected");
    print_line(a, check, "got", "got");
    print_line(a, check, "to do", "advice");
}

static void print_new(struct arena *a, const json_t *document, json_int_t *shown)
{
    const json_t *check;
    size_t i;

    json_array_foreach(json_array_of(document, "checks"), i, check)
    {
        json_int_t seq = json_integer_value(json_object_get(check, "seq"));
        if (seq <= *shown)
            continue;
        print_check(a, check);
        *shown = seq;
    }
    fflush(stdout);
}

static void print_summary(struct arena *a, const json_t *document)
{
    printf("%s passed, %s warnings, %s failed, %s not applicable\n", member(a, document, "passed"),
           member(a, document, "warnings"), member(a, document, "failed"),
           member(a, document, "not_applicable"));
}

static bool is_over(const json_t *document)
{
    const char *state = json_text_of(document, "state");

    return !state || strcmp(state, "running") != 0;
}

static void wait_a_little(void)
{
    struct timespec rest = {.tv_nsec = POLL_MS * 1000000L};

    clock_nanosleep(CLOCK_MONOTONIC, 0, &rest, NULL);
}

/* One look: the document, or NULL with a complaint. */
static json_t *look(struct arena *a, const struct call *call, struct http_answer *answer)
{
    json_t *document;
    struct err e = call_hub(a, call, answer);

    if (failed(e))
        fprintf(stderr, "hubctl: %s\n", err_text(e));
    else if (answer->outcome != HTTP_ANSWERED)
        fprintf(stderr, "hubctl: the hub did not answer: %s\n", answer->error);
    else if (answer->status != 200 ||
             failed(json_read(a, answer->body, answer->body_length, 0, &document)))
        fprintf(stderr, "hubctl: the hub answered HTTP %d\n", answer->status);
    else
        return document;
    return NULL;
}

int partner_test_follow(struct arena *a, const struct command_line *line, const struct call *call,
                        json_t *answer)
{
    struct call get = *call;
    json_int_t shown = 0, failures = 0;
    int64_t end = time_monotonic_ms() + PATIENCE_MS;

    get.method = "GET";
    get.body = NULL;
    get.path = arena_printf(a, "%ss/%s", call->path, member(a, answer, "test_id"));
    for (bool over = false; !over; over || (wait_a_little(), 0)) {
        struct arena *round = arena_new(POLL_MEMORY);
        struct http_answer got;
        json_t *document = look(round, &get, &got);
        bool ended = document && (is_over(document) || time_monotonic_ms() > end);

        if (document && !line->json)
            print_new(round, document, &shown);
        if (ended && line->json)
            printf("%s\n", got.body);
        else if (ended)
            print_summary(round, document);
        failures = document ? json_integer_value(json_object_get(document, "failed")) : 1;
        over = ended || !document;
        arena_free(round);
    }
    return failures > 0;
}
