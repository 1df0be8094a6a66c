-- SPDX-License-Identifier: Apache-2.0
-- What the hub charges its users: retail tariffs, the VAT rates they must agree with, the quote that
-- a session began with, and the limits that stop it.
--
-- Countries are ISO 3166-1 alpha-3, as in OCPI's locations. Percentages are plain: 19 is 19 %.

-- ---------------------------------------------------------------- VAT

-- Where the hub may sell: only countries whose profile has the hub's registration there.
CREATE TABLE tax_profile (
    country text PRIMARY KEY CHECK (country ~ '^[A-Z]{3}$'),
    vat_id text NOT NULL CHECK (vat_id <> ''), -- what receipts of this country show
    currency text REFERENCES currency,         -- what prices there usually are in; NULL: not told
    updated_at timestamptz NOT NULL DEFAULT hub_now(),
    by text NOT NULL DEFAULT 'hub'
);

-- The rate of a country from a day on, for one kind of buyer. Days are local ones of the country;
-- the rate at the end of the supply counts. Ranges of one country and kind never overlap:
-- vat_rate_set() closes the one before.
CREATE TABLE vat_rate (
    country text NOT NULL CHECK (country ~ '^[A-Z]{3}$'),
    buyer text NOT NULL DEFAULT 'consumer' CHECK (buyer IN ('consumer', 'business')),
    valid_from date NOT NULL,
    valid_until date CHECK (valid_until > valid_from), -- exclusive; NULL: open
    rate numeric(9,4) NOT NULL CHECK (rate >= 0 AND rate <= 100),
    set_at timestamptz NOT NULL DEFAULT hub_now(),
    by text NOT NULL DEFAULT 'hub',
    PRIMARY KEY (country, buyer, valid_from)
);

-- NULL: no rate is known for that day.
CREATE FUNCTION vat_rate_at(p_country text, p_buyer text, p_day date) RETURNS numeric
LANGUAGE sql STABLE AS $$
    SELECT rate FROM vat_rate
     WHERE country = p_country AND buyer = p_buyer AND valid_from <= p_day
       AND coalesce(valid_until > p_day, true)
$$;

