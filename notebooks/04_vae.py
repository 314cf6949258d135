# %% [markdown]
r"""
# پیاده‌سازی خودرمزگذار وردشی {#sec-vae}

در این فصل خودرمزگذار وردشی (variational autoencoder، به‌اختصار VAE) را با معماری و تنظیم‌های صورت تمرین می‌سازیم،
آن را روی تصویرهای چهره آموزش می‌دهیم و سپس با آن تصویر می‌سازیم و لبخند چهره‌ها را کم و زیاد می‌کنیم.
پایهٔ نظری کار، یعنی حد پایین شواهد و ترفند بازپارامتری‌سازی، در @sec-vae-elbo و @sec-vae-reparam آمده است.
"""

# %% tags=["parameters"]
data: "Path" = ""
image_size: int = 128
batch_size: int = 128
learning_rate: float = 0.0005
epochs: int = 1000
train_fraction: float = 0.8
latent_dim: int = 200
beta: float = 1.0
gamma: float = 0.0
sigma: float = 0.0
dropout: float = 0.02
synthetic_faces: int = 3600
warmup: int = 0
flip: bool = False
jitter: bool = False
averaging: float = 0.0
seed: int = 0
run_dir: str = "build/runs/vae"
runs: "Path" = "report/runs"

# %%
import math
from datetime import date
from itertools import pairwise, zip_longest
from pathlib import Path

import matplotlib.pyplot as plt
import torch

from dgm.calculus.language.derivation import displayed
from dgm.calculus.identities import loss
from dgm.calculus.checking.ledger import entries, state
from dgm.calculus.checking.store import verified
from dgm.calculus.checking.verification import prove_minimum
from dgm.vae.analysis import latent, quality, smile
from dgm.vae.analysis.bound import bounds
from dgm.vae.analysis.cached import Cache
from dgm.vae.analysis.linear import linear_anchor
from dgm.vae.analysis.overfitting import overfitting
from dgm.vae.analysis.refine import RATE as FIRST_RATE
from dgm.vae.analysis.refine import STEPS as REFINING
from dgm.vae.analysis.refine import refinements
from dgm.vae.analysis.shares import measured_faces
from dgm.vae.common.device import cpu_threads
from dgm.vae.experiments import ablation
from dgm.vae.images.faces import load_faces, stratified_split
from dgm.vae.images.loader import FaceLoader
from dgm.vae.images.picture import image_grid, interleaved_rows
from dgm.vae.model import inference, objective
from dgm.vae.model import vae as model_source
from dgm.vae.model.plain import plain, train_epoch
from dgm.vae.model.prior import fit_prior, standard_prior
from dgm.vae.model.summary import summary
from dgm.vae.model.vae import VAE, Decoder, Encoder, Posterior, reparameterize
from dgm.vae.training import record as checkpoint
from dgm.vae.training.factor import FactorConfig
from dgm.vae.training.loop import TrainingConfig, train, train_factor
from dgm.vae.training.record import find_record
from dgm.vae.worlds.faces import synthetic_faces as draw_faces
from dgm.errors import ModelError
from gozaresh.author import Table, checks, fa, markdown, persian_ticks, report_style, show_source

report_style()

# %%
faces = load_faces(data, image_size, Path("build/images")) if data else Cache(Path("build/images"))(draw_faces, synthetic_faces, image_size, seed)
split = stratified_split(faces.smiling, train_fraction, seed, faces.content)
about = faces.report
smiling_train, smiling_valid = (int(faces.smiling[part].sum()) for part in (split.train, split.valid))

# %% [markdown]
r"""
## بارگذاری داده {#sec-vae-data}

صورت تمرین تصویرها را در پوشه‌ای با دو دستهٔ «smile» و «non-smile» می‌دهد.
تابع `load_faces` یک پوشه یا یک فایل zip را می‌خواند و نام دسته‌ها را با آسان‌گیری می‌شناسد، مثلاً `Not-Smiling` یا `non_smile`.
هر تصویر به RGB تبدیل می‌شود، میانهٔ مربعی آن بریده می‌شود و به اندازهٔ خواسته‌شده درمی‌آید.
فایل‌هایی که تصویر سالمی نیستند کنار گذاشته و شمرده می‌شوند، و اگر بیش از یک‌دهم فایل‌ها چنین باشند کار با خطا می‌ایستد.
سپس داده با نسبت خواسته‌شدهٔ جدول ۲ صورت تمرین به دو بخش آموزش و اعتبارسنجی تقسیم می‌شود؛
این تقسیم با یک دانهٔ تصادفی ثابت است و سهم هر دو دسته در هر دو بخش یکسان می‌ماند.
اگر فایلی رونوشت فایل دیگری باشد، هر دو در بخش آموزش می‌مانند تا تصویر اعتبارسنجی به‌راستی دیده‌نشده باشد.

تصویرها یک بار خوانده می‌شوند و با هشت بیت برای هر رنگ در حافظه می‌مانند، تا آموزش در هر دوره دوباره آن‌ها را رمزگشایی نکند.
کلاس `FaceLoader` در @lst-vae-loader از آن‌ها دسته می‌سازد:
هر دسته تنسوری اعشاری است که مقدارهایش به بازهٔ صفر تا یک برده شده‌اند، زیرا خروجی سیگموئید رمزگشا در همین بازه است. این همان تبدیل «normalize, to tensor» صورت تمرین است که با `ToDtype` و `Normalize` از `torchvision.transforms.v2` انجام می‌شود: میانگین صفر و مقیاس ۲۵۵.
ترتیب تصویرهای آموزش در هر دوره از نو برهم می‌خورد و واپسین دستهٔ ناقص، اگر تنها دسته نباشد، کنار می‌ماند، زیرا آمارهٔ نرمال‌سازی دسته‌ای در دستهٔ کوچک پرنوسان است.
"""

# %%
#| label: lst-vae-loader
#| lst-cap: کلاس بارگذار داده که تصویرها را دسته‌دسته به مدل می‌دهد
show_source(FaceLoader, docstrings=False)

# %%
if about.synthetic:
    text = (
        "**این اجرا روی چهره‌های ساختگی است، نه عکس.** چون پوشهٔ داده‌ای به برنامه داده نشده، چهره‌ها را خود برنامه کشیده است. "
        "پیمانهٔ `dgm.vae.worlds.faces` هر چهره را از دوازده عامل معلوم (لبخند، سه زاویهٔ سر، رنگ پوست، رنگ و بلندی مو، بازی چشم و دهان، ابرو، "
        "نور و پس‌زمینه) می‌سازد. لبخند هر چهره عددی میان ۱− و ۱ است و چهره‌هایی که این عدد برایشان مثبت است دستهٔ «smile» را می‌سازند. "
        "با `make report DATA=faces.zip` همین فصل روی تصویرهای واقعی اجرا می‌شود.")
else:
    text = (f"داده از `{about.source}` خوانده شده است؛ این تصویرها عکس‌های واقعی‌اند. "
            "مجموعهٔ همراه تمرین بخشی از GENKI-4K است [@genki4k].")
    if about.skipped:
        names = "، ".join(f"`{Path(file.name).name}` ({file.reason})" for file in about.skipped[:5])
        text += f" {fa(len(about.skipped))} فایل تصویر سالمی نبود و کنار گذاشته شد: {names}."
    else:
        text += " همهٔ فایل‌ها سالم بودند."
    if about.repeated:
        both = sum(group.both_classes for group in about.repeated)
        text += f" {fa(len(about.repeated))} تصویر بیش از یک بار آمده بود"
        text += f" که {fa(both)} تای آن‌ها در هر دو دسته است و برچسبشان را باید دوباره دید." if both else "."
markdown(text)

# %% [markdown]
r"""
شمار تصویرها در @tbl-vae-data و چند تصویر تصادفی از بخش آموزش در @fig-vae-faces آمده است.
"""

# %%
#| label: tbl-vae-data
#| tbl-cap: شمار تصویرها در هر بخش و هر دسته
Table(["بخش", "با لبخند", "بی‌لبخند", "همه"], [
    ["آموزش", smiling_train, len(split.train) - smiling_train, len(split.train)],
    ["اعتبارسنجی", smiling_valid, len(split.valid) - smiling_valid, len(split.valid)],
    ["همه", smiling_train + smiling_valid, len(faces) - smiling_train - smiling_valid, len(faces)],
], "lrrr")

# %%
#| label: fig-vae-faces
#| fig-cap: 'بیست‌وچهار تصویر تصادفی از بخش آموزش، در اندازهٔ `{python} f"{image_size} × {image_size}"`'
#| fig-alt: شبکه‌ای از تصویرهای چهره در سه سطر و هشت ستون؛ برخی لبخند دارند و برخی ندارند
#| fig-width: 88%
image_grid(next(iter(FaceLoader(faces.images, split.train, 24, shuffle=False))), 8)

