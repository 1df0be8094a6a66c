/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Outcomes: the tables of what a partner's answers mean.
 */
#include "ocpi/outcome.h"

#include <string.h>

#include "base/json.h"

/* Words of the REST API for failed sessions. */
#define REJECTED_BY_NETWORK "rejected_by_network"
#define EVSE_OCCUPIED "evse_occupied"
#define EVSE_INOPERATIVE "evse_inoperative"
#define NOT_SUPPORTED "not_supported"
#define TOKEN_UNKNOWN "token_unknown"
#define START_TIMEOUT "start_timeout"
#define NETWORK_UNREACHABLE "network_unreachable"
#define NETWORK_ERROR "network_error"

const char *ocpi_outcome_name(enum ocpi_outcome outcome)
{
    static const char *const names[] = {
        [OCPI_OUTCOME_ACCEPTED] = "accepted",
        [OCPI_OUTCOME_REJECTED] = "rejected",
        [OCPI_OUTCOME_NOT_SUPPORTED] = "not_supported",
        [OCPI_OUTCOME_UNKNOWN_SESSION] = "unknown_session",
        [OCPI_OUTCOME_TOO_OFTEN] = "too_often",
        [OCPI_OUTCOME_UNCLEAR] = "unclear",
        [OCPI_OUTCOME_RETRY] = "retry",
        [OCPI_OUTCOME_IGNORED] = "ignored",
        [OCPI_OUTCOME_NOT_SENT] = "not_sent",
    };

    return names[outcome];
}

static struct outcome outcome(enum ocpi_outcome kind, const char *failure_code)
{
    return (struct outcome){.kind = kind, .failure_code = failure_code};
}

/* --- the response --- */

static const struct response_word {
    const char *word;
    enum ocpi_outcome kind;
    const char *failure_code;
    bool deviation;
} response_words[] = {
    {"ACCEPTED", OCPI_OUTCOME_ACCEPTED, NULL, false},
    {"REJECTED", OCPI_OUTCOME_REJECTED, REJECTED_BY_NETWORK, false},
    {"NOT_SUPPORTED", OCPI_OUTCOME_NOT_SUPPORTED, NOT_SUPPORTED, false},
    {"UNKNOWN_SESSION", OCPI_OUTCOME_UNKNOWN_SESSION, NETWORK_ERROR, false},
    {"TOO_OFTEN", OCPI_OUTCOME_TOO_OFTEN, REJECTED_BY_NETWORK, false},
    {"TIMEOUT", OCPI_OUTCOME_UNCLEAR, NULL, false}, /* 2.1.1 */
    /* In the diagrams of 2.1.1 only (R-BR-44). */
    {"SUCCESSFUL", OCPI_OUTCOME_ACCEPTED, NULL, true},
    {"UNKOWN_LOCATION", OCPI_OUTCOME_REJECTED, EVSE_INOPERATIVE, true},
    {"UNKNOWN_LOCATION", OCPI_OUTCOME_REJECTED, EVSE_INOPERATIVE, true},
};

/* A status_code that is no success decides before any data does. */
static struct outcome of_status_code(int64_t code)
{
    struct outcome ret;

    switch (code) {
    case OCPI_UNKNOWN_LOCATION:
        /* The EVSE is not there for the partner: nothing to be started. */
        return outcome(OCPI_OUTCOME_REJECTED, EVSE_INOPERATIVE);
    case OCPI_UNKNOWN_TOKEN:
        return outcome(OCPI_OUTCOME_REJECTED, TOKEN_UNKNOWN);
    case OCPI_HUB_TIMEOUT:
        return outcome(OCPI_OUTCOME_UNCLEAR, NULL);
    case OCPI_UNKNOWN_RECEIVER:
    case OCPI_HUB_CONNECTION:
        return outcome(OCPI_OUTCOME_REJECTED, NETWORK_UNREACHABLE);
    default:
        break;
    }
    switch (status_class(code)) {
    case STATUS_CLIENT:
        ret = outcome(OCPI_OUTCOME_REJECTED, NETWORK_ERROR);
        ret.our_fault = true;
        return ret;
    case STATUS_SERVER:
        return outcome(OCPI_OUTCOME_REJECTED, NETWORK_ERROR);
    case STATUS_HUB: /* 4000: a hub in between failed, before or after it passed the request on */
    case STATUS_UNKNOWN:
    case STATUS_SUCCESS:
        break;
    }
    ret = outcome(OCPI_OUTCOME_UNCLEAR, NULL);
    ret.deviation = status_class(code) == STATUS_UNKNOWN;
    return ret;
}

