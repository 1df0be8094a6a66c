-- SPDX-License-Identifier: Apache-2.0
-- Money: what is known of each CDR beside its bytes, receipts with their content, and the ledger.
--
-- C prices a CDR, SQL files it: cdr_context() reads what pricing needs, cdr_put() and cdr_settle()
-- take what came of it and do everything that follows in one transaction, unless what was priced
-- is no longer what is there ("again"). Locks are taken in this order: session, CDRs, the row of
-- the receipt series; the last is held for the end of the transaction only.

-- ---------------------------------------------------------------- CDRs

-- class: OK, WARN: both sides agree; DISPUTE: the user is billed, the CPO's sum waits for a person;
-- QUARANTINE: nothing is billed. NULL: not judged (a credit, one without a session, an older row).
-- total_cost_excl_u6 is what the CPO asks for, recalculated_u6 what its tariff comes to.
-- accepted_at: it counts towards the user. owed_at: it counts towards the CPO; a CDR belongs to the
-- month of that, so that a closed month never changes.
ALTER TABLE cdr
    DROP CONSTRAINT cdr_source_check,
    ADD CONSTRAINT cdr_source_check CHECK (source IN ('network', 'hub', 'push', 'pull', 'manual')),
    ALTER COLUMN source SET DEFAULT 'push',
    ADD COLUMN class text CHECK (class IN ('OK', 'WARN', 'DISPUTE', 'QUARANTINE')),
    ADD COLUMN recalculated_u6 bigint,
    ADD COLUMN difference_u6 bigint,          -- stated minus recalculated
    ADD COLUMN findings jsonb NOT NULL DEFAULT '[]', -- [{code, text, ...}]
    ADD COLUMN calculation jsonb,             -- inputs and result, so that it can be done again
    ADD COLUMN engine text,                   -- "price-1"
    ADD COLUMN tz_version text,               -- of the time zone database: "2026b"
    ADD COLUMN country text,                  -- of the place, alpha-3
    ADD COLUMN duration_s bigint,             -- of the session
    ADD COLUMN charging_s bigint,
    ADD COLUMN parking_s bigint,
    ADD COLUMN supply_day date,               -- on which the supply ended at the place: decides rates
    ADD COLUMN owed_at timestamptz,
    ADD COLUMN period date GENERATED ALWAYS AS
        (make_date(extract(year FROM owed_at AT TIME ZONE 'UTC')::int,
                   extract(month FROM owed_at AT TIME ZONE 'UTC')::int, 1)) STORED,
    ADD COLUMN decided_by text,               -- who confirmed, declined, matched or released it
    ADD COLUMN retry_at timestamptz;          -- unmatched: when to look for its session again
CREATE INDEX cdr_to_retry ON cdr (retry_at) WHERE retry_at IS NOT NULL;
CREATE INDEX cdr_of_period ON cdr (period, partner_id, id) WHERE period IS NOT NULL;
CREATE INDEX cdr_to_state ON cdr (partner_id, currency, period, id) WHERE period IS NOT NULL;
CREATE INDEX cdr_by_arrival ON cdr (received_at, id);
-- Which of a token or an EVSE charge at the same time.
CREATE INDEX cdr_of_token ON cdr (token_uid, start_at) WHERE accepted_at IS NOT NULL;
CREATE INDEX cdr_of_evse ON cdr (partner_id, lower(evse_uid), start_at) WHERE accepted_at IS NOT NULL;

-- The last day of which a country has receipts, among the CDRs that came since yesterday: by then
-- UTC has reached it, too.
CREATE FUNCTION cdr_supply_last(p_country text) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT max(supply_day) FROM cdr
     WHERE country = p_country AND accepted_at IS NOT NULL
       AND received_at > hub_now() - interval '1 day'
$$;

-- ---------------------------------------------------------------- receipts

-- content: canonical JSON, as hub/finance/receipt_content.h writes it; NULL: of a release that kept
-- none. amount_minor is what is to be paid, VAT included.
ALTER TABLE receipt
    ADD COLUMN content text,
    ADD COLUMN net_minor bigint,
    ADD COLUMN vat_minor bigint,
    ADD CONSTRAINT receipt_adds_up CHECK (net_minor + vat_minor = amount_minor),
    ADD CONSTRAINT receipt_whole
        CHECK ((content IS NULL) = (net_minor IS NULL) AND (net_minor IS NULL) = (vat_minor IS NULL));
CREATE INDEX receipt_by_date ON receipt (issued_at, id);

-- A receipt whose CDR was credited waits for the replacement, so that the user gets both documents
-- at once; when that takes too long the cancellation goes alone.
CREATE TABLE receipt_cancellation (
    receipt bigint PRIMARY KEY REFERENCES receipt,
    credit bigint NOT NULL UNIQUE REFERENCES cdr,
    session_id uuid NOT NULL REFERENCES session,
    content text,             -- of the cancellation; NULL where the receipt has none
    due_at timestamptz NOT NULL,
    issued_at timestamptz
);
CREATE INDEX receipt_cancellation_due ON receipt_cancellation (due_at) WHERE issued_at IS NULL;
CREATE INDEX receipt_cancellation_of_session ON receipt_cancellation (session_id);

-- ---------------------------------------------------------------- ledger

-- Double entry, append only. Debits are positive. Accounts: receivable, revenue:<country>:<rate>,
-- vat:<country>:<rate>, purchase, cpo_payable:<partner>, hub_loss, psp_clearing, psp_fees, rounding
-- ... The lines of an entry add up to nothing, and are written in one transaction with it.
CREATE TABLE ledger_entry (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    kind text NOT NULL CHECK (kind ~ '^[a-z_]+$'), -- receipt, cancellation, purchase, credit, capture ...
    key text NOT NULL UNIQUE,                      -- what is posted once: "receipt/12"
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    receipt bigint REFERENCES receipt,
    cdr bigint REFERENCES cdr,
    payment bigint,
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id()
);
CREATE INDEX ledger_entry_by_date ON ledger_entry (at, id);
CREATE INDEX ledger_entry_of_receipt ON ledger_entry (receipt) WHERE receipt IS NOT NULL;
CREATE INDEX ledger_entry_of_cdr ON ledger_entry (cdr) WHERE cdr IS NOT NULL;
CREATE INDEX ledger_entry_of_payment ON ledger_entry (payment) WHERE payment IS NOT NULL;
CREATE TABLE ledger_line (
    entry bigint NOT NULL REFERENCES ledger_entry,
    position int NOT NULL,
    account text NOT NULL CHECK (account ~ '^[a-z_]+(:[A-Za-z0-9.*_-]+)*$'),
    amount_u6 bigint NOT NULL,
    PRIMARY KEY (entry, position)
);
CREATE INDEX ledger_line_of_account ON ledger_line (account, entry) INCLUDE (amount_u6);

CREATE FUNCTION ledger_line_belongs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM ledger_entry
                    WHERE id = NEW.entry AND transaction = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'ledger entry % is closed', NEW.entry;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ledger_line_belongs BEFORE INSERT ON ledger_line
    FOR EACH ROW EXECUTE FUNCTION ledger_line_belongs();

CREATE FUNCTION ledger_balances() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_sum numeric;
BEGIN
    SELECT sum(amount_u6) INTO v_sum FROM ledger_line WHERE entry = NEW.entry;
    IF v_sum <> 0 THEN
        RAISE EXCEPTION 'ledger entry % does not balance: %', NEW.entry, v_sum
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER ledger_balances AFTER INSERT ON ledger_line
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_balances();

CREATE TRIGGER ledger_entry_guard BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_entry_guard_truncate BEFORE TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_line_guard BEFORE UPDATE OR DELETE ON ledger_line
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER ledger_line_guard_truncate BEFORE TRUNCATE ON ledger_line
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Posts an entry once for its key: NULL where it stands already. Lines of nothing are left out.
CREATE FUNCTION ledger_post(p_kind text, p_key text, p_currency text, p_receipt bigint,
                            p_cdr bigint, p_payment bigint, p_accounts text[],
                            p_amounts_u6 bigint[])
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
BEGIN
    INSERT INTO ledger_entry (at, kind, key, currency, receipt, cdr, payment)
    VALUES (hub_now(), p_kind, p_key, p_currency, p_receipt, p_cdr, p_payment)
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

