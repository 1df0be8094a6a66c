-- SPDX-License-Identifier: Apache-2.0
-- Further commands that operators give: what a network is going to allow (profile_get), and
-- reservations (R-CMD-07..09); tokens for one start; who is probed.

ALTER TABLE operation DROP CONSTRAINT operation_kind_check,
    ADD CONSTRAINT operation_kind_check CHECK (kind IN (
        'start', 'stop', 'unlock', 'profile_set', 'profile_clear', 'profile_get', 'reserve',
        'cancel_reservation')),
    ADD COLUMN result_document text; -- the body of the result, where more than its word counts

-- Like profile_ask; nothing of the session changes by it.
CREATE FUNCTION profile_get_ask(p_session uuid, p_seconds bigint, p_by text) RETURNS profile_asked
LANGUAGE plpgsql AS $$
DECLARE
    a profile_asked;
    s session;
BEGIN
    SELECT * INTO s FROM session WHERE id = p_session;
    a.outcome := CASE WHEN s.id IS NULL THEN 'not_found'
                      WHEN s.state <> 'active' THEN 'not_active'
                      WHEN NOT s.profiles THEN 'not_supported'
                      ELSE 'queued' END;
    IF a.outcome = 'queued' THEN
        INSERT INTO operation (kind, session_id, partner_id, callback_id, params, asked_by, cause,
                               created_at, due_at)
        VALUES ('profile_get', s.id, s.partner_id, random_hex(),
                jsonb_build_object('seconds', p_seconds), p_by, 'profile', hub_now(), hub_now())
        RETURNING id INTO a.operation_id;
    END IF;
    IF s.id IS NOT NULL THEN
        a.session := session_as_row(s, false);
    END IF;
    RETURN a;
END $$;

-- ---------------------------------------------------------------- reservations

CREATE TABLE reservation (
    id text PRIMARY KEY, -- what the network knows it by; 2.1.1 by the number
    number int NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY,
    partner_id bigint NOT NULL,
    country_code text NOT NULL,
    party_id text NOT NULL,
    location_id text NOT NULL,
    evse_uid text NOT NULL,
    evse_id text NOT NULL,
    token_uid text NOT NULL,
    user_id text NOT NULL,
    until_at timestamptz NOT NULL,
    operation bigint NOT NULL, -- the RESERVE_NOW that counts: a newer one replaces it
    state text NOT NULL DEFAULT 'asked'
        CHECK (state IN ('asked', 'reserved', 'refused', 'unclear', 'cancelled')),
    why text,                  -- the network's word
    asked_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT hub_now(),
    updated_at timestamptz NOT NULL DEFAULT hub_now()
);
CREATE INDEX reservation_operation ON reservation (operation);

CREATE TYPE reservation_asked AS (outcome text, id text, operation_id bigint, until_at timestamptz);

-- Outcomes: queued, not_found (no such reservation to be replaced). p_id NULL: a new one.
CREATE FUNCTION reservation_ask(p_id text, p_partner bigint, p_country text, p_party text,
                                p_location text, p_evse_uid text, p_evse_id text, p_user text,
                                p_minutes int, p_contract_prefix text, p_by text)
RETURNS reservation_asked LANGUAGE plpgsql AS $$
DECLARE
    a reservation_asked;
    r reservation;
    t token;
    v_operation bigint;
    v_until timestamptz := date_trunc('second', hub_now() + make_interval(mins => p_minutes));
