# %% [markdown]
r"""
# حد پایین شواهد و ترفند بازپارامتری‌سازی {#sec-elbo}

این فصل دو پایهٔ نظری خودرمزگذار وردشی (Variational Autoencoder، VAE) را اثبات می‌کند [@kingma2014; @rezende2014]:
حد پایین شواهد (ELBO) که جای درست‌نمایی را می‌گیرد،
و ترفند بازپارامتری‌سازی که گرادیان آن را محاسبه‌پذیر می‌کند.
در سراسر فصل $p_\theta(x,z)=p(z)\,p_\theta(x\mid z)$ مدل مولد با پارامترهای رمزگشا $\theta$ است و
$q_\phi(z\mid x)$ پسین تقریبی با پارامترهای رمزگذار $\phi$.
فرض می‌کنیم $q_\phi(z\mid x)>0$ دقیقاً همان‌جا برقرار است که $p_\theta(x,z)>0$ (برای رمزگذار و پیشین گاوسی همه‌جا) و امیدهای نوشته‌شده متناهی‌اند.
"""

# %% tags=["parameters"]
samples: int = 20000
seed: int = 1403

# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

from dgm.calculus.closed_forms import estimators
from dgm.calculus.language.derivation import displayed
from dgm.calculus.identities import elbo, gradient
from dgm.calculus.identities.vocabulary import ELBO, GAP
from dgm.calculus.checking.ledger import entries, state
from dgm.calculus.closed_forms.linear import LinearModel, coordinate_ascent
from dgm.calculus.checking.store import verified
from dgm.calculus.checking.verification import prove_independent, prove_positive
from gozaresh.author import Table, checks, fa, persian_ticks, report_style, show_source

report_style()
rng = np.random.default_rng(seed)

# %% [markdown]
r"""
## حد پایین شواهد {#sec-vae-elbo}

### چرا حد پایین لازم است

آموزش با بیشینه‌سازی درست‌نمایی به $\log p_\theta(x)=\log\int p(z)\,p_\theta(x\mid z)\,dz$ نیاز دارد.
وقتی رمزگشا شبکهٔ عصبی است این انتگرال فرم بسته ندارد و پسین
$p_\theta(z\mid x)=p_\theta(x,z)/p_\theta(x)$ نیز، که همان مخرج را دارد، محاسبه‌پذیر نیست.

### اثبات نخست: نابرابری ینسن

انتگرال را در $q_\phi(z\mid x)$ ضرب و بر آن تقسیم می‌کنیم تا به امید ریاضی تبدیل شود؛
سپس نابرابری ینسن (Jensen) را برای لگاریتم، که تابعی مقعر است، به کار می‌بریم:
"""

# %%
#| label: eq-elbo-jensen
elbo.JENSEN

# %% [markdown]
r"""
در سطر سوم $p_\theta(x,z)=p(z)\,p_\theta(x\mid z)$ جانشین شده و لگاریتم ضرب به جمع شکسته است.
پس $\mathrm{ELBO}\le\log p_\theta(x)$.
این اثبات کوتاه است ولی نمی‌گوید فاصلهٔ دو طرف چقدر است.

### اثبات دوم: اتحاد دقیق

چون $\log p_\theta(x)$ به $z$ بستگی ندارد، امید آن زیر $q_\phi$ خودش است؛
و از قاعدهٔ بیز $p_\theta(x)=p_\theta(x,z)/p_\theta(z\mid x)$ برای هر $z$ برقرار است. پس
"""

# %%
#| label: eq-elbo-identity
elbo.IDENTITY

# %% [markdown]
r"""
واگرایی KL نامنفی است، زیرا با همان ینسن
$-D_{\mathrm{KL}}(q\Vert p)=\mathbb{E}_q[\log(p/q)]\le\log\mathbb{E}_q[p/q]\le\log1=0$؛
و چون لگاریتم اکیداً مقعر است، تساوی تنها وقتی رخ می‌دهد که $p/q$ تقریباً همه‌جا ثابت و برابر یک باشد.
در نتیجه **حد پایین برقرار است و تساوی دقیقاً وقتی است که** $q_\phi(z\mid x)=p_\theta(z\mid x)$.
فاصلهٔ حد تا درست‌نمایی هم معلوم شد: واگرایی پسین تقریبی از پسین واقعی.

### کمینه‌سازی واگرایی چگونه مدل را بهینه می‌کند

صورت سؤال از «واگرایی میان توزیع تقریبی و توزیع واقعی» سخن می‌گوید.
در VAE سه واگرایی با این وصف هست و نقش هر یک جداست.

**واگرایی تا پسین واقعی.**
در @eq-elbo-identity سمت چپ به $\phi$ بستگی ندارد. پس به ازای $\theta$ ثابت، در
"""

