/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The live view: one Redis hash per session (v version, o owner, a answer, t when it was last known
 * to be the row's), and those who wait.
 *
 * A value whose writing got no answer is owed: Redis may still hold the older one and would serve
 * it. It is written again as soon as Redis is back; the version keeps that harmless. What a process
 * owed when it died nobody pays: that is why a value is sure for a while only.
 */
#include "db/live.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <openssl/sha.h>

#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"
#include "db/live_store.h"
#include "db/redis.h"

enum {
    KEY_TEXT = 64,
    NUMBER_TEXT = 24,
    TTL_S = 48 * 3600,
    SURE_US = 30 * US_PER_SECOND,
    OWED_MAX = 4096,
    OWED_BYTES_MAX = 16 * 1024 * 1024,
    WAITERS_MAX = 20000,
    BUCKETS = 4096, /* a power of two */
    WITHOUT_REDIS_MS = 1000,
    WAITER_MAGIC = 0x4C495645,
};

static const char channel[] = "hub.session";

/* KEYS[1] the hash; ARGV version, owner, answer, time to live, channel, session id, when it was
 * put. What was only confirmed wakes nobody. */
static const char script[] =
    "local had = redis.call('HGET', KEYS[1], 'v') "
    "if had and tonumber(had) > tonumber(ARGV[1]) then return 0 end "
    "redis.call('HSET', KEYS[1], 'v', ARGV[1], 'o', ARGV[2], 'a', ARGV[3], 't', ARGV[7]) "
    "redis.call('EXPIRE', KEYS[1], ARGV[4]) "
    "if had ~= ARGV[1] then redis.call('PUBLISH', ARGV[5], ARGV[6]) end "
    "return 1";

struct put {
    struct put *next;
    size_t bytes;
    bool whole_script;
    char id[UUID_TEXT];
    char version[NUMBER_TEXT];
    char at[NUMBER_TEXT]; /* when it was put, however late it is written */
    char *owner, *answer; /* behind the struct */
    char text[];
};

struct waiter {
    unsigned magic;
    struct waiter *next;
    char id[UUID_TEXT];
    struct flow_ticket ticket;
    struct event *timer;
};

static struct {
    struct event_base *loop;
    char sha[2 * SHA_DIGEST_LENGTH + 1];
    struct put *owed, *last_owed;
    size_t owed_count, owed_bytes;
    struct waiter *buckets[BUCKETS];
    unsigned waiters;
} live;

static const char *key_of(char buffer[KEY_TEXT], const char *session_id)
{
    snprintf(buffer, KEY_TEXT, "hub:live:%s", session_id);
    return buffer;
}

/* ---- those who wait ---- */

static struct waiter **bucket_of(const char *id)
{
    uint32_t hash = 2166136261u;

    for (; *id; id++)
        hash = (hash ^ (unsigned char)*id) * 16777619u;
    return &live.buckets[hash & (BUCKETS - 1)];
}

static void unlink_waiter(struct waiter *w)
{
    struct waiter **link = bucket_of(w->id);

    while (*link != w)
        link = &(*link)->next;
    *link = w->next;
    live.waiters--;
}

static void end_wait(struct waiter *w)
{
    struct flow_ticket ticket = w->ticket;

    event_free(w->timer);
    w->magic = 0;
    free(w);
    flow_resume(ticket, OK);
}

/* First takes them all out: whoever is woken may wait again at once. NULL: everybody. */
static void wake_bucket(struct waiter **bucket, const char *id)
{
    struct waiter *woken = NULL;

    for (struct waiter **link = bucket; *link;) {
        struct waiter *w = *link;
        if (id && strcmp(w->id, id) != 0) {
            link = &w->next;
            continue;
        }
        *link = w->next;
        w->next = woken;
        woken = w;
        live.waiters--;
    }
    while (woken) {
        struct waiter *w = woken;
        woken = w->next;
        end_wait(w);
    }
}

static void wake(const char *id)
{
    wake_bucket(bucket_of(id), id);
}

static void wake_everybody(void)
{
    for (unsigned i = 0; i < BUCKETS && live.waiters > 0; i++)
        wake_bucket(&live.buckets[i], NULL);
}

static void on_wait_over(evutil_socket_t fd, short what, void *arg)
{
    struct waiter *w = arg;

    (void)fd;
    (void)what;
    assert(w->magic == WAITER_MAGIC);
    unlink_waiter(w);
    end_wait(w);
}

enum flow_next live_wait(struct flow *f, const char *session_id, int64_t ms)
{
    if (!redis_subscribed() && ms > WITHOUT_REDIS_MS)
        ms = WITHOUT_REDIS_MS;
    if (live.waiters >= WAITERS_MAX || !live.loop)
        return flow_sleep(f, ms > WITHOUT_REDIS_MS ? WITHOUT_REDIS_MS : ms);
    struct waiter *w = calloc(1, sizeof(*w));
    if (!w)
        abort();
    struct waiter **bucket = bucket_of(session_id);
    struct timeval wait = {ms / 1000, ms % 1000 * 1000};
    w->magic = WAITER_MAGIC;
    text_copy(w->id, sizeof(w->id), session_id);
    w->timer = evtimer_new(live.loop, on_wait_over, w);
    assert(w->timer);
    event_add(w->timer, &wait);
    w->ticket = flow_wait(f);
    w->next = *bucket;
    *bucket = w;
    live.waiters++;
    return FLOW_WAIT;
}

/* ---- writing ---- */

static void send_put(struct put *p);

static void owe(struct put *p)
{
    if (!live.loop || live.owed_count >= OWED_MAX || live.owed_bytes + p->bytes > OWED_BYTES_MAX) {
        if (live.loop && live.owed_count == OWED_MAX)
            log_line(LOG_WARN, "live view: too many values are owed to redis");
        free(p);
        return;
    }
    p->next = NULL;
    if (live.last_owed)
        live.last_owed->next = p;
    else
        live.owed = p;
    live.last_owed = p;
    live.owed_count++;
    live.owed_bytes += p->bytes;
}

static void pay_what_is_owed(void)
{
    struct put *p = live.owed;

    live.owed = live.last_owed = NULL;
    live.owed_count = live.owed_bytes = 0;
    while (p) {
        struct put *next = p->next;
        send_put(p);
        p = next;
    }
}

static void on_put(const redisReply *answer, void *arg)
{
    struct put *p = arg;

    if (!answer) {
        owe(p);
        return;
    }
    bool error = answer->type == REDIS_REPLY_ERROR;
    if (error && !p->whole_script && strncmp(answer->str, "NOSCRIPT", 8) == 0) {
        p->whole_script = true;
        send_put(p);
        return;
    }
    if (error)
        log_line(LOG_WARN, "live view: redis refuses a value", LOG_TEXT("reason", answer->str));
    free(p);
}

static void send_put(struct put *p)
{
    char key[KEY_TEXT], ttl[NUMBER_TEXT];
    const char *args[] = {p->whole_script ? "EVAL" : "EVALSHA",
                          p->whole_script ? script : live.sha,
                          "1",
                          key_of(key, p->id),
                          p->version,
                          p->owner,
                          p->answer,
                          ttl,
                          channel,
                          p->id,
                          p->at};
    enum { COUNT = sizeof(args) / sizeof(*args) };
    size_t lengths[COUNT];

    snprintf(ttl, sizeof(ttl), "%d", TTL_S);
    for (size_t i = 0; i < COUNT; i++)
        lengths[i] = strlen(args[i]);
    redis_command(COUNT, args, lengths, on_put, p);
}

void live_put(const char *session_id, int64_t version, const char *owner, const char *answer)
{
    size_t owner_size = strlen(owner) + 1, answer_size = strlen(answer) + 1;
    struct put *p = calloc(1, sizeof(*p) + owner_size + answer_size);

    if (!p)
        abort();
    p->bytes = sizeof(*p) + owner_size + answer_size;
    p->owner = p->text;
    p->answer = p->text + owner_size;
    text_copy(p->id, sizeof(p->id), session_id);
    snprintf(p->version, sizeof(p->version), "%lld", (long long)version);
    snprintf(p->at, sizeof(p->at), "%lld", (long long)time_now_us());
    memcpy(p->owner, owner, owner_size);
    memcpy(p->answer, answer, answer_size);
    send_put(p);
    wake(session_id);
}

/* ---- reading ---- */

struct get {
    struct flow_ticket ticket;
    struct live_value *ret;
};

static bool is_text(const redisReply *r)
{
    return r->type == REDIS_REPLY_STRING;
}

/* Times of another machine may be a little ahead of ours. */
static bool is_sure(const redisReply *t)
{
    int64_t age_us = is_text(t) ? time_now_us() - strtoll(t->str, NULL, 10) : INT64_MAX;

    return age_us > -SURE_US && age_us < SURE_US;
}

static void take_value(struct flow *f, const redisReply *answer, struct live_value *ret)
{
    if (!answer || answer->type != REDIS_REPLY_ARRAY || answer->elements != 4) {
        ret->outcome = LIVE_DOWN;
        return;
    }
    const redisReply *v = answer->element[0], *o = answer->element[1], *a = answer->element[2];
    ret->outcome = is_text(v) && is_text(o) && is_text(a) ? LIVE_HIT : LIVE_MISS;
    if (ret->outcome == LIVE_MISS)
        return;
    ret->sure = is_sure(answer->element[3]);
    ret->version = strtoll(v->str, NULL, 10);
    ret->owner = arena_bytes(f->arena, o->str, (size_t)o->len);
    ret->answer = arena_bytes(f->arena, a->str, (size_t)a->len);
}

static void on_get(const redisReply *answer, void *arg)
{
    static const char *const outcomes[] = {
        [LIVE_HIT] = "hit", [LIVE_MISS] = "miss", [LIVE_DOWN] = "down"};
    struct get get = *(struct get *)arg;
    struct flow *f = flow_ticket_flow(get.ticket);

    free(arg);
    if (!f)
        return;
    take_value(f, answer, get.ret);
    metric_add(METRIC_CACHE_READS, outcomes[get.ret->outcome], NULL, NULL, 1);
    flow_resume(get.ticket, OK);
}

enum flow_next live_get(struct flow *f, const char *session_id, struct live_value *ret)
{
    char key[KEY_TEXT];
    const char *args[] = {"HMGET", key_of(key, session_id), "v", "o", "a", "t"};
    size_t lengths[] = {5, strlen(key), 1, 1, 1, 1};
    struct get *get = malloc(sizeof(*get));

    if (!get)
        abort();
    *get = (struct get){flow_wait(f), ret};
    redis_command(6, args, lengths, on_get, get);
    return FLOW_WAIT;
}

/* ---- life ---- */

static void on_message(const char *text, size_t length)
{
    char id[UUID_TEXT];

    if (length >= sizeof(id))
        return;
    memcpy(id, text, length);
    id[length] = '\0';
    wake(id);
}

/* Loaded ahead of everything, so that a reader behind the first put sees what was put. */
static void on_redis_ready(void)
{
    static const char *const load[] = {"SCRIPT", "LOAD", script};
    static const size_t lengths[] = {6, 4, sizeof(script) - 1};

    redis_command(3, load, lengths, NULL, NULL);
    pay_what_is_owed();
}

static const struct redis_listener listener = {
    .channel = channel,
    .message = on_message,
    .ready = on_redis_ready,
    .subscription = wake_everybody,
};

void live_setup(void)
{
    unsigned char digest[SHA_DIGEST_LENGTH];

    SHA1((const unsigned char *)script, sizeof(script) - 1, digest);
    id_hex(digest, sizeof(digest), live.sha);
    redis_listen(&listener);
}

void live_open(struct event_base *loop)
{
    live.loop = loop;
}

/* After redis_close: nothing is under way any more. */
void live_close(void)
{
    live.loop = NULL;
    wake_everybody();
    while (live.owed) {
        struct put *p = live.owed;
        live.owed = p->next;
        free(p);
    }
    live.last_owed = NULL;
    live.owed_count = live.owed_bytes = 0;
}
