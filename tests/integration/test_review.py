"""The review list: who is proposed and why, what accepting does to the registers, and that undoing leaves no trace."""

import random
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
import xlsxwriter
from made_up import VILLAGE, as_csv, citizen_id, poverty_row, write

from doudi import cli, review
from doudi.contracts import Contract
from doudi.identity import ReviewError, decisions, propose
from doudi.identity.decisions import Proposal
from doudi.ledger import LoadResult
from doudi.settings import Settings
from doudi.warehouse.connection import WarehouseError, connect

MARCH, APRIL, MAY = (f"poverty_register_513431_2020{day}.csv" for day in ("0331", "0430", "0531"))
# What a register says, and where it has it from.
REGISTER = """
    select household_no, citizen_id, status, labour, _valid_from::text, _valid_to::text, _area_code, _load_id, _row_no
    from register.poverty_register
    order by household_no, citizen_id, _valid_from
"""

Know = Callable[..., None]
Find = Callable[[], list[Proposal]]
Take = Callable[..., list[LoadResult]]
Query = Callable[..., list[tuple]]


@pytest.fixture
def know(installation: Settings, query: Query) -> Know:
    """Makes somebody known, as a build would; the tables are those that a build makes."""
    with psycopg.connect(installation.database_url) as session:
        session.execute(
            """
            create table identity.person (
                person_id uuid default gen_random_uuid(), county_code text, citizen_id text, name text, sex text,
                birth_on date, division_code text
            );
            create table identity.household_member (person_id uuid)
            """
        )

    def know(citizen_id: str, name: str, *, village: str = VILLAGE, listed: bool = True) -> None:
        with psycopg.connect(installation.database_url) as session:
            session.execute(
                """
                with known as (
                    insert into identity.person (county_code, citizen_id, name, sex, birth_on, division_code)
                    values (left(%(village)s, 6), %(id)s, %(name)s,
                        case substr(%(id)s, 17, 1)::integer %% 2 when 1 then 'male' else 'female' end,
                        substr(%(id)s, 7, 8)::date, %(village)s)
                    returning person_id
                )

                insert into identity.household_member select person_id from known where %(listed)s
                """,
                {"id": citizen_id, "name": name, "village": village, "listed": listed},
            )

    return know


@pytest.fixture
def find(installation: Settings, contracts: dict[str, Contract]) -> Find:
    def find() -> list[Proposal]:
        with connect(installation.database_url) as connection:
            propose(connection, contracts=contracts, contracts_folder=installation.contracts)
            return decisions.proposals(connection)

    return find


def _slip(citizen_id: str, *, place: int = 15) -> str:
    """The ID with one digit replaced, so that its check character no longer fits."""
    return citizen_id[:place] + str((int(citizen_id[place]) + 1) % 10) + citizen_id[place + 1 :]


def _old(citizen_id: str) -> str:
    return citizen_id[:6] + citizen_id[8:17]


def _told(proposal: Proposal) -> dict[str, float]:
    return {each["reason"]: each["weight"] for each in proposal.reasons}


def _one_edit_away(text: str, alphabet: str) -> set[str]:
    cuts = [(text[:place], text[place:]) for place in range(len(text) + 1)]
    return {
        *(left + right[1:] for left, right in cuts if right),
        *(left + right[1] + right[0] + right[2:] for left, right in cuts if len(right) > 1),
        *(left + letter + right[1:] for left, right in cuts if right for letter in alphabet),
        *(left + letter + right for left, right in cuts for letter in alphabet),
    } - {text}


def test_one_edit_is_what_one_slip_of_the_hand_makes(query: Query) -> None:
    chance = random.Random(4)
    texts = ["".join(chance.choices("01", k=chance.randint(1, 6))) for _ in range(60)]
    found = query(
        "select a, b, ops.one_edit(a, b) is not null from unnest(%s::text[]) as a cross join unnest(%s::text[]) as b",
        texts, texts,
    )  # fmt: skip
    assert {(a, b) for a, b, is_slip in found if is_slip} == {
        (a, b) for a in texts for b in texts if b in _one_edit_away(a, "01")
    }
    kinds = query("select ops.one_edit(a, '1234') from unnest(array['1224', '1324', '134', '12934', '4321']) as a")
    assert [kind for (kind,) in kinds] == ["replaced", "transposed", "missing", "surplus", None]


