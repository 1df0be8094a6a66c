-- SPDX-License-Identifier: Apache-2.0
-- Payments: what is held and taken from users through a payment service provider (PSP), the calls
-- of it, its events, refunds.
--
-- A payment moves by payment_transition only, in payment_move(). What we want of the PSP is a row
-- of psp_operation, written with the fact that asks for it; its key is there before the first call
-- and the same at every repetition. What the PSP says, as an answer, an event or when it is asked,
-- is one psp_view of its payment, and payment_view() alone reads it: the PSP's totals only grow, so
-- the order in which views arrive does not matter.
--
-- Locks: session, the session's payments by their ids (payment_lock), operation, refund. Whoever
-- holds a payment takes no session, not even by a foreign key.

ALTER TABLE finance_case
    DROP CONSTRAINT finance_case_kind_check,
    ADD CONSTRAINT finance_case_kind_check CHECK (kind IN ('cdr_overdue', 'unmatched_cdr',
        'cdr_conflict', 'cost_mismatch', 'quarantined_cdr', 'late_start', 'force_closed',
        'joined_sessions', 'no_price', 'payment_mismatch', 'payment_unknown', 'payment_failed',
        'payment_stuck', 'payment_dispute', 'refund_failed', 'hold_expiring', 'payout_difference')),
    -- It would lock the session of a payment that is held. Sessions are never deleted, so that a
    -- look says as much.
    DROP CONSTRAINT finance_case_session_id_fkey,
    ADD COLUMN subject text NOT NULL DEFAULT '';
CREATE FUNCTION finance_case_session() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM session WHERE id = NEW.session_id) THEN
        RAISE EXCEPTION 'a case of session %, which is not there', NEW.session_id
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER finance_case_session BEFORE INSERT OR UPDATE OF session_id ON finance_case
    FOR EACH ROW WHEN (NEW.session_id IS NOT NULL) EXECUTE FUNCTION finance_case_session();

-- One open case of a kind and what it is about: a payment, a payment of the PSP, a payout's day.
DROP INDEX finance_case_open;
CREATE UNIQUE INDEX finance_case_open ON finance_case
    (kind, coalesce(session_id, '00000000-0000-0000-0000-000000000000'), coalesce(cdr, 0), subject)
    WHERE resolved_at IS NULL;

-- More about the same subject is added to its open case.
CREATE FUNCTION finance_case_open(p_kind text, p_session uuid, p_cdr bigint, p_detail text,
                                  p_subject text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO finance_case AS c (kind, session_id, cdr, detail, opened_at, subject)
    VALUES (p_kind, p_session, p_cdr, p_detail, hub_now(), p_subject)
    ON CONFLICT (kind, coalesce(session_id, '00000000-0000-0000-0000-000000000000'),
                 coalesce(cdr, 0), subject) WHERE resolved_at IS NULL
    DO UPDATE SET detail = left(c.detail || '; ' || EXCLUDED.detail, 1000)
     WHERE position(EXCLUDED.detail IN c.detail) = 0 AND length(c.detail) < 1000
$$;

-- How a user pays. Who has no row pays through the PSP, which knows the user by our id.
CREATE TABLE payer (
    user_id text PRIMARY KEY CHECK (length(user_id) BETWEEN 1 AND 255),
    mode text NOT NULL CHECK (mode IN ('card', 'prepaid', 'invoice')),
    psp_customer text CHECK (length(psp_customer) BETWEEN 1 AND 255),
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);

CREATE TYPE payment_state AS ENUM ('pending', 'authorised', 'capturing', 'paid', 'partly_refunded',
    'refunded', 'disputed', 'charged_back', 'failed', 'voided');

CREATE TABLE payment_transition (
    from_state payment_state NOT NULL,
    event text NOT NULL,
    to_state payment_state NOT NULL,
    PRIMARY KEY (from_state, event)
);
INSERT INTO payment_transition (from_state, event, to_state) VALUES
    ('pending',         'authorised',       'authorised'),
    ('pending',         'auth_declined',    'failed'),
    ('authorised',      'capture_sent',     'capturing'),
    ('authorised',      'voided',           'voided'),
    ('authorised',      'expired',          'voided'),
    ('capturing',       'captured',         'paid'),
    ('capturing',       'capture_declined', 'failed'),
    ('failed',          'retry',            'capturing'),
    ('paid',            'refunded_part',    'partly_refunded'),
    ('paid',            'refunded_all',     'refunded'),
    ('paid',            'disputed',         'disputed'),
    ('partly_refunded', 'refunded_part',    'partly_refunded'),
    ('partly_refunded', 'refunded_all',     'refunded'),
    ('partly_refunded', 'disputed',         'disputed'),
    ('disputed',        'dispute_won',      'paid'),
    ('disputed',        'dispute_won_part', 'partly_refunded'),
    ('disputed',        'dispute_lost',     'charged_back');

-- A hold is made before its session; the rest of a receipt that is above the hold, or that has none
-- any more, is a payment of its own.
CREATE TABLE payment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(), -- how the PSP knows it
    kind text NOT NULL CHECK (kind IN ('hold', 'rest')),
    session_id uuid NOT NULL,  -- before the session exists
    receipt bigint REFERENCES receipt,
    user_id text NOT NULL,
    psp_customer text NOT NULL,
    state payment_state NOT NULL DEFAULT 'pending',
    version bigint NOT NULL DEFAULT 1,
    event_seq int NOT NULL DEFAULT 0,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    capture_minor bigint NOT NULL DEFAULT 0 CHECK (capture_minor BETWEEN 0 AND amount_minor),
    captured_minor bigint NOT NULL DEFAULT 0 CHECK (captured_minor IN (0, capture_minor)),
    refunded_minor bigint NOT NULL DEFAULT 0 CHECK (refunded_minor BETWEEN 0 AND captured_minor),
    fee_minor bigint NOT NULL DEFAULT 0 CHECK (fee_minor >= 0),
    psp_id text UNIQUE,
    brand text,
    last_four text CHECK (last_four ~ '^[0-9]{4}$'),
    failure text,              -- the PSP's code of the last refusal
    retries int NOT NULL DEFAULT 0,
    wanted boolean NOT NULL DEFAULT true, -- false: its start was given up; void it
    start_caller text,         -- a start that is repeated with its key finds its hold
    start_key text,
    start_hash text,
    expires_at timestamptz,    -- of the hold
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    state_at timestamptz NOT NULL,
    look boolean NOT NULL DEFAULT false, -- to be read at the PSP
    check_at timestamptz       -- when to look at it again
) WITH (fillfactor = 70);
CREATE INDEX payment_of_session ON payment (session_id);
CREATE INDEX payment_of_receipt ON payment (receipt) WHERE receipt IS NOT NULL;
CREATE INDEX payment_due ON payment (check_at) WHERE check_at IS NOT NULL;
CREATE UNIQUE INDEX payment_of_start ON payment (start_caller, start_key)
    WHERE start_key IS NOT NULL;

-- Append only.
CREATE TABLE payment_event (
    payment bigint NOT NULL REFERENCES payment,
    seq int NOT NULL,
    at timestamptz NOT NULL,
    from_state payment_state NOT NULL,
    to_state payment_state NOT NULL,
    event text NOT NULL,
    amount_minor bigint,
    cause text NOT NULL, -- "answer", "event evt_12", "read", "receipt", "job"
    PRIMARY KEY (payment, seq)
);
-- The first capture; the job asks for it now and then.
CREATE INDEX payment_event_captured ON payment_event (at) WHERE event = 'captured';
CREATE TRIGGER payment_event_guard BEFORE UPDATE OR DELETE ON payment_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- waiting: for the second person. A credit's refund is asked by the hub and needs nobody. given:
-- what a credit asks for, and a person or the holder's bank had given back before; nothing is sent.
CREATE TABLE refund (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    reference uuid NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    receipt bigint NOT NULL REFERENCES receipt,
    session_id uuid NOT NULL,
    cause text NOT NULL CHECK (cause IN ('credit', 'person', 'given')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    done_minor bigint NOT NULL DEFAULT 0 CHECK (done_minor BETWEEN 0 AND amount_minor),
    currency text NOT NULL,
    reason text NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'sent', 'done', 'failed', 'declined')),
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    confirmed_by text,
    confirmed_at timestamptz,
    declined_by text,
    finished_at timestamptz,
    CHECK (confirmed_by <> asked_by)
);
CREATE INDEX refund_of_receipt ON refund (receipt);
CREATE INDEX refund_of_session ON refund (session_id);

