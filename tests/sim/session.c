/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a session. The order of the functions is the order of the story.
 */
#include "tests/sim/session.h"

#include <assert.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "ocpi/command.h"
#include "tests/sim/behave.h"
#include "tests/sim/callback.h"
#include "tests/sim/clock.h"
#include "tests/sim/session_push.h"

/* Virtual milliseconds, each with a least part of the wall clock. */
enum {
    RESULT_MS = 400,
    RESULT_REAL_MS = 20,
    BEGIN_MS = 300,
    ACTIVATE_MS = 500,
    ACTIVATE_REAL_MS = 50,
    READING_REAL_MS = 300,
    CDR_MS = 1000,
    PLUG_WAIT_MS = 120000,
    AFTER_SESSION_MS = 1500,
};

const char *session_state_name(const struct session *s)
{
    static const char *const names[] = {"STARTING", "GONE",      "RESERVED", "PENDING",
                                        "ACTIVE",   "COMPLETED", "INVALID"};

    return names[s->state];
}

bool session_is_open(const struct session *s)
{
    return s->state == SESSION_PENDING || s->state == SESSION_ACTIVE;
}

void evse_status(struct sim *sim, struct evse *evse, enum ocpi_evse_status status)
{
    if (evse->status == status)
        return;
    evse_touch(sim->world, evse, status);
    push_evse_status(sim, evse);
}

static void session_touch(struct session *s)
{
    int64_t now = time_now_us();

    /* Newer than the last one even inside a jump of the clock. */
    s->updated_us = now > s->updated_us ? now : s->updated_us + 1000;
}

static struct callback session_result(struct session *s, const char *word)
{
    struct callback c = {.module = MODULE_COMMANDS,
                         .response_url = s->response_url,
                         .evse = s->evse,
                         .lane = &s->lane,
                         .body = callback_body(s->sim, word)};

    party_id_make(s->token.country_code, s->token.party_id, &c.to);
    return c;
}

/* --- energy --- */

static int64_t limit_now(const struct session *s, int64_t virtual_us)
{
    const struct connector *c = s->connector;

    return car_power_w(&s->evse->car, c->dc, c->max_w, profile_limit_w(s->profile, virtual_us));
}

static int64_t room(const struct session *s)
{
    int64_t left = car_room_mwh(&s->evse->car) - s->mwh;

    return left > 0 ? left : 0;
}

int64_t session_power_w(struct session *s)
{
    if (s->state != SESSION_ACTIVE || room(s) == 0)
        return 0;
    return limit_now(s, clock_now_us(s->sim->clock));
}

static void period_begin(struct session *s, int64_t power_w)
{
    int64_t now = time_now_us();
    struct session_period *last = s->period_count ? &s->periods[s->period_count - 1] : 0;

    if (last && last->power_w == power_w)
        return;
    if (last && (last->start_us >= now || s->period_count == SESSION_PERIODS)) {
        last->power_w = power_w;
        return;
    }
    if (s->period_count == s->period_capacity) {
        s->period_capacity = s->period_capacity ? s->period_capacity * 2 : 4;
        s->periods = realloc(s->periods, s->period_capacity * sizeof(*s->periods));
        assert(s->periods);
    }
    s->periods[s->period_count++] =
        (struct session_period){.start_us = now, .begin_mwh = s->mwh, .power_w = power_w};
}

void session_account(struct session *s)
{
    int64_t now = clock_now_us(s->sim->clock);

    if (s->state != SESSION_ACTIVE)
        return;
    while (s->accounted_us < now) {
        int64_t until = profile_next_us(s->profile, s->accounted_us);
        int64_t power = limit_now(s, s->accounted_us);

        if (until > now)
            until = now;
        int64_t energy = energy_mwh(power, until - s->accounted_us, &s->carry);
        if (energy > room(s))
            energy = room(s);
        s->mwh += energy;
        s->evse->meter_mwh += energy;
        s->accounted_us = until;
    }
    if (limit_now(s, now) != s->periods[s->period_count - 1].power_w)
        period_begin(s, limit_now(s, now));
}

/* --- readings --- */

static void session_wake_later(struct session *s);

static void session_reading(struct session *s)
{
    struct session_patch what = {.kwh = true};

    session_touch(s);
    if (s->mwh > 0 && behave_acts(s->sim->behave, BEHAVE_FALLING_KWH, s->evse))
        what.kwh_less = s->mwh / 2;
    push_session_patch(s, what);
}