# %% [markdown]
r"""
## مدل {#sec-vae-model}

### معماری

@tbl-vae-architecture معماری جدول ۱ صورت تمرین را با اندازهٔ خروجی هر لایه نشان می‌دهد.
صورت تمرین سه جا نیاز به تفسیر دارد و برداشت ما چنین است.
نخست، دو سطر `Linear` آن یعنی رمزگذار (encoder) بردار ویژگی را به میانگین و لگاریتم واریانس با بُعد `h_dim` می‌برد و رمزگشا (decoder) از بُعد `h_dim` به بردار ویژگی بازمی‌گردد.
دوم، عدد ۴۰۹۶ برابر $64\cdot 8\cdot 8$ است، پس هر یک از چهار لایهٔ کانولوشنی باید طول و عرض تصویر ۱۲۸ پیکسلی را نصف کند تا به ۸ برسد.
برای همین گام (stride) هر کانولوشن رمزگذار ۲ است و رمزگشا پیش از هر کانولوشن، تصویر را با تکرار نزدیک‌ترین همسایه دو برابر می‌کند.
سوم، صورت تمرین دو بار dropout می‌گوید؛ نخستین را نرمال‌سازی دسته‌ای می‌خوانیم.

پس از هر لایهٔ پنهان تابع ReLU می‌آید؛ لایه‌های کانولوشنی نرمال‌سازی دسته‌ای (batch normalization) [@ioffe2015] و برون‌اندازی (dropout) [@srivastava2014] هم دارند.
مقدار برون‌اندازی در این اجرا `{python} dropout` است.
آن را کوچک گرفته‌ایم، زیرا نویز نمونه‌برداری از توزیع پسین خود یک منظم‌ساز است؛ اثر مقدارهای دیگر در @tbl-vae-ablation آمده است.
لایهٔ پایانی استثناست: خروجی آن میانگین پیکسل‌ها در بازهٔ صفر تا یک است، پس به‌جای این سه، تابع سیگموئید (sigmoid) دارد.
دو لایهٔ خطی میانگین و لگاریتم واریانس هم ReLU ندارند، زیرا مقدارشان باید منفی هم بشود؛ لگاریتم واریانس به بازهٔ $[-12,8]$ بریده می‌شود.
"""

# %%
#| label: tbl-vae-architecture
#| tbl-cap: 'لایه‌های مدل، اندازهٔ خروجی هر یک و شمار پارامترهایش، که روی‌هم `{python} sum(row.parameters for row in layers)` است؛ اندازه‌ها برای تصویر `{python} image_size` پیکسلی و `{python} latent_dim` بُعد نهان است. `s` گام کانولوشن است و پس از هر BatchNorm2d تابع ReLU و برون‌اندازی، و پس از Linear رمزگشا تنها ReLU می‌آید، که پارامتری ندارند.'
layers = summary(VAE(image_size, latent_dim, dropout))
halves = [[[f"`{row.layer.replace('stride ', 's=')}`", f"\u2066{fa(' × '.join(map(str, row.shape)))}\u2069", fa(row.parameters)]
           for row in layers if row.part == part and (row.parameters or row.layer in ("Flatten", "Unflatten"))]
          for part in ("encoder", "decoder")]
Table(["رمزگذار", "خروجی", "پارامتر", "رمزگشا", "خروجی", "پارامتر"],
      [left + right for left, right in zip_longest(*halves, fillvalue=["", "", ""])], "lcrlcr")

# %%
torch.manual_seed(seed)
compared = faces.images[split.valid[:8]].float() / 255
ours = VAE(image_size, latent_dim, dropout).eval()
with torch.no_grad():
    outputs = [net(compared, torch.zeros(len(compared), latent_dim))[0] for net in (ours, plain(ours))]
plain_difference = float((outputs[0] - outputs[1]).abs().max())

# %% [markdown]
r"""
متن کلاس `VAE` با رمزگذار و رمزگشایش در @lst-vae-model آمده است.
دو تابع `_down` و `_up` هر کانولوشن را با نرمال‌سازی دسته‌ای، ReLU و برون‌اندازی همراه می‌کنند؛
`IMAGE_SIZES` برای هر اندازهٔ مجاز تصویر می‌گوید چند کانولوشن باید اندازه را نصف کنند و `_check` مقدارهای نامجاز را رد می‌کند.

دو لایه در این متن نام دیگری دارند تا روی پردازندهٔ مرکزی چند برابر تندتر باشند، ولی همان تابع جدول ۱ را حساب می‌کنند:
`UpConv2d` همان `Upsample` و سپس `Conv2d` است و `ReluDropout` همان `ReLU` و سپس `Dropout`. @lst-vae-plain این دو را با لایه‌های معمول PyTorch جایگزین می‌کند.
`{python} f"در همین اجرا، روی {fa(len(compared))} تصویر و در حالت ارزیابی، بزرگ‌ترین تفاوت پیکسلی خروجی دو مدل {fa(f'{plain_difference:.1e}')} بود که از گرد کردن ممیز شناور است."` برابری گرادیان‌ها را هم آزمون‌های برنامه می‌سنجند.
"""

# %%
#| label: lst-vae-model
#| lst-cap: کلاس VAE، با رمزگذار و رمزگشا به ترتیب جدول ۱ صورت تمرین
show_source(model_source._down, Encoder, model_source._up, Decoder, VAE, docstrings=False)

# %%
#| label: lst-vae-plain
#| lst-cap: همان مدل با لایه‌های معمول PyTorch
show_source(plain, docstrings=False)

# %% [markdown]
r"""
### ترفند بازپارامتری‌سازی

رمزگذار برای هر تصویر میانگین $\mu(x)$ و لگاریتم واریانس $\log\sigma^2(x)$ را می‌دهد و نمونهٔ نهان با

$$z=\mu(x)+\sigma(x)\odot\epsilon,\qquad \epsilon\sim\mathcal N(0,I)$$ {#eq-vae-sample}

ساخته می‌شود [@kingma2014]. @lst-vae-reparam درست همین است:
تصادف تنها در $\epsilon$ است که به پارامترها وابسته نیست، پس گرادیان از $z$ به $\mu$ و $\sigma$ می‌گذرد.
"""

# %%
#| label: lst-vae-reparam
#| lst-cap: ترفند بازپارامتری‌سازی
show_source(reparameterize, docstrings=False)

# %% [markdown]
r"""
## تابع هزینه و آموزش {#sec-vae-loss}

### تابع هزینه

هزینه، که آن را $\ell_\beta$ می‌نامیم، با $\beta$ برابر یک منفی حد پایین شواهد است:

$$\ell_\beta(x)=\underbrace{-\mathbb E_{q(z\mid x)}[\log p(x\mid z)]}_{\text{بازسازی}}+\beta\,\underbrace{D_{\mathrm{KL}}(q(z\mid x)\,\|\,p(z))}_{\text{واگرایی}}.$$ {#eq-vae-loss}

در این اجرا $\beta$ برابر `{python} beta` است`{python} f" و مدل یک FactorVAE است: {fa(gamma)} برابرِ همبستگی کلِ برآوردشده، که در فصل نظریهٔ جداسازی تعریف می‌شود، به هزینه افزوده شده است" if gamma else ""`. توزیع پیشین $p(z)=\mathcal N(0,I)$ است و جملهٔ دوم فرم بسته دارد:
"""

# %%
#| label: eq-vae-kl
displayed(r"\begin{gathered}", loss.KL[0], r",\\ ", loss.KL[1], r"\end{gathered}")

# %% [markdown]
r"""
درست‌نمایی را گاوسی می‌گیریم، $p(x\mid z)=\mathcal N(x;\hat x(z),s^2I)$؛ پس جملهٔ بازسازی برای تصویری با $D$ عدد چنین است:

$$-\log p(x\mid z)=\frac D2\log(2\pi s^2)+\frac{\|x-\hat x(z)\|_2^2}{2s^2}.$$ {#eq-vae-nll}

در سراسر فصل $s$ انحراف معیار درست‌نمایی است و $\sigma(x)$ انحراف معیار رمزگذار؛ نام $s$ در برنامه و پارامترها `sigma` است.
مقدار $s$ وزن دو جمله را نسبت به هم تعیین می‌کند و انتخاب دلخواه آن همان کار $\beta$ را پنهانی می‌کند.
از این رو آن را ثابت نمی‌گیریم: کمینهٔ @eq-vae-nll نسبت به $s^2$ میانگین مربع خطاست و ما همین مقدار بهینه را در هر دستهٔ آموزش به کار می‌بریم [@rybkin2021]؛ در اعتبارسنجی میانگین لغزان همین مقدارها، که از آموزش مانده است، به کار می‌رود.
اگر پارامتر `sigma` عددی جز صفر باشد، همان عدد به‌جای مقدار بهینه می‌نشیند.
هر دو جمله بر حسب نات (nat)، جمع روی پیکسل‌ها یا بُعدهای نهان و میانگین روی دسته‌اند.
چون @eq-vae-nll لگاریتم یک چگالی پیوسته است، مقدار آن می‌تواند منفی باشد.
@tbl-vae-ledger می‌گوید هر معادلهٔ این فصل چگونه بررسی شده است و پیاده‌سازی در @lst-vae-loss آمده است.
"""

