-- SPDX-License-Identifier: Apache-2.0
-- Tokens of other eMSPs; the functions stand in migrations/012_share.sql, token_owner_find in
-- 018_relay.sql.

-- name: roaming_token_get
-- Index roaming_token_key.
SELECT document, ocpi, version, last_updated FROM roaming_token
 WHERE partner_id = $1 AND owner = party_key($2, $3) AND lower(uid) = lower($4)
   AND upper(type) = upper($5)

-- name: roaming_token_put
-- $12: its owner's clock orders nothing, as in tariff_put. Index roaming_token_key.
WITH here AS MATERIALIZED (
    SELECT last_updated FROM roaming_token
     WHERE partner_id = $1 AND owner = party_key($2, $3) AND lower(uid) = lower($4)
       AND upper(type) = upper($5)
       FOR UPDATE
)
SELECT roaming_token_put($1, $2, $3, $4, $5, $6, $7, $8, $9, CASE WHEN $12::boolean THEN
                             greatest($10, (SELECT last_updated FROM here)) ELSE $10 END,
                         $11) AS outcome

-- name: roaming_token_put_many alone
-- As location_put_many.
SELECT count(roaming_token_put(x.partner_id, x.country, x.party, x.uid, x.type, x.document, x.ocpi,
                               x.contract, x.valid, x.last_updated, 0)) AS stored
  FROM (SELECT u.*
          FROM set_config('synchronous_commit', 'off', true),
               unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                      $7::text[], $8::text[], $9::boolean[], $10::timestamptz[])
               u (partner_id, country, party, uid, type, document, ocpi, contract, valid,
                  last_updated)
         ORDER BY lower(u.country), lower(u.party), lower(u.uid), upper(u.type)) x

-- name: token_owner_find
SELECT ours, CASE WHEN ours THEN $3 ELSE country_code END AS country_code,
       CASE WHEN ours THEN $4 ELSE party_id END AS party_id, uid, type, contract_id, document, ocpi
  FROM token_owner_find($1, $2)
