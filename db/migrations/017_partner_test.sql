-- SPDX-License-Identifier: Apache-2.0
-- Tests of partners: what `hubctl partner test` found out, check by check.

CREATE TABLE partner_test (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    partner_id bigint NOT NULL REFERENCES partner ON DELETE CASCADE,
    full_test boolean NOT NULL, -- with pushes, commands and new credentials
    started_at timestamptz NOT NULL DEFAULT hub_now(),
    finished_at timestamptz     -- NULL: it runs, or its process ended
);
-- One at a time for each partner.
CREATE UNIQUE INDEX partner_test_running ON partner_test (partner_id) WHERE finished_at IS NULL;
CREATE INDEX partner_test_of_partner ON partner_test (partner_id, id);

CREATE TABLE partner_check (
    test_id bigint NOT NULL REFERENCES partner_test ON DELETE CASCADE,
    seq int NOT NULL,
    name text NOT NULL,    -- "locations.total"
    module text,
    result text NOT NULL CHECK (result IN ('pass', 'warn', 'fail', 'skipped')),
    rule text,             -- "R-TRANS-43"
    place text,            -- JSON pointer, header, or URL
    expected text,
    got text,
    advice text,
    PRIMARY KEY (test_id, seq)
);

-- The id of the new test, or NULL: one is running. What a process that ended has left counts as
-- over after six minutes, one more than a test may take. The newest 20 tests of a partner are kept.
CREATE FUNCTION partner_test_begin(p_partner bigint, p_full boolean)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    v_id bigint;
BEGIN
    UPDATE partner_test SET finished_at = hub_now()
     WHERE partner_id = p_partner AND finished_at IS NULL
       AND started_at < hub_now() - interval '6 minutes';
    INSERT INTO partner_test (partner_id, full_test) VALUES (p_partner, p_full)
    ON CONFLICT (partner_id) WHERE finished_at IS NULL DO NOTHING
    RETURNING id INTO v_id;
    DELETE FROM partner_test
     WHERE partner_id = p_partner
       AND id <= (SELECT id FROM partner_test WHERE partner_id = p_partner
                   ORDER BY id DESC OFFSET 20 LIMIT 1);
    RETURN v_id;
END $$;
