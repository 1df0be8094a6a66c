/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outcomes: what a partner's answer to a command means. Two answers exist (R-ASYNC-01): the
 * response to our request says whether the partner takes it on, the later result what the charge
 * point did.
 *
 * Pure tables: the state machines that act on them live elsewhere.
 */
#ifndef OCPI_OUTCOME_H
#define OCPI_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include "ocpi/envelope.h"

enum outcome_ask {
    OUTCOME_OF_START,
    OUTCOME_OF_STOP,
    OUTCOME_OF_UNLOCK,
    OUTCOME_OF_RESERVE,
    OUTCOME_OF_CANCEL_RESERVATION,
    OUTCOME_OF_SET_PROFILE,
    OUTCOME_OF_CLEAR_PROFILE,
    OUTCOME_OF_GET_PROFILE,
};

enum ocpi_outcome {
    OCPI_OUTCOME_ACCEPTED,        /* response: taken on, result follows; result: done */
    OCPI_OUTCOME_REJECTED,        /* final; failure_code says why */
    OCPI_OUTCOME_NOT_SUPPORTED,   /* final */
    OCPI_OUTCOME_UNKNOWN_SESSION, /* the partner does not know the session: ask for its status */
    OCPI_OUTCOME_TOO_OFTEN,       /* profiles: try later (R-CP-05) */
    OCPI_OUTCOME_UNCLEAR,         /* nobody knows whether it took effect */
    OCPI_OUTCOME_RETRY,           /* a stop that may simply be sent again */
    OCPI_OUTCOME_IGNORED,         /* the word means nothing for this command */
    OCPI_OUTCOME_NOT_SENT,        /* no byte of the request left: said by who sends, never here */
};

struct outcome {
    enum ocpi_outcome kind;
    const char *failure_code; /* word of the REST API for a failure, else NULL */
    const char *word;         /* the partner's own word where there was one; borrowed */
    int64_t timeout_s;        /* response: the partner's `timeout`, 0 if none (R-ASYNC-03) */
    bool no_timeout;          /* response: taken on, and no `timeout` with it: 2.1.1 has none */
    bool deviation;           /* survived, but not what OCPI says: worth a log line */
    bool our_fault;           /* the partner says that our message was wrong: alarm */
};

const char *ocpi_outcome_name(enum ocpi_outcome outcome);

/* The response to a command or a charging profile request. The whole answer was read; a request
 * that got none is UNCLEAR or not sent, which the HTTP client knows. */
struct outcome outcome_of_response(enum outcome_ask ask, const struct envelope *answer);
/* The asynchronous body's `result`; any word, NULL included. */
struct outcome outcome_of_result(enum outcome_ask ask, const char *word);

/* What a Session's status says about ours. */
enum session_word {
    SESSION_WORD_PENDING, /* PENDING, RESERVATION */
    SESSION_WORD_ACTIVE,
    SESSION_WORD_ENDED, /* COMPLETED */
    SESSION_WORD_INVALID,
    SESSION_WORD_UNKNOWN, /* any other word: stored, changes nothing */
};
enum session_word session_word_of(const char *status);
/* Moves that OCPI knows (R-SESS-03), by the words of the documents; staying is allowed. */
bool session_move_allowed(const char *from, const char *to);

#endif
