/* SPDX-License-Identifier: Apache-2.0 */
/* What checks ask, and how they tell what they found. */
#include <string.h>

#include "base/text.h"
#include "base/time.h"
#include "hub/ops/selftest/selftest.h"

enum {
    TEXT_LIMIT = 400,
    ANSWER_MS = 10000,
    ANSWER_BYTES = 8 * 1024 * 1024,
    VALUES = 1000000,
    MEMORY_MAX = 96 * 1024 * 1024, /* all answers stay until the test ends ... */
    LAST_BYTES = 64 * 1024,        /* ... and a check that is under way may ask some more */
};

/* ---- asking ---- */

enum flow_next ask(struct flow *f, struct ocpi_call call)
{
    struct selftest *t = selftest_of(f);

    t->call = call;
    if (!t->call.peer)
        t->call.peer = &t->peer;
    t->call.unjudged = true;
    t->call.total_ms = ANSWER_MS;
    t->call.max_answer = ANSWER_BYTES;
    if (arena_used(f->arena) > MEMORY_MAX) {
        t->call.max_answer = LAST_BYTES;
        if (!t->stop)
            t->stop = "the partner's answers are too large to go on";
    }
    t->call.max_values = VALUES;
    t->asked = true;
    return ocpi_send(f, &t->call, &t->answer);
}

enum flow_next ask_get(struct flow *f, const char *module, const char *url)
{
    return ask(f, (struct ocpi_call){.method = "GET", .module = module, .url = url});
}

bool answer_good(const struct selftest *t)
{
    return t->answer.http.outcome == HTTP_ANSWERED && envelope_is_success(&t->answer.envelope);
}

const char *answer_words(struct flow *f)
{
    const struct selftest *t = selftest_of(f);
    const struct ocpi_answer *answer = &t->answer;

    if (answer->http.outcome != HTTP_ANSWERED)
        return arena_printf(f->arena, "no answer: %s",
                            answer->http.error ? answer->http.error : "none came");
    if (!answer->has_envelope)
        return arena_printf(f->arena, "HTTP %d without an envelope", answer->http.status);
    return arena_printf(f->arena, "HTTP %d, OCPI %d%s%s", answer->http.status, answer->status_code,
                        answer->status_message ? ": " : "",
                        answer->status_message ? answer->status_message : "");
}

bool offers(const struct selftest *t, const char *module, enum ocpi_interface role)
{
    return peer_endpoint(&t->peer, module, role) != NULL;
}

static bool has_role(const struct selftest *t, enum ocpi_role role)
{
    for (size_t i = 0; i < t->partner->party_count; i++)
        if (t->partner->parties[i].role == role)
            return true;
    return false;
}

bool is_network(const struct selftest *t)
{
    return has_role(t, OCPI_ROLE_CPO);
}

bool is_provider(const struct selftest *t)
{
    return has_role(t, OCPI_ROLE_EMSP);
}

const char *new_id(struct flow *f, const char *what)
{
    return arena_printf(f->arena, "%s-%s", selftest_of(f)->mark, what);
}

const char *now_text(struct flow *f, int64_t ahead_s)
{
    char text[TIME_TEXT];

    return arena_text(f->arena, time_print_seconds(text, time_now_us() + ahead_s * US_PER_SECOND));
}

/* ---- telling ---- */

const char *verdict_name(enum verdict verdict)
{
    static const char *const NAMES[] = {"pass", "warn", "fail", "skipped"};

    return NAMES[verdict];
}

/* Cut, not in the middle of a character. */
static const char *short_text(struct arena *a, const char *text)
{
    size_t length = text ? strlen(text) : 0;

    if (length <= TEXT_LIMIT)
        return text;
    length = TEXT_LIMIT;
    while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return arena_printf(a, "%.*s...", (int)length, text);
}

void tell(struct flow *f, struct finding finding)
{
    struct selftest *t = selftest_of(f);
    const struct planned *p = &t->plan[t->at];
    const struct check *check = p->check;
    bool plain = finding.verdict == VERDICT_PASS || finding.verdict == VERDICT_SKIPPED;
    const char *advice = finding.advice ? finding.advice : check->advice;

    if (t->found_count == FOUND_MAX)
        return;
    t->found[t->found_count++] = (struct partner_check){
        .seq = ++t->seq,
        .name = p->module ? arena_printf(f->arena, "%s.%s", p->module, check->name) : check->name,
        .module = p->module,
        .result = verdict_name(finding.verdict),
        .rule = finding.rule ? finding.rule : check->rule,
        .place = short_text(f->arena, finding.where),
        .expected = short_text(f->arena, finding.expected),
        .got = short_text(f->arena, finding.got),
        .advice = plain ? NULL : advice,
    };
}

enum flow_next tell_fail(struct flow *f, const char *where, const char *expected, const char *got)
{
    tell(f, (struct finding){VERDICT_FAIL, .where = where, .expected = expected, .got = got});
    return FLOW_DONE;
}

enum flow_next tell_warn(struct flow *f, const char *where, const char *expected, const char *got)
{
    tell(f, (struct finding){VERDICT_WARN, .where = where, .expected = expected, .got = got});
    return FLOW_DONE;
}

enum flow_next tell_skipped(struct flow *f, const char *why)
{
    tell(f, (struct finding){VERDICT_SKIPPED, .got = why});
    return FLOW_DONE;
}

bool expect_good(struct flow *f, const char *what)
{
    const struct selftest *t = selftest_of(f);

    if (answer_good(t))
        return true;
    tell_fail(f, arena_printf(f->arena, "%s %s", t->call.method, t->call.url), what,
              answer_words(f));
    return false;
}
