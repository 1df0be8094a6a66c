-- SPDX-License-Identifier: Apache-2.0
-- What a partner may read of others' objects. $1 the reader, $2/$3 one of its parties or NULL, $4/$5
-- the owner or NULL, $6 for 2.1.1. Lists: $7/$8 last_updated from (inclusive) and to (exclusive), $9
-- offset, $10 limit; a first row without an id tells the total where the page is empty. The order
-- is that of the row's id, in which the objects were first seen. Objects by id: $7.

-- name: share_locations
-- Index location_of_owner, an owner after the other: each gives at most the rows up to the page's
-- end, and its count without reading the locations.
WITH owners AS MATERIALIZED (
    SELECT o AS owner FROM share_owners($1, $2, $3, 'locations', $4, $5) o
), page AS MATERIALIZED (
    SELECT x.id FROM owners o CROSS JOIN LATERAL (
               SELECT l.id FROM location l
                WHERE l.owner = o.owner AND (NOT $6::boolean OR l.published)
                  AND l.last_updated >= coalesce($7::timestamptz, '-infinity')
                  AND l.last_updated < coalesce($8::timestamptz, 'infinity')
                  AND l.partner_id <> ALL ((SELECT partners_hidden())::bigint[])
                ORDER BY l.id LIMIT $9::bigint + $10::bigint) x
     ORDER BY x.id OFFSET $9 LIMIT $10
), counted AS MATERIALIZED (
    SELECT coalesce(sum(x.n), 0)::bigint AS total FROM owners o CROSS JOIN LATERAL (
               SELECT count(*) AS n FROM location l
                WHERE l.owner = o.owner AND (NOT $6::boolean OR l.published)
                  AND l.last_updated >= coalesce($7::timestamptz, '-infinity')
                  AND l.last_updated < coalesce($8::timestamptz, 'infinity')
                  AND l.partner_id <> ALL ((SELECT partners_hidden())::bigint[])) x
)
SELECT c.total, l.location_id AS id, l.document, l.ocpi, l.country_code, l.party_id, l.last_updated,
       NULL AS location, NULL AS location_ocpi, NULL AS token_country, NULL AS token_party
  FROM counted c LEFT JOIN page p ON true
  LEFT JOIN LATERAL (SELECT * FROM location x WHERE x.id = p.id LIMIT 1) l ON true
 ORDER BY p.id

-- name: share_location
-- Index location_by_id.
SELECT count(*) OVER () AS total, l.location_id AS id, l.document, l.ocpi, l.country_code,
       l.party_id, l.last_updated,
       NULL AS location, NULL AS location_ocpi, NULL AS token_country, NULL AS token_party
  FROM location l
 WHERE lower(l.location_id) = lower($7) AND (NOT $6::boolean OR l.published)
   AND l.owner IN (SELECT * FROM share_owners($1, $2, $3, 'locations', $4, $5))
   AND l.partner_id <> ALL ((SELECT partners_hidden())::bigint[])
 ORDER BY l.id