static void session_wake(void *arg)
{
    struct session *s = arg;

    s->wake = 0;
    session_account(s);
    if (room(s) == 0) {
        session_end(s);
        return;
    }
    session_reading(s);
    session_wake_later(s);
}

static void session_wake_later(struct session *s)
{
    struct sim *sim = s->sim;
    int64_t now = clock_now_us(sim->clock);
    int64_t wait_us =
        clock_pace_ms(sim->clock, SECONDS(sim->options->reading_s), READING_REAL_MS) * 1000;
    int64_t full_us = energy_us(limit_now(s, now), room(s));
    int64_t change_us = profile_next_us(s->profile, now);

    if (full_us < wait_us)
        wait_us = full_us;
    if (change_us != INT64_MAX && change_us - now < wait_us)
        wait_us = change_us - now;
    clock_cancel(sim->clock, &s->wake);
    s->wake = clock_after(sim->clock, wait_us / 1000 + 1, session_wake, s);
}

void session_power_changed(struct session *s)
{
    if (s->state != SESSION_ACTIVE)
        return;
    session_account(s);
    session_touch(s);
    push_session_patch(s, (struct session_patch){.kwh = true});
    session_wake_later(s);
}

/* --- the end --- */

static void session_cdr(void *arg)
{
    struct session *s = arg;
    struct sim *sim = s->sim;

    s->step = 0;
    s->cdr_us = time_now_us();
    if (behave_acts(sim->behave, BEHAVE_NO_CDR, s->evse))
        return;
    push_cdr(s, (struct cdr_variant){0});
    if (behave_acts(sim->behave, BEHAVE_CDR_TWICE, s->evse))
        push_cdr(s, (struct cdr_variant){0});
    if (behave_acts(sim->behave, BEHAVE_CDR_ALTERED, s->evse))
        push_cdr(s, (struct cdr_variant){.cost_more_u6 = 1000000});
}

static void session_tell_end(void *arg)
{
    struct session *s = arg;

    s->step = 0;
    push_session(s);
    if (behave_acts(s->sim->behave, BEHAVE_ACTIVE_AFTER_COMPLETED, s->evse)) {
        session_touch(s);
        s->state = SESSION_ACTIVE;
        push_session_patch(s, (struct session_patch){.status = true});
        s->state = SESSION_COMPLETED;
    }
}

static void session_leave_evse(struct session *s)
{
    if (s->evse->session != s)
        return;
    s->evse->session = 0;
    evse_status(s->sim, s->evse, s->evse->usual_status);
}

void session_end(struct session *s)
{
    struct sim *sim = s->sim;
    int64_t cdr_s = 0;

    if (!session_is_open(s))
        return;
    session_account(s);
    clock_cancel(sim->clock, &s->wake);
    clock_cancel(sim->clock, &s->step);
    session_touch(s);
    s->state = SESSION_COMPLETED;
    s->end_us = s->updated_us;
    if (s->period_count == 0)
        period_begin(s, 0);
    session_leave_evse(s);
    if (!s->silent && behave_acts(sim->behave, BEHAVE_CDR_BEFORE_SESSION, s->evse)) {
        session_cdr(s);
        s->step = clock_after(sim->clock, clock_pace_ms(sim->clock, AFTER_SESSION_MS, 300),
                              session_tell_end, s);
        return;
    }
    session_tell_end(s);
    if (!behave_acts_after(sim->behave, BEHAVE_LATE_CDR, s->evse, &cdr_s))
        cdr_s = 0;
    s->step = clock_after(sim->clock, cdr_s > 0 ? SECONDS(cdr_s) : CDR_MS, session_cdr, s);
}

static void session_end_step(void *arg)
{
    struct session *s = arg;

    s->step = 0;
    session_end(s);
}

/* --- reservations --- */

/* Nobody came: no CDR, it costs nothing here (R-SESS-04). */
void session_reserve_end(struct session *s)
{
    if (s->state != SESSION_RESERVED)
        return;
    clock_cancel(s->sim->clock, &s->step);
    session_touch(s);
    s->state = SESSION_COMPLETED;
    s->end_us = s->updated_us;
    if (s->evse->reserved == s)
        s->evse->reserved = 0;
    if (s->sim->reg.version != OCPI_2_1_1)
        push_session(s);
    if (!s->evse->session)
        evse_status(s->sim, s->evse, s->evse->usual_status);
}

