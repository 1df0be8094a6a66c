-- SPDX-License-Identifier: Apache-2.0
-- The session state machine: its table, and the one function that applies it.
--
-- A phase is a state seen closely enough that (phase, event) has one answer:
--
--   pending                        active
--   stopping   cancelling          asked to stop before the network confirmed (rule 4)
--              stopping            the stop is under way
--              awaiting_cdr        the network has reported the end
--              recovered           a late start (rule 12): a person decides
--   completed
--   failed     failed              reported failed, the network may still prove otherwise (24 h)
--              closed              force-closed, invalidated, declined, or older: nothing reopens it

CREATE TABLE session_transition (
    phase text NOT NULL,
    event text NOT NULL,
    from_state session_state,         -- NULL: the session begins
    to_state session_state NOT NULL,
    rule text,                        -- of contract 4.2; NULL: the state stays
    substatus text,                   -- NULL: as it is; '': none
    failure_code text,                -- NULL: what the caller gives
    last_error text,                  -- NULL: as it is; '': none
    starts boolean NOT NULL DEFAULT false,   -- the network has confirmed charging
    releases boolean NOT NULL DEFAULT false, -- it has ended: the connector is free for another start
    PRIMARY KEY (phase, event)
);
INSERT INTO session_transition
    (phase, event, from_state, to_state, rule, substatus, failure_code, last_error, starts, releases)
