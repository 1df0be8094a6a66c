/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Active profile: an operator asks what a network is going to allow a session (R-CP). The network
 * answers twice: that it will look, and then what it found.
 */
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/api/validate.h"
#include "hub/hub.h"
#include "hub/ops/ops.h"
#include "hub/ops/watch.h"
#include "hub/request.h"

enum { SECONDS_AHEAD = 3600, DOCUMENT_BYTES = 256 * 1024 };

struct active_profile {
    char session_id[UUID_TEXT];
    struct profile_asked asked;
    struct watch watch;
};

static enum flow_next ask(struct flow *f)
{
    struct active_profile *s = f->state;

    FLOW_TRY(f, path_session_id(f, s->session_id));
    return profile_get_ask(f, s->session_id, SECONDS_AHEAD, request_of(f)->caller.name, &s->asked);
}

static enum flow_next watch(struct flow *f)
{
    struct active_profile *s = f->state;

    switch (s->asked.outcome) {
    case PROFILE_QUEUED:
    case PROFILE_NONE_SET:
    case PROFILE_OTHERS:
        break;
    case PROFILE_NOT_FOUND:
        return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
    case PROFILE_NOT_ACTIVE:
        return flow_fail(f, err_new(ERR_SESSION_NOT_ACTIVE));
    case PROFILE_NOT_SUPPORTED:
        return flow_fail(f, err_new(ERR_PROFILE_NOT_SUPPORTED));
    }
    s->watch.operation_id = s->asked.operation_id;
    return watch_operation(f, &s->watch);
}

static enum flow_next answer(struct flow *f)
{
    struct active_profile *s = f->state;
    struct text t;

    if (!s->watch.state.finished)
        return flow_fail(f, err_at(f->arena, ERR_PEER_TIMEOUT, NULL,
                                   "The network has not told the profile within 15 seconds."));
    FLOW_TRY(f, watch_refusal(f, &s->watch));
    text_init(&t, f->arena, DOCUMENT_BYTES);
    json_begin_object(&t, NULL);
    json_put_text(&t, "session_id", s->session_id);
    json_put_raw(&t, "profile", s->watch.state.document ? s->watch.state.document : "null");
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step steps[] = {
    {"ask", ask}, {"send it and watch", watch}, {"answer", answer}, {0}};

const struct flow_type active_profile_ask_flow = {
    .name = "active_profile_ask",
    .state_size = sizeof(struct active_profile),
    .deadline_ms = SECONDS(20),
    .steps = steps,
};
