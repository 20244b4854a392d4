"""Changes of whole batches: scaling, encoding, and random augmentation of images.

Images are arrays ``(N, ..., H, W)``: samples first, rows and columns last, channels, if any, between. A function
gives arrays for arrays and tensors for tensors; no gradient flows through. What is drawn is drawn for each
sample on its own, from ``generator=``: a seed, a generator, or by default `tensorgrad.default_generator`, which
a `DataLoader` sets for each batch.
"""

from __future__ import annotations

from .mixing import cutmix as cutmix
from .mixing import cutout as cutout
from .mixing import mixup as mixup
from .numbers import compose as compose
from .numbers import mean_std as mean_std
from .numbers import normalise as normalise
from .numbers import one_hot as one_hot
from .numbers import to_float as to_float
from .places import center_crop as center_crop
from .places import random_crop as random_crop
from .places import random_flip as random_flip
from .places import random_rotation as random_rotation
from .places import random_shift as random_shift
from .places import resize as resize
