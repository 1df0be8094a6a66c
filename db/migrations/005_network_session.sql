-- SPDX-License-Identifier: Apache-2.0
-- The CPOs' Session objects: order, match, and what they do to our sessions (contract 4.3,
-- what is older, equal, or ahead of the clock).

-- Whose is it? By authorization reference, else by token + EVSE + start within 15 minutes if that
-- fits exactly one. Only sessions of the same partner count. Locks the session it finds.
CREATE FUNCTION session_match(p_partner bigint, p_reference text, p_token text, p_evse_uid text,
                              p_start timestamptz)
RETURNS session LANGUAGE plpgsql AS $$
DECLARE
    s session;
    v_ids uuid[];
BEGIN
    SELECT * INTO s FROM session
     WHERE id = uuid_or_null(p_reference) AND partner_id = p_partner FOR UPDATE;
    IF s.id IS NOT NULL OR p_token IS NULL OR p_start IS NULL THEN
        RETURN s;
    END IF;
    SELECT array_agg(x.id) INTO v_ids
      FROM token t JOIN session x ON x.user_id = t.user_id
     WHERE t.uid = upper(p_token) AND x.token_uid = t.uid AND x.partner_id = p_partner
       AND lower(x.evse_uid) = lower(p_evse_uid)
       AND x.created_at BETWEEN p_start - interval '15 minutes' AND p_start + interval '15 minutes';
    IF cardinality(v_ids) = 1 THEN
        SELECT * INTO s FROM session WHERE id = v_ids[1] FOR UPDATE;
    END IF;
    RETURN s;
END $$;

-- A reading: energy never falls while the session is open, the power between two readings makes
-- the forecast, and a target that is reached is stopped right here (rule 5).
CREATE FUNCTION session_read(s session, n network_session) RETURNS session LANGUAGE plpgsql AS $$
DECLARE
    v_seconds numeric;
BEGIN
    IF n.energy_mwh > s.energy_mwh THEN
        v_seconds := extract(epoch FROM n.order_at - s.reading_at);
        IF v_seconds >= 1 THEN
            s.power_w := least((n.energy_mwh - s.energy_mwh) * 3.6 / v_seconds, 10000000)::bigint;
        END IF;
        s.energy_mwh := n.energy_mwh;
        s.reading_at := n.order_at;
    ELSIF s.reading_at IS NULL THEN
        s.reading_at := n.order_at;
    ELSIF n.order_at > s.reading_at THEN
        s.power_w := 0; -- reading_at stays: the next rise is measured from the last one
    END IF;
    IF n.cost_u6 IS NOT NULL THEN
        s.cost_u6 := n.cost_u6;
        s.cost_known := true;
    END IF;
    IF n.currency IS NOT NULL THEN
        s.currency := n.currency;
    END IF;
    s.seen_at := hub_now();
    RETURN s;
END $$;

CREATE FUNCTION session_mind_target(s session) RETURNS session LANGUAGE plpgsql AS $$
BEGIN
    IF s.state <> 'active' OR s.target_mwh IS NULL THEN
        RETURN s;
    END IF;
    -- A stop that was refused comes again in its own time.
    IF EXISTS (SELECT FROM timer WHERE subject = s.id::text AND slot = 'energy'
                  AND kind = 'stop_again') THEN
        RETURN s;
    END IF;
    IF s.energy_mwh >= s.target_mwh THEN
        RETURN session_ask_stop(s, 'energy_target', 'hub');
    END IF;
    IF s.power_w > 0 THEN
        PERFORM timer_set(s.id::text, 'energy', 'energy_target', hub_now() + make_interval(
            secs => least((s.target_mwh - s.energy_mwh) * 3.6 / s.power_w, 1000000)::float8));
    ELSE
        PERFORM timer_clear(s.id::text, 'energy'); -- it pauses: nothing to foresee
    END IF;
    RETURN s;
END $$;

-- What a network session says, done to ours. The caller holds both rows.
CREATE FUNCTION network_session_act(n network_session, s session) RETURNS session
LANGUAGE plpgsql AS $$
DECLARE
    v_cause text := CASE WHEN n.by_pull THEN 'session_pull' ELSE 'session_push' END;
    v_bound boolean := s.network_session_id IS NULL;
    v_late boolean := session_phase(s) = 'failed';
    v_begins boolean := NOT s.started;