VALUES
    ('',           'start',             NULL,        'pending',   '1',   'command_queued',   NULL, NULL, false, false),

    ('pending',    'command_accepted',  'pending',   'pending',   NULL,  'command_accepted', NULL, NULL, false, false),
    ('pending',    'command_unclear',   'pending',   'pending',   NULL,  'command_unclear',  NULL, NULL, false, false),
    ('pending',    'network_started',   'pending',   'active',    '2',   'charging',         NULL, NULL, true,  false),
    ('pending',    'start_refused',     'pending',   'failed',    '3',   '',                 NULL, NULL, false, true),
    ('pending',    'start_deadline',    'pending',   'failed',    '3',   '',        'start_timeout', NULL, false, true),
    ('pending',    'network_invalid',   'pending',   'failed',    '3',   '',          'invalidated', NULL, false, true),
    ('pending',    'stop_asked',        'pending',   'stopping',  '4',   'stop_requested',   NULL, NULL, false, false),
    ('pending',    'network_ended',     'pending',   'stopping',  '6',   'awaiting_cdr',     NULL, NULL, true,  true),
    ('pending',    'cdr_accepted',      'pending',   'completed', '13',  '',                 NULL, '',   true,  true),

    ('active',     'stop_asked',        'active',    'stopping',  '5',   'stop_requested',   NULL, '',   false, false),
    ('active',     'network_ended',     'active',    'stopping',  '6',   'awaiting_cdr',     NULL, '',   false, true),
    ('active',     'cdr_accepted',      'active',    'completed', '8',   '',                 NULL, '',   false, true),
    ('active',     'network_invalid',   'active',    'failed',    '11',  '',          'invalidated', NULL, false, true),
    ('active',     'never_delivered',   'active',    'failed',    '11',  '',          'invalidated', NULL, false, true),
    ('active',     'force_close',       'active',    'failed',    '14',  '',         'force_closed', NULL, false, true),
    ('active',     'quiet',             'active',    'active',    NULL,  'stuck',            NULL, NULL, false, false),
    ('active',     'network_running',   'active',    'active',    NULL,  'charging',         NULL, NULL, false, false),

    ('cancelling', 'network_started',   'stopping',  'stopping',  NULL,  NULL,               NULL, NULL, true,  false),
    ('cancelling', 'network_ended',     'stopping',  'stopping',  NULL,  'awaiting_cdr',     NULL, '',   true,  true),
    ('cancelling', 'network_gone',      'stopping',  'stopping',  NULL,  'awaiting_cdr',     NULL, '',   true,  true),
    ('cancelling', 'stop_accepted',     'stopping',  'stopping',  NULL,  'stop_accepted',    NULL, NULL, false, false),
    ('cancelling', 'stop_refused',      'stopping',  'stopping',  NULL,  NULL,    NULL, 'stop_rejected', false, false),
    ('cancelling', 'stop_stuck',        'stopping',  'stopping',  NULL,  'stuck',            NULL, NULL, false, false),
    ('cancelling', 'start_cancelled',   'stopping',  'failed',    '10',  '', 'cancelled_before_start', NULL, false, true),
    ('cancelling', 'start_refused',     'stopping',  'failed',    '10',  '', 'cancelled_before_start', NULL, false, true),
    ('cancelling', 'start_deadline',    'stopping',  'failed',    '10',  '', 'cancelled_before_start', NULL, false, true),
    ('cancelling', 'network_invalid',   'stopping',  'failed',    '10',  '',          'invalidated', NULL, false, true),
    ('cancelling', 'cdr_accepted',      'stopping',  'completed', '7',   '',                 NULL, '',   true,  true),
    ('cancelling', 'force_close',       'stopping',  'failed',    '14',  '',         'force_closed', NULL, false, true),

    ('stopping',   'network_ended',     'stopping',  'stopping',  NULL,  'awaiting_cdr',     NULL, '',   false, true),
    ('stopping',   'network_gone',      'stopping',  'stopping',  NULL,  'awaiting_cdr',     NULL, '',   false, true),
    ('stopping',   'stop_accepted',     'stopping',  'stopping',  NULL,  'stop_accepted',    NULL, NULL, false, false),
    ('stopping',   'stop_refused',      'stopping',  'active',    '9',   'charging', NULL, 'stop_rejected', false, false),
    ('stopping',   'stop_stuck',        'stopping',  'stopping',  NULL,  'stuck',            NULL, NULL, false, false),
    ('stopping',   'quiet',             'stopping',  'stopping',  NULL,  'stuck',            NULL, NULL, false, false),
    ('stopping',   'network_invalid',   'stopping',  'failed',    '10',  '',          'invalidated', NULL, false, true),
    ('stopping',   'cdr_accepted',      'stopping',  'completed', '7',   '',                 NULL, '',   false, true),
    ('stopping',   'force_close',       'stopping',  'failed',    '14',  '',         'force_closed', NULL, false, true),

    ('awaiting_cdr', 'cdr_accepted',    'stopping',  'completed', '7',   '',                 NULL, '',   false, true),
    ('awaiting_cdr', 'network_invalid', 'stopping',  'failed',    '10',  '',          'invalidated', NULL, false, true),
    ('awaiting_cdr', 'force_close',     'stopping',  'failed',    '14',  '',         'force_closed', NULL, false, true),

    ('recovered',  'network_ended',     'stopping',  'stopping',  NULL,  NULL,               NULL, '',   false, true),
    ('recovered',  'network_gone',      'stopping',  'stopping',  NULL,  NULL,               NULL, '',   false, true),
    ('recovered',  'stop_refused',      'stopping',  'stopping',  NULL,  NULL,    NULL, 'stop_rejected', false, false),
    ('recovered',  'stop_stuck',        'stopping',  'stopping',  NULL,  NULL,  NULL, 'stop_unanswered', false, false),
    ('recovered',  'network_invalid',   'stopping',  'failed',    '10',  '',          'invalidated', NULL, false, true),
    ('recovered',  'finance_confirmed', 'stopping',  'completed', '12b', '',                 NULL, '',   false, true),
    ('recovered',  'finance_declined',  'stopping',  'failed',    '12b', '',                 NULL, '',   false, true),
    ('recovered',  'force_close',       'stopping',  'failed',    '14',  '',         'force_closed', NULL, false, true),

    ('failed',     'late_start',        'failed',    'stopping',  '12',  'recovered',        NULL, NULL, true,  false),
    ('failed',     'finance_confirmed', 'failed',    'completed', '12b', '',                 NULL, NULL, false, true),
    ('closed',     'finance_confirmed', 'failed',    'completed', '12b', '',                 NULL, NULL, false, true);

