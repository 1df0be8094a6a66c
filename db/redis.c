/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redis: two links, each with a life of its own.
 *
 *            connect, AUTH, SELECT, PING sent        PONG (and, for the other link, subscribed)
 *   AWAY ----------------------------------> GREETING ------------------------------------> UP
 *    ^                                          |                                           |
 *    +------------------------------------------+-------------------------------------------+
 *       refused, 1 s of silence, an error answer, a command over its deadline, lost
 *
 * What hiredis 0.14 does, and what follows: a context that fails frees itself after it has called
 * every pending callback with NULL; its clean-up hook is the one place that is always reached, so
 * that is where a link goes AWAY. Nothing is asked from within the connect callback (there is
 * none): commands may be queued before the connection stands.
 */
#include "db/redis.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <hiredis/async.h>

#include "base/id.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/text.h"
#include "base/time.h"

enum {
    MAGIC = 0x52454431,
    GREETING_MS = 1000,
    FIRST_RETRY_MS = 100,
    RETRY_MS = 1000,
    RETRY_MAX_MS = 30000,
    STEADY_MS = 10000, /* a link that held this long was no flicker */
    PENDING_MAX = 4096,
    ARGS_MAX = 16,
};

enum state { AWAY, GREETING, UP };

struct link {
    unsigned magic;
    const char *name;
    bool subscribes;
    enum state state;
    redisAsyncContext *context; /* NULL: AWAY */
    struct event *readable, *writable, *timer;
    unsigned failures;
    int64_t up_since_ms;
    bool told;
};

/* A command under way; answers come in this order. */
struct command {
    struct command *next;
    char name[16];
    int64_t begun_ms;
    redis_done *done;
    void *arg;
};

static struct {
    bool configured;
    struct event_base *loop;
    char *host, *path, *user, *password; /* path: a unix socket */
    int port, database;
    struct link commands, messages;
    struct command *first, *last;
    int pending;
    struct event *deadline; /* of the first command */
    const struct redis_listener *listener;
} redis;

/* ---- the loop's events, as hiredis wants them ---- */

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct link *l = arg;

    (void)fd;
    (void)what;
    assert(l->magic == MAGIC);
    redisAsyncHandleRead(l->context);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct link *l = arg;

    (void)fd;
    (void)what;
    assert(l->magic == MAGIC);
    redisAsyncHandleWrite(l->context);
}

static void add_read(void *arg)
{
    event_add(((struct link *)arg)->readable, NULL);
}

static void delete_read(void *arg)
{
    event_del(((struct link *)arg)->readable);
}

static void add_write(void *arg)
{
    event_add(((struct link *)arg)->writable, NULL);
}

static void delete_write(void *arg)
{
    event_del(((struct link *)arg)->writable);
}

static void arm(struct event *timer, int64_t ms)
{
    struct timeval wait = {ms / 1000, ms % 1000 * 1000};

    event_add(timer, &wait);
}

static void note_up(void)
{
    metric_set(METRIC_STORE_UP, "redis", redis.commands.state == UP);
}

static void retry_later(struct link *l)
{
    int64_t ms = FIRST_RETRY_MS;

    if (l->failures > 0)
        ms = l->failures > 6 ? RETRY_MAX_MS : RETRY_MS << (l->failures - 1);
    if (ms > RETRY_MAX_MS)
        ms = RETRY_MAX_MS;
    l->failures++;
    arm(l->timer, ms / 2 + (int64_t)id_random_below((uint64_t)(ms / 2 + 1)));
}

/* The clean-up hook: the context frees itself right after this. Every pending callback has run. */
static void went_away(void *arg)
{
    struct link *l = arg;
    bool was_up = l->state == UP;

    assert(l->magic == MAGIC);
    event_free(l->readable);
    event_free(l->writable);
    l->readable = l->writable = NULL;
    const char *why = l->context->errstr;
    if (was_up || !l->told)
        log_line(LOG_WARN, was_up ? "redis connection lost" : "no redis connection",
                 LOG_TEXT("connection", l->name), LOG_TEXT("reason", *why ? why : NULL));
    l->told = true;
    l->context = NULL;
    l->state = AWAY;
    if (!redis.configured)
        return; /* closing */
    if (was_up && time_monotonic_ms() - l->up_since_ms >= STEADY_MS)
        l->failures = 0;
    retry_later(l);
    note_up();
    if (was_up && l->subscribes && redis.listener)
        redis.listener->subscription();
}

static void drop(struct link *l)
{
    if (l->context)
        redisAsyncFree(l->context);
}

/* ---- greeting ---- */

static void become_up(struct link *l)
{
    l->state = UP;
    l->up_since_ms = time_monotonic_ms();
    event_del(l->timer);
    if (l->told)
        log_line(LOG_INFO, "redis connection is back", LOG_TEXT("connection", l->name));
    l->told = false;
    note_up();
    if (!redis.listener)
        return;
    if (l->subscribes)
        redis.listener->subscription();
    else
        redis.listener->ready();
}

