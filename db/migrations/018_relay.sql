-- SPDX-License-Identifier: Apache-2.0
-- What carrying messages between third parties has to remember: what is still to be answered, where
-- a list goes on, who set a profile, and under which names a partner knows the objects of others.
-- Tokens of eMSPs are told on to CPOs.

-- ---------------------------------------------------------------- contexts

-- What was asked of a CPO for somebody else; its id is all that our response_url says.
CREATE TABLE relay_context (
    id text PRIMARY KEY CHECK (id ~ '^[0-9a-f]{32}$'),
    kind text NOT NULL CHECK (kind IN (
        'START_SESSION', 'STOP_SESSION', 'RESERVE_NOW', 'CANCEL_RESERVATION', 'UNLOCK_CONNECTOR',
        'profile_get', 'profile_set', 'profile_clear')),
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'unclear')),
    requester_id bigint NOT NULL,
    requester_country text NOT NULL,
    requester_party text NOT NULL,
    requester_ocpi text NOT NULL,
    receiver_id bigint NOT NULL,
    receiver_country text NOT NULL,
    receiver_party text NOT NULL,
    receiver_ocpi text NOT NULL,
    response_url text NOT NULL,
    correlation_id text,
    session_id text,
    location_id text,
    token_uid text,
    reservation_id text,
    expiry_at timestamptz,
    created_at timestamptz NOT NULL,
    deadline_at timestamptz NOT NULL -- from then on it is unknown
) WITH (fillfactor = 70);
-- Not by deadline: that is set anew by each answer, which would then have to change every index.
CREATE INDEX relay_context_by_age ON relay_context (created_at);
CREATE INDEX relay_context_reservation ON relay_context (lower(reservation_id))
    WHERE kind = 'RESERVE_NOW';

-- The results that came, by the hash of their bytes.
CREATE TABLE relay_result (
    context_id text NOT NULL REFERENCES relay_context ON DELETE CASCADE,
    seq int NOT NULL,
    hash text NOT NULL,
    told boolean NOT NULL DEFAULT false,
    telling_until timestamptz, -- somebody is at it
    PRIMARY KEY (context_id, seq)
);

-- How charges at CPOs of 2.1.1 began: their Sessions and CDRs have no word for it, so it is kept as
-- long as those may be read, which is long after the context is over (R-CMD-05, R-BR section 15.5).
CREATE TABLE relay_start (
    id text PRIMARY KEY, -- of its context
    requester text NOT NULL, -- the eMSP
    receiver_id bigint NOT NULL,
    location_id text NOT NULL, -- this and what follows in the CPO's own words
    evse_uid text,
    token_uid text NOT NULL,
    contract_id text,
    authorization_reference text,
    asked_at timestamptz NOT NULL DEFAULT hub_now(),
    until_at timestamptz NOT NULL -- who charges later has begun it otherwise
);
-- Whatever ended before a charge is not looked at, though a location has a year of them.
CREATE INDEX relay_start_at ON relay_start (receiver_id, lower(location_id), until_at, asked_at);
CREATE INDEX relay_start_by_age ON relay_start (asked_at);

-- The Session that a CDR of 2.1.1 bills.
CREATE INDEX network_session_of_2_1_1 ON network_session (partner_id, lower(evse_uid), start_at)
    WHERE ocpi = '2.1.1';

-- A context of RESERVE_NOW is needed as long as the reservation stands (R-CMD-08), a year at most.
CREATE FUNCTION relay_deadline(p_expiry timestamptz, p_wait interval) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT greatest(hub_now() + p_wait, CASE WHEN p_expiry IS NOT NULL THEN
                    least(p_expiry + interval '1 hour', hub_now() + interval '1 year') END)
$$;

-- R-ASYNC-13. Losing one costs little: the context lives for an hour then. A result that comes at the
-- same moment has the row, and needs no other deadline. The table grows from nothing within seconds,
-- faster than its statistics: the plan must not depend on them.
CREATE FUNCTION relay_context_accepted(p_ids text[], p_timeouts text[]) RETURNS void
LANGUAGE plpgsql SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    WITH mine AS MATERIALIZED (
        SELECT c.id, a.seconds::bigint AS seconds
          FROM unnest(p_ids, p_timeouts) AS a (id, seconds)
          JOIN relay_context c ON c.id = a.id
         WHERE c.state = 'open' FOR NO KEY UPDATE OF c SKIP LOCKED
    )
    UPDATE relay_context c SET
        state = 'accepted',
        deadline_at = least(c.deadline_at, relay_deadline(
            c.expiry_at, least(make_interval(secs => least(greatest(m.seconds, 30), 3600) + 60),
                               interval '1 hour')))
      FROM mine m WHERE c.id = m.id;
END $$;

