"""Persian sentences out of records: what a graph asserts, and the reason, in Markdown with LaTeX names."""

from __future__ import annotations

from collections.abc import Collection

from dgm.digits import persian_digits
from dgm.graphs.dag import BayesianNetwork
from dgm.graphs.imap import Comparison, EdgeRemoval
from dgm.graphs.markov import MarkovBlanket
from dgm.graphs.names import latex, latex_list
from dgm.graphs.separation import Graph, Role, Separation, Step, Trail

_WORDS = ("صفر", "یک", "دو", "سه", "چهار", "پنج", "شش")
MOST_LISTED = len(_WORDS) - 1     # more trails than this are summed up by the cut instead

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


def verdict(separation: Separation) -> str:
    """«درست» when the graph asserts the statement, else «نادرست»."""
    return "درست" if separation.separated else "نادرست"


def reason(separation: Separation, graph: Graph) -> str:
    """Why the graph does or does not assert the statement: one or two sentences, read off the witness."""
    if isinstance(graph, BayesianNetwork):
        return _blocked_trails(separation) if separation.active is None else _active_trail(separation.active)
    return _cut_paths(separation) if separation.active is None else _open_path(separation, separation.active)


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
    listed = _and([f"{what} ({nodes_text(nodes)})" for what, nodes in members if nodes])
    if not blanket.nodes:
        return f"گره ${name}$ به هیچ گره دیگری یال ندارد و پوشش مارکوف آن تهی است."
    text = f"پوشش مارکوف ${name}$ از {listed} ساخته می‌شود."
    if not blanket.outside:
        return f"{text} بیرون از این پوشش گره دیگری نمی‌ماند."
    return (f"{text} با دانستن مقدار این گره‌ها، ${name}$ از همهٔ گره‌های دیگر، یعنی "
            f"{nodes_text(blanket.outside)}، مستقل است.")


def perfect_text(comparison: Comparison) -> str:
    """Whether the Markov graph is a perfect I-map of the network, with counts and the smallest witness."""
    sizes = (f"از گزاره‌های دوتایی، {count(comparison.in_network)} گزاره در گراف بیزی "
             f"و {count(comparison.in_markov)} گزاره در گراف مارکوف برقرار است.")
    if comparison.is_perfect:
        return f"**بله.** {sizes} این دو مجموعه یکی هستند، زیرا در گراف بیزی هیچ دو والدِ نامجاوری فرزند مشترک ندارند."
    witness = comparison.witness
    assert witness is not None  # some statement differs, so there is a first one
    lost = count(len(comparison.lost))
    return (f"**خیر.** {sizes} {lost} استقلالِ گراف بیزی در گراف مارکوف از دست رفته است. "
            f"کوچک‌ترین نمونه ${witness.latex()}$ است.")


def immoralities_text(comparison: Comparison) -> str:
    """The immoralities of the network, as inline maths with commas."""
    shapes = (rf"${latex(i.first)} \rightarrow {latex(i.child)} \leftarrow {latex(i.second)}$"
              for i in comparison.immoralities)
    return "، ".join(shapes)


def removal_text(removal: EdgeRemoval) -> str:
    """Why the statement that a removed edge lets through is false in the network."""
    truth = removal.truth
    if truth is None or truth.active is None:
        return "هیچ گزارهٔ نادرستی پدید نمی‌آید؛ این یال زیادی است"
    return _active_trail(truth.active).rstrip(".")


def _and(items: list[str]) -> str:
    """Items with Persian commas, «و» before the last."""
    return " و ".join(part for part in ("، ".join(items[:-1]), items[-1] if items else "") if part)


def _collider_state(step: Step) -> str:
    if not step.passes:
        return "نه خودش و نه هیچ نواده‌ای از آن مشاهده شده است"
    if len(step.evidence) == 1:
        return "خودش مشاهده شده است"
    return f"نوادهٔ آن ${latex(step.evidence[-1])}$ مشاهده شده است"


def _because(trail: Trail) -> str:
    return f"، زیرا {'؛ '.join(step_text(step) for step in trail.steps)}" if trail.steps else ""


def _active_trail(trail: Trail) -> str:
    if not trail.steps:
        return (f"یال {trail_text(trail)} این دو را بی‌واسطه به هم پیوند می‌دهد "
                "و هیچ مشاهده‌ای آن را نمی‌بندد.")
    return f"مسیر {trail_text(trail)} فعال است{_because(trail)}."


def _blocked_trails(separation: Separation) -> str:
    sides = _sides(separation)
    blocked = separation.blocked
    if not blocked:
        return f"در گراف هیچ مسیری میان {sides} نیست."
    if len(blocked) > MOST_LISTED or not separation.complete:
        return _ancestral_cut(separation)
    if len(blocked) == 1:
        return f"تنها مسیر میان {sides}، یعنی {trail_text(blocked[0])}، {_closed(blocked[0])}."
    listed = "؛ ".join(f"مسیر {trail_text(trail)} {_closed(trail)}" for trail in blocked)
    return f"میان {sides} {_WORDS[len(blocked)]} مسیر هست و همه بسته‌اند: {listed}."


def _closed(trail: Trail) -> str:
    return f"بسته است، زیرا {step_text(trail.blockers[0])}"


def _ancestral_cut(separation: Separation) -> str:
    sides = _sides(separation)
    graph = "گراف اخلاقیِ زیرگرافِ گره‌های این گزاره و نیاکانشان"
    if not separation.cut:
        return f"همهٔ مسیرهای میان {sides} بسته‌اند، زیرا در {graph} هیچ مسیری میان این دو نیست."
    return (f"همهٔ مسیرهای میان {sides} بسته‌اند، زیرا در {graph} "
            f"هر مسیر میان این دو از {_one_of(separation.cut)} می‌گذرد.")


def _open_path(separation: Separation, path: Trail) -> str:
    if not path.steps:
        return f"یال {trail_text(path)} این دو را بی‌واسطه به هم پیوند می‌دهد."
    if not separation.statement.given:
        return f"هیچ گرهی مشاهده نشده است و مسیر {trail_text(path)} این دو را به هم پیوند می‌دهد."
    given = nodes_text(separation.statement.given)
    return f"مسیر {trail_text(path)} باز است، زیرا از هیچ گره مشاهده‌شده‌ای ({given}) نمی‌گذرد."


def _cut_paths(separation: Separation) -> str:
    sides = _sides(separation)
    if not separation.cut:
        return f"در گراف هیچ مسیری میان {sides} نیست."
    example = min(separation.blocked, key=lambda trail: len(trail.nodes))
    at = f"${latex(example.blockers[0].node)}$"
    return (f"هر مسیر میان {sides} از {_one_of(separation.cut)} می‌گذرد، که مشاهده شده است؛ "
            f"برای نمونه مسیر {trail_text(example)} در {at} بسته می‌شود.")


def _one_of(cut: tuple[str, ...]) -> str:
    return nodes_text(cut) if len(cut) == 1 else f"دست‌کم یکی از گره‌های {nodes_text(cut)}"


def _sides(separation: Separation) -> str:
    return f"{nodes_text(separation.statement.x)} و {nodes_text(separation.statement.y)}"
