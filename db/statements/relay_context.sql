-- SPDX-License-Identifier: Apache-2.0
-- Relay contexts, setters of profiles, cursors; the functions stand in migrations/018_relay.sql.

-- name: relay_context_insert
-- Many at once: an array for each column. An hour is the longest that an answer may set (R-ASYNC-13).
-- A start at a CPO of 2.1.1 is kept for its Session and CDR: whoever reserves may come as late as the
-- reservation ends.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                         $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                         $13::text[], $14::text[], $15::text[], $16::text[], $17::text[],
                         $18::text[], $19::text[], $20::text[])
           AS a (id, kind, requester_id, requester_country, requester_party, requester_ocpi,
                 receiver_id, receiver_country, receiver_party, receiver_ocpi, response_url,
                 correlation_id, session_id, location_id, token_uid, reservation_id, expiry_at,
                 evse_uid, contract_id, authorization_reference)
), start AS (
    INSERT INTO relay_start (id, requester, receiver_id, location_id, evse_uid, token_uid,
                             contract_id, authorization_reference, until_at)
    SELECT id, party_key(requester_country, requester_party), receiver_id::bigint, location_id,
           evse_uid, token_uid, contract_id, authorization_reference,
           greatest(hub_now(), CASE WHEN expiry_at IS NOT NULL THEN
                    least(expiry_at::timestamptz, hub_now() + interval '1 year') END)
           + interval '15 minutes'
      FROM asked
     WHERE kind IN ('START_SESSION', 'RESERVE_NOW') AND receiver_ocpi = '2.1.1'
       AND location_id IS NOT NULL AND token_uid IS NOT NULL
)
INSERT INTO relay_context
    (id, kind, requester_id, requester_country, requester_party, requester_ocpi, receiver_id,
     receiver_country, receiver_party, receiver_ocpi, response_url, correlation_id, session_id,
     location_id, token_uid, reservation_id, expiry_at, created_at, deadline_at)
SELECT id, kind, requester_id::bigint, requester_country, requester_party, requester_ocpi,
       receiver_id::bigint, receiver_country, receiver_party, receiver_ocpi, response_url,
       correlation_id, session_id, location_id, token_uid, reservation_id, expiry_at::timestamptz,
       hub_now(), relay_deadline(expiry_at::timestamptz, interval '1 hour')
  FROM asked

-- name: relay_context_accepted alone
-- Many at once: ids, and seconds. Not durable.
SELECT relay_context_accepted($1::text[], $2::text[])

-- name: relay_context_ended
-- $2 refused, unclear
SELECT relay_context_ended($1, $2)

-- name: relay_context_find
SELECT c.*, (SELECT count(*) FROM relay_result r WHERE r.context_id = c.id) AS results
  FROM relay_context c
 WHERE c.id = lower($1) AND c.receiver_id = $2 AND c.deadline_at > hub_now()

-- name: relay_context_result
-- told: it was, before this was asked; else one that is the same may be being told.
SELECT r.outcome, r.seq, EXISTS (SELECT FROM relay_result x WHERE x.context_id = a.id AND x.hash = a.hash
                                    AND x.told) AS told
  FROM (VALUES ($1, $2)) a (id, hash), LATERAL relay_context_result(a.id, a.hash) r

-- name: relay_context_told
UPDATE relay_result SET told = $3::boolean, telling_until = NULL
 WHERE context_id = $1 AND seq = $2::int AND NOT told

-- name: relay_origin_find
-- How a charge at a CPO ($1) of 2.1.1 began, for the eMSP ($2/$3) whose token it was: auth_id ($4) is
-- a contract id or a uid. $5/$6 where, $7 when. Of several the nearest in time. $8: and which Session
-- a CDR of it bills, where just one fits (R-BR, section 15.6). Indexes relay_start_at,
-- network_session_of_2_1_1.
WITH start AS MATERIALIZED (
    SELECT r.authorization_reference FROM relay_start r
     WHERE r.receiver_id = $1 AND lower(r.location_id) = lower($5)
       AND r.asked_at <= $7::timestamptz + interval '120 seconds' AND r.until_at >= $7::timestamptz
       AND r.requester = party_key($2, $3)
       AND lower($4) IN (lower(r.token_uid), lower(r.contract_id))
       AND (r.evse_uid IS NULL OR $6::text IS NULL OR lower(r.evse_uid) = lower($6))
     ORDER BY greatest(r.asked_at - $7::timestamptz, $7::timestamptz - r.asked_at) LIMIT 1
), billed AS MATERIALIZED (
    SELECT n.network_session_id FROM network_session n
     WHERE $8::boolean AND n.ocpi = '2.1.1' AND n.partner_id = $1
       AND lower(n.evse_uid) = lower($6)
       AND n.start_at BETWEEN $7::timestamptz - interval '120 seconds'
                          AND $7::timestamptz + interval '120 seconds'
       AND n.token_owner = party_key($2, $3)
       AND lower(n.document::jsonb ->> 'auth_id') = lower($4)
     LIMIT 2
)
SELECT EXISTS (SELECT FROM start) AS by_command,
       (SELECT authorization_reference FROM start) AS authorization_reference,
       (SELECT min(network_session_id) FROM billed HAVING count(*) = 1) AS session_id

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
