/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The EVSEs in memory: a hash table from the normalised id to what SQL's evse_document() tells of
 * the EVSE, as text. A flow that asks gets a copy of its own, so that entries may change at any
 * time. Filled page by page after the start; then what changed is read every two seconds, and soon
 * after a notification. Until it is full, and for an id it does not have, the database is asked.
 *
 * What was written but not committed when we looked is found by looking back every two seconds: at
 * ids and times first, which costs little; at the documents only where one is not the one we have.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/cache.h"
#include "db/location.h"
#include "db/partner.h"
#include "db/pg.h"
#include "db/statements.h"

enum {
    /* A page is taken over in one go, while others wait for this process. */
    PAGE_LOCATIONS = 100,
    PAGE_CHANGES = 200,
    PAGE_TIMES = 500, /* without documents */
    EVERY_MS = 2000,
    FIRST_MS = 200,
    TOLD_MS = 50,        /* many changes at once make one look, */
    TOLD_AGAIN_MS = 500, /* and many in a row a few */
    ARGS_ARENA = 4096,
    DOCUMENT_VALUES = 1000000, /* as many as a fetched page may have */
    BUCKETS_AT_FIRST = 1024,
};
/* No statement takes longer than its timeout of two seconds. */
#define LOOK_BACK_US (6 * US_PER_SECOND)
#define LOOK_BACK_FIRST_US (120 * US_PER_SECOND)
/* After so long without changes nobody looks back: else the last bulk would be read for ever. */
#define SETTLED_MS SECONDS(10)

struct entry {
    struct entry *next_by_id, *next_by_key;
    char *id; /* "location row/uid", lower case */
    char *key, *document;
    int64_t changed_us;
};

/* What is being read. */
enum look {
    LOOK_PAGE,  /* the next locations, until all have been read once */
    LOOK_NEWS,  /* what changed after the last change that was seen */
    LOOK_TIMES, /* a while back: ids and times only */
    LOOK_BACK,  /* the same page with documents: one of them is not the one we have */
};

static struct {
    struct entry **by_id, **by_key;
    size_t buckets, count;
    struct event *timer;
    bool open, full, reading;
    bool told;  /* of changes, since the timer was set */
    bool again; /* ... while reading */
    enum look look;
    int64_t cursor;   /* location row: the next page begins after it */
    int64_t since_us; /* changes up to here have been seen */
    int64_t since_ms; /* when since_us last grew, monotonic */
    int64_t round_ms; /* when this round of pages began, */
    int64_t back_ms;  /* and the last one that looked back */
    bool settled;     /* nothing before since_us can still come */
    struct place {    /* where the page of changes begins */
        int64_t us, location;
        char uid[256];
    } from;
    unsigned life;
} state;

/* ---- the table ---- */

static size_t hash(const char *s)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    return (size_t)(h ^ (h >> 32));
}

static char *copy(const char *s)
{
    char *c = strdup(s);

    if (!c)
        abort();
    return c;
}

static void link_entry(struct entry *e)
{
    size_t i = hash(e->id) % state.buckets, k = hash(e->key) % state.buckets;

    e->next_by_id = state.by_id[i];
    state.by_id[i] = e;
    e->next_by_key = state.by_key[k];
    state.by_key[k] = e;
}

static void grow(void)
{
    struct entry **old = state.by_id;
    size_t buckets = state.buckets;

    state.buckets = buckets ? buckets * 2 : BUCKETS_AT_FIRST;
    free(state.by_key);
    state.by_id = calloc(state.buckets, sizeof(*state.by_id));
    state.by_key = calloc(state.buckets, sizeof(*state.by_key));
    if (!state.by_id || !state.by_key)
        abort();
    for (size_t i = 0; i < buckets; i++) {
        struct entry *next;

        for (struct entry *e = old[i]; e; e = next) {
            next = e->next_by_id;
            link_entry(e);
        }
    }
    free(old);
}

static void entry_free(struct entry *e)
{
    free(e->id);
    free(e->key);
    free(e->document);
    free(e);
}

static void index_remove(const char *id)
{
    if (state.buckets == 0)
        return;
    struct entry **at = &state.by_id[hash(id) % state.buckets];
    while (*at && strcmp((*at)->id, id) != 0)
        at = &(*at)->next_by_id;
    struct entry *e = *at;
    if (!e)
        return;
    *at = e->next_by_id;
    at = &state.by_key[hash(e->key) % state.buckets];
    while (*at != e)
        at = &(*at)->next_by_key;
    *at = e->next_by_key;
    entry_free(e);
    state.count--;
}