static struct outcome of_response_word(const char *word)
{
    struct outcome ret;

    for (size_t i = 0; i < sizeof(response_words) / sizeof(response_words[0]); i++) {
        if (strcmp(response_words[i].word, word) == 0) {
            ret = outcome(response_words[i].kind, response_words[i].failure_code);
            ret.word = word;
            ret.deviation = response_words[i].deviation;
            return ret;
        }
    }
    /* No word that says yes: nothing was promised, but nobody can be sure. */
    ret = outcome(OCPI_OUTCOME_UNCLEAR, NULL);
    ret.word = word;
    ret.deviation = true;
    return ret;
}

/* Seconds; 0 where the partner gives none or nonsense. */
static int64_t read_timeout(const json_t *data)
{
    const json_t *value = json_object_get(data, "timeout");
    int64_t seconds;

    if (!value || !json_number_u6(value, true, &seconds) || seconds < 0)
        return 0;
    return seconds / 1000000;
}

/* What HTTP says where that alone decides; false to look at the body. */
static bool of_http_status(const struct envelope *answer, struct outcome *ret)
{
    int http = answer->http_status;

    if (http == 401 || http == 403) {
        *ret = outcome(OCPI_OUTCOME_REJECTED, NETWORK_ERROR);
        ret->our_fault = true;
        return true;
    }
    if (http >= 500 || http < 200) {
        *ret = outcome(OCPI_OUTCOME_UNCLEAR, NULL);
        return true;
    }
    if (http < 300)
        return false;
    /* A code of OCPI says more than 404 or 405 do. */
    if (answer->state == ENVELOPE_GOOD && status_class(answer->status_code) != STATUS_SUCCESS &&
        answer->status_code != OCPI_CLIENT_ERROR && answer->status_code != OCPI_SERVER_ERROR)
        return false;
    if (http == 404 || http == 405) {
        *ret = outcome(OCPI_OUTCOME_NOT_SUPPORTED, NOT_SUPPORTED);
    } else {
        *ret = outcome(OCPI_OUTCOME_REJECTED, NETWORK_ERROR);
        ret->our_fault = http == 400;
    }
    return true;
}

struct outcome outcome_of_response(enum outcome_ask ask, const struct envelope *answer)
{
    const char *word = json_text_of(answer->data, "result");
    struct outcome ret;

    if (of_http_status(answer, &ret))
        return ret;
    if (answer->state == ENVELOPE_NOT_JSON)
        return outcome(OCPI_OUTCOME_UNCLEAR, NULL);
    if (answer->state == ENVELOPE_MISSING && answer->status_code != OCPI_SUCCESS) {
        ret = outcome(OCPI_OUTCOME_UNCLEAR, NULL);
        ret.deviation = true;
        return ret;
    }
    if (status_class(answer->status_code) != STATUS_SUCCESS) {
        ret = of_status_code(answer->status_code);
        ret.word = word;
        return ret;
    }
    if (!word) {
        ret = outcome(OCPI_OUTCOME_ACCEPTED, NULL);
        ret.deviation = true;
        return ret;
    }
    ret = of_response_word(word);
    ret.timeout_s = read_timeout(answer->data);
    ret.no_timeout = ret.kind == OCPI_OUTCOME_ACCEPTED && ret.timeout_s == 0;
    /* Words of the other kind of request are odd, but their meaning is plain. */
    if (ret.kind == OCPI_OUTCOME_TOO_OFTEN && ask < OUTCOME_OF_SET_PROFILE)
        ret.deviation = true;
    return ret;
}

