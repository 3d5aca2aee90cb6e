"""Fixed-pattern mismatch of analog chips: one set of factors per die and parameter, drawn from the die's number."""

from __future__ import annotations

import math
from zlib import crc32

import numpy as np
import numpy.typing as npt

from insectbot.chips.datasheet import Datasheet
from insectbot.snn.validate import require_not_negative

CUT = 3.0
"""Standard deviations at which a draw is truncated."""


class Die:
    """One chip of many: how much each of its circuits deviates.

    Every parameter has its own stream, so that one spread can be changed without redrawing the others.

    Parameters
    ----------
    sheet : Datasheet
        Its ``[mismatch]`` table gives the coefficient of variation of every parameter and ``distribution``, ``gauss``
        or ``lognormal``.
    number : int
        Number of the die.
    mismatch : float
        Factor of all coefficients of variation, >= 0: 0 makes all circuits alike, 1 is as the datasheet says.

    Raises
    ------
    ConfigurationError
        If ``mismatch`` is negative or not finite.
    """

    def __init__(self, sheet: Datasheet, number: int, mismatch: float = 1.0) -> None:
        require_not_negative(sheet.name, mismatch=mismatch)
        self.sheet, self.number, self.mismatch = sheet, int(number), float(mismatch)

    def factors(self, parameter: str, n: int) -> npt.NDArray[np.float64]:
        """Return the factor of each of ``n`` circuits for a parameter of the datasheet's table, shape (n,), > 0."""
        cv = self.mismatch * float(self.sheet[f"mismatch.{parameter}"].value)
        z = truncated_normal(self.number, parameter, n)
        if self.sheet["mismatch.distribution"].value == "lognormal":
            sigma = math.sqrt(math.log1p(cv * cv))
            return np.exp(sigma * z - 0.5 * sigma * sigma)
        return np.maximum(1.0 + cv * z, 0.05)


def truncated_normal(number: int, parameter: str, n: int) -> npt.NDArray[np.float64]:
    """Return standard normal numbers within :data:`CUT`, a function of the die's number and the parameter's name."""
    rng = np.random.default_rng([number & ((1 << 64) - 1), crc32(parameter.encode())])
    z = rng.standard_normal(n)
    while (far := np.abs(z) > CUT).any():
        z[far] = rng.standard_normal(int(far.sum()))
    return z