-- name: share_tariffs
-- Index tariff_of_owner. Where only those in force are told ($6), one is news when it begins.
WITH owners AS MATERIALIZED (
    SELECT o AS owner FROM share_owners($1, $2, $3, 'tariffs', $4, $5) o
), page AS MATERIALIZED (
    SELECT x.id FROM owners o CROSS JOIN LATERAL (
               SELECT t.id FROM tariff t
                WHERE t.owner = o.owner AND t.deleted_at IS NULL
                  AND (NOT $6::boolean OR (coalesce(t.start_at, '-infinity') <= hub_now()
                                           AND coalesce(t.end_at, 'infinity') > hub_now()))
                  AND greatest(t.last_updated, CASE WHEN $6::boolean THEN t.start_at END)
                      >= coalesce($7::timestamptz, '-infinity')
                  AND greatest(t.last_updated, CASE WHEN $6::boolean THEN t.start_at END)
                      < coalesce($8::timestamptz, 'infinity')
                  AND t.partner_id <> ALL ((SELECT partners_hidden())::bigint[])
                ORDER BY t.id LIMIT $9::bigint + $10::bigint) x
     ORDER BY x.id OFFSET $9 LIMIT $10
), counted AS MATERIALIZED (
    SELECT coalesce(sum(x.n), 0)::bigint AS total FROM owners o CROSS JOIN LATERAL (
               SELECT count(*) AS n FROM tariff t
                WHERE t.owner = o.owner AND t.deleted_at IS NULL
                  AND (NOT $6::boolean OR (coalesce(t.start_at, '-infinity') <= hub_now()
                                           AND coalesce(t.end_at, 'infinity') > hub_now()))
                  AND greatest(t.last_updated, CASE WHEN $6::boolean THEN t.start_at END)
                      >= coalesce($7::timestamptz, '-infinity')
                  AND greatest(t.last_updated, CASE WHEN $6::boolean THEN t.start_at END)
                      < coalesce($8::timestamptz, 'infinity')
                  AND t.partner_id <> ALL ((SELECT partners_hidden())::bigint[])) x
)
SELECT c.total, t.tariff_id AS id, t.document, t.ocpi, t.country_code, t.party_id, t.last_updated,
       NULL AS location, NULL AS location_ocpi, NULL AS token_country, NULL AS token_party
  FROM counted c LEFT JOIN page p ON true
  LEFT JOIN LATERAL (SELECT * FROM tariff x WHERE x.id = p.id LIMIT 1) t ON true
 ORDER BY p.id

-- name: share_tariff
-- Index tariff_by_id.
SELECT count(*) OVER () AS total, t.tariff_id AS id, t.document, t.ocpi, t.country_code, t.party_id,
       t.last_updated,
       NULL AS location, NULL AS location_ocpi, NULL AS token_country, NULL AS token_party
  FROM tariff t
 WHERE lower(t.tariff_id) = lower($7) AND t.deleted_at IS NULL
   AND (NOT $6::boolean OR (coalesce(t.start_at, '-infinity') <= hub_now()
                            AND coalesce(t.end_at, 'infinity') > hub_now()))
   AND t.owner IN (SELECT * FROM share_owners($1, $2, $3, 'tariffs', $4, $5))
   AND t.partner_id <> ALL ((SELECT partners_hidden())::bigint[])
 ORDER BY t.id

-- name: share_sessions
-- Index shared_session_of_token_owner: date_from, which is always given, makes it short.
WITH owners AS MATERIALIZED (
    SELECT o AS owner FROM partner_owners($1, $2, $3) o
), page AS MATERIALIZED (
    SELECT x.id FROM owners o CROSS JOIN LATERAL (
               SELECT n.id FROM shared_session n
                WHERE n.token_owner = o.owner
                  AND ($5::text IS NULL OR n.owner = party_key($4, $5))
                  AND n.last_updated >= coalesce($7::timestamptz, '-infinity')
                  AND n.last_updated < coalesce($8::timestamptz, 'infinity')
                  AND n.partner_id <> ALL ((SELECT partners_hidden())::bigint[])
                ORDER BY n.id LIMIT $9::bigint + $10::bigint) x
     ORDER BY x.id OFFSET $9 LIMIT $10
), counted AS MATERIALIZED (
    SELECT coalesce(sum(x.n), 0)::bigint AS total FROM owners o CROSS JOIN LATERAL (
               SELECT count(*) AS n FROM shared_session n
                WHERE n.token_owner = o.owner
                  AND ($5::text IS NULL OR n.owner = party_key($4, $5))
                  AND n.last_updated >= coalesce($7::timestamptz, '-infinity')
                  AND n.last_updated < coalesce($8::timestamptz, 'infinity')
                  AND n.partner_id <> ALL ((SELECT partners_hidden())::bigint[])) x
)
SELECT c.total, n.network_session_id AS id, n.document, n.ocpi, n.country_code, n.party_id,
       n.last_updated, l.document AS location, l.ocpi AS location_ocpi, n.token_country,
       n.token_party
  FROM counted c LEFT JOIN page p ON true
  LEFT JOIN LATERAL (SELECT * FROM network_session x WHERE x.id = p.id AND $6::boolean IS NOT NULL
                      LIMIT 1) n ON true
  LEFT JOIN LATERAL (SELECT * FROM location x
                      WHERE x.partner_id = n.partner_id
                        AND lower(x.country_code) = lower(n.country_code)
                        AND lower(x.party_id) = lower(n.party_id)
                        AND lower(x.location_id) = lower(n.location_id) LIMIT 1) l ON true
 ORDER BY p.id

