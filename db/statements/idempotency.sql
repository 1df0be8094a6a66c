-- SPDX-License-Identifier: Apache-2.0
-- Idempotency records of calls other than start and stop, which keep theirs in their own statement.
-- Relies on the primary key: two requests with one key cannot both reserve it.

-- name: idempotency_find
SELECT CASE WHEN body_hash <> $5 THEN 'other_body' WHEN status IS NULL THEN 'running' ELSE 'done' END
           AS word, status, body
  FROM idempotency
 WHERE caller = $1 AND method = $2 AND path = $3 AND key = $4
   AND created_at > hub_now() - interval '48 hours'

-- name: idempotency_begin
-- 'none': it is ours now, and running.
SELECT idempotency_word(r, $5) AS word, r.status, r.body
  FROM idempotency_reserve($1, $2, $3, $4, $5) r

-- name: idempotency_finish
UPDATE idempotency SET status = $5, body = $6
 WHERE caller = $1 AND method = $2 AND path = $3 AND key = $4 AND status IS NULL

-- name: idempotency_forget
DELETE FROM idempotency
 WHERE caller = $1 AND method = $2 AND path = $3 AND key = $4 AND status IS NULL
