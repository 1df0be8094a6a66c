-- SPDX-License-Identifier: Apache-2.0
-- Waits longer than a request (contract 4.5). One process works on a timer at a time because it
-- holds the row's lock; one timer that fails is put off and does not hold up the others.

CREATE TYPE timer_effect AS (pull_partner bigint, session session_row);

-- The session's own next step, by the state it is in. Returns the partner whose sessions are to be
-- pulled, or NULL. Sets the timer's next time itself; a session that is over has none.
CREATE FUNCTION session_wake(s session) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := hub_now();
    v_key text := s.id::text;
    v_seen timestamptz := greatest(s.seen_at, s.created_at); -- our clock, whatever theirs says
    v_max timestamptz := interval '72 hours'
        + CASE WHEN s.start_at BETWEEN s.created_at AND s.created_at + interval '1 day'
               THEN s.start_at ELSE s.created_at END;
    v_waiting boolean;
    o operation;
BEGIN
    IF s.state IN ('completed', 'failed') THEN
        PERFORM timer_clear(v_key, 'life');
        RETURN NULL;
    END IF;

    IF s.state = 'pending' OR (s.state = 'stopping' AND NOT s.started) THEN
        SELECT * INTO o FROM operation WHERE session_id = s.id AND kind = 'start';
        IF o.sent_at IS NOT NULL AND o.answered_at IS NULL AND o.lease_until > v_now THEN
            PERFORM timer_set(v_key, 'life', 'start_deadline', o.lease_until);
            RETURN NULL;
        END IF;
        IF o.sent_at IS NOT NULL AND o.state = 'pending' THEN
            s := operation_start_unclear(o, s); -- sets the timer
            RETURN s.partner_id;
        END IF;
        IF v_now < s.start_deadline_at THEN -- half of the wait is over: look
            PERFORM timer_set(v_key, 'life', 'start_deadline', s.start_deadline_at);
            PERFORM pull_request(s.partner_id, 'sessions');
            RETURN s.partner_id;
        END IF;
        IF o.sent_at IS NOT NULL AND v_now > s.start_deadline_at + interval '30 seconds'
           AND v_now < s.created_at + interval '24 hours' THEN
            -- Nobody was here when it was time to look, nor to hear the network: a car that has
            -- been charging meanwhile is not stopped for that. A pull waits a minute at most.
            s.start_deadline_at := v_now + interval '90 seconds';
            s := session_write(s, NULL, 'start_deadline', 'timer');
            PERFORM timer_set(v_key, 'life', 'start_deadline', s.start_deadline_at);
            PERFORM pull_request(s.partner_id, 'sessions');
            RETURN s.partner_id;
        END IF;
        v_waiting := s.network_session_id IS NOT NULL;
        s := session_write(s, 'start_deadline', 'start_deadline', 'timer');
        IF v_waiting THEN -- the network still has it waiting for a car
            PERFORM operation_stop_insert(s, 'start_deadline', 'hub');
        END IF;
        RETURN NULL;
    END IF;

    IF s.ended THEN
        PERFORM pull_request(s.partner_id, 'cdrs');
        -- The end is the network's word; it was heard of no later than seen_at.
        IF v_now >= least(s.end_at, s.seen_at) + interval '72 hours' THEN
            PERFORM finance_case_open('cdr_overdue', s.id, NULL, NULL);
        END IF;
        PERFORM timer_set(v_key, 'life', 'cdr_overdue', v_now + interval '24 hours');
        RETURN NULL;
    END IF;

    -- Charging, or being stopped.
    IF v_now >= v_seen + interval '7 days' AND s.recovered_from IS NULL THEN
        PERFORM session_force_close(s.id, 'no_sign_for_7_days', 'timer');
        RETURN NULL;
    END IF;
    IF v_now >= v_seen + interval '26 hours' THEN
        s := session_write(s, 'quiet', 'no_update_for_26_hours', 'timer');
    END IF;
    IF s.state = 'active' AND v_now >= v_max AND s.substatus <> 'stuck'
       AND NOT EXISTS (SELECT FROM timer WHERE subject = v_key AND slot = 'energy'
                          AND kind = 'stop_again') THEN
        s := session_ask_stop(s, 'max_session', 'hub');
    END IF;
    PERFORM timer_set(v_key, 'life', 'session_stale', greatest(
        v_now + interval '1 minute',
        least(v_seen + interval '15 minutes', v_max)));
    IF v_now >= v_seen + interval '15 minutes' THEN
        PERFORM timer_set(v_key, 'life', 'session_stale', v_now + interval '15 minutes');
        PERFORM pull_request(s.partner_id, 'sessions');
        RETURN s.partner_id;
    END IF;
    RETURN NULL;
