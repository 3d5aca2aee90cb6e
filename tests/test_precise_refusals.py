"""What LIF(precise=True) cannot have is refused by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from insectbot.chips.loihi import Loihi
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, Unsupported
from insectbot.snn import (
    LIF,
    Alpha,
    Exponential,
    LeakyReadout,
    Network,
    OrnsteinUhlenbeck,
    PairSTDP,
    PoissonBackground,
    Population,
    Projection,
    TsodyksMarkram,
)
from insectbot.snn.nir import lost
from insectbot.snn.nir.models import SubtractLIF

EXACT = LIF(tau_m=10.0, v_rest=-70.0, v_th=-55.0, v_reset=-70.0, t_ref=2.0, tau_syn=2.0, precise=True)


def refused(**changes):
    """Return a network with one thing that precise spike times cannot have."""
    options = {k: v for k, v in changes.items() if k in ("receptors", "exploration", "background")}
    model = changes.get("model", replace(EXACT, **{k: v for k, v in changes.items() if k == "v_min"}))
    ways = {k: v for k, v in changes.items() if k in ("plasticity", "short_term")}
    other = changes.get("other", LIF())
    direction = changes.get("direction", ("b", "a"))
    return Network(
        inputs=(),
        populations=(Population("a", 2, model, **options), Population("b", 2, other)),
        projections=(Projection.dense(*direction, np.ones((2, 2)), **ways),),
        outputs=("a",),
    )


REFUSALS = {
    "alpha": ({"receptors": {"x": Alpha(2.0)}}, "receptor 'x' of kind Alpha"),
    "conductance": ({"receptors": {"x": Exponential(2.0, 0.0)}}, "conductances such as receptor 'x'"),
    "other state": ({"receptors": {"x": Exponential(2.0, into="u")}}, "goes into 'u', which is no state"),
    "noise": ({"exploration": OrnsteinUhlenbeck()}, "exploration noise"),
    "background": ({"background": PoissonBackground()}, "Poisson background"),
    "bound": ({"v_min": -90.0}, r"a lower bound \(v_min\)"),
    "other model": ({"model": SubtractLIF(precise=True)}, "the model SubtractLIF; use LIF"),
    "plastic in": ({"plasticity": PairSTDP()}, "plastic projections, but 'b->a' has PairSTDP"),
    "plastic out": ({"plasticity": PairSTDP(), "direction": ("a", "b")}, "'a->b' has PairSTDP"),
    "short term": ({"short_term": TsodyksMarkram(), "direction": ("a", "b")}, "'a->b' has TsodyksMarkram"),
    "graded": ({"other": LeakyReadout()}, "graded sources such as 'b'"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_it_cannot_have_is_refused_by_name(case):
    changes, words = REFUSALS[case]
    with pytest.raises(Unsupported, match=words) as caught:
        Simulator().compile(refused(**changes))
    assert "\n" not in str(caught.value)
    assert "'a'" in str(caught.value)


def test_threads_chips_and_files_are_told():
    with pytest.raises(Unsupported, match="threads: population 'a' has precise spike times; use threads = 1"):
        Simulator(threads=2).compile(refused())
    with pytest.raises(Unsupported, match="precise spike times do not exist on the chip"):
        Loihi().compile(refused())
    assert "LIF.precise of population 'a'" in lost(refused())
    with pytest.raises(ConfigurationError, match=r"LIF\.precise = 1: must be True or False"):
        LIF(precise=1)
