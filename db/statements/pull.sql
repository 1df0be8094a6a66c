-- SPDX-License-Identifier: Apache-2.0
-- Pulls; the functions stand in migrations/014_pull.sql and 004_operation.sql. A page is claimed by
-- a lease; when its process dies another goes on from the cursor.

-- name: pull_claim
SELECT partner_id, module, date_from, cursor, started_at, page_url, first_id, total, pages, mark,
       complete
  FROM pull_claim($1)

-- name: pull_page_done
-- Whoever comes first may take the next page.
UPDATE pull SET cursor = $3, page_url = $4, total = $5, first_id = $6, mark = $7, pages = $8,
       complete = $9, failures = 0, lease_until = NULL
 WHERE partner_id = $1 AND module = $2

-- name: pull_finished
SELECT pull_finished($1, $2, $3, $4)

-- name: pull_request
SELECT pull_request($1, $2)

-- name: pull_unchanged
-- Indexes location_key, tariff_key. The digest spares sending, locking and comparing documents.
SELECT u.i
  FROM unnest($3::text[], $4::text[]) WITH ORDINALITY u (key, digest, i)
  JOIN location l ON l.partner_id = $1 AND $2 = 'locations'
   AND lower(l.country_code) = split_part(split_part(u.key, '/', 1), '*', 1)
   AND lower(l.party_id) = split_part(split_part(u.key, '/', 1), '*', 2)
   AND lower(l.location_id) = substr(u.key, strpos(u.key, '/') + 1)
 WHERE encode(sha256(convert_to(l.document, 'UTF8')), 'hex') = u.digest
UNION ALL
SELECT u.i
  FROM unnest($3::text[], $4::text[]) WITH ORDINALITY u (key, digest, i)
  JOIN tariff t ON t.partner_id = $1 AND $2 = 'tariffs' AND t.deleted_at IS NULL
   AND lower(t.country_code) = split_part(split_part(u.key, '/', 1), '*', 1)
   AND lower(t.party_id) = split_part(split_part(u.key, '/', 1), '*', 2)
   AND lower(t.tariff_id) = substr(u.key, strpos(u.key, '/') + 1)
 WHERE encode(sha256(convert_to(t.document, 'UTF8')), 'hex') = u.digest

-- name: pull_ours
-- Tokens of our own users, by uid or contract id: nobody else may own such a one.
SELECT u.i FROM unnest($1::text[], $2::text[]) WITH ORDINALITY u (uid, contract, i)
 WHERE EXISTS (SELECT FROM token t WHERE t.uid IN (upper(u.uid), upper(u.contract)))
    OR EXISTS (SELECT FROM token t WHERE t.contract_id IN (u.uid, upper(u.uid), u.contract,
                                                           upper(u.contract)))

-- name: pull_see
SELECT pull_see($1, $2, $3)

-- name: pull_note_missing
SELECT pull_note_missing($1, $2)

-- name: pull_close_missing
SELECT pull_close_missing($1, $2, $3::int) AS closed