static void index_put(const char *id, const char *key, const char *document, int64_t changed_us)
{
    index_remove(id);
    if (state.count >= state.buckets)
        grow();
    struct entry *e = calloc(1, sizeof(*e));
    if (!e)
        abort();
    e->id = copy(id);
    e->key = copy(key);
    e->document = copy(document);
    e->changed_us = changed_us;
    link_entry(e);
    state.count++;
}

static const char *id_of(struct arena *a, const PGresult *rows, int row)
{
    const char *uid = pg_text(a, rows, row, "uid");

    if (!uid)
        return NULL; /* a location without EVSEs */
    char *id = arena_printf(a, "%lld/%s", (long long)pg_int(rows, row, "location"), uid);
    text_to_lower(id);
    return id;
}

static void index_take(struct arena *a, const PGresult *rows, int row)
{
    const char *id = id_of(a, rows, row);
    const char *key = pg_text(a, rows, row, "evse_key");

    if (!id)
        return;
    if (key)
        index_put(id, key, pg_text(a, rows, row, "document"), pg_time(rows, row, "updated_at"));
    else
        index_remove(id); /* nobody can name it any more */
}

static bool index_has(struct arena *a, const PGresult *rows, int row)
{
    const char *id = id_of(a, rows, row);
    const struct entry *e = state.buckets ? state.by_id[hash(id) % state.buckets] : NULL;

    while (e && strcmp(e->id, id) != 0)
        e = e->next_by_id;
    return e ? e->changed_us == pg_time(rows, row, "updated_at")
             : pg_is_null(rows, row, "evse_key");
}

/* ---- keeping it fresh ---- */

static void read_page(enum look look);

static void wait_ms(int64_t ms)
{
    struct timeval t = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};

    evtimer_add(state.timer, &t);
}

static void begin_round(void)
{
    int64_t now_ms = time_monotonic_ms();
    bool back = !state.settled && now_ms - state.back_ms >= EVERY_MS;

    if (state.reading)
        return;
    if (!state.full) {
        read_page(LOOK_PAGE);
        return;
    }
    state.round_ms = now_ms;
    state.from = (struct place){.us = state.since_us, .location = INT64_MAX};
    if (back) {
        state.back_ms = now_ms;
        state.from = (struct place){.us = state.since_us - LOOK_BACK_US};
    }
    read_page(back ? LOOK_TIMES : LOOK_NEWS);
}

/* After a look back comes one for news: since_us is where that began. */
static void end_round(void)
{
    if (state.look != LOOK_NEWS) {
        state.settled = state.settled || state.round_ms - state.since_ms > SETTLED_MS;
        state.from = (struct place){.us = state.since_us, .location = INT64_MAX};
        read_page(LOOK_NEWS);
        return;
    }
    wait_ms(state.again ? TOLD_AGAIN_MS : EVERY_MS);
    state.again = false;
}

static void go_on_after(struct arena *a, const PGresult *rows)
{
    int last = PQntuples(rows) - 1;

    state.from.us = pg_time(rows, last, "updated_at");
    state.from.location = pg_int(rows, last, "location");
    text_copy(state.from.uid, sizeof(state.from.uid), pg_text(a, rows, last, "uid"));
    text_to_lower(state.from.uid);
}

static int page_size(enum look look)
{
    return look == LOOK_PAGE ? PAGE_LOCATIONS : look == LOOK_TIMES ? PAGE_TIMES : PAGE_CHANGES;
}

static void have_locations(struct arena *a, const PGresult *rows)
{
    int count = PQntuples(rows);

    for (int i = 0; i < count; i++)
        index_take(a, rows, i);
    if (count > 0)
        state.cursor = pg_int(rows, count - 1, "location");
    state.full = count == 0;
    if (state.full)
        begin_round();
    else
        read_page(LOOK_PAGE);
}

