-- The program of the session `a`: its application_name without what tells its copies apart (numbers, a pod's suffix).
regexp_replace(coalesce(nullif(a.application_name, ''), '(none)'),
               '([-_.:@/ #]+([^-_.:@/ #]*[0-9][^-_.:@/ #]*|[bcdfghjklmnpqrstvwxz]{5}))+$', '')
