-- SPDX-License-Identifier: Apache-2.0
-- Who may read what: contracts, the tokens of other eMSPs, and the states of the parties of other
-- hubs. Closed by default.

-- ---------------------------------------------------------------- contracts

-- Whose objects and messages (from) may go to whom (to). module '': all of them; a row of one
-- module stands above it.
CREATE TABLE contract (
    from_country text NOT NULL,
    from_party text NOT NULL,
    to_country text NOT NULL,
    to_party text NOT NULL,
    module text NOT NULL,
    allowed boolean NOT NULL,
    since timestamptz NOT NULL,
    from_owner text NOT NULL GENERATED ALWAYS AS (party_key(from_country, from_party)) STORED,
    to_owner text NOT NULL GENERATED ALWAYS AS (party_key(to_country, to_party)) STORED,
    PRIMARY KEY (to_owner, from_owner, module)
);

-- (plpgsql, here and where triggers ask: its plans outlive the statement.)
CREATE FUNCTION contract_allows(p_from text, p_to text, p_module text) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce((SELECT allowed FROM contract
                      WHERE to_owner = p_to AND from_owner = p_from AND module IN (p_module, '')
                      ORDER BY module DESC LIMIT 1), false);
END $$;

-- The parties of a partner, or the one of them that is asked for; none where it is not its own.
CREATE FUNCTION partner_owners(p_partner bigint, p_country text, p_party text) RETURNS SETOF text
LANGUAGE sql STABLE ROWS 2 AS $$
    SELECT DISTINCT owner FROM party
     WHERE partner_id = p_partner
       AND (coalesce(p_party, '') = '' OR owner = party_key(p_country, p_party))
$$;

-- Whose objects of a module the reader may list.
CREATE FUNCTION share_owners(p_reader bigint, p_reader_country text, p_reader_party text,
                             p_module text, p_country text, p_party text)
RETURNS SETOF text LANGUAGE sql STABLE ROWS 20 AS $$
    SELECT DISTINCT c.from_owner
      FROM partner_owners(p_reader, p_reader_country, p_reader_party) r (owner)
      JOIN contract c ON c.to_owner = r.owner
     WHERE c.module IN (p_module, '') AND contract_allows(c.from_owner, c.to_owner, p_module)
       AND (coalesce(p_party, '') = '' OR c.from_owner = party_key(p_country, p_party))
$$;

-- Whose objects nobody is shown (R-ROUTE-31).
CREATE FUNCTION partners_hidden() RETURNS bigint[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(SELECT id FROM partner WHERE state = 'suspended' OR NOT enabled)
$$;

-- ---------------------------------------------------------------- sessions of other eMSPs

-- What their lists are made of. A table of its own, because last_updated changes with each reading:
-- in an index of network_session it would cost every session dear, and most are our own users'.
CREATE TABLE shared_session (
    id bigint PRIMARY KEY, -- of network_session
    token_owner text NOT NULL,
    owner text NOT NULL,
    partner_id bigint NOT NULL,
    last_updated timestamptz NOT NULL
) WITH (fillfactor = 70);
CREATE INDEX shared_session_of_token_owner ON shared_session (token_owner, last_updated);

CREATE FUNCTION network_session_shared() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM party WHERE owner = NEW.token_owner) THEN
        INSERT INTO shared_session (id, token_owner, owner, partner_id, last_updated)
        VALUES (NEW.id, NEW.token_owner, party_key(NEW.country_code, NEW.party_id),
                NEW.partner_id, NEW.last_updated)
        ON CONFLICT (id) DO UPDATE
           SET token_owner = EXCLUDED.token_owner, last_updated = EXCLUDED.last_updated;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER network_session_shared_new AFTER INSERT ON network_session
    FOR EACH ROW WHEN (NEW.token_owner IS NOT NULL) EXECUTE FUNCTION network_session_shared();
CREATE TRIGGER network_session_shared AFTER UPDATE ON network_session
    FOR EACH ROW WHEN (NEW.token_owner IS NOT NULL AND NEW.version <> OLD.version)
    EXECUTE FUNCTION network_session_shared();

-- ---------------------------------------------------------------- tokens of other eMSPs

CREATE TABLE roaming_token (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id bigint NOT NULL REFERENCES partner,
    country_code text NOT NULL,
    party_id text NOT NULL,
    uid text NOT NULL,
    type text NOT NULL,
    contract_id text NOT NULL,
    valid boolean NOT NULL,
    document text NOT NULL,
    ocpi text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    last_updated timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    owner text NOT NULL GENERATED ALWAYS AS (party_key(country_code, party_id)) STORED
);
CREATE UNIQUE INDEX roaming_token_key ON roaming_token (partner_id, lower(uid), owner, upper(type));
CREATE INDEX roaming_token_of_owner ON roaming_token (owner, id)
    INCLUDE (partner_id, last_updated);
CREATE INDEX roaming_token_by_uid ON roaming_token (lower(uid));
CREATE INDEX roaming_token_by_contract ON roaming_token (lower(contract_id));

