/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: series, slots, and the text Prometheus reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/flow.h"
#include "base/metrics.h"
#include "base/text.h"

static struct text out;

static int setup(void **state)
{
    (void)state;
    metrics_setup(3);
    text_init(&out, NULL, 1 << 20);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    text_done(&out);
    return 0;
}

static const char *print(void)
{
    text_reset(&out);
    metrics_print(&out);
    assert_false(text_overflowed(&out));
    return out.bytes;
}

static void has_line(const char *line)
{
    const char *at = print();

    for (size_t length = strlen(line); (at = strstr(at, line)); at++)
        if ((at == out.bytes || at[-1] == '\n') && at[length] == '\n')
            return;
    fail_msg("no line %s in\n%s", line, out.bytes);
}

static void counters_count(void **state)
{
    (void)state;
    metric_add(METRIC_HTTP_REQUESTS, "/v1/x", "GET", "200", 1);
    metric_add(METRIC_HTTP_REQUESTS, "/v1/x", "GET", "200", 2);
    metric_add(METRIC_HTTP_REQUESTS, "/v1/x", "GET", "404", 1);
    has_line("# TYPE hub_http_requests_total counter");
    has_line("# HELP hub_http_requests_total Requests answered");
    has_line("hub_http_requests_total{route=\"/v1/x\",method=\"GET\",status=\"200\"} 3");
    has_line("hub_http_requests_total{route=\"/v1/x\",method=\"GET\",status=\"404\"} 1");
}

static void what_has_no_labels_is_there_from_the_beginning(void **state)
{
    (void)state;
    has_line("hub_worker_restarts_total 0");
    metric_add(METRIC_WORKER_RESTARTS, "", "", "", 1);
    has_line("hub_worker_restarts_total 1");
    assert_null(strstr(out.bytes, "hub_worker_restarts_total 0"));
}

static void label_values_are_escaped(void **state)
{
    (void)state;
    metric_add(METRIC_COMMAND_TIMEOUTS, "a\"b\\c\nd", "", "", 1);
    has_line("hub_command_timeouts_total{command=\"a\\\"b\\\\c\\nd\"} 1");
    metric_add(METRIC_COMMAND_TIMEOUTS, "\xFF", "", "", 1);
    has_line("hub_command_timeouts_total{command=\"invalid\"} 1");
}

static void slots_are_summed(void **state)
{
    (void)state;
    metric_set(METRIC_HTTP_CONNECTIONS, "api", 5);
    metric_add(METRIC_WORKER_RESTARTS, "", "", "", 1);
    pid_t child = fork();
    if (child == 0) {
        metrics_use_slot(2);
        metric_set(METRIC_HTTP_CONNECTIONS, "api", 7);
        metric_set(METRIC_HTTP_CONNECTIONS, "api", 6);
        metric_set(METRIC_STORE_UP, "redis", -1);
        metric_add(METRIC_WORKER_RESTARTS, "", "", "", 10);
        _exit(0);
    }
    assert_int_equal(waitpid(child, NULL, 0), child);
    has_line("hub_http_connections{listener=\"api\"} 11");
    has_line("hub_store_up{store=\"redis\"} -1");
    has_line("hub_worker_restarts_total 11");
    /* The successor of a dead process: its connections are gone, what it counted stays. */
    metrics_use_slot(2);
    has_line("hub_http_connections{listener=\"api\"} 5");
    has_line("hub_worker_restarts_total 11");
}

static void histograms_have_cumulative_buckets(void **state)
{
    (void)state;
    metric_observe_ms(METRIC_FLOW_SECONDS, "start", "ok", 1);
    metric_observe_us(METRIC_FLOW_SECONDS, "start", "ok", 1001);
    metric_observe_ms(METRIC_FLOW_SECONDS, "start", "ok", 60000);
    metric_observe_ms(METRIC_FLOW_SECONDS, "start", "ok", 60001);
    metric_observe_ms(METRIC_FLOW_SECONDS, "start", "ok", -5); /* counts as 0 */
    has_line("hub_flow_seconds_bucket{flow=\"start\",outcome=\"ok\",le=\"0.001\"} 2");
    has_line("hub_flow_seconds_bucket{flow=\"start\",outcome=\"ok\",le=\"0.0025\"} 3");
    has_line("hub_flow_seconds_bucket{flow=\"start\",outcome=\"ok\",le=\"30\"} 3");
    has_line("hub_flow_seconds_bucket{flow=\"start\",outcome=\"ok\",le=\"60\"} 4");
    has_line("hub_flow_seconds_bucket{flow=\"start\",outcome=\"ok\",le=\"+Inf\"} 5");
    has_line("hub_flow_seconds_count{flow=\"start\",outcome=\"ok\"} 5");
    has_line("hub_flow_seconds_sum{flow=\"start\",outcome=\"ok\"} 120.003001");
}

static void too_many_series_become_other(void **state)
{
    char name[30];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(name, sizeof(name), "route-%d", i);
        metric_add(METRIC_HTTP_REQUESTS, name, "GET", "200", 1);
    }
    has_line("hub_http_requests_total{route=\"route-0\",method=\"GET\",status=\"200\"} 1");
    has_line("hub_http_requests_total{route=\"other\",method=\"other\",status=\"other\"} 4750");
    /* One metric's flood takes no room from another. */
    metric_add(METRIC_COMMAND_TIMEOUTS, "START", "", "", 1);
    has_line("hub_command_timeouts_total{command=\"START\"} 1");
    assert_null(strstr(out.bytes, "hub_command_timeouts_total{command=\"other\""));
}

static void long_labels_are_cut_between_characters(void **state)
{
    char euros[91];

    (void)state;
    for (int i = 0; i < 90; i += 3)
        memcpy(euros + i, "€", 3);
    euros[90] = '\0';
    metric_add(METRIC_COMMAND_TIMEOUTS, euros, "", "", 1);
    print();
    assert_true(text_is_utf8(out.bytes, out.length));
    assert_non_null(strstr(out.bytes, "{command=\"€€"));
}

static enum flow_next agree(struct flow *f)
{
    (void)f;
    return FLOW_NEXT;
}

static void a_flow_is_timed(void **state)
{
    static const struct flow_step steps[] = {{"agree", agree}, {0}};
    static const struct flow_type type = {.name = "agreed", .steps = steps};
    struct event_base *loop = event_base_new();

    (void)state;
    flow_run(flow_new(&type, &(struct flow_options){.loop = loop}));
    event_base_free(loop);
    has_line("hub_flow_seconds_count{flow=\"agreed\",outcome=\"ok\"} 1");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(counters_count),
        T(what_has_no_labels_is_there_from_the_beginning),
        T(label_values_are_escaped),
        T(slots_are_summed),
        T(histograms_have_cumulative_buckets),
        T(too_many_series_become_other),
        T(long_labels_are_cut_between_characters),
        T(a_flow_is_timed),
    };
    metric_add(METRIC_WORKER_RESTARTS, "", "", "", 1); /* before the setup: nowhere to go */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
