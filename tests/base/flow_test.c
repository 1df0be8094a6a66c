/* SPDX-License-Identifier: Apache-2.0 */
/* The flow runner: every way in which a step and an operation can end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <event2/event.h>

#include "base/flow.h"
#include "base/log.h"
#include "base/time.h"

static struct event_base *loop;
static char trace[256];       /* one letter for each step that ran */
static struct err ended_with; /* what on_end saw */
static char ended_text[80];
static unsigned ended;

static void note(const char *what)
{
    strncat(trace, what, sizeof(trace) - strlen(trace) - 1);
}

static void on_end(struct flow *f)
{
    ended++;
    ended_with = f->err;
    ended_text[0] = '\0';
    if (failed(f->err))
        strncat(ended_text, err_text(f->err), sizeof(ended_text) - 1);
    /* State and arena still stand. */
    memset(f->state, 0, f->type->state_size);
    arena_alloc(f->arena, 10);
}

static int setup(void **state)
{
    (void)state;
    loop = event_base_new();
    trace[0] = '\0';
    ended = 0;
    ended_with = err_new(ERR_COUNT);
    return loop ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    event_base_free(loop);
    return 0;
}

static struct flow *make(const struct flow_type *type)
{
    struct flow_options options = {.loop = loop, .on_end = on_end};

    return flow_new(type, &options);
}

static void run_until_ended(unsigned count)
{
    int64_t give_up = time_monotonic_ms() + 3000;

    while (ended < count && time_monotonic_ms() < give_up)
        event_base_loop(loop, EVLOOP_ONCE);
    assert_int_equal(ended, count);
}

/* An operation that the test ends by hand. */
static struct flow_ticket last_ticket, tickets[8];
static unsigned ticket_count;

static enum flow_next operation(struct flow *f)
{
    last_ticket = tickets[ticket_count++ % 8] = flow_wait(f);
    return FLOW_WAIT;
}

static enum flow_next operation_at_once(struct flow *f, struct err e)
{
    struct flow_ticket t = flow_wait(f);

    flow_resume(t, e);
    return FLOW_WAIT;
}

struct counts {
    int rounds;
    char filler[64];
};

static enum flow_next a(struct flow *f)
{
    (void)f;
    note("a");
    return FLOW_NEXT;
}

static enum flow_next b(struct flow *f)
{
    (void)f;
    note("b");
    return FLOW_NEXT;
}

static enum flow_next c_cleans(struct flow *f)
{
    note(failed(f->err) ? "C" : "c");
    return FLOW_NEXT;
}

static enum flow_next waits(struct flow *f)
{
    note("w");
    return operation(f);
}

static enum flow_next at_once(struct flow *f)
{
    note("s");
    return operation_at_once(f, OK);
}

static enum flow_next at_once_badly(struct flow *f)
{
    note("x");
    return operation_at_once(f, err_new(ERR_STORE));
}

static enum flow_next fails(struct flow *f)
{
    note("f");
    return flow_fail(f, err_at(f->arena, ERR_BAD_FIELD, "/id", "id: %s", "too long"));
}

static enum flow_next done(struct flow *f)
{
    (void)f;
    note("d");
    return FLOW_DONE;
}

#define TYPE(type_name, deadline, ...)                                                             \
    static const struct flow_step type_name##_steps[] = {__VA_ARGS__, {0}};                        \
    static const struct flow_type type_name = {                                                    \
        .name = #type_name,                                                                        \
        .state_size = sizeof(struct counts),                                                       \
        .deadline_ms = deadline,                                                                   \
        .steps = type_name##_steps,                                                                \
    }

static void steps_run_in_their_order(void **state)
{
    (void)state;
    TYPE(plain, 0, {"a", a}, {"b", b}, {"c", c_cleans, true});
    flow_run(make(&plain));
    assert_string_equal(trace, "abc");
    assert_int_equal(ended, 1);
    assert_false(failed(ended_with));
    assert_int_equal(flow_running(), 0);
}

static void done_skips_the_rest(void **state)
{
    (void)state;
    TYPE(early, 0, {"a", a}, {"d", done}, {"b", b}, {"c", c_cleans, true});
    flow_run(make(&early));
    assert_string_equal(trace, "ad");
    assert_false(failed(ended_with));
}

static void an_operation_may_finish_before_it_returns(void **state)
{
    (void)state;
    TYPE(sync, 0, {"s", at_once}, {"s", at_once}, {"b", b});
    flow_run(make(&sync));
    assert_string_equal(trace, "ssb");
    assert_int_equal(ended, 1);
}

