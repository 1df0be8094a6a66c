/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of the caller: the list by pages, and one with its events (contract 5.7, 1.3).
 *
 * An item is the status answer with three members more. The cursor is the last item's creation
 * time and id, so pages have neither gaps nor repetitions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "db/session.h"
#include "hub/api/api.h"
#include "hub/api/validate.h"
#include "hub/jobs/jobs.h"
#include "hub/server/http_server.h"

enum { LIST_MAX = 4 * 1024 * 1024, EVENTS = 50 };

/* The status object with the members that an item has more, still open at its end. */
static void put_item_members(struct flow *f, struct text *t, const struct session *s)
{
    const char *body, *etag, *status;
    struct text more;

    status_finish(f->arena, status_answer(f->arena, s), s->version, time_now_us(), &body, &etag,
                  &status);
    text_init(&more, f->arena, 4096);
    json_begin_object(&more, NULL);
    json_put_text(&more, "evse_id", s->evse_id);
    json_put_text(&more, "network", s->network);
    json_end_object(&more);
    /* {"session_id":...} and {"evse_id":...} become one object */
    text_add_bytes(t, body, strlen(body) - 1);
    text_add(t, ",");
    text_add_bytes(t, more.bytes + 1, more.length - 2);
}

/* ---- the list ---- */

struct list {
    struct session_filter filter;
    struct session_list found;
};

static void read_limit(struct flow *f, struct list *l, struct field_errors *e)
{
    const char *limit = request_query(f, "limit");
    char *end;

    l->filter.limit = 20;
    if (!limit)
        return;
    long n = strtol(limit, &end, 10);
    if (*end || end == limit || n < 1 || n > 100)
        field_errors_add(e, "limit", "limit_invalid", "must be 1 to 100");
    l->filter.limit = (int)n;
}

static void read_cursor(struct flow *f, struct list *l, struct field_errors *e)
{
    const char *cursor = request_query(f, "cursor");
    size_t length;
    long long us;
    char id[UUID_TEXT];

    l->filter.before_created_us = TIME_NONE;
    if (!cursor)
        return;
    char *plain = text_base64_decode(f->arena, cursor, &length);
    if (plain && strlen(plain) == length && sscanf(plain, "%lld %36s", &us, id) == 2 &&
        id_uuid_parse(id, l->filter.before_id))
        l->filter.before_created_us = us;
    else
        field_errors_add(e, "cursor", "cursor_invalid", "use next_cursor of the former page");
}

static void read_time(struct flow *f, const char *name, const char *code, int64_t *ret,
                      struct field_errors *e)
{
    const char *text = request_query(f, name);

    *ret = TIME_NONE;
    if (text && !time_parse(text, TIME_RFC3339, ret))
        field_errors_add(e, name, code, "must be an RFC 3339 time with a zone");
}

/* status may come several times */
static void read_states(struct flow *f, struct list *l, struct field_errors *e)
{
    const char *at = request_of(f)->http->query;

    l->filter.any_state = true;
    while (*at) {
        size_t length = strcspn(at, "&");
        if (length > 7 && strncmp(at, "status=", 7) == 0) {
            enum session_state state;
            const char *name = text_url_decode(f->arena, at + 7, length - 7);
            l->filter.any_state = false;
            if (name && session_state_parse(name, &state))
                l->filter.states[state] = true;
            else
                field_errors_add(e, "status", "status_invalid",
                                 "must be pending, active, stopping, completed or failed");
        }
        at += length;
        at += *at == '&';
    }
}

static enum flow_next check(struct flow *f)
{
    struct list *l = f->state;
    struct field_errors errors;

    field_errors_init(&errors, f->arena);
    l->filter.user_id = request_of(f)->caller.user_id;
    read_limit(f, l, &errors);
    read_cursor(f, l, &errors);
    read_states(f, l, &errors);
    read_time(f, "from", "from_invalid", &l->filter.from_us, &errors);
    read_time(f, "to", "to_invalid", &l->filter.to_us, &errors);
    l->filter.network = request_query(f, "network");
    l->filter.evse_id = request_query(f, "evse_id");
    if (errors.count)
        return reply_field_errors(f, &errors);
    return session_list(f, &l->filter, &l->found);
}

static char *cursor_of(struct flow *f, const struct session *s)
{
    const char *plain = arena_printf(f->arena, "%lld %s", (long long)s->created_us, s->id);

    return text_base64(f->arena, plain, strlen(plain));
}

static enum flow_next answer_list(struct flow *f)
{
    struct list *l = f->state;
    size_t limit = (size_t)l->filter.limit;
    size_t n = l->found.count < limit ? l->found.count : limit;
    struct text t;

    text_init(&t, f->arena, LIST_MAX);
    text_add(&t, "{\"items\":[");
    for (size_t i = 0; i < n; i++) {
        if (i)
            text_add(&t, ",");
        put_item_members(f, &t, &l->found.items[i]);
        text_add(&t, "}");
    }
    text_add(&t, "],\"next_cursor\":");
    if (l->found.count > limit)
        text_printf(&t, "\"%s\"", cursor_of(f, &l->found.items[n - 1]));
    else
        text_add(&t, "null");
    text_add(&t, "}");
    return reply_json(f, 200, &t);
}

static const struct flow_step list_steps[] = {
    {"check the query and read", check},
    {"answer", answer_list},
    {0},
};

const struct flow_type list_sessions_flow = {
    .name = "list_sessions",
    .state_size = sizeof(struct list),
    .deadline_ms = SECONDS(10),
    .steps = list_steps,
};

/* ---- one ---- */

struct show {
    char id[UUID_TEXT];
    bool found;
    struct session session;
    struct session_events events;
};

static enum flow_next read_session(struct flow *f)
{
    struct show *s = f->state;

    FLOW_TRY(f, path_session_id(f, s->id));
    return session_get(f, s->id, request_of(f)->caller.user_id, &s->found, &s->session);
}

static enum flow_next read_events(struct flow *f)
{
    struct show *s = f->state;

    if (!s->found)
        return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
    return session_events(f, s->id, EVENTS, &s->events);
}

static enum flow_next answer_one(struct flow *f)
{
    struct show *s = f->state;
    char time[TIME_TEXT];
    struct text t, events;

    text_init(&events, f->arena, LIST_MAX);
    json_begin_array(&events, NULL);
    for (size_t i = 0; i < s->events.count; i++) {
        const struct session_event *e = &s->events.items[i];
        json_begin_object(&events, NULL);
        json_put_int(&events, "seq", e->seq);
        json_put_text(&events, "at", time_print_seconds(time, e->at_us));
        json_put_text(&events, "from", e->from);
        json_put_text(&events, "to", e->to);
        json_put_text(&events, "cause", e->cause);
        json_put_text(&events, "by", e->by);
        json_end_object(&events);
    }
    json_end_array(&events);
    text_init(&t, f->arena, LIST_MAX);
    put_item_members(f, &t, &s->session);
    text_printf(&t, ",\"events\":%s}", events.bytes);
    return reply_json(f, 200, &t);
}

static const struct flow_step show_steps[] = {
    {"read the session", read_session},
    {"read its events", read_events},
    {"answer", answer_one},
    {0},
};

const struct flow_type show_session_flow = {
    .name = "show_session",
    .state_size = sizeof(struct show),
    .deadline_ms = SECONDS(10),
    .steps = show_steps,
};