# %%
#| label: tbl-vae-ledger
#| tbl-cap: بررسی معادله‌های این فصل
checks(entries([
    state("eq-vae-sample", "تعریف نمونه؛ مؤلفه‌ها جداگانه چنین‌اند"),
    *verified(loss.SAMPLE),
    state("eq-vae-loss", "تعریف تابع هزینه: منفی $L_\\beta$ که در فصل نظریهٔ جداسازی به دست می‌آید"),
    *verified([*loss.KL, loss.PIXELS]),
    state("eq-vae-nll", "فرض مدل: عددهای تصویر به شرط $z$ مستقل‌اند، پس لگاریتم‌ها جمع می‌شوند"),
    prove_minimum("eq-vae-nll", "کمینهٔ سراسری آن نسبت به واریانس: میانگین مربع خطا", loss.BY_VARIANCE, loss.BEST_VARIANCE),
    state("eq-vae-prior", "شکل ماتریسی آن در همهٔ راستاها با هم"),
    prove_minimum("eq-vae-prior", "بهترین گاوسی در هر راستا: میانگین و واریانس $q(z)$", loss.CROSS_ENTROPY, loss.BEST_PRIOR),
    state("eq-vae-smile", "تعریف بردار لبخند، بنا بر صورت پرسش"),
]))

# %%
#| label: lst-vae-loss
#| lst-cap: دو جملهٔ تابع هزینه
show_source(objective.kl_standard_normal, objective.negative_log_likelihood, objective.loss, objective.elbo_terms, docstrings=False)

# %%
torch.manual_seed(seed)
practice = VAE(image_size, latent_dim, dropout)
few = FaceLoader(faces.images, split.train[:4 * 32], 32, torch.Generator().manual_seed(seed))
adam = torch.optim.Adam(practice.parameters(), lr=learning_rate)
practised = train_epoch(practice, few, adam, torch.Generator().manual_seed(seed + 1), beta)

# %% [markdown]
r"""
### حلقهٔ آموزش

@lst-vae-epoch یک دورهٔ آموزش را نشان می‌دهد. همین تابع در همین اجرا روی `{python} len(practised)` دستهٔ ۳۲ تصویری از وزن‌های تصادفی آغاز شد و هزینه را از `{python} f"{practised[0]:.0f}"` به `{python} f"{practised[-1]:.0f}"` نات رساند.
آموزش اصلی گزارش همین گام‌ها را برمی‌دارد و افزون بر آن‌ها نرخ یادگیری را پایین می‌آورد، تصویرها را اگر خواسته شود افزایش می‌دهد، پس از هر دوره اعتبارسنجی می‌کند و حالت خود را نگه می‌دارد تا پس از قطع شدن از همان‌جا پی گرفته شود؛
در آزمون‌های برنامه سنجیده می‌شود که هر دو به یک وزن می‌رسند.
"""

# %%
#| label: lst-vae-epoch
#| lst-cap: یک دوره از آموزش
show_source(train_epoch, docstrings=False)

# %% [markdown]
r"""
### تنظیم‌های آموزش

@tbl-vae-settings مقدارهای جدول ۲ صورت تمرین را کنار مقدارهای همین اجرا می‌گذارد.
بهینه‌ساز Adam است [@kingma2015]؛ صورت تمرین از نرخ یادگیری «آغازین» سخن می‌گوید و ما آن را در طول آموزش با تابع کسینوس تا صفر پایین می‌آوریم.
وزن‌های دوره‌ای که هزینهٔ اعتبارسنجی در آن کمترین بوده است کنار وزن‌های دورهٔ پایانی نگه داشته می‌شوند و آنچه پس از آموزش می‌آید با آن‌ها ساخته می‌شود؛ چون دوره با همین تصویرهای اعتبارسنجی برگزیده می‌شود، سنجش روی آن‌ها اندکی خوش‌بینانه است.
"""

# %%
config = TrainingConfig(
    epochs=epochs, batch_size=batch_size, learning_rate=learning_rate, latent_dim=latent_dim, beta=beta, sigma=sigma,
    dropout=dropout, seed=seed, warmup=warmup, flip=flip, jitter=jitter, averaging=averaging)
factored = train_factor(faces, split, FactorConfig(config, gamma), Path(run_dir)) if gamma else None
recorded = None if gamma else find_record(Path(runs), faces, split, config)
trained = factored.vae if factored else recorded or train(faces, split, config, Path(run_dir))
if recorded is None:
    checkpoint.save(trained, about, Path(run_dir))
keep = Cache(Path(run_dir), Path(runs) / trained.origin.name / "analyses" if trained.origin else None)
model, history = trained.model, trained.history
final = trained.unseen
psnr = objective.psnr(final.squared_error)
pixels = 3 * image_size**2
bits = (final.reconstruction + final.kl) / (pixels * math.log(2)) + math.log2(255)  # a level is 1/255 wide

# %%
#| label: tbl-vae-settings
#| tbl-cap: تنظیم‌های آموزش در صورت تمرین و در این اجرا
def against(sheet, used):
    return [fa(sheet), fa(used), "" if sheet == used else "●"]


Table(["پارامتر", "جدول ۲ صورت تمرین", "این اجرا", "متفاوت"], [
    ["اندازهٔ تصویر", *against("128 × 128", f"{image_size} × {image_size}")],
    ["اندازهٔ دسته", *against(128, batch_size)],
    ["تبدیل", "normalize, to tensor", "تنسور در بازهٔ صفر تا یک", ""],
    ["نسبت آموزش به اعتبارسنجی", *against("0.8 به 0.2", f"{train_fraction:g} به {1 - train_fraction:g}")],
    ["بهینه‌ساز", "Adam", "Adam", ""],
    ["نرخ یادگیری آغازین", *against(0.0005, learning_rate)],
    ["شمار دوره‌ها", *against(1000, trained.epochs)],
    ["افزایش داده", "گفته نشده", "، ".join(["آینه"] * flip + ["جابه‌جایی، چرخش، بزرگ‌نمایی و روشنایی"] * jitter) or "ندارد", ""],
    ["میانگین‌گیری از وزن‌ها", "گفته نشده", fa(averaging) if averaging else "ندارد", ""],
], "lrrc")

# %%
ablated = ablation.summaries(ablation.recorded(Path(runs) / "ablation"))
base = ablation.BASE


def spread(summary, name, digits):
    """میانگین و انحراف معیار روی دانه‌ها."""
    centre, deviation = summary.findings[name]
    return f"\u2066{fa(f'{centre:.{digits}f}')} ± {fa(f'{deviation:.{digits}f}')}\u2069"


markdown("""### چرا این تنظیم‌ها

صورت تمرین مقدار برون‌اندازی، بُعد نهان و واریانس درست‌نمایی را به انتخاب ما گذاشته است.
اثر برون‌اندازی، واریانس درست‌نمایی، گرم کردن KL، آینه کردن تصویرهای آموزش، بُعد نهان و شکل رمزگشا را سنجیده‌ایم؛
در سطر «کانولوشن ترانهاده» هر دو برابر کردن و کانولوشنِ رمزگشا یک کانولوشن ترانهادهٔ ۴ در ۴ با وزن‌های آزاد است.
کیفیت بازسازی را با نسبت بیشینهٔ سیگنال به نویز (peak signal-to-noise ratio، به‌اختصار PSNR) می‌گوییم: ده برابر لگاریتم اعشاری وارون میانگین مربع خطا، زیرا بیشترین مقدار پیکسل یک است.
""" + (f"""برای این کار هر بار یک چیز را عوض کرده و با {fa(ablated[0].seeds)} دانهٔ تصادفی آموزش داده‌ایم: {fa(base.epochs)} دوره روی {fa(ablation.FACES)} چهرهٔ ساختگیِ {fa(ablation.IMAGE_SIZE)} پیکسلی، با دسته‌های {fa(base.batch_size)}تایی.
این آزمایش در همین اجرا تکرار نشده است؛ @tbl-vae-ablation از سندی می‌آید که با همین برنامهٔ مدل، یا نسخه‌ای از آن که بیت‌به‌بیت همان آموزش را می‌دهد، ساخته شده است.""" if ablated else
"""سندی از آزمایش این انتخاب‌ها که با برنامهٔ کنونی مدل ساخته شده باشد در این پوشه نیست و @tbl-vae-ablation تهی است؛ با `python -m dgm.vae ablation` ساخته می‌شود."""))

