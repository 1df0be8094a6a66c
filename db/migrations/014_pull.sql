-- SPDX-License-Identifier: Apache-2.0
-- Pulls: what a partner offers is fetched page by page, now only what changed, now and then all of
-- it. A full pull notes what it has seen; what two of them in a row have not is no more (R-TRANS-48).

-- How far the pull under way has come.
ALTER TABLE pull
    ADD COLUMN page_url text, -- the page before the one that cursor names
    ADD COLUMN total bigint,  -- its X-Total-Count; NULL: not told
    ADD COLUMN first_id text, -- its first object
    ADD COLUMN mark text,     -- a page that was passed: when it comes again, the pages go in a circle
    ADD COLUMN complete boolean NOT NULL DEFAULT true, -- nothing was left out so far
    ADD COLUMN sweep text CHECK (sweep IN ('week', 'month')),
    -- CDRs that came late, or were forgotten: all of the last 35 days each week, of 100 each month.
    ADD COLUMN week_at timestamptz,
    ADD COLUMN month_at timestamptz;

-- The objects on the pages of the full pull under way.
CREATE TABLE pull_seen (
    partner_id bigint NOT NULL,
    module text NOT NULL,
    key text NOT NULL, -- "fi*vrt/loc1"
    PRIMARY KEY (partner_id, module, key),
    FOREIGN KEY (partner_id, module) REFERENCES pull ON DELETE CASCADE
);

-- What the last full pull did not show. In the second one in a row it is closed.
CREATE TABLE pull_missing (
    partner_id bigint NOT NULL REFERENCES partner ON DELETE CASCADE,
    module text NOT NULL,
    object bigint NOT NULL,         -- location.id, tariff.id
    key text NOT NULL,              -- as in pull_seen
    first_at timestamptz NOT NULL,  -- when the first pull began that lacked it,
    last_at timestamptz NOT NULL,   -- and the last one
    closed_at timestamptz,
    last_updated timestamptz,       -- of the object, before it was closed
    PRIMARY KEY (partner_id, module, object)
);
CREATE INDEX pull_missing_key ON pull_missing (partner_id, module, key) WHERE closed_at IS NOT NULL;

