# %% [markdown]
r"""
# مدل‌های گرافی احتمالی {#sec-pgm}

در این فصل به چهار پرسش نخست بخش اول پاسخ می‌دهیم.
هیچ‌یک از پاسخ‌های درست و نادرست زیر با دست نوشته نشده است:
هر پاسخ، همراه با دلیل و شکل، از روی گرافی محاسبه می‌شود که در `report/graphs.toml` آمده است.
اگر گراف دیگری در آن فایل نوشته شود، پاسخ‌ها و دلیل‌ها هم عوض می‌شوند.

کنار شمارهٔ هر معادلهٔ این گزارش نشانی هست که می‌گوید آن معادله چگونه بررسی شده است:
$\checkmark$ یعنی اثبات نمادین، $\approx$ یعنی آزمون روی مدل‌های تصادفی یا شمارش، و $\circ$ یعنی تعریف، فرض یا قضیه‌ای که نقل شده است؛
شرح نشان‌ها و شمار آن‌ها در @sec-ledger آمده است.

دو نماد در سراسر فصل به کار می‌رود.
$X\perp Y\mid Z$ یعنی $X$ و $Y$ به شرط دانستن $Z$ مستقل‌اند (conditional independence).
همچنین $\mathcal I(G)$ مجموعهٔ همهٔ استقلال‌هایی است که گراف $G$ بیان می‌کند.
"""

# %% tags=["parameters"]
graphs: "Path" = "report/graphs.toml"
models: int = 200
seed: int = 0

# %%
import numpy as np

from dgm.calculus.checking.ledger import entries, measure, survey
from dgm.graphs import persian, tables
from dgm.graphs.chain_rule import joint_and_product
from dgm.graphs.draw import draw, draw_separation
from dgm.graphs.imap import immoralities, independencies, is_minimal_i_map, is_perfect_map
from dgm.graphs.load import load_graphs
from dgm.graphs.markov import markov_blanket, marriages, moral_graph
from dgm.graphs.moralization import reprove
from dgm.graphs.names import latex
from dgm.graphs.panels import panels
from dgm.graphs.separation import answer, d_separation
from dgm.graphs.small import census_of_dags, census_of_markov_graphs
from dgm.graphs.statement import pair_statements
from gozaresh.author import Table, checks, fa, markdown

sheet = load_graphs(graphs)


def titled(name, assumed):
    """نام یک گراف، که اگر فرض ما باشد همین را می‌گوید."""
    return f"{name} فرضی" if assumed else name


def answered(graph, statements):
    """پاسخ هر گزاره، که الگوریتم دوم هم آن را دوباره اثبات کرده است."""
    return [reprove(answer(graph, statement)) for statement in statements]


def answers(found):
    """یک سطر جدول برای هر گزاره: پاسخ، الگوریتم دوم، و بزرگ‌ترین وابستگی در مدل‌های تصادفی."""
    rows = []
    for number, separated in enumerate(found, 1):
        tried = tables.trial(separated.graph, separated.statement, models, seed)
        size = np.format_float_positional(tried.largest, precision=2, fractional=False)
        if tried.refuted is separated.holds:
            raise AssertionError(f"{separated.statement}: the numbers contradict the graph")
        rows.append([fa(number), f"${separated.statement.latex()}$", persian.verdict(separated.holds),
                     "همان پاسخ" if separated.reproved else "—",
                     f"{fa(size)} (مدل {fa(tried.model)})" if tried.refuted else "صفر"])
    return rows


def reasons(found):
    """دلیل هر پاسخ، به همان ترتیب جدول."""
    return "\n".join(f"{number}. ${separated.statement.latex()}$ **{persian.verdict(separated.holds)}** است. "
                     f"{same_as(separated.statement)}{separated.explain()}" for number, separated in enumerate(found, 1))


def same_as(statement):
    """برابری دو احتمال شرطی به زبان استقلال."""
    return f"این برابری همان ${statement.latex_perp()}$ است. " if statement.as_probabilities else ""


def pictures(found, columns, across=False):
    """گراف هر پاسخ، با شمارهٔ گزاره در بالای آن."""
    return panels([draw_separation(separated, title=f"({fa(number)})", across=across)
                   for number, separated in enumerate(found, 1)], columns)


