"""A small shop that lives on the lab's servers, so that a failure is seen the way its customers see it."""

import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, LiteralString

import psycopg
from psycopg import sql

from ratchet.lab.embedded import Cluster

Worker = Literal["checkout", "catalogue", "reports", "heartbeat"]
Session = psycopg.Connection[tuple[Any, ...]]

DATABASE = "shop"
SHOP_ROLE = "shop_app"
PRODUCTS = 20
PAUSE_S: dict[Worker, float] = {"checkout": 0.25, "catalogue": 0.3, "reports": 0.5, "heartbeat": 0.5}
CHECKOUT_WORKERS = 2
STALE_AFTER_S = 2.0
# What a request of the shop waits for at most; the client asks the server to keep to it.
REQUEST_LIMITS = "-c statement_timeout=1000 -c lock_timeout=800"

SCHEMA: tuple[LiteralString, ...] = (
    "CREATE TABLE products (id int PRIMARY KEY, title text NOT NULL, price_cents int NOT NULL)",
    "CREATE TABLE stock (product_id int PRIMARY KEY REFERENCES products, quantity bigint NOT NULL)",
    "CREATE TABLE order_counter (shop text PRIMARY KEY, last_number bigint NOT NULL)",
    "CREATE TABLE orders (number bigint PRIMARY KEY, product_id int NOT NULL, ordered_at timestamptz NOT NULL)",
    "CREATE TABLE heartbeat (id int PRIMARY KEY, beat_at timestamptz NOT NULL)",
    "INSERT INTO products SELECT n, 'Article ' || n, 100 * n FROM generate_series(1, 20) n",
    "INSERT INTO stock SELECT id, 1000000 FROM products",
    "INSERT INTO order_counter VALUES ('main', 0)",
    "INSERT INTO heartbeat VALUES (1, clock_timestamp())",
    "GRANT SELECT ON heartbeat, products TO PUBLIC",
    # Whoever watches the server may read how far its sequences are.
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON SEQUENCES TO pg_monitor",
)


class StaleReport(RuntimeError):
    """The replica answered, but from a past too far back."""


@dataclass(frozen=True)
class Request:
    """One thing a customer asked of the shop: when it ended (monotonic seconds), how long it took, how it went."""

    at: float
    worker: Worker
    elapsed_ms: float
    error: str = ""


@dataclass(frozen=True)
class ShopSample:
    """The shop over the last `window_s` seconds."""

    ok_per_s: float
    failed_per_s: float
    p95_ms: float
    last_error: str
    window_s: float

    @property
    def healthy(self) -> bool:
        return self.ok_per_s > 0 and self.failed_per_s == 0


def create_shop(cluster: Cluster) -> None:
    """The shop's role, database, tables and first rows on a primary."""
    cluster.add_login(SHOP_ROLE)
    with cluster.connect() as session:
        session.execute("CREATE DATABASE shop OWNER shop_app")
        if cluster.mark:
            mark_database(session, cluster.mark)
    with cluster.connect(SHOP_ROLE, DATABASE) as session:
        for statement in SCHEMA:
            session.execute(statement)


def mark_database(session: Session, mark: str) -> None:
    """Says on the shop's database whose it is."""
    session.execute(sql.SQL("COMMENT ON DATABASE {} IS {}").format(sql.Identifier(DATABASE), sql.Literal(mark)))


