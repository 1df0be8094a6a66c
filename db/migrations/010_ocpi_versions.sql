-- SPDX-License-Identifier: Apache-2.0
-- Objects in several versions of OCPI: each is kept as it came, together with its version; the
-- columns are read from the hub's own view of it. Objects also know their owner in one word, so
-- that what a partner may read is found by index; a list is in the order of the row's id, which is
-- the order in which we first saw the objects (R-TRANS-45).

-- "fi*vrt": how parties are compared (R-TYPE-01).
CREATE FUNCTION party_key(p_country text, p_party text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT lower(p_country || '*' || p_party)
$$;

-- An OCPI time, which may lack its zone; NULL for what is none.
CREATE FUNCTION time_or_null(p_text text) RETURNS timestamptz LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF p_text !~ '^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?$' THEN
        RETURN NULL;
    END IF;
    RETURN (p_text || CASE WHEN p_text ~ '(Z|[+-]\d\d:?\d\d)$' THEN '' ELSE 'Z' END)::timestamptz;
EXCEPTION WHEN datetime_field_overflow OR invalid_datetime_format THEN
    RETURN NULL;
END $$;

-- ---------------------------------------------------------------- columns

-- party_key() written out: else each write would parse it anew, and there are many of locations.
ALTER TABLE location
    ADD COLUMN ocpi text NOT NULL DEFAULT '2.2.1',
    ADD COLUMN owner text NOT NULL
        GENERATED ALWAYS AS (lower(country_code || '*' || party_id)) STORED;
CREATE INDEX location_of_owner ON location (owner, id) INCLUDE (partner_id, published, last_updated);
CREATE INDEX location_by_id ON location (lower(location_id));

-- digest: of the EVSE as told, its status left out: what has not changed is not written again.
ALTER TABLE evse
    ADD COLUMN digest text,
    ADD COLUMN last_updated timestamptz;

ALTER TABLE tariff
    ADD COLUMN ocpi text NOT NULL DEFAULT '2.2.1',
    ADD COLUMN start_at timestamptz,
    ADD COLUMN end_at timestamptz,
    ADD COLUMN owner text NOT NULL GENERATED ALWAYS AS (party_key(country_code, party_id)) STORED;
CREATE INDEX tariff_of_owner ON tariff (owner, id) INCLUDE (partner_id, start_at, end_at, last_updated)
    WHERE deleted_at IS NULL;
CREATE INDEX tariff_by_id ON tariff (lower(tariff_id));
ALTER TABLE tariff_version ADD COLUMN ocpi text NOT NULL DEFAULT '2.2.1';
UPDATE tariff SET start_at = time_or_null(document::jsonb ->> 'start_date_time'),
                  end_at = time_or_null(document::jsonb ->> 'end_date_time');

-- The party whose token was charged with: who may read the object. NULL: nobody's.
ALTER TABLE network_session
    ADD COLUMN ocpi text NOT NULL DEFAULT '2.2.1',
    ADD COLUMN token_country text,
    ADD COLUMN token_party text,
    ADD COLUMN token_owner text GENERATED ALWAYS AS (party_key(token_country, token_party)) STORED;
CREATE INDEX network_session_by_id ON network_session (lower(network_session_id));

ALTER TABLE cdr
    ADD COLUMN ocpi text NOT NULL DEFAULT '2.2.1',
    ADD COLUMN token_country text,
    ADD COLUMN token_party text,
    ADD COLUMN token_owner text GENERATED ALWAYS AS (party_key(token_country, token_party)) STORED;
CREATE INDEX cdr_of_token_owner ON cdr (token_owner, id) INCLUDE (partner_id, last_updated)
    WHERE token_owner IS NOT NULL;
CREATE INDEX cdr_by_id ON cdr (lower(cdr_id));

-- ---------------------------------------------------------------- locations

DROP FUNCTION location_put(bigint, text, text, text, text, timestamptz, bigint, boolean);

-- As before, but planned once for each connection and not for each location.
CREATE OR REPLACE FUNCTION connectors_of(p_connectors jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', c ->> 'id', 'standard', c ->> 'standard', 'format', c ->> 'format',
        'power_type', c ->> 'power_type',
        'power_w', coalesce(
            json_integer(c -> 'max_electric_power'),
            coalesce(json_integer(c -> 'max_voltage'), json_integer(c -> 'voltage'))
            * coalesce(json_integer(c -> 'max_amperage'), json_integer(c -> 'amperage'))
            * CASE c ->> 'power_type' WHEN 'AC_3_PHASE' THEN 3 WHEN 'AC_2_PHASE' THEN 2 ELSE 1 END,
            0)) ORDER BY i), '[]')
      FROM jsonb_array_elements(p_connectors) WITH ORDINALITY x (c, i)
     WHERE jsonb_typeof(c) = 'object');
