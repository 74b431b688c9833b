"""A clean list of poor households as a department would send it: GB18030, one row per member, nothing to refuse.

Written by Postgres itself, so that 5 million rows take seconds. Everybody is made up: the citizen IDs begin with 990001
to 990999, which no area has.
"""

from pathlib import Path

import psycopg

AREA = "513431"
MOST_ROWS = 25_000_000  # citizen IDs are unique up to here: 999 areas, 29,000 birth dates
_COLUMNS = (
    "户编号", "人编号", "姓名", "身份证号", "行政区划代码", "与户主关系", "户状态", "家庭年人均纯收入",
    "主要致贫原因", "劳动技能", "健康状况", "是否外出务工", "脱贫年度",
)  # fmt: skip


def write_list(connection: psycopg.Connection, path: Path, *, rows: int, changed_percent: int = 0) -> None:
    """Write ``rows`` members of households, four to each; the income of ``changed_percent`` of them is another.

    The same ``rows`` and ``changed_percent`` give the same file. Raises ValueError above ``MOST_ROWS``.
    """
    if rows > MOST_ROWS:
        raise ValueError(f"there are citizen IDs for {MOST_ROWS} rows only")
    command = f"copy ({_rows(rows, changed_percent)}) to stdout (format csv, encoding 'GB18030')"
    with path.open("wb") as file, connection.cursor() as cursor, cursor.copy(command) as copy:
        file.write((",".join(_COLUMNS) + "\n").encode("gb18030"))
        for piece in copy:
            file.write(piece)


def write_empty_list(path: Path) -> None:
    """Write a list of which the manifest says that it has no rows, so that it is taken in like any other."""
    path.write_bytes((",".join(_COLUMNS) + "\n").encode("gb18030"))
    path.with_name(path.name + ".manifest.json").write_text('{"rows": 0}')


def _rows(rows: int, changed_percent: int) -> str:
    return f"""
        with person as (
            select
                no, no / 4 as household, no % 4 as place,
                (990001 + no % 999)::text
                    || to_char(date '1938-01-01' + (no / 999 * 7919 % 29000)::integer, 'YYYYMMDD')
                    || lpad((no % 497)::text, 3, '0') as seventeen
            from generate_series(0::bigint, {rows} - 1) as no
        )

        select
            'H' || lpad(household::text, 10, '0'),
            'P' || lpad(no::text, 11, '0'),
            substr('王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗', 1 + (household % 20)::integer, 1)
                || substr('伟芳娜敏静秀丽强磊军洋勇艳杰娟涛明超兰霞', 1 + (no % 20)::integer, 1)
                || substr('平刚桂英华玉红建文辉力永志国春梅海东雪宁', 1 + (no / 20 % 20)::integer, 1),
            seventeen || ops.citizen_id_check_character(seventeen::bigint),
            '{AREA}' || lpad((1 + household % 60)::text, 3, '0') || lpad((200 + household % 17)::text, 3, '0'),
            (array['本人', '配偶', '子女', '父母'])[1 + place],
            case when household % 3 = 0 then '未脱贫' else '已脱贫' end,
            (2000 + household % 9000 + case when no % 100 < {changed_percent} then 1 else 0 end)::text || '.50',
            (array['因病', '因残', '缺劳动力', '缺资金', '因学'])[1 + household % 5],
            (array['普通劳动力', '技能劳动力', '弱劳动力或半劳动力', '丧失劳动力'])[1 + place],
            (array['健康', '长期慢性病', '残疾', '健康'])[1 + (no % 4)],
            case when place = 0 and household % 2 = 0 then '是' else '否' end,
            case when household % 3 = 0 then '' else (2014 + household % 7)::text end
        from person
    """
