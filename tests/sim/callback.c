/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending results.
 */
#include "tests/sim/callback.h"

#include <assert.h>
#include <stdlib.h>

#include "base/text.h"
#include "ocpi/version.h"
#include "tests/sim/behave.h"
#include "tests/sim/body_211.h"
#include "tests/sim/clock.h"
#include "tests/sim/push.h"
#include "tests/sim/sim.h"

struct waiting {
    struct sim *sim;
    struct callback callback;
    char url[SIM_URL];
};

char *callback_body(const struct sim *sim, const char *word)
{
    struct text out;

    text_init(&out, 0, 4096);
    json_begin_object(&out, 0);
    json_put_text(&out, "result", sim->reg.version == OCPI_2_1_1 ? result_word_211(word) : word);
    json_end_object(&out);
    return out.bytes;
}

static void callback_push(struct sim *sim, const struct callback *c, const char *url, char *body)
{
    struct push *p = push_new(sim, "POST", c->module, url, body);

    p->to = c->to;
    p->evse = c->evse;
    push_send(p, c->lane);
}

void callback_send(struct sim *sim, struct callback c)
{
    bool command = strcmp(c.module, MODULE_COMMANDS) == 0;
    enum behaviour never = command ? BEHAVE_NO_CALLBACK : BEHAVE_PROFILE_NO_CALLBACK;
    char url[SIM_URL];

    if (sim->closing || behave_acts(sim->behave, never, c.evse)) {
        free(c.body);
        return;
    }
    snprintf(url, sizeof(url), "%s%s", c.response_url,
             behave_acts(sim->behave, BEHAVE_CALLBACK_TRAILING_SLASH, c.evse) ? "/" : "");
    if (behave_acts(sim->behave, BEHAVE_DOUBLE_CALLBACK, c.evse))
        callback_push(sim, &c, url, strdup(c.body));
    callback_push(sim, &c, url, c.body);
}

static void callback_due(void *arg)
{
    struct waiting *w = arg;

    w->callback.response_url = w->url;
    callback_send(w->sim, w->callback);
    free(w);
}

void callback_later(struct sim *sim, int64_t virtual_ms, struct callback c)
{
    struct waiting *w = calloc(1, sizeof(*w));

    assert(w);
    w->sim = sim;
    w->callback = c;
    text_copy(w->url, sizeof(w->url), c.response_url);
    clock_after(sim->clock, virtual_ms, callback_due, w);
}