def in_lines(formula, sign, many):
    """حاصل‌ضربی بلند، با چند عامل در هر سطر."""
    joint, _, product = formula.partition(f" {sign} ")
    factors = product.split(r"\, ")
    lines = [r"\, ".join(factors[k : k + many]) for k in range(0, len(factors), many)]
    right = r" \\ &\quad\times ".join(lines)
    return rf"\begin{{aligned}} {joint} &{sign} {right}. \end{{aligned}}"


def spoken(found):
    """پاسخ‌ها برای متن جایگزین شکل."""
    return "؛ ".join(f"گزارهٔ {fa(number)}، {separated.statement}، {persian.verdict(separated.holds)}"
                     + (f" با مسیر فعال {separated.active}" if separated.active else "") for number, separated in enumerate(found, 1))


# %% [markdown]
r"""
## اتاق سرور {#sec-pgm-1}

### شبکهٔ بیزی

متغیرهای دودویی پرسش در @tbl-room-variables آمده‌اند.
متن پرسش چهار رابطهٔ علّی می‌دهد: باز ماندن در و نقص تهویه هر یک می‌توانند دما را بالا ببرند، بالا رفتن دما پیامی متنی می‌فرستد، و باز ماندن در آژیر را به صدا درمی‌آورد.
از علت به معلول یال می‌کشیم و به شبکهٔ بیزی (Bayesian network) @fig-room می‌رسیم.
میان $O$ و $A$ یالی نیست، زیرا متن هیچ پیوندی میان باز ماندن در و نقص تهویه نمی‌شناسد.
"""

# %%
#| label: tbl-room-variables
#| tbl-cap: متغیرهای دودویی مسئلهٔ اتاق سرور و والدهای هر یک در شبکه
Table(["متغیر", "معنا", "والدها"],
      [[f"${latex(node)}$", sheet.meanings.get(node, "—"), persian.nodes_text(sheet.room.parents(node))]
       for node in sheet.room.nodes], "clc")

# %%
#| label: fig-room
#| fig-cap: شبکهٔ بیزی اتاق سرور
#| fig-alt: 'گراف جهت‌دار با یال‌های `{python} "، ".join(f"{u} به {v}" for u, v in sheet.room.edges)`'
draw(sheet.room)

# %% [markdown]
r"""
### توزیع توأم

بنا بر قاعدهٔ زنجیره‌ای شبکه‌های بیزی، توزیع توأم حاصل‌ضرب توزیع هر متغیر به شرط والدهایش است [@koller2009]:
"""

# %%
full = 2 ** len(sheet.room.nodes) - 1
markdown(f"$${sheet.room.factorization()}.$$ {{#eq-room-joint}}\n\n"
         f"فاکتورهای @eq-room-joint روی هم {fa(tables.free_parameters(sheet.room))} پارامتر آزاد دارند، "
         f"در حالی که جدول توأم بی‌هیچ فرضی {fa(full)} پارامتر آزاد دارد.")

# %% [markdown]
r"""
### درستی چهار گزاره

معیار ما جداسازی جهت‌دار (d-separation) است [@pearl1988; @geiger1990]:
یک مسیر با دانستن $Z$ بسته است اگر گرهی در آن باشد که یا زنجیره یا انشعاب است و در $Z$ هست، یا برخوردکننده (collider) است و نه خودش و نه هیچ نواده‌ای از آن در $Z$ نیست.
اگر همهٔ مسیرها بسته باشند استقلال برقرار است و اگر دست‌کم یک مسیر فعال باشد گراف استقلال را بیان نمی‌کند.

پاسخ‌ها در @tbl-room-answers آمده‌اند و دلیل هر یک پس از جدول.
ستون آخر بررسی جداگانه‌ای است: `{python} models` مدل تصادفی با همین ساختار ساخته‌ایم و اطلاعات متقابل شرطی (conditional mutual information) دو طرف هر گزاره را از جدول توأم دقیق آن‌ها حساب کرده‌ایم.
برای گزارهٔ درست این عدد باید در همهٔ مدل‌ها صفر باشد (کمتر از خطای گرد کردن)، و یک مدل با عدد مثبت برای رد گزاره بس است.
شمارهٔ آن مدل هم آمده است: مدل شمارهٔ $m$ با دانهٔ دوتایی (`{python} seed`، $m$) از نو ساخته می‌شود و عدد جدول را بازمی‌دهد.
هر پاسخ را الگوریتم دیگری هم دوباره اثبات کرده است که هیچ مسیری را دنبال نمی‌کند: جدا شدن دو طرف در گراف اخلاقیِ نیاکان گره‌های گزاره [@lauritzen1996].
"""

