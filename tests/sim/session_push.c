/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pushes of objects: URL, body, and what to do when the hub says it does not know the object.
 */
#include "tests/sim/session_push.h"

#include <stdlib.h>

#include "adapters/http_client.h"
#include "base/arena.h"
#include "base/text.h"
#include "tests/sim/behave.h"

static char *taken(struct text *body)
{
    return body->bytes; /* the heap's, for push_new */
}

/* {endpoint}/{cc}/{pid}/{id}[/{below}], NULL if there is nobody to push to. The arena is small. */
static char *push_url(struct sim *sim, struct arena *a, const struct evse *e, const char *module,
                      const char *id, const char *below)
{
    const char *endpoint = sim_endpoint(sim, module, OCPI_INTERFACE_RECEIVER);
    const struct party_id *p = &sim->options->party;
    char *url;

    if (!sim->reg.registered || !endpoint)
        return 0;
    url = below ? url_join(a, endpoint, p->country_code, p->party_id, id, below, NULL)
                : url_join(a, endpoint, p->country_code, p->party_id, id, NULL);
    if (behave_acts(sim->behave, BEHAVE_LOWER_CASE_IDS, e)) {
        char *tail = url + strlen(endpoint);

        text_to_lower(tail);
    }
    return url;
}

/* To the token's owner where they route, else to the one we are connected with. */
static void session_address(const struct session *s, struct push *p)
{
    p->evse = s->evse;
    p->open = s->to_open;
    if (party_id_is_set(&s->to))
        p->to = s->to;
    else if (s->sim->reg.routes)
        party_id_make(s->token.country_code, s->token.party_id, &p->to);
}

static void push_session_known(struct push *p, const struct http_answer *answer)
{
    struct session *s = p->arg;

    s->known_to_hub = push_taken(answer);
}

static struct push *session_put(struct session *s, struct arena *a)
{
    struct sim *sim = s->sim;
    char *url = push_url(sim, a, s->evse, MODULE_SESSIONS, s->id, 0);
    struct text body;

    if (!url || s->silent)
        return 0;
    text_init(&body, 0, PRINT_MAX);
    print_session(pen_to_hub(sim, &body), 0, s);
    struct push *p = push_new(sim, "PUT", MODULE_SESSIONS, url, taken(&body));
    session_address(s, p);
    p->done = push_session_known;
    p->arg = s;
    return p;
}

static struct push *push_copy(const struct push *p)
{
    struct push *copy =
        push_new(p->sim, p->method, p->module, p->url, p->body ? strdup(p->body) : 0);

    copy->evse = p->evse;
    copy->to = p->to;
    copy->open = p->open;
    return copy;
}

static void session_send(struct session *s, struct push *p)
{
    if (behave_acts(s->sim->behave, BEHAVE_DUPLICATE_PUSHES, s->evse))
        push_send(push_copy(p), &s->lane);
    push_send(p, &s->lane);
}

void push_session(struct session *s)
{
    struct arena *a = arena_new(64 << 10);
    struct push *p = session_put(s, a);

    /* All that has ended is in the PUT. */
    s->periods_told = s->period_count > 0 ? s->period_count - 1 : 0;
    if (p)
        session_send(s, p);
    arena_free(a);
}

static void push_session_patched(struct push *p, const struct http_answer *answer)
{
    struct session *s = p->arg;

    if (answer->outcome != HTTP_ANSWERED || answer->status != 404)
        return;
    struct arena *a = arena_new(64 << 10);
    struct push *put = session_put(s, a);

    if (put)
        push_send_next(put, &s->lane);
    arena_free(a);
}

void push_session_patch(struct session *s, struct session_patch what)
{
    struct sim *sim = s->sim;
    struct arena *a = arena_new(64 << 10);
    char *url = push_url(sim, a, s->evse, MODULE_SESSIONS, s->id, 0);
    struct text body;

    if (url && !s->silent) {
        text_init(&body, 0, PRINT_MAX);
        print_session_patch(pen_to_hub(sim, &body), s, what);
        struct push *p = push_new(sim, "PATCH", MODULE_SESSIONS, url, taken(&body));
        session_address(s, p);
        p->done = push_session_patched;
        p->arg = s;
        session_send(s, p);
    }
    arena_free(a);
}

