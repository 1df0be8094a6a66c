-- SPDX-License-Identifier: Apache-2.0
-- Relay contexts, setters of profiles, cursors; the functions stand in migrations/018_relay.sql.

-- name: relay_context_insert
-- An hour is the longest that an answer may set (R-ASYNC-13).
INSERT INTO relay_context
    (id, kind, requester_id, requester_country, requester_party, requester_ocpi, receiver_id,
     receiver_country, receiver_party, receiver_ocpi, response_url, correlation_id, session_id,
     location_id, token_uid, reservation_id, expiry_at, created_at, deadline_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17::timestamptz,
        hub_now(), relay_deadline($17::timestamptz, interval '1 hour'))

-- name: relay_context_answered
SELECT relay_context_answered($1, $2, $3)

-- name: relay_context_find
SELECT c.*, (SELECT count(*) FROM relay_result r WHERE r.context_id = c.id) AS results
  FROM relay_context c
 WHERE c.id = lower($1) AND c.receiver_id = $2 AND c.deadline_at > hub_now()

-- name: relay_context_result
SELECT outcome, seq FROM relay_context_result($1, $2)

-- name: relay_context_told
UPDATE relay_result SET told = $3::boolean, telling_until = NULL
 WHERE context_id = $1 AND seq = $2::int AND NOT told

-- name: profile_setter_set
SELECT profile_setter_set($1, $2, $3, $4, $5, $6, $7)

-- name: profile_setter_find
SELECT partner_id, country_code, party_id, ocpi FROM profile_setter
 WHERE owner = party_key($1, $2) AND session_id = lower($3)

-- name: relay_cursor_insert
INSERT INTO relay_cursor (id, requester_id, receiver_id, from_country, from_party, to_country,
                          to_party, module, next_url, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, hub_now() + make_interval(hours => $10::int))

-- name: relay_cursor_find
SELECT *, expires_at <= hub_now() AS expired FROM relay_cursor WHERE id = $1
