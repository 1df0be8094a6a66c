-- SPDX-License-Identifier: Apache-2.0
-- The life of a partner: faces, several parties per platform, and the states of R-HCI-05. Whoever
-- changes partner.state does so by an UPDATE; the triggers here see to what belongs to it.

ALTER TABLE partner
    ADD COLUMN face text NOT NULL DEFAULT 'emsp' CHECK (face IN ('emsp', 'cpo', 'platform')),
    ADD COLUMN hub boolean NOT NULL DEFAULT false,
    ADD COLUMN host_asked text,                     -- waits for an operator
    ADD COLUMN needs_resync boolean NOT NULL DEFAULT false,
    ADD COLUMN failures int NOT NULL DEFAULT 0,     -- of probes, in a row
    ADD COLUMN probe_at timestamptz,                -- not before; a claim moves it
    ADD COLUMN state_since timestamptz NOT NULL DEFAULT hub_now();
UPDATE partner SET state_since = coalesce(registered_at, created_at);

ALTER TABLE party
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- in the order of first sight
    ADD COLUMN owner text NOT NULL GENERATED ALWAYS AS (party_key(country_code, party_id)) STORED,
    ADD COLUMN status_at timestamptz NOT NULL DEFAULT hub_now();
UPDATE party y SET status_at = p.state_since FROM partner p WHERE p.id = y.partner_id;
CREATE INDEX party_owner ON party (owner);

-- What a partner lists beyond what was agreed with it: an operator decides. Never active, and in
-- nobody's way.
CREATE TABLE party_pending (
    partner_id bigint NOT NULL REFERENCES partner ON DELETE CASCADE,
    country_code text NOT NULL,
    party_id text NOT NULL,
    role text NOT NULL,
    name text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}',
    asked_at timestamptz NOT NULL DEFAULT hub_now()
);
CREATE UNIQUE INDEX party_pending_key ON party_pending
    (partner_id, lower(country_code), lower(party_id), role);

-- Tokens are fetched from eMSPs.
ALTER TABLE pull DROP CONSTRAINT pull_module_check,
    ADD CONSTRAINT pull_module_check
        CHECK (module IN ('locations', 'tariffs', 'sessions', 'cdrs', 'tokens'));

-- Which side of a module an endpoint of a partner is. Before 2.2 it is not told: then a partner
-- that meets our eMSP is a CPO, and the other way round (R-VER-04).
CREATE FUNCTION endpoint_role(p_version text, p_face text, p_endpoint jsonb) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN p_version NOT LIKE '2.1%' AND p_endpoint ->> 'role' IS NOT NULL
            THEN upper(p_endpoint ->> 'role')
        WHEN p_endpoint ->> 'identifier' IN ('tokens', 'commands', 'chargingprofiles')
             = (p_face <> 'emsp') THEN 'SENDER'
        WHEN p_endpoint ->> 'identifier' IN ('locations', 'tariffs', 'sessions', 'cdrs')
             AND p_face = 'emsp' THEN 'SENDER'
        ELSE 'RECEIVER' END
$$;

-- ---------------------------------------------------------------- whom we push to

-- A row per partner and module that may be told of changes: what the outbox's triggers look at
-- first. Kept by partner_changes().
CREATE TABLE push_target (
    partner_id bigint NOT NULL REFERENCES partner ON DELETE CASCADE,
    module text NOT NULL,
    PRIMARY KEY (module, partner_id)
);
CREATE INDEX push_target_partner ON push_target (partner_id);

CREATE FUNCTION push_target_refresh(p partner) RETURNS void LANGUAGE sql AS $$
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
    )
    INSERT INTO push_target (partner_id, module) SELECT p.id, module FROM wanted
    ON CONFLICT DO NOTHING
$$;

-- ---------------------------------------------------------------- states

-- What others are told of a change of state; the outbox fills it in.
CREATE FUNCTION partner_told(p partner, p_before text) RETURNS void
LANGUAGE sql AS $$
    SELECT
$$;

CREATE FUNCTION partner_dates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.state_since := hub_now();
    RETURN NEW;