static void session_reserve_expired(void *arg)
{
    struct session *s = arg;

    s->step = 0;
    session_reserve_end(s);
}

void session_reserve(struct session *s, const char *reservation_id, int64_t expiry_us)
{
    struct sim *sim = s->sim;
    int64_t wait_ms = (expiry_us - time_now_us()) / 1000;

    text_copy(s->reservation_id, sizeof(s->reservation_id), reservation_id);
    clock_cancel(sim->clock, &s->step);
    s->state = SESSION_RESERVED;
    s->evse->reserved = s;
    session_touch(s);
    if (s->start_us == 0)
        s->start_us = s->updated_us;
    /* 2.1.1 has no Session for a reservation (R-CMD-09). */
    if (sim->reg.version != OCPI_2_1_1)
        push_session(s);
    evse_status(sim, s->evse, OCPI_EVSE_RESERVED);
    /* An hour of the fast meter is a minute: the expiry is the wall clock's, like all times. */
    s->step = clock_after(sim->clock, (wait_ms > 0 ? wait_ms : 0) * clock_speed(sim->clock),
                          session_reserve_expired, s);
}

struct session *session_of_reservation(const struct sim *sim, const char *reservation_id)
{
    const struct sessions *all = sim->sessions;

    for (size_t i = all->first_visible; i < all->count; i++) {
        struct session *s = all->list[i];

        if (s->state == SESSION_RESERVED && strcasecmp(s->reservation_id, reservation_id) == 0)
            return s;
    }
    return 0;
}

/* --- the beginning --- */

static void session_activate(void *arg)
{
    struct session *s = arg;
    struct sim *sim = s->sim;
    int64_t after_s;

    s->step = 0;
    session_touch(s);
    if (behave_acts(sim->behave, BEHAVE_INVALID_SESSION, s->evse)) {
        s->state = SESSION_INVALID;
        push_session(s);
        session_leave_evse(s);
        return;
    }
    s->state = SESSION_ACTIVE;
    s->start_us = s->updated_us; /* R-SESS-02 */
    s->accounted_us = clock_now_us(sim->clock);
    period_begin(s, limit_now(s, s->accounted_us));
    push_session_patch(s, (struct session_patch){.status = true, .start = true, .kwh = true});
    if (behave_acts_after(sim->behave, BEHAVE_NO_SESSION_ONLY_CDR, s->evse, &after_s))
        s->step = clock_after(sim->clock, SECONDS(after_s), session_end_step, s);
    session_wake_later(s);
}

void session_begin(struct session *s)
{
    struct sim *sim = s->sim;
    int64_t after_s;

    if (s->state != SESSION_STARTING && s->state != SESSION_RESERVED)
        return;
    clock_cancel(sim->clock, &s->step);
    if (s->evse->reserved == s)
        s->evse->reserved = 0;
    if (s->evse->waiting == s)
        s->evse->waiting = 0;
    s->evse->session = s;
    s->state = SESSION_PENDING;
    s->silent = behave_acts(sim->behave, BEHAVE_NO_SESSION_ONLY_CDR, s->evse);
    session_touch(s);
    s->start_us = s->updated_us;
    push_session(s);
    evse_status(sim, s->evse, OCPI_EVSE_CHARGING);
    if (!behave_acts_after(sim->behave, BEHAVE_PENDING_SESSION, s->evse, &after_s))
        s->step = clock_after(sim->clock, clock_pace_ms(sim->clock, ACTIVATE_MS, ACTIVATE_REAL_MS),
                              session_activate, s);
    else if (after_s > 0)
        s->step = clock_after(sim->clock, SECONDS(after_s), session_activate, s);
}

static void session_gone(void *arg)
{
    struct session *s = arg;

    s->step = 0;
    if (s->state == SESSION_STARTING)
        s->state = SESSION_GONE;
    session_reserve_end(s);
    if (s->evse->waiting == s)
        s->evse->waiting = 0;
}

/* The charge point was told to start: now it needs a car. */
static void session_begin_or_wait(void *arg)
{
    struct session *s = arg;

    s->step = 0;
    if (s->evse->session && s->evse->session != s) {
        session_gone(s);
    } else if (s->evse->car.plugged) {
        session_begin(s);
    } else {
        s->evse->waiting = s;
        s->step = clock_after(s->sim->clock, PLUG_WAIT_MS, session_gone, s);
    }
}