-- R-ASYNC-15, R-ROUTE-61: refused, unclear.
CREATE FUNCTION relay_context_ended(p_id text, p_how text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_how = 'refused' THEN
        DELETE FROM relay_context WHERE id = p_id;
        DELETE FROM relay_start WHERE id = p_id;
        RETURN;
    END IF;
    UPDATE relay_context SET state = p_how WHERE id = p_id;
END $$;

-- R-ASYNC-14: first, other (to be told on), same, spent (not), gone.
CREATE FUNCTION relay_context_result(p_id text, p_hash text)
RETURNS TABLE (outcome text, seq int) LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := hub_now();
    v_count int;
    r relay_result;
BEGIN
    PERFORM FROM relay_context WHERE id = p_id AND deadline_at > v_now FOR UPDATE;
    IF NOT FOUND THEN
        RETURN QUERY SELECT 'gone', 0;
        RETURN;
    END IF;
    SELECT * INTO r FROM relay_result x WHERE x.context_id = p_id AND x.hash = p_hash;
    IF r.seq IS NOT NULL AND (r.told OR r.telling_until > v_now) THEN
        RETURN QUERY SELECT 'same', r.seq;
        RETURN;
    END IF;
    IF r.seq IS NULL THEN
        SELECT count(*) INTO v_count FROM relay_result x WHERE x.context_id = p_id;
        IF v_count >= 2 THEN
            RETURN QUERY SELECT 'spent', 0;
            RETURN;
        END IF;
        INSERT INTO relay_result (context_id, seq, hash) VALUES (p_id, v_count + 1, p_hash)
        RETURNING * INTO r;
    END IF;
    UPDATE relay_result x SET telling_until = v_now + interval '30 seconds'
     WHERE x.context_id = p_id AND x.seq = r.seq;
    RETURN QUERY SELECT CASE r.seq WHEN 1 THEN 'first' ELSE 'other' END, r.seq;
END $$;

-- ---------------------------------------------------------------- charging profiles

-- Who is told what a CPO is going to do by a session's profile: forgotten when the session is over.
CREATE TABLE profile_setter (
    owner text NOT NULL,      -- the CPO
    session_id text NOT NULL, -- in lower case
    partner_id bigint NOT NULL,
    country_code text NOT NULL,
    party_id text NOT NULL,
    ocpi text NOT NULL,
    set_at timestamptz NOT NULL DEFAULT hub_now(),
    PRIMARY KEY (owner, session_id)
);
CREATE INDEX profile_setter_by_age ON profile_setter (set_at);

CREATE FUNCTION profile_setter_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM profile_setter
     WHERE owner = party_key(NEW.country_code, NEW.party_id)
       AND session_id = lower(NEW.network_session_id);
    RETURN NULL;
END $$;
CREATE TRIGGER profile_setter_forget AFTER UPDATE ON network_session
    FOR EACH ROW WHEN (NEW.status IN ('COMPLETED', 'INVALID') AND OLD.status <> NEW.status)
    EXECUTE FUNCTION profile_setter_forget();

-- p_partner NULL: the profile was cleared.
CREATE FUNCTION profile_setter_set(p_cpo_country text, p_cpo_party text, p_session text,
                                   p_partner bigint, p_country text, p_party text, p_ocpi text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_owner text := party_key(p_cpo_country, p_cpo_party);
BEGIN
    IF p_partner IS NULL OR EXISTS (
        SELECT FROM network_session n
         WHERE lower(n.network_session_id) = lower(p_session)
           AND party_key(n.country_code, n.party_id) = v_owner
           AND n.status IN ('COMPLETED', 'INVALID')) THEN
        DELETE FROM profile_setter WHERE owner = v_owner AND session_id = lower(p_session);
        RETURN;
    END IF;
    INSERT INTO profile_setter (owner, session_id, partner_id, country_code, party_id, ocpi)
    VALUES (v_owner, lower(p_session), p_partner, p_country, p_party, p_ocpi)
    ON CONFLICT (owner, session_id) DO UPDATE
       SET partner_id = EXCLUDED.partner_id, country_code = EXCLUDED.country_code,
           party_id = EXCLUDED.party_id, ocpi = EXCLUDED.ocpi, set_at = EXCLUDED.set_at;
END $$;

-- One source of profiles for each session: ours waits while another party's stands (R-CP-07).
CREATE FUNCTION profile_is_others(p_session uuid) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM network_session n
                     JOIN profile_setter p ON p.owner = party_key(n.country_code, n.party_id)
                                          AND p.session_id = lower(n.network_session_id)
                    WHERE n.session_id = p_session);
END $$;

-- As before, but for that.
CREATE OR REPLACE FUNCTION profile_ask(p_session uuid, p_user text, p_robot text, p_by text,
                                       p_clear boolean, p_params text)
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
                      WHEN NOT p_clear AND profile_is_others(s.id) THEN 'others'
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

-- ---------------------------------------------------------------- cursors

-- Where a list that is relayed goes on (R-ROUTE-51).
CREATE TABLE relay_cursor (
    id text PRIMARY KEY,
    requester_id bigint NOT NULL,
    receiver_id bigint NOT NULL,
    from_country text NOT NULL,
    from_party text NOT NULL,
    to_country text NOT NULL,
    to_party text NOT NULL,
    module text NOT NULL,
    next_url text NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX relay_cursor_over ON relay_cursor (expires_at);

-- ---------------------------------------------------------------- aliases

-- Ids of Locations and Tariffs, and aliases that stand for some: `shared` where more than one party
-- uses the id. `owner` is the first of them.
CREATE TABLE shared_id (
    module text NOT NULL,
    id text NOT NULL, -- in lower case
    owner text NOT NULL,
    shared boolean NOT NULL DEFAULT false,
    PRIMARY KEY (module, id)
);
CREATE INDEX shared_id_shared ON shared_id (module, id) WHERE shared;
INSERT INTO shared_id (module, id, owner, shared)
SELECT 'locations', lower(location_id), min(owner), count(DISTINCT owner) > 1
  FROM location GROUP BY 2
UNION ALL
SELECT 'tariffs', lower(tariff_id), min(owner), count(DISTINCT owner) > 1
  FROM tariff GROUP BY 2;

CREATE FUNCTION shared_id_note(p_module text, p_id text, p_owner text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO shared_id AS s (module, id, owner) VALUES (p_module, lower(p_id), p_owner)
    ON CONFLICT (module, id) DO UPDATE SET shared = true
     WHERE s.owner <> EXCLUDED.owner AND NOT s.shared;
END $$;
CREATE FUNCTION location_id_noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM shared_id_note('locations', NEW.location_id, NEW.owner);
    RETURN NULL;
END $$;
CREATE FUNCTION tariff_id_noted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM shared_id_note('tariffs', NEW.tariff_id, NEW.owner);
    RETURN NULL;
END $$;
CREATE TRIGGER location_id_noted AFTER INSERT ON location
    FOR EACH ROW EXECUTE FUNCTION location_id_noted();
CREATE TRIGGER tariff_id_noted AFTER INSERT ON tariff
    FOR EACH ROW EXECUTE FUNCTION tariff_id_noted();

-- What stands for long ids is found by how it begins (translate_id).
CREATE INDEX location_long_id ON location (left(lower(location_id), 19))
    WHERE char_length(location_id) > 36;

-- Under which name a partner knows an object of which the id is not its owner's alone; also where
-- that name is the id itself. Never changed, never removed.
CREATE TABLE alias (
    reader_id bigint NOT NULL REFERENCES partner ON DELETE CASCADE,
    module text NOT NULL CHECK (module IN ('locations', 'tariffs', 'sessions')),
    owner text NOT NULL,
    id text NOT NULL, -- in lower case
    country_code text NOT NULL,
    party_id text NOT NULL,
    object_id text NOT NULL,
    alias text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT hub_now(),
    PRIMARY KEY (reader_id, module, owner, id)
);
CREATE UNIQUE INDEX alias_key ON alias (reader_id, module, lower(alias));

-- Who has objects of this id, in the order in which we first saw them; `visible`: the reader may
-- have been told of it (a contract that has ended counts).
CREATE FUNCTION alias_candidates(p_reader bigint, p_module text, p_id text)
RETURNS TABLE (owner text, country_code text, party_id text, object_id text, visible boolean)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_module = 'sessions' THEN
        RETURN QUERY
        SELECT party_key(n.country_code, n.party_id), n.country_code, n.party_id,
               n.network_session_id, true
          FROM network_session n
         WHERE lower(n.network_session_id) = lower(p_id)
           AND n.token_owner IN (SELECT r.owner FROM party r WHERE r.partner_id = p_reader)
         ORDER BY n.id;
        RETURN;
    END IF;
    RETURN QUERY
    WITH named AS (
        SELECT l.id, l.owner, l.country_code, l.party_id, l.location_id AS object_id
          FROM location l
         WHERE p_module = 'locations' AND lower(l.location_id) = lower(p_id)
         UNION ALL
        SELECT t.id, t.owner, t.country_code, t.party_id, t.tariff_id
          FROM tariff t WHERE p_module = 'tariffs' AND lower(t.tariff_id) = lower(p_id)
    )
    SELECT n.owner, n.country_code, n.party_id, n.object_id,
           EXISTS (SELECT FROM party r
                     JOIN contract c ON c.to_owner = r.owner AND c.from_owner = n.owner
                    WHERE r.partner_id = p_reader AND c.module IN (p_module, ''))
      FROM named n ORDER BY n.id;
END $$;

-- A name that no other object has towards the reader: "CC*PID*id", else with a hash (R-BR-06).
CREATE FUNCTION alias_made(p_reader bigint, p_module text, p_country text, p_party text, p_id text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_alias text := upper(p_country || '*' || p_party) || '*' || p_id;
    v_try int := 0;
BEGIN
    WHILE char_length(v_alias) > CASE p_module WHEN 'locations' THEN 39 ELSE 36 END
       OR EXISTS (SELECT FROM alias WHERE reader_id = p_reader AND module = p_module
                     AND lower(alias) = lower(v_alias))
       OR EXISTS (SELECT FROM shared_id WHERE module = p_module AND id = lower(v_alias)
                     AND owner <> '')
    LOOP
        v_try := v_try + 1;
        v_alias := left(lower(p_id), 19) || '-' || left(encode(sha256(convert_to(
            party_key(p_country, p_party) || '*' || lower(p_id) || '*' || v_try, 'UTF8')), 'hex'),
            16);
    END LOOP;
    PERFORM shared_id_note(p_module, v_alias, ''); -- whoever calls an object so is seen to share it
    RETURN v_alias;
END $$;

-- The name of an object towards a reader. Where others have the id too, all names are fixed here,
-- in one order, so that each stays what it was once told as. Many are made while the table still
-- looks empty to the planner: it is held to the indexes, and plans once.
CREATE FUNCTION alias_put(p_reader bigint, p_module text, p_country text, p_party text, p_id text)
RETURNS text LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
DECLARE
    v_owner text := party_key(p_country, p_party);
    v_alias text;
    v_taken boolean;
    v_others boolean;
    o record;
BEGIN
    SELECT alias INTO v_alias FROM alias
     WHERE reader_id = p_reader AND module = p_module AND owner = v_owner AND id = lower(p_id);
    IF FOUND THEN
        RETURN v_alias;
    END IF;
    SELECT EXISTS (SELECT FROM alias WHERE reader_id = p_reader AND module = p_module
                      AND lower(alias) = lower(p_id)) INTO v_taken;
    SELECT EXISTS (SELECT FROM alias_candidates(p_reader, p_module, p_id) c
                    WHERE c.owner <> v_owner) INTO v_others;
    IF NOT v_taken AND NOT v_others THEN
        RETURN p_id;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended('alias', p_reader));
    FOR o IN
        SELECT c.owner, c.country_code, c.party_id, c.object_id
          FROM alias_candidates(p_reader, p_module, p_id) WITH ORDINALITY
               c (owner, country_code, party_id, object_id, visible, i)
         WHERE c.visible OR c.owner = v_owner
         UNION ALL
        SELECT v_owner, p_country, p_party, p_id -- one that is not stored
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM alias WHERE reader_id = p_reader AND module = p_module
                                 AND owner = o.owner AND id = lower(p_id));
        INSERT INTO alias (reader_id, module, owner, id, country_code, party_id, object_id, alias)
        VALUES (p_reader, p_module, o.owner, lower(p_id), o.country_code, o.party_id, o.object_id,
                CASE WHEN EXISTS (SELECT FROM alias WHERE reader_id = p_reader
                                     AND module = p_module AND lower(alias) = lower(p_id))
                     THEN alias_made(p_reader, p_module, o.country_code, o.party_id, o.object_id)
                     ELSE o.object_id END);
    END LOOP;
    SELECT alias INTO v_alias FROM alias
     WHERE reader_id = p_reader AND module = p_module AND owner = v_owner AND id = lower(p_id);
    RETURN v_alias;
END $$;

-- ---------------------------------------------------------------- numbers of reservations

-- Towards 2.1.1; one series with those of our own reservations, because such a CPO sees one eMSP.
CREATE TABLE reservation_number (
    number int PRIMARY KEY CHECK (number > 0),
    emsp text NOT NULL,
    id text NOT NULL, -- in lower case
    reservation_id text NOT NULL,
    keep_until timestamptz NOT NULL
);
CREATE UNIQUE INDEX reservation_number_by_id ON reservation_number (emsp, id);
CREATE INDEX reservation_number_over ON reservation_number (keep_until);

CREATE FUNCTION reservation_number_give(p_country text, p_party text, p_id text,
                                        p_expiry timestamptz) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_until timestamptz := least(greatest(p_expiry, hub_now()), hub_now() + interval '1 year')
                           + interval '30 days';
    v_number int;
BEGIN
    UPDATE reservation_number SET keep_until = greatest(keep_until, v_until)
     WHERE emsp = party_key(p_country, p_party) AND id = lower(p_id)
    RETURNING number INTO v_number;
    IF FOUND THEN
        RETURN v_number;
    END IF;
    INSERT INTO reservation_number AS x (number, emsp, id, reservation_id, keep_until)
    VALUES (nextval(pg_get_serial_sequence('reservation', 'number')),
            party_key(p_country, p_party), lower(p_id), p_id, v_until)
    ON CONFLICT (emsp, id) DO UPDATE SET keep_until = greatest(x.keep_until, EXCLUDED.keep_until)
    RETURNING number INTO v_number;
    RETURN v_number;
END $$;

-- ---------------------------------------------------------------- tariffs that begin and end

CREATE INDEX tariff_begins ON tariff (start_at, id) WHERE start_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX tariff_ends ON tariff (end_at, id) WHERE end_at IS NOT NULL AND deleted_at IS NULL;

-- 2.1.1 cannot say when a tariff is in force: its receivers are told when it begins, and that it is
-- no more when it ends (outbox_read). To the others nothing has happened. One row: how far they
-- have been told, the last tariff of that moment with it: a CPO's thousands may all begin at a new
-- year's midnight.
CREATE TABLE tariff_switch (until_at timestamptz NOT NULL, last_id bigint NOT NULL DEFAULT 0);
INSERT INTO tariff_switch VALUES (hub_now());
-- The next p_limit of them; false: there are more.
CREATE FUNCTION tariffs_switch(p_limit int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    s tariff_switch;
    t record;
    v_count int := 0;
    v_now timestamptz := hub_now();
    v_receivers bigint[];
BEGIN
    SELECT * INTO s FROM tariff_switch FOR UPDATE;
    FOR t IN (SELECT start_at AS at, id, owner FROM tariff
               WHERE (start_at, id) > (s.until_at, s.last_id) AND start_at <= v_now
                 AND deleted_at IS NULL
               ORDER BY start_at, id LIMIT p_limit)
              UNION
             (SELECT end_at, id, owner FROM tariff
               WHERE (end_at, id) > (s.until_at, s.last_id) AND end_at <= v_now
                 AND deleted_at IS NULL
               ORDER BY end_at, id LIMIT p_limit)
              ORDER BY at, id LIMIT p_limit
    LOOP
        v_receivers := ARRAY(SELECT p.id FROM partner p
                              WHERE p.id = ANY (push_receivers(t.owner, 'tariffs'))
                                AND p.version = '2.1.1');
        IF cardinality(v_receivers) > 0 THEN
            PERFORM outbox_put(v_receivers, 'tariff', t.id, '');
        END IF;
        v_count := v_count + 1;
        s.until_at := t.at;
        s.last_id := t.id;
    END LOOP;
    IF v_count < p_limit THEN -- what comes from now on with an earlier moment is told when it comes
        s.until_at := greatest(s.until_at, v_now);
        s.last_id := 9223372036854775807;
    END IF;
    UPDATE tariff_switch SET until_at = s.until_at, last_id = s.last_id;
    RETURN v_count < p_limit;
END $$;

-- ---------------------------------------------------------------- what is over

CREATE OR REPLACE FUNCTION hub_job(p_kind text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_count bigint;
    v_most bigint := 0;
BEGIN
    IF p_kind = 'retention' THEN
        DELETE FROM idempotency WHERE (caller, key, path, method) IN (
            SELECT caller, key, path, method FROM idempotency
             WHERE created_at < hub_now() - interval '48 hours' ORDER BY created_at LIMIT 5000);
        GET DIAGNOSTICS v_count = ROW_COUNT;
        DELETE FROM partner_token WHERE expires_at < hub_now();
        PERFORM timer_set('hub', 'retention', 'retention', hub_now()
            + CASE WHEN v_count < 5000 THEN interval '10 minutes' ELSE interval '5 seconds' END);
    ELSIF p_kind = 'tariffs' THEN
        PERFORM timer_set('hub', 'tariffs', 'tariffs', hub_now()
            + CASE WHEN tariffs_switch(200) THEN interval '1 minute' ELSE interval '1 second' END);
    ELSIF p_kind = 'relay' THEN
        DELETE FROM relay_context WHERE id IN (
            SELECT id FROM relay_context
             WHERE created_at < hub_now() - interval '90 seconds' AND deadline_at <= hub_now()
             ORDER BY created_at LIMIT 5000);
        GET DIAGNOSTICS v_most = ROW_COUNT;
        -- Whoever follows one a little too late is told that it is over.
        DELETE FROM relay_cursor WHERE id IN (
            SELECT id FROM relay_cursor WHERE expires_at < hub_now() - interval '1 day'
             ORDER BY expires_at LIMIT 5000);
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_most := greatest(v_most, v_count);
        DELETE FROM relay_start WHERE id IN (
            SELECT id FROM relay_start WHERE asked_at < hub_now() - interval '400 days'
             ORDER BY asked_at LIMIT 5000);
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_most := greatest(v_most, v_count);
        DELETE FROM profile_setter WHERE set_at < hub_now() - interval '30 days';
        DELETE FROM reservation_number WHERE keep_until < hub_now();
        PERFORM timer_set('hub', 'relay', 'relay', hub_now()
            + CASE WHEN v_most < 5000 THEN interval '10 minutes' ELSE interval '5 seconds' END);
    END IF;
END $$;
INSERT INTO timer (subject, slot, kind, due_at)
VALUES ('hub', 'relay', 'relay', hub_now()), ('hub', 'tariffs', 'tariffs', hub_now())
ON CONFLICT DO NOTHING;

-- ---------------------------------------------------------------- contracts

-- Each process keeps them in memory.
CREATE FUNCTION contract_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('contract', '');
    RETURN NULL;
END $$;
CREATE TRIGGER contract_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON contract
    FOR EACH STATEMENT EXECUTE FUNCTION contract_changed();

-- ---------------------------------------------------------------- who hears of what

-- Pushes go to the opposite side (R-ROUTE-12), whatever else a connection listens to.
CREATE FUNCTION party_hears(p_role text, p_module text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_module WHEN 'tokens' THEN p_role = 'CPO'
                         WHEN 'locations' THEN p_role IN ('EMSP', 'NSP', 'OTHER', 'NAP')
                         WHEN 'tariffs' THEN p_role IN ('EMSP', 'NSP', 'OTHER', 'NAP')
                         ELSE p_role IN ('EMSP', 'NSP', 'OTHER') END
$$;

-- As before, by role, and never back to the connection that they came from (R-ROUTE-18).
CREATE OR REPLACE FUNCTION push_receivers(p_owner text, p_module text) RETURNS bigint[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT array_agg(DISTINCT t.partner_id)
              FROM push_target t JOIN party r ON r.partner_id = t.partner_id
             WHERE t.module = p_module AND party_hears(r.role, p_module)
               AND contract_allows(p_owner, r.owner, p_module)
               AND NOT EXISTS (SELECT FROM party o
                                WHERE o.partner_id = t.partner_id AND o.owner = p_owner));
END $$;
CREATE OR REPLACE FUNCTION token_receivers(p_owner text, p_module text) RETURNS bigint[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT array_agg(DISTINCT t.partner_id)
              FROM push_target t JOIN party r ON r.partner_id = t.partner_id
             WHERE t.module = p_module AND r.owner = p_owner AND party_hears(r.role, p_module));
END $$;
CREATE OR REPLACE FUNCTION network_session_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_receivers bigint[];
BEGIN
    IF EXISTS (SELECT FROM push_target WHERE module = 'sessions') THEN
        v_receivers := array_remove(token_receivers(NEW.token_owner, 'sessions'), NEW.partner_id);
        IF cardinality(v_receivers) > 0 THEN
            PERFORM outbox_put(v_receivers, 'session', NEW.id, '');
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION cdr_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_receivers bigint[];
BEGIN
    IF EXISTS (SELECT FROM push_target WHERE module = 'cdrs') THEN
        v_receivers := array_remove(token_receivers(NEW.token_owner, 'cdrs'), NEW.partner_id);
        IF cardinality(v_receivers) > 0 THEN
            PERFORM outbox_put(v_receivers, 'cdr', NEW.id, '');
        END IF;
    END IF;
    RETURN NULL;
END $$;

-- As before. In SQL it was planned anew for each statement that asks.
CREATE OR REPLACE FUNCTION partners_hidden() RETURNS bigint[] LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(SELECT id FROM partner WHERE state = 'suspended' OR NOT enabled);
END $$;

-- As before, at half of the cost: each Session and CDR of 2.1.1 asks, when it comes and when it is
-- told. So contract_allows() is written out.
CREATE OR REPLACE FUNCTION token_owner_find(p_cpo bigint, p_uid text)
RETURNS TABLE (ours boolean, country_code text, party_id text, uid text, type text,
               contract_id text, document text, ocpi text)
LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    v_key text := lower(p_uid);
    v_several boolean; -- owners, so that nobody knows whose it is
BEGIN
    SELECT true, t.uid, t.type, t.contract_id INTO ours, uid, type, contract_id
      FROM token t WHERE t.uid = upper(p_uid) OR t.contract_id IN (p_uid, upper(p_uid))
     ORDER BY t.uid <> upper(p_uid) LIMIT 1;
    IF FOUND THEN
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT false, r.country_code, r.party_id, r.uid, r.type, r.contract_id, r.document, r.ocpi,
           min(r.owner) OVER alike <> max(r.owner) OVER alike
      INTO ours, country_code, party_id, uid, type, contract_id, document, ocpi, v_several
      FROM roaming_token r JOIN partner p ON p.id = r.partner_id
     WHERE (lower(r.uid) = v_key OR lower(r.contract_id) = v_key)
       AND p.state <> 'suspended' AND p.enabled
       AND EXISTS (SELECT FROM party c
                    WHERE c.partner_id = p_cpo
                      AND (SELECT k.allowed FROM contract k
                            WHERE k.to_owner = c.owner AND k.from_owner = r.owner
                              AND k.module IN ('tokens', '')
                            ORDER BY k.module DESC LIMIT 1))
    WINDOW alike AS (PARTITION BY r.valid)
     ORDER BY r.valid DESC, lower(r.uid) <> v_key, r.last_updated DESC, r.id LIMIT 1;
    IF FOUND AND NOT v_several THEN
        RETURN NEXT;
    END IF;
END $$;

-- ---------------------------------------------------------------- tokens in the outbox

ALTER TABLE outbox DROP CONSTRAINT outbox_class_check,
    ADD CONSTRAINT outbox_class_check
        CHECK (class IN ('location', 'tariff', 'session', 'cdr', 'client_info', 'token'));

-- They go to the CPOs with a contract.
CREATE FUNCTION roaming_token_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_receivers bigint[];
BEGIN
    IF EXISTS (SELECT FROM push_target WHERE module = 'tokens') THEN
        v_receivers := push_receivers(NEW.owner, 'tokens');
        IF cardinality(v_receivers) > 0 THEN
            PERFORM outbox_put(v_receivers, 'token', NEW.id, '');
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER roaming_token_inserted AFTER INSERT ON roaming_token
    FOR EACH ROW EXECUTE FUNCTION roaming_token_told();
CREATE TRIGGER roaming_token_updated AFTER UPDATE ON roaming_token
    FOR EACH ROW WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION roaming_token_told();

-- As before, with tokens.
CREATE OR REPLACE FUNCTION push_target_refresh(p partner) RETURNS void LANGUAGE sql AS $$
    WITH wanted AS (
        SELECT DISTINCT e ->> 'identifier' AS module
          FROM jsonb_array_elements(p.endpoints) e
         WHERE p.enabled AND p.state IN ('connected', 'offline') AND p.token_out IS NOT NULL
           AND endpoint_role(p.version, p.face, e) = 'RECEIVER'
           AND (e ->> 'identifier' IN ('locations', 'tariffs', 'sessions', 'cdrs', 'tokens')
                -- R-HCI-10; and only those who know us as a hub hear of its clients
                OR (e ->> 'identifier' = 'hubclientinfo' AND p.face = 'platform'
                    AND p.version NOT LIKE '2.1%'))
    ), gone AS (
        DELETE FROM push_target
         WHERE partner_id = p.id AND module NOT IN (SELECT module FROM wanted)
    ), dropped AS (
        DELETE FROM outbox
         WHERE partner_id = p.id AND outbox_module(class) NOT IN (SELECT module FROM wanted)
    )
    INSERT INTO push_target (partner_id, module) SELECT p.id, module FROM wanted
    ON CONFLICT DO NOTHING
$$;
SELECT push_target_refresh(p) FROM partner p;

-- Who sees it: the owner of the token, or those with a contract; nobody, where the sender is hidden
-- (R-ROUTE-31).
DROP FUNCTION outbox_visible(outbox);
CREATE FUNCTION outbox_visible(x outbox, p_owner text, p_partner bigint) RETURNS boolean
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    v_module text := outbox_module(x.class);
BEGIN
    IF x.class IN ('session', 'cdr') THEN
        RETURN EXISTS (SELECT FROM partner p JOIN party r ON r.partner_id = x.partner_id
                        WHERE p.id = p_partner AND p.state <> 'suspended' AND p.enabled
                          AND r.owner = p_owner AND party_hears(r.role, v_module));
    END IF;
    RETURN EXISTS (SELECT FROM partner p JOIN party r ON r.partner_id = x.partner_id
                    WHERE p.id = p_partner AND p.state <> 'suspended' AND p.enabled
                      AND party_hears(r.role, v_module)
                      AND contract_allows(p_owner, r.owner, v_module));
END $$;

CREATE OR REPLACE FUNCTION outbox_read(x outbox) RETURNS outbox_content
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    c outbox_content;
    v_owner text;
    v_partner bigint;
    v_location text;
    v_visible boolean;
BEGIN
    CASE x.class
    WHEN 'location' THEN
        SELECT CASE x.evse_uid WHEN '' THEN 'location' ELSE 'evse' END, country_code, party_id,
               location_id, document, ocpi, last_updated, owner, partner_id
          INTO c.kind, c.country_code, c.party_id, c.object_id, c.document, c.ocpi, c.last_updated,
               v_owner, v_partner
          FROM location WHERE id = x.object;
    WHEN 'tariff' THEN
        -- One that has ended is no more where 2.1.1 is spoken: it could not say so.
        SELECT CASE WHEN deleted_at IS NULL
                         AND (coalesce(end_at, 'infinity') > hub_now()
                              OR NOT EXISTS (SELECT FROM partner r WHERE r.id = x.partner_id
                                                AND r.version = '2.1.1'))
                    THEN 'tariff' ELSE 'tariff_deleted' END, country_code,
               party_id, tariff_id, document, ocpi, last_updated, owner, partner_id
          INTO c.kind, c.country_code, c.party_id, c.object_id, c.document, c.ocpi, c.last_updated,
               v_owner, v_partner
          FROM tariff WHERE id = x.object;
    WHEN 'session' THEN
        SELECT 'session', country_code, party_id, network_session_id, document, ocpi, last_updated,
               token_country, token_party, partner_id, location_id, token_owner
          INTO c.kind, c.country_code, c.party_id, c.object_id, c.document, c.ocpi, c.last_updated,
               c.token_country, c.token_party, v_partner, v_location, v_owner
          FROM network_session WHERE id = x.object;
    WHEN 'cdr' THEN
        SELECT 'cdr', country_code, party_id, cdr_id, convert_from(body, 'UTF8'), ocpi,
               last_updated, token_country, token_party, partner_id, location_id, token_owner
          INTO c.kind, c.country_code, c.party_id, c.object_id, c.document, c.ocpi, c.last_updated,
               c.token_country, c.token_party, v_partner, v_location, v_owner
          FROM cdr WHERE id = x.object;
    WHEN 'token' THEN
        SELECT 'token', country_code, party_id, uid, document, ocpi, last_updated, owner, partner_id
          INTO c.kind, c.country_code, c.party_id, c.object_id, c.document, c.ocpi, c.last_updated,
               v_owner, v_partner
          FROM roaming_token WHERE id = x.object;
    ELSE
        SELECT 'client_info', y.country_code, y.party_id, y.role, client_info_status(p),
               y.status_at, client_info_visible(y, x.partner_id)
          INTO c.kind, c.country_code, c.party_id, c.role, c.status, c.last_updated, v_visible
          FROM party y JOIN partner p ON p.id = y.partner_id WHERE y.id = x.object;
    END CASE;
    c.kind := coalesce(c.kind, x.class);
    IF x.class <> 'client_info' THEN
        v_visible := outbox_visible(x, v_owner, v_partner);
    END IF;
    IF v_visible IS NOT TRUE THEN
        c.document := NULL;
        c.role := NULL;
    ELSIF v_location IS NOT NULL THEN
        SELECT document, ocpi INTO c.location, c.location_ocpi FROM location
         WHERE partner_id = v_partner AND lower(country_code) = lower(c.country_code)
           AND lower(party_id) = lower(c.party_id) AND lower(location_id) = lower(v_location);
    END IF;
    RETURN c;
END $$;

-- ---------------------------------------------------------------- sessions and the outbox under load

-- As before. A reference that is none is not looked for: that was planned anew for each session.
CREATE OR REPLACE FUNCTION session_match(p_partner bigint, p_reference text, p_token text,
                                         p_evse_uid text, p_start timestamptz)
RETURNS session LANGUAGE plpgsql AS $$
DECLARE
    s session;
    v_id uuid := uuid_or_null(p_reference);
    v_ids uuid[];
BEGIN
    IF v_id IS NOT NULL THEN
        SELECT * INTO s FROM session WHERE id = v_id AND partner_id = p_partner FOR UPDATE;
    END IF;
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

-- A row lives for a moment. Dead ones are taken away before they are looked through.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
                        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000,
                        autovacuum_vacuum_cost_delay = 0);

-- Partners that are away: nothing of theirs is claimed meanwhile, however much of it is due.
CREATE TABLE outbox_rest (
    partner_id bigint PRIMARY KEY REFERENCES partner ON DELETE CASCADE,
    until_at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- What is money waits for a person when its time is over; the rest is dropped, and the partner pulls.
CREATE FUNCTION outbox_is_money(p_class text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p_class = 'cdr'
$$;

-- A step: of the p_limit rows of a partner that are due first, those that ran out of time. Returns how
-- many it looked at; as many as the limit: there may be more.
DROP FUNCTION outbox_expire(bigint);
CREATE FUNCTION outbox_expire(p_partner bigint, p_limit int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := hub_now();
    v_dropped boolean;
    v_ids bigint[] := ARRAY(SELECT id FROM outbox
                             WHERE partner_id = p_partner AND due_at <= v_now
                             ORDER BY due_at, id LIMIT p_limit);
BEGIN
    WITH over AS MATERIALIZED (
        SELECT id, class FROM outbox
         WHERE id = ANY (v_ids) AND due_at <= v_now AND expires_at <= v_now
           FOR UPDATE SKIP LOCKED
    ), parked AS (
        UPDATE outbox SET due_at = NULL, lease_until = NULL
         WHERE id IN (SELECT id FROM over WHERE outbox_is_money(class))
    ), dropped AS (
        DELETE FROM outbox WHERE id IN (SELECT id FROM over WHERE NOT outbox_is_money(class))
        RETURNING class
    )
    SELECT EXISTS (SELECT FROM dropped) INTO v_dropped;
    IF v_dropped THEN
        PERFORM partner_needs_resync(p_partner, true);
    END IF;
    RETURN cardinality(v_ids);
END $$;

-- Claims are made one after the other, as before; they come often, so what they cost does not grow
-- with what waits: from partner to partner along the index, and each one's first rows. The planner,
-- whose statistics are always of another moment, is held to the indexes. What ran out of time goes a
-- thousand rows at a claim, of partners that are away too; who has more of it has its turn when it is
-- gone, and whoever is woken for that makes the next claim.
DROP FUNCTION outbox_due(bigint, int);
CREATE OR REPLACE FUNCTION outbox_claim(p_limit int, p_per_partner int) RETURNS SETOF outbox
LANGUAGE plpgsql ROWS 20
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off
SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_now timestamptz := hub_now();
    v_left int := p_limit;
    v_partners bigint[];
    v_over bigint[]; -- whose first row ran out of time
    v_steps int := 1000;
    v_partner bigint;
    v_ids bigint[];
    v_count int;
BEGIN
    WITH RECURSIVE first AS (
        (SELECT partner_id, due_at, expires_at FROM outbox
          WHERE due_at IS NOT NULL ORDER BY partner_id, due_at, id LIMIT 1)
         UNION ALL
        SELECT n.partner_id, n.due_at, n.expires_at
          FROM first f, LATERAL (
               SELECT o.partner_id, o.due_at, o.expires_at FROM outbox o
                WHERE o.due_at IS NOT NULL AND o.partner_id > f.partner_id
                ORDER BY o.partner_id, o.due_at, o.id LIMIT 1) n
    )
    SELECT coalesce(array_agg(partner_id ORDER BY random()) FILTER (WHERE NOT EXISTS (
               SELECT FROM outbox_rest r
                WHERE r.partner_id = f.partner_id AND r.until_at > v_now)), '{}'),
           coalesce(array_agg(partner_id ORDER BY random()) FILTER (WHERE expires_at <= v_now), '{}')
      INTO v_partners, v_over
      FROM first f
     WHERE due_at <= v_now;
    IF v_partners = '{}' AND v_over = '{}' THEN
        RETURN;
    END IF;
    PERFORM set_config('synchronous_commit', 'off', true);
    PERFORM pg_advisory_xact_lock(hashtext('outbox_claim'));
    FOREACH v_partner IN ARRAY v_over LOOP
        v_steps := v_steps - outbox_expire(v_partner, v_steps);
        IF v_steps = 0 THEN
            v_partners := array_remove(v_partners, v_partner);
            PERFORM pg_notify('outbox', '');
        END IF;
    END LOOP;
    FOREACH v_partner IN ARRAY v_partners LOOP
        -- EVSEs alone may have other rows of their object.
        v_ids := ARRAY(
            SELECT w.id FROM outbox w
             WHERE w.partner_id = v_partner AND w.due_at <= v_now AND w.expires_at > v_now
               AND (w.class <> 'location' OR NOT EXISTS (
                   SELECT FROM outbox y
                    WHERE y.partner_id = w.partner_id AND y.class = w.class AND y.object = w.object
                      AND y.id <> w.id
                      AND (y.lease_until > v_now OR (y.due_at <= v_now AND y.id < w.id))))
             ORDER BY w.due_at, w.id
             LIMIT greatest(0, least(v_left, p_per_partner - (
                   SELECT count(*) FROM outbox l
                    WHERE l.partner_id = v_partner AND l.lease_until > v_now)))
               FOR UPDATE OF w SKIP LOCKED);
        CONTINUE WHEN v_ids = '{}';
        RETURN QUERY
        UPDATE outbox SET attempts = attempts + 1, lease_until = v_now + interval '30 seconds',
               due_at = v_now + interval '30 seconds'
         WHERE id = ANY (v_ids)
        RETURNING *;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        v_left := v_left - v_count;
        EXIT WHEN v_left <= 0;
    END LOOP;
END $$;

-- As before; and `rest`: nothing was tried, because the partner is away.
CREATE OR REPLACE FUNCTION outbox_done(p_id bigint, p_version bigint, p_outcome text,
                                       p_retry_after_s bigint, p_detail text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    x outbox;
    v_now timestamptz := hub_now();
    v_newer boolean;
BEGIN
    SELECT * INTO x FROM outbox WHERE id = p_id FOR UPDATE;
    IF x.id IS NULL OR x.due_at IS NULL THEN
        RETURN;
    END IF;
    v_newer := x.version > p_version;
    x.lease_until := NULL;
    IF p_outcome IN ('sent', 'skipped') THEN
        IF NOT v_newer THEN
            DELETE FROM outbox WHERE id = p_id;
            RETURN;
        END IF;
        x.due_at := v_now;
        x.expires_at := v_now + outbox_life(x.class);
        x.attempts := 0;
        x.refusals := 0;
        x.damped := false;
    ELSE
        x.refusals := CASE WHEN p_outcome <> 'refused' THEN 0
                           WHEN x.refusals > 0 AND x.detail IS NOT DISTINCT FROM p_detail
                               THEN x.refusals + 1
                           ELSE 1 END;
        -- Full jitter, from one second to five minutes; what the partner asks for, up to an hour.
        x.due_at := v_now + CASE
            WHEN p_retry_after_s > 0 THEN make_interval(secs => least(p_retry_after_s, 3600)::float8)
            ELSE random() * least(interval '5 minutes',
                                  interval '1 second' * (2 ^ least(x.attempts, 9))) END;
        IF v_newer AND p_outcome = 'refused' THEN
            x.due_at := v_now; -- other content, perhaps it is taken
        END IF;
        IF p_outcome = 'rest' THEN
            INSERT INTO outbox_rest AS r (partner_id, until_at) VALUES (x.partner_id, x.due_at)
            ON CONFLICT (partner_id) DO UPDATE SET until_at = EXCLUDED.until_at
             WHERE r.until_at <= v_now;
        END IF;
        x.due_at := least(x.due_at, greatest(x.expires_at, v_now));
        IF x.refusals >= 5 THEN
            x.due_at := NULL;
        END IF;
    END IF;
    UPDATE outbox SET lease_until = NULL, due_at = x.due_at, expires_at = x.expires_at,
           attempts = x.attempts, refusals = x.refusals, damped = x.damped, detail = p_detail
     WHERE id = p_id;
    IF x.due_at <= v_now THEN
        PERFORM pg_notify('outbox', '');
    END IF;
END $$;

-- Many at once. Most were sent, and nothing newer waits: those go with one statement.
CREATE FUNCTION outbox_done_many(p_ids text[], p_versions text[], p_outcomes text[],
                                 p_retries text[], p_details text[]) RETURNS void LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
DECLARE
    v_gone bigint[];
    v_back bigint[];
BEGIN
    -- As whoever tells of an object locks them, from partner to partner: so nobody waits for a row
    -- of somebody who waits for one of its own.
    PERFORM FROM outbox WHERE id = ANY (p_ids::bigint[]) ORDER BY object, evse_uid, partner_id
        FOR UPDATE;
    -- Whoever takes something is back: all that waited for that goes out.
    IF EXISTS (SELECT FROM outbox_rest) THEN
        PERFORM FROM outbox_rest
          WHERE partner_id IN (SELECT partner_id FROM outbox WHERE id = ANY (p_ids::bigint[]))
          ORDER BY partner_id FOR UPDATE;
        WITH back AS (
            DELETE FROM outbox_rest WHERE partner_id IN (
                SELECT o.partner_id FROM unnest(p_ids, p_outcomes) d (id, outcome)
                  JOIN outbox o ON o.id = d.id::bigint WHERE d.outcome = 'sent')
            RETURNING partner_id
        )
        SELECT array_agg(partner_id) INTO v_back FROM back;
        IF v_back IS NOT NULL THEN
            UPDATE outbox SET due_at = hub_now()
             WHERE id IN (SELECT id FROM outbox
                           WHERE partner_id = ANY (v_back) AND due_at > hub_now()
                             AND lease_until IS NULL AND refusals = 0 AND NOT damped
                           ORDER BY id FOR UPDATE SKIP LOCKED);
            PERFORM pg_notify('outbox', '');
        END IF;
    END IF;
    WITH gone AS (
        DELETE FROM outbox o USING unnest(p_ids, p_versions, p_outcomes) d (id, version, outcome)
         WHERE o.id = d.id::bigint AND o.version = d.version::bigint AND o.due_at IS NOT NULL
           AND d.outcome IN ('sent', 'skipped')
        RETURNING o.id
    )
    SELECT array_agg(id) INTO v_gone FROM gone;
    IF cardinality(v_gone) IS DISTINCT FROM cardinality(p_ids) THEN
        PERFORM outbox_done(d.id, d.version, d.outcome, d.retry, d.detail)
           FROM (SELECT o.id, version, outcome, retry, u.detail
                   FROM unnest(p_ids::bigint[], p_versions::bigint[], p_outcomes,
                               p_retries::bigint[], p_details)
                        u (id, version, outcome, retry, detail),
                        LATERAL (SELECT x.id, x.partner_id FROM outbox x
                                  WHERE x.id = u.id OFFSET 0) o
                  ORDER BY o.partner_id, o.id) d;
    END IF;
END $$;