-- What does not add up, a line a currency; nothing is the right answer.
CREATE FUNCTION ledger_check() RETURNS TABLE (currency text, sum_u6 numeric) LANGUAGE sql STABLE AS $$
    SELECT e.currency, sum(l.amount_u6) FROM ledger_entry e JOIN ledger_line l ON l.entry = e.id
     GROUP BY e.currency HAVING sum(l.amount_u6) <> 0
$$;

-- ---------------------------------------------------------------- receipts: writing

-- Those of a release without content keep the hash they have.
CREATE OR REPLACE FUNCTION receipt_hash(r receipt) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(convert_to(
        array_to_string(ARRAY[r.previous_hash, r.number, r.kind, r.revision::text,
            r.session_id::text, r.cdr::text, r.cancels::text, r.amount_minor::text, r.currency,
            r.energy_mwh::text, r.duration_s::text,
            to_char(r.start_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
            to_char(r.end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
            to_char(r.issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')]
            || CASE WHEN r.content IS NOT NULL
                    THEN ARRAY[r.net_minor::text, r.vat_minor::text, r.content] END,
            '|', '-'), 'UTF8')), 'hex')
$$;

DROP FUNCTION receipt_issue(cdr, session, bigint, text);

-- Numbers, dates, chains and writes a document; everything else stands in `r`. The row of the
-- series is locked from here to the end of the transaction: what needs other locks comes before.
CREATE FUNCTION receipt_issue(r receipt, p_series text) RETURNS receipt LANGUAGE plpgsql AS $$
DECLARE
    v_series receipt_series;
    v_now timestamptz := hub_now();
BEGIN
    r.series := p_series;
    r.year := extract(year FROM v_now AT TIME ZONE 'UTC');
    r.kind := CASE WHEN r.cancels IS NULL THEN 'receipt' ELSE 'cancellation' END;
    SELECT coalesce(max(revision), 0) + 1 INTO r.revision FROM receipt
     WHERE session_id = r.session_id;

    INSERT INTO receipt_series (series, year) VALUES (r.series, r.year) ON CONFLICT DO NOTHING;
    UPDATE receipt_series
       SET next = next + 1, last_issued_at = greatest(last_issued_at, v_now)
     WHERE series = r.series AND year = r.year
    RETURNING * INTO v_series;
    r.seq := v_series.next - 1;
    r.number := format('%s-%s-%s', r.series, r.year, lpad(r.seq::text, 7, '0'));
    r.issued_at := v_series.last_issued_at;
    r.previous_hash := v_series.last_hash;
    r.hash := receipt_hash(r);
    INSERT INTO receipt
        (number, series, year, seq, kind, revision, session_id, cdr, cancels, amount_minor,
         currency, energy_mwh, duration_s, start_at, end_at, issued_at, previous_hash, hash,
         content, net_minor, vat_minor)
    VALUES (r.number, r.series, r.year, r.seq, r.kind, r.revision, r.session_id, r.cdr, r.cancels,
            r.amount_minor, r.currency, r.energy_mwh, r.duration_s, r.start_at, r.end_at,
            r.issued_at, r.previous_hash, r.hash, r.content, r.net_minor, r.vat_minor)
    RETURNING * INTO r;
    UPDATE receipt_series SET last_hash = r.hash WHERE series = r.series AND year = r.year;
    RETURN r;
END $$;

-- The mirror of another entry, under a key of its own; nothing where there is none.
CREATE FUNCTION ledger_mirror(p_of text, p_kind text, p_key text, p_receipt bigint, p_cdr bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    e ledger_entry;
BEGIN
    SELECT * INTO e FROM ledger_entry WHERE key = p_of;
    IF e.id IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN ledger_post(p_kind, p_key, e.currency, p_receipt, p_cdr, NULL,
        ARRAY(SELECT account FROM ledger_line WHERE entry = e.id ORDER BY position),
        ARRAY(SELECT -amount_u6 FROM ledger_line WHERE entry = e.id ORDER BY position));
END $$;

-- Issues the cancellation that waits; its session is locked by the caller.
CREATE FUNCTION receipt_cancel(p_receipt bigint, p_series text) RETURNS receipt LANGUAGE plpgsql AS $$
DECLARE
    w receipt_cancellation;
    o receipt;
    r receipt;
BEGIN
    SELECT * INTO w FROM receipt_cancellation WHERE receipt = p_receipt AND issued_at IS NULL
       FOR UPDATE;
    IF w.receipt IS NULL THEN
        RETURN NULL;
    END IF;
    UPDATE receipt_cancellation SET issued_at = hub_now() WHERE receipt = p_receipt;
    SELECT * INTO o FROM receipt WHERE id = p_receipt;
    r.session_id := o.session_id;
    r.cdr := w.credit;
    r.cancels := o.id;
    r.amount_minor := -o.amount_minor;
    r.net_minor := -o.net_minor;
    r.vat_minor := -o.vat_minor;
    r.currency := o.currency;
    r.energy_mwh := -o.energy_mwh;
    r.duration_s := o.duration_s;
    r.start_at := o.start_at;
    r.end_at := o.end_at;
    r.content := CASE WHEN o.content IS NOT NULL THEN w.content END;
    r := receipt_issue(r, p_series);
    PERFORM ledger_mirror('receipt/' || o.id, 'cancellation', 'receipt/' || r.id, r.id, r.cdr);
    RETURN r;
END $$;

-- The next cancellation whose replacement has not come in time; one a transaction, because each
-- locks a session before it locks the series. NULL: none is due.
CREATE FUNCTION receipt_cancel_due(p_series text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_session uuid;
    v_receipt bigint;
    r receipt;
BEGIN
    SELECT s.id, w.receipt INTO v_session, v_receipt
      FROM receipt_cancellation w JOIN session s ON s.id = w.session_id
     WHERE w.issued_at IS NULL AND w.due_at <= hub_now()
     ORDER BY w.due_at LIMIT 1 FOR UPDATE OF s SKIP LOCKED;
    IF v_session IS NOT NULL THEN
        r := receipt_cancel(v_receipt, p_series);
    END IF;
    RETURN r.number;
END $$;

-- How far it is paid, as callers are told.
CREATE FUNCTION receipt_payment_status(r receipt) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN r.id IS NOT NULL THEN 'not_required' END
$$;

-- ---------------------------------------------------------------- intake: looking

-- Deviations that one partner is allowed, where they differ from what all are.
CREATE TABLE cdr_limit (
    partner_id bigint NOT NULL REFERENCES partner ON DELETE CASCADE,
    currency text NOT NULL REFERENCES currency,
    ok_u6 bigint NOT NULL CHECK (ok_u6 >= 0),
    ok_percent_u4 bigint NOT NULL CHECK (ok_percent_u4 >= 0),
    warn_u6 bigint NOT NULL CHECK (warn_u6 >= 0),
    warn_percent_u4 bigint NOT NULL CHECK (warn_percent_u4 >= 0),
    PRIMARY KEY (partner_id, currency)
);

-- Whose session a CDR is: by authorization reference, by the network's id of it, by token, EVSE and
-- start within 15 minutes where that fits exactly one (contract 4.3). Locks nothing.
CREATE FUNCTION cdr_match(p_partner bigint, p_country text, p_party text, p_network_session text,
                          p_token text, p_reference text, p_evse_uid text, p_start timestamptz)
RETURNS uuid LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_id uuid;
    v_ids uuid[];
BEGIN
    SELECT id INTO v_id FROM session WHERE id = uuid_or_null(p_reference) AND partner_id = p_partner;
    IF v_id IS NULL AND p_network_session IS NOT NULL THEN
        SELECT session_id INTO v_id FROM network_session
         WHERE partner_id = p_partner AND lower(network_session_id) = lower(p_network_session)
           AND lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party);
    END IF;
    IF v_id IS NULL AND p_token IS NOT NULL AND p_start IS NOT NULL THEN
        SELECT array_agg(x.id) INTO v_ids
          FROM token t JOIN session x ON x.user_id = t.user_id
         WHERE t.uid = upper(p_token) AND x.token_uid = t.uid AND x.partner_id = p_partner
           AND lower(x.evse_uid) = lower(p_evse_uid)
           AND x.created_at BETWEEN p_start - interval '15 minutes'
                                AND p_start + interval '15 minutes';
        IF cardinality(v_ids) = 1 THEN
            v_id := v_ids[1];
        END IF;
    END IF;
    RETURN v_id;
END $$;

-- What decides about a CDR. `digest` names it: two equal ones are the same situation.
CREATE TYPE cdr_situation AS (
    session session, phase text,
    billed bigint,      -- the CDR by which the session is billed now
    original cdr,       -- of a credit
    receipt bigint,     -- of the original
    replaces bigint,    -- the receipt that was, or will be, cancelled and has no replacement yet
    digest text);

CREATE FUNCTION cdr_situation(
    p_cdr bigint, p_partner bigint, p_country text, p_party text, p_network_session text,
    p_token text, p_reference text, p_evse_uid text, p_start timestamptz, p_credit boolean,
    p_credit_reference text, p_session uuid, p_lock boolean)
RETURNS cdr_situation LANGUAGE plpgsql AS $$
DECLARE
    x cdr_situation;
    s session;
    o cdr;
    v_id uuid := p_session;
    v_filed text;
BEGIN
    IF p_credit THEN
        SELECT * INTO o FROM cdr
         WHERE lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party)
           AND lower(cdr_id) = lower(p_credit_reference);
        v_id := o.session_id;
    ELSIF v_id IS NULL THEN
        v_id := cdr_match(p_partner, p_country, p_party, p_network_session, p_token, p_reference,
                          p_evse_uid, p_start);
    END IF;
    IF p_lock THEN
        SELECT * INTO s FROM session WHERE id = v_id FOR UPDATE;
        IF o.id IS NOT NULL THEN
            SELECT * INTO o FROM cdr WHERE id = o.id FOR UPDATE;
        END IF;
    ELSE
        SELECT * INTO s FROM session WHERE id = v_id;
    END IF;
    x.session := s;
    x.original := o;
    x.phase := session_phase(s);
    SELECT id INTO x.billed FROM cdr
     WHERE session_id = s.id AND accepted_at IS NOT NULL AND NOT credit AND credited_by IS NULL;
    IF p_credit THEN
        SELECT id INTO x.receipt FROM receipt WHERE cdr = o.id AND kind = 'receipt';
    ELSE
        SELECT r.id INTO x.replaces FROM receipt r JOIN receipt_cancellation w ON w.receipt = r.id
         WHERE r.session_id = s.id ORDER BY r.revision DESC LIMIT 1;
    END IF;
    IF p_lock AND p_cdr IS NOT NULL THEN
        SELECT filed INTO v_filed FROM cdr WHERE id = p_cdr FOR UPDATE;
    ELSIF p_cdr IS NOT NULL THEN
        SELECT filed INTO v_filed FROM cdr WHERE id = p_cdr;
    END IF;
    x.digest := concat_ws('|', 1, coalesce(s.id::text, '-'), s.version, x.phase,
        'b' || x.billed, 'o' || o.id, o.filed, o.credited_by, 'r' || x.receipt, 'p' || x.replaces,
        'f' || v_filed);
    RETURN x;
END $$;

CREATE TYPE cdr_context AS (
    known text, path text, filed text,   -- 'new', or the CDR of this id: 'repeated', 'conflict'
    situation text, phase text,
    session_id uuid, user_id text, evse_id text, network text, session_energy_mwh bigint,
    session_start_at timestamptz, session_end_at timestamptz, billed boolean,
    tariffs text,                        -- [{document, ocpi}]: session_tariffs() of its start
    power_w bigint, time_zone text, country text,
    place_name text, place_address text, place_city text,
    quote text, quote_mode text, vat text, vat_id text, -- vat: [{from, until, rate}]
    replaces text, replaced_minor bigint, replaced_currency text,
    original_body text, original_ocpi text, original_state text,
    receipt_number text, receipt_content text,
    token_overlap text, evse_overlap text,
    ok_u6 bigint, ok_percent_u4 bigint, warn_u6 bigint, warn_percent_u4 bigint);

-- Everything that pricing needs, in one look. p_token_most: how many sessions may go on at once
-- with one token of ours.
CREATE FUNCTION cdr_context(
    p_cdr bigint, p_partner bigint, p_country text, p_party text, p_id text, p_hash text,
    p_network_session text, p_token text, p_reference text, p_evse_uid text, p_location text,
    p_connector text, p_start timestamptz, p_end timestamptz, p_currency text, p_credit boolean,
    p_credit_reference text, p_session uuid, p_token_most int)
RETURNS cdr_context LANGUAGE plpgsql AS $$
DECLARE
    a cdr_context;
    x cdr_situation;
    c cdr;
    l location;
    q quote;
    s session;
    v_connector text;
    v_end timestamptz;
BEGIN
    IF p_cdr IS NULL THEN
        SELECT * INTO c FROM cdr
         WHERE lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party)
           AND lower(cdr_id) = lower(p_id);
    END IF;
    a.known := CASE WHEN c.id IS NULL THEN 'new' WHEN c.content_hash = p_hash THEN 'repeated'
                    ELSE 'conflict' END;
    a.path := c.path;
    a.filed := c.filed;
    IF c.id IS NOT NULL THEN
        RETURN a;
    END IF;

    x := cdr_situation(p_cdr, p_partner, p_country, p_party, p_network_session, p_token,
                       p_reference, p_evse_uid, p_start, p_credit, p_credit_reference, p_session,
                       false);
    s := x.session;
    a.situation := x.digest;
    a.phase := x.phase;
    a.session_id := s.id;
    a.user_id := s.user_id;
    a.evse_id := s.evse_id;
    a.network := s.network;
    a.session_start_at := s.start_at;
    a.session_end_at := s.end_at;
    a.billed := x.billed IS NOT NULL;
    a.session_energy_mwh := CASE WHEN s.state <> 'completed' THEN s.energy_mwh END;
    SELECT ok_u6, ok_percent_u4, warn_u6, warn_percent_u4
      INTO a.ok_u6, a.ok_percent_u4, a.warn_u6, a.warn_percent_u4
      FROM cdr_limit WHERE partner_id = p_partner AND currency = p_currency;

    IF p_credit THEN
        a.original_state := CASE
            WHEN (x.original).id IS NULL OR (x.original).accepted_at IS NULL THEN 'waiting'
            WHEN (x.original).credit OR (x.original).credited_by IS NOT NULL THEN 'twice'
            ELSE 'open' END;
        a.original_body := convert_from((x.original).body, 'UTF8');
        a.original_ocpi := (x.original).ocpi;
        SELECT number, content INTO a.receipt_number, a.receipt_content
          FROM receipt WHERE id = x.receipt;
        RETURN a;
    END IF;

    SELECT * INTO l FROM location
     WHERE partner_id = p_partner AND lower(country_code) = lower(p_country)
       AND lower(party_id) = lower(p_party)
       AND lower(location_id) = lower(coalesce(s.location_id, p_location));
    a.time_zone := l.time_zone;
    a.country := l.country;
    a.place_name := l.name;
    a.place_address := l.address;
    a.place_city := l.city;
    v_connector := coalesce(s.connector_id, p_connector);
    SELECT (k ->> 'power_w')::bigint INTO a.power_w
      FROM evse e, jsonb_array_elements(e.connectors) k
     WHERE e.location = l.id AND lower(e.uid) = lower(coalesce(s.evse_uid, p_evse_uid))
       AND lower(k ->> 'id') = lower(v_connector) LIMIT 1;
    SELECT json_agg(json_build_object('document', document, 'ocpi', ocpi) ORDER BY tariff)::text
      INTO a.tariffs
      FROM session_tariffs(s.id);
    SELECT * INTO q FROM quote WHERE session_id = s.id;
    a.quote := q.document;
    a.quote_mode := q.mode;
    a.country := coalesce(q.country, a.country);
    -- The day before and after, too: which day it was at the place is C's to say.
    v_end := CASE WHEN p_end > 'epoch' THEN p_end ELSE s.end_at END;
    SELECT json_agg(json_build_object('from', valid_from, 'until', valid_until,
                                      'rate', rate::text))::text
      INTO a.vat
      FROM vat_rate WHERE country = a.country AND buyer = 'consumer'
       AND valid_from <= (v_end AT TIME ZONE 'UTC')::date + 1
       AND coalesce(valid_until >= (v_end AT TIME ZONE 'UTC')::date - 1, true);
    SELECT vat_id INTO a.vat_id FROM tax_profile WHERE country = a.country;
    SELECT number, amount_minor, currency
      INTO a.replaces, a.replaced_minor, a.replaced_currency
      FROM receipt WHERE id = x.replaces;

    IF p_start > 'epoch' AND p_end > p_start THEN
        SELECT cdr_id INTO a.evse_overlap FROM cdr y
         WHERE partner_id = p_partner AND lower(evse_uid) = lower(p_evse_uid) AND evse_uid <> '#NA'
           AND lower(coalesce(location_id, '')) = lower(coalesce(p_location, ''))
           AND lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party)
           AND accepted_at IS NOT NULL AND NOT credit AND credited_by IS NULL
           AND session_id IS DISTINCT FROM s.id
           AND start_at > p_start - interval '7 days' AND start_at < p_end - interval '1 second'
           AND end_at > p_start + interval '1 second'
         LIMIT 1;
        -- A token of ours may be used several times at once: that many, and no more.
        SELECT max(cdr_id) INTO a.token_overlap FROM cdr y
         WHERE token_uid = p_token AND accepted_at IS NOT NULL AND NOT credit
           AND credited_by IS NULL AND session_id IS DISTINCT FROM s.id
           AND start_at > p_start - interval '7 days' AND start_at < p_end - interval '1 second'
           AND end_at > p_start + interval '1 second'
        HAVING count(*) >= p_token_most;
    END IF;
    RETURN a;
END $$;

-- ---------------------------------------------------------------- intake: filing

DROP FUNCTION cdr_put(
    bigint, text, text, text, bytea, text, text, text, text, text, text, text, timestamptz,
    timestamptz, bigint, bigint, bigint, boolean, text, boolean, text, timestamptz, boolean, text,
    text, text, text, text);
DROP FUNCTION cdr_file(cdr, text);
DROP FUNCTION cdr_file_credit(cdr, text);
DROP FUNCTION cdr_accept(cdr, session, text, text, text);
DROP FUNCTION finance_decide(uuid, bigint, boolean, text, text);

-- Once it counts, what it counts for stands.
CREATE OR REPLACE FUNCTION cdr_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a CDR is never deleted';
    END IF;
    IF (NEW.country_code, NEW.party_id, NEW.cdr_id, NEW.path, NEW.body, NEW.content_hash,
        NEW.energy_mwh, NEW.total_cost_u6, NEW.total_cost_excl_u6, NEW.currency, NEW.credit)
       IS DISTINCT FROM
       (OLD.country_code, OLD.party_id, OLD.cdr_id, OLD.path, OLD.body, OLD.content_hash,
        OLD.energy_mwh, OLD.total_cost_u6, OLD.total_cost_excl_u6, OLD.currency, OLD.credit)
       OR (OLD.accepted_at IS NOT NULL AND (NEW.accepted_at, NEW.session_id)
           IS DISTINCT FROM (OLD.accepted_at, OLD.session_id))
       OR (OLD.owed_at IS NOT NULL AND NEW.owed_at IS DISTINCT FROM OLD.owed_at) THEN
        RAISE EXCEPTION 'CDR % is immutable', OLD.id;
    END IF;
    RETURN NEW;
END $$;

-- What a CDR counts for in sums. A credit takes back what its original had, whatever the sign in
-- which it came: the release before looked at the amount alone.
CREATE FUNCTION cdr_net(c cdr) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN c.credit THEN -abs(c.total_cost_excl_u6) ELSE c.total_cost_excl_u6 END
$$;
CREATE FUNCTION cdr_gross(c cdr) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN c.credit THEN -abs(c.total_cost_u6) ELSE c.total_cost_u6 END
$$;

CREATE FUNCTION finance_case_close(p_cdr bigint, p_kind text, p_resolution text, p_by text)
RETURNS void LANGUAGE sql AS $$
    UPDATE finance_case SET resolved_at = hub_now(), resolution = p_resolution, by = p_by
     WHERE cdr = p_cdr AND (p_kind IS NULL OR kind = p_kind) AND resolved_at IS NULL
$$;

-- The CPO is owed what it states, as far as the user's time limit goes the hub's loss.
CREATE FUNCTION cdr_owe(c cdr) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_loss bigint := coalesce((c.calculation ->> 'loss_u6')::bigint, 0);
BEGIN
    UPDATE cdr SET owed_at = hub_now() WHERE id = c.id AND owed_at IS NULL;
    PERFORM ledger_post('purchase', 'cdr/' || c.id, c.currency, NULL, c.id, NULL,
        ARRAY['purchase', 'hub_loss', 'cpo_payable:' || c.partner_id],
        ARRAY[c.total_cost_excl_u6 - v_loss, v_loss, -c.total_cost_excl_u6]);
END $$;

-- The accepted CDR's figures become the session's; they win even when lower. The receipt comes last.
CREATE FUNCTION cdr_accept(c cdr, s session, p jsonb, p_series text, p_by text, p_confirmed boolean)
RETURNS session LANGUAGE plpgsql AS $$
DECLARE
    d jsonb := p -> 'receipt';
    r receipt;
    w bigint;
BEGIN
    UPDATE cdr SET session_id = s.id, accepted_at = hub_now(), filed = 'billed', retry_at = NULL,
           decided_by = CASE WHEN p_confirmed THEN p_by ELSE decided_by END
     WHERE id = c.id
    RETURNING * INTO c;
    r.session_id := s.id;
    r.cdr := c.id;
    r.content := d ->> 'content';
    r.amount_minor := (d ->> 'gross_minor')::bigint;
    r.net_minor := (d ->> 'net_minor')::bigint;
    r.vat_minor := (d ->> 'vat_minor')::bigint;
    r.currency := d ->> 'currency';
    r.energy_mwh := c.energy_mwh;
    -- 1970 says that the network does not know the time (R-CDR-15): then ours is the best.
    r.start_at := CASE WHEN c.start_at > 'epoch' THEN c.start_at ELSE s.start_at END;
    r.end_at := CASE WHEN c.end_at > 'epoch' THEN c.end_at ELSE s.end_at END;
    r.duration_s := greatest(floor(coalesce(extract(epoch FROM r.end_at - r.start_at), 0)), 0);

    s.energy_mwh := c.energy_mwh;
    s.cost_u6 := money_u6(r.amount_minor, r.currency);
    s.cost_known := true;
    s.currency := r.currency;
    s.network_session_id := coalesce(s.network_session_id, c.network_session_id);
    IF c.start_at > 'epoch' THEN
        s.start_at := c.start_at;
    END IF;
    IF c.end_at > 'epoch' THEN
        s.end_at := greatest(c.end_at, s.start_at);
    END IF;
    s := session_write(s, CASE WHEN session_phase(s) IN ('recovered', 'failed', 'closed')
                               THEN 'finance_confirmed' ELSE 'cdr_accepted' END, 'cdr', p_by);
    UPDATE finance_case SET resolved_at = hub_now(), by = p_by,
           resolution = CASE WHEN p_confirmed THEN 'confirmed' ELSE 'cdr_accepted' END
     WHERE resolved_at IS NULL
       AND (session_id = s.id AND kind IN ('cdr_overdue', 'late_start', 'force_closed')
            OR cdr = c.id AND kind IN ('unmatched_cdr', 'quarantined_cdr'));
    IF c.class = 'DISPUTE' THEN
        PERFORM finance_case_open('cost_mismatch', s.id, c.id, p ->> 'why');
    ELSE
        PERFORM cdr_owe(c);
    END IF;

    FOR w IN SELECT receipt FROM receipt_cancellation
              WHERE session_id = s.id AND issued_at IS NULL ORDER BY receipt LOOP
        PERFORM receipt_cancel(w, p_series);
    END LOOP;
    r := receipt_issue(r, p_series);
    PERFORM ledger_post('receipt', 'receipt/' || r.id, r.currency, r.id, c.id, NULL,
        ARRAY(SELECT jsonb_array_elements_text(d -> 'accounts')),
        ARRAY(SELECT jsonb_array_elements_text(d -> 'amounts_u6')::bigint));
    RETURN s;
END $$;

-- A credit: the whole amount of the CDR it names goes back. The session stays completed (contract
-- 4.2); the user's receipt is cancelled, at the latest when the hold is over.
CREATE FUNCTION cdr_file_credit(c cdr, x cdr_situation, p jsonb, p_series text, p_by text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    o cdr := x.original;
    v_filed text := CASE
        WHEN o.id IS NULL OR o.accepted_at IS NULL THEN 'credit_waiting'
        WHEN o.credit OR o.credited_by IS NOT NULL THEN 'credit_twice'
        WHEN p ->> 'credit_fault' IS NOT NULL THEN 'credit_amount'
        WHEN c.class = 'QUARANTINE' THEN 'quarantined'
        ELSE 'credit' END;
    v_hold interval := make_interval(secs => coalesce((p ->> 'hold_s')::bigint, 0));
BEGIN
    UPDATE cdr SET filed = v_filed, session_id = coalesce(session_id, o.session_id),
           supply_day = coalesce(o.supply_day, supply_day),
           class = CASE v_filed WHEN 'credit' THEN class ELSE 'QUARANTINE' END,
           accepted_at = CASE v_filed WHEN 'credit' THEN hub_now() END,
           owed_at = CASE WHEN v_filed = 'credit' AND o.owed_at IS NOT NULL THEN hub_now() END,
           retry_at = CASE v_filed WHEN 'credit_waiting' THEN coalesce(retry_at, cdr_retry_at(c)) END
     WHERE id = c.id
    RETURNING * INTO c;
    IF v_filed <> 'credit' THEN
        IF v_filed <> 'credit_waiting' THEN
            PERFORM finance_case_close(c.id, 'unmatched_cdr', 'matched', 'hub');
        END IF;
        PERFORM finance_case_open(
            CASE v_filed WHEN 'credit_waiting' THEN 'unmatched_cdr' ELSE 'quarantined_cdr' END,
            o.session_id, c.id, coalesce(p ->> 'credit_fault', p ->> 'why', v_filed));
        RETURN;
    END IF;
    UPDATE cdr SET credited_by = c.id WHERE id = o.id;
    PERFORM finance_case_close(c.id, NULL, 'matched', 'hub');
    PERFORM finance_case_close(o.id, 'cost_mismatch', 'credited', 'hub');
    PERFORM ledger_mirror('cdr/' || o.id, 'credit', 'cdr/' || c.id, NULL, c.id);
    INSERT INTO receipt_cancellation (receipt, credit, session_id, content, due_at)
    SELECT x.receipt, c.id, o.session_id, p ->> 'cancellation', hub_now() + v_hold
     WHERE x.receipt IS NOT NULL;
    IF v_hold <= interval '0' THEN
        PERFORM receipt_cancel(x.receipt, p_series);
    END IF;
END $$;

-- When one without a session is looked at again, for 30 days: what it waits for is often on its way,
-- so in seconds at first, twice as late each time up to a quarter of an hour, then the older the
-- later.
CREATE FUNCTION cdr_retry_at(c cdr) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN t < c.received_at + interval '30 days' THEN t END
      FROM (SELECT hub_now() + greatest(interval '5 seconds',
                       least(hub_now() - c.received_at, interval '15 minutes'),
                       least((hub_now() - c.received_at) / 24, interval '6 hours')) AS t) x
$$;

-- Files a CDR for which the situation holds, with all that follows from it. Credits that came
-- before it are due at once.
CREATE FUNCTION cdr_file(c cdr, x cdr_situation, p jsonb, p_series text, p_by text,
                         p_confirmed boolean)
RETURNS session LANGUAGE plpgsql AS $$
DECLARE
    s session := x.session;
    v_filed text;
    v_case text;
BEGIN
    UPDATE cdr SET class = p ->> 'class', recalculated_u6 = (p ->> 'recalculated_u6')::bigint,
           difference_u6 = (p ->> 'difference_u6')::bigint,
           findings = coalesce(p -> 'findings', '[]'),
           calculation = coalesce(calculation, '{}') || coalesce(p -> 'calculation', '{}'),
           engine = p ->> 'engine', tz_version = p ->> 'tz_version', country = p ->> 'country',
           duration_s = (p ->> 'duration_s')::bigint, charging_s = (p ->> 'charging_s')::bigint,
           parking_s = (p ->> 'parking_s')::bigint, supply_day = (p ->> 'supply_day')::date,
           plausible = p ->> 'class' IS DISTINCT FROM 'QUARANTINE',
           implausible_why = CASE p ->> 'class' WHEN 'QUARANTINE' THEN p ->> 'why' END
     WHERE id = c.id
    RETURNING * INTO c;
    IF c.credit THEN
        PERFORM cdr_file_credit(c, x, p, p_series, p_by);
        RETURN s;
    END IF;
    IF s.id IS NULL THEN
        -- What was charged with somebody else's token is only carried.
        v_filed := CASE WHEN (p ->> 'ours')::boolean THEN 'unmatched' ELSE 'carried' END;
        UPDATE cdr SET filed = v_filed,
               class = CASE v_filed WHEN 'unmatched' THEN 'QUARANTINE' ELSE class END,
               retry_at = CASE v_filed WHEN 'unmatched' THEN coalesce(retry_at, cdr_retry_at(c)) END
         WHERE id = c.id;
        PERFORM finance_case_open('unmatched_cdr', NULL, c.id, NULL) WHERE v_filed = 'unmatched';
        RETURN NULL;
    END IF;

    v_filed := CASE
        WHEN x.billed IS NOT NULL THEN 'duplicate_session'
        -- Not even a person's word makes a receipt of what cannot be reckoned.
        WHEN p_confirmed AND p -> 'receipt' IS NOT NULL THEN 'billed'
        WHEN x.phase = 'closed' AND s.failure_code = 'force_closed' THEN 'force_closed'
        WHEN x.phase IN ('recovered', 'failed', 'closed') THEN 'late_start'
        WHEN c.class = 'QUARANTINE' THEN 'quarantined'
        ELSE 'billed' END;
    PERFORM finance_case_close(c.id, 'unmatched_cdr', 'matched', p_by);
    IF v_filed = 'billed' THEN
        s := cdr_accept(c, s, p, p_series, p_by, p_confirmed);
        UPDATE cdr SET retry_at = hub_now()
         WHERE filed = 'credit_waiting' AND credit
           AND lower(country_code) = lower(c.country_code)
           AND lower(party_id) = lower(c.party_id)
           AND lower(credit_reference_id) = lower(c.cdr_id);
        RETURN s;
    END IF;

    UPDATE cdr SET session_id = s.id, filed = v_filed, retry_at = NULL,
           class = CASE v_filed WHEN 'duplicate_session' THEN 'QUARANTINE' ELSE class END
     WHERE id = c.id;
    v_case := CASE WHEN v_filed IN ('late_start', 'force_closed') THEN v_filed
                   ELSE 'quarantined_cdr' END;
    PERFORM finance_case_open(v_case, s.id, c.id,
        CASE v_filed WHEN 'duplicate_session' THEN v_filed ELSE coalesce(p ->> 'why', v_filed) END);
    -- It does not bill, but it proves the end (contract 4.1).
    IF v_filed <> 'duplicate_session' AND s.state NOT IN ('completed', 'failed') THEN
        IF c.end_at > 'epoch' AND c.end_at <= hub_now() + interval '5 minutes' THEN
            s.end_at := c.end_at;
        END IF;
        RETURN session_write(s, 'network_ended', 'cdr', p_by);
    END IF;
    RETURN s;
END $$;

ALTER TYPE cdr_answer ADD ATTRIBUTE cdr bigint, ADD ATTRIBUTE class text,
    ADD ATTRIBUTE receipt text, ADD ATTRIBUTE waiting bigint;

-- What the caller is told of a CDR that has been filed.
CREATE FUNCTION cdr_answer(p_cdr bigint, p_outcome text, s session, p_before bigint)
RETURNS cdr_answer LANGUAGE plpgsql AS $$
DECLARE
    a cdr_answer;
    c cdr;
BEGIN
    SELECT * INTO c FROM cdr WHERE id = p_cdr;
    a.outcome := p_outcome;
    a.path := c.path;
    a.filed := c.filed;
    a.cdr := c.id;
    a.class := c.class;
    SELECT number INTO a.receipt FROM receipt WHERE cdr = c.id;
    IF c.filed = 'billed' THEN
        SELECT min(id) INTO a.waiting FROM cdr
         WHERE filed = 'credit_waiting' AND credit
           AND lower(country_code) = lower(c.country_code)
           AND lower(party_id) = lower(c.party_id)
           AND lower(credit_reference_id) = lower(c.cdr_id);
    END IF;
    IF s.id IS NOT NULL THEN
        a.session := session_as_row(s, s.version IS DISTINCT FROM p_before);
    END IF;
    RETURN a;
END $$;

-- Stores a CDR as it came and files it. Outcomes: stored, repeated, conflict; again: what was priced
-- is not what is there any more, and nothing was written.
CREATE FUNCTION cdr_put(
    p_partner bigint, p_country text, p_party text, p_id text, p_body bytea, p_hash text,
    p_path text, p_network_session text, p_token text, p_reference text, p_evse_uid text,
    p_location text, p_start timestamptz, p_end timestamptz, p_energy_mwh bigint,
    p_total_u6 bigint, p_total_excl_u6 bigint, p_has_incl boolean, p_currency text,
    p_credit boolean, p_credit_reference text, p_last_updated timestamptz, p_ocpi text,
    p_token_country text, p_token_party text, p_source text, p_priced jsonb, p_series text)
RETURNS cdr_answer LANGUAGE plpgsql AS $$
DECLARE
    a cdr_answer;
    c cdr;
    x cdr_situation;
    s session;
    v_before bigint;
BEGIN
    SELECT * INTO c FROM cdr
     WHERE lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party)
       AND lower(cdr_id) = lower(p_id);
    IF c.id IS NULL THEN
        x := cdr_situation(NULL, p_partner, p_country, p_party, p_network_session, p_token,
                           p_reference, p_evse_uid, p_start, p_credit, p_credit_reference, NULL,
                           true);
        IF x.digest IS DISTINCT FROM p_priced ->> 'situation' THEN
            a.outcome := 'again';
            RETURN a;
        END IF;
        INSERT INTO cdr
            (partner_id, country_code, party_id, cdr_id, path, body, content_hash,
             network_session_id, token_uid, authorization_reference, location_id, evse_uid,
             start_at, end_at, energy_mwh, total_cost_u6, total_cost_excl_u6, has_incl_vat,
             currency, credit, credit_reference_id, plausible, last_updated, received_at, ocpi,
             token_country, token_party, source)
        VALUES (p_partner, p_country, p_party, p_id, p_path, p_body, p_hash, p_network_session,
                p_token, p_reference, p_location, p_evse_uid, p_start, p_end,
                greatest(p_energy_mwh, 0), p_total_u6, p_total_excl_u6, p_has_incl, p_currency,
                p_credit, p_credit_reference, true, p_last_updated, hub_now(),
                coalesce(p_ocpi, '2.2.1'), p_token_country, p_token_party,
                coalesce(p_source, 'push'))
        ON CONFLICT (lower(country_code), lower(party_id), lower(cdr_id)) DO NOTHING
        RETURNING * INTO c;
        IF c.id IS NOT NULL THEN
            v_before := (x.session).version;
            s := cdr_file(c, x, p_priced, p_series, 'network', false);
            RETURN cdr_answer(c.id, 'stored', s, v_before);
        END IF;
        SELECT * INTO c FROM cdr
         WHERE lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party)
           AND lower(cdr_id) = lower(p_id);
    END IF;
    a.path := c.path;
    a.filed := c.filed;
    a.cdr := c.id;
    a.class := c.class;
    a.outcome := CASE WHEN c.content_hash = p_hash THEN 'repeated' ELSE 'conflict' END;
    IF a.outcome = 'conflict' THEN
        INSERT INTO cdr_refused (cdr, content_hash, body, received_at)
        VALUES (c.id, p_hash, p_body, hub_now()) ON CONFLICT DO NOTHING;
        PERFORM finance_case_open('cdr_conflict', c.session_id, c.id, NULL);
    END IF;
    RETURN a;
