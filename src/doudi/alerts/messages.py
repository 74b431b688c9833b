"""The words of an alert: what happened, where to look, what to run; in Chinese, then in English."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from doudi.alerts.troubles import FAILURE, LATE, OVERDUE, REFUSED, Trouble

_MOST_LINES = 20
_TITLES = {
    FAILURE: ("夜间任务有 {n} 处故障", "{n} failures in the night's tasks"),
    REFUSED: ("{n} 批报送未能入库", "{n} deliveries refused"),
    LATE: ("{n} 项数据逾期未报", "{n} late feeds"),
    OVERDUE: ("{n} 条红色预警逾期未核实", "{n} overdue red warnings"),
}
_WHERE = {
    FAILURE: ("Airflow 中该任务的日志；doudi status", "the task's log in Airflow; doudi status"),
    REFUSED: ("doudi status（退回原因）；数据健康页", "doudi status (why it was refused); the data health page"),
    LATE: ("数据健康页；doudi status", "the data health page; doudi status"),
    OVERDUE: ("入户走访清单 marts.visit_list；数据健康页", "the visit lists, marts.visit_list; the data health page"),
}
_RUN = {
    FAILURE: (
        "排除故障后，在 Airflow 中清除（clear）该任务重跑，已完成的工作不会重复。",
        "Mend the cause and clear the task in Airflow; what is done already is not done twice.",
    ),
    REFUSED: (
        "请报送部门改正后重新报送，放入收件目录，再运行 doudi land <文件> 或该数据的 DAG。",
        "Ask the department for a corrected file, put it into the inbox, and run doudi land <file> or the feed's DAG.",
    ),
    LATE: (
        "请报送部门补报；数据源由本系统拉取的，先运行 doudi fetch <数据> 检查连接。",
        "Ask the department for it; where it is pulled from a source, doudi fetch <feed> tries the connection.",
    ),
    OVERDUE: (
        "请牵头部门督促核实，并将走访结果报回；doudi explain <预警编号> 说明预警原因。",
        "Ask the lead department to visit and to send the findings back; doudi explain <warning_id> says why.",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Message:
    """One alert. ``text`` has several lines; ``html`` is the same for mail programs."""

    title: str
    text: str

    @property
    def html(self) -> str:
        return f'<pre style="font: 14px/1.5 sans-serif; white-space: pre-wrap">{escape(self.text)}</pre>'


def compose(kind: str, fresh: Sequence[Trouble], *, standing: int, places: Sequence[str] = ()) -> Message:
    """One message about all that is new of a kind. ``standing`` is how much there is in all, told before or not;
    ``places`` are addresses of pages, such as Airflow's."""
    count = sum(trouble.level for trouble in fresh) if kind == OVERDUE else len(fresh)
    zh, en = (title.format(n=count) for title in _TITLES[kind])
    anchor = f"docs/operations.md#alert-{kind.replace('_', '-')}"
    looks = [f"  {place}" for place in places]
    chinese = [
        f"发生了什么：{zh}",
        *_lines([trouble.zh for trouble in fresh], more="……另有 {n} 项"),
        *([f"  （另有 {standing - len(fresh)} 项此前已告知，尚未解决）"] if standing > len(fresh) else []),
        f"到哪里看：{_WHERE[kind][0]}",
        *looks,
        f"怎么处理：{_RUN[kind][0]}",
        f"处置手册：{anchor}",
    ]
    english = [
        f"What happened: {en}",
        *_lines([trouble.en for trouble in fresh], more="… and {n} more"),
        *([f"  ({standing - len(fresh)} more were told before and still stand)"] if standing > len(fresh) else []),
        f"Where to look: {_WHERE[kind][1]}",
        *looks,
        f"What to run: {_RUN[kind][1]}",
        f"Handbook: {anchor}",
    ]
    return Message(title=f"兜底：{zh} | Doudi: {en}", text="\n".join([*chinese, "", *english, ""]))


def _lines(told: Sequence[str], *, more: str) -> list[str]:
    rest = len(told) - _MOST_LINES
    return [f"  - {line}" for line in told[:_MOST_LINES]] + ([f"  - {more.format(n=rest)}"] if rest > 0 else [])
