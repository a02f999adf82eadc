"""The words of PostgreSQL that a probe may use, and those it never may; what is on neither list is refused too."""

import re

DENIED_FUNCTIONS = re.compile(
    r"""
      pg_(?:terminate|cancel)_backend | pg_reload_conf | pg_rotate_logfile\w* | pg_promote
    | pg_(?:switch|create|drop|copy|logical|sync|backup)_\w+ | pg_(?:start|stop)_backup
    | pg_wal_replay_(?:pause|resume) | pg_replication_(?:slot_advance|origin_\w+) | pg_(?:try_)?advisory_\w+
    | pg_sleep\w* | pg_notify | pg_export_snapshot | pg_log_backend_memory_contexts | pg_log_standby_snapshot
    | pg_import_system_collations | pg_extension_config_dump | pg_stat_reset\w*
    | pg_(?:restore|clear)_(?:relation|attribute|database)_stats? | pg_prewarm | pg_truncate_visibility_map
    | pg_read_(?:binary_)?file\w* | pg_stat_file | pg_ls_dir | pg_file_(?:read|write|rename|unlink|sync|length)
    | pg_logfile_rotate | pg_logdir_ls | pg_current_xact_id | txid_current | pg_nextoid
    | pg_stop_making_pinned_objects | binary_upgrade_\w+ | lo_\w+ | loread | lowrite | dblink\w* | set_config
    | setseed | nextval | setval | currval | lastval | query_to_\w+ | table_to_\w+ | schema_to_\w+ | database_to_\w+
    | cursor_to_\w+ | ts_stat | crosstab\w* | xpath_table | copy | brin_\w+ | gin_clean_pending_list
    | heap_force_\w+ | postgres_fdw_\w+ | hypopg\w*
    """,
    re.VERBOSE,
)
"""Functions that act, wait, take locks by name, run a text as SQL, or open files. Matched in lower case."""

DENIED_TABLES = frozenset({
    "pg_authid", "pg_shadow", "pg_user_mapping", "pg_user_mappings", "pg_largeobject", "pg_foreign_server",
})  # fmt: skip
"""Catalogues that hold passwords, options with passwords, or content."""

KNOWN_FUNCTIONS = re.compile(
    r"""
      clock_timestamp | statement_timestamp | transaction_timestamp | isfinite | justify_\w+ | make_\w+ | age
    | mxid_age | current_setting | quote_(?:ident|literal|nullable) | format_type | format | version | any | all
    | some | pg_is_in_recovery | pg_backend_pid | pg_get_userbyid | pg_has_role | has_\w+_privilege
    | row_security_active | pg_control_(?:system|checkpoint|recovery|init) | pg_postmaster_start_time
    | pg_conf_load_time | pg_wal_lsn_diff | pg_walfile_name | pg_current_wal_(?:flush_|insert_)?lsn
    | pg_last_wal_(?:receive|replay)_lsn | pg_last_xact_replay_timestamp | pg_last_committed_xact
    | pg_is_wal_replay_paused | pg_get_wal_replay_pause_state | pg_blocking_pids | pg_safe_snapshot_blocking_pids
    | pg_stat_get_\w+ | pg_options_to_table | pg_settings_get_flags
    | pg_ls_(?:waldir|tmpdir|logdir|archive_statusdir|replslotdir|logicalmapdir|logicalsnapdir) | pg_current_logfile
    | pg_(?:database|tablespace|relation|table|indexes|column)_size | pg_size_(?:pretty|bytes)
    | pg_tablespace_location
    | pg_get_(?:viewdef|indexdef|constraintdef|functiondef|triggerdef|ruledef|statisticsobjdef|partkeydef|expr)
    | pg_relation_filenode | pg_relation_is_updatable | pg_table_is_visible | pg_typeof | pg_encoding_to_char
    | to_reg(?:class|role|type|namespace|proc) | obj_description | col_description | shobj_description | aclexplode
    | acldefault | inet_(?:client|server)_(?:addr|port) | family | masklen | network | text | abbrev
    | (?:json|jsonb)_\w+ | to_jsonb? | row_to_json | array_\w+ | cardinality | unnest | string_to_(?:array|table)
    | regexp_(?:match|matches|replace|split_to_array|split_to_table|count|instr|substr|like) | btrim | ltrim | rtrim
    | starts_with | translate | octet_length | bit_length | md5 | sha256 | div | trunc | sign | power | width_bucket
    | bool_and | bool_or | every | mode | percentile_(?:cont|disc) | ntile | percent_rank | cume_dist | date_part
    | num_nulls | num_nonnulls
    """,
    re.VERBOSE,
)
"""Functions of pg_catalog that only look. Matched in lower case, for names the parser has no class of its own for."""

