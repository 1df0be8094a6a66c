/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deeds and their keys.
 */
#include "hub/finance/deed.h"

#include <string.h>

#include "base/id.h"
#include "base/json.h"
#include "base/text.h"
#include "hub/server/http_server.h"

enum { KEY_MAX = 200 };

struct err deed_read(struct flow *f, struct deed *d, bool required)
{
    const struct request *r = request_of(f);
    const char *key = http_header(r->http, "Idempotency-Key");
    size_t length = key ? strlen(key) : 0;

    d->idempotency = (struct idempotency){0};
    if (!key)
        return required ? err_new(ERR_IDEMPOTENCY_REQUIRED) : OK;
    if (!length || length > KEY_MAX || !text_is_printable_ascii(key) ||
        http_header_count(r->http, "Idempotency-Key") > 1)
        return err_new(ERR_BAD_IDEMPOTENCY_KEY);
    const char *body = r->json ? json_canonical(f->arena, r->json) : "";
    d->idempotency = (struct idempotency){
        .key = key, .caller = r->caller.name, .method = r->http->method, .path = r->http->path};
    id_sha256_hex(body, strlen(body), d->idempotency.body_hash);
    return OK;
}

enum flow_next deed_begin(struct flow *f, struct deed *d)
{
    return idempotency_begin(f, &d->idempotency, &d->earlier);
}

bool deed_is_new(struct flow *f, struct deed *d)
{
    static const struct reply_header replay = {"Idempotent-Replay", "true"};
    const struct idempotency_record *r = &d->earlier;

    switch (r->state) {
    case IDEMPOTENCY_NONE:
        return true;
    case IDEMPOTENCY_DONE:
        reply(f, r->status, "application/json", r->body, strlen(r->body), &replay, 1);
        break;
    case IDEMPOTENCY_RUNNING:
        reply_problem(f, ERR_IDEMPOTENCY_RUNNING, NULL, 1, NULL, 0);
        break;
    case IDEMPOTENCY_OTHER_BODY:
        reply_problem(f, ERR_IDEMPOTENCY_REUSED, NULL, 0, NULL, 0);
        break;
    }
    d->idempotency.key = NULL; /* what is kept stays as it is */
    return false;
}

enum flow_next deed_done(struct deed *d, int status, const struct text *body)
{
    d->status = status;
    d->answer = body->bytes;
    return FLOW_NEXT;
}

enum flow_next deed_keep(struct flow *f, struct deed *d)
{
    if (!d->idempotency.key)
        return FLOW_NEXT;
    if (d->answer && !failed(f->err))
        return idempotency_finish(f, &d->idempotency, d->status, d->answer);
    return idempotency_forget(f, &d->idempotency);
}

enum flow_next deed_answer(struct flow *f, const struct deed *d)
{
    return reply_json_text(f, d->status, d->answer);
}

bool deed_second_person(const char *asker, const char *confirmer)
{
    static const char STAFF[] = "staff:";

    return strncmp(confirmer, STAFF, sizeof STAFF - 1) == 0 && strcmp(asker, confirmer) != 0;
}

bool deed_text_is_good(const char *text, size_t most)
{
    size_t count = text ? text_utf8_count(text) : 0;

    for (const char *c = text ? text : ""; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return false;
    return count > 0 && count <= most;
}