static void on_message(redisAsyncContext *context, void *answer, void *arg)
{
    const redisReply *r = answer;
    struct link *l = arg;

    (void)context;
    if (!r || r->type != REDIS_REPLY_ARRAY || r->elements != 3 || !r->element[0]->str)
        return;
    if (strcmp(r->element[0]->str, "subscribe") == 0)
        become_up(l);
    else if (strcmp(r->element[0]->str, "message") == 0 && r->element[2]->str)
        redis.listener->message(r->element[2]->str, (size_t)r->element[2]->len);
}

static void on_greeting(redisAsyncContext *context, void *answer, void *arg)
{
    const redisReply *r = answer;
    struct link *l = arg;

    if (!r)
        return; /* went_away follows */
    if (r->type == REDIS_REPLY_ERROR) {
        if (!l->told)
            log_line(LOG_ERROR, "redis refuses us", LOG_TEXT("reason", r->str));
        l->told = true;
        redisAsyncFree(context);
    }
}

static void on_pong(redisAsyncContext *context, void *answer, void *arg)
{
    const redisReply *r = answer;
    struct link *l = arg;

    on_greeting(context, answer, arg);
    if (!r || r->type == REDIS_REPLY_ERROR)
        return;
    if (!l->subscribes) {
        become_up(l);
        return;
    }
    const char *subscribe[] = {"SUBSCRIBE", redis.listener->channel};
    redisAsyncCommandArgv(context, on_message, l, 2, subscribe, NULL);
}

static void greet(struct link *l)
{
    redisAsyncContext *c = l->context;

    if (redis.password) {
        const char *with_user[] = {"AUTH", redis.user, redis.password};
        const char *without[] = {"AUTH", redis.password};
        redisAsyncCommandArgv(c, on_greeting, l, redis.user ? 3 : 2,
                              redis.user ? with_user : without, NULL);
    }
    if (redis.database != 0) {
        char number[16];
        const char *select[] = {"SELECT", number};
        snprintf(number, sizeof(number), "%d", redis.database);
        redisAsyncCommandArgv(c, on_greeting, l, 2, select, NULL);
    }
    const char *ping[] = {"PING"};
    redisAsyncCommandArgv(c, on_pong, l, 1, ping, NULL);
}

static void connect_now(struct link *l)
{
    redisAsyncContext *c =
        redis.path ? redisAsyncConnectUnix(redis.path) : redisAsyncConnect(redis.host, redis.port);

    assert(c);
    if (c->err) {
        if (!l->told)
            log_line(LOG_WARN, "no redis connection", LOG_TEXT("connection", l->name),
                     LOG_TEXT("reason", c->errstr));
        l->told = true;
        redisAsyncFree(c); /* no hooks yet: nobody is called */
        retry_later(l);
        return;
    }
    if (!redis.path)
        redisEnableKeepAlive(&c->c);
    l->context = c;
    l->state = GREETING;
    l->readable = event_new(redis.loop, c->c.fd, EV_READ | EV_PERSIST, on_readable, l);
    l->writable = event_new(redis.loop, c->c.fd, EV_WRITE | EV_PERSIST, on_writable, l);
    assert(l->readable && l->writable);
    c->ev.data = l;
    c->ev.addRead = add_read;
    c->ev.delRead = delete_read;
    c->ev.addWrite = add_write;
    c->ev.delWrite = delete_write;
    c->ev.cleanup = went_away;
    event_add(l->writable, NULL); /* the end of connecting */
    arm(l->timer, GREETING_MS);
    greet(l);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct link *l = arg;

    (void)fd;
    (void)what;
    assert(l->magic == MAGIC);
    if (l->state == AWAY)
        connect_now(l);
    else
        drop(l); /* it does not answer the greeting */
}

/* ---- commands ---- */

static void arm_deadline(void)
{
    if (!redis.first) {
        event_del(redis.deadline);
        return;
    }
    int64_t left = redis.first->begun_ms + REDIS_DEADLINE_MS - time_monotonic_ms();
    arm(redis.deadline, left < 0 ? 0 : left);
}

/* Answers are matched by order only: one that is late spoils those behind it. */
static void on_deadline(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    if (!redis.first)
        return;
    if (time_monotonic_ms() - redis.first->begun_ms >= REDIS_DEADLINE_MS)
        drop(&redis.commands);
    else
        arm_deadline();
}

static void on_answer(redisAsyncContext *context, void *answer, void *arg)
{
    struct command *c = arg;

    (void)context;
    assert(c == redis.first);
    redis.first = c->next;
    if (!redis.first) {
        redis.last = NULL;
        if (redis.deadline)
            event_del(redis.deadline);
    }
    redis.pending--;
    metric_observe_ms(METRIC_STORE_SECONDS, "redis", c->name, time_monotonic_ms() - c->begun_ms);
    if (c->done)
        c->done(answer, c->arg);
    free(c);
}