# %%
#| label: eq-elbo-phi
elbo.BY_ENCODER

# %% [markdown]
r"""
جملهٔ نخست ثابت است و $\arg\max_\phi\mathcal{L}=\arg\min_\phi D_{\mathrm{KL}}$؛
یعنی بیشینه‌سازی ELBO نسبت به رمزگذار همان کمینه‌سازی این واگرایی است، بی آن‌که پسین واقعی لازم باشد.
این کار خودِ درست‌نمایی را عوض نمی‌کند، بلکه حد را به آن می‌چسباند.
سود آن در گام بعد است: اگر پس از این گام واگرایی صفر باشد و سپس $\theta$ چنان به $\theta'$ برود که ELBO کم نشود، آنگاه
"""

# %%
#| label: eq-elbo-ascent
elbo.ASCENT

# %% [markdown]
r"""
نابرابری اول همان حد پایین برای $\theta'$ است، دومی فرض گام، و تساوی آخر صفر بودن واگرایی.
پس درست‌نمایی کم نمی‌شود؛ این استدلال الگوریتم EM است.
اگر واگرایی صفر نشود، تضمین به $\log p_{\theta'}(x)\ge\log p_\theta(x)-D_{\mathrm{KL}}\bigl(q_\phi(z\mid x)\,\Vert\,p_\theta(z\mid x)\bigr)$ ضعیف می‌شود:
هرچه واگرایی کوچک‌تر، افزایش ELBO گواه مطمئن‌تری بر افزایش درست‌نمایی است.

**واگرایی میان مدل و دادهٔ واقعی.**
اگر $p_{\mathcal{D}}(x)$ توزیع واقعی داده باشد و $q(x,z)=p_{\mathcal{D}}(x)\,q_\phi(z\mid x)$، با امید گرفتن از @eq-elbo-identity و افزودن و کاستن $\log p_{\mathcal{D}}(x)$ داریم
"""

# %%
#| label: eq-elbo-joint
elbo.JOINT_DIVERGENCE

# %% [markdown]
r"""
آنتروپی داده، $H(p_{\mathcal{D}})$، از پارامترها مستقل است.
پس بیشینه‌سازی ELBO **دقیقاً** کمینه‌سازی یک واگرایی KL میان دو توزیع توأم است،
و آن واگرایی جمع دو جملهٔ نامنفی است: فاصلهٔ مدل از دادهٔ واقعی و فاصلهٔ رمزگذار از پسین واقعی.
این پاسخ دقیق سؤال است: کوچک کردن این واگرایی، مدل را به توزیع داده و استنباط را به پسین مدل نزدیک می‌کند.

**واگرایی تا پیشین.**
جملهٔ $D_{\mathrm{KL}}(q_\phi(z\mid x)\Vert p(z))$ در خود ELBO چیز دیگری است.
میانگین این جمله روی داده کران بالای اطلاعات متقابل $x$ و $z$ است (@eq-tc-theorem) و نقش منظم‌ساز دارد:
کوچک بودنش پسین‌ها را روی پیشین نگه می‌دارد تا نمونهٔ $z\sim p(z)$ هنگام تولید به ناحیه‌ای بیفتد که رمزگشا دیده است.
کمینه کردن آن **به‌تنهایی** مدل را بهتر نمی‌کند: کمینه‌اش، صفر، وقتی است که $z$ هیچ خبری از $x$ ندارد.
سود آن در توازن با جملهٔ بازسازی است.

### واگرایی دو گاوسی

رمزگذار VAE گاوسی با کوواریانس قطری است و جملهٔ KL آن فرم بسته دارد.
برای یک بُعد، $\log q-\log p$ را می‌نویسیم و از $\mathbb{E}_q[(z-\mu)^2]=\sigma^2$ و $\mathbb{E}_q[z^2]=\mu^2+\sigma^2$ بهره می‌گیریم:
"""

# %%
#| label: eq-elbo-gauss
elbo.GAUSS

# %% [markdown]
r"""
جملهٔ $\frac12\log2\pi$ در دو لگاریتم یکی است و حذف می‌شود.
چگالی‌های قطری در بُعدها ضرب می‌شوند و لگاریتم ضرب جمع است؛ پس در $d$ بُعد
"""