def test_a_refused_row_is_proposed_for_whom_its_record_and_its_name_point_to(
    take: Take, know: Know, find: Find, tmp_path: Path
) -> None:
    for number in range(4, 8):
        know(citizen_id(number), f"某{number}")
    know(citizen_id(8), "某8", village="513401001001")
    take(write(tmp_path, MARCH, as_csv([poverty_row(number) for number in (1, 2, 3)])))
    swapped = citizen_id(4)[:15] + citizen_id(4)[16] + citizen_id(4)[15] + citizen_id(4)[17]
    ids = {
        1: _slip(citizen_id(1)),  # known by the household's number, a slip away
        2: _slip(_slip(citizen_id(2)), place=9),  # known by the number, two slips away
        3: _slip(citizen_id(3)),  # the number is the same, the name is not
        4: swapped,
        5: _old(citizen_id(5))[:9] + _old(citizen_id(5))[10:],  # an old ID that lost a digit
        6: _slip(_slip(citizen_id(6)), place=9),  # the name alone is not enough
        7: citizen_id(7) + "1",
        8: _slip(citizen_id(8)),  # of another county
    }
    rows = [poverty_row(number, 身份证号=damaged) for number, damaged in ids.items()]
    rows[2]["姓名"] = "某人"
    take(write(tmp_path, APRIL, as_csv(rows)))

    found = {each.row_no: each for each in find()}
    assert {row_no: each.citizen_id for row_no, each in found.items()} == {
        number: citizen_id(number) for number in (1, 2, 4, 5, 7)
    }
    record, name = {"same_record": 0.8}, {"same_name": 0.5}
    assert {row_no: _told(each) for row_no, each in found.items()} == {
        1: record | name | {"one_character_replaced": 0.8},
        2: record | name,
        4: name | {"one_character_transposed": 0.8},
        5: name | {"one_character_missing": 0.8},
        7: name | {"one_character_surplus": 0.8},
    }
    assert {row_no: float(each.score) for row_no, each in found.items()} == {1: 0.98, 2: 0.9, 4: 0.9, 5: 0.9, 7: 0.9}


def test_one_whom_two_people_could_be_is_proposed_for_both_at_half_the_score(
    take: Take, know: Know, find: Find, tmp_path: Path
) -> None:
    one, other = citizen_id(0), citizen_id(2)
    know(one, "某人")
    know(other, "某人")
    take(write(tmp_path, APRIL, as_csv([poverty_row(0, 姓名="某人", 身份证号=one[:17] + other[17])])))
    assert [(each.citizen_id, float(each.score), _told(each)["rivals"]) for each in find() if each.kind == "row"] == [
        (one, 0.45, 0.5), (other, 0.45, 0.5),
    ]  # fmt: skip


def test_of_an_id_that_a_spreadsheet_damaged_no_digit_is_believed(
    take: Take, know: Know, find: Find, tmp_path: Path
) -> None:
    know(citizen_id(0), "某0")
    know(citizen_id(1), "某1")
    know(citizen_id(11), "某1")
    path = tmp_path / APRIL.replace("csv", "xlsx")
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        rows = [poverty_row(number) for number in (0, 1)]
        sheet.write_row(0, 0, list(rows[0]))
        for line, row in enumerate(rows, start=1):
            sheet.write_row(line, 0, [float(row[name][:17]) if name == "身份证号" else row[name] for name in row])
    take(path)
    rows = [each for each in find() if each.kind == "row"]
    assert [(each.row_no, each.citizen_id, _told(each)) for each in rows] == [(1, citizen_id(0), {"same_name": 0.5})]


def test_pairs_that_look_like_one_person_are_proposed_and_the_listed_id_is_kept(know: Know, find: Find) -> None:
    know(citizen_id(0), "某甲", listed=False)
    know(citizen_id(2), "某甲")  # one digit apart, and the check character
    know(citizen_id(4), "某乙")
    know(citizen_id(114), "某乙", village="513431001002")
    know(citizen_id(6), "某丙")
    know(citizen_id(7), "某丙")  # of the other sex
    know(citizen_id(8), "某丁")
    know(citizen_id(10), "某丁", village="513401001001")
    know(citizen_id(12), "某戊")
    know(citizen_id(14, born="19700102"), "某戊")
    assert [(each.citizen_id, each.other_id, float(each.score), list(_told(each))) for each in find()] == [
        (
            citizen_id(2), citizen_id(0), 0.92,
            ["same_name_birth_date_sex_county", "one_character_replaced", "rare_name", "same_village"],
        ),
        (citizen_id(4), citizen_id(114), 0.7, ["same_name_birth_date_sex_county", "rare_name"]),
    ]  # fmt: skip


def _accept(installation: Settings, *proposals: Proposal) -> list[LoadResult]:
    numbers = [each.review_no for each in proposals]
    return review.accept(numbers, settings=installation, reason="seen at home")


def _undo(installation: Settings, proposal: Proposal) -> None:
    review.undo(proposal.review_no, settings=installation, reason="a mistake")


