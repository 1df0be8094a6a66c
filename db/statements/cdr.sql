-- SPDX-License-Identifier: Apache-2.0
-- CDRs; the functions stand in migrations/020_money.sql. What takes the row of a receipt series
-- runs in a transaction of its own: the lock is the last one taken, and let go of at once.

-- name: cdr_context
-- Locks nothing: what it finds is checked again, under locks, by the statement that files the CDR.
SELECT *
  FROM cdr_context($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                   $19)

-- name: cdr_put alone
-- Relies on cdr_key (each CDR once, for ever) and on the session's row lock.
SELECT outcome, path, filed, cdr, class, receipt, waiting, (session).*
  FROM cdr_put($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19,
               $20, $21, $22, $23, $24, $25, $26, $27, $28)

-- name: cdr_settle alone
SELECT outcome, path, filed, cdr, class, receipt, waiting, (session).*
  FROM cdr_settle($1, $2, $3, $4, $5, $6)

-- name: cdr_read
SELECT partner_id, country_code, party_id, cdr_id, convert_from(body, 'UTF8') AS body, ocpi,
       content_hash, network_session_id, token_uid, authorization_reference, token_country,
       token_party, evse_uid, location_id, start_at, end_at, energy_mwh, total_cost_u6,
       total_cost_excl_u6, has_incl_vat, currency, credit, credit_reference_id, last_updated,
       filed, source = 'manual' AS manual, calculation ->> 'drafted_by' AS drafted_by, session_id,
       received_at
  FROM cdr WHERE id = $1

-- name: cdr_decline
SELECT outcome, path, filed, cdr, class, receipt, waiting, (session).* FROM cdr_decline($1, $2)

-- name: cdr_decline_awaited
-- The lock of the session keeps its CDR out meanwhile.
SELECT outcome, path, filed, cdr, class, receipt, waiting, (session).*
  FROM cdr_decline_awaited($1, $2)

-- name: cdr_release
SELECT cdr_release($1, $2, $3) AS released

-- name: cdr_draft
SELECT cdr_draft($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) AS cdr

-- name: cdr_draft_credit
SELECT cdr_draft_credit($1, $2, $3, $4, $5, $6, $7) AS cdr

-- name: cdr_retry_claim
-- Index cdr_to_retry; rows that another process has are skipped.
SELECT id FROM cdr_retry_claim($1) AS id

-- name: cdr_cancel_due alone
-- Index receipt_cancellation_due; one at a time.
SELECT receipt_cancel_due($1) AS number

-- name: cdr_get
-- The bytes are the JSON text as it came; only for who sent it.
SELECT convert_from(body, 'UTF8') AS body, ocpi, country_code, party_id FROM cdr WHERE path = $2 AND partner_id = $1
