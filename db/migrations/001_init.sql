-- SPDX-License-Identifier: Apache-2.0
-- The tables of the hub. Units stand in the names: _mwh is 10^-6 kWh, _u6 six decimals of a
-- currency's major unit, _minor its smallest unit; all are integers, so sums are exact.
--
-- Ids of OCPI compare without case (R-TYPE-01): they keep their spelling, and the unique keys are
-- made of lower(). Rows that many updates hit have room left in their pages (fillfactor), and what
-- those updates change is in no index, so that they stay on the page.

-- The clock of everything below. A test may shift it for its own connection.
CREATE FUNCTION hub_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT now() + coalesce(nullif(current_setting('hub.clock_shift', true), ''), '0')::interval
$$;

-- 128 random bits in 32 hex digits: the generator behind gen_random_uuid() is the strong one, but
-- a UUID spends six of its bits on its version.
CREATE FUNCTION random_hex() RETURNS text LANGUAGE sql VOLATILE AS $$
    SELECT encode(substr(sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text,
                                           'UTF8')), 1, 16), 'hex')
$$;

-- NULL where the text is no UUID: references of partners are only text.
CREATE FUNCTION uuid_or_null(p_text text) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN p_text ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN p_text::uuid END
$$;

-- ISO 4217, the codes whose smallest unit is not a hundredth; every other code has two decimals.
CREATE TABLE currency (
    code text PRIMARY KEY CHECK (code ~ '^[A-Z]{3}$'),
    exponent int NOT NULL CHECK (exponent BETWEEN 0 AND 4)
);
INSERT INTO currency
SELECT code, 0 FROM unnest(string_to_array(
    'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF', ' ')) code
UNION ALL
SELECT code, 3 FROM unnest(string_to_array('BHD IQD JOD KWD LYD OMR TND', ' ')) code
UNION ALL
SELECT code, 4 FROM unnest(string_to_array('CLF UYW', ' ')) code
UNION ALL
SELECT code, 2 FROM unnest(string_to_array(
    'AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN '
    'BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP '
    'GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP '
    'LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR '
    'NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN '
    'SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD YER ZAR ZMW '
    'ZWG', ' ')) code;

-- Rounded once, half away from zero: round() of numeric does just that.
CREATE FUNCTION money_minor(p_amount_u6 bigint, p_currency text) RETURNS bigint LANGUAGE sql STABLE
AS $$
    SELECT round(p_amount_u6::numeric * power(10::numeric, e.exponent) / 1000000)::bigint
      FROM (SELECT coalesce((SELECT exponent FROM currency WHERE code = p_currency), 2)
                   AS exponent) e
$$;
CREATE FUNCTION money_u6(p_minor bigint, p_currency text) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (p_minor::numeric * 1000000 / power(10::numeric, e.exponent))::bigint
      FROM (SELECT coalesce((SELECT exponent FROM currency WHERE code = p_currency), 2)
                   AS exponent) e
$$;

-- ---------------------------------------------------------------- partners

-- A company connected by OCPI.
CREATE TABLE partner (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    state text NOT NULL DEFAULT 'planned'
        CHECK (state IN ('planned', 'connected', 'offline', 'suspended')),
    enabled boolean NOT NULL DEFAULT true,
    version text,
    versions_url text,
    token_out text,                        -- sealed; bound to the id
    auth_encoding text NOT NULL DEFAULT 'auto' CHECK (auth_encoding IN ('auto', 'raw', 'base64')),
    endpoints jsonb NOT NULL DEFAULT '[]', -- [{identifier, role, url}]
    hosts text[] NOT NULL DEFAULT '{}',    -- further hosts its URLs may name
    quirks jsonb NOT NULL DEFAULT '{}',    -- {"numeric_strings": true, ...}
    our_country text,
    our_party text,
    created_at timestamptz NOT NULL DEFAULT hub_now(),
    registered_at timestamptz,
    last_contact_at timestamptz
) WITH (fillfactor = 70);