-- The moves as one reads them, for the diagram in the documentation and the tests.
CREATE VIEW session_moves AS
SELECT from_state, to_state, rule, string_agg(DISTINCT event, ', ' ORDER BY event) AS events
  FROM session_transition
 WHERE from_state IS DISTINCT FROM to_state
 GROUP BY from_state, to_state, rule;

CREATE FUNCTION session_phase(s session) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE s.state
        WHEN 'stopping' THEN
            CASE WHEN s.recovered_from IS NOT NULL THEN 'recovered'
                 WHEN s.ended THEN 'awaiting_cdr'
                 WHEN NOT s.started THEN 'cancelling'
                 ELSE 'stopping' END
        WHEN 'failed' THEN
            CASE WHEN s.failure_code IN ('force_closed', 'invalidated')
                   OR s.recovered_from IS NOT NULL
                   OR s.closed_at < hub_now() - interval '24 hours' THEN 'closed'
                 ELSE 'failed' END
        ELSE s.state::text END
$$;

-- The last line of defence, whatever SQL somebody runs: only moves of the table, nothing completed
-- without an accepted CDR, and no energy that falls while the session is open.
CREATE FUNCTION session_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF (NEW.state, NEW.last_event, NEW.connector_held) <> ('pending', 'start', true) THEN
            RAISE EXCEPTION 'a session begins as pending';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.state <> OLD.state THEN
        IF NEW.event_seq <= OLD.event_seq OR NOT EXISTS (
            SELECT FROM session_transition
             WHERE phase = session_phase(OLD) AND event = NEW.last_event
               AND to_state = NEW.state) THEN
            RAISE EXCEPTION 'session %: no transition from % to % by %', OLD.id, OLD.state,
                NEW.state, NEW.last_event;
        END IF;
        IF NEW.state = 'completed' AND NOT EXISTS (
            SELECT FROM cdr WHERE session_id = NEW.id AND accepted_at IS NOT NULL) THEN
            RAISE EXCEPTION 'session %: completed without an accepted CDR', OLD.id;
        END IF;
    END IF;
    IF NEW.energy_mwh < OLD.energy_mwh AND NEW.state IN ('pending', 'active', 'stopping') THEN
        RAISE EXCEPTION 'session %: energy falls while it is open', OLD.id;
    END IF;
    IF NEW.version <= OLD.version THEN
        RAISE EXCEPTION 'session %: the version must grow', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER session_guard BEFORE INSERT OR UPDATE ON session
    FOR EACH ROW EXECUTE FUNCTION session_guard();

-- ---------------------------------------------------------------- what C reads of a session

CREATE TYPE session_row AS (
    s_id uuid, s_version bigint, s_state text, s_substatus text, s_failure_code text,
    s_last_error text, s_user_id text, s_robot_id text, s_evse_id text, s_network text,
    s_user_reference text, s_partner_id bigint, s_country_code text, s_party_id text,
    s_location_id text, s_evse_uid text, s_connector_id text, s_network_session_id text,
    s_profiles boolean, s_energy_mwh bigint, s_cost_u6 bigint, s_cost_known boolean,
    s_currency text, s_created_at timestamptz, s_start_at timestamptz, s_end_at timestamptz,
    s_updated_at timestamptz, s_operations_due boolean, s_changed boolean);

-- What may go out now. START and UNLOCK are sent once in their life, and not when the caller has
-- long gone; profile calls likewise; STOP as often as it is due until its deadline. STABLE, as the
-- arithmetic of times is: what promises more than its body keeps is not taken into its caller.
CREATE FUNCTION operation_sendable(o operation, p_now timestamptz) RETURNS boolean
LANGUAGE sql STABLE AS $$
    SELECT o.due_at <= p_now AND CASE o.kind
        WHEN 'stop' THEN o.finished_at IS NULL AND coalesce(o.deadline > p_now, true)
        ELSE o.state = 'pending' AND o.sent_at IS NULL
             AND o.created_at > p_now - interval '30 seconds' END
$$;

