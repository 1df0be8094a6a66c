/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clock: virtual microseconds since the start, `speed` times as fast as the wall clock, and
 * jumping ahead when told. Timers run in the order in which they are due, also inside a jump.
 */
#ifndef TESTS_SIM_CLOCK_H
#define TESTS_SIM_CLOCK_H

#include <stdint.h>

struct event_base;
struct clock;
struct clock_timer; /* valid until it has run or was cancelled */

struct clock *clock_new(struct event_base *loop, int64_t speed);
void clock_free(struct clock *c);
/* Runs what is left, as if all time had passed: for the end. */
void clock_drain(struct clock *c);

int64_t clock_now_us(const struct clock *c);
int64_t clock_speed(const struct clock *c);
void clock_set_speed(struct clock *c, int64_t speed);
void clock_advance(struct clock *c, int64_t us);

struct clock_timer *clock_after(struct clock *c, int64_t virtual_ms, void (*run)(void *arg),
                                void *arg);
/* Cancels and forgets; *t may be NULL. */
void clock_cancel(struct clock *c, struct clock_timer **t);
/* At least virtual_ms, and at least real_ms of the wall clock. */
int64_t clock_pace_ms(const struct clock *c, int64_t virtual_ms, int64_t real_ms);

#endif
