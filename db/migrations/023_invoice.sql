-- SPDX-License-Identifier: Apache-2.0
-- Invoice reconciliation (OCPI 2.3.0): which CDRs an invoice covers, as its issuer says (R-INV-01);
-- what of it we hold and owe; and the invoice's total, as finance reads it from the document.

-- ---------------------------------------------------------------- records

-- Received: the issuer is a party of the partner. Sent: the issuer is us, the partner's party
-- (to_country, to_party) is to get it. A deleted one stays as a tombstone: the record was a mistake,
-- its CDRs are in no invoice again (R-INV-02).
CREATE TABLE invoice_record (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sent boolean NOT NULL,
    partner_id bigint NOT NULL,
    country_code text NOT NULL,
    party_id text NOT NULL,
    record_id text NOT NULL,
    invoice_id text NOT NULL,
    to_country text NOT NULL,
    to_party text NOT NULL,
    document text NOT NULL,
    content_hash text NOT NULL,
    last_updated timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    deleted_at timestamptz,
    statement text REFERENCES statement, -- sent: what was invoiced
    owner text NOT NULL GENERATED ALWAYS AS (party_key(country_code, party_id)) STORED,
    reader text NOT NULL GENERATED ALWAYS AS (party_key(to_country, to_party)) STORED
);
CREATE UNIQUE INDEX invoice_record_key ON invoice_record (partner_id, sent, owner, lower(record_id));
CREATE INDEX invoice_record_of_statement ON invoice_record (statement) WHERE statement IS NOT NULL;
CREATE INDEX invoice_record_by_arrival ON invoice_record (received_at, id);

-- Its CDRs in its order. The same id twice is two rows: the invoice may count it twice. There may be
-- a hundred thousand of them, and a foreign key would look for the record as often: they are written
-- with it, in one statement, and no record is ever removed.
CREATE TABLE invoice_cdr (
    invoice bigint NOT NULL, -- invoice_record
    position int NOT NULL,
    cdr_id text NOT NULL,
    PRIMARY KEY (invoice, position)
);
CREATE INDEX invoice_cdr_by_id ON invoice_cdr (lower(cdr_id));

-- What finance read on the invoice, each time it was entered; the last one counts. `cdrs`: how many
-- the record listed then.
CREATE TABLE invoice_total (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    invoice bigint NOT NULL REFERENCES invoice_record,
    version bigint NOT NULL,           -- of the record that it was compared with
    at timestamptz NOT NULL,
    by text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('net', 'gross')),
    amount_u6 bigint NOT NULL,
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    expected_u6 bigint NOT NULL,
    tolerance_u6 bigint NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('matched', 'differs')),
    cdrs bigint NOT NULL
);
CREATE INDEX invoice_total_of_invoice ON invoice_total (invoice, id);
CREATE TRIGGER invoice_total_guard BEFORE UPDATE OR DELETE ON invoice_total
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- ---------------------------------------------------------------- receiving

-- What stands where it stood is left alone.
CREATE FUNCTION invoice_write_cdrs(p_invoice bigint, p_cdrs text[]) RETURNS void
LANGUAGE plpgsql SET enable_nestloop = off SET enable_mergejoin = off AS $$
BEGIN
    DELETE FROM invoice_cdr x
     WHERE invoice = p_invoice AND NOT EXISTS (
           SELECT FROM unnest(p_cdrs) WITH ORDINALITY y (c, i)
            WHERE y.i = x.position AND y.c = x.cdr_id);
    INSERT INTO invoice_cdr (invoice, position, cdr_id)
    SELECT p_invoice, i, c FROM unnest(p_cdrs) WITH ORDINALITY y (c, i)
     WHERE NOT EXISTS (SELECT FROM invoice_cdr x
                        WHERE x.invoice = p_invoice AND x.position = y.i AND x.cdr_id = y.c);
END $$;

-- Outcomes: created, replaced, same; stale: an older state of a PUT, nothing changes (R-TRANS-15);
-- exists: a POST of another content under an id that is taken. A clock that cannot be relied upon
-- orders nothing. p_way: post, put, pull; a page that was printed before a DELETE and read after it
-- does not bring the record back.
CREATE FUNCTION invoice_put(p_partner bigint, p_country text, p_party text, p_id text,
                            p_invoice text, p_cdrs text[], p_document text, p_hash text,
                            p_last_updated timestamptz, p_to_country text, p_to_party text,
                            p_way text, p_unreliable boolean)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    o invoice_record;
    v_id bigint;
    v_now timestamptz := hub_now();