static void have_changes(struct arena *a, const PGresult *rows)
{
    int count = PQntuples(rows);
    bool known = state.look == LOOK_TIMES;

    for (int i = 0; i < count && known; i++)
        known = index_has(a, rows, i);
    if (state.look == LOOK_TIMES && !known) {
        read_page(LOOK_BACK);
        return;
    }
    for (int i = 0; i < count && !known; i++) {
        int64_t changed_us = pg_time(rows, i, "updated_at");

        index_take(a, rows, i);
        if (changed_us > state.since_us) {
            state.since_us = changed_us;
            state.since_ms = time_monotonic_ms();
            state.settled = false;
        }
    }
    if (count < page_size(state.look)) {
        end_round();
        return;
    }
    go_on_after(a, rows);
    read_page(state.look == LOOK_BACK ? LOOK_TIMES : state.look);
}

static void have_read(const PGresult *rows, struct err e, void *arg)
{
    if (!state.open || (unsigned)(uintptr_t)arg != state.life)
        return;
    state.reading = false;
    if (failed(e)) {
        wait_ms(state.full ? EVERY_MS : FIRST_MS);
        return;
    }
    struct arena *a = arena_new(0x7fffffff);
    if (state.look == LOOK_PAGE)
        have_locations(a, rows);
    else
        have_changes(a, rows);
    arena_free(a);
}

static void read_page(enum look look)
{
    struct arena *a = arena_new(ARGS_ARENA);
    int statement = STATEMENT_evse_changes;
    struct pg_args args;

    state.reading = true;
    state.told = false;
    state.look = look;
    evtimer_del(state.timer);
    pg_args_init(&args, a);
    if (look == LOOK_PAGE) {
        statement = STATEMENT_evse_page;
        pg_arg_int(&args, state.cursor);
    } else {
        statement = look == LOOK_TIMES ? STATEMENT_evse_times : STATEMENT_evse_changes;
        pg_arg_time(&args, state.from.us);
        pg_arg_int(&args, state.from.location);
        pg_arg_text(&args, state.from.uid);
    }
    pg_arg_int(&args, page_size(look));
    pg_send(PG_READ, statement, &args, have_read,
            (void *)(uintptr_t)state.life); /* NOLINT: a number, not a pointer */
    arena_free(a);
}

static void on_time(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    begin_round();
}

/* A look that has begun may be too early for this one; one that has just ended is followed by the
 * next after a while: an id that is not found in here is asked of the database anyway. */
static void told(const char *payload, void *arg)
{
    (void)payload;
    (void)arg;
    if (!state.open || !state.full)
        return;
    state.again = state.reading;
    if (!state.reading && !state.told) {
        int64_t since_ms = time_monotonic_ms() - state.round_ms;

        state.told = true;
        wait_ms(since_ms < TOLD_AGAIN_MS ? TOLD_AGAIN_MS - since_ms : TOLD_MS);
    }
}

void evse_index_open(struct event_base *loop)
{
    state.open = true;
    state.life++;
    state.since_us = time_now_us() - LOOK_BACK_FIRST_US;
    state.timer = evtimer_new(loop, on_time, NULL);
    if (!state.timer)
        abort();
    wait_ms(0);
    db_on_notify("location", told, NULL);
}

void evse_index_close(void)
{
    if (!state.open)
        return;
    for (size_t i = 0; i < state.buckets; i++) {
        struct entry *next;

        for (struct entry *e = state.by_id[i]; e; e = next) {
            next = e->next_by_id;
            entry_free(e);
        }
    }
    free(state.by_id);
    free(state.by_key);
    event_free(state.timer);
    unsigned life = state.life;
    memset(&state, 0, sizeof(state));
    state.life = life;
}

/* ---- looking in it ---- */

bool evse_has_capability(const struct evse *e, const char *capability)
{
    for (const char *const *c = e->capabilities; c && *c; c++) {
        if (strcmp(*c, capability) == 0)
            return true;
    }
    return false;
}

bool evse_starts_remotely(const struct evse *e)
{
    return e->assume_remote_start || evse_has_capability(e, "REMOTE_START_STOP_CAPABLE");
}

/* The CPO's display name, from the register: it may have changed since the location came. */
static void add_network(struct flow *f, struct evse *e)
{
    const struct partner *p = partner_find(f, e->partner_id);
    struct party_id owner;

    e->network = e->network_state = "";
    if (!p)
        return;
    e->network = p->name;
    e->network_state = p->state;
    e->network_ocpi = p->peer.version;
    e->assume_remote_start = p->peer.quirks.assume_remote_start;
    e->network_enabled =
        p->enabled && (strcmp(p->state, "connected") == 0 || strcmp(p->state, "offline") == 0);
    if (!party_id_make(e->country_code, e->party_id, &owner))
        return;
    for (size_t i = 0; i < p->party_count; i++) {
        if (p->parties[i].role == OCPI_ROLE_CPO && p->parties[i].name && p->parties[i].name[0] &&
            party_id_equal(&p->parties[i].id, &owner))
            e->network = p->parties[i].name;
    }
}

