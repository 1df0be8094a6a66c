/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stop: the owner ends a session (contract 5.2). The state and the stop operation are one
 * statement; the command goes out when the network's session is known.
 */
#include <string.h>

#include "base/json.h"
#include "base/time.h"
#include "db/session.h"
#include "hub/api/api.h"
#include "hub/api/validate.h"
#include "hub/jobs/jobs.h"

struct stop {
    struct session_stop ask;
    struct session_stopped stopped;
};

static enum flow_next check_body(struct flow *f)
{
    struct stop *s = f->state;
    const struct caller *caller = &request_of(f)->caller;
    struct field_errors errors;
    const json_t *v = json_object_get(request_of(f)->json, "session_id");

    FLOW_TRY(f, idempotency_read(f, &s->ask.idempotency));
    field_errors_init(&errors, f->arena);
    if (!v || json_is_null(v))
        field_errors_add(&errors, "session_id", "session_id_required",
                         "the id of the session is required");
    else if (!json_is_string(v) || !id_uuid_parse(json_string_value(v), s->ask.id))
        field_errors_add(&errors, "session_id", "session_id_invalid", "must be a UUID");
    if (errors.count)
        return reply_field_errors(f, &errors);
    s->ask.user_id = caller->user_id;
    s->ask.robot_id = caller->robot_id;
    s->ask.by = caller->name;
    s->ask.cause = "user_stop";
    return FLOW_NEXT;
}

static enum flow_next store(struct flow *f)
{
    struct stop *s = f->state;

    return session_stop(f, &s->ask, &s->stopped);
}

static enum flow_next answer(struct flow *f)
{
    struct stop *s = f->state;
    const char *state = session_state_name(s->stopped.session.state);
    struct problem_extra status = {"session_status", state};
    struct text t;

    switch (s->stopped.outcome) {
    case STOP_TAKEN:
    case STOP_ALREADY:
        after_session_change(hub_of(f), &s->stopped.session);
        text_init(&t, f->arena, 1024);
        json_begin_object(&t, NULL);
        json_put_text(&t, "session_id", s->ask.id);
        json_put_text(&t, "status", "stopping");
        json_end_object(&t);
        return reply_json(f, 200, &t);
    case STOP_ENDED:
        return reply_problem(f, ERR_SESSION_ENDED, NULL, 0, &status, 1);
    case STOP_NOT_FOUND:
        return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
    case STOP_REPLAY:
        return reply_replay(f, &s->stopped.replay);
    case STOP_KEY_REUSED:
        return flow_fail(f, err_new(ERR_IDEMPOTENCY_REUSED));
    case STOP_KEY_RUNNING:
        return flow_fail(f, err_new(ERR_IDEMPOTENCY_RUNNING));
    }
    return flow_fail(f, err_new(ERR_INTERNAL));
}

static const struct flow_step steps[] = {
    {"check the body", check_body},
    {"store state and operation", store},
    {"answer", answer},
    {0},
};

const struct flow_type stop_session_flow = {
    .name = "stop_session",
    .state_size = sizeof(struct stop),
    .deadline_ms = SECONDS(10),
    .steps = steps,
};