-- The outbox towards the PSP. One call of a payment at a time, in their order. accepted: the PSP
-- has taken it and will tell how it ends.
CREATE TABLE psp_operation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payment bigint NOT NULL REFERENCES payment,
    kind text NOT NULL CHECK (kind IN ('authorise', 'charge', 'capture', 'void', 'refund')),
    generation int NOT NULL,
    key text NOT NULL UNIQUE,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    currency text NOT NULL,
    refund bigint REFERENCES refund,
    state text NOT NULL DEFAULT 'ready'
        CHECK (state IN ('ready', 'in_flight', 'accepted', 'done', 'declined', 'cancelled', 'parked')),
    attempts int NOT NULL DEFAULT 0,
    refusals int NOT NULL DEFAULT 0,
    detail text,
    created_at timestamptz NOT NULL,
    due_at timestamptz,
    lease_until timestamptz,
    sent_at timestamptz,   -- first
    accepted_at timestamptz,
    expires_at timestamptz NOT NULL,
    finished_at timestamptz,
    UNIQUE (payment, kind, generation)
) WITH (fillfactor = 70);
CREATE INDEX psp_operation_due ON psp_operation (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX psp_operation_open ON psp_operation (payment)
    WHERE state IN ('ready', 'in_flight', 'accepted');
CREATE INDEX psp_operation_of_refund ON psp_operation (refund) WHERE refund IS NOT NULL;

-- What came in by itself, each event once; kept 90 days.
CREATE TABLE inbox (
    source text NOT NULL,
    event_id text NOT NULL,
    content_hash text NOT NULL,
    kind text NOT NULL,
    event text,           -- of payment_transition
    subject text,         -- the PSP's id of the payment
    payment bigint REFERENCES payment,
    outcome text NOT NULL CHECK (outcome IN
        ('applied', 'known', 'later', 'mismatch', 'unknown', 'ignored')),
    received_at timestamptz NOT NULL,
    PRIMARY KEY (source, event_id)
);
CREATE INDEX inbox_by_age ON inbox (received_at);
CREATE INDEX inbox_unknown ON inbox (subject) WHERE outcome = 'unknown';
CREATE INDEX inbox_refusal ON inbox (payment) WHERE event = 'capture_declined';

-- What the PSP paid out, a row a day and currency, beside what it should have been.
CREATE TABLE psp_payout (
    day date NOT NULL,
    currency text NOT NULL,
    paid_minor bigint NOT NULL,      -- as the PSP says
    captured_minor bigint NOT NULL,  -- as it says, too, ...
    refunded_minor bigint NOT NULL,
    charged_back_minor bigint NOT NULL,
    fee_minor bigint NOT NULL,
    expected_minor bigint NOT NULL,  -- ... and what our ledger has
    difference_minor bigint NOT NULL,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (day, currency)
);
CREATE TABLE psp_payout_day (
    day date PRIMARY KEY,
    due_at timestamptz,       -- NULL: it was read
    failures int NOT NULL DEFAULT 0
);

-- ---------------------------------------------------------------- the machine

-- The last line of defence, whatever SQL somebody runs.
CREATE FUNCTION payment_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a payment is never deleted';
    END IF;
    IF NEW.version <= OLD.version
       OR (NEW.reference, NEW.session_id, NEW.currency, NEW.amount_minor)
          IS DISTINCT FROM (OLD.reference, OLD.session_id, OLD.currency, OLD.amount_minor)
       OR NEW.captured_minor < OLD.captured_minor OR NEW.refunded_minor < OLD.refunded_minor
       OR NEW.fee_minor < OLD.fee_minor
       OR NEW.state <> OLD.state AND NOT EXISTS (
              SELECT FROM payment_transition
               WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'payment %: no such change', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER payment_guard BEFORE UPDATE OR DELETE ON payment
    FOR EACH ROW EXECUTE FUNCTION payment_guard();

-- No hold, no START: a session for which one was asked begins only while it is there.
CREATE FUNCTION operation_start_paid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM payment WHERE session_id = NEW.session_id)
       AND NOT EXISTS (SELECT FROM payment WHERE session_id = NEW.session_id
                          AND state = 'authorised' AND wanted) THEN
        RAISE EXCEPTION 'session %: nothing is held for it', NEW.session_id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER operation_start_paid BEFORE INSERT ON operation
    FOR EACH ROW WHEN (NEW.kind = 'start') EXECUTE FUNCTION operation_start_paid();

-- Holds a payment, and before it the others of its session: one may lead to the rest.
CREATE FUNCTION payment_lock(p_id bigint) RETURNS payment LANGUAGE plpgsql AS $$
DECLARE
    p payment;
BEGIN
    PERFORM FROM payment WHERE session_id = (SELECT session_id FROM payment WHERE id = p_id)
      ORDER BY id FOR UPDATE;
    SELECT * INTO p FROM payment WHERE id = p_id;
    RETURN p;
END $$;

-- A case for people. A hold may be older than its session, which then cannot be named.
CREATE FUNCTION payment_case(p payment, p_kind text, p_detail text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM finance_case_open(p_kind, (SELECT id FROM session WHERE id = p.session_id), NULL,
                              format('payment %s: %s', p.reference, p_detail), p.reference::text);
END $$;

CREATE FUNCTION psp_ask(p payment, p_kind text, p_amount bigint, p_refund bigint DEFAULT NULL)
RETURNS psp_operation LANGUAGE plpgsql AS $$
DECLARE
    o psp_operation;
BEGIN
    SELECT coalesce(max(generation), 0) + 1 INTO o.generation
      FROM psp_operation WHERE payment = p.id AND kind = p_kind;
    INSERT INTO psp_operation (payment, kind, generation, key, amount_minor, currency, refund,
                               created_at, due_at, expires_at)
    VALUES (p.id, p_kind, o.generation, format('%s-%s-%s', p.reference, p_kind, o.generation),
            p_amount, p.currency, p_refund, hub_now(), hub_now(), hub_now() + interval '7 days')
    RETURNING * INTO o;
    PERFORM pg_notify('psp', '');
    RETURN o;
END $$;

-- Ends the open calls of these kinds.
CREATE FUNCTION psp_end(p_payment bigint, p_kinds text[], p_state text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE psp_operation
       SET state = p_state, finished_at = hub_now(), due_at = NULL, lease_until = NULL
     WHERE payment = p_payment AND kind = ANY (p_kinds)
       AND state IN ('ready', 'in_flight', 'accepted', 'parked');
END $$;

-- When to look at it again, if nothing happens before.
CREATE FUNCTION payment_next_look(p payment) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN p.look THEN hub_now()
        WHEN p.state IN ('pending', 'capturing') THEN hub_now() + interval '5 minutes'
        WHEN p.state = 'authorised' AND NOT EXISTS (SELECT FROM session WHERE id = p.session_id)
            THEN hub_now() + interval '2 minutes'
        WHEN p.state = 'authorised' AND p.expires_at IS NULL THEN hub_now() + interval '1 day'
        WHEN p.state = 'authorised' AND hub_now() < p.expires_at - interval '24 hours'
            THEN p.expires_at - interval '24 hours'
        WHEN p.state = 'authorised'
            THEN greatest(p.expires_at, hub_now()) + interval '1 minute'
        -- one, two and three days after a refusal: all within seven days
        WHEN p.state = 'failed' AND p.capture_minor > 0 AND p.retries < 3
            THEN hub_now() + make_interval(days => p.retries + 1)
        WHEN EXISTS (SELECT FROM psp_operation WHERE payment = p.id AND state = 'accepted')
            THEN hub_now() + interval '5 minutes' END
$$;

-- Writes what the caller has changed in the row that it holds.
CREATE FUNCTION payment_write(p payment) RETURNS payment LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payment SET
        version = version + 1, updated_at = hub_now(), state = p.state, event_seq = p.event_seq,
        state_at = p.state_at, receipt = p.receipt, capture_minor = p.capture_minor,
        captured_minor = p.captured_minor, refunded_minor = p.refunded_minor,
        fee_minor = p.fee_minor, psp_id = p.psp_id, brand = p.brand, last_four = p.last_four,
        failure = p.failure, retries = p.retries, wanted = p.wanted, expires_at = p.expires_at,
        start_key = p.start_key, look = p.look, check_at = p.check_at
     WHERE id = p.id
    RETURNING * INTO p;
    RETURN p;
END $$;

-- Gives what is held back, once it is held.
CREATE FUNCTION payment_void(p payment) RETURNS payment LANGUAGE plpgsql AS $$
BEGIN
    p.wanted := false;
    p.start_key := NULL;
    IF p.state = 'authorised' AND NOT EXISTS (
        SELECT FROM psp_operation WHERE payment = p.id AND kind = 'void'
           AND state IN ('ready', 'in_flight', 'accepted')) THEN
        PERFORM psp_ask(p, 'void', 0);
    END IF;
    p.check_at := hub_now() + interval '5 minutes';
    RETURN payment_write(p);
END $$;

-- Applies an event to a payment whose row the caller holds; one that the table does not have
-- changes nothing. p_amount: the total that was captured or refunded.
CREATE FUNCTION payment_move(p payment, p_event text, p_amount bigint, p_cause text)
RETURNS payment LANGUAGE plpgsql AS $$
DECLARE
    v_from payment_state := p.state;
    v_u6 bigint;
BEGIN
    SELECT to_state INTO p.state FROM payment_transition
     WHERE from_state = v_from AND event = p_event;
    IF NOT FOUND THEN
        p.state := v_from;
        RETURN p;
    END IF;
    CASE p_event
    WHEN 'authorised' THEN
        PERFORM psp_end(p.id, ARRAY['authorise'], 'done');
    WHEN 'auth_declined' THEN
        PERFORM psp_end(p.id, ARRAY['authorise', 'charge'], 'declined');
        p.start_key := NULL;
    WHEN 'voided', 'expired' THEN
        PERFORM psp_end(p.id, ARRAY['authorise', 'capture', 'void'], 'done');
        p.start_key := NULL;
    WHEN 'captured' THEN
        PERFORM psp_end(p.id, ARRAY['capture', 'charge'], 'done');
        p.captured_minor := p_amount;
        p.failure := NULL;
        v_u6 := money_u6(p_amount, p.currency);
        PERFORM ledger_post('capture', 'capture/' || p.id, p.currency, p.receipt, NULL, p.id,
                            ARRAY['psp_clearing', 'receivable'], ARRAY[v_u6, -v_u6]);
    WHEN 'capture_declined' THEN
        PERFORM psp_end(p.id, ARRAY['capture', 'charge'], 'declined');
    WHEN 'retry' THEN
        p.retries := p.retries + 1;
    WHEN 'refunded_part', 'refunded_all' THEN
        p.refunded_minor := p_amount;
    WHEN 'disputed' THEN
        PERFORM payment_case(p, 'payment_dispute', 'disputed by its holder');
    WHEN 'dispute_lost' THEN
        v_u6 := money_u6(p.captured_minor - p.refunded_minor, p.currency);
        PERFORM ledger_post('chargeback', 'chargeback/' || p.id, p.currency, p.receipt, NULL, p.id,
                            ARRAY['receivable', 'psp_clearing'], ARRAY[v_u6, -v_u6]);
        PERFORM payment_case(p, 'payment_dispute', 'charged back');
    ELSE
        NULL;
    END CASE;
    p.event_seq := p.event_seq + 1;
    p.state_at := hub_now();
    p.look := false;
    INSERT INTO payment_event (payment, seq, at, from_state, to_state, event, amount_minor, cause)
    VALUES (p.id, p.event_seq, hub_now(), v_from, p.state, p_event, p_amount, p_cause);
    p.check_at := payment_next_look(p);
    p := payment_write(p);
    IF p.state = 'authorised' AND NOT p.wanted THEN
        RETURN payment_void(p);
    END IF;
    -- Its receipt's money is not there, and the hub has tried enough: people go on.
    IF p.state = 'failed' AND p.capture_minor > 0 AND p.retries >= 3 THEN
        PERFORM payment_case(p, 'payment_failed', coalesce(p.failure, 'refused'));
    END IF;
    RETURN p;
END $$;

-- ---------------------------------------------------------------- what the PSP says

-- Its payment as it stands, or stood when an event was made. Amounts in minor units, totals.
CREATE TYPE psp_view AS (
    psp_id text, status text, amount_minor bigint, currency text, captured_minor bigint,
    refunded_minor bigint, fee_minor bigint, expires_at timestamptz, brand text, last_four text,
    code text);

-- The refunds that make up a new total, in their order. False: they do not.
CREATE FUNCTION payment_refunded(p payment, p_total bigint) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    o psp_operation;
    v_ids bigint[];
    v_u6 bigint;
BEGIN
    -- Those that have been given up come last: the PSP may never have heard of them.
    SELECT ids INTO v_ids FROM (
        SELECT 1, array_agg(id) OVER w, sum(amount_minor) OVER w FROM psp_operation
         WHERE payment = p.id AND kind = 'refund' AND attempts > 0
           AND state IN ('ready', 'in_flight', 'accepted', 'parked')
        WINDOW w AS (ORDER BY state = 'parked', id)
        UNION ALL
        SELECT 2, array_agg(id) OVER w, sum(amount_minor) OVER w FROM psp_operation
         WHERE payment = p.id AND kind = 'refund' AND attempts > 0
           AND state IN ('ready', 'in_flight', 'accepted', 'parked')
        WINDOW w AS (ORDER BY id)
        UNION ALL
        SELECT 3, ARRAY[id], amount_minor FROM psp_operation
         WHERE payment = p.id AND kind = 'refund' AND attempts > 0
           AND state IN ('ready', 'in_flight', 'accepted', 'parked')) x (way, ids, total)
     WHERE total = p_total - p.refunded_minor
     ORDER BY way, ids LIMIT 1;
    IF v_ids IS NULL THEN
        RETURN false;
    END IF;
    FOR o IN UPDATE psp_operation
                SET state = 'done', finished_at = hub_now(), due_at = NULL, lease_until = NULL
              WHERE id = ANY (v_ids) RETURNING *
    LOOP
        UPDATE refund SET done_minor = done_minor + o.amount_minor,
               state = CASE WHEN done_minor + o.amount_minor = amount_minor THEN 'done'
                            ELSE state END,
               finished_at = CASE WHEN done_minor + o.amount_minor = amount_minor THEN hub_now()
                                  ELSE finished_at END
         WHERE id = o.refund;
        -- A credit has cancelled the receipt, so the user no longer owes it; what a person gives
        -- back beside that is the hub's loss.
        v_u6 := money_u6(o.amount_minor, o.currency);
        PERFORM ledger_post('refund', 'refund/' || o.id, o.currency, r.receipt, NULL, p.id,
                            ARRAY[CASE r.cause WHEN 'credit' THEN 'receivable' ELSE 'hub_loss' END,
                                  'psp_clearing'], ARRAY[v_u6, -v_u6])
           FROM refund r WHERE r.id = o.refund;
    END LOOP;
    RETURN true;
END $$;

-- A capture or a charge was refused. Refunds that waited for it have nothing to give back: as much
-- less is tried again, and as much less is theirs.
CREATE FUNCTION payment_declined(p payment, p_code text, p_cause text) RETURNS payment
LANGUAGE plpgsql AS $$
DECLARE
    o psp_operation;
BEGIN
    IF p.state NOT IN ('pending', 'capturing') THEN
        RETURN p;
    END IF;
    p.failure := left(coalesce(p_code, 'declined'), 64);
    FOR o IN SELECT * FROM psp_operation
              WHERE payment = p.id AND kind = 'refund'
                AND state IN ('ready', 'in_flight', 'accepted', 'parked') FOR UPDATE
    LOOP
        UPDATE refund SET amount_minor = greatest(amount_minor - o.amount_minor, 1),
               state = CASE WHEN amount_minor = o.amount_minor THEN 'failed'
                            WHEN amount_minor - o.amount_minor = done_minor THEN 'done'
                            ELSE state END,
               finished_at = CASE WHEN amount_minor - o.amount_minor = done_minor THEN hub_now()
                                  ELSE finished_at END
         WHERE id = o.refund;
        p.capture_minor := greatest(p.capture_minor - o.amount_minor, 0);
    END LOOP;
    PERFORM psp_end(p.id, ARRAY['refund'], 'cancelled');
    IF p.state = 'pending' THEN
        RETURN payment_move(p, 'auth_declined', NULL, p_cause);
    END IF;
    p := payment_move(p, 'capture_declined', NULL, p_cause);
    IF p.kind = 'hold' AND p.state = 'failed'
       AND (p_code IN ('voided', 'expired') OR p.expires_at <= hub_now()) THEN
        p := payment_hold_gone(p);
    END IF;
    RETURN p;
END $$;

-- A hold that should have been captured, and is no more: the amount is charged anew.
CREATE FUNCTION payment_hold_gone(p payment) RETURNS payment LANGUAGE plpgsql AS $$
BEGIN
    p.capture_minor := 0;
    p.check_at := NULL;
    p := payment_write(p);
    PERFORM payment_settle(p.session_id);
    RETURN p;
END $$;

-- Whether a call of this kind is under way, or about to be.
CREATE FUNCTION payment_is_called(p_id bigint, p_kind text) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM psp_operation
                    WHERE payment = p_id AND kind = p_kind AND state IN ('ready', 'in_flight'))
$$;

-- Whether events have told more refusals of a capture than we have noted: the last is news. One
-- that is late tells what an answer has.
CREATE FUNCTION payment_refusal_is_news(p_id bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT (SELECT count(*) FROM inbox
             WHERE payment = p_id AND event = 'capture_declined' AND outcome <> 'mismatch')
         > (SELECT count(*) FROM payment_event
             WHERE payment = p_id AND event = 'capture_declined')
$$;

-- Outcomes: applied, known (it says nothing new), mismatch. The caller holds the payment's row.
CREATE FUNCTION payment_view(p_id bigint, v psp_view, p_cause text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    p payment;
    b payment;
    v_wrong text;
    v_u6 bigint;
BEGIN
    SELECT * INTO STRICT p FROM payment WHERE id = p_id;
    v.captured_minor := coalesce(v.captured_minor, 0);
    v.refunded_minor := coalesce(v.refunded_minor, 0);
    v_wrong := CASE
        WHEN v.currency IS DISTINCT FROM p.currency
            THEN format('currency %s instead of %s', v.currency, p.currency)
        WHEN v.amount_minor IS DISTINCT FROM p.amount_minor
            THEN format('amount %s instead of %s', v.amount_minor, p.amount_minor)
        WHEN v.psp_id IS NULL OR v.psp_id <> coalesce(p.psp_id, v.psp_id)
            THEN 'another payment of the PSP'
        WHEN v.captured_minor > 0 AND v.captured_minor <> p.capture_minor
            THEN format('captured %s instead of %s', v.captured_minor, p.capture_minor)
        WHEN v.refunded_minor > v.captured_minor
            THEN format('refunded %s of %s', v.refunded_minor, v.captured_minor)
        END;
    IF v_wrong IS NOT NULL THEN
        PERFORM payment_case(p, 'payment_mismatch', v_wrong);
        p.look := false;
        p.check_at := payment_next_look(p);
        PERFORM payment_write(p);
        RETURN 'mismatch';
    END IF;

    b := p;
    IF p.psp_id IS NULL OR p.last_four IS NULL OR p.expires_at IS DISTINCT FROM v.expires_at THEN
        p.psp_id := v.psp_id;
        p.brand := coalesce(left(v.brand, 32), p.brand);
        p.last_four := coalesce(CASE WHEN v.last_four ~ '^[0-9]{4}$' THEN v.last_four END,
                                p.last_four);
        p.expires_at := coalesce(v.expires_at, p.expires_at);
        p := payment_write(p);
    END IF;
    IF v.fee_minor > p.fee_minor THEN
        v_u6 := money_u6(v.fee_minor - p.fee_minor, p.currency);
        PERFORM ledger_post('fee', format('fee/%s/%s', p.id, v.fee_minor), p.currency, p.receipt,
                            NULL, p.id, ARRAY['psp_fees', 'psp_clearing'], ARRAY[v_u6, -v_u6]);
        p.fee_minor := v.fee_minor;
        p := payment_write(p);
    END IF;

    CASE v.status
    WHEN 'declined' THEN
        -- The answer to a call that is under way will say it; this may be that of an earlier one.
        IF p.state = 'pending' OR (p.state = 'capturing' AND (p.kind = 'rest'
               OR NOT payment_is_called(p.id, 'capture'))) THEN
            p := payment_declined(p, v.code, p_cause);
        END IF;
    WHEN 'authorised' THEN
        p := payment_move(p, 'authorised', NULL, p_cause);
        IF p.state IN ('failed', 'voided') AND p.capture_minor = 0 AND NOT EXISTS (
            SELECT FROM psp_operation WHERE payment = p.id AND kind = 'void') THEN
            PERFORM psp_ask(p, 'void', 0); -- held although we had given up on it
        END IF;
    WHEN 'voided', 'expired' THEN
        p := payment_move(p, 'authorised', NULL, p_cause);
        IF p.state = 'capturing' THEN
            p := payment_declined(p, v.status, p_cause);
        END IF;
        p := payment_move(p, v.status, NULL, p_cause);
    WHEN 'captured', 'partially_refunded', 'refunded', 'disputed', 'charged_back' THEN
        IF v.captured_minor = 0 THEN
            PERFORM payment_case(p, 'payment_mismatch', v.status || ' without a captured amount');
            RETURN 'mismatch';
        END IF;
        -- What must have happened before, in its order; each step only from where it may begin.
        p := payment_move(p, 'authorised', NULL, p_cause);
        p := payment_move(p, 'capture_sent', NULL, p_cause);
        IF p.state = 'failed' AND p.captured_minor = 0 THEN
            p := payment_move(p, 'retry', NULL, p_cause);
        END IF;
        p := payment_move(p, 'captured', v.captured_minor, p_cause);
        IF v.refunded_minor > p.refunded_minor THEN
            IF p.state NOT IN ('paid', 'partly_refunded')
               OR NOT payment_refunded(p, v.refunded_minor) THEN
                PERFORM payment_case(p, 'payment_mismatch',
                    format('refunded %s, which nobody asked for', v.refunded_minor));
                RETURN 'mismatch';
            END IF;
            p := payment_move(p, CASE WHEN v.refunded_minor = p.captured_minor
                                      THEN 'refunded_all' ELSE 'refunded_part' END,
                              v.refunded_minor, p_cause);
        END IF;
        IF v.status = 'disputed' THEN
            p := payment_move(p, 'disputed', NULL, p_cause);
        ELSIF v.status = 'charged_back' THEN
            p := payment_move(p, 'disputed', NULL, p_cause);
            p := payment_move(p, 'dispute_lost', NULL, p_cause);
        ELSIF p.state = 'disputed' THEN
            p := payment_move(p, CASE WHEN p.refunded_minor > 0 THEN 'dispute_won_part'
                                      ELSE 'dispute_won' END, NULL, p_cause);
        END IF;
        IF v.status IN ('disputed', 'charged_back') AND p.state <> v.status::payment_state
           AND p.state <> 'charged_back' THEN
            PERFORM payment_case(p, 'payment_dispute',
                format('%s at the PSP, and %s here', v.status, p.state));
        END IF;
    ELSE -- pending: it will tell
        NULL;
    END CASE;

    IF p.look THEN
        p.look := false;
        p.check_at := payment_next_look(p);
        p := payment_write(p);
    END IF;
    IF b.psp_id IS NULL AND p.psp_id IS NOT NULL AND EXISTS (
        SELECT FROM inbox WHERE subject = p.psp_id AND outcome = 'unknown') THEN
        p.look := true;
        p.check_at := hub_now();
        p := payment_write(p);
    END IF;
    RETURN CASE WHEN (p.state, p.refunded_minor, p.fee_minor)
                     IS DISTINCT FROM (b.state, b.refunded_minor, b.fee_minor)
                THEN 'applied' ELSE 'known' END;
END $$;

-- An event: what its kind leads to is in the table, or the PSP is asked how things stand.
-- Outcomes: repeated, conflict (the id of another event), and those of the inbox.
CREATE FUNCTION psp_event_take(p_event_id text, p_hash text, p_kind text, p_event text,
                               p_reference text, v psp_view)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    p payment;
    v_hash text;
    v_outcome text;
BEGIN
    INSERT INTO inbox (source, event_id, content_hash, kind, event, subject, outcome, received_at)
    VALUES ('psp', p_event_id, p_hash, p_kind, p_event, v.psp_id, 'ignored', hub_now())
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT content_hash INTO v_hash FROM inbox WHERE source = 'psp' AND event_id = p_event_id;
        RETURN CASE WHEN v_hash = p_hash THEN 'repeated' ELSE 'conflict' END;
    END IF;
    IF p_event IS NULL THEN
        RETURN 'ignored'; -- a kind that is none of ours
    END IF;
    SELECT * INTO p FROM payment
     WHERE psp_id = v.psp_id
        OR (psp_id IS NULL AND reference = uuid_or_null(p_reference));
    p := payment_lock(p.id);
    UPDATE inbox SET payment = p.id WHERE source = 'psp' AND event_id = p_event_id;
    IF p.id IS NULL THEN
        v_outcome := 'unknown';
        PERFORM finance_case_open('payment_unknown', NULL, NULL,
            format('event %s about %s', p_event_id, v.psp_id), v.psp_id);
    ELSIF v.currency IS DISTINCT FROM p.currency OR v.amount_minor IS DISTINCT FROM p.amount_minor
       OR EXISTS (SELECT FROM payment_transition
                   WHERE from_state = p.state AND event = p_event) THEN
        v_outcome := payment_view(p.id, v, 'event ' || p_event_id);
        IF v_outcome = 'known' THEN
            v_outcome := 'later'; -- it does not show what it tells
            IF p_event = 'capture_declined' AND payment_refusal_is_news(p.id)
               AND NOT payment_is_called(p.id, 'capture') THEN
                SELECT * INTO p FROM payment WHERE id = p.id;
                PERFORM payment_declined(p, v.code, 'event ' || p_event_id);
                v_outcome := 'applied'; -- a hold whose capture has failed is held still
            END IF;
        END IF;
    ELSIF p.psp_id IS NOT NULL AND EXISTS (
              SELECT FROM payment_event WHERE payment = p.id AND event = p_event)
          AND coalesce(v.captured_minor, 0) IN (0, p.captured_minor)
          AND coalesce(v.refunded_minor, 0) <= p.refunded_minor THEN
        v_outcome := 'known'; -- an answer told it before
    ELSE
        v_outcome := 'later';
    END IF;
    IF v_outcome = 'later' THEN
        UPDATE payment SET look = true, check_at = hub_now(), version = version + 1
         WHERE id = p.id;
        PERFORM pg_notify('psp', '');
    END IF;
    UPDATE inbox SET outcome = v_outcome WHERE source = 'psp' AND event_id = p_event_id;
    RETURN v_outcome;
END $$;

-- What came of reading a payment at the PSP. found=false: it does not know it.
CREATE FUNCTION payment_read(p_id bigint, p_found boolean, v psp_view) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    p payment;
BEGIN
    p := payment_lock(p_id);
    IF p_found THEN
        RETURN payment_view(p_id, v, 'read');
    END IF;
    p.look := false;
    IF p.state = 'pending' AND NOT EXISTS (
        SELECT FROM psp_operation WHERE payment = p.id AND state IN ('ready', 'in_flight')) THEN
        PERFORM payment_declined(p, 'unknown_at_psp', 'read');
        RETURN 'applied';
    END IF;
    PERFORM payment_case(p, 'payment_mismatch', 'the PSP does not know it');
    p.check_at := payment_next_look(p);
    PERFORM payment_write(p);
    RETURN 'mismatch';
END $$;

-- ---------------------------------------------------------------- calls

-- Claims what is due for 30 s, in the order of each payment's calls. Nothing leaves before this has
-- been committed. $2: only this one.
CREATE FUNCTION psp_claim(p_limit int) RETURNS SETOF psp_operation LANGUAGE plpgsql AS $$
DECLARE
    v_over psp_operation;
    v_now timestamptz := hub_now();
BEGIN
    FOR v_over IN UPDATE psp_operation
                SET state = 'parked', finished_at = v_now, due_at = NULL, lease_until = NULL
              WHERE id IN (SELECT id FROM psp_operation
                            WHERE due_at <= v_now AND expires_at <= v_now
                              AND state IN ('ready', 'in_flight') FOR UPDATE SKIP LOCKED)
             RETURNING *
    LOOP
        PERFORM payment_case(p, 'payment_stuck', format('%s: %s', v_over.kind,
                                                        coalesce(v_over.detail, '')))
           FROM payment p WHERE p.id = v_over.payment;
    END LOOP;
    RETURN QUERY
    UPDATE psp_operation u
       SET state = 'in_flight', attempts = u.attempts + 1, lease_until = v_now + interval '30 seconds',
           due_at = v_now + interval '30 seconds', sent_at = coalesce(u.sent_at, v_now)
      FROM (SELECT o.id FROM psp_operation o
             WHERE o.due_at <= v_now AND o.state IN ('ready', 'in_flight')
               AND NOT EXISTS (SELECT FROM psp_operation e
                                WHERE e.payment = o.payment AND e.id < o.id
                                  AND e.state IN ('ready', 'in_flight', 'accepted'))
             ORDER BY o.due_at LIMIT p_limit
               FOR UPDATE SKIP LOCKED) x
     WHERE u.id = x.id
    RETURNING u.*;
END $$;

CREATE TYPE psp_done_answer AS (state text, failure text, outcome text);

-- What came of a call. Outcomes: answered (v is what the PSP has now), declined (finally, with a
-- code), refused (it was no good request), retry (nobody knows, or later; the same key again).
CREATE FUNCTION psp_done(p_id bigint, p_outcome text, p_detail text, p_retry_after_s bigint,
                         v psp_view)
RETURNS psp_done_answer LANGUAGE plpgsql AS $$
DECLARE
    a psp_done_answer;
    o psp_operation;
    p payment;
BEGIN
    p := payment_lock((SELECT payment FROM psp_operation WHERE id = p_id));
    SELECT * INTO o FROM psp_operation WHERE id = p_id FOR UPDATE;
    a.outcome := 'over';
    IF o.state = 'in_flight' THEN
        UPDATE psp_operation SET lease_until = NULL, detail = left(p_detail, 200) WHERE id = p_id;
        CASE p_outcome
        WHEN 'answered' THEN
            UPDATE psp_operation SET state = 'accepted', accepted_at = hub_now(), due_at = NULL
             WHERE id = p_id;
            a.outcome := payment_view(p.id, v, 'answer');
            IF o.kind = 'void' AND a.outcome <> 'mismatch' AND v.status NOT IN ('voided', 'expired')
               AND v.status <> 'authorised' THEN
                PERFORM psp_end(p.id, ARRAY['void'], 'declined'); -- it was taken meanwhile
            END IF;
            IF o.kind = 'capture' AND v.status = 'authorised' AND payment_refusal_is_news(p.id) THEN
                SELECT * INTO p FROM payment WHERE id = p.id; -- its event has overtaken the answer
                PERFORM payment_declined(p, v.code, 'answer') WHERE p.state = 'capturing';
            END IF;
        WHEN 'declined' THEN
            a.outcome := 'declined';
            IF o.kind = 'refund' THEN
                UPDATE psp_operation SET state = 'declined', finished_at = hub_now(), due_at = NULL
                 WHERE id = p_id;
                UPDATE refund SET state = 'failed', finished_at = hub_now() WHERE id = o.refund;
                PERFORM payment_case(p, 'refund_failed', coalesce(v.code, 'declined'));
            ELSIF o.kind = 'void' THEN
                PERFORM psp_end(p.id, ARRAY['void'], 'declined');
                p.look := true;
                p.check_at := hub_now();
                PERFORM payment_write(p);
            ELSE
                IF v.psp_id IS NOT NULL AND p.psp_id IS NULL THEN
                    p.psp_id := v.psp_id;
                    p := payment_write(p);
                END IF;
                PERFORM payment_declined(p, v.code, 'answer');
            END IF;
        ELSE
            a.outcome := p_outcome;
            UPDATE psp_operation SET
                   refusals = refusals + (p_outcome = 'refused')::int,
                   state = CASE WHEN p_outcome = 'refused' AND refusals >= 4 THEN 'parked'
                                ELSE 'ready' END,
                   due_at = CASE WHEN p_outcome = 'refused' AND refusals >= 4 THEN NULL
                       ELSE hub_now() + greatest(make_interval(secs => p_retry_after_s), make_interval(
                           secs => 0.5 + random() * least(power(2, least(attempts, 12)), 300))) END
             WHERE id = p_id
            RETURNING * INTO o;
            IF o.state = 'parked' THEN
                PERFORM payment_case(p, 'payment_stuck', format('%s: %s', o.kind, o.detail));
                UPDATE psp_operation SET finished_at = hub_now() WHERE id = p_id;
            END IF;
            IF p_outcome = 'refused' AND p.psp_id IS NOT NULL THEN
                p.look := true;
                p.check_at := hub_now();
                PERFORM payment_write(p);
            END IF;
        END CASE;
        -- Taken, but not over: ask again soon.
        UPDATE payment SET check_at = hub_now() + interval '1 minute', version = version + 1
         WHERE id = p.id AND EXISTS (SELECT FROM psp_operation
                                      WHERE id = p_id AND state = 'accepted');
    ELSIF p_outcome = 'answered' AND v.captured_minor > 0 THEN
        PERFORM payment_view(p.id, v, 'answer'); -- what was taken is taken
    END IF;
    SELECT state, failure INTO a.state, a.failure FROM payment WHERE id = p.id;
    RETURN a;
END $$;

-- ---------------------------------------------------------------- the hold before a start

CREATE TYPE hold_begun AS (
    outcome text, session_id uuid, payment bigint, operation bigint, key text, reference text,
    customer text, amount_minor bigint, currency text);

-- Outcomes: begun (the caller calls the PSP now; the lease is its), held (an earlier request with
-- this key did), running, key_reused, not_needed.
CREATE FUNCTION payment_hold(p_session uuid, p_user text, p_amount bigint, p_currency text,
                             p_caller text, p_key text, p_body_hash text)
RETURNS hold_begun LANGUAGE plpgsql AS $$
DECLARE
    a hold_begun;
    y payer;
    p payment;
    o psp_operation;
BEGIN
    SELECT * INTO y FROM payer WHERE user_id = p_user;
    IF y.mode IN ('prepaid', 'invoice') THEN
        a.outcome := 'not_needed';
        RETURN a;
    END IF;
    IF p_key IS NOT NULL THEN
        UPDATE payment x SET start_key = NULL, version = version + 1
         WHERE x.start_caller = p_caller AND x.start_key = p_key
           AND EXISTS (SELECT FROM session WHERE id = x.session_id);
    END IF;
    INSERT INTO payment (kind, session_id, user_id, psp_customer, currency, amount_minor,
                         start_caller, start_key, start_hash, created_at, updated_at, state_at,
                         check_at)
    VALUES ('hold', p_session, p_user, coalesce(y.psp_customer, p_user), p_currency, p_amount,
            p_caller, p_key, p_body_hash, hub_now(), hub_now(), hub_now(),
            hub_now() + interval '5 minutes')
    ON CONFLICT (start_caller, start_key) WHERE start_key IS NOT NULL DO NOTHING
    RETURNING * INTO p;
    IF p.id IS NULL THEN
        SELECT * INTO p FROM payment WHERE start_caller = p_caller AND start_key = p_key FOR UPDATE;
        a.outcome := CASE WHEN p.id IS NULL OR p.state = 'pending' THEN 'running'
                          WHEN p.start_hash <> p_body_hash THEN 'key_reused'
                          WHEN p.state = 'authorised' AND p.amount_minor >= p_amount
                               AND p.currency = p_currency THEN 'held'
                          ELSE 'running' END;
        IF a.outcome = 'held' THEN
            UPDATE payment SET wanted = true, version = version + 1,
                   check_at = hub_now() + interval '2 minutes' WHERE id = p.id;
            PERFORM psp_end(p.id, ARRAY['void'], 'cancelled');
        END IF;
    ELSE
        o := psp_ask(p, 'authorise', p_amount);
        UPDATE psp_operation SET state = 'in_flight', attempts = 1, sent_at = hub_now(),
               lease_until = hub_now() + interval '30 seconds',
               due_at = hub_now() + interval '30 seconds'
         WHERE id = o.id;
        a.outcome := 'begun';
    END IF;
    a.session_id := p.session_id;
    a.payment := p.id;
    a.operation := o.id;
    a.key := o.key;
    a.reference := p.reference;
    a.customer := p.psp_customer;
    a.amount_minor := p.amount_minor;
    a.currency := p.currency;
    RETURN a;
END $$;

-- The start came to nothing: what is held for it, or turns out to be, goes back.
CREATE FUNCTION payment_release(p_session uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    p payment;
BEGIN
    FOR p IN SELECT * FROM payment WHERE session_id = p_session
                AND state IN ('pending', 'authorised') FOR UPDATE
    LOOP
        IF NOT EXISTS (SELECT FROM session WHERE id = p_session) THEN
            PERFORM payment_void(p);
        END IF;
    END LOOP;
END $$;

-- ---------------------------------------------------------------- receipts

-- What of a refund has gone back, or is on its way: a part of it may have been refused, and the rest
-- of it is given back all the same.
CREATE FUNCTION refund_gone(r refund) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE r.cause WHEN 'given' THEN r.amount_minor ELSE coalesce((
        SELECT sum(amount_minor) FROM psp_operation
         WHERE refund = r.id AND state NOT IN ('declined', 'cancelled')), 0)::bigint END
$$;

-- What a credit asks for, and is not there any more because a person or the holder's bank had given
-- it back: noted, so that it is not asked for again. What a person gave is no loss of the hub any
-- more, as the user does not get it twice. Returns how much it is.
CREATE FUNCTION payment_given(p_session uuid, p_currency text, p_receipt bigint, p_ask bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    r refund;
    v_here bigint;    -- can be given back still, or has not been taken
    v_person bigint;
    v_bank bigint;
    v_before bigint;  -- of these two, noted by earlier credits
    v_now bigint;
    v_u6 bigint;
BEGIN
    SELECT coalesce(sum(CASE WHEN state = 'failed' THEN capture_minor
                             ELSE payment_refundable(p) END), 0),
           coalesce(sum(captured_minor - refunded_minor) FILTER (WHERE state = 'charged_back'), 0)
      INTO v_here, v_bank FROM payment p WHERE session_id = p_session AND currency = p_currency;
    SELECT coalesce(sum(refund_gone(x)) FILTER (WHERE cause = 'person'), 0),
           coalesce(sum(refund_gone(x)) FILTER (WHERE cause = 'given'), 0)
      INTO v_person, v_before FROM refund x WHERE session_id = p_session AND currency = p_currency;
    v_now := least(greatest(p_ask - v_here, 0), v_person + v_bank - v_before);
    IF v_now <= 0 THEN
        RETURN 0;
    END IF;
    r := refund_new(p_receipt, p_session, 'given', v_now, p_currency, 'given back before', 'hub',
                    'done');
    UPDATE refund SET done_minor = amount_minor, finished_at = hub_now() WHERE id = r.id;
    v_u6 := money_u6(greatest(v_before + v_now - v_bank, 0) - greatest(v_before - v_bank, 0),
                     p_currency);
    PERFORM ledger_post('refund', 'given/' || r.id, p_currency, p_receipt, NULL, NULL,
                        ARRAY['receivable', 'hub_loss'], ARRAY[v_u6, -v_u6]) WHERE v_u6 > 0;
    RETURN v_now;
END $$;

-- Takes what no hold is there for.
CREATE FUNCTION payment_charge(p_session uuid, p_receipt bigint, p_user text, p_customer text,
                               p_currency text, p_amount bigint, p_retries int)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    p payment;
BEGIN
    INSERT INTO payment (kind, session_id, receipt, user_id, psp_customer, currency, amount_minor,
                         capture_minor, retries, created_at, updated_at, state_at, check_at)
    VALUES ('rest', p_session, p_receipt, p_user, p_customer, p_currency, p_amount, p_amount,
            p_retries, hub_now(), hub_now(), hub_now(), hub_now() + interval '5 minutes')
    RETURNING * INTO p;
    PERFORM psp_ask(p, 'charge', p_amount);
END $$;

-- A refused one is tried again. Of each charge the PSP makes a payment, with an id and an amount of
-- its own: so do we.
CREATE FUNCTION payment_again(p payment) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p.kind = 'hold' THEN
        p := payment_move(p, 'retry', NULL, 'job');
        PERFORM psp_ask(p, 'capture', p.capture_minor);
    ELSE
        PERFORM payment_charge(p.session_id, p.receipt, p.user_id, p.psp_customer, p.currency,
                               p.capture_minor, p.retries + 1);
        p.capture_minor := 0;
        p.check_at := NULL;
        PERFORM payment_write(p);
    END IF;
END $$;

-- Captures, charges or gives back until what is taken in this currency is what the receipts say.
-- The caller holds the session's payments.
CREATE FUNCTION payment_settle_currency(p_session uuid, p_currency text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    h payment;
    v_receipt bigint;
    v_cancelled bigint;
    v_user text;
    v_customer text;
    v_due bigint;
    v_planned bigint;
    v_back bigint;
BEGIN
    SELECT coalesce(greatest(sum(amount_minor), 0), 0),
           (array_agg(id ORDER BY revision DESC) FILTER (WHERE kind = 'receipt'))[1],
           (array_agg(id ORDER BY revision DESC) FILTER (WHERE kind = 'cancellation'))[1]
      INTO v_due, v_receipt, v_cancelled
      FROM receipt WHERE session_id = p_session AND currency = p_currency;
    SELECT coalesce(sum(capture_minor) FILTER (WHERE state <> 'voided'), 0) - coalesce((
               SELECT sum(refund_gone(r)) FROM refund r
                WHERE session_id = p_session AND currency = p_currency
                  AND cause IN ('credit', 'given')), 0)
      INTO v_planned FROM payment WHERE session_id = p_session AND currency = p_currency;

    IF v_due > v_planned THEN
        SELECT * INTO h FROM payment
         WHERE session_id = p_session AND kind = 'hold' AND state = 'authorised' AND wanted
           AND currency = p_currency LIMIT 1;
        IF h.id IS NOT NULL THEN
            h.capture_minor := least(v_due - v_planned, h.amount_minor);
            h.receipt := v_receipt;
            v_planned := v_planned + h.capture_minor;
            h := payment_move(h, 'capture_sent', h.capture_minor, 'receipt');
            PERFORM psp_ask(h, 'capture', h.capture_minor);
        END IF;
        IF v_due > v_planned THEN
            SELECT user_id, psp_customer INTO v_user, v_customer
              FROM payment WHERE session_id = p_session ORDER BY id DESC LIMIT 1;
            PERFORM payment_charge(p_session, v_receipt, v_user, v_customer, p_currency,
                                   v_due - v_planned, 0);
        END IF;
    ELSIF v_due < v_planned THEN
        v_cancelled := coalesce(v_cancelled, v_receipt);
        v_back := v_planned - v_due;
        v_back := v_back - payment_given(p_session, p_currency, v_cancelled, v_back);
        IF v_back > 0 THEN
            PERFORM refund_send(refund_new(v_cancelled, p_session, 'credit', v_back, p_currency,
                                           'credit CDR', 'hub', 'sent'));
        END IF;
    END IF;
END $$;

-- Until what is taken for a session is what its receipts say, in each of their currencies: a
-- replacement may have another one.
CREATE FUNCTION payment_settle(p_session uuid) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    h payment;
    v_currency text;
BEGIN
    PERFORM FROM payment WHERE session_id = p_session ORDER BY id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN; -- nobody asked for a hold: not paid through the PSP
    END IF;
    FOR v_currency IN SELECT currency FROM receipt WHERE session_id = p_session
                      UNION SELECT currency FROM payment
                             WHERE session_id = p_session AND capture_minor > 0
                      ORDER BY 1
    LOOP
        PERFORM payment_settle_currency(p_session, v_currency);
    END LOOP;
    -- What is still held is not needed: nothing is owed, or another currency.
    FOR h IN SELECT * FROM payment WHERE session_id = p_session AND kind = 'hold'
                AND state = 'authorised' AND capture_minor = 0
    LOOP
        PERFORM payment_void(h);
    END LOOP;
END $$;

CREATE FUNCTION receipt_paid() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM payment_settle(NEW.session_id);
    RETURN NULL;
END $$;
-- Deferred: a cancellation and its replacement, issued together, are settled as one difference.
CREATE CONSTRAINT TRIGGER receipt_paid AFTER INSERT ON receipt
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION receipt_paid();

-- A session that has failed needs no money.
CREATE FUNCTION session_payment_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payment SET check_at = hub_now(), version = version + 1
     WHERE session_id = NEW.id AND state = 'authorised';
    IF FOUND THEN
        PERFORM pg_notify('psp', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER session_payment_back AFTER UPDATE OF state ON session
    FOR EACH ROW WHEN (NEW.state = 'failed' AND OLD.state <> 'failed')
    EXECUTE FUNCTION session_payment_back();

-- The word of contract 5.6. Nothing to pay: not required.
CREATE FUNCTION payment_status_of(p_states payment_state[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN 'failed' = ANY (p_states) THEN 'failed'
        WHEN p_states && '{pending,authorised,capturing}'::payment_state[] THEN 'pending'
        WHEN p_states <@ '{refunded,charged_back}'::payment_state[] THEN 'refunded'
        WHEN p_states && '{partly_refunded,refunded,charged_back}'::payment_state[]
            THEN 'partially_refunded'
        ELSE 'paid' END
$$;
CREATE OR REPLACE FUNCTION receipt_payment_status(r receipt) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_states payment_state[];
BEGIN
    IF r.id IS NULL THEN
        RETURN NULL;
    END IF;
    IF r.amount_minor = 0 OR NOT EXISTS (SELECT FROM payment WHERE session_id = r.session_id) THEN
        RETURN 'not_required';
    END IF;
    v_states := ARRAY(SELECT state FROM payment
                       WHERE session_id = r.session_id AND currency = r.currency
                         AND (capture_minor > 0 OR state IN ('pending', 'authorised', 'capturing')));
    RETURN CASE WHEN v_states = '{}' THEN 'failed' ELSE payment_status_of(v_states) END;
END $$;

-- ---------------------------------------------------------------- refunds

CREATE FUNCTION refund_new(p_receipt bigint, p_session uuid, p_cause text, p_amount bigint,
                           p_currency text, p_reason text, p_by text, p_state text)
RETURNS refund LANGUAGE sql AS $$
    INSERT INTO refund (receipt, session_id, cause, amount_minor, currency, reason, state, asked_by,
                        asked_at)
    VALUES (p_receipt, p_session, p_cause, p_amount, p_currency, p_reason, p_state, p_by, hub_now())
    RETURNING *
$$;

-- What may still be given back of a payment; what is being taken counts.
CREATE FUNCTION payment_refundable(p payment) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN p.state IN ('capturing', 'paid', 'partly_refunded')
                  OR (p.state = 'pending' AND p.kind = 'rest') THEN
        p.capture_minor - p.refunded_minor - coalesce((
            SELECT sum(amount_minor) FROM psp_operation
             WHERE payment = p.id AND kind = 'refund'
               AND state IN ('ready', 'in_flight', 'accepted', 'parked')), 0)
        ELSE 0 END
$$;

-- Spreads a refund over the session's payments, the newest first, and asks for each part. That of a
-- credit may wait for what is being taken, and of what could not be taken yet, less is tried again;
-- a person gives back what is there.
CREATE FUNCTION refund_send(r refund) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    p payment;
    v_left bigint := r.amount_minor;
    v_sent bigint := 0;
    v_part bigint;
BEGIN
    FOR p IN SELECT * FROM payment WHERE session_id = r.session_id AND currency = r.currency
              ORDER BY state <> 'failed', id DESC FOR UPDATE
    LOOP
        IF p.state = 'failed' AND r.cause = 'credit' THEN
            v_part := least(v_left, p.capture_minor);
            p.capture_minor := p.capture_minor - v_part;
            p.check_at := CASE WHEN p.capture_minor > 0 THEN p.check_at END;
            PERFORM payment_write(p);
        ELSIF r.cause = 'credit' OR p.state IN ('paid', 'partly_refunded') THEN
            v_part := greatest(least(v_left, payment_refundable(p)), 0);
            IF v_part > 0 THEN
                PERFORM psp_ask(p, 'refund', v_part, r.id);
                v_sent := v_sent + v_part;
            END IF;
        ELSE
            v_part := 0;
        END IF;
        v_left := v_left - v_part;
    END LOOP;
    UPDATE refund SET amount_minor = greatest(v_sent, 1),
           state = CASE WHEN v_sent = 0 THEN 'failed' ELSE state END,
           finished_at = CASE WHEN v_sent = 0 THEN hub_now() END
     WHERE id = r.id AND v_sent < amount_minor;
    IF v_left > 0 THEN
        PERFORM finance_case_open('refund_failed', r.session_id, NULL,
            format('refund %s: %s of %s cannot be given back', r.reference, v_left, r.amount_minor));
    END IF;
END $$;

CREATE TYPE refund_asked AS (
    outcome text, replay_status int, replay_body text, reference uuid, receipt bigint,
    amount_minor bigint, currency text, state text, asked_by text, confirmed_by text,
    left_minor bigint);

CREATE FUNCTION refund_answer(p_outcome text, r refund) RETURNS refund_asked LANGUAGE sql AS $$
    SELECT ROW(p_outcome, NULL, NULL, r.reference, r.receipt, r.amount_minor, r.currency, r.state,
               r.asked_by, r.confirmed_by, NULL)::refund_asked
$$;

-- What may be given back for a receipt now.
CREATE FUNCTION receipt_refundable(p_session uuid, p_currency text) RETURNS bigint
LANGUAGE sql AS $$
    SELECT coalesce(sum(payment_refundable(p)), 0)::bigint FROM payment p
     WHERE p.session_id = p_session AND p.currency = p_currency
       AND p.state IN ('paid', 'partly_refunded')
$$;

-- What is given back in a session without a second person is at most the limit in all; in another
-- currency than the limit's it always takes two.
-- Outcomes: stored, waiting (for the second person), not_found, not_paid, too_much, bad_amount (more
-- decimals than the currency has); replay, key_reused, key_running.
CREATE FUNCTION refund_ask(p_receipt bigint, p_amount_u6 bigint, p_reason text, p_by text,
                           p_limit_minor bigint, p_limit_currency text, p_key text, p_caller text,
                           p_method text, p_path text, p_body_hash text)
RETURNS refund_asked LANGUAGE plpgsql AS $$
DECLARE
    a refund_asked;
    i idempotency;
    c receipt;
    r refund;
    v_minor bigint;
    v_left bigint;
    v_alone bigint;
BEGIN
    SELECT * INTO c FROM receipt WHERE id = p_receipt AND kind = 'receipt';
    IF c.id IS NULL THEN
        a.outcome := 'not_found';
        RETURN a;
    END IF;
    PERFORM FROM payment WHERE session_id = c.session_id ORDER BY id FOR UPDATE;
    SELECT * INTO i FROM idempotency
     WHERE (caller, key, path, method) = (p_caller, p_key, p_path, p_method)
       AND created_at >= hub_now() - interval '48 hours';
    IF i.key IS NOT NULL THEN
        a.outcome := CASE idempotency_word(i, p_body_hash)
            WHEN 'other_body' THEN 'key_reused' WHEN 'running' THEN 'key_running' ELSE 'replay' END;
        IF a.outcome = 'replay' THEN
            SELECT * INTO r FROM refund WHERE reference = uuid_or_null(i.body);
            a := refund_answer('replay', r);
            a.replay_status := i.status;
        END IF;
        RETURN a;
    END IF;
    v_minor := money_minor(p_amount_u6, c.currency);
    v_left := receipt_refundable(c.session_id, c.currency);
    a.left_minor := v_left;
    a.currency := c.currency;
    a.outcome := CASE
        WHEN money_u6(v_minor, c.currency) <> p_amount_u6 THEN 'bad_amount'
        WHEN v_left = 0 THEN 'not_paid'
        WHEN v_minor > v_left THEN 'too_much' END;
    IF a.outcome IS NOT NULL THEN
        RETURN a;
    END IF;
    SELECT coalesce(sum(CASE state WHEN 'waiting' THEN amount_minor ELSE refund_gone(x) END), 0)
      INTO v_alone FROM refund x
     WHERE session_id = c.session_id AND currency = c.currency AND cause = 'person'
       AND confirmed_by IS NULL;
    r := refund_new(c.id, c.session_id, 'person', v_minor, c.currency, p_reason, p_by,
        CASE WHEN v_minor + v_alone > p_limit_minor OR c.currency <> p_limit_currency
             THEN 'waiting' ELSE 'sent' END);
    IF r.state = 'sent' THEN
        PERFORM refund_send(r);
    END IF;
    INSERT INTO idempotency (caller, method, path, key, body_hash, status, body, created_at)
    VALUES (p_caller, p_method, p_path, p_key, p_body_hash, 202, r.reference::text, hub_now())
    ON CONFLICT (caller, key, path, method) DO UPDATE
       SET body_hash = EXCLUDED.body_hash, status = 202, body = EXCLUDED.body,
           created_at = EXCLUDED.created_at;
    RETURN refund_answer(CASE r.state WHEN 'sent' THEN 'stored' ELSE 'waiting' END, r);
END $$;

-- A person's refund, held together with its session's payments.
CREATE FUNCTION refund_lock(p_reference text) RETURNS refund LANGUAGE plpgsql AS $$
DECLARE
    r refund;
BEGIN
    SELECT * INTO r FROM refund WHERE reference = uuid_or_null(p_reference) AND cause = 'person';
    PERFORM FROM payment WHERE session_id = r.session_id ORDER BY id FOR UPDATE;
    SELECT * INTO r FROM refund WHERE id = r.id FOR UPDATE;
    RETURN r;
END $$;

-- Who may confirm is the caller's matter; here only that it is somebody else.
-- Outcomes: stored, not_found, same_person, already, too_much.
CREATE FUNCTION refund_confirm(p_reference text, p_by text) RETURNS refund_asked
LANGUAGE plpgsql AS $$
DECLARE
    a refund_asked;
    r refund := refund_lock(p_reference);
BEGIN
    IF r.id IS NULL THEN
        a.outcome := 'not_found';
        RETURN a;
    END IF;
    IF r.state <> 'waiting' THEN
        RETURN refund_answer('already', r);
    END IF;
    IF r.asked_by = p_by THEN
        RETURN refund_answer('same_person', r);
    END IF;
    IF r.amount_minor > receipt_refundable(r.session_id, r.currency) THEN
        RETURN refund_answer('too_much', r);
    END IF;
    UPDATE refund SET state = 'sent', confirmed_by = p_by, confirmed_at = hub_now()
     WHERE id = r.id RETURNING * INTO r;
    PERFORM refund_send(r);
    RETURN refund_answer('stored', r);
END $$;

-- Whoever may ask for one may decline it while it waits: nothing is given back.
-- Outcomes: stored, not_found, already.
CREATE FUNCTION refund_decline(p_reference text, p_by text) RETURNS refund_asked
LANGUAGE plpgsql AS $$
DECLARE
    a refund_asked;
    r refund := refund_lock(p_reference);
BEGIN
    IF r.id IS NULL THEN
        a.outcome := 'not_found';
        RETURN a;
    END IF;
    IF r.state <> 'waiting' THEN
        RETURN refund_answer('already', r);
    END IF;
    UPDATE refund SET state = 'declined', declined_by = p_by, finished_at = hub_now()
     WHERE id = r.id RETURNING * INTO r;
    RETURN refund_answer('stored', r);
END $$;

-- ---------------------------------------------------------------- the job

CREATE TYPE payment_work AS (payment bigint, reference text, psp_id text);

-- Looks at what is due: voids, tries again, tells people; returns what is to be read at the PSP.
CREATE FUNCTION payment_work(p_limit int) RETURNS SETOF payment_work LANGUAGE plpgsql AS $$
DECLARE
    p payment;
    o psp_operation;
    s session;
    v_open boolean;
    v_reads payment_work;
BEGIN
    -- One at a time: it holds payments of many sessions, in any order.
    IF NOT pg_try_advisory_xact_lock(hashtext('payment_work')) THEN
        RETURN;
    END IF;
    FOR p IN SELECT * FROM payment WHERE check_at <= hub_now() ORDER BY check_at LIMIT p_limit
                FOR UPDATE SKIP LOCKED
    LOOP
        -- Taken by the PSP, which has not told the end: people ask there. It may come yet.
        FOR o IN UPDATE psp_operation SET state = 'parked', finished_at = hub_now()
                  WHERE payment = p.id AND state = 'accepted' AND accepted_at <= hub_now() -
                        CASE kind WHEN 'refund' THEN interval '7 days' ELSE interval '1 day' END
                 RETURNING *
        LOOP
            PERFORM payment_case(p, 'payment_stuck',
                format('%s: taken by the PSP at %s, and nothing came of it', o.kind, o.accepted_at));
        END LOOP;
        v_open := EXISTS (SELECT FROM psp_operation
                           WHERE payment = p.id AND state IN ('ready', 'in_flight'));
        IF NOT p.look AND p.state = 'authorised' THEN
            s := NULL;
            SELECT * INTO s FROM session WHERE id = p.session_id;
            IF s.id IS NULL AND p.state_at > hub_now() - interval '2 minutes' THEN
                p.check_at := p.state_at + interval '2 minutes';
                PERFORM payment_write(p);
                CONTINUE;
            ELSIF NOT p.wanted OR s.id IS NULL OR s.state = 'failed' THEN
                IF p.wanted OR NOT EXISTS (SELECT FROM psp_operation
                                            WHERE payment = p.id AND kind = 'void'
                                              AND state IN ('ready', 'in_flight', 'accepted')) THEN
                    PERFORM payment_void(p);
                    CONTINUE;
                END IF;
                p.look := NOT v_open; -- asked for, and nothing came of it
            ELSIF hub_now() >= p.expires_at THEN
                p.look := true;
            ELSIF hub_now() >= p.expires_at - interval '24 hours' THEN
                PERFORM payment_case(p, 'hold_expiring',
                    format('%s held until %s, and there is no CDR', p.amount_minor, p.expires_at));
                p.check_at := p.expires_at + interval '1 minute';
                PERFORM payment_write(p);
                CONTINUE;
            ELSE
                p.check_at := payment_next_look(p);
                PERFORM payment_write(p);
                CONTINUE;
            END IF;
        ELSIF NOT p.look AND p.state = 'failed' THEN
            IF p.capture_minor > 0 AND p.kind = 'hold' AND p.expires_at <= hub_now() THEN
                PERFORM payment_hold_gone(p);
            ELSIF p.capture_minor > 0 AND p.retries < 3 THEN
                PERFORM payment_again(p);
            ELSE
                p.check_at := NULL;
                PERFORM payment_write(p);
            END IF;
            CONTINUE;
        ELSIF NOT p.look AND p.state IN ('pending', 'capturing') THEN
            p.look := NOT v_open;
        ELSIF NOT p.look THEN
            p.look := EXISTS (SELECT FROM psp_operation
                               WHERE payment = p.id AND state = 'accepted');
            p.check_at := CASE WHEN p.look THEN p.check_at END;
        END IF;
        IF p.check_at IS NOT NULL THEN
            p.check_at := hub_now() + interval '5 minutes'; -- if nobody comes back with an answer
        END IF;
        p := payment_write(p);
        IF p.look THEN
            v_reads := ROW(p.id, p.reference::text, p.psp_id);
            RETURN NEXT v_reads;
        END IF;
    END LOOP;
    DELETE FROM inbox WHERE (source, event_id) IN (
        SELECT source, event_id FROM inbox WHERE received_at < hub_now() - interval '90 days'
         ORDER BY received_at LIMIT 100);
END $$;

-- ---------------------------------------------------------------- payouts

-- Days since the first capture whose report has not been read. A report is asked for on the
-- morning after; a lease of a minute.
CREATE FUNCTION psp_payout_claim() RETURNS SETOF date LANGUAGE plpgsql AS $$
DECLARE
    v_today date := (hub_now() AT TIME ZONE 'UTC')::date;
    v_first date; -- NULL: nothing has been taken yet
BEGIN
    SELECT greatest(coalesce((SELECT max(day) + 1 FROM psp_payout_day),
                             (min(at) AT TIME ZONE 'UTC')::date), v_today - 100)
      INTO v_first FROM payment_event WHERE event = 'captured' HAVING min(at) IS NOT NULL;
    INSERT INTO psp_payout_day (day, due_at)
    SELECT d::date, greatest(hub_now(), d + interval '1 day 6 hours')
      FROM generate_series(v_first::timestamp, (v_today - 1)::timestamp, interval '1 day') d
    ON CONFLICT DO NOTHING;
    RETURN QUERY
    UPDATE psp_payout_day u SET due_at = hub_now() + interval '1 minute'
      FROM (SELECT x.day FROM psp_payout_day x WHERE x.due_at <= hub_now()
             ORDER BY x.day LIMIT 1 FOR UPDATE SKIP LOCKED) y
     WHERE u.day = y.day
    RETURNING u.day;
END $$;

-- Captures - refunds - chargebacks - fees = payout: by the report's own figures, and by ours of that
-- day (index ledger_entry_by_date). Returns what is not explained.
CREATE FUNCTION psp_payout_put(p_day date, p_currency text, p_paid bigint, p_captured bigint,
                               p_refunded bigint, p_charged_back bigint, p_fee bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_expected bigint;
    v_difference bigint;
BEGIN
    SELECT money_minor(coalesce(sum(l.amount_u6), 0)::bigint, p_currency) INTO v_expected
      FROM ledger_entry e JOIN ledger_line l ON l.entry = e.id
     WHERE l.account = 'psp_clearing' AND e.currency = p_currency
       AND e.kind IN ('capture', 'refund', 'chargeback', 'fee')
       AND e.at >= p_day::timestamp AT TIME ZONE 'UTC'
       AND e.at < (p_day + 1)::timestamp AT TIME ZONE 'UTC';
    v_difference := p_paid - v_expected;
    IF v_difference = 0 THEN
        v_difference := p_paid - (p_captured - p_refunded - p_charged_back - p_fee);
    END IF;
    INSERT INTO psp_payout VALUES (p_day, p_currency, p_paid, p_captured, p_refunded,
                                   p_charged_back, p_fee, v_expected, v_difference, hub_now())
    ON CONFLICT (day, currency) DO UPDATE
       SET paid_minor = p_paid, captured_minor = p_captured, refunded_minor = p_refunded,
           charged_back_minor = p_charged_back, fee_minor = p_fee, expected_minor = v_expected,
           difference_minor = v_difference, read_at = hub_now();
    IF v_difference <> 0 THEN
        PERFORM finance_case_open('payout_difference', NULL, NULL,
            format('payout of %s: %s %s are not explained', p_day, v_difference, p_currency),
            format('%s %s', p_day, p_currency));
    END IF;
    RETURN v_difference;
END $$;

-- A report without a line for a currency says that nothing was paid out in it.
CREATE FUNCTION psp_payout_done(p_day date, p_ok boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_ok THEN
        PERFORM psp_payout_put(p_day, c, 0, 0, 0, 0, 0) FROM (
            SELECT DISTINCT currency FROM ledger_entry
             WHERE kind IN ('capture', 'refund', 'chargeback', 'fee')
               AND at >= p_day::timestamp AT TIME ZONE 'UTC'
               AND at < (p_day + 1)::timestamp AT TIME ZONE 'UTC') x (c)
         WHERE NOT EXISTS (SELECT FROM psp_payout WHERE day = p_day AND currency = c);
    END IF;
    UPDATE psp_payout_day
       SET due_at = CASE WHEN p_ok THEN NULL
                         ELSE hub_now() + least(failures + 1, 12) * interval '5 minutes' END,
           failures = CASE WHEN p_ok THEN 0 ELSE failures + 1 END
     WHERE day = p_day;
END $$;