# %%
room_found = answered(sheet.room, sheet.room_statements)

# %%
#| label: tbl-room-answers
#| tbl-cap: 'پاسخ چهار گزارهٔ اتاق سرور؛ ستون آخر بزرگ‌ترین اطلاعات متقابل شرطی در `{python} models` مدل تصادفی است.'
Table(["شماره", "گزاره", "پاسخ", "الگوریتم دوم", "بزرگ‌ترین وابستگی (نات)"], answers(room_found), "ccccc")

# %%
markdown(reasons(room_found))

# %% [markdown]
r"""
@fig-room-answers همین دلیل‌ها را روی گراف نشان می‌دهد: جایی که گزاره نادرست است مسیر فعال پیداست و جایی که درست است گرهی که مسیر را می‌بندد.
"""

# %%
#| label: fig-room-answers
#| fig-cap: 'پاسخ چهار گزاره روی گراف. دورِ ضخیم: دو طرف گزاره؛ خاکستری: مشاهده‌شده؛ سرخ و ضخیم: مسیر فعال؛ دورِ دوتایی: برخوردکنندهٔ فعال و نقطه‌چین راه آن تا نوادهٔ مشاهده‌شده؛ خط‌چین خاکستری: مسیر بسته و هشت‌ضلعی گرهی که آن را می‌بندد.'
#| fig-alt: 'چهار گراف کنار هم. `{python} spoken(room_found)`'
#| fig-width: 98%
pictures(room_found, 4)

# %% [markdown]
r"""
نکتهٔ آموزندهٔ این پرسش تفاوت گزارهٔ نخست و دوم است: مشاهدهٔ پیام، که نوادهٔ برخوردکننده است، دو علت مستقل را به هم وابسته می‌کند.
اگر پیام برسد احتمال نقص تهویه بالا می‌رود، و اگر بدانیم در باز مانده بوده، معمولاً دوباره پایین می‌آید؛ این پدیده را رد علت رقیب (explaining away) می‌نامند.

## گراف مارکوف {#sec-pgm-2}
"""

# %%
markdown(r"""
**فرض.** تصویر گراف این پرسش در متنی که به دست ما رسیده نیست و تنها می‌دانیم گره‌هایش میان $A$ تا $I$ هستند.
گراف @fig-markov را خود ما فرض کرده‌ایم و پاسخ‌های زیر برای همین گراف درست‌اند.
هر کس تصویر اصلی را دارد یال‌های آن را در جدول `[markov]` فایل `report/graphs.toml` بنویسد؛ پاسخ‌ها و دلیل‌ها دوباره محاسبه می‌شوند.
""" if sheet.markov_assumed else "گراف این پرسش در @fig-markov آمده است.")

# %%
#| label: fig-markov
#| fig-cap: '`{python} titled("گراف مارکوف", sheet.markov_assumed)` پرسش دوم'
#| fig-alt: 'گراف بی‌جهت با یال‌های `{python} "، ".join(f"{u}–{v}" for u, v in sheet.markov.edges)`'
draw(sheet.markov, across=True)

# %% [markdown]
r"""
در گراف مارکوف (Markov graph) معیار ساده‌تر است: $X\perp Y\mid Z$ درست است اگر هر مسیر میان $X$ و $Y$ از گرهی در $Z$ بگذرد [@lauritzen1996].
گزاره‌ای که به صورت برابری $P(X\mid Y,Z)=P(X\mid Z)$ نوشته شده باشد، همان $X\perp Y\mid Z$ است.
نادرست بودن هم یعنی گراف استقلال را تضمین نمی‌کند: دست‌کم یک توزیع هست که روی همین گراف فاکتور می‌شود و استقلال در آن برقرار نیست.
فاکتور شدن روی گراف مارکوف یعنی توزیع حاصل‌ضرب تابع‌هایی مثبت (potential) از خوشه‌های بیشین (maximal clique) گراف است [@koller2009]؛ برای گراف ما
"""

# %%
markdown("$$" + in_lines(sheet.markov.factorization(), r"\propto", 5) + "$$")

# %% [markdown]
r"""
مدل‌های تصادفی این پرسش هم از همین حاصل‌ضرب با تابع‌های تصادفی ساخته شده‌اند.
پاسخ‌ها در @tbl-markov-answers و دلیل‌ها پس از آن آمده‌اند و @fig-markov-answers آن‌ها را روی گراف نشان می‌دهد.
"""

