/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Manual CDRs: what is known of a session for which a person writes the record that its network
 * does not send. It is drafted and confirmed by db/cdr.h.
 */
#ifndef DB_MANUAL_CDR_H
#define DB_MANUAL_CDR_H

#include "base/flow.h"

struct manual_cdr_facts {
    bool found;
    bool going_on; /* pending or active */
    const char *currency, *country_code, *party_id;
    const char *token_uid;
    const char *network_session_id; /* NULL: never told */
    const char *place;              /* a CdrLocation of 2.2.1, as JSON */
};
enum flow_next manual_cdr_facts(struct flow *f, const char *session_id,
                                struct manual_cdr_facts *ret);

#endif
