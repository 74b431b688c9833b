"""What a visit workbook says to the people who fill it in, and what its sheets are called."""

import re
from collections.abc import Iterable

GUIDE_SHEET = "填写说明"
NOTE = "数据日期 {as_of} · 共 {households} 户 · 只填黄色单元格；还没有走访的户请留空 · 含个人信息，请妥善保管"
GUIDE = """\
入户走访清单填写说明
1. 每个村一张工作表，每户一行，按紧急程度排列。同一户的几项预警合在一行，入户一次、填写一次。
2. 只填黄色单元格。“走访日期”“走访人”“核实结果”三项必填，其余按实际情况填写；还没有走访的户请留空。
3. “核实结果”从下拉列表中选择：属实（情况确实存在）；不属实（情况不存在，预警关闭）；已解决（情况曾经存在，已经办好）；\
需转介（由其他部门办理，请同时选择“转介部门”）。
4. 一行的核实结果对该户所列全部预警有效。某一项预警的结果不同时，请在表格下方的空白行另填一行：把这一项的“预警编号”\
抄过去，填写它的走访日期、走访人和核实结果。
5. 预警编号是结果对应预警的依据，请不要改动；表头和工作表名称也请保持不变。
6. 填好后按原文件名保存并发回，Excel、WPS 均可，.xlsx、.xls 格式都可以。可以分几次发回：补填或改正后把整个文件再\
发一次，以最后一次为准。
7. 本清单含个人信息，只用于入户走访和救助帮扶，请妥善保管，不得转发无关人员，用后按规定销毁。
"""
SPARE_HINT = "某一项预警的核实结果与同户其他预警不同时，把它的编号抄在这里，并在右侧填写。"
HINTS = {
    "visited_on": "入户当天的日期，如 2020-7-3。",
    "visitor": "入户人员姓名。",
    "finding": "从列表中选择。对本行所列全部预警有效。",
    "refer_to": "核实结果为“需转介”时选择。",
    "measure": "已经落实或商定的帮扶措施。",
    "remark": "其他需要说明的情况。",
}

_TITLE_CHARACTERS = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\x00-\x1f]")
_COMMITTEE = re.compile(r"(?<=村)村民委员会$|(?<=社区)居民委员会$|(?:村民|居民)委员会$")


def short_name(name: str) -> str:
    """A village's name as people say it, without its committee."""
    return _COMMITTEE.sub("", name)


class Titles:
    """Names of sheets that no other sheet of the book has and every spreadsheet program takes."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._taken = {title.lower() for title in taken} | {"history"}  # which Excel keeps for itself

    def of(self, name: str, code: str) -> str:
        """A village's title: its short name, with the code behind it where another has that name."""
        short = _FORBIDDEN.sub(" ", short_name(name)).strip("' ") or code
        title = short[:_TITLE_CHARACTERS].strip("' ")
        if title.lower() in self._taken:
            title = f"{short[: _TITLE_CHARACTERS - len(code) - 1]} {code}"
        self._taken.add(title.lower())
        return title