static enum flow_next a_hundred_thousand_times(struct flow *f)
{
    struct counts *s = f->state;

    if (++s->rounds == 100000)
        return FLOW_NEXT;
    operation_at_once(f, OK);
    return FLOW_AGAIN;
}

static void repeating_a_step_does_not_grow_the_stack(void **state)
{
    (void)state;
    TYPE(again, 0, {"again", a_hundred_thousand_times}, {"b", b});
    flow_run(make(&again));
    assert_string_equal(trace, "b");
}

static enum flow_next twice_after_wait(struct flow *f)
{
    struct counts *s = f->state;

    note("t");
    if (++s->rounds == 2)
        return FLOW_NEXT;
    flow_again_after_wait(f);
    return operation(f);
}

static void again_after_wait_repeats_when_the_wait_is_over(void **state)
{
    (void)state;
    TYPE(paged, 0, {"t", twice_after_wait}, {"b", b});
    flow_run(make(&paged));
    assert_string_equal(trace, "t");
    flow_resume(last_ticket, OK);
    assert_string_equal(trace, "ttb");
    assert_int_equal(ended, 1);
}

static void a_wait_ends_with_flow_resume(void **state)
{
    (void)state;
    TYPE(wait, 0, {"w", waits}, {"b", b});
    struct flow *f = make(&wait);
    flow_run(f);
    assert_string_equal(trace, "w");
    assert_int_equal(flow_running(), 1);
    assert_ptr_equal(flow_ticket_flow(last_ticket), f);
    flow_resume(last_ticket, OK);
    assert_string_equal(trace, "wb");
    assert_int_equal(flow_running(), 0);
}

static void a_stale_ticket_finds_nobody(void **state)
{
    (void)state;
    TYPE(stale, 0, {"w", waits}, {"w", waits}, {"b", b});
    flow_run(make(&stale));
    struct flow_ticket first = last_ticket;
    flow_resume(first, OK);
    assert_string_equal(trace, "ww");
    assert_null(flow_ticket_flow(first));
    flow_resume(first, OK); /* a second answer to the first question ends no other wait */
    assert_string_equal(trace, "ww");
    flow_resume(last_ticket, OK);
    assert_int_equal(ended, 1);
    assert_null(flow_ticket_flow(last_ticket));
    flow_resume(last_ticket, OK);
    assert_null(flow_ticket_flow((struct flow_ticket){0}));
}

static void a_failure_skips_all_but_the_cleaning_step_below(void **state)
{
    (void)state;
    TYPE(cleaned, 0, {"f", fails}, {"c", c_cleans, true}, {"b", b}, {"c", c_cleans, true});
    flow_run(make(&cleaned));
    assert_string_equal(trace, "fC");
    assert_int_equal(ended_with.kind, ERR_BAD_FIELD);
    assert_string_equal(ended_text, "id: too long");
}

static void a_cleaning_step_needs_the_step_above_it_started(void **state)
{
    (void)state;
    TYPE(not_cleaned, 0, {"f", fails}, {"b", b}, {"c", c_cleans, true});
    flow_run(make(&not_cleaned));
    assert_string_equal(trace, "f");
}

static void cleaning_steps_in_a_row_all_run(void **state)
{
    (void)state;
    TYPE(row, 0, {"f", fails}, {"c", c_cleans, true}, {"c", c_cleans, true}, {"b", b});
    flow_run(make(&row));
    assert_string_equal(trace, "fCC");
}

static void the_first_error_is_kept(void **state)
{
    (void)state;
    TYPE(first, 0, {"x", at_once_badly}, {"f", fails, true});
    flow_run(make(&first));
    assert_string_equal(trace, "xf");
    assert_int_equal(ended_with.kind, ERR_STORE);
}

static void an_operation_that_fails_fails_the_flow(void **state)
{
    char text[] = "gone soon";

    (void)state;
    TYPE(failing, 0, {"w", waits}, {"b", b});
    flow_run(make(&failing));
    flow_resume(last_ticket, (struct err){ERR_PEER_ERROR, text, NULL});
    memset(text, 'x', sizeof(text) - 1);
    assert_string_equal(trace, "w");
    assert_int_equal(ended_with.kind, ERR_PEER_ERROR);
    assert_string_equal(ended_text, "gone soon");
}

static enum flow_next failed_without_saying_why(struct flow *f)
{
    (void)f;
    return FLOW_FAILED;
}

