-- SPDX-License-Identifier: Apache-2.0
-- What is to be told to partners. Triggers on the tables of the facts write the rows, in the fact's
-- transaction; a row names an object, what is sent is read when it is claimed. They begin with a
-- WHEN and with a look at push_target, so that they cost next to nothing while nobody is to be told.
--
-- Why nothing is lost between a change and a claim: both lock the outbox row. A change that comes
-- second raises the row's version, and outbox_done() makes the row ready again.

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id bigint NOT NULL REFERENCES partner ON DELETE CASCADE, -- the receiver
    class text NOT NULL CHECK (class IN ('location', 'tariff', 'session', 'cdr', 'client_info')),
    object bigint NOT NULL,            -- the id of the object's row
    evse_uid text NOT NULL DEFAULT '', -- '': the whole location
    version bigint NOT NULL DEFAULT 1,
    attempts int NOT NULL DEFAULT 0,
    refusals int NOT NULL DEFAULT 0,   -- alike, in a row
    detail text,                       -- why the last attempt failed, for people
    damped boolean NOT NULL DEFAULT false, -- an OFFLINE that nobody has heard of yet
    created_at timestamptz NOT NULL DEFAULT hub_now(),
    due_at timestamptz,                -- NULL: it waits for a person
    lease_until timestamptz,
    expires_at timestamptz NOT NULL
) WITH (fillfactor = 60);
CREATE UNIQUE INDEX outbox_key ON outbox (partner_id, class, object, evse_uid);
CREATE INDEX outbox_by_time ON outbox (partner_id, due_at, id) WHERE due_at IS NOT NULL;
CREATE INDEX outbox_leased ON outbox (partner_id) WHERE lease_until IS NOT NULL;

