"""What begins when certain models are made begins once, whichever thread tells of the last one."""

from concurrent.futures import ThreadPoolExecutor

from doudi.transform.builds import _Once


def test_it_begins_when_the_last_of_the_models_is_made() -> None:
    begun: list[str] = []
    finished = _Once(("person", "visit_list"), lambda: begun.append("begun"))
    for name in ("person", "warning", "person"):
        finished(name)
        assert begun == []
    finished("visit_list")
    finished("visit_list")
    assert begun == ["begun"]


def test_it_begins_once_however_many_threads_tell() -> None:
    begun: list[str] = []
    names = [str(number) for number in range(50)]
    finished = _Once(names, lambda: begun.append("begun"))
    with ThreadPoolExecutor(max_workers=8) as threads:
        list(threads.map(finished, names * 4))
    assert begun == ["begun"]
