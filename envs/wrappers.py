"""Wrappers that put a worse periphery between a brain and any world: noise, delay, lag, and luck.

They work over every Gymnasium env whose observation (for senses) or action (for actuators) is a Box, keep its spaces,
and draw from random streams of their own: the world's stays as it is, and a wrapper that does nothing changes no bit.
The same reset seed gives the same bits. Vector versions: :mod:`insectbot.envs.wrappers_vector`.

Every number among the options may be one for all channels, a list with one per channel (entries of the space in C
order), or a range from which each episode draws anew: ``{"uniform": [low, high]}``, ``{"log_uniform": [low, high]}``,
``{"normal": [mean, sd]}`` (clipped to what the option accepts) or ``{"integers": [low, high]}``, both ends included.
Each channel draws its own number unless the range also says ``"together": True``.
"""

from __future__ import annotations

from collections.abc import Mapping

import gymnasium

from insectbot.envs.world import require_known
from insectbot.envs.wrappers_faces import PeripheryWrapper
from insectbot.envs.wrappers_periphery import Plan
from insectbot.envs.wrappers_settings import ACTUATORS, SENSES, Setting


class SensorNoise(PeripheryWrapper):
    """Senses that are noisy, badly calibrated, and sometimes silent.

    Channel by channel, ``y = gain x + offset + sd n``; with probability ``dropout`` the sample is lost and reads 0.
    The result is clipped to the observation space (and rounded, if that holds whole numbers). ``n`` is the sum of
    twelve uniform numbers minus 6: mean 0, variance 1, within +-6. The first observation is disturbed, too.

    Parameters
    ----------
    env : Env
        World with a Box observation.
    sd : Setting
        Standard deviation of the noise, in units of the channel, >= 0.
    gain, offset : Setting
        Calibration of the channel.
    dropout : Setting
        Probability that a sample is lost, in [0, 1].

    Raises
    ------
    ConfigurationError
        The observation space is no Box of numbers, or an option is not accepted.
    """

    def __init__(
        self,
        env: gymnasium.Env,
        sd: Setting = 0.0,
        *,
        gain: Setting = 1.0,
        offset: Setting = 0.0,
        dropout: Setting = 0.0,
    ) -> None:
        super().__init__(env, noise_plan(sd, gain, offset, dropout), sd=sd, gain=gain, offset=offset, dropout=dropout)


class SensorLatency(PeripheryWrapper):
    """Senses that report the past, by a whole number of control steps.

    Until that many steps have passed they report the first observation of the episode.

    Parameters
    ----------
    env : Env
        World with a Box observation.
    steps : Setting
        Delay in whole control steps, 0 to 10000.

    Raises
    ------
    ConfigurationError
        The observation space is no Box of numbers, or ``steps`` is not accepted.
    """

    def __init__(self, env: gymnasium.Env, steps: Setting = 0) -> None:
        super().__init__(env, latency_plan(steps), steps=steps)


class ActuatorLag(PeripheryWrapper):
    """Actuators that are late, coarse, deaf to small commands, and slow.

    A command u, clipped to the action space, waits for ``dead_time`` steps (until the first arrives, 0 holds); nearer
    to 0 than ``dead_zone`` it counts as 0; it is rounded to a multiple of ``quantum``; the actuator approaches it as a
    first-order low pass, in one control period T by ``y += (1 - exp(-T / tau)) (u - y)``, and the body gets this y for
    the whole period. An episode starts from y = 0, or the number of the space nearest to it.

    Parameters
    ----------
    env : Env
        World with a Box action.
    tau : Setting
        Time constant [s], >= 0.
    dead_time : Setting
        Delay in whole control steps, 0 to 10000.
    dead_zone : Setting
        Commands nearer to 0 than this do nothing, >= 0.
    quantum : Setting
        Step between the commands that the actuator knows, >= 0; 0 for no rounding.
    control_period : float or None
        Time between two actions [s]; None takes ``env.unwrapped.control_period``.

    Raises
    ------
    ConfigurationError
        The action space is no Box of numbers, an option is not accepted, or ``tau`` is given for a world without a
        control period.
    """

    def __init__(
        self,
        env: gymnasium.Env,
        tau: Setting = 0.0,
        *,
        dead_time: Setting = 0,
        dead_zone: Setting = 0.0,
        quantum: Setting = 0.0,
        control_period: float | None = None,
    ) -> None:
        super().__init__(
            env,
            lag_plan(tau, dead_time, dead_zone, quantum, control_period),
            tau=tau,
            dead_time=dead_time,
            dead_zone=dead_zone,
            quantum=quantum,
            control_period=control_period,
        )