static void evse_read(struct flow *f, const char *document, struct evse *ret)
{
    struct arena *a = f->arena;
    const json_t *list;
    json_t *d = NULL;

    struct err e = json_read(a, document, strlen(document), DOCUMENT_VALUES, &d);
    assert(!failed(e)); /* made by our own SQL */
    (void)e;
    *ret = (struct evse){
        .partner_id = json_integer_value(json_object_get(d, "partner_id")),
        .country_code = json_text_of(d, "country_code"),
        .party_id = json_text_of(d, "party_id"),
        .location_id = json_text_of(d, "location_id"),
        .uid = json_text_of(d, "uid"),
        .evse_id = json_text_of(d, "evse_id"),
        .status = json_text_of(d, "status"),
        .published = json_is_true(json_object_get(d, "published")),
        .name = json_text_of(d, "name"),
        .address = json_text_of(d, "address"),
        .city = json_text_of(d, "city"),
        .country = json_text_of(d, "country"),
        .time_zone = json_text_of(d, "time_zone"),
        .latitude = json_text_of(d, "latitude"),
        .longitude = json_text_of(d, "longitude"),
        .updated_us = json_integer_value(json_object_get(d, "updated_us")),
    };

    list = json_array_of(d, "capabilities");
    const char **words = arena_alloc(a, sizeof(*words) * (json_array_size(list) + 1));
    for (size_t i = 0; i < json_array_size(list); i++)
        words[i] = json_string_value(json_array_get(list, i));
    ret->capabilities = words;

    list = json_array_of(d, "connectors");
    ret->connectors = arena_alloc(a, sizeof(*ret->connectors) * (json_array_size(list) + 1));
    ret->connector_count = json_array_size(list);
    for (size_t i = 0; i < ret->connector_count; i++) {
        const json_t *c = json_array_get(list, i);
        const json_t *ids = json_array_of(c, "tariff_ids");
        const char **tariffs = arena_alloc(a, sizeof(*tariffs) * (json_array_size(ids) + 1));
        size_t tariff_count = 0;

        for (size_t k = 0; k < json_array_size(ids); k++) {
            const char *id = json_string_value(json_array_get(ids, k));
            if (id)
                tariffs[tariff_count++] = id;
        }
        ret->connectors[i] = (struct evse_connector){
            .id = json_text_of(c, "id"),
            .standard = json_text_of(c, "standard"),
            .format = json_text_of(c, "format"),
            .power_type = json_text_of(c, "power_type"),
            .power_w = json_integer_value(json_object_get(c, "power_w")),
            .tariff_ids = tariffs,
            .tariff_count = tariff_count,
        };
    }
    add_network(f, ret);
}

static struct err take_by_key(struct flow *f, const PGresult *rows, void *to)
{
    struct evses *ret = to;
    int count = PQntuples(rows);

    ret->count = (size_t)count;
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * ((size_t)count + 1));
    for (int i = 0; i < count; i++) {
        if (state.open)
            index_take(f->arena, rows, i);
        evse_read(f, pg_text(f->arena, rows, i, "document"), &ret->items[i]);
    }
    return OK;
}

enum flow_next evse_find(struct flow *f, const char *key, struct evses *ret)
{
    struct entry *first = state.buckets ? state.by_key[hash(key) % state.buckets] : NULL;
    struct pg_args args;
    size_t count = 0;

    for (struct entry *e = first; e; e = e->next_by_key)
        count += strcmp(e->key, key) == 0;
    if (count == 0 || !state.full) {
        pg_args_init(&args, f->arena);
        pg_arg_text(&args, key);
        return pg_run(f, PG_READ, STATEMENT_evse_by_key, &args, take_by_key, ret);
    }
    ret->items = arena_alloc(f->arena, sizeof(*ret->items) * count);
    ret->count = 0;
    for (struct entry *e = first; e; e = e->next_by_key) {
        if (strcmp(e->key, key) == 0)
            evse_read(f, e->document, &ret->items[ret->count++]);
    }
    return FLOW_NEXT;
}