# %%
#| label: tbl-vae-ablation
#| tbl-cap: 'اثر هر انتخاب روی چهره‌های دیده‌نشده، میانگین ± انحراف معیار روی دانه‌ها؛ دو ستون آخر احتمال لبخند در گام نخست و ششم است.'
Table(["تنظیم", "PSNR (دسی‌بل)", "KL (نات)", "بُعد فعال", "لبخند، گام ۱", "لبخند، گام ۶"],
      [[s.variant, spread(s, "psnr", 2), spread(s, "kl", 0), spread(s, "active", 0), spread(s, "smile_first", 2), spread(s, "smile_last", 2)]
       for s in ablated] or [["—"] * 6], "lccccc")

# %%
text = ""
if ablated:
    best, worst = (choose(ablated, key=lambda s: s.findings["psnr"][0]) for choose in (max, min))
    happiest = max(ablated, key=lambda s: s.findings["smile_last"][0])
    reached = {s.variant: spread(s, "psnr", 2) for s in ablated}
    text = (f"در این آزمایش بیشترین PSNR از آنِ «{best.variant}» و کمترین از آنِ «{worst.variant}» است. "
            f"PSNR با برون‌اندازی {fa(base.dropout)} برابر {reached.get('پایه', '—')}، بی برون‌اندازی {reached.get('بی برون‌اندازی', '—')} و با برون‌اندازی ۰٫۲ برابر {reached.get('برون‌اندازی ۰٫۲', '—')} دسی‌بل است؛ "
            f"چون صورت تمرین برون‌اندازی را خواسته است مقدار کوچک {fa(dropout)} را به کار برده‌ایم. "
            f"با آینه کردن تصویرهای آموزش PSNR برابر {reached.get('آینه کردن تصویرها', '—')} است؛ آینه کردن {'در این اجرا به کار رفته است' if flip else 'در این اجرا، چون صورت تمرین آن را نخواسته، به کار نرفته است'}؛ "
            f"با ۶۴ بُعد نهان این مقدار {reached.get('بُعد نهان ۶۴', '—')} و با کانولوشن ترانهاده {reached.get('کانولوشن ترانهاده', '—')} است. "
            "تفاوت‌هایی که از انحراف معیارها بزرگ‌تر نیستند چیزی نمی‌گویند، و آموزشی چنین کوتاه نمی‌گوید که در آموزش بلند کدام بهتر است. "
            f"بیشترین میانگین احتمال لبخند در گام ششم، {spread(happiest, 'smile_last', 2)}، از آنِ «{happiest.variant}» است؛ همه به یک اندازه آموزش دیده‌اند، ولی این آزمایش جدا نمی‌کند که پایین‌تر بودن این احتمال در تنظیم‌های دیگر از خود تنظیم است یا از آهسته‌تر شدن آموزش با آن.")
markdown(text)

# %%
def device_named(device):
    """دستگاه به فارسی؛ نام کارت گرافیک همان که هست."""
    threads = cpu_threads(device)
    precision = " و ضرب‌های bfloat16" if device.endswith("bfloat16") else ""
    return f"پردازندهٔ مرکزی (CPU) با {fa(threads)} ریسه (thread){precision}" if threads else f"`{device}`"


def device_of(trained):
    """دستگاه آموزش؛ اگر آموزش جای دیگری آغاز شده باشد، همهٔ آن‌ها به ترتیب."""
    earlier = [f"{device_named(one.device)} تا دورهٔ {fa(following.first - 1)}" for one, following in pairwise(trained.segments)]
    return " و سپس ".join([*earlier, device_named(trained.device)])


def restarts_of(trained):
    """جاهایی که آموزش نه از حالت کامل خود که از یک سند پی گرفته شده است."""
    first = [fa(segment.first) for segment in trained.segments if segment.from_record]
    return "" if not first else (
        f" آموزش در آغاز دورهٔ {' و دورهٔ '.join(first)} از سند نیمه‌کاره‌ای پی گرفته شده که گشتاورهای Adam را نگه نمی‌دارد: "
        "ترتیب دسته‌ها همان است که در آموزش یک‌تکه می‌بود، ولی وزن‌ها یک بار گرد شده‌اند، گشتاورها از صفر آغاز شده‌اند و نویز از دانهٔ دیگری آمده است.")


origin = trained.origin
if origin:
    text = (f"**این مدل در همین اجرا آموزش ندیده است.** گزارش سند `{runs}/{origin.name}` را به کار برده که در {fa(date.fromisoformat(origin.date))} "
            f"روی {device_of(trained)} در {fa(f'{trained.seconds / 60:.0f}')} دقیقه با همین داده، همین تقسیم، همین تنظیم‌ها و {'برنامه‌ای هم‌ارز برنامهٔ کنونی مدل' if origin.made_by else 'همین برنامهٔ مدل'} ساخته شده است؛ "
            "این‌ها با چکیدهٔ SHA-256 سنجیده می‌شوند و اگر یکی عوض شود سند کنار می‌رود و مدل از نو آموزش می‌بیند. "
            + ("برنامه پس از ساخته شدن سند بازآرایی شده است؛ «هم‌ارز» یعنی که هر دو نسخه با تنظیم‌های همین سند، در چند گام که از پایان یک دوره هم می‌گذرد، بیت‌به‌بیت یک حالت را داده‌اند. " if origin.made_by else "") +
            "وزن‌ها با دقت bfloat16 نگه داشته شده‌اند؛ هر چه پس از آموزش می‌آید، از بازسازی تا لبخند، در همین اجرا حساب شده است.")
else:
    duration = f"در {fa(f'{trained.seconds:.0f}')} ثانیه " if trained.seconds else ""
    text = f"مدل در همین اجرا روی {device_of(trained)} {duration}آموزش دیده است."
if trained.best_epoch:
    text += f" وزن‌های به‌کاررفته از دورهٔ {fa(trained.best_epoch)}اند که هزینهٔ اعتبارسنجی در آن کمترین بود."
text += restarts_of(trained)
if factored:
    last = factored.history.factor[-1]
    text += (f" متمایزگر FactorVAE [@kim2018] با الگوریتم ۲ مقاله همراه آن آموخته و در دورهٔ پایانی همبستگی کل را {fa(f'{last.total_correlation:.2f}')} نات برآورد کرده است؛ "
             f"در آن دوره {fa(f'{100 * last.accuracy:.0f}')} درصد نمونه‌ها را درست بازشناخته است.")
if not trained.finished:
    text += f" از {fa(epochs)} دورهٔ برنامه‌ریزی‌شده {fa(trained.epochs)} دوره انجام شده است، پس نرخ یادگیری هنوز به صفر نرسیده بود."
markdown(text)

# %%
differences = [f"{name} {fa(used)} به‌جای {fa(sheet)}" for name, used, sheet in (
    ("شمار دوره‌ها", trained.epochs, 1000), ("طول و عرض تصویر", image_size, 128), ("اندازهٔ دسته", batch_size, 128),
    ("نرخ یادگیری آغازین", learning_rate, 0.0005), ("سهم آموزش", train_fraction, 0.8)) if used != sheet]
if differences:
    text = ("**تنظیم‌های این اجرا همهٔ خواستهٔ صورت تمرین نیست:** " + "؛ ".join(differences) + "."
            + (f" این مقدارها برای آن است که آموزش بی‌کارت گرافیک هم در {'زمانی معقول' if origin else 'چند دقیقه'} به پایان برسد. "
               "با `make report PROFILE=paper` همین فصل با مقدارهای جدول ۲ اجرا می‌شود." if trained.finished else ""))
else:
    text = "این اجرا با همهٔ تنظیم‌های جدول ۲ صورت تمرین انجام شده است."
markdown(text)

# %%
def curves(shown):
    """هر دو جمله بر حسب دوره، برای آموزش و اعتبارسنجی."""
    _, axes = plt.subplots(1, 2, figsize=(7.2, 2.9))
    x = range(1, len(shown.train) + 1)
    for ax, name, title in ((axes[1], "reconstruction", "بازسازی"), (axes[0], "kl", "واگرایی")):
        for part, label, style in ((shown.train, "آموزش", "-"), (shown.valid, "اعتبارسنجی", "--")):
            ax.plot(x, [getattr(metrics, name) for metrics in part], style, label=label, marker="o" if len(part) == 1 else "")
        ax.set_title(f"جملهٔ {title}")
        ax.set_xlabel("دوره")
        ax.set_ylabel("نات")
        ax.legend()
        ax.xaxis.get_major_locator().set_params(integer=True)
        persian_ticks(ax)


