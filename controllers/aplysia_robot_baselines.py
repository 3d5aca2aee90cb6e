"""Controllers without a brain for ``insectbot/AplysiaRobot-v0``: straight ahead, random walk, Braitenberg.

They read nine numbers: infrared left (+160, +80, +45, +10 degrees) and right (-10, -45, -80, -160), then the contact.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from insectbot.controllers.baselines import Action, Baseline, wheels

_AHEAD = (0.1, 0.6, 1.0, 1.0)
"""Weight of a reading by its angle: +-160, +-80, +-45, +-10 degrees."""


class Straight(Baseline):
    """Both wheels at full speed, whatever happens; only the kick of a contact turns it."""

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return full speed."""
        return wheels(1.0, 1.0)


class ObstacleBraitenberg(Baseline):
    """Obstacles drive the near wheel and brake the far one (Braitenberg 1984, vehicle 2): it turns away from them.

    Parameters
    ----------
    gain : float
        Wheel command per unit of weighted infrared.
    """

    def __init__(self, gain: float = 2.0) -> None:
        self.gain = gain

    def act(self, observation: npt.ArrayLike) -> Action:
        """Return the two wheel commands for one observation."""
        ir = np.asarray(observation, np.float64)[:8]
        left, right = float(ir[:4] @ _AHEAD), float(ir[4:] @ _AHEAD[::-1])
        return wheels(1.0 - self.gain * right, 1.0 - self.gain * left) if left + right > 0 else wheels(1.0, 1.0)
