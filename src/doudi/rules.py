"""The rules by which a row is refused, and what is said of each in English and Chinese.

A suite's rules say it themselves; these are the contract's and those of a line that cannot be read.
"""

# The heading under which a row that was sent back, and comes again, carries its number.
RETURN_NUMBER = "退回编号"

REASONS: dict[str, tuple[str, str]] = {
    "required": ("is missing", "必填项为空"),
    "citizen_id.length": (
        "is not 18 (or 15) characters long; a number that a spreadsheet rounded has lost digits",
        "长度不是18位（或15位）；表格软件转成数字的证号已丢失末尾数字",
    ),
    "citizen_id.characters": ("holds characters that no citizen ID has", "含有身份证号不应有的字符"),
    "citizen_id.birth_date": (
        "has a birth date that is no day, lies ahead or before 1900",
        "出生日期不存在、晚于今天或早于1900年",
    ),
    "citizen_id.check_character": ("does not agree with its check character", "校验码不符"),
    "type.date": ("is no date", "不是有效日期"),
    "type.money": ("is no amount in yuan with up to two decimals", "不是有效金额（元，最多两位小数）"),
    "type.int": ("is no whole number", "不是整数"),
    "type.bool": ("is neither yes nor no", "不是“是”或“否”"),
    "type.div": ("is no division code of 12 digits", "不是12位行政区划代码"),
    "code": ("is none of the values of the contract", "不在约定的取值范围内"),
    "minimum": ("is below the least value", "小于最小值"),
    "duplicate_key": ("repeats the key of an earlier row of the file", "与本文件前面一行的主键重复"),
    "erased": (
        "is of somebody whose data were erased on the delivery's day or later",
        "该人员信息已依法删除，删除日及以前的数据不再接收",
    ),
    "line.columns": ("has more or fewer fields than the header", "列数与表头不一致"),
    "line.quote": ("has a quotation mark that is not closed", "引号没有成对"),
    "line.encoding": ("holds bytes that are no text", "含有无法识别的字节"),
    "line.nul": ("holds a NUL byte", "含有空字节（NUL）"),
    "line.json": ("is no JSON object", "不是有效的JSON对象"),
    "line.keys": ("is an object that has a key twice", "JSON对象中有重复的键"),
    "cell.number": (
        "came as a number of more than 15 digits, of which a spreadsheet loses the last; format the column as text",
        "以数字形式填写且超过15位，表格软件已丢失末尾数字；请将该列设为文本格式后重填",
    ),
    "cell.error": ("holds the error of a formula", "单元格为公式错误值"),
}


def reason(rule: str, *, header: str | None = None, column: str | None = None) -> str:
    """One sentence in both languages that names the column and never a value."""
    english, chinese = REASONS[rule]
    subject_en, subject_zh = (column, header) if column else ("the row", "该行")
    if rule.startswith("line."):
        subject_en, subject_zh = "the line", "该行"
    return f"{subject_zh}：{chinese}。{subject_en} {english}."