sheet = checkpoint.load(Path(runs) / "paper") if (Path(runs) / "paper" / "run.json").is_file() else trained
sheet_least = min(range(sheet.epochs), key=lambda k: sheet.history.valid[k].loss())

# %% [markdown]
r"""
### روند آموزش

@fig-vae-history-sheet `{python} f"روند اجرای خواستهٔ صورت تمرین است: آموزشی با همهٔ مقدارهای جدول ۲ روی عکس‌ها، {fa(sheet.epochs)} دوره، دسته‌های {fa(sheet.config.batch_size)}تایی، نرخ یادگیری {fa(sheet.config.learning_rate)} و تصویر {fa(sheet.model.image_size)} پیکسلی. منحنی‌ها از سند آن خوانده شده‌اند و به داده نیاز ندارند." if sheet is not trained else "روند همین آموزش است، زیرا سند اجرای هزاردوره‌ای صورت تمرین در این پوشه نیست."`
در دورهٔ پایانی آن جملهٔ بازسازی آموزش `{python} f"{sheet.history.train[-1].reconstruction:.0f}"` و اعتبارسنجی `{python} f"{sheet.history.valid[-1].reconstruction:.0f}"` نات است و جملهٔ واگرایی `{python} f"{sheet.history.train[-1].kl:.0f}"` و `{python} f"{sheet.history.valid[-1].kl:.0f}"` نات.
کمترین هزینهٔ اعتبارسنجی در دورهٔ `{python} sheet_least + 1` بود`{python} f" و از آن پس {fa(f'{sheet.history.valid[-1].loss() - sheet.history.valid[sheet_least].loss():.0f}')} نات بالا رفت، در حالی که هزینهٔ آموزش همچنان پایین می‌آمد؛ یعنی این آموزش، که بدون افزایش داده بود، بیش‌برازش شده است" if overfitting(sheet.history) else ""`.
"""

# %%
#| label: fig-vae-history-sheet
#| fig-cap: 'جملهٔ بازسازی (راست) و جملهٔ واگرایی (چپ) در `{python} sheet.epochs` دورهٔ آموزش با مقدارهای جدول ۲ صورت تمرین، بر حسب نات برای هر تصویر'
#| fig-alt: دو نمودار بر حسب دوره، یکی از جملهٔ بازسازی و یکی از جملهٔ واگرایی؛ در هر یک منحنی آموزش و منحنی اعتبارسنجی
#| fig-width: 100%
curves(sheet.history)

# %% [markdown]
r"""
**آموزش همین گزارش.** @fig-vae-history هر دو جمله را در هر دوره برای تصویرهای آموزش و اعتبارسنجی نشان می‌دهد.
جملهٔ آموزش میانگین دسته‌های همان دوره است، هنگامی که وزن‌ها در حال تغییرند و برون‌اندازی روشن است؛
جملهٔ اعتبارسنجی پس از پایان دوره، با آمارهٔ انباشتهٔ نرمال‌سازی دسته‌ای و بی برون‌اندازی، اندازه گرفته می‌شود.
به همین دلیل منحنی اعتبارسنجی می‌تواند بهتر از منحنی آموزش باشد؛ در دورهٔ پایانی جملهٔ بازسازی آموزش `{python} f"{history.train[-1].reconstruction:.0f}"` و از آنِ اعتبارسنجی `{python} f"{final.reconstruction:.0f}"` نات است.
"""

# %%
#| label: fig-vae-history
#| fig-cap: 'جملهٔ بازسازی (راست) و جملهٔ واگرایی (چپ) در `{python} trained.epochs` دورهٔ آموزش، بر حسب نات برای هر تصویر'
#| fig-alt: دو نمودار بر حسب دوره، یکی از جملهٔ بازسازی و یکی از جملهٔ واگرایی؛ در هر یک منحنی آموزش و منحنی اعتبارسنجی
#| fig-width: 100%
curves(history)

# %%
turn = overfitting(history)
markdown("" if turn is None else (
    f"هزینهٔ اعتبارسنجی، جمع دو جمله، در میانگین دوره‌های {fa(turn.first)} تا {fa(turn.last)} کمترین بود و از آن‌جا تا میانگین دوره‌های پایانی {fa(f'{turn.rise:.0f}')} نات بالا رفته، "
    f"در حالی که هزینهٔ آموزش {fa(f'{turn.fall:.0f}')} نات پایین آمده است: مدل بیش‌برازش (overfitting) شده است؛ @tbl-vae-amortization نشان می‌دهد که رمزگذار در آن چه سهمی دارد. "
    + ("" if trained.best_epoch else "این سند تنها وزن‌های آخرین دوره را دارد و آنچه در پی می‌آید با آن‌هاست.")))

# %% [markdown]
r"""
با وزن‌های به‌کاررفته، جملهٔ بازسازی روی تصویرهای دیده‌نشده `{python} f"{final.reconstruction:.0f}"` نات و جملهٔ واگرایی `{python} f"{final.kl:.1f}"` نات است.
میانگین مربع خطا `{python} f"{final.squared_error:.5f}"` است، یعنی PSNR `{python} f"{psnr:.1f}"` دسی‌بل.
این مقدارها با یک نمونهٔ $z$ از توزیع پسین به دست آمده‌اند، نه با میانگین آن.
منفی حد پایین شواهد `{python} f"{bits:.2f}"` بیت بر هر عدد تصویر است، اگر چگالی روی هر یک از ۲۵۶ سطح، به پهنای $1/255$، ثابت گرفته شود؛ این عدد کران بالایی برای طول کد تصویر است.
"""

# %%
linear = keep(linear_anchor, faces, split, 4)

# %% [markdown]
r"""
### یک آزمون دقیق

برای VAE خطی، یعنی رمزگذار و رمزگشای خطی و درست‌نمایی گاوسی، مقدار بهینهٔ حد پایین شواهد معلوم است: بیشینهٔ لگاریتم درست‌نمایی PCA احتمالاتی [@tipping1999]، که فرم بسته دارد [@lucas2019].
همین هزینه را روی `{python} linear.images` تصویر خاکستری ۸ در ۸ از بخش آموزش، یعنی `{python} linear.dimensions` عدد در هر تصویر، با `{python} linear.latent_dim` بُعد نهان کمینه کردیم:
حد پایین به `{python} f"{linear.bound:.4f}"` نات بر تصویر رسید و مقدار دقیق `{python} f"{linear.exact:.4f}"` نات است؛ تفاوت `{python} f"{linear.exact - linear.bound:.1e}"` نات است.
"""

# %%
posterior = keep(inference.encode, model, faces.images)
active = latent.active_units(posterior)
of = {name: Posterior(posterior.mean[part], posterior.log_variance[part]) for name, part in (("train", split.train), ("valid", split.valid))}
learned = trained.prior or fit_prior(of["train"])
standard = standard_prior(latent_dim)
valid_images = faces.images[split.valid].float() / 255
mean_reconstructions = inference.decode(model, of["valid"].mean)
mean_psnr, mean_ssim = quality.psnr(mean_reconstructions, valid_images), quality.ssim(mean_reconstructions, valid_images)
errors = (mean_reconstructions - valid_images).square().mean((1, 2, 3))
worst = errors.argsort(descending=True)[:8]
drawn = reparameterize(of["valid"], torch.randn(of["valid"].mean.shape, generator=torch.Generator().manual_seed(seed)))
drawn_psnr = quality.psnr(inference.decode(model, drawn), valid_images)
beside = f"{drawn_psnr:.1f} دسی‌بل" + (
    f"؛ فاصلهٔ این با {psnr:.1f} پایان آموزش از گرد شدن وزن‌های سند است" if trained.origin and f"{drawn_psnr:.1f}" != f"{psnr:.1f}" else "")

