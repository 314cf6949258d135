# %% [markdown]
# # One run of a sweep
#
# A FactorVAE (with `gamma` 0: a β-VAE) trained on images drawn with known factors, then measured on images that it has
# not seen. `dgm.vae.experiments.kernel` runs this notebook with Papermill, once for each run of a sweep, and keeps it.

# %% tags=["parameters"]
world = "sprites"
images = 20000
image_size = 16
factor: dict = {}  # what it says of dgm.vae.training.factor.FactorConfig; empty: a sweep's base
sizes: dict = {}  # and of dgm.vae.analysis.measure.Sizes
folder = ""  # where the training's state is kept; empty: nowhere

# %%
import base64
from pathlib import Path

import matplotlib.pyplot as plt
from IPython.display import Image, Markdown, display

from dgm.vae.experiments.run import run_experiment, run_of
from dgm.vae.experiments.sweep import BASE

given = {"factor": factor, "sizes": sizes}
run = run_of({**BASE.inputs(), "world": world, "images": images, "image_size": image_size,
              **{name: value for name, value in given.items() if value}})
display(Markdown(f"**{run.label}**"))
run

# %% [markdown]
# ## Training and measuring

# %%
record = run_experiment(run, Path(folder) if folder else None)
rows = "\n".join(f"| {name.replace('_', ' ')} | {value:.4g} |" for name, value in record["findings"].items())
display(Markdown(f"| measure | value |\n|---|---:|\n{rows}\n\nTrained in {record['seconds']} s on {record['device']}, "
                 f"PyTorch {record['torch']}; all terms in nats."))

# %%
history = record["history"]
pairs = {"reconstruction": ("reconstruction", "valid_reconstruction"), "KL": ("kl", "valid_kl"),
         "total correlation": ("total_correlation",)}
figure, axes = plt.subplots(1, len(pairs), figsize=(9, 2.6), layout="constrained")
for axis, (title, names) in zip(axes, pairs.items(), strict=True):
    for name in names:
        axis.plot(range(1, len(history[name]) + 1), history[name], label="unseen" if "valid" in name else "training")
    axis.set(title=f"{title}, nats", xlabel="epoch")
axes[0].legend()
plt.show()

# %% [markdown]
# ## A row for each dimension, from −2 to 2

# %%
display(Image(base64.b64decode(record["traversals"]), width=480))

# %%
display({"application/json": record}, raw=True)
