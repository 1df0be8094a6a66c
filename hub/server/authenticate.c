/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Authentication: keys from files and from the issuer's URL, and a cache of good verdicts.
 *
 * The fetched set replaces the former one whole; when that happens the cache is emptied, since a
 * key may have been withdrawn.
 */
#include "hub/server/authenticate.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <event2/event.h>

#include "adapters/http_client.h"
#include "base/arena.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/hub.h"
#include "hub/server/http_server.h"
#include "hub/server/jwt.h"

enum {
    CACHE_SLOTS = 4096, /* a power of two; a slot is overwritten by the next token that falls in */
    REFRESH_MS = 600000,
    RETRY_MS = 10000,
    UNKNOWN_KID_MS = 60000, /* at most one fetch a minute for a kid we do not know */
    KEEP_MS = 86400000,     /* a set that can no longer be fetched */
    SET_BYTES = 64 * 1024,
    NAME_MAX_LENGTH = 201,
};

struct verdict {
    unsigned char hash[SHA256_BYTES];
    int64_t exp_s; /* 0: empty */
    char sub[NAME_MAX_LENGTH], robot[NAME_MAX_LENGTH];
    bool staff; /* for which audience */
    bool mfa;
    unsigned roles;
};

struct authenticator {
    struct hub *hub;
    struct jwt_keys own;     /* of files */
    struct jwt_keys fetched; /* of jwks_url */
    struct jwt_key signing;  /* .jwk NULL: no development key */
    int64_t fetched_ms, last_fetch_ms;
    bool fetching;
    struct event *refresh;
    struct verdict *cache;
};

/* ---- the issuer's keys ---- */

struct fetch {
    struct http_call call;
    struct http_answer answer;
};

static enum flow_next get_set(struct flow *f)
{
    struct fetch *s = f->state;

    s->call = (struct http_call){
        .method = "GET",
        .url = hub_of(f)->settings->jwks_url,
        .connect_ms = SECONDS(3),
        .total_ms = SECONDS(3),
        .max_answer = SET_BYTES,
    };
    return http_send(f, &s->call, &s->answer);
}

static enum flow_next take_set(struct flow *f)
{
    struct fetch *s = f->state;
    struct authenticator *a = hub_of(f)->authenticator;
    struct jwt_keys *fresh = arena_alloc(f->arena, sizeof *fresh);

    a->fetching = false;
    if (s->answer.outcome != HTTP_ANSWERED || s->answer.status != 200)
        return flow_fail(f, err_at(f->arena, ERR_PEER_ERROR, NULL,
                                   "the key set could not be fetched: %s",
                                   s->answer.error ? s->answer.error : "HTTP status"));
    if (jwt_keys_add_set(f->arena, s->answer.body, s->answer.body_length, fresh) < 1)
        return flow_fail(f, err_at(f->arena, ERR_PEER_ERROR, NULL,
                                   "the key set holds no usable key; the former one stays"));
    jwt_keys_clear(&a->fetched);
    a->fetched = *fresh;
    a->fetched_ms = time_monotonic_ms();
    memset(a->cache, 0, CACHE_SLOTS * sizeof *a->cache);
    return FLOW_DONE;
}

static const struct flow_step fetch_steps[] = {
    {"get the key set", get_set},
    {"take it", take_set, .also_on_failure = true},
    {0},
};

static const struct flow_type fetch_flow = {
    .name = "fetch_jwks",
    .state_size = sizeof(struct fetch),
    .deadline_ms = SECONDS(5),
    .steps = fetch_steps,
};

static void begin_fetch(struct authenticator *a)
{
    a->fetching = true;
    a->last_fetch_ms = time_monotonic_ms();
}

static void on_refresh(evutil_socket_t fd, short what, void *arg)
{
    struct authenticator *a = arg;
    int64_t now = time_monotonic_ms();

    (void)fd;
    (void)what;
    if (a->fetched.count && now - a->fetched_ms > KEEP_MS) {
        log_line(LOG_ERROR, "the issuer's keys are a day old and no longer used");
        jwt_keys_clear(&a->fetched);
        memset(a->cache, 0, CACHE_SLOTS * sizeof *a->cache);
    }
    int64_t wait = REFRESH_MS - 30000 + (int64_t)id_random_below(60000);
    if (!a->fetched.count)
        wait = RETRY_MS;
    event_add(a->refresh, &(struct timeval){wait / 1000, wait % 1000 * 1000});
    if (a->fetching)
        return;
    begin_fetch(a);
    hub_job(a->hub, &fetch_flow, NULL, NULL);
}

/* ---- life ---- */

struct err authenticator_new(struct hub *hub, struct authenticator **ret)
{
    const struct settings *s = hub->settings;
    struct authenticator *a = calloc(1, sizeof *a);
    struct arena *arena = arena_new(4 * 1024 * 1024);
    struct err e = OK;