BEGIN
    INSERT INTO invoice_record
        (sent, partner_id, country_code, party_id, record_id, invoice_id, to_country, to_party,
         document, content_hash, last_updated, received_at, changed_at)
    VALUES (false, p_partner, p_country, p_party, p_id, p_invoice, p_to_country, p_to_party,
            p_document, p_hash, p_last_updated, v_now, v_now)
    ON CONFLICT (partner_id, sent, owner, lower(record_id)) DO NOTHING
    RETURNING id INTO v_id;
    IF v_id IS NOT NULL THEN
        PERFORM invoice_write_cdrs(v_id, p_cdrs);
        RETURN 'created';
    END IF;
    SELECT * INTO o FROM invoice_record
     WHERE partner_id = p_partner AND NOT sent AND owner = party_key(p_country, p_party)
       AND lower(record_id) = lower(p_id)
       FOR UPDATE;
    IF o.content_hash = p_hash AND o.deleted_at IS NULL THEN
        RETURN 'same';
    ELSIF p_way = 'post' AND o.deleted_at IS NULL THEN
        RETURN 'exists';
    ELSIF p_way <> 'post' AND p_last_updated < o.last_updated AND NOT p_unreliable THEN
        RETURN 'stale';
    ELSIF p_way = 'pull' AND o.deleted_at IS NOT NULL AND p_last_updated = o.last_updated THEN
        RETURN 'stale';
    END IF;
    UPDATE invoice_record
       SET invoice_id = p_invoice, to_country = p_to_country, to_party = p_to_party,
           document = p_document, content_hash = p_hash, last_updated = p_last_updated,
           version = version + 1, deleted_at = NULL, changed_at = v_now,
           received_at = CASE WHEN deleted_at IS NULL THEN received_at ELSE v_now END
     WHERE id = o.id;
    PERFORM invoice_write_cdrs(o.id, p_cdrs);
    RETURN CASE WHEN o.deleted_at IS NULL THEN 'replaced' ELSE 'created' END;
END $$;

-- ---------------------------------------------------------------- fetching

-- Records of issuers that push none, and what was missed while a connection was down.
ALTER TABLE pull DROP CONSTRAINT pull_module_check,
    ADD CONSTRAINT pull_module_check
        CHECK (module IN ('locations', 'tariffs', 'sessions', 'cdrs', 'tokens',
                          'invoicereconciliation'));

-- The modules that we fetch, of the endpoints that a partner has.
CREATE FUNCTION pull_modules(p_version text, p_face text, p_endpoints jsonb) RETURNS SETOF text
LANGUAGE sql IMMUTABLE AS $$
    SELECT DISTINCT e ->> 'identifier'
      FROM jsonb_array_elements(p_endpoints) e
     WHERE (e ->> 'identifier' IN ('locations', 'tariffs', 'sessions', 'cdrs')
            OR (e ->> 'identifier' = 'tokens' AND p_face <> 'emsp')
            OR (e ->> 'identifier' = 'invoicereconciliation' AND p_version = '2.3.0'))
       AND endpoint_role(p_version, p_face, e) = 'SENDER'
$$;

-- As before, with invoices.
CREATE OR REPLACE FUNCTION partner_registered(
    p_id bigint, p_expected text, p_name text, p_version text, p_versions_url text, p_token_out text,
    p_token_hash text, p_encoding text, p_endpoints text, p_roles text, p_our_country text,
    p_our_party text, p_spend_a boolean, p_face text DEFAULT 'emsp', p_hub boolean DEFAULT false)
