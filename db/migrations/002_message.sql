-- The message log: every OCPI exchange leaves a row; its bodies are kept for a shorter time.
--
-- Both tables are made of partitions, so that forgetting is dropping: message by month, message_body
-- by day (UTC). A partition is made when the first row for it comes, so that no timer has to run
-- before the log works. No foreign keys: a row says what was true when it was written.

CREATE TABLE message (
    at             timestamptz NOT NULL,
    id             uuid NOT NULL,
    outgoing       boolean NOT NULL,
    partner_id     bigint,
    from_party     text,
    to_party       text,
    module         text,
    method         text,
    path           text,
    object_id      text,
    request_id     text,
    correlation_id text,
    session_id     text,
    http_status    integer,
    ocpi_status    integer,
    duration_ms    bigint,
    error          text,
    error_where    text,
    PRIMARY KEY (at, id)
) PARTITION BY RANGE (at);

CREATE INDEX message_partner ON message (partner_id, at);
CREATE INDEX message_correlation ON message (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX message_session ON message (session_id, at) WHERE session_id IS NOT NULL;
CREATE INDEX message_request ON message (request_id) WHERE request_id IS NOT NULL;

CREATE TABLE message_body (
    at            timestamptz NOT NULL,
    message_id    uuid NOT NULL,
    request_body  text,
    response_body text,
    PRIMARY KEY (at, message_id)
) PARTITION BY RANGE (at);

-- Makes the partitions for a moment, if they are missing.
CREATE FUNCTION message_partitions(moment timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    month timestamp := date_trunc('month', moment AT TIME ZONE 'UTC');
    day timestamp := date_trunc('day', moment AT TIME ZONE 'UTC');
    month_name text := 'message_' || to_char(month, 'YYYYMM');
    day_name text := 'message_body_' || to_char(day, 'YYYYMMDD');
BEGIN
    -- Several processes find a partition missing at the same moment.
    PERFORM pg_advisory_xact_lock(7307191436582102);
    IF to_regclass(month_name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF message FOR VALUES FROM (%L) TO (%L)', month_name,
                       to_char(month, 'YYYY-MM-DD') || ' 00:00:00+00',
                       to_char(month + interval '1 month', 'YYYY-MM-DD') || ' 00:00:00+00');
    END IF;
    IF to_regclass(day_name) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF message_body FOR VALUES FROM (%L) TO (%L)', day_name,
                       to_char(day, 'YYYY-MM-DD') || ' 00:00:00+00',
                       to_char(day + interval '1 day', 'YYYY-MM-DD') || ' 00:00:00+00');
    END IF;
END $$;

-- Writes a JSON array of rows. The same rows twice (after an answer was lost) are kept once.
CREATE FUNCTION message_insert(rows json) RETURNS void LANGUAGE sql AS $$
    WITH input AS (
        SELECT * FROM json_to_recordset(rows) AS r(
            at timestamptz, id uuid, outgoing boolean, partner_id bigint, from_party text,
            to_party text, module text, method text, path text, object_id text, request_id text,
            correlation_id text, session_id text, http_status integer, ocpi_status integer,
            duration_ms bigint, error text, error_where text, request_body text, response_body text)
    ), body AS (
        INSERT INTO message_body (at, message_id, request_body, response_body)
        SELECT at, id, request_body, response_body FROM input
         WHERE request_body IS NOT NULL OR response_body IS NOT NULL
        ON CONFLICT DO NOTHING
    )
    INSERT INTO message (at, id, outgoing, partner_id, from_party, to_party, module, method, path,
                         object_id, request_id, correlation_id, session_id, http_status, ocpi_status,
                         duration_ms, error, error_where)
    SELECT at, id, outgoing, partner_id, from_party, to_party, module, method, path, object_id,
           request_id, correlation_id, session_id, http_status, ocpi_status, duration_ms, error,
           error_where
      FROM input
    ON CONFLICT DO NOTHING;
$$;

-- A crash may take the newest second of the log: it does not wait for the disk.
CREATE FUNCTION message_write(rows json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('synchronous_commit', 'off', true);
    BEGIN
        PERFORM message_insert(rows);
        RETURN;
    EXCEPTION WHEN check_violation THEN -- there is no partition for a row
        NULL;
    END;
    PERFORM message_partitions(day)
       FROM (SELECT DISTINCT date_trunc('day', (r ->> 'at')::timestamptz, 'UTC') AS day
               FROM json_array_elements(rows) AS r) AS days;
    PERFORM message_insert(rows);
END $$;

-- Drops what is wholly older than the given numbers of days and makes tomorrow's partitions.
-- Returns how many partitions went.
CREATE FUNCTION message_forget(keep_days integer, keep_body_days integer) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    today timestamp := date_trunc('day', now() AT TIME ZONE 'UTC');
    partition record;
    dropped integer := 0;
BEGIN
    PERFORM message_partitions(now()), message_partitions(now() + interval '1 day');
    FOR partition IN
        SELECT child.relname, parent.relname AS parent
          FROM pg_inherits
          JOIN pg_class AS child ON child.oid = inhrelid
          JOIN pg_class AS parent ON parent.oid = inhparent
         WHERE inhparent IN ('message'::regclass, 'message_body'::regclass)
         ORDER BY child.relname
    LOOP
        IF partition.parent = 'message'
           AND to_date(right(partition.relname, 6), 'YYYYMM') + interval '1 month'
               <= today - make_interval(days => keep_days)
           OR partition.parent = 'message_body'
           AND to_date(right(partition.relname, 8), 'YYYYMMDD') + interval '1 day'
               <= today - make_interval(days => keep_body_days) THEN
            EXECUTE format('DROP TABLE %I', partition.relname);
            dropped := dropped + 1;
        END IF;
    END LOOP;
    RETURN dropped;
END $$;
