-- SPDX-License-Identifier: Apache-2.0
-- Statements: what is settled with partners, month by month; and what finance people see: amounts as
-- they are written, the month's reconciliation.
--
-- A CDR belongs to the month in which it began to be owed (cdr.period), so that a month that is over
-- gets no more of them. Until a month is closed its statement is only reckoned; closing writes it
-- down, for ever. What is disputed is not owed, so it is in none.

-- In units of the currency, with its decimals: 7.20, 720 for JPY.
CREATE FUNCTION finance_amount(p_minor bigint, p_currency text) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT round(money_u6(p_minor, p_currency)::numeric / 1000000,
                 coalesce((SELECT c.exponent FROM currency c WHERE c.code = p_currency), 2))
$$;

-- 17.8581: four decimals, more where there are more.
CREATE FUNCTION finance_net(p_u6 numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN mod(p_u6, 100) = 0 THEN round(p_u6 / 1000000, 4)
                ELSE round(p_u6 / 1000000, 6) END
$$;

-- Energy of a CDR as it counts in sums: a credit takes back what its original had.
CREATE FUNCTION cdr_energy(c cdr) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN c.credit THEN -c.energy_mwh ELSE c.energy_mwh END
$$;

-- And the look at the books that did not come to its end for more than a day.
ALTER TABLE finance_case
    DROP CONSTRAINT finance_case_kind_check,
    ADD CONSTRAINT finance_case_kind_check CHECK (kind IN ('cdr_overdue', 'unmatched_cdr',
        'cdr_conflict', 'cost_mismatch', 'quarantined_cdr', 'late_start', 'force_closed',
        'joined_sessions', 'no_price', 'payment_mismatch', 'payment_unknown', 'payment_failed',
        'payment_stuck', 'payment_dispute', 'refund_failed', 'hold_expiring', 'payout_difference',
        'audit_overdue'));

CREATE INDEX cdr_by_acceptance ON cdr (accepted_at) WHERE accepted_at IS NOT NULL;

-- A receipt is booked on its own date, which may be a moment after the transaction's, so that both
-- are in the same month.
CREATE OR REPLACE FUNCTION ledger_post(p_kind text, p_key text, p_currency text, p_receipt bigint,
                                       p_cdr bigint, p_payment bigint, p_accounts text[],
                                       p_amounts_u6 bigint[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
    v_at timestamptz := hub_now();
BEGIN
    IF p_kind IN ('receipt', 'cancellation') THEN
        SELECT issued_at INTO v_at FROM receipt WHERE id = p_receipt;
    END IF;
    INSERT INTO ledger_entry (at, kind, key, currency, receipt, cdr, payment)
    VALUES (coalesce(v_at, hub_now()), p_kind, p_key, p_currency, p_receipt, p_cdr, p_payment)
    ON CONFLICT (key) DO NOTHING
    RETURNING id INTO v_id;
    IF v_id IS NOT NULL THEN
        INSERT INTO ledger_line (entry, position, account, amount_u6)
        SELECT v_id, i, account, amount
          FROM unnest(p_accounts, p_amounts_u6) WITH ORDINALITY x (account, amount, i)
         WHERE amount <> 0;
    END IF;
    RETURN v_id;
END $$;

-- ---------------------------------------------------------------- reconciliation

-- Owed, and booked nowhere: of the release before there was a ledger, or a credit of such a one.
CREATE FUNCTION cdr_before_ledger(c cdr) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT c.owed_at IS NOT NULL
       AND (c.calculation IS NULL
            OR c.credit AND EXISTS (SELECT FROM cdr o WHERE o.credited_by = c.id
                                       AND o.calculation IS NULL))
       AND NOT EXISTS (SELECT FROM ledger_entry e WHERE e.key = 'cdr/' || c.id)
$$;

-- What a month came to, a row a network and currency, twice: from the receipts, and from the CDRs
-- and what was booked for each. control: both agree to the last unit.
CREATE FUNCTION finance_reconciliation(p_month date, p_partner bigint)
RETURNS TABLE (
    network text, partner_id bigint, currency text,
    sessions bigint, receipts bigint, cancellations bigint, energy_kwh numeric,
    net numeric, vat numeric, gross numeric,
    cdrs bigint, credits bigint, cdr_energy_kwh numeric, gross_by_cdrs numeric,
    cdr_net numeric, our_net numeric, difference numeric, differing bigint,
    owed numeric, owed_by_ledger numeric,
    disputed bigint, quarantined bigint, unmatched bigint, overdue bigint, control boolean)
LANGUAGE sql STABLE AS $$
    WITH bound AS (
        SELECT p_month::timestamp AT TIME ZONE 'UTC' AS from_at,
               (p_month + interval '1 month') AT TIME ZONE 'UTC' AS until_at),
    by_receipts AS (
        SELECT s.partner_id, r.currency, count(DISTINCT r.session_id) AS sessions,
               count(*) FILTER (WHERE r.kind = 'receipt') AS receipts,
               count(*) FILTER (WHERE r.kind = 'cancellation') AS cancellations,
               sum(r.energy_mwh) AS energy, sum(r.net_minor) AS net, sum(r.vat_minor) AS vat,
               sum(r.amount_minor) AS gross
          FROM bound, receipt r JOIN session s ON s.id = r.session_id
         WHERE r.issued_at >= from_at AND r.issued_at < until_at
         GROUP BY 1, 2),
    charges AS (
        SELECT c.partner_id, e.currency, cdr_energy(c) AS energy, coalesce(l.amount_u6, 0) AS gross
          FROM bound, ledger_entry e JOIN cdr c ON c.id = e.cdr
          LEFT JOIN ledger_line l ON l.entry = e.id AND l.account = 'receivable'
         WHERE e.kind IN ('receipt', 'cancellation') AND e.at >= from_at AND e.at < until_at
        UNION ALL
        -- Of the release before there was a ledger: what the CDR itself says.
        SELECT c.partner_id, c.currency, cdr_energy(c),
               money_u6(money_minor(cdr_gross(c), c.currency), c.currency)
          FROM bound, receipt r JOIN cdr c ON c.id = r.cdr
         WHERE r.content IS NULL AND r.issued_at >= from_at AND r.issued_at < until_at),
    by_cdrs AS (
        SELECT x.partner_id, x.currency, sum(x.energy) AS energy, sum(x.gross) AS gross
          FROM charges x GROUP BY 1, 2),
    accepted AS (
        SELECT c.partner_id, c.currency, count(*) FILTER (WHERE NOT c.credit) AS cdrs,
               count(*) FILTER (WHERE c.credit) AS credits,
               sum(cdr_net(c)) AS net,
               sum(c.difference_u6) FILTER (WHERE NOT c.credit AND c.credited_by IS NULL)
                   AS difference,
               count(*) FILTER (WHERE c.class IN ('WARN', 'DISPUTE')) AS differing,
               count(*) FILTER (WHERE c.class = 'DISPUTE' AND NOT c.credit AND c.owed_at IS NULL
                                      AND c.credited_by IS NULL) AS disputed
          FROM bound, cdr c WHERE c.accepted_at >= from_at AND c.accepted_at < until_at
         GROUP BY 1, 2),
    owed AS (
        SELECT c.partner_id, c.currency, sum(cdr_net(c)) AS net
          FROM cdr c WHERE c.period = p_month GROUP BY 1, 2),
    booked AS (
        SELECT x.partner_id, x.currency, sum(x.net) AS net FROM (
            SELECT c.partner_id, e.currency, -coalesce(l.amount_u6, 0) AS net
              FROM bound, ledger_entry e JOIN cdr c ON c.id = e.cdr
              LEFT JOIN ledger_line l
                     ON l.entry = e.id AND l.account = 'cpo_payable:' || c.partner_id
             WHERE e.kind IN ('purchase', 'credit') AND e.at >= from_at AND e.at < until_at
            UNION ALL
            SELECT c.partner_id, c.currency, cdr_net(c)
              FROM cdr c WHERE c.period = p_month AND cdr_before_ledger(c)) x
         GROUP BY 1, 2),
    held AS (
        SELECT c.partner_id, c.currency,
               count(*) FILTER (WHERE c.filed IN ('unmatched', 'credit_waiting')) AS unmatched,
               count(*) FILTER (WHERE c.filed IN ('quarantined', 'duplicate_session', 'late_start',
                   'force_closed', 'credit_twice', 'credit_amount', 'credit_unknown')) AS quarantined
          FROM bound, cdr c
         WHERE c.received_at >= from_at AND c.received_at < until_at AND c.accepted_at IS NULL
         GROUP BY 1, 2),
    late AS (
        SELECT s.partner_id, s.currency, count(*) AS overdue
          FROM bound, finance_case f JOIN session s ON s.id = f.session_id
         WHERE f.kind = 'cdr_overdue' AND f.resolved_at IS NULL AND s.end_at < until_at
           AND s.end_at >= from_at
         GROUP BY 1, 2)
    SELECT p.name, partner_id, currency,
           coalesce(r.sessions, 0), coalesce(r.receipts, 0), coalesce(r.cancellations, 0),
           round(coalesce(r.energy, 0) / 1000000, 3),
           finance_amount(coalesce(r.net, 0)::bigint, currency),
           finance_amount(coalesce(r.vat, 0)::bigint, currency),
           finance_amount(coalesce(r.gross, 0)::bigint, currency),
           coalesce(a.cdrs, 0), coalesce(a.credits, 0),
           round(coalesce(b.energy, 0) / 1000000, 3),
           finance_amount(money_minor(coalesce(b.gross, 0)::bigint, currency), currency),
           finance_net(coalesce(a.net, 0)), finance_net(coalesce(a.net, 0) - coalesce(a.difference, 0)),
           finance_net(coalesce(a.difference, 0)), coalesce(a.differing, 0),
           finance_net(coalesce(o.net, 0)), finance_net(coalesce(k.net, 0)),
           coalesce(a.disputed, 0), coalesce(h.quarantined, 0), coalesce(h.unmatched, 0),
           coalesce(t.overdue, 0),
           money_u6(coalesce(r.gross, 0)::bigint, currency) = coalesce(b.gross, 0)
               AND coalesce(r.energy, 0) = coalesce(b.energy, 0)
               AND coalesce(o.net, 0) = coalesce(k.net, 0)
      FROM by_receipts r FULL JOIN by_cdrs b USING (partner_id, currency)
      FULL JOIN accepted a USING (partner_id, currency)
      FULL JOIN owed o USING (partner_id, currency)
      FULL JOIN booked k USING (partner_id, currency)
      FULL JOIN held h USING (partner_id, currency)
      FULL JOIN late t USING (partner_id, currency)
      LEFT JOIN partner p ON p.id = partner_id
     WHERE p_partner IS NULL OR partner_id = p_partner
     ORDER BY p.name, partner_id, currency
$$;

-- ---------------------------------------------------------------- terms

-- By the day on which the energy was delivered; the newest that had begun counts. Of the fee, and
-- whether it is netted, by the last day of the month. [tax]: none of it is a constant.
CREATE TABLE statement_terms (
    partner_id bigint NOT NULL REFERENCES partner,
    currency text NOT NULL REFERENCES currency,
    valid_from date NOT NULL,
    vat_treatment text NOT NULL CHECK (vat_treatment IN ('domestic', 'reverse_charge', 'exempt')),
    vat_rate numeric(9,4) NOT NULL CHECK (vat_rate >= 0 AND vat_rate <= 100), -- percent
    fee_percent numeric(9,4) NOT NULL DEFAULT 0 CHECK (fee_percent >= 0 AND fee_percent <= 100),
    fee_per_cdr_u6 bigint NOT NULL DEFAULT 0 CHECK (fee_per_cdr_u6 >= 0),
    fee_vat_treatment text NOT NULL
        CHECK (fee_vat_treatment IN ('domestic', 'reverse_charge', 'exempt')),
    fee_vat_rate numeric(9,4) NOT NULL CHECK (fee_vat_rate >= 0 AND fee_vat_rate <= 100),
    netting boolean NOT NULL DEFAULT false,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (partner_id, currency, valid_from),
    CHECK (vat_treatment = 'domestic' OR vat_rate = 0),
    CHECK (fee_vat_treatment = 'domestic' OR fee_vat_rate = 0)
);

CREATE FUNCTION statement_terms_of(p_partner bigint, p_currency text, p_day date)
RETURNS statement_terms LANGUAGE sql STABLE AS $$
    SELECT * FROM statement_terms
     WHERE partner_id = p_partner AND currency = p_currency AND valid_from <= p_day
     ORDER BY valid_from DESC LIMIT 1
$$;

-- ---------------------------------------------------------------- statements

-- Like receipts: numbers without a gap, taken in the transaction that writes the row.
CREATE TABLE statement_series (
    series text NOT NULL,
    year int NOT NULL,
    next bigint NOT NULL DEFAULT 1,
    PRIMARY KEY (series, year)
);

-- What we owe a partner for the CDRs of a month, and the fee it owes us. net_u6 is the exact sum, the
-- amounts are rounded once per VAT key (statement_vat).
CREATE TABLE statement (
    id text PRIMARY KEY,          -- "2026-11-7-EUR": month, partner, currency
    partner_id bigint NOT NULL REFERENCES partner,
    currency text NOT NULL REFERENCES currency,
    month date NOT NULL CHECK (extract(day FROM month) = 1),
    number text NOT NULL UNIQUE,  -- "FI-HUB-S-2026-00001"
    series text NOT NULL,
    year int NOT NULL,
    seq bigint NOT NULL,
    state text NOT NULL CHECK (state IN
        ('CLOSED', 'SENT', 'ACKNOWLEDGED', 'DISPUTED', 'INVOICED', 'PAID')),
    cdrs bigint NOT NULL,         -- control sums: all lines, ...
    credits bigint NOT NULL,      -- ... those of them that are credits
    energy_mwh bigint NOT NULL,
    net_u6 bigint NOT NULL,
    net_minor bigint NOT NULL,
    vat_minor bigint NOT NULL,
    fee_percent numeric(9,4) NOT NULL,
    fee_per_cdr_u6 bigint NOT NULL,
    fee_minor bigint NOT NULL,
    fee_vat_treatment text NOT NULL,
    fee_vat_rate numeric(9,4) NOT NULL,
    fee_vat_minor bigint NOT NULL,
    netting boolean NOT NULL,
    closed_by text NOT NULL,
    closed_at timestamptz NOT NULL,
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    UNIQUE (partner_id, currency, month),
    UNIQUE (series, year, seq)
);
CREATE INDEX statement_of_month ON statement (month);
CREATE TABLE statement_vat (
    statement text NOT NULL REFERENCES statement,
    vat_treatment text NOT NULL,
    vat_rate numeric(9,4) NOT NULL,
    cdrs bigint NOT NULL,
    net_u6 bigint NOT NULL,
    net_minor bigint NOT NULL,
    vat_minor bigint NOT NULL,
    PRIMARY KEY (statement, vat_treatment, vat_rate)
);
-- A CDR is in one statement at most: that is the key. CDRs are never deleted; a foreign key would
-- lock each of the month until the closing has ended, and a credit would wait for that.
CREATE TABLE statement_line (
    cdr bigint PRIMARY KEY,
    statement text NOT NULL REFERENCES statement,
    vat_treatment text NOT NULL,
    vat_rate numeric(9,4) NOT NULL
);
CREATE INDEX statement_line_of ON statement_line (statement, cdr);
CREATE TABLE statement_event (
    statement text NOT NULL REFERENCES statement,
    seq int NOT NULL,
    at timestamptz NOT NULL,
    from_state text NOT NULL,
    to_state text NOT NULL,
    by text NOT NULL,
    PRIMARY KEY (statement, seq)
);
CREATE TABLE statement_transition (
    from_state text NOT NULL,
    to_state text NOT NULL,
    PRIMARY KEY (from_state, to_state)
);
INSERT INTO statement_transition (from_state, to_state) VALUES
    ('CLOSED', 'SENT'),
    ('SENT', 'ACKNOWLEDGED'), ('SENT', 'DISPUTED'),
    ('DISPUTED', 'ACKNOWLEDGED'),
    ('ACKNOWLEDGED', 'INVOICED'),
    ('INVOICED', 'PAID');

-- The state moves; nothing else ever does.
CREATE FUNCTION statement_guard() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v statement := NEW;
BEGIN
    v.state := OLD.state;
    IF v IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'statement % is closed', OLD.number;
    END IF;
    IF NEW.state <> OLD.state AND NOT EXISTS (
        SELECT FROM statement_transition WHERE from_state = OLD.state AND to_state = NEW.state) THEN
        RAISE EXCEPTION 'statement % cannot go from % to %', OLD.number, OLD.state, NEW.state;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_guard BEFORE UPDATE ON statement
    FOR EACH ROW EXECUTE FUNCTION statement_guard();
CREATE TRIGGER statement_guard_delete BEFORE DELETE ON statement
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER statement_guard_truncate BEFORE TRUNCATE ON statement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION statement_part_belongs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM statement
                    WHERE id = NEW.statement AND transaction = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'statement % is closed', NEW.statement;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER statement_vat_belongs BEFORE INSERT ON statement_vat
    FOR EACH ROW EXECUTE FUNCTION statement_part_belongs();
-- Once for all of them: a large network has a hundred thousand a month.
CREATE FUNCTION statement_lines_belong() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_id text;
BEGIN
    SELECT n.statement INTO v_id FROM (SELECT DISTINCT statement FROM new_lines) n
     WHERE NOT EXISTS (SELECT FROM statement s WHERE s.id = n.statement
                          AND s.transaction = pg_current_xact_id()) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'statement % is closed', v_id;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER statement_line_belongs AFTER INSERT ON statement_line
    REFERENCING NEW TABLE AS new_lines
    FOR EACH STATEMENT EXECUTE FUNCTION statement_lines_belong();
CREATE TRIGGER statement_vat_guard BEFORE UPDATE OR DELETE ON statement_vat
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER statement_line_guard BEFORE UPDATE OR DELETE ON statement_line
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER statement_line_guard_truncate BEFORE TRUNCATE ON statement_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER statement_event_guard BEFORE UPDATE OR DELETE ON statement_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- ---------------------------------------------------------------- reckoning

CREATE FUNCTION statement_id(p_partner bigint, p_currency text, p_month date) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT format('%s-%s-%s', lpad(extract(year FROM p_month)::int::text, 4, '0') || '-' ||
                  lpad(extract(month FROM p_month)::int::text, 2, '0'), p_partner, p_currency)
$$;

CREATE TYPE statement_key AS (partner_id bigint, currency text, month date);
-- NULLs where the id is none.
CREATE FUNCTION statement_key(p_id text) RETURNS statement_key LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    k statement_key;
    m text[] := regexp_match(p_id, '^([0-9]{4})-(0[1-9]|1[0-2])-([1-9][0-9]{0,17})-([A-Z]{3})$');
BEGIN
    IF m IS NOT NULL AND m[1] <> '0000' THEN
        k.month := make_date(m[1]::int, m[2]::int, 1);
        k.partner_id := m[3]::bigint;
        k.currency := m[4];
    END IF;
    RETURN k;
END $$;

CREATE TYPE statement_item AS (
    cdr bigint, period date, credit boolean, energy_mwh bigint, net_u6 bigint, vat_treatment text,
    vat_rate numeric);

-- The day by which a CDR is taxed: the end of the supply at the place, where that is known.
CREATE FUNCTION cdr_supply_day(c cdr) RETURNS date LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(c.supply_day, (CASE WHEN c.end_at > 'epoch' THEN c.end_at ELSE c.owed_at END
                                   AT TIME ZONE 'UTC')::date)
$$;

-- What is to be stated: CDRs owed in the month, and what a year before it had been forgotten. Index
-- cdr_to_state. Whether a CDR has a line is asked CDR by CDR: a join would be planned by the number
-- of lines that there were when they were last counted, and be slow for all that have come since.
CREATE FUNCTION statement_due(p_partner bigint, p_currency text, p_month date)
RETURNS SETOF statement_item LANGUAGE sql STABLE AS $$
    SELECT c.id, c.period, c.credit, cdr_energy(c), cdr_net(c), t.vat_treatment,
           t.vat_rate::numeric
      FROM cdr c
      LEFT JOIN LATERAL (SELECT * FROM statement_terms x
                          WHERE x.partner_id = p_partner AND x.currency = p_currency
                            AND x.valid_from <= cdr_supply_day(c)
                          ORDER BY x.valid_from DESC LIMIT 1) t ON true
     WHERE c.partner_id = p_partner AND c.currency = p_currency
       AND c.period >= p_month - interval '1 year' AND c.period <= p_month
       AND (SELECT l.cdr FROM statement_line l WHERE l.cdr = c.id) IS NULL
$$;

-- What a statement has, once it is closed, or would have.
CREATE FUNCTION statement_items(p_partner bigint, p_currency text, p_month date)
RETURNS SETOF statement_item LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_id text := statement_id(p_partner, p_currency, p_month);
BEGIN
    IF EXISTS (SELECT FROM statement WHERE id = v_id) THEN
        RETURN QUERY
            SELECT c.id, c.period, c.credit, cdr_energy(c), cdr_net(c), l.vat_treatment,
                   l.vat_rate::numeric
              FROM statement_line l JOIN cdr c ON c.id = l.cdr WHERE l.statement = v_id;
    ELSE
        RETURN QUERY SELECT * FROM statement_due(p_partner, p_currency, p_month);
    END IF;
END $$;

-- Per VAT key: the exact sum, rounded once, then the tax, rounded once.
CREATE FUNCTION statement_sums(p_partner bigint, p_currency text, p_month date)
RETURNS TABLE (vat_treatment text, vat_rate numeric, cdrs bigint, credits bigint, energy_mwh bigint,
               net_u6 bigint, net_minor bigint, vat_minor bigint)
LANGUAGE sql STABLE AS $$
    SELECT x.*, round(x.net_minor * coalesce(x.vat_rate, 0) / 100)::bigint
      FROM (SELECT i.vat_treatment, i.vat_rate, count(*), count(*) FILTER (WHERE i.credit),
                   sum(i.energy_mwh)::bigint, sum(i.net_u6)::bigint,
                   money_minor(sum(i.net_u6)::bigint, p_currency) AS net_minor
              FROM statement_items(p_partner, p_currency, p_month) i
             GROUP BY i.vat_treatment, i.vat_rate) x
           (vat_treatment, vat_rate, cdrs, credits, energy_mwh, net_u6, net_minor)
     ORDER BY x.vat_treatment, x.vat_rate
$$;

-- Whether there is anything to show, closed or not.
CREATE FUNCTION statement_exists(k statement_key) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM statement
                    WHERE id = statement_id((k).partner_id, (k).currency, (k).month))
        OR EXISTS (SELECT FROM statement_due((k).partner_id, (k).currency, (k).month))
$$;

-- The row as it is, or would be; cdrs 0: there is nothing to state.
CREATE FUNCTION statement_reckon(p_partner bigint, p_currency text, p_month date)
RETURNS statement LANGUAGE plpgsql STABLE AS $$
DECLARE
    s statement;
    t statement_terms;
BEGIN
    SELECT * INTO s FROM statement
     WHERE partner_id = p_partner AND currency = p_currency AND month = p_month;
    IF s.id IS NOT NULL THEN
        RETURN s;
    END IF;
    s.id := statement_id(p_partner, p_currency, p_month);
    s.partner_id := p_partner;
    s.currency := p_currency;
    s.month := p_month;
    SELECT coalesce(sum(x.cdrs), 0), coalesce(sum(x.credits), 0), coalesce(sum(x.energy_mwh), 0),
           coalesce(sum(x.net_u6), 0), coalesce(sum(x.net_minor), 0), coalesce(sum(x.vat_minor), 0)
      INTO s.cdrs, s.credits, s.energy_mwh, s.net_u6, s.net_minor, s.vat_minor
      FROM statement_sums(p_partner, p_currency, p_month) x;
    t := statement_terms_of(p_partner, p_currency, (p_month + interval '1 month')::date - 1);
    s.fee_percent := coalesce(t.fee_percent, 0);
    s.fee_per_cdr_u6 := coalesce(t.fee_per_cdr_u6, 0);
    s.fee_vat_treatment := coalesce(t.fee_vat_treatment, 'domestic');
    s.fee_vat_rate := coalesce(t.fee_vat_rate, 0);
    s.netting := coalesce(t.netting, false);
    -- Exact to the end: a rounding of its own for six decimals would be one too many.
    s.fee_minor := round((s.net_u6 * s.fee_percent / 100
                          + s.fee_per_cdr_u6::numeric * (s.cdrs - s.credits))
                         / money_u6(1, p_currency));
    s.fee_vat_minor := round(s.fee_minor * s.fee_vat_rate / 100);
    RETURN s;
END $$;

-- The same sums by another way: what was booked for the CDRs that stand in the statement, or, while
-- it is open, are owed and stand in none. That nothing else was booked is finance_check's to say.
-- From the partner's own CDRs to their entries: the ledger is everybody's.
CREATE FUNCTION statement_control(p_partner bigint, p_currency text, p_month date)
RETURNS TABLE (cdrs bigint, energy_mwh bigint, net_u6 bigint) LANGUAGE sql STABLE AS $$
    WITH own AS (
        SELECT c.id, cdr_energy(c) AS energy
          FROM statement_line l JOIN cdr c ON c.id = l.cdr
         WHERE l.statement = statement_id(p_partner, p_currency, p_month)
        UNION ALL
        SELECT c.id, cdr_energy(c)
          FROM cdr c
         WHERE c.partner_id = p_partner AND c.currency = p_currency
           AND c.period >= p_month - interval '1 year' AND c.period <= p_month
           AND (SELECT l.cdr FROM statement_line l WHERE l.cdr = c.id) IS NULL
           AND NOT EXISTS (SELECT FROM statement
                            WHERE id = statement_id(p_partner, p_currency, p_month)))
    SELECT count(*), coalesce(sum(o.energy), 0)::bigint, coalesce(sum(b.net), 0)::bigint
      FROM own o CROSS JOIN LATERAL (
        SELECT -coalesce(l.amount_u6, 0) AS net
          FROM ledger_entry e
          LEFT JOIN ledger_line l ON l.entry = e.id AND l.account = 'cpo_payable:' || p_partner
         WHERE e.cdr = o.id AND e.kind IN ('purchase', 'credit') AND e.currency = p_currency
           AND e.at >= (p_month - interval '1 year') AT TIME ZONE 'UTC'
           AND e.at < (p_month + interval '1 month') AT TIME ZONE 'UTC'
        UNION ALL
        SELECT cdr_net(c) FROM cdr c
         -- The first half only spares most of them the second.
         WHERE c.id = o.id AND (c.calculation IS NULL OR c.credit) AND cdr_before_ledger(c)) b
$$;

-- ---------------------------------------------------------------- closing

CREATE TYPE statement_done AS (outcome text, detail text);

-- Outcomes: closed; already; not_found (there is nothing); not_over (the month); earlier_open,
-- no_terms, differs (the control sums): the detail says what.
CREATE FUNCTION statement_close(p_id text, p_by text, p_series text) RETURNS statement_done
LANGUAGE plpgsql SET lock_timeout = '5min' AS $$
DECLARE
    a statement_done;
    k statement_key := statement_key(p_id);
    s statement;
    v_control record;
    v_year int := extract(year FROM hub_now() AT TIME ZONE 'UTC');
    v_series statement_series;
BEGIN
    IF NOT statement_exists(k) THEN
        a.outcome := 'not_found';
        RETURN a;
    END IF;
    -- One after the other: this lock is held to the end, and waited for as long.
    INSERT INTO statement_series (series, year) VALUES (p_series, v_year) ON CONFLICT DO NOTHING;
    SELECT * INTO v_series FROM statement_series
     WHERE series = p_series AND year = v_year FOR UPDATE;
    s := statement_reckon(k.partner_id, k.currency, k.month);
    IF s.number IS NOT NULL THEN
        a.outcome := 'already';
        RETURN a;
    ELSIF s.cdrs = 0 THEN
        a.outcome := 'not_found';
        RETURN a;
    ELSIF hub_now() < (k.month + interval '1 month') AT TIME ZONE 'UTC' THEN
        a.outcome := 'not_over';
        a.detail := to_char(k.month, 'YYYY-MM');
        RETURN a;
    END IF;
    -- What was forgotten in a closed month comes now; an open month is closed before.
    SELECT to_char(min(i.period), 'YYYY-MM') INTO a.detail
      FROM statement_due(k.partner_id, k.currency, k.month) i
     WHERE i.period < k.month
       AND NOT EXISTS (SELECT FROM statement x WHERE x.partner_id = k.partner_id
                          AND x.currency = k.currency AND x.month = i.period);
    IF a.detail IS NOT NULL THEN
        a.outcome := 'earlier_open';
        RETURN a;
    END IF;
    SELECT min(cdr_supply_day(c))::text INTO a.detail
      FROM statement_due(k.partner_id, k.currency, k.month) i JOIN cdr c ON c.id = i.cdr
     WHERE i.vat_treatment IS NULL;
    IF a.detail IS NOT NULL THEN
        a.outcome := 'no_terms';
        RETURN a;
    END IF;

    SELECT * INTO v_control FROM statement_control(k.partner_id, k.currency, k.month);
    IF (v_control.cdrs, v_control.energy_mwh, v_control.net_u6)
       IS DISTINCT FROM (s.cdrs, s.energy_mwh, s.net_u6) THEN
        a.outcome := 'differs';
        a.detail := format('by CDRs %s, %s kWh, net %s; by the ledger %s, %s kWh, net %s', s.cdrs,
            round(s.energy_mwh::numeric / 1000000, 3), finance_net(s.net_u6),
            v_control.cdrs, round(v_control.energy_mwh::numeric / 1000000, 3),
            finance_net(v_control.net_u6));
        RETURN a;
    END IF;

    s.series := p_series;
    s.year := v_year;
    s.seq := v_series.next;
    s.number := format('%s-S-%s-%s', p_series, v_year, lpad(s.seq::text, 5, '0'));
    s.state := 'CLOSED';
    s.closed_by := p_by;
    -- Never before the number before it, whose transaction may have begun later.
    s.closed_at := greatest(hub_now(), (SELECT closed_at FROM statement
        WHERE series = p_series AND year = v_year AND seq = v_series.next - 1));
    s.transaction := pg_current_xact_id();
    INSERT INTO statement SELECT s.*;
    INSERT INTO statement_line (cdr, statement, vat_treatment, vat_rate)
    SELECT i.cdr, s.id, i.vat_treatment, i.vat_rate
      FROM statement_due(k.partner_id, k.currency, k.month) i;
    INSERT INTO statement_vat (statement, vat_treatment, vat_rate, cdrs, net_u6, net_minor, vat_minor)
    SELECT s.id, x.vat_treatment, x.vat_rate, x.cdrs, x.net_u6, x.net_minor, x.vat_minor
      FROM statement_sums(k.partner_id, k.currency, k.month) x;
    UPDATE statement_series SET next = next + 1 WHERE series = p_series AND year = v_year;
    INSERT INTO statement_event (statement, seq, at, from_state, to_state, by)
    VALUES (s.id, 1, s.closed_at, 'OPEN', 'CLOSED', p_by);
    IF EXISTS (SELECT FROM statement_fault(s.id)) THEN
        RAISE EXCEPTION 'statement % is not what was reckoned', s.id USING ERRCODE = '40001';
    END IF;
    -- The debt becomes the rounded one that stands on the statement, with its tax; the fee is ours.
    PERFORM ledger_post('statement', 'statement/' || s.number, s.currency, NULL, NULL, NULL,
        ARRAY['cpo_payable:' || s.partner_id, 'rounding', 'input_vat',
              'statement_payable:' || s.partner_id, 'statement_receivable:' || s.partner_id,
              'hub_fee', 'fee_vat'],
        ARRAY[s.net_u6, money_u6(s.net_minor, s.currency) - s.net_u6,
              money_u6(s.vat_minor, s.currency), -money_u6(s.net_minor + s.vat_minor, s.currency),
              money_u6(s.fee_minor + s.fee_vat_minor, s.currency),
              -money_u6(s.fee_minor, s.currency), -money_u6(s.fee_vat_minor, s.currency)]);
    a.outcome := 'closed';
    RETURN a;
END $$;

-- Outcomes: moved, already, not_found, wrong_state (the detail: which one it is in).
CREATE FUNCTION statement_move(p_id text, p_to text, p_by text) RETURNS statement_done
LANGUAGE plpgsql AS $$
DECLARE
    a statement_done;
    s statement;
    k statement_key := statement_key(p_id);
BEGIN
    SELECT * INTO s FROM statement WHERE id = p_id FOR UPDATE;
    IF s.id IS NULL THEN
        a.outcome := CASE WHEN statement_exists(k) THEN 'wrong_state' ELSE 'not_found' END;
        a.detail := 'OPEN';
        RETURN a;
    END IF;
    a.outcome := CASE
        WHEN s.state = p_to THEN 'already'
        WHEN EXISTS (SELECT FROM statement_transition
                      WHERE from_state = s.state AND to_state = p_to) THEN 'moved'
        WHEN EXISTS (SELECT FROM statement_event WHERE statement = s.id AND to_state = p_to)
            THEN 'already'
        ELSE 'wrong_state' END;
    a.detail := s.state;
    IF a.outcome = 'moved' THEN
        UPDATE statement SET state = p_to WHERE id = s.id;
        INSERT INTO statement_event (statement, seq, at, from_state, to_state, by)
        SELECT s.id, count(*) + 1, hub_now(), s.state, p_to, p_by
          FROM statement_event WHERE statement = s.id;
    END IF;
    RETURN a;
END $$;

-- ---------------------------------------------------------------- showing

CREATE FUNCTION statement_document(p_id text) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
    k statement_key := statement_key(p_id);
    s statement;
    c record;
    v_gross bigint;
    v_fee bigint;
BEGIN
    s := statement_reckon(k.partner_id, k.currency, k.month);
    IF k.partner_id IS NULL OR coalesce(s.cdrs, 0) = 0 THEN
        RETURN NULL;
    END IF;
    SELECT * INTO c FROM statement_control(k.partner_id, k.currency, k.month);
    v_gross := s.net_minor + s.vat_minor;
    v_fee := s.fee_minor + s.fee_vat_minor;
    RETURN jsonb_build_object(
        'id', s.id, 'number', s.number, 'state', coalesce(s.state, 'OPEN'),
        'month', to_char(s.month, 'YYYY-MM'),
        'partner_id', s.partner_id, 'partner', (SELECT name FROM partner WHERE id = s.partner_id),
        'currency', s.currency,
        'closed_at', to_char(s.closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'closed_by', s.closed_by,
        'cdrs', s.cdrs, 'credits', s.credits,
        'energy_kwh', round(s.energy_mwh::numeric / 1000000, 6),
        'net_unrounded', finance_net(s.net_u6),
        'vat', (SELECT jsonb_agg(jsonb_build_object(
                    'treatment', x.vat_treatment, 'rate', trim_scale(x.vat_rate), 'cdrs', x.cdrs,
                    'net_unrounded', finance_net(x.net_u6),
                    'net', finance_amount(x.net_minor, s.currency),
                    'vat', finance_amount(x.vat_minor, s.currency),
                    'gross', finance_amount(x.net_minor + x.vat_minor, s.currency),
                    'note', CASE x.vat_treatment
                        WHEN 'reverse_charge' THEN 'Reverse charge: VAT is owed by the recipient.'
                        WHEN 'exempt' THEN 'Exempt from VAT.' END))
                  FROM statement_sums(k.partner_id, k.currency, k.month) x),
        'net', finance_amount(s.net_minor, s.currency),
        'vat_total', finance_amount(s.vat_minor, s.currency),
        'gross', finance_amount(v_gross, s.currency),
        'fee', jsonb_build_object(
            'percent', trim_scale(s.fee_percent), 'per_cdr', finance_net(s.fee_per_cdr_u6),
            'net', finance_amount(s.fee_minor, s.currency),
            'vat_treatment', s.fee_vat_treatment, 'vat_rate', trim_scale(s.fee_vat_rate),
            'vat', finance_amount(s.fee_vat_minor, s.currency),
            'gross', finance_amount(v_fee, s.currency)),
        -- Both sides stay visible; the balance is what changes hands.
        'netting', CASE WHEN s.netting THEN jsonb_build_object(
            'we_owe', finance_amount(v_gross, s.currency),
            'they_owe', finance_amount(v_fee, s.currency),
            'balance', finance_amount(v_gross - v_fee, s.currency)) END,
        'control', jsonb_build_object(
            'cdrs', c.cdrs, 'energy_kwh', round(c.energy_mwh::numeric / 1000000, 6),
            'net_unrounded', finance_net(c.net_u6),
            'equal', (c.cdrs, c.energy_mwh, c.net_u6) = (s.cdrs, s.energy_mwh, s.net_u6)),
        'history', (SELECT coalesce(jsonb_agg(jsonb_build_object(
                        'at', to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                        'from', e.from_state, 'to', e.to_state, 'by', e.by) ORDER BY e.seq), '[]')
                      FROM statement_event e WHERE e.statement = s.id));
END $$;

-- ---------------------------------------------------------------- checks

-- What of a closed statement does not add up; nothing is the right answer.
CREATE FUNCTION statement_fault(p_id text) RETURNS TABLE (what text, subject text, detail text)
LANGUAGE sql STABLE AS $$
    SELECT 'statement_sum', s.number,
           format('it says %s CDRs, net %s; its lines are %s, net %s', s.cdrs, finance_net(s.net_u6),
                  x.cdrs, finance_net(x.net_u6))
      FROM statement s,
           LATERAL (SELECT count(*) AS cdrs, count(*) FILTER (WHERE c.credit) AS credits,
                           coalesce(sum(cdr_energy(c)), 0) AS energy_mwh,
                           coalesce(sum(cdr_net(c)), 0) AS net_u6
                      FROM statement_line l JOIN cdr c ON c.id = l.cdr
                     WHERE l.statement = s.id) x,
           LATERAL (SELECT sum(v.net_minor) AS net_minor, sum(v.vat_minor) AS vat_minor
                      FROM statement_vat v WHERE v.statement = s.id) v
     WHERE s.id = p_id
       AND ((s.cdrs, s.credits, s.energy_mwh, s.net_u6, s.net_minor, s.vat_minor)
            IS DISTINCT FROM
            (x.cdrs, x.credits, x.energy_mwh, x.net_u6, v.net_minor, v.vat_minor))
$$;

-- Of all statements that were closed since p_from.
CREATE FUNCTION statement_check(p_from timestamptz)
RETURNS TABLE (what text, subject text, detail text) LANGUAGE sql STABLE AS $$
    (SELECT f.* FROM statement s, statement_fault(s.id) f WHERE s.closed_at >= p_from LIMIT 100)
    UNION ALL
    SELECT 'statement_series', format('%s-S-%s', n.series, n.year),
           format('%s numbers for %s statements', n.next - 1, count(s.id))
      FROM statement_series n LEFT JOIN statement s ON s.series = n.series AND s.year = n.year
     GROUP BY n.series, n.year, n.next HAVING n.next - 1 <> count(s.id)
                                          OR coalesce(max(s.seq), 0) <> n.next - 1
    UNION ALL
    -- Owed before a statement was closed that should have had it.
    (SELECT 'owed_not_stated', c.cdr_id, s.number
       FROM statement s JOIN cdr c ON c.partner_id = s.partner_id AND c.currency = s.currency
                                  AND c.period = s.month
      WHERE s.closed_at >= p_from
        AND (SELECT l.cdr FROM statement_line l WHERE l.cdr = c.id) IS NULL
        AND EXISTS (SELECT FROM statement n WHERE n.partner_id = s.partner_id
                       AND n.currency = s.currency AND n.month > s.month) LIMIT 100)
    UNION ALL
    (SELECT 'disputed_in_statement', c.cdr_id, l.statement
       FROM statement s JOIN statement_line l ON l.statement = s.id JOIN cdr c ON c.id = l.cdr
      WHERE s.closed_at >= p_from AND c.owed_at IS NULL LIMIT 100)
$$;
