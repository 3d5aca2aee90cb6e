"""Encoders, decoders, rewards and the spiking controller that joins them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from insectbot.controllers.circuits.rstdp_forager import rstdp_forager, snn_fixed
from insectbot.controllers.decoders import FilteredRateDecoder
from insectbot.controllers.encoders import ChannelEncoder
from insectbot.controllers.rewards import PredictionError
from insectbot.controllers.spiking import SpikingController
from insectbot.core.simulator import Simulator
from insectbot.errors import ConfigurationError, ShapeError
from insectbot.protocols import Readout


def attached(controller, seed=1):
    controller.attach(Simulator().compile(controller.network, seed=seed), 50)
    controller.reset(seed)
    return controller


def readout(*counts):
    none = np.full(len(counts), -1, np.int32)
    return Readout(np.array(counts, np.int32), none, none)


def test_encoder_passes_channels_and_appends_constants():
    encoder = ChannelEncoder(2, constants=(1.0, 0.25))
    np.testing.assert_allclose(encoder([0.1, 0.9, 0.5]), [0.1, 0.9, 1.0, 0.25])
    for broken in ([0.1], "no", 3.0):
        with pytest.raises(ShapeError, match="at least 2 numbers"):
            encoder(broken)


@given(rate=st.floats(1, 60), duration=st.sampled_from([10.0, 50.0, 200.0]), tau=st.floats(20, 500))
def test_a_steady_rate_decodes_to_the_spikes_in_tau(rate, duration, tau):
    decoder = FilteredRateDecoder(1, gain=0.2 / (rate * tau * 1e-3), tau=tau)
    decoder.set_window(duration)
    per_window = rate * duration * 1e-3
    for _ in range(math.ceil(20 * tau / duration)):
        action = decoder(Readout(np.array([per_window]), *[np.zeros(1, np.int32)] * 2))
    assert action[0] == pytest.approx(0.2, rel=1e-5)


def test_decoder_forgets_exponentially_and_saturates():
    decoder = FilteredRateDecoder(2, gain=0.2, tau=100.0)
    decoder.set_window(50.0)
    first = decoder(readout(4, 100)).copy()
    assert first[1] == 1.0
    second = decoder(readout(0, 0)).copy()
    assert second[0] == pytest.approx(first[0] * math.exp(-0.5), rel=1e-6)
    decoder.reset()
    assert decoder(readout(0, 0)).tolist() == [0.0, 0.0]


def test_prediction_error_is_the_reward_minus_its_running_mean():
    reward, mean = PredictionError(rate=0.25), 0.0
    for r in (1.0, 1.0, -2.0, 0.5):
        assert reward(r) == pytest.approx(r - mean)
        mean += 0.25 * (r - mean)


def test_without_input_spikes_a_frozen_brain_rests_and_a_learning_one_learns_nothing():
    controller = attached(rstdp_forager(seed=3))
    controller._encoder._drive[:] = 0  # the tonic input too
    before = controller.weights()
    for k in range(30):
        controller.act(np.zeros(5))  # exploration may twitch
        controller.learn(math.sin(k), k == 29)
    for name, weights in controller.weights().items():
        np.testing.assert_array_equal(weights, before[name])
    controller.learning = False
    controller.reset(1)
    for _ in range(30):
        assert controller.act(np.zeros(5)).tolist() == [0.0, 0.0]


def test_the_last_reward_of_an_episode_counts():
    """A reward on the terminal step reaches the weights before the next episode, and only if learning."""
    controller = attached(rstdp_forager(seed=3))
    controller.act(np.full(5, 0.6, np.float32))
    before = controller.weights()["target->motors"]
    controller.learn(50.0, True)
    after = controller.weights()["target->motors"]
    assert np.abs(after - before).max() > 1e-4
    controller.reset(9)
    np.testing.assert_array_equal(controller.weights()["target->motors"], after)


def test_mirror_symmetric_brains_stay_mirror_symmetric():
    controller = attached(rstdp_forager(seed=5))
    rng = np.random.default_rng(0)
    for _ in range(200):
        controller.act(rng.random(5))
        controller.learn(rng.normal(), False)
    for name in ("antennae->motors", "target->motors"):
        w = controller.network.projection(name).matrix(controller.weights()[name])
        np.testing.assert_array_equal(w, w[::-1, ::-1])
        assert np.abs(w - controller.network.projection(name).matrix()).max() > 0.01


def test_state_round_trips_in_the_middle_of_an_episode():
    first, second = attached(rstdp_forager(seed=7)), attached(rstdp_forager(seed=8), seed=2)
    rng = np.random.default_rng(1)
    observations = rng.random((60, 5))
    for k in range(30):
        first.act(observations[k])
        first.learn(observations[k, 0], False)
    second.load_state(first.state())
    for k in range(30, 60):
        np.testing.assert_array_equal(first.act(observations[k]), second.act(observations[k]))
        first.learn(observations[k, 1], False)
        second.learn(observations[k, 1], False)
    for name, weights in first.weights().items():
        np.testing.assert_array_equal(weights, second.weights()[name])


def test_hand_set_weights_turn_to_the_target_and_from_rough_ground():
    controller = attached(snn_fixed())

    def turn(observation):
        controller.reset(1)
        left, right = np.mean([controller.act(np.array(observation)).copy() for _ in range(400)], axis=0)
        return right - left

    assert turn([0.0, 0.0, 0.8, 0.3, 0.0]) > 0.05  # target on the left: the right wheel leads
    assert turn([0.0, 0.0, 0.3, 0.8, 0.0]) < -0.05
    assert turn([0.8, 0.1, 0.5, 0.5, 0.0]) < -0.05  # rough on the left: turn right
    assert abs(turn([0.3, 0.3, 0.5, 0.5, 0.0])) < 0.03


def test_wrong_use_is_one_sentence():
    with pytest.raises(ConfigurationError, match="must be 'mirror' or 'free'"):
        rstdp_forager(**{"symmetry": "both"})
    with pytest.raises(ConfigurationError, match="is not compiled"):
        rstdp_forager().act(np.zeros(5))
    network = rstdp_forager().network
    with pytest.raises(ConfigurationError, match="takes 5 inputs, its encoder gives 3"):
        SpikingController(network, ChannelEncoder(3), FilteredRateDecoder(2), PredictionError())
    with pytest.raises(ConfigurationError, match="at least one tick"):
        rstdp_forager().attach(Simulator().compile(network), 0)