void push_cdr(struct session *s, struct cdr_variant variant)
{
    struct sim *sim = s->sim;
    const char *endpoint = sim_endpoint(sim, MODULE_CDRS, OCPI_INTERFACE_RECEIVER);
    struct text body;

    if (!sim->reg.registered || !endpoint)
        return;
    text_init(&body, 0, PRINT_MAX);
    print_cdr(pen_to_hub(sim, &body), 0, s, variant);
    struct push *p = push_new(sim, "POST", MODULE_CDRS, endpoint, taken(&body));
    session_address(s, p);
    p->must_arrive = true;
    push_send(p, &s->lane);
}

void push_location(struct sim *sim, const struct location *l)
{
    struct arena *a = arena_new(64 << 10);
    const struct evse *first = &sim->world->evses[l->first_evse];
    char *url = push_url(sim, a, first, MODULE_LOCATIONS, l->id, 0);
    struct text body;

    if (url) {
        text_init(&body, 0, PRINT_MAX);
        print_location(pen_to_hub(sim, &body), 0, l);
        push_send(push_new(sim, "PUT", MODULE_LOCATIONS, url, taken(&body)), 0);
    }
    arena_free(a);
}

void push_tariff(struct sim *sim, const struct tariff *t)
{
    struct arena *a = arena_new(64 << 10);
    char *url = push_url(sim, a, 0, MODULE_TARIFFS, t->id, 0);
    struct text body;

    if (url && t->deleted) {
        push_send(push_new(sim, "DELETE", MODULE_TARIFFS, url, 0), 0);
    } else if (url) {
        text_init(&body, 0, PRINT_MAX);
        print_tariff(pen_to_hub(sim, &body), 0, t);
        push_send(push_new(sim, "PUT", MODULE_TARIFFS, url, taken(&body)), 0);
    }
    arena_free(a);
}

static void push_evse_patched(struct push *p, const struct http_answer *answer)
{
    const struct evse *e = p->arg;

    if (answer->outcome == HTTP_ANSWERED && answer->status == 404)
        push_location(p->sim, &p->sim->world->locations[e->location]);
}

void push_evse_status(struct sim *sim, struct evse *evse)
{
    struct arena *a = arena_new(64 << 10);
    const char *location = sim->world->locations[evse->location].id;
    char *url = push_url(sim, a, evse, MODULE_LOCATIONS, location, evse->uid);
    struct text body;

    if (url && sim->options->status_pushes) {
        text_init(&body, 0, PRINT_MAX);
        print_evse_patch(pen_to_hub(sim, &body), evse);
        struct push *p = push_new(sim, "PATCH", MODULE_LOCATIONS, url, taken(&body));
        p->evse = evse;
        p->done = push_evse_patched;
        p->arg = evse;
        push_send(p, 0);
    }
    arena_free(a);
}

void push_evse(struct sim *sim, struct evse *evse)
{
    struct arena *a = arena_new(64 << 10);
    const char *location = sim->world->locations[evse->location].id;
    char *url = push_url(sim, a, evse, MODULE_LOCATIONS, location, evse->uid);
    struct text body;

    if (url) {
        text_init(&body, 0, PRINT_MAX);
        print_evse(pen_to_hub(sim, &body), 0, evse);
        struct push *p = push_new(sim, "PUT", MODULE_LOCATIONS, url, taken(&body));
        p->evse = evse;
        push_send(p, 0);
    }
    arena_free(a);
}

void push_active_profile(struct session *s)
{
    struct sim *sim = s->sim;
    const char *endpoint = sim_endpoint(sim, MODULE_CHARGING_PROFILES, OCPI_INTERFACE_SENDER);
    struct arena *a = arena_new(64 << 10);
    struct text body;

    if (sim->reg.registered && endpoint) {
        text_init(&body, 0, PRINT_MAX);
        profile_print(s->profile, s->connector, &body, 0);
        struct push *p = push_new(sim, "PUT", MODULE_CHARGING_PROFILES,
                                  url_join(a, endpoint, s->id, NULL), taken(&body));
        session_address(s, p);
        if (party_id_is_set(&s->profile_owner))
            p->to = s->profile_owner;
        push_send(p, &s->lane);
    }
    arena_free(a);
}