-- Outcomes: created, replaced, stale, same, conflict; as location_put.
CREATE FUNCTION roaming_token_put(p_partner bigint, p_country text, p_party text, p_uid text,
                                  p_type text, p_document text, p_ocpi text, p_contract text,
                                  p_valid boolean, p_last_updated timestamptz, p_if_version bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    o roaming_token;
    v_id bigint;
BEGIN
    IF coalesce(p_if_version, 0) = 0 THEN
        INSERT INTO roaming_token (partner_id, country_code, party_id, uid, type, contract_id, valid,
                                   document, ocpi, last_updated, updated_at)
        VALUES (p_partner, p_country, p_party, p_uid, p_type, p_contract, p_valid, p_document,
                coalesce(p_ocpi, '2.2.1'), p_last_updated, hub_now())
        ON CONFLICT (partner_id, lower(uid), owner, upper(type)) DO NOTHING
        RETURNING id INTO v_id;
        IF v_id IS NOT NULL THEN
            RETURN 'created';
        END IF;
    END IF;
    SELECT * INTO o FROM roaming_token
     WHERE partner_id = p_partner AND lower(uid) = lower(p_uid)
       AND owner = party_key(p_country, p_party) AND upper(type) = upper(p_type)
       FOR UPDATE;
    IF coalesce(p_if_version, 0) <> 0 AND o.version IS DISTINCT FROM p_if_version THEN
        RETURN 'conflict';
    END IF;
    IF p_last_updated < o.last_updated AND coalesce(p_if_version, 0) = 0 THEN
        RETURN 'stale';
    END IF;
    IF p_last_updated = o.last_updated AND o.document = p_document
       AND o.ocpi = coalesce(p_ocpi, '2.2.1') THEN
        RETURN 'same';
    END IF;
    UPDATE roaming_token SET
        contract_id = p_contract, valid = p_valid, document = p_document,
        ocpi = coalesce(p_ocpi, '2.2.1'), last_updated = p_last_updated, version = version + 1,
        updated_at = hub_now()
     WHERE id = o.id;
    RETURN 'replaced';
END $$;

-- Whose token is it? Among those that a CPO may know: ours, and those of eMSPs under a contract with
-- one of its parties. What two eMSPs both call their own is nobody's, unless only one is valid.
CREATE FUNCTION token_owner_find(p_cpo bigint, p_uid text)
RETURNS TABLE (ours boolean, country_code text, party_id text, uid text, type text,
               contract_id text, document text, ocpi text)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN QUERY
    SELECT true, NULL::text, NULL::text, t.uid, t.type, t.contract_id, NULL::text, NULL::text
      FROM token t WHERE t.uid = upper(p_uid)
     UNION ALL
    SELECT true, NULL, NULL, t.uid, t.type, t.contract_id, NULL, NULL
      FROM token t WHERE t.contract_id IN (p_uid, upper(p_uid)) AND t.type = 'APP_USER'
     LIMIT 1;
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH known AS (
        SELECT t.*, CASE WHEN lower(t.uid) = lower(p_uid) THEN 0 ELSE 2 END
                    + CASE WHEN t.valid THEN 0 ELSE 1 END AS rank
          FROM (SELECT * FROM roaming_token r WHERE lower(r.uid) = lower(p_uid)
                 UNION
                SELECT * FROM roaming_token r WHERE lower(r.contract_id) = lower(p_uid)) t
         WHERE t.partner_id <> ALL ((SELECT partners_hidden())::bigint[])
           AND EXISTS (SELECT FROM partner_owners(p_cpo, NULL, NULL) c (owner)
                        WHERE contract_allows(t.owner, c.owner, 'tokens'))
    ), best AS (
        SELECT * FROM known k WHERE k.rank = (SELECT min(rank) FROM known)
    )
    SELECT false, b.country_code, b.party_id, b.uid, b.type, b.contract_id, b.document, b.ocpi
      FROM best b
     WHERE (SELECT count(DISTINCT owner) FROM best) = 1
     ORDER BY b.last_updated DESC, b.id LIMIT 1;
END $$;

-- ---------------------------------------------------------------- client infos

-- What other hubs tell us of their clients. The role is part of the key (R-HCI-04).
CREATE TABLE client_info (
    partner_id bigint NOT NULL REFERENCES partner ON DELETE CASCADE,
    country_code text NOT NULL,
    party_id text NOT NULL,
    role text NOT NULL,
    status text NOT NULL,
    last_updated timestamptz NOT NULL,
    owner text NOT NULL GENERATED ALWAYS AS (party_key(country_code, party_id)) STORED,
    PRIMARY KEY (partner_id, owner, role)
);

-- true: it was not there before. An older one changes nothing.
CREATE FUNCTION client_info_put(p_partner bigint, p_country text, p_party text, p_role text,
                                p_status text, p_last_updated timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    v_at timestamptz := coalesce(p_last_updated, hub_now()); -- R-HCI-12
BEGIN
    INSERT INTO client_info (partner_id, country_code, party_id, role, status, last_updated)
    VALUES (p_partner, p_country, p_party, upper(p_role), p_status, v_at)
    ON CONFLICT DO NOTHING;
    IF FOUND THEN
        RETURN true;
    END IF;
    UPDATE client_info SET status = p_status, last_updated = v_at
     WHERE partner_id = p_partner AND owner = party_key(p_country, p_party)
       AND role = upper(p_role) AND last_updated <= v_at;
    RETURN false;
END $$;

-- Two parties that could work together: one is a CPO, the other is not, and there is a contract in
-- either direction (R-HCI-06). Hubs are told of to nobody (R-HCI-11).
CREATE FUNCTION client_info_visible(y party, p_reader bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN y.partner_id <> p_reader AND y.role <> 'HUB' AND EXISTS (
        SELECT FROM party r
         WHERE r.partner_id = p_reader AND r.role <> 'HUB'
           AND (r.role = 'CPO') <> (y.role = 'CPO')
           AND (EXISTS (SELECT FROM contract c WHERE c.to_owner = r.owner AND c.allowed
                           AND c.from_owner = y.owner)
                OR EXISTS (SELECT FROM contract c WHERE c.to_owner = y.owner AND c.allowed
                              AND c.from_owner = r.owner)));
END $$;

CREATE FUNCTION client_info_status(p partner) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p.enabled THEN upper(p.state) ELSE 'SUSPENDED' END
$$;
