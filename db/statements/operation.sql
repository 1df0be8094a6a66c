-- SPDX-License-Identifier: Apache-2.0
-- Operations; the functions stand in migrations/004_operation.sql.

-- name: operation_claim
-- SKIP LOCKED: two processes never claim the same row, and neither waits. $1 NULL: of any session.
-- LIMIT keeps the planner, which cannot know how few rows a claim has, from joining all sessions.
SELECT o.id AS operation_id, o.kind, o.callback_id, o.attempts, o.params,
       o.partner_id AS operation_partner_id, t.uid AS token_uid, t.type AS token_type,
       t.contract_id AS token_contract_id, t.last_updated AS token_last_updated, (s.row).*,
       EXISTS (SELECT FROM operation m WHERE m.session_id = o.session_id AND m.id <> o.id
                  AND operation_sendable(m, hub_now())) AS more_due
  FROM operation_claim($1, $2, $3) o
  LEFT JOIN LATERAL (SELECT session_as_row(x, false, false) AS row, x.token_uid
                       FROM session x WHERE x.id = o.session_id LIMIT 1) s ON true
  LEFT JOIN LATERAL (SELECT * FROM token y WHERE y.uid = s.token_uid LIMIT 1) t ON true

-- name: operation_answered
SELECT * FROM operation_answered($1, $2, $3, $4, $5)

-- name: operation_result
-- Index operation_callback. Another partner's callback is an unknown one (R-ASYNC-11).
SELECT found, applied, kind, (session).* FROM operation_result($1, $2, $3, $4, $5)

-- name: operation_kind_of
SELECT kind FROM operation
 WHERE callback_id = $1 AND partner_id = $2 AND attempts > 0
   AND created_at > hub_now() - interval '24 hours'

-- name: profile_ask
SELECT outcome, operation_id, (session).* FROM profile_ask($1, $2, $3, $4, $5, $6)

-- name: operation_get
SELECT state, outcome FROM operation WHERE id = $1

-- name: operation_unlock
INSERT INTO operation (kind, partner_id, callback_id, params, asked_by, cause, created_at, due_at)
VALUES ('unlock', $1, random_hex(), $2, $3, 'unlock', hub_now(), hub_now())
RETURNING id