# %%
#| label: eq-elbo-gauss-d
displayed(r"\begin{gathered}", elbo.GAUSS_COORDINATES, r",\\ ", elbo.GAUSS_SUM, r"\end{gathered}")

# %% [markdown]
r"""
تابع هزینهٔ پیاده‌سازی، که شبکه در آن $\log\sigma_j^2$ را می‌دهد، همین جمع را به کار می‌برد.

### آزمایش روی مدلی با جواب معلوم

کوچک‌ترین VAE با درست‌نمایی معلوم مدل خطی–گاوسی $z\sim\mathcal{N}(0,1)$ و $x\mid z\sim\mathcal{N}(wz,\tau^2)$ است:
در آن $x\sim\mathcal{N}(0,w^2+\tau^2)$ و پسین گاوسی با میانگین $wx/(w^2+\tau^2)$ و واریانس $\tau^2/(w^2+\tau^2)$ است.
@fig-elbo-gap حد را برای یک مشاهده رسم می‌کند، هنگامی که میانگین و انحراف معیار $q=\mathcal{N}(\mu,\sigma^2)$ جابه‌جا می‌شوند.
حد هرگز از خط درست‌نمایی نمی‌گذرد و تنها منحنی‌ای که $\sigma$ آن با پسین برابر است، در میانگین پسین به خط می‌رسد.
فاصلهٔ عمودی هر نقطه تا خط همان $D_{\mathrm{KL}}(q\Vert p(z\mid x))$ است.
"""

# %%
model = LinearModel(w=1.5, tau=0.8)
x_seen = 1.8
observations = 400
post_mean, post_sd = (float(v) for v in model.posterior(x_seen))
log_px = float(model.log_evidence(x_seen))

# %%
#| label: fig-elbo-gap
#| fig-cap: 'حد پایین شواهد هنگام جابه‌جایی $q=\mathcal{N}(\mu,\sigma^2)$. مدل $w$ برابر `{python} model.w`، $\tau$ برابر `{python} model.tau` و مشاهده `{python} x_seen` است. خط افقی $\log p(x)$ برابر `{python} f"{log_px:.3f}"` نات و نقطه، پسین واقعی است.'
#| fig-alt: سه سهمی روبه‌پایین زیر خط افقی درست‌نمایی؛ تنها سهمی با انحراف معیار پسین در میانگین پسین بر خط مماس است.
#| fig-width: 66%
mu = np.linspace(post_mean - 1.2, post_mean + 1.2, 200)
fig, ax = plt.subplots(figsize=(5.4, 3.0))
ax.axhline(log_px, color="black", linewidth=1, label=r"$\log p(x)$")
for sigma, name in ((post_sd, "برابر پسین"), (0.5 * post_sd, "نصف پسین"), (2 * post_sd, "دو برابر پسین")):
    ax.plot(mu, model.elbo(x_seen, mu, sigma), label=f"انحراف معیار {name}")
ax.plot(post_mean, log_px, "o", color="#c8553d")
ax.set_xlabel("میانگین تقریب، μ")
ax.set_ylabel("نات")
ax.set_ylim(log_px - 4.2, log_px + 0.25)
ax.legend(loc="lower center", fontsize=8)
persian_ticks(ax)
fig

# %% [markdown]
r"""
@fig-elbo-ascent زنجیرهٔ @eq-elbo-ascent را در عمل نشان می‌دهد.
روی `{python} observations` دادهٔ ساختگی، به‌تناوب، نخست $q$ را برابر پسین می‌گذاریم (واگرایی صفر می‌شود) و سپس $w$ را چنان برمی‌گزینیم که حد بیشینه شود.
هر گامِ $w$ دوباره شکافی باز می‌کند، گام بعدیِ $q$ آن را می‌بندد و درست‌نمایی در هیچ گامی کم نمی‌شود.
"""

# %%
data = 2.0 * rng.standard_normal(observations) + rng.standard_normal(observations)
ascent = coordinate_ascent(data, w=0.15, tau=1.0, steps=16)
evidence = [step.evidence for step in ascent]
best_w = float(np.sqrt((data**2).mean() - 1.0))
best_evidence = float(LinearModel(best_w, 1.0).log_evidence(data).mean())
smallest_rise = min(after - before for before, after in pairwise(evidence))

