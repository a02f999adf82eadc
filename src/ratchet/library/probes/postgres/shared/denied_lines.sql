-- The lines of `met` that tell of a statement refused for want of a right: `fresh`.
, fresh AS MATERIALIZED (
    SELECT m.position, m.at, m.said, m.prefix
    FROM met AS m
    WHERE m.level = 'ERROR' AND m.at > clock_timestamp() - interval '5 minutes'
      AND m.said ~ 'permission denied for |violates row-level security|^must be owner of '
    ORDER BY m.position DESC
    LIMIT 40
),
