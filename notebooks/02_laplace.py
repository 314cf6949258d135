# %% [markdown]
r"""
# استنباط وردشی با خانوادهٔ لاپلاس {#sec-laplace}

در این فصل توزیع پسین یک متغیر نهان را با چگالی لاپلاس تقریب می‌زنیم و جواب را به فرم بسته به دست می‌آوریم.
مسئله آن‌قدر کوچک است که پسین دقیق آن هم معلوم است؛
پس هر ادعا را می‌توان با محاسبهٔ مستقل سنجید.
همهٔ لگاریتم‌ها طبیعی‌اند و واحد همهٔ واگرایی‌ها نات (nat) است.
"""

# %% tags=["parameters"]
x1: float = 1.2
x2: float = -0.4
sigma1: float = 0.5
sigma2: float = 1.0

# %%
import matplotlib.pyplot as plt
import numpy as np

from dgm.calculus.closed_forms import laplace
from dgm.calculus.language.derivation import displayed
from dgm.calculus.identities import laplace as steps
from dgm.calculus.checking.ledger import entries, state
from dgm.calculus.checking.store import verified
from dgm.calculus.checking.verification import prove_positive
from gozaresh.author import Table, checks, fa, persian_ticks, report_style, show_source

report_style()

# %% [markdown]
r"""
## تقریب پسین با توزیع لاپلاس {#sec-pgm-5}

### مدل و پسین دقیق

مدل یک متغیر نهان $z=z_1$ و دو مشاهدهٔ $x_1$ و $x_2$ دارد:

$$
p(z)=\mathcal{N}(z;0,1),\qquad
p(x_1\mid z)=\mathcal{N}(x_1;z,\sigma_1^2),\qquad
p(x_2\mid z)=\mathcal{N}(x_2;z,\sigma_2^2).
$$ {#eq-laplace-model}

در شبکهٔ بیزی مسئله از $z$ به هر یک از دو مشاهده یالی می‌رود و یال دیگری نیست،
پس توزیع توأم برابر $p(z)\,p(x_1\mid z)\,p(x_2\mid z)$ است.
نخست پسین دقیق را می‌یابیم، زیرا هم هدفِ تقریب است و هم معیار سنجش آن.
لگاریتم توزیع توأم، به‌عنوان تابعی از $z$، چنین است:
"""

# %%
#| label: eq-laplace-joint
steps.JOINT

# %% [markdown]
r"""
که در آن $c_1$ و $c_2$ به $z$ بستگی ندارند.
این عبارت نسبت به $z$ درجهٔ دو است و ضریب $z^2$ در آن منفی است؛
چگالی‌ای که لگاریتمش چنین باشد گاوسی است.
با کامل کردن مربع، دقت (precision، وارون واریانس) و میانگین آن خوانده می‌شود و پسین $\mathcal{N}(m,1/\lambda)$ است،
زیرا دو چگالی که لگاریتمشان در هر $z$ یک شیب دارد یکی‌اند:
"""

# %%
#| label: eq-laplace-posterior
displayed(r"\begin{gathered}", *steps.POSTERIOR_PARAMETERS[:1], r",\qquad ", *steps.POSTERIOR_PARAMETERS[1:], r",\\ ", steps.POSTERIOR, r"\end{gathered}")

# %% [markdown]
r"""
دقت‌ها با هم جمع شده‌اند و هر مشاهده به نسبت دقت خود در میانگین سهم دارد؛
عدد یک در $\lambda$ دقت پیشین است و میانگین را به سوی صفر می‌کشد.

### مسئلهٔ بهینه‌سازی

خانوادهٔ تقریب، چگالی‌های لاپلاس با مکان $\mu\in\mathbb{R}$ و مقیاس $b>0$ است:

$$
q(z)=\frac1{2b}\exp\left(-\frac{|z-\mu|}{b}\right).
$$ {#eq-laplace-family}

استنباط وردشی (variational inference) عضوی از خانواده را برمی‌گزیند که واگرایی کولبک–لیبلر آن تا پسین کمینه باشد [@jordan1999; @blei2017]:

$$
(\mu^\star,b^\star)=\arg\min_{\mu,\;b>0}\;D_{\mathrm{KL}}\bigl(q(z)\,\Vert\,p(z\mid x_1,x_2)\bigr).
$$ {#eq-laplace-problem}

در مسئله‌های واقعی پسین معلوم نیست و این واگرایی را مستقیم نمی‌توان حساب کرد؛
به‌جای آن حد پایین شواهد (ELBO) را بیشینه می‌کنند.
دو مسئله یکی هستند. اگر $x=(x_1,x_2)$ را همهٔ مشاهده‌ها بنامیم، از $p(z\mid x)=p(z,x)/p(x)$ نتیجه می‌شود
"""

