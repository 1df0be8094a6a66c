-- SPDX-License-Identifier: Apache-2.0
-- Locations and tariffs of CPOs. The document is kept as it came; the columns are read from it here,
-- in the same statement.

-- Upper case without - and *, as ocpi/evse_id.h has it.
CREATE FUNCTION evse_key(p_evse_id text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT nullif(translate(upper(p_evse_id), '-*', ''), '')
$$;

-- What a connector can give: as told, else volts x amperes x phases. The numbers may be texts where
-- a partner has the quirk; what is no number counts as nothing.
CREATE FUNCTION json_integer(p jsonb) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p #>> '{}' ~ '^[0-9]{1,9}(\.[0-9]{1,6})?$' THEN (p #>> '{}')::numeric::bigint END
$$;
CREATE FUNCTION connectors_of(p_connectors jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', c ->> 'id', 'standard', c ->> 'standard', 'format', c ->> 'format',
        'power_type', c ->> 'power_type',
        'power_w', coalesce(
            json_integer(c -> 'max_electric_power'),
            coalesce(json_integer(c -> 'max_voltage'), json_integer(c -> 'voltage'))
            * coalesce(json_integer(c -> 'max_amperage'), json_integer(c -> 'amperage'))
            * CASE c ->> 'power_type' WHEN 'AC_3_PHASE' THEN 3 WHEN 'AC_2_PHASE' THEN 2 ELSE 1 END,
            0)) ORDER BY i), '[]')
      FROM jsonb_array_elements(p_connectors) WITH ORDINALITY x (c, i)
     WHERE jsonb_typeof(c) = 'object'
$$;