-- name: share_session
-- Index network_session_by_id.
SELECT count(*) OVER () AS total, n.network_session_id AS id, n.document, n.ocpi, n.country_code,
       n.party_id, n.last_updated, l.document AS location, l.ocpi AS location_ocpi,
       n.token_country, n.token_party
  FROM network_session n
  LEFT JOIN LATERAL (SELECT * FROM location x
                      WHERE x.partner_id = n.partner_id
                        AND lower(x.country_code) = lower(n.country_code)
                        AND lower(x.party_id) = lower(n.party_id)
                        AND lower(x.location_id) = lower(n.location_id) LIMIT 1) l ON true
 WHERE lower(n.network_session_id) = lower($7) AND $6::boolean IS NOT NULL
   AND n.token_owner IN (SELECT * FROM partner_owners($1, $2, $3))
   AND ($5::text IS NULL OR party_key(n.country_code, n.party_id) = party_key($4, $5))
   AND n.partner_id <> ALL ((SELECT partners_hidden())::bigint[])
 ORDER BY n.id

-- name: share_cdrs
-- Index cdr_of_token_owner.
WITH owners AS MATERIALIZED (
    SELECT o AS owner FROM partner_owners($1, $2, $3) o
), page AS MATERIALIZED (
    SELECT x.id FROM owners o CROSS JOIN LATERAL (
               SELECT d.id FROM cdr d
                WHERE d.token_owner = o.owner
                  AND ($5::text IS NULL
                       OR party_key(d.country_code, d.party_id) = party_key($4, $5))
                  AND d.last_updated >= coalesce($7::timestamptz, '-infinity')
                  AND d.last_updated < coalesce($8::timestamptz, 'infinity')
                  AND d.partner_id <> ALL ((SELECT partners_hidden())::bigint[])
                ORDER BY d.id LIMIT $9::bigint + $10::bigint) x
     ORDER BY x.id OFFSET $9 LIMIT $10
), counted AS MATERIALIZED (
    SELECT coalesce(sum(x.n), 0)::bigint AS total FROM owners o CROSS JOIN LATERAL (
               SELECT count(*) AS n FROM cdr d
                WHERE d.token_owner = o.owner
                  AND ($5::text IS NULL
                       OR party_key(d.country_code, d.party_id) = party_key($4, $5))
                  AND d.last_updated >= coalesce($7::timestamptz, '-infinity')
                  AND d.last_updated < coalesce($8::timestamptz, 'infinity')
                  AND d.partner_id <> ALL ((SELECT partners_hidden())::bigint[])) x
)
SELECT c.total, d.cdr_id AS id, convert_from(d.body, 'UTF8') AS document, d.ocpi, d.country_code,
       d.party_id, d.last_updated, l.document AS location, l.ocpi AS location_ocpi,
       d.token_country, d.token_party
  FROM counted c LEFT JOIN page p ON true
  LEFT JOIN LATERAL (SELECT * FROM cdr x WHERE x.id = p.id AND $6::boolean IS NOT NULL
                      LIMIT 1) d ON true
  LEFT JOIN LATERAL (SELECT * FROM location x
                      WHERE x.partner_id = d.partner_id
                        AND lower(x.country_code) = lower(d.country_code)
                        AND lower(x.party_id) = lower(d.party_id)
                        AND lower(x.location_id) = lower(d.location_id) LIMIT 1) l ON true
 ORDER BY p.id