END $$;

-- Files one that is stored already: unmatched, waiting, held for a person. p_session: whose it is,
-- as a person says; p_confirmed: a person says that it is to be billed. Outcomes: settled, over (it
-- has been accepted, declined or carried: nothing is left to do), again, same_person (a draft is
-- confirmed by somebody else).
CREATE FUNCTION cdr_settle(p_cdr bigint, p_session uuid, p_priced jsonb, p_by text,
                           p_confirmed boolean, p_series text)
RETURNS cdr_answer LANGUAGE plpgsql AS $$
DECLARE
    a cdr_answer;
    c cdr;
    x cdr_situation;
    s session;
    v_before bigint;
BEGIN
    SELECT * INTO c FROM cdr WHERE id = p_cdr;
    x := cdr_situation(p_cdr, c.partner_id, c.country_code, c.party_id, c.network_session_id,
                       c.token_uid, c.authorization_reference, c.evse_uid, c.start_at, c.credit,
                       c.credit_reference_id, coalesce(p_session, c.session_id), true);
    SELECT * INTO c FROM cdr WHERE id = p_cdr; -- locked by now
    IF c.id IS NULL OR c.accepted_at IS NOT NULL OR c.filed IN ('declined', 'carried')
       OR (c.filed = 'draft' AND NOT p_confirmed) THEN
        a.outcome := 'over';
        a.filed := c.filed;
        RETURN a;
    END IF;
    -- Names of the admin API are shared: two of them may be one person.
    IF c.filed = 'draft' AND (c.calculation ->> 'drafted_by' = p_by
            OR c.calculation ->> 'drafted_by' LIKE 'admin:%' AND p_by LIKE 'admin:%') THEN
        a.outcome := 'same_person';
        RETURN a;
    END IF;
    IF x.digest IS DISTINCT FROM p_priced ->> 'situation' THEN
        a.outcome := 'again';
        RETURN a;
    END IF;
    v_before := (x.session).version;
    IF p_session IS NOT NULL THEN
        UPDATE cdr SET decided_by = p_by WHERE id = c.id RETURNING * INTO c;
    END IF;
    s := cdr_file(c, x, p_priced, p_series, p_by, p_confirmed);
    UPDATE cdr SET decided_by = p_by WHERE id = c.id AND p_confirmed AND filed = 'credit';
    RETURN cdr_answer(c.id, 'settled', s, v_before);