# %%
#| label: fig-elbo-ascent
#| fig-cap: 'بالا رفتن یک‌درمیان: پیش از هر به‌هنگام‌سازی $q$ حد پایین‌تر از درست‌نمایی است و پس از آن به درست‌نمایی می‌رسد. درست‌نمایی از `{python} f"{evidence[0]:.3f}"` به `{python} f"{evidence[-1]:.4f}"` می‌رسد و بیشینهٔ تحلیلی آن `{python} f"{best_evidence:.4f}"` نات بر داده است.'
#| fig-alt: منحنی درست‌نمایی بر حسب گام صعودی است و به خط‌چین بیشینه نزدیک می‌شود؛ نقاط حد پایین پیش از به‌هنگام‌سازی زیر آن هستند و فاصله به صفر می‌رود.
#| fig-width: 66%
steps_axis = np.arange(len(ascent))
before = [step.evidence - step.gap_before for step in ascent]
fig, ax = plt.subplots(figsize=(5.4, 2.8))
ax.axhline(best_evidence, color="black", linestyle=":", linewidth=1, label="بیشینهٔ درست‌نمایی")
ax.plot(steps_axis, evidence, "o-", markersize=4, label="درست‌نمایی، برابر حد پس از گام تقریب")
ax.plot(steps_axis, before, "v", markersize=5, label="حد، پیش از گام تقریب")
ax.vlines(steps_axis, before, evidence, color="#c8553d", linewidth=1)
ax.set_xlabel("گام")
ax.set_ylabel("نات بر داده")
ax.legend(fontsize=8, loc="lower right")
persian_ticks(ax)
fig

# %% [markdown]
r"""
کوچک‌ترین افزایش درست‌نمایی در این گام‌ها `{python} f"{smallest_rise:.1e}"` نات است که منفی نیست.

### بررسی گام‌ها

معادله‌های این بخش هم مانند فصل پیش شیءهایی در برنامه‌اند که هم چاپ می‌شوند و هم اثبات.
هر قاعدهٔ هسته عبارتی را به عبارتی برابر می‌برد: لگاریتم ضرب به جمع، چگالی شرطی به نسبت دو چگالی توأم و امیدهای تودرتو به یک امید؛
اگر تفاضل دو طرف صفر شود، گام برای **همهٔ** چگالی‌هایی ثابت شده است که روی یک تکیه‌گاه مشترک مثبت‌اند و امیدهایشان مطلقاً همگراست.
در نابرابری‌ها تفاضل دو طرف باید برابر کمیتی باشد که نامنفی بودنش ثابت شده است، مانند واگرایی KL.
گامی که هسته از عهده‌اش برنیاید پذیرفته نمی‌شود؛ مدل‌های نقض‌گر، جدول‌ها و چگالی‌های پله‌ای با حالت‌های حدی، تنها برای یافتن مثال نقض آن به کار می‌روند.
@tbl-elbo-ledger نتیجه را می‌آورد.
"""

# %%
bound_steps = [
    *verified([elbo.JENSEN, elbo.IDENTITY, elbo.BY_ENCODER]),
    prove_independent("eq-elbo-phi", "جمع حد پایین و واگرایی به $q_\\phi$ بستگی ندارد", ELBO + GAP, "q"),
    *verified([elbo.ASCENT, elbo.JOINT_DIVERGENCE, elbo.GAUSS, elbo.GAUSS_ANY_PRIOR, elbo.GAUSS_COORDINATES, elbo.GAUSS_SUM]),
]

# %%
#| label: tbl-elbo-ledger
#| tbl-cap: بررسی گام‌های حد پایین شواهد.
checks(entries(bound_steps))

