-- SPDX-License-Identifier: Apache-2.0
-- The CPOs' Session objects; the functions stand in migrations/005_network_session.sql
-- and 010_ocpi_versions.sql.

-- name: network_session_get
-- Index network_session_key.
SELECT document, ocpi, version, last_updated FROM network_session
 WHERE partner_id = $1 AND lower(network_session_id) = lower($4)
   AND lower(country_code) = lower($2) AND lower(party_id) = lower($3)

-- name: network_session_put
-- Locks the network session, then ours: everybody who needs both does so in this order.
SELECT outcome, created, (session).*
  FROM network_session_put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                           $17, $18, $19, $20, $21, $22, $23, $24)
