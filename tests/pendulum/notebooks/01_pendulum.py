# %% [markdown]
r"""
# دورهٔ تناوب {#sec-period}

دورهٔ تناوب آونگ ساده با @eq-period داده می‌شود؛
در @fig-period مقدار آن برای طول‌های گوناگون رسم شده است.

$$T = 2\pi\sqrt{\frac{\ell}{g}}$$ {#eq-period}
"""

# %% tags=["parameters"]
gravity: float = 9.81
lengths: int = 5

# %%
#| label: fig-period
#| fig-cap: "دورهٔ تناوب برای $g$ برابر `{python} gravity`"
#| fig-alt: "منحنی صعودی دوره بر حسب طول"
import numpy as np
import matplotlib.pyplot as plt
from gozaresh.author import report_style, Table, fa, persian_ticks
report_style()
length = np.linspace(0.1, 2, lengths)
fig, ax = plt.subplots()
ax.plot(length, 2 * np.pi * np.sqrt(length / gravity))
ax.set_xlabel("طول (متر)")
persian_ticks(ax)

# %% [markdown]
"""
## عددها {#sec-numbers}

برای طول یک متر دوره `{python} f"{2 * np.pi / gravity ** 0.5:.3f}"` ثانیه است (torch و «FactorVAE، torch» و C++).
"""

# %%
#| label: tbl-period
#| tbl-cap: دوره برای چند طول، @sec-period را ببینید.
Table(
    [r"طول $\ell$", "دوره"],
    [[fa(f"{metres:.2f}"), fa(f"{2 * np.pi * (metres / gravity) ** 0.5:.3f}")] for metres in length])

# %%
#| label: lst-f
#| lst-cap: محاسبهٔ دوره
#| echo: true
def period(length):
    # دوره را برمی‌گرداند
    return 2 * np.pi * (length / gravity) ** 0.5

# %% [markdown]
"""
جدول و برنامه: @tbl-period و @lst-f را ببینید.
"""
