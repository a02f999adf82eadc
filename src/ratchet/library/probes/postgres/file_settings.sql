-- name: postgres.file_settings
-- summary: What the configuration files say, wrong entries first: these stop a restart
-- privilege: pg_file_settings
-- versions: 14+
-- where: any
-- columns:
--   name text                      setting, null for a line that cannot be read
--   value text                     value; secrets and unknown settings show only set or empty
--   file text                      file name without its directory
--   line int                       line in the file
--   position int                   order of reading; a later entry wins
--   applied bool                   the entry can take effect as it stands
--   wrong bool                     the entry has an error; one that merely waits for a restart is not wrong
--   error text                     what is wrong, or that it needs a restart
SELECT f.name,
       CASE WHEN f.name = 'archive_command' AND split_part(ltrim(f.setting), ' ', 1) ~ '^[A-Za-z0-9_./-]+$'
            THEN split_part(ltrim(f.setting), ' ', 1)
            WHEN p.short_desc IS NULL
                 OR right(f.name, 8) = '_command'
                 OR (f.name ~* '(conninfo|passphrase|passw|secret|token|credential)'
                     AND f.name <> 'password_encryption')
            THEN CASE WHEN f.setting = '' THEN 'empty' WHEN f.setting IS NOT NULL THEN 'set' END
            ELSE f.setting END AS value,
       regexp_replace(f.sourcefile, '^.*/', '') AS file,
       f.sourceline AS line,
       f.seqno AS position,
       f.applied,
       f.error IS NOT NULL
         AND NOT (coalesce(p.context = 'postmaster', false) AND f.error = 'setting could not be applied') AS wrong,
       f.error
FROM pg_file_settings AS f
LEFT JOIN pg_settings AS p ON lower(p.name) = lower(f.name)
ORDER BY wrong DESC, f.seqno
LIMIT 200
