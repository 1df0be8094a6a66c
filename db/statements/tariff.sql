-- SPDX-License-Identifier: Apache-2.0
-- Tariffs; tariff_put stands in migrations/010_ocpi_versions.sql.

-- name: tariff_get
-- Index tariff_key. A tombstone is not found.
SELECT document, ocpi, version, last_updated FROM tariff
 WHERE partner_id = $1 AND lower(country_code) = lower($2) AND lower(party_id) = lower($3)
   AND lower(tariff_id) = lower($4) AND deleted_at IS NULL

-- name: tariff_put
-- $8: only if it is still the version that was read, and has not been deleted since; else NULL. $9: its
-- owner's clock orders nothing, so that what comes is no older than what is here. Index tariff_key;
-- where one of them is asked for, the row is locked before it is looked at.
WITH here AS MATERIALIZED (
    SELECT version, last_updated, deleted_at FROM tariff
     WHERE partner_id = $1 AND lower(country_code) = lower($2) AND lower(party_id) = lower($3)
       AND lower(tariff_id) = lower($4)
       FOR UPDATE
)
SELECT CASE WHEN $8::bigint = 0
              OR EXISTS (SELECT FROM here WHERE version = $8 AND deleted_at IS NULL)
            THEN tariff_put($1, $2, $3, $4, $5, CASE WHEN $9::boolean THEN
                                greatest($6, (SELECT last_updated FROM here)) ELSE $6 END, $7, $8)
       END AS created

-- name: tariff_put_many alone
-- As location_put_many.
SELECT count(tariff_put(x.partner_id, x.country, x.party, x.id, x.document, x.last_updated,
                        x.ocpi)) AS stored
  FROM (SELECT u.*
          FROM set_config('synchronous_commit', 'off', true),
               unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[],
                      $6::timestamptz[], $7::text[])
               u (partner_id, country, party, id, document, last_updated, ocpi)
         ORDER BY lower(u.country), lower(u.party), lower(u.id)) x

-- name: tariff_delete
UPDATE tariff SET deleted_at = hub_now()
 WHERE partner_id = $1 AND lower(country_code) = lower($2) AND lower(party_id) = lower($3)
   AND lower(tariff_id) = lower($4) AND deleted_at IS NULL
RETURNING id