BEGIN
    s.network_session_id := n.network_session_id;
    IF s.state = 'completed' OR session_phase(s) = 'closed' THEN
        -- Only remembered. A pending one that our failed start left behind is handled below.
        RETURN session_write(s, NULL, v_cause, 'network');
    END IF;
    CASE
    WHEN n.status IN ('PENDING', 'RESERVATION') THEN
        IF v_late THEN
            -- Not charging yet, and nobody wants it any more.
            s := session_write(s, NULL, v_cause, 'network');
            PERFORM operation_stop_insert(s, 'late_start', 'hub');
            RETURN s;
        END IF;
        s.seen_at := hub_now();
        IF v_bound AND NOT s.started THEN
            s.start_deadline_at := hub_now() + interval '2 hours';
            PERFORM timer_set(s.id::text, 'life', 'start_deadline', hub_now() + interval '30 minutes');
        END IF;
        s := session_write(s, NULL, v_cause, 'network');

    WHEN n.status = 'ACTIVE' THEN
        s := session_read(s, n);
        IF NOT s.started THEN
            s.start_at := n.start_at;
        END IF;
        IF v_late THEN
            s := session_write(s, 'late_start', v_cause, 'network');
            PERFORM operation_stop_insert(s, 'late_start', 'hub');
            PERFORM finance_case_open('late_start', s.id, NULL, s.recovered_from);
        ELSE
            s := session_write(s, CASE WHEN s.started THEN 'network_running'
                                       ELSE 'network_started' END, v_cause, 'network');
            IF v_begins AND s.state = 'stopping' THEN
                -- Cancelled before it began; a stop sent by then may have been refused already.
                PERFORM operation_stop_insert(s, 'stop_asked', 'hub');
            END IF;
            s := session_mind_target(s);
        END IF;

    WHEN n.status = 'COMPLETED' THEN
        s := session_read(s, n);
        IF NOT s.started OR n.start_at < s.start_at THEN
            s.start_at := n.start_at;
        END IF;
        s.end_at := greatest(coalesce(n.end_at, n.order_at), s.start_at);
        IF v_late THEN
            s := session_write(s, 'late_start', v_cause, 'network');
            PERFORM finance_case_open('late_start', s.id, NULL, s.recovered_from);
        END IF;
        s := session_write(s, 'network_ended', v_cause, 'network');

    WHEN n.status = 'INVALID' THEN
        s.seen_at := hub_now();
        s := session_write(s, 'network_invalid', v_cause, 'network');

    ELSE -- a word of a later version: stored, changes nothing
        s := session_write(s, NULL, v_cause, 'network');
    END CASE;

    -- A stop that waited for the network's id goes out now.
    IF v_bound THEN
        UPDATE operation SET due_at = hub_now()
         WHERE session_id = s.id AND kind = 'stop' AND state = 'pending' AND attempts = 0
           AND due_at IS NULL;
    END IF;
    RETURN s;
END $$;

CREATE TYPE network_session_answer AS (
    outcome text, -- applied, duplicate, stale, anomaly, conflict
    created boolean,
    session session_row);

CREATE FUNCTION network_session_put(
    p_partner bigint, p_country text, p_party text, p_id text, p_document text, p_hash text,
    p_if_version bigint, p_last_updated timestamptz, p_status text, p_start timestamptz,
    p_end timestamptz, p_energy_mwh bigint, p_cost_u6 bigint, p_currency text, p_token text,
    p_reference text, p_location text, p_evse_uid text, p_connector text, p_by_pull boolean,
    p_unreliable_clock boolean)
RETURNS network_session_answer LANGUAGE plpgsql AS $$
DECLARE
    a network_session_answer;
    o network_session;
    n network_session;
    s session;
    v_version bigint;
    v_anomaly boolean := false;
    v_now timestamptz := hub_now();
    v_order timestamptz := least(p_last_updated, v_now + interval '5 minutes');
    v_energy bigint := greatest(p_energy_mwh, 0);
    v_over boolean;
