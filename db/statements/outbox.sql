-- SPDX-License-Identifier: Apache-2.0
-- The outbox; the functions stand in migrations/013_outbox.sql and 018_relay.sql.

-- name: outbox_claim alone
-- Waits for other claims, so it holds no other lock meanwhile; and it commits without waiting.
SELECT x.id, x.partner_id, x.evse_uid, x.attempts, x.version, (c.content).*
  FROM outbox_claim($1, $2) x, LATERAL (SELECT outbox_read(x) AS content OFFSET 0) c

-- name: outbox_done alone
-- Many at once: an array for each column.
SELECT outbox_done_many($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])

-- name: outbox_parked
-- What waits for a person.
SELECT x.id, x.partner_id, x.evse_uid, x.attempts, x.version, x.detail, (c.content).*
  FROM (SELECT * FROM outbox WHERE due_at IS NULL AND ($1::bigint = 0 OR partner_id = $1)
         ORDER BY id LIMIT $2) x, LATERAL (SELECT outbox_read(x) AS content OFFSET 0) c
 ORDER BY x.id

-- name: outbox_again
-- An operator has it tried again, or dropped.
SELECT outbox_again($1, $2) AS found