# %%
#| label: eq-laplace-evidence
steps.EVIDENCE

# %% [markdown]
r"""
و سمت چپ به $q$ بستگی ندارد؛ در اینجا $H(q)=-\mathbb{E}_q[\log q]$ آنتروپی $q$ است.

### فرم بستهٔ واگرایی

واگرایی دو جزء دارد: $D_{\mathrm{KL}}(q\Vert p)=\mathbb{E}_q[\log q(z)]-\mathbb{E}_q[\log p(z\mid x_1,x_2)]$.
برای محاسبهٔ هر دو، سه امید ریاضی زیر بس است.
با جانشانی $z=\mu\pm bt$ در دو نیمهٔ خط و انتگرال $\int_0^\infty t^k e^{-t}\,dt=k!$ داریم
"""

# %%
#| label: eq-laplace-moments
displayed(steps.MOMENTS[0], r",\qquad ", steps.MOMENTS[1], r",\qquad ", steps.MOMENTS[2])

# %% [markdown]
r"""
تساوی سوم همان $\int_0^\infty(bt)^2e^{-t}\,dt=2b^2$ است و در میانگین، سهم دو نیمه قرینه است و یکدیگر را حذف می‌کنند.
جزء نخست از تساوی اول @eq-laplace-moments به دست می‌آید:
"""

# %%
#| label: eq-laplace-entropy
steps.ENTROPY

# %% [markdown]
r"""
برای جزء دوم، $z-m$ را به صورت $(z-\mu)+(\mu-m)$ می‌نویسیم؛
جملهٔ ضربی امید صفر دارد، پس $\mathbb{E}_q[(z-m)^2]=(\mu-m)^2+2b^2$ و
"""

# %%
#| label: eq-laplace-cross
steps.CROSS

# %% [markdown]
r"""
تفاضل این دو، تابع هدف را به فرم بسته می‌دهد:
"""

# %%
#| label: eq-laplace-kl
steps.DIVERGENCE

# %% [markdown]
r"""
### نقطهٔ بهینه و یکتایی آن

مشتق‌های جزئی این‌هاست و در نقطهٔ بهینه باید صفر باشند:
"""

# %%
#| label: eq-laplace-stationary
displayed(steps.SLOPES[0], r",\qquad ", steps.SLOPES[1])

# %% [markdown]
r"""
چون $\lambda\ge1$ و $b>0$ است، دو مشتق تنها در یک نقطه با هم صفر می‌شوند، که کمینهٔ سراسری $J$ است:
"""

# %%
#| label: eq-laplace-optimum
displayed(r"\boxed{\;", steps.OPTIMUM_NAMES[0], r",\qquad ", steps.OPTIMUM_NAMES[1], r",\qquad ", steps.BEST, r"\;}")

# %% [markdown]
r"""
ماتریس هسی (Hessian) در **هر** نقطهٔ دامنه، نه فقط در نقطهٔ بهینه، قطری با درایه‌های مثبت است:
"""

# %%
#| label: eq-laplace-hessian
displayed(steps.HESSIAN[0], r",\qquad ", steps.HESSIAN[1], r",\qquad ", steps.HESSIAN[2])

# %% [markdown]
r"""
پس $J$ روی مجموعهٔ محدب $\mathbb{R}\times(0,\infty)$ اکیداً محدب است و نقطهٔ ایستای آن کمینهٔ سراسری یکتاست [@boyd2004].
نیازی به بررسی مرز هم نیست: با $b\to0$ جملهٔ $-\log(2b)$ و با $b\to\infty$ جملهٔ $\lambda b^2$ به بی‌نهایت می‌رود.

### مقدار کمینه

با $\lambda b^{\star2}=\frac12$ و $\log(2b^\star)=\frac12\log\frac2\lambda$ در @eq-laplace-kl خواهیم داشت
"""