END $$;

-- Work that must happen now and then, once for all processes.
CREATE FUNCTION hub_job(p_kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
BEGIN
    IF p_kind = 'retention' THEN
        DELETE FROM idempotency WHERE (caller, key, path, method) IN (
            SELECT caller, key, path, method FROM idempotency
             WHERE created_at < hub_now() - interval '48 hours' ORDER BY created_at LIMIT 5000);
        GET DIAGNOSTICS v_count = ROW_COUNT;
        DELETE FROM partner_token WHERE expires_at < hub_now();
        PERFORM timer_set('hub', 'retention', 'retention', hub_now()
            + CASE WHEN v_count < 5000 THEN interval '10 minutes' ELSE interval '5 seconds' END);
    END IF;
END $$;
INSERT INTO timer (subject, slot, kind, due_at)
VALUES ('hub', 'retention', 'retention', hub_now()), ('hub', 'orphan_cdr', 'orphan_cdr', hub_now());

-- One due timer. The session is locked before the timer, as everywhere else; a session that
-- somebody else works on right now is left for the next round.
CREATE FUNCTION timer_fire(p_subject text, p_slot text, p_series text) RETURNS SETOF timer_effect
LANGUAGE plpgsql AS $$
DECLARE
    t timer;
    e timer_effect;
    s session;
    c cdr;
    v_version bigint;
    v_count int := 0;
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
    WHEN 'orphan_cdr' THEN
        FOR c IN SELECT * FROM cdr
                  WHERE filed IN ('unmatched', 'credit_waiting')
                    AND received_at > hub_now() - interval '30 days'
                  ORDER BY random() LIMIT 200 -- those that never match hold nobody up
        LOOP
            v_count := v_count + 1;
            IF c.credit THEN
                s := cdr_file_credit(c, p_series);
            ELSE
                s := cdr_file(c, p_series);
            END IF;
            IF s.id IS NOT NULL THEN
                e.session := session_as_row(s, true);
                RETURN NEXT e;
            END IF;
        END LOOP;
        PERFORM timer_set(t.subject, t.slot, t.kind, hub_now()
            + CASE WHEN v_count < 200 THEN interval '15 minutes' ELSE interval '1 minute' END);
        RETURN;
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

CREATE FUNCTION timer_run(p_limit int, p_series text) RETURNS SETOF timer_effect
LANGUAGE plpgsql AS $$
DECLARE
    v_subject text;
    v_slot text;
    v_id bigint;
    v_partner bigint;
    s session;
    e timer_effect;
    v_version bigint;
BEGIN
    FOR v_subject, v_slot IN
        SELECT subject, slot FROM timer WHERE due_at <= hub_now() ORDER BY due_at LIMIT p_limit
    LOOP
        BEGIN
            RETURN QUERY SELECT * FROM timer_fire(v_subject, v_slot, p_series);
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            NULL; -- stays due
        WHEN OTHERS THEN
            UPDATE timer SET failures = failures + 1, last_error = SQLERRM,
                   due_at = hub_now() + least(failures + 1, 30) * interval '1 minute'
             WHERE subject = v_subject AND slot = v_slot;
        END;
    END LOOP;

    -- Commands whose time has come without an answer. What may be sent is the claim's business.
    FOR v_id, v_partner, v_version IN
        SELECT o.id, o.partner_id, s2.version
          FROM operation o LEFT JOIN session s2 ON s2.id = o.session_id
         WHERE o.due_at <= hub_now() AND NOT operation_sendable(o, hub_now())
         ORDER BY o.due_at LIMIT p_limit
    LOOP
        BEGIN
            s := operation_judge(v_id);
            e := NULL;
            IF s.version <> v_version THEN
                e.session := session_as_row(s, true);
            END IF;
            IF EXISTS (SELECT FROM operation WHERE id = v_id AND kind IN ('start', 'stop')
                          AND outcome = 'unclear') THEN
                e.pull_partner := v_partner;
            END IF;
            IF e IS DISTINCT FROM NULL THEN
                RETURN NEXT e;
            END IF;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            NULL; -- stays due
        WHEN OTHERS THEN
            UPDATE operation SET due_at = hub_now() + interval '1 minute',
                   detail = left(SQLERRM, 200)
             WHERE id = v_id;
        END;
    END LOOP;
END $$;