# %% [markdown]
r"""
## ساختن تصویر {#sec-vae-generate}

### بازسازی تصویرهای واقعی

@fig-vae-reconstructions سی‌ودو تصویر از بخش اعتبارسنجی را، که در آموزش دیده نشده‌اند، بالای بازسازی‌شان نشان می‌دهد:
تصویر به رمزگذار داده شده و رمزگشا بر میانگین $q(z\mid x)$ اعمال شده است.
با میانگین، PSNR روی همهٔ تصویرهای اعتبارسنجی `{python} f"{mean_psnr:.1f}"` دسی‌بل و شباهت ساختاری (SSIM) [@wang2004] `{python} f"{mean_ssim:.3f}"` است؛ PSNR با یک نمونهٔ $z$ و همین وزن‌ها `{python} beside`.
این تصویرها گزینش نشده‌اند؛ هشت بازسازی با بیشترین خطا در @fig-vae-worst آمده‌اند که خطای آن‌ها `{python} f"{errors[worst].mean() / errors.mean():.1f}"` برابر میانگین است.
کلیت چهره، نور و رنگ نگه داشته می‌شود و ریزه‌کاری‌ها نرم می‌شوند. یک علت شناختهٔ آن خود درست‌نمایی گاوسی است: کمترین مربع خطا را میانگینِ همهٔ تصویرهای سازگار با یک $z$ دارد، و میانگین از هر یک از آن‌ها نرم‌تر است.
"""

# %%
#| label: fig-vae-reconstructions
#| fig-cap: سی‌ودو تصویر دیده‌نشده (سطرهای فرد) و بازسازی هر یک درست زیر آن (سطرهای زوج)
#| fig-alt: هشت سطر و هشت ستون چهره؛ هر سطر زوج بازسازی سطر بالای خود است
#| fig-width: 88%
image_grid(interleaved_rows(valid_images[:32], mean_reconstructions[:32], 8), 8)

# %%
#| label: fig-vae-worst
#| fig-cap: هشت تصویر دیده‌نشده با بیشترین خطای بازسازی (سطر نخست) و بازسازی آن‌ها
#| fig-alt: دو سطر هشت‌تایی از چهره‌ها؛ سطر دوم بازسازی سطر نخست است
#| fig-width: 88%
image_grid(torch.cat([valid_images[worst], mean_reconstructions[worst]]), 8)

# %%
REFINED = 128  # از هر بخش
seen, unseen_part = keep(refinements, model, faces, split, beta, REFINED)

# %% [markdown]
r"""
### کاستی از رمزگذار است یا از رمزگشا؟

هر بازسازی دو گام دارد و هر کدام می‌تواند کاستی داشته باشد: رمزگذار باید $q(z\mid x)$ خوبی بدهد و رمزگشا باید از $z$ تصویر را بسازد.
رمزگذار میانگین و واریانس $q$ را برای همهٔ تصویرها با یک شبکه و در یک گذر می‌دهد؛
فاصلهٔ حد پایین شواهدی که از آن به دست می‌آید با آنچه بهترین گاوسی قطری برای همان یک تصویر می‌داد، شکاف سرشکن‌سازی (amortization gap) نام دارد [@cremer2018].

برای برآورد این شکاف وزن‌های مدل را ثابت نگه می‌داریم و برای هر تصویر، با آغاز از $q(z\mid x)$ رمزگذار، میانگین و لگاریتم واریانس را با `{python} REFINING` گام Adam، که نرخ آن از `{python} FIRST_RATE` تا صفر پایین می‌آید، در جهت کم شدن هزینهٔ همان تصویر جابه‌جا می‌کنیم؛ این همان استنباط وردشی برای تک‌تک تصویرهاست، با آغاز از پیشنهاد رمزگذار [@kimy2018].
حد پایین شواهد (@eq-elbo-jensen) برای هر $q$ برقرار است، پس آنچه پس از گام‌ها به دست می‌آید نیز حد پایینی برای همان مدل است؛ ولی این دیگر بازسازی با یک گذر رمزگذار نیست و $q$ از خود تصویر آموخته شده است.
@tbl-vae-amortization هر دو را برای `{python} len(seen.posterior.mean)` تصویر نخست بخش آموزش و `{python} len(unseen_part.posterior.mean)` تصویر نخست بخش اعتبارسنجی، با یک نمونهٔ $z$ و همان نویز، کنار هم می‌گذارد و @fig-vae-refined هشت تصویر دیده‌نشده را نشان می‌دهد.
"""

# %%
#| label: tbl-vae-amortization
#| tbl-cap: بازسازی با $q(z\mid x)$ رمزگذار و با $q(z\mid x)$ همان تصویر پس از گام‌ها، با یک نمونهٔ $z$
def amortization(name, found):
    return [name, *(fa(f"{objective.psnr(one.squared_error):.2f}") for one in (found.encoded, found.refined)),
            *(fa(f"{one.kl:.0f}") for one in (found.encoded, found.refined)), fa(f"{found.gap(beta):.0f}")]


Table(["بخش", "PSNR با رمزگذار (دسی‌بل)", "PSNR پس از گام‌ها", "KL با رمزگذار (نات)", "KL پس از گام‌ها", "کاهش هزینه (نات)"],
      [amortization("آموزش", seen), amortization("اعتبارسنجی", unseen_part)], "lccccc")

# %%
before, after = (theirs.loss(beta) - own.loss(beta) for own, theirs in (
    (seen.encoded, unseen_part.encoded), (seen.refined, unseen_part.refined)))
text = (f"با این گام‌ها هزینه روی تصویرهای آموزش {fa(f'{seen.gap(beta):.0f}')} و روی تصویرهای دیده‌نشده {fa(f'{unseen_part.gap(beta):.0f}')} نات کم می‌شود؛ "
        + ("این برآوردی از شکاف سرشکن‌سازی با یک نمونهٔ نویز برای هر تصویر است؛ در امید ریاضی، شکاف دست‌کم همین اندازه است، زیرا گام‌های بیشتر تنها می‌توانند از هزینه بکاهند. " if beta == 1 else
           f"این کاهش از هزینه‌ای است که واگرایی در آن ضریب β = {fa(beta)} دارد، پس خود شکاف سرشکن‌سازی، که با β = ۱ تعریف می‌شود، نیست. "))
if before > 0:
    text += f"هزینهٔ تصویرهای دیده‌نشده با رمزگذار {fa(f'{before:.0f}')} نات بیش از هزینهٔ تصویرهای آموزش است و پس از گام‌ها {fa(f'{abs(after):.0f}')} نات {'بیش' if after > 0 else 'کم'}تر. "
    if after < before:
        text += ("رمزگشا در هر دو اندازه‌گیری یکی است؛ پس آن بخش از فاصلهٔ دیده و نادیده که با این گام‌ها از میان رفت از رمزگذار بود، که روی تصویر تازه $q$ خوبی نمی‌دهد، "
                 + ("و بیشترِ فاصله همین است." if after < before / 2 else "و بخش بزرگ‌تر فاصله هنوز مانده است."))
    else:
        text += "پس این گام‌ها چیزی از فاصلهٔ دیده و نادیده کم نمی‌کنند."
markdown(text)

# %%
#| label: fig-vae-refined
#| fig-cap: هشت تصویر دیده‌نشده، بازسازی آن‌ها با میانگین $q(z\mid x)$ رمزگذار، و با میانگین $q(z\mid x)$ پس از گام‌ها
#| fig-alt: سه سطر و هشت ستون چهره؛ سطر نخست تصویرها، سطر دوم بازسازی با رمزگذار و سطر سوم بازسازی پس از گام‌ها
#| fig-width: 88%
image_grid(torch.cat([valid_images[:8], mean_reconstructions[:8], inference.decode(model, unseen_part.posterior.mean[:8])]), 8)

# %%
try:
    shares = keep(measured_faces, model, faces, split, learned, seed)
except ModelError:  # بستهٔ OpenCV در این محیط نیست و سند هم شمارش را ندارد
    shares = None
priors = [("$\\mathcal N(0,I)$", standard), ("گاوسی آموخته", learned)]
nats = [float(prior.kl(of["valid"]).mean()) for _, prior in priors]
bounded = [keep(bounds, model, faces, split, prior) for _, prior in priors]
gain = nats[0] - nats[1]