RETURNS partner_registered LANGUAGE plpgsql AS $$
DECLARE
    a partner_registered;
    p partner;
    v_now timestamptz := hub_now();
    v_agreed boolean; -- there are parties that were agreed
    v_roles jsonb;    -- those of the listed ones that become active
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('partner'));
    SELECT * INTO p FROM partner WHERE id = p_id FOR UPDATE;
    v_agreed := EXISTS (SELECT FROM party WHERE partner_id = p_id);
    SELECT coalesce(jsonb_agg(r), '[]') INTO v_roles
      FROM jsonb_array_elements(p_roles::jsonb) r
     WHERE NOT v_agreed OR EXISTS (
           SELECT FROM party y
            WHERE y.partner_id = p_id AND y.role = r ->> 'role'
              AND y.owner = party_key(r ->> 'country_code', r ->> 'party_id'));
    a.partner_id := p_id;
    a.outcome := CASE
        WHEN p.id IS NULL THEN 'conflict'
        -- Of two POSTs with one token A the first counts (R-CRED-20).
        WHEN p_spend_a AND NOT EXISTS (SELECT FROM partner_token
                                        WHERE partner_id = p_id AND kind = 'a') THEN 'conflict'
        WHEN p_expected = 'planned' AND p.state <> 'planned' THEN 'conflict'
        WHEN p_expected = 'connected' AND p.state NOT IN ('connected', 'offline') THEN 'conflict'
        WHEN EXISTS (
            SELECT FROM jsonb_array_elements(v_roles) r JOIN party y
                ON y.owner = party_key(r ->> 'country_code', r ->> 'party_id')
             WHERE y.partner_id <> p_id) THEN 'taken'
        ELSE 'registered' END;
    IF a.outcome <> 'registered' THEN
        RETURN a;
    END IF;

    IF v_roles <> '[]' THEN
        DELETE FROM party y
         WHERE partner_id = p_id AND NOT EXISTS (
               SELECT FROM jsonb_array_elements(v_roles) r
                WHERE y.role = r ->> 'role'
                  AND y.owner = party_key(r ->> 'country_code', r ->> 'party_id'));
    END IF;
    INSERT INTO party (partner_id, country_code, party_id, role, name, details)
    SELECT p_id, r ->> 'country_code', r ->> 'party_id', r ->> 'role',
           coalesce(r -> 'business_details' ->> 'name', p_name, ''),
           coalesce(r -> 'business_details', '{}')
      FROM (SELECT DISTINCT ON (party_key(r ->> 'country_code', r ->> 'party_id'), r ->> 'role') r
              FROM jsonb_array_elements(v_roles) r) x
    ON CONFLICT (lower(country_code), lower(party_id), role) DO UPDATE
       SET country_code = EXCLUDED.country_code, party_id = EXCLUDED.party_id,
           name = EXCLUDED.name, details = EXCLUDED.details
     WHERE party.partner_id = p_id;
    DELETE FROM party_pending WHERE partner_id = p_id;
    INSERT INTO party_pending (partner_id, country_code, party_id, role, name, details)
    SELECT p_id, r ->> 'country_code', r ->> 'party_id', r ->> 'role',
           coalesce(r -> 'business_details' ->> 'name', p_name, ''),
           coalesce(r -> 'business_details', '{}')
      FROM jsonb_array_elements(p_roles::jsonb) r
     WHERE NOT EXISTS (SELECT FROM party y
                        WHERE y.partner_id = p_id AND y.role = r ->> 'role'
                          AND y.owner = party_key(r ->> 'country_code', r ->> 'party_id'))
       AND r ->> 'country_code' IS NOT NULL AND r ->> 'party_id' IS NOT NULL
       AND r ->> 'role' IS NOT NULL
    ON CONFLICT DO NOTHING;

    UPDATE partner SET
        name = coalesce(nullif(p_name, ''), name), state = 'connected', version = p_version,
        versions_url = p_versions_url, token_out = p_token_out,
        auth_encoding = coalesce(p_encoding, auth_encoding), endpoints = p_endpoints::jsonb,
        our_country = coalesce(p_our_country, our_country),
        our_party = coalesce(p_our_party, our_party), face = coalesce(p_face, face),
        hub = coalesce(p_hub, hub), failures = 0, registered_at = v_now, last_contact_at = v_now
     WHERE id = p_id;

    IF p_spend_a THEN -- remembered for a day: a repeated POST is told 405 (R-CRED-20)
        UPDATE partner_token SET kind = 'a_used', expires_at = v_now + interval '24 hours'
         WHERE partner_id = p_id AND kind = 'a';
    END IF;
    DELETE FROM partner_token WHERE partner_id = p_id AND kind = 'previous';
    UPDATE partner_token SET kind = 'previous', expires_at = v_now + interval '10 minutes'
     WHERE partner_id = p_id AND kind = 'accepted' AND hash <> p_token_hash;
    INSERT INTO partner_token (hash, partner_id, kind) VALUES (p_token_hash, p_id, 'accepted')
    ON CONFLICT (hash) DO UPDATE SET kind = 'accepted', expires_at = NULL
     WHERE partner_token.partner_id = p_id;

    -- The modules that they send: fetched now, and again on a schedule.
    -- A second later: the other side has to read our answer before it knows our token.
    WITH sent AS (
        SELECT module FROM pull_modules(p_version, coalesce(p_face, p.face), p_endpoints::jsonb) module
    ), gone AS (
        DELETE FROM pull WHERE partner_id = p_id AND module NOT IN (SELECT module FROM sent)
    )
    INSERT INTO pull (partner_id, module, due_at)
    SELECT p_id, module, v_now + interval '1 second' FROM sent
    ON CONFLICT (partner_id, module)
    DO UPDATE SET due_at = EXCLUDED.due_at, failures = 0, lease_until = NULL, cursor = NULL;
    PERFORM partner_changed();
    RETURN a;
END $$;

INSERT INTO pull (partner_id, module, due_at)
SELECT p.id, 'invoicereconciliation', hub_now()
  FROM partner p
 WHERE p.token_out IS NOT NULL AND p.version = '2.3.0'
   AND 'invoicereconciliation' IN (SELECT pull_modules(p.version, p.face, p.endpoints));

-- ---------------------------------------------------------------- classes

-- Each CDR of a record, as it stands now. `cdr` NULL: nothing is known that could be meant.
--   ok               we hold it, owe it (or carried it, where its eMSP bills us), and it is in no
--                    invoice before this one
--   unknown          no such CDR; or several CPOs have one, and an eMSP does not say whose
--   other_party      it is another party's, or was charged with another eMSP's token
--   in_other_invoice an earlier record has it, or this one further up
--   credited         it was withdrawn, and its credit is in no invoice
--   disputed         we do not owe it: nobody has matched or released it, or it was refused
-- The net of a credit is below zero, whatever the sign in which it came. The VAT key is that of the
-- terms with the partner; without terms it is what the two totals state, 0 where there is one alone:
-- a rate of its country where the figures fit one to the cent.
--
-- An invoice may have a hundred thousand of them: each OFFSET 0 keeps its look-up by the id of the
-- CDR what it is (indexes cdr_by_id, invoice_cdr_by_id), and no row of cdr is passed on as a whole,
-- because its documents would come along.
CREATE FUNCTION invoice_cdrs(p_invoice bigint)
RETURNS TABLE ("position" int, cdr_id text, class text, cdr bigint, other_invoice text,
               currency text, vat_treatment text, vat_rate numeric, net_u6 bigint,
               recalculated_u6 bigint, filed text, grade text)