CREATE FUNCTION outbox_module(p_class text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_class WHEN 'client_info' THEN 'hubclientinfo' ELSE p_class || 's' END
$$;
CREATE FUNCTION outbox_life(p_class text) RETURNS interval LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_class WHEN 'cdr' THEN interval '72 hours' ELSE interval '15 minutes' END
$$;

-- The same object, while it waits or is under way: one row, with a newer version. Its pause after a
-- failure stays, except that what waited for a person is tried again.
CREATE FUNCTION outbox_put(p_partners bigint[], p_class text, p_object bigint, p_evse_uid text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := hub_now();
BEGIN
    INSERT INTO outbox AS x (partner_id, class, object, evse_uid, due_at, expires_at)
    SELECT p, p_class, p_object, p_evse_uid, v_now, v_now + outbox_life(p_class)
      FROM (SELECT DISTINCT p FROM unnest(p_partners) p ORDER BY p) y
    ON CONFLICT (partner_id, class, object, evse_uid) DO UPDATE
       SET version = x.version + 1,
           due_at = CASE WHEN x.damped THEN EXCLUDED.due_at
                         ELSE coalesce(x.due_at, EXCLUDED.due_at) END,
           damped = false,
           expires_at = CASE WHEN x.due_at IS NULL THEN EXCLUDED.expires_at ELSE x.expires_at END,
           attempts = CASE WHEN x.due_at IS NULL THEN 0 ELSE x.attempts END,
           refusals = CASE WHEN x.due_at IS NULL THEN 0 ELSE x.refusals END;
    PERFORM pg_notify('outbox', '');
END $$;

-- ---------------------------------------------------------------- locations

-- Who gets the objects of a party: partners with the module's receiver and a contract.
CREATE FUNCTION push_receivers(p_owner text, p_module text) RETURNS bigint[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT array_agg(DISTINCT t.partner_id)
              FROM push_target t JOIN party r ON r.partner_id = t.partner_id
             WHERE t.module = p_module AND contract_allows(p_owner, r.owner, p_module));
END $$;

-- The EVSEs whose status, and no more, differs between two documents of a location; NULL: something
-- else differs too, or too much.
CREATE FUNCTION location_statuses_changed(p_old jsonb, p_new jsonb) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    v_uids text[];
BEGIN
    IF p_old - 'evses' - 'last_updated' <> p_new - 'evses' - 'last_updated'
       OR jsonb_typeof(p_old -> 'evses') IS DISTINCT FROM 'array'
       OR jsonb_typeof(p_new -> 'evses') IS DISTINCT FROM 'array'
       OR jsonb_array_length(p_old -> 'evses') <> jsonb_array_length(p_new -> 'evses') THEN
        RETURN NULL;
    END IF;
    SELECT array_agg(CASE WHEN o - 'status' - 'last_updated' = n - 'status' - 'last_updated'
                          THEN n ->> 'uid' END)
      INTO v_uids
      FROM jsonb_array_elements(p_old -> 'evses') WITH ORDINALITY a (o, i)
      JOIN jsonb_array_elements(p_new -> 'evses') WITH ORDINALITY b (n, i) USING (i)
     WHERE o <> n;
    IF v_uids IS NULL OR cardinality(v_uids) > 20 OR array_position(v_uids, NULL) IS NOT NULL THEN
        RETURN NULL;
    END IF;
    RETURN v_uids;
END $$;

CREATE FUNCTION outbox_put_location(l location, p_receivers bigint[], p_uids text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_partner bigint;
    v_rest bigint[] := '{}';
    v_uid text;
BEGIN
    IF p_uids IS NULL THEN
        PERFORM outbox_put(p_receivers, 'location', l.id, '');
        DELETE FROM outbox WHERE partner_id = ANY (p_receivers) AND class = 'location'
           AND object = l.id AND evse_uid <> '' AND coalesce(lease_until <= hub_now(), true);
        RETURN;
    END IF;
    -- Where the whole location waits, or is under way, it says this too.
    FOREACH v_partner IN ARRAY p_receivers LOOP
        UPDATE outbox SET version = version + 1
         WHERE partner_id = v_partner AND class = 'location' AND object = l.id AND evse_uid = ''
           AND due_at IS NOT NULL;
        IF NOT FOUND THEN
            v_rest := v_rest || v_partner;
        END IF;
    END LOOP;
    IF v_rest <> '{}' THEN
        FOREACH v_uid IN ARRAY p_uids LOOP
            PERFORM outbox_put(v_rest, 'location', l.id, v_uid);
        END LOOP;
    END IF;
END $$;

CREATE FUNCTION location_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_receivers bigint[];
    v_uids text[];
BEGIN
    IF EXISTS (SELECT FROM push_target WHERE module = 'locations') THEN
        v_receivers := push_receivers(NEW.owner, 'locations');
        IF v_receivers IS NOT NULL THEN
            IF TG_OP = 'UPDATE' AND OLD.ocpi = NEW.ocpi THEN
                v_uids := location_statuses_changed(OLD.document::jsonb, NEW.document::jsonb);
            END IF;
            PERFORM outbox_put_location(NEW, v_receivers, v_uids);
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER location_inserted AFTER INSERT ON location
    FOR EACH ROW EXECUTE FUNCTION location_told();
CREATE TRIGGER location_updated AFTER UPDATE ON location
    FOR EACH ROW WHEN (NEW.version <> OLD.version) EXECUTE FUNCTION location_told();

-- ---------------------------------------------------------------- tariffs

CREATE FUNCTION tariff_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_receivers bigint[];
BEGIN
    IF EXISTS (SELECT FROM push_target WHERE module = 'tariffs') THEN
        v_receivers := push_receivers(NEW.owner, 'tariffs');
        IF v_receivers IS NOT NULL THEN
            PERFORM outbox_put(v_receivers, 'tariff', NEW.id, '');
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER tariff_inserted AFTER INSERT ON tariff
    FOR EACH ROW EXECUTE FUNCTION tariff_told();
CREATE TRIGGER tariff_updated AFTER UPDATE ON tariff
    FOR EACH ROW WHEN ((NEW.version, NEW.deleted_at) IS DISTINCT FROM (OLD.version, OLD.deleted_at))
    EXECUTE FUNCTION tariff_told();

-- ---------------------------------------------------------------- sessions and CDRs

-- They go to the owner of the token.
CREATE FUNCTION token_receivers(p_owner text, p_module text) RETURNS bigint[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT array_agg(DISTINCT t.partner_id)
              FROM push_target t JOIN party r ON r.partner_id = t.partner_id
             WHERE t.module = p_module AND r.owner = p_owner);
END $$;

CREATE FUNCTION network_session_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_receivers bigint[];
BEGIN
    IF EXISTS (SELECT FROM push_target WHERE module = 'sessions') THEN
        v_receivers := token_receivers(NEW.token_owner, 'sessions');
        IF v_receivers IS NOT NULL THEN
            PERFORM outbox_put(v_receivers, 'session', NEW.id, '');
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION cdr_told() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_receivers bigint[];
BEGIN
    IF EXISTS (SELECT FROM push_target WHERE module = 'cdrs') THEN
        v_receivers := token_receivers(NEW.token_owner, 'cdrs');
        IF v_receivers IS NOT NULL THEN
            PERFORM outbox_put(v_receivers, 'cdr', NEW.id, '');
        END IF;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER network_session_inserted AFTER INSERT ON network_session
    FOR EACH ROW WHEN (NEW.token_owner IS NOT NULL) EXECUTE FUNCTION network_session_told();
CREATE TRIGGER network_session_updated AFTER UPDATE ON network_session
    FOR EACH ROW WHEN (NEW.token_owner IS NOT NULL AND NEW.version <> OLD.version)
    EXECUTE FUNCTION network_session_told();
CREATE TRIGGER cdr_inserted AFTER INSERT ON cdr
    FOR EACH ROW WHEN (NEW.token_owner IS NOT NULL) EXECUTE FUNCTION cdr_told();

-- ---------------------------------------------------------------- client infos

-- Those who are to hear of a party; p_reader NULL: all of them.
CREATE FUNCTION client_info_receivers(y party, p_reader bigint) RETURNS bigint[]
LANGUAGE sql STABLE AS $$
    SELECT array_agg(t.partner_id)
      FROM push_target t
     WHERE t.module = 'hubclientinfo' AND t.partner_id = coalesce(p_reader, t.partner_id)
       AND client_info_visible(y, t.partner_id)
$$;

-- A party that goes offline is announced after a minute; if it is back by then, not at all
-- (R-HCI-07).
CREATE FUNCTION outbox_put_client_info(y party, p_receivers bigint[], p_before text, p_after text)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := hub_now();
    v_rest bigint[];
BEGIN
    IF p_after = 'offline' THEN
        INSERT INTO outbox AS x (partner_id, class, object, damped, due_at, expires_at)
        SELECT r, 'client_info', y.id, true, v_now + interval '60 seconds',
               v_now + interval '60 seconds' + outbox_life('client_info')
          FROM (SELECT r FROM unnest(p_receivers) r ORDER BY r) z
        ON CONFLICT (partner_id, class, object, evse_uid) DO UPDATE
           SET version = x.version + 1,
               due_at = CASE WHEN x.lease_until > v_now THEN x.due_at ELSE EXCLUDED.due_at END,
               expires_at = EXCLUDED.expires_at;
        RETURN;
    END IF;
    IF p_before = 'offline' AND p_after = 'connected' THEN
        WITH untold AS (
            DELETE FROM outbox WHERE partner_id = ANY (p_receivers) AND class = 'client_info'
               AND object = y.id AND damped AND attempts = 0
            RETURNING partner_id
        )
        SELECT array_agg(r) INTO v_rest FROM unnest(p_receivers) r
         WHERE r NOT IN (SELECT partner_id FROM untold);
        p_receivers := v_rest;
    END IF;
    IF p_receivers IS NOT NULL THEN
        PERFORM outbox_put(p_receivers, 'client_info', y.id, '');
    END IF;
END $$;

CREATE OR REPLACE FUNCTION partner_told(p partner, p_before text) RETURNS void LANGUAGE sql AS $$
    SELECT outbox_put_client_info(y, r, p_before, p.state)
      FROM party y, client_info_receivers(y, NULL) r
     WHERE y.partner_id = p.id AND r IS NOT NULL
       AND EXISTS (SELECT FROM push_target WHERE module = 'hubclientinfo')
$$;

CREATE FUNCTION party_inserted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM push_target WHERE module = 'hubclientinfo') THEN
        PERFORM outbox_put_client_info(NEW, r, NULL, NULL)
           FROM client_info_receivers(NEW, NULL) r WHERE r IS NOT NULL;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER party_inserted AFTER INSERT ON party
    FOR EACH ROW EXECUTE FUNCTION party_inserted();

-- Who may be told no more has nothing waiting.
CREATE OR REPLACE FUNCTION push_target_refresh(p partner) RETURNS void LANGUAGE sql AS $$
    WITH wanted AS (
        SELECT DISTINCT e ->> 'identifier' AS module
          FROM jsonb_array_elements(p.endpoints) e
         WHERE p.enabled AND p.state IN ('connected', 'offline') AND p.token_out IS NOT NULL
           AND endpoint_role(p.version, p.face, e) = 'RECEIVER'
           AND (e ->> 'identifier' IN ('locations', 'tariffs', 'sessions', 'cdrs')
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

-- ---------------------------------------------------------------- contracts

-- Replaces what stood for the pair and the module. Both sides hear of each other, if they may now.
CREATE FUNCTION contract_set(p_from_country text, p_from_party text, p_to_country text,
                             p_to_party text, p_module text, p_allowed boolean)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_from text := party_key(p_from_country, p_from_party);
    v_to text := party_key(p_to_country, p_to_party);
BEGIN
    INSERT INTO contract (from_country, from_party, to_country, to_party, module, allowed, since)
    VALUES (p_from_country, p_from_party, p_to_country, p_to_party, coalesce(p_module, ''),
            p_allowed, hub_now())
    ON CONFLICT (to_owner, from_owner, module) DO UPDATE
       SET from_country = EXCLUDED.from_country, from_party = EXCLUDED.from_party,
           to_country = EXCLUDED.to_country, to_party = EXCLUDED.to_party,
           allowed = EXCLUDED.allowed, since = EXCLUDED.since;
    IF p_allowed THEN
        PERFORM outbox_put_client_info(y, told, NULL, NULL)
           FROM (VALUES (v_from, v_to), (v_to, v_from)) pair (about, reader)
           JOIN party y ON y.owner = pair.about
           JOIN LATERAL (SELECT DISTINCT partner_id FROM party WHERE owner = pair.reader) r ON true,
                client_info_receivers(y, r.partner_id) told
          WHERE told IS NOT NULL;
    END IF;
END $$;

-- ---------------------------------------------------------------- sending

-- May the receiver (still) be told of the object?
CREATE FUNCTION outbox_visible(x outbox) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
DECLARE
    v_owner text;
    v_partner bigint;
BEGIN
    CASE x.class
    WHEN 'client_info' THEN
        RETURN EXISTS (SELECT FROM party y
                        WHERE y.id = x.object AND client_info_visible(y, x.partner_id));
    WHEN 'location' THEN
        SELECT owner, partner_id INTO v_owner, v_partner FROM location WHERE id = x.object;
    WHEN 'tariff' THEN
        SELECT owner, partner_id INTO v_owner, v_partner FROM tariff WHERE id = x.object;
    WHEN 'session' THEN
        SELECT token_owner, partner_id INTO v_owner, v_partner FROM network_session
         WHERE id = x.object;
    WHEN 'cdr' THEN
        SELECT token_owner, partner_id INTO v_owner, v_partner FROM cdr WHERE id = x.object;
    END CASE;
    RETURN v_partner <> ALL (partners_hidden()) AND EXISTS (
        SELECT FROM party r
         WHERE r.partner_id = x.partner_id
           AND CASE WHEN x.class IN ('session', 'cdr') THEN r.owner = v_owner
                    ELSE contract_allows(v_owner, r.owner, outbox_module(x.class)) END);
END $$;

-- The next rows of a partner, in the order in which they are due. A long queue is not looked
-- through: the planner, which cannot know how soon LIMIT is reached, is held to the indexes.
CREATE FUNCTION outbox_due(p_partner bigint, p_limit int) RETURNS SETOF bigint LANGUAGE plpgsql
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off SET enable_sort = off AS $$
DECLARE
    v_now timestamptz := hub_now();
BEGIN
    RETURN QUERY
    SELECT w.id FROM outbox w
     WHERE w.partner_id = p_partner AND w.due_at <= v_now
       AND NOT EXISTS (
           SELECT FROM outbox y
            WHERE y.partner_id = w.partner_id AND y.class = w.class AND y.object = w.object
              AND y.id <> w.id
              AND (y.lease_until > v_now OR (y.due_at <= v_now AND y.id < w.id)))
     ORDER BY w.due_at, w.id LIMIT p_limit
       FOR UPDATE OF w SKIP LOCKED;
END $$;

-- Claims are made one after the other, so that no two of them are of one object; a claim need not
-- survive a crash. Rows that ran out of time are dropped here, CDRs wait for a person then.
CREATE FUNCTION outbox_claim(p_limit int, p_per_partner int) RETURNS SETOF outbox
LANGUAGE plpgsql ROWS 20 AS $$
DECLARE
    v_now timestamptz := hub_now();
    v_left int := p_limit;
    v_partner bigint;
    v_room int;
    v_ids bigint[];
    x outbox;
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    IF NOT EXISTS (SELECT FROM push_target t JOIN outbox o ON o.partner_id = t.partner_id
                    WHERE o.due_at <= v_now) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('outbox_claim'));
    FOR v_partner IN
        SELECT t.partner_id FROM (SELECT DISTINCT partner_id FROM push_target) t
         WHERE EXISTS (SELECT FROM outbox o WHERE o.partner_id = t.partner_id AND o.due_at <= v_now)
         ORDER BY random()
    LOOP
        EXIT WHEN v_left <= 0;
        PERFORM outbox_expire(v_partner);
        SELECT least(v_left, p_per_partner - count(*)) INTO v_room
          FROM outbox WHERE partner_id = v_partner AND lease_until > v_now;
        CONTINUE WHEN v_room <= 0;
        v_ids := ARRAY(SELECT outbox_due(v_partner, v_room));
        FOR x IN
            UPDATE outbox SET attempts = attempts + 1, lease_until = v_now + interval '30 seconds',
                   due_at = v_now + interval '30 seconds'
             WHERE id = ANY (v_ids)
            RETURNING *
        LOOP
            v_left := v_left - 1;
            RETURN NEXT x;
        END LOOP;
    END LOOP;
END $$;

CREATE TYPE outbox_content AS (
    kind text, country_code text, party_id text, object_id text,
    document text, ocpi text, -- NULL: it is no more to be told
    location text, location_ocpi text, token_country text, token_party text,
    role text, status text, last_updated timestamptz);

-- What a row stands for, as it is now: volatile, so that it is not older than the claim.
CREATE FUNCTION outbox_read(x outbox) RETURNS outbox_content LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    c outbox_content;
    v_partner bigint;
    v_location text;
BEGIN
    CASE x.class
    WHEN 'location' THEN
        SELECT CASE x.evse_uid WHEN '' THEN 'location' ELSE 'evse' END, country_code, party_id,
               location_id, document, ocpi, last_updated
          INTO c.kind, c.country_code, c.party_id, c.object_id, c.document, c.ocpi, c.last_updated
          FROM location WHERE id = x.object;
    WHEN 'tariff' THEN
        SELECT CASE WHEN deleted_at IS NULL THEN 'tariff' ELSE 'tariff_deleted' END, country_code,
               party_id, tariff_id, document, ocpi, last_updated
          INTO c.kind, c.country_code, c.party_id, c.object_id, c.document, c.ocpi, c.last_updated
          FROM tariff WHERE id = x.object;
    WHEN 'session' THEN
        SELECT 'session', country_code, party_id, network_session_id, document, ocpi, last_updated,
               token_country, token_party, partner_id, location_id
          INTO c.kind, c.country_code, c.party_id, c.object_id, c.document, c.ocpi, c.last_updated,
               c.token_country, c.token_party, v_partner, v_location
          FROM network_session WHERE id = x.object;
    WHEN 'cdr' THEN
        SELECT 'cdr', country_code, party_id, cdr_id, convert_from(body, 'UTF8'), ocpi,
               last_updated, token_country, token_party, partner_id, location_id
          INTO c.kind, c.country_code, c.party_id, c.object_id, c.document, c.ocpi, c.last_updated,
               c.token_country, c.token_party, v_partner, v_location
          FROM cdr WHERE id = x.object;
    ELSE
        SELECT 'client_info', y.country_code, y.party_id, y.role, client_info_status(p), y.status_at
          INTO c.kind, c.country_code, c.party_id, c.role, c.status, c.last_updated
          FROM party y JOIN partner p ON p.id = y.partner_id WHERE y.id = x.object;
    END CASE;
    c.kind := coalesce(c.kind, x.class);
    IF v_location IS NOT NULL THEN
        SELECT document, ocpi INTO c.location, c.location_ocpi FROM location
         WHERE partner_id = v_partner AND lower(country_code) = lower(c.country_code)
           AND lower(party_id) = lower(c.party_id) AND lower(location_id) = lower(v_location);
    END IF;
    IF NOT outbox_visible(x) THEN
        c.document := NULL;
        c.location := NULL;
        c.role := NULL;
    END IF;
    RETURN c;
END $$;

CREATE FUNCTION outbox_expire(p_partner bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_now timestamptz := hub_now();
    v_dropped boolean;
BEGIN
    WITH over AS MATERIALIZED (
        SELECT id, class FROM outbox
         WHERE partner_id = p_partner AND due_at <= v_now AND expires_at <= v_now
           FOR UPDATE SKIP LOCKED
    ), parked AS (
        UPDATE outbox SET due_at = NULL, lease_until = NULL
         WHERE id IN (SELECT id FROM over WHERE class = 'cdr')
    ), dropped AS (
        DELETE FROM outbox WHERE id IN (SELECT id FROM over WHERE class <> 'cdr') RETURNING class
    )
    SELECT EXISTS (SELECT FROM dropped) INTO v_dropped;
    IF v_dropped THEN
        PERFORM partner_needs_resync(p_partner, true);
    END IF;
END $$;

-- Outcomes: sent, retry, refused, skipped. Whatever came meanwhile is due at once.
CREATE FUNCTION outbox_done(p_id bigint, p_version bigint, p_outcome text, p_retry_after_s bigint,
                            p_detail text)
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

-- What waits for a person: tried again, or dropped. false: there is no such row.
CREATE FUNCTION outbox_again(p_id bigint, p_drop boolean) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_found boolean;
BEGIN
    IF p_drop THEN
        DELETE FROM outbox WHERE id = p_id AND due_at IS NULL;
        RETURN FOUND;
    END IF;
    UPDATE outbox SET due_at = hub_now(), expires_at = hub_now() + outbox_life(class), attempts = 0,
           refusals = 0
     WHERE id = p_id AND due_at IS NULL;
    v_found := FOUND;
    PERFORM pg_notify('outbox', '');
    RETURN v_found;
END $$;
