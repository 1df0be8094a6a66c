/* SPDX-License-Identifier: Apache-2.0 */
/* Health and metrics (contract section 12). */
#include <string.h>

#include "base/metrics.h"
#include "base/text.h"
#include "db/contract.h"
#include "db/db.h"
#include "db/partner.h"
#include "hub/hub.h"
#include "hub/ops/ops.h"
#include "hub/request.h"
#include "hub/server/authenticate.h"

enum { METRICS_BYTES = 8 * 1024 * 1024 };

/* The process runs: nothing else is asked. */
static enum flow_next healthz(struct flow *f)
{
    return reply_json_text(f, 200, "{\"status\":\"ok\"}");
}

static const struct flow_step healthz_steps[] = {{"answer", healthz}, {0}};
const struct flow_type healthz_flow = {.name = "healthz", .steps = healthz_steps};

static enum flow_next readyz(struct flow *f)
{
    const struct hub *hub = hub_of(f);
    bool database = db_health() == DB_UP;
    bool keys = authenticator_ready(hub->authenticator);
    bool partners = partner_register_ready();
    bool contracts = contracts_ready();
    bool ready = database && keys && partners && contracts && !hub->draining;
    struct text t;

    text_init(&t, f->arena, 4096);
    json_begin_object(&t, NULL);
    json_put_text(&t, "status", ready ? "ready" : "not ready");
    json_begin_object(&t, "checks");
    json_put_text(&t, "database", database ? "ok" : db_health_text());
    json_put_text(&t, "redis", db_redis_up() ? "ok" : "down: answers come from the database");
    json_put_text(&t, "jwt_keys", keys ? "ok" : "no key that signs users' tokens is known");
    json_put_text(&t, "partners", partners ? "ok" : "the register has not been read yet");
    json_put_text(&t, "contracts", contracts ? "ok" : "they have not been read yet");
    json_put_text(&t, "draining", hub->draining ? "this process is stopping" : "no");
    json_end_object(&t);
    json_end_object(&t);
    return reply_json(f, ready ? 200 : 503, &t);
}

static const struct flow_step readyz_steps[] = {{"answer", readyz}, {0}};
const struct flow_type readyz_flow = {.name = "readyz", .steps = readyz_steps};

static enum flow_next metrics(struct flow *f)
{
    struct text t;

    text_init(&t, f->arena, METRICS_BYTES);
    metrics_print(&t);
    return reply(f, 200, "text/plain; version=0.0.4; charset=utf-8", t.bytes, t.length, NULL, 0);
}

static const struct flow_step metrics_steps[] = {{"print", metrics}, {0}};
const struct flow_type metrics_flow = {.name = "metrics", .steps = metrics_steps};