LANGUAGE sql STABLE SET jit = off AS $$
    WITH listed AS (
        SELECT i.id AS invoice, i.owner, i.sent, i.partner_id, x.position, x.cdr_id,
               lower(x.cdr_id) AS key
          FROM invoice_record i JOIN invoice_cdr x ON x.invoice = i.id
         WHERE i.id = p_invoice
    )
    SELECT l.position, l.cdr_id,
           CASE WHEN c.id IS NULL OR c.several THEN 'unknown'
                WHEN NOT c.own THEN 'other_party'
                WHEN c.direct AND NOT l.sent AND c.filed = 'carried' THEN 'other_party'
                WHEN e.id IS NOT NULL THEN 'in_other_invoice'
                WHEN c.credited_by IS NOT NULL AND NOT EXISTS (
                         SELECT FROM cdr k
                           CROSS JOIN LATERAL (SELECT y.invoice FROM invoice_cdr y
                                                WHERE lower(y.cdr_id) = lower(k.cdr_id) OFFSET 0) y
                           CROSS JOIN LATERAL (SELECT * FROM invoice_record i
                                                WHERE i.id = y.invoice OFFSET 0) o
                          WHERE k.id = c.credited_by AND o.owner = l.owner AND o.sent = l.sent
                            AND o.deleted_at IS NULL) THEN 'credited'
                WHEN c.owed_at IS NULL AND c.filed <> 'carried' THEN 'disputed'
                ELSE 'ok' END,
           CASE WHEN NOT coalesce(c.several, false) THEN c.id END,
           CASE WHEN e.id <> l.invoice THEN e.invoice_id END, c.currency, coalesce(t.vat_treatment, 'stated'),
           CASE WHEN t.vat_rate IS NOT NULL THEN t.vat_rate
                WHEN c.total_cost_u6 IS NULL OR c.total_cost_excl_u6 = 0 THEN 0
                WHEN abs(c.total_cost_excl_u6::numeric * v.rate / 100
                         - (c.total_cost_u6 - c.total_cost_excl_u6)) <= 10000 THEN v.rate
                ELSE round((c.total_cost_u6 - c.total_cost_excl_u6)::numeric * 100
                           / c.total_cost_excl_u6, 1) END,
           CASE WHEN c.credit THEN -abs(c.total_cost_excl_u6) ELSE c.total_cost_excl_u6 END,
           c.recalculated_u6, c.filed, c.class
      FROM listed l
      LEFT JOIN LATERAL (
           SELECT z.*, count(*) FILTER (WHERE z.own) OVER () > 1 AS several
             FROM (SELECT f.*, f.party = l.owner AS direct,
                          f.party = l.owner OR coalesce(f.token_owner = l.owner, false) OR l.sent
                              AS own
                     FROM (SELECT c.id, c.partner_id, c.filed, c.class, c.owed_at, c.credited_by,
                                  c.credit, c.currency, c.country, c.end_at, c.supply_day,
                                  c.token_owner,
                                  c.total_cost_excl_u6, c.recalculated_u6,
                                  CASE WHEN c.has_incl_vat THEN c.total_cost_u6 END AS total_cost_u6,
                                  party_key(c.country_code, c.party_id) AS party
                             FROM cdr c WHERE lower(c.cdr_id) = l.key OFFSET 0) f
                    WHERE NOT l.sent OR f.partner_id = l.partner_id
                       OR f.token_owner IN (SELECT y.owner FROM party y
                                             WHERE y.partner_id = l.partner_id)) z
            ORDER BY z.own DESC, z.id LIMIT 1) c ON true
      LEFT JOIN LATERAL (
           SELECT o.id, o.invoice_id
             FROM (SELECT y.invoice, y.position FROM invoice_cdr y
                    WHERE lower(y.cdr_id) = l.key OFFSET 0) y
             CROSS JOIN LATERAL (SELECT * FROM invoice_record i WHERE i.id = y.invoice OFFSET 0) o
            WHERE (y.invoice, y.position) < (l.invoice, l.position) AND o.sent = l.sent
              AND o.owner = l.owner AND o.partner_id = l.partner_id AND o.deleted_at IS NULL
            ORDER BY o.id LIMIT 1) e ON true
      -- As cdr_supply_day says it.
      LEFT JOIN LATERAL (
           SELECT coalesce(c.supply_day,
                           (CASE WHEN c.end_at > 'epoch' THEN c.end_at ELSE c.owed_at END
                            AT TIME ZONE 'UTC')::date) AS day,
                  coalesce(c.supply_day, (c.end_at AT TIME ZONE 'UTC')::date) AS end_day
           OFFSET 0) s ON true
      LEFT JOIN LATERAL (
           SELECT x.vat_treatment, x.vat_rate::numeric FROM statement_terms x
            WHERE x.partner_id = c.partner_id AND x.currency = c.currency AND x.valid_from <= s.day
              AND c.filed <> 'carried'
            ORDER BY x.valid_from DESC LIMIT 1) t ON true
      LEFT JOIN LATERAL (
           SELECT x.rate FROM vat_rate x
            WHERE x.country = c.country AND x.buyer = 'consumer'
              AND x.valid_from <= s.end_day AND coalesce(x.valid_until > s.end_day, true)
            LIMIT 1) v ON true
     ORDER BY l.position