END $$;
CREATE TRIGGER partner_dates BEFORE UPDATE ON partner
    FOR EACH ROW WHEN (OLD.state <> NEW.state) EXECUTE FUNCTION partner_dates();

-- All parties of a platform change together (R-HCI-09).
CREATE FUNCTION partner_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM push_target_refresh(NEW);
    IF TG_OP = 'UPDATE' AND OLD.state <> NEW.state THEN
        UPDATE party SET status_at = NEW.state_since WHERE partner_id = NEW.id;
        PERFORM partner_told(NEW, OLD.state);
    END IF;
    PERFORM partner_changed();
    RETURN NULL;
END $$;
CREATE TRIGGER partner_changes AFTER UPDATE ON partner
    FOR EACH ROW WHEN ((OLD.state, OLD.enabled, OLD.version, OLD.face, OLD.endpoints, OLD.token_out)
                       IS DISTINCT FROM
                       (NEW.state, NEW.enabled, NEW.version, NEW.face, NEW.endpoints, NEW.token_out))
    EXECUTE FUNCTION partner_changes();

-- ---------------------------------------------------------------- registration

CREATE OR REPLACE FUNCTION partner_invite(p_name text, p_country text, p_party text, p_role text,
                                          p_token_hash text, p_our_country text, p_our_party text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partner'));
    SELECT partner_id INTO v_id FROM party
     WHERE lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party)
     ORDER BY (role = p_role) DESC LIMIT 1;
    IF v_id IS NULL THEN
        INSERT INTO partner (name, our_country, our_party, face)
        VALUES (p_name, p_our_country, p_our_party,
                CASE p_role WHEN 'CPO' THEN 'emsp' ELSE 'platform' END)
        RETURNING id INTO v_id;
    ELSE
        UPDATE partner SET name = p_name, state = 'planned', token_out = NULL,
               our_country = p_our_country, our_party = p_our_party, host_asked = NULL
         WHERE id = v_id;
        DELETE FROM partner_token WHERE partner_id = v_id;
        DELETE FROM pull WHERE partner_id = v_id;
    END IF;
    INSERT INTO party (partner_id, country_code, party_id, role, name)
    VALUES (v_id, p_country, p_party, p_role, p_name)
    ON CONFLICT (lower(country_code), lower(party_id), role) DO NOTHING;
    INSERT INTO partner_token (hash, partner_id, kind, expires_at)
    VALUES (p_token_hash, v_id, 'a', hub_now() + interval '7 days');
    PERFORM partner_changed();
    RETURN v_id;
END $$;

DROP FUNCTION partner_registered(bigint, text, text, text, text, text, text, text, text, text, text,
                                 text, boolean);

-- What a finished handshake fixes. Outcomes: registered; conflict: not in the expected state;
-- taken: one of the parties belongs to another partner. The parties agreed with the partner become
-- active; before there were any, all that it lists. What it lists besides waits for an operator.
CREATE FUNCTION partner_registered(
    p_id bigint, p_expected text, p_name text, p_version text, p_versions_url text, p_token_out text,
    p_token_hash text, p_encoding text, p_endpoints text, p_roles text, p_our_country text,
    p_our_party text, p_spend_a boolean, p_face text DEFAULT 'emsp', p_hub boolean DEFAULT false)
