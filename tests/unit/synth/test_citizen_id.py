"""Made-up citizen IDs: right in form, of nobody, and never twice."""

from datetime import date

import pytest
from unit.synth.reading import check

from doudi.synth import citizen_id

BIRTH = date(1985, 3, 14)


def test_check_character_of_the_standards_test_value() -> None:
    assert citizen_id.check_character("11010519491231002") == "X"


def test_ids_are_right_in_form_and_of_no_area() -> None:
    for ordinal in range(0, citizen_id.CAPACITY, 149_993):
        number, birth = citizen_id.compose(ordinal, birth=BIRTH, male=ordinal % 2 == 0)
        assert 990001 <= int(number[:6]) <= 990999
        assert number[6:14] == f"{birth:%Y%m%d}"
        assert 0 <= (BIRTH - birth).days <= 30
        assert int(number[16]) % 2 == (ordinal + 1) % 2
        assert number[17] == check(number[:17])


def test_persons_born_on_one_day_have_different_ids() -> None:
    ordinals = [*range(3000), *range(citizen_id.CAPACITY - 3000, citizen_id.CAPACITY)]
    rounds = range(0, citizen_id.CAPACITY, citizen_id.CAPACITY // 31)  # these share area and sequence
    numbers = {citizen_id.compose(ordinal, birth=BIRTH, male=True)[0] for ordinal in {*ordinals, *rounds}}
    assert len(numbers) == len({*ordinals, *rounds})


def test_more_persons_than_ids_are_refused() -> None:
    with pytest.raises(ValueError, match="citizen IDs"):
        citizen_id.compose(citizen_id.CAPACITY, birth=BIRTH, male=True)


def test_the_short_form_is_of_people_born_before_2000() -> None:
    assert citizen_id.can_be_short("99000119850314101X")
    assert citizen_id.short("99000119850314101X") == "990001850314101"
    assert not citizen_id.can_be_short("990001200003141011")
