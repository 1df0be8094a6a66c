-- SPDX-License-Identifier: Apache-2.0
-- Client infos; the functions stand in migrations/012_share.sql.

-- name: client_info_list
-- $1 the reader, $2/$3 last_updated from and to, $4 offset, $5 limit, $6/$7 our own eMSP: a client
-- of ours like others, known to a CPO since that registered (R-CRED-16). The first row is the total
-- alone.
WITH visible AS MATERIALIZED (
    SELECT y.id, y.country_code, y.party_id, y.role, client_info_status(p) AS status,
           y.status_at AS last_updated
      FROM party y JOIN partner p ON p.id = y.partner_id
     WHERE client_info_visible(y, $1)
     UNION ALL
    SELECT 0, $6::text, $7::text, 'EMSP', 'CONNECTED', coalesce(r.registered_at, r.created_at)
      FROM partner r
     WHERE r.id = $1 AND $7::text IS NOT NULL
       AND EXISTS (SELECT FROM party z WHERE z.partner_id = r.id AND z.role = 'CPO')
), listed AS MATERIALIZED (
    SELECT * FROM visible
     WHERE last_updated >= coalesce($2::timestamptz, '-infinity')
       AND last_updated < coalesce($3::timestamptz, 'infinity')
)
SELECT c.total, l.country_code, l.party_id, l.role, l.status, l.last_updated
  FROM (SELECT count(*) AS total FROM listed) c
  LEFT JOIN (SELECT * FROM listed ORDER BY id OFFSET $4 LIMIT $5) l ON true
 ORDER BY l.id

-- name: client_info_put
SELECT client_info_put($1, $2, $3, $4, $5, $6) AS created

-- name: client_info_get
SELECT count(*) OVER () AS total, country_code, party_id, role, status, last_updated
  FROM client_info WHERE partner_id = $1 AND owner = party_key($2, $3)
 ORDER BY role