END $$;

-- Outcomes: created, replaced, same, stale, conflict. p_view: the document as a Location of 2.2.1,
-- NULL where it is one. EVSEs that are missing from a full document stay as REMOVED (R-LOC-02, 04);
-- only those that differ are written. Whoever holds EVSEs in memory looks at evse.updated_at every
-- few seconds; a new or changed EVSE is notified besides, a mere status is not.
CREATE FUNCTION location_put(p_partner bigint, p_country text, p_party text, p_id text,
                             p_document text, p_last_updated timestamptz, p_if_version bigint,
                             p_ignore_older boolean, p_ocpi text DEFAULT '2.2.1',
                             p_view text DEFAULT NULL)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    o location;
    l location;
    d jsonb := coalesce(p_view, p_document)::jsonb;
    v_now timestamptz := clock_timestamp();
    v_outcome text := 'created';
    v_shown boolean := true; -- what an EVSE shows of its location is new
    v_changed int;
BEGIN
    l.published := coalesce(d ->> 'publish', 'true') <> 'false';
    l.name := d ->> 'name';
    l.address := d ->> 'address';
    l.city := d ->> 'city';
    l.country := d ->> 'country';
    l.time_zone := d ->> 'time_zone';
    l.latitude := d -> 'coordinates' ->> 'latitude';
    l.longitude := d -> 'coordinates' ->> 'longitude';
    IF coalesce(p_if_version, 0) = 0 THEN
        INSERT INTO location
            (partner_id, country_code, party_id, location_id, document, ocpi, last_updated,
             published, name, address, city, country, time_zone, latitude, longitude, updated_at)
        VALUES (p_partner, p_country, p_party, p_id, p_document, coalesce(p_ocpi, '2.2.1'),
                p_last_updated, l.published, l.name, l.address, l.city, l.country, l.time_zone,
                l.latitude, l.longitude, v_now)
        ON CONFLICT (partner_id, lower(country_code), lower(party_id), lower(location_id))
        DO NOTHING
        RETURNING id INTO l.id;
    END IF;
    IF l.id IS NULL THEN
        SELECT * INTO o FROM location
         WHERE partner_id = p_partner AND lower(country_code) = lower(p_country)
           AND lower(party_id) = lower(p_party) AND lower(location_id) = lower(p_id)
           FOR UPDATE;
        IF coalesce(p_if_version, 0) <> 0 AND o.version IS DISTINCT FROM p_if_version THEN
            RETURN 'conflict';
        END IF;
        IF p_ignore_older AND p_last_updated < o.last_updated THEN
            RETURN 'stale';
        END IF;
        IF p_last_updated = o.last_updated AND o.document = p_document
           AND o.ocpi = coalesce(p_ocpi, '2.2.1') THEN
            RETURN 'same';
        END IF;
        v_outcome := 'replaced';
        l.id := o.id;
        v_shown := (l.published, l.name, l.address, l.city, l.country, l.time_zone, l.latitude,
                    l.longitude)
            IS DISTINCT FROM (o.published, o.name, o.address, o.city, o.country, o.time_zone,
                              o.latitude, o.longitude);
        UPDATE location SET
            document = p_document, ocpi = coalesce(p_ocpi, '2.2.1'), version = version + 1,
            last_updated = p_last_updated, published = l.published, name = l.name,
            address = l.address, city = l.city, country = l.country, time_zone = l.time_zone,
            latitude = l.latitude, longitude = l.longitude, updated_at = v_now
         WHERE id = l.id;
    END IF;

    WITH given AS MATERIALIZED (
        SELECT DISTINCT ON (lower(e ->> 'uid'))
               e, lower(e ->> 'uid') AS key, coalesce(e ->> 'status', 'UNKNOWN') AS status,
               md5((e - 'status')::text) AS digest
          FROM jsonb_array_elements(CASE jsonb_typeof(d -> 'evses') WHEN 'array' THEN d -> 'evses'
                                         ELSE '[]' END) e
         WHERE e ->> 'uid' IS NOT NULL
    ), before AS MATERIALIZED (
        SELECT lower(uid) AS key, evse_key, status, capabilities, connectors, digest FROM evse
         WHERE location = l.id
    ), different AS MATERIALIZED (
        SELECT g.e, g.key, g.status, g.digest, e ->> 'evse_id' AS evse_id,
               ARRAY(SELECT jsonb_array_elements_text(
                         CASE jsonb_typeof(e -> 'capabilities') WHEN 'array' THEN e -> 'capabilities'
                              ELSE '[]' END)) AS capabilities,
               connectors_of(CASE jsonb_typeof(e -> 'connectors') WHEN 'array'
                                  THEN e -> 'connectors' ELSE '[]' END) AS connectors,
               b.evse_key AS old_key, b.capabilities AS old_capabilities,
               b.connectors AS old_connectors
          FROM given g LEFT JOIN before b USING (key)
         WHERE b.key IS NULL OR v_shown
            OR (g.digest, g.status) IS DISTINCT FROM (b.digest, b.status)
    ), removed AS (
        UPDATE evse SET status = 'REMOVED', updated_at = v_now
         WHERE location = l.id AND status <> 'REMOVED'
           AND lower(uid) IN (SELECT key FROM before EXCEPT SELECT key FROM given)
    ), put AS (
        INSERT INTO evse AS x (location, uid, evse_id, evse_key, status, capabilities, connectors,
                               digest, last_updated, updated_at)
        SELECT l.id, e ->> 'uid', evse_id, evse_key(evse_id), status, capabilities, connectors,
               digest, time_or_null(e ->> 'last_updated'), v_now
          FROM different
        ON CONFLICT (location, lower(uid)) DO UPDATE
           SET uid = EXCLUDED.uid, evse_id = EXCLUDED.evse_id, evse_key = EXCLUDED.evse_key,
               status = EXCLUDED.status, capabilities = EXCLUDED.capabilities,
               connectors = EXCLUDED.connectors, digest = EXCLUDED.digest,
               last_updated = EXCLUDED.last_updated, updated_at = v_now
    )
    SELECT count(*) INTO v_changed FROM different
     WHERE (old_key, old_capabilities, old_connectors)
           IS DISTINCT FROM (evse_key(evse_id), capabilities, connectors);
    IF v_changed > 0 THEN
        PERFORM pg_notify('location', p_partner || '/' || l.id);
    END IF;
    RETURN v_outcome;
