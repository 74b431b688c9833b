"""Airflow's public REST API, as much of it as a night needs."""

import http.client
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from doudi.orchestration.environment import HOST, USER, Airflow

_PAGE = 100


class AirflowError(Exception):
    """Airflow could not be started, did not answer or refused; the message says what to look at."""


@dataclass(kw_only=True)
class Api:
    """A client of one Airflow. It logs in at its first call; a call that fails raises AirflowError."""

    airflow: Airflow
    timeout: float = 60
    _token: str | None = field(default=None, repr=False)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self._call("GET", path, query=query)

    def pages(self, path: str, key: str, **query: Any) -> list[dict[str, Any]]:
        """Every item of a list that comes in pages."""
        items: list[dict[str, Any]] = []
        while True:
            page = self.get(path, limit=_PAGE, offset=len(items), **query)
            items += page[key]
            if not page[key] or len(items) >= page["total_entries"]:
                return items

    def trigger(self, dag_id: str) -> str:
        """Ask for a run of a DAG now. Returns the run's id."""
        return self._call("POST", f"/dags/{dag_id}/dagRuns", body={"logical_date": None})["dag_run_id"]

    def unpause(self, dag_id: str) -> None:
        self._call("PATCH", f"/dags/{dag_id}", body={"is_paused": False})

    def give_up(self, dag_id: str, run_id: str) -> None:
        """Mark a run that nobody works on any more as failed."""
        self._call("PATCH", f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}", body={"state": "failed"})

    def forget_queued_events(self, dag_id: str) -> None:
        """Drop the asset events that a DAG has not answered yet."""
        self._call("DELETE", f"/dags/{dag_id}/assets/queuedEvents", accept=(204, 404))

    def runs(self, **query: Any) -> list[dict[str, Any]]:
        return self.pages("/dags/~/dagRuns", "dag_runs", **query)

    def runs_since(self, since: datetime) -> list[dict[str, Any]]:
        return self.runs(updated_at_gte=since.isoformat())

    def task_instances_since(self, since: datetime) -> list[dict[str, Any]]:
        return self.pages("/dags/~/dagRuns/~/taskInstances", "task_instances", updated_at_gte=since.isoformat())

    def return_value(self, dag_id: str, run_id: str, task_id: str) -> Any:
        """What a task returned, None where it returned nothing."""
        path = f"/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}/taskInstances/{task_id}/xcomEntries/return_value"
        return self._call("GET", path, accept=(200, 404)).get("value")

    def warm_up(self) -> None:
        """Call the API that tasks use, which is put together at its first call, and log in."""
        self._request("GET", "/execution/health", body=None, accept=(200,))
        self.log_in()

    def log_in(self) -> None:
        body = {"username": USER, "password": self.airflow.password}
        self._token = self._request("POST", "/auth/token", body=body, accept=(201,))["access_token"]

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, Any] | None = None,
        body: dict[str, Any] | None = None,
        accept: tuple[int, ...] = (200,),
    ) -> dict[str, Any]:
        if self._token is None:
            self.log_in()
        parameters = f"?{urlencode(query, doseq=True)}" if query else ""
        return self._request(method, f"/api/v2{path}{parameters}", body=body, accept=accept)

    def _request(
        self, method: str, path: str, *, body: dict[str, Any] | None, accept: tuple[int, ...]
    ) -> dict[str, Any]:
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        connection = http.client.HTTPConnection(HOST, self.airflow.port, timeout=self.timeout)
        try:
            connection.request(method, path, body=json.dumps(body) if body is not None else None, headers=headers)
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise AirflowError(f"{method} {path}: no answer from {self.airflow.url}: {error}") from error
        finally:
            connection.close()
        if response.status not in accept:
            raise AirflowError(f"{method} {path}: {response.status} {content[:300].decode(errors='replace')}")
        return json.loads(content) if content else {}


def instant(text: str | None) -> datetime | None:
    """A time as the API writes it."""
    return datetime.fromisoformat(text) if text else None
