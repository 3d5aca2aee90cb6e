"""The Gymnasium env ``insectbot/AplysiaReflex-v0``: the siphon withdrawal experiments, event by event."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from insectbot.envs import aplysia_reflex_kernels as k
from insectbot.envs.aplysia_reflex_protocols import PRESETS, score
from insectbot.envs.row_env import RowEnv
from insectbot.envs.row_vector import RowVectorEnv
from insectbot.envs.world import Row, World, require_known, require_number
from insectbot.errors import ConfigurationError

SITES: Final = {"siphon": (2.0, 6.4), "mantle": (5.0, 7.3), "tail": (8.7, 5.6)}
_SITE_COLOUR: Final = {"siphon": (0, 114, 178), "mantle": (0, 158, 115), "tail": (213, 94, 0)}
_BODY: Final = (168, 140, 118)
_PLOT: Final = (0.9, 9.1, 0.9, 3.6)
"""Where the responses are drawn: x0, x1, y0, y1."""
_GILL: Final = (190, 90, 100)
_LEAST: Final = {"trials": 1.0, "isi": -60.0}


class AplysiaReflexWorld(World):
    """The world of :class:`AplysiaReflexEnv`; the arguments are explained there."""

    name = "insectbot/AplysiaReflex"
    control_period = 1.0
    key_slot, step_slot = k.KEY_HIGH, k.STEP
    presets = tuple(PRESETS)
    reset_kernel = staticmethod(k.reset)
    step_kernel = staticmethod(k.step)
    many_kernel = staticmethod(k.step_many)

    def __init__(self, preset: str = "conditioning", *, time_limit: float = 250.0, **settings: float | None) -> None:
        require_known(self.name, preset, PRESETS, "preset")
        self.preset = preset
        known = PRESETS[preset].settings
        given = {key: value for key, value in settings.items() if value is not None}
        for key, value in given.items():
            if key not in known:
                raise ConfigurationError(
                    f"{self.name}: preset {preset!r} has no {key}, only {', '.join(known) or 'no settings'}"
                )
            require_number(self.name, key, value, _LEAST.get(key, 0.0))
        self.protocol = PRESETS[preset].build({**known, **given})
        n, most = len(self.protocol.times), int(require_number(self.name, "time_limit", time_limit, 1.0))
        if n > k.MAX_EVENTS:
            raise ConfigurationError(f"{self.name}: {n} events, must be at most {k.MAX_EVENTS}; give fewer trials")
        self.n_events = min(n, most)
        gaps = np.diff(np.array(self.protocol.times), prepend=self.protocol.times[0] - k.NO_GAP)
        self.data = np.column_stack([np.array(self.protocol.stimuli), gaps]).astype(np.float32)
        self.observation_space = spaces.Box(0.0, np.array([1, 1, 1, k.NO_GAP], np.float32), dtype=np.float32)
        self.action_space = spaces.Box(0.0, 1.0, (1,), np.float32)

    def template(self) -> Row:
        """Return a row with the settings in place."""
        row = np.zeros(k.SIZE)
        row[k.N_EVENTS], row[k.WISH] = self.n_events, math.nan
        return row

    def apply_options(self, row: Row, options: Mapping[str, Any] | None) -> None:
        """Take ``swapped`` (bool); raises UnknownNameError or ConfigurationError."""
        for key, value in (options or {}).items():
            require_known(self.name, key, ("swapped",), "reset option")
            if not isinstance(value, bool | np.bool_):
                raise ConfigurationError(f"{self.name}: reset option swapped = {value!r}, must be True or False")
            row[k.WISH] = float(value)

    def _sites(self, row: Row, event: int) -> npt.NDArray[np.float32]:
        """Return the stimuli of an event by site: siphon, mantle, tail."""
        return self.data[event, [1, 0, 2] if row[k.SWAPPED] > 0 else [0, 1, 2]]

    def metrics(self, row: Row, code: int) -> dict[str, Any]:
        """Return the metrics of a finished protocol."""
        done = int(row[k.STEP])
        if done < len(self.protocol.times):
            return {"success": False, "ratio": math.nan, "events": done}
        found = score(self.preset, self.protocol, row[k.RESPONSE : k.RESPONSE + done].tolist())
        wanted = PRESETS[self.preset]
        success = wanted.low <= found[wanted.judged] <= wanted.high
        return {"success": bool(success), **found, "events": done, "hours": float(row[k.TIME]) / 3600.0}

    def scene(self, row: Row) -> dict[str, Any]:
        """Return the animal, its three sites, and the frame of the responses."""
        x0, x1, y0, y1 = _PLOT
        marks: list[dict[str, Any]] = [
            {"shape": "disc", "xy": [(3.4 + 0.36 * i, 6.4) for i in range(11)], "size": 1.45, "colour": _BODY},
            {"shape": "disc", "xy": [(1.9, 6.4), (8.5, 6.2)], "size": 0.8, "colour": _BODY},
            {"shape": "ring", "xy": [(4.2, 6.6)], "size": 0.8, "colour": _GILL, "label": "gill at rest"},
            {"shape": "line", "xy": [(x0, y1), (x0, y0), (x1, y0)], "colour": (120, 122, 128)},
            {"shape": "text", "xy": [(5.0, 0.45)], "text": f"{self.preset}: events in order, coloured by site"},
            {"shape": "text", "xy": [(3.6, 3.95)], "text": "how far the gill withdrew; grey line: naive animal"},
        ]
        for name, place in SITES.items():
            marks.append(
                {
                    "shape": "ring",
                    "xy": [place],
                    "size": 0.35,
                    "colour": _SITE_COLOUR[name],
                    "label": f"{name} stimulated",
                }
            )
            marks.append({"shape": "text", "xy": [(place[0], place[1] + 0.75)], "text": name})
        return {
            "extent": (0.0, 10.0, 0.0, 9.0),
            "unit": "cm",
            "senses": ("siphon", "mantle", "shock", "gap s"),
            "sense_range": ((0.0, 0.0, 0.0, 0.0), (1.0, 1.0, 1.0, 600.0)),
            "actions": ("withdrawal",),
            "marks": marks,
            "body": {"kind": "none"},
        }

    def overlay(self, row: Row) -> list[dict[str, Any]]:
        """Return the gill as the last response left it, all responses as bars, and the last event's sites filled."""
        x0, x1, y0, y1 = _PLOT
        n, done, marks = self.n_events, int(row[k.STEP]), []
        highest = max(2.0, float(row[k.RESPONSE : k.RESPONSE + n].max(initial=0.0)))
        naive = y0 + (y1 - y0) / highest
        marks.append({"shape": "line", "xy": [(x0, naive), (x1, naive)], "colour": (200, 198, 190), "width": 1})
        last = float(row[k.RESPONSE + done - 1]) if 0 < done <= n else 0.0
        gill = {"shape": "disc", "xy": [(4.2, 6.6)], "size": 0.8 / (1.0 + 0.5 * last), "colour": _GILL, "label": "gill"}
        marks.append(gill)
        for i in range(min(done, n)):
            stimuli = self._sites(row, i)
            site = list(SITES)[int(np.argmax(stimuli))] if stimuli.any() else "siphon"
            x = x0 + (x1 - x0) * (i + 0.5) / n
            height = (y1 - y0) * float(row[k.RESPONSE + i]) / highest
            marks.append({"shape": "line", "xy": [(x, y0), (x, y0 + height)], "colour": _SITE_COLOUR[site], "width": 4})
        if 0 < done <= n:
            for name, on in zip(SITES, self._sites(row, done - 1), strict=True):
                if on > 0:
                    marks.append({"shape": "disc", "xy": [SITES[name]], "size": 0.35, "colour": _SITE_COLOUR[name]})
        return marks

    def pose(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the middle of the animal, which does not move."""
        return np.array([5.0, 6.4, 0.0])

    def senses(self, row: Row) -> npt.NDArray[np.float64]:
        """Return the present observation."""
        return row[k.SEEN : k.SEEN + 4]

    def time(self, row: Row) -> float:
        """Return the time since the first event [s]."""
        return float(row[k.TIME])

    def status(self, row: Row) -> list[str]:
        """Return the number of events so far."""
        return [f"event {int(row[k.STEP])} of {self.n_events}"]


class AplysiaReflexEnv(RowEnv):
    """The gill and siphon withdrawal of Aplysia: habituation, sensitisation, conditioning, event by event.

    The classic experiments of Kandel's group as protocols. A step is one event (a touch, a shock, or several at once);
    the time between events is told, not simulated, so that days pass in a moment. The controller is the animal: it
    answers every event with the amplitude of its withdrawal. Nothing in
    the world is random; the animal may be.

    **Action** ``Box(0, 1, (1,), float32)``: amplitude of the withdrawal; 0.1 is that of a naive animal, 1 ten times
    that.

    **Observation** ``Box(0, [1, 1, 1, 1e6], (4,), float32)``:

    | index | meaning |
    |---|---|
    | 0, 1 | touch of the siphon, of the mantle |
    | 2 | shock of the tail |
    | 3 | time since the event before [s]; 1e6 before the first |

    **Reward** is always 0: the animal is observed, not taught.

    **Start.** The first event of the protocol. As in the experiments the seed decides which of the two sites plays
    which role; the table below says siphon and mantle for the unswapped case.

    **End.** Never terminated; truncated after the last event, or after ``time_limit`` events. (``control_period`` is 1
    s: an event lasts so long for a network that runs while it happens.)

    **Info** is empty until the last event. Then (protocols cut short have only the first and ``events``):

    | key | meaning |
    |---|---|
    | success | whether ``ratio`` (last two presets: ``share``) lies in the range of the experiments (see the presets) |
    | ratio | what the protocol measures, see the presets |
    | fit | habituation: R^2 of an exponential decline |
    | before, gain | dishabituation: last response before the shock, and after over before |
    | first | blocking, overshadowing: response to the siphon |
    | share | the same: what the mantle gained over what the siphon gained; NaN if that is below 0.2 |
    | events, hours | number of events and duration |

    **Presets**, with the range of ``ratio`` that is a success:

    | preset | protocol | ratio | range |
    |---|---|---|---|
    | habituation | 15 touches of the siphon, every 30 s | 10th over 1st | 0.25 to 0.55 |
    | recovery | the same, rest of 20 minutes, a touch | test over 1st | 0.65 to 0.9 |
    | dishabituation | the same, shock, a touch 30 s later | test over 1st | 0.5 to 1.1 |
    | sensitisation | touch, shock, a touch 30 s later | test over 1st | 1.2 to 2 |
    | specificity | mantle, 15 touches of the siphon, mantle | 2nd mantle over 1st | 0.98 to 1.02 |
    | conditioning | 5 pairings siphon, 0.5 s, shock; mantle between; test after 24 h | CS+ over CS- | 1.3 or more |
    | isi | the same with 1 s from touch to shock | CS+ over CS- | 1.02 or more |
    | unpaired | the same with 75 s from touch to shock | CS+ over CS- | 0.9 to 1.1 |
    | contingency | conditioning with one more, unpaired shock after each pairing | CS+ over CS- | 1.1 or less |
    | blocking | 20 pairings of the siphon, 20 of siphon with mantle; test the mantle | mantle | share 0.15 or less |
    | overshadowing | 20 pairings of siphon with mantle only | mantle | share 0.5 to 2 |

    Sources: Pinsker et al. 1970 and Carew et al. 1971 (habituation, dishabituation), Carew, Hawkins & Kandel 1983
    (differential conditioning, retention for 24 h), Hawkins, Carew & Kandel 1986 (interval and contingency). The bounds
    of blocking and overshadowing are this project's. Over a group, blocking is read against overshadowing:
    ``(blocking - 1) / (overshadowing - 1)``.

    Parameters
    ----------
    preset : str
        One of the table: ``"habituation"``, ``"recovery"``, ``"dishabituation"``, ``"sensitisation"``,
        ``"specificity"``, ``"conditioning"``, ``"isi"``, ``"unpaired"``, ``"contingency"``, ``"blocking"``,
        ``"overshadowing"``.
    trials : int, optional
        Number of touches or pairings, >= 1.
    interval : float, optional
        Time between touches [s].
    isi : float, optional
        Time from touch to shock [s], >= -60; 0 for both at once, below 0 for the shock first.
    trial_interval : float, optional
        Time between pairings [s].
    delay : float, optional
        Time before the test [s].
    time_limit : float
        Most events.
    render_mode : str, optional
        ``"human"`` or ``"rgb_array"``.

    Raises
    ------
    UnknownNameError
        For an unknown preset.
    ConfigurationError
        For a setting that the preset does not have, or outside its range.

    Notes
    -----
    ``reset(options=...)`` takes ``swapped`` (bool): whether siphon and mantle change roles.

    Examples
    --------
    >>> import gymnasium, insectbot
    >>> env = gymnasium.make("insectbot/AplysiaReflex-v0", preset="habituation")
    >>> obs, info = env.reset(seed=1)
    >>> obs, reward, terminated, truncated, info = env.step([0.1])

    Version history: v0, first version.
    """

    control_period = AplysiaReflexWorld.control_period
    presets = AplysiaReflexWorld.presets

    def __init__(
        self,
        preset: str = "conditioning",
        *,
        trials: int | None = None,
        interval: float | None = None,
        isi: float | None = None,
        trial_interval: float | None = None,
        delay: float | None = None,
        time_limit: float = 250.0,
        render_mode: str | None = None,
    ) -> None:
        world = AplysiaReflexWorld(
            preset,
            trials=trials,
            interval=interval,
            isi=isi,
            trial_interval=trial_interval,
            delay=delay,
            time_limit=time_limit,
        )
        super().__init__(world, render_mode)


class AplysiaReflexVectorEnv(RowVectorEnv):
    """Many animals in one call; the arguments of :class:`AplysiaReflexEnv`, and those of the base."""

    world_class = AplysiaReflexWorld
    control_period = AplysiaReflexWorld.control_period