static void failed_without_an_error_is_internal(void **state)
{
    (void)state;
    TYPE(silent, 0, {"?", failed_without_saying_why});
    flow_run(make(&silent));
    assert_int_equal(ended_with.kind, ERR_INTERNAL);
}

static void the_deadline_ends_the_wait(void **state)
{
    (void)state;
    TYPE(late, 20, {"w", waits}, {"c", c_cleans, true}, {"b", b});
    flow_run(make(&late));
    run_until_ended(1);
    assert_string_equal(trace, "wC");
    assert_int_equal(ended_with.kind, ERR_DEADLINE);
    assert_null(flow_ticket_flow(last_ticket));
    flow_resume(last_ticket, OK); /* the operation ends later than its flow */
}

static void cleaning_after_the_deadline_may_wait(void **state)
{
    (void)state;
    TYPE(late, 20, {"w", waits}, {"w", waits, true}, {"c", c_cleans, true});
    flow_run(make(&late));
    while (strcmp(trace, "ww") != 0)
        event_base_loop(loop, EVLOOP_ONCE);
    flow_resume(last_ticket, OK);
    assert_string_equal(trace, "wwC");
    assert_int_equal(ended_with.kind, ERR_DEADLINE);
}

static void an_answer_in_time_beats_the_deadline(void **state)
{
    (void)state;
    TYPE(in_time, 5000, {"w", waits}, {"b", b});
    flow_run(make(&in_time));
    flow_resume(last_ticket, OK);
    assert_string_equal(trace, "wb");
    assert_false(failed(ended_with));
}

static void cancel_ends_a_waiting_flow(void **state)
{
    (void)state;
    TYPE(cancelled, 0, {"w", waits}, {"c", c_cleans, true}, {"b", b});
    struct flow *f = make(&cancelled);
    flow_run(f);
    flow_cancel(f, err_new(ERR_OVERLOADED));
    assert_string_equal(trace, "wC");
    assert_int_equal(ended_with.kind, ERR_OVERLOADED);
    assert_null(flow_ticket_flow(last_ticket));
}

static void cancel_ends_a_flow_that_never_ran(void **state)
{
    (void)state;
    TYPE(fresh, 0, {"c", c_cleans, true}, {"b", b});
    flow_cancel(make(&fresh), err_new(ERR_OVERLOADED));
    assert_string_equal(trace, "");
    assert_int_equal(ended, 1);
    assert_int_equal(flow_running(), 0);
}

static enum flow_next cancels_itself(struct flow *f)
{
    note("k");
    flow_cancel(f, err_new(ERR_OVERLOADED));
    return operation(f);
}

static void cancel_inside_the_step_waits_for_nothing(void **state)
{
    (void)state;
    TYPE(itself, 0, {"k", cancels_itself}, {"b", b}, {"c", c_cleans, true});
    flow_run(make(&itself));
    assert_string_equal(trace, "k");
    assert_int_equal(ended_with.kind, ERR_OVERLOADED);
    assert_null(flow_ticket_flow(last_ticket));
}

static enum flow_next forgets(struct flow *f)
{
    operation(f);
    return FLOW_NEXT;
}

static void an_operation_nobody_waits_for_is_dropped(void **state)
{
    (void)state;
    TYPE(forgetful, 0, {"forgets", forgets}, {"w", waits});
    flow_run(make(&forgetful));
    assert_null(flow_ticket_flow(tickets[(ticket_count - 2) % 8]));
    flow_resume(last_ticket, OK);
    assert_int_equal(ended, 1);
}

static enum flow_next all_three(struct flow *f)
{
    note("3");
    flow_all_begin(f);
    operation(f);
    operation_at_once(f, OK);
    operation(f);
    return flow_all_end(f);
}

static void all_waits_for_the_last(void **state)
{
    (void)state;
    TYPE(all, 0, {"3", all_three}, {"b", b});
    ticket_count = 0;
    flow_run(make(&all));
    flow_resume(tickets[1], OK);
    assert_string_equal(trace, "3");
    flow_resume(tickets[0], OK);
    assert_string_equal(trace, "3b");
}

static void all_keeps_the_first_error_and_waits_for_the_rest(void **state)
{
    (void)state;
    TYPE(all, 0, {"3", all_three}, {"b", b});
    ticket_count = 0;
    flow_run(make(&all));
    flow_resume(tickets[1], err_new(ERR_PEER_TIMEOUT));
    assert_int_equal(ended, 0);
    flow_resume(tickets[0], err_new(ERR_STORE));
    assert_string_equal(trace, "3");
    assert_int_equal(ended_with.kind, ERR_PEER_TIMEOUT);
}

