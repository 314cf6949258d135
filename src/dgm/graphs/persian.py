"""Persian sentences about trails and nodes, in Markdown with LaTeX names: what the records explain themselves with."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from dgm.digits import persian_digits
from dgm.graphs.dag import DAG
from dgm.graphs.markov import MarkovBlanket
from dgm.graphs.names import latex, latex_list
from dgm.graphs.statement import Statement
from dgm.graphs.trail import Graph, Role, Step, Trail

_WORDS = ("صفر", "یک", "دو", "سه", "چهار", "پنج", "شش")
MOST_LISTED = len(_WORDS) - 1     # more trails than this are summed up by where they are stopped instead
MOST_NAMED = 12                   # nodes of a barrier; the record has them all

_SIGNS = {"→": r"\rightarrow", "←": r"\leftarrow", "—": "-"}


def count(n: int) -> str:
    """A whole number in Persian digits.

    >>> count(1024)
    '۱٬۰۲۴'
    """
    return persian_digits(f"{n:,}")


def nodes_text(nodes: Collection[str]) -> str:
    """Nodes as inline maths: one by its name, several as a set."""
    if not nodes:
        return r"$\varnothing$"
    return f"${latex_list(nodes)}$" if len(nodes) == 1 else rf"$\{{{latex_list(nodes)}\}}$"


def trail_text(trail: Trail) -> str:
    r"""A trail as inline maths, such as ``$O \rightarrow T \leftarrow A$``."""
    rest = (f" {_SIGNS[s]} {latex(v)}" for s, v in zip(trail.signs, trail.nodes[1:], strict=True))
    return f"${latex(trail.nodes[0])}{''.join(rest)}$"


def kind_text(graph: Graph) -> str:
    """What kind of graph it is."""
    return "گراف بیزی" if isinstance(graph, DAG) else "گراف مارکوف"


def verdict(holds: bool) -> str:
    """«درست» or «نادرست»."""
    return "درست" if holds else "نادرست"


def and_text(items: Sequence[str]) -> str:
    """Items with Persian commas, «و» before the last."""
    return " و ".join(part for part in ("، ".join(items[:-1]), items[-1] if items else "") if part)


def step_text(step: Step) -> str:
    """The state of one inner node of a trail."""
    name = f"${latex(step.node)}$"
    if step.role is Role.COLLIDER:
        return f"{name} برخوردکننده است و {_collider_state(step)}"
    kind = {Role.CHAIN: "میانهٔ زنجیره", Role.FORK: "انشعاب", Role.LINK: "گره میانی"}[step.role]
    return f"{name} {kind} است و مشاهده {'نشده' if step.passes else 'شده'} است"


def blanket_text(blanket: MarkovBlanket) -> str:
    """The Markov blanket and the part each of its nodes plays."""
    name = latex(blanket.node)
    members = [("والدها", blanket.parents), ("فرزندها", blanket.children),
               ("والدهای دیگرِ فرزندها", blanket.coparents)]
    listed = and_text([f"{what} ({nodes_text(nodes)})" for what, nodes in members if nodes])
    if not blanket.nodes:
        return f"گره ${name}$ به هیچ گره دیگری یال ندارد و پوشش مارکوف آن تهی است."
    text = f"پوشش مارکوف ${name}$ از {listed} ساخته می‌شود."
    if not blanket.outside:
        return f"{text} بیرون از این پوشش گره دیگری نمی‌ماند."
    return (f"{text} با دانستن مقدار این گره‌ها، ${name}$ از همهٔ گره‌های دیگر، یعنی "
            f"{nodes_text(blanket.outside)}، مستقل است.")


def active_text(trail: Trail, statement: Statement) -> str:
    """Why an active trail, or an open path, joins its two ends."""
    directed = "—" not in trail.signs
    if not trail.steps:
        never = " و هیچ مشاهده‌ای آن را نمی‌بندد" if directed else ""
        return f"یال {trail_text(trail)} این دو را بی‌واسطه به هم پیوند می‌دهد{never}."
    if directed:
        return f"مسیر {trail_text(trail)} فعال است، زیرا {'؛ '.join(step_text(step) for step in trail.steps)}."
    if not statement.given:
        return f"هیچ گرهی مشاهده نشده است و مسیر {trail_text(trail)} این دو را به هم پیوند می‌دهد."
    given = nodes_text(statement.given)
    return f"مسیر {trail_text(trail)} باز است، زیرا از هیچ گره مشاهده‌شده‌ای ({given}) نمی‌گذرد."


def apart_text(statement: Statement) -> str:
    """There is no trail at all."""
    return f"در گراف هیچ مسیری میان {_sides(statement)} نیست."


def blocked_text(statement: Statement, trails: Sequence[Trail]) -> str:
    """Every trail of a DAG with the first node that stops it; at most ``MOST_LISTED`` trails."""
    sides = _sides(statement)
    if len(trails) == 1:
        return f"تنها مسیر میان {sides}، یعنی {trail_text(trails[0])}، {_closed(trails[0])}."
    listed = "؛ ".join(f"مسیر {trail_text(trail)} {_closed(trail)}" for trail in trails)
    return f"میان {sides} {_WORDS[len(trails)]} مسیر هست و همه بسته‌اند: {listed}."


def barriers_text(statement: Statement, barriers: Sequence[Step]) -> str:
    """Where the trails of a DAG are stopped, when they are too many to be listed."""
    colliders = [step.node for step in barriers if step.role is Role.COLLIDER]
    others = list(dict.fromkeys(step.node for step in barriers if step.role is not Role.COLLIDER))
    places = [f"در {_one_of(others)}، که مشاهده شده است و روی مسیر برخوردکننده نیست" if others else "",
              f"در {_one_of(colliders)}، که روی مسیر برخوردکننده است و نه خودش و نه هیچ نواده‌ای از آن مشاهده شده است"
              if colliders else ""]
    return f"همهٔ مسیرهای میان {_sides(statement)} بسته‌اند: هر یک {'، یا '.join(filter(None, places))}."


def cut_text(statement: Statement, barriers: Sequence[Step], example: Trail) -> str:
    """The nodes that every path of a Markov graph passes through, and one path stopped there."""
    cut, at = _one_of([step.node for step in barriers]), f"${latex(example.blockers[0].node)}$"
    return (f"هر مسیر میان {_sides(statement)} از {cut} می‌گذرد، که مشاهده شده است؛ "
            f"برای نمونه مسیر {trail_text(example)} در {at} بسته می‌شود.")


def _one_of(nodes: Sequence[str]) -> str:
    if len(nodes) == 1:
        return nodes_text(nodes)
    dots = r", \dots" if len(nodes) > MOST_NAMED else ""
    return rf"دست‌کم یکی از گره‌های $\{{{latex_list(nodes[:MOST_NAMED])}{dots}\}}$"


def _collider_state(step: Step) -> str:
    if not step.passes:
        return "نه خودش و نه هیچ نواده‌ای از آن مشاهده شده است"
    if step.observed == step.node:
        return "خودش مشاهده شده است"
    return f"نوادهٔ آن ${latex(step.observed or '')}$ مشاهده شده است"


def _closed(trail: Trail) -> str:
    return f"بسته است، زیرا {step_text(trail.blockers[0])}"


def _sides(statement: Statement) -> str:
    return f"{nodes_text(statement.x)} و {nodes_text(statement.y)}"
