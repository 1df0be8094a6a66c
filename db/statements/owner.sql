-- SPDX-License-Identifier: Apache-2.0
-- Whose an id is.

-- name: owners_of_location
-- Index location_by_id.
SELECT DISTINCT ON (owner) country_code, party_id FROM location
 WHERE lower(location_id) = lower($1) ORDER BY owner

-- name: owners_of_session
-- Index network_session_by_id. $2: whose token.
SELECT DISTINCT ON (party_key(country_code, party_id)) country_code, party_id FROM network_session
 WHERE lower(network_session_id) = lower($1) AND ($2::text IS NULL OR token_owner = lower($2))
 ORDER BY party_key(country_code, party_id)

-- name: owners_of_reservation
-- Index relay_context_reservation. $2: who reserved.
SELECT DISTINCT ON (party_key(receiver_country, receiver_party))
       receiver_country AS country_code, receiver_party AS party_id
  FROM relay_context
 WHERE kind = 'RESERVE_NOW' AND lower(reservation_id) = lower($1) AND deadline_at > hub_now()
   AND ($2::text IS NULL OR party_key(requester_country, requester_party) = lower($2))
 ORDER BY party_key(receiver_country, receiver_party)

-- name: owners_of_token
-- Index roaming_token_by_uid, and the key of token. $3, $4: our own party.
SELECT $3::text AS country_code, $4::text AS party_id FROM token
 WHERE uid = upper($1) AND ($2::text IS NULL OR type = upper($2))
 UNION
(SELECT DISTINCT ON (owner) country_code, party_id FROM roaming_token
  WHERE lower(uid) = lower($1) AND ($2::text IS NULL OR upper(type) = upper($2))
  ORDER BY owner)
