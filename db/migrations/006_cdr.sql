-- SPDX-License-Identifier: Apache-2.0
-- CDRs and receipts: stored once for ever, matched, accepted or kept for
-- a person, and the receipt in the same statement. The row of the series is locked last, so that a
-- number is only taken by what commits.

-- The cancellation of a credited receipt, or the receipt of an accepted CDR. The amount is the
-- network's total, including VAT where it gives it, rounded once to the currency's unit.
CREATE FUNCTION receipt_issue(c cdr, s session, p_cancels bigint, p_series text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    r receipt;
    v_series receipt_series;
    v_now timestamptz := hub_now();
BEGIN
    r.series := p_series;
    r.year := extract(year FROM v_now AT TIME ZONE 'UTC');
    r.kind := CASE WHEN p_cancels IS NULL THEN 'receipt' ELSE 'cancellation' END;
    r.session_id := s.id;
    r.cdr := c.id;
    r.cancels := p_cancels;
    r.currency := c.currency;
    IF p_cancels IS NULL THEN
        r.amount_minor := money_minor(c.total_cost_u6, c.currency);
        r.energy_mwh := c.energy_mwh;
        -- 1970 says that the network does not know the time (R-CDR-15): then ours is the best.
        r.start_at := CASE WHEN c.start_at > 'epoch' THEN c.start_at ELSE s.start_at END;
        r.end_at := CASE WHEN c.end_at > 'epoch' THEN c.end_at ELSE s.end_at END;
        r.duration_s := greatest(floor(coalesce(extract(epoch FROM r.end_at - r.start_at), 0)), 0);
    ELSE
        SELECT -amount_minor, -energy_mwh, start_at, end_at, duration_s
          INTO r.amount_minor, r.energy_mwh, r.start_at, r.end_at, r.duration_s
          FROM receipt WHERE id = p_cancels;
    END IF;
    SELECT coalesce(max(revision), 0) + 1 INTO r.revision FROM receipt WHERE session_id = s.id;

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
         currency, energy_mwh, duration_s, start_at, end_at, issued_at, previous_hash, hash)
    VALUES (r.number, r.series, r.year, r.seq, r.kind, r.revision, r.session_id, r.cdr, r.cancels,
            r.amount_minor, r.currency, r.energy_mwh, r.duration_s, r.start_at, r.end_at,
            r.issued_at, r.previous_hash, r.hash);
    UPDATE receipt_series SET last_hash = r.hash WHERE series = r.series AND year = r.year;
END $$;