CREATE FUNCTION pull_key(p_country text, p_party text, p_id text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT lower(p_country || '*' || p_party || '/' || p_id)
$$;

-- From when on. NULL: everything. 2.1.1 may mean "after" where we mean "at or after" (R-TRANS-41).
CREATE FUNCTION pull_date_from(l pull, p_version text, p_now timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN l.module = 'sessions' THEN
            coalesce(l.good_from - interval '10 minutes', p_now - interval '1 day')
        WHEN l.module = 'cdrs' THEN CASE l.sweep
            WHEN 'month' THEN p_now - interval '100 days'
            WHEN 'week' THEN p_now - interval '35 days'
            ELSE l.good_from - interval '24 hours' END
        WHEN l.full_at > p_now - interval '7 days' THEN l.good_from - interval '10 minutes'
        END - CASE WHEN p_version = '2.1.1' THEN interval '1 second' ELSE interval '0' END
$$;

CREATE OR REPLACE FUNCTION pull_claim(p_limit int) RETURNS SETOF pull LANGUAGE plpgsql AS $$
DECLARE
    l pull;
    v_version text;
    v_now timestamptz := hub_now();
BEGIN
    FOR l IN
        SELECT x.* FROM pull x JOIN partner p ON p.id = x.partner_id
         WHERE x.due_at <= v_now AND coalesce(x.lease_until <= v_now, true)
           AND p.enabled AND p.state IN ('connected', 'offline')
         ORDER BY x.due_at LIMIT p_limit
           FOR UPDATE OF x SKIP LOCKED
    LOOP
        -- A page that failed again and again may be gone: its address with it.
        IF l.cursor IS NULL OR l.failures >= 3 THEN
            SELECT version INTO v_version FROM partner WHERE id = l.partner_id;
            l.cursor := NULL;
            l.page_url := NULL;
            l.total := NULL;
            l.first_id := NULL;
            l.mark := NULL;
            l.pages := 0;
            l.complete := true;
            l.started_at := v_now;
            l.sweep := CASE
                WHEN l.module <> 'cdrs' THEN NULL
                WHEN l.month_at <= v_now - interval '30 days' THEN 'month'
                WHEN l.good_from IS NULL OR coalesce(l.week_at <= v_now - interval '7 days', true)
                    THEN 'week' END;
            l.date_from := pull_date_from(l, v_version, v_now);
            IF l.date_from IS NULL THEN
                DELETE FROM pull_seen WHERE partner_id = l.partner_id AND module = l.module;
            END IF;
        END IF;
        -- Longer than a page may take (60 s), shorter than a start waits for its session: a process
        -- that dies in a pull must not cost a start.
        UPDATE pull SET lease_until = v_now + interval '70 seconds', started_at = l.started_at,
               date_from = l.date_from, sweep = l.sweep, cursor = l.cursor, page_url = l.page_url,
               total = l.total, first_id = l.first_id, mark = l.mark, pages = l.pages,
               complete = l.complete, again = false
         WHERE partner_id = l.partner_id AND module = l.module
        RETURNING * INTO l;
        RETURN NEXT l;
    END LOOP;
END $$;

-- The objects of a page, before they are stored. One that had been closed is open again: what is
-- told of it counts, though it may be older than the closing.
CREATE FUNCTION pull_see(p_partner bigint, p_module text, p_keys text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pull_seen (partner_id, module, key)
    SELECT p_partner, p_module, lower(k) FROM unnest(p_keys) k
     WHERE EXISTS (SELECT FROM pull WHERE partner_id = p_partner AND module = p_module
                      AND date_from IS NULL AND module IN ('locations', 'tariffs'))
    ON CONFLICT DO NOTHING;
    WITH again AS (
        DELETE FROM pull_missing
         WHERE partner_id = p_partner AND module = p_module AND closed_at IS NOT NULL
           AND key IN (SELECT lower(k) FROM unnest(p_keys) k)
        RETURNING object, last_updated
    )
    UPDATE location l SET last_updated = again.last_updated
      FROM again WHERE p_module = 'locations' AND l.id = again.object;
END $$;

-- Which of the objects lie here just so. The digest spares sending, locking and comparing documents.
-- The planner, who may have seen the tables while they were empty, is held to the indexes
-- location_key and tariff_key.
CREATE FUNCTION pull_unchanged(p_partner bigint, p_module text, p_keys text[], p_digests text[])
RETURNS SETOF bigint LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off
SET enable_mergejoin = off AS $$
BEGIN
    IF p_module = 'locations' THEN
        RETURN QUERY
        SELECT u.i
          FROM unnest(p_keys, p_digests) WITH ORDINALITY u (key, digest, i),
               LATERAL (SELECT l.document FROM location l
                         WHERE l.partner_id = p_partner
                           AND lower(l.country_code) = split_part(split_part(u.key, '/', 1), '*', 1)
                           AND lower(l.party_id) = split_part(split_part(u.key, '/', 1), '*', 2)
                           AND lower(l.location_id) = substr(u.key, strpos(u.key, '/') + 1)
                        OFFSET 0) x
         WHERE encode(sha256(convert_to(x.document, 'UTF8')), 'hex') = u.digest;
    ELSIF p_module = 'tariffs' THEN
        RETURN QUERY
        SELECT u.i
          FROM unnest(p_keys, p_digests) WITH ORDINALITY u (key, digest, i),
               LATERAL (SELECT t.document FROM tariff t
                         WHERE t.partner_id = p_partner AND t.deleted_at IS NULL
                           AND lower(t.country_code) = split_part(split_part(u.key, '/', 1), '*', 1)
                           AND lower(t.party_id) = split_part(split_part(u.key, '/', 1), '*', 2)
                           AND lower(t.tariff_id) = substr(u.key, strpos(u.key, '/') + 1)
                        OFFSET 0) x
         WHERE encode(sha256(convert_to(x.document, 'UTF8')), 'hex') = u.digest;
    END IF;
END $$;

-- The last page of a full pull has been stored: what was not on any page? Objects that were told
-- while it ran are there, whatever the pages said.
CREATE FUNCTION pull_note_missing(p_partner bigint, p_module text) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    l pull;
BEGIN
    SELECT * INTO l FROM pull WHERE partner_id = p_partner AND module = p_module
       AND date_from IS NULL AND complete;
    IF l.partner_id IS NULL THEN
        RETURN;
    END IF;
    -- Seen now, or told between the two.
    DELETE FROM pull_missing m
     WHERE m.partner_id = p_partner AND m.module = p_module AND m.closed_at IS NULL
       AND (EXISTS (SELECT FROM pull_seen s WHERE s.partner_id = p_partner
                       AND s.module = p_module AND s.key = m.key)
            OR EXISTS (SELECT FROM location c WHERE p_module = 'locations' AND c.id = m.object
                          AND c.updated_at > m.first_at)
            OR EXISTS (SELECT FROM tariff_version v WHERE p_module = 'tariffs'
                          AND v.tariff = m.object AND v.seen_at > m.first_at));
    INSERT INTO pull_missing AS m (partner_id, module, object, key, first_at, last_at)
    SELECT p_partner, p_module, x.id, x.key, l.started_at, l.started_at
      FROM (SELECT id, pull_key(country_code, party_id, location_id) AS key, updated_at
              FROM location WHERE partner_id = p_partner AND p_module = 'locations'
            UNION ALL
            SELECT id, pull_key(country_code, party_id, tariff_id),
                   (SELECT max(v.seen_at) FROM tariff_version v WHERE v.tariff = t.id)
              FROM tariff t WHERE partner_id = p_partner AND p_module = 'tariffs'
               AND deleted_at IS NULL) x
     WHERE x.updated_at < l.started_at
       AND NOT EXISTS (SELECT FROM pull_seen s WHERE s.partner_id = p_partner
                          AND s.module = p_module AND s.key = x.key)
    ON CONFLICT (partner_id, module, object) DO UPDATE SET last_at = EXCLUDED.last_at
     WHERE m.closed_at IS NULL AND m.last_at < EXCLUDED.last_at;
END $$;

-- All EVSEs of a Location are gone; the document of any version has them under the same names.
CREATE FUNCTION location_document_closed(p_document text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT jsonb_set(jsonb_set(d, '{evses}', coalesce(
               (SELECT jsonb_agg(CASE jsonb_typeof(e) WHEN 'object' THEN e || '{"status": "REMOVED"}'
                                 ELSE e END ORDER BY i)
                  FROM jsonb_array_elements(CASE jsonb_typeof(d -> 'evses') WHEN 'array'
                       THEN d -> 'evses' ELSE '[]' END) WITH ORDINALITY x (e, i)), '[]')),
               '{last_updated}', to_jsonb(to_char(hub_now() AT TIME ZONE 'UTC',
                                                  'YYYY-MM-DD"T"HH24:MI:SS"Z"')))::text
      FROM (SELECT p_document::jsonb AS d) y
$$;

-- Closes some of what two full pulls in a row have lacked; how many. Not all at once: what listens
-- to these tables has to keep up.
CREATE FUNCTION pull_close_missing(p_partner bigint, p_module text, p_limit int) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    v_ids bigint[] := ARRAY(
        SELECT object FROM pull_missing
         WHERE partner_id = p_partner AND module = p_module AND closed_at IS NULL
           AND last_at > first_at
         ORDER BY object LIMIT p_limit FOR UPDATE SKIP LOCKED);
    v_now timestamptz := clock_timestamp();
BEGIN
    IF p_module = 'locations' THEN
        UPDATE pull_missing m SET last_updated = l.last_updated
          FROM location l WHERE l.id = m.object AND m.partner_id = p_partner
           AND m.module = p_module AND m.object = ANY (v_ids);
        PERFORM FROM location WHERE id = ANY (v_ids) ORDER BY id FOR UPDATE;
        UPDATE location SET document = location_document_closed(document), version = version + 1,
               last_updated = greatest(last_updated, date_trunc('second', hub_now())),
               updated_at = v_now
         WHERE id = ANY (v_ids);
        UPDATE evse SET status = 'REMOVED', updated_at = v_now
         WHERE location = ANY (v_ids) AND status <> 'REMOVED';
        PERFORM pg_notify('location', p_partner || '/' || x) FROM unnest(v_ids) x;
    ELSE
        UPDATE tariff SET deleted_at = hub_now()
         WHERE id = ANY (v_ids) AND deleted_at IS NULL;
    END IF;
    UPDATE pull_missing SET closed_at = hub_now()
     WHERE partner_id = p_partner AND module = p_module AND object = ANY (v_ids);
    RETURN cardinality(v_ids);
END $$;

-- ok: the last page has been stored. p_complete: and nothing was left out (a Link that may not be
-- followed leaves something out); what is incomplete is asked for again as it was.
DROP FUNCTION pull_finished(bigint, text, boolean);
CREATE FUNCTION pull_finished(p_partner bigint, p_module text, p_ok boolean, p_complete boolean)
RETURNS void LANGUAGE sql AS $$
    UPDATE pull SET
        lease_until = NULL,
        -- After a failure the same page is asked for again.
        cursor = CASE WHEN NOT p_ok THEN cursor END,
        good_from = CASE WHEN p_ok AND (p_complete OR module IN ('sessions', 'cdrs'))
                         THEN started_at ELSE good_from END,
        full_at = CASE WHEN p_ok AND p_complete AND date_from IS NULL THEN started_at
                       ELSE full_at END,
        week_at = CASE WHEN p_ok AND sweep IS NOT NULL THEN started_at ELSE week_at END,
        month_at = CASE WHEN p_ok AND (sweep = 'month' OR month_at IS NULL) THEN started_at
                        ELSE month_at END,
        failures = CASE WHEN p_ok THEN 0 ELSE failures + 1 END,
        -- Spread by a fifth, so that many partners do not come at once (R-TRANS-49).
        due_at = CASE
            WHEN NOT p_ok THEN hub_now() + (0.5 + random() / 2)
                 * least(interval '5 minutes', interval '5 seconds' * (2 ^ least(failures, 8)))
            WHEN again THEN started_at + interval '1 minute'
            ELSE hub_now() + (0.8 + random() * 0.4) * CASE module
                WHEN 'sessions' THEN interval '10 minutes'
                WHEN 'cdrs' THEN interval '1 hour'
                WHEN 'tokens' THEN interval '24 hours' ELSE interval '6 hours' END END,
        again = false
     WHERE partner_id = p_partner AND module = p_module
$$;
