-- SPDX-License-Identifier: Apache-2.0
-- Timers; the functions stand in migrations/007_timer.sql.

-- name: timer_run
-- Indexes timer_due and operation_due. Rows that another process works on are skipped.
SELECT pull_partner, (session).* FROM timer_run($1, $2)