static enum flow_next all_at_once(struct flow *f)
{
    flow_all_begin(f);
    operation_at_once(f, OK);
    operation_at_once(f, OK);
    return flow_all_end(f);
}

static enum flow_next all_of_nothing(struct flow *f)
{
    flow_all_begin(f);
    return flow_all_end(f);
}

static void all_may_have_finished_already(void **state)
{
    (void)state;
    TYPE(all, 0, {"2", all_at_once}, {"0", all_of_nothing}, {"b", b});
    flow_run(make(&all));
    assert_string_equal(trace, "b");
}

static enum flow_next naps(struct flow *f)
{
    note("n");
    return flow_sleep(f, 10);
}

static void sleep_waits(void **state)
{
    (void)state;
    TYPE(sleepy, 0, {"n", naps}, {"b", b});
    int64_t before = time_monotonic_ms();
    flow_run(make(&sleepy));
    assert_string_equal(trace, "n");
    run_until_ended(1);
    assert_string_equal(trace, "nb");
    assert_true(time_monotonic_ms() - before >= 9);
}

static void a_sleeping_flow_can_be_cancelled(void **state)
{
    (void)state;
    TYPE(sleepy, 0, {"n", naps}, {"b", b});
    struct flow *f = make(&sleepy);
    flow_run(f);
    flow_cancel(f, err_new(ERR_OVERLOADED));
    assert_int_equal(ended, 1);
    assert_int_equal(event_base_loop(loop, EVLOOP_NONBLOCK), 1); /* no timer is left */
}

/* ---- children ---- */

static const struct flow_type *child_type;
static struct err child_err;
static bool keep_child_err;

static void fill(void *child_state, void *context)
{
    struct counts *s = child_state;
    s->rounds = *(int *)context;
}

static enum flow_next asks_child(struct flow *f)
{
    struct counts *s = f->state;

    note("p");
    s->rounds = 7;
    return flow_child(f, child_type, fill, &s->rounds, keep_child_err ? &child_err : NULL);
}

static enum flow_next child_looks(struct flow *f)
{
    struct counts *s = f->state;

    note(s->rounds == 7 ? "7" : "?");
    return FLOW_NEXT;
}

TYPE(with_child, 0, {"p", asks_child}, {"c", c_cleans, true}, {"b", b});
TYPE(quick_child, 0, {"7", child_looks});
TYPE(slow_child, 0, {"w", waits}, {"7", child_looks});
TYPE(bad_child, 0, {"f", fails});
TYPE(tidy_child, 0, {"w", waits}, {"c", c_cleans, true});

static void run_with_child(const struct flow_type *type, bool keep_err)
{
    child_type = type;
    keep_child_err = keep_err;
    child_err = err_new(ERR_COUNT);
    flow_run(make(&with_child));
}

static void a_child_runs_inside_a_step(void **state)
{
    (void)state;
    run_with_child(&quick_child, false);
    assert_string_equal(trace, "p7cb");
    assert_int_equal(flow_running(), 0);
}

/* A child that is started without further ado has the memory that its type says. */
static enum flow_next takes_much(struct flow *f)
{
    assert_non_null(arena_alloc(f->arena, (size_t)20 << 20));
    note("7");
    return FLOW_NEXT;
}

static void a_child_has_the_memory_of_its_type(void **state)
{
    static const struct flow_step steps[] = {{"much", takes_much}, {0}};
    static const struct flow_type large = {.name = "large",
                                           .state_size = sizeof(struct counts),
                                           .steps = steps,
                                           .arena_max = (size_t)24 << 20};

    (void)state;
    run_with_child(&large, false);
    assert_string_equal(trace, "p7cb");
}

static void a_child_may_wait(void **state)
{
    (void)state;
    run_with_child(&slow_child, false);
    assert_string_equal(trace, "pw");
    assert_int_equal(flow_running(), 2);
    flow_resume(last_ticket, OK);
    assert_string_equal(trace, "pw7cb");
    assert_int_equal(flow_running(), 0);
}

static void an_error_of_the_child_fails_the_parent(void **state)
{
    (void)state;
    run_with_child(&bad_child, false);
    assert_string_equal(trace, "pfC");
    assert_string_equal(ended_text, "id: too long");
}

static void an_error_of_the_child_can_be_looked_at(void **state)
{
    (void)state;
    run_with_child(&bad_child, true);
    assert_string_equal(trace, "pfcb");
    assert_false(failed(ended_with));
    assert_int_equal(child_err.kind, ERR_BAD_FIELD);
}

