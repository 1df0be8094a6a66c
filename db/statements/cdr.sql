-- SPDX-License-Identifier: Apache-2.0
-- CDRs and receipts; the functions stand in migrations/006_cdr.sql and
-- 010_ocpi_versions.sql.

-- name: cdr_put
-- Relies on cdr_key (each CDR once, for ever). The row of the receipt series is locked last.
SELECT outcome, path, filed, (session).*
  FROM cdr_put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
               $20, $21, $22, $23, $24, $25, $26, $27, $28)

-- name: cdr_get
-- The bytes are the JSON text as it came; only for who sent it.
SELECT convert_from(body, 'UTF8') AS body, ocpi, country_code, party_id FROM cdr WHERE path = $2 AND partner_id = $1

-- name: receipt_get
-- The newest receipt that is no cancellation: after a credit the replacement's, until then the
-- cancelled one.
SELECT s.state::text AS state, s.network, s.evse_id, r.energy_mwh, r.duration_s / 60 AS
       duration_minutes, r.amount_minor, r.currency, r.number,
       CASE WHEN r.id IS NOT NULL THEN 'not_required' END AS payment_status
  FROM session s
  LEFT JOIN LATERAL (SELECT * FROM receipt WHERE session_id = s.id AND kind = 'receipt'
                      ORDER BY revision DESC LIMIT 1) r ON true
 WHERE s.id = $1::uuid AND ($2::text IS NULL OR s.user_id = $2)
