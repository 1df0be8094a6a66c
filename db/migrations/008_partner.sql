-- SPDX-License-Identifier: Apache-2.0
-- The life of a connection (R-CRED). Each change is notified as 'partner', so that the processes
-- read the register again.

CREATE FUNCTION partner_changed() RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('partner', '')
$$;

-- An operator invites a company: token A for its registration. A party that is known begins anew
-- (R-CRED-09, 20): its old tokens are dead.
CREATE FUNCTION partner_invite(p_name text, p_country text, p_party text, p_role text,
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
        INSERT INTO partner (name, our_country, our_party)
        VALUES (p_name, p_our_country, p_our_party)
        RETURNING id INTO v_id;
    ELSE
        UPDATE partner SET name = p_name, state = 'planned', token_out = NULL,
               our_country = p_our_country, our_party = p_our_party
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

-- We register at them: our token must open the door before they have answered.
CREATE FUNCTION partner_expect_token(p_id bigint, p_name text, p_versions_url text,
                                     p_token_hash text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint := nullif(p_id, 0);
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partner'));
    IF v_id IS NULL THEN
        SELECT id INTO v_id FROM partner WHERE versions_url = p_versions_url ORDER BY id LIMIT 1;
    END IF;
    IF v_id IS NULL THEN
        INSERT INTO partner (name, versions_url) VALUES (p_name, p_versions_url)
        RETURNING id INTO v_id;
    END IF;
    -- Beside the one in use: until the handshake is through, both are good. One of a handshake
    -- that never ended goes after a day.
    INSERT INTO partner_token (hash, partner_id, kind, expires_at)
    VALUES (p_token_hash, v_id, 'accepted', hub_now() + interval '1 day')
    ON CONFLICT (hash) DO NOTHING;
    PERFORM partner_changed();
    RETURN v_id;
END $$;

-- A partner of our own registration whose id nobody knows yet: by one of its parties, or new.
CREATE FUNCTION partner_reserve(p_name text, p_versions_url text, p_roles text) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partner'));
    SELECT y.partner_id INTO v_id
      FROM jsonb_array_elements(p_roles::jsonb) r JOIN party y
           ON lower(y.country_code) = lower(r ->> 'country_code')
          AND lower(y.party_id) = lower(r ->> 'party_id')
     ORDER BY y.partner_id LIMIT 1;
    IF v_id IS NULL THEN
        SELECT id INTO v_id FROM partner WHERE versions_url = p_versions_url ORDER BY id LIMIT 1;
    END IF;
    IF v_id IS NULL THEN
        INSERT INTO partner (name, versions_url) VALUES (p_name, p_versions_url)
        RETURNING id INTO v_id;
    END IF;
    RETURN v_id;
END $$;

CREATE TYPE partner_registered AS (outcome text, partner_id bigint);

-- What a finished handshake fixes. Outcomes: registered; conflict: not in the expected state;
-- taken: one of the parties belongs to another partner.
CREATE FUNCTION partner_registered(
    p_id bigint, p_expected text, p_name text, p_version text, p_versions_url text, p_token_out text,
    p_token_hash text, p_encoding text, p_endpoints text, p_roles text, p_our_country text,
    p_our_party text, p_spend_a boolean)
RETURNS partner_registered LANGUAGE plpgsql AS $$
DECLARE
    a partner_registered;
    p partner;
    v_now timestamptz := hub_now();
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partner'));
    SELECT * INTO p FROM partner WHERE id = p_id FOR UPDATE;
    a.partner_id := p_id;
    a.outcome := CASE
        WHEN p.id IS NULL THEN 'conflict'
        -- Of two POSTs with one token A the first counts (R-CRED-20).
        WHEN p_spend_a AND NOT EXISTS (SELECT FROM partner_token
                                        WHERE partner_id = p_id AND kind = 'a') THEN 'conflict'
        WHEN p_expected = 'planned' AND p.state <> 'planned' THEN 'conflict'
        WHEN p_expected = 'connected' AND p.state NOT IN ('connected', 'offline') THEN 'conflict'
        WHEN EXISTS (
            SELECT FROM jsonb_array_elements(p_roles::jsonb) r JOIN party y
                ON lower(y.country_code) = lower(r ->> 'country_code')
               AND lower(y.party_id) = lower(r ->> 'party_id')
             WHERE y.partner_id <> p_id) THEN 'taken'
        ELSE 'registered' END;
    IF a.outcome <> 'registered' THEN
        RETURN a;
    END IF;
    UPDATE partner SET
        name = coalesce(nullif(p_name, ''), name), state = 'connected', version = p_version,
        versions_url = p_versions_url, token_out = p_token_out,
        auth_encoding = coalesce(p_encoding, auth_encoding), endpoints = p_endpoints::jsonb,
        our_country = coalesce(p_our_country, our_country),
        our_party = coalesce(p_our_party, our_party), registered_at = v_now,
        last_contact_at = v_now
     WHERE id = p_id;
    DELETE FROM party WHERE partner_id = p_id;
    INSERT INTO party (partner_id, country_code, party_id, role, name, details)
    SELECT p_id, r ->> 'country_code', r ->> 'party_id', r ->> 'role',
           coalesce(r -> 'business_details' ->> 'name', p_name, ''),
           coalesce(r -> 'business_details', '{}')
      FROM jsonb_array_elements(p_roles::jsonb) r
    ON CONFLICT DO NOTHING;

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
    INSERT INTO pull (partner_id, module, due_at)
    SELECT DISTINCT p_id, e ->> 'identifier', v_now + interval '1 second'
      FROM jsonb_array_elements(p_endpoints::jsonb) e
     WHERE e ->> 'identifier' IN ('locations', 'tariffs', 'sessions', 'cdrs')
       AND coalesce(e ->> 'role', 'SENDER') = 'SENDER'
    ON CONFLICT (partner_id, module)
    DO UPDATE SET due_at = EXCLUDED.due_at, failures = 0, lease_until = NULL, cursor = NULL;
    PERFORM partner_changed();
    RETURN a;
END $$;

-- Nothing of theirs works any more, and we ask for nothing (R-CRED-08). What they told us stays.
CREATE FUNCTION partner_unregistered(p_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partner'));
    UPDATE partner SET state = 'suspended', token_out = NULL, endpoints = '[]' WHERE id = p_id;
    DELETE FROM partner_token WHERE partner_id = p_id;
    DELETE FROM pull WHERE partner_id = p_id;
    PERFORM partner_changed();
END $$;

-- The first use of a token retires the one that it replaced (R-CRED-06).
CREATE FUNCTION partner_token_used(p_hash text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_partner bigint;
BEGIN
    UPDATE partner_token SET first_used_at = hub_now()
     WHERE hash = p_hash AND kind = 'accepted' AND first_used_at IS NULL
       AND expires_at IS NULL
    RETURNING partner_id INTO v_partner;
    IF v_partner IS NOT NULL THEN
        DELETE FROM partner_token WHERE partner_id = v_partner AND kind = 'previous';
        PERFORM partner_changed();
    END IF;
END $$;

CREATE FUNCTION partner_seen(p_id bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM partner WHERE id = p_id AND state = 'offline') THEN
        UPDATE partner SET state = 'connected' WHERE id = p_id AND state = 'offline';
        -- What was missed meanwhile is fetched.
        UPDATE pull SET due_at = least(due_at, hub_now()) WHERE partner_id = p_id;
        PERFORM partner_changed();
    END IF;
    UPDATE partner SET last_contact_at = hub_now() WHERE id = p_id;
END $$;

-- ---------------------------------------------------------------- pulls

CREATE FUNCTION pull_claim(p_limit int) RETURNS SETOF pull LANGUAGE plpgsql AS $$
DECLARE
    l pull;
    v_now timestamptz := hub_now();
BEGIN
    FOR l IN
        SELECT x.* FROM pull x JOIN partner p ON p.id = x.partner_id
         WHERE x.due_at <= v_now AND coalesce(x.lease_until <= v_now, true)
           AND p.enabled AND p.state IN ('connected', 'offline')
         ORDER BY x.due_at LIMIT p_limit
           FOR UPDATE OF x SKIP LOCKED
    LOOP
        IF l.cursor IS NULL THEN -- not one that somebody left half done
            l.started_at := v_now;
            l.date_from := CASE
                WHEN l.module = 'sessions' THEN
                    coalesce(l.good_from - interval '10 minutes', v_now - interval '1 day')
                WHEN l.module = 'cdrs' THEN
                    coalesce(l.good_from - interval '24 hours', v_now - interval '35 days')
                WHEN l.full_at > v_now - interval '7 days' THEN
                    l.good_from - interval '10 minutes' END;
        END IF;
        -- Longer than a page may take (60 s), shorter than a start waits for its session: a process
        -- that dies in a pull must not cost a start.
        UPDATE pull SET lease_until = v_now + interval '70 seconds', started_at = l.started_at,
               date_from = l.date_from, again = false
         WHERE partner_id = l.partner_id AND module = l.module
        RETURNING * INTO l;
        RETURN NEXT l;
    END LOOP;
END $$;

CREATE FUNCTION pull_finished(p_partner bigint, p_module text, p_ok boolean) RETURNS void
LANGUAGE sql AS $$
    UPDATE pull SET
        lease_until = NULL, cursor = NULL, pages = 0,
        good_from = CASE WHEN p_ok THEN started_at ELSE good_from END,
        full_at = CASE WHEN p_ok AND date_from IS NULL THEN started_at ELSE full_at END,
        failures = CASE WHEN p_ok THEN 0 ELSE failures + 1 END,
        -- Spread by a fifth, so that many partners do not come at once.
        due_at = CASE
            WHEN NOT p_ok THEN hub_now() + (0.5 + random() / 2)
                 * least(interval '5 minutes', interval '5 seconds' * (2 ^ least(failures, 8)))
            WHEN again THEN started_at + interval '1 minute'
            ELSE hub_now() + (0.8 + random() * 0.4) * CASE module
                WHEN 'sessions' THEN interval '10 minutes'
                WHEN 'cdrs' THEN interval '1 hour' ELSE interval '6 hours' END END,
        again = false
     WHERE partner_id = p_partner AND module = p_module
$$;
