-- SPDX-License-Identifier: Apache-2.0
-- The ledger; its tables and functions stand in migrations/020_money.sql.

-- name: ledger_balances
SELECT l.account, e.currency, sum(l.amount_u6)::bigint AS amount_u6
  FROM ledger_entry e JOIN ledger_line l ON l.entry = e.id
 WHERE ($1::timestamptz IS NULL OR e.at >= $1) AND ($2::timestamptz IS NULL OR e.at < $2)
 GROUP BY l.account, e.currency
 ORDER BY l.account, e.currency

-- name: ledger_check
SELECT what, subject, detail
  FROM finance_check(coalesce($1::timestamptz, '-infinity'), coalesce($2::timestamptz, 'infinity'))
 LIMIT 100

-- name: finance_job_claim
SELECT finance_job_claim($1) AS done_at

-- name: finance_audit_keep
SELECT finance_audit_keep($1, $2::jsonb)