END $$;

-- A person says no: it is never billed. A recovered session fails with it (rule 12b).
CREATE FUNCTION cdr_decline(p_cdr bigint, p_by text) RETURNS cdr_answer LANGUAGE plpgsql AS $$
DECLARE
    a cdr_answer;
    c cdr;
    s session;
    v_before bigint;
BEGIN
    SELECT * INTO c FROM cdr WHERE id = p_cdr;
    SELECT * INTO s FROM session WHERE id = c.session_id FOR UPDATE;
    SELECT * INTO c FROM cdr WHERE id = p_cdr FOR UPDATE;
    IF c.id IS NULL OR c.accepted_at IS NOT NULL OR c.filed IN ('declined', 'carried') THEN
        a.outcome := 'over';
        a.filed := c.filed;
        RETURN a;
    END IF;
    v_before := s.version;
    UPDATE cdr SET filed = 'declined', decided_by = p_by, retry_at = NULL WHERE id = c.id;
    IF s.id IS NOT NULL AND session_phase(s) = 'recovered' THEN
        s := session_write(s, 'finance_declined', 'finance', p_by);
    END IF;
    UPDATE finance_case SET resolved_at = hub_now(), resolution = 'declined', by = p_by
     WHERE resolved_at IS NULL AND (cdr = c.id
            OR session_id = s.id AND kind IN ('late_start', 'force_closed'));
    RETURN cdr_answer(c.id, 'settled', s, v_before);