RETURNS partner_registered LANGUAGE plpgsql AS $$
DECLARE
    a partner_registered;
    p partner;
    v_now timestamptz := hub_now();
    v_agreed boolean; -- there are parties that were agreed
    v_roles jsonb;    -- those of the listed ones that become active
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partner'));
    SELECT * INTO p FROM partner WHERE id = p_id FOR UPDATE;
    v_agreed := EXISTS (SELECT FROM party WHERE partner_id = p_id);
    SELECT coalesce(jsonb_agg(r), '[]') INTO v_roles
      FROM jsonb_array_elements(p_roles::jsonb) r
     WHERE NOT v_agreed OR EXISTS (
           SELECT FROM party y
            WHERE y.partner_id = p_id AND y.role = r ->> 'role'
              AND y.owner = party_key(r ->> 'country_code', r ->> 'party_id'));
    a.partner_id := p_id;
    a.outcome := CASE
        WHEN p.id IS NULL THEN 'conflict'
        -- Of two POSTs with one token A the first counts (R-CRED-20).
        WHEN p_spend_a AND NOT EXISTS (SELECT FROM partner_token
                                        WHERE partner_id = p_id AND kind = 'a') THEN 'conflict'
        WHEN p_expected = 'planned' AND p.state <> 'planned' THEN 'conflict'
        WHEN p_expected = 'connected' AND p.state NOT IN ('connected', 'offline') THEN 'conflict'
        WHEN EXISTS (
            SELECT FROM jsonb_array_elements(v_roles) r JOIN party y
                ON y.owner = party_key(r ->> 'country_code', r ->> 'party_id')
             WHERE y.partner_id <> p_id) THEN 'taken'
        ELSE 'registered' END;
    IF a.outcome <> 'registered' THEN
        RETURN a;
    END IF;

    IF v_roles <> '[]' THEN
        DELETE FROM party y
         WHERE partner_id = p_id AND NOT EXISTS (
               SELECT FROM jsonb_array_elements(v_roles) r
                WHERE y.role = r ->> 'role'
                  AND y.owner = party_key(r ->> 'country_code', r ->> 'party_id'));
    END IF;
    INSERT INTO party (partner_id, country_code, party_id, role, name, details)
    SELECT p_id, r ->> 'country_code', r ->> 'party_id', r ->> 'role',
           coalesce(r -> 'business_details' ->> 'name', p_name, ''),
           coalesce(r -> 'business_details', '{}')
      FROM (SELECT DISTINCT ON (party_key(r ->> 'country_code', r ->> 'party_id'), r ->> 'role') r
              FROM jsonb_array_elements(v_roles) r) x
    ON CONFLICT (lower(country_code), lower(party_id), role) DO UPDATE
       SET country_code = EXCLUDED.country_code, party_id = EXCLUDED.party_id,
           name = EXCLUDED.name, details = EXCLUDED.details
     WHERE party.partner_id = p_id;
    DELETE FROM party_pending WHERE partner_id = p_id;
    INSERT INTO party_pending (partner_id, country_code, party_id, role, name, details)
    SELECT p_id, r ->> 'country_code', r ->> 'party_id', r ->> 'role',
           coalesce(r -> 'business_details' ->> 'name', p_name, ''),
           coalesce(r -> 'business_details', '{}')
      FROM jsonb_array_elements(p_roles::jsonb) r
     WHERE NOT EXISTS (SELECT FROM party y
                        WHERE y.partner_id = p_id AND y.role = r ->> 'role'
                          AND y.owner = party_key(r ->> 'country_code', r ->> 'party_id'))
       AND r ->> 'country_code' IS NOT NULL AND r ->> 'party_id' IS NOT NULL
       AND r ->> 'role' IS NOT NULL
    ON CONFLICT DO NOTHING;

    UPDATE partner SET
        name = coalesce(nullif(p_name, ''), name), state = 'connected', version = p_version,
        versions_url = p_versions_url, token_out = p_token_out,
        auth_encoding = coalesce(p_encoding, auth_encoding), endpoints = p_endpoints::jsonb,
        our_country = coalesce(p_our_country, our_country),
        our_party = coalesce(p_our_party, our_party), face = coalesce(p_face, face),
        hub = coalesce(p_hub, hub), failures = 0, registered_at = v_now, last_contact_at = v_now
     WHERE id = p_id;

    IF p_spend_a THEN -- remembered for a day: a repeated POST is told 405 (R-CRED-20)
        UPDATE partner_token SET kind = 'a_used', expires_at = v_now + interval '24 hours'
         WHERE partner_id = p_id AND kind = 'a';
    END IF;
    DELETE FROM partner_token WHERE partner_id = p_id AND kind = 'previous';
    UPDATE partner_token SET kind = 'previous', expires_at = v_now + interval '10 minutes'
     WHERE partner_id = p_id AND kind = 'accepted' AND hash <> p_token_hash;
    INSERT INTO partner_token (hash, partner_id, kind) VALUES (p_token_hash, p_id, 'accepted')
    ON CONFLICT (hash) DO UPDATE SET kind = 'accepted', expires_at = NULL
     WHERE partner_token.partner_id = p_id;

    -- The modules that they send: fetched now, and again on a schedule.
    -- A second later: the other side has to read our answer before it knows our token.
    WITH sent AS (
        SELECT DISTINCT e ->> 'identifier' AS module
          FROM jsonb_array_elements(p_endpoints::jsonb) e
         WHERE (e ->> 'identifier' IN ('locations', 'tariffs', 'sessions', 'cdrs')
                OR (e ->> 'identifier' = 'tokens' AND p_face <> 'emsp'))
           AND endpoint_role(p_version, coalesce(p_face, p.face), e) = 'SENDER'
    ), gone AS (
        DELETE FROM pull WHERE partner_id = p_id AND module NOT IN (SELECT module FROM sent)
    )
    INSERT INTO pull (partner_id, module, due_at)
    SELECT p_id, module, v_now + interval '1 second' FROM sent
    ON CONFLICT (partner_id, module)
    DO UPDATE SET due_at = EXCLUDED.due_at, failures = 0, lease_until = NULL, cursor = NULL;
    PERFORM partner_changed();
    RETURN a;
