"""The names that one caused fault gives to what it makes: drawn by seed, so that no playbook can learn them."""

import random
import secrets
import string
from dataclasses import dataclass
from typing import LiteralString, cast

from psycopg import sql

LABEL_LENGTH = 4
APPLICATIONS = (
    "basket-api", "coupon-engine", "invoice-batch", "ledger-sync", "loyalty-points", "parcel-tracker",
    "price-watch", "refund-desk", "search-feed", "supplier-portal", "voucher-mailer", "wish-list",
)  # fmt: skip
TABLES = ("baskets", "coupons", "invoices", "ledger_entries", "parcels", "refunds", "reviews", "vouchers", "returns")
ROLES = ("basket_app", "billing_app", "delivery_app", "loyalty_app", "partner_app", "search_app", "warehouse_app")
SLOTS = ("standby_east", "standby_west", "reporting_copy", "branch_office", "cold_copy")
COLUMNS = ("status", "note")
PROGRAMS = ("encode", "resize", "index", "scan", "render")


@dataclass(frozen=True)
class Names:
    """What one fault may make; each name ends with the fault's label, so that nothing of anybody else is ever meant."""

    application: str
    role: str
    table: str
    sibling: str
    slot: str
    database: str
    column: str
    program: str

    @property
    def index(self) -> str:
        return f"{self.table}_by_customer"

    @property
    def sequence(self) -> str:
        return f"{self.table}_number"

    @property
    def subscription(self) -> str:
        return f"{self.table}_feed"

    def fill(self, text: str) -> sql.Composed:
        """A statement with `{table}` and its like as quoted identifiers, `{table_text}` as quoted literals."""
        words: dict[str, sql.Composable] = {}
        for key in (
            "application", "role", "table", "sibling", "slot", "database", "column", "index", "sequence",
            "subscription",
        ):  # fmt: skip
            value = str(getattr(self, key))
            words |= {key: sql.Identifier(value), f"{key}_text": sql.Literal(value)}
        words |= {f"table_copy_{n}": sql.Identifier(f"{self.table}_customer_{n}") for n in range(1, 13)}
        words |= {"table_key": sql.Identifier(f"{self.table}_pkey"), "table_id": sql.Identifier(self.table, "id")}
        # Statements come from fault files, which are reviewed like code; values in them are never a user's.
        return sql.SQL(cast("LiteralString", text)).format(**words)


def draw(seed: int, label: str) -> Names:
    """The names of this seed."""
    chosen = random.Random(f"names {seed}")  # noqa: S311 - names, not secrets
    table, sibling = chosen.sample(TABLES, 2)
    return Names(
        application=f"{chosen.choice(APPLICATIONS)}-{label}",
        role=f"{chosen.choice(ROLES)}_{label}",
        table=f"{table}_{label}",
        sibling=f"{sibling}_{label}",
        slot=f"{chosen.choice(SLOTS)}_{label}",
        database=f"copy_{label}",
        column=chosen.choice(COLUMNS),
        program=f"{chosen.choice(PROGRAMS)}-{label}",
    )


def new_label() -> str:
    """A short word at random, whatever the seed: it says nothing of its purpose, and tells two faults apart."""
    return "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(LABEL_LENGTH))