# %% [markdown]
r"""
## ترفند بازپارامتری‌سازی {#sec-vae-reparam}

### مشکل: نمونه‌برداری راه گرادیان را می‌بندد

گرادیان جملهٔ بازسازی نسبت به رمزگذار، $\nabla_\phi\,\mathbb{E}_{q_\phi(z\mid x)}[f(z)]$ با $f(z)=\log p_\theta(x\mid z)$، لازم است.
برای برآورد مونت‌کارلو نمونهٔ $z\sim q_\phi(z\mid x)$ می‌گیریم.
اما «نمونه گرفتن» تابعی مشتق‌پذیر از $\phi$ نیست: خروجی مولد تصادفی است و $\partial z/\partial\phi$ تعریفی ندارد،
پس انتشار روبه‌عقب (back-propagation) در گره $z$ می‌ایستد.
از سوی دیگر گرادیان و امید را هم نمی‌توان ساده جابه‌جا کرد، زیرا توزیعی که امید زیر آن گرفته می‌شود خود به $\phi$ وابسته است:

$$
\nabla_\phi\int q_\phi(z)f(z)\,dz=\int f(z)\,\nabla_\phi q_\phi(z)\,dz ,
$$ {#eq-reparam-problem}

در حالی که $\mathbb{E}_{q_\phi}[\nabla_\phi f(z)]=0$ است، زیرا $f$ به $\phi$ بستگی ندارد؛ این دو به‌طور کلی برابر نیستند.
در اینجا و در ادامه، $q_\phi(z)$ کوتاه‌شدهٔ $q_\phi(z\mid x)$ است و فرض می‌کنیم گرادیان را می‌توان به درون انتگرال برد.

### راه حل: جدا کردن تصادف از پارامتر

تصادف را به متغیری می‌سپاریم که توزیعش به $\phi$ وابسته نیست و $z$ را تابعی قطعی و مشتق‌پذیر از آن می‌نویسیم:

$$
\epsilon\sim\mathcal{N}(0,I),\qquad z=g_\phi(\epsilon,x)=\mu_\phi(x)+\sigma_\phi(x)\odot\epsilon .
$$ {#eq-reparam-trick}

تبدیل خطی متغیر گاوسی گاوسی است و میانگین و کوواریانس آن $\mu_\phi$ و $\operatorname{diag}(\sigma_\phi^2)$ می‌شود؛
پس $z$ درست از $q_\phi(z\mid x)$ آمده است.
اکنون امید زیر توزیعی ثابت است و، اگر $\phi\mapsto f(g_\phi(\epsilon,x))$ مشتق‌پذیر و مشتقش در همسایگی $\phi$ با تابعی انتگرال‌پذیر از $\epsilon$ کران‌دار باشد، گرادیان به درون می‌رود؛ در سطر دوم $\epsilon^{(l)}\sim\mathcal{N}(0,I)$ مستقل‌اند، $z^{(l)}=g_\phi(\epsilon^{(l)},x)$ و $L$ شمار نمونه است:

$$
\begin{aligned}
\nabla_\phi\,\mathbb{E}_{q_\phi(z\mid x)}[f(z)]
&=\nabla_\phi\,\mathbb{E}_{\epsilon}[f(g_\phi(\epsilon,x))]
=\mathbb{E}_{\epsilon}\left[\left(\frac{\partial g_\phi}{\partial\phi}\right)^{\top}\nabla_zf(z)\right] \\
&\approx\frac1L\sum_{l=1}^{L}\left(\frac{\partial g_\phi}{\partial\phi}\right)^{\top}\nabla_zf(z^{(l)}).
\end{aligned}
$$ {#eq-reparam-gradient}

مشتق‌های تبدیل ساده‌اند و قاعدهٔ زنجیره‌ای از $z$ به رمزگذار می‌رسد:
"""

# %%
#| label: eq-reparam-jacobian
displayed(gradient.JACOBIAN[0], r",\qquad ", gradient.JACOBIAN[1], r",\qquad ", gradient.JACOBIAN[2])

# %% [markdown]
r"""
رابطهٔ سوم، که در آن $\ell_j=\log\sigma_j^2$ است، به کار پیاده‌سازی می‌آید: شبکه $\log\sigma^2$ را می‌دهد تا $\sigma$ همیشه مثبت باشد و $\sigma=\exp(\frac12\log\sigma^2)$.
جملهٔ KL فرم بستهٔ @eq-elbo-gauss-d را دارد و به نمونه نیاز ندارد.
@fig-reparam-graph دو گراف محاسبه را کنار هم می‌گذارد: در سمت راست، مسیر گرادیان از گره تصادفی نمی‌گذرد.
"""

# %%
#| label: fig-reparam-graph
#| fig-cap: گراف محاسبه پیش از بازپارامتری‌سازی (چپ) و پس از آن (راست). پیکان‌های سیاه محاسبهٔ روبه‌جلو و خط‌چین‌های سرخ راه گرادیان‌اند؛ دایرهٔ رنگی گره تصادفی است.
#| fig-alt: در گراف چپ پیکان‌ها از فی به مو و سیگما و از آن دو به گره تصادفی زد و سپس به اف می‌روند و گرادیان در زد متوقف می‌شود. در گراف راست اپسیلون گره تصادفی جداست و گرادیان از زد قطعی به مو و سیگما و فی بازمی‌گردد.
#| fig-width: 95%
def node(ax, x, y, text, random=False):
    ax.text(x, y, text, ha="center", va="center", fontsize=13, zorder=3,
            bbox={"boxstyle": "circle,pad=0.35" if random else "round,pad=0.4", "facecolor": "#f6d5a8" if random else "white", "edgecolor": "#444"})