END $$;

-- DELETE by the peer (R-CRED-08): nothing of theirs works any more and we ask for nothing; it may
-- come again with a new token A (R-HCI-05, R-CRED-09). What they told us stays.
CREATE OR REPLACE FUNCTION partner_unregistered(p_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partner'));
    UPDATE partner SET state = CASE state WHEN 'suspended' THEN state ELSE 'offline' END,
           token_out = NULL, endpoints = '[]', host_asked = NULL, needs_resync = false, failures = 0
     WHERE id = p_id;
    DELETE FROM partner_token WHERE partner_id = p_id;
    DELETE FROM pull WHERE partner_id = p_id;
    PERFORM partner_changed();
END $$;

-- ---------------------------------------------------------------- alive?

-- A request of theirs that was under way when they unregistered does not bring them back.
CREATE OR REPLACE FUNCTION partner_seen(p_id bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_state text;
BEGIN
    UPDATE partner SET last_contact_at = hub_now(), failures = 0,
           state = CASE WHEN state = 'offline' AND token_out IS NOT NULL THEN 'connected'
                        ELSE state END
      FROM (SELECT state AS before FROM partner WHERE id = p_id FOR UPDATE) x
     WHERE id = p_id
    RETURNING CASE WHEN state <> before THEN state END INTO v_state;
    IF v_state IS NOT NULL THEN -- what was missed meanwhile is fetched
        UPDATE pull SET due_at = least(due_at, hub_now()) WHERE partner_id = p_id;
    END IF;
END $$;

-- Who has been silent for p_silence seconds and shall be asked for its versions (R-HCI-08). A claim
-- keeps others away for 30 s.
CREATE FUNCTION partner_probe_due(p_limit int, p_silence int) RETURNS SETOF bigint LANGUAGE sql AS $$
    UPDATE partner p SET probe_at = hub_now() + interval '30 seconds'
      FROM (SELECT id FROM partner
             WHERE enabled AND state IN ('connected', 'offline') AND token_out IS NOT NULL
               AND versions_url IS NOT NULL AND coalesce(probe_at <= hub_now(), true)
               AND coalesce(last_contact_at <= hub_now() - make_interval(secs => p_silence), true)
             ORDER BY probe_at NULLS FIRST, id LIMIT p_limit
               FOR UPDATE SKIP LOCKED) due
     WHERE p.id = due.id
    RETURNING p.id
$$;

-- Two failures in a row: offline. Who is, is asked less and less often, every five minutes at last.
CREATE FUNCTION partner_probed(p_id bigint, p_ok boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF p_ok THEN
        PERFORM partner_seen(p_id);
        RETURN;
    END IF;
    UPDATE partner SET
        failures = failures + 1,
        state = CASE WHEN state = 'connected' AND failures >= 1 THEN 'offline' ELSE state END,
        probe_at = hub_now() + least(interval '5 minutes',
                                     interval '30 seconds' * greatest(failures, 1))
     WHERE id = p_id;
END $$;

-- ---------------------------------------------------------------- what operators do

-- false: there is no such partner, or it is suspended already.
CREATE FUNCTION partner_suspend(p_id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partner'));
    UPDATE partner SET state = 'suspended' WHERE id = p_id AND state <> 'suspended';
    RETURN FOUND;
END $$;

CREATE FUNCTION partner_resume(p_id bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partner'));
    UPDATE partner p SET failures = 0, probe_at = NULL, state = CASE
        WHEN token_out IS NOT NULL THEN 'connected'
        WHEN EXISTS (SELECT FROM partner_token t
                      WHERE t.partner_id = p.id AND t.kind = 'a' AND t.expires_at > hub_now())
            THEN 'planned'
        ELSE 'offline' END
     WHERE id = p_id AND state = 'suspended';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    UPDATE pull SET due_at = least(due_at, hub_now()) WHERE partner_id = p_id;
    RETURN true;
END $$;

-- p_value: JSON, NULL takes it away. auth_encoding is a quirk with a value (R-TRANS-22).
CREATE FUNCTION partner_quirk_set(p_id bigint, p_name text, p_value text) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_found boolean;
BEGIN
    IF p_name = 'auth_encoding' THEN
        UPDATE partner SET auth_encoding = coalesce(p_value::jsonb #>> '{}', 'auto')
         WHERE id = p_id;
    ELSE
        UPDATE partner SET quirks = CASE
            WHEN p_value IS NULL THEN quirks - p_name
            ELSE quirks || jsonb_build_object(p_name, p_value::jsonb) END
         WHERE id = p_id;
    END IF;
    v_found := FOUND;
    PERFORM partner_changed();
    RETURN v_found;
END $$;

-- A partner wants to move to another host: an operator has to approve (a stolen token must not
-- redirect us). p_host NULL: it does not any more.
CREATE FUNCTION partner_host_ask(p_id bigint, p_host text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_found boolean;
BEGIN
    UPDATE partner SET host_asked = lower(p_host) WHERE id = p_id;
    v_found := FOUND;
    PERFORM partner_changed();
    RETURN v_found;
END $$;

-- false: another host is asked for, or none.
CREATE FUNCTION partner_host_approve(p_id bigint, p_host text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE partner SET host_asked = NULL,
           hosts = CASE WHEN lower(p_host) = ANY (hosts) THEN hosts ELSE hosts || lower(p_host) END
     WHERE id = p_id AND host_asked = lower(p_host);
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM partner_changed();
    RETURN true;
END $$;

CREATE FUNCTION partner_needs_resync(p_id bigint, p_needs boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE partner SET needs_resync = p_needs WHERE id = p_id AND needs_resync <> p_needs;
    IF FOUND THEN
        PERFORM partner_changed();
    END IF;
END $$;

-- Outcomes: approved; unknown: nothing like it waits; taken: it is another partner's.
CREATE FUNCTION partner_party_approve(p_id bigint, p_country text, p_party text, p_role text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    w party_pending;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partner'));
    SELECT * INTO w FROM party_pending
     WHERE partner_id = p_id AND lower(country_code) = lower(p_country)
       AND lower(party_id) = lower(p_party) AND role = p_role FOR UPDATE;
    IF w.partner_id IS NULL THEN
        RETURN 'unknown';
    END IF;
    IF EXISTS (SELECT FROM party WHERE owner = party_key(p_country, p_party)
                  AND partner_id <> p_id) THEN
        RETURN 'taken';
    END IF;
    INSERT INTO party (partner_id, country_code, party_id, role, name, details)
    VALUES (p_id, w.country_code, w.party_id, w.role, w.name, w.details)
    ON CONFLICT DO NOTHING;
    DELETE FROM party_pending
     WHERE partner_id = p_id AND lower(country_code) = lower(p_country)
       AND lower(party_id) = lower(p_party) AND role = p_role;
    PERFORM partner_changed();
    RETURN 'approved';
END $$;

-- Those who are connected already.
SELECT push_target_refresh(p) FROM partner p;