# %%
#| label: eq-laplace-minimum
steps.MINIMUM

# %%
post = laplace.posterior(x1, x2, laplace.Model(sigma1, sigma2))
best = laplace.optimum(post)
best_kl = laplace.kl(best, post)
wider, narrower = (laplace.kl(laplace.Laplace(best.mu, factor * best.b), post) - best_kl for factor in (2, 0.5))

# %% [markdown]
r"""
این مقدار، یعنی `{python} f"{best_kl:.5f}"` نات، نه به داده بستگی دارد و نه به $\sigma_1$ و $\sigma_2$.
دلیلش آن است که واگرایی KL با تغییر متغیر خطی عوض نمی‌شود و
با $u=\sqrt\lambda\,(z-m)$ همهٔ نمونه‌های مسئله به «نزدیک‌ترین لاپلاس به گاوسی استاندارد» تبدیل می‌شوند.
به بیان دیگر، هزینهٔ انتخاب خانوادهٔ لاپلاس همیشه همین اندازه است.

### معنای جواب: میانگین و واریانس حفظ می‌شوند

واریانس توزیع لاپلاس $2b^2$ است؛ پس واریانس تقریب بهینه
$2b^{\star2}=1/\lambda$ است، یعنی درست واریانس پسین دقیق.
این اتفاقی نیست.
اگر $q$ عضو یک خانوادهٔ مکان–مقیاس با واریانس متناهی و مقیاس $s$ باشد، $H(q)=\log s+\text{const}$ و
$\mathbb{E}_q[(z-m)^2]=\operatorname{Var}(q)+(\mathbb{E}_q[z]-m)^2$ است، که $\operatorname{Var}(q)=v\,s^2$؛
شرط ایستایی $-1/s+\lambda v s=0$ نیز همان $\operatorname{Var}(q)=1/\lambda$ است.
پس در برابر پسین گاوسی، کمینه‌سازی این جهت از واگرایی دو گشتاور نخست را دقیق نگه می‌دارد
و خطا تنها در شکل چگالی می‌ماند.
@fig-laplace-fit این خطا را نشان می‌دهد: تقریب در میانه قله‌ای تیز دارد، در دو پهلو پایین‌تر از پسین است و دُم‌هایش سنگین‌ترند.
"""

# %%
#| label: fig-laplace-fit
#| fig-cap: 'پسین دقیق و نزدیک‌ترین چگالی لاپلاس به آن برای $x_1$ برابر `{python} x1` و $x_2$ برابر `{python} x2`. هر دو میانگین `{python} f"{post.mean:.3f}"` و انحراف معیار `{python} f"{post.precision**-0.5:.3f}"` دارند.'
#| fig-alt: نمودار چپ دو منحنی چگالی با یک مرکز مشترک نشان می‌دهد؛ منحنی لاپلاس قلهٔ تیزتر دارد. نمودار راست همان دو را در مقیاس لگاریتمی نشان می‌دهد که در آن دم لاپلاس خطی و بالاتر از دم سهمی‌شکل گاوسی است.
#| fig-width: 95%
grid = np.linspace(post.mean - 5 * post.precision**-0.5, post.mean + 5 * post.precision**-0.5, 801)
fig, axes = plt.subplots(1, 2, figsize=(7.0, 2.8))
for ax in axes:
    ax.plot(grid, [post.pdf(z) for z in grid], label="پسین دقیق")
    ax.plot(grid, [best.pdf(z) for z in grid], "--", label="لاپلاس بهینه")
    ax.set_xlabel("$z$")
axes[0].set_ylabel("چگالی")
axes[0].legend()
axes[1].set_yscale("log")
axes[1].set_ylabel("چگالی (محور لگاریتمی)")
axes[1].yaxis.set_major_formatter(lambda v, _: f"{v:.5f}".rstrip("0").rstrip("."))
for ax in axes:
    persian_ticks(ax)
fig

