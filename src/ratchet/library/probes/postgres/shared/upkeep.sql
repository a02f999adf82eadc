-- Whether the statement of the session `a` changes the schema, copies, cleans or is part of a backup.
coalesce(a.query ~* '^[[:space:](]*(vacuum|analyze|create|reindex|copy|cluster|refresh)([[:space:](;]|$)'
         OR a.query ~* '^[[:space:](]*(alter|drop|truncate|checkpoint)([[:space:](;]|$)'
         OR a.query ~* '^[[:space:](]*select[[:space:]].*pg_(backup_(start|stop)|(start|stop)_backup)[[:space:]]*[(]', false)