END $$;

-- What the index in memory keeps of an EVSE.
CREATE OR REPLACE FUNCTION evse_document(l location, e evse) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN e.uid IS NOT NULL THEN json_build_object(
        'partner_id', l.partner_id, 'country_code', l.country_code, 'party_id', l.party_id,
        'location_id', l.location_id, 'uid', e.uid, 'evse_id', e.evse_id, 'status', e.status,
        'capabilities', to_json(e.capabilities), 'connectors', e.connectors,
        'published', l.published, 'name', l.name, 'address', l.address, 'city', l.city,
        'country', l.country, 'time_zone', l.time_zone, 'latitude', l.latitude,
        'longitude', l.longitude,
        'updated_us', (extract(epoch FROM coalesce(e.last_updated, l.last_updated))
                       * 1000000)::bigint)::text END
$$;

-- ---------------------------------------------------------------- tariffs

DROP FUNCTION tariff_put(bigint, text, text, text, text, timestamptz);

-- true: it was not there before. NULL: it is another version than p_if_version by now, and nothing
-- was written. Every version stays in tariff_version.
CREATE FUNCTION tariff_put(p_partner bigint, p_country text, p_party text, p_id text,
                           p_document text, p_last_updated timestamptz,
                           p_ocpi text DEFAULT '2.2.1', p_if_version bigint DEFAULT 0)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    o tariff;
    d jsonb := p_document::jsonb;
    v_ocpi text := coalesce(p_ocpi, '2.2.1');
    v_created boolean := false;
