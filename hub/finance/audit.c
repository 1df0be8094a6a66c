/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Audit: a series after the other, a few thousand receipts a statement, then the ledger.
 */
#include "hub/finance/audit.h"

#include "base/arena.h"
#include "base/text.h"

enum { ROWS_AT_ONCE = 2000, JSON_BYTES = 256 * 1024 };

static enum flow_next next_chain(struct flow *f, struct audit *a)
{
    if (a->index_ == a->series_.count) {
        a->phase_ = AUDIT_DONE;
        ledger_check(f, a->from_us, a->to_us, &a->faults);
        return FLOW_AGAIN;
    }
    const struct receipt_series *s = &a->series_.items[a->index_];
    a->phase_ = AUDIT_CHAIN;
    receipt_verify(f, s->series, s->year, a->chain_.last_seq,
                   a->chain_.last_hash ? a->chain_.last_hash : "", ROWS_AT_ONCE, &a->chain_);
    return FLOW_AGAIN;
}

static enum flow_next begin_chains(struct flow *f, struct audit *a)
{
    a->broken_ = arena_alloc(f->arena, (a->series_.count + 1) * sizeof *a->broken_);
    return next_chain(f, a);
}

static enum flow_next took_chain(struct flow *f, struct audit *a)
{
    const struct receipt_chain c = a->chain_;

    a->receipts += c.rows;
    if (c.broken)
        a->broken_[a->broken_count_++] = (struct ledger_fault){"receipt_chain", c.broken, c.why};
    if (c.broken || c.rows < ROWS_AT_ONCE) {
        a->chain_ = (struct receipt_chain){0};
        a->index_++;
    }
    return next_chain(f, a);
}

/* What is broken in a chain comes first. */
static void put_together(struct flow *f, struct audit *a)
{
    size_t count = a->broken_count_ + a->faults.count;
    struct ledger_fault *all = arena_alloc(f->arena, (count + 1) * sizeof *all);

    for (size_t i = 0; i < count; i++)
        all[i] = i < a->broken_count_ ? a->broken_[i] : a->faults.items[i - a->broken_count_];
    a->faults = (struct ledger_faults){all, count};
}

enum flow_next audit_run(struct flow *f, struct audit *a)
{
    switch (a->phase_) {
    case AUDIT_BEGIN:
        a->phase_ = AUDIT_SERIES;
        receipt_series_all(f, &a->series_);
        return FLOW_AGAIN;
    case AUDIT_SERIES:
        return begin_chains(f, a);
    case AUDIT_CHAIN:
        return took_chain(f, a);
    case AUDIT_DONE:
        break;
    }
    put_together(f, a);
    return FLOW_NEXT;
}

const char *audit_faults_json(const struct audit *a, struct arena *arena)
{
    struct text t;

    text_init(&t, arena, JSON_BYTES);
    json_begin_array(&t, NULL);
    for (size_t i = 0; i < a->faults.count; i++) {
        json_begin_object(&t, NULL);
        json_put_text(&t, "what", a->faults.items[i].what);
        json_put_text(&t, "subject", a->faults.items[i].subject);
        json_put_text(&t, "detail", a->faults.items[i].detail);
        json_end_object(&t);
    }
    json_end_array(&t);
    return text_overflowed(&t) ? "[]" : t.bytes;
}