# %%
markov_found = answered(sheet.markov, sheet.markov_statements)

# %%
#| label: tbl-markov-answers
#| tbl-cap: 'پاسخ گزاره‌های پرسش دوم برای `{python} titled("گراف", sheet.markov_assumed)`؛ ستون آخر مانند @tbl-room-answers است.'
Table(["شماره", "گزاره", "پاسخ", "الگوریتم دوم", "بزرگ‌ترین وابستگی (نات)"], answers(markov_found), "ccccc")

# %%
markdown(reasons(markov_found))

# %%
#| label: fig-markov-answers
#| fig-cap: 'پاسخ گزاره‌های پرسش دوم روی `{python} titled("گراف", sheet.markov_assumed)`، با نشانه‌های @fig-room-answers'
#| fig-alt: 'چهار گراف. `{python} spoken(markov_found)`'
#| fig-width: 88%
pictures(markov_found, 2, across=True)

# %%
network, moral = sheet.bayes, moral_graph(sheet.bayes)
blanket = markov_blanket(network, sheet.blanket_of)
perfect = is_perfect_map(moral, network)
minimal = is_minimal_i_map(moral, network)
married = marriages(network)
kept, own = independencies(moral), independencies(network)

# %% [markdown]
r"""
## از گراف بیزی به گراف مارکوف {#sec-pgm-3}
"""

# %%
markdown(r"""
**فرض.** تصویر گراف بیزی این پرسش هم از دست رفته است.
گراف @fig-bayes فرض ماست و در جدول `[bayes]` همان فایل قابل تغییر است.
""" if sheet.bayes_assumed else "گراف بیزی این پرسش در @fig-bayes آمده است.")

# %%
#| label: fig-bayes
#| fig-cap: '`{python} titled("گراف بیزی", sheet.bayes_assumed)` پرسش سوم؛ گره `{python} "$" + latex(sheet.blanket_of) + "$"` با دورِ رنگی و پوشش مارکوف آن با زمینهٔ آبی نشان داده شده است.'
#| fig-alt: 'گراف جهت‌دار با یال‌های `{python} "، ".join(f"{u} به {v}" for u, v in network.edges)`'
draw(network, focus=[sheet.blanket_of], shown=blanket.nodes)

# %% [markdown]
r"""
### فرم فاکتورشدهٔ توزیع توأم

توزیع توأم فاکتورشده چنین است:
"""

# %%
markdown("$$" + in_lines(network.factorization(), "=", 4) + "$$ {#eq-bayes-joint}")

# %% [markdown]
r"""
### پوشش مارکوف

پوشش مارکوف (Markov blanket) یک گره کوچک‌ترین مجموعه‌ای است که با دانستن آن، گره از بقیهٔ شبکه مستقل می‌شود؛
در شبکهٔ بیزی این مجموعه از والدها، فرزندها و والدهای دیگرِ فرزندها ساخته می‌شود [@pearl1988].
والدهای دیگر لازم‌اند، زیرا فرزندِ مشاهده‌شده برخوردکننده‌ای فعال میان گره و والد دیگر است.
"""

# %%
shielded = [d_separation(network, sheet.blanket_of, node, blanket.nodes).holds for node in blanket.outside]
needed = [not d_separation(network, sheet.blanket_of, node, [other for other in blanket.nodes if other != node]).holds
          for node in blanket.nodes]
if not (all(shielded) and all(needed)):
    raise AssertionError("the Markov blanket does not shield, or holds a node too many")
markdown(persian.blanket_text(blanket) + " هر دو سوی این گفته با جداسازی جهت‌دار بررسی شد: همهٔ گره‌های بیرون جدا می‌شوند "
         "و با برداشتن هر گرهِ پوشش، گره از آن دیگر جدا نیست؛ پس پوشش کوچک‌ترین است.")

# %% [markdown]
r"""
### گراف مارکوف متناظر

گراف مارکوف متناظر، گراف اخلاقی (moral graph) است: والدهای نامجاورِ هر فرزند مشترک به هم وصل می‌شوند و سپس جهت یال‌ها برداشته می‌شود.
دلیل این کار آن است که فاکتور $P(x_i\mid \mathrm{pa}_i)$ تابعی از $x_i$ و همهٔ والدهایش است و این گره‌ها باید در گراف مارکوف یک خوشهٔ کامل (clique) بسازند.
نتیجه در @fig-moral آمده است.
"""