# %% [markdown]
r"""
### تصویرهای تازه از نویز

رمزگشا در آموزش تنها بردارهایی را دیده است که از توزیع پسین تجمیعی (aggregate posterior) $q(z)=\frac1N\sum_i q(z\mid x^{(i)})$ می‌آیند،
و این توزیع می‌تواند با $\mathcal N(0,I)$ فاصلهٔ زیادی داشته باشد [@hoffman2016].
بنا بر @eq-tc-theorem میانگین واگرایی جمع اطلاعات متقابل و $D_{\mathrm{KL}}(q(z)\,\|\,p(z))$ است و تنها جملهٔ دوم به توزیع پیشین بستگی دارد.
پس با رمزگذار ثابت، بهترین پیشین برای حد پایین خود $q(z)$ است [@tomczak2018] و در میان گاوسی‌ها آن که آنتروپی متقاطع را کمینه کند. اگر $\mu$ و $\Sigma$ میانگین و کوواریانس $q(z)$ باشند،

$$-\mathbb E_{q(z)}[\log\mathcal N(z;m,S)]=\frac12\log\det(2\pi S)+\frac12\operatorname{tr}\bigl(S^{-1}(\Sigma+(\mu-m)(\mu-m)^{\mathsf T})\bigr)$$ {#eq-vae-prior}

که تنها از راه $\mu$ و $\Sigma$ به $q(z)$ بستگی دارد. به ازای هر $S$ کمینهٔ آن در $m=\mu$ است، و آنگاه در $S=\Sigma$: با ویژه‌مقدارهای $\lambda_j$ ماتریس $S^{-1}\Sigma$، عبارت تا یک ثابت $\frac12\sum_j(\lambda_j-\log\lambda_j)$ است که هر جملهٔ آن در $\lambda_j=1$ کمینه می‌شود.
پس پیشین آموخته $p(z)=\mathcal N(\mu,\Sigma)$ است که از تصویرهای بخش آموزش به دست می‌آید. نوشتن آن به‌صورت $z=A\epsilon+\mu$ با $AA^{\mathsf T}=\Sigma$ و $\epsilon\sim\mathcal N(0,I)$ نشان می‌دهد که این همان مدل با یک لایهٔ خطی دیگر پیش از رمزگشاست و ورودی آن، چنان که صورت تمرین می‌خواهد، نویز تصادفی است.

@fig-vae-samples سی‌ودو تصویر است که با این لایه از نویز ساخته شده‌اند، بدون گزینش و با همان پراکندگی پیشین (دمای یک). @fig-vae-samples-standard همان رمزگشا را بدون این لایه، با $z\sim\mathcal N(0,I)$، نشان می‌دهد.
@tbl-vae-prior می‌گوید هر پیشین چند نات از حد پایین را می‌گیرد: پیشین آموخته `{python} f"{gain:.0f}"` نات بر تصویر بهتر است، و این بخشی است که $\mathcal N(0,I)$ به هدر می‌دهد.
`{python} f"آشکارساز چهرهٔ OpenCV [@viola2001] که از این مدل چیزی نمی‌داند، در {fa(shares.learned)} تصویر از {fa(shares.count)} تصویر پیشین آموخته چهره می‌یابد و در {fa(shares.standard)} تصویر از همین تعداد با N(0, I)؛ در خود تصویرهای دیده‌نشده {fa(shares.unseen)} و در بازسازی‌ها {fa(shares.reconstructed)}. {'پس بیشتر تصویرهای بدون این لایه چهرهٔ قابل تشخیص نیستند.' if shares.standard < shares.count / 2 else ''} میانگین فاصلهٔ دوبه‌دوی تصویرهای نو {fa(f'{100 * shares.samples.mean / shares.reconstructions.mean:.0f}')} درصد همین میانگین برای بازسازی‌هاست و نزدیک‌ترین دو تصویر نو {fa(f'{shares.samples.least / shares.reconstructions.least:.2f}')} برابر نزدیک‌ترین دو بازسازی از هم فاصله دارند." if shares else "شمردن چهره‌ها با آشکارساز بیرونی به بستهٔ OpenCV نیاز دارد که در این محیط نیست."`
از `{python} latent_dim` بُعد نهان `{python} active` بُعد فعال است، یعنی واریانس میانگین پسین روی داده در آن‌ها بیش از `{python} f"{latent.ACTIVE:g}"` است.
ستون آخر @tbl-vae-prior کران تنگ‌تری است: میانگین لگاریتم میانگین `{python} bounded[0].samples` وزن $p(x,z)/q(z\mid x)$ برای `{python} bounded[0].images` تصویر دیده‌نشده [@burda2016]، که در امید ریاضی هرگز از حد پایین شواهد کمتر نیست.
"""

# %%
#| label: tbl-vae-prior
#| tbl-cap: 'دو توزیع پیشین روی تصویرهای دیده‌نشده، بر حسب نات بر تصویر؛ حد پایین و حد با وزن اهمیت روی `{python} bounded[0].images` تصویر'
Table(["پیشین", "KL", "حد پایین شواهد", "حد با وزن اهمیت"],
      [[name, fa(f"{kl:.1f}"), fa(f"{one.elbo:.0f}"), fa(f"{one.weighted:.0f}")] for (name, _), kl, one in zip(priors, nats, bounded, strict=True)], "lccc")

# %%
#| label: fig-vae-samples
#| fig-cap: سی‌ودو تصویر از نویز تصادفی با پیشین آموخته
#| fig-alt: چهار سطر و هشت ستون تصویر که رمزگشا از نویز ساخته است
#| fig-width: 88%
generator = torch.Generator().manual_seed(seed + 1)
image_grid(inference.decode(model, learned.sample(32, generator)), 8)

# %%
#| label: fig-vae-samples-standard
#| fig-cap: سی‌ودو تصویر از نویز تصادفی $z\sim\mathcal N(0,I)$ با همان رمزگشا، بدون لایهٔ پیشین
#| fig-alt: چهار سطر و هشت ستون تصویر که رمزگشا مستقیم از نویز استاندارد ساخته است
#| fig-width: 88%
image_grid(inference.decode(model, torch.randn(32, latent_dim, generator=generator)), 8)

# %%
first_half, second_half = smile.halves(split)
judge, second_judge = keep(smile.train_probe, faces, first_half, seed), keep(smile.train_probe, faces, second_half, seed + 1)
smiles = keep(smile.smile_rows, model, faces, split, judge, second_judge)
walked = smile.walked_faces(faces, split)
direction = latent.smile_direction(posterior.mean, faces.smiling)
share = float(direction.vector.square().max() / direction.vector.square().sum())
allowed = smiles.good.nonzero().flatten().tolist()
shown = (allowed + [k for k in range(len(walked)) if k not in allowed])[:4]
inside = float((smiles.distance <= 1).all(1).float().mean())
untorn = float((smiles.mouth <= 1).all(1).float().mean())

# %% [markdown]
r"""
## لبخند در فضای نهان {#sec-vae-smile}

میانگین بردار نهان را روی همهٔ تصویرهای هر دسته می‌گیریم و تفاضل آن‌ها را بردار لبخند می‌نامیم:

$$v=\bar z_{\text{smile}}-\bar z_{\text{non-smile}},\qquad \bar z_{c}=\frac1{N_c}\sum_{i:\,y_i=c}\mu\bigl(x^{(i)}\bigr).$$ {#eq-vae-smile}

با افزودن $a\,v$ به بردار نهان یک تصویر، لبخند آن کم یا زیاد می‌شود؛ $a$ منفی از لبخند می‌کاهد و $a$ مثبت بر آن می‌افزاید.
جهت تفاضل تنها علامت $a$ را عوض می‌کند: صورت تمرین تفاضل را وارونه می‌نویسد و از این رو جمع و تفریق جای خود را عوض می‌کنند.

بردار میانگین از همهٔ تصویرها گرفته شده است، چنان که صورت تمرین می‌خواهد؛ پس برچسب تصویرهای اعتبارسنجی هم در $v$ هست، هرچند خود چهره‌ها در آموزش مدل دیده نشده‌اند.

ضریب‌های هر چهره جداگانه برگزیده شده‌اند: یک شبکهٔ کوچک (داور) که تنها برای تشخیص لبخند آموزش دیده است روی ضریب‌های `{python} smile.GRID[0]` تا `{python} smile.GRID[-1]` می‌رود و شش ضریبی برداشته می‌شود که احتمال لبخند در آن‌ها نزدیک ۰، ۲۰، ۴۰، ۶۰، ۸۰ و ۱۰۰ درصد باشد.
@fig-vae-smile این شش تصویر را برای چهار چهرهٔ بی‌لبخند از بخش اعتبارسنجی نشان می‌دهد و درصد لبخند را زیر هر تصویر می‌نویسد؛ سطر نخست پاسخ خواستهٔ صورت تمرین است.
چهره‌ها با یک قاعده برگزیده شده‌اند: نخستین چهار چهره به ترتیب بخش اعتبارسنجی که درصدشان از ده به نود می‌رسد و دهان هیچ یک از شش تصویرشان از هم پاشیده نیست.
دهان را چنین می‌سنجیم: تصویر ساخته‌شده بار دیگر رمزگذاری و رمزگشایی می‌شود و خطا در ناحیهٔ دهان نباید از چندک `{python} smile.TORN` همین خطا برای بازسازی‌های معمول بیشتر باشد.
از `{python} len(walked)` چهرهٔ سنجیده، `{python} len(allowed)` چهره این قاعده را برآورده می‌کنند؛ در `{python} f"{100 * untorn:.0f}"` درصد چهره‌ها دهان در هر شش تصویر سالم است و در `{python} f"{100 * inside:.0f}"` درصد آن‌ها هر شش بردار در ناحیهٔ داده می‌مانند، یعنی فاصلهٔ ماهالانوبیس آن‌ها تا میانگین پیشین آموخته از چندک ۰٫۹۹ تصویرهای دیده‌نشده بیشتر نیست.
`{python} "" if len(allowed) >= 4 else f"چون تنها {fa(len(allowed))} چهره این قاعده را برآورده می‌کنند، سطرهای دیگر نخستین چهره‌های باقی‌مانده‌اند."`
"""