-- From that day on; an open end, or p_until. What stood for these days gives way. Outcomes: set,
-- past: the days have begun and had another rate, by which there may be receipts. A day begins by
-- UTC, or with the first receipt of it where the place is ahead (cdr_supply_last).
CREATE FUNCTION vat_rate_set(p_country text, p_buyer text, p_rate numeric, p_from date, p_until date,
                             p_by text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v_begun date := greatest((hub_now() AT TIME ZONE 'UTC')::date, cdr_supply_last(p_country));
BEGIN
    LOCK TABLE vat_rate IN SHARE ROW EXCLUSIVE MODE;
    IF EXISTS (SELECT FROM vat_rate
                WHERE country = p_country AND buyer = p_buyer AND rate <> p_rate
                  AND daterange(valid_from, valid_until) && daterange(p_from, p_until)
                  AND greatest(valid_from, p_from) <= v_begun) THEN
        RETURN 'past';
    END IF;
    -- The one that goes on after p_until keeps its end, the one from before its beginning; what
    -- begins in between is gone.
    INSERT INTO vat_rate (country, buyer, valid_from, valid_until, rate, set_at, by)
    SELECT country, buyer, p_until, valid_until, rate, set_at, by FROM vat_rate
     WHERE country = p_country AND buyer = p_buyer AND valid_from < p_until
       AND coalesce(valid_until > p_until, true);
    DELETE FROM vat_rate
     WHERE country = p_country AND buyer = p_buyer AND valid_from >= p_from
       AND coalesce(valid_from < p_until, true);
    UPDATE vat_rate SET valid_until = p_from
     WHERE country = p_country AND buyer = p_buyer AND valid_from < p_from
       AND coalesce(valid_until > p_from, true);
    INSERT INTO vat_rate (country, buyer, valid_from, valid_until, rate, by)
    VALUES (p_country, p_buyer, p_from, p_until, p_rate, p_by);
    NOTIFY retail;
    RETURN 'set';
END $$;

CREATE FUNCTION tax_profile_set(p_country text, p_vat_id text, p_currency text, p_by text)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tax_profile (country, vat_id, currency, by)
    VALUES (p_country, p_vat_id, p_currency, p_by)
    ON CONFLICT (country) DO UPDATE
       SET vat_id = EXCLUDED.vat_id, currency = coalesce(EXCLUDED.currency, tax_profile.currency),
           by = EXCLUDED.by, updated_at = hub_now();
    NOTIFY retail;
END $$;

-- ---------------------------------------------------------------- tariffs

-- A version as it was published, for ever: other prices are another version. Of the versions of an
-- id, the newest one that is valid counts, unless it was withdrawn.
CREATE TABLE retail_tariff (
    id text NOT NULL CHECK (id <> ''),
    version int NOT NULL CHECK (version > 0),
    document text NOT NULL CHECK (jsonb_typeof(document::jsonb) = 'object'),
    mode text NOT NULL CHECK (mode IN ('fixed', 'markup', 'pass_through')),
    published_at timestamptz NOT NULL DEFAULT hub_now(),
    published_by text NOT NULL,
    withdrawn_at timestamptz,
    withdrawn_by text,
    PRIMARY KEY (id, version)
);

CREATE FUNCTION retail_tariff_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a retail tariff is never deleted: withdraw it';
    END IF;
    IF (NEW.id, NEW.version, NEW.document, NEW.mode, NEW.published_at, NEW.published_by)
       IS DISTINCT FROM
       (OLD.id, OLD.version, OLD.document, OLD.mode, OLD.published_at, OLD.published_by)
       OR OLD.withdrawn_at IS NOT NULL THEN
        RAISE EXCEPTION 'retail tariff % version % is immutable', OLD.id, OLD.version;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER retail_tariff_guard BEFORE UPDATE OR DELETE ON retail_tariff
    FOR EACH ROW EXECUTE FUNCTION retail_tariff_guard();
CREATE FUNCTION retail_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY retail;
    RETURN NULL;
END $$;
CREATE TRIGGER retail_tariff_changed AFTER INSERT OR UPDATE ON retail_tariff
    FOR EACH STATEMENT EXECUTE FUNCTION retail_changed();

-- Outcomes: published, same, other: this version has been published with other content; older: a
-- newer one has been published.
CREATE FUNCTION retail_tariff_publish(p_id text, p_version int, p_document text, p_mode text,
                                      p_by text)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    o retail_tariff;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('retail ' || p_id, 1));
    SELECT * INTO o FROM retail_tariff WHERE id = p_id AND version = p_version;
    IF o.id IS NOT NULL THEN
        RETURN CASE WHEN o.document::jsonb = p_document::jsonb AND o.withdrawn_at IS NULL
                    THEN 'same' ELSE 'other' END;
    END IF;
    IF EXISTS (SELECT FROM retail_tariff WHERE id = p_id AND version > p_version) THEN
        RETURN 'older';
    END IF;
    INSERT INTO retail_tariff (id, version, document, mode, published_by)
    VALUES (p_id, p_version, p_document, p_mode, p_by);
    RETURN 'published';
END $$;

-- ---------------------------------------------------------------- users

-- Whose users may have prices, or a credit limit, of their own. Who is in no group has neither.
CREATE TABLE user_group (
    name text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9._-]{1,36}$'),
    credit_limit_minor bigint CHECK (credit_limit_minor > 0),
    credit_currency text REFERENCES currency,
    CHECK ((credit_limit_minor IS NULL) = (credit_currency IS NULL))
);
CREATE TABLE user_group_member (
    user_id text PRIMARY KEY,
    user_group text NOT NULL REFERENCES user_group
);
CREATE TRIGGER user_group_changed AFTER INSERT OR UPDATE OR DELETE ON user_group
    FOR EACH STATEMENT EXECUTE FUNCTION retail_changed();

-- ---------------------------------------------------------------- what a session began with

