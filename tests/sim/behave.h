/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Misbehaviours: what a charging network may do wrong, by name. One list makes the enum, the words
 * of --behave and POST /sim/behave, and the help. Each is tested at the one point where it acts.
 */
#ifndef TESTS_SIM_BEHAVE_H
#define TESTS_SIM_BEHAVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct behave;
struct evse;
struct text;

/* clang-format off */
/*    constant                 word                       after_s  what it does */
#define BEHAVIOURS(X) \
    /* START_SESSION */ \
    X(REJECT_START,            "reject-start",                  0, "START_SESSION is answered REJECTED") \
    X(OCCUPIED,                "occupied",                      0, "result of START_SESSION: EVSE_OCCUPIED") \
    X(INOPERATIVE,             "inoperative",                   0, "result of START_SESSION: EVSE_INOPERATIVE") \
    X(FAILED_RESULT,           "failed-result",                 0, "result of START_SESSION: FAILED") \
    X(TIMEOUT_RESULT,          "timeout-result",                0, "result of START_SESSION: TIMEOUT") \
    X(NO_TIMEOUT,              "no-timeout",                    0, "CommandResponse without its timeout") \
    X(SLOW_START,              "slow-start",                  120, "the session begins after_s after the result") \
    X(LATE_START,              "late-start",                    3, "result FAILED, yet a session begins after_s later") \
    X(SESSION_BEFORE_RESULT,   "session-before-result",         0, "the Session is pushed before the result") \
    X(SESSION_NEVER,           "session-never",                 0, "result ACCEPTED, but no session follows") \
    X(PENDING_SESSION,         "pending-session",               0, "the Session stays PENDING (for after_s, if given)") \
    X(INVALID_SESSION,         "invalid-session",               0, "the Session becomes INVALID instead of ACTIVE") \
    /* results */ \
    X(NO_CALLBACK,             "no-callback",                   0, "results of commands are never sent") \
    X(LATE_CALLBACK,           "late-callback",                90, "results of commands come after_s late") \
    X(DOUBLE_CALLBACK,         "double-callback",               0, "results of commands are sent twice") \
    X(EARLY_CALLBACK,          "early-callback",                0, "the result is sent before the command is answered") \
    X(CALLBACK_TRAILING_SLASH, "callback-trailing-slash",       0, "results go to response_url with a slash added") \
    /* sessions and CDRs */ \
    X(CDR_BEFORE_SESSION,      "cdr-before-session",            0, "the CDR is sent before the Session is COMPLETED") \
    X(NO_SESSION_ONLY_CDR,     "no-session-only-cdr",          10, "no Session is ever pushed; the CDR comes after after_s of charging") \
    X(CDR_NO_REFERENCE,        "cdr-no-reference",              0, "CDRs without authorization_reference") \
    X(SESSION_NO_REFERENCE,    "session-no-reference",          0, "Sessions without authorization_reference") \
    X(CDR_NO_SESSION_ID,       "cdr-no-session-id",             0, "CDRs without session_id") \
    X(CDR_UNKNOWN_LOCATION,    "cdr-unknown-location",          0, "CDRs for a location nobody has heard of") \
    X(CDR_ID_IS_SESSION_ID,    "cdr-id-is-session-id",          0, "the CDR has the session's id") \
    X(LONG_SESSION_ID,         "long-session-id",               0, "session ids of 60 characters") \
    X(NO_CDR,                  "no-cdr",                        0, "no CDR is sent") \
    X(LATE_CDR,                "late-cdr",                    300, "the CDR is sent after_s after the end") \
    X(CDR_TWICE,               "cdr-twice",                     0, "each CDR is sent twice") \
    X(CDR_ALTERED,             "cdr-altered",                   0, "each CDR is sent again with another total_cost") \
    X(FALLING_KWH,             "falling-kwh",                   0, "a reading is below the one before") \
    X(ACTIVE_AFTER_COMPLETED,  "active-after-completed",        0, "after COMPLETED a PATCH says ACTIVE again") \
    X(NO_COST,                 "no-cost",                       0, "Sessions without total_cost") \
    X(DUPLICATE_PUSHES,        "duplicate-pushes",              0, "pushes of a session are sent twice") \
    X(REORDERED_PUSHES,        "reordered-pushes",              0, "pushes of a session change places two by two") \
    /* STOP_SESSION */ \
    X(REFUSE_STOP,             "refuse-stop",                   0, "result of STOP_SESSION: REJECTED") \
    X(REFUSE_STOP_SYNC,        "refuse-stop-sync",              0, "STOP_SESSION is answered REJECTED") \
    X(STOP_IGNORED,            "stop-ignored",                  0, "result of STOP_SESSION ACCEPTED, but charging goes on") \
    X(UNKNOWN_SESSION_ON_STOP, "unknown-session-on-stop",       0, "STOP_SESSION is answered UNKNOWN_SESSION: it ended just before") \
    /* charging profiles */ \
    X(PROFILE_REFUSED,         "profile-refused",               0, "profiles are answered REJECTED") \
    X(PROFILE_NOT_SUPPORTED,   "profile-not-supported",         0, "profiles are answered NOT_SUPPORTED") \
    X(PROFILE_TOO_OFTEN,       "profile-too-often",             0, "profiles are answered TOO_OFTEN") \
    X(PROFILE_REJECTED,        "profile-rejected",              0, "result of profiles: REJECTED") \
    X(PROFILE_UNKNOWN,         "profile-unknown",               0, "result of profiles: UNKNOWN") \
    X(PROFILE_NO_CALLBACK,     "profile-no-callback",           0, "results of profiles are never sent") \
    X(ACTIVE_PROFILE_PUSH,     "active-profile-push",           0, "an ActiveChargingProfile is pushed after each accepted profile") \
    /* HTTP answers to functional modules; the request is not carried out */ \
    X(HTTP_401,                "http-401",                      0, "answers 401") \
    X(HTTP_404,                "http-404",                      0, "answers 404") \
    X(HTTP_429,                "http-429",                      0, "answers 429 (with Retry-After: after_s, if given)") \
    X(HTTP_500,                "http-500",                      0, "answers 500") \
    X(OCPI_3000,               "ocpi-3000",                     0, "answers 200 with status_code 3000") \
    X(HANG,                    "hang",                          0, "never answers") \
    X(CLOSE_AFTER_REQUEST,     "close-after-request",           0, "reads the request, closes the connection") \
    /* ... and those where it is carried out */ \
    X(LOST_ANSWER,             "lost-answer",                   0, "carries the request out, closes without an answer") \
    X(SLOW_ANSWER,             "slow-answer",                   3, "answers after_s late") \
    X(GARBAGE_BODY,            "garbage-body",                  0, "the answer's body is no JSON") \
    X(HTML_BODY,               "html-body",                     0, "the answer's body is a page of HTML") \
    X(EMPTY_BODY,              "empty-body",                    0, "the answer has no body") \
    X(HTTP_201,                "http-201",                      0, "answers 201 instead of 200") \
    /* how messages are written */ \
    X(PLAIN_TOKEN,             "plain-token",                   0, "sends the credentials token without Base64") \
    X(LOWER_CASE_IDS,          "lower-case-ids",                0, "writes its ids in lower case") \
    X(OFFSET_TIMES,            "offset-times",                  0, "writes times with +02:00") \
    X(BARE_TIMES,              "bare-times",                    0, "writes times without Z") \
    X(NUMBERS_AS_TEXT,         "numbers-as-text",               0, "writes numbers as strings") \
    X(EXTRA_FIELDS,            "extra-fields",                  0, "adds members OCPI does not know") \
    X(PATCH_NO_STAMP,          "patch-no-last-updated",         0, "PATCHes carry no last_updated (in 2.1.1 they never do)") \
    X(LONG_ADDRESS,            "long-address",                  0, "addresses of 300 characters") \
    X(NO_EVSE_ID,              "no-evse-id",                    0, "EVSEs without evse_id") \
    X(BAD_LOCATION,            "bad-location",                  0, "every second Location of a list lacks its coordinates") \
    /* lists */ \
    X(LINK_ELSEWHERE,          "link-elsewhere",                0, "Link of a page points to another host") \
    X(LINK_LOOP,               "link-loop",                     0, "Link of a page points to the page itself") \
    X(ENDLESS_LINK,            "endless-link",                  0, "every page has a next one; behind the last one the list begins anew") \
    X(LINK_NO_FILTER,          "link-keeps-no-filter",          0, "Link leaves date_from and date_to out") \
    X(SHRINKING_TOTAL,         "shrinking-total",               0, "X-Total-Count is smaller on each page") \
    X(NO_TOTAL_COUNT,          "no-total-count",                0, "lists without X-Total-Count") \
    X(LIMIT_IGNORED,           "limit-ignored",                 0, "pages are as large as ours may be, whatever limit says") \
    X(DATE_FROM_IGNORED,       "ignores-date-from",             0, "date_from and date_to change nothing") \
    X(UNORDERED_PAGES,         "unordered-pages",               0, "each page begins with the last object of the one before") \
    X(BAD_OBJECT_IN_PAGE,      "bad-object-in-page",            0, "the second object of each page lacks a required member") \
    X(MISSING_LAST_UPDATED,    "missing-last-updated",          0, "objects of lists have no last_updated") \
    X(DELETED_BY_ABSENCE,      "deleted-by-absence",            0, "the second location is not in the list any more") \
    /* versions, details, credentials */ \
    X(VERSION_2_2,             "version-2-2",                   0, "2.2.1 is announced as 2.2") \
    X(DETAILS_WRONG_VERSION,   "details-wrong-version",         0, "version details name another version") \
    X(ENDPOINT_MISSING,        "endpoint-missing",              0, "a needed endpoint is missing in the details (CPO: locations, eMSP: tokens)") \
    X(PRIVATE_URL,             "private-url",                   0, "functional endpoints are at http://10.1.2.3") \
    X(ENDPOINT_SLASH,          "endpoint-trailing-slash",       0, "published endpoint URLs end with a slash") \
    X(TRAILING_SLASH,          "trailing-slash",                0, "functional addresses without a slash at their end are answered 404") \
    X(OPEN_CREDENTIALS,        "open-credentials",              0, "any token is accepted, and none") \
    /* envelopes and headers of answers */ \
    X(MISSING_ENVELOPE,        "missing-envelope",              0, "answers are the bare data") \
    X(LIST_FOR_OBJECT,         "list-for-object",               0, "where an object is expected, data is a list of one") \
    X(NO_ENVELOPE_TIMESTAMP,   "no-envelope-timestamp",         0, "envelopes without timestamp") \
    X(HTTP_200_FOR_UNKNOWN,    "http-200-for-unknown-object",   0, "HTTP 200 instead of 404") \
    X(NO_REQUEST_ID_ECHO,      "no-request-id-echo",            0, "answers repeat no message ids") \
    X(WRONG_ROUTING_HEADERS,   "wrong-routing-headers",         0, "answers copy TO and FROM instead of swapping them") \
    /* what an eMSP does with what it is sent */ \
    X(PATCH_NOT_MERGED,        "patch-not-merged",              0, "PATCH is answered well and forgotten") \
    X(PATCH_NO_LAST_UPDATED,   "patch-accepted-without-last-updated", 0, "PATCH without last_updated is taken") \
    X(CDR_NO_LOCATION,         "cdr-post-no-location-header",   0, "POST of a CDR is answered without Location") \
    X(ACCEPTS_BROKEN,          "accepts-broken-object",         0, "objects that lack required members are taken") \
    X(AUTHORIZE_UNKNOWN,       "authorize-unknown-token-allowed", 0, "authorization of an unknown token is answered ALLOWED")
/* clang-format on */

enum behaviour {
#define X(constant, ...) BEHAVE_##constant,
    BEHAVIOURS(X)
#undef X
        BEHAVE_COUNT
};

struct behave *behave_new(void);
void behave_free(struct behave *b);
void behave_clear(struct behave *b);
void behave_help(FILE *to);

/* "name", "name:after_s", "name@evse" or both. false: no such name. */
bool behave_parse(struct behave *b, const char *word);
/* evse: uid or evse_id in any spelling, NULL: all. times < 0: until told otherwise. after_s < 0:
 * the list's. false: no such name. */
bool behave_set(struct behave *b, const char *name, const char *evse, bool on, int64_t times,
                int64_t after_s);

/* Does it act now, at this EVSE (NULL: no EVSE in sight; then only misbehaviours for all count)?
 * Uses up one of its `times`. */
bool behave_acts(struct behave *b, enum behaviour what, const struct evse *evse);
/* The same, and tells after how many seconds. */
bool behave_acts_after(struct behave *b, enum behaviour what, const struct evse *evse,
                       int64_t *ret_after_s);
/* What is switched on, as a JSON array. */
void behave_print(const struct behave *b, struct text *out, const char *key);

#endif
