/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OCPI client: one request to a partner, with the headers OCPI wants and the envelope read.
 *
 *   Authorization by the partner's auth_encoding, fresh X-Request-ID, the flow's X-Correlation-ID
 *   (or a new one), routing headers on functional modules only (R-ROUTE-02): FROM our_party of the
 *   peer, TO its their_party. Who carries a message for others sets both in a copy of the peer.
 *
 * Each exchange is reported to the observer (the message log); the library does not know databases.
 */
#ifndef ADAPTERS_OCPI_CLIENT_H
#define ADAPTERS_OCPI_CLIENT_H

#include <jansson.h>

#include "adapters/http_client.h"
#include "base/flow.h"
#include "ocpi/envelope.h"
#include "ocpi/peer.h"

struct ocpi_call {
    const struct peer *peer;
    const char *token; /* instead of the peer's own: handshakes (token A or B); else NULL */
    const char *method;
    const char *module; /* "commands"; for the log and to tell functional from configuration */
    const char *url;    /* complete */
    const char *body;   /* JSON text or NULL */
    bool once_only;
    bool reuses;      /* with once_only: see http_client.h */
    bool one_object;  /* the answer's data is one object: a list of one is read as it where the
                         partner has the quirk list_for_object */
    int64_t total_ms; /* 0: the default of the module */
    size_t max_answer;
    size_t max_values;          /* JSON values in the answer; 0: the default */
    bool unjudged;              /* a test: its outcome does not count for the breaker */
    const char *session_id;     /* for the log; NULL */
    const char *object_id;      /* for the log; NULL */
    const char *losses;         /* for the log: what the body could not say, JSON list; NULL */
    const char *correlation_id; /* of a message that is carried for others; NULL: the flow's */
    const char *request_id;     /* a UUID, fresh for each sending; NULL: the client makes one */
};

struct ocpi_answer {
    struct http_answer http;
    struct envelope envelope; /* the same as ocpi/ reads it: for outcome_of_response */
    bool has_envelope;
    int status_code; /* OCPI; 3000 where an HTTP 2xx had no envelope (R-TRANS-36) */
    const char *status_message;
    const json_t *data; /* NULL where absent or null; lives in the flow's arena */
    const char *request_id, *correlation_id; /* what was sent */
};

/* Never fails the flow. */
enum flow_next ocpi_send(struct flow *f, const struct ocpi_call *call, struct ocpi_answer *ret);

/* ERR_NONE for HTTP 2xx with 1xxx; else PEER_TIMEOUT, PEER_UNREACHABLE, PEER_ERROR, PEER_REJECTED
 * with a text that says what came. */
struct err ocpi_answer_err(struct arena *a, const struct ocpi_answer *answer);

/* Seen for each finished exchange, even if the flow that asked has gone; set once at start.
 * Pointers live during the call only; the peer is a copy without token, endpoints and hosts. */
struct ocpi_exchange {
    const struct ocpi_call *call;
    const struct ocpi_answer *answer;
    const char *request_id, *correlation_id;
    int64_t started_us;
};
void ocpi_client_observe(void (*seen)(const struct ocpi_exchange *exchange));

#endif
