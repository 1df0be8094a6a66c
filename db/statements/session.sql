-- SPDX-License-Identifier: Apache-2.0
-- Sessions. The functions stand in migrations/003_session.sql; they lock the session's row, so that
-- READ COMMITTED is enough, and tell expected conflicts as outcomes. All return session_row.

-- name: session_start
-- Relies on session_one_per_connector (one open session per connector) and idempotency's key.
SELECT outcome, running_session_id, replay_status, replay_body, (session).*
  FROM session_start($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
                     $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32,
                     $33, $34, $35, $36, $37, $38, $39, $40)

-- name: session_stop
-- Relies on the session's row lock; operation_one_stop allows one open stop.
SELECT outcome, replay_status, replay_body, (session).*
  FROM session_stop($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)

-- name: session_get
-- $2 the owner, NULL: anybody. The owner is part of the WHERE: a foreign session is a missing one.
SELECT r.* FROM session s, LATERAL session_as_row(s, false, false) r
 WHERE s.id = $1::uuid AND ($2::text IS NULL OR s.user_id = $2)

-- name: session_events
-- The newest $2 moves, oldest first. Steps within a state are in the table too, but not told.
SELECT seq, at, from_state, to_state, cause, by
  FROM (SELECT * FROM session_event
         WHERE session_id = $1::uuid AND from_state IS DISTINCT FROM to_state
         ORDER BY seq DESC LIMIT $2::int) e
 ORDER BY seq

-- name: session_list
-- $1 user, $2 states, $3/$4 created from/to, $5 network, $6 EVSE id, $7/$8 after that one, $9 limit.
-- Index session_of_user, or session_by_creation where no user is given.
SELECT r.* FROM session s, LATERAL session_as_row(s, false, false) r
 WHERE ($1::text IS NULL OR s.user_id = $1)
   AND ($2::text[] IS NULL OR s.state::text = ANY ($2))
   AND ($3::timestamptz IS NULL OR s.created_at >= $3)
   AND ($4::timestamptz IS NULL OR s.created_at < $4)
   AND ($5::text IS NULL OR s.network = $5)
   AND ($6::text IS NULL OR evse_key(s.evse_id) = evse_key($6))
   AND ($7::timestamptz IS NULL OR (s.created_at, s.id) < ($7, $8::uuid))
 ORDER BY s.created_at DESC, s.id DESC
 LIMIT $9::int

-- name: session_inspect
SELECT jsonb_build_object(
    'session', to_jsonb(s),
    'events', (SELECT coalesce(jsonb_agg(to_jsonb(e) - 'session_id' ORDER BY seq), '[]')
                 FROM session_event e WHERE e.session_id = s.id),
    'operations', (SELECT coalesce(jsonb_agg(to_jsonb(o) - 'callback_id' ORDER BY o.id), '[]')
                     FROM operation o WHERE o.session_id = s.id),
    'network_session', (SELECT to_jsonb(n) - 'document' FROM network_session n
                         WHERE n.partner_id = s.partner_id
                           AND lower(n.network_session_id) = lower(s.network_session_id)
                           AND n.session_id = s.id LIMIT 1),
    'cdrs', (SELECT coalesce(jsonb_agg(to_jsonb(c) - 'body' - 'path' ORDER BY c.id), '[]')
               FROM cdr c WHERE c.session_id = s.id),
    'receipts', (SELECT coalesce(jsonb_agg(to_jsonb(r) ORDER BY revision), '[]')
                   FROM receipt r WHERE r.session_id = s.id),
    'quote', (SELECT to_jsonb(q) - 'session_id' - 'document'
                     || jsonb_build_object('document', q.document::jsonb)
                FROM quote q WHERE q.session_id = s.id),
    'limits', (SELECT to_jsonb(l) - 'session_id' FROM session_limit l WHERE l.session_id = s.id),
    'cases', (SELECT coalesce(jsonb_agg(to_jsonb(f) ORDER BY f.id), '[]')
                FROM finance_case f WHERE f.session_id = s.id))::text AS document
  FROM session s WHERE s.id = $1::uuid

-- name: session_moves
-- The state diagram, a line a move: what the documentation draws.
SELECT coalesce(from_state::text, '') AS from_state, to_state, rule, events
  FROM session_moves ORDER BY length(rule), rule, from_state, to_state