    a->hub = hub;
    a->cache = calloc(CACHE_SLOTS, sizeof *a->cache);
    *ret = a;
    if (s->jwt_keys)
        e = jwt_keys_read_file(arena, s->jwt_keys, &a->own);
    if (!failed(e) && s->dev_jwt_key)
        e = jwt_keys_read_private(arena, s->dev_jwt_key, "dev", &a->own, &a->signing);
    if (failed(e)) {
        log_line(LOG_ERROR, "a key file cannot be used", LOG_TEXT("why", err_text(e)));
        arena_free(arena);
        return (struct err){e.kind, "a key file cannot be used; see the log", NULL};
    }
    if (a->signing.jwk)
        log_line(LOG_WARN, "tokens signed with the development key are accepted");
    if (s->jwks_url && *s->jwks_url) {
        a->refresh = event_new(hub->loop, -1, 0, on_refresh, a);
        event_add(a->refresh, &(struct timeval){0, 0});
    }
    arena_free(arena);
    return OK;
}

void authenticator_free(struct authenticator *a)
{
    if (!a)
        return;
    if (a->refresh)
        event_free(a->refresh);
    jwt_keys_clear(&a->own);
    jwt_keys_clear(&a->fetched);
    if (a->signing.jwk)
        cjose_jwk_release(a->signing.jwk);
    free(a->cache);
    free(a);
}

bool authenticator_ready(const struct authenticator *a)
{
    return a->own.count || a->fetched.count;
}

/* ---- users ---- */

/* The token of "Bearer <token>", scheme without case (RFC 9110); NULL otherwise. */
static const char *bearer_of(const char *authorization)
{
    if (!authorization || strncasecmp(authorization, "Bearer ", 7) != 0)
        return NULL;
    const char *token = authorization + 7;
    return *token && !strpbrk(token, " \t") ? token : NULL;
}

static enum flow_next let_in(struct flow *f, const char *sub, const char *robot, struct caller *ret)
{
    ret->kind = CALLER_USER;
    ret->user_id = arena_text(f->arena, sub);
    ret->robot_id = robot && *robot ? arena_text(f->arena, robot) : NULL;
    ret->name = ret->robot_id ? arena_printf(f->arena, "robot:%s", robot)
                              : arena_printf(f->arena, "user:%s", sub);
    return FLOW_NEXT;
}

static struct verdict *slot_of(struct authenticator *a, const unsigned char hash[SHA256_BYTES])
{
    size_t i = ((size_t)hash[0] << 8 | hash[1]) % CACHE_SLOTS;

    return &a->cache[i];
}

static enum flow_next let_staff_in(struct flow *f, const char *sub, unsigned roles, bool mfa,
                                   struct caller *ret)
{
    if (!mfa)
        return flow_fail(f, err_at(f->arena, ERR_FORBIDDEN, NULL,
                                   "staff sign in with a second factor; this token says nothing "
                                   "of one (amr: mfa)"));
    ret->kind = CALLER_STAFF;
    ret->roles = roles;
    ret->user_id = arena_text(f->arena, sub);
    ret->name = arena_printf(f->arena, "staff:%s", sub);
    return FLOW_NEXT;
}

static void remember(struct verdict *v, const unsigned char *hash, bool staff,
                     const struct jwt_claims *c)
{
    v->staff = staff;
    v->mfa = c->mfa;
    v->roles = c->roles;
    memcpy(v->hash, hash, SHA256_BYTES);
    v->exp_s = c->exp_s;
    text_copy(v->sub, sizeof v->sub, c->sub);
    text_copy(v->robot, sizeof v->robot, c->robot ? c->robot : "");
}

static enum jwt_verdict check(struct authenticator *a, struct arena *arena, const char *token,
                              bool staff, int64_t now_s, struct jwt_claims *ret)
{
    const struct settings *s = a->hub->settings;
    struct jwt_rules rules = {s->jwt_issuer, staff ? s->jwt_staff_audience : s->jwt_audience,
                              now_s};
    enum jwt_verdict verdict = jwt_check(arena, token, &a->own, &rules, ret);

    if (verdict == JWT_GOOD || verdict == JWT_EXPIRED || !a->fetched.count)
        return verdict;
    enum jwt_verdict other = jwt_check(arena, token, &a->fetched, &rules, ret);
    /* Only a key that neither set has is worth a fetch. */
    return verdict == JWT_INVALID && other == JWT_UNKNOWN_KEY ? JWT_INVALID : other;
}

/* A token is for users or for staff, by its audience; never for both doors. */
static enum flow_next authenticate(struct flow *f, const char *authorization, bool staff,
                                   struct caller *ret)
{
    struct authenticator *a = hub_of(f)->authenticator;
    const char *token = bearer_of(authorization);
    int64_t now_s = time_now_us() / US_PER_SECOND;
    unsigned char hash[SHA256_BYTES];
    struct jwt_claims claims;