void evse_plugged(struct sim *sim, struct evse *evse, bool plugged)
{
    (void)sim;
    evse->car.plugged = plugged;
    if (plugged && evse->waiting)
        session_begin(evse->waiting);
    if (!plugged && evse->session)
        session_end(evse->session);
}

/* --- what the charge point says to START_SESSION --- */

/* The result, and whether a session follows it. */
static const char *start_result(struct session *s, bool *ret_session)
{
    static const struct {
        enum behaviour when;
        enum ocpi_command_result_word word;
    } bad[] = {
        {BEHAVE_OCCUPIED, OCPI_RESULT_EVSE_OCCUPIED},
        {BEHAVE_INOPERATIVE, OCPI_RESULT_EVSE_INOPERATIVE},
        {BEHAVE_FAILED_RESULT, OCPI_RESULT_FAILED},
        {BEHAVE_TIMEOUT_RESULT, OCPI_RESULT_TIMEOUT},
    };

    *ret_session = false;
    if ((s->evse->session && s->evse->session != s) || s->evse->waiting ||
        (s->evse->reserved && s->evse->reserved != s))
        return ocpi_command_result_word_name(OCPI_RESULT_EVSE_OCCUPIED);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (behave_acts(s->sim->behave, bad[i].when, s->evse))
            return ocpi_command_result_word_name(bad[i].word);
    }
    *ret_session = true;
    return ocpi_command_result_word_name(OCPI_RESULT_ACCEPTED);
}

static void session_result_due(void *arg)
{
    struct session *s = arg;
    struct sim *sim = s->sim;
    bool begins;
    int64_t after_s, wait_ms = clock_pace_ms(sim->clock, BEGIN_MS, 0);
    const char *word = start_result(s, &begins);

    s->step = 0;
    if (begins && behave_acts_after(sim->behave, BEHAVE_LATE_START, s->evse, &after_s)) {
        word = ocpi_command_result_word_name(OCPI_RESULT_FAILED);
        wait_ms = SECONDS(after_s);
    }
    if (begins && behave_acts_after(sim->behave, BEHAVE_SLOW_START, s->evse, &after_s))
        wait_ms = SECONDS(after_s);
    if (behave_acts(sim->behave, BEHAVE_SESSION_NEVER, s->evse))
        begins = false;
    callback_send(sim, session_result(s, word));
    if (begins)
        s->step = clock_after(sim->clock, wait_ms, session_begin_or_wait, s);
    else
        session_gone(s);
}

void session_plan(struct session *s, bool before_answer)
{
    struct sim *sim = s->sim;
    int64_t jitter = (int64_t)sim_random_below(sim, 200);
    int64_t wait_ms = clock_pace_ms(sim->clock, RESULT_MS + jitter, RESULT_REAL_MS), after_s;

    clock_cancel(sim->clock, &s->step); /* a reservation does not expire any more */
    if (before_answer) {
        session_result_due(s);
    } else if (behave_acts(sim->behave, BEHAVE_SESSION_BEFORE_RESULT, s->evse)) {
        struct callback c = session_result(s, ocpi_command_result_word_name(OCPI_RESULT_ACCEPTED));

        session_begin_or_wait(s);
        callback_later(sim, clock_pace_ms(sim->clock, AFTER_SESSION_MS, 300), c);
    } else {
        if (behave_acts_after(sim->behave, BEHAVE_LATE_CALLBACK, s->evse, &after_s))
            wait_ms = SECONDS(after_s);
        s->step = clock_after(sim->clock, wait_ms, session_result_due, s);
    }
}

/* --- CDRs behind the usual one --- */

const struct later_cdr *later_cdr_new(struct session *s, bool credit, int64_t cost_more_u6)
{
    struct sessions *all = s->sim->sessions;
    struct later_cdr *later = calloc(1, sizeof(*later));

    all->later = realloc(all->later, (all->later_count + 1) * sizeof(struct later_cdr *));
    assert(later && all->later);
    s->credits += credit;
    *later = (struct later_cdr){
        .session = s, .credit = credit, .cost_more_u6 = cost_more_u6, .updated_us = time_now_us()};
    snprintf(later->id, sizeof(later->id), "%s-%c%u", s->cdr_id, credit ? 'C' : 'N', s->credits);
    all->later[all->later_count++] = later;
    return later;
}