-- The prices as they were told before the start; the receipt is computed from them. A session that
-- has none passes the network's price through.
--   document: a retail tariff of mode `fixed` with the members that count for this session, whatever
--             the mode of the tariff it came from: {"id","version","currency","vat",
--             "price_includes_vat","kwh_price","session_price","time_tariffs",...,
--             "max_charging_time"}; ocpi/retail.h reads and prices it.
--   hash:     SHA-256 of the document's bytes, in hex.
CREATE TABLE quote (
    session_id uuid PRIMARY KEY REFERENCES session,
    retail_tariff text NOT NULL,
    retail_version int NOT NULL,
    mode text NOT NULL CHECK (mode IN ('fixed', 'markup')),
    document text NOT NULL,
    hash text NOT NULL,
    language text NOT NULL,       -- in which it was told
    country text NOT NULL,        -- of the place: whose VAT
    tariff bigint REFERENCES tariff, -- markup: the network's tariff it was made of
    tariff_version bigint,
    max_minutes int,              -- max_charging_time
    parks boolean NOT NULL,       -- it matters when charging has ended: grace, parking price
    quoted_at timestamptz NOT NULL,
    FOREIGN KEY (retail_tariff, retail_version) REFERENCES retail_tariff (id, version),
    FOREIGN KEY (tariff, tariff_version) REFERENCES tariff_version (tariff, version),
    CHECK (mode = 'fixed' OR tariff IS NOT NULL)
);
CREATE INDEX quote_of_tariff ON quote (retail_tariff, retail_version);
CREATE TRIGGER quote_guard BEFORE UPDATE OR DELETE ON quote
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

-- The network's tariffs of the connector, in the versions that stood at the start; which of them
-- counts, ocpi/price.h's price_choose() says.
CREATE TABLE session_tariff (
    session_id uuid NOT NULL REFERENCES session,
    tariff bigint NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (session_id, tariff),
    FOREIGN KEY (tariff, version) REFERENCES tariff_version (tariff, version)
);

-- Whether so many tariffs, of so many bytes, are reckoned with at a time: a process has to hold them
-- all.
CREATE FUNCTION tariffs_fit(p_count bigint, p_bytes bigint) RETURNS boolean
LANGUAGE sql IMMUTABLE AS $$
    SELECT p_count <= 100 AND p_bytes <= 4194304
$$;
-- A session's, of which those that would be too much have no document: they are there, and cannot be
-- reckoned with.
CREATE FUNCTION session_tariffs(p_session uuid) RETURNS TABLE (
    tariff bigint, version bigint, document text, ocpi text)
LANGUAGE sql STABLE AS $$
    SELECT tariff, version, CASE WHEN tariffs_fit(n, bytes) THEN document END, ocpi
      FROM (SELECT v.tariff, v.version, v.document, v.ocpi,
                   row_number() OVER (ORDER BY v.tariff) AS n,
                   sum(octet_length(v.document)) OVER (ORDER BY v.tariff) AS bytes
              FROM session_tariff t JOIN tariff_version v USING (tariff, version)
             WHERE t.session_id = p_session) x
$$;

-- quoted: there is a quote. limited: there is a session_limit. charging_end_at: the car has stopped
-- charging and stays, as the network tells by its periods; only kept where the quote minds.
ALTER TABLE session
    ADD COLUMN quoted boolean NOT NULL DEFAULT false,
    ADD COLUMN limited boolean NOT NULL DEFAULT false,
    ADD COLUMN charging_end_at timestamptz;

-- cost_u6 of a session that is `quoted` is wholesale, and never shown to drivers, until the receipt
-- makes it what they pay.
ALTER TYPE session_row ADD ATTRIBUTE s_seen_at timestamptz, ADD ATTRIBUTE s_quote text,
    ADD ATTRIBUTE s_charging_end_at timestamptz;

CREATE FUNCTION quote_document(p_session uuid) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT document FROM quote WHERE session_id = p_session);
END $$;

CREATE OR REPLACE FUNCTION session_as_row(s session, p_changed boolean, p_due boolean DEFAULT NULL)
RETURNS session_row LANGUAGE sql STABLE AS $$
    SELECT ROW(s.id, s.version, s.state::text, s.substatus, s.failure_code, s.last_error, s.user_id,
               s.robot_id, s.evse_id, s.network, s.user_reference, s.partner_id, s.country_code,
               s.party_id, s.location_id, s.evse_uid, s.connector_id, s.network_session_id,
               s.profiles, s.energy_mwh, s.cost_u6, s.cost_known, s.currency, s.created_at,
               s.start_at, s.end_at, s.updated_at,
               coalesce(p_due, session_operations_due(s.id)), p_changed, s.seen_at,
               CASE WHEN s.quoted THEN quote_document(s.id) END, s.charging_end_at)::session_row