BEGIN
    INSERT INTO tariff (partner_id, country_code, party_id, tariff_id, document, ocpi, last_updated,
                        start_at, end_at)
    VALUES (p_partner, p_country, p_party, p_id, p_document, v_ocpi, p_last_updated,
            time_or_null(d ->> 'start_date_time'), time_or_null(d ->> 'end_date_time'))
    ON CONFLICT (partner_id, lower(country_code), lower(party_id), lower(tariff_id)) DO NOTHING
    RETURNING * INTO o;
    IF o.id IS NOT NULL THEN
        v_created := true;
    ELSE
        SELECT * INTO o FROM tariff
         WHERE partner_id = p_partner AND lower(country_code) = lower(p_country)
           AND lower(party_id) = lower(p_party) AND lower(tariff_id) = lower(p_id)
           FOR UPDATE;
        IF p_if_version <> 0 AND o.version <> p_if_version THEN
            RETURN NULL;
        END IF;
        IF o.deleted_at IS NULL
           AND (p_last_updated < o.last_updated
                OR (p_last_updated = o.last_updated AND p_document = o.document
                    AND v_ocpi = o.ocpi)) THEN
            RETURN false;
        END IF;
        v_created := o.deleted_at IS NOT NULL;
        UPDATE tariff SET document = p_document, ocpi = v_ocpi, last_updated = p_last_updated,
               start_at = time_or_null(d ->> 'start_date_time'),
               end_at = time_or_null(d ->> 'end_date_time'),
               version = version + 1, deleted_at = NULL
         WHERE id = o.id
        RETURNING * INTO o;
    END IF;
    INSERT INTO tariff_version (tariff, version, document, ocpi, last_updated)
    VALUES (o.id, o.version, p_document, v_ocpi, p_last_updated);
    RETURN v_created;
END $$;

-- ---------------------------------------------------------------- sessions

DROP FUNCTION network_session_put(
    bigint, text, text, text, text, text, bigint, timestamptz, text, timestamptz, timestamptz,
    bigint, bigint, text, text, text, text, text, text, boolean, boolean);

CREATE FUNCTION network_session_put(
    p_partner bigint, p_country text, p_party text, p_id text, p_document text, p_hash text,
    p_if_version bigint, p_last_updated timestamptz, p_status text, p_start timestamptz,
    p_end timestamptz, p_energy_mwh bigint, p_cost_u6 bigint, p_currency text, p_token text,
    p_reference text, p_location text, p_evse_uid text, p_connector text, p_by_pull boolean,
    p_unreliable_clock boolean, p_ocpi text DEFAULT '2.2.1', p_token_country text DEFAULT NULL,
    p_token_party text DEFAULT NULL)
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
             created_at, updated_at, ocpi, token_country, token_party)
        VALUES (p_partner, p_country, p_party, p_id, p_status, p_document, p_hash, p_last_updated,
                v_order, p_start, p_end, v_energy, p_cost_u6, p_currency, p_token, p_reference,
                p_location, p_evse_uid, p_connector, v_order < p_last_updated, p_by_pull, v_now,
                v_now, coalesce(p_ocpi, '2.2.1'), p_token_country, p_token_party)
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
            anomalies = anomalies + (v_anomaly OR v_over)::int, updated_at = v_now,
            ocpi = coalesce(p_ocpi, '2.2.1'),
            token_country = CASE WHEN p_token_party IS NULL THEN token_country
                                 ELSE p_token_country END,
            token_party = coalesce(p_token_party, token_party)
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

