-- SPDX-License-Identifier: Apache-2.0
-- Locations and their EVSEs; the functions stand in migrations/009_location.sql
-- and 010_ocpi_versions.sql.

-- name: location_get
-- Index location_key.
SELECT document, ocpi, version, last_updated FROM location
 WHERE partner_id = $1 AND lower(country_code) = lower($2) AND lower(party_id) = lower($3)
   AND lower(location_id) = lower($4)

-- name: location_put
-- Locks the location's row: writers of one location go one after the other.
SELECT location_put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) AS outcome

-- name: location_put_many alone
-- Of a page of a pull. In the order of the keys, so that two pages do not wait for each other in turn.
-- The commit does not wait for the disk: a later one that does, of the page, covers it. Alone: who
-- writes of sessions neither waits for it nor commits like that.
SELECT count(location_put(x.partner_id, x.country, x.party, x.id, x.document, x.last_updated, 0,
                          true, x.ocpi, x.view)) AS stored
  FROM (SELECT u.*
          FROM set_config('synchronous_commit', 'off', true),
               unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],
                      $6::timestamptz[], $7::text[], $8::text[])
               u (partner_id, country, party, id, document, last_updated, ocpi, view)
         ORDER BY lower(u.country), lower(u.party), lower(u.id)) x

-- name: evse_page
-- For the index in memory: the EVSEs of the next $2 locations. A location without EVSEs still gives
-- a row, so that the walk goes on.
SELECT l.id AS location, e.uid, e.evse_key, e.updated_at, evse_document(l, e) AS document
  FROM (SELECT * FROM location WHERE id > $1 ORDER BY id LIMIT $2) l
  LEFT JOIN evse e ON e.location = l.id
 ORDER BY l.id

-- name: evse_changes
-- Index evse_by_change. A page begins after the last row of the page before.
SELECT l.id AS location, e.uid, e.evse_key, e.updated_at, evse_document(l, e) AS document
  FROM evse e JOIN location l ON l.id = e.location
 WHERE (e.updated_at, e.location, lower(e.uid)) > ($1, $2, $3)
 ORDER BY e.updated_at, e.location, lower(e.uid) LIMIT $4

-- name: evse_times
-- The same without documents, which cost most of it: what of this do we have already?
SELECT e.location, e.uid, e.evse_key, e.updated_at
  FROM evse e
 WHERE (e.updated_at, e.location, lower(e.uid)) > ($1, $2, $3)
 ORDER BY e.updated_at, e.location, lower(e.uid) LIMIT $4

-- name: evse_by_key
-- Index evse_by_key.
SELECT l.id AS location, e.uid, e.evse_key, e.updated_at, evse_document(l, e) AS document
  FROM evse e JOIN location l ON l.id = e.location
 WHERE e.evse_key = $1
