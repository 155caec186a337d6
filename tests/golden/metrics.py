"""Writes metrics.h: PSNR and SSIM of test fields by scikit-image.

apt-get install python3-skimage; run: python3 tests/golden/metrics.py > tests/golden/metrics.h
"""
import numpy as np
import skimage
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

CASES = [(7, 7, 1, 0.1), (24, 31, 1, 0.02), (40, 16, 3, 0.3), (9, 50, 3, 1.5), (64, 64, 1, 0.001)]


def field(height, width, channels, noise):
    y, x, c = np.meshgrid(*(np.arange(n, dtype=np.uint32) for n in (height, width, channels)),
                          indexing="ij")
    mixed = (y * np.uint32(7919) + x * np.uint32(104729) + c * np.uint32(31) + x * y * np.uint32(13))
    random = ((mixed * np.uint32(2654435761)) >> np.uint32(8)).astype(np.float64) / 2**24
    smooth = 0.9 * np.sin(0.2 * y + 0.31 * x + c)
    # The tests build the same fields; rounding to multiples of 2^-12 hides what sin() differs by.
    target = np.round(smooth * 4096) / 4096
    prediction = target + np.round(noise * (2 * random - 1) * 4096) / 4096
    return prediction.astype(np.float32), target.astype(np.float32)


print(f"/* Made by tests/golden/metrics.py with scikit-image {skimage.__version__}. */")
print("#ifndef TESTS_GOLDEN_METRICS_H\n#define TESTS_GOLDEN_METRICS_H\n\n/* clang-format off */")
print("static const struct { int height, width, channels; double noise, psnr, ssim; } "
      "golden_metrics[] = {")
for h, w, c, noise in CASES:
    p, t = (v.astype(np.float64) for v in field(h, w, c, noise))
    p, t = np.clip(p / 2 + 0.5, 0, 1), t / 2 + 0.5
    psnr = peak_signal_noise_ratio(t, p, data_range=1)
    ssim = structural_similarity(p, t, data_range=1, channel_axis=2)
    print(f"  {{{h}, {w}, {c}, {noise}, {psnr:.15g}, {ssim:.15g}}},")
print("};\n/* clang-format on */\n\n#endif")