# %%
#| label: fig-moral
#| fig-cap: گراف مارکوف (گراف اخلاقی) متناظر با گراف بیزی؛ یال‌های خط‌چین والدها را به هم وصل کرده‌اند.
#| fig-alt: 'گراف بی‌جهت با یال‌های `{python} "، ".join(f"{u}–{v}" for u, v in moral.edges)`'
draw(moral, dashed=married)

# %%
edges = "، ".join(f"${latex(u)}-{latex(v)}$" for u, v in married)
added = f"یال افزوده‌شده {edges} است." if len(married) == 1 else f"یال‌های افزوده‌شده {edges} هستند."
markdown(added if married else "هیچ یالی افزوده نشده است، زیرا همهٔ والدهای هم‌فرزند از پیش مجاورند.")

# %% [markdown]
r"""
### آیا گراف مارکوف نقشهٔ استقلال کامل است؟

$H$ نقشهٔ استقلال (I-map) گراف $G$ است اگر هر استقلالی که بیان می‌کند در $G$ هم باشد، $\mathcal I(H)\subseteq\mathcal I(G)$،
و نقشهٔ استقلال کامل (perfect I-map) است اگر دو مجموعه برابر باشند.
برای داوری، همهٔ گزاره‌های دوتایی $u\perp v\mid Z$ را در هر دو گراف سنجیده‌ایم؛ این گزاره‌ها بس‌اند، زیرا استقلال دو مجموعه در گراف همان استقلال همهٔ زوج‌های آن‌هاست.
"""

# %%
sizes = f"از {fa(len(list(pair_statements(network.nodes))))} گزارهٔ دوتایی، {fa(len(own))} گزاره در گراف بیزی و {fa(len(kept))} گزاره در گراف مارکوف برقرار است"
if perfect.wrong or not set(kept) <= set(own) or perfect.holds is not (set(kept) == set(own)):
    raise AssertionError("the moral graph asserts an independence that the network lacks")
if perfect.holds:
    text = f"**بله.** {sizes} و این دو مجموعه یکی هستند، زیرا در گراف بیزی هیچ دو والدِ نامجاوری فرزند مشترک ندارند."
else:
    shapes = "، ".join(f"${found.latex()}$" for found in immoralities(network))
    text = (f"**خیر.** {sizes}؛ {fa(len(set(own) - set(kept)))} استقلالِ گراف بیزی در گراف مارکوف از دست رفته است. "
            f"برای نمونه {perfect.lost.explain()}"
            f"\n\nریشهٔ این از دست رفتن، والدهای نامجاورِ دارای فرزند مشترک است: {shapes}. "
            "وصل کردن این والدها استقلال آن‌ها را می‌پوشاند؛ گراف اخلاقی تنها زمانی نقشهٔ کامل است که چنین ساختاری در گراف بیزی نباشد [@koller2009].")
markdown(text)

# %% [markdown]
r"""
### آیا گراف مارکوف نقشهٔ استقلال کمینه است؟

متن این بند افتادگی دارد و ما آن را پرسش از نقشهٔ استقلال کمینه (minimal I-map) می‌خوانیم.
گراف اخلاقی نقشهٔ استقلال است: گراف اخلاقیِ نیاکانِ $u$، $v$ و $Z$ زیرگراف آن است؛
پس اگر $Z$ دو گره را در گراف اخلاقی جدا کند، در آن زیرگراف هم جدا می‌کند و گزاره در گراف بیزی برقرار است [@lauritzen1996].
نقشهٔ استقلالی کمینه است که با برداشتن هر یال آن، دیگر نقشهٔ استقلال نباشد.
این را برای تک‌تک یال‌ها آزموده‌ایم؛ برای هر یال $u-v$ همان یک گزارهٔ $u\perp v$ به شرط بقیه تصمیم می‌گیرد، زیرا بنا بر ویژگی‌های گرافوئیدیِ جداسازی جهت‌دار [@pearl1988] بقیهٔ گزاره‌های گراف کوچک‌تر از آن و از گزاره‌های پیشین نتیجه می‌شوند. برای کوتاهی، جدول کوچک‌ترین شرطی را می‌آورد که همین کار را می‌کند. @tbl-minimal برای هر یال گزاره‌ای را نشان می‌دهد که گرافِ بی آن یال بیان می‌کند، ولی در گراف بیزی نادرست است.
"""

