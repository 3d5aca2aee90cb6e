"""What holds for every chip of the kit, without a list to maintain."""

from inspect import signature

import numpy as np
import pytest

from insectbot.chips import catalogue, datasheet
from insectbot.errors import ConfigurationError, Unsupported
from insectbot.snn import (
    LIF,
    Alpha,
    Exponential,
    Input,
    Izhikevich,
    Network,
    PoissonInput,
    Population,
    Projection,
    TsodyksMarkram,
)
from insectbot.snn.background import PoissonBackground

NAMES = datasheet.names()
WEIGHTS = np.full((3, 2), 0.3)


def network(model=None, projection=None, **population):
    return Network(
        inputs=(Input("in", 2, PoissonInput(50.0)),),
        populations=(Population("n", 3, model or LIF(), **population),),
        projections=(projection or Projection.dense("in", "n", WEIGHTS),),
        outputs=("n",),
    )


FOREIGN = {
    "background spikes": lambda: network(background=PoissonBackground(rate=100.0, weight=0.1)),
    "short-term plasticity": lambda: network(
        projection=Projection.dense("in", "n", WEIGHTS, short_term=TsodyksMarkram())
    ),
    "precise spike times": lambda: network(LIF(precise=True)),
    "neuron model Izhikevich": lambda: network(Izhikevich()),
    "Alpha|delta synapses": lambda: network(receptors={"": Alpha(5.0)}),
    "receptors|delta synapses": lambda: network(
        receptors={"a": Exponential(5.0), "b": Exponential(10.0)},
        projection=Projection.dense("in", "n", WEIGHTS, receptor="a"),
    ),
}
"""What the refusal names -> a network with something that no chip has: nothing may be dropped in silence."""


@pytest.mark.parametrize("named", FOREIGN)
@pytest.mark.parametrize("name", NAMES)
def test_what_a_chip_lacks_is_refused_by_name(name, named):
    chip, foreign = catalogue.chip(name), FOREIGN[named]()
    found = chip.check(foreign)
    assert any(word in text for text in found for word in named.split("|"))
    assert all(text.startswith(f"{name}: ") for text in found)
    with pytest.raises(Unsupported, match=named):
        chip.compile(foreign)


@pytest.mark.parametrize("name", NAMES)
def test_an_option_of_the_wrong_kind_is_one_sentence(name):
    """Every flag that a family or its bases take, and the number of the die."""
    accepted = [p for base in type(catalogue.chip(name)).__mro__ for p in signature(base.__init__).parameters.values()]
    flags = {p.name for p in accepted if isinstance(p.default, bool)}
    assert {"free_running", "throttle"} <= flags
    for flag in flags:
        for value in ("maybe", 1, None):
            with pytest.raises(ConfigurationError, match=rf"{name}\.{flag} = {value!r}: must be true or false"):
                catalogue.make(datasheet.load(name), **{flag: value})
    for die in ("x", -1, 1.5, True, float("nan"), float("inf")):
        with pytest.raises(ConfigurationError, match=rf"{name}\.die = .*: must be a whole number of at least 0"):
            catalogue.make(datasheet.load(name), die=die)
    if "substeps" in {p.name for p in accepted}:
        for substeps in ("x", 0, 1.5):
            with pytest.raises(ConfigurationError, match=r"substeps = .*: must be a whole number of at least 1"):
                catalogue.make(datasheet.load(name), substeps=substeps)


@pytest.mark.parametrize("name", NAMES)
def test_a_threshold_below_rest_is_refused_or_runs(name):
    chip, pacemaker = catalogue.chip(name), network(LIF(v_rest=0.0, v_reset=-2.0, v_th=-1.0, tau_m=10.0))
    if chip.check(pacemaker):
        assert f"{name}: population 'n': LIF.v_th = -1.0 must lie above v_rest = 0.0" in chip.check(pacemaker)
        return
    readout = chip.compile(pacemaker).window(np.zeros(2, np.float32), 100)
    assert readout.counts.min() > 0


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_says_where_it_comes_from(name):
    sheet = datasheet.load(name)
    for path, figure in sheet.figures.items():
        assert figure.evidence in {"read", "read-2", "ran", "memory", "assumed"}, path
        assert len(figure.source) > 3, path
    assert len(catalogue.chip(name).fidelity) > 200