BEGIN
    IF p_id IS NOT NULL THEN
        SELECT * INTO r FROM reservation
         WHERE id = p_id AND partner_id = p_partner AND lower(location_id) = lower(p_location)
           AND lower(evse_uid) = lower(p_evse_uid) AND state NOT IN ('refused', 'cancelled')
           AND user_id = p_user FOR UPDATE;
        IF r.id IS NULL THEN
            a.outcome := 'not_found';
            RETURN a;
        END IF;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(p_user, 1));
    SELECT * INTO t FROM token WHERE user_id = p_user AND type = 'APP_USER';
    IF t.uid IS NULL THEN
        INSERT INTO token (uid, type, contract_id, user_id)
        VALUES (upper(left(random_hex(), 20)), 'APP_USER',
                p_contract_prefix || '-C' || upper(left(random_hex(), 8)), p_user)
        RETURNING * INTO t;
    END IF;
    INSERT INTO operation (kind, partner_id, callback_id, asked_by, cause, created_at, due_at)
    VALUES ('reserve', p_partner, random_hex(), p_by, 'reserve', hub_now(), hub_now())
    RETURNING id INTO v_operation;
    IF r.id IS NULL THEN
        INSERT INTO reservation (id, partner_id, country_code, party_id, location_id, evse_uid,
                                 evse_id, token_uid, user_id, until_at, operation, asked_by)
        VALUES ('R' || upper(left(random_hex(), 16)), p_partner, p_country, p_party, p_location,
                p_evse_uid, p_evse_id, t.uid, p_user, v_until, v_operation, p_by)
        RETURNING * INTO r;
    ELSE
        UPDATE reservation SET until_at = v_until, operation = v_operation, updated_at = hub_now()
         WHERE id = r.id RETURNING * INTO r;
    END IF;
    UPDATE operation SET params = jsonb_build_object(
               'reservation_id', r.id, 'reservation_number', r.number,
               'country_code', p_country, 'party_id', p_party,
               'location_id', p_location, 'evse_uid', p_evse_uid,
               'until', to_char(v_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
               'token_uid', t.uid, 'token_type', t.type, 'token_contract_id', t.contract_id,
               'token_last_updated',
               to_char(t.last_updated AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
     WHERE id = v_operation;
    a.outcome := 'queued';
    a.id := r.id;
    a.operation_id := v_operation;
    a.until_at := r.until_at;
    RETURN a;
END $$;

-- Outcomes: queued, not_found, not_supported (2.1.1 has no such command).
CREATE FUNCTION reservation_cancel(p_id text, p_by text) RETURNS reservation_asked
LANGUAGE plpgsql AS $$
DECLARE
    a reservation_asked;
    r reservation;
BEGIN
    SELECT * INTO r FROM reservation WHERE id = p_id;
    a.id := r.id;
    a.until_at := r.until_at;
    a.outcome := CASE
        WHEN r.id IS NULL OR r.state IN ('refused', 'cancelled') THEN 'not_found'
        WHEN EXISTS (SELECT FROM partner WHERE id = r.partner_id AND version = '2.1.1')
            THEN 'not_supported'
        ELSE 'queued' END;
    IF a.outcome = 'queued' THEN
        INSERT INTO operation (kind, partner_id, callback_id, params, asked_by, cause, created_at,
                               due_at)
        VALUES ('cancel_reservation', r.partner_id, random_hex(), jsonb_build_object(
                    'reservation_id', r.id, 'country_code', r.country_code,
                    'party_id', r.party_id),
                p_by, 'cancel_reservation', hub_now(), hub_now())
        RETURNING id INTO a.operation_id;
    END IF;
    RETURN a;
END $$;

-- What becomes of the commands becomes of the reservation. A network may cancel it by itself, long
-- after it said yes (R-CMD-08).
CREATE FUNCTION reservation_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind = 'cancel_reservation' THEN
        UPDATE reservation SET state = 'cancelled', why = NEW.result, updated_at = hub_now()
         WHERE id = NEW.params::jsonb ->> 'reservation_id' AND NEW.state = 'completed'
           AND state <> 'refused';
    ELSIF NEW.result = 'CANCELED_RESERVATION' THEN
        UPDATE reservation SET state = 'cancelled', why = NEW.result, updated_at = hub_now()
         WHERE operation = NEW.id AND state <> 'cancelled';
    ELSIF NEW.finished_at IS NOT NULL THEN
        UPDATE reservation SET updated_at = hub_now(), why = coalesce(NEW.result, NEW.outcome),
               state = CASE WHEN NEW.state = 'completed' THEN 'reserved'
                            WHEN NEW.outcome = 'timed_out' THEN 'unclear'
                            -- The one that it was to replace still stands.
                            WHEN state = 'reserved' THEN 'reserved' ELSE 'refused' END
         WHERE operation = NEW.id AND state <> 'cancelled' AND OLD.finished_at IS NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER reservation_follow AFTER UPDATE ON operation
    FOR EACH ROW WHEN (NEW.kind IN ('reserve', 'cancel_reservation') AND
                       (OLD.finished_at, OLD.result) IS DISTINCT FROM (NEW.finished_at, NEW.result))
    EXECUTE FUNCTION reservation_follow();

-- ---------------------------------------------------------------- tokens of one start

-- 2.1.1 tells of a session's token the contract id alone (auth_id): a token that was made for one
-- start has a contract id of its own, so that it says whose the session is (R-REST-02).
CREATE FUNCTION token_own_contract() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.contract_id := regexp_replace(NEW.contract_id, '-C[0-9A-Z]+$', '')
                       || '-C' || upper(left(random_hex(), 8));
    RETURN NEW;
END $$;
CREATE TRIGGER token_own_contract BEFORE INSERT ON token
    FOR EACH ROW WHEN (NEW.type = 'AD_HOC_USER') EXECUTE FUNCTION token_own_contract();
CREATE INDEX token_by_contract ON token (contract_id);

-- As before, but a token of one start is found by its contract id too; and a uid counts no more than
-- a contract id, for an eMSP could give one of its tokens another's contract id as uid.
CREATE OR REPLACE FUNCTION token_owner_find(p_cpo bigint, p_uid text)
RETURNS TABLE (ours boolean, country_code text, party_id text, uid text, type text,
               contract_id text, document text, ocpi text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT true, NULL::text, NULL::text, t.uid, t.type, t.contract_id, NULL::text, NULL::text
      FROM token t WHERE t.uid = upper(p_uid)
     UNION ALL
    SELECT true, NULL, NULL, t.uid, t.type, t.contract_id, NULL, NULL
      FROM token t WHERE t.contract_id IN (p_uid, upper(p_uid))
     LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH known AS (
        SELECT t.*, lower(t.uid) <> lower(p_uid) AS by_contract
          FROM (SELECT * FROM roaming_token r WHERE lower(r.uid) = lower(p_uid)
                 UNION
                SELECT * FROM roaming_token r WHERE lower(r.contract_id) = lower(p_uid)) t
         WHERE t.partner_id <> ALL (partners_hidden())
           AND EXISTS (SELECT FROM partner_owners(p_cpo, NULL, NULL) c (owner)
                        WHERE contract_allows(t.owner, c.owner, 'tokens'))
    ), best AS (
        SELECT * FROM known k WHERE k.valid OR NOT EXISTS (SELECT FROM known WHERE valid)
    )
    SELECT false, b.country_code, b.party_id, b.uid, b.type, b.contract_id, b.document, b.ocpi
      FROM best b
     WHERE (SELECT count(DISTINCT owner) FROM best) = 1
     ORDER BY b.by_contract, b.last_updated DESC, b.id LIMIT 1;
END $$;

-- ---------------------------------------------------------------- claims

-- What a claimed operation is about; a row in any case. A statement sees what was committed when it
-- began, the claim within it what is committed now: only a VOLATILE function beside it sees the
-- session and the token that came with an operation in between.
CREATE FUNCTION operation_subject(p_session uuid, p_operation bigint)
RETURNS TABLE (session session_row, token_uid text, token_type text, token_contract_id text,
               token_last_updated timestamptz, more_due boolean)
LANGUAGE plpgsql VOLATILE ROWS 1 AS $$
DECLARE
    s session;
BEGIN
    SELECT * INTO s FROM session x WHERE x.id = p_session;
    IF s.id IS NOT NULL THEN
        session := session_as_row(s, false, false);
    END IF;
    SELECT t.uid, t.type, t.contract_id, t.last_updated
      INTO token_uid, token_type, token_contract_id, token_last_updated
      FROM token t WHERE t.uid = s.token_uid;
    more_due := EXISTS (SELECT FROM operation m WHERE m.session_id = p_session
                           AND m.id <> p_operation AND operation_sendable(m, hub_now()));
    RETURN NEXT;
END $$;

-- ---------------------------------------------------------------- probes

-- Who has been silent for p_silence seconds, or is offline, and shall be asked for its versions
-- (R-HCI-08). A claim keeps others away for 30 s.
CREATE OR REPLACE FUNCTION partner_probe_due(p_limit int, p_silence int) RETURNS SETOF bigint
LANGUAGE sql AS $$
    UPDATE partner p SET probe_at = hub_now() + interval '30 seconds'
      FROM (SELECT id FROM partner
             WHERE enabled AND state IN ('connected', 'offline') AND token_out IS NOT NULL
               AND versions_url IS NOT NULL AND coalesce(probe_at <= hub_now(), true)
               AND (state = 'offline' OR
                    coalesce(last_contact_at <= hub_now() - make_interval(secs => p_silence), true))
             ORDER BY probe_at NULLS FIRST, id LIMIT p_limit
               FOR UPDATE SKIP LOCKED) due
     WHERE p.id = due.id
    RETURNING p.id
$$;