@pytest.mark.parametrize("again", [None, "refused"])
def test_an_accepted_row_is_taken_in_and_undone_without_a_trace(
    installation: Settings, take: Take, know: Know, find: Find, query: Query, tmp_path: Path, again: str | None
) -> None:
    damaged = poverty_row(1, 户状态="返贫", 身份证号=_slip(citizen_id(1)))
    take(write(tmp_path, MARCH, as_csv([poverty_row(number) for number in range(3)])))
    take(write(tmp_path, APRIL, as_csv([poverty_row(0), damaged, poverty_row(2)])))
    if again:  # the sender has not noticed, and sends the same in May
        take(write(tmp_path, MAY, as_csv([poverty_row(0), damaged, poverty_row(2, 劳动技能="弱劳动力或半劳动力")])))
    before = query(REGISTER)
    proposal = find()[0]

    (load,) = _accept(installation, proposal)
    assert (load.status, load.rows_read, load.rows_published) == ("published", 1, 1)
    own = [row for row in query(REGISTER) if row[1] == citizen_id(1)]
    assert [(status, since, until, load_id) for _, _, status, _, since, until, _, load_id, _ in own][:2] == [
        ("not_lifted", "2020-03-31", "2020-04-30", 1),
        ("returned", "2020-04-30", "2020-05-31" if again else "infinity", load.load_id),
    ]
    with pytest.raises(ReviewError, match=r"proposal \d+ is accepted"):
        _accept(installation, find()[0])

    _undo(installation, proposal)
    assert query(REGISTER) == before
    assert {each.state for each in find()} == {"open"}
    (load,) = _accept(installation, proposal)
    assert [row for row in query(REGISTER) if row[1] == citizen_id(1)] == own
    with connect(installation.database_url) as connection:
        assert [told[0] for told in decisions.history(connection, proposal)] == ["accept", "undo", "accept"]


@pytest.mark.parametrize("later", ["said", "refused"])
def test_what_a_later_list_says_of_the_record_too_is_not_undone(
    installation: Settings, take: Take, know: Know, find: Find, query: Query, tmp_path: Path, later: str
) -> None:
    damaged = poverty_row(1, 户状态="返贫", 身份证号=_slip(citizen_id(1)))
    take(write(tmp_path, MARCH, as_csv([poverty_row(number) for number in range(2)])))
    take(write(tmp_path, APRIL, as_csv([poverty_row(0), damaged])))
    before = query(REGISTER)
    proposal = find()[0]
    _accept(installation, proposal)
    in_may = damaged if later == "refused" else poverty_row(1, 户状态="返贫")
    take(write(tmp_path, MAY, as_csv([poverty_row(0), in_may])))
    if later == "said":
        with pytest.raises(ReviewError, match="has said the same of the record since"):
            _undo(installation, proposal)
        assert [each.state for each in find()] == ["accepted"]
    else:  # May's row was refused as well, so the record went on by the accepted row alone
        _undo(installation, proposal)
        assert query(REGISTER) == before


def test_a_row_of_which_its_delivery_says_something_else_is_not_accepted(
    installation: Settings, take: Take, know: Know, find: Find, query: Query, tmp_path: Path
) -> None:
    take(write(tmp_path, MARCH, as_csv([poverty_row(number) for number in range(2)])))
    twice = [
        poverty_row(0),
        poverty_row(1, 户状态="返贫"),
        poverty_row(1, 户状态="已脱贫", 身份证号=_slip(citizen_id(1))),
    ]
    take(write(tmp_path, APRIL, as_csv(twice)))
    with pytest.raises(ReviewError, match="its delivery says something else of the same record") as refusal:
        _accept(installation, *find())
    assert citizen_id(1) not in str(refusal.value)
    assert query("select count(*) from ops.identity_decision") == [(0,)]


def test_proposals_about_two_columns_of_a_row_are_taken_in_together(
    installation: Settings, take: Take, know: Know, find: Find, query: Query, tmp_path: Path
) -> None:
    row = {
        "低保证编号": "DB1", "户主姓名": "某0", "户主身份证号": citizen_id(0), "姓名": "某1", "身份证号": citizen_id(1),
        "与户主关系": "配偶", "保障类别": "A", "城乡类别": "农村", "行政区划代码": VILLAGE, "家庭人口数": "2",
        "保障人口数": "2", "家庭月人均收入": "100", "月保障金额": "300", "是否单人户": "否",
        "保障开始日期": "2019-01-01",
    }  # fmt: skip
    list_of = "minimum_allowance_513431_2020{}.csv".format
    take(write(tmp_path, list_of("0331"), as_csv([row])))
    damaged = {"户主身份证号": _slip(citizen_id(0)), "身份证号": _slip(citizen_id(1)), "月保障金额": "350"}
    take(write(tmp_path, list_of("0430"), as_csv([row | damaged])))
    (load,) = _accept(installation, *find())
    assert (load.rows_published, load.rows_quarantined) == (1, 0)
    said = "select head_citizen_id, citizen_id, monthly_amount from register.minimum_allowance where _load_id = %s"
    assert query(said, load.load_id) == [(citizen_id(0), citizen_id(1), 350)]
    _undo(installation, find()[0])
    assert query(said, load.load_id) == []
    assert {each.state for each in find()} == {"open"}


