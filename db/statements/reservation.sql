-- SPDX-License-Identifier: Apache-2.0
-- Reservations; the functions stand in migrations/016_reservation.sql.

-- name: reservation_ask
SELECT outcome, id, operation_id, until_at
  FROM reservation_ask($1, $2, $3, $4, $5, $6, $7, $8, $9::int, $10, $11)

-- name: reservation_cancel
SELECT outcome, id, operation_id, until_at FROM reservation_cancel($1, $2)

-- name: reservation_get
SELECT state, why FROM reservation WHERE id = $1