-- Outcomes: created, replaced, same, stale, conflict. EVSEs that are missing from a full document
-- stay as REMOVED (R-LOC-02, 04). Whoever holds EVSEs in memory looks at evse.updated_at every few
-- seconds; a new or changed EVSE is notified besides, a mere status is not.
CREATE FUNCTION location_put(p_partner bigint, p_country text, p_party text, p_id text,
                             p_document text, p_last_updated timestamptz, p_if_version bigint,
                             p_ignore_older boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    o location;
    d jsonb := p_document::jsonb;
    v_now timestamptz := clock_timestamp();
    v_location bigint;
    v_outcome text := 'created';
    v_changed int;
BEGIN
    IF coalesce(p_if_version, 0) = 0 THEN
        INSERT INTO location (partner_id, country_code, party_id, location_id, document,
                              last_updated, published, updated_at)
        VALUES (p_partner, p_country, p_party, p_id, p_document, p_last_updated, true, v_now)
        ON CONFLICT (partner_id, lower(country_code), lower(party_id), lower(location_id))
        DO NOTHING
        RETURNING id INTO v_location;
    END IF;
    IF v_location IS NULL THEN
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
        IF p_last_updated = o.last_updated AND o.document = p_document THEN
            RETURN 'same';
        END IF;
        v_outcome := 'replaced';
        v_location := o.id;
    END IF;
    UPDATE location SET
        document = p_document,
        version = version + (v_outcome = 'replaced')::int,
        last_updated = p_last_updated,
        published = coalesce(d ->> 'publish', 'true') <> 'false',
        name = d ->> 'name', address = d ->> 'address', city = d ->> 'city',
        country = d ->> 'country', time_zone = d ->> 'time_zone',
        latitude = d -> 'coordinates' ->> 'latitude',
        longitude = d -> 'coordinates' ->> 'longitude', updated_at = v_now
     WHERE id = v_location;

    WITH given AS (
        SELECT DISTINCT ON (lower(e ->> 'uid'))
               e ->> 'uid' AS uid, e ->> 'evse_id' AS evse_id, coalesce(e ->> 'status', 'UNKNOWN')
                   AS status,
               ARRAY(SELECT jsonb_array_elements_text(
                         CASE jsonb_typeof(e -> 'capabilities') WHEN 'array' THEN e -> 'capabilities'
                              ELSE '[]' END)) AS capabilities,
               connectors_of(CASE jsonb_typeof(e -> 'connectors') WHEN 'array'
                                  THEN e -> 'connectors' ELSE '[]' END) AS connectors
          FROM jsonb_array_elements(CASE jsonb_typeof(d -> 'evses') WHEN 'array' THEN d -> 'evses'
                                         ELSE '[]' END) e
         WHERE e ->> 'uid' IS NOT NULL
    ), removed AS (
        UPDATE evse SET status = 'REMOVED', updated_at = v_now
         WHERE location = v_location AND status <> 'REMOVED'
           AND lower(uid) NOT IN (SELECT lower(uid) FROM given)
    ), put AS (
        INSERT INTO evse AS x (location, uid, evse_id, evse_key, status, capabilities, connectors,
                               updated_at)
        SELECT v_location, uid, evse_id, evse_key(evse_id), status, capabilities, connectors, v_now
          FROM given
        ON CONFLICT (location, lower(uid)) DO UPDATE
           SET uid = EXCLUDED.uid, evse_id = EXCLUDED.evse_id, evse_key = EXCLUDED.evse_key,
               status = EXCLUDED.status, capabilities = EXCLUDED.capabilities,
               connectors = EXCLUDED.connectors, updated_at = v_now
        RETURNING x.uid
    ), before AS (
        SELECT lower(uid) AS uid, evse_key, capabilities, connectors FROM evse
         WHERE location = v_location
    )
    SELECT count(*) INTO v_changed
      FROM given g LEFT JOIN before b ON b.uid = lower(g.uid)
     WHERE (b.evse_key, b.capabilities, b.connectors)
           IS DISTINCT FROM (evse_key(g.evse_id), g.capabilities, g.connectors);
    IF v_changed > 0 THEN
        PERFORM pg_notify('location', p_partner || '/' || v_location);
    END IF;
    RETURN v_outcome;
END $$;

-- What the index in memory keeps of an EVSE.
CREATE FUNCTION evse_document(l location, e evse) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN e.uid IS NOT NULL THEN jsonb_build_object(
        'partner_id', l.partner_id, 'country_code', l.country_code, 'party_id', l.party_id,
        'location_id', l.location_id, 'uid', e.uid, 'evse_id', e.evse_id, 'status', e.status,
        'capabilities', to_jsonb(e.capabilities), 'connectors', e.connectors,
        'published', l.published, 'name', l.name, 'address', l.address, 'city', l.city,
        'country', l.country, 'time_zone', l.time_zone, 'latitude', l.latitude,
        'longitude', l.longitude,
        'updated_us', (extract(epoch FROM l.last_updated) * 1000000)::bigint)::text END
$$;

-- true: it was not there before. Every version stays in tariff_version; an older one than the
-- stored is only noted there.
CREATE FUNCTION tariff_put(p_partner bigint, p_country text, p_party text, p_id text,
                           p_document text, p_last_updated timestamptz)
RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    o tariff;
    v_created boolean := false;
BEGIN
    INSERT INTO tariff (partner_id, country_code, party_id, tariff_id, document, last_updated)
    VALUES (p_partner, p_country, p_party, p_id, p_document, p_last_updated)
    ON CONFLICT (partner_id, lower(country_code), lower(party_id), lower(tariff_id)) DO NOTHING
    RETURNING * INTO o;
    IF o.id IS NOT NULL THEN
        v_created := true;
    ELSE
        SELECT * INTO o FROM tariff
         WHERE partner_id = p_partner AND lower(country_code) = lower(p_country)
           AND lower(party_id) = lower(p_party) AND lower(tariff_id) = lower(p_id)
           FOR UPDATE;
        IF o.deleted_at IS NULL
           AND (p_last_updated < o.last_updated
                OR (p_last_updated = o.last_updated AND p_document = o.document)) THEN
            RETURN false;
        END IF;
        v_created := o.deleted_at IS NOT NULL;
        UPDATE tariff SET document = p_document, last_updated = p_last_updated,
               version = version + 1, deleted_at = NULL
         WHERE id = o.id
        RETURNING * INTO o;
    END IF;
    INSERT INTO tariff_version (tariff, version, document, last_updated)
    VALUES (o.id, o.version, p_document, p_last_updated);
    RETURN v_created;
END $$;