END $$;

-- The same before the CDR of a late start or a forced end has come. One that came meanwhile is
-- declined; about one that comes later somebody decides again.
CREATE FUNCTION cdr_decline_awaited(p_session uuid, p_by text) RETURNS cdr_answer
LANGUAGE plpgsql AS $$
DECLARE
    s session;
    v_cdr bigint;
    v_before bigint;
BEGIN
    SELECT * INTO s FROM session WHERE id = p_session FOR UPDATE;
    SELECT max(id) INTO v_cdr FROM cdr
     WHERE session_id = p_session AND filed IN ('late_start', 'force_closed');
    IF v_cdr IS NOT NULL THEN
        RETURN cdr_decline(v_cdr, p_by);
    END IF;
    v_before := s.version;
    IF session_phase(s) = 'recovered' THEN
        s := session_write(s, 'finance_declined', 'finance', p_by);
    END IF;
    UPDATE finance_case SET resolved_at = hub_now(), resolution = 'declined', by = p_by
     WHERE resolved_at IS NULL AND session_id = s.id AND kind IN ('late_start', 'force_closed');
    RETURN cdr_answer(NULL, 'settled', s, v_before);
END $$;

-- A disputed CDR: p_owe, the CPO gets what it states; else it gets nothing until it credits it.
CREATE FUNCTION cdr_release(p_cdr bigint, p_owe boolean, p_by text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    c cdr;
BEGIN
    SELECT * INTO c FROM cdr WHERE id = p_cdr AND class = 'DISPUTE' AND accepted_at IS NOT NULL
       AND owed_at IS NULL AND credited_by IS NULL FOR UPDATE;
    IF c.id IS NULL THEN
        RETURN false;
    END IF;
    UPDATE cdr SET decided_by = p_by WHERE id = c.id;
    IF p_owe THEN
        PERFORM cdr_owe(c);
    END IF;
    PERFORM finance_case_close(c.id, 'cost_mismatch',
                               CASE WHEN p_owe THEN 'accepted' ELSE 'refused' END, p_by);
    RETURN true;
END $$;

-- The draft of a manual CDR; another person confirms it by cdr_settle(). NULL: the session has a
-- CDR that counts, or a draft.
CREATE FUNCTION cdr_draft(p_session uuid, p_id text, p_body text, p_hash text, p_path text,
                          p_start timestamptz, p_end timestamptz, p_energy_mwh bigint,
                          p_total_u6 bigint, p_total_excl_u6 bigint, p_currency text, p_by text,
                          p_reason text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    s session;
    v_id bigint;
BEGIN
    SELECT * INTO s FROM session WHERE id = p_session FOR UPDATE;
    IF s.id IS NULL OR EXISTS (
        SELECT FROM cdr WHERE session_id = p_session
           AND (filed = 'draft' OR accepted_at IS NOT NULL AND NOT credit AND credited_by IS NULL))
    THEN
        RETURN NULL;
    END IF;
    INSERT INTO cdr
        (partner_id, country_code, party_id, cdr_id, path, body, content_hash, network_session_id,
         token_uid, authorization_reference, location_id, evse_uid, start_at, end_at, energy_mwh,
         total_cost_u6, total_cost_excl_u6, has_incl_vat, currency, credit, plausible,
         last_updated, received_at, source, session_id, filed, calculation)
    VALUES (s.partner_id, s.country_code, s.party_id, p_id, p_path, convert_to(p_body, 'UTF8'),
            p_hash, s.network_session_id, s.token_uid, s.id::text, s.location_id, s.evse_uid,
            p_start, p_end, p_energy_mwh, p_total_u6, p_total_excl_u6,
            p_total_u6 <> p_total_excl_u6, p_currency, false, true, hub_now(), hub_now(), 'manual',
            s.id, 'draft', jsonb_build_object('drafted_by', p_by, 'reason', p_reason))
    RETURNING id INTO v_id;
    RETURN v_id;
END $$;

-- The draft of the credit of a manual CDR that counts, to be confirmed like that. NULL: it does not
-- count (any more), or the session has a draft.
CREATE FUNCTION cdr_draft_credit(p_cdr bigint, p_id text, p_body text, p_hash text, p_path text,
                                 p_by text, p_reason text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    o cdr;
    v_id bigint;
BEGIN
    SELECT * INTO o FROM cdr WHERE id = p_cdr;
    PERFORM FROM session WHERE id = o.session_id FOR UPDATE;
    SELECT * INTO o FROM cdr WHERE id = p_cdr FOR UPDATE;
    IF o.id IS NULL OR o.source <> 'manual' OR o.credit OR o.accepted_at IS NULL
       OR o.credited_by IS NOT NULL
       OR EXISTS (SELECT FROM cdr WHERE session_id = o.session_id AND filed = 'draft') THEN
        RETURN NULL;
    END IF;
    INSERT INTO cdr
        (partner_id, country_code, party_id, cdr_id, path, body, content_hash, network_session_id,
         token_uid, authorization_reference, location_id, evse_uid, start_at, end_at, energy_mwh,
         total_cost_u6, total_cost_excl_u6, has_incl_vat, currency, credit, credit_reference_id,
         plausible, last_updated, received_at, source, session_id, filed, calculation)
    VALUES (o.partner_id, o.country_code, o.party_id, p_id, p_path, convert_to(p_body, 'UTF8'),
            p_hash, o.network_session_id, o.token_uid, o.authorization_reference, o.location_id,
            o.evse_uid, o.start_at, o.end_at, o.energy_mwh, -o.total_cost_u6,
            -o.total_cost_excl_u6, o.has_incl_vat, o.currency, true, o.cdr_id, true, hub_now(),
            hub_now(), 'manual', o.session_id, 'draft',
            jsonb_build_object('drafted_by', p_by, 'reason', p_reason))
    RETURNING id INTO v_id;
    RETURN v_id;
END $$;

-- ---------------------------------------------------------------- intake: by and by

-- CDRs to look at again; their next turn is set here, so that two processes never take the same. A
-- credit whose original has not come in 30 days is put aside.
CREATE FUNCTION cdr_retry_claim(p_limit int) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    c cdr;
BEGIN
    FOR c IN SELECT * FROM cdr WHERE retry_at <= hub_now()
              ORDER BY retry_at LIMIT p_limit FOR UPDATE SKIP LOCKED
    LOOP
        UPDATE cdr SET retry_at = cdr_retry_at(c) WHERE id = c.id;
        IF cdr_retry_at(c) IS NULL AND c.filed = 'credit_waiting' THEN
            UPDATE cdr SET filed = 'credit_unknown' WHERE id = c.id;
            PERFORM finance_case_close(c.id, 'unmatched_cdr', 'expired', 'hub');
            PERFORM finance_case_open('quarantined_cdr', NULL, c.id, 'credit_unknown');
        ELSE
            RETURN NEXT c.id;
        END IF;
    END LOOP;
END $$;

-- What runs now and then, once for all processes. done_at: when it last came to its end.
CREATE TABLE finance_job (
    name text PRIMARY KEY,
    due_at timestamptz NOT NULL,
    done_at timestamptz NOT NULL DEFAULT hub_now()
);
-- The next time that it is two by UTC: a day away at most.
CREATE FUNCTION finance_next_night() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT (date_trunc('day', hub_now() AT TIME ZONE 'UTC' - interval '2 hours')
            + interval '1 day 2 hours') AT TIME ZONE 'UTC'
$$;
INSERT INTO finance_job (name, due_at) VALUES ('audit', finance_next_night());
CREATE TABLE finance_audit (
    at timestamptz NOT NULL,
    receipts bigint NOT NULL,  -- whose chain was recomputed
    faults jsonb NOT NULL
);
CREATE INDEX finance_audit_by_date ON finance_audit (at);

-- Whose turn it is gets when the job was done last; NULL: not now. It is due again in an hour, so
-- that a process that dies with it costs no more than that; a job that is not done for long becomes
-- a case.
CREATE FUNCTION finance_job_claim(p_name text) RETURNS timestamptz LANGUAGE plpgsql AS $$
DECLARE
    v_done timestamptz;
BEGIN
    UPDATE finance_job SET due_at = hub_now() + interval '1 hour'
     WHERE name = p_name AND due_at <= hub_now()
    RETURNING done_at INTO v_done;
    IF v_done < hub_now() - interval '26 hours' THEN
        PERFORM finance_case_open(p_name || '_overdue', NULL, NULL, 'none has come to its end since '
            || to_char(v_done AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'));
    END IF;
    RETURN v_done;
END $$;

-- An audit has come to its end, whatever it found: the next one is the next night's.
CREATE FUNCTION finance_audit_keep(p_receipts bigint, p_faults jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO finance_audit (at, receipts, faults) VALUES (hub_now(), p_receipts, p_faults);
    UPDATE finance_job SET due_at = finance_next_night(), done_at = hub_now() WHERE name = 'audit';
    UPDATE finance_case SET resolved_at = hub_now(), resolution = 'audited', by = 'hub'
     WHERE kind = 'audit_overdue' AND resolved_at IS NULL
$$;

-- As it was, without the CDRs that are looked at again: pricing them is C's.
DELETE FROM timer WHERE slot = 'orphan_cdr';
CREATE OR REPLACE FUNCTION timer_fire(p_subject text, p_slot text, p_series text)
RETURNS SETOF timer_effect LANGUAGE plpgsql AS $$
DECLARE
    t timer;
    e timer_effect;
    s session;
    v_version bigint;
BEGIN
    SELECT * INTO s FROM session WHERE id = uuid_or_null(p_subject) FOR UPDATE SKIP LOCKED;
    IF s.id IS NULL AND uuid_or_null(p_subject) IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT * INTO t FROM timer WHERE subject = p_subject AND slot = p_slot AND due_at <= hub_now()
       FOR UPDATE SKIP LOCKED;
    IF t.subject IS NULL THEN
        RETURN;
    END IF;
    v_version := s.version;
    CASE t.slot
    WHEN 'life' THEN
        e.pull_partner := session_wake(s);
    WHEN 'energy' THEN
        PERFORM timer_clear(t.subject, t.slot);
        PERFORM session_ask_stop(s, 'energy_target', 'hub') WHERE s.state = 'active';
        PERFORM operation_stop_insert(s, 'late_start', 'hub')
          WHERE session_phase(s) = 'recovered' AND NOT s.ended;
    ELSE
        PERFORM hub_job(t.kind);
        RETURN;
    END CASE;
    SELECT * INTO s FROM session WHERE id = s.id;
    IF s.version <> v_version OR e.pull_partner IS NOT NULL THEN
        e.session := CASE WHEN s.version <> v_version THEN session_as_row(s, true) END;
        RETURN NEXT e;
    END IF;
END $$;

-- ---------------------------------------------------------------- checks

CREATE TYPE receipt_chain AS (rows bigint, last_seq bigint, last_hash text, broken text, why text);

-- Recomputes the chain of a series from behind p_after on, at most p_limit rows.
CREATE FUNCTION receipt_verify(p_series text, p_year int, p_after bigint, p_hash text, p_limit int)
RETURNS receipt_chain LANGUAGE plpgsql STABLE AS $$
DECLARE
    a receipt_chain;
    r receipt;
    v_at timestamptz;
    v_series receipt_series;
BEGIN
    a.rows := 0;
    a.last_seq := p_after;
    a.last_hash := p_hash;
    SELECT issued_at INTO v_at FROM receipt
     WHERE series = p_series AND year = p_year AND seq = p_after;
    FOR r IN SELECT * FROM receipt
              WHERE series = p_series AND year = p_year AND seq > p_after
              ORDER BY seq LIMIT p_limit
    LOOP
        a.why := CASE
            WHEN r.seq <> a.last_seq + 1 THEN 'a number is missing before it'
            WHEN r.previous_hash <> a.last_hash THEN 'it does not follow the one before'
            WHEN r.hash <> receipt_hash(r) THEN 'its hash is not that of its content'
            WHEN r.issued_at < v_at THEN 'its date is before that of the one before' END;
        IF a.why IS NOT NULL THEN
            a.broken := r.number;
            RETURN a;
        END IF;
        a.rows := a.rows + 1;
        a.last_seq := r.seq;
        a.last_hash := r.hash;
        v_at := r.issued_at;
    END LOOP;
    IF a.rows < p_limit THEN
        SELECT * INTO v_series FROM receipt_series WHERE series = p_series AND year = p_year;
        IF v_series.next - 1 <> a.last_seq OR v_series.last_hash <> a.last_hash THEN
            a.broken := format('%s-%s', p_series, p_year);
            a.why := 'the series does not end with its last receipt';
        END IF;
    END IF;
    RETURN a;
END $$;

-- What must hold of all that was written from p_from to p_until; each row is a fault. Sums are over
-- everything.
CREATE FUNCTION finance_check(p_from timestamptz, p_until timestamptz)
RETURNS TABLE (what text, subject text, detail text) LANGUAGE sql STABLE AS $$
    SELECT 'ledger_sum', currency, sum_u6::text FROM ledger_check()
    UNION ALL
    (SELECT 'unbalanced_entry', e.id::text, sum(l.amount_u6)::text
       FROM ledger_entry e JOIN ledger_line l ON l.entry = e.id
      WHERE e.at >= p_from AND e.at < p_until
      GROUP BY e.id HAVING sum(l.amount_u6) <> 0 LIMIT 100)
    UNION ALL
    (SELECT 'receipt_not_posted', r.number, NULL
       FROM receipt r
      WHERE r.issued_at >= p_from AND r.issued_at < p_until AND r.content IS NOT NULL
        AND NOT EXISTS (SELECT FROM ledger_entry e WHERE e.receipt = r.id
                           AND e.key = 'receipt/' || r.id) LIMIT 100)
    UNION ALL
    (SELECT 'receipt_posted_otherwise', r.number, l.amount_u6::text
       FROM receipt r JOIN ledger_entry e ON e.key = 'receipt/' || r.id
       LEFT JOIN ledger_line l ON l.entry = e.id AND l.account = 'receivable'
      WHERE r.issued_at >= p_from AND r.issued_at < p_until
        AND coalesce(l.amount_u6, 0) <> money_u6(r.amount_minor, r.currency) LIMIT 100)
    UNION ALL
    (SELECT 'cdr_without_receipt', c.cdr_id, c.filed
       FROM cdr c
      WHERE c.received_at >= p_from - interval '30 days' AND c.accepted_at >= p_from
        AND c.accepted_at < p_until AND NOT c.credit
        AND NOT EXISTS (SELECT FROM receipt r WHERE r.cdr = c.id) LIMIT 100)
    UNION ALL
    (SELECT 'credit_without_cancellation', c.cdr_id, c.filed
       FROM cdr c
      WHERE c.received_at >= p_from - interval '30 days' AND c.accepted_at >= p_from
        AND c.accepted_at < p_until AND c.credit
        AND NOT EXISTS (SELECT FROM receipt r WHERE r.cdr = c.id)
        AND NOT EXISTS (SELECT FROM receipt_cancellation w WHERE w.credit = c.id) LIMIT 100)
    UNION ALL
    (SELECT 'owed_not_posted', c.cdr_id, NULL
       FROM cdr c
      WHERE c.owed_at >= p_from AND c.owed_at < p_until
        AND c.calculation IS NOT NULL
        AND (NOT c.credit OR EXISTS (SELECT FROM cdr o JOIN ledger_entry e ON e.key = 'cdr/' || o.id
                                      WHERE o.credited_by = c.id))
        AND NOT EXISTS (SELECT FROM ledger_entry e WHERE e.key = 'cdr/' || c.id) LIMIT 100)
    UNION ALL
    -- Statements are made of what is owed: what is booked beside that would be in none.
    (SELECT 'posted_not_owed', e.key, c.cdr_id
       FROM ledger_entry e JOIN cdr c ON c.id = e.cdr
      WHERE e.at >= p_from AND e.at < p_until AND e.kind IN ('purchase', 'credit')
        AND c.period IS DISTINCT FROM date_trunc('month', e.at AT TIME ZONE 'UTC')::date LIMIT 100)
    UNION ALL
    (SELECT 'cancellation_overdue', r.number, w.due_at::text
       FROM receipt_cancellation w JOIN receipt r ON r.id = w.receipt
      WHERE w.issued_at IS NULL AND w.due_at < hub_now() - interval '1 day' LIMIT 100)
$$;

-- Accepted before there was a month to belong to.
UPDATE cdr SET owed_at = accepted_at WHERE accepted_at IS NOT NULL;
-- Unmatched ones of the release before are looked at again by the new job.
UPDATE cdr SET retry_at = hub_now()
 WHERE filed IN ('unmatched', 'credit_waiting') AND received_at > hub_now() - interval '30 days';
