-- SPDX-License-Identifier: Apache-2.0
-- Pulls; the functions stand in migrations/004_operation.sql and 008_partner.sql. A page is claimed
-- by a lease; when its process dies another goes on from the cursor.

-- name: pull_claim
SELECT partner_id, module, date_from, cursor, started_at FROM pull_claim($1)

-- name: pull_page_done
-- Whoever comes first may take the next page.
-- A pull that never ends is given up: ten thousand pages are more than any list has.
UPDATE pull SET
    pages = CASE WHEN pages < 10000 THEN pages + 1 ELSE 0 END,
    cursor = CASE WHEN pages < 10000 THEN $3 END,
    due_at = CASE WHEN pages < 10000 THEN due_at ELSE hub_now() + interval '6 hours' END,
    lease_until = NULL
 WHERE partner_id = $1 AND module = $2

-- name: pull_finished
SELECT pull_finished($1, $2, $3)

-- name: pull_request
SELECT pull_request($1, $2)
