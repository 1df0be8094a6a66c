/* SPDX-License-Identifier: Apache-2.0 */
/* The answer about a CDR that was decided. */
#include "hub/finance/cdr_answer.h"

enum { ANSWER_MAX = 4096 };

void cdr_answer_print(struct flow *f, struct text *out, int64_t cdr, const char *cdr_id,
                      const struct cdr_stored *r)
{
    bool has_session = r->session.id[0];

    text_init(out, f->arena, ANSWER_MAX);
    json_begin_object(out, NULL);
    json_put_int(out, "id", cdr);
    json_put_text(out, "cdr_id", cdr_id);
    json_put_text(out, "filed", r->filed);
    json_put_text(out, "class", r->class);
    json_put_text(out, "receipt_number", r->receipt);
    json_put_text(out, "session_id", has_session ? r->session.id : NULL);
    json_put_text(out, "session_status", has_session ? session_state_name(r->session.state) : NULL);
    json_end_object(out);
}
