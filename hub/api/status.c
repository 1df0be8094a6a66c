/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Status (contract 5.3): the ready answer from the live view; a miss, and what may be out of date,
 * is filled from Postgres.
 *
 *   LOOK_LIVE --hit--> DECIDE --answer, or ?wait= and nothing changed--> WAIT --> LOOK_LIVE ...
 *       `--miss, down--> LOOK_TRUTH --> DECIDE
 */
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "db/db.h"
#include "db/live.h"
#include "db/session.h"
#include "hub/api/api.h"
#include "hub/api/validate.h"
#include "hub/hub.h"
#include "hub/jobs/jobs.h"
#include "hub/server/http_server.h"

/* A change between the look and the wait, or a lost signal, costs no more than this; and a process
 * that is to end does not wait for those who only wait. */
enum { SLICE_MS = 5000 };

struct status {
    char id[UUID_TEXT];
    const char *if_none_match;
    int64_t wait_until_ms; /* 0: no waiting */
    enum { LOOK_LIVE, LOOK_TRUTH, DECIDE } phase;
    struct live_value live;
    bool found;
    struct session session;
    const char *first_status; /* the one that shall change */
    const char *body, *etag, *status;
};

static enum flow_next check(struct flow *f)
{
    struct status *s = f->state;
    const char *wait = request_query(f, "wait");
    struct field_errors errors;

    FLOW_TRY(f, path_session_id(f, s->id));
    s->if_none_match = http_header(request_of(f)->http, "If-None-Match");
    if (!wait)
        return FLOW_NEXT;
    char *end;
    long seconds = strtol(wait, &end, 10);
    if (*end || end == wait || seconds < 1 || seconds > 25) {
        field_errors_init(&errors, f->arena);
        field_errors_add(&errors, "wait", "wait_invalid", "must be 1 to 25 seconds");
        return reply_field_errors(f, &errors);
    }
    s->wait_until_ms = time_monotonic_ms() + SECONDS(seconds);
    return FLOW_NEXT;
}

/* "user\nrobot": a user sees all of theirs, a robot those it started. */
static bool is_owner(const struct caller *c, const char *owner)
{
    const char *robot = strchr(owner, '\n');

    if (!robot || strlen(c->user_id) != (size_t)(robot - owner) ||
        memcmp(c->user_id, owner, (size_t)(robot - owner)) != 0)
        return false;
    return !c->robot_id || strcmp(c->robot_id, robot + 1) == 0;
}

static enum flow_next answer(struct flow *f, struct status *s)
{
    struct reply_header etag = {"ETag", s->etag};

    if (s->if_none_match && strcmp(s->if_none_match, s->etag) == 0)
        return reply(f, 304, NULL, "", 0, &etag, 1);
    return reply(f, 200, "application/json", s->body, strlen(s->body), &etag, 1);
}

static enum flow_next decide(struct flow *f, struct status *s, const char *owner, const char *text,
                             int64_t version)
{
    if (!status_finish(f->arena, text, version, time_now_us(), &s->body, &s->etag, &s->status)) {
        if (s->live.outcome != LIVE_HIT)
            return flow_fail(f, err_new(ERR_INTERNAL));
        s->live.outcome = LIVE_MISS; /* what another release left there: replaced */
        session_get(f, s->id, request_of(f)->caller.user_id, &s->found, &s->session);
        return FLOW_AGAIN;
    }
    if (!is_owner(&request_of(f)->caller, owner))
        return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
    if (!s->first_status)
        s->first_status = s->status;
    int64_t left = s->wait_until_ms - time_monotonic_ms();
    bool known_to_caller = !s->if_none_match || strcmp(s->if_none_match, s->etag) == 0;
    bool over = strcmp(s->status, "completed") == 0 || strcmp(s->status, "failed") == 0;
    bool changed = strcmp(s->status, s->first_status) != 0;
    if (left <= 0 || hub_of(f)->draining || over || changed || !known_to_caller)
        return answer(f, s);
    s->phase = LOOK_LIVE;
    live_wait(f, s->id, left < SLICE_MS ? left : SLICE_MS);
    return FLOW_AGAIN;
}

static enum flow_next look(struct flow *f)
{
    struct status *s = f->state;
    const char *owner, *text;

    switch (s->phase) {
    case LOOK_LIVE:
        s->phase = LOOK_TRUTH;
        live_get(f, s->id, &s->live);
        return FLOW_AGAIN;
    case LOOK_TRUTH:
        s->phase = DECIDE;
        if (s->live.outcome == LIVE_HIT && !s->live.sure && db_health() == DB_UP)
            s->live.outcome = LIVE_MISS; /* compared with the truth, and put again */
        if (s->live.outcome == LIVE_HIT)
            return decide(f, s, s->live.owner, s->live.answer, s->live.version);
        session_get(f, s->id, request_of(f)->caller.user_id, &s->found, &s->session);
        return FLOW_AGAIN;
    case DECIDE:
        if (!s->found)
            return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
        owner = status_owner(f->arena, &s->session);
        text = status_answer(f->arena, &s->session);
        if (s->live.outcome == LIVE_MISS)
            live_put(s->id, s->session.version, owner, text);
        return decide(f, s, owner, text, s->session.version);
    }
    return flow_fail(f, err_new(ERR_INTERNAL));
}

static const struct flow_step steps[] = {
    {"check the request", check},
    {"look, and wait if asked to", look},
    {0},
};

const struct flow_type session_status_flow = {
    .name = "session_status",
    .state_size = sizeof(struct status),
    .deadline_ms = SECONDS(35),
    .steps = steps,
};
