-- SPDX-License-Identifier: Apache-2.0
-- Who asks for a pull while one is under way gets another after it, however many pages that one has:
-- what it has read already may have changed since.

-- At once, but not twice within a minute.
CREATE OR REPLACE FUNCTION pull_request(p_partner bigint, p_module text) RETURNS boolean
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE pull
       SET due_at = least(due_at, greatest(hub_now(),
                                           coalesce(started_at + interval '1 minute', hub_now()))),
           again = again OR cursor IS NOT NULL OR coalesce(lease_until > hub_now(), false)
     WHERE partner_id = p_partner AND module = p_module;
    RETURN FOUND;
END $$;

CREATE OR REPLACE FUNCTION pull_claim(p_limit int) RETURNS SETOF pull LANGUAGE plpgsql AS $$
DECLARE
    l pull;
    v_version text;
    v_now timestamptz := hub_now();
BEGIN
    FOR l IN
        SELECT x.* FROM pull x JOIN partner p ON p.id = x.partner_id
         WHERE x.due_at <= v_now AND coalesce(x.lease_until <= v_now, true)
           AND p.enabled AND p.state IN ('connected', 'offline')
         ORDER BY x.due_at LIMIT p_limit
           FOR UPDATE OF x SKIP LOCKED
    LOOP
        -- A page that failed again and again may be gone: its address with it.
        IF l.cursor IS NULL OR l.failures >= 3 THEN
            SELECT version INTO v_version FROM partner WHERE id = l.partner_id;
            l.cursor := NULL;
            l.page_url := NULL;
            l.total := NULL;
            l.first_id := NULL;
            l.mark := NULL;
            l.pages := 0;
            l.complete := true;
            l.again := false;
            l.started_at := v_now;
            l.sweep := CASE
                WHEN l.module <> 'cdrs' THEN NULL
                WHEN l.month_at <= v_now - interval '30 days' THEN 'month'
                WHEN l.good_from IS NULL OR coalesce(l.week_at <= v_now - interval '7 days', true)
                    THEN 'week' END;
            l.date_from := pull_date_from(l, v_version, v_now);
            IF l.date_from IS NULL THEN
                DELETE FROM pull_seen WHERE partner_id = l.partner_id AND module = l.module;
            END IF;
        END IF;
        -- Longer than a page may take (60 s), shorter than a start waits for its session: a process
        -- that dies in a pull must not cost a start.
        UPDATE pull SET lease_until = v_now + interval '70 seconds', started_at = l.started_at,
               date_from = l.date_from, sweep = l.sweep, cursor = l.cursor, page_url = l.page_url,
               total = l.total, first_id = l.first_id, mark = l.mark, pages = l.pages,
               complete = l.complete, again = l.again
         WHERE partner_id = l.partner_id AND module = l.module
        RETURNING * INTO l;
        RETURN NEXT l;
    END LOOP;
END $$;

-- As before, but a page that failed forgets nothing.
CREATE OR REPLACE FUNCTION pull_finished(p_partner bigint, p_module text, p_ok boolean,
                                         p_complete boolean)
RETURNS void LANGUAGE sql AS $$
    UPDATE pull SET
        lease_until = NULL,
        -- After a failure the same page is asked for again.
        cursor = CASE WHEN NOT p_ok THEN cursor END,
        good_from = CASE WHEN p_ok AND (p_complete OR module IN ('sessions', 'cdrs'))
                         THEN started_at ELSE good_from END,
        full_at = CASE WHEN p_ok AND p_complete AND date_from IS NULL THEN started_at
                       ELSE full_at END,
        week_at = CASE WHEN p_ok AND sweep IS NOT NULL THEN started_at ELSE week_at END,
        month_at = CASE WHEN p_ok AND (sweep = 'month' OR month_at IS NULL) THEN started_at
                        ELSE month_at END,
        failures = CASE WHEN p_ok THEN 0 ELSE failures + 1 END,
        -- Spread by a fifth, so that many partners do not come at once (R-TRANS-49).
        due_at = CASE
            WHEN NOT p_ok THEN hub_now() + (0.5 + random() / 2)
                 * least(interval '5 minutes', interval '5 seconds' * (2 ^ least(failures, 8)))
            WHEN again THEN started_at + interval '1 minute'
            ELSE hub_now() + (0.8 + random() * 0.4) * CASE module
                WHEN 'sessions' THEN interval '10 minutes'
                WHEN 'cdrs' THEN interval '1 hour'
                WHEN 'tokens' THEN interval '24 hours' ELSE interval '6 hours' END END,
        again = again AND NOT p_ok
     WHERE partner_id = p_partner AND module = p_module
$$;
