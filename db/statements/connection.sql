-- What a new connection runs before anything else, and what "ocpi-hub migrate" needs.

-- name: connection_setup
-- $1 statement_timeout in ms. A standby answers true: then the connection is not used.
SELECT pg_is_in_recovery() AS standby,
       set_config('statement_timeout', $1, false),
       set_config('lock_timeout', '500', false),
       set_config('idle_in_transaction_session_timeout', '5000', false),
       set_config('synchronous_commit', 'on', false),
       set_config('jit', 'off', false), -- none of our statements runs as long as its compilation
       set_config('timezone', 'UTC', false),
       set_config('datestyle', 'ISO, YMD', false),
       set_config('bytea_output', 'hex', false);

-- name: schema_migration_list
SELECT number, name, sha256 FROM schema_migration ORDER BY number;

-- name: schema_migration_create
CREATE TABLE IF NOT EXISTS schema_migration (
    number     integer PRIMARY KEY,
    name       text NOT NULL,
    sha256     text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
);

-- name: schema_migration_lock
-- One migration at a time, whoever starts it; waits for the other one. Ends with the connection.
SELECT pg_advisory_lock(7307191436582101);

-- name: schema_migration_insert
INSERT INTO schema_migration (number, name, sha256) VALUES ($1, $2, $3);
