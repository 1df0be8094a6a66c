/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CDR intake: the one way in which a CDR becomes a receipt, whether a partner posted it, our own
 * pull found it, the job looks at it again, or a person decides about it.
 *
 *    look (db) --> price (pure) --> file, with all effects, in one transaction (db)
 *      ^                                        |
 *      +--- the situation has changed meanwhile +--> a credit that had come before: the same for it
 *
 * The caller then tells the live view of result.session (after_session_change).
 */
#ifndef HUB_FINANCE_INTAKE_H
#define HUB_FINANCE_INTAKE_H

#include <jansson.h>

#include "base/flow.h"
#include "db/cdr.h"
#include "hub/finance/cdr_price.h"

struct cdr_intake {
    /* One that has just come, as put and as document; */
    struct cdr_put put;
    const json_t *document;
    /* or one that is stored: its row, who asks ("hub", "finance:anna"), whose it is if a person
     * says so, and whether a person wants it billed whatever was found. */
    int64_t stored;
    const char *by;
    const char *session_id;
    bool confirmed;
    /* Result: STORED, REPEATED, CONFLICT; of a stored one SETTLED, OVER, SAME_PERSON. */
    struct cdr_stored result;
    struct cdr_priced priced;
    /* as it goes */
    enum {
        CDR_INTAKE_BEGIN,
        CDR_INTAKE_PARSE,
        CDR_INTAKE_FILE,
        CDR_INTAKE_TOLD,
        CDR_INTAKE_CREDIT
    } phase_;
    int tries_;
    struct cdr_row row_;
    struct cdr_round *round_; /* what the last look at it has left */
    struct cdr_intake *credit_;
};

/* Returned from a step until it says FLOW_NEXT. ERR_OBJECT_NOT_FOUND: there is no such row. */
enum flow_next cdr_intake_run(struct flow *f, struct cdr_intake *in);

#endif