BEGIN
    a.outcome := 'applied';
    a.created := false;
    IF coalesce(p_if_version, 0) = 0 THEN
        INSERT INTO network_session
            (partner_id, country_code, party_id, network_session_id, status, document, content_hash,
             last_updated, order_at, start_at, end_at, energy_mwh, cost_u6, currency, token_uid,
             authorization_reference, location_id, evse_uid, connector_id, clock_ahead, by_pull,
             created_at, updated_at)
        VALUES (p_partner, p_country, p_party, p_id, p_status, p_document, p_hash, p_last_updated,
                v_order, p_start, p_end, v_energy, p_cost_u6, p_currency, p_token, p_reference,
                p_location, p_evse_uid, p_connector, v_order < p_last_updated, p_by_pull, v_now,
                v_now)
        ON CONFLICT (partner_id, lower(network_session_id), lower(country_code), lower(party_id))
        DO NOTHING
        RETURNING * INTO n;
    END IF;
    IF n.id IS NOT NULL THEN
        a.created := true;
    ELSE
        SELECT * INTO o FROM network_session
         WHERE partner_id = p_partner AND lower(network_session_id) = lower(p_id)
           AND lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party)
           FOR UPDATE;
        IF coalesce(p_if_version, 0) <> 0 AND o.version IS DISTINCT FROM p_if_version THEN
            a.outcome := 'conflict';
            RETURN a;
        END IF;
        v_over := o.status IN ('COMPLETED', 'INVALID');
        IF o.last_updated = p_last_updated AND o.content_hash = p_hash THEN
            a.outcome := 'duplicate';
        ELSIF v_order < o.order_at AND NOT p_unreliable_clock THEN
            a.outcome := 'stale';
        ELSIF v_over AND p_status <> o.status THEN
            a.outcome := 'anomaly'; -- it does not begin again (I11)
        ELSIF v_order <= o.order_at
              AND (v_energy < o.energy_mwh
                   OR (o.status = 'ACTIVE' AND p_status IN ('PENDING', 'RESERVATION'))) THEN
            a.outcome := 'anomaly'; -- the same time must not say less
        END IF;
        IF a.outcome <> 'applied' THEN
            IF a.outcome = 'anomaly' THEN
                UPDATE network_session SET anomalies = anomalies + 1 WHERE id = o.id;
            END IF;
            SELECT * INTO s FROM session WHERE id = o.session_id;
            IF s.id IS NOT NULL THEN
                a.session := session_as_row(s, false);
            END IF;
            RETURN a;
        END IF;
        -- Falling energy is a correction up to 1 %, or the end's; a larger fall is not believed.
        IF p_status <> 'COMPLETED' AND v_energy::numeric * 100 < o.energy_mwh::numeric * 99 THEN
            v_energy := o.energy_mwh;
            v_anomaly := true;
        END IF;
        UPDATE network_session SET
            version = version + 1, status = p_status, document = p_document, content_hash = p_hash,
            last_updated = p_last_updated,
            order_at = greatest(v_order, CASE WHEN p_unreliable_clock THEN order_at END),
            start_at = p_start, end_at = p_end, energy_mwh = v_energy, cost_u6 = p_cost_u6,
            currency = p_currency, token_uid = p_token,
            authorization_reference = coalesce(p_reference, authorization_reference),
            location_id = p_location, evse_uid = p_evse_uid, connector_id = p_connector,
            clock_ahead = v_order < p_last_updated, by_pull = p_by_pull,
            anomalies = anomalies + (v_anomaly OR v_over)::int, updated_at = v_now
         WHERE id = o.id
        RETURNING * INTO n;
    END IF;

    IF n.session_id IS NOT NULL THEN
        SELECT * INTO s FROM session WHERE id = n.session_id FOR UPDATE;
    ELSE
        s := session_match(n.partner_id, n.authorization_reference, n.token_uid, n.evse_uid,
                           n.start_at);
        -- A second network session for one of ours is kept, and bound to none.
        IF s.network_session_id IS NOT NULL
           AND lower(s.network_session_id) <> lower(n.network_session_id) THEN
            UPDATE network_session SET anomalies = anomalies + 1 WHERE id = n.id;
            RETURN a;
        END IF;
        IF s.id IS NOT NULL THEN
            UPDATE network_session SET session_id = s.id WHERE id = n.id;
        END IF;
    END IF;
    IF s.id IS NOT NULL THEN
        v_version := s.version;
        s := network_session_act(n, s);
        a.session := session_as_row(s, s.version <> v_version);
    END IF;
    RETURN a;
END $$;
