-- SPDX-License-Identifier: Apache-2.0
-- Receipts; the functions stand in migrations/020_money.sql.

-- name: receipt_get
-- The newest receipt that is no cancellation: after a credit the replacement's, until then the
-- cancelled one.
SELECT s.id AS session_id, s.state::text AS state, s.network, s.evse_id, s.user_id, r.id, r.number,
       r.kind, r.revision, NULL AS cancels,
       (SELECT number FROM receipt WHERE cancels = r.id) AS cancelled_by, r.cdr, c.cdr_id,
       r.energy_mwh, r.duration_s, r.start_at, r.end_at, r.issued_at, r.amount_minor, r.net_minor,
       r.vat_minor, r.currency, r.content, r.hash, receipt_payment_status(r) AS payment_status
  FROM session s
  LEFT JOIN LATERAL (SELECT * FROM receipt WHERE session_id = s.id AND kind = 'receipt'
                      ORDER BY revision DESC LIMIT 1) r ON true
  LEFT JOIN cdr c ON c.id = r.cdr
 WHERE s.id = $1::uuid AND ($2::text IS NULL OR s.user_id = $2)

-- name: receipt_find
SELECT s.id AS session_id, s.state::text AS state, s.network, s.evse_id, s.user_id, r.id, r.number,
       r.kind, r.revision, (SELECT number FROM receipt WHERE id = r.cancels) AS cancels,
       (SELECT number FROM receipt WHERE cancels = r.id) AS cancelled_by, r.cdr, c.cdr_id,
       r.energy_mwh, r.duration_s, r.start_at, r.end_at, r.issued_at, r.amount_minor, r.net_minor,
       r.vat_minor, r.currency, r.content, r.hash, receipt_payment_status(r) AS payment_status
  FROM receipt r JOIN session s ON s.id = r.session_id JOIN cdr c ON c.id = r.cdr
 WHERE CASE WHEN $2::text IS NULL THEN r.id = $1::bigint ELSE r.number = $2 END

-- name: receipt_of_session
SELECT s.id AS session_id, s.state::text AS state, s.network, s.evse_id, s.user_id, r.id, r.number,
       r.kind, r.revision, (SELECT number FROM receipt WHERE id = r.cancels) AS cancels,
       (SELECT number FROM receipt WHERE cancels = r.id) AS cancelled_by, r.cdr, c.cdr_id,
       r.energy_mwh, r.duration_s, r.start_at, r.end_at, r.issued_at, r.amount_minor, r.net_minor,
       r.vat_minor, r.currency, r.content, r.hash, receipt_payment_status(r) AS payment_status
  FROM receipt r JOIN session s ON s.id = r.session_id JOIN cdr c ON c.id = r.cdr
 WHERE r.session_id = $1::uuid
 ORDER BY r.revision

-- name: receipt_series_all
SELECT series, year, next - 1 AS issued FROM receipt_series ORDER BY series, year

-- name: receipt_verify
-- The unique index (series, year, seq), in its order.
SELECT rows, last_seq, last_hash, broken, why FROM receipt_verify($1, $2, $3, $4, $5)