/* --- all of them --- */

struct sessions *sessions_new(const struct sim_options *options)
{
    struct sessions *all = calloc(1, sizeof(*all));
    uint64_t stamp = options->seeded ? options->seed : (uint64_t)(time_now_us() / US_PER_SECOND);

    assert(all);
    all->by_id = json_object();
    snprintf(all->stamp, sizeof(all->stamp), "%llx", (unsigned long long)stamp);
    return all;
}

void sessions_free(struct sessions *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->count; i++) {
        free(all->list[i]->periods);
        free(all->list[i]->profile);
        free(all->list[i]);
    }
    for (size_t i = 0; i < all->later_count; i++)
        free(all->later[i]);
    free(all->later);
    free(all->list);
    json_decref(all->by_id);
    free(all);
}

void sessions_reset(struct sim *sim)
{
    struct sessions *all = sim->sessions;

    for (size_t i = all->first_visible; i < all->count; i++) {
        struct session *s = all->list[i];

        clock_cancel(sim->clock, &s->step);
        clock_cancel(sim->clock, &s->wake);
        lane_clear(sim, &s->lane);
        if (s->state == SESSION_STARTING || s->state == SESSION_RESERVED || session_is_open(s))
            s->state = SESSION_GONE;
    }
    all->first_visible = all->count;
    all->later_first_visible = all->later_count;
    json_object_clear(all->by_id);
}

bool session_is_visible(const struct session *s)
{
    return s->state >= SESSION_RESERVED && !s->silent;
}

struct session *session_find(const struct sim *sim, const char *id)
{
    char key[SESSION_ID];

    if (!text_copy(key, sizeof(key), id))
        return 0;
    text_to_lower(key);
    const json_t *found = json_object_get(sim->sessions->by_id, key);
    struct session *s = found ? sim->sessions->list[json_integer_value(found)] : 0;

    return s && session_is_visible(s) ? s : 0;
}

static void session_name(struct session *s)
{
    struct sim *sim = s->sim;
    unsigned long long number = ++sim->sessions->numbered;
    char key[SESSION_ID];

    snprintf(s->id, sizeof(s->id), "S-%s-%llu", sim->sessions->stamp, number);
    if (behave_acts(sim->behave, BEHAVE_LONG_SESSION_ID, s->evse)) {
        size_t length = strlen(s->id);

        memset(s->id + length, 'x', 60 - length);
        s->id[60] = 0;
    }
    if (behave_acts(sim->behave, BEHAVE_CDR_ID_IS_SESSION_ID, s->evse))
        snprintf(s->cdr_id, sizeof(s->cdr_id), "%s", s->id);
    else
        snprintf(s->cdr_id, sizeof(s->cdr_id), "C-%s-%llu", sim->sessions->stamp, number);
    snprintf(key, sizeof(key), "%s", s->id);
    text_to_lower(key);
    json_object_set_new(sim->sessions->by_id, key, json_integer((json_int_t)sim->sessions->count));
}

struct session *session_new(struct sim *sim, struct evse *evse, const struct connector *connector,
                            const struct session_token *token, const char *authorization_reference,
                            const char *auth_method, const char *response_url)
{
    struct sessions *all = sim->sessions;
    struct session *s = calloc(1, sizeof(*s));

    assert(s);
    s->sim = sim;
    s->evse = evse;
    s->connector = connector;
    s->token = *token;
    s->auth_method = auth_method;
    s->state = SESSION_STARTING;
    s->end_us = TIME_NONE;
    s->cdr_us = TIME_NONE;
    text_copy(s->authorization_reference, sizeof(s->authorization_reference),
              authorization_reference ? authorization_reference : "");
    text_copy(s->response_url, sizeof(s->response_url), response_url ? response_url : "");
    session_name(s);
    if (all->count == all->capacity) {
        all->capacity = all->capacity ? all->capacity * 2 : 64;
        all->list = realloc(all->list, all->capacity * sizeof(struct session *));
        assert(all->list);
    }
    all->list[all->count++] = s;
    log_line(LOG_INFO, "session made", LOG_TEXT("session", s->id), LOG_TEXT("evse", evse->uid));
    return s;
}
