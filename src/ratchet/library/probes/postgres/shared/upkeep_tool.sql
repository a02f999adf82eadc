-- Whether the session `a` is of a program that copies or cleans a whole database.
coalesce(a.application_name ~* '^[[:space:]"]*(pg_(dump|dumpall|restore|basebackup|amcheck|probackup|rman|repack)|wal-g)'
         OR a.application_name ~* '^[[:space:]"]*(pgbackrest|barman|vacuumdb|reindexdb|clusterdb)', false)
