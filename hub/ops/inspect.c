/* SPDX-License-Identifier: Apache-2.0 */
/* One session with all that belongs to it: events, operations, CDR, receipt. */
#include "db/inspect.h"
#include "base/text.h"
#include "base/time.h"
#include "hub/api/validate.h"
#include "hub/ops/ops.h"
#include "hub/request.h"

struct inspecting {
    char id[UUID_TEXT];
    const char *document;
};

static enum flow_next read_row(struct flow *f)
{
    struct inspecting *s = f->state;

    FLOW_TRY(f, path_session_id(f, s->id));
    return session_inspect(f, s->id, &s->document);
}

static enum flow_next answer(struct flow *f)
{
    struct inspecting *s = f->state;

    if (!s->document)
        return flow_fail(f, err_new(ERR_SESSION_NOT_FOUND));
    return reply_json_text(f, 200, s->document);
}

static const struct flow_step steps[] = {{"read", read_row}, {"answer", answer}, {0}};
const struct flow_type inspect_session_flow = {
    .name = "inspect_session",
    .state_size = sizeof(struct inspecting),
    .deadline_ms = SECONDS(10),
    .steps = steps,
};