-- One (country, id, role) of a partner. Unique among all partners: nobody can take over another's.
CREATE TABLE party (
    partner_id bigint NOT NULL REFERENCES partner ON DELETE CASCADE,
    country_code text NOT NULL,
    party_id text NOT NULL,
    role text NOT NULL,
    name text NOT NULL,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE UNIQUE INDEX party_key ON party (lower(country_code), lower(party_id), role);
CREATE INDEX party_partner ON party (partner_id);

-- What opens our doors, as keyed hashes. `previous` is the token that `accepted` replaced: it is
-- good until its successor is first used, ten minutes at most (R-CRED-06).
CREATE TABLE partner_token (
    hash text PRIMARY KEY,
    partner_id bigint NOT NULL REFERENCES partner ON DELETE CASCADE,
    kind text NOT NULL CHECK (kind IN ('a', 'a_used', 'accepted', 'previous')),
    created_at timestamptz NOT NULL DEFAULT hub_now(),
    expires_at timestamptz,
    first_used_at timestamptz
);
CREATE INDEX partner_token_partner ON partner_token (partner_id);

-- What we fetch from partners by and by. Claimed by a lease; `cursor` is where the next one goes on.
CREATE TABLE pull (
    partner_id bigint NOT NULL REFERENCES partner ON DELETE CASCADE,
    module text NOT NULL CHECK (module IN ('locations', 'tariffs', 'sessions', 'cdrs')),
    due_at timestamptz NOT NULL,
    lease_until timestamptz,
    date_from timestamptz,   -- of the pull under way; NULL: full
    cursor text,
    started_at timestamptz,  -- of the pull under way
    good_from timestamptz,   -- when the last good one started
    full_at timestamptz,     -- when the last good full one started
    pages int NOT NULL DEFAULT 0, -- of the pull under way
    failures int NOT NULL DEFAULT 0,
    again boolean NOT NULL DEFAULT false, -- asked for while one was under way
    PRIMARY KEY (partner_id, module)
) WITH (fillfactor = 70);

-- ---------------------------------------------------------------- places and prices

CREATE TABLE location (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id bigint NOT NULL REFERENCES partner,
    country_code text NOT NULL,
    party_id text NOT NULL,
    location_id text NOT NULL,
    document text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    last_updated timestamptz NOT NULL,
    published boolean NOT NULL,
    name text, address text, city text, country text, time_zone text,
    latitude text, longitude text,
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX location_key ON location
    (partner_id, lower(country_code), lower(party_id), lower(location_id));

CREATE TABLE evse (
    location bigint NOT NULL REFERENCES location ON DELETE CASCADE,
    uid text NOT NULL,
    evse_id text,
    evse_key text,  -- upper case without - and *: how callers' ids are compared
    status text NOT NULL,
    capabilities text[] NOT NULL,
    connectors jsonb NOT NULL, -- [{id, standard, format, power_type, power_w}]
    updated_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX evse_uid_key ON evse (location, lower(uid));
CREATE INDEX evse_by_key ON evse (evse_key);
CREATE INDEX evse_by_change ON evse (updated_at, location, lower(uid));

-- A deleted tariff stays as a tombstone (R-TAR-16).
CREATE TABLE tariff (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id bigint NOT NULL REFERENCES partner,
    country_code text NOT NULL,
    party_id text NOT NULL,
    tariff_id text NOT NULL,
    document text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    last_updated timestamptz NOT NULL,
    deleted_at timestamptz
);
CREATE UNIQUE INDEX tariff_key ON tariff
    (partner_id, lower(country_code), lower(party_id), lower(tariff_id));
CREATE TABLE tariff_version (
    tariff bigint NOT NULL REFERENCES tariff,
    version bigint NOT NULL,
    document text NOT NULL,
    last_updated timestamptz NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT hub_now(),
    PRIMARY KEY (tariff, version)
);

-- What our users charge with: one APP_USER each, and one AD_HOC_USER per start towards networks
-- that return no authorization_reference (R-REST-02). The uid is random, never derived.
CREATE TABLE token (
    uid text PRIMARY KEY, -- 20 upper-case hex digits
    type text NOT NULL CHECK (type IN ('APP_USER', 'AD_HOC_USER')),
    contract_id text NOT NULL,
    user_id text NOT NULL,
    session_id uuid,      -- AD_HOC_USER: the start it was made for
    valid boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT hub_now(),
    last_updated timestamptz NOT NULL DEFAULT hub_now()
);
CREATE UNIQUE INDEX token_of_user ON token (user_id) WHERE type = 'APP_USER';
CREATE UNIQUE INDEX token_contract ON token (contract_id) WHERE type = 'APP_USER';
CREATE INDEX token_by_creation ON token (created_at, uid) WHERE type = 'APP_USER';

-- ---------------------------------------------------------------- sessions

CREATE TYPE session_state AS ENUM ('pending', 'active', 'stopping', 'completed', 'failed');

-- connector_held is what "open" means for the rules of a start: pending, active, or stopping while
-- the network has not reported the end. Waiting for a CDR blocks nobody.
CREATE TABLE session (
    id uuid PRIMARY KEY,
    version bigint NOT NULL DEFAULT 1,
    state session_state NOT NULL,
    last_event text NOT NULL,     -- what led to this state: session_guard() checks it
    event_seq int NOT NULL DEFAULT 1,
    connector_held boolean NOT NULL,
    started boolean NOT NULL DEFAULT false, -- the network has reported charging
    ended boolean NOT NULL DEFAULT false,   -- ... and its end
    profiles boolean NOT NULL,
    profile_set boolean NOT NULL DEFAULT false,
    cost_known boolean NOT NULL DEFAULT false,
    substatus text,
    failure_code text,
    last_error text,
    recovered_from text,          -- the failure_code of a late start (rule 12), kept for ever
    user_id text NOT NULL,
    robot_id text,
    evse_id text NOT NULL,
    network text NOT NULL,
    user_reference text,
    partner_id bigint NOT NULL,
    country_code text NOT NULL,
    party_id text NOT NULL,
    location_id text NOT NULL,
    evse_uid text NOT NULL,
    connector_id text NOT NULL,
    token_uid text NOT NULL,
    network_session_id text,
    currency text NOT NULL,
    energy_mwh bigint NOT NULL DEFAULT 0 CHECK (energy_mwh >= 0),
    cost_u6 bigint NOT NULL DEFAULT 0,
    target_mwh bigint CHECK (target_mwh > 0),
    power_w bigint,               -- between the last two readings
    start_grace_s int NOT NULL,
    reading_at timestamptz,       -- the network's time of the reading that last raised the energy
    seen_at timestamptz,          -- when the network was last heard of about it
    start_deadline_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    start_at timestamptz,
    end_at timestamptz,
    closed_at timestamptz,        -- completed or failed
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 60);
CREATE UNIQUE INDEX session_one_per_connector ON session
    (partner_id, lower(location_id), lower(evse_uid), lower(connector_id), lower(country_code),
     lower(party_id)) WHERE connector_held;
CREATE INDEX session_open_of_user ON session (user_id) WHERE connector_held;
CREATE INDEX session_of_user ON session (user_id, created_at DESC, id DESC);
CREATE INDEX session_by_creation ON session (created_at DESC, id DESC);

-- Append only.
CREATE TABLE session_event (
    session_id uuid NOT NULL,
    seq int NOT NULL,
    at timestamptz NOT NULL,
    from_state session_state,
    to_state session_state NOT NULL,
    substatus text,
    event text NOT NULL,
    rule text,
    cause text NOT NULL,
    by text NOT NULL,
    PRIMARY KEY (session_id, seq)
);

-- What an earlier request with the same key left; kept 48 h (contract 1.2).
CREATE TABLE idempotency (
    caller text NOT NULL,
    method text NOT NULL,
    path text NOT NULL,
    key text NOT NULL,
    body_hash text NOT NULL,
    status int, -- NULL: the first request is still running
    body text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (caller, key, path, method)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);

-- What we ask of networks. due_at is when something has to be done with the row: to send it (as
-- operation_sendable() says), or to judge what has become of it; NULL: it waits for a fact.
CREATE TABLE operation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('start', 'stop', 'unlock', 'profile_set', 'profile_clear')),
    state text NOT NULL DEFAULT 'pending'
        CHECK (state IN ('pending', 'submitted', 'completed', 'failed', 'dry_run')),
    outcome text CHECK (outcome IN ('accepted', 'confirmed', 'done', 'unclear', 'rejected',
        'not_supported', 'unknown_session', 'too_often', 'timed_out', 'unreachable', 'cancelled')),
    session_id uuid,
    partner_id bigint NOT NULL,
    callback_id text NOT NULL,
    attempts int NOT NULL DEFAULT 0,
    not_sent int NOT NULL DEFAULT 0, -- attempts of which no byte left
    refusals int NOT NULL DEFAULT 0,
    params text NOT NULL DEFAULT '{}',
    failure_code text,
    detail text,   -- for people
    result text,   -- the network's word
    asked_by text NOT NULL,
    cause text NOT NULL,
    created_at timestamptz NOT NULL,
    due_at timestamptz,
    sent_at timestamptz,
    lease_until timestamptz,
    lease_owner text,
    deadline timestamptz,
    answered_at timestamptz,
    resulted_at timestamptz,
    finished_at timestamptz
) WITH (fillfactor = 60);
CREATE UNIQUE INDEX operation_callback ON operation (callback_id);
CREATE INDEX operation_of_session ON operation (session_id);
CREATE INDEX operation_due ON operation (due_at) WHERE due_at IS NOT NULL;
-- I2: a session has one start in its life.
CREATE UNIQUE INDEX operation_one_start ON operation (session_id) WHERE kind = 'start';
CREATE UNIQUE INDEX operation_one_stop ON operation (session_id)
    WHERE kind = 'stop' AND finished_at IS NULL;

-- Waits longer than a request. Whoever works on one holds its row lock, which is the lease. A slot
-- is what there can be one of per subject: 'life' of a session, its 'energy', the hub's 'job's.
CREATE TABLE timer (
    subject text NOT NULL,
    slot text NOT NULL,
    kind text NOT NULL,
    due_at timestamptz NOT NULL,
    failures int NOT NULL DEFAULT 0,
    last_error text,
    PRIMARY KEY (subject, slot)
) WITH (fillfactor = 70);
CREATE INDEX timer_due ON timer (due_at);

-- ---------------------------------------------------------------- what the networks report

CREATE TABLE network_session (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id bigint NOT NULL,
    country_code text NOT NULL,
    party_id text NOT NULL,
    network_session_id text NOT NULL,
    session_id uuid, -- ours; NULL: matched to none
    version bigint NOT NULL DEFAULT 1,
    status text NOT NULL,
    document text NOT NULL,
    content_hash text NOT NULL,
    last_updated timestamptz NOT NULL, -- as told
    order_at timestamptz NOT NULL,     -- the same, at most five minutes ahead of our clock
    start_at timestamptz,
    end_at timestamptz,
    energy_mwh bigint NOT NULL,
    cost_u6 bigint,
    currency text,
    token_uid text,
    authorization_reference text,
    location_id text,
    evse_uid text,
    connector_id text,
    clock_ahead boolean NOT NULL DEFAULT false,
    by_pull boolean NOT NULL,
    anomalies int NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
) WITH (fillfactor = 60);
CREATE UNIQUE INDEX network_session_key ON network_session
    (partner_id, lower(network_session_id), lower(country_code), lower(party_id));
CREATE INDEX network_session_unmatched ON network_session (created_at) WHERE session_id IS NULL;

-- Each CDR once, for ever, as it came. Only `filed`, session_id and what follows from a decision
-- may change later (cdr_guard).
CREATE TABLE cdr (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id bigint NOT NULL,
    country_code text NOT NULL,
    party_id text NOT NULL,
    cdr_id text NOT NULL,
    path text NOT NULL UNIQUE,
    body bytea NOT NULL,
    content_hash text NOT NULL,
    source text NOT NULL DEFAULT 'network' CHECK (source IN ('network', 'hub', 'manual')),
    network_session_id text,
    token_uid text,
    authorization_reference text,
    location_id text,
    evse_uid text,
    start_at timestamptz,
    end_at timestamptz,
    energy_mwh bigint NOT NULL,
    total_cost_u6 bigint NOT NULL,      -- including VAT where the network gives it
    total_cost_excl_u6 bigint NOT NULL,
    has_incl_vat boolean NOT NULL,
    currency text NOT NULL,
    credit boolean NOT NULL,
    credit_reference_id text,
    plausible boolean NOT NULL,
    implausible_why text,
    last_updated timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    session_id uuid REFERENCES session,
    filed text NOT NULL DEFAULT 'received',
    accepted_at timestamptz,            -- it counts: receipt, or cancellation for a credit
    credited_by bigint REFERENCES cdr,
    CHECK (session_id IS NOT NULL OR accepted_at IS NULL)
);
CREATE UNIQUE INDEX cdr_key ON cdr (lower(country_code), lower(party_id), lower(cdr_id));
CREATE INDEX cdr_of_session ON cdr (session_id);
CREATE INDEX cdr_waiting ON cdr (received_at) WHERE filed IN ('unmatched', 'credit_waiting');
CREATE INDEX cdr_credit_waiting ON cdr (lower(credit_reference_id))
    WHERE filed = 'credit_waiting';
-- A session is billed by one CDR at a time; a credit makes room for its replacement.
CREATE UNIQUE INDEX cdr_billed ON cdr (session_id)
    WHERE accepted_at IS NOT NULL AND NOT credit AND credited_by IS NULL;

-- The copy of a CDR that came with the id of another one: refused, but kept.
CREATE TABLE cdr_refused (
    cdr bigint NOT NULL REFERENCES cdr,
    content_hash text NOT NULL,
    body bytea NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (cdr, content_hash)
);

CREATE TABLE receipt_series (
    series text NOT NULL,
    year int NOT NULL,
    next bigint NOT NULL DEFAULT 1,
    last_hash text NOT NULL DEFAULT '',
    last_issued_at timestamptz,
    PRIMARY KEY (series, year)
) WITH (fillfactor = 50);

-- Never changed, never deleted; each row's hash covers the one before it in its series.
CREATE TABLE receipt (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    number text NOT NULL UNIQUE,
    series text NOT NULL,
    year int NOT NULL,
    seq bigint NOT NULL,
    kind text NOT NULL CHECK (kind IN ('receipt', 'cancellation')),
    revision int NOT NULL,
    session_id uuid NOT NULL REFERENCES session,
    cdr bigint NOT NULL UNIQUE REFERENCES cdr,
    cancels bigint UNIQUE REFERENCES receipt,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    energy_mwh bigint NOT NULL,
    duration_s bigint NOT NULL CHECK (duration_s >= 0),
    start_at timestamptz,
    end_at timestamptz,
    issued_at timestamptz NOT NULL,
    previous_hash text NOT NULL,
    hash text NOT NULL,
    UNIQUE (series, year, seq),
    UNIQUE (session_id, revision),
    CHECK ((kind = 'cancellation') = (cancels IS NOT NULL))
);

-- What waits for a person.
CREATE TABLE finance_case (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('cdr_overdue', 'unmatched_cdr', 'cdr_conflict',
        'cost_mismatch', 'quarantined_cdr', 'late_start', 'force_closed', 'joined_sessions',
        'no_price')),
    session_id uuid REFERENCES session,
    cdr bigint REFERENCES cdr,
    detail text,
    opened_at timestamptz NOT NULL,
    resolved_at timestamptz,
    resolution text,
    by text
);
CREATE UNIQUE INDEX finance_case_open ON finance_case
    (kind, coalesce(session_id, '00000000-0000-0000-0000-000000000000'), coalesce(cdr, 0))
    WHERE resolved_at IS NULL;