    if (!authorization)
        return flow_fail(f, err_new(ERR_UNAUTHENTICATED));
    if (!token || strlen(token) > JWT_MAX)
        return flow_fail(f, err_new(ERR_TOKEN_INVALID));
    id_sha256(token, strlen(token), hash);
    struct verdict *known = slot_of(a, hash);
    if (known->exp_s && known->staff == staff && memcmp(known->hash, hash, SHA256_BYTES) == 0) {
        if (known->exp_s + JWT_LEEWAY_S <= now_s)
            return flow_fail(f, err_new(ERR_TOKEN_EXPIRED));
        return staff ? let_staff_in(f, known->sub, known->roles, known->mfa, ret)
                     : let_in(f, known->sub, known->robot, ret);
    }
    switch (check(a, f->arena, token, staff, now_s, &claims)) {
    case JWT_GOOD:
        if (staff && claims.robot)
            break;
        remember(known, hash, staff, &claims);
        return staff ? let_staff_in(f, claims.sub, claims.roles, claims.mfa, ret)
                     : let_in(f, claims.sub, claims.robot, ret);
    case JWT_EXPIRED:
        return flow_fail(f, err_new(ERR_TOKEN_EXPIRED));
    case JWT_UNKNOWN_KEY:
        /* A fetch under way may bring it; otherwise one may begin, once a minute. The step runs
         * again afterwards, when the rate no longer allows another. */
        if (a->refresh && !a->fetching &&
            time_monotonic_ms() - a->last_fetch_ms >= UNKNOWN_KID_MS) {
            struct err *ignored = arena_alloc(f->arena, sizeof *ignored);
            begin_fetch(a);
            flow_child(f, &fetch_flow, NULL, NULL, ignored);
            return FLOW_AGAIN;
        }
        if (a->fetching) {
            flow_sleep(f, 50);
            return FLOW_AGAIN;
        }
        break;
    case JWT_INVALID:
        break;
    }
    return flow_fail(f, err_new(ERR_TOKEN_INVALID));
}

enum flow_next authenticate_user(struct flow *f, const char *authorization, struct caller *ret)
{
    return authenticate(f, authorization, false, ret);
}

enum flow_next authenticate_staff(struct flow *f, const char *authorization, struct caller *ret)
{
    return authenticate(f, authorization, true, ret);
}

/* ---- admin ---- */

struct err authenticate_admin(const struct hub *hub, const char *authorization, struct caller *ret)
{
    struct secret known = hub->settings->admin_token;
    const char *token = bearer_of(authorization);

    if (!authorization)
        return err_new(ERR_UNAUTHENTICATED);
    if (!token || !secret_is_set(known) || strlen(token) != secret_length(known) ||
        !id_equal_constant_time(token, secret_reveal(known), secret_length(known)))
        return err_new(ERR_TOKEN_INVALID);
    *ret = (struct caller){.kind = CALLER_ADMIN, .name = "admin:token"};
    return OK;
}

/* ---- signing, in development ---- */

char *authenticator_mint(const struct authenticator *a, struct arena *arena, const char *sub,
                         const char *robot, const char *role, int64_t seconds)
{
    int64_t now_s = time_now_us() / US_PER_SECOND;
    const char *text = NULL;
    struct text t;
    cjose_err err;

    if (!a->signing.jwk)
        return NULL;
    text_init(&t, arena, 8192);
    json_begin_object(&t, NULL);
    json_put_text(&t, "iss", a->hub->settings->jwt_issuer);
    json_put_text(&t, "aud",
                  role ? a->hub->settings->jwt_staff_audience : a->hub->settings->jwt_audience);
    json_put_text(&t, "sub", sub);
    json_put_int(&t, "iat", now_s);
    json_put_int(&t, "nbf", now_s);
    json_put_int(&t, "exp", now_s + seconds);
    if (role) {
        json_begin_array(&t, "roles");
        json_put_text(&t, NULL, role);
        json_end_array(&t);
        json_begin_array(&t, "amr");
        json_put_text(&t, NULL, "mfa");
        json_end_array(&t);
    }
    if (robot) {
        json_begin_object(&t, "act");
        json_put_text(&t, "sub", robot);
        json_end_object(&t);
    }
    json_end_object(&t);
    cjose_header_t *header = cjose_header_new(&err);
    cjose_header_set(header, CJOSE_HDR_ALG,
                     a->signing.ec ? CJOSE_HDR_ALG_ES256 : CJOSE_HDR_ALG_RS256, &err);
    cjose_header_set(header, CJOSE_HDR_KID, a->signing.kid, &err);
    cjose_jws_t *jws =
        cjose_jws_sign(a->signing.jwk, header, (const uint8_t *)t.bytes, t.length, &err);
    char *token = jws && cjose_jws_export(jws, &text, &err) ? arena_text(arena, text) : NULL;
    if (jws)
        cjose_jws_release(jws);
    cjose_header_release(header);
    return token;
}