# %%
#| label: tbl-minimal
#| tbl-cap: شاهد لازم بودن هر یال گراف مارکوف
Table(["یال برداشته‌شده", "گزاره‌ای که پدید می‌آید", "چرا در گراف بیزی نادرست است"],
      [[f"${latex(r.edge[0])}-{latex(r.edge[1])}$", f"${r.wrong.statement.latex()}$" if r.wrong else "—", r.explain().rstrip(".")]
       for r in minimal.removals], "cll")

# %%
markdown("**بله.** هر یال دست‌کم یک شاهد دارد، پس هیچ یالی زیادی نیست و گراف اخلاقی نقشهٔ استقلال کمینه است. "
         "این نتیجه کلی است [@koller2009]: با برداشتن هر یال $u-v$، گراف مارکوف استقلال $u$ و $v$ به شرط همهٔ گره‌های دیگر را بیان می‌کند. "
         "اگر $u$ و $v$ در گراف بیزی مجاور باشند، هیچ شرطی یال میان آن‌ها را نمی‌بندد؛ "
         "و اگر دو والدِ یک فرزند باشند، آن فرزند برخوردکننده‌ای مشاهده‌شده است و مسیر میان آن‌ها را فعال می‌کند. "
         "پس این گزاره در گراف بیزی همیشه نادرست است."
         if minimal.holds else "**خیر.** دست‌کم یک یال هست که با برداشتن آن هیچ گزارهٔ نادرستی پدید نمی‌آید.")

# %%
bayes_census = [census_of_dags(n) for n in range(2, 6)]
markov_census = [census_of_markov_graphs(n) for n in range(2, 6)]
if any(census.counterexamples for census in (*bayes_census, *markov_census)):
    raise AssertionError("a counterexample to the proposition was found")
bayes_cases, markov_cases = (sum(c.removals for c in every) for every in (bayes_census, markov_census))

