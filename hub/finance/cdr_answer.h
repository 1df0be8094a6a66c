/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDR answer: what became of a CDR about which a person has decided.
 *
 *   {id, cdr_id, filed, class, receipt_number, session_id, session_status}
 */
#ifndef HUB_FINANCE_CDR_ANSWER_H
#define HUB_FINANCE_CDR_ANSWER_H

#include <stdint.h>

#include "base/flow.h"
#include "base/text.h"
#include "db/cdr.h"

/* The text lives in the flow's arena. */
void cdr_answer_print(struct flow *f, struct text *out, int64_t cdr, const char *cdr_id,
                      const struct cdr_stored *r);

#endif
