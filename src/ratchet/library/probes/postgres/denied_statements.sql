-- name: postgres.denied_statements
-- summary: Statements refused for want of a right, of the last 128 KB of the server's log, against the rights of now
-- privilege: pg_monitor, pg_read_file
-- versions: 14+
-- where: any
-- columns:
--   kind text                      table, sequence, schema, function, policy (of rows), owner; null when unread
--   name text                      the object as the log names it
--   schema text                    its schema, null when none or several carry the name
--   relation text                  table or sequence with its schema, null when none or several carry the name
--   owner text                     its owner
--   role text                      who asked, null when the log does not tell
--   times int                      refusals of the last five minutes
--   last_s float                   seconds since the latest of them
--   ongoing bool                   they still come, at the pace at which they came
--   still bool                     the role lacks the right now; null when it cannot be told
--   lacks list                     rights that the statement needs and the role has not; null when it cannot be told
--   touched bool                   rights were granted or revoked on it at some time; a new object has none
--   beside int                     other tables of that owner and schema on which the role itself holds such a right
--   column_rights bool             the role holds rights on single columns of it
--   held_by text                   other roles, its owner apart, that hold the right; empty when none
--   owns_beside bool               the role owns other tables of that schema
--   row_security bool              row-level security is on for it
--   statement text                 one such statement, 200 characters
--   reason text                    why nothing could be read, null when something was
WITH
-- include: log_lines
-- include: denied_lines
-- include: log_asked
,
-- include: denied
SELECT a.kind, a.name, a.schema, a.relation, a.owner, a.role, a.times, a.last_s, a.ongoing, a.still, a.lacks, a.touched,
       a.beside, a.column_rights, a.held_by, a.owns_beside, a.row_security, a.statement, a.reason
FROM answer AS a
ORDER BY a.times DESC NULLS LAST, a.kind, a.name, a.role
LIMIT 40
