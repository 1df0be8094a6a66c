/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: what the hub does without being asked at this moment. Every worker runs all of them; the
 * database hands each piece of work to one (SKIP LOCKED).
 */
#ifndef HUB_JOBS_JOBS_H
#define HUB_JOBS_JOBS_H

#include "hub/hub.h"

struct session;

void jobs_start(struct hub *hub); /* timers of the loop: operations, timers, pulls, probes */
void jobs_stop(struct hub *hub);  /* takes up nothing new */

/* What has to happen after each change of a session: the live view, the commands that are due. */
void after_session_change(struct hub *hub, const struct session *s);

/* Sends what is due for a session (or for any: NULL) now. */
void dispatch_operations(struct hub *hub, const char *session_id);

/* The status answer as it lies in Redis, and its end for the reader: hub/jobs/status_json.c. The
 * text has a hole where duration_minutes goes. */
char *status_answer(struct arena *a, const struct session *s);
char *status_owner(struct arena *a, const struct session *s);
/* Fills the hole; whole answer with the ETag's value. False if the text is none of ours: the cache
 * may hold what another release wrote. */
bool status_finish(struct arena *a, const char *answer, int64_t version, int64_t now_us,
                   const char **ret_body, const char **ret_etag, const char **ret_status);

#endif
