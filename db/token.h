/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens: what our users charge with. One APP_USER token per user, made at the first start (by
 * session_start); towards networks that return no authorization_reference one per start.
 */
#ifndef DB_TOKEN_H
#define DB_TOKEN_H

#include "base/flow.h"

struct token_row {
    const char *uid, *type, *contract_id;
    bool valid;
    int64_t last_updated_us;
};
struct token_page {
    struct token_row *items;
    size_t count;
    int64_t total;
};
/* Ordered by creation; date_to exclusive; TIME_NONE: open. */
enum flow_next token_list(struct flow *f, int64_t date_from_us, int64_t date_to_us, int64_t offset,
                          int64_t limit, struct token_page *ret);

struct token_found {
    bool found;
    struct token_row token;
    bool live_command; /* a start with it is open: ALLOWED (R-CMD-03) */
    const char *authorization_reference; /* of that start */
};
/* type NULL or "": the default, RFID (R-TOK-01). */
enum flow_next token_find(struct flow *f, int64_t partner_id, const char *uid, const char *type,
                          struct token_found *ret);

#endif