void redis_command(int count, const char *const *args, const size_t *lengths, redis_done *done,
                   void *arg)
{
    const char *argv[ARGS_MAX];
    struct command *c;

    assert(count > 0 && count <= ARGS_MAX);
    if (!redis_up() || redis.pending >= PENDING_MAX || !(c = calloc(1, sizeof(*c)))) {
        if (done)
            done(NULL, arg);
        return;
    }
    text_copy(c->name, sizeof(c->name), args[0]);
    c->begun_ms = time_monotonic_ms();
    c->done = done;
    c->arg = arg;
    memcpy(argv, args, (size_t)count * sizeof(*argv));
    if (redisAsyncCommandArgv(redis.commands.context, on_answer, c, count, argv, lengths) !=
        REDIS_OK) {
        free(c); /* the connection is being given up */
        if (done)
            done(NULL, arg);
        return;
    }
    if (redis.last)
        redis.last->next = c;
    else
        redis.first = c;
    redis.last = c;
    redis.pending++;
    if (!event_pending(redis.deadline, EV_TIMEOUT, NULL))
        arm_deadline();
}

bool redis_up(void)
{
    return redis.configured && redis.commands.state == UP;
}

bool redis_subscribed(void)
{
    return redis.configured && redis.messages.state == UP;
}

void redis_listen(const struct redis_listener *listener)
{
    redis.listener = listener;
}

/* ---- the address ---- */

static char *part(const char *from, size_t length)
{
    char *s = strndup(from, length);

    if (!s)
        abort();
    return s;
}

/* After "redis://": [[user]:password@]host[:port][/database] */
static bool parse_tcp(const char *s)
{
    const char *at = strrchr(s, '@');

    if (at) {
        const char *colon = memchr(s, ':', (size_t)(at - s));
        if (!colon)
            return false;
        if (colon > s)
            redis.user = part(s, (size_t)(colon - s));
        redis.password = part(colon + 1, (size_t)(at - colon - 1));
        s = at + 1;
    }
    size_t host = *s == '[' ? strcspn(s, "]") + 1 : strcspn(s, ":/");
    redis.host = *s == '[' ? part(s + 1, host - 2) : part(s, host);
    redis.port = 6379;
    char *end = NULL;
    s += host;
    if (*s == ':') {
        redis.port = (int)strtol(s + 1, &end, 10);
        s = end;
    }
    if (*s == '/' && s[1]) {
        redis.database = (int)strtol(s + 1, &end, 10);
        s = end;
    }
    return *redis.host && redis.port > 0 && redis.port < 65536 && (!*s || strcmp(s, "/") == 0);
}

static bool parse_address(const char *url)
{
    if (strncmp(url, "redis://", 8) == 0)
        return parse_tcp(url + 8);
    if (strncmp(url, "unix://", 7) != 0)
        return false;
    url += 7;
    size_t length = strcspn(url, "?");
    redis.path = part(url, length);
    if (strncmp(url + length, "?db=", 4) == 0)
        redis.database = (int)strtol(url + length + 4, NULL, 10);
    else if (url[length])
        return false;
    return length > 1;
}

/* ---- life ---- */

static void forget_address(void)
{
    if (redis.password)
        explicit_bzero(redis.password, strlen(redis.password));
    free(redis.host);
    free(redis.path);
    free(redis.user);
    free(redis.password);
    redis.host = redis.path = redis.user = redis.password = NULL;
    redis.database = 0;
}

static void link_open(struct link *l, const char *name, bool subscribes)
{
    *l = (struct link){.magic = MAGIC, .name = name, .subscribes = subscribes};
    l->timer = evtimer_new(redis.loop, on_timer, l);
    assert(l->timer);
    arm(l->timer, 0);
}

struct err redis_open(struct event_base *loop, const struct db_options *options)
{
    assert(!redis.configured);
    if (!options->redis_url || !*options->redis_url)
        return OK;
    if (!parse_address(options->redis_url)) {
        forget_address();
        return (struct err){
            ERR_INTERNAL, "redis_url is neither redis://host:port/db nor unix:///path?db=N", NULL};
    }
    if (secret_is_set(options->redis_password)) {
        free(redis.password);
        redis.password =
            part(secret_reveal(options->redis_password), secret_length(options->redis_password));
    }
    redis.configured = true;
    redis.loop = loop;
    redis.deadline = evtimer_new(loop, on_deadline, NULL);
    assert(redis.deadline);
    link_open(&redis.commands, "commands", false);
    if (redis.listener)
        link_open(&redis.messages, "messages", true);
    note_up();
    return OK;
}

static void link_close(struct link *l)
{
    if (!l->timer)
        return;
    drop(l);
    event_free(l->timer);
    *l = (struct link){0};
}

void redis_close(void)
{
    if (!redis.configured)
        return;
    redis.configured = false;
    link_close(&redis.commands);
    link_close(&redis.messages);
    event_free(redis.deadline);
    redis.deadline = NULL;
    forget_address();
}