def arrow(ax, start, end, gradient=False):
    style = {"arrowstyle": "-|>", "shrinkA": 20, "shrinkB": 20, "color": "#c8553d" if gradient else "black",
             "linestyle": "--" if gradient else "-", "connectionstyle": f"arc3,rad={0.3 if gradient else 0}"}
    ax.annotate("", xy=end, xytext=start, arrowprops=style, zorder=2)


fig, axes = plt.subplots(1, 2, figsize=(7.4, 2.9))
place = {"phi": (0, 0), "mu": (1.3, 0.9), "sigma": (1.3, -0.9), "z": (2.7, 0), "f": (4.1, 0), "eps": (2.7, 1.5)}
for ax, clear in zip(axes, (False, True), strict=True):
    for tail, head in (("phi", "mu"), ("phi", "sigma"), ("mu", "z"), ("sigma", "z"), ("z", "f")):
        arrow(ax, place[tail], place[head])
        if clear or tail == "z":
            arrow(ax, place[head], place[tail], gradient=True)
    for name, text in (("phi", r"$\phi$"), ("mu", r"$\mu$"), ("sigma", r"$\sigma$"), ("f", "$f$")):
        node(ax, *place[name], text)
    node(ax, *place["z"], "$z$", random=not clear)
    ax.set(xlim=(-0.5, 4.6), ylim=(-1.7, 2.1))
    ax.axis("off")
arrow(axes[1], place["eps"], place["z"])
node(axes[1], *place["eps"], r"$\epsilon$", random=True)
axes[0].text(2.7, -1.2, "گرادیان اینجا می‌ایستد", ha="center", fontsize=9, color="#c8553d")
axes[1].text(3.1, -1.2, r"$z=\mu+\sigma\odot\epsilon$", ha="center", fontsize=11)
fig

# %% [markdown]
r"""
### رقیب: برآوردگر تابع امتیاز

راه دیگرِ محاسبهٔ @eq-reparam-problem نوشتن $\nabla_\phi q_\phi=q_\phi\nabla_\phi\log q_\phi$ است که به برآوردگر تابع امتیاز (score function) می‌رسد:

$$
\nabla_\phi\,\mathbb{E}_{q_\phi}[f(z)]=\mathbb{E}_{q_\phi}\bigl[(f(z)-k)\,\nabla_\phi\log q_\phi(z)\bigr].
$$ {#eq-reparam-score}

ثابت دلخواه $k$ (خط مبنا، baseline) میانگین را عوض نمی‌کند، زیرا $\mathbb{E}_q[\nabla\log q]=\nabla\int q\,dz=0$ است.
این برآوردگر هم نااریب است و حتی به مشتق $f$ نیاز ندارد؛ پس چرا VAE آن را به کار نمی‌برد؟
پاسخ واریانس است: این برآوردگر از $f$ تنها **مقدار** آن را می‌بیند، نه جهت تغییرش را.

برای سنجش، $f(z)=\lVert z-c\rVert^2$ و $q=\mathcal{N}(\mu,\sigma^2I)$ در $d$ بُعد را می‌گیریم که همه‌چیزش معلوم است.
با $\delta=\mu_j-c_j$ (برابر در همهٔ بُعدها)، مشتق دقیق نسبت به $\mu_1$ برابر $2\delta$ است و واریانس یک نمونه از آن چنین است:

$$
\begin{aligned}
\operatorname{Var}_{\text{path}}&=4\sigma^2,\\
\operatorname{Var}_{\text{score}}&=\frac{A^2}{\sigma^2}+2A(d+2)+\sigma^2(d+2)(d+4)+4\delta^2(d+1),\qquad A=d\delta^2-k,\\
\operatorname{Var}_{\text{score}}&=\sigma^2(2d+8)+4\delta^2(d+1)\qquad(k=\mathbb{E}_q[f]).
\end{aligned}
$$ {#eq-reparam-variance}

رابطهٔ اول از $2(z_1-c_1)=2(\delta+\sigma\epsilon_1)$ می‌آید و از بُعد مستقل است.
در دومی $f-k=A+2\delta\sigma\sum_j\epsilon_j+\sigma^2\lVert\epsilon\rVert^2$ است و بنا بر تقارن
$\mathbb{E}[\lVert\epsilon\rVert^4\epsilon_1^2]=\frac1d\mathbb{E}[\lVert\epsilon\rVert^6]=(d+2)(d+4)$،
زیرا گشتاور سوم توزیع خی‌دو با $d$ درجه آزادی $d(d+2)(d+4)$ است؛ جملهٔ میانی هم $4\delta^2\sigma^2(d+2)$ می‌افزاید.
سومی با جانشانی $A=-d\sigma^2$ به دست می‌آید. با $\delta=0$ و $k=0$ دومی $\sigma^2(d+2)(d+4)$ است.
پس خط مبنا رشد را از درجهٔ دو به درجهٔ یک می‌کاهد، ولی بازپارامتری‌سازی آن را یکسره از میان برمی‌دارد.
رمزگذار به هر بُعد انحراف معیاری از آنِ خود می‌دهد، $q=\prod_j\mathcal{N}(\mu_j,\sigma_j^2)$؛ مشتق نسبت به $\sigma_1$ در @tbl-reparam-mean هم تنها همان یک بُعد را تغییر می‌دهد،
در نقطه‌ای که همهٔ $\sigma_j$ها برابر $\sigma$اند، و مقدار دقیق آن $2\sigma$ است.
@tbl-reparam-mean با امید یکسان هر سه برآوردگر سازگار است، زیرا میانگین‌ها در حد چند خطای معیار با مقدار دقیق یکی‌اند، و
@fig-reparam-variance واریانس اندازه‌گیری‌شده را روی خط‌های نظری برای $\delta=1$ و $\sigma=1$ می‌گذارد.
"""

