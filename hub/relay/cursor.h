/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cursors: the Link of a list that we relay leads back to us (R-ROUTE-51).
 *
 *    receiver: Link: <https://cpo.example/sessions?offset=50&limit=50&...>; rel="next"
 *    we:       Link: <{our endpoint}?cursor=2f9...&offset=50&limit=50&date_from=...>; rel="next"
 *
 * The cursor is a random name of a row. A sealed cursor that carries the receiver's URL itself
 * would save the row, but not fit: that URL alone may have the 255 characters which our Link may
 * have, and sealing adds a half. The row is written once per page that is asked for, lives two
 * hours, survives a restart and is the same in every process. What stands behind the cursor is for
 * people: only the row counts.
 */
#ifndef HUB_RELAY_CURSOR_H
#define HUB_RELAY_CURSOR_H

#include "base/flow.h"
#include "db/relay_cursor.h"
#include "ocpi/peer.h"

/* For whom, and of what, the list is; all but id, receiver_id and next_url of `c` are filled.
 * `link` is the receiver's Link header (NULL: none), `endpoint` and `query` are those of the
 * request to us. *ret_link is our header's value: NULL where there is no next page, or where the
 * receiver's would lead away from its hosts (R-TRANS-47). */
enum flow_next cursor_make(struct flow *f, struct relay_cursor *c, const struct peer *receiver,
                           const char *link, const char *endpoint, const char *query,
                           const char **ret_link);

/* The parameter `cursor` of a query; NULL: it has none. A bad one is "". */
const char *cursor_in(struct arena *a, const char *query);

/* Follows it: fills next_url and receiver_id of `c`, of which the rest says who asks and of what.
 * Fails with 2001 where the cursor is unknown, of another, or over (R-ROUTE-51). The step has to be
 * followed by cursor_opened. */
struct cursor_open {
    const struct relay_cursor *ask;
    struct relay_cursor_found found;
};
enum flow_next cursor_look_up(struct flow *f, const char *cursor, struct cursor_open *o);
struct err cursor_opened(struct arena *a, const struct cursor_open *o, struct relay_cursor *ret);

/* Pure: our URL with the cursor in it, at most 255 characters; filters that would make it longer
 * are left out. `next_url` gives offset and limit. NULL: the endpoint itself is too long. */
const char *cursor_url(struct arena *a, const char *endpoint, const char *query, const char *id,
                       const char *next_url);

#endif
