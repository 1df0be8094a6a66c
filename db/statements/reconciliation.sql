-- SPDX-License-Identifier: Apache-2.0
-- The month's reconciliation; the function stands in migrations/022_statement.sql.

-- name: reconciliation_list
-- $1 first day of the month, $2 partner's id
SELECT to_char($1::date, 'YYYY-MM') AS month, r.* FROM finance_reconciliation($1::date, $2::bigint) r