# %% [markdown]
r"""
## گزارهٔ امتیازی: نقشهٔ کامل، کمینه است {#sec-pgm-4}

**گزاره.** فرض کنید $G$ نقشهٔ استقلال کامل فهرست استقلال $L$ باشد، یعنی $\mathcal I(G)=L$، و $G'$ با حذف یک یال از $G$ ساخته شود.
آنگاه $G'$ نقشهٔ استقلال $L$ نیست. این گزاره برای هر دو نوع گراف **درست** است.[^closure]

[^closure]: اگر $L$ تنها فهرستی از استقلال‌های پایه باشد، آن را با همهٔ استقلال‌هایی که از آن نتیجه می‌شوند یکی می‌گیریم؛ کامل بودن نقشه تنها با این خوانش معنا دارد.

فکر اثبات در هر دو حالت یکی است: یال حذف‌شده را $u-v$ بنامید.
شرطی مانند $Z$ می‌یابیم که $G'$ گزارهٔ $u\perp v\mid Z$ را بیان کند.
از سوی دیگر $u$ و $v$ در $G$ مجاورند و مسیر تک‌یالی میان آن‌ها هیچ گره میانی ندارد؛ پس هیچ شرطی آن را نمی‌بندد و این گزاره در $\mathcal I(G)=L$ نیست.
در نتیجه $\mathcal I(G')\not\subseteq L$.
تنها یافتن $Z$ می‌ماند.

**گراف بیزی.** یال حذف‌شده را $u\to v$ بگیرید. حذف یال از گراف بی‌دور، گرافی بی‌دور می‌دهد، پس $G'$ خود یک گراف بیزی است.
چون $G$ دور ندارد، $u$ نوادهٔ $v$ نیست، نه در $G$ و نه در $G'$ که یال کمتری دارد.
بگذارید $Z=\mathrm{pa}_{G'}(v)=\mathrm{pa}_G(v)\setminus\{u\}$ و مسیری دلخواه از $u$ به $v$ را در $G'$ در نظر بگیرید. دو حالت هست:

- اگر آخرین یال مسیر به $v$ وارد شود، گره پیش از $v$ یکی از والدهای آن در $G'$ است و خودِ $u$ نیست، زیرا یال $u\to v$ حذف شده است. این گره میانی در $Z$ است و چون یالی از آن بیرون می‌رود برخوردکننده نیست؛ پس مسیر بسته است.
- اگر آخرین یال مسیر از $v$ بیرون برود، مسیر را از $v$ در جهت یال‌ها دنبال کنید. چون $u$ نوادهٔ $v$ نیست، مسیر جایی به برخوردکننده‌ای می‌رسد که نوادهٔ $v$ است. اگر این برخوردکننده یا نواده‌ای از آن در $Z$ بود، یکی از والدهای $v$ نوادهٔ $v$ می‌شد و دور پدید می‌آمد؛ پس برخوردکننده مسیر را می‌بندد.

همهٔ مسیرها بسته‌اند. این همان ویژگی مارکوف محلی است: هر گره به شرط والدهایش از نانواده‌های خود مستقل است [@koller2009]. پس

$$\bigl(u\perp v\mid \mathrm{pa}_{G'}(v)\bigr)\in\mathcal I(G').$$ {#eq-pgm4-bayes}

**گراف مارکوف.** $V$ را مجموعهٔ همهٔ گره‌ها بگیرید و بگذارید $Z=V\setminus\{u,v\}$. در $G'$ میان $u$ و $v$ یالی نیست، پس هر مسیر میان آن‌ها دست‌کم یک گره میانی دارد که در $Z$ است و بسته می‌شود:

$$\bigl(u\perp v\mid V\setminus\{u,v\}\bigr)\in\mathcal I(G').$$ {#eq-pgm4-markov}

در هر دو حالت گزارهٔ @eq-pgm4-bayes یا @eq-pgm4-markov در $L$ نیست و اثبات کامل است. $\blacksquare$

نتیجه آن که هر نقشهٔ استقلال کامل، کمینه هم هست. وارون آن درست نیست: چنان‌که در @sec-pgm-3 آمد، گراف اخلاقی همیشه کمینه است، ولی اگر دو والدِ نامجاور فرزند مشترک داشته باشند کامل نیست.

**بررسی با شمارش.** اثبات بالا کامل است، ولی آن را با شمارش هم آزموده‌ایم:
@tbl-census همهٔ گراف‌های برچسب‌دار تا پنج گره را می‌شمارد و برای حذف هر یال، بی استفاده از اثبات، میان همهٔ گزاره‌های دوتایی شاهدی می‌جوید.
گراف‌های بیزی‌ای که تنها نام گره‌هایشان جابه‌جا شده است پاسخ یکسان دارند؛ از این رو تنها گراف‌هایی آزموده شده‌اند که یال‌هایشان رو به جلوست و هر یک به شمار گراف‌هایی که نمایندهٔ آن‌هاست شمرده شده است.
هیچ مثال نقضی به دست نیامد.
"""

# %%
#| label: tbl-census
#| tbl-cap: حذف هر یال از همهٔ گراف‌های برچسب‌دار
Table(["نوع گراف", "گره‌ها", "گراف‌ها", "آزموده", "حذف یال", "با شاهد", "مثال نقض"],
      [[kind, c.nodes, c.graphs, c.tried, c.removals, c.witnesses, len(c.counterexamples)]
       for kind, every in (("بیزی", bayes_census), ("مارکوف", markov_census)) for c in every], "lcccccc")

# %%
values = {label: joint_and_product(graph, models, seed)
          for label, graph in (("eq-room-joint", sheet.room), ("eq-bayes-joint", network))}
graph_steps = [
    *(measure(label, "برابری جدول توأم با حاصل‌ضرب شرطی‌های خودش", joint, product, 1e-12)
      for label, (joint, product) in values.items()),
    survey("eq-pgm4-bayes", "آزمون خودِ گزاره با شمارش حذف یال در گراف‌های بیزی تا پنج گره؛ این معادله در متن اثبات شده است",
           bayes_cases, [found for census in bayes_census for found in census.counterexamples]),
    survey("eq-pgm4-markov", "آزمون خودِ گزاره با شمارش حذف یال در گراف‌های مارکوف تا پنج گره؛ این معادله در متن اثبات شده است",
           markov_cases, [found for census in markov_census for found in census.counterexamples]),
]

# %% [markdown]
r"""
**دفتر بررسی.** معادله‌های این فصل از روی گراف ساخته شده‌اند و @tbl-graphs-ledger آزمون آن‌ها را نشان می‌دهد.
"""

# %%
#| label: tbl-graphs-ledger
#| tbl-cap: بررسی معادله‌های این فصل
checks(entries(graph_steps))
