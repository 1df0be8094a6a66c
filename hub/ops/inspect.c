/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session with all that belongs to it: events, operations, quote, CDR, receipt; and what it
 * costs so far, its driver and us.
 */
#include "db/inspect.h"

#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "db/retail.h"
#include "hub/api/validate.h"
#include "hub/finance/session_price.h"
#include "hub/ops/ops.h"
#include "hub/request.h"

enum { DOCUMENT_BYTES = 12 * 1024 * 1024 };

struct inspecting {
    char id[UUID_TEXT];
    const char *document;
    struct session_price_context price;
};

static enum flow_next read_row(struct flow *f)
{
    struct inspecting *s = f->state;

    FLOW_TRY(f, path_session_id(f, s->id));
    return session_inspect(f, s->id, &s->document);
}

static enum flow_next read_price(struct flow *f)
{
    struct inspecting *s = f->state;

    if (!s->document)
        return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
    return session_price_context_read(f, s->id, &s->price);
}

/* The document with one member more. */
static enum flow_next answer(struct flow *f)
{
    struct inspecting *s = f->state;
    struct text price, t;

    if (!s->price.found)
        return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
    text_init(&price, f->arena, DOCUMENT_BYTES);
    session_price_put(f, &s->price, time_now_us(), &price, NULL);
    text_init(&t, f->arena, DOCUMENT_BYTES);
    text_add_bytes(&t, s->document, strlen(s->document) - 1);
    text_printf(&t, ", \"live_cost\": %s}", price.bytes);
    return reply_json(f, 200, &t);
}

static const struct flow_step steps[] = {
    {"read", read_row}, {"read what prices it", read_price}, {"answer", answer}, {0}};
const struct flow_type inspect_session_flow = {
    .name = "inspect_session",
    .state_size = sizeof(struct inspecting),
    .deadline_ms = SECONDS(10),
    .steps = steps,
};