-- name: share_cdr
-- Index cdr_by_id.
SELECT count(*) OVER () AS total, d.cdr_id AS id, convert_from(d.body, 'UTF8') AS document, d.ocpi,
       d.country_code, d.party_id, d.last_updated, l.document AS location,
       l.ocpi AS location_ocpi, d.token_country, d.token_party
  FROM cdr d
  LEFT JOIN LATERAL (SELECT * FROM location x
                      WHERE x.partner_id = d.partner_id
                        AND lower(x.country_code) = lower(d.country_code)
                        AND lower(x.party_id) = lower(d.party_id)
                        AND lower(x.location_id) = lower(d.location_id) LIMIT 1) l ON true
 WHERE lower(d.cdr_id) = lower($7) AND $6::boolean IS NOT NULL
   AND d.token_owner IN (SELECT * FROM partner_owners($1, $2, $3))
   AND ($5::text IS NULL OR party_key(d.country_code, d.party_id) = party_key($4, $5))
   AND d.partner_id <> ALL ((SELECT partners_hidden())::bigint[])
 ORDER BY d.id

-- name: share_tokens
-- Index roaming_token_of_owner.
WITH owners AS MATERIALIZED (
    SELECT o AS owner FROM share_owners($1, $2, $3, 'tokens', $4, $5) o
), page AS MATERIALIZED (
    SELECT x.id FROM owners o CROSS JOIN LATERAL (
               SELECT t.id FROM roaming_token t
                WHERE t.owner = o.owner
                  AND t.last_updated >= coalesce($7::timestamptz, '-infinity')
                  AND t.last_updated < coalesce($8::timestamptz, 'infinity')
                  AND t.partner_id <> ALL ((SELECT partners_hidden())::bigint[])
                ORDER BY t.id LIMIT $9::bigint + $10::bigint) x
     ORDER BY x.id OFFSET $9 LIMIT $10
), counted AS MATERIALIZED (
    SELECT coalesce(sum(x.n), 0)::bigint AS total FROM owners o CROSS JOIN LATERAL (
               SELECT count(*) AS n FROM roaming_token t
                WHERE t.owner = o.owner
                  AND t.last_updated >= coalesce($7::timestamptz, '-infinity')
                  AND t.last_updated < coalesce($8::timestamptz, 'infinity')
                  AND t.partner_id <> ALL ((SELECT partners_hidden())::bigint[])) x
)
SELECT c.total, t.uid AS id, t.document, t.ocpi, t.country_code, t.party_id, t.last_updated,
       NULL AS location, NULL AS location_ocpi, t.country_code AS token_country,
       t.party_id AS token_party
  FROM counted c LEFT JOIN page p ON true
  LEFT JOIN LATERAL (SELECT * FROM roaming_token x WHERE x.id = p.id AND $6::boolean IS NOT NULL
                      LIMIT 1) t ON true
 ORDER BY p.id

-- name: share_token
-- Index roaming_token_by_uid.
SELECT count(*) OVER () AS total, t.uid AS id, t.document, t.ocpi, t.country_code, t.party_id,
       t.last_updated, NULL AS location, NULL AS location_ocpi, t.country_code AS token_country,
       t.party_id AS token_party
  FROM roaming_token t
 WHERE lower(t.uid) = lower($7) AND $6::boolean IS NOT NULL
   AND t.owner IN (SELECT * FROM share_owners($1, $2, $3, 'tokens', $4, $5))
   AND t.partner_id <> ALL ((SELECT partners_hidden())::bigint[])
 ORDER BY t.id
