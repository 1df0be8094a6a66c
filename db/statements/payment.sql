-- SPDX-License-Identifier: Apache-2.0
-- Payments; the functions stand in migrations/021_payment.sql. What locks payments is alone: the next
-- statement of its transaction might wait for a session, whose CDR waits for these payments when it
-- commits.

-- name: payment_hold alone
SELECT * FROM payment_hold($1, $2, $3, $4, $5, $6, $7)

-- name: payment_release alone
SELECT payment_release($1)

-- name: psp_claim alone
-- SKIP LOCKED; nothing leaves before this is committed.
SELECT o.id, o.kind, o.key, o.amount_minor, o.currency, o.attempts, p.reference, p.psp_id,
       p.psp_customer, p.amount_minor AS payment_minor
  FROM psp_claim($1) o JOIN payment p ON p.id = o.payment

-- name: psp_done alone
SELECT * FROM psp_done($1, $2, $3, $4, ROW($5, $6, $7::bigint, $8, $9::bigint, $10::bigint,
                       $11::bigint, $12::timestamptz, $13, $14, $15)::psp_view)

-- name: psp_event_take alone
-- Relies on the key of inbox: an event has its effect once.
SELECT psp_event_take($1, $2, $3, $4, $5, ROW($6, $7, $8::bigint, $9, $10::bigint, $11::bigint,
                      $12::bigint, $13::timestamptz, $14, $15, $16)::psp_view) AS outcome

-- name: payment_work alone
SELECT * FROM payment_work($1)

-- name: payment_read alone
SELECT payment_read($1, $2, ROW($3, $4, $5::bigint, $6, $7::bigint, $8::bigint, $9::bigint,
                    $10::timestamptz, $11, $12, $13)::psp_view) AS outcome

-- name: refund_ask alone
-- $1 the receipt's row, $12 its number, which goes first.
SELECT * FROM refund_ask(coalesce((SELECT id FROM receipt WHERE number = $12::text), $1::bigint),
                         $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: refund_get
SELECT (refund_answer('stored', r)).* FROM refund r
 WHERE reference = uuid_or_null($1) AND cause = 'person'

-- name: refund_decline alone
SELECT * FROM refund_decline($1, $2)

-- name: refund_confirm alone
SELECT * FROM refund_confirm($1, $2)

-- name: payer_put
INSERT INTO payer (user_id, mode, psp_customer, changed_by, changed_at)
VALUES ($1, $2, $3, $4, hub_now())
ON CONFLICT (user_id) DO UPDATE
   SET mode = EXCLUDED.mode, psp_customer = EXCLUDED.psp_customer, changed_by = EXCLUDED.changed_by,
       changed_at = EXCLUDED.changed_at

-- name: payer_get
SELECT mode, psp_customer FROM payer WHERE user_id = $1

-- name: psp_payout_claim
SELECT psp_payout_claim()::text AS day

-- name: psp_payout_put
SELECT psp_payout_put($1, $2, $3, $4, $5, $6, $7) AS difference

-- name: psp_payout_done
SELECT psp_payout_done($1, $2)