# %% [markdown]
r"""
@fig-laplace-surface تابع هدف را روی صفحهٔ $(\mu,b)$ نشان می‌دهد.
ترازها بسته و تودرتو هستند و تنها یک کف دارند، همان‌گونه که از تحدب @eq-laplace-kl انتظار می‌رود.
به ازای انحراف مطلقِ برابر از $b^\star$ باریک بودن گران‌تر است، زیرا با $b\to0$ واگرایی به بی‌نهایت می‌رود؛ به نسبت چنین نیست:
دو برابر کردن $b^\star$ `{python} f"{wider:.2f}"` و نصف کردنش `{python} f"{narrower:.2f}"` نات می‌افزاید.
"""

# %%
#| label: fig-laplace-surface
#| fig-cap: 'واگرایی $J(\mu,b)$ بر حسب نات. نشان ضربدر نقطهٔ بهینهٔ فرم بسته است و مقدار آن `{python} f"{best_kl:.4f}"` نات است.'
#| fig-alt: نمودار تراز واگرایی روی صفحهٔ مکان و مقیاس؛ ترازها بسته‌اند و گرد یک نقطهٔ یگانه تنگ می‌شوند.
#| fig-width: 58%
mus = np.linspace(post.mean - 1.0, post.mean + 1.0, 121)
bs = np.linspace(0.04 * best.b, 3 * best.b, 121)
surface = np.array([[laplace.kl(laplace.Laplace(m, b), post) for m in mus] for b in bs])
fig, ax = plt.subplots(figsize=(4.6, 3.2))
levels = [0.08, 0.12, 0.2, 0.4, 0.7, 1.1, 1.6, 2.3]
lines = ax.contour(mus, bs, surface, levels=levels, cmap="viridis", linewidths=1.1)
ax.clabel(lines, fmt=lambda v: fa(f"{v:g}"), fontsize=7.5)
ax.plot(best.mu, best.b, "x", color="#c8553d", markersize=9, markeredgewidth=2)
ax.set_xlabel(r"$\mu$")
ax.set_ylabel("$b$")
persian_ticks(ax)
fig

# %% [markdown]
r"""
### پیاده‌سازی

@lst-laplace فرم بستهٔ واگرایی و نقطهٔ بهینه را آن‌گونه که در کتابخانهٔ گزارش نوشته شده نشان می‌دهد؛
مقدارهای فرم بستهٔ واگرایی و نقطهٔ بهینه از همین دو تابع می‌آیند.
"""

# %%
#| label: lst-laplace
#| lst-cap: واگرایی لاپلاس تا گاوسی و کمینهٔ آن به فرم بسته.
show_source(laplace.kl, laplace.optimum, docstrings=False)

# %% [markdown]
r"""
### راستی‌آزمایی

معادله‌های نشان‌دار با $\checkmark$ شیءهایی در برنامه‌اند که هم چاپ می‌شوند و هم اثبات؛ نام‌هایی که در آن‌ها آمده با $:=$ تعریف شده‌اند.
هستهٔ کوچکی از قاعده‌ها تفاضل دو طرف را گام‌به‌گام به صفر می‌رساند و در هر گام شرط‌های همان قاعده را می‌آزماید: لگاریتم تنها از عبارتی گرفته می‌شود که مثبت بودنش ثابت شده باشد و امید تنها وقتی فرم بسته دارد که همگرا باشد.
حاصل، گواهی اثبات است که برنامهٔ دومی، بی هیچ بخش مشترکی با هسته، آن را از نو بازبینی می‌کند؛ اگر گامی نادرست باشد ساخت گزارش می‌ایستد.
پیش از اثبات، صورت چاپ‌شدهٔ هر معادله نیز بازخوانی می‌شود و باید همان شیء را به دست دهد.
در این اثبات $x_1$، $x_2$، $\mu$ و $m$ حقیقی دلخواه و $\sigma_1$، $\sigma_2$، $\lambda$ و $b$ مثبت دلخواه‌اند.
@tbl-laplace-ledger نتیجه را گام‌به‌گام می‌آورد و معنای نشان کنار شمارهٔ معادله‌ها در @sec-ledger آمده است.
"""

