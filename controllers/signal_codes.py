"""Codes of whole signals: steps, contrast, and Ben's spiker algorithm (models sheet B; Petro, Kasabov & Kiss 2020).

Signals here may have any range. Steps use the same functions as the codes in the kernel.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from insectbot.errors import ShapeError
from insectbot.snn.codes import DeltaInput, SendOnDeltaInput
from insectbot.snn.validate import require_positive

Reals = npt.NDArray[np.float64]
Events = npt.NDArray[np.int64]


def step_forward(signal: npt.ArrayLike, threshold: float, start: float | None = None) -> Events:
    """Return one step +1, 0 or -1 per sample: step-forward delta modulation.

    Parameters
    ----------
    signal : array_like, shape (n_samples,)
        Signal, any range.
    threshold : float
        Height of a step [unit of the signal], > 0.
    start : float or None
        Value that the copy begins at; None for the first sample.
    """
    require_positive("step_forward", threshold=threshold)
    samples = _signal(signal)
    origin = samples[0] if start is None else start
    events = np.zeros(samples.size, np.int64)
    level = 0.0
    for t, x in enumerate(samples):
        level, step = DeltaInput.frame(x, level, threshold, origin)
        events[t] = int(step)
    return events


def send_on_delta(signal: npt.ArrayLike, threshold: float, start: float | None = None) -> Events:
    """Return for each sample how many thresholds were crossed upwards (negative: downwards).

    The staircase of these events is always nearer to the signal than ``threshold``.

    Parameters
    ----------
    signal : array_like, shape (n_samples,)
        Signal, any range; for the events of a DVS pixel its logarithm.
    threshold : float
        Height of a step [unit of the signal], > 0.
    start : float or None
        Value that the copy begins at; None for the first sample.
    """
    require_positive("send_on_delta", threshold=threshold)
    samples = _signal(signal)
    origin = samples[0] if start is None else start
    events = np.zeros(samples.size, np.int64)
    level = 0.0
    for t, x in enumerate(samples):
        target, before = SendOnDeltaInput.frame(x, origin), level
        moves = True
        while moves:
            old = level
            _, level = SendOnDeltaInput.emit(target, level, threshold, 1.0)
            moves = level != old
        events[t] = int(level - before)
    return events


def staircase(events: npt.ArrayLike, threshold: float, start: float = 0.0) -> Reals:
    """Return the signal that steps say: ``start + threshold * (sum of the events so far)``."""
    return start + np.multiply(threshold, np.cumsum(np.asarray(events, np.int64)), dtype=np.float64)


def contrast_threshold(signal: npt.ArrayLike, factor: float = 1.0) -> float:
    """Return ``mean(dx) + factor * std(dx)`` of the differences dx between samples.

    It is the threshold of temporal contrast: a sample is an event where ``|dx|`` exceeds it
    (:class:`~insectbot.snn.codes.ContrastInput`).
    """
    change = np.diff(_signal(signal))
    if change.size == 0:
        raise ShapeError("contrast_threshold: a signal of one sample has no differences")
    return float(change.mean() + factor * change.std())


def temporal_contrast(signal: npt.ArrayLike, factor: float = 1.0) -> Events:
    """Return +1 or -1 where the signal rose or fell by more than :func:`contrast_threshold`, else 0.

    Parameters
    ----------
    signal : array_like, shape (n_samples,)
        Signal, any range; the first sample is no event.
    factor : float
        Standard deviations above the mean difference.
    """
    samples = _signal(signal)
    threshold = contrast_threshold(samples, factor)
    change = np.diff(samples, prepend=samples[0])
    return (change > threshold).astype(np.int64) - (-change > threshold)


def bsa(signal: npt.ArrayLike, fir: npt.ArrayLike, threshold: float = 0.86) -> npt.NDArray[np.bool_]:
    """Return the spikes of Ben's spiker algorithm: those whose filter responses add up to the signal.

    From the first sample to the last: where subtracting the filter leaves ``sum |s - h| <= threshold sum |s|`` over
    its length, a spike is set and the filter is subtracted (Schrauwen & Van Campenhout 2003, with a relative
    threshold). It looks ahead by the length of the filter, so no channel of a kernel can run it. A filter below
    ``1 - threshold`` of the signal over its length is too weak to be subtracted at all: scale it up.

    Parameters
    ----------
    signal : array_like, shape (n_samples,)
        Signal, not negative: shift it by its minimum.
    fir : array_like, shape (m,)
        Impulse response of the filter that decodes, not negative.
    threshold : float
        Share of the signal that may be left, > 0.
    """
    require_positive("bsa", threshold=threshold)
    rest, h = _signal(signal).copy(), _signal(fir)
    spikes = np.zeros(rest.size, np.bool_)
    for t in range(rest.size):
        part = rest[t : t + h.size]
        without = part - h[: part.size]
        if np.abs(without).sum() <= threshold * np.abs(part).sum() and part.any():
            spikes[t] = True
            part[:] = without
    return spikes


def bsa_decode(spikes: npt.ArrayLike, fir: npt.ArrayLike) -> Reals:
    """Return the signal that :func:`bsa` spikes say: their convolution with the filter, as long as the spikes."""
    train = np.asarray(spikes, np.float64)
    return np.convolve(train, _signal(fir))[: train.size]


def exponential_filter(times: npt.ArrayLike, tau: float, at: npt.ArrayLike) -> Reals:
    """Return the rate [Hz] that an exponential filter reads: ``1 / tau sum(exp(-(t - t_k) / tau))`` over past spikes.

    Parameters
    ----------
    times : array_like, shape (n,)
        Spike times [ms].
    tau : float
        Time constant [ms], > 0.
    at : array_like
        Times to read at [ms]; a spike counts from its own time on.
    """
    require_positive("exponential_filter", tau=tau)
    age = np.asarray(at, np.float64)[..., None] - np.asarray(times, np.float64)
    return np.where(age >= 0.0, np.exp(-np.maximum(age, 0.0) / tau), 0.0).sum(axis=-1) * (1000.0 / tau)


def _signal(signal: npt.ArrayLike) -> Reals:
    samples = np.asarray(signal, np.float64)
    if samples.ndim != 1 or samples.size == 0 or not np.isfinite(samples).all():
        raise ShapeError(f"a signal of shape {samples.shape} must be a vector of finite numbers")
    return samples
