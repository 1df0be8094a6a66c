-- SPDX-License-Identifier: Apache-2.0
-- Aliases; the functions stand in migrations/018_relay.sql.

-- name: aliases_find
-- $2, $3 the owners; $4 ids of Sessions beside them, or NULL; $5 ids of Locations and Tariffs that
-- occur in what is told. Of these, those that are shared: owners who number their objects alike share
-- all of their ids.
WITH owners AS MATERIALIZED (
    SELECT DISTINCT party_key(c, p) AS owner FROM unnest($2::text[], $3::text[]) o (c, p)
), said AS MATERIALIZED (
    SELECT s.module, s.id FROM (SELECT DISTINCT lower(x) AS id FROM unnest($5::text[]) x) u,
           LATERAL (SELECT module, id FROM shared_id
                     WHERE module IN ('locations', 'tariffs') AND id = u.id AND shared OFFSET 0) s
), shared AS MATERIALIZED (
    SELECT s.module, l.country_code, l.party_id, l.location_id AS id
      FROM said s, LATERAL (SELECT * FROM location
                             WHERE lower(location_id) = s.id OFFSET 0) l
     WHERE s.module = 'locations' AND l.owner IN (SELECT owner FROM owners)
     UNION ALL
    SELECT s.module, t.country_code, t.party_id, t.tariff_id
      FROM said s, LATERAL (SELECT * FROM tariff WHERE lower(tariff_id) = s.id OFFSET 0) t
     WHERE s.module = 'tariffs' AND t.owner IN (SELECT owner FROM owners)
     UNION ALL
    SELECT 'sessions', g.country, g.party, g.id
      FROM unnest($2::text[], $3::text[], $4::text[]) g (country, party, id)
     WHERE g.id IS NOT NULL AND (
           EXISTS (SELECT FROM network_session n
                    WHERE lower(n.network_session_id) = lower(g.id)
                      AND party_key(n.country_code, n.party_id) <> party_key(g.country, g.party)
                      AND n.token_owner IN (SELECT owner FROM party WHERE partner_id = $1))
           OR EXISTS (SELECT FROM alias a WHERE a.reader_id = $1 AND a.module = 'sessions'
                         AND lower(a.alias) = lower(g.id)))
), named AS MATERIALIZED (
    SELECT s.*, alias_put($1, s.module, s.country_code, s.party_id, s.id) AS alias FROM shared s
)
SELECT module, country_code, party_id, id, alias FROM named WHERE alias <> id

-- name: alias_give
SELECT alias_put($1, $2, $3, $4, $5) AS alias

-- name: alias_resolve
-- What was given; else the long ids for which it may stand (index location_long_id): the caller
-- looks whether it does. $4: the length of what stands for one. A row with given NULL: the reader was
-- given none at all.
SELECT true AS given, country_code, party_id, object_id AS id FROM alias
 WHERE reader_id = $1 AND module = $2 AND lower(alias) = lower($3)
 UNION ALL
SELECT false, country_code, party_id, location_id FROM location
 WHERE $2 = 'locations' AND char_length($3) = $4::int
   AND char_length(location_id) > 36 AND left(lower(location_id), 19) = left(lower($3), 19)
 UNION ALL
SELECT NULL, NULL, NULL, NULL WHERE NOT EXISTS (SELECT FROM alias WHERE reader_id = $1)
 ORDER BY given DESC NULLS LAST

-- name: alias_resolve_evse
SELECT false AS given, l.country_code, l.party_id, e.uid AS id
  FROM location l JOIN evse e ON e.location = l.id
 WHERE lower(l.location_id) = lower($3) AND l.owner = party_key($1, $2)
   AND char_length(e.uid) > 36 AND left(lower(e.uid), 19) = left(lower($4), 19)

-- name: reservation_number_give
SELECT reservation_number_give($1, $2, $3, $4) AS number

-- name: reservation_number_resolve
SELECT reservation_id FROM reservation_number
 WHERE number = $3::int AND emsp = party_key($1, $2)