static void a_child_without_error_says_so(void **state)
{
    (void)state;
    run_with_child(&quick_child, true);
    assert_int_equal(child_err.kind, ERR_NONE);
}

static void a_child_ends_with_its_parent(void **state)
{
    (void)state;
    child_type = &tidy_child;
    keep_child_err = true;
    child_err = err_new(ERR_COUNT);
    struct flow *parent = make(&with_child);
    flow_run(parent);
    flow_cancel(parent, err_new(ERR_OVERLOADED));
    /* The child is cancelled, cleans up (C), and tells nobody; the parent cleans up, too. */
    assert_string_equal(trace, "pwCC");
    assert_int_equal(child_err.kind, ERR_COUNT);
    assert_int_equal(flow_running(), 0);
    flow_resume(last_ticket, OK);
}

static enum flow_next asks_three_children(struct flow *f)
{
    struct counts *s = f->state;

    s->rounds = 7;
    flow_all_begin(f);
    for (int i = 0; i < 3; i++)
        flow_child(f, i == 1 ? &quick_child : &slow_child, fill, &s->rounds, NULL);
    return flow_all_end(f);
}

static void several_children_are_waited_for(void **state)
{
    (void)state;
    TYPE(many, 0, {"3", asks_three_children}, {"b", b});
    ticket_count = 0;
    flow_run(make(&many));
    assert_string_equal(trace, "w7w");
    flow_resume(tickets[0], OK);
    flow_resume(tickets[1], OK);
    assert_string_equal(trace, "w7w77b");
    assert_int_equal(flow_running(), 0);
}

static void several_children_are_cancelled(void **state)
{
    (void)state;
    TYPE(many, 0, {"3", asks_three_children}, {"b", b});
    struct flow *f = make(&many);
    flow_run(f);
    flow_cancel(f, err_new(ERR_OVERLOADED));
    assert_string_equal(trace, "w7w");
    assert_int_equal(flow_running(), 0);
}

/* ---- flows that touch others ---- */

static struct flow *other;

static enum flow_next resumes_other(struct flow *f)
{
    (void)f;
    note("<");
    flow_resume(last_ticket, OK);
    note(">");
    return FLOW_NEXT;
}

static enum flow_next cancels_other(struct flow *f)
{
    (void)f;
    flow_cancel(other, err_new(ERR_OVERLOADED));
    note("k");
    return FLOW_NEXT;
}

static void a_flow_resumed_inside_a_step_runs_after_it(void **state)
{
    (void)state;
    TYPE(waiting, 0, {"w", waits}, {"b", b});
    TYPE(waking, 0, {"<>", resumes_other}, {"a", a});
    flow_run(make(&waiting));
    flow_run(make(&waking));
    assert_string_equal(trace, "w<>ab");
    assert_int_equal(ended, 2);
}

static void a_flow_cancelled_inside_a_step_ends_after_it(void **state)
{
    (void)state;
    TYPE(waiting, 0, {"w", waits}, {"b", b});
    TYPE(killer, 0, {"k", cancels_other});
    other = make(&waiting);
    flow_run(other);
    flow_run(make(&killer));
    assert_string_equal(trace, "wk");
    assert_int_equal(ended, 2);
}

TYPE(second_half, 0, {"7?", child_looks}, {"w", waits}, {"b", b});

static enum flow_next turns(struct flow *f)
{
    struct counts *s = f->state;

    note("t");
    s->rounds = 7;
    flow_become(f, &second_half);
    return FLOW_NEXT;
}

static enum flow_next turns_and_fails(struct flow *f)
{
    turns(f);
    return flow_fail(f, err_new(ERR_FORBIDDEN));
}

static enum flow_next turns_and_waits(struct flow *f)
{
    turns(f);
    return operation(f);
}

static void a_flow_may_become_another(void **state)
{
    (void)state;
    /* The new state is zeroed (?), and nothing of the former list runs any more. */
    TYPE(front_door, 20, {"t", turns}, {"a", a});
    flow_run(make(&front_door));
    assert_string_equal(trace, "t?w");
    event_base_loop(loop, EVLOOP_NONBLOCK);
    flow_resume(last_ticket, OK);
    assert_string_equal(trace, "t?wb");
    assert_false(failed(ended_with));
}

