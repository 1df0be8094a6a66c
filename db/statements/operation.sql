-- SPDX-License-Identifier: Apache-2.0
-- Operations; the functions stand in migrations/004_operation.sql.

-- name: operation_claim
-- SKIP LOCKED: two processes never claim the same row, and neither waits. $1 NULL: of any session.
SELECT o.id AS operation_id, o.kind, o.callback_id, o.attempts, o.params,
       o.partner_id AS operation_partner_id, s.token_uid, s.token_type, s.token_contract_id,
       s.token_last_updated, (s.session).*, s.more_due
  FROM operation_claim($1, $2, $3) o, LATERAL operation_subject(o.session_id, o.id) s

-- name: operation_answered
SELECT * FROM operation_answered($1, $2, $3, $4, $5)

-- name: operation_result
-- Index operation_callback. Another partner's callback is an unknown one (R-ASYNC-11).
SELECT found, applied, kind, (session).* FROM operation_result($1, $2, $3, $4, $5)

-- name: operation_kind_of
-- A reservation may be cancelled by the network until an hour after its end (R-CMD-08, R-ASYNC-13).
SELECT kind FROM operation o
 WHERE callback_id = $1 AND partner_id = $2 AND attempts > 0
   AND created_at > hub_now() - interval '24 hours'
   AND (kind <> 'reserve' OR EXISTS (SELECT FROM reservation r WHERE r.operation = o.id
                                        AND r.until_at > hub_now() - interval '1 hour'))

-- name: operation_keep_document
UPDATE operation SET result_document = $3
 WHERE callback_id = $1 AND partner_id = $2 AND finished_at IS NULL

-- name: profile_ask
SELECT outcome, operation_id, (session).* FROM profile_ask($1, $2, $3, $4, $5, $6)

-- name: profile_get_ask
SELECT outcome, operation_id, (session).* FROM profile_get_ask($1, $2, $3)

-- name: operation_profile_find
-- Indexes network_session_key, operation_of_session.
SELECT count(*) > 0 AS known, coalesce(bool_or(EXISTS (
           SELECT FROM operation o
            WHERE o.session_id = n.session_id AND o.kind = 'profile_set' AND o.attempts > 0
              AND o.state <> 'failed')), false) AS set
  FROM network_session n
 WHERE n.partner_id = $1 AND lower(n.network_session_id) = lower($2)

-- name: operation_get
SELECT state, outcome, detail, result_document FROM operation WHERE id = $1

-- name: operation_unlock
INSERT INTO operation (kind, partner_id, callback_id, params, asked_by, cause, created_at, due_at)
VALUES ('unlock', $1, random_hex(), $2, $3, 'unlock', hub_now(), hub_now())
RETURNING id