$$;

-- Since when there are nothing but periods of parking; NULL: the last one is none. The members are
-- called the same in all versions of OCPI.
CREATE FUNCTION charging_end_of(p_document jsonb) RETURNS timestamptz LANGUAGE sql STABLE AS $$
    WITH period AS (
        SELECT time_or_null(p ->> 'start_date_time') AS at,
               coalesce(bool_or(d ->> 'type' = 'PARKING_TIME'), false)
               AND NOT coalesce(bool_or(d ->> 'type' IN ('TIME', 'ENERGY')
                                        AND d ->> 'volume' !~ '^0*\.?0*$'), false) AS parks
          FROM jsonb_array_elements(CASE jsonb_typeof(p_document -> 'charging_periods')
                   WHEN 'array' THEN p_document -> 'charging_periods' ELSE '[]' END)
                   WITH ORDINALITY x (p, i)
          LEFT JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(p -> 'dimensions')
                   WHEN 'array' THEN p -> 'dimensions' ELSE '[]' END) d ON true
         GROUP BY p, i)
    SELECT min(at) FROM period
     WHERE parks AND at > coalesce((SELECT max(at) FROM period WHERE NOT parks), '-infinity')
$$;

CREATE FUNCTION network_session_parked() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    v_at timestamptz;
BEGIN
    IF EXISTS (SELECT FROM quote WHERE session_id = NEW.session_id AND parks) THEN
        v_at := charging_end_of(NEW.document::jsonb);
        UPDATE session SET charging_end_at = v_at, version = version + 1
         WHERE id = NEW.session_id AND charging_end_at IS DISTINCT FROM v_at;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER network_session_parked AFTER INSERT OR UPDATE OF document, session_id
    ON network_session FOR EACH ROW
    WHEN (NEW.session_id IS NOT NULL AND NEW.status IN ('ACTIVE', 'COMPLETED'))
    EXECUTE FUNCTION network_session_parked();

-- ---------------------------------------------------------------- limits

-- What stops a session by itself: the tariff's max_charging_time, and the credit limit: that of the
-- user's group, or the amount held. due_at is when somebody has to look; NULL: nothing to wait for.
-- Whoever looks pushes it a minute ahead, so that it is looked at again if they die.
CREATE TABLE session_limit (
    session_id uuid PRIMARY KEY REFERENCES session,
    max_minutes int CHECK (max_minutes > 0),
    credit_minor bigint CHECK (credit_minor >= 0),
    credit_currency text,
    due_at timestamptz,
    CHECK ((credit_minor IS NULL) = (credit_currency IS NULL))
) WITH (fillfactor = 70);
CREATE INDEX session_limit_due ON session_limit (due_at) WHERE due_at IS NOT NULL;

CREATE FUNCTION session_limit_follow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE session_limit
       SET due_at = CASE WHEN NEW.state = 'active' THEN hub_now() END
     WHERE session_id = NEW.id
       AND (credit_minor IS NOT NULL OR (NEW.state, NEW.start_at)
                                        IS DISTINCT FROM (OLD.state, OLD.start_at));
    RETURN NULL;
END $$;
CREATE TRIGGER session_limit_follow AFTER UPDATE ON session
    FOR EACH ROW WHEN (NEW.limited AND (
        (NEW.state, NEW.energy_mwh, NEW.start_at, NEW.cost_u6, NEW.currency)
        IS DISTINCT FROM (OLD.state, OLD.energy_mwh, OLD.start_at, OLD.cost_u6, OLD.currency)))
    EXECUTE FUNCTION session_limit_follow();

