-- name: postgres.predicates
-- summary: Tables read whole, with the columns their statements filter by and why no index serves them
-- privilege: pg_monitor
-- versions: 14+
-- extension: pg_stat_statements
-- where: any
-- columns:
--   relation text                  table, with its schema
--   schema text                    its schema alone, unquoted, as a step's argument
--   table text                     its name alone, unquoted, as a step's argument
--   column text                    a column that the statement's WHERE names
--   equal bool                     compared for equality, as it stands
--   hidden_by text                 a cast, a function or an expression around the column; empty when it stands bare
--   indexed bool                   a valid index over all rows begins with the column
--   partial bool                   a valid index over some rows begins with it
--   invalid bool                   an index that is not valid begins with it
--   alone bool                     the statement reads this table and no other
--   aggregated bool                it adds up or counts, so that its rows do not tell how many it reads
--   reads_whole bool               each call reads at least half of the table's pages
--   rows_per_call float            rows returned or changed each time
--   current bool                   a session runs the statement now, or ran it last, within five minutes
--   calls int                      times the statement ran since the extension's reset
--   mean_ms float                  milliseconds each
--   live int                       rows alive, estimated
--   index_scans int                times that the valid indexes that begin with the column were used
--   role text                      the role that ran it
--   against text                   a planner setting of the role that ran it, as name=value, far from its default
--   seq_ratio float                whole reads as a part of all reads of the table, 0 to 1
--   query text                     statement with placeholders, 200 characters
WITH whole AS MATERIALIZED (
    SELECT t.relid, t.schemaname, t.relname, t.n_live_tup, c.relpages,
           coalesce(t.seq_scan::float8 / nullif(t.seq_scan + coalesce(t.idx_scan, 0), 0), 0)::float8 AS seq_ratio
    FROM pg_stat_user_tables AS t
    JOIN pg_class AS c ON c.oid = t.relid
    WHERE t.n_live_tup >= 10000 AND t.seq_scan >= 5
    ORDER BY t.seq_tup_read DESC, t.relid
    LIMIT 10
), lately AS MATERIALIZED (
    -- The extension remembers for ever; without constants and blanks its texts compare with what sessions ran last.
    SELECT DISTINCT left(regexp_replace(lower(a.query), '''[^'']*''|[$]?[0-9]+([.][0-9]+)?|[[:space:];]+', '', 'g'), 600)
           AS bones
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.query <> ''
      AND (a.state = 'active' OR a.state_change > clock_timestamp() - interval '5 minutes')
    LIMIT 200
), said AS MATERIALIZED (
    SELECT regexp_replace(lower(s.query), '[[:space:]]+', ' ', 'g') AS text, r.oid AS role_id,
           r.rolname::text AS role, s.calls, s.mean_exec_time AS mean_ms,
           s.rows::float8 / greatest(s.calls, 1) AS rows_per_call,
           (s.shared_blks_hit + s.shared_blks_read)::float8 / greatest(s.calls, 1) AS pages_per_call,
           left(regexp_replace(lower(s.query), '''[^'']*''|[$]?[0-9]+([.][0-9]+)?|[[:space:];]+', '', 'g'), 600)
               IN (SELECT l.bones FROM lately AS l) AS current,
           left(s.query, 200) AS query
    FROM pg_stat_statements AS s
    JOIN pg_roles AS r ON r.oid = s.userid
    WHERE s.dbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
      AND s.query ~* '^[[:space:]]*(select|update|delete|with)[[:space:](]'
      -- Most servers read no large table whole, and then no text needs to be taken apart.
      AND EXISTS (SELECT 1 FROM whole)
    ORDER BY s.total_exec_time DESC
    LIMIT 100
), met AS MATERIALIZED (
    SELECT w.*, s.role_id, s.role, s.calls, s.mean_ms, s.rows_per_call, s.pages_per_call, s.current, s.query,
           substr(s.text, strpos(s.text, ' where ') + 6) AS filter,
           s.text ~ '[^a-z0-9_](count|sum|avg|min|max|bool_and|bool_or|every|stddev[a-z_]*|var[a-z_]*|[a-z_]*_agg) ?[(]'
               OR s.text ~ '^select distinct| group by | limit ' AS aggregated,
           left(s.text, strpos(s.text, ' where ')) !~ ' join ' AND split_part(s.text, ' from ', 3) = ''
               AND strpos(split_part(left(s.text, strpos(s.text, ' where ')), ' from ', 2), ',') = 0 AS alone
    FROM whole AS w
    JOIN said AS s ON strpos(s.text, ' where ') > 0 AND strpos(s.text, lower(w.relname::text)) > 0
), found AS MATERIALIZED (
    SELECT m.*, a.attnum, a.attname::text AS attname,
           m.filter ~ ('[ (.]"?' || a.attname::text || '"? ?(=|in ?[(])') AS equal,
           CASE WHEN m.filter ~ ('[ (.]"?' || a.attname::text || '"? ?::')
                     OR m.filter ~ ('cast ?[(] ?([a-z0-9_"]+[.])?"?' || a.attname::text || '"? as ') THEN 'a cast'
                WHEN substring(m.filter FROM '([a-z0-9_]+) ?[(] ?(?:[a-z0-9_"]+[.])?"?' || a.attname::text || '"? ?[),]')
                     NOT IN ('and', 'or', 'in', 'not', 'where', 'any', 'all', 'values', 'on', 'between', 'exists')
                THEN 'a function'
                WHEN m.filter ~ ('[ (.]"?' || a.attname::text || '"? ?([+*/-]|[|][|])') THEN 'an expression'
                ELSE '' END AS hidden_by
    FROM met AS m
    JOIN pg_attribute AS a ON a.attrelid = m.relid AND a.attnum > 0 AND NOT a.attisdropped
                          AND a.attname::text ~ '^[a-z_][a-z0-9_]*$'
    WHERE m.filter ~ ('[ (.]"?' || a.attname::text || '"?[^a-z0-9_]')
)
SELECT quote_ident(f.schemaname::text) || '.' || quote_ident(f.relname::text) AS relation,
       f.schemaname::text AS schema,
       f.relname::text AS "table",
       f.attname AS "column",
       f.equal,
       f.hidden_by,
       EXISTS (SELECT 1 FROM pg_index AS i WHERE i.indrelid = f.relid AND i.indisvalid AND i.indpred IS NULL
               AND i.indkey[0] = f.attnum) AS indexed,
       EXISTS (SELECT 1 FROM pg_index AS i WHERE i.indrelid = f.relid AND i.indisvalid AND i.indpred IS NOT NULL
               AND i.indkey[0] = f.attnum) AS partial,
       EXISTS (SELECT 1 FROM pg_index AS i WHERE i.indrelid = f.relid AND NOT i.indisvalid
               AND i.indkey[0] = f.attnum) AS invalid,
       f.alone,
       f.aggregated,
       f.pages_per_call >= greatest(f.relpages, 1) * 0.5 AS reads_whole,
       f.rows_per_call::float8 AS rows_per_call,
       f.current,
       f.calls,
       f.mean_ms,
       f.n_live_tup AS live,
       (SELECT coalesce(sum(pg_stat_get_numscans(i.indexrelid)), 0)::bigint FROM pg_index AS i
        WHERE i.indrelid = f.relid AND i.indisvalid AND i.indkey[0] = f.attnum) AS index_scans,
       f.role,
       (SELECT coalesce(min(item), '') FROM pg_db_role_setting AS g CROSS JOIN LATERAL unnest(g.setconfig) AS item
        WHERE g.setrole = f.role_id
          AND g.setdatabase IN (0, (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))
          AND item ~ '^(enable_(index|bitmap|indexonly)scan=(off|false|no|0)|random_page_cost=([2-9][0-9]|[1-9][0-9][0-9]))')
           AS against,
       f.seq_ratio,
       f.query
FROM found AS f
ORDER BY f.calls * f.mean_ms DESC, relation, 4
LIMIT 50
