"""Names of Yi and Han people, some with characters that only GB18030 can write."""

from random import Random

MIDDLE_DOT = "·"  # canonical; each department writes its own form of it


def _twos(text: str) -> tuple[str, ...]:
    return tuple(text[place : place + 2] for place in range(0, len(text), 2))


_YI_CLANS = _twos(
    "阿尔吉克沙马阿苦吉木勒伍阿侯马海俄木曲比瓦渣海来阿子的日井古吉伍莫色"
    "黑惹苏呷八且尔古布约吉狄罗洪果基甲巴恩扎依火俄底莫洛阿说惹几"
)
_YI_FIRST = "木拉日子伍约克达史曲沙古你友布石热吉阿尔"
_YI_MALE = "呷且哈布古合乃惹黑铁体日果伙一支夫坡土都"
_YI_FEMALE = "莫嫫作各西扎洛加牛枝依果合呷秀"
_HAN_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯邓曹彭"
_HAN_MALE = "伟强军勇杰涛明超刚平辉鹏建国志文德华永林海云龙贵福光春学成兵"
_HAN_FEMALE = "芳娜敏静丽艳娟霞秀英玉兰桂珍琼梅莉萍红燕凤洁琳莲素会群蓉菊淑"
_RARE = "䶮𠮷㛃𬸣㐂"
_RESERVED_SURNAMES = _twos("欧阳司马上官诸葛夏侯皇甫尉迟公孙")
_RESERVED_GIVEN = "安𠮷邦宝昌达恩芳富刚贵和恒宏怀吉嘉建杰锦景静军康克兰乐礼良亮林"


def pick(rng: Random, options):
    """One of a sequence; several times faster than Random.choice, which matters here."""
    return options[int(rng.random() * len(options))]


class Namer:
    """Names the members of one family: a shared clan or surname, no two members alike."""

    def __init__(self, rng: Random, *, yi: bool) -> None:
        self._rng = rng
        self._yi = yi
        self._shared = pick(rng, _YI_CLANS if yi else _HAN_SURNAMES)
        self._used: list[str] = []

    def name(self, *, male: bool, born_here: bool) -> str:
        """``born_here`` members carry the family's clan or surname, those who married in their own."""
        while True:
            name = self._draw(male, self._shared if born_here else None)
            if name not in self._used:
                self._used.append(name)
                return name

    def _draw(self, male: bool, shared: str | None) -> str:
        rng = self._rng
        if self._yi:
            clan = shared or pick(rng, _YI_CLANS)
            return clan + MIDDLE_DOT + pick(rng, _YI_FIRST) + pick(rng, _YI_MALE if male else _YI_FEMALE)
        given = _HAN_MALE if male else _HAN_FEMALE
        chance = rng.random()
        first = pick(rng, _RARE) if chance < 0.02 else pick(rng, given)
        return (shared or pick(rng, _HAN_SURNAMES)) + first + (pick(rng, given) if chance < 0.7 else "")


class UniqueNames:
    """Names that nobody else has, for people who can only be recognised by their name."""

    def __init__(self) -> None:
        self._given = 0

    def next(self) -> str:
        number, surname = divmod(self._given, len(_RESERVED_SURNAMES))
        self._given += 1
        syllables = ""
        while number or len(syllables) < 2:
            number, digit = divmod(number, len(_RESERVED_GIVEN))
            syllables += _RESERVED_GIVEN[digit]
        return _RESERVED_SURNAMES[surname] + syllables
