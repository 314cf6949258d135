# %% [markdown]
r"""
# سنجش جداسازی روی عامل‌های معلوم {#sec-measured}

فصل پیش گفت که $\beta$ بهای هر نات است و $\gamma$ تنها همبستگی کل را گران می‌کند.
این فصل همین دو گفته را روی β-VAE و FactorVAE می‌سنجد: با عوض کردن $\beta$ و $\gamma$ چه بر سر نرخ، بازسازی و جدا بودن عامل‌ها می‌آید؟
برای سنجیدن جداسازی باید عامل‌های سازندهٔ هر تصویر را دانست؛ عکس چهره چنین چیزی ندارد، پس تصویرها را خود برنامه می‌کشد.
"""

# %% tags=["parameters"]
sweep: "Path" = "report/runs/sweep-sprites"
sweep_faces: "Path" = "report/runs/sweep-faces"

# %%
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from PIL import Image

from dgm.calculus.checking.ledger import entries, state
from dgm.calculus.checking.store import verified
from dgm.calculus.identities import beta as price
from dgm.vae.worlds.world import world
from dgm.vae.images.picture import image_grid
from dgm.vae.experiments.run import with_values
from dgm.vae.experiments.sweep import BASE
from dgm.vae.experiments.results import recorded, summaries
from dgm.vae.experiments.results import alike, paired, place_of, points, secants
from gozaresh.author import Table, checks, fa, markdown, persian_ticks, report_style

report_style()

# %%
def of_world(folder, name):
    """نتیجه‌های یک پوشه که از جهان خواسته‌شده‌اند."""
    return tuple(one for one in recorded(Path(folder) / "results.json") if one.run.world == name)


results = of_world(sweep, "sprites")
settings = summaries(results)
run = results[0].run if results else BASE
training, drawn = run.factor.training, world(run.world)
seeds = min((one.seeds for one in settings), default=0)
minutes = sum(one.seconds for one in results) / 60


def listed(settings):
    """جفت‌های ضریب‌ها به جمله."""
    return "؛ ".join(f"$\\beta={one.beta:g}$ و $\\gamma={one.gamma:g}$" for one in settings)

# %% [markdown]
r"""
## آزمایش {#sec-measured-setup}

### جهانی با پنج عامل

شکل‌ها به پیروی از dSprites [@matthey2017] کشیده می‌شوند: یک شکل سفید روی زمینهٔ سیاه با پنج عامل مستقل و یکنواخت، یعنی نوع شکل (مربع، بیضی، قلب)، اندازه، زاویه، و جای افقی و عمودی.
در @fig-measured-world، که درشت‌تر از تصویرهای آموزش کشیده شده است، هر سطر تنها یک عامل را عوض می‌کند.
زاویه تنها تا یک‌چهارم دور می‌رود، زیرا مربع پس از یک‌چهارم و بیضی پس از نیم دور همان است که بود و زاویهٔ کاملشان از تصویر برنمی‌آید.
"""

# %% [markdown]
r"""
### مدل‌ها

تابع هدف @eq-tc-objective است که با $\gamma$ برابر صفر و ضریب $\beta$ روی جملهٔ KL همان β-VAE می‌شود.
متمایزگر و گام‌های آموزش همان‌اند که در @sec-theory-estimate آمد: الگوریتم‌های ۱ و ۲ از [@kim2018].
شبکهٔ جدول ۱ صورت تمرین برای این آزمایش گران است: جدا شدن عامل‌ها به هزاران گام نیاز دارد، نه به تصویر تیز.
از این رو شبکه‌ای کوچک با لایه‌های تمام‌متصل به کار رفته که پیرو شبکهٔ [@higgins2017] برای شکل‌های دوبُعدی است، با لایه‌های باریک‌تر؛ @tbl-measured-setup اندازه‌ها را می‌دهد.
انحراف معیار درست‌نمایی ثابت گرفته شده است، زیرا اگر آموخته شود، چنان‌که در پایان @sec-theory-beta دیدیم، $\beta$ معنایش را از دست می‌دهد.
تصویرِ شکل‌ها سه کانالِ یکسان دارد و هر پیکسل سه بار در اعوجاج شمرده می‌شود، که با یک کانال و انحراف معیار `{python} f"{training.sigma / 3**0.5:.3f}"` یکی است؛ پس $\beta$ این‌جا با $\beta$ مقاله‌ها سنجیدنی نیست.
"""

# %%
#| label: fig-measured-world
#| fig-cap: 'عامل‌های جهان ساختگی؛ از بالا به پایین: `{python} "، ".join(NAMES.get(name, name) for name in drawn.factors)`. در هر سطر یک عامل از کمترین تا بیشترین مقدارش می‌رود.'
#| fig-alt: شبکه‌ای از تصویرهای کوچک؛ در هر سطر تنها یک ویژگی شکل سفید، مانند نوع یا اندازه یا جا، رفته‌رفته عوض می‌شود
#| fig-width: 62%
COLUMNS = 9
NAMES = {"shape": "نوع شکل", "scale": "اندازه", "angle": "زاویه", "x": "جای افقی", "y": "جای عمودی"}