# %%
#| label: fig-vae-smile
#| fig-cap: چهار چهرهٔ دیده‌نشده و بی‌لبخند (ستون نخست از چپ، تصویر واقعی) و شش تصویر هر یک از چپ به راست؛ عدد زیر هر تصویر درصد لبخند از نگاه داور است
#| fig-alt: چهار سطر هفت‌تایی؛ نخستین تصویر هر سطر چهرهٔ واقعی است و شش تصویر پس از آن همان چهره با لبخند فزاینده، با درصد لبخند زیر هر یک
#| fig-width: 96%
fig, axes = plt.subplots(len(shown), 7, figsize=(7.2, 1.17 * len(shown)), squeeze=False)
for row, k in zip(axes, shown, strict=True):
    made = inference.decode(model, posterior.mean[walked[k]] + smiles.multiples[k].unsqueeze(1) * direction.vector)
    titles = ["تصویر واقعی", *(f"{fa(f'{100 * p:.0f}')}٪" for p in smiles.chosen[k].tolist())]
    for ax, picture, title in zip(row, [faces.images[walked[k]].float() / 255, *made], titles, strict=True):
        ax.imshow(picture.permute(1, 2, 0).clamp(0, 1), interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.set_xlabel(title, fontsize=8, labelpad=2)
        ax.spines[:].set_visible(False)

# %%
#| label: tbl-vae-smile
#| tbl-cap: 'ضریب $a$ و درصد لبخند تصویرهای @fig-vae-smile از نگاه دو داور که با تصویرهای جدا از هم آموزش دیده‌اند'
Table(["سطر", "", *(fa(k) for k in range(1, 7))],
      [[number if not at else "", name, *cells] for number, k in enumerate(shown, 1) for at, (name, cells) in enumerate((
          ("ضریب", [fa(f"{a:.2f}") for a in smiles.multiples[k].tolist()]),
          ("داور نخست", [fa(f"{100 * p:.0f}") for p in smiles.chosen[k].tolist()]),
          ("داور دوم", [fa(f"{100 * p:.0f}") for p in smiles.second[k].tolist()])))], "cl" + "r" * 6)

# %%
steps = list(smile.GRID)
mean_probability, probability_alone = smiles.whole.means, smiles.alone.means
(low, high), (low_alone, high_alone) = smiles.whole.interval().tolist(), smiles.alone.interval().tolist()
far = steps.index(3.4)

# %% [markdown]
r"""
### اندازه‌گیری درصد لبخند

ارزیابی چشمی عینی نیست. داور نخست، که ضریب‌ها را برمی‌گزیند، با نیمی از تصویرهای آموزش و داور دوم با نیم دیگر آموزش دیده است؛ درستی آن‌ها روی تصویرهای اعتبارسنجی `{python} f"{100 * judge.accuracy:.1f}"` و `{python} f"{100 * second_judge.accuracy:.1f}"` درصد است.
@tbl-vae-smile ضریب‌ها و درصدهای هر دو داور را برای چهار سطر @fig-vae-smile می‌دهد.
این درصدها اطمینان داور از لبخند بودن‌اند، نه اندازهٔ لبخند و نه کیفیت تصویر؛ برای همین قاعدهٔ بالا دهان را هم می‌سنجد.
از نگاه داور دوم، که در گزینش ضریب‌ها نقشی نداشته است، درصد لبخند در هر پنج گام `{python} f"{100 * smiles.rising:.0f}"` درصد از `{python} len(walked)` چهره بالا می‌رود و میانگین آن در شش تصویر `{python} "، ".join(fa(f"{100 * p:.0f}") for p in smiles.second.mean(0).tolist())` درصد است.
@fig-vae-smile-measured میانگین احتمال لبخند همین چهره‌ها را بر حسب ضریب، از نگاه داور نخست، نشان می‌دهد؛
نوار پیرامون هر منحنی بازهٔ اطمینان ۹۵ درصدی است که با نمونه‌گیری دوباره (bootstrap) از همین چهره‌ها به دست آمده است [@efron1993].
"""

# %%
#| label: fig-vae-smile-measured
#| fig-cap: میانگین احتمال لبخند از نگاه داور نخست، با حرکت در راستای همهٔ بردار لبخند و تنها در راستای بزرگ‌ترین بُعد آن؛ نوارها بازهٔ اطمینان ۹۵ درصدی‌اند.
#| fig-alt: دو منحنی احتمال لبخند بر حسب ضریب، یکی با همهٔ بردار لبخند و یکی تنها با بزرگ‌ترین بُعد آن، هر یک با نوار بازهٔ اطمینان
#| fig-width: 68%
fig, ax = plt.subplots(figsize=(5.2, 2.5))
for means, style, label, interval in ((mean_probability, "-", "همهٔ بردار لبخند", (low, high)),
                                      (probability_alone, "--", "تنها بزرگ‌ترین بُعد", (low_alone, high_alone))):
    (line,) = ax.plot(steps, means, style, label=label)
    ax.fill_between(steps, *interval, color=line.get_color(), alpha=0.18, linewidth=0)
ax.set_ylim(0, 1)
ax.set_xlabel("ضریب بردار لبخند")
ax.set_ylabel("احتمال لبخند")
ax.legend()
persian_ticks(ax)

# %% [markdown]
r"""
### آیا یک بُعد برای لبخند هست؟

صورت تمرین انتظار دارد که بیشترین تفاوت در یک بُعد رخ دهد.
در این اجرا بزرگ‌ترین مؤلفهٔ بردار لبخند در بُعد شمارهٔ `{python} direction.largest + 1` است
و `{python} f"{100 * share:.1f}"` درصدِ مربع طول بردار را در خود دارد.
منحنی دوم @fig-vae-smile-measured نشان می‌دهد که حرکت تنها در همین بُعد احتمال لبخند را از
`{python} f"{100 * probability_alone[0]:.0f}"` به `{python} f"{100 * probability_alone[far]:.0f}"` درصد در ضریب `{python} steps[far]` می‌برد؛
بازهٔ اطمینان آن در این ضریب از `{python} f"{100 * low_alone[far]:.1f}"` تا `{python} f"{100 * high_alone[far]:.1f}"` درصد است، و با همهٔ بردار از `{python} f"{100 * low[far]:.1f}"` تا `{python} f"{100 * high[far]:.1f}"`.
`{python} "پس همهٔ بردار لبخند را بهتر کنترل می‌کند، زیرا این دو بازه از هم جدا هستند." if low[far] > high_alone[far] else "دو بازه هم‌پوشانی دارند، پس این آزمایش میان دو راه داوری نمی‌کند." if high[far] > low_alone[far] else "پس در این اجرا همان یک بُعد لبخند را بهتر کنترل می‌کند، زیرا این دو بازه از هم جدا هستند."`
پیشین گاوسی نسبت به چرخش ناورداست و هزینه، جز از راه قطری بودن کوواریانس رمزگذار، محوری را برنمی‌گزیند؛ پس هیچ اجباری نیست که یک عامل در یک بُعد گرد آید؛
جداسازی عامل‌ها موضوع @sec-theory-beta و @sec-theory-tc است.

### سند آموزش

@tbl-vae-record آنچه را برای تکرار این آموزش لازم است نشان می‌دهد؛ وزن‌ها در قالب safetensors و سند کامل در `run.json` نگه داشته می‌شود.
"""

# %%
#| label: tbl-vae-record
#| tbl-cap: سند آموزش مدل
Table(["چه", "مقدار"], [
    ["داده", "چهره‌های ساختگی" if about.synthetic else f"`{about.source}`"],
    ["اثر انگشت داده (SHA-256)", f"`{about.fingerprint[:16]}…`"],
    ["فایل‌های کنارگذاشته‌شده", len(about.skipped)],
    ["دستگاه", device_of(trained)],
    ["مدت آموزش (ثانیه)", fa(f"{trained.seconds:.0f}") if trained.seconds else "گفته نمی‌شود"],
    ["دانهٔ تصادفی", seed],
    ["انحراف معیار درست‌نمایی، $s$", fa(f"{float(model.variance) ** 0.5:.4f}")],
    ["نسخهٔ PyTorch", f"`{torch.__version__}`"],
], "ll")