KNOWN_TYPES = frozenset({
    "pg_lsn", "xid", "xid8", "cid", "tid", "name", "oid", "regclass", "regrole", "regtype", "regproc", "regnamespace",
    "int2vector", "oidvector", "inet", "cidr", "pg_node_tree", "aclitem", "char",
})  # fmt: skip
"""Types of pg_catalog that the parser does not know by itself."""

KNOWN_NODES = frozenset({
    # shape of a query
    "Select", "Subquery", "Union", "Except", "Intersect", "Values", "With", "CTE", "From", "Join", "Lateral",
    "Table", "TableAlias", "Where", "Group", "Having", "Order", "Ordered", "Limit", "Offset", "Fetch",
    "LimitOptions", "Distinct", "Window", "WindowSpec", "WithinGroup", "Filter", "Star", "Alias", "Aliases",
    "Tuple", "Paren", "Rollup", "Cube", "GroupingSets", "Grouping", "ColumnDef",
    # values and names
    "Column", "Identifier", "Dot", "Literal", "Null", "Boolean", "Var", "Interval", "DataType", "ObjectIdentifier",
    "Array", "Bracket", "Slice", "Kwarg", "JSONPath", "JSONPathKey", "JSONPathRoot", "JSONPathSubscript", "Any",
    "All",
    # operators
    "Add", "Sub", "Mul", "Div", "Mod", "Neg", "And", "Or", "Not", "EQ", "NEQ", "GT", "GTE", "LT", "LTE", "Is", "In",
    "Between", "Like", "ILike", "NullSafeEQ", "NullSafeNEQ", "DPipe", "AtTimeZone", "BitwiseAnd", "BitwiseOr",
    "BitwiseXor", "BitwiseNot", "BitwiseLeftShift", "BitwiseRightShift", "SimilarTo", "Escape",
    # functions the parser knows by class
    "Abs", "ArrayAgg", "ArrayConcat", "ArrayContainedBy", "ArrayContainsAll", "ArrayLength", "ArrayOverlaps",
    "ArraySize", "ArrayToString", "ArrayPosition", "ArrayRemove", "Avg", "Case", "Cast", "Ceil", "Chr", "Coalesce",
    "Concat", "ConcatWs", "Count", "CurrentCatalog", "CurrentDatabase", "CurrentDate", "CurrentSchema",
    "CurrentTimestamp", "CurrentUser", "CurrentVersion", "SessionUser", "DateTrunc", "DenseRank", "Encode",
    "Exists", "Extract", "FirstValue", "Floor", "Greatest", "GroupConcat", "Host", "If", "Initcap", "JSONBExtract",
    "JSONBExtractScalar", "JSONBContains", "JSONExtract", "JSONExtractScalar", "JSONArrayAgg", "JSONObjectAgg",
    "JSONBObjectAgg", "Lag", "LastValue", "Lead", "Least", "Left", "Length", "Ln", "LogicalAnd", "LogicalOr",
    "Lower", "MakeInterval", "Max", "Min", "Nullif", "Pad", "PercentRank", "PercentileCont", "PercentileDisc",
    "Pow", "Quantile", "Rank", "RegexpILike", "RegexpLike", "RegexpReplace", "RegexpSplit", "Replace", "Reverse",
    "Right", "Round", "RowNumber", "Sign", "SplitPart", "Sqrt", "StartsWith", "Stddev", "StddevPop", "StddevSamp",
    "StrPosition", "StringToArray", "Substring", "Sum", "TimeToStr", "TimestampTrunc", "ToChar", "Trim", "Trunc",
    "UnixToTime", "Unnest", "Upper", "Variance", "VariancePop", "StrToTime",
})  # fmt: skip
"""Parts of a query that only look, by the parser's class names: no INTO, no FOR UPDATE, no write, no command."""