def factor_rows(drawn):
    """شبکه‌ای با یک سطر برای هر عامل: همان عامل از کمترین تا بیشترین مقدارش، بقیه در میانه."""
    many = drawn.sample(4096, torch.Generator().manual_seed(0))
    low, high = many.min(0).values, many.max(0).values
    rows = ((low + high) / 2).repeat(len(drawn.factors) * COLUMNS, 1).view(len(drawn.factors), COLUMNS, -1)
    for factor, classes in enumerate(drawn.classes):
        swept = torch.linspace(0, 1, COLUMNS) * (high - low)[factor] + low[factor]
        rows[factor, :, factor] = (torch.arange(COLUMNS) * classes // COLUMNS).float() if classes else swept
    return image_grid(drawn.draw(rows.flatten(0, 1), 64), COLUMNS)


factor_rows(drawn)

# %%
#| label: tbl-measured-setup
#| tbl-cap: تنظیم‌های این آزمایش و مقالهٔ FactorVAE؛ تصویرها، داده و متمایزگرِ این آزمایش کوچک‌تر و آموزش آن کوتاه‌تر است.
Table(["چه", "این آزمایش", "مقالهٔ FactorVAE"], [
    ["اندازهٔ تصویر", fa(f"{run.image_size} × {run.image_size}"), fa("64 × 64")],
    ["شمار تصویرهای آموزش", run.images * 4 // 5, 737280],
    ["شمار گام‌ها", run.images * 4 // 5 // training.batch_size * training.epochs, 300000],
    ["اندازهٔ دسته", training.batch_size, 64],
    ["بُعد نهان", training.latent_dim, 10],
    ["نرخ یادگیری VAE", fa(f"{training.learning_rate:g}"), fa("0.0001")],
    ["لایه‌های متمایزگر", fa(f"{run.factor.discriminator_layers} × {run.factor.discriminator_width}"), fa("6 × 1000")],
    ["نرخ یادگیری متمایزگر", fa(f"{run.factor.discriminator_learning_rate:g}"), fa("0.0001")],
    ["انحراف معیار درست‌نمایی", fa(f"{training.sigma:g}"), "درست‌نمایی برنولی"],
    ["شمار دانه‌ها برای هر تنظیم", seeds, 10],
], "lcc")

# %%
if settings:
    text = (f"هر جفت از $\\beta$ و $\\gamma$ ({listed(settings)}) با {fa(seeds)} دانهٔ تصادفی آموزش دیده است؛ روی هم {fa(len(results))} آموزش که جمع زمان آن‌ها {fa(f'{minutes:.0f}')} دقیقه است. "
            f"**این آموزش‌ها در همین اجرا انجام نشده‌اند**؛ نتیجه‌ها از سند `{sweep}` می‌آیند که با همین برنامهٔ مدل و سنجه‌ها، یا نسخه‌ای که بیت‌به‌بیت همان آموزش را می‌دهد، ساخته شده و اگر این برنامه عوض شود کنار گذاشته می‌شود. "
            "نرخ، اعوجاج و خطا روی یک‌پنجمِ کنارگذاشتهٔ تصویرها و دیگر سنجه‌ها روی تصویرهای تازه حساب شده‌اند؛ تصویرهای آموزش همهٔ دانه‌ها یکی‌اند، پس انحراف معیارها پراکندگی داده را در بر ندارند.")
else:
    text = (f"**در پوشهٔ `{sweep}` نتیجه‌ای از شکل‌ها که با برنامهٔ کنونی مدل ساخته شده باشد نیست**؛ از این رو جدول‌ها و نمودارهای شکل‌ها تهی‌اند. "
            "با `make sweep` آزمایشی تازه انجام می‌شود و با `make report P=\"sweep=build/sweep\"` به این فصل می‌آید.")
markdown(text)

# %% [markdown]
r"""
## بهای هر نات {#sec-measured-price}

اگر $R_i$ و $D_i$ نرخ و اعوجاج (منفی جملهٔ بازسازی) بهینهٔ $D+\beta_iR$ باشند، هیچ‌یک از دو هدف در نقطهٔ دیگری کمتر نیست.
پس برای $\beta_1<\beta_2$ و $R_1>R_2$

$$
\beta_1\;\le\;\frac{D_2-D_1}{R_1-R_2}\;\le\;\beta_2 ,
$$ {#eq-measured-price}

که اگر در $R_1-R_2$ ضرب شود خطی است و با میانگین گرفتن روی دانه‌ها می‌ماند. این نه به تحدب نیاز دارد و نه به مشتق‌پذیری؛ تنها بهینه بودن هر دو نقطه در یک خانوادهٔ مدل به کار رفته است.
شیب مماس $-\beta$ که در @eq-beta-envelope آمد حد همین رابطه است.
شبکهٔ آموزش‌دیده بهینهٔ سراسری نیست، پس @eq-measured-price در این‌جا آزمونی از خود آموزش هم هست.
@fig-measured-plane نقطه‌ها را با مماس‌های نظری نشان می‌دهد و @tbl-measured-price همین نسبت را برای هر دو $\beta$ همسایه؛ @tbl-measured-ledger می‌گوید کدام بخش این رابطه ثابت شده و کدام فرض است.
"""

# %%
steps = [
    *verified(price.SECANT),
    state("eq-measured-price", "بهینه بودن دو نقطه، که نامنفی بودن هر دو صورت از آن است"),
]

# %%
#| label: tbl-measured-ledger
#| tbl-cap: بررسی معادلهٔ این فصل
checks(entries(steps))

# %%
place = points(settings)
slopes = secants(place)


def by_seed(results):
    """نسبت‌های هر دانه، جداگانه."""
    return [secants([place_of(r) for r in results if r.run.factor.training.seed == seed])
            for seed in sorted({r.run.factor.training.seed for r in results})]


def seeds_inside(alone, number):
    """در چند دانه نسبت شمارهٔ number در بازهٔ نظری است."""
    return f"{fa(sum(each[number].as_in_theory for each in alone if number < len(each)))} از {fa(len(alone))}"


alone = by_seed(results)
LENGTH = 0.9  # nats of rate that a tangent is drawn for

# %%
#| label: fig-measured-plane
#| fig-cap: 'نرخ و اعوجاج روی تصویرهای دیده‌نشده، میانگین `{python} seeds` دانه با میلهٔ انحراف معیار. خط کوتاه هر دایره شیب نظری $-\beta$ را دارد؛ مربع‌ها FactorVAE با $\beta$ برابر یک‌اند.'
#| fig-alt: نمودار اعوجاج بر حسب نرخ؛ نقطه‌های بتا با بزرگ شدن بتا به سوی نرخ کمتر و اعوجاج بیشتر می‌روند و خط‌های کوتاه مماس بر آن‌ها رسم شده است
#| fig-width: 72%
fig, ax = plt.subplots(figsize=(5.4, 3.2))
for penalised, marker, name in ((False, "o", "β-VAE"), (True, "s", "FactorVAE")):
    chosen = [(point, one) for point, one in zip(place, settings, strict=True) if bool(point.gamma) == penalised]
    if not chosen:
        continue
    errors = [[one.findings[axis][1] for _, one in chosen] for axis in ("rate", "distortion")]
    ax.errorbar([p.rate for p, _ in chosen], [p.distortion for p, _ in chosen], xerr=errors[0], yerr=errors[1],
                fmt=marker, capsize=2, color=f"C{int(penalised)}")
    ax.plot([], [], marker, color=f"C{int(penalised)}", label=name)
    for number, (point, _) in enumerate(chosen):
        if not penalised:
            ends = (-LENGTH, LENGTH)
            ax.plot([point.rate + end for end in ends], [point.distortion + point.slope * end for end in ends],
                    color="#555", linewidth=1)
        weight = point.gamma if penalised else point.beta
        ax.annotate(f"{'γ' if penalised else 'β'} = {fa(f'{weight:g}')}", (point.rate, point.distortion),
                    textcoords="offset points", xytext=((4, 24), (-36, -24))[number % 2] if penalised else (7, 6), fontsize=8)
ax.set(xlabel="نرخ (نات)", ylabel="اعوجاج (نات)")
if settings:
    ax.legend(fontsize=8)
persian_ticks(ax)

# %%
#| label: tbl-measured-price
#| tbl-cap: بهای سنجیدهٔ هر نات نرخ میان دو $\beta$ همسایه، در برابر بازه‌ای که نظریه می‌گوید
Table(["کران پایین ($\\beta_1$)", "نسبت سنجیده", "کران بالا ($\\beta_2$)", "در بازه", "دانه‌های در بازه"],
      [[fa(f"{one.first.beta:g}"), fa(f"{one.price:.2f}"), fa(f"{one.second.beta:g}"), "بله" if one.as_in_theory else "نه",
        seeds_inside(alone, number)]
       for number, one in enumerate(slopes)] or [["—"] * 5], "ccccc")

# %%
def held_to_theory(slopes):
    """چند نسبت در بازهٔ نظری‌اند و بیرون افتادن بقیه چه می‌گوید."""
    inside = sum(one.as_in_theory for one in slopes)
    return f"از {fa(len(slopes))} نسبت {fa(inside)} تا در بازهٔ نظری است. " + (
        "این آموزش‌ها، با همهٔ کوتاهی، با نظریه ناسازگار نیستند." if inside == len(slopes) else
        "نابرابری دربارهٔ بهینهٔ هدف آموزش است و این نسبت‌ها از میانگین دانه‌ها روی تصویرهای دیده‌نشده‌اند؛ "
        "بیرون افتادن می‌تواند از پراکندگی دانه‌ها، از آموزش کوتاه یا کمینه‌ای موضعی، یا از تعمیم باشد.")


markdown(held_to_theory(slopes) if slopes else "")

# %% [markdown]
r"""
## جدا بودن عامل‌ها {#sec-measured-scores}

### سنجه‌ها

«جدا بودن» یک تعریف ندارد و هر سنجه سویی از آن را می‌بیند؛ از این رو چند سنجه را کنار هم می‌گذاریم که همه در بهترین حالت یک‌اند.

- **سنجهٔ FactorVAE** [@kim2018]: دسته‌هایی تصویر می‌سازیم که در هر یک عاملی ثابت است و هر بُعدِ فعال را بر انحراف معیارش روی همهٔ داده بخش می‌کنیم؛ از روی بُعدی که آن‌گاه کمترین واریانس را دارد باید بتوان با رأی اکثریتِ نیمی از دسته‌ها گفت در نیم دیگر کدام عامل ثابت بوده است. حدس تصادفی یک‌پنجم درست درمی‌آید.
- **شکاف اطلاعات متقابل** (mutual information gap، به‌اختصار MIG) [@chen2018]: اختلاف خبری که بهترین و دومین بُعد از یک عامل می‌دهند، به نسبت آنتروپی آن عامل.
- **جدایی** (disentanglement)، **تمامیت** (completeness) و **آگاهی‌بخشی** (informativeness) [@eastwood2018]: آیا هر بُعد به یک عامل می‌پردازد، هر عامل در یک بُعد است، و عامل‌ها را از $z$ می‌توان پیش‌بینی کرد؟ پیش‌بین در این‌جا درخت‌های تقویتی‌اند.
- **پیش‌بینی‌پذیری جداگانه** (separated attribute predictability، به‌اختصار SAP) [@kumar2018]: برتری بهترین تک‌بُعد بر دومین در پیش‌بینی هر عامل.
- **پیمانه‌ای بودن** (modularity) [@ridgeway2018]: این‌که هر بُعد تا چه اندازه تنها از عامل اصلی خودش خبر بدهد.

MIG و پیمانه‌ای بودن روی نمونهٔ $z$ حساب شده‌اند، با بیست خانهٔ هم‌شمار برای هر متغیر پیوسته و با تصحیح میلر–مدو؛ سنجه‌های دیگر روی میانگین $q(z\mid x)$.
پیمانه‌ای بودن تنها بُعدهایی را می‌شمارد که از یک عامل بیش از ۰٫۰۵ نات خبر بدهند. SAP نوع شکل را با نزدیک‌ترین میانگین می‌شناسد، نه با ماشین بردار پشتیبان مقاله.
آگاهی‌بخشی میانگین $R^2$ است و برای نوع شکل سهم پاسخ‌های درست.

درستی این سنجه‌ها در آزمون‌های برنامه با رمزهای ساختگی سنجیده می‌شود: رمزی که خود عامل‌هاست نزدیک یک می‌گیرد؛ رمزِ بی‌ربط در سنجهٔ FactorVAE و آگاهی‌بخشی به اندازهٔ حدس تصادفی می‌گیرد و در بقیه نزدیک صفر.

### آنچه به دست آمد

@tbl-measured-terms جمله‌های هدف را می‌دهد و @tbl-measured-scores و @tbl-measured-trees سنجه‌ها را.
همبستگی کل با متمایزگری برآورد شده که پس از آموزش و تنها برای همین کار روی نمونه‌های تازه آموخته است، نه با متمایزگر خود مدل؛ مقدار منفی خطای برآورد است، زیرا همبستگی کل منفی نمی‌شود.
"""

# %%
def spread(one, name, digits):
    """میانگین و انحراف معیار روی دانه‌ها."""
    middle, deviation = one.findings[name]
    middle = round(middle, digits) + 0.0  # no minus zero
    return f"\u2066{fa(f'{middle:.{digits}f}')} ± {fa(f'{deviation:.{digits}f}')}\u2069"


def middle(one, name, digits):
    """میانگین یک یافته روی دانه‌ها."""
    return fa(f"{one.findings[name][0]:.{digits}f}")


def weights(one):
    """دو خانهٔ نخست هر سطر."""
    return [fa(f"{one.beta:g}"), fa(f"{one.gamma:g}")]


# %%
#| label: tbl-measured-terms
#| tbl-cap: 'جمله‌های هدف روی تصویرهای دیده‌نشده، بر حسب نات؛ میانگین ± انحراف معیار روی `{python} seeds` دانه. خطا میانگین مربع خطای هر پیکسل است.'
def terms(settings):
    """جدول جمله‌های هدف، یک سطر برای هر تنظیم."""
    return Table([r"$\beta$", r"$\gamma$", "نرخ", "اعوجاج", "خطا", "همبستگی کل", "بُعد فعال"],
                 [[*weights(one), spread(one, "rate", 2), spread(one, "distortion", 1), spread(one, "squared_error", 5),
                   spread(one, "total_correlation", 3), spread(one, "active", 1)] for one in settings] or [["—"] * 7], "ccccccc")


terms(settings)

# %%
SCORES = {"factor_metric": "سنجهٔ FactorVAE", "mig": "MIG", "sap": "SAP", "modularity": "پیمانه‌ای بودن",
          "disentanglement": "جدایی", "completeness": "تمامیت", "informativeness": "آگاهی‌بخشی"}


def scores(settings, *names):
    """جدولی با یک سطر برای هر تنظیم و یک ستون برای هر سنجه."""
    return Table([r"$\beta$", r"$\gamma$", *(SCORES[name] for name in names)],
                 [[*weights(one), *(spread(one, name, 2) for name in names)] for one in settings]
                 or [["—"] * (2 + len(names))], "c" * (2 + len(names)))


# %%
#| label: tbl-measured-scores
#| tbl-cap: 'سنجه‌هایی که تک‌بُعدها را می‌سنجند، میانگین ± انحراف معیار روی `{python} seeds` دانه؛ بیشتر بهتر است.'
scores(settings, "factor_metric", "mig", "sap", "modularity")

# %%
#| label: tbl-measured-trees
#| tbl-cap: 'سه سنجه‌ای که از پیش‌بینی با درخت‌ها به دست می‌آیند، میانگین ± انحراف معیار روی `{python} seeds` دانه؛ بیشتر بهتر است.'
scores(settings, "disentanglement", "completeness", "informativeness")

# %%
text = ""
if settings:
    best, purest = (max(settings, key=lambda one: one.findings[name][0]) for name in ("mig", "disentanglement"))
    joint = "بیشترین میانگین MIG و جدایی هر دو" if best is purest else "بیشترین میانگین MIG"
    text = (f"{joint} از آنِ $\\beta$ برابر {fa(f'{best.beta:g}')} و $\\gamma$ برابر {fa(f'{best.gamma:g}')} است"
            + (f" و بیشترین میانگین جدایی از آنِ $\\beta$ برابر {fa(f'{purest.beta:g}')} و $\\gamma$ برابر {fa(f'{purest.gamma:g}')}." if best is not purest else "."))
markdown(text or "برای هیچ تنظیمی سنجه‌ای در دست نیست.")

# %%
MAIN = ("factor_metric", "mig", "disentanglement", "sap")


def differences(results, one, other, names):
    """اختلاف هر سنجه میان دو تنظیم، دانه به دانه."""
    return {name: paired(results, (one.beta, one.gamma), (other.beta, other.gamma), name) for name in names}


def told(results, one, other):
    """اختلاف‌های چهار سنجهٔ اصلی به جمله."""
    return "؛ ".join(f"{SCORES[name]} \u2066{fa(f'{each.mean:+.3f}')}\u2069 ({fa(each.higher)} از {fa(len(each.differences))} دانه)"
                     for name, each in differences(results, one, other, MAIN).items())


def favours(one):
    """آیا میانگین اختلاف، آن‌گونه که نوشته می‌شود، به سود FactorVAE است."""
    return round(one.mean, 3) > 0


def strongest(settings):
    """تنظیمی که بزرگ‌ترین گاما را دارد."""
    return max((one for one in settings if one.gamma), key=lambda one: one.gamma, default=None)


penalised = strongest(settings)
rival = alike(settings, penalised) if penalised else None
compared = differences(results, penalised, rival, SCORES) if penalised and rival else {}

# %%
text = ""
if penalised and rival:
    text = (f"یافتهٔ مقالهٔ FactorVAE آن است که در بازسازیِ یکسان، عامل‌ها از β-VAE جداتر می‌شوند [@kim2018]. برای آزمودن آن FactorVAE با $\\gamma$ برابر {fa(f'{penalised.gamma:g}')} را با آن β-VAE می‌سنجیم که خطای بازسازی‌اش به آن نزدیک‌تر است، "
            f"یعنی $\\beta$ برابر {fa(f'{rival.beta:g}')}{' که همان VAE است' if rival.beta == 1 else ''}؛ خطای این دو {middle(penalised, 'squared_error', 5)} و {middle(rival, 'squared_error', 5)} است. "
            "@tbl-measured-paired اختلاف هر سنجه را دانه به دانه می‌دهد.")
markdown(text or "مقایسهٔ @tbl-measured-paired به نتیجهٔ دست‌کم یک FactorVAE نیاز دارد.")

# %%
#| label: tbl-measured-paired
#| tbl-cap: اختلاف سنجه‌ها دانه به دانه، FactorVAE منهای آن β-VAE که میانگین خطایش نزدیک‌تر است؛ خطا در تک‌تک دانه‌ها برابر نیست.
Table(["سنجه", "میانگین اختلاف", "انحراف معیار", "دانه‌هایی که FactorVAE بهتر است"],
      [[SCORES[name], fa(f"{one.mean:+.3f}"), fa(f"{one.deviation:.3f}"), f"{fa(one.higher)} از {fa(len(one.differences))}"]
       for name, one in compared.items()] or [["—"] * 4], "lccc")

# %%
text = ""
if compared:
    always = [SCORES[name] for name, one in compared.items() if one.higher == len(one.differences)]
    never = [SCORES[name] for name, one in compared.items() if one.higher == 0]
    mixed = [SCORES[name] for name, one in compared.items() if 0 < one.higher < len(one.differences)]
    text = "".join(f"{start} {' و '.join(names)}. " for start, names in (
        ("در همهٔ دانه‌ها FactorVAE بهتر است در:", always), ("در هیچ دانه‌ای بهتر نیست در:", never),
        ("دانه‌ها هم‌رأی نیستند در:", mixed)) if names)
    main = [compared[name] for name in MAIN]
    better = sum(favours(one) for one in main)
    text += {4: "میانگین هر چهار سنجهٔ اصلیِ جدایی (سنجهٔ FactorVAE و MIG و جدایی و SAP) به سود FactorVAE است؛ این با یافتهٔ مقاله هم‌سوست.",
             0: "میانگین هیچ‌یک از چهار سنجهٔ اصلیِ جدایی (سنجهٔ FactorVAE و MIG و جدایی و SAP) به سود FactorVAE نیست؛ این با یافتهٔ مقاله هم‌سو نیست."}.get(
        better, f"از چهار سنجهٔ اصلیِ جدایی (سنجهٔ FactorVAE و MIG و جدایی و SAP) میانگین {fa(better)} تا به سود FactorVAE است؛ این تنها در بخشی از سنجه‌ها با یافتهٔ مقاله هم‌سوست.")
    worse = [SCORES[name] for name, one in compared.items() if round(one.mean, 3) < 0]
    text += f" میانگین اختلاف به زیان FactorVAE است در: {' و '.join(worse)}." if worse else ""
    for one in settings:
        if one.gamma and one is not penalised:
            near = alike(settings, one)
            text += (f" با $\\gamma$ برابر {fa(f'{one.gamma:g}')}، در برابر $\\beta$ برابر {fa(f'{near.beta:g}')}، اختلاف‌ها و شمار دانه‌هایی که FactorVAE در آن‌ها بهتر است چنین است: {told(results, one, near)}.")
    text += (f" با {fa(len(main[0].differences))} دانه کوچک‌ترین مقدار احتمالِ آزمون علامت دوسویه {fa(f'{2 / 2 ** len(main[0].differences):.2f}')} است؛ "
             "پس این‌ها نشانه‌اند، نه حکمی با معنای آماری.")
markdown(text)

# %% [markdown]
r"""
### پیمایش بُعدها

@fig-measured-traversals معنای بُعدها را نشان می‌دهد: در هر سطر تنها یک بُعد از $z$ از منفی دو تا دو می‌رود و بُعدها به ترتیب خبری که می‌برند چیده شده‌اند.
اگر سطری تنها یک ویژگی شکل را عوض کند آن بُعد جدا شده است؛ سطرهایی که چیزی را عوض نمی‌کنند بُعدهای خاموش‌اند.
این شکل از دانهٔ نخست است و برگزیده نشده است.
"""

# %%
def picture(one):
    """پیمایش دانهٔ نخست یک تنظیم، یا تصویری تهی."""
    found = [r for r in results if one and (r.beta, r.gamma) == (one.beta, one.gamma)]
    path = Path(sweep) / f"{found[0].run.digest}.png" if found else None
    return Image.open(path).convert("RGB") if path and path.is_file() else Image.new("RGB", (100, 100), "white")


pair = [picture(rival), picture(penalised)]
shown = Image.new("RGB", (sum(one.width for one in pair) + 12, max(one.height for one in pair)), "white")
shown.paste(pair[0], (0, 0))
shown.paste(pair[1], (pair[0].width + 12, 0))

# %%
#| label: fig-measured-traversals
#| fig-cap: 'پیمایش بُعدهای نهان در β-VAE (چپ) و FactorVAE (راست)، دو مدلِ @tbl-measured-paired'
#| fig-alt: دو شبکه از تصویرهای کوچک؛ در هر سطر یک بُعد نهان عوض می‌شود و شکل سفید جابه‌جا، بزرگ یا کوچک می‌شود یا ثابت می‌ماند
#| fig-width: 92%
shown.resize((3 * shown.width, 3 * shown.height), Image.Resampling.NEAREST)

# %% [markdown]
r"""
## همین آزمایش روی چهره‌های ساختگی {#sec-measured-faces}

آیا یافته‌ها به جهان شکل‌ها بسته‌اند؟ چهره‌های ساختگی @sec-vae نیز از عامل‌های معلوم کشیده می‌شوند، که @fig-measured-faces آن‌ها را نشان می‌دهد: دوازده عامل پیوسته و مستقل؛ تنها لبخند مقدارهای نزدیک صفر را نمی‌گیرد، زیرا هر چهره یا خندان است یا نه.
این شکل درشت‌تر از تصویرهای آموزش کشیده شده است؛ در تصویرِ `{python} run.image_size` پیکسلی، گشودگی چشم و دهان و شکل ابرو تنها چند پیکسل را اندکی عوض می‌کنند، پس نمی‌توان انتظار داشت که مدل همهٔ عامل‌ها را نگه دارد.
"""

# %%
folder_faces, results_faces = sweep, of_world(sweep, "faces")
if not results_faces:
    folder_faces, results_faces = sweep_faces, of_world(sweep_faces, "faces")
settings_faces = summaries(results_faces)
FACE_NAMES = {"smile": "لبخند", "yaw": "چرخش به پهلو", "pitch": "چرخش به بالا", "roll": "کج شدن سر", "skin": "رنگ پوست", "hair": "رنگ مو",
              "hair_length": "بلندی مو", "eye_opening": "گشودگی چشم", "light": "سوی نور", "mouth_opening": "گشودگی دهان",
              "brow": "ابرو", "background": "زمینه"}


# %%
#| label: fig-measured-faces
#| fig-cap: 'عامل‌های چهره‌های ساختگی؛ از بالا به پایین: `{python} "، ".join(FACE_NAMES.get(name, name) for name in world("faces").factors)`.'
#| fig-alt: شبکه‌ای از چهره‌های کوچک؛ در هر سطر تنها یک ویژگی، مانند لبخند یا رنگ پوست یا سوی نور، رفته‌رفته عوض می‌شود
#| fig-width: 48%
factor_rows(world("faces"))

# %%
if settings_faces:
    face = results_faces[0].run
    as_shapes = with_values(replace(face, world=run.world, factor=replace(face.factor, training=replace(face.factor.training, latent_dim=training.latent_dim))),
                            training.beta, run.factor.gamma, training.seed) == run
    text = (f"هر جفت از $\\beta$ و $\\gamma$ ({listed(settings_faces)}) با {fa(min(one.seeds for one in settings_faces))} دانه و {fa(face.factor.training.latent_dim)} بُعد نهان آموزش دیده است؛ "
            + ("بُعد نهان برای عامل‌های بیشتر بزرگ‌تر است و دیگر تنظیم‌ها همان @tbl-measured-setup است؛ " if as_shapes else "دیگر تنظیم‌ها با @tbl-measured-setup یکی نیست؛ ")
            + f"روی هم {fa(len(results_faces))} آموزش در {fa(f'{sum(one.seconds for one in results_faces) / 60:.0f}')} دقیقه، که نتیجه‌هایشان باز هم از سند (`{folder_faces}`) می‌آیند و نه از این اجرا. "
            "@tbl-measured-faces-terms جمله‌های هدف و @tbl-measured-faces-scores چهار سنجهٔ اصلی را می‌دهد.")
else:
    text = (f"**در پوشهٔ `{sweep_faces}` نتیجه‌ای از چهره‌ها که با برنامهٔ کنونی مدل ساخته شده باشد نیست**؛ "
            "از این رو @tbl-measured-faces-terms و @tbl-measured-faces-scores تهی‌اند.")
markdown(text)

# %%
#| label: tbl-measured-faces-terms
#| tbl-cap: 'جمله‌های هدف روی چهره‌های دیده‌نشده، بر حسب نات؛ میانگین ± انحراف معیار روی دانه‌ها'
terms(settings_faces)

# %%
#| label: tbl-measured-faces-scores
#| tbl-cap: سنجه‌های اصلیِ جدایی روی چهره‌ها، میانگین ± انحراف معیار روی دانه‌ها؛ حدس تصادفی در سنجهٔ FactorVAE یک‌دوازدهم درست درمی‌آید.
scores(settings_faces, *MAIN)

# %%
text = ""
if settings_faces:
    slopes_faces = secants(points(settings_faces))
    alone_faces = by_seed(results_faces)
    prices = "؛ ".join(f"{fa(f'{one.price:.2f}')} میان {fa(f'{one.first.beta:g}')} و {fa(f'{one.second.beta:g}')} ({seeds_inside(alone_faces, number)} دانه)"
                       for number, one in enumerate(slopes_faces))
    if prices:
        text = f"نسبت @eq-measured-price برای $\\beta$های همسایه، و شمار دانه‌هایی که نسبتشان در بازهٔ نظری است، چنین است: {prices}. " + held_to_theory(slopes_faces)
    for one in settings_faces:
        if one.gamma:
            near = alike(settings_faces, one)
            text += (f"\n\nFactorVAE با $\\gamma$ برابر {fa(f'{one.gamma:g}')} دارای {spread(one, 'active', 1)} بُعد فعال است و خطایش {middle(one, 'squared_error', 5)} است؛ "
                     f"نزدیک‌ترین β-VAE به این خطا $\\beta$ برابر {fa(f'{near.beta:g}')} است، با {spread(near, 'active', 1)} بُعد فعال و خطای {middle(near, 'squared_error', 5)}. "
                     f"اختلاف سنجه‌ها، FactorVAE منهای آن، و شمار دانه‌هایی که FactorVAE در آن‌ها بهتر است چنین است: {told(results_faces, one, near)}.")
    if strongest(settings_faces):
        text += "\n\nاین اختلاف‌ها نیز تنها نشانه‌اند، نه حکمی با معنای آماری."
markdown(text or "برای چهره‌ها سنجه‌ای در دست نیست.")

# %%
text = ""
largest = strongest(settings_faces)
if largest and compared:
    plain, heaviest = (choose((one for one in settings_faces if not one.gamma), key=lambda one: one.beta) for choose in (min, max))
    if largest.findings["active"][0] < plain.findings["active"][0] / 2:
        text = (f"در چهره‌ها $\\gamma$ برابر {fa(f'{largest.gamma:g}')} بیشترِ بُعدهایی را که $\\beta$ برابر {fa(f'{plain.beta:g}')} به کار می‌گیرد خاموش کرده است ({middle(largest, 'active', 1)} در برابر {middle(plain, 'active', 1)} بُعد فعال)"
                + (f"؛ $\\beta$ بزرگ نیز چنین می‌کند ({middle(heaviest, 'active', 1)} بُعد با $\\beta$ برابر {fa(f'{heaviest.beta:g}')})"
                   if round(heaviest.findings["active"][0], 1) <= round(largest.findings["active"][0], 1) else "")
                + ". خاموش شدن بُعدها همبستگی کل را هم کم می‌کند، پس کوچک بودن آن به‌تنهایی نشانهٔ جدا شدن عامل‌ها نیست. ")
    there = differences(results_faces, largest, alike(settings_faces, largest), MAIN)
    won = {"شکل‌ها": sum(favours(compared[name]) for name in MAIN), "چهره‌ها": sum(favours(one) for one in there.values())}
    whole = [name for name, count in won.items() if count == len(MAIN)]
    text += (f"روی هم، با بزرگ‌ترین $\\gamma$ و در برابر آن β-VAE که خطایش نزدیک‌تر است، میانگین {fa(won['شکل‌ها'])} سنجه از چهار سنجهٔ اصلی در شکل‌ها و {fa(won['چهره‌ها'])} سنجه در چهره‌ها به سود FactorVAE است. "
             + "پس یافتهٔ مقاله در این تنظیم‌ها، در میانگین همهٔ این سنجه‌ها، "
             + {0: "در هیچ‌یک از دو جهان دیده نشد.", 1: f"تنها در {''.join(whole)} دیده شد.", 2: "در هر دو جهان دیده شد."}[len(whole)])
markdown(text or "سنجش دو جهان در کنار هم به نتیجهٔ هر دو نیاز دارد.")

# %% [markdown]
r"""
## حدود این یافته‌ها

این آزمایش کوچک است: تصویرها ریزند، شمار گام‌ها `{python} f"{100 * (run.images * 4 // 5 // training.batch_size * training.epochs) / 300000:.0f}"` درصد گام‌های مقاله است و عامل‌های هر دو جهان مستقل از هم کشیده شده‌اند.
در شکل‌ها، نوع و زاویه در تصویرِ `{python} run.image_size` پیکسلی کم‌اثرند و شاید مدل آن‌ها را تنها اندکی نگه دارد؛ سهم هر عامل را جدا نسنجیده‌ایم، پس نمی‌دانیم چه اندازه از دوری سنجه‌ها از یک از این است و چه اندازه از آمیختگی عامل‌ها.
مقدارهای $\beta$ و $\gamma$ پیش از دیدن این نتیجه‌ها از چند آموزش آزمایشی برگزیده شدند و مقدار بهینه جست‌وجو نشده است؛
پس این فصل دربارهٔ این دو روش در این تنظیم‌ها سخن می‌گوید، نه دربارهٔ بهترین حالت هر یک.
"""