-- plpgsql, as all that statements call once a row: it keeps its plans. A function in SQL is planned
-- again at each call, unless it is so simple that Postgres takes it into its caller.
CREATE FUNCTION session_operations_due(p_session uuid) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM operation o
                    WHERE o.session_id = p_session AND operation_sendable(o, hub_now()));
END $$;

-- Such a simple one: it has no sub-select of its own.
CREATE FUNCTION session_as_row(s session, p_changed boolean, p_due boolean DEFAULT NULL)
RETURNS session_row LANGUAGE sql STABLE AS $$
    SELECT ROW(s.id, s.version, s.state::text, s.substatus, s.failure_code, s.last_error, s.user_id,
               s.robot_id, s.evse_id, s.network, s.user_reference, s.partner_id, s.country_code,
               s.party_id, s.location_id, s.evse_uid, s.connector_id, s.network_session_id,
               s.profiles, s.energy_mwh, s.cost_u6, s.cost_known, s.currency, s.created_at,
               s.start_at, s.end_at, s.updated_at,
               coalesce(p_due, session_operations_due(s.id)), p_changed)::session_row
$$;

-- ---------------------------------------------------------------- timers

CREATE FUNCTION timer_set(p_subject text, p_slot text, p_kind text, p_due timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO timer (subject, slot, kind, due_at) VALUES (p_subject, p_slot, p_kind, p_due)
    ON CONFLICT (subject, slot)
    DO UPDATE SET kind = EXCLUDED.kind, due_at = EXCLUDED.due_at, failures = 0, last_error = NULL;
END $$;
CREATE FUNCTION timer_clear(p_subject text, p_slot text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM timer WHERE subject = p_subject AND slot = p_slot;
END $$;

-- ---------------------------------------------------------------- the machine

-- What a change of state means for the session's operations and timers.
CREATE FUNCTION session_follow(s session, p_from session_state, p_ended boolean)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := hub_now();
BEGIN
    IF s.state IN ('completed', 'failed') THEN
        UPDATE operation
           SET state = CASE WHEN s.state = 'completed' AND kind IN ('start', 'stop')
                            THEN 'completed' ELSE 'failed' END,
               outcome = CASE WHEN s.state = 'completed' AND kind IN ('start', 'stop') THEN 'done'
                              WHEN sent_at IS NULL THEN 'cancelled'
                              ELSE 'timed_out' END,
               finished_at = v_now, due_at = NULL, lease_until = NULL
         WHERE session_id = s.id AND finished_at IS NULL;
        DELETE FROM timer WHERE subject = s.id::text;
        RETURN;
    END IF;
    IF s.started THEN
        UPDATE operation
           SET state = 'completed', outcome = 'done', finished_at = v_now, due_at = NULL,
               lease_until = NULL
         WHERE session_id = s.id AND kind = 'start' AND finished_at IS NULL;
    END IF;
    IF p_ended THEN
        UPDATE operation
           SET state = CASE kind WHEN 'stop' THEN 'completed' ELSE 'failed' END,
               outcome = CASE WHEN kind = 'stop' THEN 'done'
                              WHEN sent_at IS NULL THEN 'cancelled' ELSE 'timed_out' END,
               finished_at = v_now, due_at = NULL, lease_until = NULL
         WHERE session_id = s.id AND kind <> 'start' AND finished_at IS NULL;
        DELETE FROM timer WHERE subject = s.id::text AND slot = 'energy';
        PERFORM timer_set(s.id::text, 'life', 'cdr_overdue', v_now + interval '24 hours');
    ELSIF p_from IN ('pending', 'failed') AND s.started THEN
        PERFORM timer_set(s.id::text, 'life', 'session_stale', v_now + interval '15 minutes');
    END IF;
END $$;

-- Writes a session whose row the caller has locked and whose facts (energy, cost, times, the
-- network's id) it has changed in the record, and applies an event to it, where there is one: looks
-- it up, writes the state, appends session_event. An event that is not listed for the phase leaves
-- the state; the facts are written all the same. Nothing to change: nothing is written.
CREATE FUNCTION session_write(s session, p_event text, p_cause text, p_by text,
                              p_failure text DEFAULT NULL)
RETURNS session LANGUAGE plpgsql AS $$
DECLARE
    o session;
    t session_transition;
    v_now timestamptz := hub_now();
BEGIN
    SELECT * INTO STRICT o FROM session WHERE id = s.id;
    IF p_event IS NOT NULL THEN
        SELECT * INTO t FROM session_transition
         WHERE phase = session_phase(o) AND event = p_event;
    END IF;
    IF t.event IS NOT NULL THEN
        s.state := t.to_state;
        s.started := o.started OR t.starts;
        IF t.substatus IS NOT NULL THEN
            s.substatus := nullif(t.substatus, '');
        END IF;
        IF t.last_error IS NOT NULL THEN
            s.last_error := nullif(t.last_error, '');
        END IF;
        IF t.releases THEN
            s.ended := true;
            s.connector_held := false;
        ELSIF p_event = 'late_start' THEN
            -- It holds no connector: a newer session may have it by now.
            s.recovered_from := o.failure_code;
            s.ended := false;
        END IF;
        IF s.state = 'failed' AND o.state <> 'failed' THEN
            s.failure_code := coalesce(t.failure_code, p_failure, o.recovered_from,
                                       'rejected_by_network');
            s.closed_at := v_now;
        ELSIF s.state <> 'failed' THEN
            s.failure_code := NULL;
            s.closed_at := CASE WHEN s.state = 'completed' THEN v_now END;
        END IF;
        IF s.ended AND s.started THEN
            s.end_at := coalesce(s.end_at, v_now);
        END IF;
        IF s.started THEN
            s.start_at := coalesce(s.start_at, v_now);
        END IF;
    END IF;
    IF s IS NOT DISTINCT FROM o THEN
        RETURN o;
    END IF;
    IF (s.state, s.substatus, s.last_error, s.ended, s.started)
       IS DISTINCT FROM (o.state, o.substatus, o.last_error, o.ended, o.started) THEN
        s.event_seq := o.event_seq + 1;
        IF s.state <> o.state THEN
            s.last_event := p_event;
        END IF;
        INSERT INTO session_event
            (session_id, seq, at, from_state, to_state, substatus, event, rule, cause, by)
        VALUES (s.id, s.event_seq, v_now, o.state, s.state, s.substatus, p_event, t.rule, p_cause,
                p_by);
    END IF;
    UPDATE session SET
        version = o.version + 1, updated_at = v_now,
        state = s.state, last_event = s.last_event, event_seq = s.event_seq,
        connector_held = s.connector_held, started = s.started, ended = s.ended,
        profile_set = s.profile_set,
        cost_known = s.cost_known, substatus = s.substatus, failure_code = s.failure_code,
        last_error = s.last_error, recovered_from = s.recovered_from,
        network_session_id = s.network_session_id, currency = s.currency,
        energy_mwh = s.energy_mwh, cost_u6 = s.cost_u6, power_w = s.power_w,
        reading_at = s.reading_at, seen_at = s.seen_at, start_deadline_at = s.start_deadline_at,
        start_at = s.start_at, end_at = s.end_at, closed_at = s.closed_at
     WHERE id = s.id
    RETURNING * INTO s;
    IF (s.state, s.ended, s.started) <> (o.state, o.ended, o.started) THEN
        PERFORM session_follow(s, o.state, s.ended AND NOT o.ended);
    END IF;
    RETURN s;
END $$;

-- Applies an event to a session: locks the row, looks the transition up, writes the new state,
-- appends session_event, returns the row. A pair that is not listed changes nothing.
CREATE FUNCTION session_apply(p_id uuid, p_event text, p_cause text, p_by text,
                              p_failure text DEFAULT NULL)
RETURNS session LANGUAGE plpgsql AS $$
DECLARE
    s session;
BEGIN
    SELECT * INTO s FROM session WHERE id = p_id FOR UPDATE;
    IF s.id IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN session_write(s, p_event, p_cause, p_by, p_failure);
END $$;

-- ---------------------------------------------------------------- stop operations

-- One stop is open per session. It waits (due_at NULL) until the network's session is known.
CREATE FUNCTION operation_stop_insert(s session, p_cause text, p_by text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO operation (kind, session_id, partner_id, callback_id, asked_by, cause,
                           created_at, due_at)
    VALUES ('stop', s.id, s.partner_id, random_hex(), p_by, p_cause, hub_now(),
            CASE WHEN s.network_session_id IS NOT NULL THEN hub_now() END)
    ON CONFLICT (session_id) WHERE kind = 'stop' AND finished_at IS NULL DO NOTHING;
END $$;

-- The stop of a session whose row the caller holds: rules 4, 5 and, where the start has not been
-- sent yet, 10: then nothing goes out at all.
CREATE FUNCTION session_ask_stop(s session, p_cause text, p_by text) RETURNS session
LANGUAGE plpgsql AS $$
DECLARE
    v_unsent bigint;
BEGIN
    IF s.state NOT IN ('pending', 'active') THEN
        RETURN s;
    END IF;
    IF s.state = 'pending' AND s.network_session_id IS NULL THEN
        SELECT id INTO v_unsent FROM operation
         WHERE session_id = s.id AND kind = 'start' AND state = 'pending' AND sent_at IS NULL
           FOR UPDATE;
    END IF;
    s := session_write(s, 'stop_asked', p_cause, p_by);
    IF v_unsent IS NOT NULL THEN
        RETURN session_write(s, 'start_cancelled', p_cause, p_by);
    END IF;
    PERFORM operation_stop_insert(s, p_cause, p_by);
    RETURN s;
END $$;

-- ---------------------------------------------------------------- idempotency

-- Reserves a key. NULL: it is the caller's now. Else what the earlier request left.
CREATE FUNCTION idempotency_reserve(p_caller text, p_method text, p_path text, p_key text,
                                    p_hash text)
RETURNS idempotency LANGUAGE plpgsql AS $$
DECLARE
    r idempotency;
    v_now timestamptz := hub_now();
BEGIN
    INSERT INTO idempotency (caller, method, path, key, body_hash, created_at)
    VALUES (p_caller, p_method, p_path, p_key, p_hash, v_now)
    ON CONFLICT (caller, key, path, method) DO UPDATE
       SET body_hash = EXCLUDED.body_hash, status = NULL, body = NULL, created_at = v_now
     -- A request that has been running for a minute died with its process.
     WHERE idempotency.created_at < v_now - interval '48 hours'
        OR (idempotency.status IS NULL AND idempotency.created_at < v_now - interval '1 minute');
    IF FOUND THEN
        RETURN NULL;
    END IF;
    SELECT * INTO r FROM idempotency
     WHERE (caller, key, path, method) = (p_caller, p_key, p_path, p_method);
    RETURN r;
END $$;

-- The word of an earlier request for one with this body.
CREATE FUNCTION idempotency_word(r idempotency, p_hash text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN r.key IS NULL THEN 'none'
                WHEN r.body_hash <> p_hash THEN 'other_body'
                WHEN r.status IS NULL THEN 'running'
                ELSE 'done' END
$$;

-- ---------------------------------------------------------------- start

CREATE TYPE session_answer AS (
    outcome text,
    running_session_id uuid,
    replay_status int,
    replay_body text,
    session session_row);

-- Rule 1. Session, start operation, token, idempotency record and the first event together.
-- Conflicts are outcomes: stored, replay, key_reused, key_running, evse_busy, limit, evse_gone.
CREATE FUNCTION session_start(
    p_id uuid, p_user text, p_robot text, p_evse_id text, p_network text, p_partner bigint,
    p_country text, p_party text, p_location text, p_evse_uid text, p_connector text,
    p_params text, p_profiles boolean, p_target_mwh bigint, p_reference text, p_currency text,
    p_max_open int, p_grace_s int, p_own_token boolean, p_contract_prefix text,
    p_key text, p_caller text, p_method text, p_path text, p_body_hash text, p_answer_body text)
RETURNS session_answer LANGUAGE plpgsql AS $$
DECLARE
    a session_answer;
    r idempotency;
    s session;
    v_own token; -- the user's own
    v_uid text;
    v_by text := coalesce('robot:' || p_robot, p_caller, 'user:' || p_user);
    v_now timestamptz := hub_now();
BEGIN
    IF p_key IS NOT NULL THEN
        r := idempotency_reserve(p_caller, p_method, p_path, p_key, p_body_hash);
        IF r.key IS NOT NULL THEN
            a.outcome := CASE idempotency_word(r, p_body_hash)
                WHEN 'other_body' THEN 'key_reused' WHEN 'running' THEN 'key_running'
                ELSE 'replay' END;
            IF a.outcome = 'replay' THEN
                a.replay_status := r.status;
                a.replay_body := r.body;
            END IF;
            RETURN a;
        END IF;
    END IF;

    IF NOT EXISTS (
        SELECT FROM location l JOIN evse e ON e.location = l.id JOIN partner p ON p.id = l.partner_id
         WHERE l.partner_id = p_partner AND lower(l.country_code) = lower(p_country)
           AND lower(l.party_id) = lower(p_party) AND lower(l.location_id) = lower(p_location)
           AND lower(e.uid) = lower(p_evse_uid) AND e.status NOT IN ('REMOVED', 'PLANNED')
           AND p.enabled) THEN
        a.outcome := 'evse_gone';
    ELSE
        -- Two starts of one user go one after the other: they count open sessions and make tokens.
        PERFORM pg_advisory_xact_lock(hashtextextended(p_user, 1));
        SELECT * INTO v_own FROM token WHERE user_id = p_user AND type = 'APP_USER';
        v_uid := CASE WHEN p_own_token OR v_own.uid IS NULL THEN upper(left(random_hex(), 20))
                      ELSE v_own.uid END;
        INSERT INTO session
            (id, state, last_event, connector_held, profiles, substatus, user_id, robot_id, evse_id,
             network, user_reference, partner_id, country_code, party_id, location_id, evse_uid,
             connector_id, token_uid, currency, target_mwh, start_grace_s, start_deadline_at,
             created_at, updated_at)
        SELECT p_id, 'pending', 'start', true, p_profiles, 'command_queued', p_user, p_robot,
               p_evse_id, p_network, p_reference, p_partner, p_country, p_party, p_location,
               p_evse_uid, p_connector, v_uid, p_currency, nullif(p_target_mwh, 0), p_grace_s,
               v_now + interval '30 seconds', v_now, v_now
         WHERE (SELECT count(*) FROM session WHERE user_id = p_user AND connector_held)
               < p_max_open
        ON CONFLICT (partner_id, lower(location_id), lower(evse_uid), lower(connector_id),
                     lower(country_code), lower(party_id)) WHERE connector_held DO NOTHING
        RETURNING * INTO s;
        IF s.id IS NULL THEN
            SELECT * INTO s FROM session
             WHERE partner_id = p_partner AND lower(location_id) = lower(p_location)
               AND lower(evse_uid) = lower(p_evse_uid)
               AND lower(connector_id) = lower(p_connector)
               AND lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party)
               AND connector_held;
            IF s.id IS NOT NULL THEN
                a.outcome := 'evse_busy';
                IF s.user_id = p_user THEN
                    a.running_session_id := s.id;
                END IF;
            ELSIF (SELECT count(*) FROM session WHERE user_id = p_user AND connector_held)
                  >= p_max_open THEN
                a.outcome := 'limit';
            ELSE
                a.outcome := 'evse_busy'; -- it was let go of at this very moment
            END IF;
        END IF;
    END IF;
    IF a.outcome IS NOT NULL THEN
        -- Refusals are not remembered: the caller may correct and use the key again.
        IF p_key IS NOT NULL THEN
            DELETE FROM idempotency
             WHERE (caller, key, path, method) = (p_caller, p_key, p_path, p_method);
        END IF;
        RETURN a;
    END IF;

    IF v_own.uid IS NULL THEN
        -- Eight characters after the C; the check digit of a contract id may be left out.
        v_own.contract_id := p_contract_prefix || '-C' || upper(left(random_hex(), 8));
        INSERT INTO token (uid, type, contract_id, user_id)
        VALUES (CASE WHEN p_own_token THEN upper(left(random_hex(), 20)) ELSE v_uid END,
                'APP_USER', v_own.contract_id, p_user);
    END IF;
    IF p_own_token THEN
        INSERT INTO token (uid, type, contract_id, user_id, session_id)
        VALUES (v_uid, 'AD_HOC_USER', v_own.contract_id, p_user, p_id);
    END IF;
    INSERT INTO session_event
        (session_id, seq, at, from_state, to_state, substatus, event, rule, cause, by)
    VALUES (p_id, 1, v_now, NULL, 'pending', 'command_queued', 'start', '1', 'start',
            v_by);
    INSERT INTO operation
        (kind, session_id, partner_id, callback_id, params, asked_by, cause, created_at, due_at)
    VALUES ('start', p_id, p_partner, random_hex(), coalesce(p_params, '{}'), v_by,
            'start', v_now, v_now);
    INSERT INTO timer (subject, slot, kind, due_at)
    VALUES (p_id::text, 'life', 'start_deadline', v_now + interval '30 seconds');
    IF p_key IS NOT NULL THEN
        UPDATE idempotency SET status = 200, body = p_answer_body
         WHERE (caller, key, path, method) = (p_caller, p_key, p_path, p_method);
    END IF;
    a.outcome := 'stored';
    a.session := session_as_row(s, true, true);
    RETURN a;
END $$;

-- ---------------------------------------------------------------- stop

-- Outcomes: taken, already, ended, not_found, replay, key_reused, key_running. What was refused
-- leaves no record.
CREATE FUNCTION session_stop(
    p_id uuid, p_user text, p_robot text, p_by text, p_cause text,
    p_key text, p_caller text, p_method text, p_path text, p_body_hash text)
RETURNS session_answer LANGUAGE plpgsql AS $$
DECLARE
    a session_answer;
    r idempotency;
    s session;
    v_version bigint;
BEGIN
    IF p_key IS NOT NULL THEN
        r := idempotency_reserve(p_caller, p_method, p_path, p_key, p_body_hash);
        IF r.key IS NOT NULL THEN
            a.outcome := CASE idempotency_word(r, p_body_hash)
                WHEN 'other_body' THEN 'key_reused' WHEN 'running' THEN 'key_running'
                ELSE 'replay' END;
            IF a.outcome = 'replay' THEN
                a.replay_status := r.status;
                a.replay_body := r.body;
                SELECT session_as_row(x, false) INTO a.session FROM session x WHERE x.id = p_id;
            END IF;
            RETURN a;
        END IF;
    END IF;
    SELECT * INTO s FROM session
     WHERE id = p_id AND (p_user IS NULL OR user_id = p_user)
       AND (p_robot IS NULL OR robot_id = p_robot)
       FOR UPDATE;
    v_version := s.version;
    IF s.id IS NULL THEN
        a.outcome := 'not_found';
    ELSIF s.state IN ('completed', 'failed') THEN
        a.outcome := 'ended';
    ELSIF s.state = 'stopping' THEN
        a.outcome := 'already';
    ELSE
        a.outcome := 'taken';
        s := session_ask_stop(s, p_cause, p_by);
    END IF;
    IF p_key IS NOT NULL THEN
        IF a.outcome IN ('taken', 'already') THEN
            UPDATE idempotency SET status = 200,
                   body = format('{"session_id":"%s","status":"stopping"}', p_id)
             WHERE (caller, key, path, method) = (p_caller, p_key, p_path, p_method);
        ELSE
            DELETE FROM idempotency
             WHERE (caller, key, path, method) = (p_caller, p_key, p_path, p_method);
        END IF;
    END IF;
    IF s.id IS NOT NULL THEN
        a.session := session_as_row(s, s.version <> v_version);
    END IF;
    RETURN a;
END $$;