# %%
dims = np.array([1, 2, 4, 8, 16, 32, 64])
runs = []
for d in dims:
    problem = estimators.Problem(delta=1.0, sigma=1.0, dims=int(d))
    noise = rng.standard_normal((samples, d))
    runs.append((problem, estimators.pathwise(problem, noise), estimators.score_function(problem, noise),
                 estimators.score_function(problem, noise, problem.mean_f)))
shown = runs[3]
ratio = shown[2].variance[0] / shown[1].variance[0]

# %%
#| label: tbl-reparam-mean
#| tbl-cap: 'میانگین `{python} samples` نمونهٔ هر برآوردگر با خطای معیار، در `{python} int(shown[0].dims)` بُعد؛ هر سه نااریب‌اند.'
def pm(estimate, k):
    return f"\u2066{fa(f'{estimate.mean[k]:.3f}')} ± {fa(f'{estimate.standard_error[k]:.3f}')}\u2069"


Table(header=["مشتق", "دقیق", "مسیر (بازپارامتری‌سازی)", "امتیاز", "امتیاز با خط مبنا"],
      rows=[[name, fa(f"{shown[0].gradient[k]:.3f}"), *(pm(e, k) for e in shown[1:])]
            for k, name in enumerate((r"$\partial/\partial\mu_1$", r"$\partial/\partial\sigma_1$"))],
      align="ccccc")

# %%
#| label: fig-reparam-variance
#| fig-cap: 'چپ: واریانس یک نمونه بر حسب بُعد (نقطه‌ها اندازه‌گیری با `{python} samples` نمونه، خط‌ها فرم بسته). راست: ریشهٔ میانگین مربع خطای برآورد $\partial/\partial\mu_1$ بر حسب شمار نمونه در `{python} int(shown[0].dims)` بُعد. همهٔ محورها لگاریتمی‌اند.'
#| fig-alt: در نمودار چپ واریانس برآوردگر مسیر ثابت است، امتیاز با خط مبنا خطی و امتیاز ساده درجهٔ دو رشد می‌کند. در نمودار راست سه خط موازی با شیب منفی یک‌دوم هست و خط مسیر پایین‌تر از همه است.
#| fig-width: 98%
names = ("مسیر", "امتیاز", "امتیاز با خط مبنا")
theory = ([estimators.pathwise_variance(r[0]) for r in runs], [estimators.score_variance(r[0]) for r in runs],
          [estimators.score_variance(r[0], r[0].mean_f) for r in runs])