-- ---------------------------------------------------------------- CDRs

DROP FUNCTION cdr_put(
    bigint, text, text, text, bytea, text, text, text, text, text, text, text, timestamptz,
    timestamptz, bigint, bigint, bigint, boolean, text, boolean, text, timestamptz, boolean, text,
    text);

CREATE FUNCTION cdr_put(
    p_partner bigint, p_country text, p_party text, p_id text, p_body bytea, p_hash text,
    p_path text, p_network_session text, p_token text, p_reference text, p_evse_uid text,
    p_location text, p_start timestamptz, p_end timestamptz, p_energy_mwh bigint,
    p_total_u6 bigint, p_total_excl_u6 bigint, p_has_incl boolean, p_currency text,
    p_credit boolean, p_credit_reference text, p_last_updated timestamptz, p_plausible boolean,
    p_why text, p_series text, p_ocpi text DEFAULT '2.2.1', p_token_country text DEFAULT NULL,
    p_token_party text DEFAULT NULL)
RETURNS cdr_answer LANGUAGE plpgsql AS $$
DECLARE
    a cdr_answer;
    c cdr;
    s session;
    v_before bigint;
BEGIN
    INSERT INTO cdr
        (partner_id, country_code, party_id, cdr_id, path, body, content_hash, network_session_id,
         token_uid, authorization_reference, location_id, evse_uid, start_at, end_at, energy_mwh,
         total_cost_u6, total_cost_excl_u6, has_incl_vat, currency, credit, credit_reference_id,
         plausible, implausible_why, last_updated, received_at, ocpi, token_country, token_party)
    VALUES (p_partner, p_country, p_party, p_id, p_path, p_body, p_hash, p_network_session, p_token,
            p_reference, p_location, p_evse_uid, p_start, p_end, greatest(p_energy_mwh, 0),
            p_total_u6, p_total_excl_u6, p_has_incl, p_currency, p_credit, p_credit_reference,
            p_plausible AND p_energy_mwh >= 0, p_why, p_last_updated, hub_now(),
            coalesce(p_ocpi, '2.2.1'), p_token_country, p_token_party)
    ON CONFLICT (lower(country_code), lower(party_id), lower(cdr_id)) DO NOTHING
    RETURNING * INTO c;
    IF c.id IS NULL THEN
        SELECT * INTO c FROM cdr
         WHERE lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party)
           AND lower(cdr_id) = lower(p_id);
        a.filed := c.filed;
        a.path := c.path;
        a.outcome := CASE WHEN c.content_hash = p_hash THEN 'repeated' ELSE 'conflict' END;
        IF a.outcome = 'conflict' THEN
            INSERT INTO cdr_refused (cdr, content_hash, body, received_at)
            VALUES (c.id, p_hash, p_body, hub_now()) ON CONFLICT DO NOTHING;
            PERFORM finance_case_open('cdr_conflict', c.session_id, c.id, NULL);
        END IF;
        RETURN a;
    END IF;
    a.outcome := 'stored';
    a.path := p_path;
    IF p_credit THEN
        s := cdr_file_credit(c, p_series);
        v_before := s.version;
    ELSE
        v_before := 0; -- whatever it was: a caller that shows it again does no harm
        s := cdr_file(c, p_series);
        IF s.state = 'completed' THEN
            -- A credit may have come before its original.
            PERFORM cdr_file_credit(x, p_series) FROM cdr x
             WHERE x.filed = 'credit_waiting' AND x.credit
               AND lower(x.country_code) = lower(p_country)
               AND lower(x.party_id) = lower(p_party)
               AND lower(x.credit_reference_id) = lower(p_id);
        END IF;
    END IF;
    SELECT filed INTO a.filed FROM cdr WHERE id = c.id;
    IF s.id IS NOT NULL THEN
        a.session := session_as_row(s, s.version <> v_before);
    END IF;
    RETURN a;
END $$;
