/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The message log for people: what was said with whom, and why something was refused.
 *
 *   GET
 * /v1/admin/messages?partner&module&object&correlation_id&session_id&refused&since&until&before&limit
 *   GET /v1/admin/messages/{id}      with its bodies, the rule, and how often the same was refused
 */
#include <stdlib.h>
#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "base/time.h"
#include "db/message.h"
#include "db/partner.h"
#include "hub/ops/ops.h"
#include "hub/request.h"
#include "ocpi/rule.h"

enum { LIMIT_DEFAULT = 50, LIMIT_MAX = 500, ANSWER_BYTES = 8 * 1024 * 1024 };

struct reading {
    const char *document;
};

/* ---- the list ---- */

static struct err read_time(struct flow *f, const char *name, int64_t *ret)
{
    const char *text = request_query(f, name);

    *ret = TIME_NONE;
    if (text && *text && !time_parse(text, TIME_RFC3339, ret))
        return err_at(f->arena, ERR_BAD_FIELD, name, "%s must be a time like 2026-01-31T12:00:00Z",
                      name);
    return OK;
}

static struct err read_limit(struct flow *f, int64_t *ret)
{
    const char *text = request_query(f, "limit");
    char *end;

    *ret = LIMIT_DEFAULT;
    if (!text || !*text)
        return OK;
    long value = strtol(text, &end, 10);
    if (*end || value < 1 || value > LIMIT_MAX)
        return err_at(f->arena, ERR_BAD_FIELD, "limit", "limit must be a number from 1 to %d",
                      LIMIT_MAX);
    *ret = value;
    return OK;
}

static struct err read_partner(struct flow *f, int64_t *ret)
{
    const char *which = request_query(f, "partner");

    *ret = 0;
    if (!which || !*which)
        return OK;
    const struct partner *p = partner_named(f, which);
    if (!p)
        return err_at(f->arena, ERR_BAD_FIELD, "partner", "no partner has the number or name %s",
                      which);
    *ret = p->id;
    return OK;
}

static struct err read_before(struct flow *f, const char **ret)
{
    char id[UUID_TEXT];
    const char *text = request_query(f, "before");

    *ret = text && *text ? text : NULL;
    if (*ret && !id_uuid_parse(*ret, id))
        return err_at(f->arena, ERR_BAD_FIELD, "before", "before must be the id of a message");
    return OK;
}

static const char *given(struct flow *f, const char *name)
{
    const char *text = request_query(f, name);

    return text && *text ? text : NULL;
}

static enum flow_next find(struct flow *f)
{
    struct reading *r = f->state;
    const char *refused = request_query(f, "refused");
    struct message_filter filter = {
        .module = given(f, "module"),
        .object_id = given(f, "object"),
        .correlation_id = given(f, "correlation_id"),
        .session_id = given(f, "session_id"),
        .refused = refused && (strcmp(refused, "true") == 0 || strcmp(refused, "1") == 0),
    };

    FLOW_TRY(f, read_partner(f, &filter.partner_id));
    FLOW_TRY(f, read_time(f, "since", &filter.from_us));
    FLOW_TRY(f, read_time(f, "until", &filter.to_us));
    FLOW_TRY(f, read_before(f, &filter.before));
    FLOW_TRY(f, read_limit(f, &filter.limit));
    return message_list(f, &filter, &r->document);
}

static enum flow_next answer_list(struct flow *f)
{
    struct reading *r = f->state;
    struct text t;

    text_init(&t, f->arena, ANSWER_BYTES);
    json_begin_object(&t, NULL);
    json_put_raw(&t, "items", r->document);
    json_end_object(&t);
    return reply_json(f, 200, &t);
}

static const struct flow_step list_steps[] = {{"find", find}, {"answer", answer_list}, {0}};
const struct flow_type list_messages_flow = {
    .name = "list_messages",
    .state_size = sizeof(struct reading),
    .deadline_ms = SECONDS(10),
    .steps = list_steps,
};

/* ---- one ---- */

static enum flow_next read_one(struct flow *f)
{
    struct reading *r = f->state;
    char id[UUID_TEXT];

    if (!id_uuid_parse(request_of(f)->params[0], id))
        return flow_fail(f, err_at(f->arena, ERR_NOT_FOUND, NULL,
                                   "no such message: its id is a UUID that the list shows"));
    return message_show(f, arena_text(f->arena, id), &r->document);
}

/* The row as it is, and what its rule says. */
static enum flow_next answer_one(struct flow *f)
{
    struct reading *r = f->state;
    json_t *document;
    size_t length;

    if (!r->document)
        return flow_fail(f, err_at(f->arena, ERR_NOT_FOUND, NULL, "no such message"));
    FLOW_TRY(f, json_read(f->arena, r->document, strlen(r->document), 0, &document));
    const struct rule *rule = rule_find(json_text_of(document, "rule"));
    if (rule)
        json_object_set_new(
            document, "rule_text",
            json_pack("{s:s, s:s}", "ocpi_section", rule->section, "says", rule->text));
    return reply_json_text(f, 200, json_text(f->arena, document, &length));
}

static const struct flow_step show_steps[] = {{"read", read_one}, {"answer", answer_one}, {0}};
const struct flow_type show_message_flow = {
    .name = "show_message",
    .state_size = sizeof(struct reading),
    .deadline_ms = SECONDS(10),
    .steps = show_steps,
};
