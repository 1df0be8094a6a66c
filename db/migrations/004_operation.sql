-- SPDX-License-Identifier: Apache-2.0
-- What becomes of operations: claim, answer, result. A session has one start in its life;
-- a stop goes out until it is true or refused. Everybody who changes a session's operation locks the session first; only
-- the claim does not, and it changes no session.

-- Asks for a pull soon; at most once a minute, so that many unclear starts make one.
CREATE FUNCTION pull_request(p_partner bigint, p_module text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pull
       SET due_at = least(due_at, greatest(hub_now(),
                                           coalesce(started_at + interval '1 minute', hub_now()))),
           again = coalesce(lease_until > hub_now(), false)
     WHERE partner_id = p_partner AND module = p_module;
    RETURN FOUND;
END $$;

-- A claim commits before the first byte leaves. The lease is longer than any call may take; when it
-- has run out nobody is working on the call any more (operation_judge says what follows).
CREATE FUNCTION operation_claim(p_session uuid, p_limit int, p_owner text)
RETURNS SETOF operation LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := hub_now();
    v_ids bigint[];
    v_id bigint;
BEGIN
    -- Two statements, so that the call of one session never walks through what else is due.
    IF p_session IS NOT NULL THEN
        v_ids := ARRAY(
            SELECT x.id FROM operation x
             WHERE x.session_id = p_session AND operation_sendable(x, v_now)
             ORDER BY x.due_at
             LIMIT p_limit
               FOR UPDATE SKIP LOCKED);
    ELSE
        v_ids := ARRAY(
            SELECT x.id FROM operation x
             WHERE x.due_at <= v_now AND operation_sendable(x, v_now)
             ORDER BY x.due_at
             LIMIT p_limit
               FOR UPDATE SKIP LOCKED);
    END IF;
    FOREACH v_id IN ARRAY v_ids LOOP
        RETURN QUERY
        UPDATE operation
           SET attempts = attempts + 1,
               sent_at = v_now,
               lease_until = v_now + interval '30 seconds',
               lease_owner = p_owner,
               due_at = v_now + interval '30 seconds',
               deadline = CASE kind WHEN 'stop'
                   -- five times every 15 s, then every 60 s for ten minutes
                   THEN coalesce(deadline, v_now + interval '675 seconds')
                   ELSE v_now + interval '75 seconds' END
         WHERE id = v_id
        RETURNING *;
    END LOOP;
END $$;

CREATE FUNCTION operation_end(p_id bigint, p_state text, p_outcome text, p_failure text DEFAULT NULL)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE operation
       SET state = p_state, outcome = p_outcome, failure_code = p_failure, due_at = NULL,
           lease_until = NULL, finished_at = hub_now()
     WHERE id = p_id AND finished_at IS NULL;
END $$;

-- When a stop that has had no effect goes out again.
CREATE FUNCTION operation_stop_pace(o operation) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT hub_now() + CASE WHEN o.attempts < 5 THEN interval '15 seconds'
                            ELSE interval '60 seconds' END
$$;

-- A stop was refused. Once it is tried again; then the session is active again (rule 9), and a stop
-- that the hub itself wanted is asked again after five minutes.
CREATE FUNCTION operation_stop_refused(o operation, s session, p_outcome text) RETURNS session
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pull_request(o.partner_id, 'sessions');
    IF o.refusals = 0 AND p_outcome <> 'not_supported' THEN
        UPDATE operation SET refusals = 1, state = 'submitted', outcome = p_outcome,
               lease_until = NULL,
               due_at = hub_now() + CASE p_outcome WHEN 'unknown_session' THEN interval '30 seconds'
                                                   ELSE interval '10 seconds' END
         WHERE id = o.id;
        RETURN s;
    END IF;
    PERFORM operation_end(o.id, 'failed', p_outcome);
    IF p_outcome = 'unknown_session'
       AND NOT coalesce(s.seen_at > o.sent_at - interval '30 seconds', false) THEN
        -- Twice unknown, and the pull between has not shown it either: it is not running there.
        RETURN session_write(s, 'network_gone', 'unknown_session', 'network');
    END IF;
    s := session_write(s, 'stop_refused', 'stop_rejected', 'network');
    IF o.asked_by = 'hub' AND (s.state = 'active' OR session_phase(s) = 'recovered' AND NOT s.ended)
    THEN
        PERFORM timer_set(s.id::text, 'energy', 'stop_again', hub_now() + interval '5 minutes');
    END IF;
    RETURN s;
END $$;

-- A start whose fate is unknown: never sent again; facts or the deadline decide.
CREATE FUNCTION operation_start_unclear(o operation, s session) RETURNS session
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE operation SET state = 'submitted', outcome = 'unclear', lease_until = NULL, due_at = NULL
     WHERE id = o.id;
    PERFORM pull_request(o.partner_id, 'sessions');
    s.start_deadline_at := greatest(
        s.start_deadline_at, o.deadline + make_interval(secs => s.start_grace_s));
    IF s.state = 'pending' OR (s.state = 'stopping' AND NOT s.started) THEN
        PERFORM timer_set(s.id::text, 'life', 'start_deadline',
                          hub_now() + (s.start_deadline_at - hub_now()) / 2);
    END IF;
    RETURN session_write(s, 'command_unclear', 'command_unclear', 'network');
END $$;

-- What the network answered at once, or did not.
CREATE FUNCTION operation_answered(p_id bigint, p_outcome text, p_failure text, p_timeout_s bigint,
                                   p_detail text)
RETURNS session_row LANGUAGE plpgsql AS $$
DECLARE
    o operation;
    s session;
    v_version bigint;
    v_now timestamptz := hub_now();
    v_timeout interval := make_interval(
        secs => 15 + CASE WHEN coalesce(p_timeout_s, 0) <= 0 THEN 60
                          ELSE least(greatest(p_timeout_s, 10), 180) END);
BEGIN
    SELECT x.* INTO s FROM session x JOIN operation y ON y.session_id = x.id
     WHERE y.id = p_id FOR UPDATE OF x;
    v_version := s.version;
    SELECT * INTO o FROM operation WHERE id = p_id FOR UPDATE;
    UPDATE operation SET answered_at = v_now, detail = coalesce(p_detail, detail)
     WHERE id = p_id;
    -- A result or a Session may have overtaken this answer: what they said stands (R-CMD-12).
    IF o.id IS NULL OR o.finished_at IS NOT NULL
       OR (o.kind = 'start' AND o.outcome = 'confirmed') THEN
        RETURN CASE WHEN s.id IS NOT NULL THEN session_as_row(s, false) END;
    END IF;

    CASE
    WHEN p_outcome = 'not_sent' AND o.kind <> 'stop' THEN
        IF o.kind = 'start' AND s.state = 'stopping' AND NOT s.started THEN
            -- Nothing has reached the network, and it is not wanted any more (rule 10).
            s := session_write(s, 'start_cancelled', 'not_sent', 'hub');
        ELSIF o.not_sent < 2 THEN -- tried again after one second and after two more
            UPDATE operation
               SET not_sent = not_sent + 1, sent_at = NULL, lease_until = NULL,
                   due_at = v_now + make_interval(secs => 1 + o.not_sent)
             WHERE id = p_id;
        ELSE
            PERFORM operation_end(p_id, 'failed', 'unreachable', 'network_unreachable');
            IF o.kind = 'start' THEN
                s := session_write(s, 'start_refused', 'unreachable', 'network',
                                   'network_unreachable');
            END IF;
        END IF;

    WHEN o.kind = 'start' THEN
        IF p_outcome = 'accepted' THEN
            UPDATE operation SET state = 'submitted', outcome = 'accepted', lease_until = NULL,
                   deadline = o.sent_at + v_timeout, due_at = o.sent_at + v_timeout
             WHERE id = p_id;
            IF NOT s.started AND s.network_session_id IS NULL THEN
                s.start_deadline_at := o.sent_at + v_timeout
                                       + make_interval(secs => s.start_grace_s);
                PERFORM timer_set(s.id::text, 'life', 'start_deadline',
                                  v_now + (s.start_deadline_at - v_now) / 2);
            END IF;
            s := session_write(s, 'command_accepted', 'command_accepted', 'network');
        ELSIF p_outcome IN ('unclear', 'retry', 'ignored') THEN
            s := operation_start_unclear(o, s);
        ELSE
            PERFORM operation_end(p_id, 'failed',
                CASE WHEN p_outcome IN ('not_supported', 'unknown_session', 'too_often')
                     THEN p_outcome ELSE 'rejected' END, p_failure);
            s := session_write(s, 'start_refused', 'start_refused', 'network',
                coalesce(p_failure, CASE p_outcome WHEN 'not_supported' THEN 'not_supported'
                                                   ELSE 'rejected_by_network' END));
        END IF;

    WHEN o.kind = 'stop' THEN
        IF p_outcome = 'accepted' THEN
            UPDATE operation SET state = 'submitted', outcome = 'accepted', lease_until = NULL,
                   due_at = v_now + v_timeout
             WHERE id = p_id;
            s := session_write(s, 'stop_accepted', 'stop_accepted', 'network');
        ELSIF p_outcome IN ('rejected', 'not_supported', 'unknown_session', 'too_often') THEN
            s := operation_stop_refused(o, s, p_outcome);
        ELSE
            UPDATE operation SET state = 'submitted', lease_until = NULL,
                   outcome = CASE p_outcome WHEN 'not_sent' THEN 'unreachable' ELSE 'unclear' END,
                   due_at = operation_stop_pace(o)
             WHERE id = p_id;
        END IF;

    ELSE -- unlock, profiles: once; the result decides
        IF p_outcome IN ('accepted', 'unclear', 'retry', 'ignored') THEN
            UPDATE operation SET state = 'submitted', lease_until = NULL,
                   outcome = CASE p_outcome WHEN 'accepted' THEN 'accepted' ELSE 'unclear' END,
                   deadline = o.sent_at + v_timeout, due_at = o.sent_at + v_timeout
             WHERE id = p_id;
        ELSE
            PERFORM operation_end(p_id, 'failed', p_outcome, p_failure);
        END IF;
    END CASE;
    RETURN CASE WHEN s.id IS NOT NULL THEN session_as_row(s, s.version <> v_version) END;
END $$;

CREATE TYPE operation_resulted AS (found boolean, applied boolean, kind text, session session_row);

-- The asynchronous result. Known for 24 h and only from the partner it was given to.
CREATE FUNCTION operation_result(p_callback text, p_partner bigint, p_outcome text, p_failure text,
                                 p_raw text)
RETURNS operation_resulted LANGUAGE plpgsql AS $$
DECLARE
    a operation_resulted;
    o operation;
    s session;
    v_version bigint;
    v_now timestamptz := hub_now();
BEGIN
    a.found := false;
    a.applied := false;
    SELECT * INTO o FROM operation
     WHERE callback_id = p_callback AND partner_id = p_partner
       AND attempts > 0 AND created_at > v_now - interval '24 hours';
    IF o.id IS NULL THEN
        RETURN a;
    END IF;
    a.found := true;
    a.kind := o.kind;
    SELECT * INTO s FROM session WHERE id = o.session_id FOR UPDATE;
    v_version := s.version;
    SELECT * INTO o FROM operation WHERE id = o.id FOR UPDATE;

    IF o.finished_at IS NULL AND p_outcome <> 'ignored'
       AND (o.resulted_at IS NULL OR (o.kind = 'stop' AND o.resulted_at <= o.sent_at)) THEN
        a.applied := true;
        CASE o.kind
        WHEN 'start' THEN
            IF p_outcome = 'accepted' THEN
                UPDATE operation SET state = 'submitted', outcome = 'confirmed', due_at = NULL,
                       lease_until = NULL
                 WHERE id = o.id;
                IF s.network_session_id IS NULL THEN
                    s.start_deadline_at := v_now + make_interval(secs => s.start_grace_s);
                    PERFORM timer_set(s.id::text, 'life', 'start_deadline',
                                      v_now + make_interval(secs => s.start_grace_s / 2));
                END IF;
                s := session_write(s, 'command_accepted', 'result_accepted', 'network');
            ELSIF p_outcome IN ('unclear', 'retry') AND p_failure IS NULL THEN
                s := operation_start_unclear(o, s);
            ELSE
                PERFORM operation_end(o.id, 'failed',
                    CASE WHEN p_failure = 'start_timeout' THEN 'timed_out'
                         WHEN p_outcome = 'not_supported' THEN p_outcome ELSE 'rejected' END,
                    p_failure);
                s := session_write(s, 'start_refused', 'result_' || p_outcome, 'network',
                                   coalesce(p_failure, 'rejected_by_network'));
            END IF;
        WHEN 'stop' THEN
            IF p_outcome = 'accepted' THEN
                -- Only the Session says that it has ended (R-CMD-13); asked again if it does not.
                UPDATE operation SET state = 'submitted', outcome = 'confirmed',
                       lease_until = NULL, due_at = v_now + interval '60 seconds'
                 WHERE id = o.id;
                s := session_write(s, 'stop_accepted', 'result_accepted', 'network');
            ELSIF p_outcome IN ('rejected', 'not_supported', 'unknown_session', 'too_often') THEN
                s := operation_stop_refused(o, s, p_outcome);
            ELSE
                UPDATE operation SET state = 'submitted', outcome = 'unclear', lease_until = NULL,
                       due_at = operation_stop_pace(o)
                 WHERE id = o.id;
            END IF;
        ELSE
            IF p_outcome = 'accepted' THEN
                PERFORM operation_end(o.id, 'completed', 'done');
                IF o.kind IN ('profile_set', 'profile_clear') THEN
                    s.profile_set := o.kind = 'profile_set';
                    s := session_write(s, NULL, o.kind, 'network');
                END IF;
            ELSE
                PERFORM operation_end(o.id, 'failed',
                    CASE WHEN p_outcome IN ('not_supported', 'too_often', 'unknown_session')
                         THEN p_outcome
                         WHEN p_outcome IN ('unclear', 'retry') THEN 'timed_out'
                         ELSE 'rejected' END, p_failure);
            END IF;
        END CASE;
    END IF;
    UPDATE operation SET result = p_raw, resulted_at = v_now
     WHERE id = o.id;
    IF s.id IS NOT NULL THEN
        a.session := session_as_row(s, s.version <> v_version);
    END IF;
    RETURN a;
END $$;

-- A row whose time has come and that may not be sent: what has become of it. Called by timer_run
-- with the id of a due row. Waits for no lock, as the caller holds those of other sessions; what is
-- locked stays due.
CREATE FUNCTION operation_judge(p_id bigint) RETURNS session LANGUAGE plpgsql AS $$
DECLARE
    o operation;
    s session;
    v_session uuid;
    v_now timestamptz := hub_now();
BEGIN
    SELECT session_id INTO v_session FROM operation WHERE id = p_id;
    SELECT * INTO s FROM session WHERE id = v_session FOR UPDATE SKIP LOCKED;
    IF s.id IS NULL AND v_session IS NOT NULL THEN
        RETURN NULL;
    END IF;
    SELECT * INTO o FROM operation WHERE id = p_id FOR UPDATE SKIP LOCKED;
    IF o.id IS NULL OR o.due_at IS NULL OR o.due_at > v_now OR o.finished_at IS NOT NULL
       OR operation_sendable(o, v_now) THEN
        RETURN s;
    END IF;
    CASE
    WHEN o.sent_at IS NULL THEN -- nobody sent it in time: it is too late now
        PERFORM operation_end(o.id, 'failed', 'timed_out', 'start_timeout');
        IF o.kind = 'start' THEN
            RETURN session_write(s, 'start_deadline', 'not_sent_in_time', 'timer');
        END IF;
    WHEN o.kind = 'start' THEN
        -- Sent, and its process died before the answer; or accepted, and the result stayed away.
        RETURN operation_start_unclear(o, s);
    WHEN o.kind = 'stop' THEN
        PERFORM operation_end(o.id, 'failed', 'timed_out');
        RETURN session_write(s, 'stop_stuck', 'stop_unanswered', 'timer');
    WHEN o.deadline > v_now THEN -- the lease of a profile call or an unlock ran out
        UPDATE operation SET state = 'submitted', outcome = 'unclear', lease_until = NULL,
               due_at = o.deadline
         WHERE id = o.id;
    ELSE
        PERFORM operation_end(o.id, 'failed', 'timed_out');
    END CASE;
    RETURN s;
END $$;

-- ---------------------------------------------------------------- profiles, unlock

CREATE TYPE profile_asked AS (outcome text, operation_id bigint, session session_row);

-- A newer request replaces one that is not finished: its result will be ignored.
CREATE FUNCTION profile_ask(p_session uuid, p_user text, p_robot text, p_by text, p_clear boolean,
                            p_params text)
RETURNS profile_asked LANGUAGE plpgsql AS $$
DECLARE
    a profile_asked;
    s session;
BEGIN
    SELECT * INTO s FROM session
     WHERE id = p_session AND (p_user IS NULL OR user_id = p_user)
       AND (p_robot IS NULL OR robot_id = p_robot)
       FOR UPDATE;
    a.outcome := CASE WHEN s.id IS NULL THEN 'not_found'
                      WHEN s.state <> 'active' THEN 'not_active'
                      WHEN NOT s.profiles THEN 'not_supported'
                      WHEN p_clear AND NOT s.profile_set AND NOT EXISTS (
                          SELECT FROM operation WHERE session_id = s.id AND kind = 'profile_set'
                             AND finished_at IS NULL) THEN 'none_set'
                      ELSE 'queued' END;
    IF a.outcome = 'queued' THEN
        UPDATE operation SET state = 'failed', outcome = 'cancelled', finished_at = hub_now(),
               due_at = NULL, lease_until = NULL
         WHERE session_id = s.id AND kind IN ('profile_set', 'profile_clear')
           AND finished_at IS NULL;
        INSERT INTO operation (kind, session_id, partner_id, callback_id, params, asked_by, cause,
                               created_at, due_at)
        VALUES (CASE WHEN p_clear THEN 'profile_clear' ELSE 'profile_set' END, s.id, s.partner_id,
                random_hex(), coalesce(p_params, '{}'), p_by, 'profile', hub_now(), hub_now())
        RETURNING id INTO a.operation_id;
    END IF;
    IF s.id IS NOT NULL THEN
        a.session := session_as_row(s, false);
    END IF;
    RETURN a;
END $$;