-- An amount that is held for the session, whatever limit it had.
CREATE FUNCTION session_credit_set(p_session uuid, p_minor bigint, p_currency text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE session SET limited = true, version = version + 1
     WHERE id = p_session AND NOT limited;
    INSERT INTO session_limit (session_id, credit_minor, credit_currency, due_at)
    VALUES (p_session, p_minor, p_currency, hub_now())
    ON CONFLICT (session_id) DO UPDATE
       SET credit_minor = p_minor, credit_currency = p_currency, due_at = hub_now();
END $$;

CREATE TYPE limit_work AS (
    max_minutes int, credit_minor bigint, credit_currency text, session session_row);

-- The next ones to look at. A lease of a minute: limit_done() says when the next look is.
CREATE FUNCTION limit_claim(p_limit int) RETURNS SETOF limit_work LANGUAGE plpgsql AS $$
DECLARE
    l session_limit;
    s session;
    w limit_work;
BEGIN
    FOR l IN
        UPDATE session_limit SET due_at = hub_now() + interval '1 minute'
         WHERE session_id IN (SELECT session_id FROM session_limit WHERE due_at <= hub_now()
                               ORDER BY due_at LIMIT p_limit FOR UPDATE SKIP LOCKED)
        RETURNING *
    LOOP
        SELECT * INTO s FROM session WHERE id = l.session_id;
        IF s.state <> 'active' THEN
            UPDATE session_limit SET due_at = NULL WHERE session_id = l.session_id;
            CONTINUE;
        END IF;
        w.max_minutes := l.max_minutes;
        w.credit_minor := l.credit_minor;
        w.credit_currency := l.credit_currency;
        w.session := session_as_row(s, false, false);
        RETURN NEXT w;
    END LOOP;
END $$;

-- What the look has found for the session as it was in that version: a cause to stop it for, or the
-- time of the next look, NULL: none before something changes. A session that has changed meanwhile
-- is looked at again. A stop that the network refused comes again in its own time.
CREATE FUNCTION limit_done(p_session uuid, p_version bigint, p_cause text, p_next timestamptz)
RETURNS session_row LANGUAGE plpgsql AS $$
DECLARE
    s session;
    v_again timestamptz;
    v_version bigint;
BEGIN
    SELECT * INTO s FROM session WHERE id = p_session FOR UPDATE;
    v_version := s.version;
    IF s.version <> p_version THEN
        UPDATE session_limit SET due_at = CASE WHEN s.state = 'active' THEN hub_now() END
         WHERE session_id = p_session;
        RETURN NULL;
    END IF;
    SELECT due_at INTO v_again FROM timer
     WHERE subject = p_session::text AND slot = 'energy' AND kind = 'stop_again';
    UPDATE session_limit
       SET due_at = CASE WHEN p_cause IS NULL THEN p_next
                         WHEN v_again IS NOT NULL THEN v_again + interval '1 minute' END
     WHERE session_id = p_session;
    IF p_cause IS NULL OR v_again IS NOT NULL THEN
        RETURN NULL;
    END IF;
    s := session_ask_stop(s, p_cause, 'hub');
    RETURN session_as_row(s, s.version <> v_version);
END $$;

-- ---------------------------------------------------------------- start

DROP FUNCTION session_start(
    uuid, text, text, text, text, bigint, text, text, text, text, text, text, boolean, bigint, text,
    text, int, int, boolean, text, text, text, text, text, text, text);

-- Rule 1. Session, start operation, token, idempotency record, quote, limits and the first event
-- together. Conflicts are outcomes: stored, replay, key_reused, key_running, evse_busy, limit,
-- evse_gone.
CREATE FUNCTION session_start(
    p_id uuid, p_user text, p_robot text, p_evse_id text, p_network text, p_partner bigint,
    p_country text, p_party text, p_location text, p_evse_uid text, p_connector text,
    p_params text, p_profiles boolean, p_target_mwh bigint, p_reference text, p_currency text,
    p_max_open int, p_grace_s int, p_own_token boolean, p_contract_prefix text,
    p_key text, p_caller text, p_method text, p_path text, p_body_hash text, p_answer_body text,
    p_tariffs text[] DEFAULT NULL,
    p_retail text DEFAULT NULL, p_retail_version int DEFAULT NULL, p_mode text DEFAULT NULL,
    p_quote text DEFAULT NULL, p_quote_hash text DEFAULT NULL, p_language text DEFAULT NULL,
    p_place_country text DEFAULT NULL, p_tariff bigint DEFAULT NULL,
    p_tariff_version bigint DEFAULT NULL, p_max_minutes int DEFAULT NULL,
    p_parks boolean DEFAULT false,
    p_credit_minor bigint DEFAULT NULL, p_credit_currency text DEFAULT NULL)
RETURNS session_answer LANGUAGE plpgsql AS $$
DECLARE
    a session_answer;
    r idempotency;
    s session;
    v_own token; -- the user's own
    v_uid text;
    v_by text := coalesce('robot:' || p_robot, p_caller, 'user:' || p_user);
    v_now timestamptz := hub_now();
BEGIN
    IF p_key IS NOT NULL THEN
        r := idempotency_reserve(p_caller, p_method, p_path, p_key, p_body_hash);
        IF r.key IS NOT NULL THEN
            a.outcome := CASE idempotency_word(r, p_body_hash)
                WHEN 'other_body' THEN 'key_reused' WHEN 'running' THEN 'key_running'
                ELSE 'replay' END;
            IF a.outcome = 'replay' THEN
                a.replay_status := r.status;
                a.replay_body := r.body;
            END IF;
            RETURN a;
        END IF;
    END IF;

    IF NOT EXISTS (
        SELECT FROM location l JOIN evse e ON e.location = l.id JOIN partner p ON p.id = l.partner_id
         WHERE l.partner_id = p_partner AND lower(l.country_code) = lower(p_country)
           AND lower(l.party_id) = lower(p_party) AND lower(l.location_id) = lower(p_location)
           AND lower(e.uid) = lower(p_evse_uid) AND e.status NOT IN ('REMOVED', 'PLANNED')
           AND p.enabled) THEN
        a.outcome := 'evse_gone';
    ELSE
        -- Two starts of one user go one after the other: they count open sessions and make tokens.
        PERFORM pg_advisory_xact_lock(hashtextextended(p_user, 1));
        SELECT * INTO v_own FROM token WHERE user_id = p_user AND type = 'APP_USER';
        v_uid := CASE WHEN p_own_token OR v_own.uid IS NULL THEN upper(left(random_hex(), 20))
                      ELSE v_own.uid END;
        INSERT INTO session
            (id, state, last_event, connector_held, profiles, substatus, user_id, robot_id, evse_id,
             network, user_reference, partner_id, country_code, party_id, location_id, evse_uid,
             connector_id, token_uid, currency, target_mwh, start_grace_s, start_deadline_at,
             created_at, updated_at, quoted, limited)
        SELECT p_id, 'pending', 'start', true, p_profiles, 'command_queued', p_user, p_robot,
               p_evse_id, p_network, p_reference, p_partner, p_country, p_party, p_location,
               p_evse_uid, p_connector, v_uid, p_currency, nullif(p_target_mwh, 0), p_grace_s,
               v_now + interval '30 seconds', v_now, v_now, p_quote IS NOT NULL,
               p_max_minutes IS NOT NULL OR p_credit_minor IS NOT NULL
         WHERE (SELECT count(*) FROM session WHERE user_id = p_user AND connector_held)
               < p_max_open
        ON CONFLICT (partner_id, lower(location_id), lower(evse_uid), lower(connector_id),
                     lower(country_code), lower(party_id)) WHERE connector_held DO NOTHING
        RETURNING * INTO s;
        IF s.id IS NULL THEN
            SELECT * INTO s FROM session
             WHERE partner_id = p_partner AND lower(location_id) = lower(p_location)
               AND lower(evse_uid) = lower(p_evse_uid)
               AND lower(connector_id) = lower(p_connector)
               AND lower(country_code) = lower(p_country) AND lower(party_id) = lower(p_party)
               AND connector_held;
            IF s.id IS NOT NULL THEN
                a.outcome := 'evse_busy';
                IF s.user_id = p_user THEN
                    a.running_session_id := s.id;
                END IF;
            ELSIF (SELECT count(*) FROM session WHERE user_id = p_user AND connector_held)
                  >= p_max_open THEN
                a.outcome := 'limit';
            ELSE
                a.outcome := 'evse_busy'; -- it was let go of at this very moment
            END IF;
        END IF;
    END IF;
    IF a.outcome IS NOT NULL THEN
        -- Refusals are not remembered: the caller may correct and use the key again.
        IF p_key IS NOT NULL THEN
            DELETE FROM idempotency
             WHERE (caller, key, path, method) = (p_caller, p_key, p_path, p_method);
        END IF;
        RETURN a;
    END IF;

    IF v_own.uid IS NULL THEN
        -- Eight characters after the C; the check digit of a contract id may be left out.
        v_own.contract_id := p_contract_prefix || '-C' || upper(left(random_hex(), 8));
        INSERT INTO token (uid, type, contract_id, user_id)
        VALUES (CASE WHEN p_own_token THEN upper(left(random_hex(), 20)) ELSE v_uid END,
                'APP_USER', v_own.contract_id, p_user);
    END IF;
    IF p_own_token THEN
        INSERT INTO token (uid, type, contract_id, user_id, session_id)
        VALUES (v_uid, 'AD_HOC_USER', v_own.contract_id, p_user, p_id);
    END IF;
    IF s.quoted THEN
        INSERT INTO quote (session_id, retail_tariff, retail_version, mode, document, hash, language,
                           country, tariff, tariff_version, max_minutes, parks, quoted_at)
        VALUES (p_id, p_retail, p_retail_version, p_mode, p_quote, p_quote_hash, p_language,
                p_place_country, p_tariff, p_tariff_version, p_max_minutes, p_parks, v_now);
    END IF;
    IF s.limited THEN
        INSERT INTO session_limit (session_id, max_minutes, credit_minor, credit_currency)
        VALUES (p_id, p_max_minutes, p_credit_minor, p_credit_currency);
    END IF;
    IF cardinality(p_tariffs) > 0 THEN
        INSERT INTO session_tariff (session_id, tariff, version)
        SELECT p_id, t.id, t.version FROM tariff t
         WHERE t.partner_id = p_partner AND lower(t.country_code) = lower(p_country)
           AND lower(t.party_id) = lower(p_party)
           AND lower(t.tariff_id) IN (SELECT lower(x) FROM unnest(p_tariffs) x);
    END IF;
    INSERT INTO session_event
        (session_id, seq, at, from_state, to_state, substatus, event, rule, cause, by)
    VALUES (p_id, 1, v_now, NULL, 'pending', 'command_queued', 'start', '1', 'start',
            v_by);
    INSERT INTO operation
        (kind, session_id, partner_id, callback_id, params, asked_by, cause, created_at, due_at)
    VALUES ('start', p_id, p_partner, random_hex(), coalesce(p_params, '{}'), v_by,
            'start', v_now, v_now);
    INSERT INTO timer (subject, slot, kind, due_at)
    VALUES (p_id::text, 'life', 'start_deadline', v_now + interval '30 seconds');
    IF p_key IS NOT NULL THEN
        UPDATE idempotency SET status = 200, body = p_answer_body
         WHERE (caller, key, path, method) = (p_caller, p_key, p_path, p_method);
    END IF;
    a.outcome := 'stored';
    a.session := session_as_row(s, true, true);
    RETURN a;
END $$;

-- ---------------------------------------------------------------- the networks' tariffs

-- Which tariffs a connector names: 2.1.1 has one, later versions a list.
CREATE FUNCTION connector_tariffs(p_connector jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN jsonb_typeof(p_connector -> 'tariff_ids') = 'array'
                     THEN p_connector -> 'tariff_ids'
                WHEN jsonb_typeof(p_connector -> 'tariff_id') = 'string'
                     THEN jsonb_build_array(p_connector -> 'tariff_id')
                ELSE '[]' END
$$;
CREATE OR REPLACE FUNCTION connectors_of(p_connectors jsonb) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (SELECT coalesce(jsonb_agg(jsonb_build_object(
        'id', c ->> 'id', 'standard', c ->> 'standard', 'format', c ->> 'format',
        'power_type', c ->> 'power_type', 'tariff_ids', connector_tariffs(c),
        'power_w', coalesce(
            json_integer(c -> 'max_electric_power'),
            coalesce(json_integer(c -> 'max_voltage'), json_integer(c -> 'voltage'))
            * coalesce(json_integer(c -> 'max_amperage'), json_integer(c -> 'amperage'))
            * CASE c ->> 'power_type' WHEN 'AC_3_PHASE' THEN 3 WHEN 'AC_2_PHASE' THEN 2 ELSE 1 END,
            0)) ORDER BY i), '[]')
      FROM jsonb_array_elements(p_connectors) WITH ORDINALITY x (c, i)
     WHERE jsonb_typeof(c) = 'object');
END $$;
UPDATE evse e
   SET connectors = (
       SELECT jsonb_agg(c || jsonb_build_object('tariff_ids', coalesce(
                  (SELECT connector_tariffs(tc)
                     FROM jsonb_array_elements(l.document::jsonb -> 'evses') te,
                          jsonb_array_elements(te -> 'connectors') tc
                    WHERE lower(te ->> 'uid') = lower(e.uid) AND tc ->> 'id' = c ->> 'id' LIMIT 1),
                  '[]')) ORDER BY i)
         FROM jsonb_array_elements(e.connectors) WITH ORDINALITY x (c, i))
  FROM location l
 WHERE l.id = e.location AND jsonb_array_length(e.connectors) > 0
   AND l.document ~ '"tariff_id';

-- What a look at each version of a tariff has found, [] for nothing; NULL: not looked at yet. No
-- price for users is made of one that is `held`: a new one, until it has been looked at, and one that
-- looks like a slip of the pen, until somebody has approved it. Those that were here before are not
-- held meanwhile, nor those that are looked at again.
ALTER TABLE tariff_version
    ADD COLUMN lint jsonb,
    ADD COLUMN held boolean NOT NULL DEFAULT false,
    ADD COLUMN approved_at timestamptz,
    ADD COLUMN approved_by text;
ALTER TABLE tariff_version ALTER COLUMN held SET DEFAULT true;
UPDATE tariff_version v SET lint = '[]'
  FROM tariff t WHERE t.id = v.tariff AND v.version < t.version; -- history: nobody needs to know
CREATE INDEX tariff_version_unread ON tariff_version (seen_at) WHERE lint IS NULL;

-- Versions that nobody has looked at, as many as are held in memory at a time, with the country of
-- their owner's places where it is one.
CREATE FUNCTION tariff_lint_due(p_limit int) RETURNS TABLE (
    tariff bigint, version bigint, document text, ocpi text, country text, currency text,
    vat numeric)
LANGUAGE sql STABLE AS $$
    SELECT v.tariff, v.version, v.document, v.ocpi, l.country, p.currency,
           vat_rate_at(l.country, 'consumer', (hub_now() AT TIME ZONE 'UTC')::date)
      FROM (SELECT u.*, row_number() OVER w AS n, sum(octet_length(u.document)) OVER w AS bytes
              FROM (SELECT * FROM tariff_version
                     WHERE lint IS NULL ORDER BY seen_at LIMIT p_limit) u
            WINDOW w AS (ORDER BY u.seen_at, u.tariff, u.version)) v
      JOIN tariff t ON t.id = v.tariff
      LEFT JOIN LATERAL (
          SELECT a.country
            FROM (SELECT country FROM location WHERE owner = t.owner ORDER BY id LIMIT 1) a
            JOIN (SELECT country FROM location WHERE owner = t.owner ORDER BY id DESC LIMIT 1) z
              ON z.country = a.country) l ON true
      LEFT JOIN tax_profile p ON p.country = l.country
     WHERE v.n = 1 OR tariffs_fit(v.n, v.bytes)
$$;
CREATE FUNCTION tariff_lint_put(p_tariff bigint, p_version bigint, p_lint text, p_hold boolean)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tariff_version SET lint = p_lint::jsonb, held = p_hold
     WHERE tariff = p_tariff AND version = p_version AND lint IS NULL;
END $$;
-- Another rate, currency or registration: what is told of the tariffs may be another.
CREATE FUNCTION tariff_lint_again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tariff_version v SET lint = NULL FROM tariff t
     WHERE t.id = v.tariff AND t.version = v.version AND t.deleted_at IS NULL
       AND v.approved_at IS NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER vat_rate_lint AFTER INSERT OR UPDATE ON vat_rate
    FOR EACH STATEMENT EXECUTE FUNCTION tariff_lint_again();
CREATE TRIGGER tax_profile_lint AFTER INSERT OR UPDATE ON tax_profile
    FOR EACH STATEMENT EXECUTE FUNCTION tariff_lint_again();
-- A person has looked at what was found: users may be sold by it. false: there is no such version.
CREATE FUNCTION tariff_approve(p_tariff bigint, p_version bigint, p_by text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE tariff_version SET held = false, approved_at = hub_now(), approved_by = p_by
     WHERE tariff = p_tariff AND version = p_version AND held AND lint IS NOT NULL;
    RETURN FOUND;
END $$;

-- As the API writes times.
CREATE FUNCTION time_text(p_at timestamptz) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
$$;
