"""Index of the neural codes: how a drive in [0, 1] becomes spikes inside the core (models sheet B; docs/codes.md).

A code of your own is a dataclass like these: subclass :class:`~insectbot.snn.inputs.CodedInput` and write ``frame``
and ``emit``. :func:`~insectbot.snn.encode.encode` runs any of them without a network.
"""

from insectbot.snn.codes_change import ChangeInput, ContrastInput, CrossingInput, DeltaInput, DVSInput, SendOnDeltaInput
from insectbot.snn.codes_latency import (
    FirstSpikeInput,
    LatencyInput,
    LIFLatencyInput,
    LogLatencyInput,
    RankOrderInput,
)
from insectbot.snn.codes_phase import OscillationPhaseInput, PhaseInput
from insectbot.snn.codes_train import BurstInput, ISIInput
from insectbot.snn.inputs import CodedInput, PoissonInput, RegularInput, SpikeTimesInput

__all__ = [
    "BurstInput",
    "ChangeInput",
    "CodedInput",
    "ContrastInput",
    "CrossingInput",
    "DVSInput",
    "DeltaInput",
    "FirstSpikeInput",
    "ISIInput",
    "LIFLatencyInput",
    "LatencyInput",
    "LogLatencyInput",
    "OscillationPhaseInput",
    "PhaseInput",
    "PoissonInput",
    "RankOrderInput",
    "RegularInput",
    "SendOnDeltaInput",
    "SpikeTimesInput",
]