static void a_flow_becomes_another_after_a_wait(void **state)
{
    (void)state;
    TYPE(front_door, 20, {"t", turns_and_waits}, {"a", a});
    flow_run(make(&front_door));
    assert_string_equal(trace, "t");
    flow_resume(last_ticket, OK);
    assert_string_equal(trace, "t?w");
    /* The deadline of the former type is gone. */
    struct timeval longer_than_that = {0, 40000};
    event_base_loopexit(loop, &longer_than_that);
    event_base_loop(loop, EVLOOP_NO_EXIT_ON_EMPTY);
    assert_int_equal(ended, 0);
    flow_resume(last_ticket, OK);
    assert_string_equal(trace, "t?wb");
}

static void a_flow_that_failed_becomes_nothing(void **state)
{
    (void)state;
    TYPE(front_door, 0, {"t", turns_and_fails}, {"c", c_cleans, true});
    flow_run(make(&front_door));
    assert_string_equal(trace, "tC");
    assert_int_equal(ended_with.kind, ERR_FORBIDDEN);
}

static void ids_are_copied_and_the_arena_is_taken_over(void **state)
{
    (void)state;
    TYPE(plain, 0, {"w", waits});
    char id[] = "request-1";
    struct flow_options options = {
        .loop = loop, .arena = arena_new(100000), .request_id = id, .correlation_id = NULL};
    struct flow *f = flow_new(&plain, &options);
    id[0] = 'x';
    assert_ptr_equal(f->arena, options.arena);
    assert_string_equal(f->request_id, "request-1");
    assert_string_equal(f->correlation_id, "");
    flow_run(f);
    flow_resume(last_ticket, OK);
    assert_int_equal(flow_running(), 0);
}

static void thousands_of_flows_wait_at_once(void **state)
{
    enum { MANY = 3000 };
    static struct flow_ticket all[MANY];

    (void)state;
    TYPE(wait, 60000, {"w", waits}, {"b", b});
    for (int i = 0; i < MANY; i++) {
        flow_run(make(&wait));
        all[i] = last_ticket;
    }
    assert_int_equal(flow_running(), MANY);
    for (int i = 0; i < MANY; i += 2)
        flow_resume(all[i], OK);
    assert_int_equal(flow_running(), MANY / 2);
    for (int i = 0; i < MANY; i++)
        flow_resume(all[i], OK); /* the even ones are stale */
    assert_int_equal(flow_running(), 0);
    assert_int_equal(ended, MANY);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(steps_run_in_their_order),
        T(done_skips_the_rest),
        T(an_operation_may_finish_before_it_returns),
        T(repeating_a_step_does_not_grow_the_stack),
        T(again_after_wait_repeats_when_the_wait_is_over),
        T(a_wait_ends_with_flow_resume),
        T(a_stale_ticket_finds_nobody),
        T(a_failure_skips_all_but_the_cleaning_step_below),
        T(a_cleaning_step_needs_the_step_above_it_started),
        T(cleaning_steps_in_a_row_all_run),
        T(the_first_error_is_kept),
        T(an_operation_that_fails_fails_the_flow),
        T(failed_without_an_error_is_internal),
        T(the_deadline_ends_the_wait),
        T(cleaning_after_the_deadline_may_wait),
        T(an_answer_in_time_beats_the_deadline),
        T(cancel_ends_a_waiting_flow),
        T(cancel_ends_a_flow_that_never_ran),
        T(cancel_inside_the_step_waits_for_nothing),
        T(an_operation_nobody_waits_for_is_dropped),
        T(all_waits_for_the_last),
        T(all_keeps_the_first_error_and_waits_for_the_rest),
        T(all_may_have_finished_already),
        T(sleep_waits),
        T(a_sleeping_flow_can_be_cancelled),
        T(a_child_runs_inside_a_step),
        T(a_child_has_the_memory_of_its_type),
        T(a_child_may_wait),
        T(an_error_of_the_child_fails_the_parent),
        T(an_error_of_the_child_can_be_looked_at),
        T(a_child_without_error_says_so),
        T(a_child_ends_with_its_parent),
        T(several_children_are_waited_for),
        T(several_children_are_cancelled),
        T(a_flow_resumed_inside_a_step_runs_after_it),
        T(a_flow_cancelled_inside_a_step_ends_after_it),
        T(a_flow_may_become_another),
        T(a_flow_becomes_another_after_a_wait),
        T(a_flow_that_failed_becomes_nothing),
        T(ids_are_copied_and_the_arena_is_taken_over),
        T(thousands_of_flows_wait_at_once),
    };
    log_setup("flow_test", LOG_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