CREATE INDEX finance_case_of_session ON finance_case (session_id);
CREATE INDEX finance_case_of_cdr ON finance_case (cdr) WHERE resolved_at IS NULL;

CREATE FUNCTION finance_case_open(p_kind text, p_session uuid, p_cdr bigint, p_detail text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO finance_case (kind, session_id, cdr, detail, opened_at)
    VALUES (p_kind, p_session, p_cdr, p_detail, hub_now())
    ON CONFLICT DO NOTHING
$$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append only', TG_TABLE_NAME;
END $$;
CREATE TRIGGER receipt_guard BEFORE UPDATE OR DELETE ON receipt
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER receipt_guard_truncate BEFORE TRUNCATE ON receipt
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER session_event_guard BEFORE UPDATE ON session_event
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION cdr_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        RAISE EXCEPTION 'a CDR is never deleted';
    END IF;
    IF (NEW.country_code, NEW.party_id, NEW.cdr_id, NEW.path, NEW.body, NEW.content_hash,
        NEW.energy_mwh, NEW.total_cost_u6, NEW.total_cost_excl_u6, NEW.currency, NEW.credit)
       IS DISTINCT FROM
       (OLD.country_code, OLD.party_id, OLD.cdr_id, OLD.path, OLD.body, OLD.content_hash,
        OLD.energy_mwh, OLD.total_cost_u6, OLD.total_cost_excl_u6, OLD.currency, OLD.credit)
       OR (OLD.accepted_at IS NOT NULL AND (NEW.accepted_at, NEW.session_id)
           IS DISTINCT FROM (OLD.accepted_at, OLD.session_id)) THEN
        RAISE EXCEPTION 'CDR % is immutable', OLD.id;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER cdr_guard BEFORE UPDATE OR DELETE ON cdr
    FOR EACH ROW EXECUTE FUNCTION cdr_guard();
