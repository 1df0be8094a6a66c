-- SPDX-License-Identifier: Apache-2.0
-- Statements; the functions stand in migrations/022_statement.sql.

-- name: statement_list
-- $1 first day of the month, $2 partner's id. Those that are closed, and what would be one.
SELECT s.id, s.number, coalesce(s.state, 'OPEN') AS state, to_char(s.month, 'YYYY-MM') AS month,
       p.name AS partner, s.partner_id, s.currency, s.cdrs, s.credits,
       round(s.energy_mwh::numeric / 1000000, 3) AS energy_kwh,
       finance_net(s.net_u6) AS net_unrounded, finance_amount(s.net_minor, s.currency) AS net,
       finance_amount(s.vat_minor, s.currency) AS vat,
       finance_amount(s.net_minor + s.vat_minor, s.currency) AS gross,
       finance_amount(s.fee_minor + s.fee_vat_minor, s.currency) AS fee_gross, s.netting,
       to_char(s.closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS closed_at
  FROM (SELECT partner_id, currency FROM statement WHERE month = $1::date
        UNION
        SELECT c.partner_id, c.currency FROM cdr c
         WHERE c.period >= $1::date - interval '1 year' AND c.period <= $1::date
           AND (SELECT l.cdr FROM statement_line l WHERE l.cdr = c.id) IS NULL) k
  CROSS JOIN LATERAL statement_reckon(k.partner_id, k.currency, $1::date) s
  JOIN partner p ON p.id = k.partner_id
 WHERE ($2::bigint IS NULL OR k.partner_id = $2) AND s.cdrs > 0
 ORDER BY p.name, k.partner_id, k.currency

-- name: statement_lines
-- Nothing of the user but the contract's id; times in seconds.
SELECT c.cdr_id, c.session_id, coalesce(s.evse_id, c.evse_uid) AS evse_id,
       to_char(c.start_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS start_time,
       to_char(c.end_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS end_time,
       round(i.energy_mwh::numeric / 1000000, 6) AS energy_kwh, c.duration_s, c.charging_s,
       c.parking_s, k.currency, finance_net(i.net_u6) AS net, i.vat_treatment,
       trim_scale(i.vat_rate) AS vat_rate, c.class, c.credit, c.credit_reference_id,
       to_char(cdr_supply_day(c), 'YYYY-MM') AS supply_month,
       to_char(cdr_supply_day(c), 'YYYY-MM') < to_char(k.month, 'YYYY-MM') AS late
  FROM statement_key($1) k
  CROSS JOIN LATERAL statement_items(k.partner_id, k.currency, k.month) i
  JOIN cdr c ON c.id = i.cdr LEFT JOIN session s ON s.id = c.session_id
 ORDER BY c.id

-- name: statement_document
SELECT statement_document($1)::text AS document

-- name: statement_close
-- Holds the row of the series to the end.
SELECT * FROM statement_close($1, $2, $3)

-- name: statement_move
SELECT * FROM statement_move($1, $2, $3)

-- name: statement_check
SELECT what, subject, detail FROM statement_check(coalesce($1::timestamptz, '-infinity'))

-- name: statement_terms_put
INSERT INTO statement_terms
    (partner_id, currency, valid_from, vat_treatment, vat_rate, fee_percent, fee_per_cdr_u6,
     fee_vat_treatment, fee_vat_rate, netting, changed_by, changed_at)
VALUES ($1, $2, coalesce($3::date, date '2000-01-01'), $4, $5::numeric, $6::numeric, $7, $8,
        $9::numeric, $10, $11, hub_now())
ON CONFLICT (partner_id, currency, valid_from) DO UPDATE
   SET vat_treatment = EXCLUDED.vat_treatment, vat_rate = EXCLUDED.vat_rate,
       fee_percent = EXCLUDED.fee_percent, fee_per_cdr_u6 = EXCLUDED.fee_per_cdr_u6,
       fee_vat_treatment = EXCLUDED.fee_vat_treatment, fee_vat_rate = EXCLUDED.fee_vat_rate,
       netting = EXCLUDED.netting, changed_by = EXCLUDED.changed_by,
       changed_at = EXCLUDED.changed_at

-- name: statement_terms_list
SELECT coalesce(jsonb_agg(jsonb_build_object(
           'partner', p.name, 'partner_id', t.partner_id, 'currency', t.currency,
           'valid_from', t.valid_from, 'vat_treatment', t.vat_treatment,
           'vat_rate', trim_scale(t.vat_rate), 'fee_percent', trim_scale(t.fee_percent),
           'fee_per_cdr', finance_net(t.fee_per_cdr_u6),
           'fee_vat_treatment', t.fee_vat_treatment, 'fee_vat_rate', trim_scale(t.fee_vat_rate),
           'netting', t.netting, 'changed_by', t.changed_by)
           ORDER BY p.name, t.partner_id, t.currency, t.valid_from), '[]')::text AS document
  FROM statement_terms t JOIN partner p ON p.id = t.partner_id
