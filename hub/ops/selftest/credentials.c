/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks of credentials: new tokens for both sides, by the same PUT that an operator or the
 * calendar asks for. What runs meanwhile is not disturbed (R-CRED-06).
 */
#include <string.h>

#include "base/time.h"
#include "hub/ops/ops.h"
#include "hub/ops/selftest/selftest.h"

/* How soon each process knows the new token. */
enum { REGISTER_MS = 1500 };

static enum flow_next rotate(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    t->old_token = arena_text(f->arena, secret_reveal(t->peer.token));
    return flow_child(f, &rotate_partner_flow, rotate_partner_fill, &t->partner_id, &t->rotation);
}

static enum flow_next judge_rotation(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (!failed(t->rotation))
        return flow_sleep(f, REGISTER_MS);
    t->old_token = NULL;
    return tell_fail(f, "PUT credentials", "new credentials", err_text(t->rotation));
}

static enum flow_next ask_with_new(struct flow *f)
{
    struct selftest *t = selftest_of(f);
    const struct partner *now = partner_find(f, t->partner_id);

    if (!now || !secret_is_set(now->peer.token))
        return tell_skipped(f, "the new token is not known here yet");
    t->peer.token = now->peer.token;
    return ask_get(f, "versions", t->peer.versions_url);
}

static enum flow_next judge_new(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (strcmp(t->old_token, secret_reveal(t->peer.token)) == 0)
        return tell_fail(f, "/data/token", "a new token in the answer to PUT",
                         "the one that was in use");
    expect_good(f, "the new token opens the door");
    return FLOW_DONE;
}

static enum flow_next ask_with_old(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (!t->old_token)
        return tell_skipped(f, "the token was not changed");
    return ask(f, (struct ocpi_call){.token = t->old_token,
                                     .method = "GET",
                                     .module = "versions",
                                     .url = t->peer.versions_url});
}

static enum flow_next judge_old(struct flow *f)
{
    struct selftest *t = selftest_of(f);

    if (t->answer.http.outcome != HTTP_ANSWERED || t->answer.http.status != 401)
        return tell_warn(f, t->call.url, "HTTP 401 once the new token has been used",
                         answer_words(f));
    return FLOW_DONE;
}

/* clang-format off */
const struct check credentials_checks[] = {
    {"credentials.rotate", "R-CRED-05", "Answer PUT of credentials with your own and a new token.", CHECK_FULL,
     {rotate, judge_rotation, ask_with_new, judge_new}},
    {"credentials.old_token", "R-CRED-06", "Let the old token end when the new one is first used.", CHECK_FULL,
     {ask_with_old, judge_old}},
    {0},
};
/* clang-format on */