/* --- the result --- */

/* clang-format off */
static const struct result_row {
    const char *word;
    struct { enum ocpi_outcome kind; const char *failure_code; } start, stop, other;
} result_rows[] = {
    {"ACCEPTED",
        {OCPI_OUTCOME_ACCEPTED, NULL},
        {OCPI_OUTCOME_ACCEPTED, NULL},
        {OCPI_OUTCOME_ACCEPTED, NULL}},
    {"EVSE_OCCUPIED",
        {OCPI_OUTCOME_REJECTED, EVSE_OCCUPIED},
        {OCPI_OUTCOME_IGNORED, NULL},
        {OCPI_OUTCOME_REJECTED, EVSE_OCCUPIED}},
    {"EVSE_INOPERATIVE",
        {OCPI_OUTCOME_REJECTED, EVSE_INOPERATIVE},
        {OCPI_OUTCOME_RETRY, NULL},
        {OCPI_OUTCOME_REJECTED, EVSE_INOPERATIVE}},
    {"FAILED",
        {OCPI_OUTCOME_REJECTED, REJECTED_BY_NETWORK},
        {OCPI_OUTCOME_REJECTED, REJECTED_BY_NETWORK},
        {OCPI_OUTCOME_REJECTED, REJECTED_BY_NETWORK}},
    {"REJECTED",
        {OCPI_OUTCOME_REJECTED, REJECTED_BY_NETWORK},
        {OCPI_OUTCOME_REJECTED, REJECTED_BY_NETWORK},
        {OCPI_OUTCOME_REJECTED, REJECTED_BY_NETWORK}},
    {"TIMEOUT",
        {OCPI_OUTCOME_REJECTED, START_TIMEOUT},
        {OCPI_OUTCOME_RETRY, NULL},
        {OCPI_OUTCOME_UNCLEAR, NULL}},
    {"NOT_SUPPORTED",
        {OCPI_OUTCOME_NOT_SUPPORTED, NOT_SUPPORTED},
        {OCPI_OUTCOME_NOT_SUPPORTED, NOT_SUPPORTED},
        {OCPI_OUTCOME_NOT_SUPPORTED, NOT_SUPPORTED}},
    {"UNKNOWN_SESSION", /* 2.1.1 */
        {OCPI_OUTCOME_REJECTED, NETWORK_ERROR},
        {OCPI_OUTCOME_UNKNOWN_SESSION, NULL},
        {OCPI_OUTCOME_REJECTED, NETWORK_ERROR}},
    /* In the diagrams of 2.1.1 only (R-BR-44). */
    {"SUCCESSFUL",
        {OCPI_OUTCOME_ACCEPTED, NULL},
        {OCPI_OUTCOME_ACCEPTED, NULL},
        {OCPI_OUTCOME_ACCEPTED, NULL}},
    {"UNKOWN_LOCATION",
        {OCPI_OUTCOME_REJECTED, EVSE_INOPERATIVE},
        {OCPI_OUTCOME_RETRY, NULL},
        {OCPI_OUTCOME_REJECTED, EVSE_INOPERATIVE}},
    {"UNKNOWN_LOCATION",
        {OCPI_OUTCOME_REJECTED, EVSE_INOPERATIVE},
        {OCPI_OUTCOME_RETRY, NULL},
        {OCPI_OUTCOME_REJECTED, EVSE_INOPERATIVE}},
};
/* clang-format on */

