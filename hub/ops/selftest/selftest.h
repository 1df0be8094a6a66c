/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Self-test: what a partner's live endpoints do, held against OCPI check by check.
 *
 *   POST .../test -> row in partner_test -> job: check after check -> rows in partner_check
 *   GET .../tests/{id} -> what is there so far
 *
 * A check is a row of a table: its name, the rule it is about, what the partner's developer can do,
 * and its steps. The steps of all checks run in one flow and share one struct; those of one module
 * build on each other (the list is fetched once, then looked at from several sides). Without `full`
 * nothing is asked that could change anything at the partner.
 */
#ifndef HUB_OPS_SELFTEST_SELFTEST_H
#define HUB_OPS_SELFTEST_SELFTEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapters/ocpi_client.h"
#include "base/flow.h"
#include "db/partner.h"
#include "db/partner_test.h"
#include "hub/ops/selftest/audit.h"
#include "hub/ops/selftest/page.h"

/* ---- what a check is ---- */

enum { CHECK_STEPS = 8 };

enum {
    CHECK_FULL = 1,     /* changes something at the partner */
    CHECK_SINCE_22 = 2, /* the rule is not in 2.1.1 */
};

struct check {
    const char *name; /* where modules are taken one by one, the module's name stands before it */
    const char *rule;
    const char *advice; /* one sentence to the partner's developer; NULL: findings bring theirs */
    unsigned flags;
    /* As those of a flow, but with its own meaning of FLOW_DONE: the check is over. */
    enum flow_next (*steps[CHECK_STEPS])(struct flow *f);
};

/* Tables end with a name of NULL. */
extern const struct check discovery_checks[]; /* discovery.c */
extern const struct check transport_checks[]; /* transport.c */
extern const struct check list_checks[];      /* lists.c: of each module that is listed */
extern const struct check session_list_checks[];
extern const struct check location_checks[]; /* locations.c: single objects of the sender */
extern const struct check receiver_checks[]; /* receiver.c: of each module that takes pushes */
extern const struct check patch_checks[];    /* ... and of those that take PATCH */
extern const struct check tariff_checks[];
extern const struct check session_checks[]; /* ... a Session is ended */
extern const struct check cdr_checks[];
extern const struct check authorize_checks[]; /* commands.c */
extern const struct check command_checks[];
extern const struct check profile_checks[];
extern const struct check credentials_checks[]; /* credentials.c */
extern const struct check answer_checks[];      /* transport.c: all answers of the test */

/* A check, of one module where it is asked module by module. */
struct planned {
    const struct check *check;
    const char *module; /* NULL: none */
    enum ocpi_interface role;
};

enum { PLAN_MAX = 256, FOUND_MAX = 8, PAGES = 4 };

/* A module's list as the sender serves it. */
struct listed {
    const char *class;        /* "Location" */
    const char *broken;       /* why it cannot be looked at; NULL: it can */
    struct page first;        /* many objects, no filters beyond what is required */
    struct page pages[PAGES]; /* small ones, one behind the other, with filters */
    size_t page_count;
    int64_t small;        /* their limit */
    const json_t *chosen; /* an object to ask for by its time */
    int64_t chosen_us;
    const char *complaint; /* to be made unless the object has changed meanwhile */
};

/* What we push to a receiver. */
struct pushed {
    const char *class;
    const char *id, *other_id;
    json_t *object;
    const char *url;      /* of the object */
    const char *refused;  /* why the first PUT failed; NULL: it is there */
    const char *location; /* CDRs: where it can be read */
};

struct selftest {
    /* filled by who starts it */
    int64_t id, partner_id;
    bool full;
    /* */
    const struct partner *partner;
    struct peer peer; /* as registered; of its quirks only those about addresses */
    char mark[16];    /* in the ids of what we push: "HUBTEST-1a2b3c" */
    struct planned *plan;
    size_t plan_count, at;
    unsigned step;
    const char *stop; /* why the rest is not tried; NULL: go on */
    unsigned silent;  /* requests in a row that were not answered in time */
    int64_t seq;
    struct partner_check found[FOUND_MAX];
    size_t found_count;
    bool asked; /* the answer below has not been audited */
    struct ocpi_call call;
    struct ocpi_answer answer;
    struct audited audit[AUDIT_KINDS];
    const char *details_url;
    const json_t *details;
    struct listed list;
    struct pushed push;
    const json_t *location; /* one of the partner's, for what needs one */
    const char *old_token;  /* after a rotation */
    struct err rotation;
};

static inline struct selftest *selftest_of(const struct flow *f)
{
    return f->state;
}

/* ---- asking: report.c ---- */

/* The partner's peer and the default deadline where the call names none. A body goes with methods
 * that have one. Return what it returns. */
enum flow_next ask(struct flow *f, struct ocpi_call call);
enum flow_next ask_get(struct flow *f, const char *module, const char *url);
/* HTTP 2xx with 1xxx. */
bool answer_good(const struct selftest *t);
/* "HTTP 200, OCPI 2001: no such field", or why there is none. */
const char *answer_words(struct flow *f);
/* Whether the partner offers a module in a role. */
bool offers(const struct selftest *t, const char *module, enum ocpi_interface role);
bool is_network(const struct selftest *t);            /* a CPO */
bool is_provider(const struct selftest *t);           /* an eMSP */
const char *new_id(struct flow *f, const char *what); /* "HUBTEST-1a2b3c-what" */
const char *now_text(struct flow *f, int64_t ahead_s);

/* ---- telling: report.c ---- */

enum verdict { VERDICT_PASS, VERDICT_WARN, VERDICT_FAIL, VERDICT_SKIPPED };

/* Members that are NULL are those of the check. */
struct finding {
    enum verdict verdict;
    const char *rule, *where, *expected, *got, *advice;
};
void tell(struct flow *f, struct finding finding);
/* For steps that end with it: FLOW_DONE. */
enum flow_next tell_fail(struct flow *f, const char *where, const char *expected, const char *got);
enum flow_next tell_warn(struct flow *f, const char *where, const char *expected, const char *got);
enum flow_next tell_skipped(struct flow *f, const char *why);
/* An answer that had to be good: true, or it is told and false. */
bool expect_good(struct flow *f, const char *what);
const char *verdict_name(enum verdict verdict);

/* ---- samples.c: objects of ours, to be pushed ---- */

struct sample {
    enum ocpi_version version;
    struct party_id owner;
    struct party_id token_owner; /* Sessions, CDRs: whose customer it was */
    const char *id;
    const char *start, *time; /* Sessions, CDRs: from when to when; time: last_updated */
};
/* A "Location", "Tariff", "Session", "CDR" or "Token" that is harmless: not published, without
 * cost, not valid. JSON text; NULL for another class. */
char *sample_object(struct arena *a, const char *class, const struct sample *sample);
/* The name of a required member, to be left out. */
const char *sample_needed(const char *class);
/* A plain member that a PATCH may change, and the JSON of its new value. */
const char *sample_change(const char *class, const char **ret_value);

/* ---- selftest.c ---- */

extern const struct flow_type selftest_flow;
size_t selftest_plan(const struct selftest *t, struct planned *ret, size_t most);

#endif