counts = np.array([10, 30, 100, 300, 1000])
fig, axes = plt.subplots(1, 2, figsize=(7.4, 3.0))
for k, name in enumerate(names, start=1):
    color = f"C{k - 1}"
    axes[0].plot(dims, theory[k - 1], color=color)
    axes[0].plot(dims, [r[k].variance[0] for r in runs], "o", color=color, label=name)
    draws = shown[k].draws[:, 0]
    error = [np.sqrt(np.mean((draws[: len(draws) // n * n].reshape(-1, n).mean(axis=1) - shown[0].gradient[0]) ** 2)) for n in counts]
    axes[1].plot(counts, error, "o", color=color)
    axes[1].plot(counts, np.sqrt(theory[k - 1][3] / counts), color=color)
axes[0].set(xlabel="بُعد، d", ylabel="واریانس یک نمونه")
axes[1].set(xlabel="شمار نمونه", ylabel="خطای برآورد")
axes[0].legend(fontsize=8)
for ax in axes:
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.xaxis.set_major_formatter(lambda v, _: fa(f"{v:g}"))
    ax.yaxis.set_major_formatter(lambda v, _: fa(np.format_float_positional(v, trim="-")))
fig

# %% [markdown]
r"""
در `{python} int(shown[0].dims)` بُعد، واریانس برآوردگر امتیاز `{python} f"{ratio:.0f}"` برابر برآوردگر مسیر است؛
یعنی برای دقت برابر همین‌قدر برابر نمونه می‌خواهد.
شیب خط‌ها در نمودار راست همان $1/\sqrt{L}$ آشناست: نمونهٔ بیشتر هر سه را به یک نسبت بهتر می‌کند، پس فاصله بسته نمی‌شود.
چون واریانس برآوردگر مسیر کم است و میانگین‌گیری روی دسته آن را باز هم کم می‌کند، در VAE با دسته‌ای به‌اندازهٔ کافی بزرگ یک نمونه برای هر تصویر ($L=1$) بس است [@kingma2014].
این نتیجه برای همین $f$ ثابت شد؛ در حالت کلی برتری برآوردگر مسیر قضیه نیست و به همواری $f$ بستگی دارد،
و برای متغیر نهان گسسته این ترفند به این شکل به کار نمی‌آید زیرا $g_\phi$ مشتق‌پذیر نیست.

@lst-reparam دو برآوردگر را کنار هم می‌گذارد و @tbl-reparam-ledger گام‌های این بخش را می‌سنجد.
گام‌هایی که از $f$ دلخواه سخن می‌گویند در آن برای $f(z)=e^{sz}$ با $s$ دلخواه ثابت شده‌اند؛
با مشتق گرفتن نسبت به $s$ در صفر، همان برابری برای هر چندجمله‌ای هم به دست می‌آید.
"""

# %%
#| label: lst-reparam
#| lst-cap: برآوردگر مسیر و برآوردگر تابع امتیاز برای $f(z)=\lVert z-c\rVert^2$.
show_source(estimators.pathwise, estimators.score_function, docstrings=False)

# %%
gradient_steps = [
    *verified([*gradient.PROBLEM, gradient.SIZE]),
    *prove_positive("eq-reparam-problem", "صفر نبودن این گرادیان", gradient.NOT_ZERO),
    state("eq-reparam-problem", "مشتق‌گیری زیر انتگرال برای $f$ دلخواه: فرض متن"),
    state("eq-reparam-trick", "تعریف تبدیل؛ در بُعدهای بیشتر، مؤلفه‌ها جداگانه چنین‌اند"),
    *verified([*gradient.TRICK, *gradient.GRADIENT]),
    state("eq-reparam-gradient", "جابه‌جایی گرادیان و امید برای $f$ دلخواه: قضیهٔ همگرایی تسلطی، با فرض متن"),
    *verified([*gradient.JACOBIAN, *gradient.SCORE]),
    state("eq-reparam-score", "مشتق‌گیری زیر انتگرال برای $f$ دلخواه: فرض متن"),
    *verified([gradient.PATH_VARIANCE]),
    state("eq-reparam-variance", "گشتاورهای اول تا سوم توزیع خی‌دو: $d$، $d(d+2)$ و $d(d+2)(d+4)$، و تقارن متن"),
    *verified(gradient.SCORE_VARIANCE),
]

# %%
#| label: tbl-reparam-ledger
#| tbl-cap: بررسی گام‌های بازپارامتری‌سازی.
checks(entries(gradient_steps))