# %%
ledger = [
    state("eq-laplace-model", "مدلی است که صورت پرسش داده است"),
    *verified([steps.JOINT, steps.POSTERIOR]),
    state("eq-laplace-family", "تعریف خانوادهٔ تقریب، به خواست صورت پرسش"),
    state("eq-laplace-problem", "تعریف مسئلهٔ استنباط وردشی"),
    *verified([steps.EVIDENCE, *steps.MOMENTS, steps.ENTROPY, steps.CROSS, steps.DIVERGENCE, *steps.SLOPES]),
    *verified([steps.BEST, *steps.HESSIAN]),
    *prove_positive("eq-laplace-hessian", "مثبت بودن هر دو درایهٔ قطر در سراسر دامنه", *steps.CURVATURES),
    *verified([steps.MINIMUM]),
]

cases = [(x1, x2, sigma1, sigma2), (0.0, 0.0, 1.0, 1.0), (3.0, 2.5, 0.3, 0.3), (-2.0, 4.0, 0.2, 2.0),
         (10.0, 9.0, 5.0, 3.0)]
models = [laplace.Model(c[2], c[3]) for c in cases]
posts = [laplace.posterior(c[0], c[1], model) for c, model in zip(cases, models, strict=True)]
bests = [laplace.optimum(p) for p in posts]
kl_best = [laplace.kl_by_quadrature(q, p) for q, p in zip(bests, posts, strict=True)]
elbos = [laplace.elbo(q, c[0], c[1], model) for q, c, model in zip(bests, cases, models, strict=True)]
evidence = [laplace.evidence_by_quadrature(c[0], c[1], model) for c, model in zip(cases, models, strict=True)]
mismatch = max(abs(e + k - ev) for e, k, ev in zip(elbos, kl_best, evidence, strict=True))

# %%
#| label: tbl-laplace-ledger
#| tbl-cap: گام‌های اثبات این فصل و شیوهٔ بررسی هر یک.
checks(entries(ledger))

# %% [markdown]
r"""
@tbl-laplace-cases پنج نمونه از مسئله را کنار هم می‌گذارد، از مشاهده‌های هم‌سو تا مشاهده‌های ناسازگار و نویز زیاد.
ستون واگرایی در همهٔ سطرها یکی است، در حالی که شواهد بسیار تغییر می‌کند؛
و جمع دو ستون ELBO و واگرایی با شواهد برابر است.
این سه ستون از سه راه جدا به دست آمده‌اند: فرم بسته، انتگرال عددی روی $q$ و انتگرال عددی توزیع توأم؛
بزرگ‌ترین اختلاف میان جمع دو ستون نخست و ستون سوم `{python} f"{mismatch:.0e}"` نات است.
"""

# %%
#| label: tbl-laplace-cases
#| tbl-cap: جواب فرم بسته برای پنج نمونه؛ واگرایی و شواهد با انتگرال عددی حساب شده‌اند (نات).
Table(
    header=["$x_1$", "$x_2$", r"$\sigma_1$", r"$\sigma_2$", r"$\mu^\star$", r"$b^\star$", "ELBO", r"$D_{\mathrm{KL}}$", r"$\log p(x_1,x_2)$"],
    rows=[[*(fa(f"{v:g}") for v in c), fa(f"{q.mu:.4f}"), fa(f"{q.b:.4f}"), fa(f"{e:.5f}"), fa(f"{k:.5f}"), fa(f"{ev:.5f}")]
          for c, q, e, k, ev in zip(cases, bests, elbos, kl_best, evidence, strict=True)],
    align="ccccccccc",
)

# %% [markdown]
r"""
### جمع‌بندی

تقریب وردشی پسین در خانوادهٔ لاپلاس $q^\star(z)=\mathrm{Laplace}(z;\,m,\,1/\sqrt{2\lambda})$ است
که $\lambda$ و $m$ در @eq-laplace-posterior آمده‌اند.
برای پارامترهای این اجرا $\mu^\star$ برابر `{python} f"{best.mu:.4f}"` و $b^\star$ برابر `{python} f"{best.b:.4f}"` است.
این تقریب میانگین و واریانس پسین را دقیق نگه می‌دارد و کمینهٔ سراسری یکتای مسئله است،
ولی چون پسین گاوسی عضو خانوادهٔ لاپلاس نیست، واگرایی صفر نمی‌شود و کف آن $\frac12\log(\pi/e)$ می‌ماند.
"""
