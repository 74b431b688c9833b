"""One delivery on its way from the archive into its register, each step on the ledger."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg.types.json import Jsonb

from doudi import checking, deliveries, erasures, ledger, publishing, quality, quarantine
from doudi.connectors import connections
from doudi.contracts import Contract
from doudi.deliveries import Delivery, DeliveryRefused, Manifest
from doudi.forms import Part, open_parts, unknown_headings, work_folder
from doudi.landing import Landed, LoadTables, land
from doudi.ledger import LoadResult
from doudi.settings import TIME_ZONE, Settings
from doudi.typed_rows import RowTyping
from doudi.warehouse.connection import WarehouseError, without_values

Progress = Callable[[str], None]


@dataclass(kw_only=True)
class Intake:
    """The taking in of some deliveries of one feed on one connection."""

    connection: psycopg.Connection
    url: str
    contract: Contract
    settings: Settings
    progress: Progress

    def all(self, load_ids: list[int]) -> list[LoadResult]:
        results, errors = [], []
        for load_id in load_ids:
            try:
                results.append(self._one(load_id))
                self._tell(results[-1])
            except (WarehouseError, OSError) as error:
                errors.append(error)
                if self.connection.closed:
                    break
        if errors:
            raise errors[0]
        return results

    def _one(self, load_id: int) -> LoadResult:
        tables = LoadTables(self.contract.name, load_id)
        ledger.begin(self.connection, load_id)
        self.connection.commit()
        try:
            self._load(load_id, tables)
        except DeliveryRefused as refusal:
            self.connection.rollback()
            ledger.end(self.connection, load_id, status="refused", error_code=refusal.code, error=str(refusal))
            tables.drop(self.connection)
            self.connection.commit()
        except psycopg.Error as error:
            safe = without_values(error, step=f"load {load_id}")
            self._fail(load_id, safe.sqlstate or "connection", str(safe))
            raise safe from None
        except (WarehouseError, quality.SuiteError) as error:
            self._fail(load_id, type(error).__name__, str(error))
            raise
        except Exception as error:
            self._fail(load_id, type(error).__name__, f"load {load_id}: {type(error).__name__}")
            raise
        return ledger.read(self.connection, load_id)

    def _fail(self, load_id: int, code: str, message: str) -> None:
        with suppress(psycopg.Error):  # where the connection is gone, the ledger still says that it was begun
            self.connection.rollback()
            ledger.end(self.connection, load_id, status="failed", error_code=code, error=message)
            self.connection.commit()

    def _load(self, load_id: int, tables: LoadTables) -> None:
        connection, contract = self.connection, self.contract
        archived, sha256, started_at = connection.execute(
            "select archive_path, sha256, started_at from ops.load where load_id = %s", (load_id,)
        ).fetchone()
        ledger.refuse_removed(connection, Path(archived))
        delivery = deliveries.parse_name(Path(archived), feeds=[contract.name])
        deliveries.refuse_days_ahead(delivery, received_on=started_at.astimezone(TIME_ZONE).date())
        timings = _Timings()

        manifest = _checked_manifest(delivery, contract, sha256=sha256)
        with timings.of("land"), work_folder(self.settings.work / contract.name) as work:
            parts = open_parts(
                delivery, contract, work=work, contracts_folder=self.settings.contracts, limits=self.settings.limits,
                password=self._archive_password,
            )  # fmt: skip
            landed = land(connection, parts=parts, tables=tables, blank_without=contract.blank_without)
        ledger.update(
            connection, load_id, status="landed", encoding=_encodings(parts), rows_read=landed.rows_read,
            line_offset=parts[0].header_lines, manifest=manifest.model_dump(mode="json", exclude_unset=True),
            notes=_notes(parts, contract, landed),
        )  # fmt: skip
        with timings.of("contract"):
            typing = RowTyping(
                connection=connection, contract=contract, landed=landed, tables=tables, area_code=delivery.area_code,
                data_date=delivery.data_date,
            )  # fmt: skip
            typing.run()
            checking.refuse_damaged_cells(connection, typing=typing)
            erasures.leave_out(connection, typing=typing, settings=self.settings)
            self._compare_with_manifest(load_id, delivery, manifest, landed, tables)
        with timings.of("suite"):
            self._judge(load_id, typing, landed)
        with timings.of("keys"):
            slot = publishing.find_slot(connection, contract=contract, load_id=load_id)
            # Of a first delivery without faults, the register's primary key finds a repeated key as it is built.
            found_by_key = (
                slot is not None
                and publishing.is_first(connection, contract=contract, slot=slot)
                and not checking.any_refused(connection, landed=landed, tables=tables)
            )
            if not found_by_key:
                checking.refuse_repeated_keys(connection, contract=contract, typing=typing)
            connection.commit()
        with timings.of("publish"):
            try:
                self._publish(load_id, typing, slot)
            except psycopg.errors.UniqueViolation:
                if not found_by_key:
                    raise
                connection.rollback()
                checking.refuse_repeated_keys(connection, contract=contract, typing=typing)
                self._publish(load_id, typing, slot)
        ledger.update(connection, load_id, timings=timings.seconds)
        tables.drop(connection)  # in the same transaction: a load that is done with is not taken up to clear up
        connection.commit()

    def _archive_password(self) -> str | None:
        return connections.password(f"doudi_archive_{self.contract.name}", "doudi_archive")

    def _compare_with_manifest(
        self, load_id: int, delivery: Delivery, manifest: Manifest, landed: Landed, tables: LoadTables
    ) -> None:
        name = delivery.path.name
        if landed.rows_read == 0 and manifest.rows != 0 and self.contract.mode == "snapshot":
            raise DeliveryRefused(
                "file.no_rows", f"{name}: a list without rows would end every record; a manifest may say rows = 0"
            )
        if manifest.rows is not None and manifest.rows != landed.rows_read:
            raise DeliveryRefused("manifest.rows", f"{name}: declared {manifest.rows} rows, read {landed.rows_read}")
        declared = manifest.control_totals
        actual = {} if landed.lines_set_aside else checking.control_totals(
            self.connection, contract=self.contract, tables=tables, columns=declared
        )  # fmt: skip
        ledger.update(self.connection, load_id, control_totals_declared=declared, control_totals_actual=actual)
        self.connection.commit()  # both are told where they differ and the delivery is refused
        differing = [column for column, total in actual.items() if abs(total - declared[column]) > 0.005]
        if differing:
            raise DeliveryRefused("manifest.control_totals", f"{name}: the sums of {differing} are not as declared")

    def _judge(self, load_id: int, typing: RowTyping, landed: Landed) -> None:
        """Let the suite judge the rows that follow the contract; commits, since it looks from its own connection."""
        parameters = ledger.suite_parameters(self.connection, load_id, cadence=self.contract.cadence)
        last_observed = ledger.last_observed(self.connection, load_id)
        row_count = checking.sound_count(self.connection, landed=landed, tables=typing.tables)
        self.connection.commit()
        suite = self._suite()
        if suite.asks_for_rows:
            typing.complete()
        verdicts = quality.judge(
            url=self.url, table=typing.tables.judged, row_count=row_count, suite=suite, contract=self.contract,
            parameters=parameters, last_observed=last_observed,
        )  # fmt: skip
        for verdict in verdicts:
            self._record(load_id, suite_name=self.contract.name, verdict=verdict)
        self.connection.commit()
        for verdict in verdicts:
            if verdict.success or verdict.severity != "stop":
                continue
            typing.complete()
            told = f"{verdict.reason_zh}。{verdict.reason_en}."
            self.connection.execute(
                f"""
                insert into {typing.tables.faults}
                select failing._row_no, 1000, %s, %s, %s from ({verdict.failing_rows_sql}) as failing
                """,
                (verdict.column_name, verdict.rule, told),
            )

    def _suite(self) -> "quality.Suite":
        return quality.load_suite(self.settings.expectations / f"{self.contract.name}.yml")

    def _record(self, load_id: int, *, suite_name: str, verdict: "quality.Verdict") -> None:
        row = {
            "load_id": load_id,
            "suite": suite_name,
            "rule": verdict.rule,
            "expectation": verdict.expectation,
            "column_name": verdict.column_name,
            "severity": verdict.severity,
            "success": verdict.success,
            "evaluated": verdict.evaluated,
            "unexpected": verdict.unexpected,
            "observed": Jsonb(verdict.observed),
        }
        self.connection.execute(
            f"insert into ops.check_result ({', '.join(row)}) values ({', '.join(f'%({name})s' for name in row)})", row
        )

    def _publish(self, load_id: int, typing: RowTyping, slot: publishing.Slot | None) -> None:
        """Quarantine, register and ledger in one transaction; the caller commits."""
        connection, landed = self.connection, typing.landed
        quarantined = quarantine.keep_refused(connection, landed=landed, tables=typing.tables)
        erased = erasures.clean_refused(connection, load_id=load_id, contract=self.contract, settings=self.settings)
        if slot and not slot.partial:  # of rows that were refused before, many may be refused again
            self._refuse_where_too_many(load_id, rows_read=landed.rows_read, quarantined=quarantined, erased=erased)
        if slot is None:
            unchanged = landed.rows_read - quarantined
            counts = {"rows_published": 0, "rows_unchanged": unchanged, "rows_ended": 0}
            status = "superseded"
        else:
            published = publishing.publish(connection, contract=self.contract, typing=typing, slot=slot)
            counts = vars(published)
            status = "published"
        ledger.end(connection, load_id, status=status, rows_quarantined=quarantined, **counts)
        quarantine.settle(connection, load_id)

    def _refuse_where_too_many(self, load_id: int, *, rows_read: int, quarantined: int, erased: int) -> None:
        """Refuse the delivery past the share of refused rows that its suite allows; what is wrong with them is kept.

        Nothing is wrong with rows that are left out since somebody was ``erased``.
        """
        suite = self._suite()
        if not suite.refuses(refused=quarantined - erased, rows=rows_read):
            return
        ledger.update(self.connection, load_id, rows_quarantined=quarantined)
        self.connection.commit()
        name = ledger.read(self.connection, load_id).file_name
        raise DeliveryRefused(
            "suite.refused_share",
            f"{name}: {quarantined} of {rows_read} rows are refused, more than the {suite.max_refused_share:.0%} that"
            " the suite allows; each is in ops.quarantine."
            f" {rows_read}行中有{quarantined}行不合格，整份退回，沿用上一次数据。",
        )

    def _tell(self, result: LoadResult) -> None:
        if result.status == "refused":
            self.progress(f"{result.file_name}: refused ({result.error_code})")
        else:
            counts = f"{result.rows_published} new or changed, {result.rows_quarantined} quarantined"
            self.progress(f"{result.file_name}: {result.status}, {result.rows_read} rows, {counts}")


def _encodings(parts: list[Part]) -> str | None:
    """The encodings of the parts that are text, None for a workbook."""
    return ", ".join(sorted({part.encoding for part in parts if part.encoding})) or None


def _notes(parts: list[Part], contract: Contract, landed: Landed) -> dict[str, list[str] | int]:
    """What is worth telling of a delivery that was taken in.

    ``columns_kept_out``, where the contract wants them noted, and ``lines_not_filled_in``, where there are any.
    """
    notes: dict[str, list[str] | int] = {}
    if contract.extra_columns == "note":
        kept_out = dict.fromkeys(heading for part in parts for heading in unknown_headings(part.header, part.columns))
        notes["columns_kept_out"] = list(kept_out)
    notes["lines_not_filled_in"] = landed.lines_not_filled_in
    return {name: note for name, note in notes.items() if note}


def _checked_manifest(delivery: Delivery, contract: Contract, *, sha256: str) -> Manifest:
    manifest = deliveries.read_manifest(delivery) or Manifest()
    name = delivery.path.name
    if manifest.data_date not in (None, delivery.data_date):
        raise DeliveryRefused("manifest.data_date", f"{name}: the manifest names another data date than the file")
    if manifest.mode not in (None, contract.mode):
        raise DeliveryRefused("manifest.mode", f"{name}: the contract's mode is {contract.mode}")
    if manifest.sha256 and manifest.sha256.lower() != sha256:
        raise DeliveryRefused("manifest.sha256", f"{name}: the file is not the one the manifest was made for")
    return manifest


@dataclass
class _Timings:
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def of(self, step: str) -> Iterator[None]:
        begun = time.perf_counter()
        yield
        self.seconds[step] = round(time.perf_counter() - begun, 3)