def test_joins_follow_the_decisions_through_chains_and_back(
    installation: Settings, know: Know, find: Find, query: Query
) -> None:
    for number in (0, 2, 4):
        know(citizen_id(number), "某甲")
    a, b, c = citizen_id(0), citizen_id(2), citizen_id(4)
    pairs = {frozenset((each.citizen_id, each.other_id)): each.review_no for each in find()}
    settings = {"settings": installation, "reason": "seen at home"}
    review.accept([pairs[frozenset((a, b))]], **settings)
    review.accept([pairs[frozenset((b, c))]], keep_other=True, **settings)
    assert query("select * from identity.joined_id order by 1") == [(a, c), (b, c)]
    turned, _ = review.show(pairs[frozenset((b, c))], settings=installation)
    assert (turned.citizen_id, turned.other_id) == (c, b)
    review.undo(pairs[frozenset((b, c))], **settings)
    assert query("select * from identity.joined_id") == [(b, a)]
    review.undo(pairs[frozenset((a, b))], **settings)
    assert query("select * from identity.joined_id") == []
    review.reject(pairs[frozenset((a, b))], **settings)
    with pytest.raises(ReviewError, match="is rejected"):
        review.accept([pairs[frozenset((a, b))]], **settings)
    assert len(find()) == 3


def test_a_decision_is_never_changed_and_needs_a_reason(installation: Settings, know: Know, find: Find) -> None:
    know(citizen_id(0), "某甲")
    know(citizen_id(2), "某甲")
    with pytest.raises(ReviewError, match="has a reason"):
        review.reject(find()[0].review_no, settings=installation, reason=" ")
    review.reject(find()[0].review_no, settings=installation, reason="two cousins")
    for change in ("delete from", "truncate"):
        with pytest.raises(WarehouseError), connect(installation.database_url) as connection:
            connection.execute(f"{change} ops.identity_decision")


def test_the_command_tells_ids_only_when_asked_and_faults_in_one_line(
    installation: Settings, take: Take, know: Know, find: Find, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    know(citizen_id(1), "某1")
    take(write(tmp_path, APRIL, as_csv([poverty_row(1, 身份证号=_slip(citizen_id(1)))])))
    number = str(find()[0].review_no)
    monkeypatch.setenv("DOUDI_DATABASE_URL", installation.database_url)
    monkeypatch.setenv("DOUDI_HOME", str(installation.home))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["doudi", "review", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        return ended.value.code or 0, captured.out + captured.err

    for arguments in (["list"], ["show", number]):
        code, told = call(*arguments)
        assert (code, citizen_id(1) in told, "0.90" in told, "same name" in told) == (0, False, True, True)
    assert citizen_id(1) in call("show", number, "--values")[1]
    code, told = call("accept", number, "--reason", "seen")
    assert (code, "load 2: published" in told) == (0, True)
    assert call("accept", number, "--reason", "again") == (1, f"doudi: proposal {number} is accepted\n")
    assert call("undo", number, "--reason", "not she") == (0, f"proposal {number}: open again\n")
    assert "not she" in call("show", number)[1]


@pytest.mark.parametrize("feed", ["disability", "economic_check", "education_assistance", "housing_assistance",
                                  "left_behind", "minimum_allowance", "poverty_register"])  # fmt: skip
def test_every_id_column_takes_an_old_id_for_the_new_one(
    take: Take, contracts: dict[str, Contract], query: Query, tmp_path: Path, feed: str
) -> None:
    contract = contracts[feed]
    ids = [column for column in contract.columns if column.type == "id"]
    text = {"text": "某", "money": "1", "int": "2017", "bool": "是", "date": "2019-01-01", "div": VILLAGE}
    row = {each.header: next(iter(each.codes)) if each.type == "code" else text.get(each.type, "")
           for each in contract.columns}  # fmt: skip
    row |= {column.header: _old(citizen_id(number)) for number, column in enumerate(ids)}
    take(write(tmp_path, f"{feed}_513431_20200630.csv", as_csv([row])))
    stored = query(f"select {', '.join(column.name for column in ids)} from register.{feed}")
    assert stored == [tuple(citizen_id(number) for number in range(len(ids)))]
