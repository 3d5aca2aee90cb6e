"""Rescorla-Wagner: the closed forms of the six classic experiments, to 1e-9, as trials and through the world."""

import gymnasium
import numpy as np
import pytest

from insectbot.controllers.conditioning import RescorlaWagner
from insectbot.errors import ConfigurationError

A, B = 0, 1
TOL = 1e-9


def test_acquisition_and_extinction():
    model = RescorlaWagner(0.3)
    for n in range(1, 11):
        model.trial([A], True)
        assert model.strengths[A] == pytest.approx(1 - 0.7**n, abs=TOL)
    assert model.strengths[A] == pytest.approx(0.9717524751, abs=TOL)
    top = model.strengths[A]
    for n in range(1, 11):
        model.trial([A], False)
        assert model.strengths[A] == pytest.approx(top * 0.7**n, abs=TOL)


def test_blocking():
    """20 A+, then 20 AB+: what A leaves, 0.7^20, is shared; B gets half of it, less 0.4^20 of that."""
    model = RescorlaWagner(0.3)
    for _ in range(20):
        model.trial([A], True)
    for _ in range(20):
        model.trial([A, B], True)
    assert model.strengths[B] == pytest.approx(0.5 * 0.7**20 * (1 - 0.4**20), abs=TOL)
    assert model.strengths[B] == pytest.approx(3.99e-4, rel=1e-3)


def test_overshadowing_and_overexpectation():
    model = RescorlaWagner(0.3)
    for _ in range(60):
        model.trial([A, B], True)
    np.testing.assert_allclose(model.strengths, 0.5, atol=TOL)
    model.strengths[:] = 1.0
    for n in range(1, 40):
        model.trial([A, B], True)
        np.testing.assert_allclose(model.strengths, 0.5 + 0.5 * 0.4**n, atol=TOL)
    np.testing.assert_allclose(model.strengths, 0.5, atol=TOL)


def test_conditioned_inhibition():
    """A+ and AB- in turn: A goes to 1, B to -1."""
    model = RescorlaWagner(0.3)
    for _ in range(400):
        model.trial([A], True)
        model.trial([A, B], False)
    np.testing.assert_allclose(model.strengths, [1.0, -1.0], atol=TOL)


@pytest.mark.parametrize("rate", [0.05, 0.3, 1.0])
def test_learning_rate_and_asymptote(rate):
    model = RescorlaWagner(rate, asymptote=2.0)
    for n in range(1, 8):
        model.trial([B], True)
        assert model.strengths[B] == pytest.approx(2 * (1 - (1 - rate) ** n), abs=TOL)
    with pytest.raises(ConfigurationError, match="alpha_beta"):
        RescorlaWagner(0.0)


def run(model, preset, **settings):
    env = gymnasium.make("insectbot/AplysiaReflex-v0", preset=preset, disable_env_checker=True, **settings)
    obs, _ = env.reset(seed=1, options={"swapped": False})
    model.reset(0)
    while True:
        obs, _, _, truncated, info = env.step(model.act(obs))
        if truncated:
            return info


def test_events_are_trials():
    """Through the world: 20 pairings, then 20 compounds, then tests: the strengths are those of the trials."""
    model = RescorlaWagner(0.3)
    found = run(model, "blocking", trials=20)
    assert found["ratio"] == pytest.approx(0.5 * 0.7**20 * (1 - 0.4**20), rel=1e-5)
    assert run(model, "overshadowing", trials=20)["ratio"] == pytest.approx(0.5 * (1 - 0.4**20), rel=1e-6)
    info = run(model, "conditioning", trials=5)
    assert info["ratio"] != info["ratio"] or info["ratio"] > 100  # CS- has no strength at all
    # The CS- of every trial was not reinforced, nor was the test itself.
    assert model.strengths[A] == pytest.approx((1 - 0.7**5) * 0.7, abs=TOL)
    model.learning = False
    run(model, "conditioning", trials=5)
    assert not model.strengths.any()
