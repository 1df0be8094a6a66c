-- SPDX-License-Identifier: Apache-2.0
-- Tokens of our users. Those of a single start are not listed (R-CMD-04).

-- name: token_list
-- Index token_by_creation. $1/$2 last_updated from (inclusive) and to (exclusive). The first row is
-- the total alone, so that a page past the end has it too.
WITH listed AS (
    SELECT uid, type, contract_id, valid, last_updated, created_at FROM token
     WHERE type = 'APP_USER' AND ($1::timestamptz IS NULL OR last_updated >= $1)
       AND ($2::timestamptz IS NULL OR last_updated < $2)
)
SELECT uid, type, contract_id, valid, last_updated, total
  FROM (SELECT 0 AS part, NULL AS uid, NULL AS type, NULL AS contract_id, NULL::boolean AS valid,
               NULL::timestamptz AS last_updated, NULL::timestamptz AS created_at,
               (SELECT count(*) FROM listed) AS total
        UNION ALL
        (SELECT 1, uid, type, contract_id, valid, last_updated, created_at, NULL FROM listed
          ORDER BY created_at, uid OFFSET $3 LIMIT $4)) page
 ORDER BY part, created_at, uid

-- name: token_find
-- $3 the type as the partner's version calls it: 2.1.1 knows our tokens as OTHER. The live command
-- is looked for among the user's open sessions (index session_open_of_user).
SELECT t.uid, t.type, t.contract_id, t.valid, t.last_updated, s.id AS authorization_reference
  FROM token t
  LEFT JOIN LATERAL (SELECT id FROM session
                      WHERE user_id = t.user_id AND connector_held AND token_uid = t.uid
                        AND partner_id = $1 AND state IN ('pending', 'active')
                      ORDER BY created_at DESC LIMIT 1) s ON true
 WHERE t.uid = upper($2) AND (t.type = $3 OR $3 = 'OTHER')