$$;

-- What CDRs of one VAT key come to: the sum of unrounded nets, rounded once, then the VAT once.
CREATE TYPE invoice_amount AS (net_u6 bigint, vat_u6 bigint);
CREATE FUNCTION invoice_amount(p_net_u6 numeric, p_rate numeric, p_currency text)
RETURNS invoice_amount LANGUAGE sql STABLE AS $$
    SELECT x.net_u6, money_u6(money_minor(round(x.net_u6 * p_rate / 100)::bigint, p_currency), p_currency)
      FROM (SELECT money_u6(money_minor(p_net_u6::bigint, p_currency), p_currency) AS net_u6) x
$$;

-- What the ok ones come to, per currency and VAT key.
CREATE FUNCTION invoice_expected(p_invoice bigint)
RETURNS TABLE (currency text, vat_treatment text, vat_rate numeric, cdrs bigint, net_u6 bigint,
               vat_u6 bigint)
LANGUAGE sql STABLE AS $$
    SELECT k.currency, k.vat_treatment, k.vat_rate, k.cdrs, a.net_u6, a.vat_u6
      FROM (SELECT c.currency, c.vat_treatment, c.vat_rate, count(*) AS cdrs, sum(c.net_u6) AS net
              FROM invoice_cdrs(p_invoice) c WHERE c.class = 'ok'
             GROUP BY c.currency, c.vat_treatment, c.vat_rate) k,
           invoice_amount(k.net, k.vat_rate, k.currency) a
     ORDER BY k.currency, k.vat_treatment, k.vat_rate
$$;

