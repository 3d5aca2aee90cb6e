"""Index of the decoders: readout of a window to action (models sheet B; docs/codes.md)."""

from insectbot.controllers.decoder import Decoder
from insectbot.controllers.pattern_decoders import BurstDecoder, DeltaDecoder, PhaseDecoder
from insectbot.controllers.population_decoders import (
    GaussianReceptiveFieldDecoder,
    LeastSquaresDecoder,
    PopulationDecoder,
    PopulationVectorDecoder,
)
from insectbot.controllers.rate_decoders import FilteredRateDecoder, RateDecoder
from insectbot.controllers.time_decoders import FirstSpikeDecoder, FrameDecoder, ISIDecoder, RankOrderDecoder

__all__ = [
    "BurstDecoder",
    "Decoder",
    "DeltaDecoder",
    "FilteredRateDecoder",
    "FirstSpikeDecoder",
    "FrameDecoder",
    "GaussianReceptiveFieldDecoder",
    "ISIDecoder",
    "LeastSquaresDecoder",
    "PhaseDecoder",
    "PopulationDecoder",
    "PopulationVectorDecoder",
    "RankOrderDecoder",
    "RateDecoder",
]