static struct outcome of_profile_result(enum outcome_ask ask, const char *word)
{
    if (word && strcmp(word, "ACCEPTED") == 0)
        return outcome(OCPI_OUTCOME_ACCEPTED, NULL);
    if (word && strcmp(word, "REJECTED") == 0)
        return outcome(OCPI_OUTCOME_REJECTED, REJECTED_BY_NETWORK);
    /* UNKNOWN says that no profile was known: to clear one, that is as good as done. */
    if (word && strcmp(word, "UNKNOWN") == 0) {
        if (ask == OUTCOME_OF_CLEAR_PROFILE)
            return outcome(OCPI_OUTCOME_ACCEPTED, NULL);
        return outcome(OCPI_OUTCOME_UNCLEAR, NULL);
    }
    return (struct outcome){
        .kind = OCPI_OUTCOME_REJECTED, .failure_code = REJECTED_BY_NETWORK, .deviation = true};
}

static struct outcome of_command_result(enum outcome_ask ask, const char *word)
{
    /* Who cancels what is not there any more has got what was wanted. */
    if (ask == OUTCOME_OF_CANCEL_RESERVATION && word &&
        (strcmp(word, "UNKNOWN_RESERVATION") == 0 || strcmp(word, "CANCELED_RESERVATION") == 0))
        return outcome(OCPI_OUTCOME_ACCEPTED, NULL);
    for (size_t i = 0; word && i < sizeof(result_rows) / sizeof(result_rows[0]); i++) {
        const struct result_row *row = &result_rows[i];

        if (strcmp(row->word, word) != 0)
            continue;
        if (ask == OUTCOME_OF_START)
            return outcome(row->start.kind, row->start.failure_code);
        if (ask == OUTCOME_OF_STOP)
            return outcome(row->stop.kind, row->stop.failure_code);
        return outcome(row->other.kind, row->other.failure_code);
    }
    /* Any other word, those of reservations included, means that what was asked did not happen. */
    if (ask == OUTCOME_OF_STOP)
        return (struct outcome){.kind = OCPI_OUTCOME_RETRY, .deviation = true};
    return (struct outcome){
        .kind = OCPI_OUTCOME_REJECTED,
        .failure_code = REJECTED_BY_NETWORK,
        .deviation = ask == OUTCOME_OF_START || ask == OUTCOME_OF_UNLOCK,
    };
}

struct outcome outcome_of_result(enum outcome_ask ask, const char *word)
{
    struct outcome ret =
        ask >= OUTCOME_OF_SET_PROFILE ? of_profile_result(ask, word) : of_command_result(ask, word);

    ret.word = word;
    return ret;
}

/* --- session status words --- */

enum session_word session_word_of(const char *status)
{
    static const struct {
        const char *status;
        enum session_word word;
    } rows[] = {
        {"PENDING", SESSION_WORD_PENDING},  {"RESERVATION", SESSION_WORD_PENDING},
        {"RESERVED", SESSION_WORD_PENDING}, {"ACTIVE", SESSION_WORD_ACTIVE},
        {"COMPLETED", SESSION_WORD_ENDED},  {"INVALID", SESSION_WORD_INVALID},
    };

    for (size_t i = 0; status && i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (strcmp(rows[i].status, status) == 0)
            return rows[i].word;
    }
    return SESSION_WORD_UNKNOWN;
}

bool session_move_allowed(const char *from, const char *to)
{
    enum session_word before = session_word_of(from), after = session_word_of(to);

    switch (before) {
    case SESSION_WORD_PENDING:
        /* A reservation does not become pending, nor the reverse. */
        if (after == SESSION_WORD_PENDING)
            return (*from == 'P') == (*to == 'P');
        return after != SESSION_WORD_UNKNOWN;
    case SESSION_WORD_ACTIVE:
        return after == SESSION_WORD_ACTIVE || after == SESSION_WORD_ENDED ||
               after == SESSION_WORD_INVALID || strcmp(to, "PENDING") == 0;
    case SESSION_WORD_ENDED:
    case SESSION_WORD_INVALID:
        return after == before;
    case SESSION_WORD_UNKNOWN:
        return true;
    }
    return false;
}