class DomainRandomisation(PeripheryWrapper):
    """A body whose calibration every episode draws anew: a brain has to learn what holds for all.

    All disturbances of the other wrappers in one, with gains for both sides: observations are delayed, then disturbed
    as in :class:`SensorNoise`; actions are delayed, scaled (``gain u + offset``, before dead zone and quantum), then as
    in :class:`ActuatorLag`. Give ranges; plain numbers hold in every episode. ``drawn()`` tells what this episode got.

    Arguments of the world's constructor are not touched: a world is made once. Its numeric reset options can be drawn.

    Parameters
    ----------
    env : Env
        World with a Box observation (if a ``sensor_`` option is given) and a Box action (for ``actuator_`` options).
    sensor_gain, sensor_offset, sensor_sd, sensor_dropout, sensor_latency : Setting or None
        As in :class:`SensorNoise` and :class:`SensorLatency`; None leaves it alone.
    actuator_gain, actuator_offset : Setting or None
        Calibration of the actuators; the result stays within the action space.
    actuator_tau, actuator_dead_time, actuator_dead_zone, actuator_quantum : Setting or None
        As in :class:`ActuatorLag`.
    reset : mapping of str to range, or None
        Reset options of the world; an option given to ``reset`` wins over a drawn one.
    control_period : float or None
        Time between two actions [s]; None takes ``env.unwrapped.control_period``.

    Raises
    ------
    ConfigurationError
        A space is no Box of numbers, or an option is not accepted.
    """

    def __init__(
        self,
        env: gymnasium.Env,
        *,
        sensor_gain: Setting | None = None,
        sensor_offset: Setting | None = None,
        sensor_sd: Setting | None = None,
        sensor_dropout: Setting | None = None,
        sensor_latency: Setting | None = None,
        actuator_gain: Setting | None = None,
        actuator_offset: Setting | None = None,
        actuator_tau: Setting | None = None,
        actuator_dead_time: Setting | None = None,
        actuator_dead_zone: Setting | None = None,
        actuator_quantum: Setting | None = None,
        reset: Mapping[str, Setting] | None = None,
        control_period: float | None = None,
    ) -> None:
        given = {
            "sensor_gain": sensor_gain,
            "sensor_offset": sensor_offset,
            "sensor_sd": sensor_sd,
            "sensor_dropout": sensor_dropout,
            "sensor_latency": sensor_latency,
            "actuator_gain": actuator_gain,
            "actuator_offset": actuator_offset,
            "actuator_tau": actuator_tau,
            "actuator_dead_time": actuator_dead_time,
            "actuator_dead_zone": actuator_dead_zone,
            "actuator_quantum": actuator_quantum,
        }
        plan = randomisation_plan(given, reset, control_period)
        super().__init__(env, plan, **given, reset=reset, control_period=control_period)


def noise_plan(sd: Setting, gain: Setting, offset: Setting, dropout: Setting) -> Plan:
    """Return what :class:`SensorNoise` does."""
    options = {"sd": sd, "gain": gain, "offset": offset, "dropout": dropout}
    return Plan("sensor-noise", senses={name: (name, value) for name, value in options.items()})


def latency_plan(steps: Setting) -> Plan:
    """Return what :class:`SensorLatency` does."""
    return Plan("sensor-latency", senses={"latency": ("steps", steps)})


def lag_plan(
    tau: Setting, dead_time: Setting, dead_zone: Setting, quantum: Setting, control_period: float | None
) -> Plan:
    """Return what :class:`ActuatorLag` does."""
    options = {"tau": tau, "dead_time": dead_time, "dead_zone": dead_zone, "quantum": quantum}
    actuators = {name: (name, value) for name, value in options.items()}
    return Plan("actuator-lag", actuators=actuators, control_period=control_period)


def randomisation_plan(
    given: Mapping[str, Setting | None], reset: Mapping[str, Setting] | None, control_period: float | None
) -> Plan:
    """Return what :class:`DomainRandomisation` does, of its options by name; UnknownNameError for another name."""
    sides: dict[str, dict[str, tuple[str, Setting]]] = {"sensor": {}, "actuator": {}}
    known = [*(f"sensor_{name}" for name in SENSES), *(f"actuator_{name}" for name in ACTUATORS)]
    for name, value in given.items():
        require_known("domain-randomisation", name, known, "option")
        side, _, parameter = name.partition("_")
        if value is not None:
            sides[side][parameter] = name, value
    return Plan("domain-randomisation", sides["sensor"], sides["actuator"], reset or {}, control_period)