-- Compares the total on the invoice with what we expect, and keeps both. It matches up to two cents,
-- or one per 1000 CDRs; never where an ok CDR has another currency. NULL: there is no such invoice.
CREATE FUNCTION invoice_enter_total(p_invoice bigint, p_kind text, p_amount_u6 bigint,
                                    p_currency text, p_by text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    i invoice_record;
    v_expected bigint;
    v_cdrs bigint;
    v_tolerance bigint;
    v_foreign boolean;
    v_outcome text;
BEGIN
    SELECT * INTO i FROM invoice_record WHERE id = p_invoice AND NOT sent AND deleted_at IS NULL
       FOR UPDATE;
    IF i.id IS NULL THEN
        RETURN NULL;
    END IF;
    SELECT coalesce(sum(CASE p_kind WHEN 'net' THEN net_u6 ELSE net_u6 + vat_u6 END)
                    FILTER (WHERE currency = p_currency), 0),
           coalesce(bool_or(currency <> p_currency), false)
      INTO v_expected, v_foreign FROM invoice_expected(i.id);
    SELECT count(*) INTO v_cdrs FROM invoice_cdr WHERE invoice = i.id;
    v_tolerance := greatest(20000, 10 * v_cdrs);
    v_outcome := CASE WHEN abs(p_amount_u6 - v_expected) <= v_tolerance AND NOT v_foreign
                      THEN 'matched' ELSE 'differs' END;
    INSERT INTO invoice_total (invoice, version, at, by, kind, amount_u6, currency, expected_u6,
                               tolerance_u6, outcome, cdrs)
    VALUES (i.id, i.version, hub_now(), p_by, p_kind, p_amount_u6, p_currency, v_expected,
            v_tolerance, v_outcome, v_cdrs);
    RETURN v_outcome;
END $$;

-- open: no total was entered, or the record has changed since; deleted; matched; differs.
CREATE FUNCTION invoice_state(i invoice_record) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN i.deleted_at IS NOT NULL THEN 'deleted' WHEN i.sent THEN 'sent' ELSE coalesce(
        (SELECT CASE WHEN t.version = i.version THEN t.outcome ELSE 'open' END
           FROM invoice_total t WHERE t.invoice = i.id ORDER BY t.id DESC LIMIT 1), 'open') END
$$;

-- An invoice for people, with the first 1000 of its CDRs and of what may explain a difference; its
-- counts and amounts are of all of them. NULL: there is none.
CREATE FUNCTION invoice_document(p_invoice bigint) RETURNS jsonb LANGUAGE sql STABLE AS $$
    WITH c AS MATERIALIZED (SELECT * FROM invoice_cdrs(p_invoice))
    SELECT jsonb_build_object(
        'id', i.id, 'direction', CASE WHEN i.sent THEN 'sent' ELSE 'received' END,
        'network', p.name, 'country_code', i.country_code, 'party_id', i.party_id,
        'record_id', i.record_id, 'invoice_id', i.invoice_id, 'state', invoice_state(i),
        'received_at', i.received_at, 'changed_at', i.changed_at, 'last_updated', i.last_updated,
        'deleted_at', i.deleted_at, 'statement', i.statement,
        'counts', jsonb_build_object('ok', 0, 'unknown', 0, 'other_party', 0,
                                     'in_other_invoice', 0, 'disputed', 0, 'credited', 0)
                  || coalesce((SELECT jsonb_object_agg(class, n)
                                 FROM (SELECT class, count(*) AS n FROM c GROUP BY class) x), '{}'),
        'expected', coalesce((SELECT jsonb_agg(jsonb_build_object(
                'currency', e.currency, 'vat_treatment', e.vat_treatment, 'vat_rate', e.vat_rate,
                'cdrs', e.cdrs,
                'net', finance_amount(money_minor(a.net_u6, e.currency), e.currency),
                'vat', finance_amount(money_minor(a.vat_u6, e.currency), e.currency),
                'gross', finance_amount(money_minor(a.net_u6 + a.vat_u6, e.currency), e.currency))
                ORDER BY e.currency, e.vat_treatment, e.vat_rate)
            FROM (SELECT currency, vat_treatment, vat_rate, count(*) AS cdrs, sum(net_u6) AS net
                    FROM c WHERE class = 'ok' GROUP BY 1, 2, 3) e,
                 invoice_amount(e.net, e.vat_rate, e.currency) a), '[]'),
        'totals', coalesce((SELECT jsonb_agg(jsonb_build_object(
                'kind', t.kind, 'amount', round(t.amount_u6::numeric / 1000000, 2),
                'currency', t.currency, 'at', t.at, 'by', t.by,
                'expected', round(t.expected_u6::numeric / 1000000, 2),
                'difference', round((t.amount_u6 - t.expected_u6)::numeric / 1000000, 2),
                'tolerance', round(t.tolerance_u6::numeric / 1000000, 2), 'outcome', t.outcome,
                'of_this_version', t.version = i.version) ORDER BY t.id)
            FROM invoice_total t WHERE t.invoice = i.id), '[]'),
        -- What may explain a difference: all that is not ok, and what we reckon otherwise.
        'differences', coalesce((SELECT jsonb_agg(jsonb_build_object(
                'cdr_id', c.cdr_id, 'class', c.class, 'cdr', c.cdr, 'currency', c.currency,
                'net', round(c.net_u6::numeric / 1000000, 4),
                'recalculated_net', round(c.recalculated_u6::numeric / 1000000, 4),
                'other_invoice', c.other_invoice) ORDER BY c.position)
            FROM (SELECT * FROM c WHERE class <> 'ok' OR grade = 'WARN'
                   ORDER BY "position" LIMIT 1000) c), '[]'),
        'cdrs', coalesce((SELECT jsonb_agg(jsonb_build_object(
                'cdr_id', c.cdr_id, 'class', c.class, 'cdr', c.cdr, 'currency', c.currency,
                'vat_treatment', c.vat_treatment, 'vat_rate', c.vat_rate,
                'net', round(c.net_u6::numeric / 1000000, 4)) ORDER BY c.position)
            FROM (SELECT * FROM c ORDER BY "position" LIMIT 1000) c), '[]'))
      FROM invoice_record i LEFT JOIN partner p ON p.id = i.partner_id
     WHERE i.id = p_invoice
$$;

-- ---------------------------------------------------------------- gaps

-- Whether a CDR is in a living invoice: of its CPO, or of ours to or from it.
CREATE FUNCTION cdr_is_invoiced(p_cdr bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (
        SELECT FROM cdr c
          CROSS JOIN LATERAL (SELECT x.invoice FROM invoice_cdr x
                               WHERE lower(x.cdr_id) = lower(c.cdr_id) OFFSET 0) x
          CROSS JOIN LATERAL (SELECT * FROM invoice_record r WHERE r.id = x.invoice OFFSET 0) i
         WHERE c.id = p_cdr AND i.deleted_at IS NULL
           AND (i.sent AND i.partner_id = c.partner_id
                OR i.owner = party_key(c.country_code, c.party_id)))
$$;

-- not_invoiced: what we owe for longer than 45 days (one that was withdrawn before it was invoiced,
-- and its credit, are nothing to invoice); unknown_cdr: of a living invoice; in_two_invoices: one row
-- for each invoice but the first.
CREATE FUNCTION invoice_gaps(p_partner bigint)
RETURNS TABLE (kind text, partner_id bigint, cdr_id text, invoice bigint, invoice_id text,
               other_invoice text, since timestamptz, currency text, net_u6 bigint)
LANGUAGE sql STABLE AS $$
    SELECT 'not_invoiced', c.partner_id, c.cdr_id, NULL::bigint, NULL, NULL, c.owed_at, c.currency,
           CASE WHEN c.credit THEN -abs(c.total_cost_excl_u6) ELSE c.total_cost_excl_u6 END
      FROM cdr c
     WHERE c.owed_at < hub_now() - interval '45 days' AND (p_partner IS NULL OR c.partner_id = p_partner)
       AND NOT cdr_is_invoiced(c.id)
       AND (c.credited_by IS NULL OR cdr_is_invoiced(c.credited_by))
       AND NOT (c.credit AND EXISTS (SELECT FROM cdr o
                                      WHERE o.session_id = c.session_id AND o.credited_by = c.id
                                        AND NOT cdr_is_invoiced(o.id)))
    UNION ALL
    SELECT CASE x.class WHEN 'unknown' THEN 'unknown_cdr' ELSE 'in_two_invoices' END, i.partner_id,
           x.cdr_id, i.id, i.invoice_id, coalesce(x.other_invoice, i.invoice_id), i.received_at,
           x.currency, x.net_u6
      FROM invoice_record i, LATERAL invoice_cdrs(i.id) x
     WHERE NOT i.sent AND i.deleted_at IS NULL AND (p_partner IS NULL OR i.partner_id = p_partner)
       AND x.class IN ('unknown', 'in_other_invoice')
$$;

-- ---------------------------------------------------------------- sending

ALTER TABLE outbox DROP CONSTRAINT outbox_class_check,
    ADD CONSTRAINT outbox_class_check
        CHECK (class IN ('location', 'tariff', 'session', 'cdr', 'client_info', 'token',
                         'invoice'));

CREATE OR REPLACE FUNCTION outbox_module(p_class text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE p_class WHEN 'client_info' THEN 'hubclientinfo'
                        WHEN 'invoice' THEN 'invoicereconciliation' ELSE p_class || 's' END
$$;
-- What is money is tried for three days, then it waits for a person.
CREATE OR REPLACE FUNCTION outbox_life(p_class text) RETURNS interval LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_class IN ('cdr', 'invoice') THEN interval '72 hours'
                ELSE interval '15 minutes' END
$$;
CREATE OR REPLACE FUNCTION outbox_is_money(p_class text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
    SELECT p_class IN ('cdr', 'invoice')
$$;

-- As before, with invoices.
CREATE OR REPLACE FUNCTION push_target_refresh(p partner) RETURNS void LANGUAGE sql AS $$
    WITH wanted AS (
        SELECT DISTINCT e ->> 'identifier' AS module
          FROM jsonb_array_elements(p.endpoints) e
         WHERE p.enabled AND p.state IN ('connected', 'offline') AND p.token_out IS NOT NULL
           AND endpoint_role(p.version, p.face, e) = 'RECEIVER'
           AND (e ->> 'identifier' IN ('locations', 'tariffs', 'sessions', 'cdrs', 'tokens')
                OR (e ->> 'identifier' = 'invoicereconciliation' AND p.version = '2.3.0')
                -- R-HCI-10; and only those who know us as a hub hear of its clients
                OR (e ->> 'identifier' = 'hubclientinfo' AND p.face = 'platform'
                    AND p.version NOT LIKE '2.1%'))
    ), gone AS (
        DELETE FROM push_target
         WHERE partner_id = p.id AND module NOT IN (SELECT module FROM wanted)
    ), dropped AS (
        DELETE FROM outbox
         WHERE partner_id = p.id AND outbox_module(class) NOT IN (SELECT module FROM wanted)
    )
    INSERT INTO push_target (partner_id, module) SELECT p.id, module FROM wanted
    ON CONFLICT DO NOTHING
$$;
SELECT push_target_refresh(p) FROM partner p;

-- As before, with invoices: one is for its partner alone.
-- invoice: a new one, told by POST; invoice_changed: by PUT; invoice_deleted. token_country and
-- token_party say which party of the partner it is for.
ALTER FUNCTION outbox_read(outbox) RENAME TO outbox_object_read;
CREATE FUNCTION outbox_read(x outbox) RETURNS outbox_content LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    c outbox_content;
BEGIN
    IF x.class <> 'invoice' THEN
        RETURN outbox_object_read(x);
    END IF;
    SELECT CASE WHEN deleted_at IS NOT NULL THEN 'invoice_deleted'
                WHEN version > 1 THEN 'invoice_changed' ELSE 'invoice' END,
           country_code, party_id, record_id, document, '2.3.0', last_updated, to_country, to_party
      INTO c.kind, c.country_code, c.party_id, c.object_id, c.document, c.ocpi, c.last_updated,
           c.token_country, c.token_party
      FROM invoice_record WHERE id = x.object AND sent AND partner_id = x.partner_id;
    c.kind := coalesce(c.kind, 'invoice_deleted');
    RETURN c;
END $$;

CREATE FUNCTION invoice_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM push_target
                WHERE partner_id = NEW.partner_id AND module = 'invoicereconciliation') THEN
        PERFORM outbox_put(ARRAY[NEW.partner_id], 'invoice', NEW.id, '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER invoice_inserted AFTER INSERT ON invoice_record
    FOR EACH ROW WHEN (NEW.sent) EXECUTE FUNCTION invoice_told();
CREATE TRIGGER invoice_updated AFTER UPDATE ON invoice_record
    FOR EACH ROW WHEN (NEW.sent AND NEW.version <> OLD.version) EXECUTE FUNCTION invoice_told();

-- Issues a record of ours for a party of a partner, or a new state of it (R-INV-02: last_updated goes
-- along). Nothing happens where it says the same. NULL: the partner is unknown.
CREATE FUNCTION invoice_issue(p_partner bigint, p_to_country text, p_to_party text, p_record text,
                              p_invoice text, p_cdrs text[], p_statement text)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    p partner;
    o invoice_record;
    v_now timestamptz := hub_now();
    v_document text;
    v_hash text := encode(sha256(convert_to(p_invoice || E'\n' || array_to_string(p_cdrs, E'\n'),
                                            'UTF8')), 'hex');
BEGIN
    SELECT * INTO p FROM partner WHERE id = p_partner;
    IF p.id IS NULL OR coalesce(p.our_country, '') = '' THEN
        RETURN NULL;
    END IF;
    v_document := json_build_object(
        'country_code', p.our_country, 'party_id', p.our_party, 'id', p_record,
        'invoice_id', p_invoice, 'cdrs', to_json(p_cdrs),
        'last_updated', to_char(v_now AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))::text;
    INSERT INTO invoice_record
        (sent, partner_id, country_code, party_id, record_id, invoice_id, to_country, to_party,
         document, content_hash, last_updated, received_at, changed_at, statement)
    VALUES (true, p.id, p.our_country, p.our_party, p_record, p_invoice, p_to_country, p_to_party,
            v_document, v_hash, date_trunc('milliseconds', v_now), v_now, v_now, p_statement)
    ON CONFLICT (partner_id, sent, owner, lower(record_id)) DO NOTHING
    RETURNING * INTO o;
    IF o.id IS NULL THEN
        SELECT * INTO o FROM invoice_record
         WHERE partner_id = p.id AND sent AND owner = party_key(p.our_country, p.our_party)
           AND lower(record_id) = lower(p_record)
           FOR UPDATE;
        IF o.content_hash = v_hash AND o.deleted_at IS NULL THEN
            RETURN o.id;
        END IF;
        UPDATE invoice_record
           SET invoice_id = p_invoice, document = v_document, content_hash = v_hash,
               last_updated = date_trunc('milliseconds', v_now), changed_at = v_now,
               version = version + 1, deleted_at = NULL
         WHERE id = o.id;
    END IF;
    PERFORM invoice_write_cdrs(o.id, p_cdrs);
    RETURN o.id;
END $$;

-- Of a statement that was invoiced: a record for each party whose CDRs it has, in reverse billing
-- (we write the invoice, its number is the statement's). Where the partner has sent records of these
-- CDRs itself, it bills directly, and where it does not speak 2.3.0 there is nothing to say. Returns
-- how many there are.
CREATE FUNCTION invoice_record_send(p_statement text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    s statement;
    v_count bigint;
BEGIN
    SELECT * INTO s FROM statement WHERE id = p_statement;
    IF s.id IS NULL
       OR NOT EXISTS (SELECT FROM partner WHERE id = s.partner_id AND version = '2.3.0')
       OR EXISTS (SELECT FROM statement_line l JOIN cdr c ON c.id = l.cdr
                    JOIN invoice_cdr x ON lower(x.cdr_id) = lower(c.cdr_id)
                    JOIN invoice_record i ON i.id = x.invoice
                   WHERE l.statement = s.id AND NOT i.sent AND i.deleted_at IS NULL
                     AND i.partner_id = s.partner_id
                     AND i.owner = party_key(c.country_code, c.party_id)) THEN
        RETURN 0;
    END IF;
    SELECT count(invoice_issue(s.partner_id, o.country_code, o.party_id,
                               left(format('%s-%s%s', s.id, o.country_code, o.party_id), 36),
                               s.number, o.cdrs, s.id)) INTO v_count
      FROM (SELECT min(c.country_code) AS country_code, min(c.party_id) AS party_id,
                   array_agg(c.cdr_id ORDER BY c.id) AS cdrs
              FROM statement_line l JOIN cdr c ON c.id = l.cdr
             WHERE l.statement = s.id
             GROUP BY party_key(c.country_code, c.party_id)) o;
    RETURN v_count;
END $$;

CREATE FUNCTION statement_invoiced() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM invoice_record_send(NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER statement_invoiced AFTER UPDATE ON statement
    FOR EACH ROW WHEN (NEW.state = 'INVOICED' AND OLD.state <> 'INVOICED')
    EXECUTE FUNCTION statement_invoiced();

-- The record itself was a mistake (R-INV-02). false: there is none.
CREATE FUNCTION invoice_withdraw(p_invoice bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    UPDATE invoice_record SET deleted_at = hub_now(), changed_at = hub_now(), version = version + 1
     WHERE id = p_invoice AND sent AND deleted_at IS NULL;
    RETURN FOUND;
END $$;