CREATE FUNCTION receipt_hash(r receipt) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT encode(sha256(convert_to(
        array_to_string(ARRAY[r.previous_hash, r.number, r.kind, r.revision::text,
            r.session_id::text, r.cdr::text, r.cancels::text, r.amount_minor::text, r.currency,
            r.energy_mwh::text, r.duration_s::text,
            to_char(r.start_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
            to_char(r.end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'),
            to_char(r.issued_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')],
            '|', '-'), 'UTF8')), 'hex')
$$;

-- The accepted CDR's figures become the session's; they win even when lower.
CREATE FUNCTION cdr_accept(c cdr, s session, p_event text, p_by text, p_series text)
RETURNS session LANGUAGE plpgsql AS $$
BEGIN
    UPDATE cdr SET session_id = s.id, accepted_at = hub_now(), filed = 'billed'
     WHERE id = c.id
    RETURNING * INTO c;
    s.energy_mwh := c.energy_mwh;
    s.cost_u6 := money_u6(money_minor(c.total_cost_u6, c.currency), c.currency);
    s.cost_known := true;
    s.currency := c.currency;
    s.network_session_id := coalesce(s.network_session_id, c.network_session_id);
    IF c.start_at > 'epoch' THEN
        s.start_at := c.start_at;
    END IF;
    IF c.end_at > 'epoch' THEN
        s.end_at := greatest(c.end_at, s.start_at);
    END IF;
    s := session_write(s, p_event, 'cdr', p_by);
    PERFORM receipt_issue(c, s, NULL, p_series);
    UPDATE finance_case SET resolved_at = hub_now(), resolution = 'cdr_accepted', by = p_by
     WHERE session_id = s.id AND kind = 'cdr_overdue' AND resolved_at IS NULL;
    RETURN s;
END $$;

-- A credit: cancels the receipt of the CDR it names. The session stays completed (contract 4.2).
CREATE FUNCTION cdr_file_credit(c cdr, p_series text) RETURNS session LANGUAGE plpgsql AS $$
DECLARE
    o cdr;
    s session;
    v_filed text;
    v_receipt bigint;
BEGIN
    SELECT x.* INTO s FROM session x JOIN cdr y ON y.session_id = x.id
     WHERE lower(y.country_code) = lower(c.country_code) AND lower(y.party_id) = lower(c.party_id)
       AND lower(y.cdr_id) = lower(c.credit_reference_id) FOR UPDATE OF x;
    SELECT * INTO o FROM cdr y
     WHERE lower(y.country_code) = lower(c.country_code) AND lower(y.party_id) = lower(c.party_id)
       AND lower(y.cdr_id) = lower(c.credit_reference_id) FOR UPDATE;
    v_filed := CASE WHEN o.id IS NULL OR o.accepted_at IS NULL THEN 'credit_waiting'
                    WHEN o.credit OR o.credited_by IS NOT NULL THEN 'credit_twice'
                    WHEN o.currency <> c.currency
                      OR abs(o.total_cost_u6) <> abs(c.total_cost_u6) THEN 'credit_amount'
                    ELSE 'credit' END;
    UPDATE cdr SET filed = v_filed, session_id = coalesce(session_id, o.session_id),
           accepted_at = CASE v_filed WHEN 'credit' THEN hub_now() END
     WHERE id = c.id
    RETURNING * INTO c;
    IF v_filed <> 'credit' THEN
        PERFORM finance_case_open(
            CASE v_filed WHEN 'credit_waiting' THEN 'unmatched_cdr' ELSE 'quarantined_cdr' END,
            o.session_id, c.id, v_filed);
        RETURN s;
    END IF;
    UPDATE cdr SET credited_by = c.id WHERE id = o.id;
    UPDATE finance_case SET resolved_at = hub_now(), resolution = 'matched', by = 'hub'
     WHERE cdr = c.id AND resolved_at IS NULL;
    SELECT id INTO v_receipt FROM receipt WHERE cdr = o.id;
    PERFORM receipt_issue(c, s, v_receipt, p_series);
    RETURN s;
END $$;

-- Steps 3 to 6 of the intake for a CDR that is not a credit; also what retries an unmatched one.
CREATE FUNCTION cdr_file(c cdr, p_series text) RETURNS session LANGUAGE plpgsql AS $$
DECLARE
    s session;
    v_filed text;
    v_why text;
    v_phase text;
BEGIN
    IF c.authorization_reference IS NOT NULL THEN
        s := session_match(c.partner_id, c.authorization_reference, NULL, NULL, NULL);
    END IF;
    IF s.id IS NULL AND c.network_session_id IS NOT NULL THEN
        SELECT x.* INTO s FROM network_session n JOIN session x ON x.id = n.session_id
         WHERE n.partner_id = c.partner_id
           AND lower(n.network_session_id) = lower(c.network_session_id)
           AND lower(n.country_code) = lower(c.country_code)
           AND lower(n.party_id) = lower(c.party_id)
           FOR UPDATE OF x;
    END IF;
    IF s.id IS NULL THEN
        s := session_match(c.partner_id, NULL, c.token_uid, c.evse_uid, c.start_at);
    END IF;
    IF s.id IS NULL THEN
        UPDATE cdr SET filed = 'unmatched' WHERE id = c.id AND filed <> 'unmatched';
        PERFORM finance_case_open('unmatched_cdr', NULL, c.id, NULL);
        RETURN NULL;
    END IF;

    v_phase := session_phase(s);
    v_why := CASE
        WHEN NOT c.plausible THEN coalesce(c.implausible_why, 'implausible')
        WHEN c.energy_mwh::numeric * 100 < s.energy_mwh::numeric * 99 AND s.state <> 'completed'
            THEN 'energy below the last Session update'
        WHEN c.total_cost_u6 < 0 THEN 'negative total without credit' END;
    v_filed := CASE
        WHEN EXISTS (SELECT FROM cdr WHERE session_id = s.id AND accepted_at IS NOT NULL
                        AND NOT credit AND credited_by IS NULL) THEN 'duplicate_session'
        WHEN v_phase IN ('recovered', 'failed') THEN 'late_start'
        WHEN v_phase = 'closed' AND s.failure_code = 'force_closed' THEN 'force_closed'
        WHEN v_phase = 'closed' THEN 'late_start'
        WHEN v_why IS NOT NULL THEN 'quarantined'
        ELSE 'billed' END;
    UPDATE finance_case SET resolved_at = hub_now(), resolution = 'matched', by = 'hub'
     WHERE cdr = c.id AND kind = 'unmatched_cdr' AND resolved_at IS NULL;
    IF v_filed = 'billed' THEN
        RETURN cdr_accept(c, s, 'cdr_accepted', 'network', p_series);
    END IF;

    UPDATE cdr SET session_id = s.id, filed = v_filed WHERE id = c.id;
    PERFORM finance_case_open(
        CASE WHEN v_filed IN ('late_start', 'force_closed') THEN v_filed ELSE 'quarantined_cdr' END,
        s.id, c.id, coalesce(v_why, v_filed));
    -- It does not bill, but it proves the end (contract 4.1).
    IF v_filed <> 'duplicate_session' AND s.state NOT IN ('completed', 'failed') THEN
        IF c.end_at > 'epoch' THEN
            s.end_at := c.end_at;
        END IF;
        RETURN session_write(s, 'network_ended', 'cdr', 'network');
    END IF;
    RETURN s;
END $$;

CREATE TYPE cdr_answer AS (outcome text, path text, filed text, session session_row);

CREATE FUNCTION cdr_put(
    p_partner bigint, p_country text, p_party text, p_id text, p_body bytea, p_hash text,
    p_path text, p_network_session text, p_token text, p_reference text, p_evse_uid text,
    p_location text, p_start timestamptz, p_end timestamptz, p_energy_mwh bigint,
    p_total_u6 bigint, p_total_excl_u6 bigint, p_has_incl boolean, p_currency text,
    p_credit boolean, p_credit_reference text, p_last_updated timestamptz, p_plausible boolean,
    p_why text, p_series text)
RETURNS cdr_answer LANGUAGE plpgsql AS $$
DECLARE
    a cdr_answer;
    c cdr;
    s session;
    v_before bigint;
BEGIN
    INSERT INTO cdr
        (partner_id, country_code, party_id, cdr_id, path, body, content_hash, network_session_id,
         token_uid, authorization_reference, location_id, evse_uid, start_at, end_at, energy_mwh,
         total_cost_u6, total_cost_excl_u6, has_incl_vat, currency, credit, credit_reference_id,
         plausible, implausible_why, last_updated, received_at)
    VALUES (p_partner, p_country, p_party, p_id, p_path, p_body, p_hash, p_network_session, p_token,
            p_reference, p_location, p_evse_uid, p_start, p_end, greatest(p_energy_mwh, 0),
            p_total_u6, p_total_excl_u6, p_has_incl, p_currency, p_credit, p_credit_reference,
            p_plausible AND p_energy_mwh >= 0, p_why, p_last_updated, hub_now())
    ON CONFLICT (lower(country_code), lower(party_id), lower(cdr_id)) DO NOTHING
    RETURNING * INTO c;
    IF c.id IS NULL THEN
        SELECT * INTO c FROM cdr
         WHERE lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party)
           AND lower(cdr_id) = lower(p_id);
        a.filed := c.filed;
        a.path := c.path;
        a.outcome := CASE WHEN c.content_hash = p_hash THEN 'repeated' ELSE 'conflict' END;
        IF a.outcome = 'conflict' THEN
            INSERT INTO cdr_refused (cdr, content_hash, body, received_at)
            VALUES (c.id, p_hash, p_body, hub_now()) ON CONFLICT DO NOTHING;
            PERFORM finance_case_open('cdr_conflict', c.session_id, c.id, NULL);
        END IF;
        RETURN a;
    END IF;
    a.outcome := 'stored';
    a.path := p_path;
    IF p_credit THEN
        s := cdr_file_credit(c, p_series);
        v_before := s.version;
    ELSE
        v_before := 0; -- whatever it was: a caller that shows it again does no harm
        s := cdr_file(c, p_series);
        IF s.state = 'completed' THEN
            -- A credit may have come before its original.
            PERFORM cdr_file_credit(x, p_series) FROM cdr x
             WHERE x.filed = 'credit_waiting' AND x.credit
               AND lower(x.country_code) = lower(p_country)
               AND lower(x.party_id) = lower(p_party)
               AND lower(x.credit_reference_id) = lower(p_id);
        END IF;
    END IF;
    SELECT filed INTO a.filed FROM cdr WHERE id = c.id;
    IF s.id IS NOT NULL THEN
        a.session := session_as_row(s, s.version <> v_before);
    END IF;
    RETURN a;
END $$;

-- A person decides about the CDR of a late start or a force-closed session (rule 12b).
CREATE FUNCTION finance_decide(p_session uuid, p_cdr bigint, p_confirm boolean, p_by text,
                               p_series text)
RETURNS session LANGUAGE plpgsql AS $$
DECLARE
    s session;
    c cdr;
BEGIN
    SELECT * INTO s FROM session WHERE id = p_session FOR UPDATE;
    SELECT * INTO c FROM cdr WHERE id = p_cdr AND session_id = p_session AND accepted_at IS NULL
       AND filed IN ('late_start', 'force_closed') FOR UPDATE;
    IF p_confirm AND c.id IS NOT NULL AND EXISTS (
        SELECT FROM session_transition
         WHERE phase = session_phase(s) AND event = 'finance_confirmed') THEN
        s := cdr_accept(c, s, 'finance_confirmed', p_by, p_series);
    ELSIF NOT p_confirm THEN
        UPDATE cdr SET filed = 'declined' WHERE id = c.id;
        s := session_write(s, 'finance_declined', 'finance', p_by);
    ELSE
        RETURN s;
    END IF;
    UPDATE finance_case SET resolved_at = hub_now(), by = p_by,
           resolution = CASE WHEN p_confirm THEN 'confirmed' ELSE 'declined' END
     WHERE session_id = p_session AND kind IN ('late_start', 'force_closed')
       AND resolved_at IS NULL;
    RETURN s;
END $$;

-- Rule 14. A CDR that comes later becomes a finance case.
CREATE FUNCTION session_force_close(p_session uuid, p_cause text, p_by text) RETURNS session
LANGUAGE plpgsql AS $$
DECLARE
    s session;
BEGIN
    s := session_apply(p_session, 'force_close', p_cause, p_by);
    IF s.failure_code = 'force_closed' THEN
        PERFORM finance_case_open('force_closed', s.id, NULL, p_cause);
    END IF;
    RETURN s;
END $$;
