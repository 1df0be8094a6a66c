-- SPDX-License-Identifier: Apache-2.0
-- Pulls; the functions stand in migrations/014_pull.sql and 024_pull_again.sql. A page is claimed by
-- a lease; when its process dies another goes on from the cursor. What may take a while is alone: who
-- writes of sessions does not wait for it.

-- name: pull_claim alone
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
SELECT i FROM pull_unchanged($1, $2, $3, $4) i

-- name: pull_ours
-- Tokens of our own users, by uid or contract id: nobody else may own such a one.
SELECT u.i FROM unnest($1::text[], $2::text[]) WITH ORDINALITY u (uid, contract, i)
 WHERE EXISTS (SELECT FROM token t WHERE t.uid IN (upper(u.uid), upper(u.contract)))
    OR EXISTS (SELECT FROM token t WHERE t.contract_id IN (u.uid, upper(u.uid), u.contract,
                                                           upper(u.contract)))

-- name: pull_see alone
SELECT pull_see($1, $2, $3)

-- name: pull_note_missing alone
SELECT pull_note_missing($1, $2)

-- name: pull_close_missing alone
SELECT pull_close_missing($1, $2, $3::int) AS closed