class Shop:
    """Workers that keep asking; each request opens its own short session, as a service without a pool does."""

    def __init__(self, primary: Cluster, replica: Cluster | None, seed: int) -> None:
        self._primary = primary
        self._reports_from = replica or primary
        self._random = random.Random(seed)  # noqa: S311 - which article sells next is no secret
        self._stop = threading.Event()
        self._requests: deque[Request] = deque(maxlen=5000)
        self._threads: list[threading.Thread] = []
        self._started = 0.0

    def start(self) -> None:
        """Opens the shop; its database must exist (`create_shop`)."""
        self._started = time.monotonic()
        self._spawn("catalogue", self._serve, "catalogue", self._browse)
        self._spawn("reports", self._serve, "reports", self._report)
        for _ in range(CHECKOUT_WORKERS):
            self._spawn("checkout", self._serve, "checkout", self._check_out)
        self._spawn("heartbeat", self._beat)

    def close(self) -> None:
        """No further request begins."""
        self._stop.set()

    def wait(self) -> None:
        """Waits until the last request after `close` has ended; may be repeated."""
        for thread in self._threads:
            thread.join(timeout=10)

    def sample(self, window_s: float = 3.0, worker: Worker | None = None) -> ShopSample:
        """What customers met lately; of one worker alone where it is named."""
        now = time.monotonic()
        span = max(min(window_s, now - self._started), 0.001)
        seen = [each for each in tuple(self._requests) if now - each.at <= span and worker in (None, each.worker)]
        good = sorted(each.elapsed_ms for each in seen if not each.error)
        bad = [each.error for each in seen if each.error]
        p95 = good[min(len(good) - 1, int(len(good) * 0.95))] if good else 0.0
        return ShopSample(len(good) / span, len(bad) / span, p95, bad[-1] if bad else "", span)

    def requests_since(self, moment: float) -> list[Request]:
        """Every request that ended at or after `moment` (monotonic seconds), oldest first; the last 5000 are kept."""
        return [each for each in tuple(self._requests) if each.at >= moment]

    def _spawn(self, name: str, job: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=job, args=args, name=f"shop-{name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self, worker: Worker, job: Callable[[], None]) -> None:
        while not self._stop.wait(PAUSE_S[worker]):
            begun = time.monotonic()
            error = ""
            try:
                job()
            except (psycopg.Error, StaleReport) as failed:
                error = " ".join(str(failed).split())[-300:] or type(failed).__name__
            ended = time.monotonic()
            self._requests.append(Request(ended, worker, (ended - begun) * 1000, error))

    def _open(self, cluster: Cluster, worker: Worker) -> Session:
        return cluster.connect(
            SHOP_ROLE, DATABASE, application_name=worker, connect_timeout=2, options=REQUEST_LIMITS, autocommit=False
        )

    def _check_out(self) -> None:
        product = self._random.randint(1, PRODUCTS)
        with self._open(self._primary, "checkout") as session:
            session.execute("UPDATE stock SET quantity = quantity - 1 WHERE product_id = %s", [product])
            session.execute(
                "WITH next AS (UPDATE order_counter SET last_number = last_number + 1 RETURNING last_number)"
                " INSERT INTO orders SELECT last_number, %s, clock_timestamp() FROM next",
                [product],
            )

    def _browse(self) -> None:
        with self._open(self._primary, "catalogue") as session:
            session.execute("SELECT title, price_cents FROM products ORDER BY title").fetchall()

    def _report(self) -> None:
        with self._open(self._reports_from, "reports") as session:
            session.execute("SELECT count(*), max(number) FROM orders").fetchone()
            row = session.execute(
                "SELECT extract(epoch FROM clock_timestamp() - beat_at)::float8 FROM heartbeat"
            ).fetchone()
        age = float(row[0]) if row else 0.0
        if age > STALE_AFTER_S:
            raise StaleReport(f"report is stale: it shows the shop as it was {age:.1f} s ago")

    def _beat(self) -> None:
        """Keeps one session open, so that a full server still has a fresh heartbeat."""
        session: Session | None = None
        while not self._stop.wait(PAUSE_S["heartbeat"]):
            try:
                if session is None or session.closed:
                    session = self._open(self._primary, "heartbeat")
                    session.autocommit = True
                session.execute("UPDATE heartbeat SET beat_at = clock_timestamp()")
            except psycopg.Error:
                session = _close(session)
        _close(session)


def _close(session: Session | None) -> None:
    if session is not None:
        session.close()


class HealthDoor:
    """The shop's health over HTTP on the loopback: 200 while customers are served, 503 while they are not."""

    def __init__(self, shop: Shop) -> None:
        class Door(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                sample = shop.sample()
                body = json.dumps({"healthy": sample.healthy, **asdict(sample)}).encode()
                self.send_response(200 if sample.healthy else 503)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
                """Nothing: the lab's terminal belongs to the story it tells."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), name="shop-health", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/health"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)
